"""What we write as STIX 2.1: judged by OASIS' schemas and read by OASIS' own library."""

import json
import uuid
from typing import Any

import pytest
import stix2

from shiprider.formats.stix.names import EXTENSION, timestamp
from shiprider.formats.stix.reading import read
from shiprider.formats.stix.writing import bundle, objects, record_id
from shiprider.model.disclosure import VesselClaim
from shiprider.model.label import written

from .conftest import CLEAR, HOSTILE, HOUR, RESTRICTED, SECRET, T0, alert, disclosure, words

TLP_AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


def written_objects(*given: Any) -> list[dict[str, Any]]:
    return [each for one in given for each in objects(one, "col", words)]


def of_type(listed: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in listed if each["type"] == kind]


@pytest.mark.shared
def test_every_object_fits_its_schema_of_oasis(oasis: Any) -> None:
    variants = [
        disclosure(), alert(), disclosure(simulated=True, retracted=True), alert(simulated=True),
        disclosure(own_label="", vessels=(), presences=()), alert(own_label="unknown"), alert(own_label=CLEAR),
        *(disclosure(n + 10, title=text, text=text) for n, text in enumerate(HOSTILE)),
        *(
            disclosure(n + 99, own_label=written(f"policy=COALITION class=SECRET rel=organisations:JIATF tlp={tlp}").text)
            for n, tlp in enumerate(("GREEN", "AMBER", "AMBER+STRICT", "RED"))
        ),
    ]  # fmt: skip
    listed = written_objects(*variants)
    for each in listed:
        oasis(each)
    assert {each["type"] for each in listed} == {
        "identity", "extension-definition", "marking-definition", "location", "sighting", "report", "grouping",
    }  # fmt: skip


@pytest.mark.shared
def test_the_schemas_find_what_is_wrong(oasis: Any) -> None:
    report = of_type(written_objects(disclosure()), "report")[0]
    for wrong in ({"published": "yesterday"}, {"id": "report--1"}, {"confidence": 101}, {"object_refs": []}):
        with pytest.raises(Exception, match=r"."):
            oasis({**report, **wrong})


def test_the_library_of_oasis_reads_it_without_custom_content() -> None:
    text = b"".join(bundle([written_objects(disclosure(), alert())], "x"))
    found = stix2.parse(text.decode(), allow_custom=False)
    (report,) = [each for each in found.objects if each.type == "report"]
    assert report.name == "Encounter: 235000001 and 235000002"
    (sighting,) = [each for each in found.objects if each.type == "sighting"]
    assert (sighting.count, str(sighting.first_seen)) == (64, "2026-01-01 00:00:00+00:00")
    (grouping,) = [each for each in found.objects if each.type == "grouping"]
    assert grouping.confidence == 72 and grouping.context == "suspicious-activity"
    assert report.id in grouping.object_refs
    vessel = next(each for each in found.objects if each.type == "identity" and each.name == "SEA FOX")
    assert sighting.sighting_of_ref == vessel.id
    assert vessel.extensions[EXTENSION]["imo"] == "9074729"


def test_a_bundle_of_nothing_is_one() -> None:
    assert json.loads(b"".join(bundle([], "x")))["objects"] == []


def test_the_same_thing_is_the_same_object_and_another_is_another() -> None:
    one, again = (written_objects(disclosure()) for _ in range(2))
    assert one == again
    later = of_type(written_objects(disclosure(modified_us=T0 + 9 * HOUR)), "report")[0]
    assert later["id"] == of_type(one, "report")[0]["id"] and later["modified"] > one[-1]["modified"]
    ids = {
        record_id("finding", origin, record)
        for origin in ("col", "usa")
        for record in (f"{1:032x}", f"{2:032x}")
    }
    assert len(ids) == 4 and all(uuid.UUID(each.partition("--")[2]).version == 5 for each in ids)


def test_everything_referred_to_is_there_and_comes_before() -> None:
    listed = written_objects(disclosure(), alert())
    known: set[str] = set()
    for each in listed:
        refs = [
            each.get("created_by_ref"), each.get("sighting_of_ref"), *each.get("object_refs", ()),
            *each.get("object_marking_refs", ()), *each.get("where_sighted_refs", ()),
        ]  # fmt: skip
        assert {ref for ref in refs if ref} <= known, each["type"]
        known.add(each["id"])


def test_each_object_carries_the_marking_of_what_is_in_it() -> None:
    listed = written_objects(disclosure())
    labels = {
        each["id"]: each["extensions"][EXTENSION]["label"]
        for each in of_type(listed, "marking-definition")
        if EXTENSION in each["extensions"]
    }

    def label_of(given: dict[str, Any]) -> str:
        (found,) = [labels[ref] for ref in given["object_marking_refs"] if ref in labels]
        return found

    fox = next(each for each in of_type(listed, "identity") if each["name"] == "SEA FOX")
    (report,), (place,) = of_type(listed, "report"), of_type(listed, "location")
    assert label_of(fox) == SECRET and label_of(place) == RESTRICTED
    assert TLP_AMBER in place["object_marking_refs"] and TLP_AMBER not in fox["object_marking_refs"]
    # By hand: the higher classification, both policies, nations of both, the organisation and caveat of one, the colour.
    expected = written(
        "policy=COALITION,NATO class=SECRET rel=nations:COL,USA;organisations:JIATF caveats=ORCON tlp=AMBER"
    ).text
    assert label_of(report) == expected and TLP_AMBER in report["object_marking_refs"]


def test_what_is_simulated_or_retracted_says_so() -> None:
    made = written_objects(disclosure(simulated=True, retracted=True))[-1]
    assert made["name"].startswith("SIMULATED: ") and made["labels"] == ["simulated", "retracted"]
    assert made["extensions"][EXTENSION]["simulated"] is True


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    claim = VesselClaim(mmsi=235000001, name=text, callsign=text, label=RESTRICTED)
    data = b"".join(bundle([written_objects(disclosure(title=text, text=text, vessels=(claim,)))], text))
    found = json.loads(data)["objects"]
    assert [each["type"] for each in found] == [
        each["type"] for each in written_objects(disclosure(vessels=(claim,)))
    ]
    shown = text.encode("utf-8", "replace").decode()
    assert found[-1]["description"] == shown
    assert all(not each.report.fault for each in read(data, "x"))


def test_what_a_shiprider_wrote_a_shiprider_reads_with_its_labels() -> None:
    data = b"".join(bundle([written_objects(disclosure(), alert())], "x"))
    found = {each.report.foreign_type: each for each in read(data, "usa")}
    assert set(found) == {"identity", "location", "sighting", "report", "grouping"}
    report = found["report"]
    assert report.report.title == "Encounter: 235000001 and 235000002"
    # The originator keeps his say, and nothing of it became wider.
    expected = (
        "policy=COALITION,NATO class=SECRET rel=nations:COL,USA;organisations:JIATF caveats=ORCON tlp=AMBER "
        "originators=usa"
    )
    assert report.label == written(expected)
    assert found["location"].report.places[0].longitude_deg == -74.5


def test_times_are_cut_to_the_millisecond() -> None:
    assert timestamp(T0 + 999_999) == "2026-01-01T00:00:00.999Z"
    assert timestamp(T0) == "2026-01-01T00:00:00.000Z"
