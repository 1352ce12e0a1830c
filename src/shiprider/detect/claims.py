"""The kernel under the identity detector: what positions alone say against an identity.

Always true: an event depends only on rows up to its own row; identities are judged apart, but for a
handover, where one that appears is set against all that fell silent shortly before.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import HOUR_US
from shiprider.measure.geodesy import EARTH_RADIUS_M, local_one
from shiprider.measure.kernels import kernel
from shiprider.model.codes import Flaw, TransmitterClass

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

INVALID_FLAWS: Final = int(Flaw.MMSI_FORM | Flaw.MID_UNKNOWN)
_IMPOSSIBLE: Final = int(Flaw.IMPOSSIBLE_MOTION)
_AIRCRAFT: Final = int(TransmitterClass.SAR_AIRCRAFT)
#: An identity unheard for this long is new when it is heard (again).
_NEW_US: Final = 12 * HOUR_US
#: Until rows have run for this long, everybody is new, and nobody is suspicious for it. Who is in reach
#: of a shore station is heard within minutes; satellites hear nearly all within an orbit or two.
_WARM_UP_US: Final = HOUR_US
#: Until then those that satellites hear seldom are still heard for the first time: a handover is told with doubt.
_DOUBT_US: Final = 6 * HOUR_US
PENDING: Final = 256

# integer columns of an identity
C_TIME: Final = 0
C_TRACK: Final = 1
C_RAW: Final = 2
C_ALTERNATIONS: Final = 3
C_FROM_US: Final = 4  # first change of place of this run
C_TO_US: Final = 5  # last one
C_FROM_RAW: Final = 6
C_OTHER_TRACK: Final = 7
C_INVALID: Final = 8
C_FAST_SINCE: Final = 9
C_FAST_TOLD: Final = 10
C_CLASS: Final = 11  # vessel class, by its statements
C_NATURE: Final = 12
C_TRANSMITTER: Final = 13
C_SUCCESSOR: Final = 14  # place in the list of pending handovers, less 1 where none
C_FAST_RAW: Final = 15
C_INTEGERS: Final = 16
# float columns
C_LAT: Final = 0
C_LON: Final = 1
C_SPEED: Final = 2
C_COURSE: Final = 3
C_FROM_LAT: Final = 4
C_FROM_LON: Final = 5
C_APART_M: Final = 6
C_FASTEST: Final = 7
C_FLOATS: Final = 8

# integer columns of a pending handover
H_OLD: Final = 0  # slots; -1 where the place is free
H_NEW: Final = 1
H_DUE: Final = 2
H_START: Final = 3  # when the old one was last heard
H_APPEARED: Final = 4
H_OLD_RAW: Final = 5
H_NEW_RAW: Final = 6
H_OLD_TRACK: Final = 7
H_NEW_TRACK: Final = 8
H_INTEGERS: Final = 9

# kinds of events
SHARED: Final = 1
SHARED_OVER: Final = 2
INVALID: Final = 3
TOO_FAST: Final = 4
HANDOVER: Final = 5

# integer columns of an event
V_KIND: Final = 0
V_SLOT: Final = 1
V_OTHER: Final = 2
V_START: Final = 3
V_END: Final = 4
V_RAW: Final = 5
V_END_RAW: Final = 6
V_TRACK: Final = 7
V_OTHER_TRACK: Final = 8
V_COUNT: Final = 9
V_INTEGERS: Final = 10
# float columns: latitude, longitude, a distance or speed
V_FLOATS: Final = 3

_RAD_M: Final = EARTH_RADIUS_M * math.pi / 180.0


@kernel
def _write(
    events: I64,
    values: F64,
    at: int,
    kind: int,
    slot: int,
    other: int,
    start: int,
    end: int,
    raw: int,
    end_raw: int,
    track: int,
    other_track: int,
    count: int,
    latitude: float,
    longitude: float,
    value: float,
) -> int:
    events[at, 0] = kind
    events[at, 1] = slot
    events[at, 2] = other
    events[at, 3] = start
    events[at, 4] = end
    events[at, 5] = raw
    events[at, 6] = end_raw
    events[at, 7] = track
    events[at, 8] = other_track
    events[at, 9] = count
    values[at, 0] = latitude
    values[at, 1] = longitude
    values[at, 2] = value
    return at + 1


@kernel
def fold_claims(
    begin: int,
    known: int,
    slot: NDArray[np.int32],
    time_us: I64,
    track: I64,
    latitude: F64,
    longitude: F64,
    speed: NDArray[np.float32],
    course: NDArray[np.float32],
    transmitter: NDArray[np.int8],
    nature: NDArray[np.int8],
    flaws: NDArray[np.int32],
    raw: I64,
    said_time: I64,
    said_slot: NDArray[np.int32],
    said_class: NDArray[np.int8],
    said_next: int,
    first_us: int,
    fastest_of: F64,
    numbers: F64,
    identity: I64,
    places: F64,
    pending: I64,
    events: I64,
    values: F64,
) -> tuple[int, int, int]:
    """Rows from `begin`: (next row, next statement, events). `numbers` are the preset's, in its order.

    `known` is how many identities there were before this batch's new ones: those after it have no
    past. Stops early where `events` is nearly full.
    """
    need, forget_s, need_invalid, hand_s, hand_m, hand_deg, least_mps, sustained_s = numbers[:8]
    wait_s, drift = numbers[8:10]
    count = 0
    for i in range(begin, len(slot)):
        if count + PENDING + 8 > len(events):
            return i, said_next, count
        moment = time_us[i]
        while said_next < len(said_time) and said_time[said_next] <= moment:
            identity[said_slot[said_next], C_CLASS] = said_class[said_next]
            said_next += 1
        v = slot[i]
        last = identity[v, C_TIME]
        before = last > 0

        # handovers: undone when the old identity speaks, told when it has kept silent
        p = identity[v, C_SUCCESSOR] - 1
        if p >= 0:
            pending[p, H_OLD] = -1
            identity[v, C_SUCCESSOR] = 0
        # place 0's due time of the spare row holds the next time at which anything is due
        if moment >= pending[PENDING, H_DUE]:
            next_due = np.int64(1 << 62)
            for k in range(PENDING):
                old = pending[k, H_OLD]
                if old < 0:
                    continue
                if pending[k, H_DUE] <= moment:
                    new = pending[k, H_NEW]
                    count = _write(
                        events,
                        values,
                        count,
                        HANDOVER,
                        old,
                        new,
                        pending[k, H_START],
                        pending[k, H_APPEARED],
                        pending[k, H_OLD_RAW],
                        pending[k, H_NEW_RAW],
                        pending[k, H_OLD_TRACK],
                        pending[k, H_NEW_TRACK],
                        1 if pending[k, H_APPEARED] - first_us < _DOUBT_US else 0,
                        places[old, C_LAT],
                        places[old, C_LON],
                        0.0,
                    )
                    pending[k, H_OLD] = -1
                    identity[old, C_SUCCESSOR] = 0
                else:
                    next_due = min(next_due, pending[k, H_DUE])
            pending[PENDING, H_DUE] = next_due
        moving = np.isfinite(speed[i]) and np.isfinite(course[i]) and speed[i] >= least_mps
        if (
            (not before or moment - last > _NEW_US)
            and moving
            and moment - first_us > _WARM_UP_US
            and transmitter[i] != _AIRCRAFT
        ):
            best, best_m = -1, hand_m
            for u in range(known):
                if u == v or identity[u, C_TIME] <= 0:
                    continue
                lag = (moment - identity[u, C_TIME]) * 1e-6
                if lag <= 0.0 or lag > hand_s or identity[u, C_TRANSMITTER] != transmitter[i]:
                    continue
                if not places[u, C_SPEED] >= least_mps or identity[u, C_SUCCESSOR] > 0:
                    continue
                turn = abs((course[i] - places[u, C_COURSE] + 180.0) % 360.0 - 180.0)
                if not turn <= hand_deg or abs(places[u, C_SPEED] - speed[i]) > 1.0 + 0.2 * speed[i]:
                    continue
                if abs(places[u, C_LAT] - latitude[i]) > 2.0:
                    continue
                angle = math.radians(places[u, C_COURSE])
                north = places[u, C_SPEED] * lag * math.cos(angle)
                east = places[u, C_SPEED] * lag * math.sin(angle)
                y = min(max(places[u, C_LAT] + north / _RAD_M, -90.0), 90.0)
                x = places[u, C_LON] + east / (_RAD_M * max(math.cos(math.radians(y)), 0.01))
                miss = local_one(y, x, latitude[i], longitude[i])
                # a course and speed hold less and less well
                beyond = miss - drift * places[u, C_SPEED] * lag
                if beyond < best_m:
                    best, best_m = u, beyond
            if best >= 0:
                for k in range(PENDING):
                    if pending[k, H_OLD] < 0:
                        pending[k, H_OLD] = best
                        pending[k, H_NEW] = v
                        pending[k, H_DUE] = moment + np.int64(wait_s * 1e6)
                        pending[k, H_START] = identity[best, C_TIME]
                        pending[k, H_APPEARED] = moment
                        pending[k, H_OLD_RAW] = identity[best, C_RAW]
                        pending[k, H_NEW_RAW] = raw[i]
                        pending[k, H_OLD_TRACK] = identity[best, C_TRACK]
                        pending[k, H_NEW_TRACK] = track[i]
                        identity[best, C_SUCCESSOR] = k + 1
                        pending[PENDING, H_DUE] = min(pending[PENDING, H_DUE], pending[k, H_DUE])
                        break

        # one identity in two places
        if identity[v, C_ALTERNATIONS] > 0 and moment - identity[v, C_TO_US] > np.int64(forget_s * 1e6):
            if identity[v, C_ALTERNATIONS] >= need:
                count = _write(
                    events,
                    values,
                    count,
                    SHARED_OVER,
                    v,
                    -1,
                    identity[v, C_FROM_US],
                    identity[v, C_TO_US],
                    identity[v, C_FROM_RAW],
                    identity[v, C_RAW],
                    identity[v, C_TRACK],
                    identity[v, C_OTHER_TRACK],
                    identity[v, C_ALTERNATIONS],
                    places[v, C_FROM_LAT],
                    places[v, C_FROM_LON],
                    places[v, C_APART_M],
                )
            identity[v, C_ALTERNATIONS] = 0
        if before and track[i] != identity[v, C_TRACK] and moment - last <= np.int64(forget_s * 1e6):
            apart = local_one(places[v, C_LAT], places[v, C_LON], latitude[i], longitude[i])
            if identity[v, C_ALTERNATIONS] == 0:
                identity[v, C_FROM_US] = last
                identity[v, C_FROM_RAW] = identity[v, C_RAW]
                places[v, C_FROM_LAT] = places[v, C_LAT]
                places[v, C_FROM_LON] = places[v, C_LON]
                places[v, C_APART_M] = 0.0
            identity[v, C_ALTERNATIONS] += 1
            identity[v, C_TO_US] = moment
            identity[v, C_OTHER_TRACK] = identity[v, C_TRACK]
            places[v, C_APART_M] = max(places[v, C_APART_M], apart)
            n = identity[v, C_ALTERNATIONS]
            # told when it is clear, and again each time it has doubled
            if (n >= need and (n & (n - 1)) == 0) or n == np.int64(need):
                count = _write(
                    events,
                    values,
                    count,
                    SHARED,
                    v,
                    -1,
                    identity[v, C_FROM_US],
                    moment,
                    identity[v, C_FROM_RAW],
                    raw[i],
                    track[i],
                    identity[v, C_TRACK],
                    n,
                    places[v, C_FROM_LAT],
                    places[v, C_FROM_LON],
                    places[v, C_APART_M],
                )

        if flaws[i] & INVALID_FLAWS:
            identity[v, C_INVALID] += 1
            if identity[v, C_INVALID] == np.int64(need_invalid):
                count = _write(
                    events, values, count, INVALID, v, -1, moment, moment, raw[i], raw[i], track[i], track[i],
                    flaws[i] & INVALID_FLAWS, latitude[i], longitude[i], 0.0,
                )  # fmt: skip

        # faster than its kind
        limit = fastest_of[identity[v, C_CLASS]]
        if limit > 0.0 and speed[i] > limit and not flaws[i] & _IMPOSSIBLE:
            if identity[v, C_FAST_SINCE] == 0 or moment - last > np.int64(sustained_s * 1e6):
                identity[v, C_FAST_SINCE] = moment
                identity[v, C_FAST_RAW] = raw[i]
                places[v, C_FASTEST] = speed[i]
            places[v, C_FASTEST] = max(places[v, C_FASTEST], speed[i])
            held = moment - identity[v, C_FAST_SINCE]
            if held >= np.int64(sustained_s * 1e6) and identity[v, C_FAST_TOLD] == 0:
                identity[v, C_FAST_TOLD] = 1
                count = _write(
                    events, values, count, TOO_FAST, v, -1, identity[v, C_FAST_SINCE], moment,
                    identity[v, C_FAST_RAW], raw[i], track[i], track[i], identity[v, C_CLASS],
                    latitude[i], longitude[i], places[v, C_FASTEST],
                )  # fmt: skip
        elif np.isfinite(speed[i]):
            identity[v, C_FAST_SINCE] = 0

        identity[v, C_TIME] = moment
        identity[v, C_TRACK] = track[i]
        identity[v, C_RAW] = raw[i]
        identity[v, C_NATURE] = nature[i]
        identity[v, C_TRANSMITTER] = transmitter[i]
        places[v, C_LAT] = latitude[i]
        places[v, C_LON] = longitude[i]
        places[v, C_SPEED] = speed[i]
        places[v, C_COURSE] = course[i]
    while said_next < len(said_time):
        identity[said_slot[said_next], C_CLASS] = said_class[said_next]
        said_next += 1
    return len(slot), said_next, count
