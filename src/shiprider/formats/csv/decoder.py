"""A table of AIS positions as text, to the lake's columns.

Always true: a row is a line; `raw` is the address of its first byte; a row without a time, with a broken
number for its place or identity, or of another number of columns, is a reject; what a vessel says of
itself becomes a statement only when it changes.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.formats.csv.layouts import (
    CLASSES,
    NAV_STATUS,
    SHIP_TYPES,
    SPEED_FACTORS,
    CsvLayout,
    find_layout,
    header_of,
)
from shiprider.formats.csv.running import Running, received_times
from shiprider.formats.decoded import REJECTS, Counts, DecodeContext, Decoded
from shiprider.model.codes import IdentityKind, SensorKind, TimeSource, TransmitterClass
from shiprider.model.errors import InputError
from shiprider.model.identity import MmsiForm, form_of_head
from shiprider.model.tables import MESSAGES, OBSERVATIONS, STATEMENTS

_TIME: Final = pl.Datetime("us", "UTC")
_SIZES: Final = ("to_bow", "to_stern", "to_port", "to_starboard")
#: What tables write where a station said nothing.
_UNSAID: Final = ("unknown", "undefined", "null", "nan", "none", "n/a")
#: So many octets wait for the rows that judge their times, and no more.
_MOST_HELD: Final = 1 << 20
#: A table gives no accuracy: that of a GNSS receiver without augmentation (IMO A.915(22): 10 m at 95 %).
_SIGMA_M: Final = 15.0
#: Classes of vessels, and what the first three digits of a number say of the others (ITU-R M.585-9).
_OF_SHIPS: Final = (float(TransmitterClass.A), float(TransmitterClass.B_CS))
_CLASS_OF_FORM: Final = {
    MmsiForm.COAST: TransmitterClass.BASE_STATION,
    MmsiForm.AID_TO_NAVIGATION: TransmitterClass.AID_TO_NAVIGATION,
    MmsiForm.SAR_AIRCRAFT: TransmitterClass.SAR_AIRCRAFT,
    MmsiForm.LOCATING_DEVICE: TransmitterClass.LOCATING_DEVICE,
}
_CLASS_OF_HEAD: Final = {
    head: int(_CLASS_OF_FORM[MmsiForm(form)])
    for head, form in enumerate(form_of_head().tolist())
    if form in _CLASS_OF_FORM
}


class _State(msgspec.Struct):
    """What spans calls."""

    header: bytes | None
    latest_us: int
    static: dict[int, int]
    previous_us: int = -1
    #: Address and octets of the lines whose times can only be judged by those to come.
    held: list[tuple[int, bytes]] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Rows with a time and rows without; the addresses of all lines, and of those that are no rows at all."""

    usable: pl.DataFrame
    rejects: pl.DataFrame
    lines: NDArray[np.int64]
    ignored: NDArray[np.int64]


class CsvDecoder:
    """Whole lines of one layout in, tables out."""

    def __init__(self, layout: CsvLayout, context: DecodeContext) -> None:
        self._layout = layout
        self._context = context
        self._state = _State(None, -1, {})

    def decode(self, data: bytes | memoryview, raw: int, received_us: int, final: bool = False) -> Decoded:
        """Decode whole lines whose first byte has address `raw`. Raises `InputError` for a foreign header."""
        wall = self._context.received_clock == "wall"
        pieces = [*self._state.held, (raw, bytes(data))]
        parsed = [self._parsed(octets, address) for address, octets in pieces]
        usable = pl.concat([p.usable for p in parsed])
        rejects = pl.concat([p.rejects for p in parsed])
        lines = np.concatenate([p.lines for p in parsed])
        ignored = np.concatenate([p.ignored for p in parsed])
        self._state.held = []
        times = usable.select(time=self._moment())["time"].to_numpy()
        if wall:
            received = np.full(usable.height, received_us, np.int64)
        else:
            final |= sum(len(octets) for _, octets in pieces[:-1]) > _MOST_HELD
            running = Running(self._state.latest_us, self._state.previous_us)
            times, received = received_times(times, running, final=final)
            self._state.latest_us, self._state.previous_us = running.clock, running.previous
            known = len(times)
            if known < usable.height:
                cut = int(usable["raw"][known])
                self._state.held = _from(pieces, cut)
                usable = usable.head(known)
                rejects = rejects.filter(pl.col("raw") < cut)
                lines, ignored = lines[lines < cut], ignored[ignored < cut]
        rows = self._timed(usable, times, received)
        statements = self._changed(rows)
        return Decoded(
            _as(rows, OBSERVATIONS),
            _as(statements, STATEMENTS),
            MESSAGES.empty_table(),
            rejects.sort("raw").to_arrow().cast(REJECTS),
            Counts(len(lines), rows.height, len(ignored), rejects.height),
        )

    def _parsed(self, data: bytes, raw: int) -> "_Parsed":
        """One stretch of lines whose first byte has address `raw`. Raises `InputError` for a foreign header."""
        source = np.frombuffer(data, np.uint8)
        starts, ends = _lines(source)
        lines = starts + raw
        blank = ends == starts
        ignored = [starts[blank] + raw]
        starts, ends = starts[~blank], ends[~blank]
        keep = np.ones(len(starts), np.bool_)
        if self._state.header is None and len(starts):
            self._state.header = bytes(source[starts[0] : ends[0]])
        for place in self._headers(source, starts, ends):
            line = bytes(source[starts[place] : ends[place]])
            layout = find_layout(line, (self._layout,))
            if layout is None:
                raise InputError(
                    f"The table does not begin with the header of {self._layout.name} (byte {raw}): "
                    "declare its columns in a TOML file."
                )
            self._layout = layout
            keep[place] = False
            ignored.append(starts[place : place + 1] + raw)
        starts, ends = starts[keep], ends[keep]
        header = header_of(self._state.header or b"", self._layout.delimiter)
        good = self._columns_of(source, starts, ends) == len(header)
        frame = self._parse(source, starts[good], ends[good], header)
        frame = frame.with_columns(
            raw=pl.Series(starts[good] + raw, dtype=pl.Int64),
            raw_length=pl.Series(ends[good] - starts[good], dtype=pl.Int32),
        )
        checked = frame.with_columns(reason=self._reason())
        usable = checked.filter(pl.col("reason").is_null())
        bad = checked.filter(pl.col("reason").is_not_null()).select("raw", "raw_length", "reason")
        ragged = pl.DataFrame(
            {
                "raw": pl.Series(starts[~good] + raw, dtype=pl.Int64),
                "raw_length": pl.Series(ends[~good] - starts[~good], dtype=pl.Int32),
                "reason": pl.Series(["wrong number of columns"] * int((~good).sum()), dtype=pl.String),
            }
        )
        return _Parsed(usable, pl.concat([bad, ragged]), lines, np.concatenate(ignored))

    def snapshot(self) -> bytes:
        """All state that spans calls."""
        return b"CSV1" + msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. Raises `InputError` where it is none of this decoder's."""
        if state[:4] != b"CSV1":
            raise InputError(
                "The decoder's saved state is of another version: replay the spool from its start."
            )
        self._state = msgspec.msgpack.decode(state[4:], type=_State)
        if self._state.header is not None:
            self._layout = find_layout(self._state.header, (self._layout,)) or self._layout

    # -- lines -----------------------------------------------------------------------------------

    def _headers(
        self, source: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> list[int]:
        """Lines that repeat the header (files one after the other), and the first one of all."""
        header = self._state.header
        if header is None:
            return []
        size = len(header)
        candidates = np.flatnonzero(ends - starts == size)
        text = np.frombuffer(header, np.uint8)
        if size:
            candidates = candidates[source[starts[candidates]] == text[0]]
        return [int(i) for i in candidates if bytes(source[starts[i] : ends[i]]) == header]

    def _columns_of(
        self, source: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Columns of each line; 0 where a quotation is not closed."""
        if not len(starts):
            return np.zeros(0, np.int64)
        quotes = np.zeros(len(source) + 1, np.int64)
        np.cumsum(source == 34, out=quotes[1:])
        before = np.repeat(quotes[starts], ends - starts)
        places = np.repeat(starts - np.concatenate([[0], np.cumsum(ends - starts)[:-1]]), ends - starts)
        index = np.arange(len(places)) + places
        outside = (quotes[index] - before) % 2 == 0
        fences = (source[index] == ord(self._layout.delimiter)) & outside
        total = np.zeros(len(fences) + 1, np.int64)
        np.cumsum(fences, out=total[1:])
        edges = np.concatenate([[0], np.cumsum(ends - starts)])
        count = np.diff(total[edges]) + 1
        open_ended = (quotes[ends] - quotes[starts]) % 2 == 1
        return np.where(open_ended, 0, count)

    def _parse(
        self,
        source: NDArray[np.uint8],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        header: tuple[str, ...],
    ) -> pl.DataFrame:
        names = {theirs: ours for ours, theirs in self._layout.columns.items()}
        labels = [names.get(name, f"?{i}") for i, name in enumerate(header)]
        if not len(starts):
            return pl.DataFrame({label: pl.Series([], dtype=pl.String) for label in labels})
        if (starts[1:] - ends[:-1] <= 2).all():
            text = source[starts[0] : ends[-1]].tobytes()
        else:
            pieces = zip(starts.tolist(), ends.tolist(), strict=True)
            text = b"\n".join(source[a:b].tobytes() for a, b in pieces)
        try:
            frame = pl.read_csv(
                text + b"\n",
                has_header=False,
                new_columns=labels,
                separator=self._layout.delimiter,
                infer_schema=False,
                encoding="utf8-lossy",
                null_values=[""],
            )
            if frame.height == len(starts):
                return frame
        except pl.exceptions.PolarsError:
            pass
        # Stray quotes or lone returns: one row at a time, a quote then being a letter like any other.
        rows = [
            source[a:b].tobytes().decode("utf-8", "replace").split(self._layout.delimiter)
            for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        columns = {
            label: [row[i].strip('"') or None if i < len(row) else None for row in rows]
            for i, label in enumerate(labels)
        }
        return pl.DataFrame(columns, schema=dict.fromkeys(labels, pl.String))

    # -- values ----------------------------------------------------------------------------------

    def _has(self, name: str) -> bool:
        header = header_of(self._state.header or b"", self._layout.delimiter)
        return self._layout.columns.get(name) in header

    def _number(self, name: str) -> pl.Expr:
        if not self._has(name):
            return pl.lit(None, pl.Float64)
        number = pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)

    def _text(self, name: str) -> pl.Expr:
        if not self._has(name):
            return pl.lit(None, pl.String)
        text = pl.col(name).str.strip_chars()
        return pl.when((text.str.len_bytes() > 0) & ~text.str.to_lowercase().is_in(_UNSAID)).then(text)

    def _coded(self, name: str, codes: dict[str, Any]) -> pl.Expr:
        """A code given as a number, or in words."""
        words = (
            self._text(name)
            .str.to_lowercase()
            .replace_strict(
                {text: int(code) for text, code in codes.items()}, default=None, return_dtype=pl.Float64
            )
        )
        return pl.coalesce(self._number(name), words)

    def _transmitter(self, mmsi: pl.Expr) -> pl.Expr:
        """The class as said; by the number where nothing, or only class A or B, is said of a fixed station or aircraft.

        Most tables know no other classes than A and B, and write one of them beside a buoy's number.
        """
        said = self._coded("transmitter_class", CLASSES)
        by_number = (mmsi // 1_000_000).replace_strict(
            list(_CLASS_OF_HEAD), list(_CLASS_OF_HEAD.values()), default=None, return_dtype=pl.Float64
        )
        of_a_ship = said.is_null() | said.is_in(_OF_SHIPS)
        return (
            pl.when(of_a_ship & by_number.is_not_null())
            .then(by_number)
            .otherwise(said.fill_null(int(TransmitterClass.UNKNOWN)))
        )

    def _moment(self) -> pl.Expr:
        text = pl.col("time").str.strip_chars().str.strip_suffix("Z")
        tries: list[pl.Expr] = []
        for form in self._layout.time_formats:
            if form in ("epoch_s", "epoch_ms"):
                factor = 1e6 if form == "epoch_s" else 1e3
                tries.append((text.cast(pl.Float64, strict=False) * factor).round().cast(pl.Int64))
            else:
                tries.append(text.str.to_datetime(form, time_unit="us", strict=False).cast(pl.Int64))
        return pl.coalesce(tries)

    def _reason(self) -> pl.Expr:
        def broken(name: str) -> pl.Expr:
            if not self._has(name):
                return pl.lit(False)
            return self._number(name).is_null() & self._text(name).is_not_null()

        return (
            pl.when(self._moment().is_null())
            .then(pl.lit("bad time"))
            .when(broken("mmsi"))
            .then(pl.lit("bad MMSI"))
            .when(broken("latitude") | broken("longitude"))
            .then(pl.lit("bad position"))
        )

    def _timed(
        self, frame: pl.DataFrame, times: NDArray[np.int64], received: NDArray[np.int64]
    ) -> pl.DataFrame:
        """The rows with our columns, all but those that only statements have."""
        context = self._context
        kind = self._layout.receiver_kind
        receiver_kind = int(context.receiver_kind if kind is None else kind)
        knots = SPEED_FACTORS[self._layout.speed_unit]
        mmsi = self._number("mmsi").fill_null(0).clip(0, 999_999_999).cast(pl.Int64)
        latitude, longitude = self._number("latitude"), self._number("longitude")
        unplaced = (latitude == 91) | (longitude == 181) | latitude.is_null() | longitude.is_null()
        speed, course = self._number("speed"), self._number("course")
        heading, turn = self._number("heading"), self._number("turn")
        unit_kn = self._layout.speed_unit == "kn"
        rows = frame.select(
            time_us=pl.Series(times, dtype=pl.Int64),
            receiver=self._text("receiver"),
            claimed_id=mmsi,
            claimed_id_kind=pl.when(mmsi > 0).then(int(IdentityKind.MMSI)).otherwise(int(IdentityKind.NONE)),
            transmitter_class=self._transmitter(mmsi),
            message_type=self._number("message_type"),
            nav_status=self._coded("status", NAV_STATUS),
            latitude_deg=pl.when(~unplaced).then(latitude),
            longitude_deg=pl.when(~unplaced).then(longitude),
            speed_mps=pl.when(speed < 102.25 if unit_kn else pl.lit(True)).then(speed * knots),
            course_deg=pl.when((course >= 0) & (course < 360)).then(course),
            heading_deg=pl.when((heading >= 0) & (heading < 360)).then(heading),
            rate_of_turn_degpmin=pl.when(turn.abs() <= 708).then(turn),
            position_sigma_m=pl.when(~unplaced).then(_SIGMA_M),
            raw="raw",
            raw_length="raw_length",
            imo=self._text("imo").str.extract(r"([1-9]\d{6})").cast(pl.Int32, strict=False),
            callsign=self._text("callsign"),
            name=self._text("name"),
            ship_type=self._coded("ship_type", SHIP_TYPES),
            draught_m=self._number("draught"),
            destination=self._text("destination"),
            length=self._number("length"),
            width=self._number("width"),
            **{f"{name}_m": self._number(name) for name in _SIZES},
        )
        # Only length and breadth: where the antenna stands is not said, so all of it lies ahead and to port.
        rows = rows.with_columns(
            to_bow_m=pl.coalesce("to_bow_m", "length"),
            to_stern_m=pl.when(pl.col("to_bow_m").is_null() & pl.col("length").is_not_null())
            .then(0.0)
            .otherwise("to_stern_m"),
            to_port_m=pl.coalesce("to_port_m", "width"),
            to_starboard_m=pl.when(pl.col("to_port_m").is_null() & pl.col("width").is_not_null())
            .then(0.0)
            .otherwise("to_starboard_m"),
        )
        return rows.with_columns(
            time=pl.col("time_us").cast(_TIME),
            received=pl.Series(received, dtype=pl.Int64).cast(_TIME),
            day=pl.col("time_us").cast(_TIME).dt.date(),
            time_source=pl.lit(int(TimeSource.FILE)),
            # Whole seconds in every published layout.
            time_sigma_s=pl.lit(1 / 12**0.5),
            feed=pl.lit(context.feed),
            sensor=pl.lit(context.sensor),
            receiver_kind=pl.lit(receiver_kind),
            kind=pl.lit(int(SensorKind.AIS)),
            altitude_m=pl.lit(None, pl.Float32),
            nature=pl.lit(int(context.nature)),
            flaws=pl.lit(0),
            duplicate_of=pl.lit(None, pl.Int64),
            label_id=pl.lit(context.label_id),
        )

    def _changed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows whose static data is not what the vessel's row before said."""
        said = [
            "imo",
            "callsign",
            "name",
            "ship_type",
            "draught_m",
            "destination",
            *(f"{n}_m" for n in _SIZES),
        ]
        some = rows.filter(
            (pl.col("claimed_id") > 0) & pl.any_horizontal([pl.col(name).is_not_null() for name in said])
        )
        if not some.height:
            return some
        # A signed digest: JSON and msgpack carry 64 bits either way.
        some = some.with_columns(said=pl.struct(said).hash(7).reinterpret(signed=True))
        known = pl.DataFrame(
            {"claimed_id": list(self._state.static), "known": list(self._state.static.values())},
            schema={"claimed_id": pl.Int64, "known": pl.Int64},
        )
        some = some.join(known, on="claimed_id", how="left", maintain_order="left").with_columns(
            before=pl.coalesce(pl.col("said").shift(1).over("claimed_id"), "known")
        )
        last = some.group_by("claimed_id").agg(pl.col("said").last())
        self._state.static.update(zip(last["claimed_id"].to_list(), last["said"].to_list(), strict=True))
        return some.filter(pl.col("before").is_null() | (pl.col("before") != pl.col("said")))


def _lines(source: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and one-past-last byte of each line, without its end (LF, CRLF or CR)."""
    feeds = np.flatnonzero(source == 10)
    if not len(feeds) and len(source):
        feeds = np.flatnonzero(source == 13)
    ends = feeds
    starts = np.concatenate([[0], feeds + 1])
    if len(source) and (not len(feeds) or feeds[-1] != len(source) - 1):
        ends = np.concatenate([feeds, [len(source)]])
    else:
        starts = starts[:-1]
    starts = starts.astype(np.int64)
    ends = ends.astype(np.int64)
    returned = (ends > starts) & (source[np.maximum(ends - 1, 0)] == 13) if len(ends) else ends > starts
    return starts, ends - returned


def _from(pieces: list[tuple[int, bytes]], raw: int) -> list[tuple[int, bytes]]:
    """What lies at address `raw` and behind."""
    return [
        (max(address, raw), octets[max(raw - address, 0) :])
        for address, octets in pieces
        if address + len(octets) > raw
    ]


def _as(rows: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """The rows in a table's schema; columns the table has and the rows lack are null."""
    table = rows.to_arrow() if rows.height else None
    if table is None:
        return schema.empty_table()
    arrays = []
    for item in schema:
        if item.name in table.column_names:
            column = table.column(item.name)
            if pa.types.is_integer(item.type) and pa.types.is_floating(column.type):
                # What the column cannot hold was not said by any station.
                limits = np.iinfo(item.type.to_pandas_dtype())
                fits = pc.and_(pc.greater_equal(column, limits.min), pc.less_equal(column, limits.max))
                column = pc.round(pc.if_else(fits, column, None))
            arrays.append(column.cast(item.type, safe=False))
        else:
            arrays.append(pa.nulls(table.num_rows, item.type))
    return pa.Table.from_arrays(arrays, schema=schema)
