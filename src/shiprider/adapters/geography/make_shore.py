"""Makes `data/shore.npz` from the installed `global_land_mask`; run only when that package changes.

Always true: what it writes is derived from the mask alone: the columns where each row of the mask
changes between sea and land (which is the whole mask, without loss), and the distance to the nearest
land on a grid of a tenth of a degree.

    python -m shiprider.adapters.geography.make_shore

Needs about 4 GB of memory and two minutes. The mask is the GLOBE elevation model (NOAA) at 30 arc
seconds as packaged by Todd Karin (MIT licence).
"""

import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from shiprider.adapters.geography.coast import COLUMNS, GRID_PER_DEGREE, GRID_UNIT_M, ROWS
from shiprider.measure.geodesy import EARTH_RADIUS_M

_TARGET = Path(__file__).parent / "data" / "shore.npz"


def source_mask() -> NDArray[np.bool_]:
    """The package's mask as land, shape (21600, 43200), row 0 at 90 N, column 0 at 180 W."""
    spec = importlib.util.find_spec("global_land_mask")
    if spec is None or spec.origin is None:
        raise SystemExit("global_land_mask is not installed: install shiprider again.")
    with np.load(Path(spec.origin).parent / "globe_combined_mask_compressed.npz") as packed:
        ocean: NDArray[np.bool_] = packed["mask"]
    return np.logical_not(ocean, out=ocean)


def changes(land: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
    """(first[row], columns): where each row changes, a row starting as sea."""
    first = np.zeros(ROWS + 1, dtype=np.int32)
    columns = []
    for row in range(ROWS):
        line = land[row]
        at = np.flatnonzero(line[1:] != line[:-1]) + 1
        if line[0]:
            at = np.concatenate(([0], at))
        columns.append(at.astype(np.uint16))
        first[row + 1] = first[row] + len(at)
    return first, np.concatenate(columns)


def _unit(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def grid_distances(land: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Distance to land at the grid's nodes in units of GRID_UNIT_M, 0 on land."""
    coastal = []
    for row in range(ROWS):
        line = land[row]
        inside = line & np.roll(line, 1) & np.roll(line, -1)
        if 0 < row < ROWS - 1:
            inside &= land[row - 1] & land[row + 1]
        at = np.flatnonzero(line & ~inside)
        coastal.append(np.column_stack((np.full(len(at), row), at)))
    cells = np.concatenate(coastal)
    cell_lat = 90.0 - (cells[:, 0] + 0.5) / 120.0
    cell_lon = -180.0 + (cells[:, 1] + 0.5) / 120.0
    tree = cKDTree(_unit(cell_lat, cell_lon))
    rows, columns = 180 * GRID_PER_DEGREE + 1, 360 * GRID_PER_DEGREE
    nodes = np.zeros((rows, columns), dtype=np.uint16)
    longitude = -180.0 + np.arange(columns) / GRID_PER_DEGREE
    step = 120 // GRID_PER_DEGREE
    for i in range(rows):
        latitude = np.full(columns, 90.0 - i / GRID_PER_DEGREE)
        _, nearest = tree.query(_unit(latitude, longitude))
        half = 1.0 / 240.0
        north = np.clip(latitude, cell_lat[nearest] - half, cell_lat[nearest] + half)
        turn = (longitude - cell_lon[nearest] + 180.0) % 360.0 - 180.0
        east = cell_lon[nearest] + np.clip(turn, -half, half)
        chord = np.linalg.norm(_unit(latitude, longitude) - _unit(north, east), axis=1)
        metres = 2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, chord / 2.0))
        on_land = land[min(i * step, ROWS - 1), np.arange(columns) * step]
        nodes[i] = np.where(on_land, 0, np.round(metres / GRID_UNIT_M)).astype(np.uint16)
    return nodes


def main() -> None:
    """Write the file."""
    land = source_mask()
    assert land.shape == (ROWS, COLUMNS)  # noqa: S101
    first, columns = changes(land)
    nodes = grid_distances(land)
    # Differences along a row are small and compress several times better.
    differences = np.diff(nodes.astype(np.int32), axis=1, prepend=0).astype(np.int16)
    _TARGET.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        _TARGET,
        first=first,
        columns=columns,
        differences=differences,
        version=np.array(f"global-land-mask {importlib.metadata.version('global-land-mask')}"),
    )


if __name__ == "__main__":
    main()
