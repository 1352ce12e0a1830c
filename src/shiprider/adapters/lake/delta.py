"""The lake: Delta tables partitioned by day, in a folder or an object store.

Always true: one process writes (the node's lock holder); checkpoints of streams are beside the
lake on the node's own disk, also when the tables are in an object store.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from shiprider.adapters.lake import compaction, parquet
from shiprider.adapters.lake.disk import Place, is_remote, make_folder, replace, storage_error
from shiprider.adapters.lake.recovery import cut_torn_log
from shiprider.adapters.lake.stream import StreamWriter, by_day, load_checkpoint
from shiprider.adapters.lake.table import LakeTable
from shiprider.model.errors import NotFound
from shiprider.model.tables import TABLES
from shiprider.ports.lake import DayInfo, Hold

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _no_probe(step: str) -> None:
    del step


class DeltaLake:
    """See `ports.lake.Lake`."""

    def __init__(
        self,
        url: str | Path,
        state: Path,
        *,
        options: dict[str, str] | None = None,
        probe: Callable[[str], None] = _no_probe,
    ) -> None:
        self._url = str(url).rstrip("/")
        self._state = state
        self._options = options
        self._probe = probe
        self._tables: dict[str, LakeTable] = {}
        self._lock = threading.RLock()
        try:
            make_folder(state)
            if not is_remote(self._url):
                make_folder(Path(self._url))
        except OSError as error:
            raise storage_error(error, self._url) from error

    # -- tables ------------------------------------------------------------------------------------

    def table(self, name: str) -> LakeTable:
        """One table, made where it is not there yet. Raises NotFound for a name that is none."""
        with self._lock:
            found = self._tables.get(name)
            if found is None:
                if name not in TABLES:
                    raise NotFound(f"There is no table {name!r}: the tables are {', '.join(TABLES)}.")
                place = Place(f"{self._url}/{name}", self._options)
                if place.folder is not None:
                    cut_torn_log(place.folder, self._acknowledged(name))
                found = self._tables[name] = LakeTable(name, TABLES[name], place)
            return found

    def _acknowledged(self, table: str) -> int:
        checkpoints = (load_checkpoint(path) for path in self._state.glob("*.checkpoint"))
        return max((c.versions.get(table, -1) for c in checkpoints if c is not None), default=-1)

    def writer(self, stream: str, tables: Sequence[str]) -> StreamWriter:
        """The writer of a named stream; see the port."""
        return StreamWriter(
            stream,
            {name: self.table(name) for name in tables},
            self._state / f"{stream}.checkpoint",
            self._probe,
        )

    # -- reading -----------------------------------------------------------------------------------

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
        """Rows of a table; see the port."""
        source = self.table(table)
        time = "time" if "time" in source.schema.names else "received"
        files = source.files()
        bounds = [
            (f"max_{time}", ">=", None if start_us is None else _moment(start_us)),
            (f"min_{time}", "<", None if end_us is None else _moment(end_us)),
            ("min_received", "<=", None if known_us is None else _moment(known_us)),
            ("max_raw", ">=", raw_start),
            ("min_raw", "<", raw_end),
        ]
        for name, sign, value in bounds:
            if value is not None and name in files.columns:
                column = pl.col(name)
                kept = column >= value if sign == ">=" else column < value if sign == "<" else column <= value
                files = files.filter(kept.fill_null(True))
        if days is not None:
            files = files.filter(pl.col("day").is_in(list(days)))
        if claimed_ids and "min_claimed_id" in files.columns:
            least, greatest = min(claimed_ids), max(claimed_ids)
            files = files.filter(
                ((pl.col("min_claimed_id") <= greatest) & (pl.col("max_claimed_id") >= least)).fill_null(True)
            )
        frame = self._frame(source, files["path"].to_list())
        names = source.schema.names
        if start_us is not None and time in names:
            frame = frame.filter(pl.col(time) >= _moment(start_us))
        if end_us is not None and time in names:
            frame = frame.filter(pl.col(time) < _moment(end_us))
        if known_us is not None and "received" in names:
            frame = frame.filter(pl.col("received") <= _moment(known_us))
        if raw_start is not None and "raw" in names:
            frame = frame.filter(pl.col("raw") >= raw_start)
        if raw_end is not None and "raw" in names:
            frame = frame.filter(pl.col("raw") < raw_end)
        if claimed_ids is not None and "claimed_id" in names:
            frame = frame.filter(pl.col("claimed_id").is_in(list(claimed_ids)))
        return frame.select(list(columns) if columns is not None else names)

    def _frame(self, source: LakeTable, paths: Sequence[str]) -> pl.LazyFrame:
        wanted = pl.DataFrame(pl.from_arrow(source.schema.empty_table())).schema
        if not paths:
            return pl.DataFrame(schema=wanted).lazy()
        frame = pl.scan_parquet(
            [source.place.locate(path) for path in paths],
            hive_partitioning=True,
            hive_schema={"day": pl.Date},
            storage_options=source.place.options,
        )
        if "cell" in wanted:
            frame = frame.with_columns(pl.col("cell").cast(pl.UInt64))
        return frame

    def days(self, table: str) -> Sequence[DayInfo]:
        """What there is, day by day; see the port."""
        files = self.table(table).files()
        if not len(files):
            return ()
        ends = [pl.col("min_raw").min(), pl.col("max_raw").max()] if "min_raw" in files.columns else []
        grouped = (
            files.group_by("day")
            .agg(pl.col("rows").sum(), pl.col("size").sum(), pl.len().alias("files"), *ends)
            .sort("day")
        )
        return tuple(DayInfo(table, *row) for row in grouped.iter_rows())

    # -- changing ----------------------------------------------------------------------------------

    def insert(self, rows: Mapping[str, pa.Table]) -> dict[str, int]:
        """Add rows whose address the table does not hold yet; see the port."""
        return {name: self._insert(self.table(name), table) for name, table in rows.items()}

    def _insert(self, table: LakeTable, rows: pa.Table) -> int:
        if not len(rows):
            return 0
        addresses = rows.column("raw").to_numpy()
        raws = pl.Series("raw", addresses)
        first, last = int(addresses.min()), int(addresses.max()) + 1
        with table.lock:
            held = self.scan(table.name, ["raw"], raw_start=first, raw_end=last).collect()["raw"]
            new = rows.filter(pa.array((~raws.is_in(held.implode())).to_numpy()))
            new = new.filter(pa.array(pl.Series("raw", new.column("raw")).is_first_distinct().to_numpy()))
            if len(new):
                try:
                    adds = [parquet.write(table.place, day, part) for day, part in by_day(new)]
                except OSError as error:
                    raise storage_error(error, table.place.url) from error
                table.commit(adds)
        return len(new)

    def remove_raws(self, table: str, raws: Iterable[int]) -> int:
        """Remove the rows with these addresses; see the port."""
        wanted = pl.Series("raw", sorted(raws), pl.Int64)
        if not len(wanted):
            return 0
        source = self.table(table)
        return compaction.rewrite(source, self._frame, ~pl.col("raw").is_in(wanted.implode()))

    def remove_day(self, table: str, day: date, keep: Sequence[Hold] = ()) -> int:
        """Remove one day but what a hold keeps; see the port."""
        source = self.table(table)
        return compaction.rewrite(source, self._frame, _kept(keep, source.schema), day)

    def held(self, table: str, day: date, holds: Sequence[Hold]) -> DayInfo:
        """How much of one day the holds keep; see the port."""
        source = self.table(table)
        rows = self.scan(table, days=[day]).filter(_kept(holds, source.schema))
        if "raw" not in source.schema.names:
            return DayInfo(table, day, int(rows.select(pl.len()).collect().item()), 0, 0)
        count, first, last = (
            rows.select(pl.len(), first=pl.col("raw").min(), last=pl.col("raw").max()).collect().row(0)
        )
        return DayInfo(table, day, count, 0, 0, first, last)

    def compact(self, *, small_files: int = 8) -> int:
        """Join the small files of each day; see the port."""
        return sum(compaction.compact(self.table(name), self._frame, small_files) for name in TABLES)

    def vacuum(self, older_than_s: float = 3600.0) -> int:
        """Delete files that no table names any more; see the port."""
        return sum(self.table(name).vacuum(older_than_s) for name in TABLES)

    def copy_to(self, folder: Path) -> None:
        """A whole copy while writers go on; see the port."""
        try:
            (folder / "state").mkdir(parents=True)
            # Positions first: a table that is further than its position is passed over, never the
            # other way round.
            for path in sorted(self._state.glob("*.checkpoint")):
                _copy_checkpoint(path, folder / "state")
            for name in TABLES:
                self.table(name).copy_to(folder / "lake" / name)
        except OSError as error:
            raise storage_error(error, str(folder)) from error


def _copy_checkpoint(path: Path, folder: Path) -> None:
    """A position and its state; tried again if a commit came between the two."""
    while True:
        data = path.read_bytes()
        checkpoint = load_checkpoint(path)
        if checkpoint is None:
            return
        try:
            if checkpoint.state_position:
                name = f"{path.stem}.{checkpoint.state_position}.state"
                replace(folder / name, (path.parent / name).read_bytes())
        except FileNotFoundError:
            continue
        if path.read_bytes() == data:
            replace(folder / path.name, data)
            return


def _kept(holds: Sequence[Hold], schema: pa.Schema) -> pl.Expr:
    kept = pl.lit(value=False)
    for hold in holds:
        kept = kept | held(hold, schema)
    return kept


def held(hold: Hold, schema: pa.Schema) -> pl.Expr:
    """True for the rows a hold keeps. A part the table has no column for does not limit."""
    names = schema.names
    kept = pl.lit(value=True)
    time = "time" if "time" in names else "received"
    if hold.claimed_ids and "claimed_id" in names:
        kept = kept & pl.col("claimed_id").is_in(list(hold.claimed_ids))
    if hold.start_us is not None and time in names:
        kept = kept & (pl.col(time) >= _moment(hold.start_us))
    if hold.end_us is not None and time in names:
        kept = kept & (pl.col(time) < _moment(hold.end_us))
    if hold.raw_start is not None and "raw" in names:
        kept = kept & (pl.col("raw") >= hold.raw_start)
    if hold.raw_end is not None and "raw" in names:
        kept = kept & (pl.col("raw") < hold.raw_end)
    return kept


def _moment(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(time_us))
