"""Trafficking events: who, where, when, and how they move.

Always true: every figure is drawn from the distributions of `draws.py`, never from a detector's
preset; each event comes from its own random stream; what the truth says of distance, duration and
silence is what the knots do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import SECOND_US
from shiprider.simulate import draws, motion
from shiprider.simulate.cast import PLOT_NUMBERS, Unit, stream_of
from shiprider.simulate.identity import Hull, make_hull, make_identity
from shiprider.simulate.lives.company import arriving
from shiprider.simulate.lives.life import HOUR, KNOT, Leg, Life, berth_of, joined
from shiprider.simulate.scenario import Scenario
from shiprider.simulate.truth import EVENT_KINDS, Event, Sign
from shiprider.simulate.waters import Waters

F64 = NDArray[np.float64]

_WEEK_S: Final = 7 * 86_400.0
#: A participant is seen in port this long before it sails and after it is home (our choice).
_ASHORE_S: Final = 30 * HOUR
#: Vessels set aside for one event.
_ROOM: Final = 4


@dataclass(slots=True)
class Plot:
    """One event: its vessels, and, once played, its truth and signs."""

    number: int
    kind: str
    hulls: list[Hull]
    first_vessel: int
    unit: Unit
    event: Event | None = None
    signs: tuple[Sign, ...] = ()
    notes: dict[str, float | str] = field(default_factory=dict)


@dataclass(slots=True)
class _Stage:
    """What a kind of event needs while it is written."""

    waters: Waters
    scenario: Scenario
    rng: np.random.Generator
    plot: Plot
    begin_s: float
    end_s: float

    def when(self, length_s: float) -> float:
        """A start at which an event of this length ends inside its week, an hour from both ends."""
        latest = max(self.begin_s + HOUR, self.end_s - HOUR - length_s)
        return float(self.rng.uniform(self.begin_s + HOUR, latest))

    def room_s(self) -> float:
        """How long an event may be so that it fits."""
        return 0.6 * (self.end_s - self.begin_s)


def plan_plots(scenario: Scenario, waters: Waters, first_vessel: int) -> list[Plot]:
    """All events of a scenario: vessels now, movement when their week is played."""
    duration = scenario.duration_us / SECOND_US
    plots: list[Plot] = []
    for week in range(max(1, int(np.ceil(duration / _WEEK_S)))):
        begin, end = week * _WEEK_S, min((week + 1) * _WEEK_S, duration)
        share = 1.0 if week == 0 else (end - begin) / _WEEK_S
        for kind in EVENT_KINDS:
            for _ in range(round(getattr(scenario.plots, kind) * share)):
                number = len(plots)
                rng = stream_of(scenario, 5, number)
                hulls = _cast(kind, number, rng)
                plot = Plot(number, kind, hulls, first_vessel, Unit(hulls, iter(())))
                stage = _Stage(waters, scenario, rng, plot, begin, end)
                plot.unit = Unit(hulls, _play(stage), from_s=begin - _WEEK_S, to_s=end + _WEEK_S)
                first_vessel += len(hulls)
                plots.append(plot)
    return plots


def _cast(kind: str, number: int, rng: np.random.Generator) -> list[Hull]:
    """The hulls of an event, those without AIS too (transmitter 0)."""
    base = PLOT_NUMBERS + number * _ROOM

    def hull(place: int, choices: dict[str, float], with_ais: float) -> Hull:
        names = tuple(choices)
        chosen = str(rng.choice(names, p=np.array([choices[n] for n in names]) / sum(choices.values())))
        made = make_hull(base + place, chosen, rng)
        if rng.random() >= with_ais:
            made = msgspec.structs.replace(made, transmitter=0)
        return made

    if kind == "mothership_go_fast":
        return [hull(0, draws.MOTHERSHIP_KINDS, 1.0), hull(1, {"go_fast": 1.0}, draws.GO_FAST_WITH_AIS)]
    if kind == "refuelling_meet":
        return [hull(0, draws.REFUELLER_KINDS, 1.0), hull(1, {"go_fast": 1.0}, draws.REFUELLED_WITH_AIS)]
    if kind == "dark_rendezvous":
        return [hull(0, {"fishing": 1.0}, 1.0), hull(1, draws.PARTNER_KINDS, draws.PARTNER_WITH_AIS)]
    if kind == "identity_swap":
        made = hull(0, draws.SWAP_KINDS, 1.0)
        other = make_identity(made.kind, base + 2, rng, made.length_m)
        return [msgspec.structs.replace(made, identities=(made.identities[0], other))]
    return [hull(0, draws.TRANSIT_KINDS, 1.0)]


def _play(stage: _Stage) -> Life:
    yield from _SCRIPTS[stage.plot.kind](stage)


def _home_and_place(stage: _Stage) -> tuple[int, F64, F64]:
    """A hub, a place offshore and the way between them, 60 to 700 km long."""
    waters, rng = stage.waters, stage.rng
    while True:
        place = waters.offshore[int(rng.integers(len(waters.offshore)))]
        dy = waters.grid.berth_latitude_deg[waters.hubs] - place[0]
        dx = (waters.grid.berth_longitude_deg[waters.hubs] - place[1]) * np.cos(np.deg2rad(place[0]))
        far = np.hypot(dx, dy) * motion.METRES_PER_DEGREE
        near = waters.hubs[np.argsort(far, kind="stable")][:5]
        home = int(rng.choice(near))
        if not 40_000.0 < far[np.flatnonzero(waters.hubs == home)[0]] < 700_000.0:
            continue
        path = waters.grid.port_to_place(home, float(place[0]), float(place[1]))
        if path is not None:
            return home, place, path


def _speed(kind: str, rng: np.random.Generator) -> float:
    low, high = draws.CRUISE_KNOTS[kind]
    return float(rng.uniform(low, high)) * KNOT


def _out(
    stage: _Stage, quay: tuple[float, float], path: F64, when: float, speed: float, end_mps: float
) -> F64:
    """In port, then out along `path`, there at `when`."""
    out = arriving(joined(path, quay, (path[-1, 0], path[-1, 1])), when, speed, stage.rng, end_mps=end_mps)
    leaves = float(out[0, motion.T])
    return np.concatenate((motion.moor(leaves - _ASHORE_S, leaves, *quay), out))


def _back(
    stage: _Stage, busy: F64, path: F64, quay: tuple[float, float], speed: float, start_mps: float
) -> F64:
    """Home again, then in port."""
    here = busy[-1, motion.LAT : motion.LON + 1]
    home = np.vstack((here[None], path[::-1][1:]))
    home[-1] = quay
    back = motion.sail(float(busy[-1, motion.T]), home, speed, stage.rng, start_mps=start_mps)
    arrived = float(back[-1, motion.T])
    return np.concatenate((back, motion.moor(arrived, arrived + _ASHORE_S, *quay)))


def _drift(stage: _Stage, place: F64, start_s: float, length_s: float, drift_mps: float) -> F64:
    """Drifting together: nearly straight, with a knot every 5 minutes, moving at both ends."""
    bearing = float(stage.rng.uniform(0, 360))
    n = max(4, int(length_s / 300.0) + 2)
    t = np.linspace(start_s, start_s + length_s, n)
    turn = np.cumsum(stage.rng.normal(0.0, 8.0, n)) * 0.5
    angle = np.deg2rad(bearing + turn)
    step = drift_mps * np.diff(t)
    north = np.concatenate(([0.0], np.cumsum(step * np.cos(angle[:-1]))))
    east = np.concatenate(([0.0], np.cumsum(step * np.sin(angle[:-1]))))
    lat = place[0] + north / motion.METRES_PER_DEGREE
    lon = place[1] + east / (motion.METRES_PER_DEGREE * np.cos(np.deg2rad(place[0])))
    return motion.knots_of(t, lat, lon, np.gradient(lat, t), np.gradient(lon, t), motion.UNDER_WAY)


def _beside(stage: _Stage, base: F64, distance_m: float) -> F64:
    """A companion at `distance_m` on a bearing that hardly changes; never farther than the distance."""
    n = len(base)
    bearing = float(stage.rng.uniform(0, 2 * np.pi)) + np.cumsum(stage.rng.normal(0, 0.03, n))
    apart = distance_m * (1.0 - 0.15 * np.abs(np.sin(np.linspace(0, 6, n))))
    out = motion.shifted(base, apart * np.cos(bearing), apart * np.sin(bearing))
    out[0, motion.VLAT : motion.STATUS] = base[0, motion.VLAT : motion.STATUS]
    out[-1, motion.VLAT : motion.STATUS] = base[-1, motion.VLAT : motion.STATUS]
    return out


def _dash(stage: _Stage, busy: F64, speed: float, reach_m: float) -> F64:
    """A small craft that comes from and goes back to somewhere 40 km and more away, in open water."""
    rng = stage.rng
    here, there = busy[0, 1:3], busy[-1, 1:3]
    land = stage.waters.grid.geography.is_land
    for _ in range(60):
        bearing = float(rng.uniform(0, 360))
        origin = np.array(motion.offset_path(here[0], here[1], bearing, reach_m))
        line = here + (origin - here) * np.linspace(0, 1, 60)[:, None]
        if not land(line[:, 0], line[:, 1]).any():
            break
        reach_m *= 0.93
    drift = float(np.hypot(busy[0, 3], busy[0, 4] * np.cos(np.deg2rad(here[0]))) * motion.METRES_PER_DEGREE)
    come = arriving(np.vstack((origin, here)), float(busy[0, 0]), speed, rng, end_mps=drift)
    leave = motion.sail(
        float(busy[-1, 0]),
        np.vstack((there, origin)),
        speed,
        rng,
        start_mps=drift,
        acceleration_mps2=0.3,
        wander_m=30.0,
    )
    return np.concatenate((come, busy, leave))


def _tell(
    stage: _Stage, start_s: float, end_s: float, place: F64, expected: tuple[str, ...], signs: list[Sign],
    **figures: float | str,
) -> None:  # fmt: skip
    plot, origin = stage.plot, stage.scenario.start_us
    on_air = [hull for hull in plot.hulls if hull.transmitter]
    plot.signs = tuple(signs)
    plot.event = Event(
        id=f"SIM-E{plot.number:05d}",
        kind=plot.kind,
        participants=tuple(sorted({i.mmsi for hull in on_air for i in hull.identities})),
        vessels=tuple(hull.vessel for hull in plot.hulls),
        start_us=origin + round(start_s * SECOND_US),
        end_us=origin + round(end_s * SECOND_US),
        latitude_deg=round(float(place[0]), 5),
        longitude_deg=round(float(place[1]), 5),
        expected=expected,
        figures={
            name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()
        },
    )


def _meeting(stage: _Stage, durations: draws.Draw, distances: draws.Draw, partner_behaviour: str) -> Life:
    rng, plot = stage.rng, stage.plot
    length = min(durations.sample(rng) * 60.0, stage.room_s())
    distance = distances.sample(rng)
    when = stage.when(length)
    home, place, path = _home_and_place(stage)
    quay = berth_of(stage.waters, home, rng)
    speed = _speed(plot.hulls[0].kind, rng)
    drift = draws.DRIFT_KNOTS.sample(rng) * KNOT
    busy = _drift(stage, place, when, length, drift)
    ship = np.concatenate(
        (_out(stage, quay, path, when, speed, drift), busy, _back(stage, busy, path, quay, speed, drift))
    )
    fast = draws.GO_FAST_KNOTS.sample(rng)
    craft = _dash(stage, _beside(stage, busy, distance), fast * KNOT, float(rng.uniform(40_000, 110_000)))
    first = plot.first_vessel
    signs = [
        Sign(behaviour="dark_encounter", kind="seen", vessels=(first,), start_s=when, end_s=when + length)
    ]
    expected = ["dark_encounter", "loitering", partner_behaviour]
    if plot.hulls[1].transmitter:
        expected.append("encounter")
        signs.append(
            Sign(
                behaviour="encounter",
                kind="together",
                vessels=(first, first + 1),
                start_s=when,
                end_s=when + length,
            )
        )
    _tell(
        stage, when, when + length, place, tuple(expected), signs,
        distance_m=distance, duration_s=length, drift_mps=drift, craft_speed_mps=fast * KNOT,
    )  # fmt: skip
    yield Leg(0, ship)
    yield Leg(1, craft)


def _mothership(stage: _Stage) -> Life:
    yield from _meeting(stage, draws.HANDOVER_MINUTES, draws.HANDOVER_METRES, "go_fast")


def _refuelling(stage: _Stage) -> Life:
    yield from _meeting(stage, draws.REFUEL_MINUTES, draws.REFUEL_METRES, "refuelling")


def _dark_rendezvous(stage: _Stage) -> Life:
    rng, plot = stage.rng, stage.plot
    length = min(draws.RENDEZVOUS_MINUTES.sample(rng) * 60.0, 0.5 * stage.room_s())
    silence = float(np.clip(draws.SILENCE_HOURS.sample(rng) * HOUR, length * 1.1, stage.room_s()))
    distance = draws.HANDOVER_METRES.sample(rng)
    start = stage.when(silence)
    # The meeting lies somewhere inside the silence.
    when = start + float(rng.uniform(0.15, 0.85)) * (silence - length)
    home, place, path = _home_and_place(stage)
    quay = berth_of(stage.waters, home, rng)
    drift = draws.DRIFT_KNOTS.sample(rng) * KNOT
    speed = _speed("fishing", rng)
    busy = _drift(stage, place, when, length, drift)
    boat = np.concatenate(
        (_out(stage, quay, path, when, speed, drift), busy, _back(stage, busy, path, quay, speed, drift))
    )
    # What would be silent in port is not an event: the silence is at sea.
    leaves, home_again = float(boat[1, motion.T]), float(boat[-2, motion.T])
    start = max(start, leaves + 0.2 * (when - leaves))
    end = min(start + silence, when + length + 0.9 * (home_again - when - length))
    end = max(end, when + length)
    first = plot.first_vessel
    signs = [Sign(behaviour="gap", kind="silence", vessels=(first,), start_s=start, end_s=end)]
    expected = ["gap"]
    other_home, _, _ = _home_and_place(stage)
    other_path = stage.waters.grid.port_to_place(other_home, float(place[0]), float(place[1]))
    if other_path is None:
        other_home, other_path = home, path
    other_quay = berth_of(stage.waters, other_home, rng)
    beside = _beside(stage, busy, distance)
    partner_speed = _speed(plot.hulls[1].kind, rng)
    partner_path = joined(other_path, other_quay, (beside[0, 1], beside[0, 2]))
    partner = np.concatenate(
        (
            _out(stage, other_quay, partner_path, when, partner_speed, drift),
            beside,
            _back(stage, beside, other_path, other_quay, partner_speed, drift),
        )
    )
    if plot.hulls[1].transmitter:
        expected += ["dark_encounter", "loitering"]
        signs.append(
            Sign(
                behaviour="dark_encounter",
                kind="seen",
                vessels=(first + 1,),
                start_s=when,
                end_s=when + length,
            )
        )
    _tell(
        stage, min(start, when), max(end, when + length), place, tuple(expected), signs,
        distance_m=distance, duration_s=length, silence_s=end - start, drift_mps=drift,
        meeting_start_s=when, meeting_end_s=when + length,
    )  # fmt: skip
    yield Leg(0, motion.silent(boat, start, end))
    yield Leg(1, partner)


def _voyage(stage: _Stage, middle_s: float) -> tuple[F64, float, float]:
    """A voyage between two hubs whose middle is at `middle_s`; and when it sails and arrives."""
    waters, rng = stage.waters, stage.rng
    while True:
        a, b = (int(p) for p in rng.choice(waters.hubs, 2, replace=False))
        path = waters.grid.port_to_port(a, b)
        if path is None or len(path) < 3:
            continue
        length = np.hypot(np.diff(path[:, 0]), np.diff(path[:, 1])).sum() * motion.METRES_PER_DEGREE
        if 350_000.0 < length < 2_500_000.0:
            break
    quays = (berth_of(waters, a, rng), berth_of(waters, b, rng))
    speed = _speed(stage.plot.hulls[0].kind, rng)
    sail = motion.sail(0.0, joined(path, *quays), speed, rng)
    sail[:, motion.T] += middle_s - 0.5 * sail[-1, motion.T]
    leaves, arrives = float(sail[0, motion.T]), float(sail[-1, motion.T])
    whole = np.concatenate(
        (
            motion.moor(leaves - _ASHORE_S, leaves, *quays[0]),
            sail,
            motion.moor(arrives, arrives + _ASHORE_S, *quays[1]),
        )
    )
    return whole, leaves, arrives


def _dark_transit(stage: _Stage) -> Life:
    rng = stage.rng
    silence = min(draws.TRANSIT_SILENCE_HOURS.sample(rng) * HOUR, stage.room_s())
    middle = stage.when(silence) + 0.5 * silence
    knots, leaves, arrives = _voyage(stage, middle + float(rng.normal(0, 1.0)) * HOUR)
    start = max(middle - 0.5 * silence, leaves + 0.1 * (arrives - leaves))
    end = min(start + silence, arrives - 0.05 * (arrives - leaves))
    place = np.array(motion.at(knots, start))
    sign = Sign(behaviour="gap", kind="silence", vessels=(stage.plot.first_vessel,), start_s=start, end_s=end)
    _tell(stage, start, end, place, ("gap",), [sign], silence_s=end - start)
    yield Leg(0, motion.silent(knots, start, end))


def _identity_swap(stage: _Stage) -> Life:
    rng = stage.rng
    pause = min(draws.SWAP_PAUSE_MINUTES.sample(rng) * 60.0, 0.4 * stage.room_s())
    start = stage.when(pause)
    knots, _, _ = _voyage(stage, start + float(rng.normal(0, 2.0)) * HOUR)
    place = np.array(motion.at(knots, start))
    vessel = (stage.plot.first_vessel,)
    sign = Sign(
        behaviour="identity/mmsi_change", kind="renamed", vessels=vessel, start_s=start - 24 * HOUR,
        end_s=start + pause + 24 * HOUR,
    )  # fmt: skip
    _tell(stage, start, start + pause, place, ("identity/mmsi_change", "gap"), [sign], silence_s=pause)
    yield Leg(0, motion.silent(motion.renamed(knots, start, 1), start, start + pause))


def _spoofed(stage: _Stage) -> Life:
    rng = stage.rng
    length = min(draws.SPOOF_HOURS.sample(rng) * HOUR, stage.room_s())
    start = stage.when(length)
    knots, leaves, arrives = _voyage(stage, start + 0.5 * length)
    start = max(start, leaves + 0.05 * (arrives - leaves))
    end = min(start + length, arrives - 0.02 * (arrives - leaves))
    manner = str(rng.choice(("circle", "offset", "teleport"), p=draws.SPOOF_SHARES))
    figures: dict[str, float | str] = {"manner": manner}
    true_lat, true_lon = motion.at(knots, start)
    if manner == "circle":
        radius = draws.CIRCLE_RADIUS_KM.sample(rng) * 1000.0
        speed = float(rng.uniform(3.0, 14.0)) * KNOT
        far = draws.CIRCLE_AWAY_KM.sample(rng) * 1000.0
        centre = motion.offset_path(true_lat, true_lon, float(rng.uniform(0, 360)), far)
        claim = _circle(centre, radius, speed * float(rng.choice((-1, 1))), float(rng.uniform(0, 2 * np.pi)))
        figures |= {"radius_m": radius, "claimed_speed_mps": speed, "away_m": far}
    elif manner == "offset":
        far = draws.OFFSET_KM.sample(rng) * 1000.0
        angle = float(rng.uniform(0, 2 * np.pi))
        claim = _shift(far * np.cos(angle), far * np.sin(angle))
        figures |= {"offset_m": far}
    else:
        other = stage.waters.hubs[int(rng.integers(len(stage.waters.hubs)))]
        spot = stage.waters.anchorage[int(other)]
        claim = _circle((float(spot[0]), float(spot[1])), float(rng.uniform(20, 150)), 0.05, 0.0)
        figures |= {"claimed_latitude_deg": float(spot[0]), "claimed_longitude_deg": float(spot[1])}
    figures |= {"duration_s": end - start}
    behaviour = f"spoofing/{manner}"
    vessel = (stage.plot.first_vessel,)
    window: dict[str, Any] = {"vessels": vessel, "start_s": start, "end_s": end}
    signs = [Sign(behaviour="spoofing/teleport", kind="impossible", **window)]
    if manner == "circle":
        signs.append(Sign(behaviour=behaviour, kind="seen", at_least=8, **window))
    if manner == "offset":
        # A shifted track shows by its two jumps only.
        signs.append(Sign(behaviour=behaviour, kind="impossible", **window))
    expected = {behaviour, "spoofing/teleport", "spoofing/on_land", "identity/shared_mmsi"}
    _tell(stage, start, end, np.array([true_lat, true_lon]), tuple(sorted(expected)), signs, **figures)
    yield Leg(0, motion.claiming(knots, start, end, claim))


def _circle(centre: tuple[float, float], radius_m: float, speed_mps: float, phase: float) -> motion.Claim:
    scale = np.cos(np.deg2rad(centre[0]))

    def place(knots: F64) -> F64:
        angle = phase + speed_mps / radius_m * (knots[:, motion.T] - knots[0, motion.T])
        size, rate = radius_m / motion.METRES_PER_DEGREE, speed_mps / motion.METRES_PER_DEGREE
        return np.column_stack(
            (
                centre[0] + size * np.cos(angle),
                centre[1] + size * np.sin(angle) / scale,
                -rate * np.sin(angle),
                rate * np.cos(angle) / scale,
            )
        )

    return place


def _shift(north_m: float, east_m: float) -> motion.Claim:
    def place(knots: F64) -> F64:
        moved = motion.shifted(knots, north_m, east_m)
        return moved[:, motion.LAT : motion.VLON + 1]

    return place


_SCRIPTS: Final[dict[str, Callable[[_Stage], Life]]] = {
    "mothership_go_fast": _mothership,
    "dark_rendezvous": _dark_rendezvous,
    "dark_transit": _dark_transit,
    "spoofed_position": _spoofed,
    "identity_swap": _identity_swap,
    "refuelling_meet": _refuelling,
}
