"""Encounter: two vessels close together for long enough.

Always true: positions between two reports of a vessel are interpolated only over silences up to the
preset's `max_gap_s`; the same claimed identity never meets itself; of more than two vessels every
pair is reported; the preset alone decides what is a finding, the context only moves its score.
`docs/decisions/0005-detectors.md` has the method.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import pairs as kernel
from shiprider.detect.anchorage_index import indexed, reach_map
from shiprider.detect.context import SCORED_ANCHORAGE_M, context, versions
from shiprider.detect.particulars import Known, Particulars, at, learnt
from shiprider.detect.preset import Positive, Preset, form
from shiprider.detect.rows_used import positions_used
from shiprider.detect.scoring import DECLARED_WORK, keeps_place, score, spoken
from shiprider.measure.slots import Slots, first_rows, widened
from shiprider.model.codes import Nature
from shiprider.model.errors import UsageError
from shiprider.model.finding import Evidence, Fact, Finding, State
from shiprider.model.rows import Rows, TrackPoints
from shiprider.model.world import World

_US: Final = 1_000_000
#: An open finding is told again when it has grown by this much.
_GROWTH_US: Final = 600 * _US
#: Rows between two tidyings of the pairs, so that memory follows the pairs in contact only.
_CHUNK: Final = 500_000
#: Ticks kept at once: the longest silence bridged, in steps.
_MOST_TICKS: Final = 1000


class EncounterForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of an encounter preset. A zero `anchorage_m` or `median_speed_mps` sets no limit."""

    within_m: Positive
    duration_s: Positive
    max_gap_s: Positive
    step_s: Positive
    flicker_s: float
    merge_s: float = 0.0
    median_speed_mps: float = 0.0
    anchorage_m: float = 0.0
    inner_m: float = 0.0
    inner_duration_s: float = 0.0


@dataclass(slots=True)
class EncounterState:
    """Everything between two batches. A fold works on its own copy."""

    slots: Slots
    vessels: NDArray[Any]
    slot_nodes: NDArray[np.int32]
    partners: NDArray[np.int32]
    nodes: NDArray[Any]
    free: NDArray[np.int32]
    heads: NDArray[np.int32]
    tick_head: NDArray[np.int32]
    ring_tick: NDArray[np.int64]
    pair_keys: NDArray[np.int64]
    pair_at: NDArray[np.int32]
    pairs: NDArray[Any]
    counters: NDArray[np.int64]
    known: Known = field(default_factory=dict)
    recent: dict[tuple[int, int], Finding] = field(default_factory=dict)

    def copy(self) -> "EncounterState":
        """An independent copy."""
        return EncounterState(
            slots=self.slots.copy(),
            vessels=self.vessels.copy(),
            slot_nodes=self.slot_nodes.copy(),
            partners=self.partners.copy(),
            nodes=self.nodes.copy(),
            free=self.free.copy(),
            heads=self.heads.copy(),
            tick_head=self.tick_head.copy(),
            ring_tick=self.ring_tick.copy(),
            pair_keys=self.pair_keys.copy(),
            pair_at=self.pair_at.copy(),
            pairs=self.pairs.copy(),
            counters=self.counters.copy(),
            known=self.known,
            recent=dict(self.recent),
        )


@dataclass(frozen=True, slots=True)
class EncounterDetector:
    """The fold for one preset."""

    declared: Preset
    numbers: EncounterForm

    @property
    def behaviour(self) -> str:
        return self.declared.behaviour

    @property
    def preset(self) -> str:
        return self.declared.name

    def start(self) -> EncounterState:
        ring = int(self.numbers.max_gap_s // self.numbers.step_s) + 3
        return EncounterState(
            slots=Slots(),
            vessels=_no_vessels(0),
            slot_nodes=np.full((0, ring), -1, dtype=np.int32),
            partners=np.full((0, kernel.PARTNERS), -1, dtype=np.int32),
            nodes=np.zeros(1024, dtype=kernel.NODE),
            free=np.arange(1024, dtype=np.int32),
            heads=np.full((ring, 1024), -1, dtype=np.int32),
            tick_head=np.full(ring, -1, dtype=np.int32),
            ring_tick=np.full(ring, -1, dtype=np.int64),
            pair_keys=np.full(16384, -1, dtype=np.int64),
            pair_at=np.zeros(16384, dtype=np.int32),
            pairs=np.zeros(8192, dtype=kernel.PAIR),
            counters=np.array([1024, 0], dtype=np.int64),
        )

    def fold(self, state: EncounterState, rows: Rows, world: World) -> tuple[EncounterState, list[Finding]]:
        after = state.copy()
        after.known = learnt(after.known, rows.statements)
        used = positions_used(rows.points)
        findings: list[Finding] = []
        for begin in range(0, len(used), _CHUNK):
            chunk = used[begin : begin + _CHUNK]
            self._advance(after, rows.points, chunk, world)
            last_us = int(rows.points.time_us[chunk[-1]])
            findings += self._tidy(after, last_us, world)
        findings += self._tidy(after, rows.until_us, world)
        findings += self._open(after, world)
        return after, findings

    def finish(self, state: EncounterState, world: World) -> list[Finding]:
        live = state.pairs[: state.counters[1]]
        order = np.argsort(live["start"], kind="stable")
        chosen = [p for p in order.tolist() if self._qualifies(live[p])]
        return [self._finding(state, live[p], world, "open") for p in chosen]

    def _advance(
        self, state: EncounterState, points: TrackPoints, rows: NDArray[np.int64], world: World
    ) -> None:
        n = self.numbers
        index = indexed(world.anchorages)
        reach = reach_map(world.anchorages, n.anchorage_m)
        rings = _rings(n.within_m)
        known = state.slots.count
        slot = state.slots.assign(points.track[rows])
        _fit_vessels(state, rings, n.within_m)
        new = slice(known, state.slots.count)
        first_seen = rows[first_rows(slot, known, state.slots.count)]
        state.vessels["claimed"][new] = points.claimed_id[first_seen]
        state.vessels["track"][new] = points.track[first_seen]
        state.vessels["simulated"][new] = points.nature[first_seen] == Nature.SIMULATED
        columns = (
            points.time_us[rows],
            slot,
            points.latitude_deg[rows],
            points.longitude_deg[rows],
            points.speed_mps[rows],
            points.raw[rows],
            points.nav_status[rows],
        )
        reached = 0
        while True:
            _fit_arrays(state)
            reached = kernel.advance(
                *columns,
                reached,
                state.vessels,
                state.slot_nodes,
                state.partners,
                state.nodes,
                state.free,
                state.heads,
                state.tick_head,
                state.ring_tick,
                state.pair_keys,
                state.pair_at,
                state.pairs,
                state.counters,
                int(n.step_s * _US),
                int(n.max_gap_s * _US),
                int(n.flicker_s * _US),
                n.within_m,
                n.inner_m,
                rings,
                n.anchorage_m,
                reach,
                index.first,
                index.latitude_deg,
                index.longitude_deg,
            )
            if reached == len(rows):
                return

    def _tidy(self, state: EncounterState, until_us: int, world: World) -> list[Finding]:
        """Close what can no longer go on, give its findings, and forget it."""
        n = self.numbers
        live = state.pairs[: state.counters[1]]
        wait = int((n.flicker_s + n.max_gap_s + 2 * n.step_s) * _US)
        over = (live["closed"] != 0) | (live["end"] + wait < until_us)
        ended = np.flatnonzero(over)
        if len(ended) == 0:
            return []
        findings = []
        for p in ended[np.argsort(live["start"][ended], kind="stable")].tolist():
            if self._qualifies(live[p]):
                finding = self._finding(state, live[p], world, "closed")
                state.recent[_pair_key(finding)] = finding
                findings.append(finding)
            elif live[p]["told"]:
                findings.append(self._taken_back(state, live[p], world))
        _forget(state, ~over)
        old = until_us - int(n.merge_s * _US) - wait - int(86_400 * _US)
        if len(state.recent) > 1000:
            state.recent = {k: f for k, f in state.recent.items() if f.end_us > old}
        return findings

    def _open(self, state: EncounterState, world: World) -> list[Finding]:
        live = state.pairs[: state.counters[1]]
        told = live["reported"]
        grown_enough = np.flatnonzero((told < 0) | (live["end"] - told >= _GROWTH_US))
        findings = []
        for p in grown_enough.tolist():
            if self._qualifies(live[p]):
                live["reported"][p], live["told"][p] = live["end"][p], 1
                findings.append(self._finding(state, live[p], world, "open"))
            elif live["told"][p]:
                live["told"][p] = 0
                findings.append(self._taken_back(state, live[p], world))
        return findings

    def _taken_back(self, state: EncounterState, pair: Any, world: World) -> Finding:
        """What undoes an open finding that no longer qualifies: the encounter it had prolonged, or nothing."""
        finding = self._finding(state, pair, world, "retracted")
        prolonged = finding.start_us != int(pair["start"])
        return state.recent[_pair_key(finding)] if prolonged else finding

    def _qualifies(self, pair: Any) -> bool:
        n = self.numbers
        long = int(pair["end"] - pair["start"]) >= n.duration_s * _US
        if not long and not (n.inner_m > 0.0 and int(pair["inner_best"]) >= n.inner_duration_s * _US):
            return False
        return n.median_speed_mps == 0.0 or _median_class(pair) * kernel.SPEED_CLASS_MPS < (
            n.median_speed_mps - 1e-6
        )

    def _finding(self, state: EncounterState, pair: Any, world: World, stage: State) -> Finding:
        n = self.numbers
        start_us, end_us = int(pair["start"]), int(pair["end"])
        members = [(state.vessels[pair[side]], pair[f"raws_{side}"][: pair[f"kept_{side}"]]) for side in "ab"]
        members.sort(key=lambda item: (int(item[0]["claimed"]), int(item[0]["track"])))
        claimed = tuple(int(vessel["claimed"]) for vessel, _ in members)
        ticks = int(pair["ticks"])
        latitude = float(pair["sum_latitude"]) / ticks
        longitude = (
            float(pair["first_longitude"]) + float(pair["sum_longitude"]) / ticks + 180.0
        ) % 360 - 180
        facts: dict[str, Fact] = {
            "within_m": n.within_m,
            "nearest_m": round(float(pair["nearest"]), 1),
            "mean_distance_m": round(float(pair["sum_distance"]) / ticks, 1),
            "median_speed_mps": round((_median_class(pair) + 0.5) * kernel.SPEED_CLASS_MPS, 3),
            "duration_s": (end_us - start_us) / _US,
        }
        inner = n.inner_m > 0.0 and int(pair["inner_best"]) >= n.inner_duration_s * _US
        if inner:
            facts |= {"inner_m": n.inner_m, "inner_held_s": int(pair["inner_best"]) / _US}
        people = [at(state.known, who, end_us) for who in claimed]
        shares = {
            name: float(pair[name]) / ticks
            for name in ("under_way", "resting", "fishing", "towing", "working")
        }
        place_facts, weights = context(world, latitude, longitude, (start_us + end_us) // 2)
        weights |= _company(people, shares, (end_us - start_us) / _US, place_facts)
        weights |= keeps_place(float(facts["median_speed_mps"]), (end_us - start_us) / _US)
        finding = Finding(
            behaviour=self.behaviour,
            preset=self.preset,
            participants=claimed,
            start_us=start_us,
            end_us=end_us,
            latitude_deg=round(latitude, 6),
            longitude_deg=round(longitude, 6),
            score=score(self.declared.prior, weights),
            reason_key="encounter_inner" if inner else "encounter",
            facts=facts | place_facts | {"weights": spoken(weights)},
            evidence=tuple(
                Evidence(
                    track=int(vessel["track"]),
                    claimed_id=int(vessel["claimed"]),
                    start_us=start_us,
                    end_us=end_us,
                    raws=tuple(raws.tolist()),
                )
                for vessel, raws in members
            ),
            state=stage,
            versions=versions(world),
            simulated=any(bool(vessel["simulated"]) for vessel, _ in members),
        )
        before = state.recent.get(_pair_key(finding))
        if before is not None and 0 <= start_us - before.end_us < n.merge_s * _US:
            return _merged(before, finding)
        return finding


def build(preset: Preset) -> EncounterDetector:
    """The detector of an encounter preset; raises UsageError in one sentence."""
    numbers = form(preset, EncounterForm)
    if numbers.step_s < 1.0 or numbers.max_gap_s > _MOST_TICKS * numbers.step_s:
        raise UsageError(
            f"{preset.where()}: step_s must be at least 1 and max_gap_s at most {_MOST_TICKS} steps, "
            f"but they are {numbers.step_s:g} and {numbers.max_gap_s:g}."
        )
    return EncounterDetector(preset, numbers)


@lru_cache(maxsize=8)
def _rings(within_m: float) -> NDArray[np.int32]:
    return kernel.ring_columns(within_m)


def _pair_key(finding: Finding) -> tuple[int, int]:
    return finding.participants[0], finding.participants[1]


def _median_class(pair: Any) -> int:
    """The class that holds the lower median of both vessels' speeds."""
    cumulative = np.cumsum(pair["speeds"], dtype=np.int64)
    return int(np.searchsorted(cumulative, (int(cumulative[-1]) + 1) // 2))


def _merged(before: Finding, now: Finding) -> Finding:
    """Two contacts of one pair a short while apart are one encounter, as GFW merges them."""
    earlier, later = float(before.facts["duration_s"]), float(now.facts["duration_s"])
    facts = dict(now.facts) | {
        "nearest_m": min(float(before.facts["nearest_m"]), float(now.facts["nearest_m"])),
        "duration_s": earlier + later,
    }
    evidence = tuple(_joined(a, b) for a, b in zip(before.evidence, now.evidence, strict=True))
    return msgspec.structs.replace(
        now,
        start_us=before.start_us,
        score=max(before.score, now.score),
        facts=facts,
        evidence=evidence,
    )


def _joined(a: Evidence, b: Evidence) -> Evidence:
    """The evidence of two stretches as one, thinned to 64 addresses."""
    raws = (*a.raws, *b.raws)
    while len(raws) > 64:
        raws = (*raws[:-1:2], raws[-1])
    return msgspec.structs.replace(b, start_us=a.start_us, raws=raws)


def _company(
    people: list[Particulars], shares: dict[str, float], duration_s: float, place: dict[str, Fact]
) -> dict[str, float]:
    """Weights of who met and how: the lawful look-alikes go down."""
    weights: dict[str, float] = {}
    if any(p.is_tug() for p in people) or shares["towing"] > 0.5:
        weights["tug or tow"] = -1.5
    if any(p.is_service() for p in people):
        weights["pilot or service craft"] = -2.0
    if all(p.is_fishing() for p in people) or shares["fishing"] > 0.5:
        weights["fishing together"] = -1.3
    elif any(p.is_fishing() for p in people) and any(p.is_cargo() or p.is_tanker() for p in people):
        weights["fishing vessel with a larger one"] = 0.4
    if any(p.is_tanker() for p in people) and float(place.get("anchorage_m", 1e9)) < SCORED_ANCHORAGE_M:
        weights["bunkering place"] = -0.8
    if shares["working"] > 0.5:
        weights.update(DECLARED_WORK)
    # A fleet that fishes together has boats of every size: there, size says nothing.
    fleet = "fishing together" in weights
    if not fleet and any(p.is_small() for p in people) and not all(p.is_small() for p in people):
        weights["small craft with a larger one"] = 0.6
    if shares["under_way"] > 0.3:
        weights["under way together"] = -1.0
    if shares["resting"] > 0.5:
        weights["anchored or moored"] = -1.2
    if duration_s > 43_200.0:
        weights["very long"] = -0.5
    return weights


def _no_vessels(size: int) -> NDArray[Any]:
    vessels = np.zeros(size, dtype=kernel.SLOT)
    vessels["raw"] = -1
    vessels["tick"] = -1
    return vessels


def _fit_vessels(state: EncounterState, rings: NDArray[np.int32], within_m: float) -> None:
    """Room for every numbered vessel."""
    have, need = len(state.vessels), state.slots.count
    if need <= have:
        return
    size = max(need, 2 * have, 256)
    larger = _no_vessels(size)
    larger[:have] = state.vessels
    state.vessels = larger
    state.slot_nodes = widened(state.slot_nodes, size, -1)
    state.partners = widened(state.partners, size, -1)
    buckets = 1 << max(10, int(size - 1).bit_length())
    if buckets > state.heads.shape[1]:
        state.heads = np.full((len(state.tick_head), buckets), -1, dtype=np.int32)
        kernel.rehang(state.nodes, state.tick_head, state.heads, rings, within_m)


def _fit_arrays(state: EncounterState) -> None:
    """Room for the samples of one more row and for a row's worth of new pairs."""
    if state.counters[0] < len(state.tick_head) + 1:
        have = len(state.nodes)
        larger = np.zeros(2 * have, dtype=kernel.NODE)
        larger[:have] = state.nodes
        free = np.empty(2 * have, dtype=np.int32)
        left = int(state.counters[0])
        free[:left] = state.free[:left]
        free[left : left + have] = np.arange(have, 2 * have, dtype=np.int32)
        state.nodes, state.free = larger, free
        state.counters[0] = left + have
    if len(state.pairs) - state.counters[1] < max(4096, len(state.vessels)) + 1:
        size = 2 * len(state.pairs) + len(state.vessels)
        larger = np.zeros(size, dtype=kernel.PAIR)
        larger[: len(state.pairs)] = state.pairs
        state.pairs = larger
    if len(state.pair_keys) < 2 * len(state.pairs):
        _rekey(state)


def _rekey(state: EncounterState) -> None:
    seats = 1 << int(2 * len(state.pairs) - 1).bit_length()
    state.pair_keys = np.full(seats, -1, dtype=np.int64)
    state.pair_at = np.zeros(seats, dtype=np.int32)
    kernel.rekey(state.pairs, int(state.counters[1]), state.pair_keys, state.pair_at)


def _forget(state: EncounterState, kept: NDArray[np.bool_]) -> None:
    """Drop the pairs that are not kept and renumber the others."""
    used = int(state.counters[1])
    moved = np.full(used + 1, -1, dtype=np.int32)
    moved[:used][kept] = np.arange(int(kept.sum()), dtype=np.int32)
    remaining = state.pairs[:used][kept]
    state.pairs[: len(remaining)] = remaining
    state.counters[1] = len(remaining)
    renumbered = moved[state.partners]
    order = np.argsort(renumbered < 0, axis=1, kind="stable")
    state.partners = np.ascontiguousarray(np.take_along_axis(renumbered, order, axis=1))
    state.pair_keys.fill(-1)
    kernel.rekey(state.pairs, int(state.counters[1]), state.pair_keys, state.pair_at)
