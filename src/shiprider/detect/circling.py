"""The kernel that sees a circle in few positions: a set of places on one circle, whatever their order.

Always true: an event depends only on rows up to its own row. Where satellites hear a vessel for some minutes every
hour or two, nobody can follow it from bearing to bearing (`motion.py` does, where reports are dense); but places
that were claimed hours apart, all round, and all within a few per cent of one radius, are a ring. The circle is
fitted by least squares on the algebraic distance (Kasa 1976) to at most 24 places, thinned as they grow in number.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import HOUR_US, MINUTE_US
from shiprider.measure.geodesy import EARTH_RADIUS_M, local_one, wrapped_deg
from shiprider.measure.kernels import kernel

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

_RAD_M: Final = EARTH_RADIUS_M * math.pi / 180.0
#: Places kept, the fewest that make a ring, and how far from the last one the next must be.
PLACES: Final = 24
_FEWEST: Final = 12
_STEP_M: Final = 75.0
#: A ring is looked for over so long, and within so far of where it began; after a longer silence it begins anew.
_LONGEST_US: Final = 8 * HOUR_US
_WIDEST_M: Final = 20_000.0
_SILENCE_US: Final = 3 * HOUR_US
#: A vessel that keeps going away from where it began is on no ring: it must have come back by a quarter.
_BACK: Final = 0.75
#: Places all round: no arc wider than this without one.
_WIDEST_ARC: Final = 2.0 * math.pi / 3.0
#: Told again after so long, so that its end is known to that.
_AGAIN_US: Final = 30 * MINUTE_US

# integer columns of an identity
C_FROM: Final = 0
C_RAW: Final = 1
C_TRACK: Final = 2
C_LAST: Final = 3
C_COUNT: Final = 4
C_STRIDE: Final = 5
C_SEEN: Final = 6
C_TOLD: Final = 7
C_INTEGERS: Final = 8
# float columns
C_LAT: Final = 0
C_LON: Final = 1
C_TAKEN_LAT: Final = 2
C_TAKEN_LON: Final = 3
C_FARTHEST: Final = 4
C_SPEED: Final = 5
C_SPEEDS: Final = 6
C_FLOATS: Final = 7
# columns of an event: kind is added by the caller
E_ROW: Final = 0
E_SLOT: Final = 1
E_FROM: Final = 2
E_RAW: Final = 3
E_INTEGERS: Final = 4
# radius, seconds, mean speed
E_FLOATS: Final = 3


@kernel
def ring_of(x: F32, y: F32, count: int) -> tuple[float, float, float]:
    """(radius, root mean square distance from it, widest empty arc in radians); NaN where there is no circle."""
    mx, my, mz = 0.0, 0.0, 0.0
    for k in range(count):
        mx += x[k]
        my += y[k]
        mz += x[k] * x[k] + y[k] * y[k]
    mx, my, mz = mx / count, my / count, mz / count
    xx, xy, yy, xz, yz = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(count):
        dx, dy, dz = x[k] - mx, y[k] - my, x[k] * x[k] + y[k] * y[k] - mz
        xx += dx * dx
        xy += dx * dy
        yy += dy * dy
        xz += dx * dz
        yz += dy * dz
    determinant = xx * yy - xy * xy
    if determinant <= 1e-6 * max(xx, yy) ** 2:
        return np.nan, np.nan, np.nan
    a = 0.5 * (xz * yy - yz * xy) / determinant
    b = 0.5 * (yz * xx - xz * xy) / determinant
    square = mz - 2.0 * a * mx - 2.0 * b * my + a * a + b * b
    if square <= 0.0:
        return np.nan, np.nan, np.nan
    radius = math.sqrt(square)
    off = 0.0
    angles = np.empty(count)
    for k in range(count):
        distance = math.hypot(x[k] - a, y[k] - b)
        off += (distance - radius) ** 2
        angles[k] = math.atan2(y[k] - b, x[k] - a)
    angles.sort()
    widest = angles[0] + 2.0 * math.pi - angles[count - 1]
    for k in range(1, count):
        widest = max(widest, angles[k] - angles[k - 1])
    return radius, math.sqrt(off / count), widest


@kernel
def fold_circling(
    begin: int,
    slot: NDArray[np.int32],
    time_us: I64,
    track: I64,
    latitude: F64,
    longitude: F64,
    speed: F32,
    raw: I64,
    turns: float,
    residual: float,
    radius_m: float,
    circle_mps: float,
    numbers: I64,
    places: F64,
    xs: F32,
    ys: F32,
    events: I64,
    values: F64,
) -> tuple[int, int]:
    """Rows from `begin`; stops early where `events` is full: (next row, events)."""
    count = 0
    for i in range(begin, len(slot)):
        if count == len(events):
            return i, count
        v = slot[i]
        moment = time_us[i]
        y, x = latitude[i], longitude[i]
        fresh = numbers[v, C_LAST] == 0 or track[i] != numbers[v, C_TRACK]
        away = 0.0
        if not fresh:
            if moment <= numbers[v, C_LAST]:
                continue
            away = local_one(places[v, C_LAT], places[v, C_LON], y, x)
            fresh = (
                moment - numbers[v, C_LAST] > _SILENCE_US
                or moment - numbers[v, C_FROM] > _LONGEST_US
                or away > _WIDEST_M
            )
        if fresh:
            numbers[v, C_FROM], numbers[v, C_RAW], numbers[v, C_TRACK] = moment, raw[i], track[i]
            numbers[v, C_COUNT], numbers[v, C_STRIDE], numbers[v, C_SEEN], numbers[v, C_TOLD] = 1, 1, 1, 0
            places[v, C_LAT], places[v, C_LON] = y, x
            places[v, C_TAKEN_LAT], places[v, C_TAKEN_LON] = y, x
            places[v, C_FARTHEST], places[v, C_SPEED], places[v, C_SPEEDS] = 0.0, 0.0, 0.0
            xs[v, 0], ys[v, 0] = 0.0, 0.0
        numbers[v, C_LAST] = moment
        if np.isfinite(speed[i]):
            places[v, C_SPEED] += speed[i]
            places[v, C_SPEEDS] += 1.0
        if fresh or local_one(places[v, C_TAKEN_LAT], places[v, C_TAKEN_LON], y, x) < _STEP_M:
            continue
        places[v, C_TAKEN_LAT], places[v, C_TAKEN_LON] = y, x
        places[v, C_FARTHEST] = max(places[v, C_FARTHEST], away)
        kept = numbers[v, C_COUNT]
        if numbers[v, C_SEEN] % numbers[v, C_STRIDE] == 0:
            if kept == PLACES:
                for k in range(PLACES // 2):
                    xs[v, k], ys[v, k] = xs[v, 2 * k], ys[v, 2 * k]
                kept = PLACES // 2
                numbers[v, C_STRIDE] *= 2
            xs[v, kept] = (
                wrapped_deg(x - places[v, C_LON]) * _RAD_M * math.cos(math.radians(places[v, C_LAT]))
            )
            ys[v, kept] = (y - places[v, C_LAT]) * _RAD_M
            kept += 1
            numbers[v, C_COUNT] = kept
        numbers[v, C_SEEN] += 1
        if (
            kept < _FEWEST
            or away > _BACK * places[v, C_FARTHEST]
            or places[v, C_SPEEDS] == 0.0
            or (numbers[v, C_TOLD] > 0 and moment - numbers[v, C_TOLD] < _AGAIN_US)
        ):
            continue
        mean = places[v, C_SPEED] / places[v, C_SPEEDS]
        if mean < circle_mps:
            continue
        radius, off, widest = ring_of(xs[v], ys[v], kept)
        took = (moment - numbers[v, C_FROM]) * 1e-6
        if (
            radius >= radius_m
            and off <= residual * radius
            and widest <= _WIDEST_ARC
            and mean * took >= turns * 2.0 * math.pi * radius
        ):
            numbers[v, C_TOLD] = moment
            events[count, E_ROW] = i
            events[count, E_SLOT] = v
            events[count, E_FROM] = numbers[v, C_FROM]
            events[count, E_RAW] = numbers[v, C_RAW]
            values[count, 0], values[count, 1], values[count, 2] = radius, took, mean
            count += 1
    return len(slot), count
