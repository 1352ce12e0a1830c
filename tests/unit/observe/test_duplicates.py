"""Duplicates across receivers, against a slow search that shares nothing with the table."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.model.tables import MESSAGES, STATEMENTS
from shiprider.observe.cleaner import Cleaner
from shiprider.observe.duplicates import HORIZON_US, Seen

DATA = Path(__file__).resolve().parents[3] / "../shared/data"


def slow(payload: list[int], time_us: list[int], raw: list[int], window_us: list[int]) -> list[int]:
    """For each row the first row of its transmission, found by looking at all."""
    firsts: list[int] = []
    found = []
    for i in range(len(payload)):
        matches = [
            j for j in firsts if payload[j] == payload[i] and abs(time_us[j] - time_us[i]) <= window_us[i]
        ]
        found.append(raw[matches[0]] if matches else -1)
        if not matches:
            firsts.append(i)
    return found


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 600), st.sampled_from([4, 30])), max_size=60),
    st.integers(1, 59),
)
def test_as_the_slow_search_whatever_the_cut(rows: list[tuple[int, int, int]], cut: int) -> None:
    # spaced so that a row never has two first rows to choose from
    payload = np.array([hash_of(p) for p, _, _ in rows], np.uint64)
    time_us = np.array([t * 1_000_000 for _, t, _ in rows], np.int64)
    window = np.array([w * 1_000_000 for p, _, w in rows], np.int64)
    window = np.where(payload % 2 == 0, 4_500_000, 30_000_000)
    raw = np.arange(len(rows))
    future = np.zeros(len(rows), np.bool_)
    expected = slow(payload.tolist(), time_us.tolist(), raw.tolist(), window.tolist())
    first, second = Seen(), Seen()
    whole = first.mark(payload, time_us, raw, window, future)
    parts = [second.mark(payload[:cut], time_us[:cut], raw[:cut], window[:cut], future[:cut])]
    again = Seen.of(*second.entries(), second.newest)
    parts.append(again.mark(payload[cut:], time_us[cut:], raw[cut:], window[cut:], future[cut:]))
    ours = whole.tolist()
    assert [x >= 0 for x in ours] == [x >= 0 for x in expected]
    assert ours == np.concatenate(parts).tolist()
    for i, j in enumerate(ours):
        if j >= 0:
            assert payload[j] == payload[i]
            assert abs(time_us[j] - time_us[i]) <= window[i]
            assert ours[j] == -1


def by_lists(
    payload: list[int], time_us: list[int], raw: list[int], window_us: list[int], horizon_us: int
) -> list[int]:
    """The same with lists per payload and 64 s, nothing ever forgotten: the first that came of its own 64 s, else
    of those before, else of those after."""
    firsts: dict[tuple[int, int], list[int]] = {}
    newest = -(1 << 62)
    found = []
    for i, moment in enumerate(time_us):
        own = moment // 64_000_000
        buckets = [own, (moment - window_us[i]) // 64_000_000, (moment + window_us[i]) // 64_000_000]
        matches = [
            j
            for bucket in buckets
            for j in firsts.get((payload[i], bucket), [])
            if abs(time_us[j] - moment) <= window_us[i] and moment >= newest - horizon_us
        ]
        found.append(raw[matches[0]] if matches else -1)
        if not matches:
            firsts.setdefault((payload[i], own), []).append(i)
            newest = max(newest, moment)
    return found


def test_as_lists_that_forget_nothing_while_the_table_grows_and_forgets() -> None:
    rng = np.random.default_rng(3)
    n = 120_000
    # Six hours in order but for one row in five, up to two hours late; copies and near copies of each payload.
    time_us = np.sort(rng.integers(0, 6 * HORIZON_US, n))
    time_us -= np.where(rng.random(n) < 0.2, rng.integers(0, 2 * HORIZON_US, n), 0)
    payload = np.array([hash_of(number) for number in range(80)], np.uint64)[rng.integers(0, 80, n)]
    window = rng.choice(np.array([1_500_000, 4_500_000, 30_000_000]), n)
    raw = np.arange(n) + 7
    seen = Seen()
    ours: list[int] = []
    at = 0
    while at < n:
        end = at + int(rng.integers(1, 9_000))
        part = slice(at, end)
        ours += seen.mark(
            payload[part], time_us[part], raw[part], window[part], np.zeros(len(raw[part]), np.bool_)
        ).tolist()
        at = end
        if rng.random() < 0.3:
            seen = Seen.of(*(kept.copy() for kept in seen.entries()), seen.newest)
    expected = by_lists(payload.tolist(), time_us.tolist(), raw.tolist(), window.tolist(), HORIZON_US)
    assert ours == expected
    assert 0.2 * n < sum(mark >= 0 for mark in expected) < 0.8 * n
    assert len(seen.keys) < n // 2


def hash_of(number: int) -> int:
    return int.from_bytes(hashlib.sha256(str(number).encode()).digest()[:8], "big")


def test_the_table_forgets_what_is_behind_the_horizon_and_stays_small() -> None:
    seen = Seen()
    n = 200_000
    rng = np.random.default_rng(1)
    # ten an hour of each: 200,000 rows over 20,000 hours
    time_us = np.sort(rng.integers(0, 20_000 * HORIZON_US, n))
    payload = rng.integers(0, 2**63, n).astype(np.uint64)
    marks = seen.mark(payload, time_us, np.arange(n), np.full(n, 30_000_000), np.zeros(n, np.bool_))
    assert (marks == -1).all()
    assert len(seen.keys) <= 1 << 13


def test_a_satellite_copy_25_minutes_late_finds_its_original(observations_of) -> None:
    seconds = [0.0, 600.0, 1200.0, 0.2]
    table = observations_of(
        seconds, 232_001_234, [10.0, 10.1, 10.2, 10.0], -70.0, 5.0, receiver_kind=[1, 1, 1, 2]
    )
    cleaned, _, _ = Cleaner().clean(table, STATEMENTS.empty_table(), MESSAGES.empty_table())
    assert cleaned["duplicate_of"].to_pylist() == [None, None, None, 0]


@pytest.mark.parametrize(
    ("apart_s", "speed", "duplicate"),
    [(4.5, 0.0, True), (4.6, 0.0, False), (10.0, 0.0, False), (30.0, 5.0, True), (30.1, 5.0, False)],
)
def test_windows_just_below_and_above(observations_of, apart_s: float, speed: float, duplicate: bool) -> None:
    table = observations_of([0.0, apart_s], 232_001_234, 10.0, -70.0, speed, raw=[7, 9])
    cleaned, _, _ = Cleaner().clean(table, STATEMENTS.empty_table(), MESSAGES.empty_table())
    assert cleaned["duplicate_of"].to_pylist() == [None, 7 if duplicate else None]


def test_simulated_rows_are_never_copies_of_real_ones(observations_of) -> None:
    table = observations_of([0.0, 1.0], 232_001_234, 10.0, -70.0, 5.0, nature=[0, 3])
    cleaned, _, _ = Cleaner().clean(table, STATEMENTS.empty_table(), MESSAGES.empty_table())
    assert cleaned["duplicate_of"].null_count == 2


def test_statements_are_compared_by_their_texts(statements_of, observations_of) -> None:
    table = statements_of([0.0, 2.0, 3.0, 400.0], 232_001_234, name=["ANA", "ANA", "ANB", "ANA"])
    empty = observations_of([], 1, [], [])
    _, cleaned, _ = Cleaner().clean(empty, table, MESSAGES.empty_table())
    assert cleaned["duplicate_of"].to_pylist() == [None, 0, None, None]


def test_snapshot_goes_on_as_if_nothing_had_happened(observations_of, statements_of) -> None:
    rng = np.random.default_rng(5)
    n = 3000
    table = observations_of(
        np.sort(rng.uniform(0, 300, n)),
        232_001_234 + rng.integers(0, 5, n),
        rng.integers(0, 40, n) / 10,
        5.0,
        3.0,
    )
    said = statements_of(np.arange(50.0), 232_001_234, name=[f"N{k % 7}" for k in range(50)])
    whole, half = Cleaner(), Cleaner()
    expected = whole.clean(table, said, MESSAGES.empty_table())
    first = half.clean(table.slice(0, 1111), said.slice(0, 20), MESSAGES.empty_table())
    other = Cleaner()
    other.restore(half.snapshot())
    second = other.clean(table.slice(1111), said.slice(20), MESSAGES.empty_table())
    for k in (0, 1):
        parts = first[k]["duplicate_of"].to_pylist() + second[k]["duplicate_of"].to_pylist()
        assert parts == expected[k]["duplicate_of"].to_pylist()
        assert any(mark is not None for mark in parts)


@pytest.mark.shared
@pytest.mark.skipif(not (DATA / "ais_dma").exists(), reason="../shared/data/ais_dma is absent")
def test_danish_stream_has_as_many_duplicates_as_duckdb_counts() -> None:
    duckdb = pytest.importorskip("duckdb")
    from shiprider.formats.ais.decoder import AisDecoder
    from shiprider.formats.decoded import DecodeContext
    from shiprider.model.codes import Nature, ReceiverKind

    context = DecodeContext(
        feed="dma",
        nature=Nature.OBSERVED,
        receiver_kind=ReceiverKind.TERRESTRIAL,
        start_us=None,
        received_clock="recording",
    )
    decoded = AisDecoder(context).decode((DATA / "ais_dma/stream_example.txt").read_bytes(), 0, 0, True)
    cleaned, _, _ = Cleaner().clean(decoded.observations, decoded.statements, decoded.messages)
    marked_rows = cleaned  # noqa: F841 (named in the SQL)
    rows = duckdb.sql(
        """
        select count(*) from (
          select epoch_us(time) t, coalesce(speed_mps, 0) > 0.257 as moving,
                 transmitter_class in (4, 5) or latitude_deg is null as fixed, lag(epoch_us(time)) over same as before
          from marked_rows
          window same as (partition by claimed_id, message_type, nav_status, latitude_deg, longitude_deg,
                          speed_mps, course_deg, heading_deg order by raw)
        ) where before is not null and abs(t - before) <= case when moving then 30000000 when fixed then 1500000 else 4500000 end
        """
    ).fetchall()
    marked = cleaned.num_rows - cleaned["duplicate_of"].null_count
    (counted,) = rows[0]
    assert marked == counted > 0
