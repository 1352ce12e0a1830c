"""Distances, bearings and closest approach on the Earth.

Always true: degrees in, metres and degrees out; longitudes may be given in any turn and differences
are taken the short way round, so the 180th meridian is nowhere special; nothing here allocates more
than its result. Kernels (`*_one`) are scalar and inlined into other kernels; the public functions
take arrays of shape (n,) (or what broadcasts to it).

Two metrics: `haversine_m` on the mean sphere for any range (error below 0.56 % against WGS 84), and
`local_distance_m` with the ellipsoid's own radii of curvature for short ranges (error below 0.01 %
up to 20 km and 0.1 % up to 100 km, away from the poles; checked against GeographicLib).
"""

import math
from functools import cache
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from shiprider.measure.kernels import kernel

F64 = NDArray[np.float64]

#: Mean Earth radius R1 = (2a + b) / 3 (IUGG; Moritz, Geodetic Reference System 1980).
EARTH_RADIUS_M: Final = 6_371_008.7714
#: WGS 84 (NGA.STND.0036): semi-major axis and first eccentricity squared.
WGS84_A_M: Final = 6_378_137.0
WGS84_E2: Final = 6.694_379_990_141_316e-3
#: International nautical mile, knot.
NAUTICAL_MILE_M: Final = 1852.0
KNOT_MPS: Final = 1852.0 / 3600.0

_RAD: Final = math.pi / 180.0
#: Above this latitude the local metric degenerates and the sphere is used.
_POLAR_DEG: Final = 88.0
#: Numba's type of a function of two positions.
_FOUR: Final = "float64(float64, float64, float64, float64)"


@numba.njit(inline="always")
def wrapped_deg(difference: float) -> float:
    """A difference of longitudes brought into [-180, 180)."""
    if -180.0 <= difference < 180.0:
        return difference
    return (difference + 180.0) % 360.0 - 180.0


@kernel
def haversine_one(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Great-circle distance on the mean sphere."""
    phi_a = latitude_a * _RAD
    phi_b = latitude_b * _RAD
    s = math.sin((phi_b - phi_a) * 0.5)
    t = math.sin(wrapped_deg(longitude_b - longitude_a) * _RAD * 0.5)
    h = s * s + math.cos(phi_a) * math.cos(phi_b) * t * t
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


@kernel
def local_one(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Short distance with WGS 84 radii of curvature at the middle latitude."""
    middle = 0.5 * (latitude_a + latitude_b)
    if abs(middle) > _POLAR_DEG:
        return haversine_one(latitude_a, longitude_a, latitude_b, longitude_b)
    sine = math.sin(middle * _RAD)
    w2 = 1.0 - WGS84_E2 * sine * sine
    normal = WGS84_A_M / math.sqrt(w2)
    meridian = normal * (1.0 - WGS84_E2) / w2
    north = meridian * (latitude_b - latitude_a) * _RAD
    east = normal * math.sqrt(1.0 - sine * sine) * wrapped_deg(longitude_b - longitude_a) * _RAD
    return math.sqrt(north * north + east * east)


# Over arrays, with types declared: made at the first use, because making loads all of Numba's compiler, which
# takes longer than most commands that only import this file.


@cache
def _haversine() -> Any:
    def each(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
        return haversine_one(latitude_a, longitude_a, latitude_b, longitude_b)

    return numba.vectorize([_FOUR], cache=True)(each)  # type: ignore[no-untyped-call]


@cache
def _local() -> Any:
    def each(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
        return local_one(latitude_a, longitude_a, latitude_b, longitude_b)

    return numba.vectorize([_FOUR], cache=True)(each)  # type: ignore[no-untyped-call]


def haversine_m(
    latitude_a: ArrayLike, longitude_a: ArrayLike, latitude_b: ArrayLike, longitude_b: ArrayLike
) -> F64:
    """Great-circle distance in metres on the mean sphere."""
    return np.asarray(_haversine()(latitude_a, longitude_a, latitude_b, longitude_b), dtype=np.float64)


def local_distance_m(
    latitude_a: ArrayLike, longitude_a: ArrayLike, latitude_b: ArrayLike, longitude_b: ArrayLike
) -> F64:
    """Distance in metres for short ranges (see the module's figures), with WGS 84 radii."""
    return np.asarray(_local()(latitude_a, longitude_a, latitude_b, longitude_b), dtype=np.float64)


def longitude_difference_deg(longitude_a: ArrayLike, longitude_b: ArrayLike) -> F64:
    """`longitude_b - longitude_a` the short way round, in [-180, 180)."""
    difference = np.asarray(longitude_b, dtype=np.float64) - np.asarray(longitude_a, dtype=np.float64)
    return np.asarray((difference + 180.0) % 360.0 - 180.0)


def bearing_deg(
    latitude_a: ArrayLike, longitude_a: ArrayLike, latitude_b: ArrayLike, longitude_b: ArrayLike
) -> F64:
    """Initial great-circle bearing from a to b, degrees clockwise from north in [0, 360)."""
    phi_a = np.radians(np.asarray(latitude_a, dtype=np.float64))
    phi_b = np.radians(np.asarray(latitude_b, dtype=np.float64))
    turn = np.radians(longitude_difference_deg(longitude_a, longitude_b))
    east = np.sin(turn) * np.cos(phi_b)
    north = np.cos(phi_a) * np.sin(phi_b) - np.sin(phi_a) * np.cos(phi_b) * np.cos(turn)
    return np.asarray(np.degrees(np.arctan2(east, north)) % 360.0)


def destination(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, bearing: ArrayLike, distance_m: ArrayLike
) -> tuple[F64, F64]:
    """Where one arrives after `distance_m` along `bearing`, on the mean sphere; longitude in [-180, 180)."""
    phi = np.radians(np.asarray(latitude_deg, dtype=np.float64))
    theta = np.radians(np.asarray(bearing, dtype=np.float64))
    angle = np.asarray(distance_m, dtype=np.float64) / EARTH_RADIUS_M
    sine = np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(theta)
    turn = np.arctan2(
        np.sin(theta) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.clip(sine, -1.0, 1.0)
    )
    longitude = (np.asarray(longitude_deg, dtype=np.float64) + np.degrees(turn) + 180.0) % 360.0 - 180.0
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))), np.asarray(longitude)


def closest_approach(
    latitude_a: float,
    longitude_a: float,
    speed_a_mps: float,
    course_a_deg: float,
    latitude_b: float,
    longitude_b: float,
    speed_b_mps: float,
    course_b_deg: float,
) -> tuple[float, float]:
    """Closest point of approach of two steady movements: (distance in metres, seconds from now).

    Seconds are 0 where the two already open. In the plane tangent at the middle, for ranges of tens
    of miles (the textbook's relative-motion triangle, e.g. Bowditch, ch. on radar plotting).
    """
    middle = math.radians((latitude_a + latitude_b) / 2.0)
    turn = (longitude_b - longitude_a + 180.0) % 360.0 - 180.0
    sine2 = WGS84_E2 * math.sin(middle) ** 2
    normal = WGS84_A_M / math.sqrt(1.0 - sine2)
    east = normal * math.cos(middle) * math.radians(turn)
    north = normal * (1.0 - WGS84_E2) / (1.0 - sine2) * math.radians(latitude_b - latitude_a)
    a, b = math.radians(course_a_deg), math.radians(course_b_deg)
    east_rate = speed_b_mps * math.sin(b) - speed_a_mps * math.sin(a)
    north_rate = speed_b_mps * math.cos(b) - speed_a_mps * math.cos(a)
    rate2 = east_rate**2 + north_rate**2
    seconds = 0.0 if rate2 == 0.0 else max(0.0, -(east * east_rate + north * north_rate) / rate2)
    return math.hypot(east + east_rate * seconds, north + north_rate * seconds), seconds


def mean_position(latitude_deg: F64, longitude_deg: F64) -> tuple[float, float]:
    """The mean of positions that lie close together, safe at the 180th meridian. NaN for none."""
    if len(latitude_deg) == 0:
        return math.nan, math.nan
    first = float(longitude_deg[0])
    longitude = first + float(np.mean(longitude_difference_deg(first, longitude_deg)))
    return float(np.mean(latitude_deg)), (longitude + 180.0) % 360.0 - 180.0
