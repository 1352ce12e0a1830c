"""Disclosures as STIX 2.1 objects: vessels are identities, findings reports, alerts groupings, places and presences
locations and sightings.

Always true: the same disclosure gives the same objects, byte for byte; every object carries the marking of what is in
it; an object follows those it refers to; what is simulated says so in its name.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from shiprider.formats.stix.markings import marking_objects
from shiprider.formats.stix.names import (
    EXTENSION,
    FORM_MADE,
    extension_definition,
    maker,
    stix_id,
    timestamp,
)
from shiprider.model.disclosure import Disclosure, VesselClaim

Words = Callable[[str], str]
Object = dict[str, Any]

#: What objects of ours there can be of a record itself, for who looks one up.
OF_RECORD: Final = {"finding": "report", "alert": "grouping"}


def objects(given: Disclosure, node: str, words: Words) -> list[Object]:
    """The objects of one disclosure with everything they refer to, but for findings that are objects of their own."""
    made: list[Object] = [maker("shiprider"), extension_definition(), maker(node)]
    marks: dict[str, list[str]] = {}
    for text in (given.own_label, *(vessel.label for vessel in given.vessels), given.label):
        if text not in marks:
            of_label = marking_objects(text, words)
            marks[text] = [each["id"] for each in of_label]
            made += [each for each in of_label if each not in made]
    vessels = {vessel.mmsi: _vessel(vessel, given.origin, node, marks) for vessel in given.vessels}
    place = _place(given, node, marks)
    sightings = [
        _sighting(given, each.mmsi, vessels[each.mmsi], place, node, marks)
        | {
            "first_seen": timestamp(each.start_us),
            "last_seen": timestamp(each.end_us),
            "count": each.count,
        }
        for each in given.presences
        if each.mmsi in vessels
    ]
    made += [*vessels.values(), place, *sightings]
    about = [each["id"] for each in (*vessels.values(), place, *sightings)]
    made.append(_record(given, [*about, *_findings(given)], node, marks))
    return made


def record_id(kind: str, origin: str, record: str) -> str:
    """The id of the object that a finding or an alert is."""
    return stix_id(OF_RECORD[kind], origin, record)


def bundle(chunks: Iterable[Iterable[Object]], name: str) -> Iterator[bytes]:
    """A bundle in pieces, each object of each version once; `name` says which bundle it is."""
    yield json.dumps({"type": "bundle", "id": stix_id("bundle", name)})[:-1].encode() + b', "objects": ['
    written: set[str] = set()
    between = b"\n"
    for chunk in chunks:
        lines = []
        for each in chunk:
            version = f"{each['id']} {each.get('modified', '')}"
            if version in written:
                continue
            # Of what is one record's alone there is no second: only what many share is remembered.
            if each["type"] in ("identity", "marking-definition", "extension-definition"):
                written.add(version)
            lines.append(json.dumps(each, ensure_ascii=False).encode("utf-8", "replace"))
        if lines:
            yield between + b",\n".join(lines)
            between = b",\n"
    yield b"\n]}\n"


def _head(kind: str, id_: str, created: str, modified: str, node: str, marks: list[str]) -> Object:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": id_,
        "created_by_ref": stix_id("identity", "node", node),
        "created": created,
        "modified": modified,
        "object_marking_refs": marks,
    }


def _vessel(claim: VesselClaim, origin: str, node: str, marks: dict[str, list[str]]) -> Object:
    """Another claim of the same number is another object: at sea an identity is what somebody says."""
    said: Object = {"extension_type": "property-extension", "mmsi": f"{claim.mmsi:09d}"}
    for name, value in (("callsign", claim.callsign), ("flag", claim.flag)):
        if value:
            said[name] = value
    if claim.imo:
        said["imo"] = str(claim.imo)
    if claim.ship_type >= 0:
        said["ship_type"] = claim.ship_type
    id_ = stix_id("identity", "vessel", origin, claim.label, claim.name, sorted(said.items()))
    return {
        **_head("identity", id_, FORM_MADE, FORM_MADE, node, marks[claim.label]),
        "name": claim.name or f"MMSI {claim.mmsi:09d}",
        "identity_class": "system",
        "labels": ["vessel"],
        "extensions": {EXTENSION: said},
    }


def _times(given: Disclosure) -> tuple[str, str]:
    return timestamp(given.created_us), timestamp(given.modified_us)


def _place(given: Disclosure, node: str, marks: dict[str, list[str]]) -> Object:
    id_ = stix_id("location", given.origin, given.record)
    return {
        **_head("location", id_, *_times(given), node, marks[given.own_label]),
        "latitude": round(given.latitude_deg, 6),
        "longitude": round(given.longitude_deg, 6),
    }


def _sighting(
    given: Disclosure, mmsi: int, vessel: Object, place: Object, node: str, marks: dict[str, list[str]]
) -> Object:
    id_ = stix_id("sighting", given.origin, given.record, mmsi)
    return {
        **_head("sighting", id_, *_times(given), node, marks[given.own_label]),
        "sighting_of_ref": vessel["id"],
        "where_sighted_refs": [place["id"], stix_id("identity", "node", node)],
    }


def _findings(given: Disclosure) -> list[str]:
    return [record_id("finding", given.origin, each) for each in given.findings]


def _record(given: Disclosure, refs: list[str], node: str, marks: dict[str, list[str]]) -> Object:
    kind = OF_RECORD[given.kind]
    labels = ["simulated"] if given.simulated else []
    if given.retracted:
        labels.append("retracted")
    ours: Object = {
        "extension_type": "property-extension",
        "record": given.record,
        "origin": given.origin,
        "behaviours": list(given.behaviours),
        "preset": given.preset,
        "score": given.score,
        "state": given.state,
        "simulated": given.simulated,
        "retracted": given.retracted,
        "start": timestamp(given.start_us),
        "end": timestamp(given.end_us),
    }
    if given.facts:
        ours["facts"] = dict(given.facts)
    # Everything in it is referred to, so its marking is that of everything.
    made = {
        **_head(
            kind, record_id(given.kind, given.origin, given.record), *_times(given), node, marks[given.label]
        ),
        "name": f"SIMULATED: {given.title}" if given.simulated else given.title,
        "description": given.text,
        "lang": "en",
        "object_refs": refs,
        "extensions": {EXTENSION: ours},
    }
    if labels:
        made["labels"] = labels
    if given.probability is not None:
        made["confidence"] = round(min(max(given.probability, 0.0), 1.0) * 100)
    if kind == "report":
        made["published"] = timestamp(given.modified_us)
        made["report_types"] = ["observed-data"]
    else:
        made["context"] = "suspicious-activity"
    return made
