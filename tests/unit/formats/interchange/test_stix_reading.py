"""STIX of others: what OASIS' library and its examples hold is read, what is wrong is kept with the reason."""

import hashlib
import json
from typing import Any

import pytest
import stix2

from shiprider.formats.foreign import MOST_BYTES, MOST_OBJECT_BYTES
from shiprider.formats.stix.reading import read
from shiprider.model.errors import InputError
from shiprider.model.label import Label, Tlp, UnknownLabel, understood

from .conftest import HOSTILE, SHARED

ID = "11111111-1111-4111-8111-111111111111"
TIMES = {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}


def one(**given: Any) -> Any:
    made = {"type": "report", "spec_version": "2.1", "id": f"report--{ID}", **TIMES, "name": "n", **given}
    (found,) = read(json.dumps({"type": "bundle", "id": f"bundle--{ID}", "objects": [made]}).encode(), "src")
    return found


def test_a_bundle_of_the_library_of_oasis() -> None:
    vessel = stix2.Identity(
        name="SEA FOX", identity_class="system",
        external_references=[{"source_name": "imo", "external_id": "9074729", "url": "file:///etc/passwd"}],
    )  # fmt: skip
    place = stix2.Location(latitude=12.5, longitude=-71.25, confidence=85)
    seen = stix2.Sighting(
        sighting_of_ref=vessel, where_sighted_refs=[place], count=3, object_marking_refs=stix2.TLP_GREEN
    )
    note = stix2.Note(content="Seen at anchor.", object_refs=[vessel], object_marking_refs=stix2.TLP_RED)
    data = stix2.Bundle(vessel, place, seen, note, stix2.TLP_GREEN, stix2.TLP_RED).serialize().encode()
    found = {each.report.foreign_type: each for each in read(data, "partner feed")}
    assert set(found) == {"identity", "location", "sighting", "note"}
    assert found["identity"].report.identifiers == (
        ("name", "SEA FOX"), ("imo", "9074729"), ("url", "file:///etc/passwd"),
    )  # fmt: skip
    assert (found["location"].report.places[0].latitude_deg, found["location"].report.credibility) == (
        12.5,
        "1",
    )
    assert found["note"].report.text == "Seen at anchor."
    assert (
        understood(found["sighting"].label).tlp == Tlp.GREEN
        and understood(found["note"].label).tlp == Tlp.RED
    )
    assert understood(found["note"].label).originators == ("partner_feed",)


def test_the_bytes_are_kept_as_they_came() -> None:
    raw = b'{ "type":"note",  "id":"note--%s" , "content" : "\\u00e9" }' % ID.encode()
    (found,) = read(b'{"type":"bundle","objects":[ ' + raw + b"]}", "s")
    assert found.report.raw == raw and found.report.sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    ("confidence", "grade"),
    # STIX 2.1, appendix A.1, table "Admiralty Credibility".
    [(0, "5"), (19, "5"), (20, "4"), (39, "4"), (40, "3"), (59, "3"), (60, "2"), (79, "2"), (80, "1"), (100, "1"),
     (101, "6"), (-1, "6"), ("85", "6"), (True, "6"), (None, "6")],
)  # fmt: skip
def test_confidence_as_the_standard_maps_it(confidence: Any, grade: str) -> None:
    assert one(confidence=confidence).report.credibility == grade


TLP_IDS = {
    # OASIS cti-stix-common-objects, extension definition tlp-2.0; STIX 2.1, 7.2.1.4.
    "94868c89-83c2-464b-929b-a1a8aa3c8487": Tlp.CLEAR, "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": Tlp.GREEN,
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": Tlp.AMBER, "939a9414-2ddd-4d32-a0cd-375ea402b003": Tlp.AMBER_STRICT,
    "e828b379-4e03-4974-9ac4-e53a884c97c1": Tlp.RED, "613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN, "f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}  # fmt: skip


@pytest.mark.parametrize("name", TLP_IDS)
def test_every_colour_by_its_published_id(name: str) -> None:
    label = one(object_marking_refs=[f"marking-definition--{name}"]).label
    assert isinstance(label, Label) and label.tlp == TLP_IDS[name]
    assert label.for_everyone is (TLP_IDS[name] == Tlp.CLEAR), "of any other colour nobody else is named"


def test_a_colour_is_what_the_standard_says_not_what_came_under_its_id() -> None:
    red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
    forged = {
        "type": "marking-definition", "spec_version": "2.1", "id": red, "created": TIMES["created"],
        "definition_type": "tlp", "definition": {"tlp": "white"}, "name": "TLP:CLEAR",
    }  # fmt: skip
    note = {"type": "note", "id": f"note--{ID}", "content": "x", "object_marking_refs": [red]}
    (found,) = read(json.dumps({"objects": [forged, note]}).encode(), "s")
    assert understood(found.label).tlp == Tlp.RED


@pytest.mark.parametrize(
    "refs",
    [
        [f"marking-definition--{ID}"],
        ["TLP:CLEAR"],
        [""],
        ["marking-definition--94868c89-83c2-464b-929b-A1A8AA3C8487"],
    ],
)
def test_a_marking_that_nobody_knows_is_read_by_nobody(refs: list[str]) -> None:
    assert isinstance(one(object_marking_refs=refs).label, UnknownLabel)
    clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
    assert isinstance(one(object_marking_refs=[clear, *refs]).label, UnknownLabel), (
        "beside one that is known too"
    )


def test_a_statement_and_a_marked_part_are_not_understood() -> None:
    statement = {
        "type": "marking-definition", "spec_version": "2.1", "id": f"marking-definition--{ID}",
        "definition_type": "statement", "definition": {"statement": "Eyes only"},
    }  # fmt: skip
    note = {"type": "note", "id": f"note--{ID}", "object_marking_refs": [statement["id"]]}
    (found,) = read(json.dumps({"objects": [statement, note]}).encode(), "s")
    assert isinstance(found.label, UnknownLabel) and found.report.markings == ("Eyes only",)
    granular = one(granular_markings=[{"selectors": ["name"], "marking_ref": f"marking-definition--{ID}"}])
    assert isinstance(granular.label, UnknownLabel)


def test_without_a_marking_it_stays_here() -> None:
    label = one().label
    assert isinstance(label, Label) and label.for_nobody and label.originators == ("src",)
    assert label.caveats == ("NO-ONWARD-SHARING", "ORCON")


BROKEN = {
    "no object": 7, "no type": {"id": f"note--{ID}"}, "no id": {"type": "note"}, "an id of another type": {"type": "note", "id": f"report--{ID}"},
    "an id that is none": {"type": "note", "id": "note--1"}, "a type that is none": {"type": ["note"], "id": f"note--{ID}"},
    "an id that is a number": {"type": "note", "id": 5}, "markings that are none": {"type": "note", "id": f"note--{ID}", "object_marking_refs": {}},
}  # fmt: skip


@pytest.mark.parametrize("which", BROKEN)
def test_one_that_cannot_be_read_is_kept_and_the_others_are_read(which: str) -> None:
    good = {"type": "note", "id": f"note--{ID}", "content": "good"}
    found = read(json.dumps([BROKEN[which], good]).encode(), "s")
    assert [bool(each.report.fault) for each in found] == [True, False]
    bad = found[0]
    assert json.loads(bad.report.raw) == BROKEN[which] and isinstance(bad.label, UnknownLabel)
    assert bad.report.fault.endswith("ask its source.") and bad.report.title == ""


def test_one_that_is_too_large_is_named_and_not_kept() -> None:
    large = {"type": "note", "id": f"note--{ID}", "content": "x" * MOST_OBJECT_BYTES}
    (found,) = read(json.dumps([large]).encode(), "s")
    assert found.report.raw == b"" and "more than 1,048,576" in found.report.fault
    assert found.report.sha256 == hashlib.sha256(json.dumps(large).encode()).hexdigest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"null",
        b"7",
        b'"x"',
        b"[" * 100_000,
        b'{"a":' * 5000,
        b'{"objects":7}',
        b"\x00" * 10,
    ],
)
def test_what_is_no_stix_is_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match=r"It is no STIX 2\.1 in JSON"):
        read(data, "s")


def test_more_than_is_taken_at_once() -> None:
    with pytest.raises(InputError, match="split it"):
        read(b" " * (MOST_BYTES + 1), "s")


@pytest.mark.parametrize("text", HOSTILE)
def test_words_are_words(text: str) -> None:
    data = json.dumps(
        [{"type": "identity", "id": f"identity--{ID}", "name": text, "description": text}]
    ).encode()
    try:
        (found,) = read(data, text)
    except InputError:
        assert text == "\ud800", "half a letter is no JSON text"
        return
    assert found.report.fault == "" or text == "\ud800"
    assert "\x00" not in found.report.text


@pytest.mark.shared
def test_the_examples_of_oasis() -> None:
    folder = SHARED / "stix"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: OASIS' examples are in the shared data")
    counted = 0
    for path in [*folder.glob("examples/**/*.json"), *folder.glob("*.json"), *folder.glob("stix2/**/*.json")]:
        given = json.loads(path.read_text())
        if not isinstance(given, dict) or given.get("type") != "bundle":
            continue
        serving = ("marking-definition", "extension-definition")
        expected = [each["id"] for each in given["objects"] if each["type"] not in serving]
        found = read(path.read_bytes(), "oasis")
        assert [each.report.foreign_id for each in found if not each.report.fault] == expected, path
        counted += len(expected)
    assert counted > 100
