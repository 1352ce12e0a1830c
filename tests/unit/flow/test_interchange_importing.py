"""Foreign objects in the ledger: once, in order, never wider, with their bytes; a server of others read to its end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.flow.interchange.collecting import collect
from shiprider.flow.interchange.importing import AT_ONCE, Importing, graded
from shiprider.flow.terms import of_record
from shiprider.formats.misp import reading as misp
from shiprider.formats.stix.reading import read
from shiprider.model.errors import InputError, LinkDown, UsageError
from shiprider.model.foreign_report import ForeignReport
from shiprider.model.label import Label, Tlp, UnknownLabel, parse, understood
from shiprider.ports.foreign_source import ForeignPage
from shiprider.ports.ledger import Query

T0 = 20_454 * 86_400_000_000
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Any]:
    made = SqliteLedger(tmp_path / "ledger.sqlite", origin="col", clock=lambda: T0)
    yield made
    made.close()


def note(number: int = 1, modified: str = "2026-01-01T00:00:00.000Z", **more: Any) -> dict[str, Any]:
    return {
        "type": "note",
        "id": f"note--{number:08x}-1111-4111-8111-111111111111",
        "modified": modified,
        **more,
    }


def take(ledger: Any, *objects: Any, source: str = "src", grade: str = "") -> Any:
    made = Importing(ledger, lambda: T0, "Ana Ruiz", graded(grade))
    return made.take(read(json.dumps(list(objects)).encode(), source))


def reports(ledger: Any) -> list[ForeignReport]:
    return [msgspec.json.decode(r.body, type=ForeignReport) for r in ledger.of_kind("foreign_report")]


def test_each_object_is_a_record_with_its_bytes_and_who_took_it_in(ledger: Any) -> None:
    done = take(ledger, note(1, content="one"), note(2, content="two"), grade="b3")
    assert (done.new, done.total, done.unreadable) == (2, 2, 0)
    one, two = reports(ledger)
    assert json.loads(one.raw) == note(1, content="one") and two.text == "two"
    assert (one.source, one.reliability, one.credibility) == ("src", "B", "3")
    (record, _) = ledger.of_kind("foreign_report")
    assert (record.author, record.revision, record.origin) == ("Ana Ruiz", 1, "col")


def test_the_same_again_is_known_and_what_changed_is_a_revision(ledger: Any) -> None:
    take(ledger, note(1, content="one"), note(2))
    done = take(ledger, note(1, "2026-01-02T00:00:00.000Z", content="changed"), note(2))
    assert (done.new, done.revised, done.known, done.older) == (0, 1, 1, 0)
    done = take(ledger, note(1, content="one"))
    assert (done.revised, done.older) == (0, 1)
    assert {each.text for each in reports(ledger)} == {"changed", ""}
    assert sorted(r.revision for r in ledger.of_kind("foreign_report")) == [1, 2]


def test_of_two_versions_in_one_file_the_newer_is_filed_whatever_the_order(ledger: Any) -> None:
    old, new = note(1, content="old"), note(1, "2026-01-02T00:00:00.000Z", content="new")
    assert take(ledger, old, new).older == 1
    assert take(ledger, new, old, source="other").older == 1
    assert [each.text for each in reports(ledger)] == ["new", "new"]


def test_misp_counts_seconds_as_numbers(ledger: Any) -> None:
    made = Importing(ledger, lambda: T0, "Ana Ruiz")

    def event(timestamp: str, info: str) -> bytes:
        uuid = "22222222-2222-4222-8222-222222222222"
        return json.dumps({"Event": {"uuid": uuid, "info": info, "timestamp": timestamp}}).encode()

    made.take(misp.read(event("999999999", "old"), "m"))
    assert made.take(misp.read(event("1000000000", "new"), "m")).revised == 1
    assert made.take(misp.read(event("999999999", "older"), "m")).older == 1
    assert [each.title for each in reports(ledger)] == ["new"]


def test_a_source_revises_its_own_objects_only(ledger: Any) -> None:
    take(ledger, note(1, content="theirs"), source="one")
    done = take(ledger, note(1, "2027-01-01T00:00:00.000Z", content="forged"), source="two")
    assert done.new == 1 and {each.text for each in reports(ledger)} == {"theirs", "forged"}


def test_a_later_version_lets_nobody_in(ledger: Any) -> None:
    take(ledger, note(1, object_marking_refs=[RED]))
    take(ledger, note(1, "2026-01-02T00:00:00.000Z", object_marking_refs=[GREEN]))
    (record,) = ledger.of_kind("foreign_report")
    label = understood(parse(record.label))
    assert record.revision == 2 and label.tlp == Tlp.RED and label.originators == ("src",)


def test_an_object_that_cannot_be_read_is_kept_for_nobody_and_found(ledger: Any) -> None:
    done = take(ledger, {"type": "note", "id": "note--1"}, note(2))
    assert (done.new, done.unreadable, len(done.failed)) == (2, 1, 1)
    (bad,) = ledger.find(Query("foreign_report", (("unreadable",),)))
    assert isinstance(parse(bad.label), UnknownLabel)
    assert take(ledger, {"type": "note", "id": "note--1"}).known == 1


def test_who_hands_in_learns_nothing_of_what_is_hidden_from_him(ledger: Any) -> None:
    """The same answers with what is hidden and without it: nothing there yet, the same there, a newer one there."""
    from shiprider.ports.ledger import Allowed

    nothing = Allowed(frozenset())
    handed = [note(1, "2026-01-02T00:00:00.000Z", content="x"), {"type": "note", "id": "bad"}]
    data = json.dumps(handed).encode()

    def told() -> Any:
        return Importing(ledger, lambda: T0, "Luz Paz", allowed=nothing).take(read(data, "s"))

    first = told()
    assert (first.new, first.unreadable, first.known) == (2, 1, 0)
    size = ledger.head().sequence
    assert told() == first and ledger.head().sequence == size, "known, and not filed again"
    take(ledger, note(1, "2026-01-03T00:00:00.000Z", content="newer"), source="s")
    assert told() == first and {each.text for each in reports(ledger)} == {"newer", ""}
    again = [{**handed[0], "modified": "2026-01-04T00:00:00.000Z"}, handed[1]]
    data = json.dumps(again).encode()
    assert told() == first and ledger.head().sequence == size + 2


def test_it_is_found_by_source_and_by_the_numbers_of_vessels(ledger: Any) -> None:
    reference = [
        {"source_name": "mmsi", "external_id": "235000001"},
        {"source_name": "mmsi", "external_id": "٢٣٥"},
    ]
    take(ledger, {**note(1, external_references=reference)}, note(2), source="JIATF")
    assert len(ledger.find(Query("foreign_report", (("mmsi:235000001",),)))) == 1
    assert len(ledger.find(Query("foreign_report", (("source:JIATF",),)))) == 2
    ledger.verify(of_record)


def test_more_than_is_filed_at_once(ledger: Any) -> None:
    told: list[int] = []
    made = Importing(ledger, lambda: T0, "Ana Ruiz")
    many = [note(n) for n in range(2 * AT_ONCE + 1)]
    done = made.take(read(json.dumps(many).encode(), "s"), told.append)
    assert (done.new, told) == (2 * AT_ONCE + 1, [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1])


@pytest.mark.parametrize("grade", ["G1", "A7", "A", "", "1A", "AA", "A1 ", "b2"])
def test_grades(grade: str) -> None:
    if grade in ("", "A1 ", "b2"):
        assert graded(grade) == {"": ("F", "6"), "A1 ": ("A", "1"), "b2": ("B", "2")}[grade]
        return
    with pytest.raises(UsageError, match="is no grade"):
        graded(grade)


class Server:
    """Pages, and how the reading ends."""

    def __init__(self, *pages: bytes, end: Exception | None = None) -> None:
        self.given, self.end = pages, end

    def pages(self, since: str = "") -> Iterator[ForeignPage]:
        for at, data in enumerate(self.given):
            yield ForeignPage("https://host/api/collections/abc/", data, f"2026-01-0{at + 1}T00:00:00Z")
        if self.end:
            raise self.end


def test_a_page_that_is_none_is_kept_and_the_next_is_read(ledger: Any) -> None:
    made = Importing(ledger, lambda: T0, "Ana Ruiz")
    done: list[Any] = []
    good = json.dumps({"objects": [note(1)]}).encode()

    def take(data: bytes, source: str) -> None:
        done.append(made.take_file("stix", data, source, keep=True))

    last = collect(Server(b"<html>", good, b"{}"), take)
    assert [(each.new, each.unreadable) for each in done] == [(1, 1), (1, 0), (0, 0)]
    assert last == "2026-01-03T00:00:00Z"
    bad, one = reports(ledger)
    assert bad.raw == b"<html>" and "no STIX" in bad.fault and one.source == "host/abc"
    assert isinstance(parse(ledger.of_kind("foreign_report")[0].label), UnknownLabel)


def test_what_was_taken_in_stays_where_the_reading_ends_early(ledger: Any) -> None:
    made = Importing(ledger, lambda: T0, "Ana Ruiz")
    server = Server(json.dumps([note(1)]).encode(), end=LinkDown("gone"))
    with pytest.raises(LinkDown):
        collect(server, lambda data, source: void(made.take_file("stix", data, source)), source="x")
    assert len(reports(ledger)) == 1
    assert isinstance(parse(ledger.of_kind("foreign_report")[0].label), Label)


def void(_: Any) -> None:
    return None


def test_what_is_not_of_the_format_is_refused_unless_it_is_to_be_kept(ledger: Any) -> None:
    made = Importing(ledger, lambda: T0, "Ana Ruiz")
    with pytest.raises(InputError):
        made.take_file("misp", b"<html>", "s")
    assert reports(ledger) == [] and made.take_file("misp", b"<html>", "s", keep=True).unreadable == 1
    assert reports(ledger)[0].format == "misp"
