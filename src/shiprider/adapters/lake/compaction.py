"""Joining small files, and taking rows out of a table.

Always true: the new files are durable before the one commit that puts them in the place of the old
ones; a reader sees the old or the new files, never both; old files stay until the vacuum.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import polars as pl
import pyarrow as pa

from shiprider.adapters.lake import parquet
from shiprider.adapters.lake.disk import storage_error
from shiprider.adapters.lake.table import LakeTable

#: Rows of one compacted file: about 60 MB stored, 300 MB while it is being sorted.
FILE_ROWS: Final = 2 << 20

Frame = Callable[[LakeTable, Sequence[str]], pl.LazyFrame]


def compact(table: LakeTable, frame: Frame, small_files: int) -> int:
    """Join each day's small files where there are at least `small_files`; how many were replaced."""
    files = table.files()
    replaced = 0
    if not len(files):
        return 0
    for (day,), group in files.group_by("day", maintain_order=True):
        small = group.filter(pl.col("rows") < FILE_ROWS // 2)
        if len(small) >= max(2, small_files):
            for batch in _batches(small):
                replaced += _join(table, frame, day, batch)
    return replaced


def _batches(small: pl.DataFrame) -> list[list[str]]:
    """Files in order of time, at most FILE_ROWS rows together."""
    ordered = small.sort("min_time") if "min_time" in small.columns else small
    batches: list[list[str]] = [[]]
    rows = 0
    for path, count in ordered.select("path", "rows").iter_rows():
        if batches[-1] and rows + count > FILE_ROWS:
            batches.append([])
            rows = 0
        batches[-1].append(path)
        rows += count
    return [batch for batch in batches if len(batch) > 1]


def _join(table: LakeTable, frame: Frame, day: date, paths: Sequence[str]) -> int:
    rows = frame(table, paths).select(table.schema.names).collect()
    keys = [name for name in ("claimed_id", "time", "raw") if name in rows.columns]
    if keys:
        rows = rows.sort(keys)
    with table.lock:
        if not set(paths) <= set(table.files()["path"].to_list()):
            return 0
        try:
            add = parquet.write(table.place, day, rows.to_arrow().cast(table.schema))
        except OSError as error:
            raise storage_error(error, table.place.url) from error
        table.commit([add], paths)
    return len(paths)


def rewrite(table: LakeTable, frame: Frame, keep: pl.Expr, day: date | None = None) -> int:
    """Keep only the rows for which `keep` is true (of one day, or of all); rows removed."""
    removed = 0
    with table.lock:
        files = table.files()
        if day is not None:
            files = files.filter(pl.col("day") == day)
        adds = []
        gone = []
        try:
            for path, count, of_day in files.select("path", "rows", "day").iter_rows():
                kept = frame(table, [path]).select(table.schema.names).filter(keep).collect()
                if len(kept) == count:
                    continue
                gone.append(path)
                removed += count - len(kept)
                if len(kept):
                    rows: pa.Table = kept.to_arrow().cast(table.schema)
                    adds.append(parquet.write(table.place, of_day, rows))
        except OSError as error:
            raise storage_error(error, table.place.url) from error
        if gone:
            table.commit(adds, gone)
    return removed
