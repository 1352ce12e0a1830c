"""Application payloads of the binary messages 6 and 8, by DAC and FID.

Always true: an unknown DAC/FID keeps `dac`, `fid` and its payload as hexadecimal; a payload shorter
than its definition has nulls at its end. Sources: IMO SN/Circ.236 and 289, ITU-R M.1371-5 annex 5,
IALA application-specific messages, UNECE SC.3/176 (inland AIS), RTCM/USCG environmental message 3.
"""

from typing import Final

from shiprider.formats.ais.layout import (
    Field,
    Group,
    Item,
    Layout,
    flag,
    latitude,
    long_text,
    longitude,
    number,
    octets,
    placed,
    sint,
    spare,
    text,
    uint,
)
from shiprider.formats.ais.messages import date, head

_MINUTES = 60_000
_MOMENT: Final[tuple[Item, ...]] = (
    uint("day", 5, missing=0),
    uint("hour", 5, missing=24),
    uint("minute", 6, missing=60),
)


def _at(per_degree: int = _MINUTES) -> tuple[Item, ...]:
    return longitude(width=25, per_degree=per_degree), latitude(width=24, per_degree=per_degree)


def _current(n: str, direction_missing: int) -> tuple[Item, ...]:
    return (
        number(f"cspeed{n}", 8, 0.1, 1, "kn", 255),
        uint(f"cdir{n}", 9, "deg", direction_missing),
        *((uint(f"cdepth{n}", 5, "m", 31),) if n else ()),
    )


def _sea(missing: int) -> tuple[Item, ...]:
    return (
        *(_current("", missing)),
        *(_current("2", missing)),
        *(_current("3", missing)),
        number("waveheight", 8, 0.1, 1, "m", 255),
        uint("waveperiod", 6, "s", 63),
        uint("wavedir", 9, "deg", missing),
        number("swellheight", 8, 0.1, 1, "m", 255),
        uint("swellperiod", 6, "s", 63),
        uint("swelldir", 9, "deg", missing),
    )


_WEATHER_236: Final[tuple[Item, ...]] = (
    number("lat", 24, 1 / _MINUTES, 6, "deg", 0x7FFFFF, signed=True),
    number("lon", 25, 1 / _MINUTES, 6, "deg", 0xFFFFFF, signed=True),
    *_MOMENT,
    uint("wspeed", 7, "kn", 127),
    uint("wgust", 7, "kn", 127),
    uint("wdir", 9, "deg", 511),
    uint("wgustdir", 9, "deg", 511),
    number("airtemp", 11, 0.1, 1, "degC", 2047, offset=-60),
    uint("humidity", 7, "%", 127),
    number("dewpoint", 10, 0.1, 1, "degC", 1023, offset=-20),
    number("pressure", 9, 1, 0, "hPa", 511, offset=800),
    uint("pressuretend", 2),
    number("visibility", 8, 0.1, 1, "nm", 255),
    number("waterlevel", 9, 0.1, 1, "m", 511, offset=-10),
    uint("leveltrend", 2),
    *_sea(511),
    uint("seastate", 4, missing=15),
    number("watertemp", 10, 0.1, 1, "degC", 1023, offset=-10),
    uint("preciptype", 3, missing=7),
    number("salinity", 9, 0.1, 1, "%", 511),
    uint("ice", 2, missing=3),
    spare(6),
)
_WEATHER_289: Final[tuple[Item, ...]] = (
    *_at(),
    flag("accuracy"),
    *_MOMENT,
    uint("wspeed", 7, "kn", 127),
    uint("wgust", 7, "kn", 127),
    uint("wdir", 9, "deg", 360),
    uint("wgustdir", 9, "deg", 360),
    number("airtemp", 11, 0.1, 1, "degC", -1024, signed=True),
    uint("humidity", 7, "%", 101),
    number("dewpoint", 10, 0.1, 1, "degC", 501, signed=True),
    number("pressure", 9, 1, 0, "hPa", 511, offset=799),
    uint("pressuretend", 2, missing=3),
    flag("visgreater"),
    number("visibility", 7, 0.1, 1, "nm", 127),
    number("waterlevel", 12, 0.01, 2, "m", 4001, offset=-10),
    uint("leveltrend", 2, missing=3),
    *_sea(360),
    uint("seastate", 4, missing=13),
    number("watertemp", 10, 0.1, 1, "degC", 501, signed=True),
    uint("preciptype", 3, missing=7),
    number("salinity", 9, 0.1, 1, "0.1%", 510),
    uint("ice", 2, missing=3),
    spare(10),
)
_WEATHER_SHIP: Final[tuple[Item, ...]] = (
    flag("wmo"),
    text("location", 20),
    *_at(),
    *_MOMENT,
    uint("weather", 4, missing=8),
    flag("vislimit"),
    number("visibility", 7, 0.1, 1, "nm", 127),
    uint("humidity", 7, "%", 127),
    uint("wspeed", 7, "kn", 127),
    uint("wdir", 9, "deg", 360),
    number("pressure", 9, 1, 0, "hPa", 403, offset=799),
    uint("pressuretend", 4, missing=15),
    number("airtemp", 11, 0.1, 1, "degC", -1024, signed=True),
    number("watertemp", 10, 0.1, 1, "degC", 501, signed=True),
    uint("waveperiod", 6, "s", 63),
    number("waveheight", 8, 0.1, 1, "m", 255),
    uint("wavedir", 9, "deg", 360),
    number("swellheight", 8, 0.1, 1, "m", 255),
    uint("swelldir", 9, "deg", 360),
    uint("swellperiod", 6, "s", 63),
    spare(3),
)


def _record(*items: Item) -> tuple[Field, ...]:
    return tuple(item for item in items if isinstance(item, Field))


_TARGET_END: Final[tuple[Item, ...]] = (
    spare(4),
    latitude(width=24, per_degree=_MINUTES),
    longitude(width=25, per_degree=_MINUTES),
    uint("course", 9, "deg", 360),
    uint("second", 6),
    uint("speed", 8, "kn", 255),
)


def _target(identity: Field) -> tuple[Field, ...]:
    return _record(uint("id_type", 2), identity, *_TARGET_END)


def _targets(most: int) -> tuple[Item, ...]:
    number_ = _target(uint("target_id", 42))
    records = {0: number_, 1: number_, 2: _target(text("target_id", 7)), 3: number_}
    return (Group("targets", 120, most, records, (0, 2)),)


_AREA_HEAD: Final[tuple[Item, ...]] = (uint("shape", 3), uint("scale", 2))
_AREA_AT: Final[tuple[Item, ...]] = (*_AREA_HEAD, *_at(), uint("precision", 3))
_AREA_POINTS = _record(
    *_AREA_HEAD,
    *(
        item
        for n in "1234"
        for item in (number(f"bearing{n}", 10, 0.5, 1, "deg", 720), uint(f"distance{n}", 10, "10^scale m"))
    ),
    spare(2),
)
_AREA: Final[tuple[Item, ...]] = (
    uint("linkage", 10),
    uint("notice", 7),
    *date(),
    uint("duration", 18, "min", 262_143),
    Group(
        "sub_areas",
        87,
        10,
        {
            0: _record(*_AREA_AT, uint("radius", 12, "10^scale m"), spare(18)),
            1: _record(
                *_AREA_AT,
                uint("east", 8, "10^scale m"),
                uint("north", 8, "10^scale m"),
                uint("orientation", 9, "deg"),
                spare(5),
            ),
            2: _record(
                *_AREA_AT, uint("radius", 12, "10^scale m"), uint("left", 9, "deg"), uint("right", 9, "deg")
            ),
            3: _AREA_POINTS,
            4: _AREA_POINTS,
            5: _record(uint("shape", 3), text("text", 14)),
            -1: _record(uint("shape", 3), octets("data", 84)),
        },
        (0, 3),
    ),
)

_EQUIPMENT: Final = [
    "ais",
    "ata",
    "bnwas",
    "ecdisb",
    "chart",
    "sounder",
    "epaid",
    "steer",
    "gnss",
    "gyro",
    "lrit",
    "magcomp",
    "navtex",
    "arpa",
    "sband",
    "xband",
    "hfradio",
    "inmarsat",
    "mfradio",
    "vhfradio",
    "grndlog",
    "waterlog",
    "thd",
    "tcs",
    "vdr",
]
_EXTENDED_STATIC: Final[tuple[Item, ...]] = (
    uint("linkage", 10),
    number("airdraught", 13, 0.01, 2, "m", 0),
    text("lastport", 5),
    text("nextport", 5),
    text("secondport", 5),
    *(uint(f"{name}_state", 2) for name in _EQUIPMENT),
    spare(2),
    uint("iceclass", 4),
    uint("horsepower", 18, "hp", 262_143),
    uint("vhfchan", 12),
    text("lshiptype", 7),
    uint("tonnage", 18, "t", 262_143),
    uint("lading", 2),
    uint("heavyoil", 2),
    uint("lightoil", 2),
    uint("dieseloil", 2),
    uint("totaloil", 14, "t", 16_382),
    uint("persons", 13, missing=0),
    spare(10),
)
_SERVICES: Final = [
    "agent",
    "fuel",
    "chandler",
    "stevedore",
    "electrical",
    "water",
    "customs",
    "cartage",
    "crane",
    "lift",
    "medical",
    "navrepair",
    "provisions",
    "shiprepair",
    "surveyor",
    "steam",
    "tugs",
    "solidwaste",
    "liquidwaste",
    "hazardouswaste",
    "ballast",
    "additional",
    "regional1",
    "regional2",
    "future1",
    "future2",
]
_BERTH: Final[tuple[Item, ...]] = (
    uint("linkage", 10),
    uint("berth_length", 9, "m", 0),
    number("berth_depth", 8, 0.1, 1, "m", 0),
    uint("position", 3),
    *date(),
    flag("availability"),
    *(uint(name, 2) for name in _SERVICES),
    text("berth_name", 20),
    longitude("berth_lon", 25, _MINUTES),
    latitude("berth_lat", 24, _MINUTES),
)
_ROUTE: Final[tuple[Item, ...]] = (
    uint("linkage", 10),
    uint("sender", 3),
    uint("rtype", 5),
    *date(),
    uint("duration", 18, "min", 262_143),
    uint("waycount", 5),
    Group("waypoints", 55, 16, {-1: _record(longitude(), latitude())}),
)
_CLEARANCE: Final[tuple[Item, ...]] = (
    uint("linkage", 10),
    *date(),
    text("port_name", 20),
    text("destination", 5),
    *_at(),
    spare(43),
)
_SIGNAL: Final[tuple[Item, ...]] = (
    uint("linkage", 10),
    text("signal_station", 20),
    *_at(),
    uint("status", 2),
    uint("signal", 5),
    uint("hour", 5, missing=24),
    uint("minute", 6, missing=60),
    uint("nextsignal", 5),
    spare(102),
)
_CARGO: Final[tuple[Item, ...]] = (
    uint("unit", 2),
    uint("amount", 10, missing=0),
    Group("cargos", 17, 28, {-1: _record(uint("code", 4), uint("subtype", 13))}),
)

_SENSOR_HEAD: Final[tuple[Item, ...]] = (uint("sensor", 4), *_MOMENT, uint("site", 7))
_FORECAST: Final[tuple[Item, ...]] = (
    uint("fday", 5, missing=0),
    uint("fhour", 5, missing=24),
    uint("fminute", 6, missing=60),
)
_DURATION = uint("duration", 8, "min", 255)
_SENSOR = uint("sensortype", 3)


def _sensor(*items: Item) -> tuple[Field, ...]:
    return _record(*_SENSOR_HEAD, *items)


def _flow(n: int, width: int, *, signed: bool) -> tuple[Item, ...]:
    return (
        *(
            number(f"{axis}{n}", width, 0.1, 1, "kn", 255 if width == 8 else None, signed=signed)
            for axis in ("cnorth", "ceast", "cup")
        ),
        uint(f"cdepth{n}", 9, "m", 511),
    )


_WIND: Final = _sensor(
    uint("wspeed", 7, "kn", 127),
    uint("wgust", 7, "kn", 127),
    uint("wdir", 9, "deg", 360),
    uint("wgustdir", 9, "deg", 360),
    _SENSOR,
    uint("fwspeed", 7, "kn", 127),
    uint("fwgust", 7, "kn", 127),
    uint("fwdir", 9, "deg", 360),
    *_FORECAST,
    _DURATION,
    spare(3),
)
_WATER_LEVEL: Final = _sensor(
    flag("absolute"),
    number("level", 16, 0.01, 2, "m", -32_768, signed=True),
    uint("leveltrend", 2, missing=3),
    uint("datum", 5),
    _SENSOR,
    flag("fabsolute"),
    number("flevel", 16, 0.01, 2, "m", -32_768, signed=True),
    *_FORECAST,
    _DURATION,
    spare(17),
)
_CURRENTS: Final = _sensor(
    *(
        item
        for n in "123"
        for item in (
            number(f"cspeed{n}", 8, 0.1, 1, "kn", 255),
            uint(f"cdir{n}", 9, "deg", 360),
            uint(f"cdepth{n}", 9, "m", 511),
        )
    ),
    _SENSOR,
    spare(4),
)
_STATION = _sensor(text("name", 14), spare(1))


def _waves(temperature: Field) -> tuple[Field, ...]:
    return _sensor(
        number("swheight", 8, 0.1, 1, "m", 255),
        uint("swperiod", 6, "s", 63),
        uint("swelldir", 9, "deg", 360),
        uint("seastate", 4, missing=13),
        uint("swelltype", 3),
        temperature,
        number("watertempdepth", 7, 0.1, 1, "m", 127),
        uint("depthtype", 3),
        number("waveheight", 8, 0.1, 1, "m", 255),
        uint("waveperiod", 6, "s", 63),
        uint("wavedir", 9, "deg", 360),
        uint("wavetype", 3),
        number("salinity", 9, 0.1, 1, "0.1%", 510),
    )


def _salinity(temperature: Field, conductivity: float, decimals: int) -> tuple[Field, ...]:
    return _sensor(
        temperature,
        number("conductivity", 10, conductivity, decimals, "S/m", 1023),
        number("pressure", 16, 0.1, 1, "dbar", 65_535),
        number("salinity", 9, 0.1, 1, "0.1%", 510),
        uint("salinitytype", 2),
        _SENSOR,
        spare(35),
    )


def _air(dewpoint: Field) -> tuple[Field, ...]:
    return _sensor(
        number("temperature", 11, 0.1, 1, "degC", -1024, signed=True),
        _SENSOR,
        uint("preciptype", 2, missing=3),
        number("visibility", 8, 0.1, 1, "nm", 255),
        dewpoint,
        uint("dewtype", 3),
        number("pressure", 9, 1, 0, "hPa", 511, offset=799),
        uint("pressuretend", 2, missing=3),
        uint("pressuretype", 3),
        number("salinity", 9, 0.1, 1, "0.1%", 510),
        spare(25),
    )


def _gap(*end: Item) -> tuple[Field, ...]:
    return _sensor(
        number("airdraught", 13, 0.01, 2, "m", 0),
        number("airgap", 13, 0.01, 2, "m", 0),
        uint("gaptrend", 2, missing=3),
        number("fairgap", 13, 0.01, 2, "m", 0),
        *_FORECAST,
        *end,
    )


_REST: Final = _sensor(octets("data", 85))
_SIGNED_TEMPERATURE = number("watertemp", 10, 0.1, 1, "degC", 501, signed=True)
_OFFSET_TEMPERATURE = number("watertemp", 10, 0.1, 1, "degC", 1023, offset=-10)
_SENSORS_IMO: Final = {
    0: _sensor(
        longitude(),
        latitude(),
        number("alt", 11, 0.1, 1, "m", 2002),
        uint("owner", 4),
        uint("timeout", 3),
        spare(12),
    ),
    1: _STATION,
    2: _WIND,
    3: _WATER_LEVEL,
    4: _CURRENTS,
    5: _sensor(*_flow(1, 8, signed=False), *_flow(2, 8, signed=False), _SENSOR, spare(16)),
    6: _sensor(
        *(
            item
            for n in "12"
            for item in (
                uint(f"bearing{n}", 9, "deg", 360),
                uint(f"distance{n}", 7, "m", 127),
                number(f"speed{n}", 8, 0.1, 1, "kn", 255),
                uint(f"direction{n}", 9, "deg", 360),
                uint(f"depth{n}", 9, "m", 511),
            )
        ),
        spare(1),
    ),
    7: _waves(_SIGNED_TEMPERATURE),
    8: _salinity(_SIGNED_TEMPERATURE, 0.1, 1),
    9: _air(number("dewpoint", 10, 0.1, 1, "degC", 501, signed=True)),
    10: _gap(spare(28)),
    -1: _REST,
}
_SENSORS_US: Final = {
    0: _sensor(
        uint("version", 6),
        longitude(),
        latitude(),
        uint("precision", 3),
        number("alt", 12, 0.1, 1, "m", None, signed=True),
        uint("owner", 4),
        uint("timeout", 3),
        spare(2),
    ),
    1: _STATION,
    2: _WIND,
    3: _WATER_LEVEL,
    4: _CURRENTS,
    5: _sensor(*_flow(1, 9, signed=True), *_flow(2, 9, signed=True), _SENSOR, spare(10)),
    6: _sensor(
        uint("bearing", 9, "deg", 360),
        *(
            item
            for n in "12"
            for item in (
                uint(f"distance{n}", 9, "m", 511),
                number(f"speed{n}", 8, 0.1, 1, "kn", 255),
                uint(f"direction{n}", 9, "deg", 360),
                uint(f"depth{n}", 9, "m", 511),
            )
        ),
        _SENSOR,
        spare(3),
    ),
    7: _waves(_OFFSET_TEMPERATURE),
    8: _salinity(_OFFSET_TEMPERATURE, 0.01, 2),
    9: _air(number("dewpoint", 10, 0.1, 1, "degC", 1023, offset=-20)),
    10: _gap(_SENSOR, spare(25)),
    11: _sensor(
        uint("wspeed", 7, "kn", 127),
        uint("wgust", 7, "kn", 127),
        uint("wdir", 9, "deg", 360),
        uint("averaging_time", 6, "min", 0),
        _SENSOR,
        uint("fwspeed", 7, "kn", 127),
        uint("fwgust", 7, "kn", 127),
        uint("fwdir", 9, "deg", 360),
        uint("fhour", 5, missing=24),
        uint("fminute", 6, missing=60),
        _DURATION,
        spare(11),
    ),
    -1: _REST,
}
_INLAND_STATIC: Final[tuple[Item, ...]] = (
    text("vin", 8),
    number("length", 13, 0.1, 1, "m", 0),
    number("beam", 10, 0.1, 1, "m", 0),
    uint("shiptype", 14),
    uint("hazard", 3),
    number("draught", 11, 0.01, 2, "m", 0),
    uint("loaded", 2),
    flag("speed_q"),
    flag("course_q"),
    flag("heading_q"),
    spare(8),
)
_INLAND_WARNING: Final[tuple[Item, ...]] = (
    *(
        item
        for end in ("start", "end")
        for item in (
            uint(f"{end}_year", 8, missing=0),
            uint(f"{end}_month", 4, missing=0),
            uint(f"{end}_day", 5, missing=0),
        )
    ),
    *(
        item
        for end in ("start", "end")
        for item in (uint(f"{end}_hour", 5, missing=24), uint(f"{end}_minute", 6, missing=60))
    ),
    *(item for end in ("start", "end") for item in (longitude(f"{end}_lon"), latitude(f"{end}_lat"))),
    uint("type", 4),
    sint("min", 9, missing=255),
    sint("max", 9, missing=255),
    uint("intensity", 2),
    uint("wind", 4),
    spare(6),
)
_INLAND_LEVELS: Final[tuple[Item, ...]] = (
    text("country", 2),
    *(
        item
        for n in "1234"
        for item in (uint(f"gauge_id_{n}", 11, missing=0), sint(f"water_level_{n}", 14, "cm"))
    ),
)
_INLAND_SIGNAL: Final[tuple[Item, ...]] = (
    longitude(),
    latitude(),
    uint("form", 4),
    uint("facing", 9, "deg", 0),
    uint("direction", 3),
    uint("status_raw", 30),
    spare(11),
)
#: IALA AtoN monitoring data, United Kingdom and Republic of Ireland (DAC 235 and 250, FID 10).
_AID_MONITOR: Final[tuple[Item, ...]] = (
    number("ana_int", 10, 0.05, 2, "V", 0),
    number("ana_ext1", 10, 0.05, 2, "V", 0),
    number("ana_ext2", 10, 0.05, 2, "V", 0),
    uint("racon", 2),
    uint("light", 2),
    flag("health"),
    uint("stat_ext", 8),
    flag("off_pos"),
    spare(4),
)
#: What is sent enciphered (USCG blue force 366/56 and 366/57) stays as it was sent.
_ENCRYPTED: Final[tuple[Item, ...]] = (octets("data", 920),)
_TEXT: Final[tuple[Item, ...]] = (flag("ack_required"), uint("text_sequence", 11), long_text("text", 906))
_DESCRIPTION: Final[tuple[Item, ...]] = (uint("linkage", 10), long_text("description", 966))
_PERSONS: Final[tuple[Item, ...]] = (uint("persons", 13, missing=0), spare(3))

#: (message types, DAC, FID, name, payload, least payload bits, further tests in the payload).
_APPLICATIONS: Final[tuple[tuple[str, int, int, str, tuple[Item, ...], int], ...]] = (
    ("68", 1, 0, "text telegram", _TEXT, 12),
    ("68", 1, 11, "meteorology and hydrology (236)", _WEATHER_236, 290),
    ("8", 1, 16, "vessel traffic service targets", _targets(7), 120),
    ("68", 1, 16, "persons on board", _PERSONS, 13),
    ("8", 1, 17, "synthetic targets", _targets(7), 120),
    ("6", 1, 18, "clearance time to enter port", _CLEARANCE, 229),
    ("8", 1, 19, "marine traffic signal", _SIGNAL, 200),
    ("68", 1, 20, "berthing data", _BERTH, 272),
    ("8", 1, 21, "weather observation from ship", _WEATHER_SHIP, 300),
    ("8", 1, 22, "area notice", _AREA, 55),
    ("6", 1, 23, "area notice, addressed", _AREA, 55),
    ("68", 1, 24, "extended static and voyage", _EXTENDED_STATIC, 290),
    ("6", 1, 25, "dangerous cargo", _CARGO, 12),
    ("8", 1, 26, "environment", (Group("reports", 112, 8, _SENSORS_IMO, (0, 4)),), 112),
    ("8", 1, 27, "route", _ROUTE, 61),
    ("6", 1, 28, "route, addressed", _ROUTE, 61),
    ("8", 1, 29, "text description", _DESCRIPTION, 10),
    ("6", 1, 30, "text description, addressed", _DESCRIPTION, 10),
    ("8", 1, 31, "meteorology and hydrology (289)", _WEATHER_289, 290),
    ("8", 200, 10, "inland static and voyage", _INLAND_STATIC, 104),
    ("8", 200, 23, "inland weather warning", _INLAND_WARNING, 188),
    ("8", 200, 24, "inland water levels", _INLAND_LEVELS, 37),
    ("8", 200, 40, "inland signal", _INLAND_SIGNAL, 101),
    ("6", 235, 10, "aid to navigation monitoring", _AID_MONITOR, 44),
    ("6", 250, 10, "aid to navigation monitoring", _AID_MONITOR, 44),
    ("8", 366, 56, "enciphered", _ENCRYPTED, 0),
    ("8", 366, 57, "enciphered", _ENCRYPTED, 0),
    ("8", 367, 33, "environment (United States)", (Group("reports", 112, 8, _SENSORS_US, (0, 4)),), 112),
)

_HEAD: Final[dict[str, tuple[Item, ...]]] = {
    "6": (*head(), uint("seqno", 2), uint("dest_mmsi", 30), flag("retransmit"), spare(1)),
    "8": head(2),
}
_IDENTIFIER: Final[tuple[Item, ...]] = (uint("dac", 10), uint("fid", 6))
_START: Final = {"6": 72, "8": 40}


def _layouts() -> tuple[Layout, ...]:
    found: list[Layout] = []
    for types, dac, fid, name, payload, least in _APPLICATIONS:
        for kind in types:
            start = _START[kind]
            tests: tuple[tuple[int, int, int], ...] = ((start, 10, dac), (start + 10, 6, fid))
            if (dac, fid) == (1, 21):
                # A set WMO bit means a payload in the BUFR code, which is kept as it was sent.
                tests = (*tests, (start + 16, 1, 0))
            found.append(
                Layout(
                    int(kind),
                    name,
                    placed((*_HEAD[kind], *_IDENTIFIER, *payload)),
                    fewest=start + 16,
                    tests=tests,
                    least_for_variant=start + 16 + least,
                )
            )
    found.extend(
        Layout(
            int(kind),
            "binary",
            placed((*_HEAD[kind], *_IDENTIFIER, octets("data", 952))),
            fewest=_START[kind] + 16,
        )
        for kind in "68"
    )
    return tuple(found)


BINARY: Final[tuple[Layout, ...]] = _layouts()
