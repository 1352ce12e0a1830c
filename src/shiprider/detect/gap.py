"""Gap: an identity falls silent where it should be heard.

Always true: silence is never guilt (the reason says what a silence there is worth); a gap is between
two consecutive positions of one identity; it is open while it lasts, judged against the time up to
which rows are complete, and closes with the first position after it.

Three presets on one fold: a fixed length (`gfw-raw`), a fixed length with conditions on what was
heard before (`disabling`), and the probability of the silence under the reception map (`expected`),
see docs/decisions/0006-reception-and-silence.md.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import scoring
from shiprider.detect.anchorage_index import indexed, nearest_of_all
from shiprider.detect.context import SCORED_ANCHORAGE_M
from shiprider.detect.particulars import Known, Particulars, at, learnt
from shiprider.detect.preset import Preset, form
from shiprider.detect.silence_scoring import KNOWN_AFTER_S, Circumstances
from shiprider.detect.silence_scoring import weights as weights_of
from shiprider.detect.silences import (
    DEGREE_CELLS,
    EPOCHS,
    FEWEST_OTHERS,
    L_CLASS,
    L_COURSE,
    L_EXPECTED,
    L_FIRST,
    L_FLOATS,
    L_INTEGERS,
    L_LAT,
    L_LON,
    L_NATURE,
    L_NAV,
    L_RAW,
    L_RECEIVED,
    L_RING,
    L_SPEED,
    L_TIME,
    L_TRACK,
    L_USUAL,
    SATELLITE_MEMORY,
    find_silences,
    others_around,
)
from shiprider.measure.geodesy import bearing_deg, haversine_m
from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Nature
from shiprider.model.finding import Evidence, Fact, Finding
from shiprider.model.rows import Rows
from shiprider.model.world import Reception, World

#: An open gap is judged again when it has grown by a fifth.
_GROWTH: Final = 1.2
#: At most this share of the other vessels heard before is heard during the silence: then the receiver is
#: down, not the vessel's transmitter (P).
_OUTAGE_SHARE: Final = 0.1
_FAR_BACK: Final = -(1 << 62)


class GapForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of a gap preset; a condition that is left out is not asked."""

    silence_s: float
    shore_m: float | None = None
    positions_per_day: float | None = None
    satellite_positions: int | None = None
    before_s: float = 43200.0
    false_alarms_per_vessel_day: float | None = None
    at_rest_mps: float | None = None
    anchorage_m: float = 0.0
    back_within_m: float = 0.0


@dataclass(slots=True)
class GapState:
    """Last position of every identity, and who was heard where in the last day."""

    slots: Slots = field(default_factory=Slots)
    integers: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, L_INTEGERS), np.int64))
    floats: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, L_FLOATS)))
    satellites: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, SATELLITE_MEMORY), np.int64))
    next_look_us: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    reported: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    cell_row: NDArray[np.int32] = field(default_factory=lambda: np.full(DEGREE_CELLS, -1, np.int32))
    cells: int = 0
    last_epoch: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    heard: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, EPOCHS), np.int16))
    #: Positions a day that were known to be received where each was last, and by which map.
    a_day: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    map_of: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    maps: tuple[str, ...] = ()
    until_us: int = _FAR_BACK
    known: Known = field(default_factory=dict)

    def copy(self) -> "GapState":
        """An independent state."""
        return GapState(
            self.slots.copy(),
            self.integers.copy(),
            self.floats.copy(),
            self.satellites.copy(),
            self.next_look_us.copy(),
            self.reported.copy(),
            self.cell_row.copy(),
            self.cells,
            self.last_epoch.copy(),
            self.heard.copy(),
            self.a_day.copy(),
            self.map_of.copy(),
            self.maps,
            self.until_us,
            self.known,
        )


@dataclass(frozen=True, slots=True)
class _Silence:
    """One silence, over (`end` known) or not."""

    claimed_id: int
    integers: NDArray[np.int64]
    floats: NDArray[np.float64]
    satellite_us: int
    others_before: float
    others_during: float
    end_us: int
    end: tuple[float, float, int] | None  # latitude, longitude, raw
    a_day: float = math.nan  # positions a day received where it began, as known then, and by which map
    map_version: str = ""

    @property
    def start_us(self) -> int:
        return int(self.integers[L_TIME])

    @property
    def duration_s(self) -> float:
        return (self.end_us - self.start_us) * 1e-6

    @property
    def place(self) -> tuple[float, float]:
        return float(self.floats[L_LAT]), float(self.floats[L_LON])


@dataclass(frozen=True, slots=True)
class GapDetector:
    """Silences under one preset."""

    preset_of: Preset
    numbers: GapForm

    @property
    def behaviour(self) -> str:
        return "gap"

    @property
    def preset(self) -> str:
        return self.preset_of.name

    def start(self) -> GapState:
        """Nobody heard yet."""
        return GapState()

    def fold(self, state: GapState, rows: Rows, world: World) -> tuple[GapState, list[Finding]]:
        """Silences that ended in these rows, then those that go on at `rows.until_us`."""
        state = state.copy()
        state.known = learnt(state.known, rows.statements)
        findings: list[Finding] = []
        for silence, slot in self._ended(state, rows, world):
            finding = self._judged(silence, world, _who(state, silence))
            if finding is not None:
                findings.append(finding)
            elif state.reported[slot]:
                findings.append(_withdrawn(silence, self.preset))
            state.reported[slot] = 0
        state.until_us = max(state.until_us, rows.until_us)
        findings.extend(self._open(state, world))
        return state, findings

    def finish(self, state: GapState, world: World) -> list[Finding]:
        """Silences that last until the rows end."""
        going_on = state.copy()
        going_on.next_look_us[:] = 0
        return self._open(going_on, world)

    def _ended(self, state: GapState, rows: Rows, world: World) -> list[tuple[_Silence, int]]:
        points = rows.points
        a_day, map_of = state.a_day, state.map_of
        slot = state.slots.assign(points.claimed_id)
        size = len(state.slots)
        state.integers = widened(state.integers, size, 0)
        state.floats = widened(state.floats, size, 0.0)
        state.satellites = widened(state.satellites, size, _FAR_BACK)
        state.next_look_us = widened(state.next_look_us, size, 0)
        state.reported = widened(state.reported, size, 0)
        room = 4096
        found_row, found_satellite = np.empty(room, np.int64), np.empty(room, np.int64)
        found_integers, found_floats = np.empty((room, L_INTEGERS), np.int64), np.empty((room, L_FLOATS))
        found_others = np.empty((room, 2))
        ended: list[tuple[_Silence, int]] = []
        row = 0
        while True:
            state.heard = widened(state.heard, state.cells + 1, 0)
            state.last_epoch = widened(state.last_epoch, len(state.heard), 0)
            row, count, state.cells = find_silences(
                row,
                slot,
                points.time_us,
                points.latitude_deg,
                points.longitude_deg,
                points.speed_mps,
                points.course_deg,
                points.nav_status,
                points.transmitter_class,
                points.receiver_kind,
                points.nature,
                points.track,
                points.raw,
                round(self.numbers.silence_s * 1e6),
                state.integers,
                state.floats,
                state.satellites,
                state.cell_row,
                state.cells,
                state.last_epoch,
                state.heard,
                found_row,
                found_integers,
                found_floats,
                found_satellite,
                found_others,
            )
            for k in range(count):
                i = int(found_row[k])
                s = int(slot[i])
                began_before = int(found_integers[k, L_TIME]) <= state.until_us and s < len(a_day)
                silence = _Silence(
                    int(points.claimed_id[i]),
                    found_integers[k].copy(),
                    found_floats[k].copy(),
                    int(found_satellite[k]),
                    float(found_others[k, 0]),
                    float(found_others[k, 1]),
                    int(points.time_us[i]),
                    (float(points.latitude_deg[i]), float(points.longitude_deg[i]), int(points.raw[i])),
                )
                if began_before:
                    known = replace(silence, a_day=float(a_day[s]), map_version=_named(state.maps, map_of[s]))
                else:
                    known = self._there(silence, world)
                ended.append((known, s))
            if row == len(slot):
                self._remember(state, np.unique(slot), world)
                return ended

    def _there(self, silence: _Silence, world: World) -> _Silence:
        """The silence with what is known of reception where it began."""
        if self.numbers.positions_per_day is None or world.reception is None:
            return silence
        return replace(
            silence,
            a_day=_positions_a_day(silence.integers, silence.floats, world.reception),
            map_version=world.reception.version,
        )

    def _remember(self, state: GapState, heard_now: NDArray[np.int32], world: World) -> None:
        """Keep what is known of reception where these were last heard: a later map holds their silence, too."""
        if self.numbers.positions_per_day is None or world.reception is None:
            return
        state.a_day = widened(state.a_day, len(state.slots), math.nan)
        state.map_of = widened(state.map_of, len(state.slots), -1)
        if not state.maps or state.maps[-1] != world.reception.version:
            state.maps = (*state.maps, world.reception.version)
        ring = state.integers[heard_now, L_RING]
        enough = state.satellites[heard_now, ring] >= state.integers[heard_now, L_TIME] - round(
            self.numbers.before_s * 1e6
        )
        for s in heard_now[enough].tolist():
            state.a_day[s] = _positions_a_day(state.integers[s], state.floats[s], world.reception)
            state.map_of[s] = len(state.maps) - 1

    def _open(self, state: GapState, world: World) -> list[Finding]:
        """Those silent now for long enough, looked at again only as they grow."""
        size = len(state.slots)
        last = state.integers[:size, L_TIME]
        floor_us = round(self.numbers.silence_s * 1e6)
        look = np.flatnonzero(
            (state.until_us - last >= floor_us) & (state.until_us >= state.next_look_us[:size]) & (last > 0)
        )
        findings = []
        for slot in look.tolist():
            # a look scheduled for an earlier silence says nothing of this one
            state.next_look_us[slot] = int(last[slot] + _GROWTH * (state.until_us - last[slot]))
            latitude, longitude = state.floats[slot, L_LAT], state.floats[slot, L_LON]
            before, during = others_around(
                latitude, longitude, last[slot], state.until_us, state.cell_row, state.last_epoch, state.heard
            )
            silence = _Silence(
                int(state.slots.keys[slot]),
                state.integers[slot].copy(),
                state.floats[slot].copy(),
                int(state.satellites[slot, state.integers[slot, L_RING]]),
                before,
                during,
                state.until_us,
                None,
            )
            if slot < len(state.a_day):
                silence = replace(
                    silence,
                    a_day=float(state.a_day[slot]),
                    map_version=_named(state.maps, state.map_of[slot]),
                )
            finding = self._judged(silence, world, _who(state, silence))
            if finding is not None:
                state.reported[slot] = 1
                findings.append(finding)
        return findings

    def _judged(self, silence: _Silence, world: World, who: Particulars) -> Finding | None:
        """The finding, where the preset's conditions hold; a condition that cannot be known does not hold."""
        numbers = self.numbers
        latitude, longitude = silence.place
        here = (np.array([latitude]), np.array([longitude]))
        facts: dict[str, Fact] = {"silence_s": round(silence.duration_s)}
        weights: dict[str, float] = {}
        versions: dict[str, str] = {}
        shore_m = math.nan
        if world.coast is not None:
            shore_m = float(world.coast.distance_to_shore_m(*here)[0])
            facts["shore_m"] = round(shore_m)
            versions["coast"] = world.coast.version
        resting = numbers.at_rest_mps is not None
        if numbers.shore_m is not None and not resting and not shore_m >= numbers.shore_m:
            return None
        if numbers.positions_per_day is not None:
            if world.reception is None:
                return None
            heard = _known_a_day(silence)
            if not heard > numbers.positions_per_day:
                return None
            facts["positions_per_day"] = round(heard, 1)
            if math.isfinite(silence.a_day):
                versions["reception"] = silence.map_version
        if numbers.satellite_positions is not None:
            if numbers.satellite_positions > SATELLITE_MEMORY:
                return None
            if silence.satellite_us < silence.start_us - round(numbers.before_s * 1e6):
                return None
            facts["satellite_positions"] = numbers.satellite_positions
            facts["before_s"] = numbers.before_s
        if silence.end is not None:
            there = (np.array([silence.end[0]]), np.array([silence.end[1]]))
            apart_m = float(haversine_m(*here, *there)[0])
            facts["reappeared_m"] = round(apart_m)
            facts["implied_mps"] = round(apart_m / max(silence.duration_s, 1.0), 2)
        reason = "silence" if silence.end is not None else "silence_open"
        if numbers.positions_per_day is not None and numbers.satellite_positions is not None:
            reason = "disabling" if silence.end is not None else "disabling_open"
        if numbers.false_alarms_per_vessel_day is not None:
            chance = self._chance(silence, world)
            if chance is None:
                return None
            threshold = world.reception.chance_threshold(numbers.false_alarms_per_vessel_day)  # type: ignore[union-attr]
            if not chance < threshold or self._at_rest(silence, world, shore_m, facts):
                return None
            facts["one_in"] = _one_in(chance)
            facts["chance_probability"] = float(f"{chance:.3g}")
            versions["reception"] = world.reception.version  # type: ignore[union-attr]
            # each factor of ten beyond the threshold is half a unit of evidence, up to three factors (P)
            weights["surprise"] = 0.5 * min(math.log10(threshold / max(chance, 1e-300)), 3.0)
            reason = "unexpected" if silence.end is not None else "unexpected_open"
        if _outage(silence):
            if numbers.false_alarms_per_vessel_day is not None:
                return None
            weights["others silent too"] = -1.5
        if math.isfinite(silence.others_before):
            facts["others_before"] = round(silence.others_before, 1)
        if math.isfinite(silence.others_during):
            facts["others_during"] = round(silence.others_during, 1)
        circumstances = _circumstances(silence, world, facts, shore_m, who)
        if circumstances.heard_s >= KNOWN_AFTER_S:
            facts["usual_silence_s"] = round(circumstances.usual_s)
        weights |= weights_of(circumstances)
        if weights:
            facts["weights"] = scoring.spoken(weights)
        return _finding(silence, self.preset_of, reason, facts, weights, versions)

    def _chance(self, silence: _Silence, world: World) -> float | None:
        """Probability that a transmitter left on is not heard for that long on that way."""
        if world.reception is None:
            return None
        latitude, longitude = silence.place
        speed, course = float(silence.floats[L_SPEED]), float(silence.floats[L_COURSE])
        if silence.end is not None:
            here, there = np.array([silence.place]), np.array([silence.end[:2]])
            metres = float(haversine_m(here[:, 0], here[:, 1], there[:, 0], there[:, 1])[0])
            speed = metres / max(silence.duration_s, 1.0)
            course = float(bearing_deg(here[:, 0], here[:, 1], there[:, 0], there[:, 1])[0])
        return world.reception.silence_probability(
            latitude,
            longitude,
            int(silence.integers[L_CLASS]),
            silence.start_us,
            silence.duration_s,
            speed if math.isfinite(speed) else 0.0,
            course if math.isfinite(course) else 0.0,
            int(silence.integers[L_NAV]),
            float(silence.floats[L_RECEIVED]),
            float(silence.floats[L_EXPECTED]),
        )

    def _at_rest(self, silence: _Silence, world: World, shore_m: float, facts: dict[str, Fact]) -> bool:
        """Switched off at a berth or an anchorage, and not gone anywhere meanwhile."""
        numbers = self.numbers
        speed = float(silence.floats[L_SPEED])
        if numbers.at_rest_mps is None or not (speed < numbers.at_rest_mps or math.isnan(speed)):
            return False
        if float(facts.get("reappeared_m", 0.0)) > numbers.back_within_m:
            return False
        if numbers.shore_m is not None and shore_m < numbers.shore_m:
            return True
        if world.anchorages is None or len(world.anchorages.latitude_deg) == 0:
            return False
        latitude, longitude = silence.place
        distance = haversine_m(
            latitude, longitude, world.anchorages.latitude_deg, world.anchorages.longitude_deg
        )
        return bool(distance.min() < numbers.anchorage_m)


def _who(state: GapState, silence: _Silence) -> Particulars:
    """What the vessel had said of itself by the silence's end."""
    return at(state.known, silence.claimed_id, silence.end_us)


def _circumstances(
    silence: _Silence, world: World, facts: dict[str, Fact], shore_m: float, who: Particulars
) -> Circumstances:
    """What the score asks of a silence."""
    anchorage_m = math.nan
    if world.anchorages is not None:
        index = indexed(world.anchorages)
        latitude, longitude = silence.place
        here = np.array([latitude]), np.array([longitude])
        _, metres = nearest_of_all(
            *here, SCORED_ANCHORAGE_M, index.first, index.latitude_deg, index.longitude_deg
        )
        anchorage_m = float(metres[0])
    return Circumstances(
        duration_s=silence.duration_s,
        usual_s=float(silence.floats[L_USUAL]),
        heard_s=(silence.start_us - int(silence.integers[L_FIRST])) * 1e-6,
        speed_mps=float(silence.floats[L_SPEED]),
        implied_mps=float(facts.get("implied_mps", math.nan)),
        shore_m=shore_m,
        anchorage_m=anchorage_m,
        transmitter_class=int(silence.integers[L_CLASS]),
        who=who,
    )


def _positions_a_day(integers: NDArray[np.int64], floats: NDArray[np.float64], reception: Reception) -> float:
    """Positions a day that are received of such a vessel at its last place; NaN where nothing is known."""
    return reception.positions_per_day(
        float(floats[L_LAT]),
        float(floats[L_LON]),
        int(integers[L_CLASS]),
        float(floats[L_SPEED]),
        int(integers[L_NAV]),
    )


def _known_a_day(silence: _Silence) -> float:
    """Positions a day received where the silence begins, NaN where that is not known.

    Where no earlier day tells (new water, or the first day of a recording), the vessel's own last
    satellite positions do.
    """
    if math.isfinite(silence.a_day) or silence.satellite_us == _FAR_BACK:
        return silence.a_day
    span_s = (silence.start_us - silence.satellite_us) * 1e-6
    return (SATELLITE_MEMORY - 1) * 86_400.0 / max(span_s, 1.0)


def _named(maps: tuple[str, ...], number: int) -> str:
    return maps[number] if 0 <= number < len(maps) else ""


def _outage(silence: _Silence) -> bool:
    """Nearly everybody else there fell silent as well."""
    return (
        silence.others_before >= FEWEST_OTHERS
        and math.isfinite(silence.others_during)
        and silence.others_during <= _OUTAGE_SHARE * (silence.others_before - 1.0)
    )


def _one_in(chance: float) -> int:
    """One in how many, to two digits, no more than a million (a model is not better than that)."""
    count = 1.0 / max(chance, 1e-6)
    digits = max(math.floor(math.log10(count)) - 1, 0)
    return round(count / 10**digits) * 10**digits


def _finding(
    silence: _Silence,
    preset: Preset,
    reason: str,
    facts: dict[str, Fact],
    weights: dict[str, float],
    versions: dict[str, str],
) -> Finding:
    raws = (int(silence.integers[L_RAW]),) + ((silence.end[2],) if silence.end is not None else ())
    latitude, longitude = silence.place
    return Finding(
        behaviour="gap",
        preset=preset.name,
        participants=(silence.claimed_id,),
        start_us=silence.start_us,
        end_us=silence.end_us,
        latitude_deg=latitude,
        longitude_deg=longitude,
        score=scoring.score(preset.prior, weights),
        reason_key=reason,
        facts=facts,
        evidence=(
            Evidence(
                track=int(silence.integers[L_TRACK]),
                claimed_id=silence.claimed_id,
                start_us=silence.start_us,
                end_us=silence.end_us,
                raws=raws,
            ),
        ),
        state="closed" if silence.end is not None else "open",
        versions=versions,
        simulated=int(silence.integers[L_NATURE]) == Nature.SIMULATED,
    )


def _withdrawn(silence: _Silence, preset: str) -> Finding:
    """What was said while it lasted no longer holds now that its end is known."""
    facts: dict[str, Fact] = {"silence_s": round(silence.duration_s)}
    raw = int(silence.integers[L_RAW])
    evidence = Evidence(
        track=int(silence.integers[L_TRACK]),
        claimed_id=silence.claimed_id,
        start_us=silence.start_us,
        end_us=silence.end_us,
        raws=(raw,),
    )
    return Finding(
        behaviour="gap",
        preset=preset,
        participants=(silence.claimed_id,),
        start_us=silence.start_us,
        end_us=silence.end_us,
        latitude_deg=silence.place[0],
        longitude_deg=silence.place[1],
        score=0.01,
        reason_key="withdrawn",
        facts=facts,
        evidence=(evidence,),
        state="retracted",
        simulated=int(silence.integers[L_NATURE]) == Nature.SIMULATED,
    )


def build(preset: Preset) -> GapDetector:
    """The detector of a gap preset; raises UsageError in one sentence."""
    return GapDetector(preset, form(preset, GapForm))
