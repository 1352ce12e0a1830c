"""The truth of events against the movement, recomputed by an independent haversine."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from shiprider.simulate import draws, motion
from shiprider.simulate.geography import Geography
from shiprider.simulate.plots import Plot
from shiprider.simulate.scenario import Plots, Scenario
from shiprider.simulate.stream import Simulation
from shiprider.simulate.truth import EVENT_KINDS, Event, Heard, Sign, Truth, shown

F64 = np.ndarray
DAY_S = 86_400.0


def haversine_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    p, q = math.radians(a[0]), math.radians(b[0])
    h = math.sin((q - p) / 2) ** 2
    h += math.cos(p) * math.cos(q) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * 6_371_000.0 * math.asin(math.sqrt(h))


@dataclass
class Played:
    plot: Plot
    event: Event
    knots: list[F64]
    start_s: float
    end_s: float

    def figure(self, name: str) -> float:
        value = self.event.figures[name]
        assert isinstance(value, float)
        return value


@pytest.fixture(scope="module")
def played(geography: Geography, make_scenario: Callable[..., Scenario]) -> list[Played]:
    """Three days of many events, and every participant's whole movement."""
    plots = Plots(
        mothership_go_fast=8,
        dark_rendezvous=8,
        dark_transit=6,
        spoofed_position=12,
        identity_swap=4,
        refuelling_meet=6,
    )
    scenario = make_scenario(seed=21, hours=96, plots=plots)
    play = Simulation.of(scenario, geography)
    out = []
    for plot in play.plots:
        knots = plot.unit.knots_between(-10 * DAY_S, 14 * DAY_S)
        assert plot.event is not None
        start = (plot.event.start_us - scenario.start_us) / 1e6
        end = (plot.event.end_us - scenario.start_us) / 1e6
        assert 0.0 <= start <= end <= 96 * 3600.0
        out.append(Played(plot, plot.event, knots, start, end))
    return out


def of(played: list[Played], *kinds: str) -> list[Played]:
    found = [p for p in played if p.plot.kind in kinds]
    assert found
    return found


def test_all_kinds_happen_offshore_and_carry_the_mark(played: list[Played], geography: Geography) -> None:
    assert {p.plot.kind for p in played} == set(EVENT_KINDS)
    for p in played:
        assert p.event.simulated
        lat, lon = np.array([p.event.latitude_deg]), np.array([p.event.longitude_deg])
        assert not geography.is_land(lat, lon)[0]
        assert geography.region.contains(lat, lon)[0]


def test_meetings_are_as_close_and_as_long_as_told(played: list[Played]) -> None:
    for p in of(played, "mothership_go_fast", "refuelling_meet"):
        apart = [
            haversine_m(motion.at(p.knots[0], t), motion.at(p.knots[1], t))
            for t in np.linspace(p.start_s + 1, p.end_s - 1, 40)
        ]
        assert max(apart) <= p.figure("distance_m") * 1.05 + 1.0
        assert min(apart) >= p.figure("distance_m") * 0.6 - 1.0
        assert p.end_s - p.start_s == pytest.approx(p.figure("duration_s"), abs=1.0)
        # Ten minutes before and after they are far apart.
        for t in (p.start_s - 600.0, p.end_s + 600.0):
            assert haversine_m(motion.at(p.knots[0], t), motion.at(p.knots[1], t)) > 3_000.0


def test_a_dark_rendezvous_happens_inside_the_silence(played: list[Played]) -> None:
    for p in of(played, "dark_rendezvous"):
        start, end = p.figure("meeting_start_s"), p.figure("meeting_end_s")
        apart = [
            haversine_m(motion.at(p.knots[0], t), motion.at(p.knots[1], t))
            for t in np.linspace(start + 1, end - 1, 40)
        ]
        assert max(apart) <= p.figure("distance_m") * 1.05 + 1.0
        boat = p.knots[0]
        silent = boat[boat[:, motion.ON] == 0.0, motion.T]
        assert len(silent)
        assert silent.min() <= start + 1.0
        assert boat[np.flatnonzero(boat[:, motion.ON] == 0.0)[-1] + 1, motion.T] >= end - 1.0


def test_silences_are_as_long_as_told(played: list[Played]) -> None:
    for p in of(played, "dark_transit", "dark_rendezvous", "identity_swap"):
        boat = p.knots[0]
        off = np.flatnonzero(boat[:, motion.ON] == 0.0)
        length = boat[off[-1] + 1, motion.T] - boat[off[0], motion.T]
        assert length == pytest.approx(p.figure("silence_s"), abs=1.0)


def test_an_identity_swap_changes_the_identity_once(played: list[Played]) -> None:
    for p in of(played, "identity_swap"):
        slots = p.knots[0][:, motion.IDENTITY]
        assert np.count_nonzero(np.diff(slots)) == 1
        changed = p.knots[0][np.argmax(slots > 0), motion.T]
        assert changed == pytest.approx(p.start_s, abs=1.0)
        assert len(p.event.participants) == 2


def test_false_positions_are_what_they_are_told_to_be(played: list[Played]) -> None:
    manners = set()
    for p in of(played, "spoofed_position"):
        boat = p.knots[0]
        claims = boat[~np.isnan(boat[:, motion.CLAT])]
        manners.add(p.event.figures["manner"])
        assert claims[0, motion.T] == pytest.approx(p.start_s, abs=1.0)
        away = [
            haversine_m((r[motion.LAT], r[motion.LON]), (r[motion.CLAT], r[motion.CLON])) for r in claims[::7]
        ]
        if p.event.figures["manner"] == "offset":
            assert np.median(away) == pytest.approx(p.figure("offset_m"), rel=0.03)
        if p.event.figures["manner"] == "circle":
            # The centre is the mean of a whole number of turns; the radius is the farthest from it.
            first = (claims[0, motion.CLAT], claims[0, motion.CLON])
            spread = max(haversine_m(first, (r[motion.CLAT], r[motion.CLON])) for r in claims)
            assert spread <= 2.02 * p.figure("radius_m")
    assert manners == {"circle", "offset", "teleport"}


def test_speeds_of_participants_are_plausible(played: list[Played]) -> None:
    for p in played:
        for hull, knots in zip(p.plot.hulls, p.knots, strict=True):
            h = np.diff(knots[:, motion.T])
            scale = np.cos(np.radians(knots[:-1, motion.LAT]))
            metres = (
                np.hypot(np.diff(knots[:, motion.LAT]), np.diff(knots[:, motion.LON]) * scale) * 111_195.0
            )
            assert (h >= -1e-6).all()
            # No jump where a leg ends and the next begins.
            assert metres[h < 1e-3].max(initial=0.0) < 1.0
            limit = 30.0 if hull.kind == "go_fast" else 13.0
            assert (metres[h >= 1e-3] / h[h >= 1e-3]).max() < limit


@pytest.mark.parametrize(
    ("draw", "low", "high"),
    [
        # Usual reporting thresholds in the literature: minutes, metres, hours (not read from a preset).
        (draws.HANDOVER_MINUTES, 30.0, 120.0),
        (draws.HANDOVER_METRES, 50.0, 250.0),
        (draws.SILENCE_HOURS, 6.0, 12.0),
        (draws.TRANSIT_SILENCE_HOURS, 12.0, 24.0),
        (draws.REFUEL_MINUTES, 30.0, 120.0),
    ],
)
def test_events_lie_below_and_above_usual_thresholds(draw: draws.Draw, low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    values = np.array([draw.sample(rng) for _ in range(4000)])
    assert (values < low).mean() > 0.05
    assert (values > high).mean() > 0.05
    assert np.median(values) == pytest.approx(draw.median, rel=0.08)
    assert values.min() >= draw.low
    assert values.max() <= draw.high


def test_the_simulation_reads_no_detector() -> None:
    from pathlib import Path

    import shiprider.simulate

    root = Path(next(iter(shiprider.simulate.__path__)))
    for path in root.rglob("*.py"):
        assert "shiprider.detect" not in path.read_text(encoding="utf-8"), path


def test_signs_follow_what_was_heard() -> None:
    usual = np.arange(0.0, 20_000.0, 600.0)
    after = np.arange(50_000.0, 70_000.0, 600.0)

    def heard(times: F64, slots: F64 | None = None, lat: F64 | None = None) -> dict[int, Heard]:
        none = np.zeros(len(times), np.int64)
        still = np.full(len(times), 12.0)
        return {
            4: Heard(times, none if slots is None else slots, still if lat is None else lat, still - 90.0)
        }

    gap = Sign(behaviour="gap", kind="silence", vessels=(4,), start_s=20_000.0, end_s=50_000.0)
    assert shown(gap, heard(np.concatenate((usual, after))))
    # The same silence of a vessel that is heard every eight hours says nothing.
    assert not shown(gap, heard(np.array([-80_000.0, -50_000.0, -20_000.0, 10_000.0, 55_000.0])))
    assert not shown(gap, heard(usual))
    seen = Sign(behaviour="dark_encounter", kind="seen", vessels=(4,), start_s=0.0, end_s=1_800.0)
    assert shown(seen, heard(usual))
    assert not shown(seen, heard(after))
    # Three positions of one satellite pass do not show an hour's stop.
    assert not shown(seen, heard(np.array([100.0, 160.0, 220.0])))
    together = Sign(behaviour="encounter", kind="together", vessels=(4, 5), start_s=0.0, end_s=1_800.0)
    assert not shown(together, heard(usual))
    renamed = Sign(behaviour="identity", kind="renamed", vessels=(4,), start_s=0.0, end_s=90_000.0)
    assert not shown(renamed, heard(usual))
    assert shown(renamed, heard(usual, np.arange(len(usual)) // 10))
    jump = Sign(behaviour="spoofing/offset", kind="impossible", vessels=(4,), start_s=6_100.0, end_s=9_000.0)
    assert not shown(jump, heard(usual))
    # 0.5 degrees, 55.6 km, in ten minutes: 93 m/s. A tenth of it, 9 m/s, any ship may do.
    assert shown(jump, heard(usual, lat=np.where(usual > 6_100.0, 12.5, 12.0)))
    assert not shown(jump, heard(usual, lat=np.where(usual > 6_100.0, 12.05, 12.0)))


@pytest.fixture(scope="module")
def truth(geography: Geography, make_scenario: Callable[..., Scenario]) -> Truth:
    scenario = make_scenario()
    play = Simulation.of(scenario, geography)
    for _ in play.slices(scenario.start_us, scenario.end_us, 3600 * 1_000_000):
        pass
    return play.truth()


def test_the_truth_of_a_played_day(truth: Truth) -> None:
    assert len(truth.events) == 12
    assert all(event.leaves_ais_trace is not None for event in truth.events)
    seen = [event for event in truth.events if event.leaves_ais_trace]
    assert 4 <= len(seen) <= 12
    for event in seen:
        assert set(event.traces) <= set(event.expected)
    kinds = {item.kind for item in truth.lookalikes}
    assert {"receiver_outage", "pair_trawl", "tow", "drifting_with_gear"} <= kinds
    by_number = {vessel.vessel: vessel for vessel in truth.vessels}
    assert all(not by_number[number].lawful for event in truth.events for number in event.vessels)


def test_the_truth_can_be_written(truth: Truth) -> None:
    import msgspec

    rows = [msgspec.json.decode(line) for line in truth.json_lines().splitlines()]
    assert {row["table"] for row in rows} == {"event", "lookalike", "vessel"}
    assert all(row["simulated"] for row in rows)
    tables = truth.tables()
    assert tables["events"].num_rows == 12
    assert tables["vessels"].num_rows == len(truth.vessels)
