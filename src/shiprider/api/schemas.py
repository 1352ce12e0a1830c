"""What goes over the wire as JSON: the OpenAPI description, and so the web client, is made of these.

Always true: times are integers, microseconds since 1970 UTC (`*_us`); positions are degrees WGS 84;
speeds metres per second, lengths metres (the person's units are the client's affair); text in words
is in the language of the request; free text from vessels and people is data, never markup.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Microseconds = Annotated[int, Meta(description="Microseconds since 1970-01-01 UTC.")]
RecordId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="Id of a record, 32 hex digits.")]
Mmsi = Annotated[int, Meta(ge=0, le=999_999_999)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
ShortText = Annotated[str, Meta(max_length=200)]
LongText = Annotated[str, Meta(max_length=10_000)]
Fact = str | int | float

AlertState = Literal["new", "taken", "dismissed", "escalated", "merged"]
Band = Literal[
    "almost_no_chance", "very_unlikely", "unlikely", "even", "likely", "very_likely", "almost_certain"
]
DismissReason = Literal[
    "lawful_explained", "known_vessel", "data_error", "sensor_fault", "duplicate", "out_of_area", "other"
]


class Struct(msgspec.Struct, kw_only=True):
    """The common form: keywords only."""


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A body sent to us: unknown fields are refused."""


# -- errors ---------------------------------------------------------------------------------------


class Failure(Struct):
    """Every error: a code for programs, one sentence for people, what to do."""

    error: str
    message: str
    hint: str = ""


# -- session, status, settings ----------------------------------------------------------------------


class Session(Struct):
    """Who sits here. `officer` is "" until a demo user has said his name.

    `enrolling`: came with a one-time code and has to make a password or a passkey first. `live`: may have
    the live push. `permissions`: see GET /me for why.
    """

    officer: str
    language: Literal["en", "es"]
    node: str
    version: str
    kind: Literal["account", "demo", "program"]
    enrolling: bool
    purpose: str
    permissions: list[str]
    live: bool


class SessionChange(Request):
    """Say who you are."""

    officer: Annotated[str, Meta(min_length=1, max_length=80)]


class SessionToken(Request):
    """The token of the start-up URL, exchanged for the session cookie."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]


class FeedStatus(Struct):
    """One feed. `state`: "live", "idle" (nothing for a while), "down", "done" (a file read to its end)."""

    name: str
    kind: str
    state: Literal["live", "idle", "down", "done"]
    text: str
    messages: int
    messages_per_s: float
    last_received_us: Microseconds | None
    lag_s: float | None
    nature: str


class DiskStatus(Struct):
    """Room on the node's disk."""

    used_bytes: int
    free_bytes: int
    budget_bytes: int


class Counts(Struct):
    """What there is."""

    vessels: int
    observations: int
    findings: int
    alerts_new: int
    alerts_taken: int
    alerts_escalated: int
    quarantine: int


class Marking(Struct):
    """A label in words: `banner` for a page, `portion` for a paragraph, `level` its classification for programs.

    `level` "UNLABELLED": its originator's own; "UNKNOWN": nobody understands it.
    """

    level: Literal[
        "UNLABELLED", "UNKNOWN", "UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP_SECRET"
    ]
    banner: str
    portion: str


class Status(Struct):
    """The status line. `picture_us` is the time of the newest data; `simulated`: some data shown is not real.

    `picture_marking`: of all that the live picture shows; null where it shows nothing.
    """

    node: str
    nation: str
    version: str
    now_us: Microseconds
    picture_us: Microseconds | None
    earliest_us: Microseconds | None
    lag_s: float | None
    simulated: bool
    picture_marking: Marking | None
    demo: bool
    feeds: list[FeedStatus]
    disk: DiskStatus
    counts: Counts
    ledger_sequence: int
    notices: list[str]


class SettingsOut(Struct):
    """Settings a person may change, with the record's revision for optimistic locking."""

    revision: int
    language: Literal["en", "es"]
    position_format: Literal["dm", "dd", "mgrs"]
    speed_unit: Literal["kn", "mps", "kmh"]
    distance_unit: Literal["nm", "km"]
    theme: Literal["dark", "light", "red"]
    symbols: Literal["simple", "milstd"]


class SettingsChange(Request):
    """The settings to keep; `expected_revision` is the one that was read."""

    expected_revision: int
    language: Literal["en", "es"] = "en"
    position_format: Literal["dm", "dd", "mgrs"] = "dm"
    speed_unit: Literal["kn", "mps", "kmh"] = "kn"
    distance_unit: Literal["nm", "km"] = "nm"
    theme: Literal["dark", "light", "red"] = "dark"
    symbols: Literal["simple", "milstd"] = "simple"


# -- findings and alerts ------------------------------------------------------------------------------


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


class NoteOut(Struct):
    """A note on a vessel or an alert."""

    id: RecordId
    revision: int
    subject_kind: Literal["vessel", "alert", "finding", "area"]
    subject: str
    text: str
    author: str
    recorded_us: Microseconds
    marking: Marking


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


class NoteNew(Request):
    """Write a note."""

    subject_kind: Literal["vessel", "alert", "finding", "area"]
    subject: Annotated[str, Meta(min_length=1, max_length=64)]
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


# -- vessels, tracks, observations ------------------------------------------------------------------


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


# -- picture, reception --------------------------------------------------------------------------------


class PictureVessel(Struct):
    """One vessel of the picture at a time."""

    track: int
    mmsi: int
    name: str
    vessel_class: int
    time_us: Microseconds
    latitude_deg: float
    longitude_deg: float
    speed_mps: float | None
    course_deg: float | None
    heading_deg: float | None
    simulated: bool
    raw: int


class PictureOut(Struct):
    """The picture at `time_us`; mode "then" uses only what had been received by that time."""

    time_us: Microseconds
    mode: Literal["then", "now"]
    total: int
    thinned: bool
    vessels: list[PictureVessel]
    marking: Marking


class ReceptionCell(Struct):
    """One H3 cell: `ratio` received / expected, null where nothing was expected (unknown, not silent)."""

    cell: str
    ring: list[list[float]]
    expected: float
    received: int
    ratio: float | None
    vessels: int
    terrestrial: int
    satellite: int


class ReceptionOut(Struct):
    """The reception layer in a bbox; cells not listed have never been heard: uncovered, not empty."""

    start_us: Microseconds
    end_us: Microseconds
    resolution: int
    cells: list[ReceptionCell]
    thinned: bool


# -- areas, watchlists, legal holds ----------------------------------------------------------------------


class AreaOut(Struct):
    """A named polygon, ring of [longitude, latitude] (GeoJSON order), closed."""

    id: RecordId
    revision: int
    name: str
    ring: list[tuple[float, float]]
    text: str
    author: str
    recorded_us: Microseconds
    active: bool


class AreaNew(Request):
    """Draw an area. For a change give `id` and `expected_revision`."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    ring: Annotated[list[tuple[Longitude, Latitude]], Meta(min_length=3, max_length=2000)]
    text: LongText = ""
    active: bool = True
    id: RecordId | None = None
    expected_revision: int = 0


class WatchEntry(Struct, forbid_unknown_fields=True):
    """One line of a watchlist: at least one of the identifiers."""

    mmsi: Mmsi | None = None
    imo: Annotated[int, Meta(ge=0, le=9_999_999)] | None = None
    name: Annotated[str, Meta(max_length=80)] | None = None
    callsign: Annotated[str, Meta(max_length=20)] | None = None
    reason: Annotated[str, Meta(max_length=1000)] = ""


class WatchlistOut(Struct):
    """A named list of vessels to be told about."""

    id: RecordId
    revision: int
    name: str
    entries: list[WatchEntry]
    source: str
    author: str
    recorded_us: Microseconds
    active: bool


class WatchlistNew(Request):
    """Make or change a watchlist."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    entries: Annotated[list[WatchEntry], Meta(max_length=50_000)]
    source: ShortText = ""
    active: bool = True
    id: RecordId | None = None
    expected_revision: int = 0


class LegalHoldOut(Struct):
    """What must not be deleted, and why."""

    id: RecordId
    revision: int
    case: str
    reason: str
    mmsi: list[int]
    start_us: Microseconds | None
    end_us: Microseconds | None
    author: str
    recorded_us: Microseconds
    released: bool


class LegalHoldNew(Request):
    """Hold rows of these vessels in this span; a release gives `id`, `expected_revision`, `released`."""

    case: Annotated[str, Meta(min_length=1, max_length=120)]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    mmsi: Annotated[list[Mmsi], Meta(max_length=10_000)] = []
    start_us: Microseconds | None = None
    end_us: Microseconds | None = None
    released: bool = False
    id: RecordId | None = None
    expected_revision: int = 0


class Areas(Struct):
    """All areas."""

    areas: list[AreaOut]


class Watchlists(Struct):
    """All watchlists."""

    watchlists: list[WatchlistOut]


class LegalHolds(Struct):
    """All legal holds."""

    legal_holds: list[LegalHoldOut]


class Notes(Struct):
    """Notes, newest first."""

    notes: list[NoteOut]


# -- watch log, handover, calibration, quarantine ---------------------------------------------------------


class LogEntry(Struct):
    """One line of the watch log: written by a person, or made by a decision (`source` "decision")."""

    id: RecordId
    recorded_us: Microseconds
    author: str
    text: str
    source: Literal["person", "decision", "node"]
    alert: str
    marking: Marking


class WatchLog(Struct):
    """The watch log, newest first."""

    entries: list[LogEntry]
    next_cursor: str
    marking: Marking


class LogNew(Request):
    """Write a line."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


class HandoverSummary(Struct):
    """What the next watch gets. `digest` (SHA-256, hex) is of the exact summary; it is what is signed."""

    from_us: Microseconds
    to_us: Microseconds
    open_alerts: list[AlertOut]
    taken: int
    dismissed: int
    escalated: int
    merged: int
    retracted: int
    log: list[LogEntry]
    ledger_sequence: int
    ledger_head: str
    digest: str
    marking: Marking


class HandoverSign(Request):
    """Sign it: the digest that was shown, who gives, who takes over."""

    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    to_us: Microseconds
    relieved_by: Annotated[str, Meta(min_length=1, max_length=80)]
    text: LongText = ""


class HandoverOut(Struct):
    """A signed handover."""

    id: RecordId
    recorded_us: Microseconds
    from_us: Microseconds
    to_us: Microseconds
    author: str
    relieved_by: str
    text: str
    digest: str
    open_alerts: int
    ledger_sequence: int
    ledger_head: str
    marking: Marking


class Handovers(Struct):
    """Signed handovers, newest first."""

    handovers: list[HandoverOut]


class CalibrationBin(Struct):
    """Of `count` decided alerts scored between `low` and `high`, `confirmed` were escalated; the rest dismissed."""

    low: float
    high: float
    mean_probability: float
    count: int
    confirmed: int
    observed: float | None
    observed_low: float | None
    observed_high: float | None


class CalibrationOut(Struct):
    """Whether scores mean what they say. `model` is "prior" until there are enough dispositions.

    `simulated`: the decisions were on simulated data (there are none on real data yet).
    """

    model: str
    simulated: bool
    decided: int
    confirmed: int
    needed: int
    brier: float | None
    bins: list[CalibrationBin]
    behaviours: dict[str, int]
    text: str


class QuarantineReason(Struct):
    """How much could not be decoded for one reason."""

    reason: str
    count: int
    first_us: Microseconds | None
    last_us: Microseconds | None
    example: str
    example_raw: int | None


class QuarantineOut(Struct):
    """What could not be decoded; the bytes are kept and can be replayed."""

    total: int
    reasons: list[QuarantineReason]


class Names(Struct):
    """Names by MMSI, and the marking of what is heard of each of them."""

    names: dict[str, str]
    markings: dict[str, Marking]


class AuditEntry(Struct):
    """One line of the access log: who did, or was refused, what, to which objects, for what purpose."""

    sequence: int
    at_us: Microseconds
    who: str
    session: str
    act: str
    what: str
    outcome: str
    objects: list[str]
    count: int
    purpose: str
    case: str
    why: str


class AuditEntries(Struct):
    """A page of the access log, newest first."""

    entries: list[AuditEntry]
    next_cursor: str


class AuditPerson(Struct):
    """What one person did with what was asked about, counted by act, outcome, purpose, case and reason of refusal."""

    who: str
    first_us: Microseconds
    last_us: Microseconds
    entries: int
    acts: dict[str, int]
    outcomes: dict[str, int]
    purposes: dict[str, int]
    cases: dict[str, int]
    why: dict[str, int]


class AuditPeople(Struct):
    """By person, who did most first."""

    people: list[AuditPerson]


class BrowsingAlarmOut(Struct):
    """Browsing that no case, watch or exercise explains. It accuses nobody: ask, and record what was found."""

    id: str
    recorded_us: Microseconds
    who: str
    role: str
    sign: str
    from_us: Microseconds
    to_us: Microseconds
    count: int
    usual: float
    limit: float
    objects: list[str]
    cases: list[str]
    text: str


class BrowsingAlarms(Struct):
    """Newest first."""

    alarms: list[BrowsingAlarmOut]


class AuditSegment(Struct):
    """Entries `first` to `last` of the access log; `removed` says why retention let them go."""

    number: int
    first: int
    last: int
    first_us: Microseconds
    last_us: Microseconds
    bytes: int
    closed: bool
    removed: str


class AuditHead(Struct):
    """The signed end of the access log: keep it elsewhere, it shows later what was changed since."""

    origin: str
    sequence: int
    hash: str
    at_us: Microseconds
    key: str
    signature: str
    segments: list[AuditSegment]


class AuditChecked(Struct):
    """How far the access log was checked: every link, head and segment up to this entry is whole."""

    sequence: int
    hash: str
