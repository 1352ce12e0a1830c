"""Ledger: the append-only log of human-scale facts.

Always true: what `append` returned is durable and is never changed; sequence numbers have no holes and
times of recording never go back; a revision is appended only on the revision it was decided on; a body
can be erased by law, its digest and its place in the chain stay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shiprider.model.record import Draft, Record


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: the last sequence number (0: empty) and its hash, 64 hex digits."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A draft and the terms by which its latest revision can be found (`mmsi:…`, `state:…`).

    Terms are this node's own index: derived, replaced by each revision, never signed or shared.
    """

    draft: Draft
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """Which latest revisions: every term given must match (a tuple of alternatives each).

    `start_us`, `end_us`: validity overlaps the half-open span. `after` is the last (order value, id) of
    the page before.
    """

    kind: str
    terms: tuple[tuple[str, ...], ...] = ()
    start_us: int | None = None
    end_us: int | None = None
    order: Literal["newest", "oldest"] = "newest"
    after: tuple[int, str] | None = None
    limit: int | None = None


#: The terms of a latest revision's body; None where the kind has none that can be made again.
TermsOf = Callable[[Record], Sequence[str] | None]


class Ledger(Protocol):
    """One node's log."""

    def append(self, drafts: Sequence[Draft | Filed]) -> list[Record]:
        """Add all of them or none, in order; durable on return.

        Raises Conflict where `expected_revision` is not the latest, DiskFull, StorageError.
        """
        ...

    def latest(self, record_id: str, *, known_us: int | None = None) -> Record:
        """The latest revision, or the latest that was recorded by `known_us`. Raises NotFound."""
        ...

    def latest_of(self, record_ids: Sequence[str]) -> dict[str, Record]:
        """Latest revisions of many; unknown ids are left out."""
        ...

    def of_kind(self, kind: str, *, known_us: int | None = None) -> list[Record]:
        """The latest revision of every record of a kind, as known at `known_us`, in order of sequence."""
        ...

    def find(self, query: Query) -> list[Record]:
        """Latest revisions that match, ordered by sequence."""
        ...

    def count(self, query: Query) -> int:
        """How many `find` would give without `limit` and `after`."""
        ...

    def history(self, record_id: str) -> list[Record]:
        """Every revision, oldest first. Raises NotFound."""
        ...

    def since(self, sequence: int, *, limit: int = 1000, kinds: Sequence[str] = ()) -> list[Record]:
        """Records after a sequence number, in order."""
        ...

    def erase(self, record_id: str, revision: int, *, author: str, authority: str, reason: str) -> Record:
        """Remove a body by law: the act is itself a record (kind `erasure`), which is returned."""
        ...

    def head(self, *, known_us: int | None = None) -> Head:
        """The end of the log, or where it ended when everything recorded by `known_us` was in it."""
        ...

    def verify(self, terms_of: TermsOf | None = None) -> Head:
        """Check every digest, link and erasure from the first record. Raises CorruptStore.

        With `terms_of`, also that every latest revision is found by the terms of its body.
        """
        ...

    def close(self) -> None:
        """Finish what was begun and let go."""
        ...
