"""Every threshold of the three encounter presets, just below and just above, and the hard places."""

from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from shiprider.model.world import World

GEOD = Geod(ellps="WGS84")
A, B, C = 232_000_001, 232_000_002, 232_000_003
HOUR = 3600.0
#: In the middle of the Pacific, far from everything.
OPEN = (10.0, -140.0)


def beside(place: tuple[float, float], metres: float, azimuth: float = 90.0) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(place[1], place[0], azimuth, metres)
    return lat, lon


def meet(
    sea: Any,
    seconds: float,
    metres: float,
    *,
    place: tuple[float, float] = OPEN,
    knots: float = 0.5,
    at_s: float = 0.0,
    every_s: float = 60.0,
    phase_s: float = 0.0,
) -> None:
    """A drifts eastwards; B comes up from the north, lies `metres` north of A for `seconds`, and leaves.

    B covers 20 m a second when it comes and goes, so contact begins and ends within seconds.
    """
    kn = 1852.0 / 3600.0
    total = 4 * HOUR + seconds
    sea.sails(A, place, [(total, knots, 90.0)], every_s=every_s, at_s=at_s)
    t = np.arange(0.0, total + 1, every_s) + phase_s
    out = np.maximum(0.0, np.maximum(2 * HOUR - t, t - 2 * HOUR - seconds)) * 20.0
    x = GEOD.fwd(np.full(len(t), place[1]), np.full(len(t), place[0]), np.full(len(t), 90.0), t * knots * kn)
    lon, lat, _ = GEOD.fwd(x[0], x[1], np.zeros(len(t)), metres + out)
    sea.reports(B, list(t + at_s), list(lat), list(lon), [knots] * len(t))


@pytest.mark.parametrize(
    ("preset", "seconds", "metres", "is_found"),
    [
        ("gfw", 2 * HOUR + 60, 450.0, True),
        ("gfw", 2 * HOUR - 120, 450.0, False),
        ("gfw", 3 * HOUR, 495.0, True),
        ("gfw", 3 * HOUR, 505.0, False),
        ("skylight", 32 * 60.0, 240.0, True),
        ("skylight", 28 * 60.0, 240.0, False),
        ("skylight", 60 * 60.0, 248.0, True),
        ("skylight", 60 * 60.0, 252.0, False),
        ("starboard", 11 * 60.0, 45.0, True),
        ("starboard", 9 * 60.0 - 30, 45.0, False),
        ("starboard", 11 * 60.0, 55.0, False),
        ("starboard", 31 * 60.0, 190.0, True),
        ("starboard", 28 * 60.0, 190.0, False),
        ("starboard", 60 * 60.0, 205.0, False),
    ],
)
def test_duration_and_distance(
    sea: Any, found: Any, preset: str, seconds: float, metres: float, is_found: bool
) -> None:
    meet(sea, seconds, metres)
    findings = found(f"encounter.{preset}", sea.rows())
    assert [f.participants for f in findings] == ([(A, B)] if is_found else [])


def test_times_and_facts(sea: Any, found: Any) -> None:
    """By hand: B crosses 500 m at 20 m/s, (500 - 300) / 20 = 10 s before it lies 300 m off, and after."""
    meet(sea, 3 * HOUR, 300.0)
    (finding,) = found("encounter.gfw", sea.rows())
    start = (finding.start_us / 1e6) - 1_699_920_000
    assert start == pytest.approx(2 * HOUR - 10.0, abs=8.0)
    assert (finding.end_us - finding.start_us) / 1e6 == pytest.approx(3 * HOUR + 20.0, abs=16.0)
    assert finding.facts["nearest_m"] == pytest.approx(300.0, abs=1.0)
    assert finding.facts["median_speed_mps"] == pytest.approx(0.5 * 1852 / 3600, abs=0.06)
    assert finding.state == "closed"
    assert {e.claimed_id for e in finding.evidence} == {A, B}
    assert all(2 <= len(e.raws) <= 64 for e in finding.evidence)


@pytest.mark.parametrize(("knots", "is_found"), [(1.9, True), (2.1, False)])
def test_median_speed_of_gfw(sea: Any, found: Any, knots: float, is_found: bool) -> None:
    meet(sea, 3 * HOUR, 200.0, knots=knots)
    assert bool(found("encounter.gfw", sea.rows())) is is_found
    assert found("encounter.skylight", sea.rows()), "Skylight sets no speed"


@pytest.mark.parametrize(("kilometres", "is_found"), [(9.9, False), (10.1, True)])
def test_distance_from_anchorage_of_gfw(
    sea: Any, found: Any, anchorages: Any, kilometres: float, is_found: bool
) -> None:
    meet(sea, 3 * HOUR, 200.0, knots=0.0)
    port = beside(OPEN, kilometres * 1000.0, 180.0)
    world = World(anchorages=anchorages(("Port", *port)))
    assert bool(found("encounter.gfw", sea.rows(), world)) is is_found
    assert found("encounter.skylight", sea.rows(), world)


def test_across_the_day_boundary(sea: Any, found: Any) -> None:
    """GFW says of itself that it misses short encounters next to midnight UTC."""
    meet(sea, 2 * HOUR + 120, 200.0, at_s=21 * HOUR)
    (finding,) = found("encounter.gfw", sea.rows())
    assert finding.start_us < (1_699_920_000 + 86_400) * 1_000_000 < finding.end_us


@pytest.mark.parametrize("latitude", [0.0, 45.0, -60.0])
def test_across_the_180th_meridian(sea: Any, found: Any, latitude: float) -> None:
    place = (latitude, 180.0)
    sea.sails(A, beside(place, 100.0, 90.0), [(3 * HOUR, 0.0, 0.0)])
    sea.sails(B, beside(place, 100.0, 270.0), [(3 * HOUR, 0.0, 0.0)])
    (finding,) = found("encounter.gfw", sea.rows())
    assert abs(finding.longitude_deg) > 179.99
    assert finding.facts["nearest_m"] == pytest.approx(200.0, abs=0.5)


@pytest.mark.parametrize("latitude", [89.9999, 89.99, 85.0, -89.999])
def test_at_the_poles(sea: Any, found: Any, latitude: float) -> None:
    """Two vessels on opposite meridians close to the pole."""
    pole = 90.0 if latitude > 0 else -90.0
    metres = GEOD.inv(0.0, latitude, 0.0, pole)[2]
    sea.sails(A, (latitude, 0.0), [(3 * HOUR, 0.0, 0.0)])
    there = (latitude, 180.0) if 2 * metres < 400.0 else beside((latitude, 0.0), 300.0, 0.0)
    sea.sails(B, there, [(3 * HOUR, 0.0, 0.0)])
    assert len(found("encounter.gfw", sea.rows())) == 1


def test_three_vessels_are_three_pairs(sea: Any, found: Any) -> None:
    for who, metres in ((A, 0.0), (B, 150.0), (C, 300.0)):
        sea.sails(who, beside(OPEN, metres), [(3 * HOUR, 0.3, 0.0)])
    findings = found("encounter.gfw", sea.rows())
    assert {f.participants for f in findings} == {(A, B), (A, C), (B, C)}


def test_two_branches_of_one_identity_never_meet(sea: Any, found: Any) -> None:
    sea.sails(A, OPEN, [(3 * HOUR, 0.3, 0.0)])
    sea.sails(A, beside(OPEN, 100.0), [(3 * HOUR, 0.3, 0.0)], branch=1)
    for preset in ("gfw", "skylight", "starboard"):
        assert found(f"encounter.{preset}", sea.rows()) == []


@pytest.mark.parametrize("kind", [4, 5, 6, 7])
def test_base_stations_buoys_and_aircraft_are_not_vessels(sea: Any, found: Any, kind: int) -> None:
    sea.sails(A, OPEN, [(3 * HOUR, 0.3, 0.0)])
    sea.sails(B, beside(OPEN, 100.0), [(3 * HOUR, 0.3, 0.0)], transmitter_class=kind)
    assert found("encounter.gfw", sea.rows()) == []


def test_reports_at_odd_times_of_each_vessel(sea: Any, found: Any) -> None:
    """A reports every 7 min, B every 11 min from another phase: still one encounter."""
    sea.sails(A, OPEN, [(3 * HOUR, 0.4, 0.0)], every_s=420.0)
    sea.sails(B, beside(OPEN, 200.0), [(3 * HOUR, 0.4, 0.0)], every_s=660.0, at_s=97.0)
    (finding,) = found("encounter.gfw", sea.rows())
    assert finding.facts["mean_distance_m"] == pytest.approx(200.0, rel=0.1)


@pytest.mark.parametrize(("silence_s", "count"), [(55 * 60.0, 1), (65 * 60.0, 0)])
def test_silences_up_to_an_hour_are_bridged(sea: Any, found: Any, silence_s: float, count: int) -> None:
    """A longer silence breaks the contact: 90 min before and 90 min after are each too short."""
    length = 3 * HOUR + silence_s
    silent = [(1.5 * HOUR, 1.5 * HOUR + silence_s)]
    sea.sails(A, OPEN, [(length, 0.0, 0.0)], silent=silent)
    sea.sails(B, beside(OPEN, 200.0), [(length, 0.0, 0.0)])
    assert len(found("encounter.gfw", sea.rows())) == count


@pytest.mark.parametrize(("apart_s", "count"), [(8 * 60.0, 1), (14 * 60.0, 0)])
def test_short_partings_are_forgiven(sea: Any, found: Any, apart_s: float, count: int) -> None:
    """Two stretches of 80 min with B 700 m off in between."""
    t = np.arange(0.0, 160 * 60.0 + apart_s + 1, 30.0)
    away = (t > 80 * 60.0) & (t < 80 * 60.0 + apart_s)
    lon, lat, _ = GEOD.fwd(
        np.full(len(t), OPEN[1]), np.full(len(t), OPEN[0]), np.zeros(len(t)), np.where(away, 700.0, 200.0)
    )
    sea.sails(A, OPEN, [(t[-1], 0.0, 0.0)], every_s=30.0)
    sea.reports(B, list(t), list(lat), list(lon), [0.0] * len(t))
    assert len(found("encounter.gfw", sea.rows())) == count


@pytest.mark.parametrize(("between_h", "count"), [(3.5, 1), (4.5, 2)])
def test_encounters_of_one_pair_within_four_hours_are_one(
    sea: Any, found: Any, between_h: float, count: int
) -> None:
    total = 2 * 2.5 * HOUR + between_h * HOUR
    t = np.arange(0.0, total + 1, 60.0)
    away = (t > 2.5 * HOUR) & (t < (2.5 + between_h) * HOUR)
    lon, lat, _ = GEOD.fwd(
        np.full(len(t), OPEN[1]), np.full(len(t), OPEN[0]), np.zeros(len(t)), np.where(away, 5000.0, 200.0)
    )
    sea.sails(A, OPEN, [(total, 0.0, 0.0)])
    sea.reports(B, list(t), list(lat), list(lon), [0.0] * len(t))
    findings = found("encounter.gfw", sea.rows(until_s=total + 8 * HOUR))
    assert len(findings) == count
    if count == 1:
        assert (findings[0].end_us - findings[0].start_us) / 1e6 == pytest.approx(total, abs=200.0)


def test_a_passing_is_no_encounter(sea: Any, found: Any) -> None:
    sea.sails(A, OPEN, [(3 * HOUR, 12.0, 90.0)])
    sea.sails(B, beside(OPEN, 60_000.0), [(3 * HOUR, 12.0, 270.0)])
    for preset in ("gfw", "skylight", "starboard"):
        assert found(f"encounter.{preset}", sea.rows()) == []


def test_a_tug_and_fishing_vessels_and_pilots_score_lower(sea: Any, found: Any) -> None:
    meet(sea, 3 * HOUR, 200.0)
    (plain,) = found("encounter.gfw", sea.rows())
    scores = {}
    for name, first, second in (("tug", 52, 70), ("pilot", 50, 80), ("fishing", 30, 30), ("mixed", 30, 80)):
        sea.said.clear()
        sea.says(A, first)
        sea.says(B, second)
        (finding,) = found("encounter.gfw", sea.rows())
        scores[name] = finding.score
    assert scores["pilot"] < scores["tug"] < scores["fishing"] < plain.score < scores["mixed"]
    assert scores["pilot"] > 0.0 and scores["mixed"] < 1.0


def test_simulated_vessels_make_a_simulated_finding(sea: Any, found: Any) -> None:
    sea.sails(A, OPEN, [(3 * HOUR, 0.3, 0.0)])
    sea.sails(B, beside(OPEN, 100.0), [(3 * HOUR, 0.3, 0.0)], nature=3)
    (finding,) = found("encounter.gfw", sea.rows())
    assert finding.simulated
