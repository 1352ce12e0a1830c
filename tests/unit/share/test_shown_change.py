"""A change of rules as people are shown it: exact lines, and doors that open on empty rooms."""

import pytest
from msgspec.structs import replace

from promises.policy_cases import T0
from promises.test_02_deny_on_doubt import AGREEMENT, CLASS, RULES
from shiprider.measure.clock import HOUR_US
from shiprider.model.agreement import book
from shiprider.model.label import written
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import Rules
from shiprider.share import shown_change as module
from shiprider.share.change import sample_classes
from shiprider.share.shown_change import ShownChange, shown_change

CLAUSE = AGREEMENT.sharing[0]
LOW = replace(CLASS, label=written("policy=COALITION class=RESTRICTED rel=nations:COL").text)
ALERT = replace(LOW, kind="alert")
Counts = dict[ReleaseClass, int | None]


def _with(**changes: object) -> Rules:
    return Rules(RULES.node, RULES.homes, book([replace(AGREEMENT, sharing=(replace(CLAUSE, **changes),))]))


WIDER = _with(kinds=(*CLAUSE.kinds, "alert"))


def _counted(shown: ShownChange) -> set[tuple[str, int | None]]:
    return {(line.kind, line.count) for line in shown.released if line.count != 0}


def test_the_counts_are_those_of_the_log_and_rows_are_not_counted() -> None:
    shown = shown_change(RULES, WIDER, {LOW: 5, ALERT: 3}, T0)
    assert _counted(shown) == {("alert", 3)} and shown.widens and not shown.withheld
    assert {line.from_us for line in shown.released} == {0}
    rows: Counts = {replace(LOW, kind="observations"): None}
    assert _counted(shown_change(RULES, _with(kinds=("observations",)), rows, T0)) == {("observations", None)}


def test_nothing_of_it_is_here_and_still_it_is_wider() -> None:
    shown = shown_change(RULES, WIDER, {LOW: 5}, T0)
    assert shown.widens and {(line.kind, line.count) for line in shown.released} == {("alert", 0)}
    assert not shown_change(WIDER, RULES, {LOW: 5}, T0).widens
    assert not shown_change(RULES, RULES, {LOW: 5}, T0).widens


def test_what_begins_later_says_when() -> None:
    later = book(
        [AGREEMENT, replace(AGREEMENT, from_us=T0 + HOUR_US, sharing=WIDER.book.agreements[0].sharing)]
    )
    shown = shown_change(RULES, Rules(RULES.node, RULES.homes, later), {ALERT: 4}, T0)
    assert {line.from_us for line in shown.released if line.count} == {T0 + HOUR_US}


def test_more_records_or_other_classes_are_more_than_was_shown() -> None:
    shown = shown_change(RULES, WIDER, {ALERT: 3}, T0)
    assert not shown_change(RULES, WIDER, {ALERT: 3}, T0 + 1).more_than(shown)
    assert not shown_change(RULES, WIDER, {ALERT: 2}, T0).more_than(shown)
    assert shown_change(RULES, WIDER, {ALERT: 4}, T0).more_than(shown)
    other = replace(ALERT, label=written("policy=COALITION class=UNCLASSIFIED rel=nations:COL").text)
    assert shown_change(RULES, WIDER, {ALERT: 3, other: 1}, T0).more_than(shown)


def test_too_much_to_try_counts_as_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SAMPLED", 0)
    shown = shown_change(WIDER, RULES, {LOW: 5}, T0)
    assert shown.unsampled and shown.widens


def test_what_could_come_does_not_tell_what_is_here() -> None:
    """Lines without a count are made of the rules: whatever is held, under whatever label, they are the same."""
    wider = _with(kinds=(*CLAUSE.kinds, "alert"))
    could = {line for line in shown_change(RULES, wider, {}, T0).released if line.count == 0}
    sampled = sample_classes(RULES, wider)
    for of in (
        *sampled[:40],
        replace(ALERT, label=written("policy=COALITION class=SECRET rel=nations:HND purpose=planning").text),
        replace(ALERT, purpose="planning", case="K-1"),
    ):
        shown = shown_change(RULES, wider, {of: 3}, T0)
        assert {line for line in shown.released if line.count == 0} == could, of
    assert could
