"""The kernel under the gap detector: where an identity fell silent, and who else did.

Always true: a silence is between two consecutive positions of one identity, on whatever branch; what
is known of a silence when it ends depends only on rows up to its end, so batches may be cut anywhere.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import HOUR_US, MINUTE_US
from shiprider.measure.kernels import kernel
from shiprider.model.codes import ReceiverKind
from shiprider.model.reporting import reporting_interval_s

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]

#: Satellite positions remembered per identity: the disabling preset asks for 14.
SATELLITE_MEMORY: Final = 14
#: Who else is heard is counted per degree cell and ten minutes, for a day.
EPOCH_US: Final = 10 * MINUTE_US
EPOCHS: Final = 144
DEGREE_CELLS: Final = 180 * 360
#: At least so many vessels heard per ten minutes before say whether the others fell silent, too (P).
FEWEST_OTHERS: Final = 2.0
#: How long an identity's own reception counts, as the time constant of forgetting.
_OWN_MEMORY_S: Final = 6.0 * HOUR_US / 1e6
#: The same for its longest silence: a day of satellite passes, and then some (P).
_USUAL_MEMORY_S: Final = 48.0 * HOUR_US / 1e6
_SATELLITE: Final = int(ReceiverKind.SATELLITE)

# integer columns of an identity's last position
L_TIME: Final = 0
L_RAW: Final = 1
L_TRACK: Final = 2
L_CLASS: Final = 3
L_NAV: Final = 4
L_NATURE: Final = 5
L_RING: Final = 6  # next place in the ring of satellite times
L_FIRST: Final = 7  # time of the first position
L_INTEGERS: Final = 8
# float columns
L_LAT: Final = 0
L_LON: Final = 1
L_SPEED: Final = 2
L_COURSE: Final = 3
L_RECEIVED: Final = 4  # own reports heard, forgotten slowly
L_EXPECTED: Final = 5  # own reports sent meanwhile
L_USUAL: Final = 6  # own longest silence, s, fading
L_FLOATS: Final = 7
# what a silence adds: (integers) row of its end, satellite time 14 back, others heard per epoch x 1000
S_OTHERS_BEFORE: Final = 0
S_OTHERS_DURING: Final = 1


@kernel
def fading(share: float) -> float:
    """exp(-share); by its series, to 1e-12, where the share is small: reports are minutes apart, memories days."""
    if share > 0.01:
        return math.exp(-share)
    return 1.0 - share * (1.0 - share * (0.5 - share * (1.0 / 6.0 - share / 24.0)))


@kernel
def degree_cell(latitude: float, longitude: float) -> int:
    """Number of the one-degree cell."""
    column = math.floor(longitude + 180.0) % 360
    return int(min(max(math.floor(latitude + 90.0), 0), 179)) * 360 + int(column)


@kernel
def others_heard(row: int, start_us: int, end_us: int, last_epoch: I64, heard: I16) -> tuple[float, float]:
    """Identities heard per ten minutes in that cell: in the hour before, and inside the silence.

    `row` is the cell's row of `heard`. NaN where the silence has no whole epoch inside, or reaches
    further back than is remembered.
    """
    newest = last_epoch[row]
    first = start_us // EPOCH_US + 1
    last = end_us // EPOCH_US - 1
    before = 0.0
    for epoch in range(first - 7, first - 1):
        if newest - EPOCHS < epoch <= newest:
            before += heard[row, epoch % EPOCHS]
    if last < first or first <= newest - EPOCHS + 6:
        return before / 6.0, np.nan
    during = 0.0
    for epoch in range(first, min(last, newest) + 1):
        during += heard[row, epoch % EPOCHS]
    return before / 6.0, during / (last - first + 1)


@kernel
def others_around(
    latitude: float, longitude: float, start_us: int, end_us: int, cell_row: I32, last_epoch: I64, heard: I16
) -> tuple[float, float]:
    """`others_heard` of the cell; with the eight cells around it where too few are in it to tell."""
    cell = degree_cell(latitude, longitude)
    before, during = others_heard(cell_row[cell], start_us, end_us, last_epoch, heard)
    if before >= FEWEST_OTHERS or math.isnan(during):
        return before, during
    line, column = cell // 360, cell % 360
    for up in range(max(line - 1, 0), min(line + 1, 179) + 1):
        for aside in range(column - 1, column + 2):
            row = cell_row[up * 360 + aside % 360]
            if row < 0 or (up == line and aside == column):
                continue
            more, meanwhile = others_heard(row, start_us, end_us, last_epoch, heard)
            before += more
            during += meanwhile
    return before, during


@kernel
def find_silences(
    start: int,
    slot: I32,
    time_us: I64,
    latitude: F64,
    longitude: F64,
    speed: NDArray[np.float32],
    course: NDArray[np.float32],
    nav_status: NDArray[np.int8],
    transmitter: NDArray[np.int8],
    receiver_kind: NDArray[np.int8],
    nature: NDArray[np.int8],
    track: I64,
    raw: I64,
    shortest_us: int,
    integers: I64,
    floats: F64,
    satellites: I64,
    cell_row: I32,
    cells: int,
    last_epoch: I64,
    heard: I16,
    found_row: I64,
    found_integers: I64,
    found_floats: F64,
    found_satellite: I64,
    found_others: F64,
) -> tuple[int, int, int]:
    """Rows from `start`; writes each silence of at least `shortest_us` that ends, with the state before it.

    Stops early where the `found` arrays or `heard` are full. Returns (next row, silences found, cells).
    """
    count = 0
    for i in range(start, len(slot)):
        cell = degree_cell(latitude[i], longitude[i])
        row = cell_row[cell]
        if row < 0:
            if cells == len(heard):
                return i, count, cells
            row = cells
            cell_row[cell] = row
            last_epoch[row] = 0
            heard[row] = 0
            cells += 1
        v = slot[i]
        moment = time_us[i]
        known = integers[v, L_TIME] > 0
        if known and moment - integers[v, L_TIME] >= shortest_us:
            if count == len(found_row):
                return i, count, cells
            found_row[count] = i
            found_integers[count] = integers[v]
            found_floats[count] = floats[v]
            found_satellite[count] = satellites[v, integers[v, L_RING]]
            before, during = others_around(
                floats[v, L_LAT], floats[v, L_LON], integers[v, L_TIME], moment, cell_row, last_epoch, heard
            )
            found_others[count, S_OTHERS_BEFORE] = before
            found_others[count, S_OTHERS_DURING] = during
            count += 1

        epoch = moment // EPOCH_US
        if epoch > last_epoch[row]:
            # forget what the ring has come round to
            for old in range(max(last_epoch[row] + 1, epoch - EPOCHS + 1), epoch + 1):
                heard[row, old % EPOCHS] = 0
            last_epoch[row] = epoch
        new_here = (
            not known
            or integers[v, L_TIME] // EPOCH_US != epoch
            or degree_cell(floats[v, L_LAT], floats[v, L_LON]) != cell
        )
        if new_here and epoch > last_epoch[row] - EPOCHS and heard[row, epoch % EPOCHS] < 32767:
            heard[row, epoch % EPOCHS] += 1

        if known:
            elapsed = (moment - integers[v, L_TIME]) * 1e-6
            interval = reporting_interval_s(integers[v, L_CLASS], floats[v, L_SPEED], integers[v, L_NAV])
            fade = fading(elapsed / _OWN_MEMORY_S)
            floats[v, L_RECEIVED] = floats[v, L_RECEIVED] * fade + 1.0
            # a silence that is being judged must not excuse itself: it counts for an hour at most
            floats[v, L_EXPECTED] = floats[v, L_EXPECTED] * fade + max(min(elapsed, 3600.0) / interval, 1.0)
            floats[v, L_USUAL] = max(floats[v, L_USUAL] * fading(elapsed / _USUAL_MEMORY_S), elapsed)
        else:
            integers[v, L_FIRST] = moment
            floats[v, L_USUAL] = 0.0
        integers[v, L_TIME] = moment
        integers[v, L_RAW] = raw[i]
        integers[v, L_TRACK] = track[i]
        integers[v, L_CLASS] = transmitter[i]
        integers[v, L_NAV] = nav_status[i]
        integers[v, L_NATURE] = nature[i]
        floats[v, L_LAT] = latitude[i]
        floats[v, L_LON] = longitude[i]
        floats[v, L_SPEED] = speed[i]
        floats[v, L_COURSE] = course[i]
        if receiver_kind[i] == _SATELLITE:
            ring = integers[v, L_RING]
            satellites[v, ring] = moment
            integers[v, L_RING] = (ring + 1) % SATELLITE_MEMORY
    return len(slot), count, cells
