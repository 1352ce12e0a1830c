"""Nearest anchorage within a few kilometres, for kernels.

Always true: the points are sorted by cells of a quarter degree, `first[c]..first[c + 1]` are those of
cell c; a search looks at every cell that the radius reaches, across the 180th meridian too.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.geodesy import local_one
from shiprider.measure.kernels import kernel
from shiprider.model.world import Anchorages

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

#: Cells a degree.
_PER_DEGREE: Final = 4
_ROWS: Final = 180 * _PER_DEGREE
_COLUMNS: Final = 360 * _PER_DEGREE
#: Shortest metres in a degree of latitude (at the equator, WGS 84), so that no cell is missed.
_DEGREE_M: Final = 110_500.0


@dataclass(frozen=True, slots=True)
class AnchorageIndex:
    """`order[i]` is the row in `Anchorages` of the i-th sorted point."""

    first: I32
    order: I32
    latitude_deg: F64
    longitude_deg: F64


_MEMO: dict[int, tuple[Anchorages, AnchorageIndex]] = {}
_NONE: list[AnchorageIndex] = []
_REACH: dict[tuple[int, float], tuple[Anchorages | None, NDArray[np.uint8]]] = {}


def indexed(anchorages: Anchorages | None) -> AnchorageIndex:
    """`anchorage_index`, made once per set of anchorages (the last four are remembered)."""
    if anchorages is None:
        if not _NONE:
            _NONE.append(anchorage_index(None))
        return _NONE[0]
    remembered = _MEMO.get(id(anchorages))
    if remembered is None or remembered[0] is not anchorages:
        while len(_MEMO) >= 4:
            _MEMO.pop(next(iter(_MEMO)))
        remembered = _MEMO[id(anchorages)] = anchorages, anchorage_index(anchorages)
    return remembered[1]


def anchorage_index(anchorages: Anchorages | None) -> AnchorageIndex:
    """The index of the points (of none, where there are none)."""
    if anchorages is None:
        empty = np.empty(0)
        return AnchorageIndex(
            np.zeros(_ROWS * _COLUMNS + 1, dtype=np.int32), np.empty(0, dtype=np.int32), empty, empty
        )
    latitude, longitude = anchorages.latitude_deg, anchorages.longitude_deg
    row = np.clip(((latitude + 90.0) * _PER_DEGREE).astype(np.int64), 0, _ROWS - 1)
    column = (((longitude + 180.0) % 360.0) * _PER_DEGREE).astype(np.int64) % _COLUMNS
    cell = row * _COLUMNS + column
    order = np.argsort(cell, kind="stable")
    counts = np.bincount(cell, minlength=_ROWS * _COLUMNS)
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return AnchorageIndex(
        first,
        order.astype(np.int32),
        np.ascontiguousarray(latitude[order], dtype=np.float64),
        np.ascontiguousarray(longitude[order], dtype=np.float64),
    )


@kernel
def nearest_within(
    latitude: float, longitude: float, radius_m: float, first: I32, lats: F64, lons: F64
) -> tuple[int, float]:
    """(sorted position, metres) of the nearest point within `radius_m`; (-1, infinity) for none."""
    best, best_m = -1, math.inf
    if len(lats) == 0:
        return best, best_m
    reach = radius_m / _DEGREE_M
    low = max(0, int((latitude - reach + 90.0) * _PER_DEGREE))
    high = min(_ROWS - 1, int((latitude + reach + 90.0) * _PER_DEGREE))
    widest = min(89.9, max(abs(latitude - reach), abs(latitude + reach)))
    span = reach / math.cos(widest * math.pi / 180.0)
    west = math.floor((longitude - span + 180.0) * _PER_DEGREE)
    east = math.floor((longitude + span + 180.0) * _PER_DEGREE)
    if east - west >= _COLUMNS:
        west, east = 0, _COLUMNS - 1
    for row in range(low, high + 1):
        for turn in range(west, east + 1):
            cell = row * _COLUMNS + turn % _COLUMNS
            for i in range(first[cell], first[cell + 1]):
                if abs(lats[i] - latitude) > reach:
                    continue
                metres = local_one(latitude, longitude, lats[i], lons[i])
                if metres <= radius_m and metres < best_m:
                    best, best_m = i, metres
    return best, best_m


@kernel
def cell_of(latitude: float, longitude: float) -> int:
    """The quarter-degree cell of a position."""
    row = min(_ROWS - 1, int((latitude + 90.0) * _PER_DEGREE))
    return row * _COLUMNS + int((longitude + 180.0) * _PER_DEGREE) % _COLUMNS


@kernel
def _reach(radius_m: float, lats: F64, lons: F64, out: NDArray[np.uint8]) -> None:
    reach = radius_m / _DEGREE_M
    for i in range(len(lats)):
        low = max(0, int((lats[i] - reach + 90.0) * _PER_DEGREE))
        high = min(_ROWS - 1, int((lats[i] + reach + 90.0) * _PER_DEGREE))
        widest = min(89.9, max(abs(lats[i] - reach), abs(lats[i] + reach)))
        span = reach / math.cos(widest * math.pi / 180.0)
        west = math.floor((lons[i] - span + 180.0) * _PER_DEGREE)
        east = math.floor((lons[i] + span + 180.0) * _PER_DEGREE)
        if east - west >= _COLUMNS:
            west, east = 0, _COLUMNS - 1
        for row in range(low, high + 1):
            for turn in range(west, east + 1):
                out[row * _COLUMNS + turn % _COLUMNS] = 1


def reach_map(anchorages: Anchorages | None, radius_m: float) -> NDArray[np.uint8]:
    """1 for every quarter-degree cell that a circle of `radius_m` around a point touches."""
    key = (id(anchorages), radius_m)
    remembered = _REACH.get(key)
    if remembered is None or remembered[0] is not anchorages:
        index = indexed(anchorages)
        cells = np.zeros(_ROWS * _COLUMNS, dtype=np.uint8)
        _reach(radius_m, index.latitude_deg, index.longitude_deg, cells)
        while len(_REACH) >= 8:
            _REACH.pop(next(iter(_REACH)))
        remembered = _REACH[key] = anchorages, cells
    return remembered[1]


@kernel
def nearest_of_all(
    latitude: F64, longitude: F64, radius_m: float, first: I32, lats: F64, lons: F64
) -> tuple[I32, F64]:
    """`nearest_within` of many positions, each of shape (n,)."""
    found = np.empty(len(latitude), dtype=np.int32)
    metres = np.empty(len(latitude), dtype=np.float64)
    for i in range(len(latitude)):
        found[i], metres[i] = nearest_within(latitude[i], longitude[i], radius_m, first, lats, lons)
    return found, metres
