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

import numpy as np
from numpy.typing import NDArray

from shiprider.detect.particulars import Known, Particulars, at, learnt
from shiprider.detect.preset import Preset, form
from shiprider.detect.silence import FAR_BACK, GapForm, Silence, judged, positions_a_day, withdrawn
from shiprider.detect.silences import (
    DEGREE_CELLS,
    EPOCHS,
    L_FLOATS,
    L_INTEGERS,
    L_LAT,
    L_LON,
    L_RING,
    L_TIME,
    SATELLITE_MEMORY,
    find_silences,
    others_around,
)
from shiprider.measure.slots import Slots, widened
from shiprider.model.finding import Finding
from shiprider.model.rows import Rows
from shiprider.model.world import World

#: An open gap is judged again when it has grown by a fifth.
_GROWTH: Final = 1.2


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
    until_us: int = FAR_BACK
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
            finding = judged(silence, self.numbers, self.preset_of, world, _who(state, silence))
            if finding is not None:
                findings.append(finding)
            elif state.reported[slot]:
                findings.append(withdrawn(silence, self.preset))
            state.reported[slot] = 0
        state.until_us = max(state.until_us, rows.until_us)
        findings.extend(self._open(state, world))
        return state, findings

    def finish(self, state: GapState, world: World) -> list[Finding]:
        """Silences that last until the rows end."""
        going_on = state.copy()
        going_on.next_look_us[:] = 0
        return self._open(going_on, world)

    def _ended(self, state: GapState, rows: Rows, world: World) -> list[tuple[Silence, int]]:
        points = rows.points
        a_day, map_of = state.a_day, state.map_of
        slot = state.slots.assign(points.claimed_id)
        size = len(state.slots)
        state.integers = widened(state.integers, size, 0)
        state.floats = widened(state.floats, size, 0.0)
        state.satellites = widened(state.satellites, size, FAR_BACK)
        state.next_look_us = widened(state.next_look_us, size, 0)
        state.reported = widened(state.reported, size, 0)
        room = 4096
        found_row, found_satellite = np.empty(room, np.int64), np.empty(room, np.int64)
        found_integers, found_floats = np.empty((room, L_INTEGERS), np.int64), np.empty((room, L_FLOATS))
        found_others = np.empty((room, 2))
        ended: list[tuple[Silence, int]] = []
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
                silence = Silence(
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
                self._remember(state, slot, world)
                return ended

    def _there(self, silence: Silence, world: World) -> Silence:
        """The silence with what is known of reception where it began."""
        if self.numbers.positions_per_day is None or world.reception is None:
            return silence
        return replace(
            silence,
            a_day=positions_a_day(silence.integers, silence.floats, world.reception),
            map_version=world.reception.version,
        )

    def _remember(self, state: GapState, slot: NDArray[np.int32], world: World) -> None:
        """Keep what is known of reception where these were last heard: a later map holds their silence, too."""
        if self.numbers.positions_per_day is None or world.reception is None:
            return
        heard = np.zeros(len(state.slots), dtype=np.bool_)
        heard[slot] = True
        heard_now = np.flatnonzero(heard)
        state.a_day = widened(state.a_day, len(state.slots), math.nan)
        state.map_of = widened(state.map_of, len(state.slots), -1)
        if not state.maps or state.maps[-1] != world.reception.version:
            state.maps = (*state.maps, world.reception.version)
        ring = state.integers[heard_now, L_RING]
        enough = state.satellites[heard_now, ring] >= state.integers[heard_now, L_TIME] - round(
            self.numbers.before_s * 1e6
        )
        for s in heard_now[enough].tolist():
            state.a_day[s] = positions_a_day(state.integers[s], state.floats[s], world.reception)
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
            silence = Silence(
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
            finding = judged(silence, self.numbers, self.preset_of, world, _who(state, silence))
            if finding is not None:
                state.reported[slot] = 1
                findings.append(finding)
        return findings


def _who(state: GapState, silence: Silence) -> Particulars:
    """What the vessel had said of itself by the silence's end."""
    return at(state.known, silence.claimed_id, silence.end_us)


def _named(maps: tuple[str, ...], number: int) -> str:
    return maps[number] if 0 <= number < len(maps) else ""


def build(preset: Preset) -> GapDetector:
    """The detector of a gap preset; raises UsageError in one sentence."""
    return GapDetector(preset, form(preset, GapForm))
