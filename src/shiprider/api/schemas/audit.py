"""The access log, and browsing that nothing explains."""

from shiprider.api.schemas.base import Microseconds, Struct


class AuditEntry(Struct):
    """One line of the access log: who did, or was refused, what, to which objects, for what purpose.

    `who` is a login, `name` how that person's name read then; `asked` what was searched for, with the filters.
    """

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
    name: str
    asked: str


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
