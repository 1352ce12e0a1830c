"""A change of policy: exactly what it would newly release, and how many people it takes."""

import random

import pytest
from msgspec.structs import replace

from promises.policy_cases import T0, classes, moments, observer, rules
from promises.test_02_deny_on_doubt import AGREEMENT, CLASS, READER, RULES
from shiprider.measure.clock import HOUR_US
from shiprider.model.agreement import book
from shiprider.model.errors import Forbidden
from shiprider.model.label import UNKNOWN, written
from shiprider.model.observer import Observer
from shiprider.model.rules import Rules
from shiprider.share.change import Change, agreed, agreed_label, compared, observer_kinds, sample_classes
from shiprider.share.release import judge

CLAUSE = AGREEMENT.sharing[0]
ALERT = replace(CLASS, kind="alert")
LOWER = replace(CLASS, label=written("policy=COALITION class=RESTRICTED rel=nations:COL").text)


def _with(**changes: object) -> Rules:
    changed = replace(AGREEMENT, sharing=(replace(CLAUSE, **changes),))
    return Rules(RULES.node, RULES.homes, book([changed]))


def test_the_exact_classes_and_counts_by_hand() -> None:
    counts = {CLASS: 5, ALERT: 3, LOWER: 2}
    change = compared(RULES, _with(kinds=("finding", "alert")), [READER], counts, T0, ("read",))
    assert [(s.of, s.count, s.from_us) for s in change.released] == [(ALERT, 3, T0)]
    assert change.withheld == ()
    assert change.counts() == {("COL", "ARC", "read"): 3}
    change = compared(RULES, _with(highest="RESTRICTED"), [READER], counts, T0, ("read",))
    assert [(s.of, s.count) for s in change.withheld] == [(CLASS, 5)]
    assert not change.widens


def test_what_would_be_released_only_later_is_told_now() -> None:
    later = Rules(
        RULES.node, RULES.homes, book([AGREEMENT, replace(AGREEMENT, from_us=T0 + HOUR_US, sharing=(
            replace(CLAUSE, kinds=("finding", "alert")),
        ))])
    )  # fmt: skip
    lasting = replace(ALERT, label=LOWER.label)
    change = compared(RULES, later, [READER], {lasting: 4}, T0, ("read",))
    assert [(s.of, s.from_us) for s in change.released] == [(lasting, T0 + HOUR_US)]


def test_widening_needs_two_different_people_and_narrowing_one() -> None:
    wider = compared(RULES, _with(kinds=("*",)), [READER], {ALERT: 1}, T0)
    narrower = compared(_with(kinds=("*",)), RULES, [READER], {ALERT: 1}, T0)
    assert (wider.people_needed, narrower.people_needed) == (2, 1)
    for people in ([], ["a"], ["a", "a"], ["a", " a "], ["a", ""]):
        with pytest.raises(Forbidden):
            agreed(wider, people)
    assert agreed(wider, ["b", "a"]) == ("a", "b")
    assert agreed(narrower, ["a"]) == ("a",)
    with pytest.raises(Forbidden):
        agreed(narrower, [])
    with pytest.raises(Forbidden, match="process"):
        agreed(wider, ["a", "process:watch"])
    assert agreed(Change((), ()), ["a"]) == ("a",)


def test_a_wider_label_needs_two_people_too() -> None:
    now, wider = (
        written("policy=COALITION class=SECRET rel=nations:COL"),
        written("policy=COALITION class=SECRET rel=*"),
    )
    other = written("policy=COALITION class=RESTRICTED rel=nations:USA")
    assert agreed_label(wider, now, ["a"]) == ("a",)
    assert agreed_label(now, now, ["a"]) == ("a",)
    for to in (wider, other):
        with pytest.raises(Forbidden, match="second person"):
            agreed_label(now, to, ["a", "a"])
        assert agreed_label(now, to, ["a", "b"]) == ("a", "b")
    with pytest.raises(Forbidden):
        agreed_label(UNKNOWN, wider, ["a"])


def test_against_the_rule_class_by_class() -> None:
    """Random rules against random rules: the list is what the reference rule says, moment by moment."""
    for seed in range(6):
        rng = random.Random(seed)
        old, new = rules(rng), rules(rng)
        now = moments(rng, old)
        what = classes(rng, 40, [now])
        who = [observer(rng) for _ in range(4)]
        change = compared(old, new, who, dict.fromkeys(what, 1), now)
        told = {(s.observer, s.action, s.of) for s in change.released}
        first = {(s.observer, s.action, s.of) for s in change.released if s.from_us == now}
        for each in who:
            for action in ("read", "change", "export", "release", "downgrade"):
                for of in what:
                    gained = (
                        not judge(old, each, action, of, now).allowed
                        and judge(new, each, action, of, now).allowed
                    )  # type: ignore[arg-type]
                    assert gained == ((each, action, of) in first)
                    assert not gained or (each, action, of) in told


def test_every_kind_of_observer_is_there() -> None:
    kinds = observer_kinds(RULES, classes=[CLASS])
    assert {(k.nation, k.organisation) for k in kinds} >= {("COL", ""), ("COL", "ARC"), ("USA", "")}
    assert {k.clearance for k in kinds} == {"TOP_SECRET"}
    assert {k.purpose for k in kinds} == {"counterdrug", "other"}
    assert all(isinstance(k, Observer) and k.cases == ("C1",) and k.communities == ("JIATF",) for k in kinds)


def test_the_sample_tells_two_policies_apart() -> None:
    for changes in ({"kinds": ("finding", "alert")}, {"highest": "TOP_SECRET"}, {"purposes": ("*",)}):
        other = _with(**changes)
        what = dict.fromkeys(sample_classes(RULES, other), 1)
        who = observer_kinds(RULES, other, classes=what)
        assert compared(RULES, other, who, what, T0, ("read",)).widens, changes
        assert not compared(RULES, RULES, who, what, T0, ("read",)).widens
