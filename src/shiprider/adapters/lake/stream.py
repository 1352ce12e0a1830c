"""The writer of one stream of rows, and its checkpoint.

Always true: a checkpoint (position, state, table versions) is written last, so every table holds
at least what it says; a table that holds more says so by its Delta transaction, and rows it already
has are passed over when they come again. Delta itself would take an older position without
complaint: positions are compared here.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from shiprider.adapters.lake import parquet
from shiprider.adapters.lake.disk import replace, storage_error
from shiprider.adapters.lake.table import LakeTable
from shiprider.model.errors import CorruptStore

#: Rows kept in memory per table before a file is written; bounds memory, sizes files.
FLUSH_ROWS: Final = 256 << 10

_MAGIC: Final = b"SRCP1\n"


class Checkpoint(msgspec.Struct, frozen=True):
    """What a stream goes on from: `state_position` <= `position` is where the state was taken."""

    position: int
    versions: dict[str, int]
    state_position: int


def load_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint in a file, None where there is none. Raises CorruptStore."""
    body = _load(path)
    return None if body is None else msgspec.msgpack.decode(body, type=Checkpoint)


def _load(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    body = data[len(_MAGIC) + 4 :]
    if data[: len(_MAGIC)] != _MAGIC or zlib.crc32(body).to_bytes(4, "little") != data[len(_MAGIC) :][:4]:
        raise CorruptStore(f"{path} is damaged: rebuild the lake with `shiprider rebuild`.")
    return body


def _save(path: Path, body: bytes) -> None:
    # A state may be of a hundred megabytes: it is not copied to get its head.
    replace(path, _MAGIC + zlib.crc32(body).to_bytes(4, "little"), body)


class StreamWriter:
    """See `ports.lake.LakeWriter`."""

    def __init__(
        self,
        stream: str,
        tables: Mapping[str, LakeTable],
        path: Path,
        probe: Callable[[str], None],
    ) -> None:
        self._stream = stream
        self._tables = dict(tables)
        self._path = path
        self._probe = probe
        checkpoint = load_checkpoint(path) or Checkpoint(0, {}, 0)
        for name, version in checkpoint.versions.items():
            if name in self._tables and self._tables[name].version < version:
                raise CorruptStore(
                    f"The lake table {name} lost commits that were acknowledged: "
                    "rebuild the lake with `shiprider rebuild`."
                )
        self._checkpoint = checkpoint
        self._state = self._load_state()
        self._reached = {
            name: max(checkpoint.position, table.transaction(stream)) for name, table in self._tables.items()
        }
        self._buffered: dict[str, list[pa.Table]] = {name: [] for name in self._tables}
        self._written: dict[str, list[AddAction]] = {name: [] for name in self._tables}

    @property
    def position(self) -> int:
        """The position every table is complete up to."""
        return self._checkpoint.position

    @property
    def state_position(self) -> int:
        """Where the kept state was taken."""
        return self._checkpoint.state_position

    @property
    def state(self) -> bytes:
        """What was kept with it."""
        return self._state

    def _state_path(self, position: int) -> Path:
        return self._path.with_name(f"{self._stream}.{position}.state")

    def _load_state(self) -> bytes:
        if not self._checkpoint.state_position:
            return b""
        path = self._state_path(self._checkpoint.state_position)
        state = _load(path)
        if state is None:
            raise CorruptStore(f"{path} is missing: rebuild the lake with `shiprider rebuild`.")
        return state

    def add(self, rows: Mapping[str, pa.Table], end: int) -> None:
        """Take rows that came out of the spool up to `end`; see the port."""
        for name, table in rows.items():
            if len(table) and end > self._reached[name]:
                self._buffered[name].append(table)
        for name in self._tables:
            if sum(len(table) for table in self._buffered[name]) >= FLUSH_ROWS:
                self._flush(name)

    def _flush(self, name: str) -> None:
        if not self._buffered[name]:
            return
        table = self._tables[name]
        rows = pa.concat_tables(self._buffered[name])
        try:
            written = [parquet.write(table.place, day, part) for day, part in by_day(rows)]
        except OSError as error:
            raise storage_error(error, table.place.url) from error
        self._written[name] += written
        self._buffered[name].clear()
        self._probe("lake.written")

    def commit(self, position: int, state: bytes | None = None) -> None:
        """Make it visible and durable; see the port."""
        if position < self._checkpoint.position:
            raise ValueError("a position never goes back")
        for name, table in self._tables.items():
            self._flush(name)
            if self._written[name]:
                if table.transaction(self._stream) < position:
                    table.commit(self._written[name], transaction=(self._stream, position))
                else:
                    # The commit before failed after its entry was there: only the sync is missing.
                    table.sync()
                self._written[name].clear()
                self._probe(f"lake.committed.{name}")
            self._reached[name] = max(self._reached[name], position)
        self._keep(position, state)
        self._probe("lake.checkpoint")

    def _keep(self, position: int, state: bytes | None) -> None:
        versions = {name: table.version for name, table in self._tables.items()}
        old = self._checkpoint.state_position
        if state is None:
            checkpoint = Checkpoint(position, versions, old)
        else:
            _save(self._state_path(position), state)
            self._probe("lake.state")
            checkpoint = Checkpoint(position, versions, position)
        _save(self._path, msgspec.msgpack.encode(checkpoint))
        self._checkpoint = checkpoint
        if state is not None:
            self._state = state
            for path in self._path.parent.glob(f"{self._stream}.*.state"):
                if path != self._state_path(position):
                    path.unlink(missing_ok=True)


def by_day(rows: pa.Table) -> Sequence[tuple[date, pa.Table]]:
    """The rows of each day, in their order within the day."""
    days = rows.column("day")
    distinct = pc.unique(days)
    if len(distinct) == 1:
        return [(distinct[0].as_py(), rows)]
    keys = days.cast(pa.int32()).to_numpy()
    order = np.argsort(keys, kind="stable")
    ordered = rows.take(pa.array(order))
    starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order[0]] - 1))
    ends = np.append(starts[1:], len(keys))
    return [
        (ordered.column("day")[int(begin)].as_py(), ordered.slice(int(begin), int(end - begin)))
        for begin, end in zip(starts, ends, strict=True)
    ]
