"""The binary frames of the live push, as docs/api.md lays them out.

Always true: little-endian, a header of 32 bytes, then columns one after another, each aligned to its own
size; nothing in a frame is a text.
"""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shiprider.flow.picture import Rows
from shiprider.model.codes import Nature, ReceiverKind

MAGIC: Final = b"SRP1"
SNAPSHOT, DELTA, CELLS = 0, 1, 2
THINNED, SIMULATED_PRESENT = 1, 2
_HEADER: Final = struct.Struct("<4sBBHIIIIq")

#: Bytes of one vessel and of one removed slot.
ROW_BYTES: Final = 28

FLAG_SIMULATED, FLAG_ALERT, FLAG_FLAWS, FLAG_SATELLITE, FLAG_WATCHED = 1, 2, 4, 8, 16
UNKNOWN: Final = 65535


def row_flags(rows: Rows, alerted: NDArray[np.int64], watched: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The flags of each row; `alerted` and `watched` are sorted MMSI."""
    flags = np.where(rows["nature"] == Nature.SIMULATED, FLAG_SIMULATED, 0)
    flags |= np.where(np.isin(rows["mmsi"], alerted), FLAG_ALERT, 0)
    flags |= np.where(rows["flaws"] != 0, FLAG_FLAWS, 0)
    flags |= np.where(rows["receiver_kind"] == ReceiverKind.SATELLITE, FLAG_SATELLITE, 0)
    flags |= np.where(np.isin(rows["mmsi"], watched), FLAG_WATCHED, 0)
    return flags.astype(np.uint8)


def vessels_frame(
    kind: int,
    view: int,
    rows: Rows,
    keep: NDArray[np.int64],
    removed: NDArray[np.int32],
    flags: NDArray[np.uint8],
    *,
    total: int,
    time_us: int,
    thinned: bool,
    simulated: bool,
) -> bytes:
    """A snapshot or a delta of the rows numbered `keep`; `flags` are of all rows."""
    header = _HEADER.pack(
        MAGIC, kind, _frame_flags(thinned, simulated), 0, view, len(keep), len(removed), total, time_us
    )
    age = np.clip((time_us - rows["time_us"][keep]) // 1_000_000, 0, UNKNOWN)
    columns: tuple[NDArray[Any], ...] = (
        rows.slot[keep].astype("<i4"),
        rows["latitude_e7"][keep].astype("<i4"),
        rows["longitude_e7"][keep].astype("<i4"),
        rows["mmsi"][keep].astype("<i4"),
        removed.astype("<i4"),
        _hundredths(rows["course_deg"][keep], 36000),
        _hundredths(rows["heading_deg"][keep], 36000),
        _hundredths(rows["speed_mps"][keep], None),
        age.astype("<u2"),
        np.clip(rows.length_m[keep], 0, UNKNOWN).astype("<u2"),
        rows.vessel_class[keep].astype("<u1"),
        flags[keep].astype("<u1"),
    )
    return b"".join((header, *(column.tobytes() for column in columns)))


def cells_frame(
    view: int, rows: Rows, chosen: NDArray[np.bool_], box_width_deg: float, *, time_us: int, simulated: bool
) -> bytes:
    """Counts on a grid of a 64th of the view's width, at each cell's centre of gravity."""
    latitude = rows["latitude_e7"][chosen].astype(np.float64)
    longitude = rows["longitude_e7"][chosen].astype(np.float64)
    step = max(box_width_deg / 64.0, 1e-4) * 1e7
    cell = np.floor(latitude / step).astype(np.int64) * (1 << 32) + np.floor(longitude / step).astype(
        np.int64
    )
    _, where, count = np.unique(cell, return_inverse=True, return_counts=True)
    middle = [np.bincount(where, weights=each) / count for each in (latitude, longitude)]
    header = _HEADER.pack(
        MAGIC, CELLS, _frame_flags(True, simulated), 0, view, len(count), 0, int(count.sum()), time_us
    )
    return b"".join(
        (header, *(np.round(m).astype("<i4").tobytes() for m in middle), count.astype("<u4").tobytes())
    )


def _frame_flags(thinned: bool, simulated: bool) -> int:
    return (THINNED if thinned else 0) | (SIMULATED_PRESENT if simulated else 0)


def _hundredths(values: NDArray[np.float32], turn: int | None) -> NDArray[np.uint16]:
    """Hundredths, unknown 65535; a direction of a full turn is 0."""
    known = np.isfinite(values)
    scaled = np.round(np.where(known, values, 0.0) * 100.0).astype(np.int64)
    scaled = scaled % turn if turn is not None else np.clip(scaled, 0, UNKNOWN - 1)
    return np.where(known, scaled, UNKNOWN).astype("<u2")
