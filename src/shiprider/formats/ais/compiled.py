"""The wire table as arrays, the form in which the kernels take it as an argument.

Always true: nothing is said here that the table does not say; layouts are ordered by message type and
keep the table's order within one, because the first match wins.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais.binary import BINARY
from shiprider.formats.ais.layout import Field, Group, Item, Kind, Layout
from shiprider.formats.ais.messages import PLAIN

I64 = NDArray[np.int64]

#: Columns of `Tables.items`.
ITEM_KIND, ITEM_NAME, ITEM_NAME_LENGTH, ITEM_FIRST, ITEM_WIDTH, ITEM_DECIMALS = range(6)
ITEM_HAS_MISSING, ITEM_MISSING, ITEM_VARIABLE, ITEM_TAIL, ITEM_GROUP = range(6, 11)
#: Columns of `Tables.layouts`.
LAYOUT_ITEM, LAYOUT_ITEMS, LAYOUT_FEWEST, LAYOUT_AUXILIARY, LAYOUT_LEAST, LAYOUT_TYPE = range(6)
LAYOUT_SECOND, LAYOUT_DATE, LAYOUT_PAYLOAD, LAYOUT_JSON = range(6, 10)

_MOST_TESTS: Final = 3
_HIGHEST_TYPE: Final = 27


@dataclass(frozen=True, slots=True)
class Tables:
    """The arrays; columns as named above. `names` are JSON keys with their colons, and eight octets more."""

    layouts: tuple[Layout, ...]
    layout_rows: I64
    tests: I64
    types: I64
    items: I64
    scales: NDArray[np.float64]
    groups: I64
    records: I64
    names: NDArray[np.uint8]
    item_of: tuple[dict[str, int], ...]


@cache
def tables() -> Tables:
    """Built once."""
    layouts = tuple(sorted((*PLAIN, *BINARY), key=lambda layout: layout.message_type))
    builder = _Builder()
    rows = np.zeros((len(layouts), 10), np.int64)
    tests = np.zeros((len(layouts), 3 * _MOST_TESTS), np.int64)
    types = np.zeros((_HIGHEST_TYPE + 2, 2), np.int64)
    item_of: list[dict[str, int]] = []
    for number, layout in enumerate(layouts):
        first, count = builder.add(layout.items)
        item_of.append(
            {
                item.name: first + i
                for i, item in enumerate(layout.items)
                if isinstance(item, Field) and item.name
            }
        )
        rows[number] = (
            first,
            count,
            layout.fewest,
            layout.auxiliary,
            layout.least_for_variant,
            layout.message_type,
            _first_of(layout, "second") if layout.message_type not in (4, 11) else -1,
            _first_of(layout, "year") if layout.message_type in (4, 11) else -1,
            _payload(layout),
            builder.longest(layout.items),
        )
        for i, (start, width, value) in enumerate(layout.tests):
            tests[number, 3 * i : 3 * i + 3] = start, width, value
        if not types[layout.message_type, 1]:
            types[layout.message_type, 0] = number
        types[layout.message_type, 1] += 1
    return Tables(
        layouts,
        rows,
        tests,
        types,
        np.array(builder.items, np.int64),
        np.array(builder.scales, np.float64),
        np.array(builder.groups or [[0] * 6], np.int64),
        np.array(builder.records or [[0] * 3], np.int64),
        np.frombuffer(bytes(builder.names) + bytes(8), np.uint8).copy(),
        tuple(item_of),
    )


def _first_of(layout: Layout, name: str) -> int:
    return next((item.first for item in layout.fields if item.name == name), -1)


def _payload(layout: Layout) -> int:
    """Where the application's own bits begin, -1 where there are none."""
    if layout.message_type in (6, 8):
        return 88 if layout.message_type == 6 else 56
    if layout.message_type in (17, 25, 26):
        return _first_of(layout, "data")
    return -1


class _Builder:
    """Collects rows of items, groups, records and names."""

    def __init__(self) -> None:
        self.items: list[list[int]] = []
        self.scales: list[list[float]] = []
        self.groups: list[list[int]] = []
        self.records: list[list[int]] = []
        self.names = bytearray()
        self._known: dict[str, int] = {}

    def _name(self, name: str) -> tuple[int, int]:
        """Where the name as a JSON key begins, and its length."""
        key = f'"{name}":'.encode()
        if name not in self._known:
            self._known[name] = len(self.names)
            self.names += key
        return self._known[name], len(key)

    def add(self, items: tuple[Item, ...]) -> tuple[int, int]:
        """Rows of these items in one run: (first, count)."""
        group_rows: dict[int, int] = {
            i: self._group(item) for i, item in enumerate(items) if isinstance(item, Group)
        }
        first = len(self.items)
        for i, item in enumerate(items):
            name = self._name(item.name)
            if isinstance(item, Group):
                row = [Kind.GROUP, *name, item.first, item.width, 0, 0, 0, 0, 0, group_rows[i]]
                self.scales.append([1.0, 0.0])
            else:
                row = [
                    item.kind,
                    *name,
                    item.first,
                    item.width,
                    item.decimals,
                    item.missing is not None,
                    item.missing or 0,
                    item.variable,
                    item.tail,
                    -1,
                ]
                self.scales.append([item.scale, item.offset])
            self.items.append([int(value) for value in row])
        return first, len(items)

    def _group(self, group: Group) -> int:
        rows = [(value, *self.add(fields)) for value, fields in sorted(group.records.items())]
        start, width = group.selector or (0, 0)
        first = len(self.records)
        self.records.extend([list(row) for row in rows])
        self.groups.append([group.width, group.most, start, width, first, len(rows)])
        return len(self.groups) - 1

    def longest(self, items: tuple[Item, ...]) -> int:
        """An upper bound of the JSON of these items, bytes."""
        total = 2
        for item in items:
            total += len(item.name) + 4
            if isinstance(item, Group):
                total += 2 + item.most * (max(self.longest(fields) for fields in item.records.values()) + 1)
            elif item.kind in (Kind.TEXT, Kind.BYTES):
                total += 2 * (item.width // 4 + 4)
            else:
                total += 24
        return total
