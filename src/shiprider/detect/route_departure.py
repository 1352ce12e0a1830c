"""Route departure: a vessel goes for some time where and as its kind does not go.

Always true: what is normal was learnt on earlier days (`traffic.py`); one odd position is nothing,
oddity has to add up (a cumulative sum) beyond what so few normal vessel-days reach; while it stays
beyond, it is one finding.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import scoring
from shiprider.detect.preset import Preset, form
from shiprider.detect.rows_used import positions_used
from shiprider.detect.statements import changed_rows
from shiprider.detect.traffic import DRIFT, LEAST_MPS, STEP_US
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Nature
from shiprider.model.finding import Evidence, Fact, Finding, State
from shiprider.model.identity import VesselClass, vessel_class
from shiprider.model.rows import Rows, TrackPoints
from shiprider.model.world import Traffic, World

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

# integer columns of an identity
R_LOOKED: int = 0
R_CLASS: int = 1
R_SINCE: int = 2  # when its sum left nought
R_SINCE_RAW: int = 3
R_TOLD: int = 4
R_END: int = 5
R_END_RAW: int = 6
R_TRACK: int = 7
R_COLUMNS: int = 8


class RouteForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of a route departure preset."""

    false_alarms_per_vessel_day: float
    at_least_s: float


@kernel
def looks(
    slot: NDArray[np.int32],
    time_us: I64,
    speed: NDArray[np.float32],
    course: NDArray[np.float32],
    said_time: I64,
    said_slot: NDArray[np.int32],
    said_class: NDArray[np.int8],
    state: I64,
    rows: I64,
    classes: NDArray[np.int8],
) -> int:
    """Rows at which a vessel under way is looked at, one a step of time, with its class by then."""
    count = 0
    told = 0
    for i in range(len(slot)):
        while told < len(said_time) and said_time[told] <= time_us[i]:
            state[said_slot[told], 1] = said_class[told]
            told += 1
        v = slot[i]
        if not speed[i] >= LEAST_MPS or not np.isfinite(course[i]):
            continue
        if time_us[i] // STEP_US == state[v, 0] // STEP_US:
            continue
        state[v, 0] = time_us[i]
        rows[count] = i
        classes[count] = state[v, 1]
        count += 1
    while told < len(said_time):
        state[said_slot[told], 1] = said_class[told]
        told += 1
    return count


@kernel
def departures(
    slot: NDArray[np.int32],
    time_us: I64,
    raw: I64,
    track: I64,
    rarity: F64,
    threshold: F64,
    at_least_us: int,
    state: I64,
    sums: F64,
    events: I64,
    height: F64,
) -> int:
    """Add rarities up; events are (look, 1 opened or 2 closed, and since when or until when, with its raw). The sum is held at twice the threshold."""
    count = 0
    for i in range(len(slot)):
        v = slot[i]
        before = sums[v]
        sums[v] = min(max(before + rarity[i], 0.0), 2.0 * threshold[i])
        if before == 0.0 and sums[v] > 0.0:
            state[v, 2] = time_us[i]
            state[v, 3] = raw[i]
        if sums[v] > threshold[i]:
            state[v, 5] = time_us[i]
            state[v, 6] = raw[i]
            state[v, 7] = track[i]
            if state[v, 4] == 0 and time_us[i] - state[v, 2] >= at_least_us:
                state[v, 4] = 1
                events[count, 0] = i
                events[count, 1] = 1
                events[count, 2] = state[v, 2]
                events[count, 3] = state[v, 3]
                height[count] = sums[v] / threshold[i]
                count += 1
        elif sums[v] == 0.0 and state[v, 4] == 1:
            state[v, 4] = 0
            events[count, 0] = i
            events[count, 1] = 2
            events[count, 2] = state[v, 5]
            events[count, 3] = state[v, 6]
            height[count] = 1.0
            count += 1
    return count


@dataclass(slots=True)
class RouteState:
    """How odd every identity's way was so far, and what an open finding said."""

    slots: Slots = field(default_factory=Slots)
    numbers: I64 = field(default_factory=lambda: np.zeros((0, R_COLUMNS), np.int64))
    sums: F64 = field(default_factory=lambda: np.zeros(0))
    going_on: dict[int, Finding] = field(default_factory=dict)

    def copy(self) -> "RouteState":
        """An independent state."""
        return RouteState(self.slots.copy(), self.numbers.copy(), self.sums.copy(), dict(self.going_on))


@dataclass(frozen=True, slots=True)
class RouteDetector:
    """Departures under one preset."""

    preset_of: Preset
    numbers: RouteForm

    @property
    def behaviour(self) -> str:
        return "route_departure"

    @property
    def preset(self) -> str:
        return self.preset_of.name

    def start(self) -> RouteState:
        """Nobody seen."""
        return RouteState()

    def fold(self, state: RouteState, rows: Rows, world: World) -> tuple[RouteState, list[Finding]]:
        """Departures that these rows made clear, and those that they ended."""
        if world.traffic is None:
            return state, []
        state = state.copy()
        return state, list(self._found(state, rows, world.traffic))

    def finish(self, state: RouteState, world: World) -> list[Finding]:
        """Departures that go on when the rows end."""
        del world
        return [
            _until(finding, int(state.numbers[slot, R_END]), int(state.numbers[slot, R_END_RAW]), "open")
            for slot, finding in state.going_on.items()
        ]

    def _found(self, state: RouteState, rows: Rows, traffic: Traffic) -> Iterator[Finding]:
        used = positions_used(rows.points)
        points = rows.points
        slot = state.slots.assign(points.claimed_id[used])
        said = changed_rows(rows.statements)
        said = said[rows.statements.ship_type[said] > 0]
        said_slot = state.slots.assign(rows.statements.claimed_id[said])
        said_class = np.array([vessel_class(int(kind)) for kind in rows.statements.ship_type[said]], np.int8)
        state.numbers = widened(state.numbers, len(state.slots), 0)
        state.sums = widened(state.sums, len(state.slots), 0.0)
        picked, classes = np.empty(len(slot), np.int64), np.empty(len(slot), np.int8)
        count = looks(
            slot,
            points.time_us[used],
            points.speed_mps[used],
            points.course_deg[used],
            rows.statements.time_us[said],
            said_slot,
            said_class,
            state.numbers,
            picked,
            classes,
        )
        classes = classes[:count]
        at = used[picked[:count]]
        density = traffic.log_density(
            classes,
            points.latitude_deg[at],
            points.longitude_deg[at],
            points.course_deg[at].astype(np.float64),
            points.speed_mps[at].astype(np.float64),
        )
        of_class = np.array(
            [
                traffic.departure_threshold(code, self.numbers.false_alarms_per_vessel_day)
                for code in range(len(VesselClass))
            ]
        )
        events, height = np.empty((count, 4), np.int64), np.empty(count)
        found = departures(
            slot[picked[:count]],
            points.time_us[at],
            points.raw[at],
            points.track[at],
            -density - DRIFT,
            of_class[classes],
            round(self.numbers.at_least_s * 1e6),
            state.numbers,
            state.sums,
            events,
            height,
        )
        for k in range(found):
            look, kind, time_us, raw = events[k].tolist()
            who = int(slot[picked[look]])
            if kind == 1:
                mmsi, i = int(state.slots.keys[who]), int(at[look])
                opened = self._opened(
                    mmsi, (time_us, raw), points, i, int(classes[look]), float(height[k]), traffic.version
                )
                state.going_on[who] = opened
                yield opened
            else:
                yield _until(state.going_on[who], time_us, raw, "closed")
                del state.going_on[who]

    def _opened(
        self,
        mmsi: int,
        since: tuple[int, int],
        points: TrackPoints,
        i: int,
        class_code: int,
        height: float,
        version: str,
    ) -> Finding:
        weights = {"how rare": min(height - 1.0, 1.0)}
        facts: dict[str, Fact] = {
            "kind": VesselClass(class_code).name.lower(),
            "times_threshold": round(height, 2),
            "course_deg": round(float(points.course_deg[i])),
            "speed_mps": round(float(points.speed_mps[i]), 1),
            "weights": scoring.spoken(weights),
        }
        start, start_raw = since
        end = int(points.time_us[i])
        return Finding(
            behaviour="route_departure",
            preset=self.preset,
            participants=(mmsi,),
            start_us=start,
            end_us=end,
            latitude_deg=float(points.latitude_deg[i]),
            longitude_deg=float(points.longitude_deg[i]),
            score=scoring.score(self.preset_of.prior, weights),
            reason_key="departure",
            facts=facts,
            evidence=(
                Evidence(
                    track=int(points.track[i]),
                    claimed_id=mmsi,
                    start_us=start,
                    end_us=end,
                    raws=(start_raw, int(points.raw[i])),
                ),
            ),
            state="open",
            versions={"traffic": version},
            simulated=int(points.nature[i]) == Nature.SIMULATED,
        )


def _until(finding: Finding, end_us: int, raw: int, state: State) -> Finding:
    """The open finding, up to the last look at which it held."""
    evidence = finding.evidence[0]
    raws = tuple(dict.fromkeys((*evidence.raws, raw)))
    return msgspec.structs.replace(
        finding,
        end_us=end_us,
        evidence=(msgspec.structs.replace(evidence, end_us=end_us, raws=raws),),
        state=state,
    )


def build(preset: Preset) -> RouteDetector:
    """The detector of a route departure preset; raises UsageError in one sentence."""
    return RouteDetector(preset, form(preset, RouteForm))
