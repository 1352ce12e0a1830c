"""The shape of a wire table: fields, repeated groups, layouts.

Always true: a field's first bit is the sum of the widths before it; a physical value is
`raw * scale + offset`, rounded to `decimals`; `missing` is the raw value that means "not available".
Decoder, JSON and encoder read the same objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final


class Kind(IntEnum):
    """How the bits of a field are read. Codes go into the kernels' tables."""

    UINT = 0
    INT = 1
    BOOL = 2
    TEXT = 3
    BYTES = 4
    SPARE = 5
    GROUP = 6
    DECIMAL = 7
    SIGNED_DECIMAL = 8
    TURN = 9


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `width` bits from `first`; a negative `first` counts from the message's end.

    TEXT and BYTES with `variable` take what the message has, but for `tail` bits.
    `unit` is M.1371's (degrees, knots, degrees per minute, metres ...), "" for codes.
    """

    name: str
    width: int
    kind: Kind
    scale: float = 1.0
    offset: float = 0.0
    decimals: int = 0
    unit: str = ""
    missing: int | None = None
    variable: bool = False
    tail: int = 0
    first: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Records of `width` bits repeated to the message's end, at most `most` times.

    With a `selector` (first bit in the record, width) its value chooses the record's fields.
    """

    name: str
    width: int
    most: int
    records: Mapping[int, tuple[Field, ...]]
    selector: tuple[int, int] | None = None
    first: int = 0


Item = Field | Group


@dataclass(frozen=True, slots=True)
class Layout:
    """All fields of one message variant, and when it applies.

    `tests` are (first bit, width, value) that must hold; `auxiliary` asks for an MMSI 98XXXYYYY.
    A message of fewer than `fewest` bits is truncated.
    """

    message_type: int
    name: str
    items: tuple[Item, ...]
    fewest: int
    tests: tuple[tuple[int, int, int], ...] = ()
    auxiliary: bool = False
    least_for_variant: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """The plain fields, spares and groups left out."""
        return tuple(i for i in self.items if isinstance(i, Field) and i.kind != Kind.SPARE)

    @property
    def bits(self) -> int:
        """Bits of the longest message of this layout."""
        return sum(item.width * (item.most if isinstance(item, Group) else 1) for item in self.items)

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(name)


#: M.1371-5 table 48: ROT_AIS = 4.733 times the root of the rate in degrees per minute.
TURN_FACTOR: Final = 4.733
#: A coded rate of turn of this, or less its sign, tells the side only.
TURN_SIDE: Final = 127

#: Longest payload a message may have, in six-bit symbols (M.1371: five slots are 1,192 bits).
LONGEST_SYMBOLS: Final = 512


def uint(name: str, width: int, unit: str = "", missing: int | None = None) -> Field:
    """An unsigned integer."""
    return Field(name, width, Kind.UINT, unit=unit, missing=missing)


def sint(name: str, width: int, unit: str = "", missing: int | None = None) -> Field:
    """A two's complement integer."""
    return Field(name, width, Kind.INT, unit=unit, missing=missing)


def flag(name: str) -> Field:
    """One bit."""
    return Field(name, 1, Kind.BOOL)


def text(name: str, symbols: int) -> Field:
    """Six-bit ASCII of exactly `symbols` characters; ends at the first @."""
    return Field(name, symbols * 6, Kind.TEXT)


def long_text(name: str, bits: int) -> Field:
    """Six-bit ASCII to the message's end, at most `bits`."""
    return Field(name, bits, Kind.TEXT, variable=True)


def octets(name: str, bits: int, *, tail: int = 0) -> Field:
    """Raw bits to the message's end but for `tail`, at most `bits`; shown as hexadecimal."""
    return Field(name, bits, Kind.BYTES, variable=True, tail=tail)


def spare(width: int) -> Field:
    """Bits that mean nothing: zeros when encoding."""
    return Field("", width, Kind.SPARE)


def number(
    name: str,
    width: int,
    scale: float,
    decimals: int,
    unit: str,
    missing: int | None = None,
    *,
    offset: float = 0.0,
    signed: bool = False,
) -> Field:
    """A scaled quantity."""
    kind = Kind.SIGNED_DECIMAL if signed else Kind.DECIMAL
    return Field(name, width, kind, scale, offset, decimals, unit, missing)


def longitude(name: str = "lon", width: int = 28, per_degree: int = 600_000) -> Field:
    """Degrees east; 181 degrees is "not available" (M.1371-5 table 48)."""
    return number(name, width, 1 / per_degree, 6, "deg", 181 * per_degree, signed=True)


def latitude(name: str = "lat", width: int = 27, per_degree: int = 600_000) -> Field:
    """Degrees north; 91 degrees is "not available"."""
    return number(name, width, 1 / per_degree, 6, "deg", 91 * per_degree, signed=True)


def placed(items: tuple[Item, ...], start: int = 0) -> tuple[Item, ...]:
    """The items with their first bits. A variable item must be followed by nothing but its tail."""
    result: list[Item] = []
    for item in items:
        if isinstance(item, Group):
            records = {key: _fields(placed(value)) for key, value in item.records.items()}
            result.append(replace(item, first=start, records=records))
            start += item.width * item.most
        elif item.tail and not item.variable:
            result.append(replace(item, first=-item.tail))
        else:
            result.append(replace(item, first=start))
            start += item.width
    return tuple(result)


def _fields(items: tuple[Item, ...]) -> tuple[Field, ...]:
    return tuple(item for item in items if isinstance(item, Field))
