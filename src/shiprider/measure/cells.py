"""H3 cells of many positions at once.

Always true: the cell is the one the H3 library gives (Uber, Apache-2.0); a position that is not on
Earth (NaN, latitude beyond 90) has cell 0, which is no cell.

The library takes one point at a time, in Python. But an H3 cell's sides are straight in the gnomonic
projection of its icosahedron's face, so they are great circles, and "inside" is a handful of dot
products. So cells that were seen are remembered by their sides; a position is first tested against
the cells seen in its neighbourhood, and only where none holds it (or it lies within some centimetres
of a side) the library is asked. What is remembered never changes an answer, only its price.
"""

import math
import threading
from typing import Final

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots, widened

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

#: What `h3_cells` gives where there is no position.
NO_CELL: Final = 0
#: Sides of a cell, at most: six, and four more where it lies across edges of the icosahedron.
_SIDES: Final = 10
#: Cells remembered for one neighbourhood, and neighbourhoods before all is forgotten.
_CANDIDATES: Final = 8
_MOST_SQUARES: Final = 400_000
#: Closer to a side than this (in Earth radii, 6 cm) the library decides.
_MARGIN: Final = 1e-8
#: Rounds of asking the library for one position of every neighbourhood that has some left.
_ROUNDS: Final = 12


@kernel
def _try(
    latitude: F64, longitude: F64, square: I32, candidates: I32, sides: F64, cells: U64, out: U64
) -> None:
    """Give every position without a cell the candidate of its square that surely holds it."""
    for i in range(len(latitude)):
        if out[i] != 0:
            continue
        phi, lam = latitude[i] * (math.pi / 180.0), longitude[i] * (math.pi / 180.0)
        c = math.cos(phi)
        x, y, z = c * math.cos(lam), c * math.sin(lam), math.sin(phi)
        for k in range(_CANDIDATES):
            cell = candidates[square[i], k]
            if cell < 0:
                break
            inside = True
            for s in range(_SIDES):
                if sides[cell, s, 0] * x + sides[cell, s, 1] * y + sides[cell, s, 2] * z < _MARGIN:
                    inside = False
                    break
            if inside:
                out[i] = cells[cell]
                break


class _Remembered:
    """Cells of one resolution, by neighbourhood."""

    def __init__(self, resolution: int) -> None:
        self.resolution = resolution
        self.lock = threading.Lock()
        #: Neighbourhoods are squares of about half a cell's side.
        self.square_deg = h3.average_hexagon_edge_length(resolution, unit="km") / 111.0 / 2.0
        self.forget()

    def forget(self) -> None:
        self.squares = Slots()
        self.candidates: I32 = np.full((1024, _CANDIDATES), -1, dtype=np.int32)
        self.known: dict[int, int] = {}
        self.cells: U64 = np.zeros(1024, dtype=np.uint64)
        self.sides: F64 = np.zeros((1024, _SIDES, 3))

    def find(self, latitude: F64, longitude: F64) -> U64:
        """Cells of positions that are on Earth."""
        out = np.zeros(len(latitude), dtype=np.uint64)
        columns = int(360.0 / self.square_deg) + 2
        key = np.floor((latitude + 90.0) / self.square_deg).astype(np.int64) * columns
        key += np.floor(((longitude + 180.0) % 360.0) / self.square_deg).astype(np.int64)
        square = self.squares.assign(key)
        self.candidates = widened(self.candidates, len(self.squares), -1)
        left = np.arange(len(out))
        for _ in range(_ROUNDS):
            part = np.zeros(len(left), dtype=np.uint64)
            here = square[left]
            _try(latitude[left], longitude[left], here, self.candidates, self.sides, self.cells, part)
            out[left] = part
            left = left[part == 0]
            if len(left) == 0:
                return out
            _, first = np.unique(square[left], return_index=True)
            for i in left[first].tolist():
                out[i] = cell = h3.latlng_to_cell(float(latitude[i]), float(longitude[i]), self.resolution)
                self._remember(int(square[i]), cell)
            left = left[out[left] == 0]
        for i in left.tolist():
            out[i] = h3.latlng_to_cell(float(latitude[i]), float(longitude[i]), self.resolution)
        return out

    def _remember(self, square: int, cell: int) -> None:
        number = self.known.get(cell)
        if number is None:
            number = self.known[cell] = len(self.known)
            self.cells = widened(self.cells, number + 1, 0)
            self.sides = widened(self.sides, number + 1, 0.0)
            self.cells[number] = cell
            self.sides[number] = _sides(cell)
        mine = self.candidates[square]
        free = np.flatnonzero(mine < 0)
        if len(free) and number not in mine:
            mine[free[0]] = number


def _sides(cell: int) -> F64:
    """Normals of the great circles of a cell's sides, pointing inwards; unused ones repeat the first."""
    boundary = np.radians(np.array(h3.cell_to_boundary(cell)))
    phi, lam = boundary[:, 0], boundary[:, 1]
    corners = np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))
    normals = np.cross(corners, np.roll(corners, -1, axis=0))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    if normals[0] @ corners.mean(axis=0) < 0:
        normals = -normals
    return np.concatenate((normals, np.repeat(normals[:1], _SIDES - len(normals), axis=0)))


_REMEMBERED: Final = {resolution: _Remembered(resolution) for resolution in range(16)}


def h3_cells(latitude_deg: F64, longitude_deg: F64, resolution: int) -> U64:
    """H3 cell of every position at one resolution (0..15), shape (n,)."""
    good = np.isfinite(latitude_deg) & np.isfinite(longitude_deg) & (np.abs(latitude_deg) <= 90.0)
    cells = np.zeros(len(latitude_deg), dtype=np.uint64)
    memory = _REMEMBERED[resolution]
    with memory.lock:
        if len(memory.squares) > _MOST_SQUARES:
            memory.forget()
        cells[good] = memory.find(
            np.asarray(latitude_deg, dtype=np.float64)[good],
            np.asarray(longitude_deg, dtype=np.float64)[good],
        )
    return cells


def h3_centres(cells: U64) -> tuple[F64, F64]:
    """Latitude and longitude of the centres of cells, degrees, each of shape (n,); NaN for no cell."""
    distinct, back = np.unique(cells, return_inverse=True)
    if len(distinct) == 0:
        return np.empty(0), np.empty(0)
    pairs = np.array([h3.cell_to_latlng(int(c)) if c else (np.nan, np.nan) for c in distinct.tolist()])
    return pairs[back, 0], pairs[back, 1]
