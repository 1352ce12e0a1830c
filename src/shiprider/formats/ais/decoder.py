"""AIS bytes to the lake's columns.

Always true: rows come out in the order in which their messages were completed; the same bytes give the
same rows however they are cut into calls (at line ends; the first holds NEXT_STAMPS stamps, or all of them);
what spans calls is in `snapshot()`.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.formats.ais import columns, wanted
from shiprider.formats.ais.compiled import tables
from shiprider.formats.ais.framed import Framed, Framer, written
from shiprider.formats.ais.store import RECEIVER, Store, TextColumn, WriteTexts
from shiprider.formats.decoded import REJECTS, Counts, DecodeContext, Decoded
from shiprider.model.errors import UnstampedRecording
from shiprider.model.tables import MESSAGES, OBSERVATIONS, STATEMENTS

#: Octets of the longest receiver's name, text and payload kept (places.STATION_BYTES; 512 symbols).
_LONGEST_STATION = 32
_LONGEST_TEXT = 512
_LONGEST_PAYLOAD = 384


class AisDecoder:
    """Whole lines of AIS sentences in, tables out. One feed's stream; not for several threads."""

    def __init__(self, context: DecodeContext) -> None:
        self._context = context
        self._framer = Framer(context)
        observed = wanted.numbers(wanted.OBSERVED, wanted.OBSERVATION_TYPES)
        stated = wanted.numbers(wanted.STATED, wanted.STATEMENT_TYPES)
        messaged = wanted.numbers(wanted.MESSAGED)
        self._observations = Store(context, OBSERVATIONS, observed, {RECEIVER: _receiver()})
        self._statements = Store(
            context,
            STATEMENTS,
            stated,
            {
                RECEIVER: _receiver(),
                "callsign": _text("callsign"),
                "name": _text("shipname", "name", "name_ext"),
                "destination": _text("destination"),
            },
        )
        self._messages = Store(
            context,
            MESSAGES,
            messaged,
            {
                RECEIVER: _receiver(),
                "text": _text("text", "description"),
                "payload": TextColumn(pa.binary(), _LONGEST_PAYLOAD, _payloads),
                "fields": TextColumn(pa.string(), 400, _objects),
            },
        )
        self._rows = np.empty((3, 0), np.int64)
        self._found = np.zeros(3, np.int64)
        self._has_stamps = False

    def decode(self, data: bytes | memoryview, raw: int, received_us: int, final: bool = False) -> Decoded:
        """Decode whole lines whose first byte has address `raw`.

        Raises `UnstampedRecording` where a recording tells no time and no start was given.
        """
        counts = Counts()
        rejects: list[pa.Table] = []
        left = len(data)
        untimed = 0
        for framed in self._framer.frames(data, raw, received_us, final=final):
            self._has_stamps |= framed.stamped
            untimed += framed.untimed
            if framed.closes and untimed and not self._has_stamps:
                self._forget()
                raise UnstampedRecording(
                    f"The recording of feed {self._context.feed!r} carries no time stamps: give its start "
                    "time (start), or only decode it without ingesting."
                )
            if framed.closes:
                untimed = 0
            counts = _sum(counts, framed.counts)
            if framed.counts.rejected:
                rejects.append(framed.rejects())
            self._add(framed, left)
            left -= framed.size
        return Decoded(
            self._observations.table(),
            self._statements.table(),
            self._messages.table(),
            pa.concat_tables(rejects) if rejects else REJECTS.empty_table(),
            counts,
        )

    def snapshot(self) -> bytes:
        """All state that spans calls."""
        return (b"\1" if self._has_stamps else b"\0") + self._framer.snapshot()

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. Raises `InputError` where it is none of this decoder's."""
        self._framer.restore(state[1:])
        self._has_stamps = state[:1] == b"\1"

    def _add(self, framed: Framed, left: int) -> None:
        """Sort a block's messages into the tables; `left` octets of the call begin with this block."""
        n = len(framed.meta)
        if not n:
            return
        if self._rows.shape[1] < n:
            self._rows = np.empty((3, n), np.int64)
        columns.split(framed.meta, wanted.TABLES_OF, self._rows, self._found)
        # The rest of the call is expected to be like this block, and a little more.
        ratio = 1.0 if framed.size >= left else 1.05 * left / max(framed.size, 1)
        for store, rows, count in zip(
            (self._observations, self._statements, self._messages),
            self._rows,
            self._found.tolist(),
            strict=True,
        ):
            store.add(framed, rows[:count], int(count * ratio))

    def _forget(self) -> None:
        for store in (self._observations, self._statements, self._messages):
            store.table()


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        one.lines + other.lines,
        one.messages + other.messages,
        one.ignored + other.ignored,
        one.rejected + other.rejected,
        one.station_bytes + other.station_bytes,
    )


def _receiver() -> TextColumn:
    return TextColumn(pa.string(), _LONGEST_STATION, _stations)


def _stations(
    framed: Framed,
    rows: NDArray[np.int64],
    octets: NDArray[np.uint8],
    at: int,
    offsets: NDArray[np.int32],
    valid: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], int]:
    return octets, columns.stations(framed.pool, framed.meta, rows, octets, at, offsets, valid)


def _text(*names: str) -> TextColumn:
    spec = wanted.texts(*names)
    items = tables().items

    def write(
        framed: Framed,
        rows: NDArray[np.int64],
        octets: NDArray[np.uint8],
        at: int,
        offsets: NDArray[np.int32],
        valid: NDArray[np.bool_],
    ) -> tuple[NDArray[np.uint8], int]:
        return octets, columns.texts(
            framed.stream, framed.meta, rows, items, spec, octets, at, offsets, valid
        )

    written_texts: WriteTexts = write
    longest = int(min(_LONGEST_TEXT, max(items[spec[spec >= 0], 4].max() // 6 * 2, 8)))
    return TextColumn(pa.string(), longest, written_texts)


def _payloads(
    framed: Framed,
    rows: NDArray[np.int64],
    octets: NDArray[np.uint8],
    at: int,
    offsets: NDArray[np.int32],
    valid: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], int]:
    layouts = tables().layout_rows
    return octets, columns.payloads(framed.stream, framed.meta, rows, layouts, octets, at, offsets, valid)


def _objects(
    framed: Framed,
    rows: NDArray[np.int64],
    octets: NDArray[np.uint8],
    at: int,
    offsets: NDArray[np.int32],
    valid: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], int]:
    octets, offsets[:] = written(framed, rows, octets, at)
    valid[:] = True
    return octets, int(offsets[-1])
