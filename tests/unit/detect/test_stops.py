"""Anchorages learnt from stops: GFW's thresholds, just below and above."""

from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from shiprider.detect.stops import learnt_anchorages, stationary_periods

GEOD = Geod(ellps="WGS84")
HOUR = 3600.0


def lie(
    sea: Any, mmsi: int, hours: float, place: tuple[float, float], swing_m: float = 0.0, at_s: float = 0.0
) -> None:
    t = np.arange(0.0, hours * HOUR + 1, 600.0)
    away = np.where(np.arange(len(t)) % 2, swing_m, 0.0)
    lon, lat, _ = GEOD.fwd(np.full(len(t), place[1]), np.full(len(t), place[0]), np.full(len(t), 60.0), away)
    sea.reports(mmsi, list(t + at_s), list(lat), list(lon), [0.0] * len(t))


@pytest.mark.parametrize(
    ("hours", "swing_m", "count"), [(12.1, 0.0, 1), (11.9, 0.0, 0), (13.0, 490.0, 1), (13.0, 510.0, 0)]
)
def test_stationary_is_half_a_day_within_half_a_kilometre(
    sea: Any, hours: float, swing_m: float, count: int
) -> None:
    lie(sea, 232_000_001, hours, (10.0, 179.9999), swing_m)
    stops = stationary_periods(sea.rows().points)
    assert len(stops.claimed_id) == count
    if count and not swing_m:
        assert (stops.end_us[0] - stops.start_us[0]) / 1e6 == pytest.approx(hours * HOUR, abs=600.0)
        assert GEOD.inv(stops.longitude_deg[0], stops.latitude_deg[0], 179.9999, 10.0)[2] < 1.0


@pytest.mark.parametrize(("vessels", "count"), [(19, 0), (20, 1)])
def test_twenty_different_vessels_make_an_anchorage(sea: Any, vessels: int, count: int) -> None:
    for v in range(vessels):
        lie(sea, 232_000_001 + v, 13.0, (10.0 + v * 1e-5, -75.5))
    for again in range(30):
        lie(sea, 232_900_000, 13.0, (12.0, -75.5), at_s=again * 30 * HOUR)
    stops = stationary_periods(sea.rows().points)
    anchorages = learnt_anchorages(stops)
    assert len(anchorages.name) == count
    if count:
        assert anchorages.latitude_deg[0] == pytest.approx(10.0001, abs=1e-3)
        assert "2023-11-14..2023-12-" in anchorages.version


def test_a_long_silence_is_not_lying_still(sea: Any) -> None:
    sea.sails(
        232_000_001, (10.0, -75.5), [(30 * HOUR, 0.0, 0.0)], every_s=600.0, silent=[(8 * HOUR, 22 * HOUR)]
    )
    assert len(stationary_periods(sea.rows().points).claimed_id) == 0


def test_nothing_from_nothing(sea: Any) -> None:
    sea.sails(232_000_001, (10.0, -75.5), [(HOUR, 10.0, 0.0)])
    anchorages = learnt_anchorages(stationary_periods(sea.rows().points))
    assert anchorages.name == ()
    assert "no days" in anchorages.version
