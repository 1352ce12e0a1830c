"""Loitering: one vessel hardly moving, hour after hour.

Always true: a run is made of legs slower than the preset's speed; a faster stretch inside it is
absorbed where it is no longer than `burst_s`, or where the hour around it, at the pace of the slow legs
beside it, still has a mean below the preset's (GFW's hours); a silence longer than `max_gap_s` ends it; the mean speed of the whole run is below the preset's. A run starts with its first slow leg
and ends with its last, wherever the hours of the clock fall.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect.context import context, versions
from shiprider.detect.legs import keep_sample, leg_speed
from shiprider.detect.particulars import Known, Particulars, at, learnt
from shiprider.detect.preset import Positive, Preset, form
from shiprider.detect.rows_used import positions_used
from shiprider.detect.scoring import DECLARED_WORK, keeps_place, score, spoken
from shiprider.detect.vessel_slots import seated
from shiprider.measure.geodesy import wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots
from shiprider.model.finding import Evidence, Fact, Finding, State
from shiprider.model.rows import Rows
from shiprider.model.world import World

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

_US: Final = 1_000_000
_HOUR_S: Final = 3600.0
#: An open finding is told again when it has grown by half an hour.
_GROWTH_US: Final = 1800 * _US
_SAMPLES: Final = 16
#: Room for runs that end within one call of the kernel.
_ROOM: Final = 4096

#: One vessel: its last report and, while `start` is not negative, its run.
RUN: Final = np.dtype(
    [
        ("time", np.int64),
        ("raw", np.int64),
        ("latitude", np.float64),
        ("longitude", np.float64),
        ("speed", np.float64),
        ("start", np.int64),
        ("end", np.int64),
        ("start_raw", np.int64),
        ("end_raw", np.int64),
        ("distance", np.float64),
        ("pending", np.float64),
        ("slow_pace", np.float64),
        ("first_longitude", np.float64),
        ("sum_latitude", np.float64),
        ("sum_longitude", np.float64),
        ("points", np.int32),
        ("resting", np.int32),
        ("working", np.int32),
        ("fishing", np.int32),
        ("kept", np.int32),
        ("stride", np.int32),
        ("slot", np.int32),
        ("reported", np.int64),
        ("told", np.int8),
        ("raws", np.int64, (_SAMPLES,)),
        ("lats", np.float64, (_SAMPLES,)),
        ("lons", np.float64, (_SAMPLES,)),
    ]
)


@kernel
def _goes_on(me, slow: bool, now: int, pace: float, moved: float, limit_mps: float, burst: int) -> bool:  # type: ignore[no-untyped-def]
    """Whether the leg that ends now belongs to the run, or to a faster stretch that may yet be absorbed."""
    fast = (me.time if slow else now) - me.end
    if fast <= burst:
        return True
    seconds = fast * 1e-6
    if seconds > _HOUR_S:
        return False
    if not slow:
        return me.pending + moved < limit_mps * _HOUR_S
    rest = (_HOUR_S - seconds) * 0.5 * (me.slow_pace + pace)
    return me.pending + rest < limit_mps * _HOUR_S


@kernel
def _advance(  # type: ignore[no-untyped-def]
    time: I64,
    slot: I32,
    latitude: F64,
    longitude: F64,
    speed: F32,
    status: I8,
    raw: I64,
    rows: I64,
    first: int,
    vessels,
    done,
    limit_mps: float,
    duration: int,
    burst: int,
    max_gap: int,
    chord: int,
) -> tuple[int, int]:
    """Take `rows` from the `first`; gives (the next row, runs that ended), early where `done` is full.

    Only runs at least `duration` long are given.
    """
    ended = 0
    for k in range(first, len(rows)):
        if ended >= len(done) - 1:
            return k, ended
        i = rows[k]
        s = slot[k]
        me = vessels[s]
        now = time[i]
        lat, lon, pace_now = latitude[i], longitude[i], float(speed[i])
        span = now - me.time
        if me.raw >= 0 and span <= 0:
            continue
        if me.raw >= 0 and span <= max_gap:
            pace = leg_speed(me.latitude, me.longitude, me.speed, lat, lon, pace_now, span, chord)
            moved = pace * (span * 1e-6)
            slow = pace < limit_mps
            if me.start >= 0 and not _goes_on(me, slow, now, pace, moved, limit_mps, burst):
                if me.end - me.start >= duration:
                    done[ended] = me
                    ended += 1
                me.start = -1
            if slow:
                if me.start < 0:
                    me.start, me.start_raw, me.reported, me.told = me.time, me.raw, -1, 0
                    me.distance, me.pending = 0.0, 0.0
                    me.first_longitude = lon
                    me.sum_latitude, me.sum_longitude = 0.0, 0.0
                    me.points, me.resting, me.fishing, me.working = 0, 0, 0, 0
                    me.kept, me.stride = 0, 1
                me.distance += me.pending + moved
                me.pending = 0.0
                me.slow_pace = pace
                me.end, me.end_raw = now, raw[i]
                me.sum_latitude += lat
                me.sum_longitude += wrapped_deg(lon - me.first_longitude)
                if status[i] == 1 or status[i] == 5:
                    me.resting += 1
                if status[i] == 7:
                    me.fishing += 1
                if status[i] == 3:
                    me.working += 1
                me.kept, me.stride = keep_sample(
                    me.kept, me.stride, me.points, me.raws, me.lats, me.lons, raw[i], lat, lon
                )
                me.points += 1
            elif me.start >= 0:
                me.pending += moved
        elif me.start >= 0:
            if me.end - me.start >= duration:
                done[ended] = me
                ended += 1
            me.start = -1
        me.time, me.raw = now, raw[i]
        me.latitude, me.longitude, me.speed = lat, lon, pace_now
    return len(rows), ended


class LoiteringForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of a loitering preset; `shore_m` 0 sets no limit."""

    speed_mps: Positive
    duration_s: Positive
    burst_s: float
    max_gap_s: Positive
    chord_s: float
    shore_m: float = 0.0


@dataclass(slots=True)
class LoiteringState:
    """Everything between two batches. A fold works on its own copy."""

    slots: Slots
    vessels: NDArray[Any]
    names: NDArray[np.int64]
    known: Known = field(default_factory=dict)

    def copy(self) -> "LoiteringState":
        """An independent copy."""
        return LoiteringState(self.slots.copy(), self.vessels.copy(), self.names.copy(), self.known)


@dataclass(frozen=True, slots=True)
class LoiteringDetector:
    """The fold for one preset."""

    declared: Preset
    numbers: LoiteringForm

    @property
    def behaviour(self) -> str:
        return self.declared.behaviour

    @property
    def preset(self) -> str:
        return self.declared.name

    def start(self) -> LoiteringState:
        return LoiteringState(Slots(), _fresh(0), np.zeros((0, 3), dtype=np.int64))

    def fold(self, state: LoiteringState, rows: Rows, world: World) -> tuple[LoiteringState, list[Finding]]:
        n = self.numbers
        after = state.copy()
        after.known = learnt(after.known, rows.statements)
        points = rows.points
        used = positions_used(points)
        findings: list[Finding] = []
        after.vessels, after.names, slot = seated(
            after.slots, after.vessels, after.names, points, used, _fresh
        )
        done = np.zeros(_ROOM, dtype=RUN)
        reached = 0
        while reached < len(used):
            reached, ended = _advance(
                points.time_us,
                slot,
                points.latitude_deg,
                points.longitude_deg,
                points.speed_mps,
                points.nav_status,
                points.raw,
                used,
                reached,
                after.vessels,
                done,
                n.speed_mps,
                int(n.duration_s * _US),
                int(n.burst_s * _US),
                int(n.max_gap_s * _US),
                int(n.chord_s * _US),
            )
            findings += self._told(after, done[:ended], world, "closed")
        findings += self._silent(after, rows.until_us, world)
        findings += self._open(after, world)
        return after, findings

    def finish(self, state: LoiteringState, world: World) -> list[Finding]:
        return self._told(state, state.vessels[self._long(state.vessels)], world, "open")

    def _long(self, vessels: NDArray[Any]) -> NDArray[np.int64]:
        lasts = vessels["end"] - vessels["start"]
        return np.flatnonzero((vessels["start"] >= 0) & (lasts >= self.numbers.duration_s * _US))

    def _silent(self, state: LoiteringState, until_us: int, world: World) -> list[Finding]:
        """Runs of vessels that were silent for too long are over."""
        vessels = state.vessels
        over = (vessels["start"] >= 0) & (until_us - vessels["time"] > self.numbers.max_gap_s * _US)
        findings = self._told(state, vessels[over][self._long(vessels[over])], world, "closed")
        vessels["start"][over] = -1
        return findings

    def _open(self, state: LoiteringState, world: World) -> list[Finding]:
        vessels = state.vessels
        at_length = self._long(vessels)
        told = vessels["reported"][at_length]
        news = at_length[(told < 0) | (vessels["end"][at_length] - told >= _GROWTH_US)]
        vessels["reported"][news] = vessels["end"][news]
        findings = self._told(state, vessels[news], world, "open")
        vessels["told"][news] = 0
        open_tracks = np.array([f.evidence[0].track for f in findings if f.state == "open"], dtype=np.int64)
        vessels["told"][state.slots.assign(open_tracks)] = 1
        return findings

    def _told(self, state: LoiteringState, runs: NDArray[Any], world: World, stage: State) -> list[Finding]:
        """Findings of the runs that meet the preset, retractions of those that were told and no longer do."""
        findings = []
        for run in runs:
            finding, holds = self._finding(state, run, world, stage)
            if holds:
                findings.append(finding)
            elif run["told"]:
                findings.append(msgspec.structs.replace(finding, state="retracted"))
        return findings

    def _finding(self, state: LoiteringState, run: Any, world: World, stage: State) -> tuple[Finding, bool]:
        n = self.numbers
        start_us, end_us = int(run["start"]), int(run["end"])
        seconds = (end_us - start_us) / _US
        mean_speed = float(run["distance"]) / seconds
        holds = mean_speed < n.speed_mps
        kept = int(run["kept"])
        facts: dict[str, Fact] = {"duration_s": seconds, "mean_speed_mps": round(mean_speed, 3)}
        if world.coast is not None:
            shore = world.coast.distance_to_shore_m(run["lats"][:kept], run["lons"][:kept])
            facts["mean_shore_m"] = round(float(np.mean(shore)))
        holds = holds and (n.shore_m == 0.0 or float(facts.get("mean_shore_m", -1.0)) >= n.shore_m)
        track, claimed, simulated = (int(v) for v in state.names[int(run["slot"])])
        points = int(run["points"])
        latitude = float(run["sum_latitude"]) / points
        longitude = float(run["first_longitude"]) + float(run["sum_longitude"]) / points
        longitude = (longitude + 180.0) % 360.0 - 180.0
        place_facts, weights = context(world, latitude, longitude, (start_us + end_us) // 2)
        weights |= _habits(
            at(state.known, claimed, end_us),
            float(run["resting"]) / points,
            float(run["fishing"]) / points,
            float(run["working"]) / points,
        )
        weights |= keeps_place(mean_speed, seconds)
        raws = (int(run["start_raw"]), *(int(r) for r in run["raws"][:kept]), int(run["end_raw"]))
        finding = Finding(
            behaviour=self.behaviour,
            preset=self.preset,
            participants=(claimed,),
            start_us=start_us,
            end_us=end_us,
            latitude_deg=round(latitude, 6),
            longitude_deg=round(longitude, 6),
            score=score(self.declared.prior, weights),
            reason_key="loitering_offshore" if "mean_shore_m" in facts else "loitering",
            facts=facts | place_facts | {"weights": spoken(weights)},
            evidence=(
                Evidence(
                    track=track,
                    claimed_id=claimed,
                    start_us=start_us,
                    end_us=end_us,
                    raws=tuple(dict.fromkeys(raws)),
                ),
            ),
            state=stage,
            versions=versions(world),
            simulated=bool(simulated),
        )
        return finding, holds


def build(preset: Preset) -> LoiteringDetector:
    """The detector of a loitering preset; raises UsageError in one sentence."""
    return LoiteringDetector(preset, form(preset, LoiteringForm))


def _habits(who: Particulars, resting: float, fishing: float, working: float) -> dict[str, float]:
    """Weights of the lawful reasons to lie still."""
    weights: dict[str, float] = {}
    if who.is_fishing() or fishing > 0.5:
        weights["fishing"] = -1.0
    if resting > 0.5:
        weights["anchored or moored"] = -1.5
    if working > 0.5:
        weights.update(DECLARED_WORK)
    if who.is_service() or who.is_tug():
        weights["service craft"] = -1.0
    if who.is_cargo():
        weights["cargo vessel adrift"] = 0.2
    return weights


def _fresh(size: int) -> NDArray[Any]:
    vessels = np.zeros(size, dtype=RUN)
    vessels["raw"] = -1
    vessels["start"] = -1
    vessels["reported"] = -1
    return vessels
