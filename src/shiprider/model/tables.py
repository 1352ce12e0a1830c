"""The lake's tables, as Arrow schemas: the one place where a column is named.

Always true: a unit is in the name; every row points back to its bytes with `raw`
(`raw = segment << 32 | offset of the first byte in that segment`, offsets in uncompressed bytes);
`nature` tells simulated data from real in every table; `day` (UTC date of `time`) is the partition.
Codes are the int8 values of `model/codes.py`. Null means the sensor did not say.
"""

from typing import Final

import pyarrow as pa

TIME: Final = pa.timestamp("us", tz="UTC")


def _schema(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in fields])


_ORIGIN: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("time", TIME),
    ("time_source", pa.int8()),
    ("time_sigma_s", pa.float32()),
    ("received", TIME),
    ("feed", pa.string()),
    ("sensor", pa.string()),
    ("receiver", pa.string()),
    ("receiver_kind", pa.int8()),
    ("kind", pa.int8()),
    ("claimed_id", pa.int64()),
    ("claimed_id_kind", pa.int8()),
    ("transmitter_class", pa.int8()),
    ("message_type", pa.int8()),
)

_POINTER: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("nature", pa.int8()),
    ("flaws", pa.int32()),
    ("duplicate_of", pa.int64()),
    ("label_id", pa.int32()),
    ("raw", pa.int64()),
    ("raw_length", pa.int32()),
    ("day", pa.date32()),
)

#: One sensor's claim about one object at one time (AIS types 1-4, 9, 11, 18, 19, 21, 27; CSV rows).
OBSERVATIONS: Final = _schema(
    *_ORIGIN,
    ("nav_status", pa.int8()),
    ("latitude_deg", pa.float64()),
    ("longitude_deg", pa.float64()),
    ("altitude_m", pa.float32()),
    ("speed_mps", pa.float32()),
    ("course_deg", pa.float32()),
    ("heading_deg", pa.float32()),
    ("rate_of_turn_degpmin", pa.float32()),
    ("position_sigma_m", pa.float32()),
    *_POINTER,
)

#: Static and voyage data, names, dimensions (AIS types 5, 19, 21, 24).
STATEMENTS: Final = _schema(
    *_ORIGIN,
    ("imo", pa.int32()),
    ("callsign", pa.string()),
    ("name", pa.string()),
    ("ship_type", pa.int16()),
    ("to_bow_m", pa.int16()),
    ("to_stern_m", pa.int16()),
    ("to_port_m", pa.int16()),
    ("to_starboard_m", pa.int16()),
    ("draught_m", pa.float32()),
    ("destination", pa.string()),
    ("eta_month", pa.int8()),
    ("eta_day", pa.int8()),
    ("eta_hour", pa.int8()),
    ("eta_minute", pa.int8()),
    ("mothership_mmsi", pa.int32()),
    *_POINTER,
)

#: Safety, binary, text and control messages (AIS types 6-8, 10, 12-17, 20, 22, 23, 25, 26).
MESSAGES: Final = _schema(
    *_ORIGIN,
    ("destination_id", pa.int64()),
    ("dac", pa.int16()),
    ("fid", pa.int16()),
    ("text", pa.string()),
    ("payload", pa.binary()),
    ("fields", pa.string()),
    *_POINTER,
)

#: Identity-keyed points of one picture. `track` is `claimed_id * 16 + branch` for cooperative tracks.
TRACK_POINTS: Final = _schema(
    ("time", TIME),
    ("track", pa.int64()),
    ("claimed_id", pa.int64()),
    ("branch", pa.int8()),
    ("transmitter_class", pa.int8()),
    ("receiver_kind", pa.int8()),
    ("nav_status", pa.int8()),
    ("latitude_deg", pa.float64()),
    ("longitude_deg", pa.float64()),
    ("speed_mps", pa.float32()),
    ("course_deg", pa.float32()),
    ("heading_deg", pa.float32()),
    ("received", TIME),
    ("nature", pa.int8()),
    ("flaws", pa.int32()),
    ("raw", pa.int64()),
    ("label_id", pa.int32()),
    ("day", pa.date32()),
)

#: Expected against received positions per H3 cell, transmitter class and hour of day.
RECEPTION: Final = _schema(
    ("day", pa.date32()),
    ("hour", pa.int8()),
    ("cell", pa.uint64()),
    ("transmitter_class", pa.int8()),
    ("receiver_kind", pa.int8()),
    ("expected", pa.float32()),
    ("received_count", pa.int32()),
    ("vessels", pa.int32()),
)

#: What could not be decoded: bytes kept in the spool, named by `raw`, with the reason.
QUARANTINE: Final = _schema(
    ("received", TIME),
    ("feed", pa.string()),
    ("file", pa.string()),
    ("file_offset", pa.int64()),
    ("raw", pa.int64()),
    ("raw_length", pa.int32()),
    ("reason", pa.string()),
    ("excerpt", pa.string()),
    ("day", pa.date32()),
)

TABLES: Final[dict[str, pa.Schema]] = {
    "observations": OBSERVATIONS,
    "statements": STATEMENTS,
    "messages": MESSAGES,
    "track_points": TRACK_POINTS,
    "reception": RECEPTION,
    "quarantine": QUARANTINE,
}


def raw_address(segment: int, offset: int) -> int:
    """The node-wide address of a byte: 31 bits of segment number, 32 bits of offset."""
    return segment << 32 | offset


def raw_parts(raw: int) -> tuple[int, int]:
    """The inverse of `raw_address`: (segment, offset)."""
    return raw >> 32, raw & 0xFFFF_FFFF
