"""Folding a stream in any arrival order ends where folding it in order ends.

The tracker and the detector here are small but real folds; what is under test is how late rows are
taken in (`flow/folds.py`). The expected findings come from a plain loop over the sorted times.
"""

import itertools
import random
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.flow.folds import Folds, LiveFold
from shiprider.measure.clock import MINUTE_US, SECOND_US
from shiprider.model.finding import Evidence, Finding
from shiprider.model.rows import Rows, TrackPoints, points_from_table
from shiprider.model.tables import OBSERVATIONS, STATEMENTS, TRACK_POINTS
from shiprider.model.world import World

SILENCE_US = 90 * SECOND_US


class Points(NamedTuple):
    points: TrackPoints
    full: pa.Table
    compact: pa.Table


class PassingTracker:
    """Every observation becomes a point; the state counts them."""

    def __init__(self) -> None:
        self.count = 0

    def fold(self, observations: pa.Table, statements: pa.Table | None = None) -> Points:
        self.count += observations.num_rows
        n = observations.num_rows
        columns = {
            name: observations[name] for name in TRACK_POINTS.names if name in observations.column_names
        }
        columns["track"] = pa.array(np.asarray(observations["claimed_id"]) * 16)
        columns["branch"] = pa.array(np.zeros(n, np.int8))
        table = pa.table(columns).select(TRACK_POINTS.names).cast(TRACK_POINTS)
        return Points(points_from_table(table), table, table)

    def snapshot(self) -> bytes:
        return str(self.count).encode()

    def restore(self, snapshot: bytes) -> None:
        self.count = int(snapshot)


class SilenceDetector:
    """A finding for every silence of at least 90 s of one identity."""

    behaviour = "gap"
    preset = "test"

    def start(self) -> dict[int, int]:
        return {}

    def fold(self, state: dict[int, int], rows: Rows, world: World) -> tuple[dict[int, int], list[Finding]]:
        last = dict(state)
        found = []
        for who, when in zip(rows.points.claimed_id.tolist(), rows.points.time_us.tolist(), strict=True):
            if who in last and when - last[who] >= SILENCE_US:
                found.append(_finding(who, last[who], when))
            last[who] = when
        return last, found

    def finish(self, state: dict[int, int], world: World) -> list[Finding]:
        return []


def _finding(who: int, start_us: int, end_us: int) -> Finding:
    return Finding(
        behaviour="gap",
        preset="test",
        participants=(who,),
        start_us=start_us,
        end_us=end_us,
        latitude_deg=0.0,
        longitude_deg=0.0,
        score=0.5,
        reason_key="gap",
        facts={},
        evidence=(Evidence(track=who * 16, claimed_id=who, start_us=start_us, end_us=end_us),),
    )


def _table(rows: list[tuple[int, int, int]]) -> pa.Table:
    n = len(rows)
    filled = {
        "time": pa.array([t for t, _, _ in rows], pa.timestamp("us", tz="UTC")),
        "claimed_id": pa.array([w for _, w, _ in rows], pa.int64()),
        "raw": pa.array([r for _, _, r in rows], pa.int64()),
        "latitude_deg": pa.array([0.0] * n),
        "longitude_deg": pa.array([0.0] * n),
    }
    columns = [filled.get(f.name, pa.nulls(n, f.type)) for f in OBSERVATIONS]
    return pa.Table.from_arrays(columns, schema=OBSERVATIONS)


def _expected(rows: list[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    times: dict[int, list[int]] = {}
    for when, who, _ in sorted(rows):
        times.setdefault(who, []).append(when)
    return {
        (who, a, b) for who, ts in times.items() for a, b in itertools.pairwise(ts) if b - a >= SILENCE_US
    }


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), lateness_s=st.integers(1, 1500), batch=st.integers(20, 80))
def test_any_arrival_order_within_the_lateness_gives_the_same_findings(
    seed: int, lateness_s: int, batch: int
) -> None:
    rng = random.Random(seed)
    rows = [
        (rng.randrange(3600) * SECOND_US + 1_700_000_000 * SECOND_US, rng.randrange(1, 6), i)
        for i in range(200)
    ]
    arrival = sorted(rows, key=lambda r: (r[0] + rng.random() * lateness_s * SECOND_US, r[2]))
    live = LiveFold(
        Folds(PassingTracker, [SilenceDetector()]), lambda _: World(), allowed_lateness_us=30 * MINUTE_US
    )
    published: list[Finding] = []
    none_said = STATEMENTS.empty_table()
    for i in range(0, len(arrival), batch):
        step = live.take(_table(arrival[i : i + batch]), none_said)
        published += step.findings if step else []
        if rng.random() < 0.15:
            published = _refold(live, published)
    published = _refold(live, published)
    assert live.too_late == 0
    got = [(f.participants[0], f.start_us, f.end_us) for f in published]
    assert sorted(got) == sorted(_expected(rows))


def _refold(live: LiveFold, published: list[Finding]) -> list[Finding]:
    change = live.refold()
    if change is None:
        return published
    kept = list(published)
    for finding in change.before:
        kept.remove(finding)
    return kept + change.after


def test_rows_older_than_the_oldest_snapshot_are_counted_not_lost_in_silence() -> None:
    live = LiveFold(
        Folds(PassingTracker, [SilenceDetector()]), lambda _: World(), allowed_lateness_us=10 * MINUTE_US
    )
    start = 1_700_000_000
    none_said = STATEMENTS.empty_table()
    for minute in range(60):
        live.take(_table([((start + 60 * minute) * SECOND_US, 1, minute)]), none_said)
    live.take(_table([((start + 120) * SECOND_US, 2, 99)]), none_said)
    assert live.too_late == 1
    assert live.late_from_us is None
