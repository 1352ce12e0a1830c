"""Areas of a user as GeoJSON (RFC 7946): polygons with a name.

Always true: an area is one outer ring; the parts of a MultiPolygon become areas numbered after its
name; what is not a polygon, or has a hole, is refused rather than half understood.
"""

from typing import Any

import msgspec

from shiprider.model.errors import InputError
from shiprider.model.world import Area


def parse_areas(text: str, file: str) -> tuple[Area, ...]:
    """The areas of a GeoJSON text; raises InputError in one sentence naming the feature."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"{file} is not JSON: {error}.") from None
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = document.get("features")
    elif kind == "Feature":
        features = [document]
    elif kind in ("Polygon", "MultiPolygon"):
        features = [{"geometry": document, "properties": {}}]
    else:
        features = None
    if not isinstance(features, list):
        raise InputError(f"{file} is not GeoJSON of polygons: its type is {kind!r}.")
    return tuple(
        area for k, feature in enumerate(features, 1) for area in _areas(feature, f"{file} feature {k}", k)
    )


def _areas(feature: Any, where: str, number: int) -> list[Area]:
    geometry = (feature.get("geometry") if isinstance(feature, dict) else None) or {}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise InputError(f"{where} is a {kind}, but an area must be a Polygon or a MultiPolygon.")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise InputError(f'{where}: its properties are no object, write for example {{"name": "Bank"}}.')
    name = str(properties.get("name") or properties.get("NAME") or feature.get("id") or f"area {number}")
    coordinates = geometry.get("coordinates")
    polygons = coordinates if kind == "MultiPolygon" else [coordinates]
    if not isinstance(polygons, list) or not polygons:
        raise InputError(f"{where} has no coordinates.")
    rings = [_ring(polygon, where) for polygon in polygons]
    if len(rings) == 1:
        return [Area(name, rings[0])]
    return [Area(f"{name} ({k})", ring) for k, ring in enumerate(rings, 1)]


def _ring(polygon: Any, where: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(polygon, list) or not polygon:
        raise InputError(f"{where} has no ring.")
    if len(polygon) > 1:
        raise InputError(f"{where} has a hole: draw the area without it.")
    try:
        ring = tuple((float(point[0]), float(point[1])) for point in polygon[0])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise InputError(f"{where}: a point is not [longitude, latitude].") from None
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise InputError(f"{where}: a ring has at least four points and ends where it began.")
    if any(not (-180.0 <= x <= 180.0 and -90.0 <= y <= 90.0) for x, y in ring):
        raise InputError(f"{where}: a point is outside -180..180, -90..90 degrees.")
    return ring
