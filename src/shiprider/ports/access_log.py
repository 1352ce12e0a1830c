"""Access log: who saw, searched, exported, released or was refused what, and why.

Always true: what `append` returned is durable; entries are chained, so that deletion, edit, reorder and
truncation are found against a signed head. A caller that cannot append must refuse the access.
"""

from collections.abc import Sequence
from typing import Protocol

from shiprider.model.access_entry import AccessEntry
from shiprider.ports.ledger import Head


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

    def head(self) -> Head:
        """The end of the log."""
        ...

    def verify(self) -> Head:
        """Check every link from the first entry. Raises CorruptStore."""
        ...

    def close(self) -> None:
        """Finish what was begun and let go."""
        ...
