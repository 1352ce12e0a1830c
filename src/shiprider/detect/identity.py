"""Identity: who a vessel says it is does not hold together.

Always true: a default or shared identity (`model.identity.HARMLESS_MMSI`), a fixed station and a
locating device are never reported; each contradiction is told once, and again only as it grows; what
was said is compared with what was said before, never with a register we do not have.

Subtypes: `shared_mmsi`, `mmsi_change`, `invalid` (form, MID, IMO check digit), `contradiction`, `name_change`
(name, call sign or IMO number).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import claims, scoring
from shiprider.detect.preset import Preset, form
from shiprider.detect.statements import changed_rows
from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Flaw, Nature, TransmitterClass
from shiprider.model.finding import Evidence, Fact, Finding
from shiprider.model.identity import (
    HARMLESS_MMSI,
    HIGHEST_IMO,
    MmsiForm,
    VesselClass,
    imo_checksum_holds,
    mmsi_form,
    mmsi_state,
    vessel_class,
)
from shiprider.model.rows import Rows, StatementRows
from shiprider.model.world import World

_NEVER: Final = -(1 << 62)
#: Names more alike than this differ by a typing error.
_SAME_NAME: Final = 0.6
#: A call sign shorter than this is a placeholder.
_SHORTEST_CALLSIGN: Final = 4
#: Subtypes of the reasons that are not named as they are.
_SUBTYPES: Final = {
    "same_imo": "mmsi_change",
    "same_name": "mmsi_change",
    "imo": "invalid",
    "imo_change": "name_change",
    "callsign_change": "name_change",
}
_PLACEHOLDERS: Final = frozenset(
    {"", "UNKNOWN", "NONAME", "NO NAME", "TEST", "AIS", "NIL", "NONE", "0000000", "VESSEL"}
)


class IdentityForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of an identity preset."""

    alternations: int
    forget_s: float
    invalid_positions: int
    handover_s: float
    handover_miss_m: float
    handover_course_deg: float
    handover_least_mps: float
    handover_wait_s: float
    handover_drift_share: float
    sustained_s: float
    cargo_mps: float
    tanker_mps: float
    tug_mps: float
    fishing_mps: float
    sail_mps: float


@dataclass(frozen=True, slots=True)
class Said:
    """What an identity last said, and the raw address of each saying's latest change."""

    imo: int = 0
    ship_type: int = -1
    length_m: int = -1
    name: str = ""
    callsign: str = ""
    time_us: int = 0
    raw: int = 0


@dataclass(slots=True)
class IdentityState:
    """What every identity claimed and said. Dicts are never changed in place once handed out."""

    slots: Slots = field(default_factory=Slots)
    identity: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, claims.C_INTEGERS), np.int64))
    places: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, claims.C_FLOATS)))
    pending: NDArray[np.int64] = field(default_factory=lambda: _no_handovers())
    first_us: int = _NEVER
    said: dict[int, Said] = field(default_factory=dict)
    hull_of_imo: dict[int, int] = field(default_factory=dict)
    hull_of_name: dict[tuple[str, str, int], int] = field(default_factory=dict)
    told: dict[tuple[str, int, int], int] = field(default_factory=dict)
    waiting: tuple[Finding, ...] = ()

    def copy(self) -> "IdentityState":
        """An independent state."""
        return IdentityState(
            self.slots.copy(),
            self.identity.copy(),
            self.places.copy(),
            self.pending.copy(),
            self.first_us,
            dict(self.said),
            dict(self.hull_of_imo),
            dict(self.hull_of_name),
            dict(self.told),
            self.waiting,
        )


def _no_handovers() -> NDArray[np.int64]:
    pending = np.full((claims.PENDING + 1, claims.H_INTEGERS), -1, np.int64)
    pending[claims.PENDING, claims.H_DUE] = 1 << 62
    return pending


@dataclass(frozen=True, slots=True)
class IdentityDetector:
    """All contradictions of identity under one preset."""

    preset_of: Preset
    numbers: IdentityForm

    @property
    def behaviour(self) -> str:
        return "identity"

    @property
    def preset(self) -> str:
        return self.preset_of.name

    def start(self) -> IdentityState:
        """Nobody known."""
        return IdentityState()

    def fold(self, state: IdentityState, rows: Rows, world: World) -> tuple[IdentityState, list[Finding]]:
        """Contradictions that these rows made clear."""
        del world
        state = state.copy()
        findings = list(
            _placed(state, rows, [*state.waiting, *self._from_statements(state, rows.statements)])
        )
        findings.extend(self._from_points(state, rows))
        return state, findings

    def finish(self, state: IdentityState, world: World) -> list[Finding]:
        """Identities still claimed in two places when the rows end."""
        del world
        need = self.numbers.alternations
        size = len(state.slots)
        return [
            finding
            for slot in np.flatnonzero(state.identity[:size, claims.C_ALTERNATIONS] >= need).tolist()
            if (
                finding := self._shared(
                    state, _shared_event(state, slot), state.places[slot, claims.C_APART_M]
                )
            )
        ]

    def _from_points(self, state: IdentityState, rows: Rows) -> Iterator[Finding]:
        points, numbers = rows.points, self.numbers
        slot = state.slots.assign(points.claimed_id)
        said = changed_rows(rows.statements)
        typed = said[rows.statements.ship_type[said] > 0]
        said_slot = state.slots.assign(rows.statements.claimed_id[typed])
        said_class = np.array([vessel_class(int(t)) for t in rows.statements.ship_type[typed]], np.int8)
        size = len(state.slots)
        state.identity = widened(state.identity, size, 0)
        state.places = widened(state.places, size, np.nan)
        if len(points) and state.first_us == _NEVER:
            state.first_us = int(points.time_us[0])
        fastest_of = np.zeros(len(VesselClass))
        fastest_of[
            [VesselClass.CARGO, VesselClass.TANKER, VesselClass.TUG, VesselClass.FISHING, VesselClass.SAIL]
        ] = (
            numbers.cargo_mps,
            numbers.tanker_mps,
            numbers.tug_mps,
            numbers.fishing_mps,
            numbers.sail_mps,
        )
        limits = np.array(
            [
                numbers.alternations,
                numbers.forget_s,
                numbers.invalid_positions,
                numbers.handover_s,
                numbers.handover_miss_m,
                numbers.handover_course_deg,
                numbers.handover_least_mps,
                numbers.sustained_s,
                numbers.handover_wait_s,
                numbers.handover_drift_share,
            ],
            np.float64,
        )
        events = np.empty((4 * claims.PENDING, claims.V_INTEGERS), np.int64)
        values = np.empty((len(events), claims.V_FLOATS))
        row = said_next = 0
        while True:
            row, said_next, count = claims.fold_claims(
                row,
                size,
                slot,
                points.time_us,
                points.track,
                points.latitude_deg,
                points.longitude_deg,
                points.speed_mps,
                points.course_deg,
                points.transmitter_class,
                points.nature,
                points.flaws,
                points.raw,
                rows.statements.time_us[typed],
                said_slot,
                said_class,
                said_next,
                state.first_us,
                fastest_of,
                limits,
                state.identity,
                state.places,
                state.pending,
                events,
                values,
            )
            for k in range(count):
                finding = self._of_event(state, events[k], values[k])
                if finding is not None:
                    yield finding
            if row == len(slot):
                return

    def _of_event(
        self, state: IdentityState, event: NDArray[np.int64], value: NDArray[np.float64]
    ) -> Finding | None:
        kind = int(event[claims.V_KIND])
        mmsi = int(state.slots.keys[event[claims.V_SLOT]])
        if kind in (claims.SHARED, claims.SHARED_OVER):
            return self._shared(state, event, float(value[2]), (float(value[0]), float(value[1])))
        if mmsi in HARMLESS_MMSI or not _ship_like(
            mmsi, int(state.identity[event[claims.V_SLOT], claims.C_TRANSMITTER])
        ):
            return None
        facts: dict[str, Fact] = {}
        if kind == claims.INVALID:
            unknown_mid = bool(event[claims.V_COUNT] & Flaw.MID_UNKNOWN)
            weights = {"mid not allocated" if unknown_mid else "form": -1.0}
            return self._finding(
                state,
                event,
                value,
                "invalid",
                "invalid_mid" if unknown_mid else "invalid_form",
                facts,
                weights,
            )
        if kind == claims.TOO_FAST:
            facts["speed_mps"] = round(float(value[2]), 1)
            facts["kind"] = VesselClass(int(event[claims.V_COUNT])).name.lower()
            return self._finding(state, event, value, "contradiction", "too_fast", facts, {"sustained": 0.5})
        other = int(state.slots.keys[event[claims.V_OTHER]])
        if other in HARMLESS_MMSI or self._stated_by(state, mmsi, other, int(event[claims.V_END])):
            return None
        facts["old_mmsi"], facts["new_mmsi"] = str(mmsi), str(other)
        facts["silence_s"] = round((event[claims.V_END] - event[claims.V_START]) * 1e-6)
        flags = {state_.alpha3 for m in (mmsi, other) if (state_ := mmsi_state(m)) is not None}
        weights = {"at sea": 2.0, "flag changed": 0.5} if len(flags) > 1 else {"at sea": 2.0}
        if state.identity[event[claims.V_OTHER], claims.C_TRANSMITTER] != TransmitterClass.A:
            # Heard now and then: of boats fishing together one falls silent as another is heard again.
            weights["class B"] = -2.0
        if event[claims.V_COUNT]:
            weights["first hours of the rows"] = -2.5
        return self._finding(state, event, value, "mmsi_change", "handover", facts, weights, other)

    def _stated_by(self, state: IdentityState, one: int, other: int, appeared_us: int) -> bool:
        """Whether the two had stated to be one hull before their handover would be told: then it was told."""
        due_us = appeared_us + round(self.numbers.handover_wait_s * 1e6)
        pair = (min(one, other), max(one, other))
        return any(
            state.told.get((reason, *pair), due_us + 1) <= due_us for reason in ("same_imo", "same_name")
        )

    def _shared(
        self,
        state: IdentityState,
        event: NDArray[np.int64],
        apart_m: float,
        place: tuple[float, float] | None = None,
    ) -> Finding | None:
        slot = int(event[claims.V_SLOT])
        mmsi = int(state.slots.keys[slot])
        if mmsi in HARMLESS_MMSI or not _ship_like(mmsi, int(state.identity[slot, claims.C_TRANSMITTER])):
            return None
        if place is None:
            place = float(state.places[slot, claims.C_FROM_LAT]), float(state.places[slot, claims.C_FROM_LON])
        over = int(event[claims.V_KIND]) == claims.SHARED_OVER
        facts: dict[str, Fact] = {"apart_m": round(apart_m), "alternations": int(event[claims.V_COUNT])}
        weights = {"far apart": 0.8} if apart_m > 100_000.0 else {"near each other": -0.4}
        evidence = tuple(
            Evidence(
                track=int(track),
                claimed_id=mmsi,
                start_us=int(event[claims.V_START]),
                end_us=int(event[claims.V_END]),
                raws=(int(raw),),
            )
            for track, raw in (
                (event[claims.V_TRACK], event[claims.V_RAW]),
                (event[claims.V_OTHER_TRACK], event[claims.V_END_RAW]),
            )
        )
        return Finding(
            behaviour="identity",
            preset=self.preset,
            subtype="shared_mmsi",
            participants=(mmsi,),
            start_us=int(event[claims.V_START]),
            end_us=int(event[claims.V_END]),
            latitude_deg=place[0],
            longitude_deg=place[1],
            score=scoring.score(self.preset_of.prior, weights),
            reason_key="shared_mmsi",
            facts=facts | {"weights": scoring.spoken(weights)},
            evidence=evidence,
            state="closed" if over else "open",
            simulated=int(state.identity[slot, claims.C_NATURE]) == Nature.SIMULATED,
        )

    def _finding(
        self,
        state: IdentityState,
        event: NDArray[np.int64],
        value: NDArray[np.float64],
        subtype: str,
        reason: str,
        facts: dict[str, Fact],
        weights: dict[str, float],
        other: int | None = None,
    ) -> Finding:
        slot = int(event[claims.V_SLOT])
        mmsi = int(state.slots.keys[slot])
        pairs = [(mmsi, event[claims.V_TRACK], event[claims.V_RAW])]
        if other is not None:
            pairs.append((other, event[claims.V_OTHER_TRACK], event[claims.V_END_RAW]))
        elif event[claims.V_END_RAW] != event[claims.V_RAW]:
            pairs.append((mmsi, event[claims.V_TRACK], event[claims.V_END_RAW]))
        return Finding(
            behaviour="identity",
            preset=self.preset,
            subtype=subtype,
            participants=tuple(sorted({who for who, _, _ in pairs})),
            start_us=int(event[claims.V_START]),
            end_us=int(event[claims.V_END]),
            latitude_deg=float(value[0]),
            longitude_deg=float(value[1]),
            score=scoring.score(self.preset_of.prior, weights),
            reason_key=reason,
            facts=facts | {"weights": scoring.spoken(weights)},
            evidence=tuple(
                Evidence(
                    track=int(track),
                    claimed_id=who,
                    start_us=int(event[claims.V_START]),
                    end_us=int(event[claims.V_END]),
                    raws=(int(raw),),
                )
                for who, track, raw in pairs
            ),
            simulated=int(state.identity[slot, claims.C_NATURE]) == Nature.SIMULATED,
        )

    def _from_statements(self, state: IdentityState, rows: StatementRows) -> Iterator[Finding]:
        for i in changed_rows(rows).tolist():
            mmsi = int(rows.claimed_id[i])
            if mmsi in HARMLESS_MMSI or not _ship_like(mmsi, int(rows.transmitter_class[i])):
                continue
            old = state.said.get(mmsi, Said())
            new = _updated(old, rows, i)
            if new == old:
                continue
            state.said[mmsi] = new
            if new.imo and new.imo != old.imo and new.imo <= HIGHEST_IMO and not imo_checksum_holds(new.imo):
                yield from self._once(
                    state, "imo", mmsi, new.imo, new, mmsi, {"imo": str(new.imo)}, {"typing": -1.5}
                )
            if old.name and new.name != old.name and _unlike(old.name, new.name):
                facts: dict[str, Fact] = {"old_name": old.name, "new_name": new.name}
                yield from self._once(
                    state, "name_change", mmsi, hash_text(new.name), new, mmsi, facts, {"same identity": -0.5}
                )
            elif imo_checksum_holds(old.imo) and imo_checksum_holds(new.imo) and old.imo != new.imo:
                facts = {"old_imo": str(old.imo), "new_imo": str(new.imo)}
                yield from self._once(
                    state, "imo_change", mmsi, new.imo, new, mmsi, facts, {"another hull": 0.3}
                )
            elif old.callsign and old.callsign != new.callsign and _unlike(old.callsign, new.callsign):
                facts = {"old_callsign": old.callsign, "new_callsign": new.callsign}
                yield from self._once(
                    state,
                    "callsign_change",
                    mmsi,
                    hash_text(new.callsign),
                    new,
                    mmsi,
                    facts,
                    {"same identity": -0.5},
                )
            yield from self._hull(state, mmsi, new)

    def _hull(self, state: IdentityState, mmsi: int, said: Said) -> Iterator[Finding]:
        """The same hull, by IMO number or by name, call sign and length, under another identity."""
        holders: list[tuple[dict[Any, int], Any, str, float]] = []
        if imo_checksum_holds(said.imo):
            holders.append((state.hull_of_imo, said.imo, "same_imo", 0.8))
        if len(said.callsign) >= _SHORTEST_CALLSIGN and said.name and said.length_m > 0:
            holders.append((state.hull_of_name, (said.name, said.callsign, said.length_m), "same_name", 0.2))
        for table, key, reason, weight in holders:
            holder = table.get(key)
            table[key] = mmsi
            if holder is None or holder == mmsi:
                continue
            facts: dict[str, Fact] = {
                "old_mmsi": str(holder),
                "new_mmsi": str(mmsi),
                "imo": str(said.imo or ""),
                "name": said.name,
            }
            flags = {flag.alpha3 for m in (mmsi, holder) if (flag := mmsi_state(m)) is not None}
            weights = {reason.replace("_", " "): weight}
            if len(flags) > 1:
                weights["flag changed"] = 0.3
            yield from self._once(
                state, reason, min(mmsi, holder), max(mmsi, holder), said, mmsi, facts, weights, holder
            )
            return

    def _once(
        self,
        state: IdentityState,
        reason: str,
        key: int,
        value: int,
        said: Said,
        mmsi: int,
        facts: dict[str, Fact],
        weights: dict[str, float],
        other: int | None = None,
    ) -> Iterator[Finding]:
        """The finding of a statement, told once per identity and value."""
        if (reason, key, value) in state.told:
            return
        state.told[reason, key, value] = said.time_us
        who = [mmsi] if other is None else [mmsi, other]
        earlier = state.said.get(other) if other is not None else None
        subtype = _SUBTYPES.get(reason, reason)
        evidence = [
            Evidence(
                track=mmsi * 16, claimed_id=mmsi, start_us=said.time_us, end_us=said.time_us, raws=(said.raw,)
            )
        ]
        if other is not None and earlier is not None:
            evidence.append(
                Evidence(
                    track=other * 16,
                    claimed_id=other,
                    start_us=earlier.time_us,
                    end_us=earlier.time_us,
                    raws=(earlier.raw,),
                )
            )
        yield Finding(
            behaviour="identity",
            preset=self.preset,
            subtype=subtype,
            participants=tuple(sorted(who)),
            start_us=said.time_us,
            end_us=said.time_us,
            latitude_deg=float("nan"),
            longitude_deg=float("nan"),
            score=scoring.score(self.preset_of.prior, weights),
            reason_key=reason,
            facts=facts | {"weights": scoring.spoken(weights)},
            evidence=tuple(evidence),
        )


def _placed(state: IdentityState, rows: Rows, found: list[Finding]) -> Iterator[Finding]:
    """Findings of statements, placed where the identity last was; one without any position waits for it."""
    waiting = []
    for finding in found:
        mmsi = finding.evidence[0].claimed_id
        here = np.flatnonzero(rows.points.claimed_id == mmsi)
        before = here[rows.points.time_us[here] <= finding.start_us]
        slot = int(state.slots.find(np.array([mmsi], np.int64))[0])
        if len(before) or (not _known(state, slot) and len(here)):
            i = int(before[-1] if len(before) else here[0])
            points = rows.points
            yield _moved(
                finding,
                float(points.latitude_deg[i]),
                float(points.longitude_deg[i]),
                int(points.track[i]),
                int(points.nature[i]),
            )
        elif _known(state, slot):
            yield _moved(
                finding,
                float(state.places[slot, claims.C_LAT]),
                float(state.places[slot, claims.C_LON]),
                int(state.identity[slot, claims.C_TRACK]),
                int(state.identity[slot, claims.C_NATURE]),
            )
        else:
            waiting.append(finding)
    state.waiting = tuple(waiting)


def _known(state: IdentityState, slot: int) -> bool:
    return 0 <= slot < len(state.identity) and int(state.identity[slot, claims.C_TIME]) > 0


def _moved(finding: Finding, latitude: float, longitude: float, track: int, nature: int) -> Finding:
    first = msgspec.structs.replace(finding.evidence[0], track=track)
    return msgspec.structs.replace(
        finding,
        latitude_deg=latitude,
        longitude_deg=longitude,
        evidence=(first, *finding.evidence[1:]),
        simulated=nature == Nature.SIMULATED,
    )


def _shared_event(state: IdentityState, slot: int) -> NDArray[np.int64]:
    row = state.identity[slot]
    return np.array(
        [
            claims.SHARED,
            slot,
            -1,
            row[claims.C_FROM_US],
            row[claims.C_TO_US],
            row[claims.C_FROM_RAW],
            row[claims.C_RAW],
            row[claims.C_TRACK],
            row[claims.C_OTHER_TRACK],
            row[claims.C_ALTERNATIONS],
        ],
        np.int64,
    )


def _ship_like(mmsi: int, transmitter_class: int) -> bool:
    """Not a fixed station, an aircraft or a distress device, by its class or by its number."""
    if transmitter_class not in (
        TransmitterClass.A,
        TransmitterClass.B_SO,
        TransmitterClass.B_CS,
        TransmitterClass.UNKNOWN,
    ):
        return False
    return mmsi_form(mmsi) not in (
        MmsiForm.COAST,
        MmsiForm.AID_TO_NAVIGATION,
        MmsiForm.LOCATING_DEVICE,
        MmsiForm.SAR_AIRCRAFT,
    )


def _updated(old: Said, rows: StatementRows, i: int) -> Said:
    """What is known after this row; time and raw move only with a change."""
    name, callsign = normal_name(rows.name[i]), normal_name(rows.callsign[i])
    imo, ship_type, length = int(rows.imo[i]), int(rows.ship_type[i]), int(rows.length_m[i])
    new = Said(
        imo if imo > 0 else old.imo,
        ship_type if ship_type > 0 else old.ship_type,
        length if length > 0 else old.length_m,
        name or old.name,
        callsign or old.callsign,
        old.time_us,
        old.raw,
    )
    if new == old:
        return old
    return Said(
        new.imo, new.ship_type, new.length_m, new.name, new.callsign, int(rows.time_us[i]), int(rows.raw[i])
    )


def normal_name(text: str | None) -> str:
    """Upper case, single spaces, no AIS padding; placeholders are no name."""
    if not text:
        return ""
    plain = " ".join(text.upper().replace("@", " ").split())
    return "" if plain in _PLACEHOLDERS else plain


def hash_text(text: str) -> int:
    """A number for a text, the same on every machine."""
    return int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "big") ^ len(text)


def _unlike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old, new).ratio() < _SAME_NAME


def build(preset: Preset) -> IdentityDetector:
    """The detector of an identity preset; raises UsageError in one sentence."""
    return IdentityDetector(preset, form(preset, IdentityForm))
