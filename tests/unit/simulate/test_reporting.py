"""Reporting intervals against ITU-R M.1371-5, tables 1 and 2."""

import numpy as np
import pytest

from shiprider.simulate import motion, reporting

KNOT = 1852.0 / 3600.0

#: (class, status, knots, degrees a second) -> seconds, from the recommendation's tables.
TABLE = [
    (1, 1, 0.1, 0.0, 180.0),
    (1, 5, 2.9, 0.0, 180.0),
    (1, 1, 3.5, 0.0, 10.0),
    (1, 0, 0.0, 0.0, 10.0),
    (1, 0, 13.9, 0.0, 10.0),
    (1, 0, 13.9, 0.5, 10.0 / 3.0),
    (1, 7, 4.0, -0.5, 10.0 / 3.0),
    (1, 0, 14.5, 0.0, 6.0),
    (1, 0, 22.5, 0.0, 6.0),
    (1, 0, 22.5, 0.5, 2.0),
    (1, 0, 24.0, 0.0, 2.0),
    (1, 0, 24.0, 0.5, 2.0),
    (2, 0, 1.9, 0.0, 180.0),
    (2, 0, 13.0, 0.0, 30.0),
    (2, 0, 20.0, 0.0, 15.0),
    (2, 0, 25.0, 0.0, 5.0),
    (3, 0, 1.9, 0.0, 180.0),
    (3, 0, 2.5, 0.0, 30.0),
    (3, 0, 30.0, 0.0, 30.0),
]


@pytest.mark.parametrize(("kind", "status", "knots", "turn", "seconds"), TABLE)
def test_interval(kind: int, status: int, knots: float, turn: float, seconds: float) -> None:
    assert reporting.reporting_interval_s(kind, status, knots * KNOT, turn) == pytest.approx(seconds)


def play(kind: int, knots: np.ndarray, hours: float, chance: float = 1e9) -> tuple[np.ndarray, np.ndarray]:
    """What one perfect station beside one vessel hears."""
    floats = np.empty((60_000, reporting.FLOATS))
    integers = np.empty((60_000, reporting.INTEGERS), np.int64)
    due = np.array([[0.0, 100.0, 50.0 if kind == 1 else np.inf]])
    rows = reporting.receive(
        knots,
        np.array([0, len(knots)]),
        0.0,
        hours * 3600.0,
        np.array([12345], np.uint64),
        np.array([kind], np.int8),
        np.array([1e6]),
        np.array([1.0]),
        np.zeros(1, np.int64),
        due,
        np.zeros((1, 3), np.int64),
        np.array([[15.0, -75.0, 1e7, chance]]),
        np.zeros(2, np.int64),
        np.empty((0, 2)),
        np.array([0, 1]),
        np.array([0]),
        np.array([-90.0, -180.0, 1000.0, 1.0, 1.0]),
        np.empty((0, 400, 5)),
        np.zeros(7),
        floats,
        integers,
    )
    return floats[:rows], integers[:rows]


def straight(speed_mps: float, hours: float, status: int = 0) -> np.ndarray:
    n = 13
    t = np.linspace(0.0, hours * 3600.0 + 1.0, n)
    rate = np.full(n, speed_mps / motion.METRES_PER_DEGREE)
    return motion.knots_of(t, 15.0 + rate * t, np.full(n, -75.0), rate, np.zeros(n), status)


@pytest.mark.parametrize(
    ("kind", "knots", "status", "seconds"),
    [(1, 12.0, 0, 10.0), (1, 18.0, 0, 6.0), (1, 0.0, 1, 180.0), (3, 9.0, 0, 30.0), (2, 18.0, 0, 15.0)],
)
def test_what_is_heard_keeps_the_interval(kind: int, knots: float, status: int, seconds: float) -> None:
    floats, integers = play(kind, straight(knots * KNOT, 3.0, status), 3.0)
    position = integers[:, reporting.N_CHANNEL] == reporting.POSITION
    gaps = np.diff(floats[position, reporting.R_SENT])
    assert len(gaps) > 50
    assert gaps.min() > 0.89 * seconds
    assert gaps.max() < 1.11 * seconds
    assert np.mean(gaps) == pytest.approx(seconds, rel=0.02)
    static = floats[integers[:, reporting.N_CHANNEL] == reporting.STATIC, reporting.R_SENT]
    assert np.allclose(np.diff(static), 360.0)


def test_speed_course_and_place_are_those_of_the_movement() -> None:
    floats, integers = play(1, straight(6.0, 2.0), 2.0)
    rows = floats[integers[:, 2] == 0]
    t = rows[:, reporting.R_SENT]
    north = (rows[:, reporting.R_LAT] - 15.0) * motion.METRES_PER_DEGREE - 6.0 * t
    assert np.abs(north).max() < 25.0
    assert 1.0 < north.std() < 6.0
    assert rows[:, reporting.R_SPEED].mean() == pytest.approx(6.0, abs=0.01)
    course = (rows[:, reporting.R_COURSE] + 180.0) % 360.0 - 180.0
    assert np.abs(course).max() < 3.0


def test_silence_is_silent() -> None:
    knots = motion.silent(straight(5.0, 4.0), 3600.0, 7200.0)
    floats, _ = play(1, knots, 4.0)
    t = floats[:, reporting.R_SENT]
    assert not ((t >= 3600.0) & (t < 7200.0)).any()
    assert ((t > 7200.0) & (t < 7260.0)).any()
    assert ((t > 3540.0) & (t < 3600.0)).any()


def test_reception_follows_its_chance() -> None:
    """Beside the mast, half the chance is half the messages (binomial, 5 sigma)."""
    floats, integers = play(1, straight(6.0, 3.0), 3.0, chance=0.5)
    heard = int((integers[:, 2] == 0).sum())
    sent = 3 * 3600 / 10
    assert abs(heard - 0.5 * sent) < 5 * np.sqrt(sent * 0.25)
    assert (floats[:, reporting.R_ARRIVED] > floats[:, reporting.R_SENT]).all()
