"""Spoofed positions: jumps, shifts, circles and places inland, and what is lawful."""

from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from shiprider.detect.motion import M_FLOATS, fitted_circle
from shiprider.model.rows import Rows, TrackPoints
from shiprider.model.world import World

GEOD = Geod(ellps="WGS84")
SHIP = 232_001_234
KNOT = 1852.0 / 3600.0


def jumped(sea, metres: float, stays: int, *, every_s: float = 10.0, turn: float = 90.0) -> Rows:
    """A steady course of 8 kn; at 1,000 s the positions jump, `stays` of them are there, then back."""
    t = np.arange(0, 3600.0, every_s)
    lon, lat, _ = GEOD.fwd(np.full(len(t), -70.0), np.full(len(t), 10.0), np.full(len(t), 90.0), t * 8 * KNOT)
    at = int(1000 / every_s)
    away = slice(at, at + stays)
    x, y, _ = GEOD.fwd(lon[away], lat[away], np.full(stays, 0.0), np.full(stays, metres))
    lon, lat = np.array(lon), np.array(lat)
    lon[away], lat[away] = x, y
    impossible = metres > 500 + 40 * every_s
    sea.reports(SHIP, t, lat, lon, np.full(len(t), 8.0))
    rows = sea.rows()
    course = np.full(len(t), 90.0, np.float32)
    course[away] = 90.0 + turn
    track = np.full(len(t), SHIP * 16)
    flaws = np.zeros(len(t), np.int32)
    if impossible:
        track[away] += 1
        flaws[at] = 256
    points = replace(rows.points, course_deg=course, track=track, flaws=flaws)
    return Rows(points, rows.statements, rows.until_us)


@pytest.mark.parametrize(
    ("metres", "stays", "subtypes"),
    [
        (20_000, 100, ["teleport"]),
        (20_000, 2, ["teleport"]),
        (20_000, 1, []),
        (1_900, 100, []),
        (2_100, 100, ["teleport"]),
    ],
)
def test_a_jump_counts_when_the_next_position_is_there_too(sea, found, metres, stays, subtypes) -> None:
    told = found("spoofing.ours", jumped(sea, metres, stays))
    assert [f.subtype for f in told] == subtypes
    if told:
        assert told[0].facts["jump_m"] == pytest.approx(metres, rel=0.03)


def test_a_jump_that_keeps_course_and_speed_is_an_offset(sea, found) -> None:
    assert [f.subtype for f in found("spoofing.ours", jumped(sea, 20_000, 100, turn=5.0))] == ["offset"]


def test_a_jump_possible_for_a_vessel_but_not_for_this_one(sea, found) -> None:
    # 5 km in 3 min, 28 m/s, from a vessel that says 8 kn: it can be reached, but was not sailed
    assert [f.subtype for f in found("spoofing.ours", jumped(sea, 5_000, 10, every_s=180.0))] == ["teleport"]


def circle(sea, radius: float, turns: float, knots: float, noise: float = 0.0, every_s: float = 10.0) -> Rows:
    way = 2 * np.pi * radius * turns
    t = np.arange(0, way / (knots * KNOT), every_s)
    angle = np.degrees(t * knots * KNOT / radius)
    rng = np.random.default_rng(1)
    lon, lat, _ = GEOD.fwd(
        np.full(len(t), -70.0), np.full(len(t), 20.0), angle, radius * (1 + noise * rng.normal(size=len(t)))
    )
    sea.reports(SHIP, t, lat, lon, np.full(len(t), knots))
    return sea.rows()


@pytest.mark.parametrize(
    ("radius", "turns", "knots", "count"),
    [(1000, 2.6, 20, 1), (1000, 1.9, 20, 0), (400, 4, 10, 1), (140, 6, 5, 0), (1000, 3, 3.0, 0)],
)
def test_two_regular_turns_are_a_circle(sea, found, radius, turns, knots, count) -> None:
    told = [f for f in found("spoofing.ours", circle(sea, radius, turns, knots)) if f.subtype == "circle"]
    assert len(told) == count
    if told:
        assert told[0].facts["radius_m"] == pytest.approx(radius, rel=0.02)


@pytest.mark.parametrize("every_s", [10.0, 60.0, 300.0, 540.0])
def test_a_circle_is_followed_to_its_end_however_sparse(sea, found, every_s) -> None:
    """6 turns of 3 km radius at 8 kn, 76 min each."""
    rows = circle(sea, 3000, 6, 8, every_s=every_s)
    (told,) = [f for f in found("spoofing.ours", rows) if f.subtype == "circle"]
    turn_s = 2 * np.pi * 3000 / (8 * KNOT)
    assert (rows.points.time_us[-1] - told.end_us) * 1e-6 < 0.5 * turn_s + every_s
    assert told.facts["turns"] > 5.4


def heard_in_passes(rows: Rows) -> Rows:
    """What satellites hear: twelve minutes of every ninety."""
    points = rows.points
    since = (points.time_us - points.time_us[0]) / 60e6
    kept = np.flatnonzero(since % 90.0 < 12.0)
    chosen = {name: getattr(points, name)[kept] for name in TrackPoints.__dataclass_fields__}
    return replace(rows, points=TrackPoints(**chosen))


@pytest.mark.parametrize(
    ("turns", "noise", "count"), [(12, 0.0, 1), (12, 0.02, 1), (12, 0.08, 0), (1.8, 0.0, 0)]
)
def test_a_circle_of_which_only_passes_are_heard(sea, found, turns, noise, count) -> None:
    rows = heard_in_passes(circle(sea, 1000, turns, 6, noise=noise, every_s=40.0))
    told = [f for f in found("spoofing.ours", rows) if f.subtype == "circle"]
    assert len(told) == count
    for finding in told:
        assert finding.facts["radius_m"] == pytest.approx(1000, rel=0.03)
        assert rows.points.time_us[-1] - finding.end_us < 90 * 60e6


def test_trawling_and_swinging_heard_in_passes_are_no_circle(sea, found) -> None:
    t = np.arange(0, 10 * 3600, 40.0)
    # to and fro on lines of 4 km, shifted aside by and by
    along = 2000 * (2 / np.pi) * np.arcsin(np.sin(t * 3.0 * np.pi / 4000))
    azimuth = np.degrees(np.arctan2(t * 0.05, along))
    lon, lat, _ = GEOD.fwd(np.full(len(t), -70.0), np.full(len(t), 20.0), azimuth, np.hypot(along, t * 0.05))
    sea.reports(SHIP, t, lat, lon, np.full(len(t), 5.8))
    # at anchor on a long chain: a regular ring, at the speed of the turning tide
    lon, lat, _ = GEOD.fwd(
        np.full(len(t), -71.0), np.full(len(t), 20.0), t / t[-1] * 720.0, np.full(len(t), 250.0)
    )
    sea.reports(SHIP + 1, t, lat, lon, np.full(len(t), 0.2))
    assert [f for f in found("spoofing.ours", heard_in_passes(sea.rows())) if f.subtype == "circle"] == []


def test_a_ragged_circle_is_not_spoofed(sea, found) -> None:
    assert found("spoofing.ours", circle(sea, 1000, 4, 20, noise=0.1)) == []


def test_the_fitted_circle_is_that_of_numpy() -> None:
    rng = np.random.default_rng(2)
    angle = rng.uniform(0, 6, 200)
    x, y = (
        300 + 800 * np.cos(angle) + rng.normal(0, 5, 200),
        -100 + 800 * np.sin(angle) + rng.normal(0, 5, 200),
    )
    z = x**2 + y**2
    sums = np.zeros(M_FLOATS)
    sums[12:21] = [v.sum() for v in (x, y, x * x, x * y, y * y, x * z, y * z, z, z * z)]
    radius, off = fitted_circle(sums, 200)
    # Kasa's fit as a least-squares problem: 2ax + 2by + c = z
    solution, *_ = np.linalg.lstsq(np.column_stack((2 * x, 2 * y, np.ones(200))), z, rcond=None)
    expected = np.sqrt(solution[2] + solution[0] ** 2 + solution[1] ** 2)
    assert radius == pytest.approx(expected, rel=1e-9)
    assert off == pytest.approx(5.0, rel=0.2)


@pytest.mark.parametrize(("first", "count"), [("ABABABABAB", 0), ("ABBABABABA", 0), ("AABBBBBAAA", 1)])
def test_an_identity_used_twice_did_not_jump(sea, found, first, count) -> None:
    """A and B are 50 km apart; where both go on speaking it is the identity detector's."""
    t = np.arange(len(first)) * 60.0
    there = np.array([letter == "B" for letter in first])
    sea.reports(SHIP, t, np.where(there, 10.45, 10.0), np.full(len(t), -70.0), np.full(len(t), 0.0))
    rows = sea.rows()
    flaws = np.zeros(len(t), np.int32)
    flaws[first.index("B")] = 256
    points = replace(rows.points, track=SHIP * 16 + there, flaws=flaws)
    told = found("spoofing.ours", Rows(points, rows.statements, rows.until_us))
    assert [f.subtype for f in told] == ["teleport"] * count


class Island:
    """Land between 9.5 and 10.5 N, 71 and 69 W."""

    version = "by hand"

    def is_land(self, latitude_deg, longitude_deg):
        return (np.abs(latitude_deg - 10.0) < 0.5) & (np.abs(longitude_deg + 70.0) < 1.0)

    def distance_to_shore_m(self, latitude_deg, longitude_deg):
        return np.zeros(len(latitude_deg))


@pytest.mark.parametrize(
    ("latitude", "minutes", "others", "count"),
    [(10.0, 25, 0, 1), (10.0, 15, 0, 0), (10.48, 25, 0, 0), (10.6, 25, 0, 0), (10.0, 25, 1, 0)],
)
def test_inland_for_three_looks_where_nobody_else_sails(sea, found, latitude, minutes, others, count) -> None:
    for k in range(others):
        sea.sails(235_000_001 + k, (10.0, -70.0), [(7200.0, 6.0, 90.0)])
    sea.sails(SHIP, (latitude, -70.0), [(minutes * 60.0, 6.0, 90.0)], at_s=9000.0)
    told = [f for f in found("spoofing.ours", sea.rows(), World(coast=Island())) if SHIP in f.participants]
    assert [f.subtype for f in told] == ["on_land"] * count


def test_a_stay_inland_is_followed_to_its_end(sea, found) -> None:
    sea.sails(SHIP, (10.0, -70.0), [(5 * 3600.0, 3.0, 90.0)])
    rows = sea.rows()
    (told,) = found("spoofing.ours", rows, World(coast=Island()))
    assert (rows.points.time_us[-1] - told.end_us) * 1e-6 < 2400.0


def test_search_aircraft_are_left_alone(sea, found) -> None:
    rows = jumped(sea, 50_000, 100)
    points = replace(rows.points, transmitter_class=np.full(len(rows.points), 6, np.int8))
    assert found("spoofing.ours", Rows(points, rows.statements, rows.until_us)) == []
