"""Craft of the coast: ferries, yachts, tugs, service craft and patrol craft.

Always true: ferries keep a timetable; yachts hop from island to island; patrol craft and some yachts
are at times silent without any ill intent. Speeds are usual service speeds; the rest is our choice.
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
    room_m,
    varied,
)
from shiprider.simulate.waters import Waters

F64 = NDArray[np.float64]


def neighbours(waters: Waters, port: int, far_m: float) -> NDArray[np.int64]:
    """Ports within `far_m` of a port, the nearest first."""
    here = waters.grid.berth(port)
    dy = (waters.grid.berth_latitude_deg - here[0]) * motion.METRES_PER_DEGREE
    dx = (waters.grid.berth_longitude_deg - here[1]) * motion.METRES_PER_DEGREE * np.cos(np.deg2rad(here[0]))
    far = np.hypot(dx, dy)
    order = np.argsort(far, kind="stable")
    return order[(far[order] > 6_000.0) & (far[order] < far_m)]


def _pair_of_ports(waters: Waters, rng: np.random.Generator, far_m: float) -> tuple[int, int, F64]:
    while True:
        port = int(rng.choice(waters.homes))
        near = neighbours(waters, port, far_m)
        if len(near) == 0:
            continue
        other = int(rng.choice(near[:6]))
        path = waters.grid.port_to_port(port, other)
        if path is not None:
            return port, other, path


def ferry(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    """There and back on a timetable, by day."""
    a, b, path = _pair_of_ports(waters, rng, 160_000.0)
    speed = float(rng.uniform(14, 30)) * KNOT
    quays = (berth_of(waters, a, rng), berth_of(waters, b, rng))
    length = float(np.hypot(np.diff(path[:, 0]), np.diff(path[:, 1])).sum()) * motion.METRES_PER_DEGREE
    crossing = length / speed + 1200.0
    turn = max(0.5 * HOUR, float(rng.choice([0.5, 1.0, 2.0])) * HOUR)
    first = float(rng.uniform(5, 8)) * HOUR
    sailings = max(1, int((16 * HOUR - crossing) / (crossing + turn)) // 2 * 2)
    day = float(np.floor(start_s / 86_400.0)) - 1.0
    t = day * 86_400.0
    side = 0
    while True:
        for number in range(max(2, sailings)):
            leaves = max(day * 86_400.0 + first + number * (crossing + turn), t + 600.0)
            yield Leg(0, motion.moor(t, leaves, *quays[side]))
            way = path if side == 0 else path[::-1]
            knots = motion.sail(
                leaves,
                joined(way, quays[side], quays[1 - side]),
                speed,
                rng,
                acceleration_mps2=0.05,
                turn_s=70.0,
                wander_m=40.0,
            )
            yield Leg(0, knots)
            t, side = float(knots[-1, 0]), 1 - side
        day = max(day + 1.0, float(np.floor(t / 86_400.0)))


def yacht(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    """Island to island; lies at anchor for hours or days, often with everything switched off."""
    sails = bool(rng.random() < 0.6)
    speed = float(rng.uniform(4.8, 7.0) if sails else rng.uniform(8.0, 20.0)) * KNOT
    port = int(rng.choice(waters.homes))
    place = berth_of(waters, port, rng)
    off_at_rest = bool(rng.random() < 0.5)
    t = start_s - float(rng.uniform(0, 3)) * 24 * HOUR
    while True:
        until = t + hours(rng, 22.0, 0.9, 2.0, 200.0)
        yield Leg(0, motion.moor(t, until, *place, on=not off_at_rest, status=motion.AT_ANCHOR))
        near = neighbours(waters, port, 220_000.0)
        target = int(rng.choice(near[:8])) if len(near) else port
        path = waters.grid.port_to_port(port, target) if target != port else None
        if path is None:
            spot = in_disc(*waters.anchored_at(port), 800.0, 1, rng)[0]
            path, target = np.vstack((waters.grid.berth(port), spot)), port
            quay = (float(spot[0]), float(spot[1]))
        else:
            quay = berth_of(waters, target, rng)
        knots = motion.sail(
            until,
            joined(varied(waters, path, 1_500.0, rng), place, quay),
            speed,
            rng,
            status=motion.SAILING if sails else motion.UNDER_WAY,
            acceleration_mps2=0.05,
            turn_s=40.0,
            wander_m=200.0 if sails else 60.0,
        )
        yield Leg(0, knots)
        t, place, port = float(knots[-1, 0]), quay, target


def tug(waters: Waters, rng: np.random.Generator, start_s: float, tow: bool = False) -> Life:
    """A harbour tug that helps ships in and out; with `tow`, a coastal tug and the barge it pulls."""
    if tow:
        yield from _towing(waters, rng, start_s)
        return
    port = int(rng.choice(waters.hubs, p=waters.weight))
    quay = berth_of(waters, port, rng)
    t = start_s - float(rng.uniform(0, 12)) * HOUR
    while True:
        until = t + hours(rng, 4.0, 0.7, 0.5, 24.0)
        yield Leg(0, motion.moor(t, until, *quay))
        spot = in_disc(*waters.anchored_at(port), 900.0, 1, rng)[0]
        out = motion.sail(
            until,
            np.vstack((quay, spot)),
            float(rng.uniform(7, 10)) * KNOT,
            rng,
            acceleration_mps2=0.05,
            turn_s=25.0,
        )
        yield Leg(0, out)
        t1 = float(out[-1, 0])
        back = motion.sail(
            t1,
            np.vstack((spot, quay)),
            float(rng.uniform(4, 6)) * KNOT,
            rng,
            acceleration_mps2=0.05,
            turn_s=25.0,
        )
        yield Leg(0, back)
        t = float(back[-1, 0])


def _towing(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    astern = bool(rng.random() < 0.6)
    gap = float(rng.uniform(180, 420) if astern else rng.uniform(18, 30))
    a, b, path = _pair_of_ports(waters, rng, 700_000.0)
    speed = float(rng.uniform(4.5, 7.5)) * KNOT
    quays = (berth_of(waters, a, rng), berth_of(waters, b, rng))
    t = start_s - float(rng.uniform(0, 4)) * 24 * HOUR
    side = 0
    while True:
        until = t + hours(rng, 14.0, 0.5, 4.0, 60.0)
        for member in (0, 1):
            place = quays[side] if member == 0 else motion.offset_path(*quays[side], 90.0, 25.0)
            yield Leg(member, motion.moor(t, until, *place))
        way = path if side == 0 else path[::-1]
        knots = motion.sail(
            until,
            joined(way, quays[side], quays[1 - side]),
            speed,
            rng,
            status=motion.TOWING,
            acceleration_mps2=0.005,
            turn_s=300.0,
        )
        yield Leg(0, knots)
        arrived = float(knots[-1, 0])
        moving = np.clip(np.minimum(knots[:, 0] - until, arrived - knots[:, 0]) / 2400.0, 0.0, 1.0)
        barge = motion.abreast(knots, 0.0, -gap * moving) if astern else motion.abreast(knots, gap * moving)
        barge = motion.shifted(barge, 0.0, 25.0 * (1.0 - moving))
        barge[:, motion.STATUS] = motion.UNDEFINED
        barge[0, 1:3] = motion.offset_path(*quays[side], 90.0, 25.0)
        barge[-1, 1:3] = motion.offset_path(*quays[1 - side], 90.0, 25.0)
        yield Leg(1, barge)
        middle = motion.at(knots, 0.5 * (until + arrived))
        yield Note("tow", (0, 1), until, arrived, *middle, {"distance_m": gap})
        t, side = arrived, 1 - side


def service(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    """Supply and survey craft: out to a place at sea, hours there at almost no speed, and home."""
    port = int(rng.choice(waters.homes))
    owned = waters.grounds[waters.ground_home == port]
    site = owned[int(rng.integers(len(owned)))]
    quay = berth_of(waters, port, rng)
    speed = float(rng.uniform(8.5, 12.0)) * KNOT
    path = waters.grid.port_to_place(port, float(site[0]), float(site[1]))
    t = start_s - float(rng.uniform(0, 3)) * 24 * HOUR
    while path is not None:
        until = t + hours(rng, 16.0, 0.6, 3.0, 80.0)
        yield Leg(0, motion.moor(t, until, *quay))
        out = motion.sail(
            until, joined(path, quay, (float(site[0]), float(site[1]))), speed, rng, turn_s=60.0
        )
        yield Leg(0, out)
        t1 = float(out[-1, 0])
        t2 = t1 + hours(rng, 14.0, 0.6, 2.0, 72.0)
        yield Leg(
            0,
            motion.swing(
                t1, t2, float(site[0]), float(site[1]), 90.0, rng, status=motion.RESTRICTED, step_s=900.0
            ),
        )
        yield Note("on_station", (0,), t1, t2, float(site[0]), float(site[1]))
        back = motion.sail(
            t2, joined(path, quay, (float(site[0]), float(site[1])))[::-1], speed, rng, turn_s=60.0
        )
        yield Leg(0, back)
        t = float(back[-1, 0])


def patrol(waters: Waters, rng: np.random.Generator, start_s: float) -> Life:
    """Coast guard and navy: boxes off the coast, silent on a third of the patrols."""
    port = int(rng.choice(waters.homes))
    owned = waters.grounds[waters.ground_home == port]
    quay = berth_of(waters, port, rng)
    t = start_s - float(rng.uniform(0, 3)) * 24 * HOUR
    while True:
        until = t + hours(rng, 30.0, 0.6, 6.0, 120.0)
        yield Leg(0, motion.moor(t, until, *quay))
        site = owned[int(rng.integers(len(owned)))]
        path = waters.grid.port_to_place(port, float(site[0]), float(site[1]))
        if path is None:
            return
        silent = bool(rng.random() < 0.33)
        speed = float(rng.uniform(11, 18)) * KNOT
        out = motion.sail(
            until, joined(path, quay, (float(site[0]), float(site[1]))), speed, rng, turn_s=60.0
        )
        yield Leg(0, out)
        t1 = float(out[-1, 0])
        room = room_m(waters, float(site[0]), float(site[1]), 25_000.0)
        legs = np.vstack(
            (site, in_disc(float(site[0]), float(site[1]), room, int(rng.integers(5, 14)), rng), site)
        )
        beat = motion.sail(t1, legs, float(rng.uniform(7, 12)) * KNOT, rng, on=not silent, turn_s=60.0)
        yield Leg(0, beat)
        t2 = float(beat[-1, 0])
        if silent:
            yield Note("silent_patrol", (0,), t1, t2, float(site[0]), float(site[1]))
        back = motion.sail(
            t2, joined(path, quay, (float(site[0]), float(site[1])))[::-1], speed, rng, turn_s=60.0
        )
        yield Leg(0, back)
        t = float(back[-1, 0])
