"""MISP events out and in: read by PyMISP, made by PyMISP, tags judged by MISP's own taxonomies."""

import json
from typing import Any

import pytest
from pymisp import MISPEvent, MISPObject

from shiprider.formats.misp.reading import read
from shiprider.formats.misp.tags import tags_of
from shiprider.formats.misp.writing import event, events
from shiprider.model.errors import InputError
from shiprider.model.label import Label, Tlp, UnknownLabel, understood, written

from .conftest import HOSTILE, alert, disclosure

UUID = "22222222-2222-4222-8222-222222222222"


def loaded(given: dict[str, Any]) -> MISPEvent:
    made = MISPEvent()
    made.load(json.dumps(given))
    return made


def made(*tags: str, **more: Any) -> MISPEvent:
    event = MISPEvent()
    event.from_dict(info="Seen off the cape", uuid=UUID, date="2026-01-01", distribution=3, **more)
    for tag in tags:
        event.add_tag(tag)
    return event


def taken(event: MISPEvent) -> Any:
    (found,) = read(event.to_json().encode(), "their misp")
    return found


def test_the_library_of_misp_reads_it() -> None:
    found = loaded(event(alert(), "col"))
    assert found.info == "Encounter: 235000001 and 235000002" and str(found.date) == "2026-01-01"
    assert {tag.name for tag in found.tags} >= {
        "tlp:amber",
        'estimative-language:likelihood-probability="likely"',
    }
    assert [each.name for each in found.objects] == ["ais", "ais"]
    fox = {each.object_relation: each.value for each in found.objects[0].attributes}
    assert (fox["MMSI"], fox["name"], fox["call-sign"], fox["IMO-number"]) == (
        "235000001", "SEA FOX", "MABC1", "9074729",
    )  # fmt: skip
    assert (float(fox["latitude"]), float(fox["longitude"])) == (16.0004, -74.5)
    assert found.distribution == 0 and not any(each.to_ids for each in found.attributes)


def test_its_objects_are_of_misps_own_template() -> None:
    template = MISPObject("ais")
    (first, _) = event(disclosure(), "col")["Event"]["Object"]
    known = template._definition  # as PyMISP ships it
    assert first["template_uuid"] == known["uuid"] and first["template_version"] == str(known["version"])
    assert first["meta-category"] == known["meta-category"]
    for each in first["Attribute"]:
        assert known["attributes"][each["object_relation"]]["misp-attribute"] == each["type"]


def test_a_file_of_many_is_as_misp_answers() -> None:
    data = b"".join(events([[disclosure(1), disclosure(2)], [], [alert(3)]], "col"))
    found = [loaded(each) for each in json.loads(data)["response"]]
    assert len({each.uuid for each in found}) == 3
    assert data == b"".join(events([[disclosure(1), disclosure(2)], [], [alert(3)]], "col"))


@pytest.mark.shared
def test_every_tag_is_one_of_misps_taxonomies(taxonomies: Any) -> None:
    for tlp in ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"):
        rel = "*" if tlp == "CLEAR" else "organisations:JIATF"
        label = written(f"policy=COALITION class=UNCLASSIFIED rel={rel} tlp={tlp}").text
        for chance in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
            tags = [tag for tag in tags_of(label, chance) if not tag.startswith("shiprider:")]
            assert len(tags) == 2 and all(map(taxonomies, tags)), tags
    assert not taxonomies("tlp:purple")


def test_an_event_of_the_library_of_misp() -> None:
    event = made(
        "tlp:green", 'admiralty-scale:source-reliability="b"', 'admiralty-scale:information-credibility="2"'
    )
    event.add_attribute("text", "=cmd|'/C calc'!A0", comment="a note")
    vessel = MISPObject("ais")
    for relation, value in (
        ("MMSI", "235000001"), ("name", "<b>FOX</b>"), ("latitude", 12.5), ("longitude", -71.25),
    ):  # fmt: skip
        vessel.add_attribute(relation, value)
    event.add_object(vessel)
    found = taken(event)
    report = found.report
    assert (report.title, report.foreign_id, report.foreign_type) == ("Seen off the cape", UUID, "event")
    assert (report.reliability, report.credibility) == ("B", "2")
    assert ("mmsi", "235000001") in report.identifiers and ("name", "<b>FOX</b>") in report.identifiers
    assert (report.places[0].latitude_deg, report.places[0].longitude_deg) == (12.5, -71.25)
    assert "text: =cmd|'/C calc'!A0 (a note)" in report.text
    label = understood(found.label)
    assert isinstance(found.label, Label) and label.tlp == Tlp.GREEN and label.for_nobody


@pytest.mark.parametrize(
    ("tags", "tlp"),
    [(("tlp:white",), Tlp.CLEAR), (("TLP:CLEAR",), Tlp.CLEAR), (("tlp:amber+strict",), Tlp.AMBER_STRICT),
     (("tlp:red", "tlp:clear"), Tlp.RED), (("tlp:clear", "PAP:CLEAR"), Tlp.CLEAR), (("tlp:clear", "my words"), Tlp.CLEAR)],
)  # fmt: skip
def test_colours(tags: tuple[str, ...], tlp: Tlp) -> None:
    label = taken(made(*tags)).label
    assert isinstance(label, Label) and label.tlp == tlp and label.for_everyone is (tlp == Tlp.CLEAR)


@pytest.mark.parametrize(
    "tag", ["tlp:unclear", "tlp:ex:chr", "tlp:purple", 'tlp="red"', "tlp", "PAP:AMBER", 'nato:classification="NS"', 'dni-ism:classification:us="S"', "acs-marking:x", "shiprider:label", 'shiprider:label="everyone"'],
)  # fmt: skip
def test_a_marking_that_is_not_understood_is_read_by_nobody(tag: str) -> None:
    assert isinstance(taken(made("tlp:clear", tag)).label, UnknownLabel)


def test_a_tag_of_any_part_however_far_down_restricts() -> None:
    event = made("tlp:clear")
    for n in range(300):
        event.add_attribute("text", f"line {n}")
    event.attributes[-1].add_tag("tlp:red")
    assert understood(taken(event).label).tlp == Tlp.RED
    thing = MISPObject("ais")
    thing.add_attribute("MMSI", "235000001").add_tag("tlp:amber")
    event = made("tlp:clear")
    event.add_object(thing)
    assert understood(taken(event).label).tlp == Tlp.AMBER


def test_a_distribution_that_somebody_chose_restricts() -> None:
    event = made("tlp:clear")
    event.distribution = 1
    found = taken(event)
    assert understood(found.label).for_nobody and found.report.markings == ("tlp:clear", "distribution 1")


def test_without_a_colour_it_stays_here() -> None:
    label = taken(made()).label
    assert isinstance(label, Label) and label.for_nobody and "NO-ONWARD-SHARING" in label.caveats


def test_what_a_shiprider_wrote_a_shiprider_reads_with_its_label() -> None:
    (found,) = read(json.dumps(event(disclosure(), "col")).encode(), "col")
    assert found.report.title.startswith("Encounter") and ("imo", "9074729") in found.report.identifiers
    assert isinstance(found.label, Label) and found.label.tlp == Tlp.AMBER and found.label.for_nobody


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    data = b"".join(events([[disclosure(title=text, text=text)]], "col"))
    (given,) = json.loads(data)["response"]
    assert given["Event"]["info"] == text.encode("utf-8", "replace").decode()
    assert not read(data, text)[0].report.fault


BROKEN = [
    {"Event": 7}, {"Event": {"info": "x"}}, {"Event": {"uuid": 7}}, {"Event": {"uuid": ""}}, 7, [], "x", None,
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_one_that_cannot_be_read_is_kept_and_the_others_are_read(broken: Any) -> None:
    data = json.dumps({"response": [broken, {"Event": {"uuid": UUID, "info": "good"}}]}).encode()
    bad, good = read(data, "s")
    assert json.loads(bad.report.raw) == broken and bad.report.fault and isinstance(bad.label, UnknownLabel)
    assert good.report.title == "good" and not good.report.fault


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"7", b'{"response":7}', b"\xff", b"[" * 100_000])
def test_what_is_no_misp_is_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match="It is no MISP event in JSON"):
        read(data, "s")
