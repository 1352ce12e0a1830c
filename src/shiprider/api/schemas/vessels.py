"""Vessels, their tracks, and the observations these are made of."""

from typing import Literal

from shiprider.api.schemas.alerts import AlertOut, FindingOut, VesselBrief
from shiprider.api.schemas.base import Microseconds, Struct
from shiprider.api.schemas.marking import Marking
from shiprider.api.schemas.notes import NoteOut


class Position(Struct):
    """Where a vessel was last. Unknown numbers are null."""

    time_us: Microseconds
    received_us: Microseconds
    latitude_deg: float
    longitude_deg: float
    speed_mps: float | None
    course_deg: float | None
    heading_deg: float | None
    nav_status: int | None
    raw: int
    track: int
    flaws: list[str]
    simulated: bool


class VesselHit(Struct):
    """One line of a search's answer; `matched` says which field."""

    vessel: VesselBrief
    imo: int
    callsign: str
    matched: Literal["mmsi", "imo", "name", "callsign"]
    position: Position | None
    marking: Marking


class VesselHits(Struct):
    """A search's answer."""

    vessels: list[VesselHit]


class StaticData(Struct):
    """What the vessel last said of itself, with the raw address of the saying."""

    time_us: Microseconds
    imo: int
    imo_valid: bool
    callsign: str
    name: str
    ship_type: int
    ship_type_text: str
    length_m: int | None
    beam_m: int | None
    draught_m: float | None
    destination: str
    eta: str
    transmitter_class: str
    raw: int


class VesselDetail(Struct):
    """One vessel: `static` newest first, one entry per different saying.

    `heard` marks what was heard of it (positions, sayings), `marking` everything here together.
    """

    vessel: VesselBrief
    position: Position | None
    tracks: list[int]
    static: list[StaticData]
    findings: list[FindingOut]
    alerts: list[AlertOut]
    notes: list[NoteOut]
    first_heard_us: Microseconds | None
    last_heard_us: Microseconds | None
    observations: int
    watchlists: list[str]
    heard: Marking
    marking: Marking


class TrackOut(Struct):
    """Points of one track in columns, ascending in time; `thinned` if some were left out."""

    track: int
    mmsi: int
    total: int
    thinned: bool
    time_us: list[int]
    latitude_deg: list[float]
    longitude_deg: list[float]
    speed_mps: list[float | None]
    course_deg: list[float | None]
    raw: list[int]
    simulated: bool
    marking: Marking


class Tracks(Struct):
    """The tracks of a vessel in a span."""

    tracks: list[TrackOut]


class Sentence(Struct):
    """One raw line as received, and where it lies."""

    text: str
    raw: int
    segment: int
    offset: int
    length: int
    file: str
    file_offset: int | None
    sha256: str


class ObservationOut(Struct):
    """One observation: decoded fields as stored, decoded fields of the sentence itself, the sentence(s)."""

    raw: int
    table: str
    mmsi: int
    time_us: Microseconds
    received_us: Microseconds
    feed: str
    receiver: str
    receiver_kind: str
    nature: str
    flaws: list[str]
    duplicates: list[int]
    fields: dict[str, str | int | float | bool | None]
    message: dict[str, str | int | float | bool | None]
    sentences: list[Sentence]
    marking: Marking


class Names(Struct):
    """Names by MMSI, and the marking of what is heard of each of them."""

    names: dict[str, str]
    markings: dict[str, Marking]
