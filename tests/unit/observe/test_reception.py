"""Exposure counted by hand, and the fitted map against scipy and against silences it has not seen."""

import math
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import betabinom

from shiprider.model.reporting import reporting_interval_s
from shiprider.model.tables import RECEPTION, TRACK_POINTS
from shiprider.observe.exposure import ReceptionCounter, merged
from shiprider.observe.reception import ReceptionMap, _log_none_heard, fit_reception, tail_line, unfitted_map


@pytest.mark.parametrize(
    ("station", "knots", "status", "seconds"),
    [
        # ITU-R M.1371-5 annex 1, tables 1 and 2
        (1, 0.0, 5, 180), (1, 3.0, 1, 180), (1, 3.1, 1, 10), (1, 0.0, 0, 10), (1, 13.9, 0, 10), (1, 15.0, 0, 6),
        (1, 22.9, 0, 6), (1, 23.1, 0, 2), (3, 1.9, 15, 180), (3, 2.1, 15, 30), (3, 25.0, 15, 30),
        (2, 2.1, 15, 30), (2, 15.0, 15, 15), (2, 24.0, 15, 5), (5, 0.0, 15, 180), (6, 100.0, 15, 10),
    ],
)  # fmt: skip
def test_intervals_are_those_of_m1371(station: int, knots: float, status: int, seconds: float) -> None:
    assert reporting_interval_s(station, knots * 1852.0 / 3600.0, status) == seconds


def sail(observations_of, rng, share: float, days: int = 1, vessels: int = 20, mute=(), lat=12.0):
    """Class A vessels that report every 10 s along a parallel and are heard with that share."""
    parts = []
    for v in range(vessels):
        t = np.arange(rng.uniform(0, 10), days * 86_400.0, 10.0)
        lon = -75.0 + 0.4 * np.sin(2 * np.pi * t / 43_200.0 + v)
        heard = rng.random(len(t)) < share
        for who, begin, end in mute:
            if who == v:
                heard &= (t < begin) | (t > end)
        t = t[heard]
        parts.append((t, np.full(len(t), 232_000_000 + v), np.full(len(t), lat + 0.02 * v), lon[heard]))
    t, who, lat_, lon_ = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(t, kind="stable")
    return observations_of(t[order], who[order], lat_[order], lon_[order], 5.0, 90.0)


def test_one_hour_by_hand(observations_of) -> None:
    # 361 reports, one every 10 s: all heard, then two thirds
    t = np.arange(0.0, 3601.0, 10.0)
    table = observations_of(t, 232_001_234, 12.0, -75.0 + t * 1e-5, 5.0, 90.0)
    counter = ReceptionCounter()
    counter.count(table)
    rows = counter.drain()
    assert sum(rows["received_count"].to_pylist()) == 361
    assert sum(rows["expected"].to_pylist()) == pytest.approx(361.0)
    some = table.filter(pa.array(np.arange(361) % 3 != 1))
    counter = ReceptionCounter()
    counter.count(some)
    rows = counter.drain()
    assert sum(rows["received_count"].to_pylist()) == 241
    assert sum(rows["expected"].to_pylist()) == pytest.approx(361.0)
    assert set(rows["hour"].to_pylist()) <= {0, 1}


def test_duplicates_and_flawed_rows_do_not_count(observations_of) -> None:
    table = observations_of(
        [0.0, 1.0, 2.0, 10.0],
        232_001_234,
        12.0,
        -75.0,
        5.0,
        duplicate_of=[None, 0, None, None],
        flaws=[0, 0, 1, 0],
    )
    counter = ReceptionCounter()
    counter.count(table)
    assert sum(counter.drain()["received_count"].to_pylist()) == 2


def test_counts_add_up_however_cut(observations_of) -> None:
    table = sail(observations_of, np.random.default_rng(3), 0.05, vessels=8)
    whole = ReceptionCounter()
    whole.count(table)
    expected = whole.drain()
    counter = ReceptionCounter()
    parts = []
    for begin in range(0, table.num_rows, 777):
        counter.count(table.slice(begin, 777))
        parts.append(counter.drain())
        other = ReceptionCounter()
        other.restore(counter.snapshot())
        counter = other
    ours = merged(parts)
    for name in ("expected", "received_count"):
        assert sum(ours[name].to_pylist()) == pytest.approx(sum(expected[name].to_pylist()), rel=1e-4)
    assert expected.schema == ours.schema == RECEPTION


def test_a_long_silence_is_spread_along_its_way(observations_of) -> None:
    # 0.9 degrees of longitude in 5 h: cells of 45 km
    table = observations_of([0.0, 18_000.0], 232_001_234, 12.0, [-75.0, -74.1], 5.44, 90.0)
    counter = ReceptionCounter()
    counter.count(table)
    rows = counter.drain()
    assert sum(rows["expected"].to_pylist()) == pytest.approx(1801.0, rel=1e-3)
    assert len(set(rows["cell"].to_pylist())) >= 3
    assert set(rows["hour"].to_pylist()) == {0, 1, 2, 3, 4, 5}


def fitted(observations_of, rng, share: float, days: int = 3) -> ReceptionMap:
    table = sail(observations_of, rng, share, days=days)
    counter = ReceptionCounter()
    counter.count(table)
    points = pa.table(
        [
            table[name].combine_chunks()
            if name in table.column_names
            else pa.array(np.zeros(table.num_rows), TRACK_POINTS.field(name).type)
            for name in TRACK_POINTS.names
        ],
        schema=TRACK_POINTS,
    )
    return fit_reception(counter.drain(), points)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_the_share_heard_is_found_again(observations_of, share: float) -> None:
    map_ = fitted(observations_of, np.random.default_rng(7), share)
    ours = map_.share_heard(
        np.full(5, 12.2), np.linspace(-75.3, -74.7, 5), np.full(5, 1, np.int8), np.full(5, 12)
    )
    # 20 vessels x 3 days x 8,640 reports over a few cells
    assert ours == pytest.approx(share, rel=0.08)


def test_none_heard_is_scipys_beta_binomial() -> None:
    for share, rho, n in ((0.3, 0.1, 360), (0.01, 0.6, 100), (0.9, 0.02, 12)):
        a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
        assert _log_none_heard(share, rho, n) == pytest.approx(betabinom.logpmf(0, n, a, b), rel=1e-9)


def test_longer_is_odder_and_unknown_waters_are_never_odd(observations_of) -> None:
    map_ = fitted(observations_of, np.random.default_rng(8), 0.05)
    start = 1_704_326_400_000_000
    chances = [
        map_.silence_probability(12.2, -75.0, 1, start, s, 0.0) for s in (300, 1800, 3600, 7200, 14_400)
    ]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < 1e-3
    assert map_.silence_probability(-40.0, 100.0, 1, start, 86_400, 0.0) == 1.0
    # sails out of what is known within the hour
    assert map_.silence_probability(12.2, -75.0, 1, start, 86_400, 15.0, 0.0) > map_.silence_probability(
        12.2, -75.0, 1, start, 86_400, 0.0
    )
    assert unfitted_map().silence_probability(12.2, -75.0, 1, start, 1e6, 0.0) == 1.0
    assert math.isnan(unfitted_map().positions_per_day(12.2, -75.0, 1, 0.0, 0))


def test_a_silence_of_years_costs_no_more_than_one_of_thirty_days(observations_of, monkeypatch) -> None:
    map_ = fitted(observations_of, np.random.default_rng(8), 0.05)
    start = 1_704_326_400_000_000
    hours = []
    judge = ReceptionMap._log_none_in_hour
    monkeypatch.setattr(
        ReceptionMap, "_log_none_in_hour", lambda self, *place: (hours.append(place), judge(self, *place))[1]
    )
    # sails away from all that is known: no hour but the first ones adds anything, so none ends the sum
    years = map_.silence_probability(12.2, -75.0, 1, start, 7 * 365.25 * 86_400, 12.0, 0.0)
    assert 600 < len(hours) <= 720
    assert years == map_.silence_probability(12.2, -75.0, 1, start, 31 * 86_400, 12.0, 0.0)


def test_a_transmitter_that_is_heard_badly_may_be_silent_for_longer(observations_of) -> None:
    map_ = fitted(observations_of, np.random.default_rng(9), 0.3)
    start = 1_704_326_400_000_000
    usual = map_.silence_probability(12.2, -75.0, 1, start, 1800, 0.0, own_received=648, own_expected=2160)
    weak = map_.silence_probability(12.2, -75.0, 1, start, 1800, 0.0, own_received=20, own_expected=2160)
    assert weak > 3 * usual


@pytest.mark.parametrize("vessels", [1, 6])
def test_positions_a_day_are_those_received_of_one_vessel(observations_of, vessels: int) -> None:
    """Half of what is sent every 10 s, however many vessels there are."""
    table = sail(observations_of, np.random.default_rng(4), 0.5, days=2, vessels=vessels)
    counter = ReceptionCounter()
    counter.count(table)
    map_ = fit_reception(counter.drain())
    place = float(table["latitude_deg"][0].as_py()), float(table["longitude_deg"][0].as_py())
    assert map_.positions_per_day(*place, 1, 5.0, 0) == pytest.approx(4320.0, rel=0.03)
    assert math.isnan(map_.positions_per_day(-40.0, 100.0, 1, 5.0, 0))
    assert ReceptionMap.load(map_.save()).positions_per_day(*place, 1, 5.0, 0) == pytest.approx(
        4320.0, rel=0.03
    )


def test_silences_by_chance_are_seldom_called_odd(observations_of) -> None:
    """The threshold for 1 in 100 vessel-days, on vessel-days the map has not seen."""
    rng = np.random.default_rng(10)
    map_ = fitted(observations_of, rng, 0.004)
    threshold = map_.chance_threshold(0.01)
    later = sail(observations_of, rng, 0.004, days=3, vessels=20)
    alarms = 0
    for who in range(232_000_000, 232_000_020):
        mine = later.filter(pa.compute.equal(later["claimed_id"], who))
        t = mine["time"].cast(pa.int64()).to_numpy()
        for i in np.flatnonzero(np.diff(t) > 1_800_000_000):
            chance = map_.silence_probability(
                mine["latitude_deg"][int(i)].as_py(),
                mine["longitude_deg"][int(i)].as_py(),
                1,
                int(t[i]),
                float(t[i + 1] - t[i]) * 1e-6,
                0.0,
            )
            alarms += chance < threshold
    # 60 vessel-days: 0.6 expected; more than 4 has probability 4e-4 under a Poisson law
    assert alarms <= 4


def test_only_earlier_days_are_learnt_from_and_versions_say_so(observations_of) -> None:
    counter = ReceptionCounter()
    counter.count(sail(observations_of, np.random.default_rng(11), 0.3, days=2, vessels=3))
    rows = counter.drain()
    one, both = fit_reception(rows, before=date(2024, 1, 2)), fit_reception(rows)
    assert one.days == 1
    assert both.days == 2
    assert one.version.startswith("2024-01-01..2024-01-01/")
    assert one.version != both.version
    assert fit_reception(rows, before=date(2024, 1, 1)).version == "unfitted"


def test_saved_and_loaded_it_answers_the_same(observations_of) -> None:
    map_ = fitted(observations_of, np.random.default_rng(12), 0.01)
    again = ReceptionMap.load(map_.save())
    start = 1_704_326_400_000_000
    for seconds in (600.0, 7200.0, 50_000.0):
        args = (12.2, -75.0, 1, start, seconds, 3.0, 90.0)
        assert again.silence_probability(*args) == map_.silence_probability(*args)
    assert again.version == map_.version


def test_the_line_through_the_bulk_ignores_deliberate_silences() -> None:
    rng = np.random.default_rng(13)
    # products that are too small by a power of two: chance ** 2
    chance = 2 * np.log(rng.random(5000))
    scale, slope = tail_line(chance)
    assert slope == pytest.approx(0.5, rel=0.1)
    assert scale == pytest.approx(1.0, rel=0.25)
    spoilt = np.concatenate((chance, np.full(40, -600.0)))
    assert tail_line(spoilt)[1] == pytest.approx(slope, rel=0.1)
