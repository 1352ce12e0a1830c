"""A read held to some release classes answers as if there were only the records of those classes.

The second implementation here is a list of records in memory, filtered by their own labels.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from shiprider.model.errors import NotFound
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Allowed, Filed, Ledger, Query

Open = Callable[[], Ledger]


def filed(
    number: int, revision: int, label: str, *, kind: str = "note", case: str = "", terms: Any = ()
) -> Filed:
    draft = Draft(
        id=f"{number:032x}", kind=kind, expected_revision=revision, schema=1, author="Ana", valid_from_us=number,
        valid_to_us=number + 3, label=label, case=case, body=b"%d.%d" % (number, revision),
    )  # fmt: skip
    return Filed(draft=draft, terms=terms)


def of(ledger: Ledger, *labels: str) -> Allowed:
    return Allowed(frozenset(n for n, c in ledger.classes().items() if c.label in labels))


def test_classes_are_numbered_once(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([filed(1, 0, "A"), filed(2, 0, "B"), filed(3, 0, "A", case="c"), filed(4, 0, "A")])
    before = dict(ledger.classes())
    assert sorted((c.label, c.origin, c.case) for c in before.values()) == [
        ("A", "node-a", ""),
        ("A", "node-a", "c"),
        ("B", "node-a", ""),
    ]
    ledger.close()
    again = open_ledger()
    assert again.classes() == before
    again.append([filed(5, 0, "C"), filed(6, 0, "A")])
    assert {n: c for n, c in again.classes().items() if n in before} == before and len(again.classes()) == 4


def test_revisions_are_counted_by_class(open_ledger: Open) -> None:
    """Every revision with a body counts, also one that a later revision of another class follows."""
    ledger = open_ledger()
    ledger.append([filed(1, 0, "A"), filed(2, 0, "B"), filed(3, 0, "A", case="c"), filed(4, 0, "A")])
    ledger.append([filed(1, 1, "B"), filed(4, 1, "A")])
    ledger.erase(f"{4:032x}", 1, author="Ana", authority="court", reason="ordered")
    known = ledger.classes()
    counted = {(known[n].label, known[n].kind, known[n].case): c for n, c in ledger.class_counts().items()}
    assert {each: count for each, count in counted.items() if each[1] == "note"} == {
        ("A", "note", ""): 2, ("B", "note", ""): 2, ("A", "note", "c"): 1,
    }  # fmt: skip


def test_what_is_not_allowed_does_not_exist(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([filed(n, 0, "A" if n % 2 else "B", terms=("t",)) for n in range(1, 11)])
    allowed = of(ledger, "A")
    hidden = f"{2:032x}"
    absent = f"{999:032x}"
    for read in (
        lambda id_: ledger.latest(id_, allowed=allowed),
        lambda id_: ledger.latest(id_, known_us=10**6, allowed=allowed),
        lambda id_: ledger.history(id_, allowed=allowed),
    ):
        words = []
        for id_ in (hidden, absent):
            with pytest.raises(NotFound) as told:
                read(id_)
            words.append(str(told.value).replace(id_, ""))
        assert words[0] == words[1], "hidden and absent are never told apart"
    odd = [n for n in range(1, 11) if n % 2]
    assert [int(r.id, 16) for r in ledger.of_kind("note", allowed=allowed)] == odd
    assert [int(r.id, 16) for r in ledger.of_kind("note", known_us=10**6, allowed=allowed)] == odd
    assert [int(r.id, 16) for r in ledger.since(0, allowed=allowed)] == odd
    assert [int(r.id, 16) for r in ledger.since(0, limit=2, allowed=allowed)] == odd[:2]
    assert set(ledger.latest_of([hidden, absent, f"{3:032x}"], allowed=allowed)) == {f"{3:032x}"}
    assert ledger.count(Query("note", (("t",),), allowed=allowed)) == 5
    nobody = Allowed(frozenset())
    assert (
        ledger.find(Query("note", allowed=nobody)) == [] and ledger.count(Query("note", allowed=nobody)) == 0
    )
    assert ledger.since(0, allowed=nobody) == []
    future = Allowed(frozenset({max(ledger.classes()) + 1, 4000}))
    assert ledger.since(0, allowed=future) == []


def test_a_later_revision_of_another_class_is_as_if_it_were_not(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([filed(1, 0, "A", terms=("state:new",))])
    ledger.append([filed(1, 1, "B", terms=("state:taken",))])
    a, b, both = of(ledger, "A"), of(ledger, "B"), of(ledger, "A", "B")
    for allowed, revision in ((a, 1), (b, 2), (both, 2), (None, 2)):
        new = Query("note", (("state:new",),), allowed=allowed)
        taken = Query("note", (("state:taken",),), allowed=allowed)
        assert ledger.latest(f"{1:032x}", allowed=allowed).revision == revision
        assert [r.revision for r in ledger.find(Query("note", allowed=allowed))] == [revision]
        assert (ledger.count(new), ledger.count(taken)) == ((1, 0) if revision == 1 else (0, 1))
    ledger.append([filed(1, 2, "A", terms=("state:escalated",))])
    assert [r.revision for r in ledger.history(f"{1:032x}", allowed=a)] == [1, 3]
    assert [ledger.latest(f"{1:032x}", allowed=each).revision for each in (a, b, both)] == [3, 2, 3]
    assert ledger.count(Query("note", (("state:taken",),))) == 0
    from shiprider.adapters.ledger.derived import verify_derived

    with ledger._reading() as connection:  # type: ignore[attr-defined]
        verify_derived(connection, "it", lambda record: None)


def _expected(records: list[Record], labels: set[str] | None) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        if labels is None or record.label in labels:
            found[record.id] = record
    return found


@pytest.mark.parametrize("seed", range(3))
def test_random_logs_read_as_a_list_filtered_by_hand(open_ledger: Open, seed: int, clock: Any) -> None:
    chance = random.Random(seed)
    ledger = open_ledger()
    labels = ["A", "B", "C", "D", "E"]
    revisions: dict[int, int] = {}
    kinds: dict[int, str] = {}
    log: list[Record] = []
    terms: dict[int, tuple[str, ...]] = {}
    for _ in range(25):
        clock.now += chance.randrange(3)
        batch = []
        for _ in range(chance.randrange(1, 12)):
            number = chance.randrange(1, 60)
            kind = kinds.setdefault(number, chance.choice(("note", "alert")))
            mine = tuple(chance.sample(("x", "y", "z"), chance.randrange(3)))
            batch.append(
                filed(number, revisions.get(number, 0), chance.choice(labels), kind=kind, terms=mine)
            )
            revisions[number] = revisions.get(number, 0) + 1
        made = ledger.append(batch)
        terms.update({r.sequence: f.terms for r, f in zip(made, batch, strict=True)})
        log += made
    for _ in range(40):
        wanted = set(chance.sample(labels, chance.randrange(6))) if chance.random() < 0.9 else None
        allowed = None if wanted is None else of(ledger, *wanted)
        latest = sorted(_expected(log, wanted).values(), key=lambda r: r.sequence)
        alerts = [r for r in latest if r.kind == "alert"]
        assert ledger.of_kind("alert", allowed=allowed) == alerts
        some = [r for r in alerts if {"x", "y"} & set(terms[r.sequence])]
        query = Query("alert", (("x", "y"),), order="oldest", allowed=allowed)
        assert ledger.find(query) == some and ledger.count(query) == len(some)
        start = chance.randrange(1, 60)
        span = Query("alert", start_us=start, end_us=start + 10, limit=3, allowed=allowed)
        inside = [r for r in alerts if r.valid_from_us < start + 10 and (r.valid_to_us or 0) >= start]
        assert ledger.find(span) == inside[::-1][:3]
        known = chance.choice(log).recorded_us
        then = [r for r in log if r.recorded_us <= known]
        expected = sorted(_expected(then, wanted).values(), key=lambda r: r.sequence)
        assert ledger.of_kind("note", known_us=known, allowed=allowed) == [
            r for r in expected if r.kind == "note"
        ]
        after = chance.randrange(len(log))
        shown = [r for r in log if r.sequence > after and (wanted is None or r.label in wanted)]
        assert ledger.since(after, limit=7, allowed=allowed) == shown[:7]
        ids = [f"{n:032x}" for n in chance.sample(range(1, 60), 20)]
        assert ledger.latest_of(ids, allowed=allowed) == {r.id: r for r in latest if r.id in ids}
