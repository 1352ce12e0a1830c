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

from shiprider.formats.ais import columns, framing, places, stamping
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
_NOTHING: Final = np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Framed:
    """Messages of one block: `meta` as in framing.py, bits in `stream`, stations in `pool`.

    `rejected` has three rows: address, length, number of the reason. `size` is the block's length in octets;
    `closes` tells that a stretch of STRETCH_BYTES, or the call, ends.
    """

    meta: NDArray[np.int64]
    stream: NDArray[np.uint8]
    pool: NDArray[np.uint8]
    rejected: NDArray[np.int64]
    counts: Counts
    stamped: bool
    untimed: int
    size: int
    closes: bool

    def rejects(self) -> pa.Table:
        """What could not be decoded (`REJECTS`), copied. Made only where it is asked for: Arrow's conversions
        import a great deal, pandas too where it is installed, which `decode` need not wait for.
        """
        raw, length, reason = self.rejected
        return pa.table(
            [
                pa.array(raw.copy()),
                pa.array(length.astype(np.int32)),
                pa.array(places.REASONS).take(pa.array(reason)),
            ],
            schema=REJECTS,
        )

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

    def __init__(self, context: DecodeContext, *, patient: bool = True) -> None:
        """`patient`: lines whose stamp can only be judged by those to come wait for the next call."""
        self._wall = context.received_clock == "wall"
        self._patient = patient and not self._wall
        # Address and octets of the lines that wait, piece by piece.
        self._held: _Pieces = []
        self._ahead = np.zeros(stamping.NEXT_BYTES + 2 * _PADDING, np.uint8)
        self._ahead_end = 0
        self._start_us = -1 if context.start_us is None else context.start_us
        self._nature = int(context.nature)
        self._receiver_kind = int(context.receiver_kind)
        self._arms = framing.armour()
        self._hexes = framing.hexadecimal()
        self._state = np.zeros(places.STATE_LENGTH, np.int64)
        self._state[[places.LATEST, places.RUNNING, places.CLOCK, places.PENDING, places.PREVIOUS]] = -1
        self._ring = np.full((places.RING_LENGTH, 4), -1, np.int64)
        self._ring_station = np.zeros((places.RING_LENGTH, places.STATION_BYTES), np.uint8)
        self._slots = np.zeros((places.SLOTS, places.SLOT_COLUMNS), np.int64)
        self._symbols = np.zeros((places.SLOTS, places.PARTS_MOST, places.PART_SYMBOLS), np.uint8)
        self._slot_station = np.zeros((places.SLOTS, places.STATION_BYTES), np.uint8)
        self._pending_station = np.zeros(places.STATION_BYTES, np.uint8)
        self._counts = np.zeros(places.COUNTS, np.int64)
        # Stamp, tag block, $PGHP fields, sentence head, station, a part's symbols, those of all parts: the
        # kernel allocates nothing itself.
        self._scratch = (
            np.zeros(2, np.int64),
            np.zeros(6, np.int64),
            np.zeros(12, np.int64),
            np.zeros(10, np.int64),
            np.zeros(places.STATION_BYTES, np.uint8),
            np.zeros(LONGEST_SYMBOLS + 32, np.uint8),
            np.zeros(places.PARTS_MOST * places.PART_SYMBOLS + 32, np.uint8),
        )
        self._room = 0

    def frames(
        self, data: bytes | memoryview, raw: int, received_us: int, *, final: bool = False
    ) -> Iterator[Framed]:
        """Frame whole lines, a block at a time; at least one (perhaps empty) result."""
        pieces = [*self._held, (raw, np.frombuffer(data, np.uint8))]
        self._held = []
        waiting: _Pieces = []
        if self._patient and not final:
            size = sum(len(source) for _, source in pieces)
            pieces, waiting = _cut(pieces, _next_line(pieces, size - stamping.NEXT_BYTES))
        yield from self._pieces(pieces, waiting, received_us, closes=not waiting)
        if waiting:
            # Only now is the clock known at which these begin.
            joined = np.concatenate([source for _, source in waiting])
            buffer = np.zeros(len(joined) + _PADDING, np.uint8)
            buffer[: len(joined)] = joined
            clock = int(self._state[places.RUNNING])
            previous = int(self._state[places.PREVIOUS])
            at = stamping.undecided(buffer, 0, len(joined), clock, previous, self._scratch[0])
            waiting, held = _cut(waiting, int(at))
            self._held = [(address, source.copy()) for address, source in held]
            yield from self._pieces(waiting, held, received_us, closes=True)
        yield from self._leftovers(received_us, final=final)

    def _pieces(
        self, pieces: "_Pieces", behind: "_Pieces", received_us: int, *, closes: bool
    ) -> Iterator[Framed]:
        """Frame pieces of lines one after the other; `behind` is only looked at."""
        opened = 0
        for number, (address, source) in enumerate(pieces or [(0, _NOTHING)]):
            last = number + 1 >= len(pieces)
            position = 0
            while position < len(source) or (last and not position):
                end = self._line_end(source, position)
                self._reserve(end - position)
                whole = end >= len(source)
                closing = (whole and last and closes) or end - opened >= STRETCH_BYTES
                self._look_ahead([source[end:], *(s for _, s in (*pieces[number + 1 :], *behind))])
                yield from self._block(source[position:end], address + position, received_us, closes=closing)
                if closing:
                    opened = end
                if whole:
                    break
                position = end

    def _look_ahead(self, sources: "list[NDArray[np.uint8]]") -> None:
        """The next octets, so far as a stamp's judgement may need them."""
        at = 0
        if not self._wall:
            for source in sources:
                taken = source[: len(self._ahead) - _PADDING - at]
                self._ahead[at : at + len(taken)] = taken
                at += len(taken)
        self._ahead[at : at + _PADDING] = 0
        self._ahead_end = at

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
        messages = self._room // _SHORTEST + places.SLOTS + 64
        self._buffer = np.zeros(self._room + _PADDING, np.uint8)
        self._meta = np.empty((messages, places.META_COLUMNS), np.int64)
        self._stream = np.empty(self._room * 3 // 4 + 24 * messages + 4096, np.uint8)
        self._pool = np.empty(self._room + places.STATION_BYTES * (places.SLOTS + 64), np.uint8)
        self._rejects = np.empty((3, messages + 8 * places.SLOTS), np.int64)

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
                self._ahead,
                self._ahead_end,
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
            start = int(self._counts[places.N_POSITION])
            yield self._framed(start - begun, closes=closes and start >= size)
            if start >= size:
                return

    def _leftovers(self, received_us: int, *, final: bool) -> Iterator[Framed]:
        if not self._slots[:, places.S_USED].any():
            return
        more = True
        while more:
            framing.sweep(
                self._slots, self._state, final, received_us, self._wall, self._rejects, self._counts
            )
            more = bool(self._counts[places.N_FULL])
            if self._counts[places.N_REJECTS]:
                yield self._framed(0, closes=False)

    def _framed(self, size: int, *, closes: bool) -> Framed:
        counts = self._counts
        n = int(counts[places.N_MESSAGES])
        rejected = int(counts[places.N_REJECTS])
        return Framed(
            self._meta[:n],
            self._stream,
            self._pool,
            self._rejects[:, :rejected],
            Counts(
                int(counts[places.N_LINES]),
                n,
                int(counts[places.N_IGNORED]),
                rejected,
                int(counts[places.N_STATION_BYTES]),
            ),
            # Lines wait only for the sake of their stamps.
            bool(counts[places.N_STAMPS]) or bool(self._held),
            int(counts[places.N_UNTIMED]),
            size,
            closes,
        )

    def snapshot(self) -> bytes:
        """State, ring, open slots, lines that wait."""
        used = np.flatnonzero(self._slots[:, places.S_USED]).astype(np.int64)
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
        for address, source in self._held:
            pieces += [struct.pack("<qq", address, len(source)), source.tobytes()]
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
        self._slots[used] = take((count, places.SLOT_COLUMNS), np.int64)
        self._symbols[used] = take((count, places.PARTS_MOST, places.PART_SYMBOLS), np.uint8)
        self._slot_station[used] = take((count, places.STATION_BYTES), np.uint8)
        self._held = []
        while position < len(state):
            address, size = take((2,), np.int64).tolist()
            self._held.append((address, take((size,), np.uint8).astype(np.uint8)))


#: Stretches of lines: the address of the first octet, and the octets.
_Pieces = list[tuple[int, NDArray[np.uint8]]]


def _cut(pieces: _Pieces, at: int) -> tuple[_Pieces, _Pieces]:
    """What lies before and behind the octet `at`, counted over all pieces."""
    before: _Pieces = []
    behind: _Pieces = []
    for address, source in pieces:
        here = min(max(at, 0), len(source))
        if here:
            before.append((address, source[:here]))
        if here < len(source):
            behind.append((address + here, source[here:]))
        at -= len(source)
    return before, behind


def _next_line(pieces: _Pieces, at: int) -> int:
    """The first start of a line at or behind the octet `at`, counted over all pieces; 0 where `at` is not above 0."""
    if at <= 0:
        return 0
    passed = 0
    for _, source in pieces:
        ends = np.flatnonzero(source[max(at - 1 - passed, 0) :] == 10)
        if at <= passed + len(source) and len(ends):
            return max(at - 1, passed) + int(ends[0]) + 1
        passed += len(source)
    return passed
