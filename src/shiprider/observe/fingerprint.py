"""A 64-bit number for a row's payload: equal payloads have equal numbers on every machine and release.

Always true: the number depends on values only, not on how Arrow chunked them. Two different
payloads of one identity within the window collide with probability 2^-64.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.measure.kernels import kernel
from shiprider.measure.slots import mix64
from shiprider.model.columns import floats, integers, text_buffers

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]


@kernel
def position_payload(
    claimed_id: I64,
    message_type: NDArray[np.int8],
    nature: NDArray[np.int8],
    nav_status: NDArray[np.int8],
    latitude: I64,
    longitude: I64,
    speed: NDArray[np.int32],
    course: NDArray[np.int32],
    heading: NDArray[np.int32],
) -> U64:
    """Fingerprints of positions, shape (n,). Floats come as their bit patterns."""
    out = np.empty(len(claimed_id), np.uint64)
    for i in range(len(claimed_id)):
        head = (
            np.uint64(claimed_id[i])
            ^ np.uint64(np.uint8(message_type[i])) << np.uint64(40)
            ^ np.uint64(np.uint8(nature[i])) << np.uint64(48)
            ^ np.uint64(np.uint8(nav_status[i])) << np.uint64(56)
        )
        mixed = mix64(head)
        mixed = mix64(mixed ^ np.uint64(latitude[i]))
        mixed = mix64(mixed ^ np.uint64(longitude[i]))
        mixed = mix64(
            mixed ^ np.uint64(np.uint32(speed[i])) ^ np.uint64(np.uint32(course[i])) << np.uint64(32)
        )
        out[i] = mix64(mixed ^ np.uint64(np.uint32(heading[i])))
    return out


@kernel
def _fold_numbers(state: U64, values: I64) -> None:
    for i in range(len(state)):
        state[i] = mix64(state[i] ^ np.uint64(values[i]))


@kernel
def _fold_texts(state: U64, offsets: NDArray[np.int32], data: NDArray[np.uint8]) -> None:
    for i in range(len(state)):
        # FNV-1a over the bytes, then the finaliser
        number = np.uint64(0xCBF29CE484222325)
        for at in range(offsets[i], offsets[i + 1]):
            number = (number ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
        state[i] = mix64(state[i] ^ number)


def table_payload(table: pa.Table, names: Sequence[str]) -> U64:
    """Fingerprints over the named columns, shape (n,); a null equals 0, NaN or an empty text."""
    state = np.zeros(table.num_rows, np.uint64)
    for name in names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            _fold_texts(state, *text_buffers(column))
        elif pa.types.is_floating(column.type):
            _fold_numbers(state, floats(column).view(np.int64))
        else:
            _fold_numbers(state, integers(column, np.int64, 0))
    return state
