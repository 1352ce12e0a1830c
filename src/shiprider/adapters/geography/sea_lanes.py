"""Ports and sea lanes of a region, from the data packaged with searoute (Apache-2.0).

Always true: nothing is downloaded; the two GeoJSON files of the installed package are read once.
The lanes are Eurostat's maritime network as searoute ships it, the ports its list of ports; a few of
those "ports" are customs posts far inland, which the sea grid of a scenario leaves out.
"""

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from shiprider.model.errors import InputError
from shiprider.simulate.geography import Geography, LandTest, Region

#: The Caribbean, the Gulf of Mexico and the eastern Pacific from Peru to Baja California.
TRANSIT_ZONE = Region(south_deg=-6.0, north_deg=31.0, west_deg=-118.0, east_deg=-57.0)


def _data(name: str) -> list[dict[str, Any]]:
    spec = importlib.util.find_spec("searoute")
    if spec is None or spec.origin is None:
        raise InputError("the searoute package is not installed: install shiprider again")
    path = Path(spec.origin).parent / "data" / name
    features: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes())["features"]
    return features


def sea_geography(is_land: LandTest, region: Region = TRANSIT_ZONE) -> Geography:
    """Ports and lanes inside `region`, with the land test of the caller's coast.

    Raises InputError where the package's data are missing.
    """
    names: list[str] = []
    countries: list[str] = []
    places: list[tuple[float, float]] = []
    seen: set[tuple[float, float]] = set()
    for feature in _data("ports.geojson"):
        longitude, latitude = feature["geometry"]["coordinates"][:2]
        place = (round(latitude, 2), round(longitude, 2))
        if place in seen or not _inside(region, latitude, longitude):
            continue
        seen.add(place)
        properties: dict[str, str] = feature["properties"]
        names.append(str(properties.get("name") or "Port"))
        countries.append(str(properties.get("cty") or ""))
        places.append((latitude, longitude))
    lanes = []
    for feature in _data("marnet_searoute.geojson"):
        geometry: dict[str, Any] = feature["geometry"]
        parts = [geometry["coordinates"]] if geometry["type"] == "LineString" else geometry["coordinates"]
        for part in parts:
            line = np.asarray(part, dtype=np.float64)[:, 1::-1].copy()
            if region.contains(line[:, 0], line[:, 1]).any():
                lanes.append(line)
    points = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    return Geography(
        version=f"searoute {importlib.metadata.version('searoute')}",
        region=region,
        port_name=tuple(names),
        port_country=tuple(countries),
        port_latitude_deg=points[:, 0].copy(),
        port_longitude_deg=points[:, 1].copy(),
        lanes=tuple(lanes),
        is_land=is_land,
    )


def _inside(region: Region, latitude: float, longitude: float) -> bool:
    return bool(region.contains(np.array([latitude]), np.array([longitude]))[0])
