"""The envelope: every human-scale fact is one immutable record; a change is a new revision.

Always true: a record is never edited; `digest` is of the exact stored bytes of the body, so a body
can be erased by law while the chain stays whole; `sequence` and `previous` are local to this node.
"""

from typing import Final

import msgspec

#: Kinds of records of the spine; later issues add theirs.
KINDS: Final = (
    "finding",
    "alert",
    "disposition",
    "note",
    "watch_log",
    "handover",
    "watchlist",
    "area",
    "legal_hold",
    "setting",
    "signing_key",
    "erasure",
    "agreement",
    "tear_line",
    "tear_line_link",
    "policy_change",
    "tear_line_proposal",
    "relabelling",
    "evidence_export",
    "browsing_alarm",
    "partner",
    "dispatch",
    "receipt",
    "recall",
    "withdrawal",
    "recall_answer",
    "spool_seal",
    "chat_message",
    "request",
    "request_answer",
    "alert_acknowledgement",
    "adoption",
    "foreign_report",
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one fact. Times in microseconds since 1970 UTC; `id` is 32 hex digits.

    `signature` is of the envelope's exact bytes (model/signature.py); empty in records older than signatures.
    """

    id: str
    kind: str
    revision: int
    schema: int
    origin: str
    author: str
    valid_from_us: int
    valid_to_us: int | None
    recorded_us: int
    label: str
    purpose: str
    case: str
    digest: str
    body: bytes | None
    signature: bytes
    sequence: int
    previous: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer hands to the ledger: the ledger adds sequence, previous and digest.

    `expected_revision` guards against two people deciding at once: the append fails with
    `Conflict` unless it is the latest revision (0 for a new record).
    """

    id: str
    kind: str
    expected_revision: int
    schema: int
    author: str
    valid_from_us: int
    valid_to_us: int | None = None
    label: str = ""
    purpose: str = ""
    case: str = ""
    body: bytes
