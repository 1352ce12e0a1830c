"""Promises 1 and 2 towards other software: what somebody may not export shows in no object, count, date or cursor.

The same node twice, the second with things that the person may not read or not export; everything that he is handed is
the same bytes.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from promises import non_interference as ni
from shiprider.flow.interchange import taxii
from shiprider.flow.interchange.disclosing import Disclosing, Wanted
from shiprider.flow.interchange.writing import MEDIA, file_of
from shiprider.flow.logged_access import Accesses
from shiprider.model.errors import Forbidden, StorageError, UsageError
from shiprider.model.label import combine, parse
from shiprider.ports.ledger import Allowed

KINDS = ("finding", "alert", "disposition")


class Log:
    """What is appended to it; or it refuses."""

    def __init__(self, full: bool = False) -> None:
        self.entries: list[Any] = []
        self.full = full

    def append(self, entries: Any) -> None:
        if self.full:
            raise StorageError("The disk is full: free space.")
        self.entries += entries


def disclosing(node: Any, observer: Any, log: Any = None) -> Disclosing:
    return Disclosing(node.view(observer), Accesses(log or Log(), node.clock), "test", "request 7")


def everything(node: Any, observer: Any) -> dict[str, bytes]:
    """All that he is handed: files of every format, and pages of every size and filter, to the end."""
    made = disclosing(node, observer)
    found = {}
    for wanted in (
        Wanted(),
        Wanted(kinds=("alert",)),
        Wanted(mmsi=ni.VESSELS[:2]),
        Wanted(behaviours=("gap",)),
    ):
        label, count = made.joined(wanted)
        found[f"count {wanted}"] = f"{count} {label}".encode()
        for format_ in MEDIA:
            pieces = file_of(format_, made.pages(wanted, label), node="col", label=label, name="x")
            found[f"{format_} {wanted}"] = b"".join(pieces)
    filters = (
        taxii.Filter(), taxii.Filter(types=("report", "sighting")), taxii.Filter(added_after_us=node.clock() - 3_000_000),
    )  # fmt: skip
    for wanted in filters:
        for limit in (1, 4, 1000):
            for at, page in enumerate(pages(made, wanted, limit)):
                told = [(each.added_us, each.given) for each in page.objects]
                found[f"{wanted} {limit} {at}"] = json.dumps([told, page.next]).encode()
    return found


def pages(made: Disclosing, wanted: Any, limit: int) -> Iterator[Any]:
    cursor = ""
    while True:
        page = taxii.page(made, wanted, node="col", cursor=cursor, limit=limit)
        yield page
        assert len(page.objects) <= limit
        cursor = page.next
        if not cursor:
            return


@pytest.fixture(params=[(who, seed) for who in ni.PEOPLE for seed in range(4)], ids=str)
def pair(request: pytest.FixtureRequest) -> Iterator[Any]:
    who, seed = request.param
    made = ni.Pair(who, random.Random(seed).randrange, kinds=KINDS)
    yield made
    made.close()


def test_what_is_hidden_changes_nothing_that_he_is_handed(pair: Any) -> None:
    observer = pair.person.observer
    handed = 0
    for _ in range(4):
        for hidden in (False, False, True, True, True):
            pair.happen(hidden=hidden)
        first, second = (everything(each, observer) for each in pair.nodes)
        assert [name for name in first if first[name] != second.get(name)] == [] and set(first) == set(second)
        handed += sum(len(value) for value in first.values())
    sequences = [each.ledger.head().sequence for each in pair.nodes]
    assert sequences[0] < sequences[1], "or there was nothing to hide"
    assert handed > 10_000


def test_the_comparison_finds_a_leak(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what may only be read let out too, or with everything, the two differ."""
    observer = pair.person.observer
    monkeypatch.setattr(
        Disclosing, "may_go", property(lambda self: Allowed(frozenset(self.view.ledger.classes())))
    )
    for _ in range(12):
        for hidden in (False, True, True, True):
            pair.happen(hidden=hidden)
        first, second = (everything(each, observer) for each in pair.nodes)
        if first != second:
            return
    raise AssertionError("no planted leak was noticed")


def test_pages_of_any_size_hold_the_same_objects_once_a_record(pair: Any) -> None:
    for _ in range(20):
        pair.happen(hidden=False)
    made = disclosing(pair.nodes[0], pair.person.observer)
    own = ("report", "grouping", "location", "sighting")
    (whole,) = pages(made, taxii.Filter(), 10_000)
    expected = [each.given["id"] for each in whole.objects if each.given["type"] in own]
    assert len(expected) > 5 and len(set(expected)) == len(expected)
    for limit in (1, 2, 3, 7, 50):
        found = [e.given["id"] for page in pages(made, taxii.Filter(), limit) for e in page.objects]
        assert [each for each in found if each.partition("--")[0] in own] == expected
        assert set(found) == {each.given["id"] for each in whole.objects}
    added = [each.added_us for each in whole.objects]
    assert added == sorted(added)
    last = taxii.page(made, taxii.Filter(added_after_us=added[-1]), node="col")
    assert last.objects == [] and last.next == ""
    middle = added[len(added) // 2]
    later = [each for each in whole.objects if each.added_us > middle and each.given["type"] in own]
    found = taxii.page(made, taxii.Filter(added_after_us=middle, types=own), node="col").objects
    assert [each.given["id"] for each in found] == [each.given["id"] for each in later]


def test_what_may_be_read_and_not_exported_is_not_handed_out(pair: Any) -> None:
    for _ in range(30):
        pair.happen(hidden=False)
    node, observer = pair.nodes[0], pair.person.observer
    read = {
        r.id
        for kind in ("finding", "alert")
        for r in node.ledger.of_kind(kind, allowed=node.view(observer).allowed)
    }
    made = disclosing(node, observer)
    handed = {each.record: each for page in made.pages(Wanted()) for each in page}
    assert set(handed) <= read
    policy, classes = node.sight, node.ledger.classes()
    for id_ in read - set(handed):
        latest = (
            node.ledger.latest(id_, allowed=made.may_go)
            if id_ in node.ledger.latest_of([id_], allowed=made.may_go)
            else None
        )
        assert latest is None
    # Asked of the policy record by record, not class by class as a store does.
    for id_ in handed:
        record = node.ledger.latest(id_, allowed=made.may_go)
        of = next(
            c
            for c in classes.values()
            if (c.label, c.kind, c.purpose, c.case)
            == (record.label, record.kind, record.purpose, record.case)
        )
        assert policy.may(observer, "export", of) and policy.may(observer, "read", of)
    whole, count = made.joined(Wanted())
    assert count == len(handed)
    labels = [parse(each.label) for each in handed.values()]
    assert combine(*labels).text == whole


def test_every_page_is_logged_before_it_leaves(pair: Any) -> None:
    for _ in range(10):
        pair.happen(hidden=False)
    log = Log()
    made = disclosing(pair.nodes[0], pair.person.observer, log)
    for page in made.pages(Wanted()):
        named = {name for entry in log.entries for name in entry.objects}
        assert {each.record for each in page} <= named
        assert {str(mmsi) for each in page for mmsi in each.participants} <= named
    assert {(e.act, e.purpose, e.why, e.outcome) for e in log.entries} == {
        ("export", "watch", "request 7", "allowed")
    }
    full = disclosing(pair.nodes[0], pair.person.observer, Log(full=True))
    with pytest.raises(StorageError):
        next(iter(full.pages(Wanted())))


def test_whose_roles_do_not_export_gets_nothing_and_it_is_logged(pair: Any) -> None:
    import msgspec

    officer = msgspec.structs.replace(pair.person.observer, roles=("watch_officer",))
    pair.happen(hidden=False)
    log = Log()
    made = disclosing(pair.nodes[0], officer, log)
    with pytest.raises(Forbidden, match="do not export"):
        made.check()
    assert [(e.act, e.outcome) for e in log.entries] == [("export", "denied")]
    assert list(made.pages(Wanted())) == [] and taxii.page(made, taxii.Filter(), node="col").objects == []


@pytest.mark.parametrize(
    "cursor", ["x", "0" * 32, f"{'0' * 32}.1.0", f"{'f' * 32}.1.1", "' OR 1=1", f"{'0' * 32}.0.0", "." * 120]
)
def test_a_cursor_that_is_none_of_ours(pair: Any, cursor: str) -> None:
    pair.happen(hidden=False)
    with pytest.raises(UsageError, match="read the collection anew"):
        taxii.page(disclosing(pair.nodes[0], pair.person.observer), taxii.Filter(), node="col", cursor=cursor)


def test_a_cursor_of_a_hidden_record_is_none(pair: Any) -> None:
    for _ in range(10):
        pair.happen(hidden=True)
    first, second = (disclosing(each, pair.person.observer) for each in pair.nodes)
    for id_, kind in pair.ids:
        if kind not in ("finding", "alert"):
            continue
        told = []
        for made in (first, second):
            with pytest.raises(UsageError) as said:
                taxii.page(made, taxii.Filter(), node="col", cursor=f"{id_}.1.1")
            told.append(str(said.value))
        assert told[0] == told[1]
