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
from shiprider.formats.ais.wanted import CLASSES, Spec
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

    def open(self, rows: int) -> None:
        """Begin a new array of at most that many rows."""
        room = self._average * rows + self._longest * min(rows, _BLOCK_ROWS) + _SPARE
        self._octets = _octets(room)
        self._offsets = np.empty(rows + 1, np.int32)
        self._offsets[0] = 0
        self._valid = np.empty(rows, np.bool_)
        self._used = 0

    def add(self, framed: Framed, rows: NDArray[np.int64], at: int) -> None:
        """The texts of these messages, into the places from `at`."""
        n = len(rows)
        needed = self._used + n * self._longest + _SPARE
        if needed > len(self._octets):
            grown = _octets(max(needed, 2 * len(self._octets)))
            grown[: self._used] = self._octets[: self._used]
            self._octets = grown
        self._octets, self._used = self._write(
            framed, rows, self._octets, self._used, self._offsets[at : at + n + 1], self._valid[at : at + n]
        )

    def close(self, rows: int) -> pa.Array:
        """The array of the first `rows` places."""
        self._average = min(self._longest, 1 + 9 * self._used // (8 * rows))
        valid = self._valid[:rows]
        nulls = rows - int(np.count_nonzero(valid))
        if nulls == rows:
            return constant(None, self._kind, rows)
        bitmap = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
        octets = self._octets[: self._used]
        if 4 * len(octets) < len(self._octets):
            octets = octets.copy()
        return pa.Array.from_buffers(
            self._kind, rows, [bitmap, pa.py_buffer(self._offsets[: rows + 1]), pa.py_buffer(octets)], nulls
        )


class Store:
    """One table's rows. `add` them; `table` gives them and begins anew."""

    def __init__(
        self, context: DecodeContext, schema: pa.Schema, spec: Spec, texts: dict[str, TextColumn]
    ) -> None:
        self._context = context
        self._schema = schema
        self._spec = spec
        self._texts = texts
        self._sizes = [spec.names.index(name) for name in _SIZES if name in spec.names]
        self._lanes = np.zeros(8, np.float64)
        self._narrow = np.zeros(8, np.float32)
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
            self._lanes,
            self._narrow,
            self._longs,
            self._integers,
            self._codes,
            self._sigma,
            self._wide,
            self._single,
            self._masks,
        )
        for text in self._texts.values():
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
        doubles = self._spec.doubles
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
            data = self._origin(n)
            self._numbers(data, n)
            for name, text in self._texts.items():
                data[name] = text.close(n)
            self._parts.append(
                pa.Table.from_arrays([data[name] for name in self._schema.names], schema=self._schema)
            )
        self._at = self._room = 0

    def _kept(self, values: NDArray[Any], n: int) -> NDArray[Any]:
        """The first n; copied where most of the array is unused, so that it is not held."""
        return values[:n].copy() if 2 * n < self._room else values[:n]

    def _origin(self, n: int) -> dict[str, pa.Array]:
        def plain(name: str, values: NDArray[Any]) -> None:
            data[name] = pa.Array.from_buffers(
                self._schema.field(name).type, n, [None, pa.py_buffer(self._kept(values, n))], 0
            )

        data = {
            "feed": constant(self._context.feed, pa.string(), n),
            "sensor": constant(self._context.sensor, pa.string(), n),
            "kind": constant(int(SensorKind.AIS), pa.int8(), n),
            "claimed_id_kind": constant(int(IdentityKind.MMSI), pa.int8(), n),
            "duplicate_of": constant(None, pa.int64(), n),
            "label_id": constant(0, pa.int32(), n),
        }
        for name, values in zip(("time", "received", "claimed_id", "raw"), self._longs, strict=True):
            plain(name, values)
        for name, values in zip(("raw_length", "flaws", "day"), self._integers, strict=True):
            plain(name, values)
        codes = ("time_source", "receiver_kind", "transmitter_class", "message_type", "nature")
        for name, values in zip(codes, self._codes, strict=True):
            plain(name, values)
        plain("time_sigma_s", self._sigma)
        return data

    def _numbers(self, data: dict[str, pa.Array], n: int) -> None:
        spec = self._spec
        if self._sizes:
            sizes = self._single[[at - spec.doubles for at in self._sizes], :n]
            unknown = ~sizes.any(axis=0)
            self._masks[0, :n][unknown] &= np.uint8(255 - sum(1 << at for at in self._sizes))
        self._masks[:, n : n + 8] = 0
        valid = np.empty((len(spec.names), (n + 7) // 8), np.uint8)
        nulls = np.empty(len(spec.names), np.int64)
        columns.bitmaps(self._masks, n, spec.told, valid, nulls)
        for at, name in enumerate(spec.names):
            kind = self._schema.field(name).type
            if nulls[at] == n:
                data[name] = constant(None, kind, n)
                continue
            values = self._wide[at] if at < spec.doubles else self._single[at - spec.doubles]
            wanted = kind.to_pandas_dtype()
            values = self._kept(values, n) if values.dtype == wanted else values[:n].astype(wanted)
            bitmap = pa.py_buffer(valid[at]) if nulls[at] else None
            data[name] = pa.Array.from_buffers(kind, n, [bitmap, pa.py_buffer(values)], int(nulls[at]))


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
