"""The numbers of the browsing alarm, and what is known of people's work when accesses are judged.

Always true: what explains an access is a fact (a case, a watch, an exercise), never what the person
claims; a number here is measured on simulated watches (tests/promises/test_10_insiders.py) or says whose it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowsingPreset:
    """Windows in seconds, least counts, and how far above the usual is unusual.

    A count is unusual where it reaches its least number and lies `deviations` above the usual, on a scale
    of log(1 + count): counts of people are skewed, and a busy day is a multiple, not a sum. The usual is the
    person's own mean, drawn towards the role's by `role_weight` windows, so a newcomer is judged as his
    colleagues are. A window above the limit is learnt only as the limit: nobody raises his own by steps
    larger than that. Source of the form: Gaussian profile per user and peer group, as in CERT's insider
    threat studies (Glasser and Lindauer 2013 describe the data); the numbers are ours (P).
    """

    burst_s: float = 300.0
    burst_least: int = 25
    breadth_s: float = 8 * 3600.0
    breadth_least: int = 80
    listing_s: float = 3600.0
    listing_least: int = 500
    export_s: float = 3600.0
    export_least: int = 10
    fruitless_s: float = 900.0
    fruitless_least: int = 15
    fruitless_share: float = 0.8
    opened_within_s: float = 120.0
    probing_s: float = 900.0
    probing_least: int = 10
    claim_s: float = 3600.0
    claim_least: int = 5
    hours_s: float = 3600.0
    hours_least: int = 8
    hours_share: float = 0.05
    hours_days: int = 10
    #: An answer with more objects is a list; these were looked through, not opened.
    opened_most: int = 5
    deviations: float = 3.0
    least_spread: float = 0.4
    role_weight: float = 20.0
    #: Windows after which what was learnt counts half.
    memory_windows: float = 200.0
    #: The same sign of the same person is told again after this, or when its count has doubled.
    quiet_s: float = 4 * 3600.0


#: Before anybody of a role was seen: (mean, spread) of log(1 + count) in one active window (P).
PRIORS: Final[Mapping[str, tuple[float, float]]] = {
    "burst": (1.4, 0.5),
    "breadth": (3.6, 0.55),
    "listing": (3.9, 0.7),
    "export": (0.7, 0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What people are there for, at one moment. Everything that is not in it explains nothing.

    `roles`: the group a person is compared with. `cases`: cases a person is on. `case_of`: cases of an
    object. `current`: objects of the watch's open matters; they explain an access of who is on watch: within
    `watches` where the roster is known, else everybody of `watch_roles`. `exercises`: objects of exercises,
    which explain everybody's accesses.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    case_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    current: frozenset[str] = frozenset()
    watches: Mapping[str, Spans] = field(default_factory=dict)
    watch_roles: frozenset[str] = frozenset({"watch_officer"})
    exercises: frozenset[str] = frozenset()

    def role(self, who: str) -> str:
        """The group of a person; unknown people are one group."""
        return self.roles.get(who, "")

    def on_watch(self, who: str, at_us: int) -> bool:
        """Whether a person has the watch."""
        spans = self.watches.get(who)
        if spans is None:
            return not self.watches and self.role(who) in self.watch_roles
        return self.on_watch_by_roster(who, at_us)

    def on_watch_by_roster(self, who: str, at_us: int) -> bool:
        """Whether the roster itself says that a person has the watch."""
        return any(start <= at_us < end for start, end in self.watches.get(who, ()))

    def explains(self, who: str, object_id: str, at_us: int) -> bool:
        """Whether a case, the watch or an exercise explains that this person opens this object."""
        if object_id in self.exercises:
            return True
        if object_id in self.current and self.on_watch(who, at_us):
            return True
        return not self.cases.get(who, frozenset()).isdisjoint(self.case_of.get(object_id, ()))
