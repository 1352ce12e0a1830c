"""The lake again from the spool, and the quarantine tried again with a better decoder.

Always true: the same spool and the same code give the same rows, in whatever batches; a row that the
lake holds already is not added again, so either may be interrupted and started once more.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from shiprider.flow.decoding import TABLES, Decoding, Rows
from shiprider.flow.ingest import STREAM
from shiprider.measure.clock import iso_from_us
from shiprider.ports.lake import Lake
from shiprider.ports.spool import Spool

#: Uncompressed spool bytes between two commits: about 3 million sentences.
COMMIT_BYTES: Final = 256 << 20

#: (bytes done, bytes there are): from time to time.
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Nobody looks."""
    del done, total


def rebuild(
    spool: Spool,
    lake: Lake,
    decoding: Decoding,
    *,
    stop: threading.Event | None = None,
    progress: Progress = no_progress,
    commit_bytes: int = COMMIT_BYTES,
) -> int:
    """Fill an empty lake from the spool; the position reached.

    An interrupted rebuild goes on where it was. Derived tables (track points, reception) follow by
    their own writers, which start from nothing. Raises DiskFull, CorruptStore.
    """
    writer = lake.writer(STREAM, TABLES)
    decoding.restore(writer.state)
    total = sum(segment.length for segment in spool.segments() if not segment.removed)
    done = since = 0
    position = writer.state_position
    for stored, data in spool.chunks(writer.state_position, spool.end()):
        if stop is not None and stop.is_set():
            break
        rows = decoding.rows(stored, data)
        writer.add(rows.tables, rows.end)
        position = rows.end
        done += stored.length
        since += stored.length
        if since >= commit_bytes:
            writer.commit(position, decoding.snapshot())
            since = 0
        progress(done, total)
    writer.commit(position, decoding.snapshot())
    return position


@dataclass
class Replayed:
    """What a second try gave: rows added per table, quarantine entries left and gone."""

    added: dict[str, int] = field(default_factory=dict)
    resolved: int = 0
    left: int = 0


def replay_quarantine(
    spool: Spool,
    lake: Lake,
    make_decoding: Callable[[], Decoding],
    *,
    stop: threading.Event | None = None,
    progress: Progress = no_progress,
) -> Replayed:
    """Decode again what is in quarantine and add what now works, exactly once.

    Every source that has an entry is decoded from its beginning, because parts, time stamps and
    headers before the entry decide what it means; only rows of addresses that were quarantined, or
    that the lake does not hold, are added. Call it while no ingest runs.
    """
    waiting = lake.scan("quarantine", ["raw"]).collect().get_column("raw").to_list()
    result = Replayed(left=len(waiting))
    if not waiting:
        return result
    sources = {spool.locate(raw).source for raw in waiting}
    total = sum(segment.length for segment in spool.segments() if not segment.removed)
    decoding = make_decoding()
    still: set[int] = set()
    done = 0
    end = lake.writer(STREAM, TABLES).position
    for stored, data in spool.chunks(0, end):
        if stop is not None and stop.is_set():
            return result
        # All chunks are observed, so that duplicates are marked as in an uninterrupted run.
        rows = decoding.rows(stored, data)
        done += stored.length
        if stored.source in sources:
            _add_new(lake, rows, result.added)
            still.update(rows.quarantine.column("raw").to_pylist())
        progress(done, total)
    gone = set(waiting) - still
    result.resolved = lake.remove_raws("quarantine", gone)
    result.left = len(waiting) - result.resolved
    return result


def _add_new(lake: Lake, rows: Rows, added: dict[str, int]) -> None:
    tables = {name: table for name, table in rows.tables.items() if name != "quarantine" and len(table)}
    for name, count in lake.insert(tables).items():
        added[name] = added.get(name, 0) + count


def reasons(lake: Lake) -> Mapping[str, int]:
    """How many entries the quarantine has, by reason, most first."""
    counted = (
        lake.scan("quarantine", ["reason"])
        .group_by("reason")
        .len()
        .sort(["len", "reason"], descending=[True, False])
        .collect()
    )
    return dict(counted.iter_rows())


def newest(lake: Lake, most: int) -> list[dict[str, object]]:
    """The newest entries of the quarantine: where each lies in what came in, why it is there, how it begins."""
    names = ["received", "feed", "file", "file_offset", "raw", "raw_length", "reason", "excerpt"]
    found = lake.scan("quarantine", names).sort("raw").tail(most).collect()
    return [
        {
            "feed": row["feed"],
            "file": row["file"],
            "file_offset": row["file_offset"],
            "length": row["raw_length"],
            "reason": row["reason"],
            "received": iso_from_us(round(row["received"].timestamp() * 1e6)),
            "excerpt": row["excerpt"],
        }
        for row in found.iter_rows(named=True)
    ]


def same_rows(one: Lake, other: Lake, table: str) -> bool:
    """True where both lakes hold the same rows of a table, in any order and any files."""
    frames = []
    for lake in (one, other):
        frame = lake.scan(table).collect()
        frames.append(frame.sort(frame.columns, nulls_last=True))
    return _equal(frames[0], frames[1])


def _equal(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.equals(other, null_equal=True)
