"""The framing kernel with its buffers and its state: bytes in, framed messages out, block by block.

Always true: memory is bounded by the block, not by the input; buffers are reused, so a `Framed` is
valid only until the next one is asked for; the snapshot holds every bit of state that spans calls.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.formats.ais import columns, framing
from shiprider.formats.ais.compiled import tables
from shiprider.formats.ais.layout import LONGEST_SYMBOLS
from shiprider.formats.decoded import REJECTS, Counts, DecodeContext
from shiprider.model.errors import InputError

#: Bytes framed at a time: small enough to stay in the processor's caches, large enough to amortise calls.
BLOCK_BYTES: Final = 1 << 19
#: Whether anything tells the time is asked after so many bytes of a recording, at a block's end.
STRETCH_BYTES: Final = 1 << 20
_PADDING: Final = 640
#: No AIS sentence is shorter: `!AIVDM,1,1,,,0,0*00`.
_SHORTEST: Final = 18
_MAGIC: Final = b"AISF\x01"
_REASONS: Final = pa.array(framing.REASONS)
_NO_REJECTS: Final = REJECTS.empty_table()


@dataclass(frozen=True, slots=True)
class Framed:
    """Messages of one block: `meta` as in framing.py, bits in `stream`, stations in `pool`.

    `size` is the block's length in octets; `closes` tells that a stretch of STRETCH_BYTES, or the call, ends.
    """

    meta: NDArray[np.int64]
    stream: NDArray[np.uint8]
    pool: NDArray[np.uint8]
    rejects: pa.Table
    counts: Counts
    stamped: bool
    untimed: int
    size: int
    closes: bool

    def objects(self, rows: NDArray[np.int64]) -> pa.Array:
        """The JSON object of each message, as a text column."""
        out, offsets = written(self, rows, np.empty(400 * len(rows) + 65_536, np.uint8), 0)
        return pa.Array.from_buffers(
            pa.string(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(out)], 0
        )


def written(
    framed: Framed, rows: NDArray[np.int64], out: NDArray[np.uint8], at: int
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """JSON objects of `rows` from out[at:]: the octets, in a larger array where they need it, and where each begins."""
    wire = tables()
    offsets = np.empty(len(rows) + 1, np.int32)
    offsets[0] = at
    done = 0
    while True:
        done = columns.objects(
            framed.stream,
            framed.meta,
            rows,
            done,
            wire.layout_rows,
            wire.items,
            wire.scales,
            wire.groups,
            wire.records,
            wire.names,
            out,
            int(offsets[done]),
            offsets,
        )
        if done == len(rows):
            return out, offsets
        grown = np.empty(2 * len(out), np.uint8)
        grown[: offsets[done]] = out[: offsets[done]]
        out = grown


class Framer:
    """Holds the state of one stream of sentences."""

    def __init__(self, context: DecodeContext) -> None:
        self._wall = context.received_clock == "wall"
        self._start_us = -1 if context.start_us is None else context.start_us
        self._nature = int(context.nature)
        self._receiver_kind = int(context.receiver_kind)
        self._arms = framing.armour()
        self._hexes = framing.hexadecimal()
        self._state = np.zeros(framing.STATE_LENGTH, np.int64)
        self._state[[framing.LATEST, framing.RUNNING, framing.CLOCK, framing.PENDING]] = -1
        self._ring = np.full((framing.RING_LENGTH, 4), -1, np.int64)
        self._ring_station = np.zeros((framing.RING_LENGTH, framing.STATION_BYTES), np.uint8)
        self._slots = np.zeros((framing.SLOTS, framing.SLOT_COLUMNS), np.int64)
        self._symbols = np.zeros((framing.SLOTS, framing.PARTS_MOST, framing.PART_SYMBOLS), np.uint8)
        self._slot_station = np.zeros((framing.SLOTS, framing.STATION_BYTES), np.uint8)
        self._pending_station = np.zeros(framing.STATION_BYTES, np.uint8)
        self._counts = np.zeros(framing.COUNTS, np.int64)
        # Stamp, tag block, $PGHP fields, sentence head, station, a part's symbols, those of all parts: the
        # kernel allocates nothing itself.
        self._scratch = (
            np.zeros(2, np.int64),
            np.zeros(6, np.int64),
            np.zeros(12, np.int64),
            np.zeros(10, np.int64),
            np.zeros(framing.STATION_BYTES, np.uint8),
            np.zeros(LONGEST_SYMBOLS + 32, np.uint8),
            np.zeros(framing.PARTS_MOST * framing.PART_SYMBOLS + 32, np.uint8),
        )
        self._room = 0

    def frames(
        self, data: bytes | memoryview, raw: int, received_us: int, *, final: bool = False
    ) -> Iterator[Framed]:
        """Frame whole lines, a block at a time; at least one (perhaps empty) result."""
        source = np.frombuffer(data, np.uint8)
        position = 0
        opened = 0
        first = True
        while position < len(source) or first:
            first = False
            end = self._line_end(source, position)
            self._reserve(end - position)
            closes = end >= len(source) or end - opened >= STRETCH_BYTES
            yield from self._block(source[position:end], raw + position, received_us, closes=closes)
            position = end
            if closes:
                opened = end
        yield from self._leftovers(received_us, final=final)

    def _line_end(self, source: NDArray[np.uint8], position: int) -> int:
        """The end of a block: just behind a line end, or the end of the data."""
        end = position + BLOCK_BYTES
        if end >= len(source):
            return len(source)
        step = 4_096
        while end < len(source):
            window = source[end - 1 : end - 1 + step]
            found = np.flatnonzero(window == 10)
            if len(found):
                return min(end + int(found[0]), len(source))
            end += step
        return len(source)

    def _reserve(self, size: int) -> None:
        if size <= self._room and self._room:
            return
        self._room = max(size, min(BLOCK_BYTES, 1 << 16))
        messages = self._room // _SHORTEST + framing.SLOTS + 64
        self._buffer = np.zeros(self._room + _PADDING, np.uint8)
        self._meta = np.empty((messages, framing.META_COLUMNS), np.int64)
        self._stream = np.empty(self._room * 3 // 4 + 24 * messages + 4096, np.uint8)
        self._pool = np.empty(self._room + framing.STATION_BYTES * (framing.SLOTS + 64), np.uint8)
        self._rejects = np.empty((3, messages + 8 * framing.SLOTS), np.int64)

    def _block(
        self, piece: NDArray[np.uint8], raw: int, received_us: int, *, closes: bool
    ) -> Iterator[Framed]:
        size = len(piece)
        self._buffer[:size] = piece
        self._buffer[size : size + _PADDING] = 0
        wire = tables()
        start = 0
        while True:
            framing.scan(
                self._buffer,
                start,
                size,
                raw + start,
                received_us,
                self._wall,
                self._start_us,
                self._nature,
                self._receiver_kind,
                self._arms,
                self._hexes,
                wire.layout_rows,
                wire.tests,
                wire.types,
                self._state,
                self._ring,
                self._ring_station,
                self._slots,
                self._symbols,
                self._slot_station,
                self._pending_station,
                *self._scratch,
                self._meta,
                self._stream,
                self._pool,
                self._rejects,
                self._counts,
            )
            begun = start
            start = int(self._counts[framing.N_POSITION])
            yield self._framed(start - begun, closes=closes and start >= size)
            if start >= size:
                return

    def _leftovers(self, received_us: int, *, final: bool) -> Iterator[Framed]:
        if not self._slots[:, framing.S_USED].any():
            return
        more = True
        while more:
            framing.sweep(
                self._slots, self._state, final, received_us, self._wall, self._rejects, self._counts
            )
            more = bool(self._counts[framing.N_FULL])
            if self._counts[framing.N_REJECTS]:
                yield self._framed(0, closes=False)

    def _framed(self, size: int, *, closes: bool) -> Framed:
        counts = self._counts
        n = int(counts[framing.N_MESSAGES])
        rejected = int(counts[framing.N_REJECTS])
        rejects = _NO_REJECTS
        if rejected:
            rejects = pa.table(
                {
                    "raw": pa.array(self._rejects[0, :rejected].copy()),
                    "raw_length": pa.array(self._rejects[1, :rejected].astype(np.int32)),
                    "reason": _REASONS.take(pa.array(self._rejects[2, :rejected])),
                }
            )
        return Framed(
            self._meta[:n],
            self._stream,
            self._pool,
            rejects,
            Counts(
                int(counts[framing.N_LINES]),
                n,
                int(counts[framing.N_IGNORED]),
                rejected,
                int(counts[framing.N_STATION_BYTES]),
            ),
            bool(counts[framing.N_STAMPS]),
            int(counts[framing.N_UNTIMED]),
            size,
            closes,
        )

    def snapshot(self) -> bytes:
        """State, ring, open slots."""
        used = np.flatnonzero(self._slots[:, framing.S_USED]).astype(np.int64)
        pieces = [
            self._state.tobytes(),
            self._ring.tobytes(),
            self._ring_station.tobytes(),
            self._pending_station.tobytes(),
            used.tobytes(),
            self._slots[used].tobytes(),
            self._symbols[used].tobytes(),
            self._slot_station[used].tobytes(),
        ]
        return _MAGIC + struct.pack("<q", len(used)) + b"".join(pieces)

    def restore(self, state: bytes) -> None:
        """The inverse. Raises `InputError` where the bytes are no snapshot of this version."""
        head = len(_MAGIC) + 8
        if state[: len(_MAGIC)] != _MAGIC or len(state) < head:
            raise InputError(
                "The decoder's saved state is of another version: replay the spool from its start."
            )
        (count,) = struct.unpack("<q", state[len(_MAGIC) : head])
        position = head

        def take(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[np.generic]:
            nonlocal position
            size = int(np.prod(shape)) * np.dtype(kind).itemsize
            piece = state[position : position + size]
            if len(piece) != size:
                raise InputError("The decoder's saved state is cut short: replay the spool from its start.")
            position += size
            return np.frombuffer(piece, kind).reshape(shape)

        self._state[:] = take(self._state.shape, np.int64)
        self._ring[:] = take(self._ring.shape, np.int64)
        self._ring_station[:] = take(self._ring_station.shape, np.uint8)
        self._pending_station[:] = take(self._pending_station.shape, np.uint8)
        used = take((count,), np.int64).astype(np.int64)
        self._slots[:] = 0
        self._slots[used] = take((count, framing.SLOT_COLUMNS), np.int64)
        self._symbols[used] = take((count, framing.PARTS_MOST, framing.PART_SYMBOLS), np.uint8)
        self._slot_station[used] = take((count, framing.STATION_BYTES), np.uint8)
