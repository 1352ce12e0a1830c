"""Which column of a table of AIS positions means what: published layouts, and a declared one.

Always true: a layout maps our column to the file's header, its unit and the texts it uses; a file is
known by its header alone. A declaration is a TOML file:

    name = "my coast guard"
    time_formats = ["%Y-%m-%d %H:%M:%S"]     # or ["epoch_s"], ["epoch_ms"]
    speed_unit = "kn"                        # kn, mps or kmph
    [columns]                                # ours = theirs
    time = "Time"
    mmsi = "MMSI"
    latitude = "Lat"
    longitude = "Lon"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shiprider.model.codes import ReceiverKind, TransmitterClass
from shiprider.model.errors import InputError

ISO: Final = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")

#: Our names, all that a declaration may map.
COLUMNS: Final = (
    "time",
    "mmsi",
    "latitude",
    "longitude",
    "speed",
    "course",
    "heading",
    "turn",
    "status",
    "transmitter_class",
    "message_type",
    "receiver",
    "imo",
    "callsign",
    "name",
    "ship_type",
    "length",
    "width",
    "to_bow",
    "to_stern",
    "to_port",
    "to_starboard",
    "draught",
    "destination",
)
_REQUIRED: Final = ("time", "latitude", "longitude")
SPEED_FACTORS: Final = {"kn": 1852 / 3600, "mps": 1.0, "kmph": 1 / 3.6}

#: Texts of M.1371-5 table 45, in the words of the Danish Maritime Authority's files.
NAV_STATUS: Final = {
    text: code
    for code, text in enumerate(
        (
            "under way using engine",
            "at anchor",
            "not under command",
            "restricted maneuverability",
            "constrained by her draught",
            "moored",
            "aground",
            "engaged in fishing",
            "under way sailing",
            "reserved for future amendment [hsc]",
            "reserved for future amendment [wig]",
            "power-driven vessel towing astern (regional use)",
            "power-driven vessel pushing ahead or towing alongside (regional use)",
            "reserved for future use [13]",
            "ais-sart (active), mob-ais, epirb-ais",
            "unknown value",
        )
    )
}
SHIP_TYPES: Final = {
    "wig": 20,
    "fishing": 30,
    "towing": 31,
    "towing long/wide": 32,
    "dredging": 33,
    "diving": 34,
    "military": 35,
    "sailing": 36,
    "pleasure": 37,
    "hsc": 40,
    "pilot": 50,
    "sar": 51,
    "tug": 52,
    "port tender": 53,
    "anti-pollution": 54,
    "law enforcement": 55,
    "medical": 58,
    "not party to conflict": 59,
    "passenger": 60,
    "cargo": 70,
    "tanker": 80,
    "other": 90,
}
CLASSES: Final = {
    "a": TransmitterClass.A,
    "class a": TransmitterClass.A,
    "b": TransmitterClass.B_CS,
    "class b": TransmitterClass.B_CS,
    "base station": TransmitterClass.BASE_STATION,
    "aton": TransmitterClass.AID_TO_NAVIGATION,
    "sar airborne": TransmitterClass.SAR_AIRCRAFT,
    "search and rescue transponder": TransmitterClass.LOCATING_DEVICE,
    "man overboard device": TransmitterClass.LOCATING_DEVICE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvLayout:
    """One layout: `columns` maps ours to the file's header; times are UTC."""

    name: str
    columns: Mapping[str, str]
    time_formats: tuple[str, ...] = ISO
    speed_unit: str = "kn"
    delimiter: str = ","
    receiver_kind: ReceiverKind | None = None
    optional: frozenset[str] = field(default_factory=frozenset)

    def fits(self, header: tuple[str, ...]) -> bool:
        """Whether a file with this header is of this layout."""
        return all(theirs in header for ours, theirs in self.columns.items() if ours not in self.optional)


MARINE_CADASTRE: Final = CsvLayout(
    name="NOAA MarineCadastre",
    columns={
        "time": "BaseDateTime",
        "mmsi": "MMSI",
        "latitude": "LAT",
        "longitude": "LON",
        "speed": "SOG",
        "course": "COG",
        "heading": "Heading",
        "name": "VesselName",
        "imo": "IMO",
        "callsign": "CallSign",
        "ship_type": "VesselType",
        "status": "Status",
        "length": "Length",
        "width": "Width",
        "draught": "Draft",
        "transmitter_class": "TransceiverClass",
    },
    optional=frozenset({"transmitter_class", "draught"}),
)
#: Files before 2023 misspell the column.
MARINE_CADASTRE_2018: Final = CsvLayout(
    name="NOAA MarineCadastre",
    columns={**MARINE_CADASTRE.columns, "transmitter_class": "TranscieverClass"},
)
MARINE_CADASTRE_2024: Final = CsvLayout(
    name="NOAA MarineCadastre (2024 and later)",
    columns={
        "time": "base_date_time",
        "mmsi": "mmsi",
        "latitude": "latitude",
        "longitude": "longitude",
        "speed": "sog",
        "course": "cog",
        "heading": "heading",
        "name": "vessel_name",
        "imo": "imo",
        "callsign": "call_sign",
        "ship_type": "vessel_type",
        "status": "status",
        "length": "length",
        "width": "width",
        "draught": "draft",
        "transmitter_class": "transceiver",
    },
    optional=frozenset({"transmitter_class", "draught"}),
)
DANISH: Final = CsvLayout(
    name="Danish Maritime Authority",
    columns={
        "time": "# Timestamp",
        "transmitter_class": "Type of mobile",
        "mmsi": "MMSI",
        "latitude": "Latitude",
        "longitude": "Longitude",
        "status": "Navigational status",
        "turn": "ROT",
        "speed": "SOG",
        "course": "COG",
        "heading": "Heading",
        "imo": "IMO",
        "callsign": "Callsign",
        "name": "Name",
        "ship_type": "Ship type",
        "width": "Width",
        "length": "Length",
        "draught": "Draught",
        "destination": "Destination",
        "to_bow": "A",
        "to_stern": "B",
        "to_port": "C",
        "to_starboard": "D",
    },
    time_formats=("%d/%m/%Y %H:%M:%S", *ISO),
    optional=frozenset({"to_bow", "to_stern", "to_port", "to_starboard"}),
)
EXACT_EARTH: Final = CsvLayout(
    name="exactEarth",
    columns={
        "mmsi": "MMSI",
        "message_type": "Message_ID",
        "time": "Time",
        "receiver": "Base_station",
        "name": "Vessel_Name",
        "callsign": "Call_sign",
        "imo": "IMO",
        "ship_type": "Ship_Type",
        "to_bow": "Dimension_to_Bow",
        "to_stern": "Dimension_to_stern",
        "to_port": "Dimension_to_port",
        "to_starboard": "Dimension_to_starboard",
        "draught": "Draught",
        "destination": "Destination",
        "status": "Navigational_status",
        "turn": "ROT",
        "speed": "SOG",
        "longitude": "Longitude",
        "latitude": "Latitude",
        "course": "COG",
        "heading": "Heading",
    },
    time_formats=("%Y%m%d_%H%M%S", *ISO),
    receiver_kind=ReceiverKind.SATELLITE,
    optional=frozenset({"receiver", "message_type", "to_bow", "to_stern", "to_port", "to_starboard", "turn"}),
)
SOLENT: Final = CsvLayout(
    name="Stone Soup Solent AIS",
    columns={
        "time": "Time",
        "mmsi": "MMSI",
        "latitude": "Latitude_degrees",
        "longitude": "Longitude_degrees",
        "course": "COG_degrees",
        "speed": "SOG_knots",
    },
)
ATD_2025: Final = CsvLayout(
    name="Algorithms for Threat Detection 2025",
    columns={
        "time": "time",
        "mmsi": "track_id",
        "latitude": "lat",
        "longitude": "lon",
        "speed": "speed",
        "course": "course",
        "point": "point_id",
    },
    optional=frozenset({"mmsi"}),
)

#: In the order in which they are tried.
PUBLISHED: Final = (
    MARINE_CADASTRE_2018,
    MARINE_CADASTRE,
    MARINE_CADASTRE_2024,
    DANISH,
    EXACT_EARTH,
    SOLENT,
    ATD_2025,
)


def declared(text: str, source: str = "the declaration") -> CsvLayout:
    """A layout from TOML. Raises `InputError` with what is wrong in it."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is no TOML ({error}): correct it.") from error
    columns = found.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(value, str) for value in columns.values()):
        raise InputError(f"{source} has no [columns] table of ours = theirs: add it.")
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise InputError(f"{source} maps {unknown[0]!r}, which is none of {', '.join(COLUMNS)}: rename it.")
    absent = [name for name in _REQUIRED if name not in columns]
    if absent:
        raise InputError(f"{source} does not map {absent[0]!r}: add it under [columns].")
    unit = str(found.get("speed_unit", "kn"))
    if unit not in SPEED_FACTORS:
        raise InputError(f"{source} gives speed_unit {unit!r}: use one of {', '.join(SPEED_FACTORS)}.")
    delimiter = str(found.get("delimiter", ","))
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise InputError(f"{source} gives delimiter {delimiter!r}: use one ASCII character that is no quote.")
    formats = found.get("time_formats", list(ISO))
    return CsvLayout(
        name=str(found.get("name", source)),
        columns=columns,
        time_formats=tuple(str(item) for item in (formats if isinstance(formats, list) else [formats])),
        speed_unit=unit,
        delimiter=delimiter,
        optional=frozenset(columns) - set(_REQUIRED),
    )


def header_of(line: bytes, delimiter: str = ",") -> tuple[str, ...]:
    """The names in a header line."""
    text = line.decode("utf-8-sig", "replace").strip("\r\n")
    return tuple(name.strip().strip('"').strip() for name in text.split(delimiter))


def find_layout(line: bytes, more: tuple[CsvLayout, ...] = ()) -> CsvLayout | None:
    """The layout of a file that begins with this line, None where none fits."""
    for layout in (*more, *PUBLISHED):
        if layout.fits(header_of(line, layout.delimiter)):
            return layout
    return None
