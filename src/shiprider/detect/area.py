"""Area: a vessel enters or leaves an area that somebody drew.

Always true: an identity first seen inside has entered; an exit counts once the vessel has stayed out
for the preset's time, and is dated when it crossed; an area is known by its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import scoring
from shiprider.detect.polygons import inside, unrolled
from shiprider.detect.preset import Preset, form
from shiprider.detect.rows_used import positions_used
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Nature
from shiprider.model.finding import Evidence, Fact, Finding
from shiprider.model.rows import Rows
from shiprider.model.world import World

I64 = NDArray[np.int64]

# columns of an identity in an area
A_INSIDE: Final = 0
A_OUT_SINCE: Final = 1  # time of the first position outside after being inside, 0 for none
A_ENTERED: Final = 2
A_RAW: Final = 3  # last position of the state before the change
A_OUT_RAW: Final = 4
A_TRACK: Final = 5
A_NATURE: Final = 6
A_SEEN: Final = 7
A_COLUMNS: Final = 8
_ENTRY: Final = 1
_EXIT: Final = 2


class AreaForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of an area preset."""

    flicker_s: float


@kernel
def _put(
    events: I64,
    at: int,
    kind: int,
    slot: int,
    time_us: int,
    raw: int,
    other: int,
    track: int,
    since: int,
    nature: int,
) -> None:
    events[at, 0] = kind
    events[at, 1] = slot
    events[at, 2] = time_us
    events[at, 3] = raw
    events[at, 4] = other
    events[at, 5] = track
    events[at, 6] = since
    events[at, 7] = nature


@kernel
def crossings(
    slot: NDArray[np.int32],
    within: NDArray[np.bool_],
    time_us: I64,
    raw: I64,
    track: I64,
    nature: NDArray[np.int8],
    flicker_us: int,
    state: I64,
    places: NDArray[np.float64],
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    events: I64,
    where: NDArray[np.float64],
) -> int:
    """Entries and exits of one area. Events: kind, slot, time, raw, other raw, track, since, nature."""
    count = 0
    for i in range(len(slot)):
        v = slot[i]
        row = state[v]
        if row[A_OUT_SINCE] > 0 and (within[i] or time_us[i] - row[A_OUT_SINCE] >= flicker_us):
            if time_us[i] - row[A_OUT_SINCE] >= flicker_us:
                _put(
                    events,
                    count,
                    _EXIT,
                    v,
                    row[A_OUT_SINCE],
                    row[A_OUT_RAW],
                    row[A_RAW],
                    row[A_TRACK],
                    row[A_ENTERED],
                    row[A_NATURE],
                )
                where[count] = places[v]
                count += 1
                row[A_INSIDE] = 0
            row[A_OUT_SINCE] = 0
        if within[i]:
            if row[A_INSIDE] == 0:
                _put(
                    events, count, _ENTRY, v, time_us[i], raw[i], row[A_RAW], track[i], row[A_SEEN], nature[i]
                )
                where[count, 0] = latitude[i]
                where[count, 1] = longitude[i]
                count += 1
                row[A_INSIDE] = 1
                row[A_ENTERED] = time_us[i]
            row[A_RAW] = raw[i]
        elif row[A_INSIDE] == 1 and row[A_OUT_SINCE] == 0:
            row[A_OUT_SINCE] = time_us[i]
            row[A_OUT_RAW] = raw[i]
            places[v, 0] = latitude[i]
            places[v, 1] = longitude[i]
        elif row[A_INSIDE] == 0:
            row[A_RAW] = raw[i]
        row[A_TRACK] = track[i]
        row[A_NATURE] = nature[i]
        row[A_SEEN] = 1
    return count


@dataclass(slots=True)
class AreaState:
    """Who is inside what."""

    slots: Slots = field(default_factory=Slots)
    of_area: dict[str, I64] = field(default_factory=dict)
    places: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def copy(self) -> "AreaState":
        """An independent state."""
        return AreaState(
            self.slots.copy(),
            {name: column.copy() for name, column in self.of_area.items()},
            {name: column.copy() for name, column in self.places.items()},
        )


@dataclass(frozen=True, slots=True)
class AreaDetector:
    """Entries and exits under one preset."""

    preset_of: Preset
    numbers: AreaForm

    @property
    def behaviour(self) -> str:
        return "area"

    @property
    def preset(self) -> str:
        return self.preset_of.name

    def start(self) -> AreaState:
        """Nobody anywhere."""
        return AreaState()

    def fold(self, state: AreaState, rows: Rows, world: World) -> tuple[AreaState, list[Finding]]:
        """Entries and exits in these rows, and exits that are old enough at their end."""
        state = state.copy()
        return state, list(self._found(state, rows, world, rows.until_us))

    def finish(self, state: AreaState, world: World) -> list[Finding]:
        """Those outside when the rows end, however short a time."""
        del world
        return [finding for name in state.of_area for finding in self._left(state.copy(), name, None)]

    def _found(self, state: AreaState, rows: Rows, world: World, until_us: int) -> Iterator[Finding]:
        used = positions_used(rows.points)
        points = rows.points
        slot = state.slots.assign(points.claimed_id[used])
        y, x = points.latitude_deg[used], points.longitude_deg[used]
        flicker_us = round(self.numbers.flicker_s * 1e6)
        for area in world.areas:
            size = len(state.slots)
            column = widened(state.of_area.get(area.name, np.zeros((0, A_COLUMNS), np.int64)), size, 0)
            places = widened(state.places.get(area.name, np.zeros((0, 2))), size, np.nan)
            state.of_area[area.name], state.places[area.name] = column, places
            within = inside(y, x, unrolled(area.ring))
            events, where = np.empty((2 * len(slot), 8), np.int64), np.empty((2 * len(slot), 2))
            count = crossings(
                slot,
                within,
                points.time_us[used],
                points.raw[used],
                points.track[used],
                points.nature[used],
                flicker_us,
                column,
                places,
                y,
                x,
                events,
                where,
            )
            for event, place in zip(events[:count].tolist(), where[:count].tolist(), strict=True):
                yield self._finding(state, area.name, event, place)
            yield from self._left(state, area.name, until_us - flicker_us)

    def _left(self, state: AreaState, name: str, before_us: int | None) -> Iterator[Finding]:
        column = state.of_area[name]
        out = column[:, A_OUT_SINCE]
        due = (
            np.flatnonzero((out > 0) & (out <= before_us))
            if before_us is not None
            else np.flatnonzero(out > 0)
        )
        for slot in due.tolist():
            row = column[slot].tolist()
            event = [
                _EXIT,
                slot,
                row[A_OUT_SINCE],
                row[A_OUT_RAW],
                row[A_RAW],
                row[A_TRACK],
                row[A_ENTERED],
                row[A_NATURE],
            ]
            yield self._finding(state, name, event, state.places[name][slot].tolist())
            column[slot, A_INSIDE] = column[slot, A_OUT_SINCE] = 0

    def _finding(self, state: AreaState, name: str, event: list[int], place: list[float]) -> Finding:
        kind, slot, time_us, raw, other_raw, track, since, nature = event
        mmsi = int(state.slots.keys[slot])
        facts: dict[str, Fact] = {"area": name}
        reason = "entry"
        if kind == _EXIT:
            reason = "exit"
            facts["inside_s"] = round((time_us - since) * 1e-6)
        elif not since:
            reason = "seen_inside"
        raws = (raw,) if reason == "seen_inside" else (other_raw, raw)
        return Finding(
            behaviour="area",
            preset=self.preset,
            subtype="exit" if kind == _EXIT else "entry",
            participants=(mmsi,),
            start_us=time_us,
            end_us=time_us,
            latitude_deg=place[0],
            longitude_deg=place[1],
            score=scoring.score(self.preset_of.prior, {}),
            reason_key=reason,
            facts=facts,
            evidence=(Evidence(track=track, claimed_id=mmsi, start_us=time_us, end_us=time_us, raws=raws),),
            simulated=nature == Nature.SIMULATED,
        )


def build(preset: Preset) -> AreaDetector:
    """The detector of an area preset; raises UsageError in one sentence."""
    return AreaDetector(preset, form(preset, AreaForm))
