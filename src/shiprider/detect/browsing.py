"""Browsing that no case explains, as a fold: (state, entries) -> (state, alarms).

Always true: only objects that nothing explains are counted; every count is of different objects; the
state handed in is not changed; nothing here reads a clock: time is that of the entries.
"""

import copy
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shiprider.detect.browsing_preset import PRIORS, BrowsingPreset, Work
from shiprider.measure.clock import DAY_US, HOUR_US
from shiprider.model.access_entry import AccessEntry
from shiprider.model.browsing import BrowsingAlarm, BrowsingSign

#: Ids named in an alarm.
_NAMED: Final = 50

#: Signs whose count is compared with what is usual, in windows of their own.
_MEASURED: Final[tuple[BrowsingSign, ...]] = ("burst", "breadth", "listing", "export")


@dataclass(slots=True)
class Usual:
    """Mean and spread of log(1 + count) over active windows; old ones fade."""

    weight: float = 0.0
    mean: float = 0.0
    square: float = 0.0

    def learn(self, value: float, memory: float) -> None:
        """One more window."""
        keep = 0.5 ** (1.0 / memory)
        self.weight = self.weight * keep + 1.0
        step = (value - self.mean) / self.weight
        before = self.mean
        self.mean += step
        self.square = self.square * keep + (value - before) * (value - self.mean)

    @property
    def variance(self) -> float:
        """Of one window."""
        return self.square / self.weight if self.weight > 0 else 0.0


@dataclass(slots=True)
class Recent:
    """Different objects touched within a span: each at the last time it was."""

    span_us: int
    last: dict[str, int] = field(default_factory=dict)

    def touch(self, object_id: str, at_us: int) -> None:
        """It was opened."""
        self.last.pop(object_id, None)
        self.last[object_id] = at_us

    def forget(self, at_us: int) -> None:
        """What lies further back than the span goes."""
        gone = []
        for object_id, time_us in self.last.items():
            if time_us > at_us - self.span_us:
                break
            gone.append(object_id)
        for object_id in gone:
            del self.last[object_id]


@dataclass(slots=True)
class Hours:
    """On how many of the days each hour of the day (UTC) was worked."""

    hours: list[int] = field(default_factory=lambda: [0] * 24)
    days: int = 0

    def learn(self, worked: set[int]) -> None:
        """One day of one person."""
        self.days += 1
        for each in worked:
            self.hours[each] += 1

    def share(self, hour: int) -> float:
        """Part of the days on which this hour, or one beside it, was worked."""
        return max(self.hours[(hour + step) % 24] for step in (-1, 0, 1)) / max(self.days, 1)


@dataclass(slots=True)
class Role:
    """What is usual for people of one role."""

    usual: dict[str, Usual] = field(default_factory=lambda: {sign: Usual() for sign in _MEASURED})
    hours: Hours = field(default_factory=Hours)


@dataclass(slots=True)
class Search:
    """One search: what it found, and whether any of it was opened soon after."""

    at_us: int
    found: set[str]
    opened: bool = False


@dataclass(slots=True)
class Person:
    """What is remembered of one person."""

    recent: dict[str, Recent]
    usual: dict[str, Usual]
    #: Window that is being counted, by sign: (its number, objects in it).
    window: dict[str, tuple[int, set[str]]] = field(default_factory=dict)
    searches: deque[Search] = field(default_factory=deque)
    refused: deque[int] = field(default_factory=deque)
    hours: Hours = field(default_factory=Hours)
    day: int = -1
    day_hours: set[int] = field(default_factory=set)
    told: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class BrowsingState:
    """Everybody, and what is usual for each role."""

    people: dict[str, Person] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)


class Browsing:
    """The fold under one preset."""

    def __init__(self, preset: BrowsingPreset | None = None) -> None:
        self.preset = preset or BrowsingPreset()
        p = self.preset
        self._spans: Mapping[str, float] = {
            "burst": p.burst_s, "breadth": p.breadth_s, "listing": p.listing_s, "export": p.export_s,
            "claim": p.claim_s, "hours": p.hours_s,
        }  # fmt: skip
        self._least: Mapping[str, int] = {
            "burst": p.burst_least, "breadth": p.breadth_least, "listing": p.listing_least, "export": p.export_least,
        }  # fmt: skip

    def start(self) -> BrowsingState:
        """Nobody was seen yet."""
        return BrowsingState()

    def fold(
        self, state: BrowsingState, entries: Sequence[tuple[int, AccessEntry]], work: Work
    ) -> tuple[BrowsingState, list[BrowsingAlarm]]:
        """Take the next entries (sequence, entry), in order."""
        seen = {entry.who for _, entry in entries}
        people = {
            **state.people,
            **{who: copy.deepcopy(state.people[who]) for who in seen if who in state.people},
        }
        now = BrowsingState(people, copy.deepcopy(state.roles))
        alarms: list[BrowsingAlarm] = []
        for sequence, entry in entries:
            person = now.people.get(entry.who)
            if person is None:
                person = now.people[entry.who] = self._newcomer()
            alarms += self._take(now, person, sequence, entry, work)
        return now, alarms

    def _newcomer(self) -> Person:
        return Person(
            recent={sign: Recent(round(span * 1e6)) for sign, span in self._spans.items()},
            usual={sign: Usual() for sign in _MEASURED},
        )

    def _take(
        self, state: BrowsingState, person: Person, sequence: int, entry: AccessEntry, work: Work
    ) -> list[BrowsingAlarm]:
        at_us, who = entry.at_us, entry.who
        role = state.roles.setdefault(work.role(who), Role())
        _learn_hour(person, role, at_us)
        for recent in person.recent.values():
            recent.forget(at_us)
        if entry.outcome == "denied":
            return self._probing(person, sequence, entry, work)
        if entry.outcome == "failed" or entry.act in ("live", "count", "sign_in", "sign_out", "policy"):
            return []
        open_ = [each for each in entry.objects if not work.explains(who, each, at_us)]
        found: list[BrowsingAlarm] = []
        if entry.act == "search":
            found += self._searched(person, sequence, entry, work)
        elif entry.objects and len(entry.objects) <= self.preset.opened_most:
            self._opened(person, entry)
        signs: tuple[BrowsingSign, ...]
        if entry.act in ("export", "release"):
            signs = ("export", "breadth")
        elif entry.act == "search" or len(entry.objects) > self.preset.opened_most:
            signs = ("listing",)
        else:
            signs = ("burst", "breadth")
        for sign in signs:
            found += self._count(person, role, sign, open_, sequence, entry, work)
        if "listing" not in signs and open_:
            found += self._rules(person, role, open_, sequence, entry, work)
        return found

    # -- counts against what is usual -----------------------------------------------------------------

    def _count(
        self,
        person: Person,
        role: Role,
        sign: BrowsingSign,
        open_: Sequence[str],
        sequence: int,
        entry: AccessEntry,
        work: Work,
    ) -> list[BrowsingAlarm]:
        recent = person.recent[sign]
        number = entry.at_us // recent.span_us
        mean, limit = self._limit(person.usual[sign], role.usual[sign], sign)
        window = person.window.get(sign)
        if window is not None and window[0] != number:
            self._learn(person.usual[sign], role.usual[sign], len(window[1]), limit)
            window = None
        if window is None:
            window = person.window[sign] = (number, set())
        window[1].update(open_)
        for each in open_:
            recent.touch(each, entry.at_us)
        count = len(recent.last)
        if not open_ or count < max(self._least[sign], limit):
            return []
        return self._tell(person, sign, count, math.expm1(mean), limit, recent, sequence, entry, work)

    def _limit(self, own: Usual, role: Usual, sign: str) -> tuple[float, float]:
        """(usual mean of log(1 + count), the count that is unusual)."""
        prior_mean, prior_spread = PRIORS[sign]
        k = self.preset.role_weight
        # The role towards what is shipped, the person towards the role.
        of_role = (role.weight * role.mean + k * prior_mean) / (role.weight + k)
        var_role = (role.weight * role.variance + k * prior_spread**2) / (role.weight + k)
        mean = (own.weight * own.mean + k * of_role) / (own.weight + k)
        variance = (own.weight * own.variance + k * var_role) / (own.weight + k)
        spread = max(math.sqrt(variance), self.preset.least_spread)
        return mean, math.expm1(mean + self.preset.deviations * spread)

    def _learn(self, own: Usual, role: Usual, count: int, limit: float) -> None:
        value = math.log1p(min(count, limit))
        own.learn(value, self.preset.memory_windows)
        role.learn(value, self.preset.memory_windows * 10)

    # -- rules ----------------------------------------------------------------------------------------

    def _rules(
        self,
        person: Person,
        role: Role,
        open_: Sequence[str],
        sequence: int,
        entry: AccessEntry,
        work: Work,
    ) -> list[BrowsingAlarm]:
        found: list[BrowsingAlarm] = []
        if entry.case and entry.case not in work.cases.get(entry.who, frozenset()):
            claimed = person.recent["claim"]
            for each in open_:
                claimed.touch(each, entry.at_us)
            count, least = len(claimed.last), self.preset.claim_least
            if count >= least:
                found += self._tell(person, "claim", count, 0.0, least, claimed, sequence, entry, work)
        if self._strange_hour(person, role, entry, work):
            late = person.recent["hours"]
            for each in open_:
                late.touch(each, entry.at_us)
            count, least = len(late.last), self.preset.hours_least
            if count >= least:
                found += self._tell(person, "hours", count, 0.0, least, late, sequence, entry, work)
        return found

    def _strange_hour(self, person: Person, role: Role, entry: AccessEntry, work: Work) -> bool:
        """An hour the person never works, off watch by the roster, or else one that nobody of the role works.

        Without a roster a change of watch moves a person's hours, but never to where no colleague is.
        """
        hour = int(entry.at_us % DAY_US // HOUR_US)
        if person.hours.days < self.preset.hours_days or work.on_watch_by_roster(entry.who, entry.at_us):
            return False
        if person.hours.share(hour) >= self.preset.hours_share:
            return False
        return entry.who in work.watches or role.hours.share(hour) < self.preset.hours_share

    def _searched(self, person: Person, sequence: int, entry: AccessEntry, work: Work) -> list[BrowsingAlarm]:
        p = self.preset
        searches = person.searches
        if searches and searches[-1].at_us == entry.at_us:
            searches[-1].found.update(entry.objects)  # one answer in several entries
        else:
            searches.append(Search(entry.at_us, set(entry.objects)))
        while searches[0].at_us < entry.at_us - round(p.fruitless_s * 1e6):
            searches.popleft()
        empty = sum(not each.opened for each in searches)
        if empty < p.fruitless_least or empty < p.fruitless_share * len(searches):
            return []
        begun = Recent(round(p.fruitless_s * 1e6))
        return self._tell(person, "fruitless", empty, 0.0, p.fruitless_least, begun, sequence, entry, work)

    def _opened(self, person: Person, entry: AccessEntry) -> None:
        """An object was opened: what was searched for just before was found."""
        for search in reversed(person.searches):
            if search.at_us < entry.at_us - round(self.preset.opened_within_s * 1e6):
                return
            if not search.found.isdisjoint(entry.objects):
                search.opened = True

    def _probing(self, person: Person, sequence: int, entry: AccessEntry, work: Work) -> list[BrowsingAlarm]:
        p = self.preset
        person.refused.append(entry.at_us)
        while person.refused[0] < entry.at_us - round(p.probing_s * 1e6):
            person.refused.popleft()
        count = len(person.refused)
        if count < p.probing_least:
            return []
        asked = Recent(round(p.probing_s * 1e6), dict.fromkeys(entry.objects, entry.at_us))
        return self._tell(person, "probing", count, 0.0, p.probing_least, asked, sequence, entry, work)

    def _tell(
        self,
        person: Person,
        sign: BrowsingSign,
        count: int,
        usual: float,
        limit: float,
        recent: Recent,
        sequence: int,
        entry: AccessEntry,
        work: Work,
    ) -> list[BrowsingAlarm]:
        before = person.told.get(sign)
        quiet = before is not None and entry.at_us - before[0] < round(self.preset.quiet_s * 1e6)
        if before is not None and quiet and count < 2 * before[1]:
            return []
        person.told[sign] = (entry.at_us, count)
        return [
            BrowsingAlarm(
                who=entry.who,
                role=work.role(entry.who),
                sign=sign,
                from_us=min(recent.last.values(), default=entry.at_us - recent.span_us),
                to_us=entry.at_us,
                sequence=sequence,
                count=count,
                usual=round(usual, 2),
                limit=round(limit, 1),
                objects=tuple(recent.last)[-_NAMED:],
                cases=tuple(sorted(work.cases.get(entry.who, ()))),
            )
        ]


def _learn_hour(person: Person, role: Role, at_us: int) -> None:
    day, hour = at_us // DAY_US, int(at_us % DAY_US // HOUR_US)
    if day != person.day:
        if person.day >= 0:
            person.hours.learn(person.day_hours)
            role.hours.learn(person.day_hours)
        person.day, person.day_hours = day, set()
    person.day_hours.add(hour)
