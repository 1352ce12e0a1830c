"""Bulk data for a person: tracks, observations down to their bytes, the picture of a past time.

Always true: everything is bounded (a span, a number of points, a box) before it is read; rows that the observer may
not see are left out before anything is counted, sorted or thinned; "then" filters on `received`, so late
data is not in a picture of the time before it came.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shiprider.flow.picture import Box, Picture, Rows
from shiprider.flow.pictures import Seeable
from shiprider.flow.sight import Frames
from shiprider.measure.clock import HOUR_US
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.label import UNKNOWN_TEXT, number_of
from shiprider.model.tables import raw_parts
from shiprider.ports.lake import Lake
from shiprider.ports.spool import Spool

#: A position older than this is not in the picture of a time; the live picture shows it as stale.
PICTURE_SPAN_US: Final = 2 * HOUR_US

#: Longest span of tracks for one question.
_TRACK_SPAN_US: Final = 400 * 24 * HOUR_US

#: What makes a saying different from the one before.
_SAID: Final = (
    "imo", "callsign", "name", "ship_type", "to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m",
    "draught_m", "destination", "mothership_mmsi",
)  # fmt: skip

_TABLES_WITH_RAW: Final = ("observations", "statements", "messages")


@dataclass(frozen=True, slots=True)
class TrackPart:
    """Points of one track, ascending in time; `total` before thinning; `labels` the numbers of their labels."""

    track: int
    mmsi: int
    total: int
    columns: dict[str, NDArray[Any]]
    labels: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Bytes:
    """Raw bytes as received, and where they lie. `file_offset` is in the file's own (decompressed) bytes."""

    data: bytes
    raw: int
    file: str
    file_offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Observed:
    """One row of a table of the lake by its address, and its bytes (None where retention removed them)."""

    table: str
    row: dict[str, Any]
    duplicates: tuple[int, ...]
    bytes: Bytes | None
    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Life:
    """When a vessel was heard, how often, and what it said of itself: one row per different saying."""

    first_us: int | None
    last_us: int | None
    observations: int
    static: tuple[dict[str, Any], ...]


def subset(rows: Rows, most: int) -> Rows:
    """At most so many rows, spread evenly over what there is."""
    if len(rows) <= most:
        return rows
    keep = np.unique(np.linspace(0, len(rows) - 1, most).round().astype(np.int64))
    return Rows(
        rows.slot[keep],
        rows.track[keep],
        {name: values[keep] for name, values in rows.columns.items()},
        rows.vessel_class[keep],
        rows.length_m[keep],
        rows.changed[keep],
    )


#: (a table) -> its rows that the observer may see.
Seen = Callable[[str], Frames]


def scanned(
    lake: Lake, seen: Seen, table: str, columns: Sequence[str] | None = None, **span: Any
) -> pl.LazyFrame:
    """`Lake.scan` of the rows that the observer may see."""
    frames = seen(table)
    if frames.everything:
        return lake.scan(table, columns, **span)
    more = columns if columns is None or "label_id" in columns else [*columns, "label_id"]
    rows = lake.scan(table, more, **span).filter(frames.condition())
    return rows if columns is None else rows.select(columns)


def life(lake: Lake, seen: Seen, mmsi: int, most_sayings: int = 50) -> Life:
    """What the lake holds of one vessel."""
    heard = (
        scanned(lake, seen, "observations", ["time", "raw"], claimed_ids=[mmsi])
        .select(
            pl.col("time").min().alias("first"), pl.col("time").max().alias("last"), pl.len().alias("count")
        )
        .collect()
        .row(0, named=True)
    )
    said = (
        scanned(lake, seen, "statements", claimed_ids=[mmsi])
        .sort("time", "raw", descending=True)
        .unique(_SAID, keep="last", maintain_order=True)
        .head(most_sayings)
        .collect()
    )
    return Life(
        _us(heard["first"]) if heard["first"] else None,
        _us(heard["last"]) if heard["last"] else None,
        int(heard["count"]),
        tuple(said.iter_rows(named=True)),
    )


def tracks(
    lake: Lake, seen: Seen, mmsi: int, start_us: int, end_us: int, *, known_us: int | None, points: int
) -> list[TrackPart]:
    """Track points of one vessel in a span, at most `points` a track (first and last always kept)."""
    if end_us <= start_us or end_us - start_us > _TRACK_SPAN_US:
        raise UsageError("The span must end after it begins and last 400 days at most: choose another span.")
    columns = ("time", "track", "latitude_deg", "longitude_deg", "speed_mps", "course_deg", "nature", "raw")
    rows = (
        scanned(
            lake,
            seen,
            "track_points",
            (*columns, "label_id"),
            start_us=start_us,
            end_us=end_us,
            claimed_ids=[mmsi],
            known_us=known_us,
        )
        .unique("raw", keep="any")
        .sort("track", "time", "raw")
        .collect()
    )
    found = []
    for (track,), part in rows.group_by("track", maintain_order=True):
        total, labels = part.height, label_numbers(part)
        if total > points:
            keep = np.unique(np.linspace(0, total - 1, max(points, 2)).round().astype(np.int64))
            part = part[keep]
        arrays = {name: part[name].to_numpy() for name in columns if name not in ("time", "track")}
        arrays["time_us"] = part["time"].dt.timestamp("us").to_numpy()
        found.append(TrackPart(int(str(track)), mmsi, total, arrays, labels))
    return found


def label_numbers(rows: pl.DataFrame) -> frozenset[int]:
    """The numbers of the labels of rows; 0 for those without one."""
    return frozenset(rows["label_id"].fill_null(0).unique().to_list())


def observation(lake: Lake, seen: Seen, spool: Spool | None, raw: int) -> Observed:
    """The row at an address. Raises NotFound."""
    for table in _TABLES_WITH_RAW:
        rows = scanned(lake, seen, table, raw_start=raw, raw_end=raw + 1).head(1).collect()
        if rows.height:
            row = rows.row(0, named=True)
            first = row["duplicate_of"]
            if first is not None and not _there(lake, seen, table, first):
                row["duplicate_of"] = None
            same = (
                scanned(
                    lake,
                    seen,
                    table,
                    ["raw", "duplicate_of"],
                    claimed_ids=[row["claimed_id"]],
                    start_us=_us(row["time"]) - HOUR_US,
                    end_us=_us(row["time"]) + HOUR_US,
                )
                .filter(pl.col("duplicate_of") == raw)
                .collect()
            )
            found = _bytes(spool, seen(table), raw, int(row["raw_length"] or 0))
            return Observed(table, row, tuple(same["raw"].to_list()), found, _message(found))
    raise NotFound(f"There is no observation at {raw}: it was never here, or retention removed it.")


def _there(lake: Lake, seen: Seen, table: str, raw: int) -> bool:
    rows = scanned(lake, seen, table, ["raw"], raw_start=raw, raw_end=raw + 1)
    return rows.head(1).collect().height > 0


def _message(found: Bytes | None) -> Mapping[str, Any]:
    """Every field of an AIS message as its sentences say it; nothing for other formats."""
    if found is None or (b"VDM" not in found.data and b"VDO" not in found.data):
        return {}
    # Decoding is compiled at its first use: only who opens a sentence pays for it.
    from shiprider.formats.ais.fields import decode_fields

    for message in decode_fields(found.data + b"\r\n"):
        return message
    return {}


def _us(moment: Any) -> int:
    return round(moment.timestamp() * 1e6)


def _bytes(spool: Spool | None, frames: Frames, raw: int, length: int) -> Bytes | None:
    if spool is None or length <= 0:
        return None
    try:
        stored = spool.locate(raw)
        # The row starts with the first of its sentences and may lie across others: to the line's end.
        data = _read(spool, frames, raw, length)
    except NotFound:
        return None
    source = next((s for s in spool.sources() if s.number == stored.source), None)
    return Bytes(
        data,
        raw,
        source.origin.file if source else "",
        stored.file_offset + raw_parts(raw)[1] - raw_parts(stored.raw)[1],
        hashlib.sha256(data).hexdigest(),
    )


def _read(spool: Spool, frames: Frames, raw: int, length: int) -> bytes:
    """The bytes of the chunks that the observer may see: other feeds' chunks may lie between a message's parts."""
    if frames.everything:
        return spool.read(raw, length)
    labels = {source.number: source.declaration.label for source in spool.sources()}
    parts, at, end = [], raw, raw + length
    while at < end:
        stored = spool.locate(at)
        until = min(stored.end, end)
        label = labels.get(stored.source, UNKNOWN_TEXT)
        if frames.admits(number_of(label)):
            parts.append(spool.read(at, until - at))
        at = until
    return b"".join(parts)


def picture_at(
    lake: Lake, seen: Seen, picture: Seeable, time_us: int, mode: str, box: Box | None
) -> tuple[Rows, frozenset[int]]:
    """Where everything was at a time, as known then or now; and the numbers of the labels of those rows."""
    columns = (
        "time", "received", "track", "claimed_id", "latitude_deg", "longitude_deg", "speed_mps", "course_deg",
        "heading_deg", "nav_status", "transmitter_class", "receiver_kind", "nature", "flaws", "raw",
        "label_id",
    )  # fmt: skip
    latest = (
        scanned(
            lake,
            seen,
            "track_points",
            columns,
            start_us=time_us - PICTURE_SPAN_US,
            end_us=time_us + 1,
            known_us=time_us if mode == "then" else None,
        )
        .drop_nulls(["latitude_deg", "longitude_deg"])
        .sort("track", "time", "raw")
        .group_by("track", maintain_order=True)
        .last()
        .collect()
    )
    past = Picture()
    past.take_points(latest.to_arrow(compat_level=pl.CompatLevel.oldest()))
    rows = past.rows(box)
    shown = latest.filter(pl.col("raw").is_in(rows["raw"].tolist()))
    vessel_class, length = picture.describe(rows["mmsi"])
    unknown = vessel_class == 0
    described = Rows(
        rows.slot,
        rows.track,
        rows.columns,
        np.where(unknown, rows.vessel_class, vessel_class).astype(np.int8),
        length,
        rows.changed,
    )
    return described, label_numbers(shown)
