"""What a detector folds over: track points and statements in columns.

Always true: rows are ordered by `time_us`, ties by `raw`; arrays of one struct are equally long;
`until_us` is the event time up to which the rows are complete (so that silence can be judged).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.model.columns import floats, integers
from shiprider.model.tables import STATEMENTS, TRACK_POINTS

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]
I8 = NDArray[np.int8]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrackPoints:
    """Points of one picture, n rows. NaN where a speed, course or heading is unknown."""

    time_us: I64
    track: I64
    claimed_id: I64
    latitude_deg: F64
    longitude_deg: F64
    speed_mps: F32
    course_deg: F32
    heading_deg: F32
    nav_status: I8
    transmitter_class: I8
    receiver_kind: I8
    nature: I8
    flaws: I32
    raw: I64

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class StatementRows:
    """Static and voyage claims, n rows. `imo` 0, `ship_type` -1, lengths -1 where not said; texts are lists."""

    time_us: I64
    claimed_id: I64
    transmitter_class: I8
    imo: I32
    ship_type: I16
    length_m: I16
    name: list[str | None]
    callsign: list[str | None]
    raw: I64

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class Rows:
    """One batch for a fold."""

    points: TrackPoints
    statements: StatementRows
    until_us: int


def points_from_table(table: pa.Table) -> TrackPoints:
    """Track points in columns from a table of `model.tables.TRACK_POINTS`, in the table's order."""
    return TrackPoints(
        time_us=integers(table["time"], np.int64, 0),
        track=integers(table["track"], np.int64, 0),
        claimed_id=integers(table["claimed_id"], np.int64, 0),
        latitude_deg=floats(table["latitude_deg"], np.float64),
        longitude_deg=floats(table["longitude_deg"], np.float64),
        speed_mps=floats(table["speed_mps"], np.float32),
        course_deg=floats(table["course_deg"], np.float32),
        heading_deg=floats(table["heading_deg"], np.float32),
        nav_status=integers(table["nav_status"], np.int8, 15),
        transmitter_class=integers(table["transmitter_class"], np.int8, 0),
        receiver_kind=integers(table["receiver_kind"], np.int8, 0),
        nature=integers(table["nature"], np.int8, 0),
        flaws=integers(table["flaws"], np.int32, 0),
        raw=integers(table["raw"], np.int64, 0),
    )


def statements_from_table(table: pa.Table) -> StatementRows:
    """Statements from a table of `model.tables.STATEMENTS`, duplicates left out, ordered by time and raw."""
    if table.num_rows:
        table = table.filter(pc.is_null(table["duplicate_of"]))
        table = table.sort_by([("time", "ascending"), ("raw", "ascending")])
    bow = integers(table["to_bow_m"], np.int16, -1)
    stern = integers(table["to_stern_m"], np.int16, -1)
    said = (bow >= 0) & (stern >= 0) & (bow.astype(np.int32) + stern > 0)
    return StatementRows(
        time_us=integers(table["time"], np.int64, 0),
        claimed_id=integers(table["claimed_id"], np.int64, 0),
        transmitter_class=integers(table["transmitter_class"], np.int8, 0),
        imo=integers(table["imo"], np.int32, 0),
        ship_type=integers(table["ship_type"], np.int16, -1),
        length_m=np.where(said, bow + stern, -1).astype(np.int16),
        name=table["name"].to_pylist(),
        callsign=table["callsign"].to_pylist(),
        raw=integers(table["raw"], np.int64, 0),
    )


def no_points() -> TrackPoints:
    """Zero points."""
    return points_from_table(TRACK_POINTS.empty_table())


def no_statements() -> StatementRows:
    """Zero statements."""
    return statements_from_table(STATEMENTS.empty_table())
