"""A month of accesses on a watch floor, with everything lawful that looks odd, and insiders to be put in.

Nothing here knows the alarm's numbers. Times are microseconds from day 0, 00:00 UTC.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shiprider.detect.browsing_preset import Work
from shiprider.model.access_entry import AccessEntry

S = 1_000_000
MIN = 60 * S
HOUR = 60 * MIN
DAY = 24 * HOUR

OFFICERS = [f"officer {n}" for n in range(12)]
ANALYSTS = [f"analyst {n}" for n in range(4)]
LIAISON = [f"liaison {n}" for n in range(2)]
NEWCOMER = "officer 12"
CASES = {f"C{n}": frozenset(f"case {n} object {k}" for k in range(20 + 6 * n)) for n in range(8)}
BIG = frozenset(f"big object {k}" for k in range(400))
DRILL = frozenset(f"drill object {k}" for k in range(150))
VESSELS = [f"vessel {n}" for n in range(6000)]

#: day: what happens on it that is lawful and unusual.
ROTATION, DRILL_DAY, BIG_FROM, BIG_TO, SURGE, HIRED = 15, 18, 20, 24, 22, 16


def entry(
    at: int, who: str, act: str, *objects: str, case: str = "", outcome: str = "allowed"
) -> AccessEntry:
    return AccessEntry(
        at_us=at, who=who, session="s", act=act, what="", outcome=outcome, objects=tuple(objects),
        count=len(objects), purpose="watch", case=case,
    )  # type: ignore[arg-type]  # fmt: skip


def current(day: int) -> frozenset[str]:
    """Objects of the open matters of a day."""
    size = 200 if day == SURGE else 60
    return frozenset(f"matter {day - k} object {n}" for k in range(3) for n in range(size // 3))


@dataclass
class Floor:
    """One month. `rostered`: whether the node knows who has which watch."""

    seed: int
    rostered: bool = True
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.pace = {
            who: self.draw.lognormvariate(0.0, 0.35) for who in [*OFFICERS, *ANALYSTS, *LIAISON, NEWCOMER]
        }

    def watch(self, who: str, day: int) -> tuple[int, int] | None:
        """When somebody works on a day; None: off."""
        kind, number = who.split(" ")
        n = int(number)
        if kind != "officer":
            start = 7 if kind == "analyst" else 9
            return (day * DAY + start * HOUR, day * DAY + (start + 8) * HOUR) if day % 7 < 5 else None
        if (day + n) % 6 >= 4 or (who == NEWCOMER and day < HIRED):
            return None
        third = (n + (day >= ROTATION)) % 3
        return day * DAY + third * 8 * HOUR, day * DAY + (third + 1) * 8 * HOUR

    def work(self, day: int) -> Work:
        people = [*OFFICERS, *ANALYSTS, *LIAISON, NEWCOMER]
        cases = {who: frozenset({f"C{n}", f"C{n + 4}"}) for n, who in enumerate(ANALYSTS)}
        cases |= {who: frozenset({"C1"}) for who in LIAISON}
        if BIG_FROM <= day <= BIG_TO:
            cases["analyst 1"] |= {"BIG"}
        case_of = {each: frozenset({name}) for name, listed in CASES.items() for each in listed}
        case_of |= dict.fromkeys(BIG, frozenset({"BIG"}))
        watches = {who: (span,) if (span := self.watch(who, day)) else () for who in people}
        return Work(
            roles={who: {"officer": "watch_officer"}.get(who.split()[0], who.split()[0]) for who in people},
            cases=cases,
            case_of=case_of,
            current=current(day),
            watches=watches if self.rostered else {},
            exercises=DRILL,
        )

    def day(self, day: int) -> list[AccessEntry]:
        """What everybody does, in order of time."""
        made: list[AccessEntry] = []
        for who in self.pace:
            span = self.watch(who, day)
            if span is not None:
                made += self._person(who, day, *span)
        return sorted(made, key=lambda each: each.at_us)

    def _person(self, who: str, day: int, start: int, end: int) -> Iterator[AccessEntry]:
        draw, kind = self.draw, who.split()[0]
        busy = self.pace[who] * draw.lognormvariate(0.0, 0.4) * (2.0 if day == SURGE else 1.0)
        open_now = sorted(current(day))
        mine = sorted(each for case in self.work(day).cases.get(who, ()) for each in CASES.get(case, ()))
        if kind == "officer":
            # Taking over: the whole queue within minutes, and the list of it every few.
            for k, each in enumerate(draw.sample(open_now, len(open_now))):
                yield entry(start + k * 6 * S, who, "read", each)
            for at in range(start, end, 5 * MIN):
                yield entry(at, who, "read", *open_now[:100])
        rates = {"officer": (25.0, 5.0, 4.0), "analyst": (20.0, 8.0, 8.0), "liaison": (6.0, 2.0, 2.0)}[kind]
        for hour in range(8):
            base = start + hour * HOUR
            for _ in range(self._poisson(rates[0])):
                pool = open_now if kind == "officer" else mine
                yield entry(base + draw.randrange(HOUR), who, "read", draw.choice(pool))
            left = self._poisson(rates[1] * busy)
            while left > 0:  # curiosity comes in clumps
                clump = min(left, 1 + self._poisson(2.0))
                at = base + draw.randrange(HOUR - 5 * MIN)
                for _ in range(clump):
                    at += round(draw.expovariate(1 / 20) * S)
                    yield entry(at, who, "read", draw.choice(VESSELS))
                left -= clump
            for _ in range(self._poisson(rates[2])):
                at = base + draw.randrange(HOUR - 5 * MIN)
                results = draw.sample(VESSELS, draw.randrange(0, 20))
                yield entry(at, who, "search", *results)
                if results and draw.random() < 0.7:
                    yield entry(at + draw.randrange(3, 60) * S, who, "read", draw.choice(results))
            if draw.random() < 0.1:
                yield entry(base + draw.randrange(HOUR), who, "read", draw.choice(VESSELS), outcome="denied")
        if kind == "liaison":
            yield entry(start + 3 * HOUR, who, "export", *draw.sample(sorted(CASES["C1"]), 3), case="C1")
            if draw.random() < 0.2:
                yield entry(start + 4 * HOUR, who, "export", draw.choice(VESSELS), case="C1")
        if day == DRILL_DAY:
            for k, each in enumerate(draw.sample(sorted(DRILL), 150)):
                yield entry(start + 2 * HOUR + k * 8 * S, who, "read", each)
        if who == "analyst 1" and BIG_FROM <= day <= BIG_TO:
            for part in range(6):
                for k, each in enumerate(draw.sample(sorted(BIG), 70)):
                    yield entry(start + part * HOUR + k * 4 * S, who, "read", each, case="BIG")
            yield entry(start + 7 * HOUR, who, "export", *sorted(BIG)[:60], case="BIG")

    def _poisson(self, mean: float) -> int:
        total, count = self.draw.expovariate(1.0), 0
        while total < mean:
            total += self.draw.expovariate(1.0)
            count += 1
        return count


# -- insiders: (who, start, draw) -> entries ---------------------------------------------------------------

Insider = Callable[[str, int, random.Random], list[AccessEntry]]


def burst(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    return [
        entry(start + round(k * 1.5 * S), who, "read", each)
        for k, each in enumerate(draw.sample(VESSELS, 300))
    ]


def burst_under_own_case(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    """Names a case he is on for what is not of it."""
    case = "C1" if not who.startswith("officer") else ""
    picked = draw.sample(VESSELS, 200)
    return [entry(start + k * 3 * S, who, "read", each, case=case) for k, each in enumerate(picked)]


def patient(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    """One every minute and a half or so, all watch long."""
    picked = draw.sample(VESSELS, 300)
    return [entry(start + round(k * 90 * S), who, "read", each) for k, each in enumerate(picked)]


def pager(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    picked = draw.sample(VESSELS, 5000)
    return [entry(start + k * 15 * S, who, "read", *picked[k * 100 : (k + 1) * 100]) for k in range(50)]


def fisher(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    return [entry(start + k * 25 * S, who, "search", *draw.sample(VESSELS, 2)) for k in range(40)]


def exporter(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    picked = draw.sample(VESSELS, 40)
    return [entry(start + k * 20 * S, who, "export", *picked[k * 4 : k * 4 + 4]) for k in range(10)]


def false_claim(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    picked = draw.sample(sorted(CASES["C6"]), 12)
    return [entry(start + k * 40 * S, who, "read", each, case="C6") for k, each in enumerate(picked)]


def prober(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    picked = draw.sample(VESSELS, 20)
    return [entry(start + k * 20 * S, who, "read", each, outcome="denied") for k, each in enumerate(picked)]


def night(who: str, start: int, draw: random.Random) -> list[AccessEntry]:
    """Comes when he never works; few objects, no hurry."""
    picked = draw.sample(VESSELS, 16)
    return [entry(start + k * 150 * S, who, "read", each) for k, each in enumerate(picked)]


INSIDERS: dict[str, Insider] = {
    "burst": burst, "burst_under_own_case": burst_under_own_case, "patient": patient, "pager": pager,
    "fisher": fisher, "exporter": exporter, "false_claim": false_claim, "prober": prober, "night": night,
}  # fmt: skip
