"""Fishing vessels, alone, in pairs and in groups.

Always true: a trip leaves a home port, works one ground and comes home. Trawlers tow at 2.5 to 4.5 kn
for three to five hours and haul for half an hour; longliners set at 6 to 8 kn, drift, and haul slowly
for eight hours or more: the speed patterns on which fishing is recognised in AIS (Kroodsma et al.
2018, Science 359; de Souza et al. 2016, PLoS ONE 11). Shares and lengths of trips are our choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from shiprider.simulate import motion
from shiprider.simulate.lives.life import (
    HOUR,
    KNOT,
    Leg,
    Life,
    Note,
    berth_of,
    end_of,
    hours,
    in_disc,
    joined,
    room_m,
    varied,
)
from shiprider.simulate.waters import Waters

F64 = NDArray[np.float64]


def home_ground(waters: Waters, rng: np.random.Generator) -> tuple[int, float, float]:
    """A home port and one of its grounds."""
    row = int(rng.integers(len(waters.grounds)))
    return int(waters.ground_home[row]), float(waters.grounds[row, 0]), float(waters.grounds[row, 1])


def work(
    waters: Waters, t: float, lat: float, lon: float, until: float, gear: str, rng: np.random.Generator
) -> tuple[F64, list[tuple[float, float, float, float]]]:
    """Knots of fishing about a place until about `until`, and its drifts (start, end, lat, lon)."""
    pieces: list[F64] = []
    drifts: list[tuple[float, float, float, float]] = []
    radius = room_m(waters, lat, lon, 14_000.0)
    here = np.array([lat, lon])
    while t < until:
        if gear == "trawl":
            tow_kn = float(rng.uniform(2.6, 4.4))
            points = np.vstack((here, in_disc(lat, lon, radius, int(rng.integers(2, 5)), rng)))
            knots = motion.sail(
                t,
                points,
                tow_kn * KNOT,
                rng,
                status=motion.FISHING,
                turn_s=200.0,
                wander_m=120.0,
                acceleration_mps2=0.01,
            )
            pieces.append(knots)
            t, here = float(knots[-1, 0]), knots[-1, 1:3].copy()
            pause = float(rng.uniform(0.4, 0.9)) * HOUR
        else:
            points = np.vstack((here, in_disc(lat, lon, radius, 2, rng)))
            knots = motion.sail(t, points, float(rng.uniform(6, 8)) * KNOT, rng, status=motion.FISHING)
            pieces.append(knots)
            t, here = float(knots[-1, 0]), knots[-1, 1:3].copy()
            pause = float(rng.uniform(3.0, 6.0)) * HOUR
        drift_kn = float(rng.uniform(0.2, 0.9))
        drifted = min(drift_kn * KNOT * pause, 0.6 * radius)
        away = motion.offset_path(here[0], here[1], float(rng.uniform(0, 360)), drifted)
        drift = motion.sail(
            t,
            np.vstack((here, away)),
            drift_kn * KNOT,
            rng,
            status=motion.FISHING,
            acceleration_mps2=0.005,
            wander_m=60.0,
        )
        pieces.append(drift)
        drifts.append((t, float(drift[-1, 0]), float(here[0]), float(here[1])))
        t, here = float(drift[-1, 0]), drift[-1, 1:3].copy()
        if gear == "longline":
            points = np.vstack((here, in_disc(lat, lon, radius, 2, rng)))
            haul = motion.sail(
                t,
                points,
                float(rng.uniform(1.6, 3.2)) * KNOT,
                rng,
                status=motion.FISHING,
                acceleration_mps2=0.005,
            )
            pieces.append(haul)
            t, here = float(haul[-1, 0]), haul[-1, 1:3].copy()
    return np.concatenate(pieces), drifts


@dataclass(frozen=True, slots=True)
class Follower:
    """A boat that works near a leader: metres north and east of it, and its own random stream."""

    north_m: float
    east_m: float
    rng: np.random.Generator

    @classmethod
    def of(cls, rng: np.random.Generator) -> "Follower":
        """150 m to 3 km away."""
        bearing = float(rng.uniform(0, 2 * np.pi))
        distance = float(np.exp(rng.uniform(np.log(150.0), np.log(3_000.0))))
        return cls(distance * np.cos(bearing), distance * np.sin(bearing), rng)


def fishing(
    waters: Waters,
    rng: np.random.Generator,
    start_s: float,
    followers: Sequence[Follower] = (),
    pair_m: float = 0.0,
) -> Life:
    """A boat, a leader with `followers`, or a pair that tows one net `pair_m` apart."""
    home, ground_lat, ground_lon = home_ground(waters, rng)
    gear = "trawl" if pair_m or rng.random() < 0.55 else "longline"
    quiet_in_port = bool(rng.random() < 0.45)
    speed = float(rng.uniform(7.5, 10.5)) * KNOT
    quay = berth_of(waters, home, rng)
    t = start_s - rng.uniform(0.0, 6.0) * 24 * HOUR
    while True:
        spot = in_disc(ground_lat, ground_lon, room_m(waters, ground_lat, ground_lon, 8_000.0), 1, rng)[0]
        out = waters.grid.port_to_place(home, float(spot[0]), float(spot[1]))
        if out is None:
            spot = np.array([ground_lat, ground_lon])
            out = waters.grid.port_to_place(home, ground_lat, ground_lon)
            if out is None:
                return
        out = varied(waters, out, 1_200.0, rng)
        out = joined(out, quay, (float(spot[0]), float(spot[1])))
        go = motion.sail(t, out, speed, rng, wander_m=100.0)
        t1 = float(go[-1, 0])
        busy, drifts = work(
            waters, t1, float(spot[0]), float(spot[1]), t1 + hours(rng, 40.0, 0.7, 8.0, 160.0), gear, rng
        )
        t2 = float(busy[-1, 0])
        back_path = np.vstack((busy[-1, 1:3][None], out[::-1]))
        back = motion.sail(t2, back_path, speed, rng, wander_m=100.0)
        trip = np.concatenate((go, busy, back))
        rest = float(back[-1, 0]) + hours(rng, 26.0, 0.6, 6.0, 120.0)
        yield Leg(0, trip)
        ends = {0: trip}
        if pair_m:
            ends[1] = _together(trip, t1, t2, pair_m)
            yield Leg(1, ends[1])
        for number, follower in enumerate(followers, 1):
            ends[number] = _follower(waters, trip, follower, number)
            yield Leg(number, ends[number])
        for a, b, la, lo in drifts:
            yield Note("drifting_with_gear", (0,), a, b, la, lo, {"gear": gear})
        members = tuple(ends)
        if pair_m:
            yield Note("pair_trawl", members, t1, t2, ground_lat, ground_lon, {"distance_m": pair_m})
        elif followers:
            nearest = min(float(np.hypot(f.north_m, f.east_m)) for f in followers)
            yield Note("fishing_group", members, t1, t2, ground_lat, ground_lon, {"distance_m": nearest})
        until = rest
        arrived = float(back[-1, 0])
        for member, leg in ends.items():
            _, lat, lon = end_of(leg)
            yield Leg(member, motion.moor(arrived, until, lat, lon, on=not quiet_in_port))
        if quiet_in_port:
            yield Note("powered_down_in_port", members, arrived, until, *quay)
        t = until


def _taper(knots: F64, rise_s: float = 3600.0) -> F64:
    """From 0 at both ends of a trip to 1 in between, smooth."""
    t = knots[:, 0]
    u = np.clip(np.minimum(t - t[0], t[-1] - t) / rise_s, 0.0, 1.0)
    return u * u * (3 - 2 * u)


def _follower(waters: Waters, trip: F64, follower: Follower, number: int) -> F64:
    """The leader's trip, shifted; the shift grows from the quay and sways slowly."""
    n = max(4, int((trip[-1, 0] - trip[0, 0]) / 7200.0))
    grid = np.linspace(trip[0, 0], trip[-1, 0], n)
    # Near land the group closes up, in good time and slowly.
    times = np.arange(trip[0, motion.T], trip[-1, motion.T] + 300.0, 300.0)
    shore = waters.grid.distance_to_shore_m(
        np.interp(times, trip[:, 0], trip[:, motion.LAT]), np.interp(times, trip[:, 0], trip[:, motion.LON])
    )
    room = ndimage.minimum_filter1d(np.clip((shore - 2_500.0) / 6_000.0, 0.0, 1.0), 13, mode="nearest")
    room = ndimage.uniform_filter1d(room, 13, mode="nearest")
    taper = _taper(trip) * np.interp(trip[:, 0], times, room)
    sway_n = np.interp(trip[:, 0], grid, follower.rng.normal(0.0, 0.25, n))
    sway_e = np.interp(trip[:, 0], grid, follower.rng.normal(0.0, 0.25, n))
    # Moored along the quay, 45 m apart.
    north0, east0 = 45.0 * number * np.cos(1.2 * number), 45.0 * number * np.sin(1.2 * number)
    size = float(np.hypot(follower.north_m, follower.east_m))
    north = north0 * (1 - taper) + taper * (follower.north_m + sway_n * size)
    east = east0 * (1 - taper) + taper * (follower.east_m + sway_e * size)
    return motion.shifted(trip, north, east)


def _together(trip: F64, start_s: float, end_s: float, pair_m: float) -> F64:
    """The partner of a pair trawler: `pair_m` to the right while towing, 120 m behind on the way."""
    t = trip[:, 0]
    working = np.clip(np.minimum(t - start_s, end_s - t) / 2400.0, 0.0, 1.0)
    at_sea = _taper(trip)
    partner = motion.abreast(
        trip, at_sea * (30.0 + (pair_m - 30.0) * working), -120.0 * (1.0 - working) * at_sea
    )
    return motion.shifted(partner, 30.0 * (1.0 - at_sea), 30.0 * (1.0 - at_sea))
