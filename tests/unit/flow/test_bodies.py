"""Bodies one form older or newer are read, nothing of them is lost; further off is one sentence."""

from typing import Any

import msgspec
import pytest

from shiprider.flow.bodies import FORMS, BodyForm, read_body
from shiprider.flow.view import seen
from shiprider.model.errors import InputError
from shiprider.model.note import Note
from shiprider.model.record import KINDS, Record


class Place(msgspec.Struct, frozen=True):
    latitude_deg: float


class Sighting(msgspec.Struct, frozen=True):
    """The form of this node: 3. Form 2 had `lat`; form 1 had `lat` in a list."""

    name: str
    place: Place
    speed_mps: float = 0.0


FORM = BodyForm(
    Sighting,
    schema=3,
    upgrades=(
        lambda old: {"name": old["name"], "lat": old["where"][0]},
        lambda old: {"name": old["name"], "place": {"latitude_deg": old["lat"]}},
    ),
)


def record(schema: int, body: dict[str, Any], kind: str = "note") -> Record:
    return Record(
        id="0" * 32, kind=kind, revision=1, schema=schema, origin="n", author="A", valid_from_us=0, valid_to_us=None,
        recorded_us=0, label="", purpose="", case="", digest="", body=msgspec.json.encode(body), signature=b"",
        sequence=1, previous="",
    )  # fmt: skip


def read(schema: int, body: dict[str, Any]) -> Any:
    made = record(schema, body)
    return read_body(made, made.body or b"", FORM)


def test_the_same_form_and_older_ones_by_every_step() -> None:
    expected = Sighting("X", Place(12.5))
    assert read(3, {"name": "X", "place": {"latitude_deg": 12.5}}).body == expected
    assert read(2, {"name": "X", "lat": 12.5}).body == expected
    assert read(1, {"name": "X", "where": [12.5]}).body == expected


def test_a_newer_form_is_read_and_what_is_new_is_kept() -> None:
    found = read(
        4,
        {"name": "X", "colour": ["red"], "place": {"latitude_deg": 1.0, "datum": "WGS 84"}, "speed_mps": 2.0},
    )
    assert found.body == Sighting("X", Place(1.0), 2.0)
    assert found.more == {"colour": ["red"], "place": {"datum": "WGS 84"}}


@pytest.mark.parametrize(
    ("schema", "words"),
    [(5, "reads forms 1 to 4: update Shiprider"), (0, "reads forms 1 to 4: use an older Shiprider")],
)
def test_two_versions_apart_is_one_sentence(schema: int, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        read(schema, {"name": "X"})
    assert str(told.value).count(".") == 1


def test_a_newer_form_that_dropped_what_is_needed_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"of form 4, cannot be read .*: update Shiprider"):
        read(4, {"place": {"latitude_deg": 1.0}})
    with pytest.raises(InputError, match="of form 1, cannot be read"):
        read(1, {"name": "X"})


def test_every_kind_with_a_body_has_its_form_and_a_note_of_the_next_form_is_seen() -> None:
    assert set(FORMS) == set(KINDS) - {"erasure"}
    for schema, more in ((1, {}), (2, {"mood": "calm"})):
        body = {"subject_kind": "vessel", "subject": "1", "text": "t", **more}
        found = seen(record(schema, body), Note)
        assert (found.body.text, found.more) == ("t", more)
    with pytest.raises(InputError, match="has form 3, and this Shiprider reads forms 1 to 2"):
        seen(record(3, {}), Note)
