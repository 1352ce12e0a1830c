"""Access log: who saw, searched, exported, released or was refused what, and why.

Always true: what `append` returned is durable; entries are chained, so that deletion, edit, reorder and
truncation are found against a signed head. A caller that cannot append must refuse the access.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from shiprider.model.access_entry import AccessEntry
from shiprider.ports.ledger import Head


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a log at a time, signed (`model.access_chain.head_bytes`); hex digits in lower case.

    `key` and `signature` are empty where the node has no keys yet.
    """

    origin: str
    sequence: int
    hash: str
    at_us: int
    key: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which entries; a filter that is empty does not filter. `start_us`, `end_us`: a half-open span.

    Answers come in order of sequence, or newest first, from after (before) `from_sequence` on.
    """

    who: str = ""
    object_id: str = ""
    act: str = ""
    outcome: str = ""
    case: str = ""
    start_us: int | None = None
    end_us: int | None = None
    newest_first: bool = False
    from_sequence: int | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class LogSegment:
    """Entries `first` to `last` in one file, with the span of their times; `removed` says why it went."""

    number: int
    first: int
    last: int
    first_us: int
    last_us: int
    bytes: int
    closed: bool
    removed: str


class AccessLog(Protocol):
    """One node's log of accesses."""

    def append(self, entries: Sequence[AccessEntry]) -> int:
        """Add all of them or none; durable on return; gives the last sequence number.

        Raises StorageError, DiskFull.
        """
        ...

    def since(
        self, sequence: int, *, limit: int = 1000, who: str = "", object_id: str = "", act: str = ""
    ) -> list[tuple[int, AccessEntry]]:
        """(sequence, entry) after a sequence number, in order; filters that are empty do not filter."""
        ...

    def search(self, question: Question) -> list[tuple[int, AccessEntry]]:
        """(sequence, entry) that match."""
        ...

    def head(self) -> Head:
        """The end of the log."""
        ...

    def signed_head(self) -> SignedHead:
        """The end of the log, signed: what a partner cosigns and an auditor takes away."""
        ...

    def segments(self) -> Sequence[LogSegment]:
        """All segments, removed ones included, oldest first."""
        ...

    def remove(self, segment: int, why: str) -> int:
        """Let a whole closed segment go, the oldest held only; its place in the chain stays; bytes freed."""
        ...

    def verify(self) -> Head:
        """Check every link from the first entry. Raises CorruptStore."""
        ...

    def close(self) -> None:
        """Finish what was begun and let go."""
        ...
