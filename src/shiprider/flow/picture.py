"""The picture: the latest known state of every track and vessel, in columns.

Always true: a row's position is the newest in event time that was received, so late data never moves a
vessel back; it is derived and can be rebuilt from the lake; readers get copies, never the live arrays;
`version` grows with every change, and `changed` says at which version a row changed last.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.measure.slots import Slots, widened
from shiprider.model.codes import Nature, TransmitterClass
from shiprider.model.columns import floats, integers
from shiprider.model.identity import VesselClass, vessel_class

#: Columns of a row and what an unknown value is.
COLUMNS: Final[dict[str, tuple[type[np.generic], float]]] = {
    "time_us": (np.int64, -(2**62)),
    "received_us": (np.int64, 0),
    "mmsi": (np.int64, 0),
    "latitude_e7": (np.int32, 0),
    "longitude_e7": (np.int32, 0),
    "speed_mps": (np.float32, np.nan),
    "course_deg": (np.float32, np.nan),
    "heading_deg": (np.float32, np.nan),
    "nav_status": (np.int8, 15),
    "transmitter_class": (np.int8, 0),
    "receiver_kind": (np.int8, 0),
    "nature": (np.int8, 0),
    "flaws": (np.int32, 0),
    "raw": (np.int64, 0),
}

#: What a vessel last said of itself; texts as UTF-8 bytes of AIS lengths.
STATIC: Final[dict[str, tuple[Any, Any]]] = {
    "said_us": (np.int64, -(2**62)),
    "imo": (np.int32, 0),
    "ship_type": (np.int16, -1),
    "length_m": (np.int16, 0),
    "beam_m": (np.int16, 0),
    "name": ("S40", b""),
    "callsign": ("S16", b""),
}

Box = tuple[float, float, float, float]

_CLASS_OF_TYPE: Final = np.array([int(vessel_class(t)) for t in range(256)], np.int8)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the picture, copies; equally long. `slot` is the row's place, `changed` its last version."""

    slot: NDArray[np.int32]
    track: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    vessel_class: NDArray[np.int8]
    length_m: NDArray[np.int16]
    changed: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.slot)

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.columns[column]


@dataclass(slots=True)
class Static:
    """One vessel's static data for people; empty where it never said."""

    imo: int = 0
    ship_type: int = -1
    length_m: int = 0
    beam_m: int = 0
    name: str = ""
    callsign: str = ""


@dataclass(slots=True)
class Picture:
    """The live one. Batches come from one thread, reads from any."""

    newest_us: int | None = None
    version: int = 0
    simulated: bool = False
    _tracks: Slots = field(default_factory=Slots)
    _vessels: Slots = field(default_factory=Slots)
    _columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    _static: dict[str, NDArray[Any]] = field(default_factory=dict)
    _vessel_of: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    _changed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._columns = {name: np.zeros(0, kind) for name, (kind, _) in COLUMNS.items()}
        self._static = {name: np.zeros(0, kind) for name, (kind, _) in STATIC.items()}

    # -- taking ---------------------------------------------------------------------------------------

    def take_points(self, points: pa.Table) -> None:
        """A batch of `model.tables.TRACK_POINTS`, in any order."""
        points = points.filter(
            pc.and_(pc.is_valid(points["latitude_deg"]), pc.is_valid(points["longitude_deg"]))
        )
        if not points.num_rows:
            return
        time_us = integers(points["time"], np.int64, 0)
        track = integers(points["track"], np.int64, 0)
        order = np.lexsort((time_us, track))
        last = order[np.append(track[order][1:] != track[order][:-1], True)]
        batch: dict[str, NDArray[Any]] = {
            "time_us": time_us[last],
            "received_us": integers(points["received"], np.int64, 0)[last],
            "mmsi": integers(points["claimed_id"], np.int64, 0)[last],
            "latitude_e7": _e7(floats(points["latitude_deg"])[last]),
            "longitude_e7": _e7(floats(points["longitude_deg"])[last]),
            "nav_status": integers(points["nav_status"], np.int8, 15)[last],
            "flaws": integers(points["flaws"], np.int32, 0)[last],
            "raw": integers(points["raw"], np.int64, 0)[last],
        }
        for name in ("speed_mps", "course_deg", "heading_deg"):
            batch[name] = floats(points[name], np.float32)[last]
        for name in ("transmitter_class", "receiver_kind", "nature"):
            batch[name] = integers(points[name], np.int8, 0)[last]
        with self._lock:
            self._place(track[last], batch)

    def _place(self, track: NDArray[np.int64], batch: dict[str, NDArray[Any]]) -> None:
        slot = self._tracks.assign(track)
        vessel = self._vessels.assign(batch["mmsi"])
        self._widen()
        newer = batch["time_us"] >= self._columns["time_us"][slot]
        slot = slot[newer]
        if not len(slot):
            return
        self.version += 1
        for name, values in batch.items():
            self._columns[name][slot] = values[newer]
        self._vessel_of[slot] = vessel[newer]
        self._changed[slot] = self.version
        newest = int(batch["time_us"].max())
        self.newest_us = newest if self.newest_us is None else max(self.newest_us, newest)
        self.simulated = self.simulated or bool((batch["nature"] == Nature.SIMULATED).any())

    def take_statements(self, statements: pa.Table) -> None:
        """A batch of `model.tables.STATEMENTS`; each part a vessel last said stands until it says another."""
        if not statements.num_rows:
            return
        statements = statements.sort_by([("time", "ascending"), ("raw", "ascending")])
        mmsi = integers(statements["claimed_id"], np.int64, 0)
        time_us = integers(statements["time"], np.int64, 0)
        parts: list[tuple[str, NDArray[Any], NDArray[np.bool_]]] = []
        imo = integers(statements["imo"], np.int32, 0)
        parts.append(("imo", imo, imo > 0))
        ship_type = integers(statements["ship_type"], np.int16, -1)
        parts.append(("ship_type", ship_type, ship_type >= 0))
        for name, ends in (
            ("length_m", ("to_bow_m", "to_stern_m")),
            ("beam_m", ("to_port_m", "to_starboard_m")),
        ):
            first, second = (integers(statements[end], np.int16, -1) for end in ends)
            parts.append((name, first + second, (first >= 0) & (second >= 0) & (first + second > 0)))
        for name in ("name", "callsign"):
            said = pc.fill_null(pc.utf8_trim_whitespace(statements[name]), "")
            texts = np.array([t.encode() for t in said.to_pylist()], dtype=STATIC[name][0])
            parts.append((name, texts, texts != b""))
        with self._lock:
            vessel = self._vessels.assign(mmsi)
            self._widen()
            fresh = time_us >= self._static["said_us"][vessel]
            for name, values, known in parts:
                rows = np.flatnonzero(known & fresh)
                self._static[name][vessel[rows]] = values[rows]
            np.maximum.at(self._static["said_us"], vessel, time_us)
            self.version += 1
            touched = np.zeros(len(self._vessels), np.bool_)
            touched[vessel] = True
            count = len(self._tracks)
            self._changed[:count][touched[self._vessel_of[:count]]] = self.version

    def _widen(self) -> None:
        rows, vessels = len(self._tracks), len(self._vessels)
        if len(self._changed) < rows:
            for name, (_, fill) in COLUMNS.items():
                self._columns[name] = widened(self._columns[name], rows, fill)
            self._vessel_of = widened(self._vessel_of, rows, 0).astype(np.int32, copy=False)
            self._changed = widened(self._changed, rows, 0).astype(np.int64, copy=False)
        if len(self._static["imo"]) < vessels:
            for name, (_, fill) in STATIC.items():
                self._static[name] = widened(self._static[name], vessels, fill)

    # -- reading --------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._tracks)

    @property
    def vessels(self) -> int:
        """How many identities are known."""
        return len(self._vessels)

    def rows(self, box: Box | None = None, *, since_us: int | None = None) -> Rows:
        """Rows within (west, south, east, north), degrees (west > east crosses 180), heard since then."""
        with self._lock:
            return self._copy(self._inside(box, since_us))

    def rows_of(self, mmsi: int) -> Rows:
        """Rows of one identity."""
        with self._lock:
            count = len(self._tracks)
            return self._copy(np.flatnonzero(self._columns["mmsi"][:count] == mmsi).astype(np.int32))

    def _inside(self, box: Box | None, since_us: int | None) -> NDArray[np.int32]:
        count = len(self._tracks)
        heard = self._columns["time_us"][:count] >= (
            COLUMNS["time_us"][1] + 1 if since_us is None else since_us
        )
        if box is not None:
            heard &= inside(self._columns["latitude_e7"][:count], self._columns["longitude_e7"][:count], box)
        return np.flatnonzero(heard).astype(np.int32)

    def _copy(self, slot: NDArray[np.int32]) -> Rows:
        columns = {name: values[slot] for name, values in self._columns.items()}
        vessel = self._vessel_of[slot]
        return Rows(
            slot,
            self._tracks.keys[slot],
            columns,
            class_of(self._static["ship_type"][vessel], columns["transmitter_class"]),
            self._static["length_m"][vessel],
            self._changed[slot],
        )

    def static(self, mmsi: int) -> Static:
        """What a vessel last said of itself."""
        with self._lock:
            vessel = int(self._vessels.find(np.array([mmsi], np.int64))[0])
            if vessel < 0:
                return Static()
            return static_at(self._static, vessel)

    def describe(self, mmsi: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Class and length of many identities, unknown 0; for pictures of another time."""
        with self._lock:
            vessel = self._vessels.find(mmsi)
            known = vessel >= 0
            kind = np.full(len(mmsi), -1, np.int16)
            length = np.zeros(len(mmsi), np.int16)
            kind[known] = self._static["ship_type"][vessel[known]]
            length[known] = self._static["length_m"][vessel[known]]
        return class_of(kind, np.zeros(len(mmsi), np.int8)), length

    def said(self, mmsi: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """What many identities last said, columns of `STATIC`; where one never spoke, what stands for unknown."""
        with self._lock:
            vessel = self._vessels.find(mmsi)
            known = vessel >= 0
            found = {}
            for name, (kind, fill) in STATIC.items():
                found[name] = np.full(len(mmsi), fill, kind)
                found[name][known] = self._static[name][vessel[known]]
            return found

    def spoke(self) -> NDArray[np.int64]:
        """Identities that said something of themselves."""
        with self._lock:
            count = len(self._vessels)
            spoken = self._static["said_us"][:count] > STATIC["said_us"][1]
            return self._vessels.keys[:count][spoken]

    def places(self, mmsi: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of many identities have a position here."""
        with self._lock:
            return np.isin(mmsi, self._columns["mmsi"][: len(self._tracks)])

    def search(self, text: str, limit: int) -> list[tuple[int, str, Static]]:
        """(MMSI, what matched, static data): identities and call signs by their beginning, names by any part."""
        with self._lock:
            count = len(self._vessels)
            static = {name: values[:count] for name, values in self._static.items()}
            return found_in(self._vessels.keys[:count], static, text, limit)


def found_in(
    mmsi: NDArray[np.int64], static: dict[str, NDArray[Any]], text: str, limit: int
) -> list[tuple[int, str, Static]]:
    """As `Picture.search`, over identities and what they said (columns of `STATIC`)."""
    wanted = " ".join(text.upper().split())
    if not wanted:
        return []
    found: dict[int, str] = {}
    if wanted.isdecimal() and len(wanted) <= 9:
        for name, values, width in (("mmsi", mmsi, 9), ("imo", static["imo"], 7)):
            if len(wanted) <= width:
                step = 10 ** (width - len(wanted))
                for vessel in np.flatnonzero(values // step == int(wanted))[:limit]:
                    found.setdefault(int(vessel), name)
    encoded = wanted.encode()
    names = np.char.upper(static["name"])
    starts = np.flatnonzero(np.char.startswith(names, encoded))
    parts = np.flatnonzero(np.char.find(names, encoded) > 0)
    calls = np.flatnonzero(np.char.startswith(np.char.upper(static["callsign"]), encoded))
    for what, hits in (("name", starts), ("callsign", calls), ("name", parts)):
        for vessel in hits[:limit]:
            found.setdefault(int(vessel), what)
    return [(int(mmsi[v]), what, static_at(static, v)) for v, what in list(found.items())[:limit]]


def static_at(static: dict[str, NDArray[Any]], vessel: int) -> Static:
    """One row of columns of `STATIC`, for people."""
    return Static(
        imo=int(static["imo"][vessel]),
        ship_type=int(static["ship_type"][vessel]),
        length_m=int(static["length_m"][vessel]),
        beam_m=int(static["beam_m"][vessel]),
        name=static["name"][vessel].decode(errors="replace"),
        callsign=static["callsign"][vessel].decode(errors="replace"),
    )


def _e7(degrees: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(degrees * 1e7).astype(np.int32)


def inside(latitude_e7: NDArray[np.int32], longitude_e7: NDArray[np.int32], box: Box) -> NDArray[np.bool_]:
    """Which positions (1e-7 degrees) lie within the box, edges included."""
    west, south, east, north = (np.int64(round(edge * 1e7)) for edge in box)
    within = (latitude_e7 >= south) & (latitude_e7 <= north)
    if west <= east:
        return within & (longitude_e7 >= west) & (longitude_e7 <= east)
    return within & ((longitude_e7 >= west) | (longitude_e7 <= east))


#: Codes of `VESSEL_CLASSES` (docs/api.md) for what a ship type and a transmitter class say.
_WIRE_CLASS: Final = {
    VesselClass.UNKNOWN: 0,
    VesselClass.CARGO: 1,
    VesselClass.TANKER: 2,
    VesselClass.PASSENGER: 3,
    VesselClass.FISHING: 4,
    VesselClass.PLEASURE: 5,
    VesselClass.SAIL: 5,
    VesselClass.TUG: 6,
    VesselClass.HIGH_SPEED: 7,
    VesselClass.GOVERNMENT: 8,
    VesselClass.SERVICE: 13,
}

_BY_TYPE: Final = np.array([_WIRE_CLASS[VesselClass(c)] for c in _CLASS_OF_TYPE], np.int8)
_BY_TYPE[51] = 9
_BY_TYPE[90:100] = 13


def class_of(ship_type: NDArray[np.int16], transmitter: NDArray[np.int8]) -> NDArray[np.int8]:
    """The class code of the live push (docs/api.md) of each row."""
    found = np.where(ship_type >= 0, _BY_TYPE[np.clip(ship_type, 0, 255)], 0).astype(np.int8)
    found[transmitter == TransmitterClass.BASE_STATION] = 10
    found[transmitter == TransmitterClass.AID_TO_NAVIGATION] = 11
    found[transmitter == TransmitterClass.SAR_AIRCRAFT] = 12
    return found
