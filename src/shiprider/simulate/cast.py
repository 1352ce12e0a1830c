"""Who sails: the units of a scenario, each with its own random stream.

Always true: a unit is one vessel or a few that belong together; its identity and movement come from
(seed, class, number) alone, so one vessel more changes no other; MMSIs are unique unless a note says
that they are shared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.simulate import motion
from shiprider.simulate.identity import KINDS, Hull, make_hull, sharing
from shiprider.simulate.lives import coastal, company, fishing, ocean
from shiprider.simulate.lives.life import Leg, Life, Note
from shiprider.simulate.scenario import Scenario
from shiprider.simulate.waters import Waters

F64 = NDArray[np.float64]

#: Numbers of vessels set aside for each class: identities are told apart by them.
_CLASS_ROOM: Final = 40_000
_CLASS_CODE: Final = {name: code for code, name in enumerate(KINDS)}
#: First number of the vessels that take part in plots.
PLOT_NUMBERS: Final = 800_000


@dataclass(slots=True)
class Unit:
    """Vessels that belong together, their life, and the legs not yet played."""

    hulls: list[Hull]
    life: Life
    from_s: float = -np.inf
    to_s: float = np.inf
    notes: list[Note] = field(default_factory=list)
    legs: list[list[F64]] = field(default_factory=list)
    ended: bool = False
    ahead: Leg | None = None

    def release(self) -> None:
        """Let go of what will not be asked for again."""
        self.legs, self.ahead, self.ended = [], None, True

    def knots_between(self, start_s: float, end_s: float) -> list[F64]:
        """Each member's knots that cover [start, end), fewer at the ends of its life."""
        while len(self.legs) < len(self.hulls):
            self.legs.append([])
        while not self.ended:
            item = self.ahead if self.ahead is not None else next(self.life, None)
            self.ahead = None
            if item is None:
                self.ended = True
            elif isinstance(item, Note):
                if item.end_s >= start_s:
                    self.notes.append(item)
            elif item.member >= len(self.hulls):
                continue
            elif any(not legs or legs[-1][-1, motion.T] < end_s for legs in self.legs):
                if item.knots[-1, motion.T] >= start_s:
                    self.legs[item.member].append(item.knots)
            else:
                self.ahead = item
                break
        out = []
        for legs in self.legs:
            while legs and legs[0][-1, motion.T] < start_s:
                legs.pop(0)
            parts = []
            for knots in legs:
                t = knots[:, motion.T]
                first = max(0, int(np.searchsorted(t, start_s, side="right")) - 1)
                last = int(np.searchsorted(t, end_s, side="left")) + 1
                if last - first > 0 and first < len(t):
                    parts.append(knots[first:last])
                if t[-1] >= end_s:
                    break
            out.append(np.concatenate(parts) if parts else np.empty((0, motion.COLUMNS)))
        return out


def stream_of(scenario: Scenario, *key: int) -> np.random.Generator:
    """The random stream of one thing of a scenario."""
    return np.random.default_rng(np.random.SeedSequence(scenario.seed, spawn_key=key))


def number_of(kind: str, index: int) -> int:
    """A vessel's number from its class and place in the class."""
    return _CLASS_CODE[kind] * _CLASS_ROOM + index


#: Ships that belong to a pilot boat's or a bunker tanker's unit have numbers of their own.
_PILOTED: Final = 20_000
_BUNKERED: Final = 30_000
#: Shares of units, by the draw of the unit's first vessel (our choice).
_PAIR_TRAWLERS: Final = 0.08
_FISHING_GROUPS: Final = 0.17
_TOWS: Final = 0.25
_BUNKERING: Final = 0.09
_LIGHTERING: Final = 0.11
#: Boats with a factory's default MMSI, and boats with a number copied from another boat (our choice).
_DEFAULT_MMSI: Final = 123_456_789
_DEFAULTED: Final = 0.010
_COPIED: Final = 0.006


def lawful_units(scenario: Scenario, waters: Waters) -> list[Unit]:
    """All lawful vessels, in a fixed order.

    What a vessel is part of follows from its own number; a unit that the fleet's count cuts short
    plays on with the members that are there, so one vessel more changes nobody else.
    """
    fleet = scenario.fleet
    units: list[Unit] = []

    def add(members: list[tuple[str, int]], make: Callable[[np.random.Generator], Life]) -> None:
        numbers = [(kind, number_of(kind, index)) for kind, index in members]
        hulls = [_hull_of(scenario, kind, number) for kind, number in numbers]
        units.append(Unit(hulls, make(stream_of(scenario, 2, numbers[0][1]))))

    def draw(kind: str, index: int) -> np.random.Generator:
        return stream_of(scenario, 3, number_of(kind, index))

    cargo = fleet.cargo
    for index in range(fleet.pilot):
        ships = min(2, cargo)
        cargo -= ships
        beside = [("cargo", _PILOTED + 2 * index + k) for k in range(ships)]
        add([("pilot", index), *beside], lambda rng: company.pilotage(waters, rng, 0.0, 2))
    index = 0
    while index < fleet.tanker:
        share = draw("tanker", index).random()
        if share < _BUNKERING:
            ships = min(1, cargo)
            cargo -= ships
            beside = [("cargo", _BUNKERED + index)] * ships
            add([("tanker", index), *beside], lambda rng: company.bunkering(waters, rng, 0.0))
        elif share < _LIGHTERING:
            both = [("tanker", k) for k in range(index, min(index + 2, fleet.tanker))]
            add(both, lambda rng: company.lightering(waters, rng, 0.0))
            index += len(both) - 1
        else:
            add([("tanker", index)], lambda rng: ocean.trade(waters, rng, "tanker", 0.0))
        index += 1
    for kind, count in (("cargo", cargo), ("cruise", fleet.cruise)):
        for index in range(count):
            add([(kind, index)], lambda rng, kind=kind: ocean.trade(waters, rng, kind, 0.0))  # type: ignore[misc]
    index = 0
    while index < fleet.fishing:
        rng = draw("fishing", index)
        share = rng.random()
        size = 2 if share < _PAIR_TRAWLERS else int(rng.integers(3, 8)) if share < _FISHING_GROUPS else 1
        boats = [("fishing", k) for k in range(index, min(index + size, fleet.fishing))]
        if size == 2:
            pair_m = float(rng.uniform(150, 450))
            add(boats, lambda rng, pair_m=pair_m: fishing.fishing(waters, rng, 0.0, pair_m=pair_m))  # type: ignore[misc]
        else:
            followers = [fishing.Follower.of(draw("fishing", k)) for _, k in boats[1:]]
            add(boats, lambda rng, who=followers: fishing.fishing(waters, rng, 0.0, who))  # type: ignore[misc]
        index += len(boats)
    index, left = 0, fleet.tug
    while left > 0:
        tows = draw("tug", index).random() < _TOWS
        craft = [("tug", index), ("barge", index)] if tows and left > 1 else [("tug", index)]
        add(craft, lambda rng, tows=tows: coastal.tug(waters, rng, 0.0, tow=tows))  # type: ignore[misc]
        index, left = index + 1, left - len(craft)
    for kind, life in (
        ("ferry", coastal.ferry),
        ("yacht", coastal.yacht),
        ("service", coastal.service),
        ("patrol", coastal.patrol),
    ):
        for index in range(getattr(fleet, kind)):
            add([(kind, index)], lambda rng, life=life: life(waters, rng, 0.0))  # type: ignore[misc]
    return units


def _hull_of(scenario: Scenario, kind: str, number: int) -> Hull:
    """A hull by its number; some fishing boats share an MMSI, lawfully and as is common."""
    rng = stream_of(scenario, 1, number)
    hull = make_hull(number, kind, rng)
    if kind == "fishing" and hull.transmitter != 1:
        share = rng.random()
        if share < _DEFAULTED:
            return sharing(hull, _DEFAULT_MMSI)
        if share < _DEFAULTED + _COPIED and number > number_of(kind, 0):
            other = make_hull(number - 1, kind, stream_of(scenario, 1, number - 1))
            return sharing(hull, other.identities[0].mmsi)
    return hull


def destinations(scenario: Scenario, waters: Waters, hulls: list[Hull]) -> list[str]:
    """What each vessel's voyage data name as destination: a port of the region, or nothing."""
    names = waters.grid.port_name
    out = []
    for hull in hulls:
        rng = stream_of(scenario, 6, hull.vessel)
        ports = waters.hubs if hull.kind in ("cargo", "tanker", "cruise") else waters.homes
        out.append(
            names[int(ports[int(rng.integers(len(ports)))])].upper()[:20] if rng.random() < 0.9 else ""
        )
    return out
