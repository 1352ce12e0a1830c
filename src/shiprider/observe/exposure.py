"""What should have been heard, and what was: counted while the data comes in.

Always true: a transmitter that was heard at two moments is taken to have sent at its M.1371 interval
all the time between, along the straight way between the two places; a copy heard by a second
receiver counts once. Counts only add, so days, batches and nodes can be merged by summing.

A silence by choice is counted as not heard, too: the map is the more cautious for it. Silences of
more than a day are not counted: nobody knows where the vessel was.
"""

import io
import math
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.measure.cells import h3_cells
from shiprider.measure.clock import DAY_US, HOUR_US, MINUTE_US
from shiprider.measure.geodesy import EARTH_RADIUS_M, wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Flaw, TransmitterClass
from shiprider.model.columns import floats, integers
from shiprider.model.reporting import reporting_interval_s
from shiprider.model.tables import RECEPTION

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

#: H3 resolution of the reception map: cells of about 45 km across, finer than a receiver's range.
RESOLUTION: Final = 4
#: Reports are added up while a vessel stays within this distance and this time ...
_STRETCH_DEG: Final = math.degrees(4_000.0 / EARTH_RADIUS_M)
_STRETCH_US: Final = 15 * MINUTE_US
#: ... and a longer silence is spread along its way in steps of this.
_STEP_US: Final = 15 * MINUTE_US
LONGEST_US: Final = DAY_US

_UNUSABLE: Final = int(Flaw.POSITION_UNAVAILABLE | Flaw.OFF_EARTH | Flaw.NULL_ISLAND | Flaw.TIME_FUTURE)
_BASE: Final = int(TransmitterClass.BASE_STATION)
_LOCATING: Final = int(TransmitterClass.LOCATING_DEVICE)

# integer columns of an identity
E_TIME: Final = 0
E_CLASS: Final = 1
E_NAV: Final = 2
E_FROM: Final = 3  # begin of the stretch being added up
E_KIND: Final = 4
E_RECEIVED: Final = 5
E_INTEGERS: Final = 6
# float columns
E_LAT: Final = 0
E_LON: Final = 1
E_SPEED: Final = 2
E_FROM_LAT: Final = 3
E_FROM_LON: Final = 4
E_EXPECTED: Final = 5
E_FLOATS: Final = 6
# integer columns of a stretch that came out
O_TIME: Final = 0
O_SLOT: Final = 1
O_CLASS: Final = 2
O_KIND: Final = 3
O_RECEIVED: Final = 4
O_INTEGERS: Final = 5
#: One silence comes out in at most so many steps.
_MOST_STEPS: Final = LONGEST_US // _STEP_US + 4


@kernel
def _emit(
    out: I64,
    where: F64,
    at: int,
    time_us: int,
    slot: int,
    station: int,
    kind: int,
    received: int,
    latitude: float,
    longitude: float,
    expected: float,
) -> int:
    out[at, O_TIME] = time_us
    out[at, O_SLOT] = slot
    out[at, O_CLASS] = station
    out[at, O_KIND] = kind
    out[at, O_RECEIVED] = received
    where[at, 0] = latitude
    where[at, 1] = longitude
    where[at, 2] = expected
    return at + 1


@kernel
def count_exposure(
    start: int,
    slot: NDArray[np.int32],
    use: NDArray[np.bool_],
    time_us: I64,
    latitude: F64,
    longitude: F64,
    speed: NDArray[np.float32],
    nav_status: NDArray[np.int8],
    transmitter: NDArray[np.int8],
    receiver_kind: NDArray[np.int8],
    numbers: I64,
    places: F64,
    out: I64,
    where: F64,
) -> tuple[int, int]:
    """Add rows from `start` up into stretches; stops early where `out` is nearly full: (next row, stretches)."""
    count = 0
    for i in range(start, len(slot)):
        if not use[i]:
            continue
        if count + _MOST_STEPS > len(out):
            return i, count
        v = slot[i]
        moment = time_us[i]
        last = numbers[v, E_TIME]
        if last > 0 and moment < last:
            # late: heard, but what it should have sent is already counted
            count = _emit(
                out,
                where,
                count,
                moment,
                v,
                transmitter[i],
                receiver_kind[i],
                1,
                latitude[i],
                longitude[i],
                0.0,
            )
            continue
        gap = moment - last
        fresh = last == 0
        if not fresh:
            interval = reporting_interval_s(numbers[v, E_CLASS], places[v, E_SPEED], numbers[v, E_NAV])
            sent = max(gap * 1e-6 / interval, 1.0)
            near = (
                abs(latitude[i] - places[v, E_FROM_LAT]) < _STRETCH_DEG
                and abs(wrapped_deg(longitude[i] - places[v, E_FROM_LON])) < _STRETCH_DEG
            )
            together = (
                near
                and moment - numbers[v, E_FROM] < _STRETCH_US
                and moment // HOUR_US == numbers[v, E_FROM] // HOUR_US
                and numbers[v, E_KIND] == receiver_kind[i]
                and numbers[v, E_CLASS] == transmitter[i]
            )
            if together:
                numbers[v, E_RECEIVED] += 1
                places[v, E_EXPECTED] += sent
            else:
                count = _emit(
                    out,
                    where,
                    count,
                    numbers[v, E_FROM],
                    v,
                    numbers[v, E_CLASS],
                    numbers[v, E_KIND],
                    numbers[v, E_RECEIVED],
                    places[v, E_FROM_LAT],
                    places[v, E_FROM_LON],
                    places[v, E_EXPECTED],
                )
                fresh = True
                expected = sent
                if gap > LONGEST_US:
                    expected = 1.0
                elif gap > _STEP_US:
                    steps = math.ceil(gap / _STEP_US)
                    expected = sent / steps
                    for k in range(steps - 1):
                        part = (k + 0.5) / steps
                        count = _emit(
                            out,
                            where,
                            count,
                            last + int(gap * part),
                            v,
                            numbers[v, E_CLASS],
                            numbers[v, E_KIND],
                            0,
                            places[v, E_LAT] + part * (latitude[i] - places[v, E_LAT]),
                            places[v, E_LON] + part * wrapped_deg(longitude[i] - places[v, E_LON]),
                            expected,
                        )
        else:
            expected = 1.0
        if fresh:
            numbers[v, E_FROM] = moment
            numbers[v, E_KIND] = receiver_kind[i]
            numbers[v, E_RECEIVED] = 1
            places[v, E_FROM_LAT] = latitude[i]
            places[v, E_FROM_LON] = longitude[i]
            places[v, E_EXPECTED] = expected
        numbers[v, E_TIME] = moment
        numbers[v, E_CLASS] = transmitter[i]
        numbers[v, E_NAV] = nav_status[i]
        places[v, E_LAT] = latitude[i]
        places[v, E_LON] = longitude[i]
        places[v, E_SPEED] = speed[i]
    return len(slot), count


_KEYS: Final = ("day", "hour", "cell", "transmitter_class", "receiver_kind")
_SUMS: Final = ("expected", "received_count", "vessels")


class ReceptionCounter:
    """Counts as rows come in. `drain` gives what was added since the last drain, as rows of `RECEPTION`."""

    def __init__(self) -> None:
        self._slots = Slots()
        self._numbers: I64 = np.zeros((0, E_INTEGERS), np.int64)
        self._places: F64 = np.zeros((0, E_FLOATS))
        self._pending: list[pl.DataFrame] = []

    def count(self, observations: pa.Table) -> None:
        """Add cleaned rows, in order of arrival, each call those after the last call's."""
        flaws = integers(observations["flaws"], np.int32, 0)
        transmitter = integers(observations["transmitter_class"], np.int8, 0)
        use = (
            (integers(observations["duplicate_of"], np.int64, -1) < 0)
            & ((flaws & _UNUSABLE) == 0)
            & (transmitter != _BASE)
            & (transmitter != _LOCATING)
        )
        slot = self._slots.assign(integers(observations["claimed_id"], np.int64, 0))
        self._numbers = widened(self._numbers, len(self._slots), 0)
        self._places = widened(self._places, len(self._slots), 0.0)
        out = np.empty((_MOST_STEPS + 65_536, O_INTEGERS), np.int64)
        where = np.empty((len(out), 3))
        columns = (
            use,
            integers(observations["time"], np.int64, 0),
            floats(observations["latitude_deg"]),
            floats(observations["longitude_deg"]),
            floats(observations["speed_mps"], np.float32),
            integers(observations["nav_status"], np.int8, 15),
            transmitter,
            integers(observations["receiver_kind"], np.int8, 0),
        )
        row = 0
        while row < len(slot):
            row, count = count_exposure(row, slot, *columns, self._numbers, self._places, out, where)
            self._add(out[:count], where[:count])

    def drain(self) -> pa.Table:
        """Counts since the last drain, stretches still going on included; schema `RECEPTION`."""
        going = np.flatnonzero(self._numbers[: len(self._slots), E_RECEIVED] > 0)
        numbers, places = self._numbers[going], self._places[going]
        out = np.column_stack(
            (numbers[:, E_FROM], going, numbers[:, E_CLASS], numbers[:, E_KIND], numbers[:, E_RECEIVED])
        )
        where = np.column_stack((places[:, E_FROM_LAT], places[:, E_FROM_LON], places[:, E_EXPECTED]))
        self._add(out, where)
        self._numbers[going, E_RECEIVED] = 0
        self._places[going, E_EXPECTED] = 0.0
        if not self._pending:
            return RECEPTION.empty_table()
        table: pa.Table = merged_frames(self._pending).to_arrow().cast(RECEPTION)
        self._pending = []
        return table

    def _add(self, out: I64, where: F64) -> None:
        if not len(out):
            return
        longitude = (where[:, 1] + 180.0) % 360.0 - 180.0
        segments = pl.DataFrame(
            {
                "time": out[:, O_TIME],
                "slot": out[:, O_SLOT],
                "cell": h3_cells(where[:, 0], longitude, RESOLUTION),
                "transmitter_class": out[:, O_CLASS].astype(np.int8),
                "receiver_kind": out[:, O_KIND].astype(np.int8),
                "expected": where[:, 2],
                "received_count": out[:, O_RECEIVED],
            }
        ).with_columns(
            day=pl.from_epoch(pl.col("time") // DAY_US, "d").cast(pl.Date),
            hour=(pl.col("time") // HOUR_US % 24).cast(pl.Int8),
        )
        # what should have been heard is the same whoever hears it: it stands with receiver kind 0
        sent = (
            segments.with_columns(receiver_kind=pl.lit(0, pl.Int8))
            .group_by(_KEYS)
            .agg(pl.col("expected").sum(), pl.col("slot").n_unique().alias("vessels"))
            .with_columns(received_count=pl.lit(0, pl.Int64))
        )
        heard = (
            segments.group_by(_KEYS)
            .agg(pl.col("received_count").sum())
            .with_columns(expected=pl.lit(0.0), vessels=pl.lit(0, pl.UInt32))
        )
        columns = [*_KEYS, *_SUMS]
        together = pl.concat([sent.select(columns), heard.select(columns)])
        self._pending.append(together)
        if sum(len(part) for part in self._pending) > 2_000_000:
            self._pending = [merged_frames(self._pending)]

    def snapshot(self) -> bytes:
        """All that is needed to go on from here; drain first, what is pending is not in it."""
        sink = io.BytesIO()
        count = len(self._slots)
        np.savez(
            sink,
            allow_pickle=False,
            keys=self._slots.keys[:count],
            numbers=self._numbers[:count],
            places=self._places[:count],
        )
        return sink.getvalue()

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        with np.load(io.BytesIO(snapshot), allow_pickle=False) as kept:
            self._slots = Slots.of(kept["keys"])
            self._numbers, self._places = kept["numbers"], kept["places"]
        self._pending = []


def merged_frames(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Counts of the same day, hour, cell, class and receiver kind summed, in that order."""
    return (
        pl.concat(frames)
        .group_by(_KEYS)
        .agg([pl.col(name).sum() for name in _SUMS])
        .filter((pl.col("expected") > 0) | (pl.col("received_count") > 0))
        .sort(_KEYS)
        .select([*_KEYS, *_SUMS])
    )


def merged(tables: list[pa.Table]) -> pa.Table:
    """`RECEPTION` rows of several batches, days or nodes as one."""
    frames = [frame for table in tables if isinstance(frame := pl.from_arrow(table), pl.DataFrame)]
    return merged_frames(frames).to_arrow().cast(RECEPTION) if frames else RECEPTION.empty_table()
