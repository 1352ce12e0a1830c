"""The kernel under the spoofing detector: jumps, circles, and when to look whether a place is land.

Always true: an event depends only on rows up to its own row. The circle is fitted by least squares
on the algebraic distance (Kasa 1976), from running sums, so a track of any length needs 12 numbers.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import MINUTE_US
from shiprider.measure.geodesy import EARTH_RADIUS_M, local_one, wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.model.codes import Flaw

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_IMPOSSIBLE: Final = int(Flaw.IMPOSSIBLE_MOTION)
_RAD_M: Final = EARTH_RADIUS_M * math.pi / 180.0
#: A circle is followed from position to position no further apart than this: sparse reports are 10 min apart.
_CIRCLE_STEP_US: Final = 12 * MINUTE_US
#: ... and no nearer than this: over less, the noise of positions turns at random.
_CIRCLE_STEP_M: Final = 75.0
LOOK_US: Final = 10 * MINUTE_US
#: A jump back within a day, to where 30 kn could have brought it, ends the jump that was told.
_RETURN_S: Final = 86_400.0
_RETURN_MPS: Final = 15.4

# integer columns of an identity
M_TIME: Final = 0
M_RAW: Final = 1
M_TRACK: Final = 2
M_JUMP: Final = 3  # time of a jump waiting to be believed, 0 for none
M_JUMP_FROM: Final = 4
M_JUMP_RAW: Final = 5
M_JUMP_TRACK: Final = 6
M_JUMP_FROM_RAW: Final = 7
M_CIRCLE_FROM: Final = 8
M_CIRCLE_RAW: Final = 9
M_CIRCLE_COUNT: Final = 10
M_CIRCLE_TOLD: Final = 11  # half turns told
M_LOOKED: Final = 12
M_JUMP_FROM_TRACK: Final = 13
M_TOLD: Final = 14  # start of the jump told last, 0 for none
M_TOLD_KIND: Final = 15
M_TOLD_CHANGES: Final = 16  # changes between its two tracks, the jump itself included
M_INTEGERS: Final = 17
# float columns
M_LAT: Final = 0
M_LON: Final = 1
M_SPEED: Final = 2
M_COURSE: Final = 3
M_JUMP_M: Final = 4
M_JUMP_LAT: Final = 5
M_JUMP_LON: Final = 6
M_OFFSET: Final = 7
M_BEARING: Final = 8
M_TURN: Final = 9
M_ORIGIN_LAT: Final = 10
M_ORIGIN_LON: Final = 11
M_X: Final = 12
M_Y: Final = 13
M_XX: Final = 14
M_XY: Final = 15
M_YY: Final = 16
M_XZ: Final = 17
M_YZ: Final = 18
M_Z: Final = 19
M_ZZ: Final = 20
M_WAY: Final = 21
M_JUMP_FROM_LAT: Final = 22
M_JUMP_FROM_LON: Final = 23
M_CIRCLE_LAT: Final = 24  # last position taken for the circle
M_CIRCLE_LON: Final = 25
M_FLOATS: Final = 26

TELEPORT: Final = 1
OFFSET: Final = 2
CIRCLE: Final = 3
LOOK: Final = 4
#: A jump that was told is taken back: the identity speaks from both places, time and again.
BOTH: Final = 5
#: So many changes between two places are an identity used twice (as `identity.ours` counts them).
_CHANGES_OF_TWO: Final = 4
# integer columns of an event: kind, slot, start, end, raw, end raw, track, row
V_INTEGERS: Final = 8
# float columns: latitude, longitude, metres, seconds or radius, speed
V_FLOATS: Final = 5


@kernel
def fitted_circle(sums: F64, n: int) -> tuple[float, float]:
    """Radius and root mean square distance from the circle, metres; (nan, nan) where there is none."""
    mx, my, mz = sums[M_X] / n, sums[M_Y] / n, sums[M_Z] / n
    xx, xy, yy = sums[M_XX] / n - mx * mx, sums[M_XY] / n - mx * my, sums[M_YY] / n - my * my
    xz, yz = sums[M_XZ] / n - mx * mz, sums[M_YZ] / n - my * mz
    determinant = xx * yy - xy * xy
    if determinant <= 1e-9 * max(xx, yy) ** 2:
        return np.nan, np.nan
    a = 0.5 * (xz * yy - yz * xy) / determinant
    b = 0.5 * (yz * xx - xz * xy) / determinant
    square = mz - 2 * a * mx - 2 * b * my + a * a + b * b
    if square <= 0.0:
        return np.nan, np.nan
    radius = math.sqrt(square)
    # variance of d^2 - r^2 about nought, d^2 - r^2 = z - 2ax - 2by - c
    zz = sums[M_ZZ] / n - mz * mz
    spread = zz + 4 * a * a * xx + 4 * b * b * yy + 8 * a * b * xy - 4 * a * xz - 4 * b * yz
    return radius, math.sqrt(max(spread, 0.0)) / (2 * radius)


@kernel
def _begin_circle(numbers: I64, places: F64, v: int, moment: int, raw: int, y: float, x: float) -> None:
    numbers[v, M_CIRCLE_FROM] = moment
    numbers[v, M_CIRCLE_RAW] = raw
    numbers[v, M_CIRCLE_COUNT] = 1
    numbers[v, M_CIRCLE_TOLD] = 0
    places[v, M_BEARING] = np.nan
    places[v, M_TURN] = 0.0
    places[v, M_ORIGIN_LAT] = y
    places[v, M_ORIGIN_LON] = x
    places[v, M_CIRCLE_LAT] = y
    places[v, M_CIRCLE_LON] = x
    for k in range(M_X, M_WAY + 1):
        places[v, k] = 0.0


@kernel
def fold_motion(
    begin: int,
    slot: NDArray[np.int32],
    time_us: I64,
    track: I64,
    latitude: F64,
    longitude: F64,
    speed: NDArray[np.float32],
    course: NDArray[np.float32],
    flaws: NDArray[np.int32],
    raw: I64,
    preset: F64,
    numbers: I64,
    places: F64,
    events: I64,
    values: F64,
) -> tuple[int, int]:
    """Rows from `begin`; stops early where `events` is nearly full: (next row, events)."""
    jump_m, faster_times, faster_mps, within_s, course_deg, speed_share = preset[:6]
    turns_deg, least_positions, residual, radius_m, circle_mps, believed_s = preset[6:12]
    count = 0
    for i in range(begin, len(slot)):
        if count + 5 > len(events):
            return i, count
        v = slot[i]
        moment = time_us[i]
        y, x = latitude[i], longitude[i]
        last = numbers[v, M_TIME]
        known = last > 0
        elapsed = (moment - last) * 1e-6
        apart = local_one(places[v, M_LAT], places[v, M_LON], y, x) if known else 0.0

        # a jump is believed when the next position is there, too
        if numbers[v, M_JUMP] > 0:
            since = (moment - numbers[v, M_JUMP]) * 1e-6
            near = local_one(places[v, M_JUMP_LAT], places[v, M_JUMP_LON], y, x)
            reach = 500.0 + 40.0 * min(since, within_s) + _RETURN_MPS * max(since - within_s, 0.0)
            stays = track[i] == numbers[v, M_JUMP_TRACK] and near <= reach
            # beside the place it came from is not "there, too"
            back = local_one(places[v, M_JUMP_FROM_LAT], places[v, M_JUMP_FROM_LON], y, x)
            if stays and since <= believed_s and near < back:
                events[count, 0] = OFFSET if places[v, M_OFFSET] > 0.0 else TELEPORT
                events[count, 1] = v
                events[count, 2] = numbers[v, M_JUMP_FROM]
                events[count, 3] = moment
                events[count, 4] = numbers[v, M_JUMP_FROM_RAW]
                events[count, 5] = numbers[v, M_JUMP_RAW]
                events[count, 6] = track[i]
                events[count, 7] = i
                values[count, 0] = places[v, M_JUMP_LAT]
                values[count, 1] = places[v, M_JUMP_LON]
                values[count, 2] = places[v, M_JUMP_M]
                values[count, 3] = (numbers[v, M_JUMP] - numbers[v, M_JUMP_FROM]) * 1e-6
                values[count, 4] = 0.0
                numbers[v, M_TOLD_KIND] = events[count, 0]
                count += 1
                numbers[v, M_JUMP] = 0
                numbers[v, M_TOLD] = numbers[v, M_JUMP_FROM]
                numbers[v, M_TOLD_CHANGES] = 1
            elif track[i] == numbers[v, M_JUMP_FROM_TRACK] != numbers[v, M_JUMP_TRACK]:
                # it still speaks from where it was: a stray position, or an identity used twice
                numbers[v, M_JUMP] = 0
            elif since > believed_s or (
                not (flaws[i] & _IMPOSSIBLE) and track[i] == numbers[v, M_JUMP_TRACK]
            ):
                numbers[v, M_JUMP] = 0
        if numbers[v, M_TOLD] > 0 and track[i] != numbers[v, M_TRACK]:
            if (moment - numbers[v, M_TOLD]) * 1e-6 > _RETURN_S or (
                track[i] != numbers[v, M_JUMP_TRACK] and track[i] != numbers[v, M_JUMP_FROM_TRACK]
            ):
                numbers[v, M_TOLD] = 0
            else:
                numbers[v, M_TOLD_CHANGES] += 1
                if numbers[v, M_TOLD_CHANGES] >= _CHANGES_OF_TWO:
                    events[count, 0] = BOTH
                    events[count, 1] = v
                    events[count, 2] = numbers[v, M_TOLD]
                    events[count, 3] = moment
                    events[count, 4] = numbers[v, M_JUMP_FROM_RAW]
                    events[count, 5] = numbers[v, M_JUMP_RAW]
                    events[count, 6] = track[i]
                    events[count, 7] = i
                    values[count, 0] = places[v, M_JUMP_LAT]
                    values[count, 1] = places[v, M_JUMP_LON]
                    values[count, 2] = places[v, M_JUMP_M]
                    values[count, 3] = 0.0
                    values[count, 4] = float(numbers[v, M_TOLD_KIND])
                    count += 1
                    numbers[v, M_TOLD] = 0
        impossible = (flaws[i] & _IMPOSSIBLE) != 0
        if known and not impossible and track[i] == numbers[v, M_TRACK] and 0.0 < elapsed <= within_s:
            said = max(speed[i], places[v, M_SPEED]) if np.isfinite(speed[i]) else np.nan
            impossible = apart > jump_m and apart / elapsed > faster_times * said + faster_mps
        if known and impossible and numbers[v, M_JUMP_FROM] > 0 and numbers[v, M_JUMP] == 0:
            # back to where it would have sailed without the jump: the same jump's end
            since = (moment - numbers[v, M_JUMP_FROM]) * 1e-6
            home = local_one(places[v, M_JUMP_FROM_LAT], places[v, M_JUMP_FROM_LON], y, x)
            if since <= _RETURN_S and home <= 500.0 + _RETURN_MPS * since:
                impossible = False
        if known and impossible and apart > jump_m and numbers[v, M_JUMP] == 0:
            numbers[v, M_JUMP] = moment
            numbers[v, M_JUMP_FROM] = last
            numbers[v, M_JUMP_RAW] = raw[i]
            numbers[v, M_JUMP_FROM_RAW] = numbers[v, M_RAW]
            numbers[v, M_JUMP_TRACK] = track[i]
            numbers[v, M_JUMP_FROM_TRACK] = numbers[v, M_TRACK]
            numbers[v, M_TOLD] = 0
            places[v, M_JUMP_M] = apart
            places[v, M_JUMP_LAT] = y
            places[v, M_JUMP_LON] = x
            places[v, M_JUMP_FROM_LAT] = places[v, M_LAT]
            places[v, M_JUMP_FROM_LON] = places[v, M_LON]
            turn = abs(wrapped_deg(course[i] - places[v, M_COURSE]))
            steady = (
                turn <= course_deg
                and abs(speed[i] - places[v, M_SPEED]) <= speed_share * max(speed[i], places[v, M_SPEED])
                and speed[i] >= 1.0
            )
            places[v, M_OFFSET] = 1.0 if steady else 0.0

        # a circle: bearings from position to position that keep turning the same way
        if not known or track[i] != numbers[v, M_TRACK] or moment - last > _CIRCLE_STEP_US or apart > 5_000.0:
            _begin_circle(numbers, places, v, moment, raw[i], y, x)
        elif local_one(places[v, M_CIRCLE_LAT], places[v, M_CIRCLE_LON], y, x) >= _CIRCLE_STEP_M:
            step = local_one(places[v, M_CIRCLE_LAT], places[v, M_CIRCLE_LON], y, x)
            north = (y - places[v, M_CIRCLE_LAT]) * _RAD_M
            east = wrapped_deg(x - places[v, M_CIRCLE_LON]) * _RAD_M * math.cos(math.radians(y))
            bearing = math.degrees(math.atan2(east, north))
            turn = wrapped_deg(bearing - places[v, M_BEARING])
            if np.isfinite(turn) and (abs(turn) > 100.0 or turn * places[v, M_TURN] < 0.0):
                _begin_circle(
                    numbers,
                    places,
                    v,
                    last,
                    numbers[v, M_RAW],
                    places[v, M_CIRCLE_LAT],
                    places[v, M_CIRCLE_LON],
                )
            elif np.isfinite(turn):
                places[v, M_TURN] += turn
            places[v, M_BEARING] = bearing
            places[v, M_CIRCLE_LAT] = y
            places[v, M_CIRCLE_LON] = x
            cx = (
                wrapped_deg(x - places[v, M_ORIGIN_LON])
                * _RAD_M
                * math.cos(math.radians(places[v, M_ORIGIN_LAT]))
            )
            cy = (y - places[v, M_ORIGIN_LAT]) * _RAD_M
            cz = cx * cx + cy * cy
            places[v, M_X] += cx
            places[v, M_Y] += cy
            places[v, M_XX] += cx * cx
            places[v, M_XY] += cx * cy
            places[v, M_YY] += cy * cy
            places[v, M_XZ] += cx * cz
            places[v, M_YZ] += cy * cz
            places[v, M_Z] += cz
            places[v, M_ZZ] += cz * cz
            places[v, M_WAY] += step
            numbers[v, M_CIRCLE_COUNT] += 1
            n = numbers[v, M_CIRCLE_COUNT]
            if (
                abs(places[v, M_TURN]) >= turns_deg
                and n >= least_positions
                and abs(places[v, M_TURN]) >= 180.0 * (numbers[v, M_CIRCLE_TOLD] + 1)
            ):
                radius, off = fitted_circle(places[v], n - 1)
                took = max((moment - numbers[v, M_CIRCLE_FROM]) * 1e-6, 1.0)
                mean = places[v, M_WAY] / took
                if radius >= radius_m and off <= residual * radius and mean >= circle_mps:
                    # told again with each further half turn, so that its end is known to that
                    numbers[v, M_CIRCLE_TOLD] = np.int64(abs(places[v, M_TURN]) / 180.0)
                    events[count, 0] = CIRCLE
                    events[count, 1] = v
                    events[count, 2] = numbers[v, M_CIRCLE_FROM]
                    events[count, 3] = moment
                    events[count, 4] = numbers[v, M_CIRCLE_RAW]
                    events[count, 5] = raw[i]
                    events[count, 6] = track[i]
                    events[count, 7] = i
                    values[count, 0] = y
                    values[count, 1] = x
                    values[count, 2] = radius
                    values[count, 3] = places[v, M_TURN]
                    values[count, 4] = mean
                    count += 1

        if moment - numbers[v, M_LOOKED] >= LOOK_US:
            numbers[v, M_LOOKED] = moment
            events[count, 0] = LOOK
            events[count, 1] = v
            events[count, 2] = moment
            events[count, 3] = moment
            events[count, 4] = raw[i]
            events[count, 5] = raw[i]
            events[count, 6] = track[i]
            events[count, 7] = i
            values[count, 0] = y
            values[count, 1] = x
            values[count, 2] = 0.0
            values[count, 3] = 0.0
            values[count, 4] = speed[i]
            count += 1

        numbers[v, M_TIME] = moment
        numbers[v, M_RAW] = raw[i]
        numbers[v, M_TRACK] = track[i]
        places[v, M_LAT] = y
        places[v, M_LON] = x
        places[v, M_SPEED] = speed[i]
        places[v, M_COURSE] = course[i]
    return len(slot), count
