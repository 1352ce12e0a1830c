"""AIS bytes to the lake's columns.

Always true: rows come out in the order in which their messages were completed; the same bytes give the
same rows however they are cut into calls (at line ends); what spans calls is in `snapshot()`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.formats.ais import columns, framing
from shiprider.formats.ais.compiled import Tables, tables
from shiprider.formats.ais.framed import Framed, Framer
from shiprider.formats.ais.layout import TURN_FACTOR, Kind
from shiprider.formats.decoded import REJECTS, Counts, DecodeContext, Decoded
from shiprider.model.codes import IdentityKind, SensorKind, TransmitterClass
from shiprider.model.errors import UnstampedRecording
from shiprider.model.tables import MESSAGES, OBSERVATIONS, STATEMENTS

#: International knot in metres per second.
KNOT_MPS: Final = 1852 / 3600

#: Position sigma where the message says only high (<= 10 m) or low (> 10 m) accuracy, both read as 95 %:
#: IMO A.915(22) asks 10 m of GNSS at 95 %, and a plain receiver without augmentation stays within 30 m.
_SIGMA_HIGH_M: Final = 5.0
_SIGMA_LOW_M: Final = 15.0
#: Message 27 rounds to a tenth of a minute (185 m): sigma of a uniform error.
_SIGMA_COARSE_M: Final = 1852 / 10 / 12**0.5

_OBSERVATION_TYPES: Final = (1, 2, 3, 4, 9, 11, 18, 19, 21, 27)
_STATEMENT_TYPES: Final = (5, 19, 21, 24)
_LONG_RANGE: Final = 27

#: A raw value that no field has.
_NONE: Final = -(2**62)
#: (column, item name, raw value that means nothing here, factor to our unit); the first two (for messages
#: the first) are worked out in double precision.
_OBSERVED: Final[tuple[tuple[str, str, int, float], ...]] = (
    ("latitude_deg", "lat", _NONE, 1.0),
    ("longitude_deg", "lon", _NONE, 1.0),
    ("nav_status", "status", _NONE, 1.0),
    ("altitude_m", "alt", _NONE, 1.0),
    ("speed_mps", "speed", _NONE, KNOT_MPS),
    ("course_deg", "course", _NONE, 1.0),
    ("heading_deg", "heading", _NONE, 1.0),
    ("rate_of_turn_degpmin", "turn", _NONE, 1.0),
    ("position_sigma_m", "accuracy", _NONE, 1.0),
)
_STATED: Final[tuple[tuple[str, str, int, float], ...]] = (
    ("imo", "imo", 0, 1.0),
    ("mothership_mmsi", "mothership_mmsi", 0, 1.0),
    ("ship_type", "ship_type", 0, 1.0),
    ("to_bow_m", "to_bow", _NONE, 1.0),
    ("to_stern_m", "to_stern", _NONE, 1.0),
    ("to_port_m", "to_port", _NONE, 1.0),
    ("to_starboard_m", "to_starboard", _NONE, 1.0),
    ("draught_m", "draught", _NONE, 1.0),
    ("eta_month", "month", _NONE, 1.0),
    ("eta_day", "day", _NONE, 1.0),
    ("eta_hour", "hour", _NONE, 1.0),
    ("eta_minute", "minute", _NONE, 1.0),
)
_MESSAGED: Final[tuple[tuple[str, str, int, float], ...]] = (
    ("destination_id", "dest_mmsi", _NONE, 1.0),
    ("dac", "dac", _NONE, 1.0),
    ("fid", "fid", _NONE, 1.0),
)

_CLASS_OF: Final = {
    **dict.fromkeys((1, 2, 3, 5, 27), TransmitterClass.A),
    **dict.fromkeys((4, 16, 17, 20, 22, 23), TransmitterClass.BASE_STATION),
    9: TransmitterClass.SAR_AIRCRAFT,
    21: TransmitterClass.AID_TO_NAVIGATION,
    **dict.fromkeys((19, 24), TransmitterClass.B_CS),
}


@dataclass(frozen=True, slots=True)
class _Spec:
    """Which item of each layout fills each column of one table."""

    names: tuple[str, ...]
    places: NDArray[np.int64]
    factors: NDArray[np.float64]
    doubles: int


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numeric columns as the kernel wrote them: the first in `wide`, the others in `single`."""

    spec: _Spec
    wide: NDArray[np.float64]
    single: NDArray[np.float32]
    valid: NDArray[np.uint8]
    nulls: NDArray[np.int64]

    def column(self, name: str) -> NDArray[Any]:
        """The values; zero where null."""
        at = self.spec.names.index(name)
        return self.wide[at] if at < self.spec.doubles else self.single[at - self.spec.doubles]

    def same_nulls(self, name: str, other: str) -> None:
        """Make `name` null exactly where `other` is."""
        at, model = self.spec.names.index(name), self.spec.names.index(other)
        self.valid[at] = self.valid[model]
        self.nulls[at] = self.nulls[model]

    def arrow(self, name: str, kind: pa.DataType) -> pa.Array:
        """The column in the type the table wants."""
        at = self.spec.names.index(name)
        values = self.column(name)
        wanted = kind.to_pandas_dtype()
        if values.dtype != wanted:
            values = values.astype(wanted)
        bitmap = pa.py_buffer(self.valid[at]) if self.nulls[at] else None
        return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(values)], int(self.nulls[at]))


def _spec(
    wire: Tables, wanted: tuple[tuple[str, str, int, float], ...], types: tuple[int, ...], doubles: int
) -> _Spec:
    places = np.zeros((len(wire.layouts), len(wanted), 6), np.int64)
    places[:, :, 0] = -1
    factors = np.zeros((len(wire.layouts), len(wanted), 2))
    for number, layout in enumerate(wire.layouts):
        if types and layout.message_type not in types:
            continue
        fields = {item.name: item for item in layout.fields if item.first >= 0}
        for column, (_, name, nothing, factor) in enumerate(wanted):
            if name not in fields:
                continue
            item = fields[name]
            signed = item.kind in (Kind.INT, Kind.SIGNED_DECIMAL, Kind.TURN)
            turn = item.kind == Kind.TURN
            missing = nothing if item.missing is None else item.missing
            places[number, column] = item.first, item.width, signed, missing, nothing, turn
            # ROT_AIS = 4.733 sqrt(rate): the kernel squares.
            scale = 1 / TURN_FACTOR if turn else item.scale * factor
            factors[number, column] = scale, item.offset * factor
    return _Spec(tuple(row[0] for row in wanted), places, factors, doubles)


def _text_spec(wire: Tables, *names: str) -> NDArray[np.int64]:
    spec = np.full((len(wire.layouts), 2), -1, np.int64)
    for number in range(len(wire.layouts)):
        found = [wire.item_of[number][name] for name in names if name in wire.item_of[number]]
        spec[number, : len(found[:2])] = found[:2]
    return spec


class AisDecoder:
    """Whole lines of AIS sentences in, tables out. One feed's stream; not for several threads."""

    def __init__(self, context: DecodeContext) -> None:
        self._context = context
        self._framer = Framer(context)
        self._wire = tables()
        self._observed = _spec(self._wire, _OBSERVED, _OBSERVATION_TYPES, 2)
        self._stated = _spec(self._wire, _STATED, _STATEMENT_TYPES, 2)
        self._messaged = _spec(self._wire, _MESSAGED, (), 1)
        self._callsign = _text_spec(self._wire, "callsign")
        self._name = _text_spec(self._wire, "shipname", "name", "name_ext")
        self._destination = _text_spec(self._wire, "destination")
        self._text = _text_spec(self._wire, "text", "description")
        self._has_stamps = False

    def decode(self, data: bytes | memoryview, raw: int, received_us: int, final: bool = False) -> Decoded:
        """Decode whole lines whose first byte has address `raw`.

        Raises `UnstampedRecording` where a recording tells no time and no start was given.
        """
        parts: list[Decoded] = []
        for framed in self._framer.frames(data, raw, received_us, final=final):
            self._has_stamps |= framed.stamped
            if framed.untimed and not self._has_stamps:
                raise UnstampedRecording(
                    f"The recording of feed {self._context.feed!r} carries no time stamps: give its start "
                    "time (start), or only decode it without ingesting."
                )
            parts.append(self._tables(framed))
        if len(parts) == 1:
            return parts[0]
        return _joined(parts)

    def snapshot(self) -> bytes:
        """All state that spans calls."""
        return (b"\1" if self._has_stamps else b"\0") + self._framer.snapshot()

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. Raises `InputError` where it is none of this decoder's."""
        self._framer.restore(state[1:])
        self._has_stamps = state[:1] == b"\1"

    # -- from frames to tables -------------------------------------------------------------------

    def _tables(self, framed: Framed) -> Decoded:
        kinds = framed.meta[framing.TYPE]
        observed = _TYPE_MASKS["observations"][kinds].nonzero()[0]
        stated = _TYPE_MASKS["statements"][kinds].nonzero()[0]
        messaged = _TYPE_MASKS["messages"][kinds].nonzero()[0]
        return Decoded(
            self._observations(framed, observed),
            self._statements(framed, stated),
            self._messages(framed, messaged),
            framed.rejects,
            framed.counts,
        )

    def _numbers(self, framed: Framed, rows: NDArray[np.int64], spec: _Spec) -> _Numbers:
        n = len(rows)
        count = len(spec.names)
        wide = np.empty((spec.doubles, n))
        single = np.empty((count - spec.doubles, n), np.float32)
        valid = np.zeros((count, n // 8 + 1), np.uint8)
        nulls = np.zeros(count, np.int64)
        columns.numbers(
            framed.words,
            framed.meta,
            rows,
            spec.places,
            spec.factors,
            wide,
            single,
            valid,
            nulls,
        )
        return _Numbers(spec, wide, single, valid, nulls)

    def _texts(self, framed: Framed, rows: NDArray[np.int64], spec: NDArray[np.int64]) -> pa.Array:
        n = len(rows)
        room = int((framed.meta[framing.BITS][rows] // 6).sum()) + 8
        out = np.empty(room, np.uint8)
        offsets = np.empty(n + 1, np.int32)
        valid = np.empty(n, np.bool_)
        columns.texts(framed.words, framed.meta, rows, self._wire.items, spec, out, offsets, valid)
        return _strings(out, offsets, valid)

    def _origin(self, framed: Framed, rows: NDArray[np.int64]) -> dict[str, pa.Array]:
        n = len(rows)
        longs = np.empty((4, n), np.int64)
        integers = np.empty((3, n), np.int32)
        codes = np.empty((5, n), np.int8)
        sigma = np.empty(n, np.float32)
        columns.origins(framed.words, framed.meta, rows, _CLASS_TABLE, longs, integers, codes, sigma)
        return {
            "time": _plain(longs[0], pa.timestamp("us", tz="UTC")),
            "time_source": _plain(codes[0], pa.int8()),
            "time_sigma_s": _plain(sigma, pa.float32()),
            "received": _plain(longs[1], pa.timestamp("us", tz="UTC")),
            "feed": _constant(self._context.feed, pa.string(), n),
            "sensor": _constant(self._context.sensor, pa.string(), n),
            "receiver": self._receiver(framed, rows),
            "receiver_kind": _plain(codes[1], pa.int8()),
            "kind": _constant(int(SensorKind.AIS), pa.int8(), n),
            "claimed_id": _plain(longs[2], pa.int64()),
            "claimed_id_kind": _constant(int(IdentityKind.MMSI), pa.int8(), n),
            "transmitter_class": _plain(codes[2], pa.int8()),
            "message_type": _plain(codes[3], pa.int8()),
            "nature": _plain(codes[4], pa.int8()),
            "flaws": _plain(integers[1], pa.int32()),
            "duplicate_of": _constant(None, pa.int64(), n),
            "label_id": _constant(0, pa.int32(), n),
            "raw": _plain(longs[3], pa.int64()),
            "raw_length": _plain(integers[0], pa.int32()),
            "day": _plain(integers[2], pa.date32()),
        }

    def _receiver(self, framed: Framed, rows: NDArray[np.int64]) -> pa.Array:
        if not framed.counts.station_bytes:
            return _constant(None, pa.string(), len(rows))
        lengths = framed.meta[framing.STATION_LENGTH]
        out = np.empty(int(lengths[rows].sum()) + 1, np.uint8)
        offsets = np.empty(len(rows) + 1, np.int32)
        columns.gather(framed.pool, framed.meta[framing.STATION], lengths, rows, out, offsets)
        return _strings(out, offsets, np.diff(offsets) > 0)

    def _observations(self, framed: Framed, rows: NDArray[np.int64]) -> pa.Table:
        found = self._numbers(framed, rows, self._observed)
        # The accuracy flag becomes a sigma; without a position there is none.
        sigma = found.column("position_sigma_m")
        sigma[:] = np.where(sigma > 0, np.float32(_SIGMA_HIGH_M), np.float32(_SIGMA_LOW_M))
        coarse = (framed.meta[framing.TYPE][rows] == _LONG_RANGE).nonzero()[0]
        if len(coarse):
            sigma[coarse] = np.hypot(sigma[coarse], np.float32(_SIGMA_COARSE_M))
        found.same_nulls("position_sigma_m", "latitude_deg")
        data = self._origin(framed, rows)
        for name in self._observed.names:
            data[name] = found.arrow(name, OBSERVATIONS.field(name).type)
        return pa.Table.from_arrays([data[name] for name in OBSERVATIONS.names], schema=OBSERVATIONS)

    def _statements(self, framed: Framed, rows: NDArray[np.int64]) -> pa.Table:
        found = self._numbers(framed, rows, self._stated)
        # All four dimensions zero means that none is known (M.1371-5 figure 41).
        sizes = [found.column(name) for name in ("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m")]
        unknown = (sizes[0] == 0) & (sizes[1] == 0) & (sizes[2] == 0) & (sizes[3] == 0)
        data = self._origin(framed, rows)
        for name in self._stated.names:
            array = found.arrow(name, STATEMENTS.field(name).type)
            if name.startswith("to_"):
                array = pc.if_else(pa.array(unknown), pa.scalar(None, array.type), array)
            data[name] = array
        data["callsign"] = self._texts(framed, rows, self._callsign)
        data["name"] = self._texts(framed, rows, self._name)
        data["destination"] = self._texts(framed, rows, self._destination)
        return pa.Table.from_arrays([data[name] for name in STATEMENTS.names], schema=STATEMENTS)

    def _messages(self, framed: Framed, rows: NDArray[np.int64]) -> pa.Table:
        found = self._numbers(framed, rows, self._messaged)
        data = self._origin(framed, rows)
        for name in self._messaged.names:
            data[name] = found.arrow(name, MESSAGES.field(name).type)
        data["text"] = self._texts(framed, rows, self._text)
        data["payload"] = self._payload(framed, rows)
        data["fields"] = framed.objects(rows)
        return pa.Table.from_arrays([data[name] for name in MESSAGES.names], schema=MESSAGES)

    def _payload(self, framed: Framed, rows: NDArray[np.int64]) -> pa.Array:
        n = len(rows)
        out = np.empty(int((framed.meta[framing.BITS][rows] // 8 + 1).sum()) + 8, np.uint8)
        offsets = np.empty(n + 1, np.int32)
        valid = np.empty(n, np.bool_)
        columns.payloads(framed.words, framed.meta, rows, self._wire.layout_rows, out, offsets, valid)
        return pa.Array.from_buffers(
            pa.binary(), n, [_bitmap(valid), pa.py_buffer(offsets), pa.py_buffer(out)], int(n - valid.sum())
        )


def _masks() -> dict[str, NDArray[np.bool_]]:
    observed = np.zeros(32, np.bool_)
    observed[list(_OBSERVATION_TYPES)] = True
    stated = np.zeros(32, np.bool_)
    stated[list(_STATEMENT_TYPES)] = True
    return {"observations": observed, "statements": stated, "messages": ~(observed | stated)}


_TYPE_MASKS: Final = _masks()
_CLASS_TABLE: Final = np.array([int(_CLASS_OF.get(n, TransmitterClass.UNKNOWN)) for n in range(32)], np.int8)
_CONSTANTS: dict[tuple[object, pa.DataType], pa.Array] = {}


def _constant(value: object, kind: pa.DataType, n: int) -> pa.Array:
    """n times the same value: a slice of one array that is kept."""
    known = _CONSTANTS.get((value, kind))
    if known is None or len(known) < n:
        size = max(n, 1 << 16)
        known = pa.nulls(size, kind) if value is None else pa.repeat(pa.scalar(value, kind), size)
        if len(_CONSTANTS) > 256:
            _CONSTANTS.clear()
        _CONSTANTS[value, kind] = known
    return known.slice(0, n)


def _bitmap(valid: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def _strings(data: NDArray[np.uint8], offsets: NDArray[np.int32], valid: NDArray[np.bool_]) -> pa.Array:
    n = len(offsets) - 1
    if len(data) and data[: offsets[-1]].max(initial=0) > 127:
        # A station's name from a tag block may hold any byte: what is no ASCII becomes "?".
        data = np.where(data > 127, np.uint8(63), data)
    return pa.Array.from_buffers(
        pa.string(), n, [_bitmap(valid), pa.py_buffer(offsets), pa.py_buffer(data)], int(n - valid.sum())
    )


def _plain(column: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """A column without nulls, not copied."""
    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)], 0)


def _joined(parts: list[Decoded]) -> Decoded:
    if not parts:
        return Decoded(
            OBSERVATIONS.empty_table(),
            STATEMENTS.empty_table(),
            MESSAGES.empty_table(),
            REJECTS.empty_table(),
            Counts(),
        )
    return Decoded(
        pa.concat_tables([part.observations for part in parts]),
        pa.concat_tables([part.statements for part in parts]),
        pa.concat_tables([part.messages for part in parts]),
        pa.concat_tables([part.rejects for part in parts]),
        Counts(
            sum(part.counts.lines for part in parts),
            sum(part.counts.messages for part in parts),
            sum(part.counts.ignored for part in parts),
            sum(part.counts.rejected for part in parts),
            sum(part.counts.station_bytes for part in parts),
        ),
    )
