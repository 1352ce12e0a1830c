"""What a decoder is told and what it gives: columns, never objects.

Always true: every table has its schema of `model/tables.py`; what could not be decoded is a reject
with its address, length and reason, so that no byte is lost without a word.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyarrow as pa

from shiprider.model.codes import Nature, ReceiverKind

#: Of what cannot be decoded: where it lies in the spool, how long it is, and why.
REJECTS = pa.schema(
    [
        pa.field("raw", pa.int64()),
        pa.field("raw_length", pa.int32()),
        pa.field("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeContext:
    """What the bytes do not say of themselves.

    `start_us` is the operator's start time of a recording without time stamps. `received_clock` says
    whether `received` is the wall clock handed in, or the recording's own running latest stamp. `label_id` is the number
    of the feed's label.
    """

    feed: str
    sensor: str = ""
    nature: Nature = Nature.DECLARED
    receiver_kind: ReceiverKind = ReceiverKind.UNKNOWN
    start_us: int | None = None
    received_clock: Literal["wall", "recording"] = "wall"
    label_id: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What was seen in one call: `ignored` lines are no error (comments, other sentences, blanks).

    `station_bytes` is the length of all receivers' names.
    """

    lines: int = 0
    messages: int = 0
    ignored: int = 0
    rejected: int = 0
    station_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Decoded:
    """One call's tables: observations, statements, messages (`model/tables.py`) and rejects (`REJECTS`)."""

    observations: pa.Table
    statements: pa.Table
    messages: pa.Table
    rejects: pa.Table
    counts: Counts = field(default_factory=Counts)


class Decoder(Protocol):
    """Whole lines in, tables out; what spans calls is in the snapshot."""

    def decode(self, data: bytes | memoryview, raw: int, received_us: int, final: bool = False) -> Decoded:
        """Decode whole lines whose first byte has address `raw`.

        Raises `UnstampedRecording` where nothing tells the time.
        """
        ...

    def snapshot(self) -> bytes:
        """All state that spans calls."""
        ...

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. Raises `InputError` where it is none of this decoder's."""
        ...
