"""What could not be decoded: a row each, with file, byte offset, reason and an excerpt.

Always true: the bytes themselves stay in the spool; a row names them by address; nothing here
touches a line twice or in a Python loop.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.measure.clock import DAY_US
from shiprider.model.tables import QUARANTINE
from shiprider.ports.spool import Source, Spool, Stored

#: Characters of the excerpt; bytes outside printable ASCII are shown as dots.
EXCERPT: Final = 96

_SHOWN: Final = np.array([b if 32 <= b < 127 else ord(".") for b in range(256)], np.uint8)


def quarantine_rows(rejects: Any, stored: Stored, data: bytes, source: Source, spool: Spool) -> pa.Table:
    """Rows of `model.tables.QUARANTINE` for the rejects of one chunk (columns raw, raw_length, reason)."""
    raw = np.asarray(rejects.column("raw").to_numpy(), np.int64)
    length = np.asarray(rejects.column("raw_length").to_numpy(), np.int64)
    count = len(raw)
    if not count:
        return QUARANTINE.empty_table()
    # Parts of a message that never became whole may lie in an earlier chunk of the same source.
    here = (raw >= stored.raw) & (raw < stored.end)
    file_offset = np.where(here, raw - stored.raw + stored.file_offset, -1)
    excerpt = _excerpts(data, np.where(here, raw - stored.raw, 0), np.where(here, length, 0))
    earlier = np.flatnonzero(~here)
    if len(earlier):
        excerpt = _with_earlier(excerpt, file_offset, earlier, raw, length, spool)
    day = stored.received_us // DAY_US
    columns = {
        "received": pa.array(np.full(count, stored.received_us)),
        "feed": pa.repeat(source.declaration.name, count),
        "file": pa.repeat(source.origin.file, count),
        "file_offset": pa.array(file_offset),
        "raw": pa.array(raw),
        "raw_length": pa.array(length),
        "reason": rejects.column("reason"),
        "excerpt": excerpt,
        "day": pa.array(np.full(count, day, np.int32)),
    }
    return pa.table({name: pc.cast(columns[name], QUARANTINE.field(name).type) for name in QUARANTINE.names})


def refused_chunk(stored: Stored, reason: str) -> pa.Table:
    """One reject for a whole chunk."""
    return pa.table(
        {
            "raw": pa.array([stored.raw], pa.int64()),
            "raw_length": pa.array([stored.length], pa.int32()),
            "reason": pa.array([reason]),
        }
    )


def _excerpts(data: bytes, start: NDArray[np.int64], length: NDArray[np.int64]) -> pa.Array:
    shown = np.minimum(length, EXCERPT)
    ends = np.cumsum(shown)
    total = int(ends[-1])
    index = np.arange(total) + np.repeat(start - (ends - shown), shown)
    text = _SHOWN[np.frombuffer(data, np.uint8)[index]]
    offsets = np.concatenate([np.zeros(1, np.int32), ends.astype(np.int32)])
    return pa.StringArray.from_buffers(len(start), pa.py_buffer(offsets), pa.py_buffer(text))


def _with_earlier(
    excerpt: pa.Array,
    file_offset: NDArray[np.int64],
    earlier: NDArray[np.intp],
    raw: NDArray[np.int64],
    length: NDArray[np.int64],
    spool: Spool,
) -> pa.Array:
    texts = excerpt.to_pylist()
    for row in earlier:
        at = int(raw[row])
        chunk = spool.locate(at)
        file_offset[row] = chunk.file_offset + at - chunk.raw
        found = spool.read(at, min(int(length[row]), EXCERPT))
        texts[row] = _SHOWN[np.frombuffer(found, np.uint8)].tobytes().decode("ascii")
    return pa.array(texts, pa.string())
