"""Every message of ITU-R M.1371-5, types 1 to 27, as one table (annex 8).

Always true: names are those of gpsd's AIVDM reference; a variant is chosen by its `tests`, its MMSI
form and its least length, first match wins; binary application payloads are in `binary.py`.
"""

from typing import Final

from shiprider.formats.ais.layout import (
    Field,
    Item,
    Kind,
    Layout,
    flag,
    latitude,
    long_text,
    longitude,
    number,
    octets,
    placed,
    spare,
    text,
    uint,
)


def head(second_spare: int = 0) -> tuple[Item, ...]:
    """Message id, repeat indicator and source MMSI, which all messages begin with."""
    start: tuple[Item, ...] = (uint("msg_type", 6), uint("repeat", 2), uint("mmsi", 30))
    return (*start, spare(second_spare)) if second_spare else start


def date() -> tuple[Item, ...]:
    """Month, day, hour, minute with their "not available" values."""
    return (
        uint("month", 4, missing=0),
        uint("day", 5, missing=0),
        uint("hour", 5, missing=24),
        uint("minute", 6, missing=60),
    )


_SPEED = number("speed", 10, 0.1, 1, "kn", 1023)
_COURSE = number("course", 12, 0.1, 1, "deg", 3600)
_HEADING = uint("heading", 9, "deg", 511)
_SIZE: Final[tuple[Item, ...]] = (
    uint("to_bow", 9, "m"),
    uint("to_stern", 9, "m"),
    uint("to_port", 6, "m"),
    uint("to_starboard", 6, "m"),
)
#: Long-range positions are in tenths of minutes (tables 71 and 84).
_COARSE = 600

_POSITION_A: Final[tuple[Item, ...]] = (
    *head(),
    uint("status", 4),
    Field("turn", 8, Kind.TURN, unit="deg/min", missing=-128),
    _SPEED,
    flag("accuracy"),
    longitude(),
    latitude(),
    _COURSE,
    _HEADING,
    uint("second", 6),
    uint("maneuver", 2),
    spare(3),
    flag("raim"),
    uint("radio", 19),
)
_BASE_STATION: Final[tuple[Item, ...]] = (
    *head(),
    uint("year", 14, missing=0),
    uint("month", 4, missing=0),
    uint("day", 5, missing=0),
    uint("hour", 5, missing=24),
    uint("minute", 6, missing=60),
    uint("second", 6, missing=60),
    flag("accuracy"),
    longitude(),
    latitude(),
    uint("epfd", 4),
    spare(10),
    flag("raim"),
    uint("radio", 19),
)
_STATIC: Final[tuple[Item, ...]] = (
    *head(),
    uint("ais_version", 2),
    uint("imo", 30),
    text("callsign", 7),
    text("shipname", 20),
    uint("ship_type", 8),
    *_SIZE,
    uint("epfd", 4),
    *date(),
    number("draught", 8, 0.1, 1, "m", 0),
    text("destination", 20),
    flag("dte"),
    spare(1),
)
_ADDRESSED: Final[tuple[Item, ...]] = (
    *head(),
    uint("seqno", 2),
    uint("dest_mmsi", 30),
    flag("retransmit"),
    spare(1),
)
_ACKNOWLEDGE: Final[tuple[Item, ...]] = (
    *head(2),
    *(item for n in "1234" for item in (uint(f"mmsi{n}", 30), uint(f"mmsiseq{n}", 2))),
)
_RESCUE_AIRCRAFT: Final[tuple[Item, ...]] = (
    *head(),
    uint("alt", 12, "m", 4095),
    uint("speed", 10, "kn", 1023),
    flag("accuracy"),
    longitude(),
    latitude(),
    _COURSE,
    uint("second", 6),
    uint("reserved_1", 8),
    flag("dte"),
    spare(3),
    flag("assigned"),
    flag("raim"),
    uint("radio", 20),
)
_INTERROGATION: Final[tuple[Item, ...]] = (
    *head(2),
    uint("mmsi1", 30),
    uint("type1_1", 6),
    uint("offset1_1", 12),
    spare(2),
    uint("type1_2", 6),
    uint("offset1_2", 12),
    spare(2),
    uint("mmsi2", 30),
    uint("type2_1", 6),
    uint("offset2_1", 12),
    spare(2),
)


def _assignment(n: int) -> tuple[Item, ...]:
    return (uint(f"mmsi{n}", 30), uint(f"offset{n}", 12), uint(f"increment{n}", 10))


_DIFFERENTIAL: Final[tuple[Item, ...]] = (
    *head(2),
    longitude(width=18, per_degree=_COARSE),
    latitude(width=17, per_degree=_COARSE),
    spare(5),
    octets("data", 736),
)
_POSITION_B: Final[tuple[Item, ...]] = (
    *head(),
    uint("reserved_1", 8),
    _SPEED,
    flag("accuracy"),
    longitude(),
    latitude(),
    _COURSE,
    _HEADING,
    uint("second", 6),
)
_CLASS_B: Final[tuple[Item, ...]] = (
    *_POSITION_B,
    uint("reserved_2", 2),
    flag("cs"),
    flag("display"),
    flag("dsc"),
    flag("band"),
    flag("msg22"),
    flag("assigned"),
    flag("raim"),
    uint("radio", 20),
)
_CLASS_B_EXTENDED: Final[tuple[Item, ...]] = (
    *_POSITION_B,
    uint("reserved_2", 4),
    text("shipname", 20),
    uint("ship_type", 8),
    *_SIZE,
    uint("epfd", 4),
    flag("raim"),
    flag("dte"),
    flag("assigned"),
    spare(4),
)
_LINK_MANAGEMENT: Final[tuple[Item, ...]] = (
    *head(2),
    *(
        item
        for n in "1234"
        for item in (
            uint(f"offset{n}", 12),
            uint(f"number{n}", 4),
            uint(f"timeout{n}", 3),
            uint(f"increment{n}", 11),
        )
    ),
)
_AID: Final[tuple[Item, ...]] = (
    *head(),
    uint("aid_type", 5),
    text("name", 20),
    flag("accuracy"),
    longitude(),
    latitude(),
    *_SIZE,
    uint("epfd", 4),
    uint("second", 6),
    flag("off_position"),
    uint("reserved_1", 8),
    flag("raim"),
    flag("virtual_aid"),
    flag("assigned"),
    spare(1),
    long_text("name_ext", 88),
)
_CHANNELS: Final[tuple[Item, ...]] = (
    *head(2),
    uint("channel_a", 12),
    uint("channel_b", 12),
    uint("txrx", 4),
    flag("power"),
)
_CHANNELS_END: Final[tuple[Item, ...]] = (
    flag("addressed"),
    flag("band_a"),
    flag("band_b"),
    uint("zonesize", 3, "nm"),
    spare(23),
)
_REGION: Final[tuple[Item, ...]] = (
    longitude("ne_lon", 18, _COARSE),
    latitude("ne_lat", 17, _COARSE),
    longitude("sw_lon", 18, _COARSE),
    latitude("sw_lat", 17, _COARSE),
)
_GROUP: Final[tuple[Item, ...]] = (
    *head(2),
    *_REGION,
    uint("station_type", 4),
    uint("ship_type", 8),
    spare(22),
    uint("txrx", 2),
    uint("interval", 4),
    uint("quiet", 4, "min"),
    spare(6),
)
_PART_B: Final[tuple[Item, ...]] = (
    *head(),
    uint("partno", 2),
    uint("ship_type", 8),
    text("vendorid", 3),
    uint("model", 4),
    uint("serial", 20),
    text("callsign", 7),
)
_LONG_RANGE: Final[tuple[Item, ...]] = (
    *head(),
    flag("accuracy"),
    flag("raim"),
    uint("status", 4),
    longitude(width=18, per_degree=_COARSE),
    latitude(width=17, per_degree=_COARSE),
    uint("speed", 6, "kn", 63),
    uint("course", 9, "deg", 511),
    flag("gnss"),
    spare(1),
)


def _binary_25_26(number_: int, *, addressed: bool, structured: bool) -> Layout:
    items: list[Item] = [*head(), flag("addressed"), flag("structured")]
    if addressed:
        items.append(uint("dest_mmsi", 30))
    if structured:
        items.append(uint("app_id", 16))
    used = sum(item.width for item in items)
    name = f"{'addressed' if addressed else 'broadcast'} {'structured' if structured else 'unstructured'}"
    if number_ == 25:
        items.append(octets("data", 168 - used))
    else:
        # The communication state, with its selector, is the message's last 20 bits (table 83).
        items += [octets("data", 1064 - used - 20, tail=20), Field("radio", 20, Kind.UINT, tail=20)]
    return Layout(
        number_,
        name,
        placed(tuple(items)),
        fewest=used if number_ == 25 else used + 20,
        tests=((38, 1, int(addressed)), (39, 1, int(structured))),
    )


def _one(message_type: int, name: str, items: tuple[Item, ...], fewest: int) -> Layout:
    return Layout(message_type, name, placed(items), fewest)


PLAIN: Final[tuple[Layout, ...]] = (
    _one(1, "position, scheduled", _POSITION_A, 168),
    _one(2, "position, assigned", _POSITION_A, 168),
    _one(3, "position, interrogated", _POSITION_A, 168),
    _one(4, "base station", _BASE_STATION, 168),
    _one(5, "static and voyage", _STATIC, 420),
    _one(7, "binary acknowledge", _ACKNOWLEDGE, 72),
    _one(9, "search and rescue aircraft", _RESCUE_AIRCRAFT, 168),
    _one(10, "time inquiry", (*head(2), uint("dest_mmsi", 30), spare(2)), 70),
    _one(11, "time response", _BASE_STATION, 168),
    _one(12, "addressed safety text", (*_ADDRESSED, long_text("text", 936)), 72),
    _one(13, "safety acknowledge", _ACKNOWLEDGE, 72),
    _one(14, "safety text", (*head(2), long_text("text", 968)), 40),
    _one(15, "interrogation", _INTERROGATION, 88),
    Layout(
        16,
        "assignment, two destinations",
        placed((*head(2), *_assignment(1), *_assignment(2))),
        fewest=144,
        least_for_variant=144,
    ),
    _one(16, "assignment", (*head(2), *_assignment(1), spare(4)), 92),
    _one(17, "differential corrections", _DIFFERENTIAL, 80),
    _one(18, "class B position", _CLASS_B, 168),
    _one(19, "class B position, extended", _CLASS_B_EXTENDED, 308),
    _one(20, "data link management", _LINK_MANAGEMENT, 70),
    _one(21, "aid to navigation", _AID, 271),
    Layout(
        22,
        "channel management, addressed",
        placed(
            (
                *_CHANNELS,
                uint("dest1", 30),
                spare(5),
                uint("dest2", 30),
                spare(5),
                *_CHANNELS_END,
            )
        ),
        fewest=145,
        tests=((139, 1, 1),),
    ),
    Layout(
        22,
        "channel management, region",
        placed((*_CHANNELS, *_REGION, *_CHANNELS_END)),
        fewest=145,
        tests=((139, 1, 0),),
    ),
    _one(23, "group assignment", _GROUP, 154),
    Layout(
        24,
        "static, part A",
        placed((*head(), uint("partno", 2), text("shipname", 20), spare(8))),
        fewest=160,
        tests=((38, 2, 0),),
    ),
    Layout(
        24,
        "static, part B, auxiliary craft",
        placed((*_PART_B, uint("mothership_mmsi", 30), spare(6))),
        fewest=162,
        tests=((38, 2, 1),),
        auxiliary=True,
    ),
    Layout(
        24,
        "static, part B",
        placed((*_PART_B, *_SIZE, uint("epfd", 4), spare(2))),
        fewest=162,
        tests=((38, 2, 1),),
    ),
    *(
        _binary_25_26(n, addressed=a, structured=s)
        for n in (25, 26)
        for a in (False, True)
        for s in (False, True)
    ),
    _one(27, "long-range position", _LONG_RANGE, 95),
)
