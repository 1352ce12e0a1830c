"""The watch log and the handover."""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.alerts import AlertOut
from shiprider.api.schemas.base import LongText, Microseconds, RecordId, Request, Struct
from shiprider.api.schemas.marking import Marking


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
