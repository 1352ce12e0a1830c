"""Lake: bulk tables in columns, by day, that can be thrown away and rebuilt from the spool.

Always true: rows are only added (retention and rebuild apart); what a writer committed up to a
position is in the lake once, never twice, whatever crashes; a reader sees whole commits of a table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DayInfo:
    """What one table holds of one day; the addresses are None where the table has none."""

    table: str
    day: date
    rows: int
    bytes: int
    files: int
    first_raw: int | None = None
    last_raw: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Rows that must stay: any that match every part given. Times and addresses are half-open spans."""

    claimed_ids: tuple[int, ...] = ()
    start_us: int | None = None
    end_us: int | None = None
    raw_start: int | None = None
    raw_end: int | None = None


class LakeWriter(Protocol):
    """The one writer of a set of tables: a stream of rows tied to spool positions."""

    @property
    def position(self) -> int:
        """The spool position up to which every table of the stream is complete (0: nothing)."""
        ...

    @property
    def state_position(self) -> int:
        """Where `state` was taken: at `position`, or before it."""
        ...

    @property
    def state(self) -> bytes:
        """What to go on from at `state_position`; empty at the beginning."""
        ...

    def add(self, rows: Mapping[str, pa.Table], end: int) -> None:
        """Rows that came out of the spool up to `end`; not visible yet. Raises DiskFull: call again.

        A table that already holds `end` (a crash came between two tables) passes its rows over.
        """
        ...

    def commit(self, position: int, state: bytes | None = None) -> None:
        """Make all that was added visible and durable, together with the state to go on from.

        Without a state the one before stays, and the rows since then will be decoded again. Raises
        DiskFull: call again, nothing is doubled.
        """
        ...


class Lake(Protocol):
    """The tables of `model.tables.TABLES`."""

    def writer(self, stream: str, tables: Sequence[str]) -> LakeWriter:
        """The writer of a named stream. Raises CorruptStore if a table lost what was committed."""
        ...

    def scan(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        start_us: int | None = None,
        end_us: int | None = None,
        claimed_ids: Sequence[int] | None = None,
        known_us: int | None = None,
        raw_start: int | None = None,
        raw_end: int | None = None,
        days: Sequence[date] | None = None,
    ) -> pl.LazyFrame:
        """Rows with `start_us <= time < end_us` of these vessels, as known at `known_us` (`received`).

        Files that cannot match are not opened. Quarantine rows have `received` for their time.
        """
        ...

    def days(self, table: str) -> Sequence[DayInfo]:
        """What there is, day by day, ascending."""
        ...

    def insert(self, rows: Mapping[str, pa.Table]) -> dict[str, int]:
        """Add rows whose (`raw`) the table does not hold yet; how many per table were new."""
        ...

    def remove_raws(self, table: str, raws: Iterable[int]) -> int:
        """Remove the rows with these addresses; how many there were."""
        ...

    def remove_day(self, table: str, day: date, keep: Sequence[Hold] = ()) -> int:
        """Remove one day but what a hold keeps; rows removed."""
        ...

    def held(self, table: str, day: date, holds: Sequence[Hold]) -> DayInfo:
        """How much of one day the holds keep (`bytes` and `files` are 0: nobody knows before)."""
        ...

    def compact(self, *, small_files: int = 8) -> int:
        """Join the small files of each day, sorted by vessel and time; files replaced."""
        ...

    def vacuum(self, older_than_s: float = 3600.0) -> int:
        """Delete files that no table names any more; how many."""
        ...

    def copy_to(self, folder: Path) -> None:
        """A whole copy of every table and of every stream's position, while writers go on.

        `folder` gets `lake/` and `state/`, which open as a lake. Raises DiskFull, StorageError.
        """
        ...
