"""Kinematic spoofing: positions that no movement of a vessel explains.

Always true: one stray position is a flaw of the row, never a finding; a place inland is a finding
only where nobody else is seen to sail (rivers, canals and locks are full of vessels); the positions
are claims, and the finding says what is wrong with them, not who made it so.

Subtypes: `teleport`, `offset` (a jump that keeps course and speed), `circle` (followed, or a set of places), `on_land`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import circling, motion, scoring
from shiprider.detect.preset import Preset, form
from shiprider.measure.geodesy import destination
from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Flaw, Nature, TransmitterClass
from shiprider.model.finding import Evidence, Fact, Finding
from shiprider.model.rows import Rows, TrackPoints
from shiprider.model.world import Coast, World

_SUBTYPES: Final = {motion.TELEPORT: "teleport", motion.OFFSET: "offset", motion.CIRCLE: "circle"}
#: Where vessels sail inland is remembered in cells of this many degrees.
_WATERWAY_DEG: Final = 0.05
#: A stay inland is told again when it has grown by a tenth: its end is known to that.
_INLAND_GROWTH: Final = 1.1
_ROSE: Final = np.arange(0.0, 360.0, 45.0)


class SpoofingForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of a spoofing preset."""

    jump_m: float
    faster_times: float
    faster_mps: float
    within_s: float
    believed_s: float
    course_deg: float
    speed_share: float
    turns_deg: float
    circle_positions: int
    circle_residual: float
    circle_radius_m: float
    circle_mps: float
    inland_m: float
    looks: int


@dataclass(frozen=True, slots=True)
class Inland:
    """One identity's stay inland: since when, how many looks, and how many when it was told last (0: never)."""

    start_us: int
    raw: int
    looks: int
    told: int


@dataclass(slots=True)
class SpoofingState:
    """Movement of every identity."""

    slots: Slots = field(default_factory=Slots)
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, motion.M_INTEGERS), np.int64))
    places: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, motion.M_FLOATS)))
    ring_numbers: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((0, circling.C_INTEGERS), np.int64)
    )
    ring_places: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, circling.C_FLOATS)))
    ring_x: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, circling.PLACES), np.float32))
    ring_y: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, circling.PLACES), np.float32))
    circles: dict[int, tuple[int, int]] = field(default_factory=dict)
    inland: dict[int, Inland] = field(default_factory=dict)
    waterways: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    def copy(self) -> "SpoofingState":
        """An independent state."""
        return SpoofingState(
            self.slots.copy(),
            self.numbers.copy(),
            self.places.copy(),
            self.ring_numbers.copy(),
            self.ring_places.copy(),
            self.ring_x.copy(),
            self.ring_y.copy(),
            dict(self.circles),
            dict(self.inland),
            dict(self.waterways),
        )


@dataclass(frozen=True, slots=True)
class SpoofingDetector:
    """Impossible positions under one preset."""

    preset_of: Preset
    numbers: SpoofingForm

    @property
    def behaviour(self) -> str:
        return "spoofing"

    @property
    def preset(self) -> str:
        return self.preset_of.name

    def start(self) -> SpoofingState:
        """Nobody seen."""
        return SpoofingState()

    def fold(self, state: SpoofingState, rows: Rows, world: World) -> tuple[SpoofingState, list[Finding]]:
        """What these rows made clear."""
        state = state.copy()
        return state, list(self._found(state, _vessels(rows.points), world))

    def finish(self, state: SpoofingState, world: World) -> list[Finding]:
        """Nothing is held back."""
        del state, world
        return []

    def _found(self, state: SpoofingState, points: TrackPoints, world: World) -> Iterator[Finding]:
        slot = state.slots.assign(points.claimed_id)
        state.numbers = widened(state.numbers, len(state.slots), 0)
        state.places = widened(state.places, len(state.slots), np.nan)
        n = self.numbers
        preset = np.array(
            [
                n.jump_m,
                n.faster_times,
                n.faster_mps,
                n.within_s,
                n.course_deg,
                n.speed_share,
                n.turns_deg,
                n.circle_positions,
                n.circle_residual,
                n.circle_radius_m,
                n.circle_mps,
                n.believed_s,
            ],
            np.float64,
        )
        circles: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        events = np.empty((65_536, motion.V_INTEGERS), np.int64)
        values = np.empty((len(events), motion.V_FLOATS))
        row = 0
        while row < len(slot):
            row, count = motion.fold_motion(
                row,
                slot,
                points.time_us,
                points.track,
                points.latitude_deg,
                points.longitude_deg,
                points.speed_mps,
                points.course_deg,
                points.flaws,
                points.raw,
                preset,
                state.numbers,
                state.places,
                events,
                values,
            )
            kinds = events[:count, 0]
            for k in np.flatnonzero((kinds != motion.LOOK) & (kinds != motion.CIRCLE)).tolist():
                yield self._of_event(state, points, events[k], values[k])
            circles += [
                (events[k].copy(), values[k].copy()) for k in np.flatnonzero(kinds == motion.CIRCLE).tolist()
            ]
            if world.coast is not None:
                looks = np.flatnonzero(kinds == motion.LOOK)
                yield from self._on_land(state, points, events[looks], values[looks], world.coast)
        circles += self._rings(state, points, slot)
        # By row, so that who saw it first does not depend on how the rows were cut.
        for event, value in sorted(circles, key=lambda told: int(told[0][7])):
            yield self._of_event(state, points, self._same_circle(state, event), value)

    def _same_circle(self, state: SpoofingState, event: NDArray[np.int64]) -> NDArray[np.int64]:
        """The event with the start of the circle that it goes on, whichever of the two ways saw that one."""
        vessel, start_us, end_us = int(event[1]), int(event[2]), int(event[3])
        before = state.circles.get(vessel)
        if before is not None and start_us <= before[1]:
            event[2] = start_us = before[0]
        state.circles[vessel] = start_us, end_us
        return event

    def _rings(
        self, state: SpoofingState, points: TrackPoints, slot: NDArray[np.int32]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Events of circles of which only some places were heard."""
        size = len(state.slots)
        state.ring_numbers = widened(state.ring_numbers, size, 0)
        state.ring_places = widened(state.ring_places, size, 0.0)
        state.ring_x = widened(state.ring_x, size, 0.0)
        state.ring_y = widened(state.ring_y, size, 0.0)
        n = self.numbers
        events = np.empty((1024, circling.E_INTEGERS), np.int64)
        values = np.empty((len(events), circling.E_FLOATS))
        row = 0
        while row < len(slot):
            row, count = circling.fold_circling(
                row,
                slot,
                points.time_us,
                points.track,
                points.latitude_deg,
                points.longitude_deg,
                points.speed_mps,
                points.raw,
                n.turns_deg / 360.0,
                n.circle_residual,
                n.circle_radius_m,
                n.circle_mps,
                state.ring_numbers,
                state.ring_places,
                state.ring_x,
                state.ring_y,
                events,
                values,
            )
            for k in range(count):
                i, v, start_us, first_raw = events[k].tolist()
                radius, took, mean = values[k].tolist()
                turned = math.degrees(mean * took / radius)
                event = np.array(
                    [
                        motion.CIRCLE,
                        v,
                        start_us,
                        points.time_us[i],
                        first_raw,
                        points.raw[i],
                        points.track[i],
                        i,
                    ],
                    np.int64,
                )
                value = np.array([points.latitude_deg[i], points.longitude_deg[i], radius, turned, mean])
                yield event, value

    def _of_event(
        self, state: SpoofingState, points: TrackPoints, event: NDArray[np.int64], value: NDArray[np.float64]
    ) -> Finding:
        kind = int(event[0])
        facts: dict[str, Fact]
        if kind == motion.BOTH:
            facts = {"jump_m": round(float(value[2]))}
            taken_back = self._finding(state, points, event, value, _SUBTYPES[int(value[4])], facts, {})
            return msgspec.structs.replace(taken_back, reason_key="both_places", state="retracted")
        if kind == motion.CIRCLE:
            facts = {
                "radius_m": round(float(value[2])),
                "turns": round(abs(float(value[3])) / 360.0, 1),
                "speed_mps": round(float(value[4]), 2),
            }
            weights = {"regular": 0.8}
        else:
            facts = {
                "jump_m": round(float(value[2])),
                "elapsed_s": round(float(value[3])),
                "implied_mps": round(float(value[2] / max(value[3], 1.0)), 1),
            }
            weights = {"far": 0.6} if value[2] > 50_000.0 else {}
            if kind == motion.OFFSET:
                weights["course and speed kept"] = 0.6
        return self._finding(state, points, event, value, _SUBTYPES[kind], facts, weights)

    def _on_land(
        self,
        state: SpoofingState,
        points: TrackPoints,
        looks: NDArray[np.int64],
        values: NDArray[np.float64],
        coast: Coast,
    ) -> Iterator[Finding]:
        inland = np.asarray(coast.is_land(values[:, 0], values[:, 1]), bool)
        at = np.flatnonzero(inland)
        if len(at):
            y, x = destination(
                values[at, 0, None],
                values[at, 1, None],
                _ROSE[None, :],
                np.full((1, len(_ROSE)), self.numbers.inland_m),
            )
            all_round = np.asarray(coast.is_land(y.ravel(), x.ravel()), bool).reshape(y.shape).all(axis=1)
            inland[at] = all_round
        # whoever is or was inland, now or within these looks: a look at sea ends the stay
        concerned = {*state.inland, *looks[inland, 1].tolist()}
        for k in np.flatnonzero(np.isin(looks[:, 1], np.array(sorted(concerned), np.int64))).tolist():
            slot = int(looks[k, 1])
            if not inland[k]:
                state.inland.pop(slot, None)
                continue
            cell = (int(values[k, 0] // _WATERWAY_DEG), int(values[k, 1] // _WATERWAY_DEG))
            sailors = state.waterways.get(cell, ())
            if slot not in sailors:
                # two are as good as many
                sailors = (*sailors, slot)[:2]
                state.waterways[cell] = sailors
            stay = state.inland.get(slot)
            if sailors != (slot,):
                state.inland.pop(slot, None)
                continue
            stay = stay or Inland(int(looks[k, 2]), int(looks[k, 4]), 0, 0)
            stay = Inland(stay.start_us, stay.raw, stay.looks + 1, stay.told)
            if stay.looks >= self.numbers.looks and stay.looks >= _INLAND_GROWTH * stay.told:
                stay = Inland(stay.start_us, stay.raw, stay.looks, stay.looks)
                event = looks[k].copy()
                event[2], event[4] = stay.start_us, stay.raw
                facts: dict[str, Fact] = {"inland_m": round(self.numbers.inland_m), "looks": stay.looks}
                yield self._finding(state, points, event, values[k], "on_land", facts, {})
            state.inland[slot] = stay

    def _finding(
        self,
        state: SpoofingState,
        points: TrackPoints,
        event: NDArray[np.int64],
        value: NDArray[np.float64],
        subtype: str,
        facts: dict[str, Fact],
        weights: dict[str, float],
    ) -> Finding:
        mmsi = int(state.slots.keys[event[1]])
        if points.flaws[event[7]] & (Flaw.MID_UNKNOWN | Flaw.MMSI_FORM):
            # A number that no State gave out (123456789, 1, …) is set by many who never set it.
            weights["identity of nobody"] = -2.0
        if weights:
            facts["weights"] = scoring.spoken(weights)
        raws = tuple(dict.fromkeys((int(event[4]), int(event[5]), int(points.raw[event[7]]))))
        return Finding(
            behaviour="spoofing",
            preset=self.preset,
            subtype=subtype,
            participants=(mmsi,),
            start_us=int(event[2]),
            end_us=int(event[3]),
            latitude_deg=float(value[0]),
            longitude_deg=float(value[1]),
            score=scoring.score(self.preset_of.prior, weights),
            reason_key=subtype,
            facts=facts,
            evidence=(
                Evidence(
                    track=int(event[6]),
                    claimed_id=mmsi,
                    start_us=int(event[2]),
                    end_us=int(event[3]),
                    raws=raws,
                ),
            ),
            simulated=int(points.nature[event[7]]) == Nature.SIMULATED,
        )


def _vessels(points: TrackPoints) -> TrackPoints:
    """Points of vessels: search aircraft fly over land and jump by our measure."""
    keep = points.transmitter_class != int(TransmitterClass.SAR_AIRCRAFT)
    if keep.all():
        return points
    return TrackPoints(*(getattr(points, name)[keep] for name in points.__slots__))


def build(preset: Preset) -> SpoofingDetector:
    """The detector of a spoofing preset; raises UsageError in one sentence."""
    return SpoofingDetector(preset, form(preset, SpoofingForm))
