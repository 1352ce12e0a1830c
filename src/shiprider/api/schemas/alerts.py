"""Findings and alerts, and what people decide on them."""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Fact, LongText, Microseconds, RecordId, Request, Struct
from shiprider.api.schemas.marking import Marking
from shiprider.api.schemas.notes import NoteOut

AlertState = Literal["new", "taken", "dismissed", "escalated", "merged"]
Band = Literal[
    "almost_no_chance", "very_unlikely", "unlikely", "even", "likely", "very_likely", "almost_certain"
]
DismissReason = Literal[
    "lawful_explained", "known_vessel", "data_error", "sensor_fault", "duplicate", "out_of_area", "other"
]


class VesselBrief(Struct):
    """Enough to name a vessel. `flag` is the ISO 3166 alpha-3 code of the MMSI's country digits, "" if none."""

    mmsi: int
    name: str
    ship_type: int
    ship_type_text: str
    flag: str


class EvidenceOut(Struct):
    """One stretch of one vessel's track that shows the behaviour; `raws` open at /observations/{raw}."""

    track: int
    mmsi: int
    start_us: Microseconds
    end_us: Microseconds
    raws: list[int]


class FindingOut(Struct):
    """A published finding. `recorded_us`: when this node knew this revision of it."""

    id: RecordId
    revision: int
    behaviour: str
    behaviour_text: str
    preset: str
    subtype: str
    participants: list[VesselBrief]
    start_us: Microseconds
    end_us: Microseconds
    latitude_deg: float
    longitude_deg: float
    score: float
    reason: str
    reason_key: str
    facts: dict[str, Fact]
    evidence: list[EvidenceOut]
    state: Literal["open", "closed", "retracted"]
    versions: dict[str, str]
    simulated: bool
    first_recorded_us: Microseconds
    recorded_us: Microseconds
    split_from: str
    merged_into: str
    marking: Marking


class AlertOut(Struct):
    """One line of the queue. `rank` 1 is the first to look at; `band` is the chance in words (ICD 203)."""

    id: RecordId
    revision: int
    state: AlertState
    state_text: str
    rank: int
    score: float
    probability: float
    band: Band
    band_text: str
    behaviour: str
    behaviour_text: str
    preset: str
    subtype: str
    reason: str
    participants: list[VesselBrief]
    start_us: Microseconds
    end_us: Microseconds
    latitude_deg: float
    longitude_deg: float
    finding: RecordId
    findings: list[RecordId]
    behaviours: list[str]
    simulated: bool
    retracted: bool
    revised: bool
    raised_us: Microseconds
    updated_us: Microseconds
    holder: str
    dismissed_reason: str
    merged_into: str
    budgeted: bool
    marking: Marking


class AlertPage(Struct):
    """A page of the queue; `next_cursor` is "" at the end."""

    alerts: list[AlertOut]
    total: int
    next_cursor: str
    marking: Marking


class AlertEvent(Struct):
    """One step of an alert's life: `kind` raised, revised, retracted, taken, dismissed, escalated, merged, …"""

    revision: int
    kind: str
    text: str
    author: str
    recorded_us: Microseconds
    reason: str


class AlertDetail(Struct):
    """An alert with what it was made of (`finding` leads `findings`), its life and what may belong to it."""

    alert: AlertOut
    finding: FindingOut
    findings: list[FindingOut]
    history: list[AlertEvent]
    merged: list[AlertOut]
    related: list[AlertOut]
    notes: list[NoteOut]
    marking: Marking


class FindingPage(Struct):
    """A page of findings."""

    findings: list[FindingOut]
    total: int
    next_cursor: str


class Decide(Request):
    """Take, escalate, reopen or undo: `expected_revision` is the alert's revision that was looked at."""

    expected_revision: Annotated[int, Meta(ge=1)]
    text: LongText = ""


class Dismiss(Request):
    """Dismiss with a reason."""

    expected_revision: Annotated[int, Meta(ge=1)]
    reason: DismissReason
    text: LongText = ""


class Merge(Request):
    """Merge this alert into another one."""

    expected_revision: Annotated[int, Meta(ge=1)]
    into: RecordId
