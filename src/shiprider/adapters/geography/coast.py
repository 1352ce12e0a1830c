"""The coast: land or sea, and how far the shore is, from NOAA's GLOBE model at 30 arc seconds.

Always true: `is_land` gives exactly what the packaged `global_land_mask` gives (inland waters other
than the Caspian's and the like count as land there); `distance_to_shore_m` is 0 on land; longitudes
may be given in any turn. Loaded once in well under a second, about 30 MB.

Distance is that to the nearest land cell's edge. Up to 40 km (so at the 20 nm of presets) the mask
itself is searched: right to 10 m or 0.1 %, within 85 degrees of latitude. Beyond, it is interpolated
on a grid of a tenth of a degree: 95 % of errors are below 2 km, all below 8 % (the worst on lines
equally far from two coasts), measured against a search of the whole mask on the ellipsoid
(`tests/unit/adapters/geography/test_coast.py`).
"""

import math
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.geodesy import WGS84_A_M, WGS84_E2, wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.model.errors import CorruptStore

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U16 = NDArray[np.uint16]

#: Shape of the mask: 30 arc seconds, row 0 starts at 90 N, column 0 at 180 W.
ROWS: Final = 21_600
COLUMNS: Final = 43_200
_PER_DEGREE: Final = 120
#: Nodes of the distance grid a degree, and metres of its unit.
GRID_PER_DEGREE: Final = 10
GRID_UNIT_M: Final = 50.0
#: Up to here the mask itself is searched.
EXACT_M: Final = 40_000.0
#: Interpolated distances may be too long by this much close to a small island.
_MARGIN_M: Final = 12_000.0
#: Metres in one row of the mask, at least (equator, WGS 84).
_ROW_M: Final = 110_500.0 / _PER_DEGREE
_RAD: Final = math.pi / 180.0


@kernel
def _row_of(latitude: float) -> int:
    # The same arithmetic as the packaged mask, so that cell edges fall alike.
    lowest = 90.0 - (ROWS - 1) / 120.0
    return int((min(90.0, max(lowest, latitude)) - 90.0) / -(1.0 / 120.0))


@kernel
def _column_of(longitude: float) -> int:
    if longitude == 180.0:
        return COLUMNS - 1
    highest = -180.0 + (COLUMNS - 1) / 120.0
    return int((min(highest, wrapped_deg(longitude)) + 180.0) / (1.0 / 120.0))


@kernel
def _changes_up_to(first: I32, columns: U16, row: int, column: int) -> int:
    """How many changes the row has at or before the column."""
    low, high = first[row], first[row + 1]
    start = low
    while low < high:
        middle = (low + high) // 2
        if columns[middle] <= column:
            low = middle + 1
        else:
            high = middle
    return low - start


@kernel
def _search(latitude: float, longitude: float, first: I32, columns: U16, limit_m: float) -> float:
    """Metres to the nearest land within `limit_m`, else infinity.

    Rows are taken from the position outwards until they are farther than the best so far; in a row
    only the change before and the change after matter. Distances are compared in the plane (WGS 84
    radii of curvature at the position, the cosine corrected to first order).
    """
    home_row, home_column = _row_of(latitude), _column_of(longitude)
    sine, cosine = math.sin(latitude * _RAD), math.cos(latitude * _RAD)
    w2 = 1.0 - WGS84_E2 * sine * sine
    normal = WGS84_A_M / math.sqrt(w2)
    north_m = normal * (1.0 - WGS84_E2) / w2 * _RAD
    east_m = normal * _RAD
    best2 = limit_m * limit_m
    found = False
    for distance in range(int(limit_m / _ROW_M) + 2):
        apart = (distance - 1) * _ROW_M
        if distance > 0 and apart * apart >= best2:
            break
        for side in range(2):
            row = home_row + distance if side == 0 else home_row - distance
            if row < 0 or row >= ROWS or (side == 1 and distance == 0):
                continue
            low, high = first[row], first[row + 1]
            if low == high:
                continue
            north = 90.0 - row / 120.0
            up = min(north, max(north - 1.0 / 120.0, latitude)) - latitude
            y2 = (up * north_m) ** 2
            if y2 >= best2:
                continue
            passed = _changes_up_to(first, columns, row, home_column)
            if passed % 2 == 1:
                best2, found = y2, True
                continue
            # The land before ends at the last change passed, the land after starts at the next one.
            if passed > 0:
                west = -180.0 + columns[low + passed - 1] / 120.0
            elif (high - low) % 2 == 1:
                west = 180.0
            else:
                west = -180.0 + columns[high - 1] / 120.0
            east = -180.0 + columns[low + passed if low + passed < high else low] / 120.0
            degrees = min(abs(wrapped_deg(west - longitude)), abs(wrapped_deg(east - longitude)))
            x = degrees * east_m * max(0.0, cosine - 0.5 * sine * up * _RAD)
            if x * x + y2 <= best2:
                best2, found = x * x + y2, True
    return math.sqrt(best2) if found else math.inf


@kernel
def _land(latitude: F64, longitude: F64, first: I32, columns: U16, out: NDArray[np.bool_]) -> None:
    for i in range(len(latitude)):
        if math.isfinite(latitude[i]) and math.isfinite(longitude[i]):
            out[i] = _changes_up_to(first, columns, _row_of(latitude[i]), _column_of(longitude[i])) % 2 == 1


@kernel
def _shore(latitude: F64, longitude: F64, first: I32, columns: U16, nodes: U16, out: F64) -> None:
    rows, turns = nodes.shape
    for i in range(len(latitude)):
        lat, lon = latitude[i], longitude[i]
        if not (math.isfinite(lat) and math.isfinite(lon)):
            continue
        if _changes_up_to(first, columns, _row_of(lat), _column_of(lon)) % 2 == 1:
            out[i] = 0.0
            continue
        y = (90.0 - min(90.0, max(-90.0, lat))) * GRID_PER_DEGREE
        x = (wrapped_deg(lon) + 180.0) * GRID_PER_DEGREE
        top = min(int(y), rows - 2)
        left = int(x) % turns
        right = (left + 1) % turns
        v, u = y - top, x - int(x)
        metres = GRID_UNIT_M * (
            (1.0 - v) * ((1.0 - u) * nodes[top, left] + u * nodes[top, right])
            + v * ((1.0 - u) * nodes[top + 1, left] + u * nodes[top + 1, right])
        )
        if metres < EXACT_M + _MARGIN_M:
            found = _search(lat, lon, first, columns, EXACT_M)
            metres = found if found <= EXACT_M else max(metres, EXACT_M)
        out[i] = metres


@dataclass(frozen=True, slots=True)
class GlobeCoast:
    """`model.world.Coast` over the packaged file."""

    version: str
    first: I32
    columns: U16
    nodes: U16

    def is_land(self, latitude_deg: F64, longitude_deg: F64) -> NDArray[np.bool_]:
        """True where the position is on land, shape (n,); False where there is no position."""
        out = np.zeros(len(latitude_deg), dtype=np.bool_)
        _land(_plain(latitude_deg), _plain(longitude_deg), self.first, self.columns, out)
        return out

    def distance_to_shore_m(self, latitude_deg: F64, longitude_deg: F64) -> F64:
        """Metres to the nearest land, 0 on land, NaN where there is no position, shape (n,)."""
        out = np.full(len(latitude_deg), np.nan)
        _shore(_plain(latitude_deg), _plain(longitude_deg), self.first, self.columns, self.nodes, out)
        return out


def _plain(values: F64) -> F64:
    return np.ascontiguousarray(values, dtype=np.float64)


def load_coast() -> GlobeCoast:
    """The coast that comes with the package; raises CorruptStore where the file does not fit."""
    with as_file(files("shiprider.adapters.geography").joinpath("data", "shore.npz")) as path:
        try:
            with np.load(path) as packed:
                first, columns = packed["first"], packed["columns"]
                nodes = np.cumsum(packed["differences"], axis=1, dtype=np.uint16)
                version = str(packed["version"])
        except (OSError, ValueError, KeyError) as error:
            raise CorruptStore(f"The packaged coast {path.name} cannot be read: {error}.") from error
    if len(first) != ROWS + 1 or first[-1] != len(columns):
        raise CorruptStore(f"The packaged coast {path.name} is damaged: install shiprider again.")
    return GlobeCoast(version, first, columns, nodes)
