"""Dense numbers for sparse 64-bit keys: an open-addressing table that kernels can walk.

Always true: slot i belongs to `keys[i]`, slots are given in order of first appearance and never
change, so arrays indexed by slot can be kept beside it; the same keys in the same order give the
same slots. Linear probing after a Fibonacci mix; at most half full.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.kernels import kernel

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]


@kernel
def mix64(value: Any) -> Any:
    """A 64-bit finaliser (splitmix64, Steele and others 2014): every input bit moves every output bit."""
    x = np.uint64(value)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def _assign(ids: I64, table: I32, keys: I64, count: int, out: I32, start: int) -> tuple[int, int]:
    """Fill `out[start:]`; stop early where the table is half full. Returns (next row, slots in use)."""
    mask = np.uint64(len(table) - 1)
    room = len(table) // 2
    last_id = np.int64(0)
    last_slot = np.int32(-1)
    for i in range(start, len(ids)):
        key = ids[i]
        if last_slot >= 0 and key == last_id:
            out[i] = last_slot
            continue
        at = mix64(key) & mask
        while True:
            slot = table[np.int64(at)]
            if slot < 0:
                if count >= room or count >= len(keys):
                    return i, count
                slot = np.int32(count)
                keys[count] = key
                table[np.int64(at)] = slot
                count += 1
                break
            if keys[slot] == key:
                break
            at = (at + np.uint64(1)) & mask
        out[i] = slot
        last_id = key
        last_slot = slot
    return len(ids), count


@kernel
def _find(ids: I64, table: I32, keys: I64, out: I32) -> None:
    mask = np.uint64(len(table) - 1)
    for i in range(len(ids)):
        at = mix64(ids[i]) & mask
        found = np.int32(-1)
        while True:
            slot = table[np.int64(at)]
            if slot < 0:
                break
            if keys[slot] == ids[i]:
                found = slot
                break
            at = (at + np.uint64(1)) & mask
        out[i] = found


@kernel
def _rebuild(table: I32, keys: I64, count: int) -> None:
    mask = np.uint64(len(table) - 1)
    for slot in range(count):
        at = mix64(keys[slot]) & mask
        while table[np.int64(at)] >= 0:
            at = (at + np.uint64(1)) & mask
        table[np.int64(at)] = np.int32(slot)


@kernel
def first_rows(slot: I32, known: int, count: int) -> I64:
    """The first row of each of the slots `known`…`count - 1`, which are numbered as they appear."""
    rows = np.full(count - known, -1, np.int64)
    awaited = known
    for i in range(len(slot)):
        if awaited == count:
            break
        if slot[i] == awaited:
            rows[awaited - known] = i
            awaited += 1
    return rows


def _empty_table(size: int) -> I32:
    return np.full(size, -1, np.int32)


@dataclass(slots=True)
class Slots:
    """The table. `keys` has room to grow; only its first `count` entries mean anything."""

    count: int = 0
    keys: I64 = field(default_factory=lambda: np.zeros(512, np.int64))
    table: I32 = field(default_factory=lambda: _empty_table(1024))

    def __len__(self) -> int:
        return self.count

    def assign(self, ids: I64) -> I32:
        """The slot of each key, new ones added; shape (n,)."""
        ids = np.ascontiguousarray(ids, np.int64)
        out = np.empty(len(ids), np.int32)
        row = 0
        while True:
            row, self.count = _assign(ids, self.table, self.keys, self.count, out, row)
            if row == len(ids):
                return out
            self._grow()

    def find(self, ids: I64) -> I32:
        """The slot of each key, -1 where it is unknown; shape (n,)."""
        out = np.empty(len(ids), np.int32)
        _find(np.ascontiguousarray(ids, np.int64), self.table, self.keys, out)
        return out

    def copy(self) -> "Slots":
        """An independent table with the same slots."""
        return Slots(self.count, self.keys.copy(), self.table.copy())

    @classmethod
    def of(cls, keys: I64) -> "Slots":
        """The table whose slots are these keys, in this order (what a snapshot keeps)."""
        slots = cls()
        slots.assign(keys)
        return slots

    def _grow(self) -> None:
        keys = np.zeros(2 * len(self.keys), np.int64)
        keys[: self.count] = self.keys[: self.count]
        self.keys = keys
        self.table = _empty_table(4 * len(keys))
        _rebuild(self.table, self.keys, self.count)


def widened(values: NDArray[Any], rows: int, fill: float) -> NDArray[Any]:
    """`values` with at least `rows` rows along the first axis (doubling), new ones set to `fill`."""
    if len(values) >= rows:
        return values
    room = max(rows, 2 * len(values), 64)
    wide = np.full((room, *values.shape[1:]), fill, values.dtype)
    wide[: len(values)] = values
    return wide
