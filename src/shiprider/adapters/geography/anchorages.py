"""Anchorages and receivers: the packaged ports, and an operator's CSV files.

Always true: a file is taken whole or refused in one sentence that names row and column; the version
of what was read is in the result, so that findings can name it; nothing is downloaded.

The packaged ports are searoute's (Apache-2.0): 3,962 ports of the world, some without a sea near
(customs posts); those are left out when a coast is given. They are points of ports, not GFW's
anchorages: an operator's file or anchorages learnt from the lake replace them.
"""

import hashlib
import importlib.metadata
import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from shiprider.formats.csv_rows import csv_rows
from shiprider.model.codes import ReceiverKind
from shiprider.model.errors import InputError
from shiprider.model.world import Anchorages, Coast, Receivers

_ANCHORAGE_COLUMNS: Final = ("name", "latitude_deg", "longitude_deg")
_RECEIVER_COLUMNS: Final = ("source", "kind", "latitude_deg", "longitude_deg")


class _Geometry(msgspec.Struct):
    coordinates: tuple[float, float]


class _Properties(msgspec.Struct):
    name: str | None = None
    cty: str | None = None
    port: str | None = None


class _Feature(msgspec.Struct):
    geometry: _Geometry
    properties: _Properties


class _Ports(msgspec.Struct):
    features: list[_Feature]


def packaged_ports(coast: Coast | None = None, inland_m: float = 0.0) -> Anchorages:
    """The ports packaged with searoute, distinct by place.

    With a coast, ports whose surroundings (`inland_m`, at least 5 km) are all land are left out.
    Raises InputError where the package is missing.
    """
    spec = importlib.util.find_spec("searoute")
    if spec is None or spec.origin is None:
        raise InputError("The searoute package is not installed: install shiprider again.")
    path = Path(spec.origin).parent / "data" / "ports.geojson"
    ports = msgspec.json.decode(path.read_bytes(), type=_Ports).features
    places: dict[tuple[float, float], str] = {}
    for port in ports:
        longitude, latitude = port.geometry.coordinates
        if abs(latitude) <= 90.0 and abs(longitude) <= 180.0:
            says = port.properties
            places.setdefault((latitude, longitude), f"{says.name or says.port or 'port'}, {says.cty or ''}")
    latitudes = np.array([place[0] for place in places])
    longitudes = np.array([place[1] for place in places])
    names = np.array([name.rstrip(", ") for name in places.values()], dtype=object)
    version = f"searoute {importlib.metadata.version('searoute')} ports"
    if coast is not None:
        wet = _sea_near(coast, latitudes, longitudes, max(5_000.0, inland_m))
        latitudes, longitudes, names = latitudes[wet], longitudes[wet], names[wet]
    return Anchorages(version, tuple(names.tolist()), latitudes, longitudes)


def read_anchorages(text: str, file: str) -> Anchorages:
    """Anchorages of an operator's CSV `name,latitude_deg,longitude_deg`; raises InputError."""
    names, latitudes, longitudes = [], [], []
    for row, record in _records(text, file, _ANCHORAGE_COLUMNS):
        names.append(record["name"].strip())
        latitudes.append(_degrees(record, "latitude_deg", 90.0, row, file))
        longitudes.append(_degrees(record, "longitude_deg", 180.0, row, file))
    return Anchorages(_version(text, file), tuple(names), np.array(latitudes), np.array(longitudes))


def read_receivers(text: str, file: str) -> Receivers:
    """Receivers of an operator's CSV `source,kind,latitude_deg,longitude_deg`; raises InputError.

    `kind` is terrestrial, satellite, aircraft, vessel or unknown; a satellite, aircraft or vessel may
    leave the two degrees empty (NaN).
    """
    kinds = {kind.name.lower(): int(kind) for kind in ReceiverKind}
    sources, codes, latitudes, longitudes = [], [], [], []
    for row, record in _records(text, file, _RECEIVER_COLUMNS):
        kind = record["kind"].strip().lower()
        if kind not in kinds:
            raise InputError(
                f"{file}, row {row}, column kind: {record['kind']!r} is not one of {', '.join(kinds)}."
            )
        moving = kind in ("satellite", "aircraft", "vessel")
        sources.append(record["source"].strip())
        codes.append(kinds[kind])
        latitudes.append(_degrees(record, "latitude_deg", 90.0, row, file, empty=moving))
        longitudes.append(_degrees(record, "longitude_deg", 180.0, row, file, empty=moving))
    return Receivers(
        _version(text, file),
        tuple(sources),
        np.array(codes, dtype=np.int8),
        np.array(latitudes),
        np.array(longitudes),
    )


def _records(text: str, file: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number as an editor shows it, fields) of every row that is not empty."""
    rows = csv_rows(text, file)
    _, header = next(rows, (0, None))
    if header is None:
        raise InputError(f"{file} is empty: its first row must be {','.join(columns)}.")
    header = [name.strip().lower() for name in header]
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(
            f"{file}, row 1: the column {missing[0]} is missing, the first row must be {','.join(columns)}."
        )
    for number, fields in rows:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            raise InputError(
                f"{file}, row {number}: {len(fields)} fields where the first row has {len(header)}."
            )
        yield number, dict(zip(header, fields, strict=True))


def _degrees(
    record: dict[str, str], column: str, limit: float, row: int, file: str, *, empty: bool = False
) -> float:
    text = record[column].strip()
    if empty and not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= limit:
        raise InputError(
            f"{file}, row {row}, column {column}: {text!r} is not a number of degrees "
            f"between -{limit:.0f} and {limit:.0f}."
        )
    return value


def _version(text: str, file: str) -> str:
    return f"{file} {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _sea_near(
    coast: Coast, latitude: np.ndarray, longitude: np.ndarray, reach_m: float
) -> np.ndarray:  # arrays of shape (n,)
    """True where any of a ring of points around is at sea."""
    wet = ~coast.is_land(latitude, longitude)
    for part in (0.34, 0.67, 1.0):
        north = part * reach_m / 111_195.0
        east = north / np.maximum(0.05, np.cos(np.radians(latitude)))
        for angle in np.arange(0.0, 2.0 * np.pi, np.pi / 4.0):
            lat = np.clip(latitude + north * np.cos(angle), -90.0, 90.0)
            wet |= ~coast.is_land(lat, longitude + east * np.sin(angle))
    return wet
