"""Feed: where bytes come from, declared by the adapter itself.

Always true: a chunk ends at a line end, or at the end of its source; the bytes of all chunks of one
source, in order, are the bytes of the source (after decompression), nothing left out; a feed that
restarts is told what the spool already holds and does not give it twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shiprider.model.codes import Nature, ReceiverKind

ReceivedClock = Literal["wall", "recording"]

#: Largest chunk a feed gives, bytes: bounds memory, and is far below a spool segment.
CHUNK_BYTES = 2 << 20

#: A line longer than this is no sentence of any supported format: it is cut there and quarantined.
LINE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an adapter says of itself and of what it carries.

    `format` is a hint ("" to look at the bytes); `columns` the TOML text of a table's declared columns, ""
    where none were (the text and not its place: a rebuild must read the same); `trust` in words ("unauthenticated broadcast");
    `rate_hz` the usual messages a second, None where unknown; `start_us` the operator's start time of
    an unstamped recording; `received_clock` says whether `received` comes from the wall or from the
    recording's own stamps; `label` is the stored text of the label that its rows carry (model/label.py).
    """

    name: str
    standard: str
    format: str = ""
    licence: str = ""
    trust: str = "unauthenticated broadcast"
    rate_hz: float | None = None
    units: str = "ITU-R M.1371"
    sensor: str = ""
    nature: Nature = Nature.DECLARED
    receiver_kind: ReceiverKind = ReceiverKind.UNKNOWN
    start_us: int | None = None
    received_clock: ReceivedClock = "wall"
    columns: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """One file, or one connection: `digest` is SHA-256 of the file as stored, "" for what never ends.

    `changed_ns` is the file's time of change when it was looked at: not part of what it is, but with
    name and size it spares reading a large file again only to know it.
    """

    file: str = ""
    digest: str = ""
    size: int = 0
    changed_ns: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one origin. `file_offset` counts decompressed bytes; `progress` stored bytes read.

    `final` marks the origin's last chunk; `padding` says that `data` is one line end that is not in
    the file, there only to carry `final`.
    """

    origin: Origin
    data: bytes
    file_offset: int
    received_us: int
    final: bool = False
    padding: bool = False
    progress: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What the spool already holds of one origin: bytes before `next_offset`; all of it if `complete`."""

    origin: Origin
    next_offset: int
    complete: bool


class Feed(Protocol):
    """A source of bytes."""

    @property
    def declaration(self) -> Declaration:
        """What it is."""
        ...

    @property
    def total_bytes(self) -> int | None:
        """Stored bytes there are to read, None where nobody can know."""
        ...

    def chunks(self, taken: Sequence[Taken]) -> Iterator[Chunk]:
        """Everything not yet taken, in order. Raises InputError, or StopFeed when it cannot go on.

        Files already complete are passed over. Ends when `stop` was called, or the source is over.
        """
        ...

    def stop(self) -> None:
        """Ask `chunks` to end soon; from any thread."""
        ...

    def notices(self) -> Sequence[str]:
        """What a person should know by now: one sentence each (drops, reconnections, cut files)."""
        ...
