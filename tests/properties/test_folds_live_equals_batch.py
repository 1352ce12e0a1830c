"""Every detector of the catalogue: folding a history in any cuts gives what one batch gives.

The history is made of random vessels that drift, sail, meet, fall silent and enter port, close
enough together that every behaviour has something to find. What is compared is content after the
watermark: the last revision of every finding that was not retracted.
"""

from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiprider.detect.catalogue import make_detectors
from shiprider.model.finding import Finding
from shiprider.model.rows import Rows, StatementRows, TrackPoints
from shiprider.model.world import Anchorages, Area, Watch, World

_START_US = 1_699_920_000_000_000
_HOUR_US = 3_600_000_000


class _Shore:
    """Land south of 9.5 N."""

    version = "by hand"

    def is_land(self, latitude_deg: Any, longitude_deg: Any) -> Any:
        return latitude_deg < 9.5

    def distance_to_shore_m(self, latitude_deg: Any, longitude_deg: Any) -> Any:
        return np.maximum(0.0, (latitude_deg - 9.5) * 111_195.0)


_WORLD = World(
    coast=_Shore(),
    anchorages=Anchorages("by hand", ("Port",), np.array([9.6]), np.array([180.0])),
    watchlist=(Watch("list", mmsi=232_000_001, reason="by hand"),),
    areas=(Area("box", ((179.9, 9.9), (180.0, 9.9), (180.0, 10.1), (179.9, 10.1), (179.9, 9.9))),),
)


def _history(seed: int, vessels: int, hours: float) -> Rows:
    """Random vessels around 10 N on the 180th meridian, each with phases of random speed and silence."""
    rng = np.random.default_rng(seed)
    parts = []
    for v in range(vessels):
        every_s = float(rng.choice([30, 60, 170, 180, 600]))
        t = np.arange(rng.uniform(0, every_s), hours * 3600, every_s)
        phase = np.cumsum(rng.uniform(0, 1, len(t)) < every_s / 5400.0)
        speeds = rng.choice([0.0, 0.05, 0.5, 1.5, 4.0, 8.0], size=int(phase.max(initial=0)) + 1)
        courses = rng.uniform(0, 2 * np.pi, len(speeds))
        silent = rng.uniform(0, 1, len(speeds)) < 0.12
        speed, course = speeds[phase], courses[phase]
        lat = 9.62 + rng.uniform(0, 0.3) + np.cumsum(speed * np.cos(course)) * every_s / 111_195
        lon = 180.0 + rng.uniform(-0.01, 0.01) + np.cumsum(speed * np.sin(course)) * every_s / 109_500
        if v % 3 == 0:
            lat, lon = 9.9 + (lat - lat[0]) * 0.01, 180.0 + (lon - 180.0) * 0.01
        keep = ~silent[phase]
        mmsi = 232_000_001 + v // 2 if v < 4 else 232_000_001 + v
        parts.append((t[keep], np.full(keep.sum(), mmsi * 16 + v % 2), lat[keep], lon[keep], speed[keep]))
    t, track, lat, lon, speed = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(t, kind="stable")
    n = len(order)
    time_us = _START_US + np.round(t[order] * 1e6).astype(np.int64)
    points = TrackPoints(
        time_us=time_us,
        track=track[order].astype(np.int64),
        claimed_id=(track[order] // 16).astype(np.int64),
        latitude_deg=lat[order],
        longitude_deg=(lon[order] + 180.0) % 360.0 - 180.0,
        speed_mps=np.where(rng.uniform(0, 1, n) < 0.05, np.nan, speed[order]).astype(np.float32),
        course_deg=rng.uniform(0, 360, n).astype(np.float32),
        heading_deg=np.full(n, np.nan, dtype=np.float32),
        nav_status=rng.choice([0, 1, 5, 7, 15], n).astype(np.int8),
        transmitter_class=np.ones(n, dtype=np.int8),
        receiver_kind=rng.choice([1, 2], n).astype(np.int8),
        nature=np.zeros(n, dtype=np.int8),
        flaws=np.zeros(n, dtype=np.int32),
        raw=np.arange(n, dtype=np.int64) * 60,
    )
    k = 3 * vessels
    said_at = np.sort(rng.integers(_START_US, _START_US + int(hours * _HOUR_US), k))
    statements = StatementRows(
        time_us=said_at,
        claimed_id=rng.integers(232_000_001, 232_000_001 + vessels, k),
        transmitter_class=np.ones(k, dtype=np.int8),
        imo=rng.choice([0, 9_074_729, 1_234_567], k).astype(np.int32),
        ship_type=rng.choice([-1, 30, 52, 70, 80], k).astype(np.int16),
        length_m=rng.choice([-1, 12, 90], k).astype(np.int16),
        name=[str(x) for x in rng.choice(["ALPHA", "BRAVO", "CHARLIE"], k)],
        callsign=[None] * k,
        raw=np.arange(k, dtype=np.int64) + 10**9,
    )
    return Rows(points, statements, int(time_us[-1]))


def _part(rows: Rows, begin: int, end: int, until_us: int, since_us: int) -> Rows:
    points = TrackPoints(**{f.name: getattr(rows.points, f.name)[begin:end] for f in fields(TrackPoints)})
    said = (rows.statements.time_us > since_us) & (rows.statements.time_us <= until_us)
    at = np.flatnonzero(said)
    columns: dict[str, Any] = {}
    for f in fields(StatementRows):
        column = getattr(rows.statements, f.name)
        columns[f.name] = [column[i] for i in at] if isinstance(column, list) else column[at]
    return Rows(points, StatementRows(**columns), until_us)


def _content(findings: list[Finding]) -> list[Finding]:
    """The last revision of each, as closed, without what was taken back."""
    last = {(*f.key(), f.start_us): f for f in findings}
    kept = [f for f in last.values() if f.state != "retracted"]
    return sorted(kept, key=lambda f: (*f.key(), f.start_us))


def _folded(detector: Any, rows: Rows, cuts: list[int]) -> list[Finding]:
    edges = [0, *cuts, len(rows.points)]
    state, told = detector.start(), []
    since = -1
    for begin, end in pairwise(edges):
        until = int(rows.points.time_us[end - 1]) if end else _START_US
        if end == len(rows.points):
            until = rows.until_us
        elif end < len(rows.points) and rows.points.time_us[end] == until:
            until -= 1
        state, findings = detector.fold(state, _part(rows, begin, end, until, since), _WORLD)
        since = max(since, until)
        told += findings
    # A day later nothing of this history can go on: what can be decided is decided.
    quiet = Rows(
        _part(rows, 0, 0, 0, 0).points,
        _part(rows, 0, 0, rows.until_us + 200 * _HOUR_US, since).statements,
        rows.until_us + 200 * _HOUR_US,
    )
    state, findings = detector.fold(state, quiet, _WORLD)
    return _content([*told, *findings, *detector.finish(state, _WORLD)])


DETECTORS = make_detectors()


@pytest.mark.parametrize("detector", DETECTORS, ids=[f"{d.behaviour}.{d.preset}" for d in DETECTORS])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1), shares=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_any_cuts_give_what_one_batch_gives(detector: Any, seed: int, shares: list[float]) -> None:
    rows = _history(seed, vessels=10, hours=14.0)
    cuts = sorted({int(share * len(rows.points)) for share in shares})
    assert _folded(detector, rows, cuts) == _folded(detector, rows, [])


@pytest.mark.parametrize("detector", DETECTORS, ids=[f"{d.behaviour}.{d.preset}" for d in DETECTORS])
def test_the_state_handed_in_is_not_changed(detector: Any) -> None:
    rows = _history(3, vessels=10, hours=14.0)
    half = len(rows.points) // 2
    middle = int(rows.points.time_us[half])
    state, _ = detector.fold(detector.start(), _part(rows, 0, half, middle - 1, -1), _WORLD)
    rest = _part(rows, half, len(rows.points), rows.until_us, middle - 1)
    first = detector.fold(state, rest, _WORLD)[1]
    again = detector.fold(state, rest, _WORLD)[1]
    assert first == again


def test_the_history_shows_the_movements() -> None:
    """Otherwise the property above would hold of nothing."""
    seen = set()
    for seed in range(4):
        rows = _history(seed, vessels=10, hours=14.0)
        for detector in DETECTORS:
            seen |= {(f.behaviour, f.preset) for f in _folded(detector, rows, [])}
    assert {
        ("encounter", "gfw"),
        ("encounter", "skylight"),
        ("encounter", "starboard"),
        ("dark_encounter", "skylight"),
        ("loitering", "gfw"),
        ("port_visit", "gfw"),
    } <= seen
