"""The wire table against the lengths that the Recommendation and the IMO circulars publish."""

import pytest

from shiprider.formats.ais.binary import BINARY
from shiprider.formats.ais.layout import Field, Group
from shiprider.formats.ais.messages import PLAIN

#: Bits of each message, M.1371-5 annex 8 tables 46 to 85 (the longest where it varies).
PUBLISHED = {
    1: 168, 2: 168, 3: 168, 4: 168, 5: 424, 7: 168, 9: 168, 10: 72, 11: 168, 12: 1008, 13: 168,
    14: 1008, 15: 160, 17: 816, 18: 168, 19: 312, 20: 160, 21: 360, 22: 168, 23: 160, 24: 168,
    25: 168, 26: 1064, 27: 96,
}  # fmt: skip
#: Bits of binary messages: IMO SN.1/Circ.289, 236, UNECE SC.3/176, IALA.
APPLICATIONS = {
    (8, 1, 11): 352,
    (8, 1, 31): 360,
    (8, 1, 21): 360,
    (8, 1, 22): 981,
    (8, 1, 24): 360,
    (8, 1, 27): 997,
    (8, 1, 19): 360,
    (6, 1, 18): 360,
    (6, 1, 20): 360,
    (8, 200, 10): 168,
    (8, 200, 23): 256,
    (8, 200, 24): 168,
    (8, 200, 40): 168,
    (6, 235, 10): 136,
}


def test_every_type_is_there() -> None:
    assert {layout.message_type for layout in (*PLAIN, *BINARY)} == set(range(1, 28))


@pytest.mark.parametrize(("kind", "bits"), PUBLISHED.items())
def test_plain_lengths(kind: int, bits: int) -> None:
    assert max(layout.bits for layout in PLAIN if layout.message_type == kind) == bits


@pytest.mark.parametrize(("key", "bits"), APPLICATIONS.items())
def test_application_lengths(key: tuple[int, int, int], bits: int) -> None:
    kind, dac, fid = key
    found = [
        layout.bits
        for layout in BINARY
        if layout.message_type == kind and [value for _, _, value in layout.tests[:2]] == [dac, fid]
    ]
    assert bits in found


def test_records_fill_their_groups() -> None:
    for layout in BINARY:
        for item in layout.items:
            if isinstance(item, Group):
                for record in item.records.values():
                    assert sum(field.width for field in record) == item.width, layout.name


def test_names_are_unique_and_leave_the_envelope_of_json_free() -> None:
    outside = {"talker", "channel", "station", "time", "time_source", "address", "nmea"}
    for layout in (*PLAIN, *BINARY):
        names = [item.name for item in layout.items if not isinstance(item, Field) or item.name]
        assert len(names) == len(set(names)), layout.name
        assert not outside & set(names), layout.name
