"""Columns to AIS sentences, by the same table that decodes them.

Always true: a field not given, NaN or None is written as "not available" (zero where the table knows no
such value); what the wire cannot hold is refused, never wrapped; the same input gives the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais import packing
from shiprider.formats.ais.binary import BINARY
from shiprider.formats.ais.layout import TURN_FACTOR, Field, Group, Kind, Layout
from shiprider.formats.ais.messages import PLAIN
from shiprider.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Encoded:
    """Sentences: those of message i, each ending CRLF, are `data[offsets[i]:offsets[i + 1]]`."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def tobytes(self) -> bytes:
        """All of it."""
        return self.data.tobytes()


def encode(
    message_type: int,
    fields: Mapping[str, Any],
    *,
    talker: str = "AIVDM",
    channel: NDArray[np.uint8] | None = None,
    sequence_ids: NDArray[np.int64] | None = None,
) -> Encoded:
    """n messages of one type (and one variant) from columns of length n, or single values for all.

    Names and physical units are those of the message table: degrees, knots, degrees per minute, metres;
    texts as lists of str, `data` as lists of hexadecimal text. Variants follow from `partno`, `addressed`,
    `structured`, `dac` and `fid` (one value for all messages) and, for type 24, from `mothership_mmsi`.
    `channel` holds the bytes of A or B. Raises `UsageError` for an unknown name, a text with letters that
    six-bit ASCII lacks, or a value that the wire cannot hold.
    """
    n = _rows(fields)
    layout = _choose(message_type, fields)
    known = {field.name for field in layout.fields}
    for name in fields:
        if name not in known and name != "msg_type":
            raise UsageError(
                f"AIS message {message_type} ({layout.name}) has no field {name!r}: see its table."
            )
    raws: list[NDArray[np.int64]] = []
    firsts: list[int] = []
    widths: list[int] = []
    texts: list[NDArray[np.uint8]] = []
    text_offsets: list[NDArray[np.int64]] = []
    text_firsts: list[int] = []
    text_widths: list[int] = []
    lengths = np.full(n, _length(layout), np.int64)
    used = 0
    for field in layout.fields:
        if field.kind in (Kind.TEXT, Kind.BYTES):
            data, offsets = _symbols(field, fields.get(field.name), n, message_type)
            texts.append(data)
            text_offsets.append(offsets + used)
            used += len(data)
            text_firsts.append(field.first)
            text_widths.append(6 if field.kind == Kind.TEXT else 1)
            if field.variable:
                lengths = field.first + np.diff(offsets) * text_widths[-1] + field.tail
            continue
        value: Any = message_type if field.name == "msg_type" else fields.get(field.name)
        if value is None and field.name == "partno":
            value = {start: wanted for start, _, wanted in layout.tests}.get(38)
        if value is None:
            value = next((wanted for start, _, wanted in layout.tests if start == field.first), None)
        raws.append(_raw(field, value, n, message_type))
        firsts.append(field.first)
        widths.append(field.width)
    if len(talker) != 5:
        raise UsageError(f"{talker!r} is no talker and formatter such as AIVDM: give five letters.")
    channels = np.full(n, ord("A"), np.uint8) if channel is None else np.ascontiguousarray(channel, np.uint8)
    sequences = np.arange(n) % 10 if sequence_ids is None else np.asarray(sequence_ids, np.int64) % 10
    symbols = (lengths + 5) // 6
    size = int((symbols + 32 * (symbols // packing.SYMBOLS + 1)).sum()) + 4096
    out = np.empty(size + int(lengths.max(initial=0)), np.uint8)
    offsets_out = np.zeros(n + 1, np.int64)
    written = packing.sentences(
        np.array(raws, np.int64).reshape(len(raws), n),
        np.array(firsts, np.int64),
        np.array(widths, np.int64),
        np.concatenate([*texts, np.zeros(0, np.uint8)]),
        np.array(text_offsets, np.int64).reshape(len(texts), n + 1),
        np.array(text_firsts, np.int64),
        np.array(text_widths, np.int64),
        lengths.astype(np.int64),
        np.frombuffer(b"!" + talker.encode("ascii"), np.uint8),
        channels,
        sequences.astype(np.int64),
        out,
        offsets_out,
    )
    if written < 0:
        raise AssertionError("the encoder's buffer was reckoned too small")
    return Encoded(out[:written], offsets_out)


def with_tag_blocks(
    encoded: Encoded,
    stations: Sequence[str],
    index: NDArray[np.int64],
    time_s: NDArray[np.int64],
) -> Encoded:
    """A tag block before each line: source station `stations[index[i]]` and time in seconds of message i.

    Lines of one message are grouped (`g:`); only the first one carries station and time.
    """
    names = [station.encode("ascii") for station in stations]
    name_offsets = np.zeros(len(names) + 1, np.int64)
    np.cumsum([len(name) for name in names], out=name_offsets[1:])
    lines = int((encoded.data == 10).sum())
    longest = max((len(name) for name in names), default=0)
    out = np.empty(len(encoded.data) + lines * (longest + 64), np.uint8)
    offsets = np.zeros(len(encoded) + 1, np.int64)
    written = packing.tag_blocks(
        encoded.data,
        encoded.offsets,
        np.frombuffer(b"".join(names), np.uint8),
        name_offsets,
        # A view with gaps would have the kernel compiled once more.
        np.ascontiguousarray(index, np.int64),
        np.ascontiguousarray(time_s, np.int64),
        np.arange(1, len(encoded) + 1, dtype=np.int64) % 10_000,
        out,
        offsets,
    )
    return Encoded(out[:written], offsets)


def merged(parts: Sequence[Encoded], order: NDArray[np.int64]) -> Encoded:
    """Messages of several encodings as one, in `order` (numbers into all of them, one after the other)."""
    data = np.concatenate([part.data for part in parts]) if parts else np.zeros(0, np.uint8)
    starts: list[NDArray[np.int64]] = []
    sizes: list[NDArray[np.int64]] = []
    base = 0
    for part in parts:
        starts.append(part.offsets[:-1] + base)
        sizes.append(np.diff(part.offsets))
        base += len(part.data)
    start = np.concatenate(starts)[order] if parts else np.zeros(0, np.int64)
    size = np.concatenate(sizes)[order] if parts else np.zeros(0, np.int64)
    offsets = np.zeros(len(order) + 1, np.int64)
    np.cumsum(size, out=offsets[1:])
    places = np.arange(int(offsets[-1])) + np.repeat(start - offsets[:-1], size)
    return Encoded(data[places], offsets)


def _rows(fields: Mapping[str, Any]) -> int:
    sizes = {len(value) for value in fields.values() if _is_column(value)}
    if len(sizes) > 1:
        raise UsageError(f"Columns of one encoding must be equally long, not {sorted(sizes)}.")
    return sizes.pop() if sizes else 1


def _is_column(value: Any) -> bool:
    return (
        isinstance(value, (np.ndarray, list, tuple)) and np.ndim(value) > 0
        if not isinstance(value, str)
        else False
    )


def _only(value: Any) -> Any:
    """The one value of a column that decides the variant."""
    if value is None or not _is_column(value):
        return value
    distinct = {item.item() if isinstance(item, np.generic) else item for item in value}
    if len(distinct) > 1:
        raise UsageError("One encoding holds one variant: split the columns by part, flag, DAC and FID.")
    return distinct.pop() if distinct else None


def _choose(message_type: int, fields: Mapping[str, Any]) -> Layout:
    given = {name: _only(fields.get(name)) for name in ("partno", "addressed", "structured", "dac", "fid")}
    best: Layout | None = None
    for layout in (*PLAIN, *BINARY):
        if layout.message_type != message_type:
            continue
        names = {field.name: field for field in layout.fields}
        tested = {start: value for start, _, value in layout.tests}
        fits = all(
            given[name] is None or int(given[name]) == tested[names[name].first]
            for name in given
            if name in names and names[name].first in tested
        )
        decided = all(
            given[name] is not None
            for name in ("dac", "fid", "partno")
            if name in names and names[name].first in tested
        )
        if layout.auxiliary and "mothership_mmsi" not in fields:
            continue
        if message_type == 24 and given["partno"] is None:
            decided = tested.get(38) == 0
        if message_type in (22, 25, 26) and not fits:
            continue
        covered = all(name in names or name == "msg_type" for name in fields)
        if fits and decided and covered:
            return layout
        if fits and decided and best is None:
            best = layout
    if best is None:
        raise UsageError(f"There is no AIS message {message_type} with these flags: see the message table.")
    return best


def _length(layout: Layout) -> int:
    """Bits of the fixed part."""
    total = 0
    for item in layout.items:
        if isinstance(item, Group) or item.variable:
            continue
        total += item.width
    return total


def _raw(field: Field, value: Any, n: int, message_type: int) -> NDArray[np.int64]:
    missing = field.missing or 0
    if value is None:
        return np.full(n, missing, np.int64)
    column = np.asarray(value)
    if column.dtype == object:
        column = np.array([np.nan if item is None else item for item in np.atleast_1d(column)], np.float64)
    if column.dtype.kind == "f" or field.kind in (Kind.DECIMAL, Kind.SIGNED_DECIMAL, Kind.TURN):
        number = column.astype(np.float64)
        empty = np.isnan(number)
        number = np.where(empty, 0.0, number)
        if field.kind == Kind.TURN:
            # M.1371-5 table 48: no more than +-708 degrees a minute; +-127 is the code for "no indicator".
            code = np.rint(TURN_FACTOR * np.sqrt(np.abs(number)))
            code = np.where(np.abs(number) == 127, 127, np.minimum(code, 126))
            scaled = np.copysign(code, number)
        else:
            scaled = np.rint((number - field.offset) / field.scale)
        raw = np.where(empty, missing, scaled).astype(np.int64)
    else:
        raw = column.astype(np.int64)
    raw = np.broadcast_to(raw, (n,))
    signed = field.kind in (Kind.INT, Kind.SIGNED_DECIMAL, Kind.TURN)
    low = -(1 << (field.width - 1)) if signed else 0
    high = (1 << (field.width - signed)) - 1
    wrong = (raw < low) | (raw > high)
    if wrong.any():
        shown = np.broadcast_to(column, (n,))[wrong.argmax()]
        raise UsageError(
            f"AIS message {message_type} cannot hold {field.name} = {shown} in {field.width} bits: "
            "give a value in its range."
        )
    return np.where(raw < 0, raw + (1 << field.width), raw) if signed else raw


def _symbols(
    field: Field, value: Any, n: int, message_type: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One text (or data) column as six-bit values (or single bits), with the offset of each row."""
    rows: Sequence[str | bytes | None]
    if value is None:
        rows = [None]
    elif isinstance(value, (str, bytes)):
        rows = [value]
    else:
        rows = list(value)
    if len(rows) == 1 and n > 1:
        rows = list(rows) * n
    if field.kind == Kind.BYTES:
        pieces = [_bit_array(row) for row in rows]
        sizes = np.array([len(piece) for piece in pieces], np.int64)
        data = np.concatenate([*pieces, np.zeros(0, np.uint8)])
    else:
        joined = "".join(str(row or "") for row in rows)
        sizes = np.array([len(row or "") for row in rows], np.int64)
        try:
            letters = np.frombuffer(joined.encode("ascii"), np.uint8)
        except UnicodeEncodeError:
            letters = np.array([255], np.uint8)
        if len(letters) and (letters.max() > 95 or letters.min() < 32):
            raise UsageError(
                f"Six-bit ASCII has no lower case and no accents: AIS message {message_type} cannot hold "
                f"this {field.name}."
            )
        data = np.where(letters >= 64, letters - 64, letters).astype(np.uint8)
    most = field.width // (6 if field.kind == Kind.TEXT else 1)
    if (sizes > most).any():
        raise UsageError(
            f"AIS message {message_type} holds {most} {'characters' if field.kind == Kind.TEXT else 'bits'} of "
            f"{field.name}, not {int(sizes.max())}: shorten it."
        )
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return data, offsets


def _bit_array(value: str | bytes | None) -> NDArray[np.uint8]:
    if not value:
        return np.zeros(0, np.uint8)
    if isinstance(value, bytes):
        return np.unpackbits(np.frombuffer(value, np.uint8))
    digits = np.array([int(letter, 16) for letter in value], np.uint8)
    return np.unpackbits(digits[:, None], axis=1)[:, 4:].reshape(-1)
