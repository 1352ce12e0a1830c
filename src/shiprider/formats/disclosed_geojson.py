"""Disclosures as GeoJSON (RFC 7946) that carries its label inside: on the collection and on every feature.

Always true: coordinates are longitude, latitude in degrees (WGS 84); the collection's label is the combination of the
labels of everything in the file and stands before the features.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shiprider.measure.clock import iso_from_us
from shiprider.model.disclosure import Disclosure


def feature(given: Disclosure, words: Callable[[str], str]) -> dict[str, Any]:
    """One finding or alert as a point."""
    return {
        "type": "Feature",
        "id": given.record,
        "geometry": {
            "type": "Point",
            "coordinates": [round(given.longitude_deg, 6), round(given.latitude_deg, 6)],
        },
        "properties": {
            "label": given.label,
            "marking": words(given.label),
            "kind": given.kind,
            "origin": given.origin,
            "revision": given.revision,
            "title": given.title,
            "text": given.text,
            "behaviours": list(given.behaviours),
            "start": iso_from_us(given.start_us),
            "end": iso_from_us(given.end_us),
            "score": given.score,
            "probability": given.probability,
            "state": given.state,
            "simulated": given.simulated,
            "retracted": given.retracted,
            "vessels": [
                {
                    "mmsi": vessel.mmsi,
                    "name": vessel.name,
                    "callsign": vessel.callsign,
                    "imo": vessel.imo,
                    "flag": vessel.flag,
                }
                for vessel in given.vessels
            ],
        },
    }


def collection(
    chunks: Iterable[Iterable[Disclosure]], label: str, words: Callable[[str], str]
) -> Iterator[bytes]:
    """A FeatureCollection in pieces; `label` is that of everything in it."""
    head = {"type": "FeatureCollection", "label": label, "marking": words(label)}
    yield json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "features": ['
    between = b"\n"
    for chunk in chunks:
        lines = [
            json.dumps(feature(each, words), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
            for each in chunk
        ]
        if lines:
            yield between + b",\n".join(lines)
            between = b",\n"
    yield b"\n]}\n"
