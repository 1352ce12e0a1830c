"""Positions without bytes."""

import numpy as np

from shiprider.model.codes import Nature
from shiprider.simulate.columns import million_positions, scaled_fleet
from shiprider.simulate.geography import Geography


def test_columns_are_ordered_marked_and_plausible(geography: Geography) -> None:
    points = million_positions(61_000, 120, geography, days=2.0)
    assert 0.8 * 61_000 < len(points) < 1.6 * 61_000
    assert (np.diff(points.time_us) >= 0).all()
    assert (points.nature == Nature.SIMULATED).all()
    assert (points.track == points.claimed_id * 16).all()
    assert points.speed_mps.max() < 28.0
    assert len(np.unique(points.claimed_id)) > 110
    for mmsi in np.unique(points.claimed_id)[:40]:
        mine = points.claimed_id == mmsi
        if mine.sum() < 2 or mmsi == 123_456_789 or mmsi % 1_000_000 >= 800_000:
            continue
        t = points.time_us[mine] / 1e6
        scale = np.cos(np.radians(points.latitude_deg[mine]))[1:]
        metres = 111_195.0 * np.hypot(
            np.diff(points.latitude_deg[mine]), np.diff(points.longitude_deg[mine]) * scale
        )
        implied = metres / np.maximum(np.diff(t), 1.0)
        assert implied.max() < 28.0


def test_a_fleet_is_scaled_to_the_vessel() -> None:
    for vessels in (40, 777, 2000, 50_000):
        assert scaled_fleet(vessels).total() == vessels
