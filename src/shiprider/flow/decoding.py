"""From stored chunks to rows of the lake: decode, observe, quarantine. One order for live and rebuild.

Always true: the rows depend only on the stored chunks and their order, never on when or in which
batches they are taken; a snapshot restored goes on as if nothing had happened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from shiprider.flow.quarantine import quarantine_rows, refused_chunk
from shiprider.formats.decoded import DecodeContext, Decoder
from shiprider.model.errors import InputError
from shiprider.model.label import number_of
from shiprider.model.tables import TABLES as SCHEMAS
from shiprider.model.tables import raw_parts
from shiprider.ports.spool import Source, Spool, Stored

#: So many first bytes of a source are kept to recognise its format again.
HEAD_BYTES: Final = 1 << 16

#: The tables that come straight from the spool.
TABLES: Final = ("observations", "statements", "messages", "quarantine")


class Observe(Protocol):
    """What `observe.cleaner.Cleaner` offers."""

    def clean(
        self, observations: pa.Table, statements: pa.Table, messages: pa.Table
    ) -> tuple[pa.Table, pa.Table, pa.Table]:
        """The same rows, marked."""
        ...

    def snapshot(self) -> bytes:
        """State across calls."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        ...


#: (source, its first bytes) -> a decoder for it. Raises InputError where nobody can read it.
OpenDecoder = Callable[[Source, bytes], Decoder]


def context_of(source: Source) -> DecodeContext:
    """What a decoder is told of a source: all of it is kept in the spool, so a rebuild tells the same."""
    declared = source.declaration
    return DecodeContext(
        feed=declared.name,
        sensor=declared.sensor,
        nature=declared.nature,
        receiver_kind=declared.receiver_kind,
        start_us=declared.start_us,
        received_clock=declared.received_clock,
        label_id=number_of(declared.label),
    )


def open_by_content(source: Source, head: bytes) -> Decoder:
    """The decoder for a source: as declared, else by its first bytes. Raises InputError.

    A connection (no digest) that declares nothing carries sentences: its first bytes may be cut.
    """
    context = context_of(source)
    if source.declaration.columns:
        from shiprider.formats.csv.layouts import declared as layout
        from shiprider.formats.sniffing import open_decoder

        tables = (layout(source.declaration.columns, "The declared column map"),)
        return open_decoder(head, context, tables, source.origin.file or source.declaration.name)
    if source.declaration.format == "nmea" or not (source.declaration.format or source.origin.digest):
        from shiprider.formats.ais.decoder import AisDecoder

        return AisDecoder(context)
    from shiprider.formats.sniffing import open_decoder

    return open_decoder(head, context, source=source.origin.file or source.declaration.name)


@dataclass(frozen=True, slots=True)
class Rows:
    """What came out of one chunk: the tables of `TABLES`, complete up to `end`."""

    tables: Mapping[str, pa.Table]
    end: int

    @property
    def observations(self) -> pa.Table:
        """Positions."""
        return self.tables["observations"]

    @property
    def statements(self) -> pa.Table:
        """Static and voyage claims."""
        return self.tables["statements"]

    @property
    def messages(self) -> pa.Table:
        """Texts and binary messages."""
        return self.tables["messages"]

    @property
    def quarantine(self) -> pa.Table:
        """What could not be decoded."""
        return self.tables["quarantine"]


#: What the open decoders keep: source -> (its first bytes, snapshot).
DecoderStates = dict[int, tuple[bytes, bytes]]


class _Snapshot(msgspec.Struct, frozen=True):
    sources: DecoderStates
    observe: bytes


class Decoding:
    """Holds a decoder per open source, and the observer's state.

    `decoded` and `observed` may be called from two threads, each of them in the order of the chunks.
    """

    def __init__(self, spool: Spool, open_decoder: OpenDecoder, observe: Observe) -> None:
        self._spool = spool
        self._open_decoder = open_decoder
        self._observe = observe
        self._decoders: dict[int, tuple[bytes, Decoder]] = {}

    def rows(self, stored: Stored, data: bytes) -> Rows:
        """The rows of the next chunk, decoded and observed."""
        return self.observed(self.decoded(stored, data))

    def observed(self, decoded: Rows) -> Rows:
        """The same rows, judged and marked."""
        *claims, rejects = TABLES
        cleaned = self._observe.clean(*(decoded.tables[name] for name in claims))
        tables = dict(zip(claims, cleaned, strict=True)) | {rejects: decoded.tables[rejects]}
        return Rows(tables, decoded.end)

    def decoded(self, stored: Stored, data: bytes) -> Rows:
        """The rows of the next chunk, not yet observed."""
        source = self._spool.sources()[stored.source]
        try:
            decoder = self._decoder(source, data)
            decoded = decoder.decode(data, stored.raw, stored.received_us, stored.final)
        except InputError as error:
            # Unreadable as a whole: kept as one entry, so that a fixed decoder can try again.
            whole = refused_chunk(stored, str(error))
            tables = {name: SCHEMAS[name].empty_table() for name in TABLES}
            tables["quarantine"] = quarantine_rows(whole, stored, data, source, self._spool)
            return Rows(tables, stored.end)
        finally:
            if stored.final:
                self._decoders.pop(source.number, None)
        claims = (decoded.observations, decoded.statements, decoded.messages)
        rejects = quarantine_rows(decoded.rejects, stored, data, source, self._spool)
        found = (*(self._readable(table, stored) for table in claims), rejects)
        return Rows(dict(zip(TABLES, found, strict=True)), stored.end)

    def _readable(self, table: pa.Table, stored: Stored) -> pa.Table:
        """`raw_length` such that the spool can read it.

        Parts of one message may lie in two segments, and no span of addresses covers both: then the
        length is that of the first part's line.
        """
        raw = table.column("raw").to_numpy()
        segment = raw_parts(stored.raw)[0]
        astray = np.flatnonzero(raw >> 32 != segment)
        if not len(astray):
            return table
        length = table.column("raw_length").to_numpy().copy()
        for row in astray:
            length[row] = self._line_length(int(raw[row]))
        place = table.schema.get_field_index("raw_length")
        return table.set_column(place, table.schema.field(place), pa.array(length, pa.int32()))

    def _line_length(self, raw: int) -> int:
        chunk = self._spool.locate(raw)
        data = self._spool.read(raw, chunk.end - raw)
        return data.find(b"\n") + 1 or len(data)

    def try_out(self, source: Source, data: bytes) -> None:
        """Decode the beginning of a source and throw it away. Raises InputError if it cannot be."""
        self._open_decoder(source, data[:HEAD_BYTES]).decode(data, 0, 0)

    def _decoder(self, source: Source, data: bytes) -> Decoder:
        found = self._decoders.get(source.number)
        if found is None:
            head = bytes(data[:HEAD_BYTES])
            found = self._decoders[source.number] = (head, self._open_decoder(source, head))
        return found[1]

    def snapshot(self) -> bytes:
        """All state, so that `restore` goes on from here."""
        return self.joined(self.decoder_states())

    def decoder_states(self) -> DecoderStates:
        """The decoders' half of a snapshot: taken where `decoded` is called."""
        return {number: (head, d.snapshot()) for number, (head, d) in self._decoders.items()}

    def joined(self, decoders: DecoderStates) -> bytes:
        """A snapshot from the decoders' half: called where `observed` is, at the same chunk."""
        return msgspec.msgpack.encode(_Snapshot(decoders, self._observe.snapshot()))

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot; an empty one is the beginning."""
        if not state:
            return
        snapshot = msgspec.msgpack.decode(state, type=_Snapshot)
        known = self._spool.sources()
        for number, (head, inner) in snapshot.sources.items():
            decoder = self._open_decoder(known[number], head)
            decoder.restore(inner)
            self._decoders[number] = (head, decoder)
        self._observe.restore(snapshot.observe)
