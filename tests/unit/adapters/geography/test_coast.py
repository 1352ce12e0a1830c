"""The coast against its source, the packaged mask, and against a search of the whole mask."""

import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Geod
from scipy.spatial import cKDTree

from shiprider.adapters.geography.coast import GlobeCoast, load_coast

GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def coast() -> GlobeCoast:
    return load_coast()


@pytest.fixture(scope="module")
def land() -> Any:
    """The source as it is packaged, without importing it (that would hold 933 MB for the session)."""
    spec = importlib.util.find_spec("global_land_mask")
    assert spec is not None
    assert spec.origin is not None
    with np.load(Path(spec.origin).parent / "globe_combined_mask_compressed.npz") as packed:
        ocean = packed["mask"]
    yield np.logical_not(ocean, out=ocean)


def _everywhere(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def test_every_cell_of_the_mask_is_kept(coast: GlobeCoast, land: Any) -> None:
    """All 933 million cells: a row is its first cell and where it changes."""
    for row in range(land.shape[0]):
        line = land[row]
        changes = coast.columns[coast.first[row] : coast.first[row + 1]]
        drawn = np.flatnonzero(line[1:] != line[:-1]) + 1
        assert np.array_equal(changes, np.concatenate(([0], drawn)) if line[0] else drawn), row


def test_is_land_is_the_package_s_answer(coast: GlobeCoast, land: Any) -> None:
    """The package's own index arithmetic, written again from its source."""
    lat, lon = _everywhere(300_000, 1)
    lat[:5], lon[:5] = [90.0, -90.0, 0.0, 0.0, 51.5], [0.0, 0.0, 180.0, -180.0, 0.0]
    lats = 90.0 - np.arange(21_600) / 120.0
    lons = -180.0 + np.arange(43_200) / 120.0
    i = ((np.clip(lat, lats[-1], lats[0]) - lats[0]) / (lats[1] - lats[0])).astype(int)
    j = ((np.clip(lon, lons[0], lons[-1]) - lons[0]) / (lons[1] - lons[0])).astype(int)
    assert np.mean(coast.is_land(lat, lon) == land[i, j]) == 1.0


def test_known_places(coast: GlobeCoast) -> None:
    lat = np.array([18.47, 15.0, 9.0, 40.0, -1.0])
    lon = np.array([-69.9, -75.0, -79.5, -100.0, -91.1 - 3.0])
    names = ["Santo Domingo", "Caribbean Sea", "Panama", "Kansas", "off the Galapagos"]
    assert dict(zip(names, coast.is_land(lat, lon).tolist(), strict=True)) == {
        "Santo Domingo": True,
        "Caribbean Sea": False,
        "Panama": True,
        "Kansas": True,
        "off the Galapagos": False,
    }


def test_distance_against_a_search_of_the_whole_mask(coast: GlobeCoast, land: Any) -> None:
    """Nearest eight coastal cells by chord, then the nearest edge on the ellipsoid."""
    inside = land.copy()
    inside[:, 1:] &= land[:, :-1]
    inside[:, :-1] &= land[:, 1:]
    inside[:, 0] &= land[:, -1]
    inside[:, -1] &= land[:, 0]
    inside[1:] &= land[:-1]
    inside[:-1] &= land[1:]
    rows, columns = np.nonzero(land & ~inside)
    del inside
    cell_lat, cell_lon = 90.0 - (rows + 0.5) / 120.0, -180.0 + (columns + 0.5) / 120.0
    tree = cKDTree(_unit(cell_lat, cell_lon))
    lat, lon = _everywhere(30_000, 2)
    near = np.random.default_rng(3).integers(0, len(rows), 15_000)
    lat = np.concatenate(
        (lat, np.clip(cell_lat[near] + np.random.default_rng(4).normal(0, 0.15, 15_000), -85, 85))
    )
    lon = np.concatenate(
        (lon, (cell_lon[near] + np.random.default_rng(5).normal(0, 0.15, 15_000) + 180) % 360 - 180)
    )
    sea = ~coast.is_land(lat, lon)
    lat, lon = lat[sea], lon[sea]
    _, nearest = tree.query(_unit(lat, lon), k=8)
    best = np.full(len(lat), np.inf)
    for k in range(8):
        at = nearest[:, k]
        y = np.clip(lat, cell_lat[at] - 1 / 240, cell_lat[at] + 1 / 240)
        x = cell_lon[at] + np.clip((lon - cell_lon[at] + 180) % 360 - 180, -1 / 240, 1 / 240)
        best = np.minimum(best, GEOD.inv(lon, lat, x, y)[2])
    error = np.abs(coast.distance_to_shore_m(lat, lon) - best)
    close = (best < 39_000.0) & (np.abs(lat) < 85.0)
    assert close.sum() > 5000
    # The search takes cells by their centres, so its own answer can be long by half a cell's diagonal.
    assert np.percentile(error[close], 99.5) < np.percentile(best[close], 99.5) * 0.001 + 10.0
    assert error[close].max() < 700.0
    far = best >= 41_000.0
    assert np.percentile(error[far] / best[far], 95) < 0.01
    assert (error[far] / best[far]).max() < 0.08


def _unit(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def test_no_position_and_any_turn(coast: GlobeCoast) -> None:
    nothing = np.array([np.nan])
    assert not coast.is_land(nothing, nothing)[0]
    assert np.isnan(coast.distance_to_shore_m(nothing, nothing)[0])
    lat = np.array([15.0, 40.0])
    turned = coast.distance_to_shore_m(lat, np.array([-75.0 + 360.0, -100.0 - 360.0]))
    np.testing.assert_allclose(turned, coast.distance_to_shore_m(lat, np.array([-75.0, -100.0])))


def test_it_is_small_and_quick_to_load() -> None:
    begin = time.perf_counter()
    coast = load_coast()
    taken = time.perf_counter() - begin
    assert coast.first.nbytes + coast.columns.nbytes + coast.nodes.nbytes < 50_000_000
    assert taken < 5.0  # well under a second alone; generous where the machine is busy
    assert coast.version.startswith("global-land-mask")
