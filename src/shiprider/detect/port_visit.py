"""Port visit: entry, stop or silence, and exit at an anchorage, as Global Fishing Watch defines it.

Always true: a vessel is in port from within `entry_m` of an anchorage point until beyond `exit_m`; it
is stopped from below `stop_begin_mps` until above `stop_end_mps`; a silence of more than `gap_s` in
port is a port gap; a visit is what lies between the first such event and the exit. Confidence
(pipe-anchorages): 4 entry, exit, and a stop or gap; 3 entry or exit, and a stop or gap; 2 a stop or
gap alone; 1 neither stop nor gap. A vessel first seen in port has no entry, one first seen stopped
no begin of a stop; its first event is then the end of the stop.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect.anchorage_index import indexed, nearest_within
from shiprider.detect.particulars import Known, at, learnt
from shiprider.detect.preset import Positive, Preset, form
from shiprider.detect.rows_used import positions_used
from shiprider.detect.scoring import score, spoken
from shiprider.detect.vessel_slots import seated
from shiprider.measure.geodesy import local_one
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots
from shiprider.model.errors import UsageError
from shiprider.model.finding import Evidence, Fact, Finding, State
from shiprider.model.rows import Rows
from shiprider.model.world import World

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

_US: Final = 1_000_000
_ROOM: Final = 4096
#: States of a vessel (pipe-anchorages, InOutEventsBase).
_UNSEEN: Final = 0
_AT_SEA: Final = 1
_IN_PORT: Final = 2
_STOPPED: Final = 3
#: Raw addresses kept of one visit: those of its events.
_EVENTS: Final = 16

#: One vessel and, while `start` is not negative, its visit. `entry`, `exit`, `stop`, `gap`: seen or not.
VISIT: Final = np.dtype(
    [
        ("time", np.int64),
        ("raw", np.int64),
        ("state", np.int8),
        ("entry", np.int8),
        ("exit", np.int8),
        ("stop", np.int8),
        ("gap", np.int8),
        ("start", np.int64),
        ("end", np.int64),
        ("anchorage", np.int32),
        ("first_anchorage", np.int32),
        ("nearest", np.float64),
        ("kept", np.int32),
        ("slot", np.int32),
        ("reported", np.int64),
        ("clear_latitude", np.float64),
        ("clear_longitude", np.float64),
        ("clear_m", np.float64),
        ("raws", np.int64, (_EVENTS,)),
    ]
)


@kernel
def _event(me, when: int, raw: int) -> None:  # type: ignore[no-untyped-def]
    if me.start < 0:
        me.start, me.reported, me.kept = when, -1, 0
        me.entry, me.exit, me.stop, me.gap = 0, 0, 0, 0
        me.first_anchorage = -1
        me.nearest = np.inf
    me.end = when
    if me.kept < _EVENTS:
        me.raws[me.kept] = raw
        me.kept += 1
    else:
        me.raws[_EVENTS - 1] = raw


@kernel
def _advance(  # type: ignore[no-untyped-def]
    time: I64,
    slot: I32,
    latitude: F64,
    longitude: F64,
    speed: F32,
    raw: I64,
    rows: I64,
    first: int,
    vessels,
    done,
    anchorage_first: I32,
    anchorage_lat: F64,
    anchorage_lon: F64,
    entry_m: float,
    exit_m: float,
    stop_begin_mps: float,
    stop_end_mps: float,
    gap: int,
) -> tuple[int, int]:
    """Take `rows` from the `first`; gives (the next row, visits that ended), early where `done` is full.

    A search that finds nothing within twice the exit distance need not be repeated until the vessel
    has moved that far.
    """
    ended = 0
    reach = 2.0 * exit_m
    for k in range(first, len(rows)):
        if ended >= len(done) - 1:
            return k, ended
        i = rows[k]
        me = vessels[slot[k]]
        now = time[i]
        if me.state != _UNSEEN and now <= me.time:
            continue
        lat, lon = latitude[i], longitude[i]
        near, metres = -1, np.inf
        if (
            me.clear_m <= 0.0
            or local_one(me.clear_latitude, me.clear_longitude, lat, lon) * 1.01 >= me.clear_m
        ):
            near, metres = nearest_within(lat, lon, reach, anchorage_first, anchorage_lat, anchorage_lon)
            me.clear_latitude, me.clear_longitude = lat, lon
            me.clear_m = (reach if near < 0 else metres) - exit_m
        before = me.state
        was_in = before >= _IN_PORT
        inside = metres <= entry_m or (was_in and metres < exit_m)
        pace = speed[i]
        stopped = pace <= stop_begin_mps or (before == _STOPPED and not pace >= stop_end_mps)
        after = _AT_SEA if not inside else (_STOPPED if stopped else _IN_PORT)
        if was_in and now - me.time > gap:
            _event(me, me.time + gap, me.raw)
            _event(me, now, raw[i])
            me.gap = 1
            if me.first_anchorage < 0:
                me.first_anchorage = me.anchorage
        if inside:
            me.anchorage = near
        if before == _AT_SEA and inside:
            _event(me, now, raw[i])
            me.entry = 1
        if after == _STOPPED and before != _STOPPED and before != _UNSEEN:
            _event(me, now, raw[i])
            me.stop = 1
            if me.first_anchorage < 0:
                me.first_anchorage = me.anchorage
        if before == _STOPPED and after != _STOPPED:
            _event(me, now, raw[i])
            me.stop = 1
            if me.first_anchorage < 0:
                me.first_anchorage = me.anchorage
        if was_in and not inside:
            _event(me, now, raw[i])
            me.exit = 1
            if me.first_anchorage < 0:
                me.first_anchorage = me.anchorage
            done[ended] = me
            ended += 1
            me.start = -1
        elif me.start >= 0:
            me.nearest = min(me.nearest, metres)
        me.state = after
        me.time, me.raw = now, raw[i]
    return len(rows), ended


class PortVisitForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of a port visit preset."""

    entry_m: Positive
    exit_m: Positive
    stop_begin_mps: float
    stop_end_mps: float
    gap_s: Positive
    least_confidence: int = 1


@dataclass(slots=True)
class PortVisitState:
    """Everything between two batches. A fold works on its own copy."""

    slots: Slots
    vessels: NDArray[Any]
    names: NDArray[np.int64]
    known: Known = field(default_factory=dict)

    def copy(self) -> "PortVisitState":
        """An independent copy."""
        return PortVisitState(self.slots.copy(), self.vessels.copy(), self.names.copy(), self.known)


@dataclass(frozen=True, slots=True)
class PortVisitDetector:
    """The fold for one preset. Without anchorages in the world it finds nothing."""

    declared: Preset
    numbers: PortVisitForm

    @property
    def behaviour(self) -> str:
        return self.declared.behaviour

    @property
    def preset(self) -> str:
        return self.declared.name

    def start(self) -> PortVisitState:
        return PortVisitState(Slots(), _fresh(0), np.zeros((0, 3), dtype=np.int64))

    def fold(self, state: PortVisitState, rows: Rows, world: World) -> tuple[PortVisitState, list[Finding]]:
        if world.anchorages is None:
            return state, []
        n = self.numbers
        index = indexed(world.anchorages)
        after = state.copy()
        after.known = learnt(after.known, rows.statements)
        points = rows.points
        used = positions_used(points)
        after.vessels, after.names, slot = seated(
            after.slots, after.vessels, after.names, points, used, _fresh
        )
        findings: list[Finding] = []
        done = np.zeros(_ROOM, dtype=VISIT)
        reached = 0
        while reached < len(used):
            reached, ended = _advance(
                points.time_us,
                slot,
                points.latitude_deg,
                points.longitude_deg,
                points.speed_mps,
                points.raw,
                used,
                reached,
                after.vessels,
                done,
                index.first,
                index.latitude_deg,
                index.longitude_deg,
                n.entry_m,
                n.exit_m,
                n.stop_begin_mps,
                n.stop_end_mps,
                int(n.gap_s * _US),
            )
            findings += self._told(after, done[:ended], world, "closed")
        vessels = after.vessels
        news = np.flatnonzero((vessels["start"] >= 0) & (vessels["end"] > vessels["reported"]))
        vessels["reported"][news] = vessels["end"][news]
        findings += self._told(after, vessels[news], world, "open")
        return after, findings

    def finish(self, state: PortVisitState, world: World) -> list[Finding]:
        if world.anchorages is None:
            return []
        return self._told(state, state.vessels[state.vessels["start"] >= 0], world, "open")

    def _told(self, state: PortVisitState, visits: NDArray[Any], world: World, stage: State) -> list[Finding]:
        findings = (self._finding(state, visit, world, stage) for visit in visits)
        return [finding for finding in findings if finding is not None]

    def _finding(self, state: PortVisitState, visit: Any, world: World, stage: State) -> Finding | None:
        confidence = _confidence(visit)
        if confidence < self.numbers.least_confidence or world.anchorages is None:
            return None
        track, claimed, simulated = (int(v) for v in state.names[int(visit["slot"])])
        start_us, end_us = int(visit["start"]), int(visit["end"])
        anchorages = world.anchorages
        first = int(visit["first_anchorage"])
        row = int(indexed(anchorages).order[first if first >= 0 else int(visit["anchorage"])])
        who = at(state.known, claimed, end_us)
        weights = {"brief or uncertain": -1.0} if confidence < 3 else {}
        if who.is_small():
            weights["small craft"] = 0.2
        facts: dict[str, Fact] = {
            "port": anchorages.name[row],
            "confidence": confidence,
            "duration_s": (end_us - start_us) / _US,
            "events": _spoken_events(visit),
            "weights": spoken(weights),
        }
        return Finding(
            behaviour=self.behaviour,
            preset=self.preset,
            participants=(claimed,),
            start_us=start_us,
            end_us=end_us,
            latitude_deg=float(anchorages.latitude_deg[row]),
            longitude_deg=float(anchorages.longitude_deg[row]),
            score=score(self.declared.prior, weights),
            reason_key=f"port_visit_{confidence}",
            facts=facts,
            evidence=(
                Evidence(
                    track=track,
                    claimed_id=claimed,
                    start_us=start_us,
                    end_us=end_us,
                    raws=tuple(dict.fromkeys(int(r) for r in visit["raws"][: int(visit["kept"])])),
                ),
            ),
            state=stage,
            versions={"anchorages": anchorages.version},
            simulated=bool(simulated),
        )


def build(preset: Preset) -> PortVisitDetector:
    """The detector of a port visit preset; raises UsageError in one sentence."""
    numbers = form(preset, PortVisitForm)
    if numbers.exit_m < numbers.entry_m or numbers.stop_end_mps < numbers.stop_begin_mps:
        raise UsageError(
            f"{preset.where()}: exit_m must not be below entry_m, nor stop_end_mps below stop_begin_mps."
        )
    return PortVisitDetector(preset, numbers)


def _confidence(visit: Any) -> int:
    still = bool(visit["stop"]) or bool(visit["gap"])
    ends = int(visit["entry"]) + int(visit["exit"])
    if not still:
        return 1
    return 2 + ends


def _spoken_events(visit: Any) -> str:
    return ", ".join(name for name in ("entry", "stop", "gap", "exit") if visit[name])


def _fresh(size: int) -> NDArray[Any]:
    vessels = np.zeros(size, dtype=VISIT)
    vessels["raw"] = -1
    vessels["start"] = -1
    vessels["reported"] = -1
    vessels["anchorage"] = -1
    vessels["first_anchorage"] = -1
    return vessels
