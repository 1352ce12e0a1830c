"""Files and answers of other software, made up and mutated: read, kept with a reason, or refused in one sentence."""

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiprider.flow.interchange.importing import report_id
from shiprider.flow.terms import of_foreign_report
from shiprider.formats.foreign import Foreign
from shiprider.formats.misp import reading as misp
from shiprider.formats.stix import reading as stix
from shiprider.model.errors import InputError
from shiprider.model.label import parse

READERS = {"stix": stix.read, "misp": misp.read}
ID = "11111111-1111-4111-8111-111111111111"
#: Names that the readers look at, so that made-up objects reach past the first check.
NAMES = (
    "type", "id", "objects", "object_marking_refs", "granular_markings", "extensions", "name", "description", "latitude",
    "longitude", "confidence", "revoked", "external_references", "definition", "modified", "Event", "response", "uuid", "info",
    "Tag", "Attribute", "Object", "object_relation", "value", "distribution", "timestamp", "comment", "url", "external_id",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20),
    st.sampled_from(["note", "marking-definition", f"note--{ID}", f"identity--{ID}", "tlp:red", "MMSI", "latitude", "3", "235000001", "\ud800", "\x00"]),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=8),
    max_leaves=40,
)  # fmt: skip


def checked(data: bytes, which: str) -> list[Foreign]:
    """Read, or refused with InputError in one sentence; nothing else comes out."""
    try:
        found = READERS[which](data, "src")
    except InputError as error:
        assert ": " in str(error) and len(str(error)) < 600
        return []
    for each in found:
        label = each.label.text
        assert parse(label).text == label, "what is stored is read back as the same label"
        assert each.report.sha256 and (each.report.fault or each.report.foreign_id)
        assert len(report_id("col", each.report)) == 32
        for term in of_foreign_report(each.report):
            term.encode()
        for place in each.report.places:
            assert abs(place.latitude_deg) <= 90 and abs(place.longitude_deg) <= 180
        for text in (each.report.title, each.report.text, *(v for _, v in each.report.identifiers)):
            assert "\x00" not in text and len(text) <= 20_000
            text.encode()
    return found


@pytest.mark.parametrize("which", READERS)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=300))
def test_any_bytes(which: str, data: bytes) -> None:
    checked(data, which)


@pytest.mark.parametrize("which", READERS)
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_=ANYTHING)
def test_any_json(which: str, given_: Any) -> None:
    data = json.dumps(given_).encode()
    checked(data, which)
    for wrapped in (
        {"objects": [given_]},
        [given_],
        {"response": [{"Event": given_}]},
        {"type": "note", "id": f"note--{ID}", "x": given_},
    ):
        checked(json.dumps(wrapped).encode(), which)


def good(which: str) -> bytes:
    if which == "misp":
        tags = [{"name": "tlp:green"}, {"name": 'admiralty-scale:source-reliability="b"'}]
        attribute = {"type": "text", "object_relation": "MMSI", "value": "235000001", "Tag": tags}
        event = {
            "uuid": ID,
            "info": "x",
            "Tag": tags,
            "Attribute": [attribute],
            "Object": [{"Attribute": [attribute]}],
        }
        return json.dumps({"response": [{"Event": event}]}).encode()
    objects = [
        {"type": "identity", "id": f"identity--{ID}", "name": "SEA FOX", "confidence": 50,
         "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
         "external_references": [{"source_name": "imo", "external_id": "9074729"}]},
        {"type": "location", "id": f"location--{ID}", "latitude": 12.5, "longitude": -71.25},
    ]  # fmt: skip
    return json.dumps({"type": "bundle", "id": f"bundle--{ID}", "objects": objects}).encode()


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at, kind = chance.randrange(len(out) + 1), chance.randrange(4)
        if kind == 0 and out:
            out[at % len(out)] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randrange(1, 20)]
        elif kind == 2:
            out[at:at] = chance.choice(
                [b"\\ud800", b"null", b"[", b"{", b'"', b"1e999", b"-0", b"\xff", b"99999999999999999999"]
            )
        else:
            end = chance.randrange(at, len(out) + 1)
            out[at:at] = out[at:end]
    return bytes(out[:100_000])


@pytest.mark.parametrize("which", READERS)
def test_mutations_of_good_files(which: str) -> None:
    chance, read = random.Random(4), 0
    for _ in range(4000):
        read += len(checked(mutated(good(which), chance), which))
    assert read > 300, "or nothing got past the first check"


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("which", READERS)
def test_a_million_mutations(which: str) -> None:
    chance = random.Random(5)
    for _ in range(1_000_000):
        checked(mutated(good(which), chance), which)
