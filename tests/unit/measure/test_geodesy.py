"""Geodesy against GeographicLib (pyproj)."""

import numpy as np
import pytest
from pyproj import Geod

from shiprider.measure.geodesy import (
    bearing_deg,
    closest_approach,
    destination,
    haversine_m,
    local_distance_m,
    longitude_difference_deg,
    mean_position,
)

WGS84 = Geod(ellps="WGS84")
SPHERE = Geod(a=6_371_008.7714, b=6_371_008.7714)


def _pairs(metres: float, highest: float = 80.0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(5)
    n = 5000
    lat, lon = rng.uniform(-highest, highest, n), rng.uniform(-180, 180, n)
    lon2, lat2, _ = WGS84.fwd(lon, lat, rng.uniform(0, 360, n), np.full(n, metres))
    return lat, lon, lat2, lon2


@pytest.mark.parametrize(
    ("metres", "share"), [(50.0, 1e-6), (500.0, 1e-6), (20_000.0, 1e-4), (100_000.0, 1e-3)]
)
def test_local_distance(metres: float, share: float) -> None:
    assert np.max(np.abs(local_distance_m(*_pairs(metres)) / metres - 1.0)) < share


def test_haversine_is_the_sphere_s_distance() -> None:
    lat, lon, lat2, lon2 = _pairs(3_000_000.0, 60.0)
    expected = SPHERE.inv(lon, lat, lon2, lat2)[2]
    np.testing.assert_allclose(haversine_m(lat, lon, lat2, lon2), expected, rtol=1e-9)
    assert np.max(np.abs(haversine_m(lat, lon, lat2, lon2) / 3_000_000.0 - 1.0)) < 0.0056


@pytest.mark.parametrize("latitude", [0.0, 60.0, -89.0, 89.999])
def test_the_180th_meridian_and_the_poles_are_nowhere_special(latitude: float) -> None:
    expected = WGS84.inv(179.9999, latitude, -179.9999, latitude)[2]
    assert local_distance_m(latitude, 179.9999, latitude, -179.9999) == pytest.approx(expected, rel=0.01)
    assert local_distance_m(latitude, 539.9999, latitude, 180.0001) == pytest.approx(expected, rel=0.01)


def test_bearing_and_destination() -> None:
    lat, lon, lat2, lon2 = _pairs(400_000.0, 70.0)
    azimuth, _, metres = SPHERE.inv(lon, lat, lon2, lat2)
    turned = (bearing_deg(lat, lon, lat2, lon2) - azimuth + 180.0) % 360.0 - 180.0
    assert np.max(np.abs(turned)) < 1e-6
    there = destination(lat, lon, azimuth, metres)
    np.testing.assert_allclose(there[0], lat2, atol=1e-9)
    assert np.max(np.abs(longitude_difference_deg(there[1], lon2))) < 1e-9
    assert np.all((there[1] >= -180.0) & (there[1] < 180.0))


def test_closest_approach_of_crossing_ships() -> None:
    """By hand: 10 nm east and coming west at 10 kn, we north at 10 kn: closest after 30 min, 5 sqrt 2 nm."""
    lon, lat, _ = WGS84.fwd(-60.0, 12.0, 90.0, 18_520.0)
    kn = 1852.0 / 3600.0
    metres, seconds = closest_approach(12.0, -60.0, 10 * kn, 0.0, lat, lon, 10 * kn, 270.0)
    assert seconds == pytest.approx(1800.0, rel=1e-3)
    assert metres == pytest.approx(18_520.0 / np.sqrt(2.0), rel=1e-3)


def test_closest_approach_of_ships_that_open_is_now() -> None:
    metres, seconds = closest_approach(0.0, 179.99, 5.0, 270.0, 0.0, -179.99, 5.0, 90.0)
    assert seconds == 0.0
    assert metres == pytest.approx(WGS84.inv(179.99, 0.0, -179.99, 0.0)[2], rel=1e-6)


def test_closest_approach_of_equal_movement() -> None:
    assert closest_approach(10.0, 20.0, 5.0, 45.0, 10.0, 20.1, 5.0, 45.0)[1] == 0.0


def test_mean_position_across_the_180th_meridian() -> None:
    latitude, longitude = mean_position(np.array([1.0, 3.0]), np.array([179.0, -179.0]))
    assert latitude == 2.0
    assert abs(longitude) == pytest.approx(180.0)
    assert np.isnan(mean_position(np.empty(0), np.empty(0))[0])
