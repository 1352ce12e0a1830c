"""Dark encounter: one vessel moves as if it met somebody, and nobody is seen beside it.

Always true: the shape is under way, then slow for at least `duration_s` and at most `longest_s`, then
under way again; a vessel under way is one whose mean speed over `approach_s` is at least
`under_way_mps`, so that drifting, trawling and waiting do not count; the stop lies away from
anchorages and shore; no other vessel was seen within `alone_m` while it lasted. A finding is open
from `duration_s` on, closed when the vessel has resumed, and retracted when it never does, when it
stays longer, or when somebody turns out to be there (that is an encounter, not a dark one).
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect.anchorage_index import indexed, nearest_within
from shiprider.detect.context import context, versions
from shiprider.detect.legs import leg_speed
from shiprider.detect.particulars import Known, Particulars, at, learnt
from shiprider.detect.preset import Positive, Preset, form
from shiprider.detect.rows_used import positions_used
from shiprider.detect.scoring import DECLARED_WORK, keeps_place, score, spoken
from shiprider.detect.vessel_slots import seated
from shiprider.measure.geodesy import local_one
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots, mix64
from shiprider.model.finding import Evidence, Fact, Finding, State
from shiprider.model.rows import Rows
from shiprider.model.world import World

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

_US: Final = 1_000_000
_ROOM: Final = 4096
_RAWS: Final = 32
#: Slow for less than this and then slow again is one stop (seconds, P).
_BRIEF_S: Final = 300
#: A vessel seen longer ago than this is not known to be near (seconds, P).
_FRESH_S: Final = 900
#: 7 kn is the speed of a passage; gear is shot and hauled, and fish are looked for, more slowly (P).
_PASSAGE_MPS: Final = 3.6011
#: Seats of the two hashes of places.
_BUCKETS: Final = 1 << 14
#: Phases.
_NONE: Final = 0
_SLOW: Final = 1
_LEAVING: Final = 2
#: Verdicts.
_GOING: Final = 0
_MET: Final = 1
_REFUSED: Final = 2

#: One vessel and, while `phase` is not none, its stop. `ema` is its mean speed over the approach.
STOP: Final = np.dtype(
    [
        ("time", np.int64),
        ("raw", np.int64),
        ("latitude", np.float64),
        ("longitude", np.float64),
        ("speed", np.float64),
        ("ema", np.float64),
        ("since", np.int64),
        ("phase", np.int8),
        ("verdict", np.int8),
        ("accompanied", np.int8),
        ("was_slow", np.int8),
        ("start", np.int64),
        ("end", np.int64),
        ("before", np.float64),
        ("after_distance", np.float64),
        ("after", np.float64),
        ("distance", np.float64),
        ("stop_latitude", np.float64),
        ("stop_longitude", np.float64),
        ("nearest_other", np.float64),
        ("fishing", np.int32),
        ("resting", np.int32),
        ("working", np.int32),
        ("points", np.int32),
        ("kept", np.int32),
        ("stride", np.int32),
        ("slot", np.int32),
        ("stops", np.int32),
        ("stops_day", np.int64),
        ("reported", np.int64),
        ("raws", np.int64, (_RAWS,)),
        ("cell", np.int32),
        ("next", np.int32),
        ("previous", np.int32),
        ("slow_cell", np.int32),
        ("slow_next", np.int32),
        ("slow_previous", np.int32),
    ]
)


@kernel
def _cell(row: int, column: int) -> int:
    return np.int64(mix64(row * 8_388_593 + column) & np.uint64(_BUCKETS - 1))  # type: ignore[return-value]


@kernel
def _columns(row: int, cell_deg: float) -> int:
    widest = max(abs(row * cell_deg - 90.0), abs((row + 1) * cell_deg - 90.0))
    if widest >= 90.0:
        return 1
    return max(1, int(math.cos(widest * math.pi / 180.0) * 360.0 / cell_deg))


@kernel
def _hang(vessels, heads: I32, s: int, cell: int) -> None:  # type: ignore[no-untyped-def]
    vessels[s].cell, vessels[s].next, vessels[s].previous = cell, heads[cell], -1
    if heads[cell] >= 0:
        vessels[heads[cell]].previous = s
    heads[cell] = s


@kernel
def _unhang(vessels, heads: I32, s: int) -> None:  # type: ignore[no-untyped-def]
    me = vessels[s]
    if me.previous >= 0:
        vessels[me.previous].next = me.next
    else:
        heads[me.cell] = me.next
    if me.next >= 0:
        vessels[me.next].previous = me.previous
    me.cell = -1


@kernel
def _hang_slow(vessels, heads: I32, s: int, cell: int) -> None:  # type: ignore[no-untyped-def]
    vessels[s].slow_cell, vessels[s].slow_next, vessels[s].slow_previous = cell, heads[cell], -1
    if heads[cell] >= 0:
        vessels[heads[cell]].slow_previous = s
    heads[cell] = s


@kernel
def _unhang_slow(vessels, heads: I32, s: int) -> None:  # type: ignore[no-untyped-def]
    me = vessels[s]
    if me.slow_cell < 0:
        return
    if me.slow_previous >= 0:
        vessels[me.slow_previous].slow_next = me.slow_next
    else:
        heads[me.slow_cell] = me.slow_next
    if me.slow_next >= 0:
        vessels[me.slow_next].slow_previous = me.slow_previous
    me.slow_cell = -1


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
    claimed: I64,
    heads: I32,
    slow_heads: I32,
    n_slow: I64,
    done,
    anchorage_first: I32,
    anchorage_lat: F64,
    anchorage_lon: F64,
    slow_mps: float,
    under_way_mps: float,
    duration: int,
    longest: int,
    approach: int,
    max_gap: int,
    chord: int,
    alone_m: float,
    anchorage_m: float,
) -> tuple[int, int]:
    """Take `rows` from the `first`; gives (the next row, stops decided), early where `done` is full.

    Refused stops are given only if they had been reported. `n_slow[0]` counts stops under watch, so
    that rows cost nothing extra while there are none.
    """
    ended = 0
    cell_deg = alone_m / 110_500.0
    fresh = _FRESH_S * _US
    brief = _BRIEF_S * _US
    tau = approach * 1e-6
    for k in range(first, len(rows)):
        if ended >= len(done) - 2:
            return k, ended
        i = rows[k]
        s = slot[k]
        me = vessels[s]
        now = time[i]
        lat, lon, pace_now = latitude[i], longitude[i], float(speed[i])
        span = now - me.time
        if me.raw >= 0 and span <= 0:
            continue
        row = int((lat + 90.0) / cell_deg)
        cell = _cell(row, int((lon + 180.0) / 360.0 * _columns(row, cell_deg)))
        refused = False
        if me.raw < 0 or span > max_gap:
            refused = me.phase != _NONE
            me.since, me.ema, me.was_slow = now, np.nan, 0
        else:
            seconds = span * 1e-6
            pace = leg_speed(me.latitude, me.longitude, me.speed, lat, lon, pace_now, span, chord)
            if span > approach:
                # It may have turned about in between, as a trawler does.
                pace = max(pace, min(me.speed, pace_now))
            if me.phase == _NONE:
                begins = pace < slow_mps and me.was_slow == 0
                if begins and me.ema >= under_way_mps and me.time - me.since >= approach // 2:
                    near, _ = nearest_within(
                        me.latitude, me.longitude, anchorage_m, anchorage_first, anchorage_lat, anchorage_lon
                    )
                    if near < 0:
                        me.phase, me.verdict, me.accompanied = _SLOW, _GOING, 0
                        me.start, me.end, me.reported = me.time, now, -1
                        me.before, me.after_distance, me.distance = me.ema, 0.0, 0.0
                        me.stop_latitude, me.stop_longitude = lat, lon
                        me.nearest_other = np.inf
                        me.fishing, me.resting, me.working = 0, 0, 0
                        me.points, me.kept, me.stride = 0, 0, 1
                        if me.start - me.stops_day > 86_400 * _US:
                            me.stops, me.stops_day = 0, me.start
                        me.stops += 1
                        me.raws[0], me.kept = me.raw, 1
                        _hang_slow(vessels, slow_heads, s, cell)
                        n_slow[0] += 1
            elif pace < slow_mps:
                if me.phase == _LEAVING and now - me.end > brief + span:
                    refused = True
                else:
                    me.phase, me.end, me.after_distance = _SLOW, now, 0.0
            else:
                me.phase = _LEAVING
                me.after_distance += pace * seconds
                if now - me.end >= approach:
                    mean = me.after_distance / ((now - me.end) * 1e-6)
                    lasted = me.end - me.start
                    if mean >= under_way_mps and duration <= lasted <= longest and me.accompanied == 0:
                        me.verdict, me.after = _MET, mean
                        done[ended] = me
                        ended += 1
                        me.phase = _NONE
                        _unhang_slow(vessels, slow_heads, s)
                        n_slow[0] -= 1
                    else:
                        refused = True
            if me.phase != _NONE:
                if me.end - me.start > longest or me.accompanied != 0:
                    refused = True
                if me.phase == _SLOW:
                    me.distance += pace * seconds
                    if status[i] == 7:
                        me.fishing += 1
                    if status[i] == 1 or status[i] == 5:
                        me.resting += 1
                    if status[i] == 3:
                        me.working += 1
                    if me.points % me.stride == 0:
                        if me.kept == _RAWS:
                            for j in range(_RAWS // 2):
                                me.raws[j] = me.raws[2 * j]
                            me.kept = _RAWS // 2
                            me.stride *= 2
                        me.raws[me.kept] = raw[i]
                        me.kept += 1
                    me.points += 1
            me.was_slow = pace < slow_mps
            stopped_inside = span > approach and pace_now < slow_mps and me.speed >= under_way_mps
            if math.isnan(me.ema):
                me.ema = pace
            elif not stopped_inside:  # such a leg says nothing of the approach
                keep = math.exp(-seconds / tau)
                me.ema = me.ema * keep + pace * (1.0 - keep)
        if refused and me.phase != _NONE:
            if me.reported >= 0:
                me.verdict = _REFUSED
                done[ended] = me
                ended += 1
            me.phase = _NONE
            _unhang_slow(vessels, slow_heads, s)
            n_slow[0] -= 1
        me.time, me.raw = now, raw[i]
        me.latitude, me.longitude, me.speed = lat, lon, pace_now
        if me.cell != cell:
            if me.cell >= 0:
                _unhang(vessels, heads, s)
            _hang(vessels, heads, s, cell)
        # Is this vessel beside one that is slow, or slow beside another?
        watching = me.phase == _SLOW and me.accompanied == 0
        if watching and me.slow_cell != cell:
            _unhang_slow(vessels, slow_heads, s)
            _hang_slow(vessels, slow_heads, s, cell)
        if n_slow[0] - (1 if me.phase != _NONE else 0) > 0 or watching:
            for other_row in range(max(0, row - 1), row + 2):
                columns = _columns(other_row, cell_deg)
                middle = math.floor((lon + 180.0) / 360.0 * columns)
                low, high = middle - 1, middle + 1
                if columns <= 3:
                    low, high = 0, columns - 1
                for turned in range(low, high + 1):
                    there = _cell(other_row, turned % columns)
                    at_slow = slow_heads[there]
                    while at_slow >= 0:
                        other = vessels[at_slow]
                        following = other.slow_next
                        if (
                            other.phase == _SLOW
                            and claimed[at_slow] != claimed[s]
                            and now - other.time <= fresh
                        ):
                            metres = local_one(lat, lon, other.latitude, other.longitude)
                            if metres <= alone_m:
                                other.accompanied = 1
                        at_slow = following
                    if watching:
                        at_any = heads[there]
                        while at_any >= 0:
                            other = vessels[at_any]
                            if claimed[at_any] != claimed[s] and now - other.time <= fresh:
                                metres = local_one(lat, lon, other.latitude, other.longitude)
                                if metres <= alone_m:
                                    me.accompanied = 1
                                    break
                            at_any = other.next
    return len(rows), ended


class DarkEncounterForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of a dark encounter preset."""

    duration_s: Positive
    slow_mps: Positive
    longest_s: Positive
    under_way_mps: Positive
    approach_s: Positive
    max_gap_s: Positive
    alone_m: Positive
    anchorage_m: float
    shore_m: float
    chord_s: float = 300.0


@dataclass(slots=True)
class DarkEncounterState:
    """Everything between two batches. A fold works on its own copy."""

    slots: Slots
    vessels: NDArray[Any]
    names: NDArray[np.int64]
    heads: I32
    slow_heads: I32
    n_slow: I64
    known: Known = field(default_factory=dict)

    def copy(self) -> "DarkEncounterState":
        """An independent copy."""
        return DarkEncounterState(
            self.slots.copy(),
            self.vessels.copy(),
            self.names.copy(),
            self.heads.copy(),
            self.slow_heads.copy(),
            self.n_slow.copy(),
            self.known,
        )


@dataclass(frozen=True, slots=True)
class DarkEncounterDetector:
    """The fold for one preset."""

    declared: Preset
    numbers: DarkEncounterForm

    @property
    def behaviour(self) -> str:
        return self.declared.behaviour

    @property
    def preset(self) -> str:
        return self.declared.name

    def start(self) -> DarkEncounterState:
        return DarkEncounterState(
            Slots(),
            _fresh(0),
            np.zeros((0, 3), dtype=np.int64),
            np.full(_BUCKETS, -1, dtype=np.int32),
            np.full(_BUCKETS, -1, dtype=np.int32),
            np.zeros(1, dtype=np.int64),
        )

    def fold(
        self, state: DarkEncounterState, rows: Rows, world: World
    ) -> tuple[DarkEncounterState, list[Finding]]:
        n = self.numbers
        index = indexed(world.anchorages)
        after = state.copy()
        after.known = learnt(after.known, rows.statements)
        points = rows.points
        used = positions_used(points)
        after.vessels, after.names, slot = seated(
            after.slots, after.vessels, after.names, points, used, _fresh
        )
        claimed = np.ascontiguousarray(after.names[:, 1])
        findings: list[Finding] = []
        done = np.zeros(_ROOM, dtype=STOP)
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
                claimed,
                after.heads,
                after.slow_heads,
                after.n_slow,
                done,
                index.first,
                index.latitude_deg,
                index.longitude_deg,
                n.slow_mps,
                n.under_way_mps,
                int(n.duration_s * _US),
                int(n.longest_s * _US),
                int(n.approach_s * _US),
                int(n.max_gap_s * _US),
                int(n.chord_s * _US),
                n.alone_m,
                n.anchorage_m,
            )
            for stop in done[:ended]:
                stage: State = "closed" if stop["verdict"] == _MET else "retracted"
                findings += self._told(after, stop, world, stage)
        findings += self._open(after, rows.until_us, world)
        return after, findings

    def finish(self, state: DarkEncounterState, world: World) -> list[Finding]:
        findings = []
        for s in self._going(state.vessels).tolist():
            findings += self._told(state, state.vessels[s], world, "open")
        return findings

    def _going(self, vessels: NDArray[Any]) -> NDArray[np.int64]:
        """Stops long enough to be told, with nobody near so far."""
        lasted = vessels["end"] - vessels["start"]
        return np.flatnonzero(
            (vessels["phase"] != _NONE)
            & (vessels["accompanied"] == 0)
            & (lasted >= self.numbers.duration_s * _US)
            & (lasted <= self.numbers.longest_s * _US)
        )

    def _open(self, state: DarkEncounterState, until_us: int, world: World) -> list[Finding]:
        vessels = state.vessels
        findings: list[Finding] = []
        silent = (vessels["phase"] != _NONE) & (until_us - vessels["time"] > self.numbers.max_gap_s * _US)
        going = self._going(vessels)
        for s in going[(vessels["reported"][going] < 0) & ~silent[going]].tolist():
            vessels["reported"][s] = vessels["end"][s]
            findings += self._told(state, vessels[s], world, "open")
        # What was told and is no longer so is taken back at once, not only at the vessel's next report.
        undone = (vessels["phase"] != _NONE) & (vessels["reported"] >= 0)
        undone &= silent | (vessels["accompanied"] != 0)
        for s in np.flatnonzero(undone).tolist():
            findings += self._told(state, vessels[s], world, "retracted")
            vessels["reported"][s] = -1
        return findings

    def _told(self, state: DarkEncounterState, stop: Any, world: World, stage: State) -> list[Finding]:
        n = self.numbers
        latitude, longitude = float(stop["stop_latitude"]), float(stop["stop_longitude"])
        start_us, end_us = int(stop["start"]), int(stop["end"])
        place_facts, weights = context(world, latitude, longitude, (start_us + end_us) // 2)
        if world.coast is not None and float(place_facts["shore_m"]) < n.shore_m:
            return []
        seconds = (end_us - start_us) / _US
        track, claimed, simulated = (int(v) for v in state.names[int(stop["slot"])])
        points = max(1, int(stop["points"]))
        mean_mps = float(stop["distance"]) / max(seconds, 1.0)
        weights |= _habits(
            at(state.known, claimed, end_us),
            float(stop["fishing"]) / points,
            float(stop["resting"]) / points,
            float(stop["working"]) / points,
            int(stop["stops"]),
            seconds,
        )
        weights |= keeps_place(mean_mps, seconds)
        if float(stop["before"]) >= _PASSAGE_MPS:
            weights["broke off a passage"] = 0.8
        facts: dict[str, Fact] = {
            "duration_s": seconds,
            "mean_speed_mps": round(mean_mps, 3),
            "before_mps": round(float(stop["before"]), 2),
            "alone_m": n.alone_m,
            "stops_in_a_day": int(stop["stops"]),
        }
        if stage == "closed":
            facts["after_mps"] = round(float(stop["after"]), 2)
        return [
            Finding(
                behaviour=self.behaviour,
                preset=self.preset,
                participants=(claimed,),
                start_us=start_us,
                end_us=end_us,
                latitude_deg=round(latitude, 6),
                longitude_deg=round((longitude + 180.0) % 360.0 - 180.0, 6),
                score=score(self.declared.prior, weights),
                reason_key="dark_encounter" if stage == "closed" else "dark_encounter_open",
                facts=facts | place_facts | {"weights": spoken(weights)},
                evidence=(
                    Evidence(
                        track=track,
                        claimed_id=claimed,
                        start_us=start_us,
                        end_us=end_us,
                        raws=tuple(dict.fromkeys(int(r) for r in stop["raws"][: int(stop["kept"])])),
                    ),
                ),
                state=stage,
                versions=versions(world),
                simulated=bool(simulated),
            )
        ]


def build(preset: Preset) -> DarkEncounterDetector:
    """The detector of a dark encounter preset; raises UsageError in one sentence."""
    return DarkEncounterDetector(preset, form(preset, DarkEncounterForm))


def _habits(
    who: Particulars, fishing: float, resting: float, working: float, stops: int, seconds: float
) -> dict[str, float]:
    """Weights of the lawful reasons to stop at sea."""
    weights: dict[str, float] = {}
    if who.is_fishing() or fishing > 0.5:
        weights["fishing vessel"] = -0.5
    if resting > 0.5:
        weights["anchored"] = -1.5
    if working > 0.5:
        weights.update(DECLARED_WORK)
    if who.is_service() or who.is_tug():
        weights["service craft"] = -1.5
    if stops > 3:
        weights["stops often"] = -1.0
    if seconds > 6 * 3600.0:
        weights["long stop"] = -0.7
    return weights


def _fresh(size: int) -> NDArray[Any]:
    vessels = np.zeros(size, dtype=STOP)
    for name in ("raw", "reported", "cell", "next", "previous", "slow_cell", "slow_next", "slow_previous"):
        vessels[name] = -1
    vessels["ema"] = np.nan
    vessels["stops_day"] = -(10**17)
    return vessels
