"""Lawful vessels that come alongside each other: pilots, bunkering, lightering.

Always true: the vessels are truly as close as the note says for as long as it says. Durations:
bunkering 3 to 10 hours and lightering 12 to 30 hours are usual in the trade; a pilot is alongside for
some minutes; the distributions are our choice.
"""

import numpy as np
from numpy.typing import NDArray

from shiprider.simulate import motion
from shiprider.simulate.lives.life import (
    HOUR,
    KNOT,
    Leg,
    Life,
    Note,
    berth_of,
    hours,
    in_disc,
    joined,
    on_water,
    varied,
)
from shiprider.simulate.lives.ocean import loop_of_hubs
from shiprider.simulate.waters import Waters

F64 = NDArray[np.float64]


def _two_hubs(waters: Waters, rng: np.random.Generator) -> tuple[int, int, F64]:
    while True:
        loop = loop_of_hubs(waters, rng)
        for other in loop[1:]:
            path = waters.grid.port_to_port(loop[0], other)
            if path is not None and len(path) >= 3:
                return loop[0], other, path


def pilotage(waters: Waters, rng: np.random.Generator, start_s: float, ships: int) -> Life:
    """A pilot boat at one hub and `ships` that it boards, inward and outward."""
    if ships == 0:
        port = int(rng.choice(waters.hubs, p=waters.weight))
        quay = berth_of(waters, port, rng)
        t = start_s
        while True:
            yield Leg(0, motion.moor(t, t + 24 * HOUR, *quay))
            t += 24 * HOUR
    home, away, path = _two_hubs(waters, rng)
    base = berth_of(waters, home, rng)
    station = waters.anchorage[home]
    speed = float(np.clip(rng.normal(13.0, 1.5), 9.0, 18.0)) * KNOT
    begun = start_s - float(rng.uniform(0, 3)) * 24 * HOUR
    times = [begun + 24 * HOUR * i * float(rng.uniform(0.7, 1.3)) for i in range(ships)]
    places = [berth_of(waters, away, rng) for _ in range(ships)]
    for number in range(1, ships):
        yield Leg(number + 1, motion.moor(min(times) - HOUR, times[number], *places[number]))
    pilot_t = min(times) - 2 * HOUR
    while True:
        number = int(np.argmin(times))
        t, place = times[number], places[number]
        spot = in_disc(float(station[0]), float(station[1]), 600.0, 1, rng)[0]
        quay = berth_of(waters, home, rng)
        inward = joined(varied(waters, path[::-1], 2_000.0, rng), place, (spot[0], spot[1]))
        # In line with the harbour before the pilot comes: no turn while he boards.
        lined = np.array(spot) + (np.array(spot) - np.array(quay)) * 0.3
        if on_water(waters, np.array([lined, spot])):
            inward = np.insert(inward, -1, lined, axis=0)
        sea = motion.sail(t, inward, speed, rng, end_mps=7.0 * KNOT)
        met = float(sea[-1, 0])
        last = motion.sail(met, np.vstack((spot, quay)), 7.0 * KNOT, rng, start_mps=7.0 * KNOT, wander_m=1.0)
        aboard = min(float(rng.uniform(180, 900)), 0.6 * float(last[-1, 0] - met))
        beside = motion.abreast(part_of(last, met, met + aboard), 25.0)
        out = arriving(np.array([base, beside[0, 1:3]]), met, 14 * KNOT, rng, end_mps=7.0 * KNOT)
        leaves = float(out[0, 0])
        if leaves < pilot_t + 300.0:
            # The boat is still out with another ship: this one sails later.
            times[number] = t + (pilot_t + 900.0 - leaves)
            yield Leg(number + 1, motion.moor(t, times[number], *place))
            continue
        yield Note(
            "pilot_boarding", (0, number + 1), met, met + aboard, spot[0], spot[1], {"distance_m": 25.0}
        )
        yield Leg(0, motion.moor(pilot_t, leaves, *base))
        home_again = motion.sail(
            met + aboard,
            np.array([beside[-1, 1:3], base]),
            14 * KNOT,
            rng,
            start_mps=7 * KNOT,
            acceleration_mps2=0.1,
        )
        for knots in (out, beside, home_again):
            yield Leg(0, knots)
        pilot_t = float(home_again[-1, 0])
        yield Leg(number + 1, sea)
        yield Leg(number + 1, last)
        stay = float(last[-1, 0]) + hours(rng, 20.0, 0.4, 8.0, 60.0)
        yield Leg(number + 1, motion.moor(float(last[-1, 0]), stay, *quay))
        back = motion.sail(stay, joined(varied(waters, path, 2_000.0, rng), quay, place), speed, rng)
        yield Leg(number + 1, back)
        again = float(back[-1, 0]) + hours(rng, 20.0, 0.4, 8.0, 60.0)
        yield Leg(number + 1, motion.moor(float(back[-1, 0]), again, *place))
        times[number] = again


def part_of(knots: F64, start_s: float, end_s: float) -> F64:
    """The knots between two moments, with a knot put in every 30 s at most."""
    n = max(3, int((end_s - start_s) / 60.0) + 2)
    t = np.linspace(start_s, end_s, n)
    places = np.array([motion.at(knots, float(x)) for x in t])
    out = motion.knots_of(
        t, places[:, 0], places[:, 1], np.zeros(n), np.zeros(n), int(knots[0, motion.STATUS])
    )
    for column, speed in ((motion.LAT, motion.VLAT), (motion.LON, motion.VLON)):
        out[:, speed] = np.gradient(out[:, column], t)
    return out


def arriving(
    path: F64,
    when_s: float,
    speed_mps: float,
    rng: np.random.Generator,
    *,
    end_mps: float = 0.0,
    status: int = 0,
) -> F64:
    """Knots along a path that end at a given moment."""
    knots = motion.sail(
        0.0,
        path,
        speed_mps,
        rng,
        end_mps=end_mps,
        status=status,
        acceleration_mps2=0.1,
        turn_s=30.0,
        wander_m=15.0,
    )
    knots[:, motion.T] += when_s - knots[-1, motion.T]
    knots[-1, motion.T] = when_s
    return knots


def bunkering(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    """A bunker tanker (member 0) of one hub that comes alongside a ship (member 1) at its anchorage."""
    home, away, path = _two_hubs(waters, rng)
    base, place = berth_of(waters, home, rng), berth_of(waters, away, rng)
    station = waters.anchorage[home]
    speed = float(np.clip(rng.normal(13.0, 1.5), 9.0, 18.0)) * KNOT
    t = start_s - float(rng.uniform(0, 4)) * 24 * HOUR
    tanker_t = t
    while True:
        spot = in_disc(float(station[0]), float(station[1]), 900.0, 1, rng)[0]
        sea = motion.sail(
            t, joined(varied(waters, path[::-1], 2_000.0, rng), place, (spot[0], spot[1])), speed, rng
        )
        yield Leg(1, sea)
        anchored = float(sea[-1, 0])
        begins = anchored + hours(rng, 3.0, 0.5, 1.0, 12.0)
        ends = begins + hours(rng, 5.0, 0.4, 2.0, 12.0)
        sails = ends + hours(rng, 3.0, 0.6, 0.5, 20.0)
        ride = motion.swing(anchored, sails, spot[0], spot[1], 90.0, rng, step_s=900.0)
        gap = float(rng.uniform(22, 40))
        yield Leg(1, ride)
        beside = motion.shifted(part_of(ride, begins, ends), 0.6 * gap, 0.8 * gap)
        out = arriving(np.array([base, beside[0, 1:3]]), begins, 8 * KNOT, rng)
        yield Note("bunkering", (0, 1), begins, ends, spot[0], spot[1], {"distance_m": gap})
        yield Leg(0, motion.moor(tanker_t, float(out[0, 0]), *base))
        yield Leg(0, out)
        yield Leg(0, beside)
        back = motion.sail(ends, np.array([beside[-1, 1:3], base]), 8 * KNOT, rng)
        yield Leg(0, back)
        tanker_t = float(back[-1, 0])
        leave = motion.sail(
            sails, joined(varied(waters, path, 2_000.0, rng), (spot[0], spot[1]), place), speed, rng
        )
        yield Leg(1, leave)
        t = float(leave[-1, 0]) + hours(rng, 20.0, 0.4, 8.0, 60.0)
        yield Leg(1, motion.moor(float(leave[-1, 0]), t, *place))


def lightering(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    """Two tankers that pass cargo at an offshore place: a mother ship that waits there, and a shuttle."""
    home, _, _ = _two_hubs(waters, rng)
    while True:
        site = waters.grounds[int(rng.integers(len(waters.grounds)))]
        path = waters.grid.port_to_place(home, float(site[0]), float(site[1]))
        if path is not None:
            break
    base = berth_of(waters, home, rng)
    t = start_s - float(rng.uniform(0, 3)) * 24 * HOUR
    mother_t = t
    while True:
        out = motion.sail(t, joined(path, base, (site[0], site[1])), 12 * KNOT, rng)
        met = float(out[-1, 0])
        ends = met + hours(rng, 18.0, 0.3, 8.0, 32.0)
        ride = motion.swing(met, ends, site[0], site[1], 120.0, rng, step_s=900.0)
        gap = float(rng.uniform(35, 60))
        waiting = motion.shifted(
            motion.swing(mother_t, met, site[0], site[1], 120.0, rng, step_s=1800.0), -0.7 * gap, 0.7 * gap
        )
        yield Note("ship_to_ship_transfer", (0, 1), met, ends, site[0], site[1], {"distance_m": gap})
        yield Leg(0, waiting)
        yield Leg(1, out)
        yield Leg(1, ride)
        yield Leg(0, motion.shifted(ride, -0.7 * gap, 0.7 * gap))
        back = motion.sail(ends, joined(path[::-1], (site[0], site[1]), base), 12 * KNOT, rng)
        yield Leg(1, back)
        t = float(back[-1, 0]) + hours(rng, 24.0, 0.4, 10.0, 60.0)
        yield Leg(1, motion.moor(float(back[-1, 0]), t, *base))
        mother_t = ends
