"""Normal traffic: how often vessels of a class go that way there, learnt from earlier days.

Always true: a fitted model never changes and names its days; it counts visits (one vessel, one day,
one cell, one way), so a vessel that lingers weighs no more than one that passes; the thresholds come
from the same days, each half of the vessels judged by what the other half did.
"""

import hashlib
import io
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.measure.cells import h3_cells
from shiprider.measure.clock import DAY_US, MINUTE_US
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots
from shiprider.model.columns import floats, integers
from shiprider.model.identity import VesselClass, vessel_class

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: H3 resolution: cells of about 17 km across, the width of a busy lane with its edges.
RESOLUTION: Final = 5
#: A way is one of eight course sectors and one of four speeds (limits m/s: drifting, slow, service, fast).
SECTORS: Final = 8
_SPEED_LIMITS: Final = np.array([1.5, 5.0, 10.0])
WAYS: Final = SECTORS * (len(_SPEED_LIMITS) + 1)
#: How often a vessel's way is looked at.
STEP_US: Final = 10 * MINUTE_US
#: Below this a vessel has no course.
LEAST_MPS: Final = 1.0
#: What a visit elsewhere counts here: by any class, in a cell beside, on another way (P).
_ANY_CLASS: Final = 0.2
_BESIDE: Final = 0.3
_ANY_WAY: Final = 0.05
_FLOOR: Final = 0.02
#: The drift of the cumulative sum, log units a step: a way e^2 times rarer than usual adds nothing.
DRIFT: Final = 2.0
_CLASSES: Final = len(VesselClass)
#: From so many vessel-days of a class on its own maxima count; below, those of all classes.
_ENOUGH_VESSEL_DAYS: Final = 200
#: With fewer of all classes nothing is called normal. Between the two the highest maximum of few days says
#: less of the days to come: the margin beyond it grows as they get fewer (P).
_LEAST_VESSEL_DAYS: Final = 60


def way_of(course_deg: F64, speed_mps: F64) -> NDArray[np.int64]:
    """The number of a way, shape (n,)."""
    sector = np.floor((np.nan_to_num(course_deg) + 180.0 / SECTORS) % 360.0 / (360.0 / SECTORS)).astype(
        np.int64
    )
    return np.asarray(np.searchsorted(_SPEED_LIMITS, np.nan_to_num(speed_mps)) * SECTORS + sector)


@kernel
def cumulated(slot: NDArray[np.int32], rarity: F64, sums: F64, out: F64) -> None:
    """The one-sided cumulative sum per slot (Page 1954); `sums` is the state, `out` each row's value."""
    for i in range(len(slot)):
        v = slot[i]
        sums[v] = max(sums[v] + rarity[i], 0.0)
        out[i] = sums[v]


@dataclass(frozen=True, slots=True)
class TrafficModel:
    """Visits by cell, class and way. `keys` ascending: (row of the cell * classes + class) * ways + way.

    `maxima` per class: the highest cumulative sums of the vessel-days of the fit, ascending.
    """

    version: str
    cells: NDArray[np.uint64]
    beside: NDArray[np.int64]
    keys: I64
    visits: NDArray[np.float32]
    mean_log: float
    maxima: tuple[F64, ...]

    def log_density(
        self,
        vessel_class: NDArray[np.int8],
        latitude_deg: F64,
        longitude_deg: F64,
        course_deg: F64,
        speed_mps: F64,
    ) -> F64:
        """Log of the visits there that way against the mean over all visits, shape (n,)."""
        cells = h3_cells(latitude_deg, longitude_deg, RESOLUTION)
        return self._log(cells, vessel_class.astype(np.int64), way_of(course_deg, speed_mps)) - self.mean_log

    def departure_threshold(self, vessel_class_code: int, false_alarms_per_vessel_day: float) -> float:
        """The cumulative sum that so small a share of vessel-days reached; beyond the highest where too few were seen."""
        maxima = self.maxima[vessel_class_code]
        if len(maxima) < _ENOUGH_VESSEL_DAYS:
            maxima = np.sort(np.concatenate(self.maxima))
        if len(maxima) < _LEAST_VESSEL_DAYS:
            return float("inf")
        if len(maxima) < _ENOUGH_VESSEL_DAYS:
            return float(maxima[-1]) * 1.2 + 5.0 * DRIFT * _ENOUGH_VESSEL_DAYS / len(maxima)
        allowed = int(false_alarms_per_vessel_day * (len(maxima) + 1))
        # split conformal: with n days, no more than `allowed` of n + 1 may lie above
        return float(maxima[-1 - allowed]) if allowed > 0 else float(maxima[-1]) * 1.2 + DRIFT

    def _log(self, cells: NDArray[np.uint64], station: I64, way: I64) -> F64:
        row = np.searchsorted(self.cells, cells)
        row = np.where(
            (row < len(self.cells)) & (self.cells[np.minimum(row, len(self.cells) - 1)] == cells), row, -1
        )
        count = self._blend(row, station, way)
        beside = self._beside(cells, row)
        around = np.zeros(len(row))
        for k in range(beside.shape[1]):
            around += self._blend(beside[:, k], station, way)
        total = count + _BESIDE * around / self.beside.shape[1]
        return np.asarray(np.log(total + _FLOOR))

    def _beside(self, cells: NDArray[np.uint64], row: I64) -> I64:
        """Rows of the six cells around each, -1 where nobody was seen there; shape (n, 6)."""
        beside = self.beside[row]
        for cell in np.unique(cells[row < 0]).tolist():
            ring = np.array(sorted(set(h3.grid_disk(cell, 1)) - {cell}) if cell else [], np.uint64)[:6]
            at = np.minimum(np.searchsorted(self.cells, ring), len(self.cells) - 1)
            rows = np.full(6, -1)
            rows[: len(ring)] = np.where(self.cells[at] == ring, at, -1)
            beside[cells == cell] = rows
        return beside

    def _blend(self, row: I64, station: I64, way: I64) -> F64:
        """Visits of the class that way, a little of any class, a little of any way; 0 for row -1."""
        mine = self._visits(row, station, way)
        anybody = self._visits(row, np.full(len(row), _CLASSES), way)
        any_way = self._visits(row, station, np.full(len(row), WAYS))
        return mine + _ANY_CLASS * anybody + _ANY_WAY * any_way

    def _visits(self, row: I64, station: I64, way: I64) -> F64:
        wanted = _key(row, station, way)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where((row >= 0) & (self.keys[at] == wanted), self.visits[at], 0.0)

    def save(self) -> bytes:
        """The fit as bytes."""
        sink = io.BytesIO()
        lengths = np.array([len(part) for part in self.maxima])
        np.savez_compressed(
            sink,
            allow_pickle=False,
            version=np.array(self.version),
            cells=self.cells,
            beside=self.beside,
            keys=self.keys,
            visits=self.visits,
            mean_log=np.array(self.mean_log),
            maxima=np.concatenate(self.maxima),
            lengths=lengths,
        )
        return sink.getvalue()

    @classmethod
    def load(cls, data: bytes) -> "TrafficModel":
        """The fit of `save`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            ends = np.cumsum(kept["lengths"])[:-1]
            return cls(
                str(kept["version"]),
                kept["cells"],
                kept["beside"],
                kept["keys"],
                kept["visits"],
                float(kept["mean_log"]),
                tuple(np.split(kept["maxima"], ends)),
            )


def _key(row: Any, station: Any, way: Any) -> I64:
    # one class and one way more than there are: "any"
    return np.asarray((row * (_CLASSES + 1) + station) * (WAYS + 1) + way, np.int64)


def fit_traffic(
    track_points: pa.Table, statements: pa.Table, *, before: date | None = None
) -> TrafficModel | None:
    """A model from `TRACK_POINTS` and `STATEMENTS` of earlier days; None where there is nothing to learn from."""
    if before is not None:
        track_points = track_points.filter(pc.less(track_points["day"], pa.scalar(before, pa.date32())))
    identity = integers(track_points["claimed_id"], np.int64, 0)
    time_us = integers(track_points["time"], np.int64, 0)
    speed, course = floats(track_points["speed_mps"]), floats(track_points["course_deg"])
    good = (speed >= LEAST_MPS) & np.isfinite(course)
    order = np.flatnonzero(good)
    order = order[np.lexsort((time_us[order], identity[order]))]
    if not len(order):
        return None
    identity, time_us = identity[order], time_us[order]
    step = time_us // STEP_US
    # one look a step: the first point of each
    first = np.r_[True, (np.diff(identity) != 0) | (np.diff(step) != 0)]
    order, identity, time_us = order[first], identity[first], time_us[first]
    latitude = floats(track_points["latitude_deg"])[order]
    longitude = floats(track_points["longitude_deg"])[order]
    way = way_of(course[order], speed[order])
    station = _classes(identity, statements)
    cells_of = h3_cells(latitude, longitude, RESOLUTION)
    cells = np.unique(cells_of)
    row = np.searchsorted(cells, cells_of)
    day = time_us // DAY_US
    keys, visits = _counted(identity, day, row, station, way)
    index = {int(cell): k for k, cell in enumerate(cells.tolist())}
    beside = np.array(
        [
            ([index.get(other, -1) for other in sorted(set(h3.grid_disk(cell, 1)) - {cell})] + [-1] * 6)[:6]
            for cell in index
        ],
        np.int64,
    )
    days = f"{date.fromordinal(719163 + int(day.min()))}..{date.fromordinal(719163 + int(day.max()))}"
    digest = hashlib.sha256(keys.tobytes() + visits.tobytes()).hexdigest()[:8]
    empty = tuple(np.zeros(0) for _ in range(_CLASSES))
    model = TrafficModel(f"{days}/{digest}", cells, beside, keys, visits, 0.0, empty)
    # what is normal for one half of the vessels, judged by the other half (cross-fitting)
    half = (identity.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(63)).astype(np.int64)
    logs = np.empty(len(identity))
    for part in (0, 1):
        others, judged = half != part, half == part
        if not others.any():
            others = judged
        other_keys, other_visits = _counted(
            identity[others], day[others], row[others], station[others], way[others]
        )
        weight = len(identity) / max(int(others.sum()), 1)
        judge = TrafficModel(
            "", cells, beside, other_keys, (other_visits * weight).astype(np.float32), 0.0, empty
        )
        logs[judged] = judge._log(cells_of[judged], station[judged], way[judged])
    mean = float(logs.mean())
    slots = Slots()
    slot = slots.assign(identity * 100_000 + day)
    sums, reached = np.zeros(len(slots)), np.empty(len(slot))
    cumulated(slot, mean - logs - DRIFT, sums, reached)
    highest = np.zeros(len(slots))
    np.maximum.at(highest, slot, reached)
    class_of = np.zeros(len(slots), np.int64)
    class_of[slot] = station
    maxima = tuple(np.sort(highest[class_of == code]) for code in range(_CLASSES))
    return TrafficModel(model.version, cells, beside, keys, visits, mean, maxima)


def _classes(identity: I64, statements: pa.Table) -> I64:
    """Vessel class of each row by what its identity last said of its type."""
    types = integers(statements["ship_type"], np.int64, -1)
    said = types > 0
    who, what = integers(statements["claimed_id"], np.int64, 0)[said], types[said]
    of = dict(zip(who.tolist(), what.tolist(), strict=True))
    distinct, back = np.unique(identity, return_inverse=True)
    return np.array([int(vessel_class(of.get(i, -1))) for i in distinct.tolist()], np.int64)[back]


def _counted(identity: I64, day: I64, row: I64, station: I64, way: I64) -> tuple[I64, NDArray[np.float32]]:
    """Visits by key, those of any class and of any way as keys of their own."""
    base = pl.DataFrame({"id": identity, "day": day, "row": row, "station": station, "way": way})
    parts = []
    for any_class, any_way in ((False, False), (True, False), (False, True)):
        frame = base.with_columns(
            pl.lit(_CLASSES, pl.Int64).alias("station") if any_class else pl.col("station"),
            pl.lit(WAYS, pl.Int64).alias("way") if any_way else pl.col("way"),
        )
        parts.append(frame.unique().group_by(["row", "station", "way"]).len())
    counts = pl.concat(parts)
    keys = _key(counts["row"].to_numpy(), counts["station"].to_numpy(), counts["way"].to_numpy())
    order = np.argsort(keys)
    return keys[order], counts["len"].to_numpy().astype(np.float32)[order]
