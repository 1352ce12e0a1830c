"""Observations and static data for the wire: every stored field by its name, and the raw sentence.

Always true: bytes are shown as text with what is not printable escaped; nothing is left out but the
columns that say where the row lies.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec

from shiprider.api.rendering import Rendering, flaw_names, number
from shiprider.api.schemas import vessels as s
from shiprider.flow.frames import Bytes, Observed
from shiprider.model.codes import Nature, ReceiverKind, SensorKind, TimeSource, TransmitterClass
from shiprider.model.identity import imo_checksum_holds
from shiprider.model.tables import raw_parts

#: Columns stored as codes, and what they mean.
_CODES: Final = {
    "time_source": TimeSource,
    "receiver_kind": ReceiverKind,
    "kind": SensorKind,
    "transmitter_class": TransmitterClass,
    "nature": Nature,
}

#: Columns that say where the row lies, or are shown apart.
_APART: Final = frozenset({"raw", "raw_length", "day", "label_id", "flaws", "duplicate_of"})


def code_name(column: str, code: int | None) -> str:
    """The name of a stored code."""
    if code is None:
        return ""
    try:
        return _CODES[column](code).name.lower()
    except ValueError:
        return str(code)


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


def _value(column: str, value: Any) -> str | int | float | bool | None:
    if value is None:
        return None
    if column in _CODES:
        return code_name(column, value)
    if isinstance(value, datetime):
        return _us(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return number(value)
    return value


def _plain(value: Any) -> str | int | float | bool | None:
    """A field of a message; lists and records as JSON text."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return msgspec.json.encode(value).decode()


def observation_out(rendering: Rendering, item: Observed) -> s.ObservationOut:
    """One observation with its bytes."""
    row = item.row
    return s.ObservationOut(
        raw=row["raw"],
        table=item.table,
        mmsi=row["claimed_id"] or 0,
        time_us=_us(row["time"]),
        received_us=_us(row["received"]),
        feed=row["feed"] or "",
        receiver=row["receiver"] or "",
        receiver_kind=code_name("receiver_kind", row["receiver_kind"]),
        nature=code_name("nature", row["nature"]),
        flaws=flaw_names(row["flaws"] or 0),
        duplicates=list(item.duplicates) + ([row["duplicate_of"]] if row["duplicate_of"] is not None else []),
        fields={name: _value(name, value) for name, value in row.items() if name not in _APART},
        message={name: _plain(value) for name, value in item.message.items()},
        sentences=sentences(item.bytes) if item.bytes else [],
        marking=rendering.marking(*rendering.view.label_texts([row["label_id"]])),
    )


def sentences(found: Bytes) -> list[s.Sentence]:
    """The lines of the bytes, each with where it lies."""
    listed = []
    start = 0
    for line in found.data.splitlines(keepends=True):
        bare = line.rstrip(b"\r\n")
        if bare:
            segment, offset = raw_parts(found.raw + start)
            listed.append(
                s.Sentence(
                    text=bare.decode("ascii", "backslashreplace"),
                    raw=found.raw + start,
                    segment=segment,
                    offset=offset,
                    length=len(bare),
                    file=found.file,
                    file_offset=found.file_offset + start,
                    sha256=found.sha256,
                )
            )
        start += len(line)
    return listed


def static_out(rendering: Rendering, row: Mapping[str, Any]) -> s.StaticData:
    """What a vessel said of itself at one time."""

    def length(first: str, second: str) -> int | None:
        a, b = row[first], row[second]
        return a + b if a is not None and b is not None and a + b > 0 else None

    imo = row["imo"] or 0
    kind = -1 if row["ship_type"] is None else row["ship_type"]
    eta = [row[f"eta_{part}"] for part in ("month", "day", "hour", "minute")]
    return s.StaticData(
        time_us=_us(row["time"]),
        imo=imo,
        imo_valid=imo_checksum_holds(imo),
        callsign=row["callsign"] or "",
        name=row["name"] or "",
        ship_type=max(kind, 0),
        ship_type_text=rendering.ship_type(kind),
        length_m=length("to_bow_m", "to_stern_m"),
        beam_m=length("to_port_m", "to_starboard_m"),
        draught_m=number(row["draught_m"]),
        destination=row["destination"] or "",
        eta="{:02d}-{:02d} {:02d}:{:02d}Z".format(*eta) if all(part is not None for part in eta) else "",
        transmitter_class=code_name("transmitter_class", row["transmitter_class"]),
        raw=row["raw"],
    )
