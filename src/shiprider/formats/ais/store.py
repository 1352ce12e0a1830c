"""The columns of one table while its rows come in, block by block, and the Arrow table of them.

Always true: rows keep their order; arrays are sized by what is expected and closed when they are full, so
memory is bounded by the input; a column that is the same in every row is a slice of one that is kept.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.formats.ais import columns
from shiprider.formats.ais.framed import Framed
from shiprider.formats.ais.wanted import CLASSES, DOUBLES, Spec
from shiprider.formats.decoded import DecodeContext
from shiprider.model.codes import IdentityKind, SensorKind

#: Rows of one array at most.
_MOST_ROWS: Final = 1 << 17
#: About the rows of one block, for which there is always room.
_BLOCK_ROWS: Final = 1 << 12
#: Octets behind the end of an array that kernels write eight at a time.
_SPARE: Final = 16
#: All four dimensions zero means that none is known (M.1371-5 figure 41).
_SIZES: Final = ("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m")

RECEIVER: Final = "receiver"
_LONGS: Final = ("time", "received", "claimed_id", "raw")
_INTEGERS: Final = ("raw_length", "flaws", "day")
_CODES: Final = ("time_source", "receiver_kind", "transmitter_class", "message_type", "nature")
_SIGMA: Final = "time_sigma_s"

#: (framed, rows, octets, where to go on, offsets, valid) -> octets (perhaps a larger array), where it ended.
WriteTexts = Callable[
    [Framed, NDArray[np.int64], NDArray[np.uint8], int, NDArray[np.int32], NDArray[np.bool_]],
    tuple[NDArray[np.uint8], int],
]


def _octets(count: int) -> NDArray[np.uint8]:
    """Memory of Arrow's pool, which keeps what was given back: fresh pages would cost a fifth of decoding."""
    return np.frombuffer(pa.allocate_buffer(count + _SPARE), np.uint8)


class TextColumn:
    """Texts or octets of changing length. `longest` octets of a row are made room for beforehand."""

    def __init__(self, kind: pa.DataType, longest: int, write: WriteTexts) -> None:
        self._kind = kind
        self._longest = longest
        self._write = write
        self._average = min(longest, 32)
        self._some = False

    def open(self, rows: int) -> None:
        """Begin a new array of at most that many rows."""
        room = self._average * rows + self._longest * min(rows, _BLOCK_ROWS) + _SPARE
        self._octets = _octets(room)
        self._offsets = np.empty(rows + 1, np.int32)
        self._valid = np.empty(rows, np.bool_)
        self._used = 0
        self._some = False

    def add(self, framed: Framed, rows: NDArray[np.int64], at: int) -> None:
        """The texts of these messages, into the places from `at`."""
        n = len(rows)
        if not self._some:
            self._offsets[: at + 1] = 0
            self._valid[:at] = False
            self._some = True
        needed = self._used + n * self._longest + _SPARE
        if needed > len(self._octets):
            grown = _octets(max(needed, 2 * len(self._octets)))
            grown[: self._used] = self._octets[: self._used]
            self._octets = grown
        self._octets, self._used = self._write(
            framed, rows, self._octets, self._used, self._offsets[at : at + n + 1], self._valid[at : at + n]
        )

    def skip(self, count: int, at: int) -> None:
        """As many places without a text."""
        if self._some:
            self._offsets[at : at + count + 1] = self._used
            self._valid[at : at + count] = False

    def close(self, rows: int) -> pa.Array:
        """The array of the first `rows` places."""
        if not self._some:
            return constant(None, self._kind, rows)
        self._average = min(self._longest, 1 + 9 * self._used // (8 * rows))
        valid = self._valid[:rows]
        nulls = rows - int(np.count_nonzero(valid))
        if nulls == rows:
            return constant(None, self._kind, rows)
        bitmap = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
        octets = self._octets[: self._used]
        return pa.Array.from_buffers(
            self._kind, rows, [bitmap, pa.py_buffer(self._offsets[: rows + 1]), pa.py_buffer(octets)], nulls
        )


class Store:
    """One table's rows. `add` them; `table` gives them and begins anew."""

    def __init__(
        self, context: DecodeContext, schema: pa.Schema, spec: Spec, texts: dict[str, TextColumn]
    ) -> None:
        self._schema = schema
        self._spec = spec
        self._texts = texts
        self._sizes = [spec.names.index(name) for name in _SIZES if name in spec.names]
        self._constants: dict[str, object] = {
            "feed": context.feed,
            "sensor": context.sensor,
            "kind": int(SensorKind.AIS),
            "claimed_id_kind": int(IdentityKind.MMSI),
            "duplicate_of": None,
            "label_id": context.label_id,
        }
        # Looking a type up in a schema takes longer than making an array.
        self._types = [(name, schema.field(name).type) for name in schema.names]
        self._columns = {name: at for at, name in enumerate(spec.names)}
        self._wanted = {
            name: np.dtype(kind.to_pandas_dtype()) for name, kind in self._types if name in self._columns
        }
        self._parts: list[pa.Table] = []
        self._room = 0
        self._at = 0

    def add(self, framed: Framed, rows: NDArray[np.int64], expected: int) -> None:
        """Messages `rows` of a block; about `expected` rows may come until the table is asked for."""
        n = len(rows)
        if not n:
            return
        if self._at + n > self._room:
            self._close()
            self._open(max(n, min(expected, _MOST_ROWS)))
        columns.fill(
            framed.stream,
            framed.meta,
            rows,
            self._at,
            self._spec.used,
            self._spec.places,
            self._spec.factors,
            CLASSES,
            self._longs,
            self._integers,
            self._codes,
            self._sigma,
            self._wide,
            self._single,
            self._masks,
        )
        for name, text in self._texts.items():
            if name == RECEIVER and not framed.counts.station_bytes:
                text.skip(n, self._at)
            else:
                text.add(framed, rows, self._at)
        self._at += n

    def table(self) -> pa.Table:
        """All rows since the last call."""
        self._close()
        parts = self._parts
        self._parts = []
        if not parts:
            return self._schema.empty_table()
        return parts[0] if len(parts) == 1 else pa.concat_tables(parts)

    def _open(self, rows: int) -> None:
        doubles = DOUBLES
        singles = len(self._spec.names) - doubles
        piece = _octets(rows * (8 * (4 + doubles) + 4 * (4 + singles) + 5))
        at = 0

        def take(count: int, kind: type[np.generic]) -> NDArray[Any]:
            nonlocal at
            size = count * rows * np.dtype(kind).itemsize
            at += size
            return piece[at - size : at].view(kind).reshape(count, rows)

        self._longs = take(4, np.int64)
        self._wide = take(doubles, np.float64)
        self._integers = take(3, np.int32)
        self._sigma = take(1, np.float32)[0]
        self._single = take(singles, np.float32)
        self._codes = take(5, np.int8)
        self._masks = np.empty((2, rows + 8), np.uint8)
        for text in self._texts.values():
            text.open(rows)
        self._room = rows
        self._at = 0

    def _close(self) -> None:
        n = self._at
        if n:
            valid, nulls = self._told(n)
            plain = {
                **dict(zip(_LONGS, self._longs, strict=True)),
                **dict(zip(_INTEGERS, self._integers, strict=True)),
                **dict(zip(_CODES, self._codes, strict=True)),
                _SIGMA: self._sigma,
            }
            arrays = []
            for name, kind in self._types:
                if name in plain:
                    array = pa.Array.from_buffers(kind, n, [None, pa.py_buffer(plain[name][:n])], 0)
                elif name in self._columns:
                    array = self._number(name, kind, n, valid, nulls)
                elif name in self._texts:
                    array = self._texts[name].close(n)
                else:
                    array = constant(self._constants[name], kind, n)
                arrays.append(array)
            self._parts.append(pa.Table.from_arrays(arrays, schema=self._schema))
        self._at = self._room = 0

    def _told(self, n: int) -> tuple[NDArray[np.uint8], list[int]]:
        """Bitmaps of the numeric columns, and how many nulls each has."""
        spec = self._spec
        if self._sizes:
            sizes = self._single[[at - DOUBLES for at in self._sizes], :n]
            unknown = ~sizes.any(axis=0)
            self._masks[0, :n][unknown] &= np.uint8(255 - sum(1 << at for at in self._sizes))
        self._masks[:, n : n + 8] = 0
        valid = np.empty((len(spec.names), (n + 7) // 8), np.uint8)
        nulls = np.empty(len(spec.names), np.int64)
        columns.bitmaps(self._masks, n, spec.told, valid, nulls)
        return valid, nulls.tolist()

    def _number(
        self, name: str, kind: pa.DataType, n: int, valid: NDArray[np.uint8], nulls: list[int]
    ) -> pa.Array:
        at = self._columns[name]
        if nulls[at] == n:
            return constant(None, kind, n)
        doubles = DOUBLES
        values = self._wide[at, :n] if at < doubles else self._single[at - doubles, :n]
        if values.dtype != self._wanted[name]:
            values = values.astype(self._wanted[name])
        bitmap = pa.py_buffer(valid[at]) if nulls[at] else None
        return pa.Array.from_buffers(kind, n, [bitmap, pa.py_buffer(values)], nulls[at])


_CONSTANTS: dict[tuple[object, pa.DataType], pa.Array] = {}


def constant(value: object, kind: pa.DataType, n: int) -> pa.Array:
    """n times the same value: a slice of one array that is kept."""
    known = _CONSTANTS.get((value, kind))
    if known is None or len(known) < n:
        size = max(1 << (n - 1).bit_length(), 1 << 10)
        known = pa.nulls(size, kind) if value is None else pa.repeat(pa.scalar(value, kind), size)
        if len(_CONSTANTS) > 256:
            _CONSTANTS.clear()
        _CONSTANTS[value, kind] = known
    return known.slice(0, n)
