"""Cooperative tracks: one per identity, split where one identity is claimed in two places.

Always true: every usable claim gets exactly one track; duplicates and positions with a disqualifying
flaw get none; a track's number is `claimed_id * 16 + branch`; one long batch and many short ones give
the same tracks and the same compact points.
"""

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Flaw, TransmitterClass
from shiprider.model.columns import floats, integers
from shiprider.model.rows import TrackPoints, points_from_table
from shiprider.model.tables import TIME, TRACK_POINTS
from shiprider.track import claims

#: A position with one of these is no claim of a place.
DISQUALIFYING: Final = int(Flaw.POSITION_UNAVAILABLE | Flaw.OFF_EARTH | Flaw.NULL_ISLAND | Flaw.TIME_FUTURE)
#: Fixed stations do not move and have no tracks.
_FIXED: Final = (int(TransmitterClass.BASE_STATION), int(TransmitterClass.AID_TO_NAVIGATION))

#: One row per identity: where it is and what it says it is.
VESSELS: Final = pa.schema(
    [
        ("claimed_id", pa.int64()),
        ("track", pa.int64()),
        ("time", TIME),
        ("latitude_deg", pa.float64()),
        ("longitude_deg", pa.float64()),
        ("speed_mps", pa.float32()),
        ("course_deg", pa.float32()),
        ("heading_deg", pa.float32()),
        ("nav_status", pa.int8()),
        ("transmitter_class", pa.int8()),
        ("receiver_kind", pa.int8()),
        ("nature", pa.int8()),
        ("flaws", pa.int32()),
        ("raw", pa.int64()),
        ("name", pa.string()),
        ("callsign", pa.string()),
        ("imo", pa.int32()),
        ("ship_type", pa.int16()),
        ("to_bow_m", pa.int16()),
        ("to_stern_m", pa.int16()),
        ("to_port_m", pa.int16()),
        ("to_starboard_m", pa.int16()),
        ("draught_m", pa.float32()),
        ("destination", pa.string()),
        ("statement_time", TIME),
    ]
)
_PLACE: Final = VESSELS.names[1:14]
_SAID: Final = VESSELS.names[14:24]
_CARRIED: Final = [name for name in TRACK_POINTS.names if name != "day"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """What one batch gave: all its points for detectors, the compact ones for the lake."""

    points: TrackPoints
    full: pa.Table
    compact: pa.Table


def usable(observations: pa.Table) -> NDArray[np.bool_]:
    """Which rows are claims of a place by something that moves, shape (n,)."""
    first_copy = integers(observations["duplicate_of"], np.int64, -1) < 0
    flaws = integers(observations["flaws"], np.int32, 0)
    transmitter = integers(observations["transmitter_class"], np.int8, 0)
    identity = integers(observations["claimed_id"], np.int64, 0)
    moving = (transmitter != _FIXED[0]) & (transmitter != _FIXED[1])
    return np.asarray(first_copy & ((flaws & DISQUALIFYING) == 0) & moving & (identity > 0))


class CooperativeTracker:
    """The fold's state. `fold` takes rows ordered by time and raw, each call after the last call's."""

    def __init__(self) -> None:
        self._slots = Slots()
        self._branches_of: NDArray[np.int32] = np.zeros((0, claims.BRANCHES), np.int32)
        self._next_number: NDArray[np.int8] = np.zeros(0, np.int8)
        self._numbers: NDArray[np.int64] = np.zeros((0, claims.B_INTEGERS), np.int64)
        self._floats: NDArray[np.float64] = np.zeros((0, claims.P_FLOATS))
        self._branch_count = 0
        self._free: NDArray[np.int32] = np.zeros(0, np.int32)
        self._carried = TRACK_POINTS.empty_table()
        self._places = pl.DataFrame(schema=_frame_schema(["claimed_id", *_PLACE]))
        self._sayings = pl.DataFrame(schema=_frame_schema(["claimed_id", *_SAID, "statement_time"]))

    def fold(self, observations: pa.Table, statements: pa.Table | None = None) -> Tracked:
        """Track the next rows; `statements` update what `vessels` says. Compact points come out when settled."""
        claimed = _as_points(observations.filter(pa.array(usable(observations))))
        rows = pa.concat_tables([self._carried, claimed]).combine_chunks()
        first = self._carried.num_rows
        total = rows.num_rows
        identity = integers(rows["claimed_id"], np.int64, 0)
        slot = self._slots.assign(identity)
        vessels, new = len(self._slots), claimed.num_rows
        self._branches_of = widened(self._branches_of, vessels, -1)
        self._next_number = widened(self._next_number, vessels, 0)
        self._numbers = widened(self._numbers, self._branch_count + new, -1)
        self._floats = widened(self._floats, self._branch_count + new, 0.0)
        free = np.empty(self._branch_count + new + len(self._free), np.int32)
        free[: len(self._free)] = self._free
        flaws = integers(rows["flaws"], np.int32, 0).copy()
        number_of = integers(rows["branch"], np.int8, 0).copy()
        kept = np.empty(first + 2 * new + 1, np.int64)
        kept_count, self._branch_count, free_count = claims.assign_claims(
            first,
            slot,
            integers(rows["time"], np.int64, 0),
            floats(rows["latitude_deg"]),
            floats(rows["longitude_deg"]),
            floats(rows["speed_mps"], np.float32),
            floats(rows["course_deg"], np.float32),
            integers(rows["transmitter_class"], np.int8, 0),
            flaws,
            self._branches_of,
            self._next_number,
            self._numbers,
            self._floats,
            self._branch_count,
            free,
            len(self._free),
            number_of,
            kept,
        )
        self._free = free[:free_count].copy()
        rows = _replaced(rows, "flaws", pa.array(flaws, pa.int32()))
        rows = _replaced(rows, "branch", pa.array(number_of, pa.int8()))
        track = identity * claims.NUMBERS + number_of
        rows = _replaced(rows, "track", pa.array(track, pa.int64()))
        compact = rows.take(pa.array(kept[:kept_count]))
        self._carry(rows, total)
        full = rows.slice(first)
        self._remember(full, statements)
        return Tracked(points_from_table(full), full, compact)

    def flush(self) -> pa.Table:
        """The last point of every track, not yet written: what a reader of the lake needs at the end."""
        return self._carried

    def vessels(self) -> pa.Table:
        """One row per identity, schema `VESSELS`: its newest place and what it last said of itself."""
        joined = self._places.join(self._sayings, on="claimed_id", how="full", coalesce=True).sort(
            "claimed_id"
        )
        table: pa.Table = joined.select(VESSELS.names).to_arrow()
        return table.cast(VESSELS)

    def snapshot(self) -> bytes:
        """All that is needed to go on from here."""
        sink = io.BytesIO()
        np.savez(
            sink,
            allow_pickle=False,
            keys=self._slots.keys[: self._slots.count],
            branches_of=self._branches_of[: self._slots.count],
            next_number=self._next_number[: self._slots.count],
            numbers=self._numbers[: self._branch_count],
            floats=self._floats[: self._branch_count],
            free=self._free,
            carried=_packed(self._carried),
            places=_packed(self._places.to_arrow()),
            sayings=_packed(self._sayings.to_arrow()),
        )
        return sink.getvalue()

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        with np.load(io.BytesIO(snapshot), allow_pickle=False) as kept:
            self._slots = Slots.of(kept["keys"])
            self._branches_of, self._next_number = kept["branches_of"], kept["next_number"]
            self._numbers, self._floats, self._free = kept["numbers"], kept["floats"], kept["free"]
            self._branch_count = len(self._numbers)
            self._carried = _unpacked(kept["carried"])
            self._places = _frame(_unpacked(kept["places"]), ["claimed_id", *_PLACE])
            self._sayings = _frame(_unpacked(kept["sayings"]), ["claimed_id", *_SAID, "statement_time"])

    def _carry(self, rows: pa.Table, total: int) -> None:
        """Keep the rows that branches still hold back, and point the branches at their new places."""
        held = self._numbers[: self._branch_count, claims.B_PENDING]
        holders = np.flatnonzero(held >= 0)
        order = np.argsort(held[holders], kind="stable")
        holders = holders[order]
        self._carried = rows.take(pa.array(held[holders])).combine_chunks() if total else rows
        self._numbers[holders, claims.B_PENDING] = np.arange(len(holders))

    def _remember(self, full: pa.Table, statements: pa.Table | None) -> None:
        if full.num_rows:
            new = _frame(full, ["claimed_id", *_PLACE])
            self._places = pl.concat([self._places, new]).unique(
                "claimed_id", keep="last", maintain_order=True
            )
        if statements is not None and statements.num_rows:
            said = _frame(
                statements.rename_columns(
                    ["statement_time" if name == "time" else name for name in statements.column_names]
                ),
                ["claimed_id", *_SAID, "statement_time"],
            )
            together = pl.concat([self._sayings, said])
            self._sayings = together.group_by("claimed_id", maintain_order=True).agg(
                [pl.col(name).drop_nulls().last() for name in (*_SAID, "statement_time")]
            )


def _as_points(observations: pa.Table) -> pa.Table:
    rows = observations.num_rows
    blank: dict[str, Any] = {
        "track": pa.array(np.zeros(rows, np.int64)),
        "branch": pa.array(np.zeros(rows, np.int8)),
    }
    return pa.table(
        [blank[name] if name in blank else observations[name] for name in TRACK_POINTS.names],
        schema=TRACK_POINTS,
    )


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)


def _frame_schema(names: list[str]) -> pl.Schema:
    empty = pl.from_arrow(pa.schema([VESSELS.field(name) for name in names]).empty_table())
    assert isinstance(empty, pl.DataFrame)  # noqa: S101 (polars' type is wider than what a table gives)
    return empty.schema


def _frame(table: pa.Table, names: list[str]) -> pl.DataFrame:
    frame = pl.from_arrow(table.select(names))
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 (polars' type is wider than what a table gives)
    return frame.cast(_frame_schema(names))


def _packed(table: pa.Table) -> NDArray[np.uint8]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), np.uint8)


def _unpacked(data: NDArray[np.uint8]) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(data.tobytes())).read_all()
