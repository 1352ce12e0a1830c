"""Spool: every byte that came in, in order, for ever (until retention says otherwise).

Always true: bytes before `sync`'s answer survive a power cut; an address, once given, always reads
the same bytes; addresses grow (`model.tables.raw_address`), offsets are of uncompressed bytes; each
chunk keeps what is needed to decode it again to the same rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shiprider.ports.feed import Declaration, Origin, Taken


@dataclass(frozen=True, slots=True)
class Source:
    """One origin of one feed as the spool knows it; `number` is local to the spool."""

    number: int
    declaration: Declaration
    origin: Origin


@dataclass(frozen=True, slots=True)
class Stored:
    """One chunk as stored: `raw` is the address of its first byte."""

    raw: int
    length: int
    source: int
    file_offset: int
    received_us: int
    final: bool
    padding: bool

    @property
    def end(self) -> int:
        """The address after its last byte: a position between chunks."""
        return self.raw + self.length


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """One segment: `length` in uncompressed bytes, `stored` on disk, removed ones with stored 0.

    `sha256` of the uncompressed bytes as the spool's chain has it; "" while it is not closed.
    """

    number: int
    length: int
    stored: int
    closed: bool
    removed: bool
    first_received_us: int
    last_received_us: int
    sources: tuple[int, ...]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What is durable of a segment: its first `length` bytes and their SHA-256; `whole`: none will follow.

    `index_sha256` is of what tells their chunks' sources and times of arrival. Both are "" where they are not known
    without reading: the segment is full, and being closed after a restart.
    """

    segment: int
    length: int
    sha256: str
    index_sha256: str
    whole: bool


class Spool(Protocol):
    """The truth of a node."""

    def source(self, declaration: Declaration, origin: Origin) -> Source:
        """The source for this origin of this feed: the known one, or a new one (durable with `sync`)."""
        ...

    def sources(self) -> Sequence[Source]:
        """All of them, in order of number."""
        ...

    def taken(self, feed: str) -> Sequence[Taken]:
        """What is held of each origin of a feed."""
        ...

    def append(
        self,
        source: int,
        data: bytes,
        *,
        file_offset: int,
        received_us: int,
        final: bool = False,
        padding: bool = False,
    ) -> Stored:
        """Add one chunk (at least one byte). Durable only after `sync`.

        Raises DiskFull: then what is not before `end()` is gone from the spool and must be appended
        again. (Closing a full segment syncs it, so chunks appended since the last `sync` may be durable.)
        """
        ...

    def sync(self) -> int:
        """Make all of it durable; the position after the last byte. Raises DiskFull as `append`."""
        ...

    def roll(self) -> None:
        """Go on in a new segment, where there is anything in this one. Raises DiskFull, StorageError."""
        ...

    def end(self) -> int:
        """The durable position: what `sync` said last."""
        ...

    def start(self) -> int:
        """The first address still held."""
        ...

    def read(self, raw: int, length: int) -> bytes:
        """The bytes at an address (within one segment). Raises NotFound, CorruptStore."""
        ...

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[tuple[Stored, bytes]]:
        """Durable chunks with `raw >= start` and before `end`, in order."""
        ...

    def locate(self, raw: int) -> Stored:
        """The chunk that holds an address. Raises NotFound."""
        ...

    def sources_between(self, first: int, last: int) -> set[int]:
        """Numbers of the sources that have bytes from address `first` to address `last`."""
        ...

    def segments(self) -> Sequence[SegmentInfo]:
        """All segments, removed ones included."""
        ...

    def prefixes(self) -> Sequence[Prefix]:
        """What is durable of each segment still held, in order.

        The hash is of the bytes as they were handed over, at no cost of reading them again.
        """
        ...

    def prefix_hashes(self, segment: int, lengths: Sequence[int]) -> list[tuple[str, str]]:
        """SHA-256 of a segment's first bytes and of their index, for each of the ascending `lengths`, as the disk has them.

        Fewer than were asked for where the segment is shorter, gone or unreadable.
        """
        ...

    def sources_hash(self, count: int | None = None) -> tuple[int, str]:
        """How many sources there are, and a SHA-256 of them in order; with `count` of the first as the disk has them."""
        ...

    def keep_pieces(self, segment: int, name: str, data: bytes) -> None:
        """Keep what was fixed of a segment (`flow.pieces`), durable on return; it goes when the segment does.

        Raises DiskFull, StorageError.
        """
        ...

    def pieces(self, segment: int) -> Mapping[str, bytes]:
        """What was kept so, by name."""
        ...

    def remove(self, segment: int, why: str) -> int:
        """Remove a closed segment's bytes for good (its hash stays); bytes freed."""
        ...

    def verify(self) -> Iterator[SegmentInfo]:
        """Read everything against its hashes, segment by segment. Raises CorruptStore."""
        ...

    def copy_to(self, folder: Path) -> None:
        """A whole copy of all that is durable now, which opens as a spool; appending goes on meanwhile.

        Raises DiskFull, StorageError.
        """
        ...

    def trouble(self) -> str:
        """One sentence while work in the background (closing segments) cannot be done, else ""."""
        ...

    def close(self) -> None:
        """Sync and let go."""
        ...
