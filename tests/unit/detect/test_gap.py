"""Gaps: each condition just below and above, open and closed, and the reception map's part."""

import math
from dataclasses import replace

import numpy as np
import pytest

from shiprider.detect import gap
from shiprider.detect.catalogue import build, find, shipped
from shiprider.detect.reasons import render
from shiprider.model.rows import Rows
from shiprider.model.world import Anchorages, World

HOUR = 3600.0
MIDNIGHT_US = 1_699_920_000_000_000


class Shore:
    """A straight coast far to the south; the distance is given."""

    version = "by hand"

    def __init__(self, metres: float) -> None:
        self.metres = metres

    def is_land(self, latitude_deg, longitude_deg):
        return np.zeros(len(latitude_deg), bool)

    def distance_to_shore_m(self, latitude_deg, longitude_deg):
        return np.full(len(latitude_deg), self.metres)


class Heard:
    """A reception map with given answers that keeps what it was asked."""

    version = "by hand"

    def __init__(self, a_day: float = 100.0, chance: float = 1.0) -> None:
        self.a_day, self.chance = a_day, chance
        self.asked: list[tuple] = []

    def positions_per_day(self, latitude_deg, longitude_deg, transmitter_class, speed_mps, nav_status):
        return self.a_day

    def silence_probability(self, *question):
        self.asked.append(question)
        return self.chance

    def chance_threshold(self, false_alarms_per_vessel_day: float) -> float:
        return false_alarms_per_vessel_day


def silent(sea, hours: float, every_s: float = 600.0, knots: float = 10.0) -> Rows:
    """Two hours under way, a silence of exactly so long, an hour under way."""
    begin, end = 14 * HOUR, 14 * HOUR + hours * HOUR
    sea.sails(232_001_234, (20.0, -70.0), [(end + HOUR, knots, 90.0)], every_s=every_s, silent=[(begin, end)])
    sea.reports(232_001_234, [end], [20.0], [-69.0], [knots])
    return sea.rows()


@pytest.mark.parametrize(("hours", "count"), [(5.999, 0), (6.0, 1), (7.0, 1)])
def test_raw_from_six_hours_on(sea, found, hours: float, count: int) -> None:
    told = found("gap.gfw-raw", silent(sea, hours))
    assert len(told) == count
    if told:
        (finding,) = told
        assert finding.state == "closed"
        assert finding.participants == (232_001_234,)
        assert finding.start_us == MIDNIGHT_US + 14 * 3_600_000_000
        assert finding.end_us - finding.start_us == round(hours * 3.6e9)
        assert finding.facts["silence_s"] == round(hours * HOUR)
        assert len(finding.evidence[0].raws) == 2


def by_satellite(rows: Rows, last: int) -> Rows:
    """The last so many positions before the silence came by satellite."""
    kind = np.ones(len(rows.points), np.int8)
    before = np.flatnonzero(np.diff(rows.points.time_us, append=0) >= 6 * 3_600_000_000)[0]
    kind[before - last + 1 : before + 1] = 2
    return Rows(replace(rows.points, receiver_kind=kind), rows.statements, rows.until_us)


@pytest.mark.parametrize(
    ("hours", "shore_m", "a_day", "satellites", "count"),
    [
        (12.0, 92_600.0, 10.1, 14, 1),
        (11.999, 92_600.0, 10.1, 14, 0),
        (12.0, 92_599.0, 10.1, 14, 0),
        (12.0, 92_600.0, 10.0, 14, 0),
        (12.0, 92_600.0, 10.1, 13, 0),
    ],
)
def test_disabling_needs_every_condition(
    sea, found, hours: float, shore_m: float, a_day: float, satellites: int, count: int
) -> None:
    rows = by_satellite(silent(sea, hours), satellites)
    world = World(coast=Shore(shore_m), reception=Heard(a_day))
    assert len(found("gap.disabling", rows, world)) == count


def test_disabling_in_unknown_water_asks_the_vessels_own_record(sea, found) -> None:
    # every ten minutes by satellite: 144 a day
    rows = by_satellite(silent(sea, 13.0), 14)
    (finding,) = found("gap.disabling", rows, World(coast=Shore(2e5), reception=Heard(math.nan)))
    assert finding.facts["positions_per_day"] == 144.0
    assert "where 144 positions a day are received" in render(finding, "en")


def test_disabling_counts_satellite_positions_of_twelve_hours_only(sea, found) -> None:
    # one every hour: 13 in the 12 h before and with the last one
    rows = silent(sea, 13.0, every_s=3600.0)
    kind = np.full(len(rows.points), 2, np.int8)
    world = World(coast=Shore(200_000.0), reception=Heard())
    rows = Rows(replace(rows.points, receiver_kind=kind), rows.statements, rows.until_us)
    assert found("gap.disabling", rows, world) == []


def test_disabling_cannot_be_known_without_coast_or_reception(sea, found) -> None:
    rows = by_satellite(silent(sea, 13.0), 14)
    assert found("gap.disabling", rows, World(coast=Shore(2e5))) == []
    assert found("gap.disabling", rows, World(reception=Heard())) == []


@pytest.mark.parametrize(("chance", "count"), [(0.000499, 1), (0.0005, 0), (1.0, 0)])
def test_expected_asks_the_map(sea, found, chance: float, count: int) -> None:
    reception = Heard(chance=chance)
    told = found("gap.expected", silent(sea, 2.0), World(coast=Shore(1e5), reception=reception))
    assert len(told) == count
    latitude, longitude, station, start_us, duration_s, speed, course, status, received, expected = (
        reception.asked[0]
    )
    assert (station, start_us) == (1, MIDNIGHT_US + 14 * 3_600_000_000)
    assert (latitude, longitude) != (20.0, -70.0)
    assert duration_s == 7200.0
    assert status == 15
    # 84 intervals of 10 min, each forgotten with a time constant of 6 h, where every 10 s was due
    assert received == pytest.approx(sum(np.exp(-600.0 * k / 21_600.0) for k in range(84)), rel=1e-6)
    assert expected == pytest.approx(60 * received, rel=1e-6)
    assert speed > 0
    assert 0 <= course < 360
    if told:
        assert told[0].facts["one_in"] == 2000
        assert "1 in 2000 silences" in render(told[0])
        assert told[0].versions["reception"] == "by hand"


def test_a_vessel_that_switches_off_at_anchor_and_stays_is_not_reported(sea, found) -> None:
    t = np.r_[np.arange(0, 3600, 180.0), np.arange(20_000, 24_000, 180.0)]
    sea.reports(232_001_234, t, np.full(len(t), 20.0), np.full(len(t), -70.0), np.zeros(len(t)))
    rows, reception = sea.rows(), Heard(chance=1e-9)
    near = Anchorages("by hand", ("here",), np.array([20.01]), np.array([-70.0]))
    assert found("gap.expected", rows, World(reception=reception, anchorages=near)) == []
    assert found("gap.expected", rows, World(reception=reception, coast=Shore(3_000.0))) == []
    assert len(found("gap.expected", rows, World(reception=reception, coast=Shore(50_000.0)))) == 1


def test_when_everybody_falls_silent_it_is_the_receiver(sea, found) -> None:
    silence = [(4 * HOUR, 8 * HOUR)]
    for v in range(8):
        sea.sails(232_000_000 + v, (20.2 + 0.01 * v, -70.5), [(10 * HOUR, 3.0, 90.0)], silent=silence)
    world = World(reception=Heard(chance=1e-9), coast=Shore(1e5))
    assert found("gap.expected", sea.rows(), world) == []
    # one alone among vessels that go on
    sea.parts.clear()
    for v in range(8):
        sea.sails(
            232_000_000 + v,
            (20.2 + 0.01 * v, -70.5),
            [(10 * HOUR, 3.0, 90.0)],
            silent=silence if v == 3 else [],
        )
    assert [f.participants for f in found("gap.expected", sea.rows(), world)] == [(232_000_003,)]


def test_open_while_it_lasts_then_closed_and_withdrawn_where_it_no_longer_holds(sea) -> None:
    detector = build(find("gap.expected", shipped()))
    assert isinstance(detector, gap.GapDetector)
    rows = silent(sea, 3.0)
    points = rows.points
    before = points.time_us <= MIDNIGHT_US + 14 * 3_600_000_000
    cut = [
        type(points)(*(getattr(points, name)[keep] for name in points.__slots__))
        for keep in (before, ~before)
    ]
    odd, usual = World(reception=Heard(chance=1e-6)), World(reception=Heard(chance=0.5))
    until = MIDNIGHT_US + round(16.5 * 3.6e9)
    state, told = detector.fold(detector.start(), Rows(cut[0], rows.statements, until), odd)
    assert [f.state for f in told] == ["open"]
    assert told[0].end_us == until
    # not told again before it has grown by a fifth
    state, again = detector.fold(state, Rows(_none(points), rows.statements, until + 60_000_000), odd)
    assert again == []
    _, closed = detector.fold(state, Rows(cut[1], rows.statements, rows.until_us), odd)
    assert [f.state for f in closed] == ["closed"]
    assert closed[0].key() == told[0].key()
    assert closed[0].start_us == told[0].start_us
    _, withdrawn = detector.fold(state, Rows(cut[1], rows.statements, rows.until_us), usual)
    assert [f.state for f in withdrawn] == ["retracted"]


def _none(points):
    return type(points)(*(getattr(points, name)[:0] for name in points.__slots__))


def test_state_handed_in_is_not_changed(sea) -> None:
    detector = build(find("gap.gfw-raw", shipped()))
    rows = silent(sea, 7.0)
    state, _ = detector.fold(detector.start(), rows, World())
    kept = state.integers.copy(), state.floats[: len(state.slots)].copy(), state.heard.copy()
    detector.fold(state, Rows(rows.points, rows.statements, rows.until_us + 10**12), World())
    assert (state.integers == kept[0]).all()
    np.testing.assert_array_equal(state.floats[: len(state.slots)], kept[1])
    assert (state.heard == kept[2]).all()


def test_simulated_silences_are_marked(sea, found) -> None:
    sea.sails(232_001_234, (20.0, -70.0), [(20 * HOUR, 8.0, 0.0)], silent=[(HOUR, 9 * HOUR)], nature=3)
    assert all(finding.simulated for finding in found("gap.gfw-raw", sea.rows()))


@pytest.mark.parametrize("language", ["en", "es"])
def test_reasons_name_the_facts(sea, found, language: str) -> None:
    (finding,) = found("gap.gfw-raw", silent(sea, 7.0), World(coast=Shore(96 * 1852.0)))
    text = render(finding, language)
    assert "7 h" in text
    assert "96" in text
    assert "?" not in text
