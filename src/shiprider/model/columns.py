"""Columns of the lake's tables as numpy arrays: what kernels read.

Always true: an array has one element per row; a null becomes the value the caller names; without
nulls nothing is copied where Arrow's memory can be shared.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def floats(column: pa.ChunkedArray, dtype: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """A float column, nulls as NaN."""
    flat = _flat(column)
    if flat.null_count:
        flat = pc.fill_null(flat, float("nan"))
    return np.ascontiguousarray(flat.to_numpy(zero_copy_only=False), dtype)


def integers(column: pa.ChunkedArray, dtype: type[np.integer[Any]], null: int) -> NDArray[Any]:
    """An integer or time column (times in microseconds), nulls as `null`."""
    flat = _flat(column)
    if pa.types.is_timestamp(flat.type):
        flat = flat.view(pa.int64())
    if flat.null_count:
        flat = pc.fill_null(flat, pa.scalar(null, flat.type))
    return np.ascontiguousarray(flat.to_numpy(zero_copy_only=False), dtype)


def text_buffers(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets (n + 1) and bytes of a text or binary column; a null is an empty text."""
    flat = _flat(column)
    if len(flat) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    if flat.null_count:
        flat = pc.fill_null(flat, b"" if pa.types.is_binary(flat.type) else "")
    _, offsets, data = flat.buffers()
    numbers = np.frombuffer(offsets, np.int32)[flat.offset : flat.offset + len(flat) + 1]
    return numbers, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
