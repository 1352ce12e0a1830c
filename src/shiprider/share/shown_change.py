"""A change of rules as it is put before people: few lines, nothing of it left out.

Always true: every class that is here is a line of its own with its exact count; of what could come there is a line
per party, origin and kind, so that a door that opens on an empty room is seen too, and these lines are made of the
rules alone, so that none of them tells what is here; rules that are too far apart to try every class count as widening.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shiprider.model.agreement import Agreement
from shiprider.model.label import Classification, parse, understood
from shiprider.model.proposals import ReleaseCount
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import Rules
from shiprider.share.change import Change, Shift, compared, observer_kinds, sample_classes

#: Sampled classes times kinds of observers that are tried at most: some seconds of work.
MOST_SAMPLED: Final = 2_000_000

#: Counts of rows are not taken.
_ROWS: Final = -1


@dataclass(frozen=True, slots=True)
class ShownChange:
    """What is newly released and withheld, line by line."""

    released: tuple[ReleaseCount, ...]
    withheld: tuple[ReleaseCount, ...]
    unsampled: bool = False

    @property
    def widens(self) -> bool:
        """Whether a second person must agree."""
        return bool(self.released) or self.unsampled

    def more_than(self, other: "ShownChange") -> bool:
        """Whether something here is released that stood not, or in fewer records, in `other`."""
        before = {_key(each): each.count for each in other.released}
        return (self.unsampled and not other.unsampled) or any(
            _key(each) not in before or _more(each, before[_key(each)]) for each in self.released
        )


def shown_change(
    old: Rules, new: Rules, counts: Mapping[ReleaseClass, int | None], now_us: int
) -> ShownChange:
    """The change from `old` to `new` over what a node holds (`counts`; None: rows) and over what it could hold."""
    held = {of: _ROWS if count is None else count for of, count in counts.items()}
    observers = observer_kinds(old, new, classes=held)
    here = compared(old, new, observers, held, now_us)
    samples = sample_classes(*_differing(old, new))
    observers = observer_kinds(old, new, classes=samples)
    if _territory_grows(old, new) or len(samples) * max(len(observers), 1) > MOST_SAMPLED:
        return ShownChange(_lines(here.released, now_us), _lines(here.withheld, now_us), unsampled=True)
    could = compared(old, new, observers, dict.fromkeys(samples, 0), now_us)
    return _together(here, could, now_us)


def _together(here: Change, could: Change, now_us: int) -> ShownChange:
    def both(counted: Sequence[Shift], sampled: Sequence[Shift]) -> tuple[ReleaseCount, ...]:
        return (*_lines(counted, now_us), *_summary(sampled, now_us))

    return ShownChange(both(here.released, could.released), both(here.withheld, could.withheld))


def _differing(*rules: Rules) -> list[Rules]:
    """The rules with those agreements alone that are not in all of them: the others change no answer."""
    common = set.intersection(*({_text(a) for a in each.book.agreements} for each in rules))
    return [
        Rules(
            each.node,
            each.homes,
            type(each.book)(tuple(a for a in each.book.agreements if _text(a) not in common)),
        )
        for each in rules
    ]


def _text(agreement: Agreement) -> str:
    return repr(agreement)


def _territory_grows(old: Rules, new: Rules) -> bool:
    """Whether an agreement that stays may be named by labels of other waters than before: no class shows that."""
    before = {(a.id, a.from_us): a.territories for a in old.book.agreements}
    for each in new.book.agreements:
        had = before.get((each.id, each.from_us))
        if had is None or had == each.territories:
            continue
        if had and not (each.territories and set(map(repr, each.territories)) <= set(map(repr, had))):
            return True
    return False


def _lines(shifts: Iterable[Shift], now_us: int) -> tuple[ReleaseCount, ...]:
    actions: dict[tuple[str, str, str, ReleaseClass, int, int], list[str]] = {}
    for each in shifts:
        who = each.observer
        start = 0 if each.from_us <= now_us else each.from_us
        key = (who.nation, who.organisation, who.purpose, each.of, each.count, start)
        actions.setdefault(key, []).append(each.action)
    purposes: dict[tuple[str, str, ReleaseClass, int, int, tuple[str, ...]], list[str]] = {}
    for (nation, organisation, purpose, of, count, start), acts in actions.items():
        merged = (nation, organisation, of, count, start, tuple(acts))
        purposes.setdefault(merged, []).append(purpose)
    return tuple(
        ReleaseCount(
            nation=nation,
            organisation=organisation,
            purposes=tuple(sorted(named)),
            actions=acts,
            kind=of.kind,
            label=of.label,
            origin=of.origin,
            case=of.case,
            recorded_for=of.purpose,
            count=None if count == _ROWS else count,
            from_us=start,
        )
        for (nation, organisation, of, count, start, acts), named in purposes.items()
    )


def _summary(shifts: Iterable[Shift], now_us: int) -> tuple[ReleaseCount, ...]:
    """One line per party, origin, kind and start, with the highest label of it."""
    found: dict[tuple[str, str, str, str, int], list[Shift]] = {}
    for each in shifts:
        start = 0 if each.from_us <= now_us else each.from_us
        key = (each.observer.nation, each.observer.organisation, each.of.origin, each.of.kind, start)
        found.setdefault(key, []).append(each)
    return tuple(
        ReleaseCount(
            nation=nation,
            organisation=organisation,
            purposes=tuple(sorted({each.observer.purpose for each in listed})),
            actions=tuple(dict.fromkeys(each.action for each in listed)),
            kind=kind,
            label=max((each.of.label for each in listed), key=_level),
            origin=origin,
            count=0,
            from_us=start,
        )
        for (nation, organisation, origin, kind, start), listed in found.items()
    )


def _level(text: str) -> tuple[Classification, int]:
    of = understood(parse(text))
    return of.classification, -len(of.agreements)


def _key(line: ReleaseCount) -> tuple[object, ...]:
    # Not its start: what began in the meantime was shown with its date.
    return (
        line.nation, line.organisation, line.purposes, line.actions, line.kind, line.label, line.origin, line.case,
        line.recorded_for, line.count == 0,
    )  # fmt: skip


def _more(line: ReleaseCount, before: int | None) -> bool:
    # The proposal is itself a record, and so is every step of it.
    if line.kind == "policy_change" or line.count is None or before is None:
        return False
    return line.count > before
