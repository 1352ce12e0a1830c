"""Routes: they join ports, stay off land, and are not much longer than they must be."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from shiprider.simulate.geography import Geography
from shiprider.simulate.scenario import Scenario
from shiprider.simulate.sea_grid import SeaGrid, build_sea_grid


@pytest.fixture(scope="module")
def grid(geography: Geography) -> SeaGrid:
    return build_sea_grid(geography)


def port(grid: SeaGrid, name: str) -> int:
    return grid.port_name.index(name)


def length_km(way: np.ndarray) -> float:
    total = 0.0
    for a, b in itertools.pairwise(way):
        p, q = math.radians(a[0]), math.radians(b[0])
        h = (
            math.sin((q - p) / 2) ** 2
            + math.cos(p) * math.cos(q) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
        )
        total += 2 * 6371.0 * math.asin(math.sqrt(h))
    return total


def test_ports_are_where_the_list_has_them(grid: SeaGrid, geography: Geography) -> None:
    assert len(grid) > 250
    for i, original in enumerate(grid.port_index):
        away = math.hypot(
            grid.berth_latitude_deg[i] - geography.port_latitude_deg[original],
            grid.berth_longitude_deg[i] - geography.port_longitude_deg[original],
        )
        assert away < 0.42
    assert "Tucson" not in grid.port_name


def test_routes_stay_off_land(grid: SeaGrid, geography: Geography) -> None:
    rng = np.random.default_rng(8)
    ports = rng.choice(len(grid), 24, replace=False)
    land = total = 0
    for a, b in itertools.pairwise(ports):
        way = grid.port_to_port(int(a), int(b))
        if way is None:
            continue
        for p, q in itertools.pairwise(way):
            n = int(np.abs(q - p).max() / 0.004) + 2
            points = p + (q - p) * np.linspace(0, 1, n)[:, None]
            land += int(geography.is_land(points[:, 0].copy(), points[:, 1].copy()).sum())
            total += n
    assert total > 20_000
    assert land < 0.0005 * total


def test_a_route_is_about_as_long_as_the_published_distance(grid: SeaGrid) -> None:
    """Cartagena to Kingston is 468 nautical miles in distance tables (NGA Pub. 151 gives 466)."""
    way = grid.port_to_port(port(grid, "Cartagena"), port(grid, "Kingston"))
    assert way is not None
    assert length_km(way) / 1.852 == pytest.approx(467.0, rel=0.06)


def test_oceans_are_joined_by_no_canal(grid: SeaGrid) -> None:
    assert grid.port_to_port(port(grid, "Cartagena"), port(grid, "Buenaventura")) is None


def test_back_is_the_same_way(grid: SeaGrid) -> None:
    a, b = port(grid, "Cartagena"), port(grid, "Kingston")
    there, back = grid.port_to_port(a, b), grid.port_to_port(b, a)
    assert there is not None
    assert back is not None
    assert np.array_equal(there, back[::-1])


def test_a_place_on_land_is_not_reached(grid: SeaGrid) -> None:
    assert grid.port_to_place(port(grid, "Cartagena"), 4.7, -74.1) is None


def test_vessels_stay_off_land_outside_ports(
    geography: Geography, grid: SeaGrid, make_scenario: Callable[..., Scenario]
) -> None:
    from scipy.spatial import cKDTree

    from shiprider.simulate.columns import track_points

    points = track_points(make_scenario(seed=11), geography, 300.0)
    # Offset positions lie wherever they lie: only participants of events report them.
    lawful = points.claimed_id % 1_000_000 < 800_000
    berths = cKDTree(np.column_stack((grid.berth_latitude_deg, grid.berth_longitude_deg)))
    away, _ = berths.query(np.column_stack((points.latitude_deg, points.longitude_deg)))
    land = geography.is_land(points.latitude_deg, points.longitude_deg)
    assert lawful.sum() > 20_000
    assert (land & lawful & (away > 8.0 / 111.2)).sum() <= 0.0005 * lawful.sum()
