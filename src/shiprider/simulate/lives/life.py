"""What a life is: an endless generator of legs and notes, for one vessel or a few that belong together.

Always true: a member's legs follow each other without a gap in time or place; a life draws from its
own random stream only; times are seconds since the scenario's start and may begin before it.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shiprider.simulate import motion
from shiprider.simulate.waters import Waters

F64 = NDArray[np.float64]

HOUR = 3600.0
KNOT = motion.KNOT_MPS


@dataclass(frozen=True, slots=True)
class Leg:
    """Movement of one member of a unit."""

    member: int
    knots: F64


@dataclass(frozen=True, slots=True)
class Note:
    """Something lawful that may look like something else: members, seconds, place, figures."""

    kind: str
    members: tuple[int, ...]
    start_s: float
    end_s: float
    latitude_deg: float
    longitude_deg: float
    figures: Mapping[str, float | str] = field(default_factory=dict)


Life = Iterator[Leg | Note]


def on_water(waters: Waters, path: F64) -> bool:
    """True when straight lines along `path` stay off land, tested every 700 m or so."""
    pieces = []
    for a, b in itertools.pairwise(path):
        n = int(np.abs(b - a).max() / 0.006) + 2
        pieces.append(a + (b - a) * np.linspace(0.0, 1.0, n)[:, None])
    points = np.concatenate(pieces)
    return not bool(waters.grid.geography.is_land(points[:, 0], points[:, 1]).any())


def varied(waters: Waters, path: F64, sigma_m: float, rng: np.random.Generator) -> F64:
    """The same way as another master would steer it: inner points moved, unless that meets land."""
    if len(path) < 5:
        return path
    shift = rng.normal(0.0, sigma_m, 2)
    extra = rng.normal(0.0, sigma_m * 0.3, (len(path) - 4, 2))
    clear = waters.grid.distance_to_shore_m(path[2:-2, 0], path[2:-2, 1])
    room = np.minimum(1.0, np.maximum(clear - 4_000.0, 0.0) / (3.0 * sigma_m))[:, None]
    out = path.copy()
    move = (shift[None] + extra) * room / motion.METRES_PER_DEGREE
    out[2:-2] += move
    return out if on_water(waters, out[1:-1]) else path


def in_disc(lat: float, lon: float, radius_m: float, count: int, rng: np.random.Generator) -> F64:
    """Places in a disc, shape (count, 2)."""
    bearing = rng.uniform(0, 2 * np.pi, count)
    distance = radius_m * np.sqrt(rng.random(count))
    return np.column_stack(
        (
            lat + distance * np.cos(bearing) / motion.METRES_PER_DEGREE,
            lon + distance * np.sin(bearing) / (motion.METRES_PER_DEGREE * np.cos(np.deg2rad(lat))),
        )
    )


def room_m(waters: Waters, lat: float, lon: float, wanted_m: float) -> float:
    """How far one may roam about a place: `wanted_m`, or less near land."""
    shore = float(waters.grid.distance_to_shore_m(np.array([lat]), np.array([lon]))[0])
    return max(300.0, min(wanted_m, 0.75 * (shore - 3_000.0)))


def end_of(knots: F64) -> tuple[float, float, float]:
    """Time, latitude and longitude of the last knot."""
    return float(knots[-1, motion.T]), float(knots[-1, motion.LAT]), float(knots[-1, motion.LON])


def hours(rng: np.random.Generator, median: float, sigma: float, low: float, high: float) -> float:
    """A lognormal duration in seconds from figures in hours."""
    return float(np.clip(np.exp(rng.normal(np.log(median), sigma)), low, high)) * HOUR


def berth_of(waters: Waters, port: int, rng: np.random.Generator) -> tuple[float, float]:
    """A quay within 500 m of the port's berth."""
    quay = waters.grid.berth(port)
    place = in_disc(float(quay[0]), float(quay[1]), 500.0, 1, rng)[0]
    return float(place[0]), float(place[1])


def joined(path: F64, start: tuple[float, float], end: tuple[float, float]) -> F64:
    """A way whose first and last points are replaced."""
    out = path.copy()
    out[0], out[-1] = start, end
    return out
