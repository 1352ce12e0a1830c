"""The kernel of cooperative tracking: which branch of its identity each claim belongs to.

Always true: a claim goes to a branch it can have reached, and among those to the one whose
dead-reckoned position is nearest; where it can have reached none it opens a new branch and is
flagged; rows are taken in order of time.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import DAY_US, HOUR_US, MINUTE_US
from shiprider.measure.geodesy import EARTH_RADIUS_M, local_one, wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.model.codes import Flaw, TransmitterClass

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I8 = NDArray[np.int8]

#: Branches one identity may have at the same time; `track` has room for 16 numbers.
BRANCHES: Final = 8
NUMBERS: Final = 16
#: Nothing that floats and carries AIS is faster (the fastest patrol craft make about 70 kn).
FASTEST_VESSEL_MPS: Final = 40.0
#: Search and rescue aircraft, jets included.
FASTEST_AIRCRAFT_MPS: Final = 300.0
#: Errors of position and of time stamps (seconds at speed) that are not motion.
SLACK_M: Final = 500.0
#: A branch is believed from its third claim on.
ESTABLISHED: Final = 3
#: A branch not believed is dropped when its identity has gone on elsewhere for this long ...
TENTATIVE_LIFE_US: Final = 30 * MINUTE_US
#: ... and a believed one for this long.
ESTABLISHED_LIFE_US: Final = 24 * HOUR_US
#: A course is not trusted to hold for longer than this when a position is predicted.
_HOLD_S: Final = 600.0

#: Compaction: a position left out lies within this distance of the line between its neighbours,
#: measured at the same moment, split evenly over both axes (25 / sqrt 2) ...
COMPACT_M: Final = 25.0
_AXIS_M: Final = COMPACT_M / math.sqrt(2.0)
#: ... and no two kept points are further apart than this while positions come.
COMPACT_LONGEST_US: Final = 10 * MINUTE_US

_IMPOSSIBLE: Final = int(Flaw.IMPOSSIBLE_MOTION)
_AIRCRAFT: Final = int(TransmitterClass.SAR_AIRCRAFT)
_METRES_PER_DEG: Final = EARTH_RADIUS_M * math.pi / 180.0
_NO_TIME: Final = -(1 << 62)
assert DAY_US == ESTABLISHED_LIFE_US  # noqa: S101 (a reader of the two constants may rely on it)

# columns of the branch tables
B_TIME: Final = 0  # last claim
B_COUNT: Final = 1  # claims so far
B_NUMBER: Final = 2  # number within its identity
B_PENDING: Final = 3  # row of the last claim, where it is not yet written
B_ANCHOR: Final = 4  # time of the last written claim
B_OWNER: Final = 5  # slot of its identity
B_INTEGERS: Final = 6
P_LAT: Final = 0
P_LON: Final = 1
P_SPEED: Final = 2  # as last said, m/s and degrees
P_COURSE: Final = 3
P_ANCHOR_LAT: Final = 4
P_ANCHOR_LON: Final = 5
P_EAST_LOW: Final = 6  # velocities from the anchor that pass all claims since
P_EAST_HIGH: Final = 7
P_NORTH_LOW: Final = 8
P_NORTH_HIGH: Final = 9
P_FLOATS: Final = 10


@kernel
def assign_claims(
    first: int,
    slot: I32,
    time_us: I64,
    latitude: F64,
    longitude: F64,
    speed: F32,
    course: F32,
    transmitter: I8,
    flaws: I32,
    branches_of: I32,
    next_number: I8,
    numbers: I64,
    floats: F64,
    branch_count: int,
    free: I32,
    free_count: int,
    number_of: I8,
    kept: I64,
) -> tuple[int, int, int]:
    """Assign rows `first` and later; rows before it are those carried over, only written.

    Fills `number_of` (branch number of each row), `flaws`, and `kept` (rows to write, in the order
    they were settled). Returns (kept rows, branches in use, free branch places). `numbers` and
    `floats` must have room for one new branch per row; `kept` for two rows per row.
    """
    kept_count = 0
    for i in range(first, len(slot)):
        vessel = slot[i]
        moment = time_us[i]
        y, x = latitude[i], longitude[i]
        fastest = FASTEST_AIRCRAFT_MPS if transmitter[i] == _AIRCRAFT else FASTEST_VESSEL_MPS

        # drop branches that died while the identity went on elsewhere
        newest = np.int64(_NO_TIME)
        alive = 0
        for k in range(BRANCHES):
            b = branches_of[vessel, k]
            if b >= 0:
                alive += 1
                newest = max(newest, numbers[b, B_TIME])
        best = -1
        best_m = np.inf
        seen_any = False
        place = -1
        oldest_place = 0
        oldest = np.int64(1 << 62)
        for k in range(BRANCHES):
            b = branches_of[vessel, k]
            if b < 0:
                if place < 0:
                    place = k
                continue
            last = numbers[b, B_TIME]
            life = ESTABLISHED_LIFE_US if numbers[b, B_COUNT] >= ESTABLISHED else TENTATIVE_LIFE_US
            if last < newest and moment - last > life:
                if numbers[b, B_PENDING] >= 0:
                    kept[kept_count] = numbers[b, B_PENDING]
                    kept_count += 1
                branches_of[vessel, k] = -1
                numbers[b, B_PENDING] = -1
                numbers[b, B_OWNER] = -1
                free[free_count] = b
                free_count += 1
                if place < 0:
                    place = k
                continue
            seen_any = True
            if last < oldest:
                oldest = last
                oldest_place = k
            elapsed = (moment - last) * 1e-6
            if local_one(floats[b, P_LAT], floats[b, P_LON], y, x) > SLACK_M + fastest * elapsed:
                continue
            if alive == 1:
                # nothing to choose from
                best = b
                continue
            north = east = 0.0
            if np.isfinite(floats[b, P_SPEED]) and np.isfinite(floats[b, P_COURSE]):
                angle = math.radians(floats[b, P_COURSE])
                north = floats[b, P_SPEED] * min(elapsed, _HOLD_S) * math.cos(angle)
                east = floats[b, P_SPEED] * min(elapsed, _HOLD_S) * math.sin(angle)
            stretch = max(math.cos(math.radians(floats[b, P_LAT])), 0.01)
            ahead_lat = min(max(floats[b, P_LAT] + north / _METRES_PER_DEG, -90.0), 90.0)
            miss = local_one(ahead_lat, floats[b, P_LON] + east / (_METRES_PER_DEG * stretch), y, x)
            if miss < best_m:
                best_m = miss
                best = b

        opened = best < 0
        if opened:
            if place < 0:
                # no room: the branch unheard for longest makes way
                place = oldest_place
                b = branches_of[vessel, place]
                if numbers[b, B_PENDING] >= 0:
                    kept[kept_count] = numbers[b, B_PENDING]
                    kept_count += 1
                best = b
            elif free_count > 0:
                free_count -= 1
                best = free[free_count]
            else:
                best = branch_count
                branch_count += 1
            branches_of[vessel, place] = best
            numbers[best, B_COUNT] = 0
            numbers[best, B_NUMBER] = next_number[vessel]
            numbers[best, B_OWNER] = vessel
            numbers[best, B_PENDING] = -1
            next_number[vessel] = (next_number[vessel] + 1) % NUMBERS
            if seen_any:
                flaws[i] |= _IMPOSSIBLE

        b = best
        number_of[i] = numbers[b, B_NUMBER]

        # compaction: the swing filter (Elmeleegy and others, VLDB 2009) on both axes
        write_now = opened
        if not opened:
            since = (moment - numbers[b, B_ANCHOR]) * 1e-6
            stretch = max(math.cos(math.radians(floats[b, P_ANCHOR_LAT])), 0.01)
            north_m = (y - floats[b, P_ANCHOR_LAT]) * _METRES_PER_DEG
            east_m = wrapped_deg(x - floats[b, P_ANCHOR_LON]) * _METRES_PER_DEG * stretch
            fits = moment - numbers[b, B_ANCHOR] <= COMPACT_LONGEST_US
            if fits and since > 0.0:
                north, east = north_m / since, east_m / since
                fits = (
                    floats[b, P_NORTH_LOW] <= north <= floats[b, P_NORTH_HIGH]
                    and floats[b, P_EAST_LOW] <= east <= floats[b, P_EAST_HIGH]
                )
            elif fits:
                fits = abs(north_m) <= _AXIS_M and abs(east_m) <= _AXIS_M
            if not fits:
                p = numbers[b, B_PENDING]
                if p >= 0:
                    kept[kept_count] = p
                    kept_count += 1
                    numbers[b, B_ANCHOR] = numbers[b, B_TIME]
                    floats[b, P_ANCHOR_LAT] = floats[b, P_LAT]
                    floats[b, P_ANCHOR_LON] = floats[b, P_LON]
                    floats[b, P_NORTH_LOW] = -np.inf
                    floats[b, P_NORTH_HIGH] = np.inf
                    floats[b, P_EAST_LOW] = -np.inf
                    floats[b, P_EAST_HIGH] = np.inf
                    since = (moment - numbers[b, B_ANCHOR]) * 1e-6
                    stretch = max(math.cos(math.radians(floats[b, P_ANCHOR_LAT])), 0.01)
                    north_m = (y - floats[b, P_ANCHOR_LAT]) * _METRES_PER_DEG
                    east_m = wrapped_deg(x - floats[b, P_ANCHOR_LON]) * _METRES_PER_DEG * stretch
                # both ends of a silence are written; so is a second place at one moment
                write_now = moment - numbers[b, B_ANCHOR] > COMPACT_LONGEST_US or (
                    since <= 0.0 and (abs(north_m) > _AXIS_M or abs(east_m) > _AXIS_M)
                )
            if not write_now:
                numbers[b, B_PENDING] = i
                if since > 0.0:
                    floats[b, P_NORTH_LOW] = max(floats[b, P_NORTH_LOW], (north_m - _AXIS_M) / since)
                    floats[b, P_NORTH_HIGH] = min(floats[b, P_NORTH_HIGH], (north_m + _AXIS_M) / since)
                    floats[b, P_EAST_LOW] = max(floats[b, P_EAST_LOW], (east_m - _AXIS_M) / since)
                    floats[b, P_EAST_HIGH] = min(floats[b, P_EAST_HIGH], (east_m + _AXIS_M) / since)
        if write_now:
            kept[kept_count] = i
            kept_count += 1
            numbers[b, B_PENDING] = -1
            numbers[b, B_ANCHOR] = moment
            floats[b, P_ANCHOR_LAT] = y
            floats[b, P_ANCHOR_LON] = x
            floats[b, P_NORTH_LOW] = -np.inf
            floats[b, P_NORTH_HIGH] = np.inf
            floats[b, P_EAST_LOW] = -np.inf
            floats[b, P_EAST_HIGH] = np.inf

        floats[b, P_SPEED] = speed[i]
        floats[b, P_COURSE] = course[i]
        floats[b, P_LAT] = y
        floats[b, P_LON] = x
        numbers[b, B_TIME] = moment
        numbers[b, B_COUNT] += 1
    return kept_count, branch_count, free_count
