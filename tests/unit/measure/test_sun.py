"""The sun against published moments."""

from datetime import UTC, datetime

import pytest

from shiprider.measure.sun import is_night, solar_elevation_deg


def _us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def test_the_sun_stands_overhead_at_the_tropic_at_the_solstice() -> None:
    """June solstice 2024: 20 June 20:51 UTC, declination 23.44; it is noon (with the equation of time,
    -1 min 50 s) at 132.3 W."""
    assert solar_elevation_deg(23.436, -132.3, _us("2024-06-20T20:51:00")) == pytest.approx(90.0, abs=0.3)


def test_equinox_declination_is_zero() -> None:
    """March equinox 2024: 20 March 03:06 UTC: at both poles the sun is on the horizon."""
    for latitude in (90.0, -90.0):
        assert solar_elevation_deg(latitude, 0.0, _us("2024-03-20T03:06:00")) == pytest.approx(0.0, abs=0.03)


def test_sunset_at_greenwich() -> None:
    """HM Nautical Almanac Office: sunset at Greenwich on 21 June 2024 is 20:21 UTC (centre at -0.833)."""
    assert solar_elevation_deg(51.48, 0.0, _us("2024-06-21T20:21:00")) == pytest.approx(-0.833, abs=0.15)


@pytest.mark.parametrize(("hour", "night"), [("T04:30:00", True), ("T16:30:00", False)])
def test_night_in_the_caribbean(hour: str, night: bool) -> None:
    assert is_night(15.0, -75.0, _us("2024-01-10" + hour)) is night
