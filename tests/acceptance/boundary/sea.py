"""Vessels drawn by hand on a sphere, written as NMEA or CSV: an outside view of what detectors are given.

Nothing of the product is imported here: the geometry is unit vectors, the sentences are packed bit by
bit from ITU-R M.1371-5 tables 45 (types 1 to 3), 50 (4), 55 (5), 64 (9), 70 (18), 74 (21), 79 (24) and
84 (27), and the tables are written as their publishers write them. Times are seconds of the epoch,
distances metres, speeds knots, angles degrees.
"""

import csv
import io
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

EARTH_M = 6_371_008.8
KNOT = 1852 / 3600
HOUR = 3600.0
#: 10 March 2026, 06:00 UTC: far from midnight on both sides.
T0 = datetime(2026, 3, 10, 6, tzinfo=UTC).timestamp()

Vector = tuple[float, float, float]


def vector(lat: float, lon: float) -> Vector:
    y, x = math.radians(lat), math.radians(lon)
    return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)


def degrees(v: Vector) -> tuple[float, float]:
    return math.degrees(math.atan2(v[2], math.hypot(v[0], v[1]))), math.degrees(math.atan2(v[1], v[0]))


def apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by the chord."""
    chord = math.dist(vector(*a), vector(*b))
    return 2 * EARTH_M * math.asin(min(1.0, chord / 2))


def go(lat: float, lon: float, bearing: float, metres: float) -> tuple[float, float]:
    """Where `metres` along the great circle with that first bearing lead: the point turned about its own pole."""
    y, x, b = math.radians(lat), math.radians(lon), math.radians(bearing)
    here = vector(lat, lon)
    north = (-math.sin(y) * math.cos(x), -math.sin(y) * math.sin(x), math.cos(y))
    east = (-math.sin(x), math.cos(x), 0.0)
    way = tuple(math.cos(b) * n + math.sin(b) * e for n, e in zip(north, east, strict=True))
    angle = metres / EARTH_M
    there = tuple(math.cos(angle) * p + math.sin(angle) * w for p, w in zip(here, way, strict=True))
    return degrees(there)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ship:
    """Who it says it is."""

    mmsi: int
    name: str = ""
    ship_type: int = 70
    imo: int = 0
    callsign: str = ""
    length: int = 100
    beam: int = 20
    station: str = "A"


@dataclass(frozen=True)
class Report:
    """One transmission. `message` 0 stands for the position report of the ship's class."""

    t: float
    ship: Ship
    lat: float
    lon: float
    knots: float | None = 0.0
    course: float | None = 0.0
    heading: int | None = None
    status: int = 0
    source: str = "shore"
    message: int = 0


#: (lat, lon, knots, course) at a time.
Motion = Callable[[float], tuple[float, float, float, float]]


class Way:
    """A motion in legs, begun at a time and place."""

    def __init__(self, t: float, lat: float, lon: float) -> None:
        self.legs: list[tuple[float, float, float, float, float, float]] = []
        self.t, self.lat, self.lon, self.course = t, lat, lon, 0.0

    def sail(self, hours: float, course: float, knots: float) -> "Way":
        """Along the great circle that begins with that course."""
        end = self.t + hours * HOUR
        self.legs.append((self.t, end, self.lat, self.lon, course, knots))
        self.lat, self.lon = go(self.lat, self.lon, course, knots * KNOT * hours * HOUR)
        self.t, self.course = end, course
        return self

    def lie(self, hours: float) -> "Way":
        """Not moving."""
        return self.sail(hours, self.course, 0.0)

    def leap(self, course: float, metres: float) -> "Way":
        """To be somewhere else at once."""
        self.lat, self.lon = go(self.lat, self.lon, course, metres)
        return self

    def __call__(self, t: float) -> tuple[float, float, float, float]:
        for begin, end, lat, lon, course, knots in self.legs:
            if t < end or (begin, end) == self.legs[-1][:2]:
                return (*go(lat, lon, course, knots * KNOT * (t - begin)), knots, course)
        raise AssertionError("a way without legs")

    @property
    def end(self) -> float:
        return self.legs[-1][1]

    @property
    def begin(self) -> float:
        return self.legs[0][0]


def beside(other: Motion, course: float, metres: Callable[[float], float] | float) -> Motion:
    """Always at that bearing and distance from another."""

    def motion(t: float) -> tuple[float, float, float, float]:
        lat, lon, knots, way = other(t)
        off = metres(t) if callable(metres) else metres
        return (*go(lat, lon, course, off), knots, way)

    return motion


def reports(
    ship: Ship,
    motion: Motion,
    begin: float,
    end: float,
    every: float = 60.0,
    *,
    jitter: float = 0.3,
    noise_m: float = 3.0,
    silent: Sequence[tuple[float, float]] = (),
    status: int = 0,
    source: str = "shore",
    seed: int = 1,
    message: int = 0,
    exact_ends: bool = True,
) -> list[Report]:
    """What a ship sends: every `every` seconds, give or take `jitter` of it, whole seconds, noisy by `noise_m`.

    `exact_ends`: one report at `begin`, one at `end`, and one at both edges of each silence.
    """
    rng = random.Random(ship.mmsi * 31 + seed)
    times = set()
    t = begin
    while t <= end:
        times.add(round(t))
        t += every * (1 + rng.uniform(-jitter, jitter))
    times = {t for t in times if not any(a < t < b for a, b in silent)}
    if exact_ends:
        times |= {round(begin), round(end), *(round(e) for pair in silent for e in pair)}
    out = []
    for t in sorted(t for t in times if begin <= t <= end):
        lat, lon, knots, course = motion(t)
        if noise_m:
            lat, lon = go(lat, lon, rng.uniform(0, 360), abs(rng.gauss(0, noise_m)))
        said = max(0.0, knots + rng.uniform(-0.05, 0.05)) if noise_m else knots
        out.append(Report(t, ship, lat, lon, said, course % 360, None, status, source, message))
    return out


# -- NMEA ------------------------------------------------------------------------------------------


class _Bits:
    def __init__(self) -> None:
        self.text = ""

    def unsigned(self, value: int, width: int) -> "_Bits":
        self.text += format(value & ((1 << width) - 1), f"0{width}b")
        return self

    def text6(self, value: str, letters: int) -> "_Bits":
        for letter in value.upper().ljust(letters, "@")[:letters]:
            code = ord(letter)
            self.unsigned(code - 64 if code >= 64 else code, 6)
        return self


def _armour(bits: str) -> tuple[str, int]:
    fill = -len(bits) % 6
    bits += "0" * fill
    out = []
    for i in range(0, len(bits), 6):
        value = int(bits[i : i + 6], 2)
        out.append(chr(value + 48 if value < 40 else value + 56))
    return "".join(out), fill


def _checksum(text: str) -> str:
    total = 0
    for byte in text.encode():
        total ^= byte
    return f"{total:02X}"


def _sentences(bits: str, t: float, source: str, number: int) -> list[str]:
    payload, fill = _armour(bits)
    pieces = [payload[i : i + 56] for i in range(0, len(payload), 56)]
    lines = []
    for k, piece in enumerate(pieces):
        sequence = str(number % 10) if len(pieces) > 1 else ""
        last = k == len(pieces) - 1
        body = f"AIVDM,{len(pieces)},{k + 1},{sequence},A,{piece},{fill if last else 0}"
        tag = f"s:{source},c:{int(t)}" if k == 0 else f"s:{source}"
        lines.append(f"\\{tag}*{_checksum(tag)}\\!{body}*{_checksum(body)}")
    return lines


def _place(b: _Bits, r: Report) -> _Bits:
    return b.unsigned(round(r.lon * 600_000), 28).unsigned(round(r.lat * 600_000), 27)


def position_bits(r: Report) -> str:
    """The message a report is sent in."""
    kind = r.message or {"A": 1, "B": 18, "base": 4, "aton": 21, "sar": 9}[r.ship.station]
    b = _Bits().unsigned(kind, 6).unsigned(0, 2).unsigned(r.ship.mmsi, 30)
    speed = 1023 if r.knots is None else min(1022, round(r.knots * 10))
    course = 3600 if r.course is None else round(r.course * 10) % 3600
    heading = 511 if r.heading is None else r.heading
    second = int(r.t) % 60
    if kind in (1, 2, 3):
        b.unsigned(r.status, 4).unsigned(-128, 8).unsigned(speed, 10).unsigned(1, 1)
        _place(b, r).unsigned(course, 12).unsigned(heading, 9).unsigned(second, 6)
        b.unsigned(0, 2 + 3 + 1 + 19)
    elif kind == 18:
        b.unsigned(0, 8).unsigned(speed, 10).unsigned(1, 1)
        _place(b, r).unsigned(course, 12).unsigned(heading, 9).unsigned(second, 6)
        b.unsigned(0, 2).unsigned(1, 1).unsigned(0, 25)
    elif kind == 27:
        b.unsigned(1, 1).unsigned(0, 1).unsigned(r.status, 4)
        b.unsigned(round(r.lon * 600), 18).unsigned(round(r.lat * 600), 17)
        b.unsigned(63 if r.knots is None else round(r.knots), 6)
        b.unsigned(511 if r.course is None else round(r.course) % 360, 9).unsigned(0, 2)
    elif kind == 4:
        when = datetime.fromtimestamp(r.t, UTC)
        for value, width in (
            (when.year, 14), (when.month, 4), (when.day, 5), (when.hour, 5), (when.minute, 6), (when.second, 6),
        ):  # fmt: skip
            b.unsigned(value, width)
        _place(b.unsigned(1, 1), r).unsigned(1, 4).unsigned(0, 30)
    elif kind == 21:
        b.unsigned(1, 5).text6(r.ship.name, 20).unsigned(1, 1)
        _place(b, r).unsigned(0, 30).unsigned(1, 4).unsigned(second, 6).unsigned(0, 13)
    elif kind == 9:
        b.unsigned(300, 12).unsigned(min(1022, round(r.knots or 0)), 10).unsigned(1, 1)
        _place(b, r).unsigned(course, 12).unsigned(second, 6).unsigned(0, 34)
    else:
        raise AssertionError(kind)
    return b.text


def static_bits(ship: Ship) -> list[str]:
    """What a ship says of itself: type 5, or 24 A and B."""
    bow, side = ship.length // 2, ship.beam // 2
    if ship.station == "B":
        name = _Bits().unsigned(24, 6).unsigned(0, 2).unsigned(ship.mmsi, 30).unsigned(0, 2)
        rest = _Bits().unsigned(24, 6).unsigned(0, 2).unsigned(ship.mmsi, 30).unsigned(1, 2)
        rest.unsigned(ship.ship_type, 8).unsigned(0, 42).text6(ship.callsign, 7)
        rest.unsigned(bow, 9).unsigned(ship.length - bow, 9).unsigned(side, 6).unsigned(ship.beam - side, 6)
        return [name.text6(ship.name, 20).text + "0" * 8, rest.unsigned(0, 6).text]
    b = _Bits().unsigned(5, 6).unsigned(0, 2).unsigned(ship.mmsi, 30).unsigned(0, 2).unsigned(ship.imo, 30)
    b.text6(ship.callsign, 7).text6(ship.name, 20).unsigned(ship.ship_type, 8)
    b.unsigned(bow, 9).unsigned(ship.length - bow, 9).unsigned(side, 6).unsigned(ship.beam - side, 6)
    b.unsigned(1, 4).unsigned(0, 4 + 5 + 5 + 6).unsigned(50, 8).text6("", 20).unsigned(0, 2)
    return [b.text]


@dataclass(frozen=True)
class Said:
    """A static message."""

    t: float
    ship: Ship
    source: str = "shore"


def statics(ship: Ship, begin: float, end: float, every: float = 360.0, source: str = "shore") -> list[Said]:
    """Static messages every six minutes."""
    return [Said(t, ship, source) for t in _steps(begin, end, every)]


def _steps(begin: float, end: float, every: float) -> Iterator[float]:
    t = begin
    while t <= end:
        yield t
        t += every


Item = Report | Said


def nmea(items: Iterable[Item], *, in_order: bool = True) -> bytes:
    """All of it as lines with tag blocks."""
    given = list(items)
    if in_order:
        given.sort(key=lambda item: item.t)
    lines: list[str] = []
    for number, item in enumerate(given):
        for bits in static_bits(item.ship) if isinstance(item, Said) else [position_bits(item)]:
            lines += _sentences(bits, item.t, item.source, number)
    return ("\r\n".join(lines) + "\r\n").encode()


# -- tables ----------------------------------------------------------------------------------------

_STATUS = {0: "Under way using engine", 1: "At anchor", 5: "Moored", 7: "Engaged in fishing"}
_TYPE = {30: "Fishing", 52: "Tug", 70: "Cargo", 80: "Tanker", 50: "Pilot", 36: "Sailing", 37: "Pleasure"}


def marine_cadastre(given: Iterable[Report]) -> bytes:
    """NOAA MarineCadastre, as of 2023: five decimals, 102.3 and 511 for what is not available."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(
        [
            "MMSI",
            "BaseDateTime",
            "LAT",
            "LON",
            "SOG",
            "COG",
            "Heading",
            "VesselName",
            "IMO",
            "CallSign",
            "VesselType",
            "Status",
            "Length",
            "Width",
            "Draft",
            "Cargo",
            "TransceiverClass",
        ]
    )
    for r in sorted(given, key=lambda item: item.t):
        s = r.ship
        write.writerow([
            s.mmsi, datetime.fromtimestamp(r.t, UTC).strftime("%Y-%m-%dT%H:%M:%S"), f"{r.lat:.5f}", f"{r.lon:.5f}",
            "102.3" if r.knots is None else f"{r.knots:.1f}", "360.0" if r.course is None else f"{r.course:.1f}",
            "511.0" if r.heading is None else f"{r.heading:.1f}", s.name, f"IMO{s.imo}" if s.imo else "",
            s.callsign, s.ship_type, r.status, s.length, s.beam, "", "", s.station if s.station in "AB" else "",
        ])  # fmt: skip
    return out.getvalue().encode()


def danish(given: Iterable[Report]) -> bytes:
    """The Danish Maritime Authority's days."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(
        [
            "# Timestamp",
            "Type of mobile",
            "MMSI",
            "Latitude",
            "Longitude",
            "Navigational status",
            "ROT",
            "SOG",
            "COG",
            "Heading",
            "IMO",
            "Callsign",
            "Name",
            "Ship type",
            "Cargo type",
            "Width",
            "Length",
            "Type of position fixing device",
            "Draught",
            "Destination",
            "ETA",
            "Data source type",
            "A",
            "B",
            "C",
            "D",
        ]
    )
    kind = {"A": "Class A", "B": "Class B", "base": "Base Station", "aton": "AtoN", "sar": "SAR Airborne"}
    for r in sorted(given, key=lambda item: item.t):
        s = r.ship
        write.writerow([
            datetime.fromtimestamp(r.t, UTC).strftime("%d/%m/%Y %H:%M:%S"), kind[s.station], s.mmsi,
            f"{r.lat:.6f}", f"{r.lon:.6f}", _STATUS.get(r.status, "Unknown value"), "",
            "" if r.knots is None else f"{r.knots:.1f}", "" if r.course is None else f"{r.course:.1f}",
            "" if r.heading is None else r.heading, s.imo or "Unknown", s.callsign or "Unknown", s.name,
            _TYPE.get(s.ship_type, "Undefined"), "", s.beam, s.length, "GPS", "", "", "", "AIS", "", "", "", "",
        ])  # fmt: skip
    return out.getvalue().encode()


def renamed(ship: Ship, **changes: object) -> Ship:
    """The same ship saying something else."""
    return replace(ship, **changes)  # type: ignore[arg-type]


@dataclass
class Cast:
    """Ships with numbers of their own."""

    next: int = 0
    prefix: int = 219_000_000
    ships: list[Ship] = field(default_factory=list)

    def ship(self, **says: object) -> Ship:
        self.next += 1
        ship = Ship(self.prefix + 17 * self.next, **says)  # type: ignore[arg-type]
        self.ships.append(ship)
        return ship
