"""Loitering: thresholds just below and above, silences, bursts, the day boundary, the coast."""

from typing import Any

import numpy as np
import pytest

from shiprider.model.world import World

A = 232_000_001
HOUR = 3600.0
OPEN = (10.0, -140.0)


def drift(sea: Any, seconds: float, knots: float, **how: Any) -> None:
    sea.sails(A, OPEN, [(HOUR, 12.0, 90.0), (seconds, knots, 10.0), (HOUR, 12.0, 90.0)], **how)


@pytest.mark.parametrize(
    ("seconds", "knots", "is_found"),
    [
        (2 * HOUR + 120, 1.0, True),
        (2 * HOUR - 180, 1.0, False),
        (3 * HOUR, 1.95, True),
        (3 * HOUR, 2.05, False),
    ],
)
@pytest.mark.parametrize("sog", [True, False])
def test_thresholds(sea: Any, found: Any, seconds: float, knots: float, is_found: bool, sog: bool) -> None:
    drift(sea, seconds, knots, sog=sog)
    findings = found("loitering.gfw", sea.rows())
    assert len(findings) == int(is_found)
    if is_found:
        assert findings[0].facts["mean_speed_mps"] == pytest.approx(knots * 1852 / 3600, rel=0.05)
        assert findings[0].participants == (A,)


def test_position_noise_is_not_speed(sea: Any, found: Any) -> None:
    """Reports every 10 s, jumping by some 10 m: 2 kn from place to place, but nobody moves."""
    rng = np.random.default_rng(7)
    t = np.arange(0.0, 3 * HOUR, 10.0)
    lat = OPEN[0] + rng.normal(0, 10.0 / 111_000, len(t))
    lon = OPEN[1] + rng.normal(0, 10.0 / 111_000, len(t))
    sea.reports(A, list(t), list(lat), list(lon), [0.1] * len(t))
    assert len(found("loitering.gfw", sea.rows())) == 1


@pytest.mark.parametrize(("silence_h", "count"), [(1.9, 1), (2.1, 0)])
def test_a_long_silence_breaks_it(sea: Any, found: Any, silence_h: float, count: int) -> None:
    """1.5 h of drift before and after the silence."""
    length = 3 * HOUR + silence_h * HOUR
    sea.sails(A, OPEN, [(length, 0.5, 0.0)], silent=[(1.5 * HOUR, (1.5 + silence_h) * HOUR)])
    assert len(found("loitering.gfw", sea.rows())) == count


@pytest.mark.parametrize(("burst_min", "count"), [(8.0, 1), (15.0, 1), (19.5, 1), (20.5, 0), (25.0, 0)])
def test_bursts_are_absorbed_as_hourly_means_absorb_them(
    sea: Any, found: Any, burst_min: float, count: int
) -> None:
    """B minutes at 5 kn and 60 - B at 0.5 kn are below 2 kn on average for B < 20."""
    sea.sails(A, OPEN, [(5400.0, 0.5, 0.0), (burst_min * 60.0, 5.0, 0.0), (5400.0, 0.5, 0.0)])
    assert len(found("loitering.gfw", sea.rows())) == count


def test_over_midnight_it_is_one(sea: Any, found: Any) -> None:
    drift(sea, 3 * HOUR, 0.5, at_s=21 * HOUR)
    (finding,) = found("loitering.gfw", sea.rows())
    assert (finding.end_us - finding.start_us) / 1e6 == pytest.approx(3 * HOUR, abs=120.0)


def test_across_the_180th_meridian(sea: Any, found: Any) -> None:
    sea.sails(A, (5.0, 179.99), [(3 * HOUR, 0.8, 90.0)])
    (finding,) = found("loitering.gfw", sea.rows())
    assert abs(finding.longitude_deg) > 179.9


class _Shore:
    """A straight shore along the equator with land to the south of it."""

    version = "by hand"

    def is_land(self, latitude_deg: Any, longitude_deg: Any) -> Any:
        return latitude_deg < 0.0

    def distance_to_shore_m(self, latitude_deg: Any, longitude_deg: Any) -> Any:
        return np.maximum(0.0, latitude_deg * 60.0 * 1852.0)


@pytest.mark.parametrize(
    ("preset", "miles", "hours", "is_found"),
    [
        ("gfw-product", 20.5, 2.5, True),
        ("gfw-product", 19.5, 2.5, False),
        ("gfw-transshipment", 20.5, 4.1, True),
        ("gfw-transshipment", 20.5, 3.9, False),
        ("gfw-transshipment", 19.5, 5.0, False),
        ("gfw", 1.0, 2.5, True),
    ],
)
def test_distance_from_shore(
    sea: Any, found: Any, preset: str, miles: float, hours: float, is_found: bool
) -> None:
    sea.sails(A, (miles / 60.0, -140.0), [(hours * HOUR, 0.5, 90.0)])
    findings = found(f"loitering.{preset}", sea.rows(), World(coast=_Shore()))
    assert len(findings) == int(is_found)
    if is_found:
        assert findings[0].facts["mean_shore_m"] == pytest.approx(miles * 1852.0, rel=0.01)


def test_anchored_and_fishing_score_lower(sea: Any, found: Any) -> None:
    scores = {}
    for status in (15, 1, 7):
        sea.parts.clear()
        drift(sea, 3 * HOUR, 0.5, status=status)
        (scores[status],) = (f.score for f in found("loitering.gfw", sea.rows()))
    assert scores[1] < scores[7] < scores[15]
