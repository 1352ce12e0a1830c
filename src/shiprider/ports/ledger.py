"""Ledger: the append-only log of human-scale facts.

Always true: what `append` returned is durable and is never changed; sequence numbers have no holes and
times of recording never go back; a revision is appended only on the revision it was decided on; a body
can be erased by law, its digest and its place in the chain stay; every record is signed, and a signed tree head
covers every record. A read with `allowed` answers as if there were only the records of those classes: of an
id whose newest revision is of another class, the newest that is allowed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from shiprider.model.envelope import Fields
from shiprider.model.record import Draft, Record
from shiprider.model.release_class import ReleaseClass
from shiprider.model.signature import Check
from shiprider.model.tree_head import Inclusion, TreeHead


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


@dataclass(frozen=True)
class Allowed:
    """Which release classes a reader may see: numbers of `Ledger.classes`. A class that came later is not in it."""

    classes: frozenset[int]

    @cached_property
    def bits(self) -> bytes:
        """One byte per number from 0: 1 is allowed. It ends with the last allowed class; what is beyond is not."""
        made = bytearray(max(self.classes, default=-1) + 1)
        for number in self.classes:
            made[number] = 1
        return bytes(made)

    @cached_property
    def flags(self) -> str:
        """The same as the text of an SQL array: {0,1,1}."""
        return f"{{{','.join('01'[each] for each in self.bits)}}}"


@dataclass(frozen=True, slots=True)
class Query:
    """Which latest revisions: every term given must match (a tuple of alternatives each).

    `origin`: only that node's records; empty is any. `start_us`, `end_us`: validity overlaps the half-open span. `after` is the last (order value, id) of
    the page before. `allowed`: None is the node's own work, never a person's.
    """

    kind: str
    terms: tuple[tuple[str, ...], ...] = ()
    origin: str = ""
    start_us: int | None = None
    end_us: int | None = None
    order: Literal["newest", "oldest"] = "newest"
    after: tuple[int, str] | None = None
    limit: int | None = None
    allowed: Allowed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record of another node, as its originator signed it; whoever files it has checked that he did.

    It joins this node's log at its end; what this node writes of its coming is filed after it in the same append,
    so that what was known at a time is what stands up to the last record that was made here by then.
    """

    fields: Fields
    signature: bytes
    body: bytes
    terms: tuple[str, ...] = ()


#: The terms of a latest revision's body; None where the kind has none that can be made again.
TermsOf = Callable[[Record], Sequence[str] | None]


class Ledger(Protocol):
    """One node's log."""

    @property
    def origin(self) -> str:
        """Whose log it is: the origin of every record that is made here; what was received has another."""
        ...

    def check_others(self, check_of: Callable[[str], Check]) -> None:
        """Who can check the signatures of another node's records, by its origin; until then none is good."""
        ...

    def append(self, drafts: Sequence[Draft | Filed | Received]) -> list[Record]:
        """Add all of them or none, in order; durable on return.

        Raises Conflict where `expected_revision` is not the latest, where a received revision is not later than the
        one there is, or where a record's id is another node's; DiskFull, StorageError.
        """
        ...

    def classes(self) -> Mapping[int, ReleaseClass]:
        """Every release class there is a record of, by its number in this ledger; numbers are never used again."""
        ...

    def class_counts(self) -> Mapping[int, int]:
        """How many revisions with a body there are of each class, by its number; none of a class left out."""
        ...

    def latest(
        self, record_id: str, *, known_us: int | None = None, allowed: Allowed | None = None
    ) -> Record:
        """The latest revision, or the latest that was recorded by `known_us`. Raises NotFound."""
        ...

    def latest_of(self, record_ids: Sequence[str], *, allowed: Allowed | None = None) -> dict[str, Record]:
        """Latest revisions of many; unknown ids are left out."""
        ...

    def of_kind(
        self, kind: str, *, known_us: int | None = None, allowed: Allowed | None = None
    ) -> list[Record]:
        """The latest revision of every record of a kind, as known at `known_us`, in order of sequence."""
        ...

    def find(self, query: Query) -> list[Record]:
        """Latest revisions that match, ordered by sequence."""
        ...

    def count(self, query: Query) -> int:
        """How many `find` would give without `limit` and `after`."""
        ...

    def history(self, record_id: str, *, allowed: Allowed | None = None) -> list[Record]:
        """Every revision, oldest first. Raises NotFound."""
        ...

    def since(
        self,
        sequence: int,
        *,
        limit: int = 1000,
        kinds: Sequence[str] = (),
        allowed: Allowed | None = None,
    ) -> list[Record]:
        """Records after a sequence number, in order."""
        ...

    def erase(self, record_id: str, revision: int, *, author: str, authority: str, reason: str) -> Record:
        """Remove a body by law: the act is itself a record (kind `erasure`), which is returned."""
        ...

    def revisions_of(
        self, record_ids: Sequence[str], *, allowed: Allowed | None = None
    ) -> dict[str, list[int]]:
        """The numbers of all revisions of many, ascending; unknown ids are left out."""
        ...

    def head(self, *, known_us: int | None = None, allowed: Allowed | None = None) -> Head:
        """The end of the log, or where it ended when everything recorded by `known_us` was in it.

        With `allowed` it is of the records that may be seen alone: how many they are, and a hash of the newest.
        """
        ...

    def tree_head(self, size: int | None = None) -> TreeHead | None:
        """The newest signed head, or the first that covers `size` records; None where nothing was signed."""
        ...

    def inclusion(self, sequence: int, head: TreeHead) -> Inclusion:
        """That this record is under that head. Raises NotFound where it is not."""
        ...

    def consistency(self, old: int, new: int) -> list[bytes]:
        """RFC 6962's proof that the tree of `old` records is the beginning of that of `new`. Raises UsageError."""
        ...

    def verify(self, terms_of: TermsOf | None = None) -> Head:
        """Check every digest, link, signature, class and erasure, and the tree against its signed head.

        Raises CorruptStore.
        With `terms_of`, also that every latest revision is found by the terms of its body.
        """
        ...

    def close(self) -> None:
        """Finish what was begun and let go."""
        ...
