"""Movement: plausible speeds and turns, and exactness where the truth depends on it."""

import itertools
import math

import numpy as np
import pytest

from shiprider.simulate import motion


def haversine_m(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """Independent of the package: the textbook formula on a sphere of 6,371 km."""
    a, b = math.radians(lat0), math.radians(lat1)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon1 - lon0) / 2) ** 2
    return 2 * 6_371_000.0 * math.asin(math.sqrt(h))


PATH = np.array([[12.0, -72.0], [12.6, -72.4], [12.7, -73.5], [13.4, -73.6]])


def dense(knots: np.ndarray, step_s: float = 20.0) -> np.ndarray:
    t = np.arange(knots[0, 0], knots[-1, 0], step_s)
    return np.column_stack((t, [motion.at(knots, float(x)) for x in t]))


def test_a_voyage_starts_and_ends_where_it_should_at_plausible_speeds() -> None:
    knots = motion.sail(100.0, PATH, 7.0, np.random.default_rng(1))
    assert knots[0, :3] == pytest.approx([100.0, *PATH[0]])
    assert knots[-1, 1:3] == pytest.approx(PATH[-1], abs=1e-9)
    assert (np.diff(knots[:, 0]) > 0).all()
    way = dense(knots)
    metres = np.array([haversine_m(*a[1:], *b[1:]) for a, b in itertools.pairwise(way)])
    speed = metres / 20.0
    assert speed.max() < 7.0 * 1.35
    assert np.median(speed) == pytest.approx(7.0, rel=0.05)
    acceleration = np.diff(speed) / 20.0
    assert np.abs(acceleration).max() < 0.06
    length = sum(haversine_m(*a, *b) for a, b in itertools.pairwise(PATH))
    assert metres.sum() == pytest.approx(length, rel=0.03)


def test_turns_are_no_faster_than_a_ship_can() -> None:
    knots = motion.sail(0.0, PATH, 7.0, np.random.default_rng(2), turn_s=150.0, wander_m=0.0)
    way = dense(knots, 10.0)
    east = np.diff(way[:, 2]) * np.cos(np.radians(way[:-1, 1]))
    course = np.unwrap(np.arctan2(east, np.diff(way[:, 1])))
    inner = slice(200, -200)
    rate = np.degrees(np.abs(np.diff(course[inner]))) / 10.0
    # 150 s for a radian is 0.38 degrees a second; the middle of the arc is up to twice as fast.
    assert rate.max() < 1.2


def test_knots_put_in_move_nothing() -> None:
    knots = motion.sail(0.0, PATH, 9.0, np.random.default_rng(3))
    more = motion.resampled(knots, np.linspace(500.0, 20_000.0, 37))
    assert len(more) == len(knots) + 37
    for t in np.linspace(0.0, float(knots[-1, 0]), 200):
        assert motion.at(more, float(t)) == pytest.approx(motion.at(knots, float(t)), abs=1e-9)


def test_a_companion_keeps_its_distance() -> None:
    knots = motion.sail(0.0, PATH, 2.0, np.random.default_rng(4))
    beside = motion.abreast(knots, 300.0)
    far = [
        haversine_m(*motion.at(knots, float(t)), *motion.at(beside, float(t)))
        for t in np.linspace(3000.0, float(knots[-1, 0]) - 3000.0, 300)
    ]
    assert np.median(far) == pytest.approx(300.0, rel=0.02)
    assert max(far) < 330.0


def test_a_claim_holds_in_its_window_only() -> None:
    knots = motion.sail(0.0, PATH, 9.0, np.random.default_rng(5))

    def place(rows: np.ndarray) -> np.ndarray:
        n = len(rows)
        return np.column_stack((np.full(n, 20.0), np.full(n, -80.0), np.zeros(n), np.zeros(n)))

    claimed = motion.claiming(knots, 3000.0, 9000.0, place)
    inside = (claimed[:-1, 0] >= 3000.0) & (claimed[1:, 0] <= 9000.0) & (np.diff(claimed[:, 0]) > 0)
    assert np.isnan(claimed[:-1, motion.CLAT][~inside & (np.diff(claimed[:, 0]) > 0)]).all()
    assert (claimed[:-1, motion.CLAT][inside] == 20.0).all()
    assert motion.at(claimed, 5000.0) == pytest.approx(motion.at(knots, 5000.0), abs=1e-9)


def test_an_anchored_ship_swings_in_its_circle() -> None:
    knots = motion.swing(0.0, 86_400.0, 12.0, -70.0, 150.0, np.random.default_rng(6))
    far = [haversine_m(12.0, -70.0, *motion.at(knots, float(t))) for t in np.linspace(0, 86_399, 300)]
    assert max(far) < 400.0
    assert max(far) > 50.0
    speed = np.hypot(knots[:, motion.VLAT], knots[:, motion.VLON]) * motion.METRES_PER_DEGREE
    assert speed.max() < 0.5
