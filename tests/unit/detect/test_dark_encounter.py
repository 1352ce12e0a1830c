"""Dark encounter: the shape that counts, and the shapes that do not."""

from typing import Any

import pytest
from pyproj import Geod

from shiprider.detect.catalogue import build, find, shipped
from shiprider.model.world import World

GEOD = Geod(ellps="WGS84")
A, B = 232_000_001, 232_000_002
HOUR = 3600.0
OPEN = (10.0, -140.0)
Legs = list[tuple[float, float, float]]


def shape(
    stop_s: float,
    stop_kn: float = 0.8,
    before_kn: float = 10.0,
    after_kn: float = 10.0,
    before_s: float = 2 * HOUR,
) -> Legs:
    return [(before_s, before_kn, 90.0), (stop_s, stop_kn, 10.0), (2 * HOUR, after_kn, 60.0)]


@pytest.mark.parametrize(
    ("legs", "is_found"),
    [
        (shape(17 * 60.0), True),
        (shape(13 * 60.0), False),
        (shape(2 * HOUR), True),
        (shape(11.5 * HOUR), True),
        (shape(12.5 * HOUR), False),
        (shape(HOUR, stop_kn=1.9), True),
        (shape(HOUR, stop_kn=2.2), False),
        (shape(HOUR, before_kn=3.0), False),
        (shape(HOUR, after_kn=3.0), False),
        (shape(HOUR, before_s=600.0), False),
    ],
    ids=[
        "17 min",
        "13 min",
        "2 h",
        "11.5 h",
        "12.5 h: drifting",
        "1.9 kn",
        "2.2 kn",
        "trawling before",
        "drifts on",
        "no approach",
    ],
)
def test_shapes(sea: Any, found: Any, legs: Legs, is_found: bool) -> None:
    sea.sails(A, OPEN, legs)
    findings = found("dark_encounter.skylight", sea.rows())
    assert [f.participants for f in findings] == ([(A,)] if is_found else [])
    if is_found:
        assert findings[0].facts["duration_s"] == pytest.approx(legs[1][0], abs=130.0)


@pytest.mark.parametrize(("metres", "is_found"), [(1400.0, False), (1650.0, True)])
@pytest.mark.parametrize("order", [(A, B), (B, A)])
def test_somebody_seen_beside_it(
    sea: Any, found: Any, metres: float, is_found: bool, order: tuple[int, int]
) -> None:
    lon, lat, _ = GEOD.fwd(OPEN[1], OPEN[0], 90.0, 2 * HOUR * 10 * 1852 / 3600)
    sea.sails(order[0], OPEN, shape(HOUR, stop_kn=0.0))
    lon, lat, _ = GEOD.fwd(lon, lat, 180.0, metres)
    sea.sails(order[1], (lat, lon), [(5 * HOUR, 0.0, 0.0)], every_s=170.0)
    assert bool(found("dark_encounter.skylight", sea.rows())) is is_found


def test_a_vessel_that_passes_by_undoes_an_open_finding(sea: Any) -> None:
    sea.sails(A, OPEN, shape(2 * HOUR, stop_kn=0.0))
    lon, lat, _ = GEOD.fwd(OPEN[1], OPEN[0], 90.0, 2 * HOUR * 10 * 1852 / 3600)
    meeting = 3.5 * HOUR
    lon, lat, _ = GEOD.fwd(lon, lat, 0.0, meeting * 12 * 1852 / 3600)
    sea.sails(B, (lat, lon), [(6 * HOUR, 12.0, 180.0)])
    rows = sea.rows()
    detector = build(find("dark_encounter.skylight", shipped()))
    cut = int(((rows.points.time_us / 1e6 - 1_699_920_000) < 3 * HOUR).sum())
    states = []
    state = detector.start()
    for begin, end in ((0, cut), (cut, len(rows.points))):
        part = _part(rows, begin, end)
        state, told = detector.fold(state, part, World())
        states.append([f.state for f in told])
    assert states[0] == ["open"]
    assert states[1] == ["retracted"]
    assert detector.finish(state, World()) == []


def _part(rows: Any, begin: int, end: int) -> Any:
    from dataclasses import fields

    from shiprider.model.rows import Rows, TrackPoints

    columns = {f.name: getattr(rows.points, f.name)[begin:end] for f in fields(TrackPoints)}
    return Rows(TrackPoints(**columns), rows.statements, int(columns["time_us"][-1]))


@pytest.mark.parametrize(("kilometres", "is_found"), [(9.0, False), (12.0, True)])
def test_near_an_anchorage_it_is_waiting(
    sea: Any, found: Any, anchorages: Any, kilometres: float, is_found: bool
) -> None:
    sea.sails(A, OPEN, shape(HOUR, stop_kn=0.0))
    lon, lat, _ = GEOD.fwd(OPEN[1], OPEN[0], 90.0, 2 * HOUR * 10 * 1852 / 3600)
    lon, lat, _ = GEOD.fwd(lon, lat, 90.0, kilometres * 1000.0)
    world = World(anchorages=anchorages(("Roads", lat, lon)))
    assert bool(found("dark_encounter.skylight", sea.rows(), world)) is is_found


def test_a_longer_silence_than_the_gap_is_not_a_shape(sea: Any, found: Any) -> None:
    sea.sails(A, OPEN, shape(4 * HOUR), silent=[(2.2 * HOUR, 4.8 * HOUR)])
    assert found("dark_encounter.skylight", sea.rows()) == []


def test_satellite_passes_apart_it_is_still_a_shape(sea: Any, found: Any) -> None:
    """Heard for ten minutes every hour and a half, as from a constellation of satellites."""
    passes = [(n * 1.5 * HOUR + 600.0, (n + 1) * 1.5 * HOUR) for n in range(6)]
    sea.sails(A, OPEN, shape(4 * HOUR), silent=passes)
    (one,) = found("dark_encounter.skylight", sea.rows())
    # Slow reports were heard at 3 h, 3 h 10 min, ..., 4 h 40 min, and 6 h is the last.
    assert 1.4 * HOUR <= (one.end_us - one.start_us) * 1e-6 <= 4 * HOUR
    # Half an hour and more after the stop at 10 kn is 10 kn, whatever the time between two reports.
    assert one.facts["after_mps"] == pytest.approx(5.144, abs=0.6)


def test_turning_about_between_two_passes_is_no_stop(sea: Any, found: Any) -> None:
    """A trawler that is back where it was an hour and a half later sailed all the time, as both reports say."""
    legs = [(2 * HOUR, 8.0, 90.0), (0.75 * HOUR, 8.0, 0.0), (0.75 * HOUR, 8.0, 180.0), (3 * HOUR, 8.0, 90.0)]
    sea.sails(A, OPEN, legs, silent=[(2 * HOUR + 60, 3.5 * HOUR - 60)])
    assert found("dark_encounter.skylight", sea.rows()) == []


def test_across_midnight_and_the_180th_meridian(sea: Any, found: Any) -> None:
    sea.sails(A, (20.0, 179.6), shape(2 * HOUR), at_s=21 * HOUR)
    assert len(found("dark_encounter.skylight", sea.rows())) == 1
