"""Which item of each message fills which column of the lake's tables, as arrays for the kernels.

Always true: nothing is known here about bits but what the wire table says; units are turned into the
lake's by one scale and one offset.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais.compiled import tables
from shiprider.formats.ais.layout import TURN_FACTOR, TURN_SIDE, Kind
from shiprider.model.codes import TransmitterClass

#: International knot in metres per second.
KNOT_MPS: Final = 1852 / 3600

#: Position sigma where the message says only high (<= 10 m) or low (> 10 m) accuracy, both read as 95 %:
#: IMO A.915(22) asks 10 m of GNSS at 95 %, and a plain receiver without augmentation stays within 30 m.
_SIGMA_HIGH_M: Final = 5.0
_SIGMA_LOW_M: Final = 15.0
#: Message 27 rounds to a tenth of a minute (185 m): sigma of a uniform error.
_SIGMA_COARSE_M: Final = 1852 / 10 / 12**0.5
_LONG_RANGE: Final = 27

OBSERVATION_TYPES: Final = (1, 2, 3, 4, 9, 11, 18, 19, 21, 27)
STATEMENT_TYPES: Final = (5, 19, 21, 24)

#: A raw value that no field has, and more bits than any message has.
_NONE: Final = -(2**62)
_NEVER: Final = 2**62
# As `columns.fill` has them.
_PLACES: Final = 9
_END: Final = 4
_LANES: Final = 8
#: So many columns of each table, the first ones, are in double precision.
DOUBLES: Final = 2
_WIDEST: Final = 32

#: (column, item name, raw value that means nothing here, factor to our unit); the first two are
#: worked out in double precision.
Wanted = tuple[tuple[str, str, int, float], ...]
OBSERVED: Final[Wanted] = (
    ("latitude_deg", "lat", _NONE, 1.0),
    ("longitude_deg", "lon", _NONE, 1.0),
    ("nav_status", "status", _NONE, 1.0),
    ("speed_mps", "speed", _NONE, KNOT_MPS),
    ("course_deg", "course", _NONE, 1.0),
    ("heading_deg", "heading", _NONE, 1.0),
    ("rate_of_turn_degpmin", "turn", _NONE, 1.0),
    ("position_sigma_m", "accuracy", _NONE, 1.0),
    # The ninth: aircraft only, so the second eight are mostly left out.
    ("altitude_m", "alt", _NONE, 1.0),
)
STATED: Final[Wanted] = (
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
MESSAGED: Final[Wanted] = (
    ("destination_id", "dest_mmsi", _NONE, 1.0),
    ("dac", "dac", _NONE, 1.0),
    ("fid", "fid", _NONE, 1.0),
)

_CLASS_OF: Final = {
    **dict.fromkeys((1, 2, 3, 5, 27), TransmitterClass.A),
    **dict.fromkeys((4, 16, 17, 20, 22, 23), TransmitterClass.BASE_STATION),
    9: TransmitterClass.SAR_AIRCRAFT,
    21: TransmitterClass.AID_TO_NAVIGATION,
    # Type 18 says by its unit flag whether it is self-organised: `columns.fill` sees to that.
    **dict.fromkeys((18, 19, 24), TransmitterClass.B_CS),
}
#: The class of a message type.
CLASSES: Final = np.array([int(_CLASS_OF.get(n, TransmitterClass.UNKNOWN)) for n in range(32)], np.int64)
#: Bits of the tables that a message type goes into: observations, statements, messages.
TABLES_OF: Final = np.array(
    [(n in OBSERVATION_TYPES) | (n in STATEMENT_TYPES) << 1 or 4 for n in range(32)], np.int64
)


@dataclass(frozen=True, slots=True)
class Spec:
    """Where each layout has each column of one table; `places` and `factors` as `columns.fill` reads them.

    `told` is the column that tells whether there is a value: a sigma holds where the position does.
    """

    names: tuple[str, ...]
    used: NDArray[np.int64]
    places: NDArray[np.int64]
    factors: NDArray[np.float64]
    told: NDArray[np.int64]


@cache
def numbers(wanted: Wanted, types: tuple[int, ...] = ()) -> Spec:
    """The numeric columns of the messages of these types (of all, if none is named)."""
    wire = tables()
    blocks = (len(wanted) + _LANES - 1) // _LANES
    places = np.zeros((len(wire.layouts), blocks, _PLACES, _LANES), np.int64)
    places[:, :, _END] = _NEVER
    factors = np.zeros((len(wire.layouts), blocks, 2, _LANES))
    used = np.zeros((len(wire.layouts), blocks), np.int64)
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
            block, lane = divmod(column, _LANES)
            if item.width + (not signed) > _WIDEST:
                raise ValueError(f"The field {name!r} is too wide for a column.")
            used[number, block] = 1
            places[number, block, :, lane] = (
                item.first >> 3,
                item.first & 7,
                64 - item.width,
                -1 if signed else (1 << item.width) - 1,
                item.first + item.width,
                nothing if item.missing is None else item.missing,
                # A turn of +-127 tells the side only.
                TURN_SIDE if turn else nothing,
                -TURN_SIDE if turn else nothing,
                turn,
            )
            # ROT_AIS = 4.733 sqrt(rate): the kernel squares.
            scale = 1 / TURN_FACTOR if turn else item.scale * factor
            factors[number, block, :, lane] = scale, item.offset * factor
            if name == "accuracy":
                factors[number, block, :, lane] = _sigma(layout.message_type)
    names = tuple(row[0] for row in wanted)
    told = np.arange(len(names))
    if "position_sigma_m" in names:
        told[names.index("position_sigma_m")] = names.index("latitude_deg")
    return Spec(names, used, places, factors, told)


def _sigma(message_type: int) -> tuple[float, float]:
    """Scale and offset that turn the accuracy flag into a sigma in metres."""
    high, low = np.float32(_SIGMA_HIGH_M), np.float32(_SIGMA_LOW_M)
    if message_type == _LONG_RANGE:
        coarse = np.float32(_SIGMA_COARSE_M)
        high, low = np.hypot(high, coarse), np.hypot(low, coarse)
    return float(high) - float(low), float(low)


@cache
def texts(*names: str) -> NDArray[np.int64]:
    """For each layout the rows of the first two items of these names, -1 where it has none."""
    wire = tables()
    spec = np.full((len(wire.layouts), 2), -1, np.int64)
    for number, items in enumerate(wire.item_of):
        found = [items[name] for name in names if name in items]
        spec[number, : len(found[:2])] = found[:2]
    return spec
