"""A change of policy, looked at before it is applied: what would be newly released, to whom, how much.

Always true: the list is exact for the classes and observers given, at every moment from now on at which an answer
can change; what widens needs two different people, what only narrows needs one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shiprider.model.agreement import Party
from shiprider.model.errors import Forbidden
from shiprider.model.label import AnyLabel, Classification, Tlp, compare, label, parse, understood
from shiprider.model.observer import Observer
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.model.rules import Home, Rules
from shiprider.share.mask import ClassTable
from shiprider.share.release import ACTIONS, ROLES

#: Somebody for whom no purpose is named: what is shared for any purpose is shared with him too.
ANY_PURPOSE: Final = "other"


@dataclass(frozen=True, slots=True)
class Shift:
    """One class that one kind of observer gets, or loses, from a moment on; `count` records or rows of it."""

    observer: Observer
    action: Action
    of: ReleaseClass
    count: int
    from_us: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of rules does. `released` widens, `withheld` narrows."""

    released: tuple[Shift, ...]
    withheld: tuple[Shift, ...]

    @property
    def widens(self) -> bool:
        """Whether anybody would get anything that he does not get today."""
        return bool(self.released)

    @property
    def people_needed(self) -> int:
        """How many different people must agree."""
        return 2 if self.widens else 1

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Records newly released by (nation, organisation, action), each class counted once per party.

        Kinds of observers differ in clearance and purpose: the widest of them counts.
        """
        found: dict[tuple[str, str, str], dict[ReleaseClass, int]] = {}
        for each in self.released:
            key = (each.observer.nation, each.observer.organisation, each.action)
            found.setdefault(key, {})[each.of] = each.count
        return {key: sum(classes.values()) for key, classes in sorted(found.items())}


def compared(
    old: Rules,
    new: Rules,
    observers: Sequence[Observer],
    classes: Mapping[ReleaseClass, int],
    now_us: int,
    actions: Sequence[Action] = ACTIONS,
) -> Change:
    """The change from `old` to `new` for these observers and classes (with how many there are of each)."""
    listed = list(classes)
    table = ClassTable(listed)
    moments = _moments(old, new, listed, now_us)
    released: list[Shift] = []
    withheld: list[Shift] = []
    for observer in observers:
        if _concerning(old, observer) == _concerning(new, observer):
            continue
        for action in actions:
            gained, lost = np.zeros(len(listed), np.bool_), np.zeros(len(listed), np.bool_)
            for at_us in moments:
                before = table.mask(old, observer, action, at_us)
                after = table.mask(new, observer, action, at_us)
                for changed, told, into in (
                    (after & ~before, gained, released),
                    (before & ~after, lost, withheld),
                ):
                    into += [
                        Shift(observer, action, listed[i], classes[listed[i]], at_us)
                        for i in np.flatnonzero(changed & ~told)
                    ]
                    told |= changed
    return Change(tuple(released), tuple(withheld))


def agreed(change: Change, people: Iterable[str]) -> tuple[str, ...]:
    """Who agreed, once they are enough. Raises Forbidden where one more different person is needed."""
    return _enough(people, change.people_needed, f"This change newly releases {len(change.released)} classes")


def agreed_label(now: AnyLabel, to: AnyLabel, people: Iterable[str]) -> tuple[str, ...]:
    """Who agreed to another label, once they are enough: two, unless it is as narrow in every part. Raises Forbidden."""
    narrows = compare(to, now) in ("equal", "narrower")
    return _enough(people, 1 if narrows else 2, "This label is wider than the one it replaces")


def _enough(people: Iterable[str], needed: int, why: str) -> tuple[str, ...]:
    distinct = tuple(sorted({name.strip() for name in people} - {""}))
    if any(name.startswith("process:") for name in distinct):
        raise Forbidden("Release is widened and narrowed by people: a process cannot agree to it.")
    if not distinct:
        raise Forbidden("A change of what is released needs a person who makes it: say who you are.")
    if len(distinct) < needed:
        raise Forbidden(f"{why}: a second person must agree to it.")
    return distinct


def observer_kinds(*rules: Rules, classes: Iterable[ReleaseClass] = ()) -> list[Observer]:
    """One observer of every kind that the rules and classes can tell apart, with as much as he can have.

    Every nation and organisation that is a home or party or named by a label, every purpose that is named and one that
    is not; cleared for everything, in every community and on every case that the classes name, with all roles: more of
    these gives no less, and the class says which clearance it takes.
    """
    listed = list(classes)
    labels = [understood(parse(of.label)) for of in listed]
    whose = {(home.nation, home.organisation) for each in rules for home in each.homes}
    purposes = {
        ANY_PURPOSE,
        *(of.purpose for of in listed),
        *(p for each in labels for p in each.purposes or ()),
    }
    for each in rules:
        for agreement in each.book.agreements:
            whose |= {(party.nation, party.organisation) for party in agreement.parties}
            purposes |= {name for clause in agreement.sharing for name in clause.purposes}
    nations = {nation for nation, _ in whose} | {name for each in labels for name in each.nations or ()}
    organisations = {name for _, name in whose} | {n for each in labels for n in each.organisations or ()}
    communities = tuple(sorted({name for each in labels for name in each.communities or ()}))
    cases = tuple(sorted({of.case for of in listed} - {""}))
    roles = tuple(sorted({role for several in ROLES.values() for role in several}))
    return [
        Observer(
            name=" ".join(part for part in (nation, organisation, purpose) if part),
            roles=roles,
            nation=nation,
            organisation=organisation,
            communities=communities,
            clearance=Classification.TOP_SECRET.name,
            purpose=purpose,
            cases=cases,
        )
        for nation in sorted(nations)
        for organisation in sorted(organisations | {""})
        if nation or organisation
        for purpose in sorted(purposes - {"", "*"})
    ]


def _concerning(rules: Rules, observer: Observer) -> tuple[object, ...]:
    """What of the rules an observer's answers depend on: equal of two rules, equal answers."""
    whose = (observer.nation, observer.organisation)
    editions = [
        (edition.start_us, edition.end_us, edition.agreement)
        for edition in rules.book.editions()
        if any(party.is_of(*whose) for party in edition.agreement.parties)
    ]
    return (rules.node, rules.homes, editions)


def sample_classes(*rules: Rules) -> list[ReleaseClass]:
    """One class of every kind, classification, colour, agreement and origin that the rules tell apart.

    Releasable as widely as its colour lets it be, so that only the rules stand between it and an observer.
    """
    homes = [home for each in rules for home in each.homes]
    agreements = [agreement for each in rules for agreement in each.book.agreements]
    clauses = [clause for agreement in agreements for clause in agreement.sharing]
    kinds = {kind for clause in clauses for kind in clause.kinds} - {"*"}
    named: list[tuple[str, ...]] = [(), *((id,) for id in sorted({each.id for each in agreements}))]
    texts = [
        label(
            policies=["COALITION"],
            classification=level,
            nations=circle[0],
            organisations=circle[1],
            agreements=names,
            tlp=colour,
        ).text
        for colour, circle in _circles(rules, {clause.tlp for clause in clauses}).items()
        for level in Classification
        for names in named
    ]
    return [
        ReleaseClass(label=text, origin=origin, kind=kind)
        for kind in sorted(kinds | {"other"})
        for text in texts
        for origin in sorted({home.node for home in homes})
    ]


_Circle = tuple[tuple[str, ...] | None, tuple[str, ...] | None]


def _circles(rules: Sequence[Rules], highest: set[Tlp]) -> dict[Tlp, _Circle]:
    """(nations, organisations) as wide as each colour lets them be; RED is for persons, by their cases."""
    whose: list[Home | Party] = [home for each in rules for home in each.homes]
    whose += [party for each in rules for agreement in each.book.agreements for party in agreement.parties]
    nations = tuple(sorted({each.nation for each in whose} - {""}))
    organisations = tuple(sorted({each.organisation for each in whose} - {""}))
    found: dict[Tlp, _Circle] = {Tlp.NONE: (None, None)}
    for colour in highest:
        if colour == Tlp.CLEAR:
            found[colour] = (None, None)
        elif colour in (Tlp.GREEN, Tlp.AMBER) and nations:
            found[colour] = (nations, None)
        elif colour == Tlp.AMBER_STRICT and organisations:
            found[colour] = (None, organisations)
    return found


def _moments(old: Rules, new: Rules, classes: Sequence[ReleaseClass], now_us: int) -> list[int]:
    """Now, and every later moment at which an answer can change."""
    labels = (understood(parse(of.label)) for of in classes)
    ends = {label.expires_us for label in labels if label.expires_us is not None}
    edges = {*old.book.edges(), *new.book.edges(), *ends}
    return [now_us, *sorted(edge for edge in edges if edge > now_us)]
