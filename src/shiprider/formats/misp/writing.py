"""Disclosures as MISP events: one event each, vessels as objects of MISP's template `ais`.

Always true: the same disclosure gives the same event; it is distributed to nobody further (distribution 0), its tags say
its label; nothing in it is an indicator to block (`to_ids` is false).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from shiprider.formats.misp.tags import tags_of
from shiprider.formats.stix.names import name_of
from shiprider.measure.clock import iso_from_us
from shiprider.model.disclosure import Disclosure, VesselClaim

#: MISP's object template for what a vessel says by AIS (misp-objects, `ais`).
AIS_TEMPLATE: Final = "ef90551a-ff34-472c-9fba-c272c4435baa"
_AIS_VERSION: Final = "4"
#: How a disclosed state reads as MISP's `analysis`: initial, ongoing, completed.
_ANALYSIS: Final = {"new": "0", "open": "1", "taken": "1", "escalated": "1"}
_UNDEFINED_THREAT: Final = "4"


def event(given: Disclosure, node: str) -> dict[str, Any]:
    """The event of one finding or alert."""
    name = (given.origin, given.record)
    title = f"SIMULATED: {given.title}" if given.simulated else given.title
    seconds = str(given.modified_us // 1_000_000)
    made = _Maker(name, seconds)
    facts = [made.attribute("comment", given.text, "text")]
    if given.retracted:
        facts.append(made.attribute("comment", "Retracted: later data undid it.", "retracted"))
    presences = {each.mmsi: each for each in given.presences}
    vessels = []
    for vessel in given.vessels:
        seen = presences.get(vessel.mmsi)
        times = (seen.start_us, seen.end_us) if seen else (given.start_us, given.end_us)
        vessels.append(made.vessel(vessel, given, *times))
    return {
        "Event": {
            "uuid": name_of("misp-event", *name),
            "info": title,
            "date": iso_from_us(given.start_us)[:10],
            "timestamp": seconds,
            "threat_level_id": _UNDEFINED_THREAT,
            "analysis": _ANALYSIS.get(given.state, "2"),
            "distribution": "0",
            "published": False,
            "Orgc": {"name": node, "uuid": name_of("misp-organisation", node)},
            "Tag": [{"name": tag} for tag in tags_of(given.label, given.probability)],
            "Attribute": facts,
            "Object": vessels,
        }
    }


def events(chunks: Iterable[Iterable[Disclosure]], node: str) -> Iterator[bytes]:
    """A file of events in pieces, as MISP's own search answers."""
    yield b'{"response": ['
    between = b"\n"
    for chunk in chunks:
        lines = [
            json.dumps(event(each, node), ensure_ascii=False).encode("utf-8", "replace") for each in chunk
        ]
        if lines:
            yield between + b",\n".join(lines)
            between = b",\n"
    yield b"\n]}\n"


class _Maker:
    """Makes the parts of one event."""

    def __init__(self, name: tuple[str, str], seconds: str) -> None:
        self._name = name
        self._seconds = seconds

    def attribute(self, kind: str, value: str, *of: object) -> dict[str, Any]:
        return {
            "uuid": name_of("misp-attribute", *self._name, *of),
            "type": kind,
            "category": "Other",
            "value": value,
            "to_ids": False,
            "disable_correlation": kind != "text",
            "distribution": "5",
            "timestamp": self._seconds,
        }

    def vessel(self, claim: VesselClaim, given: Disclosure, start_us: int, end_us: int) -> dict[str, Any]:
        said: list[tuple[str, str, str]] = [("MMSI", "text", f"{claim.mmsi:09d}")]
        if claim.imo:
            said.append(("IMO-number", "text", str(claim.imo)))
        said += [(n, "text", v) for n, v in (("call-sign", claim.callsign), ("name", claim.name)) if v]
        said += [
            ("latitude", "float", f"{given.latitude_deg:.6f}"),
            ("longitude", "float", f"{given.longitude_deg:.6f}"),
            ("first-seen", "datetime", iso_from_us(start_us)),
            ("last-seen", "datetime", iso_from_us(end_us)),
        ]
        return {
            "uuid": name_of("misp-object", *self._name, claim.mmsi),
            "name": "ais",
            "meta-category": "marine",
            "template_uuid": AIS_TEMPLATE,
            "template_version": _AIS_VERSION,
            "description": "What a vessel says of itself by AIS",
            "distribution": "5",
            "timestamp": self._seconds,
            "comment": f"Flag by its number: {claim.flag}" if claim.flag else "",
            "Attribute": [
                {**self.attribute(kind, value, claim.mmsi, relation), "object_relation": relation}
                for relation, kind, value in said
            ],
        }
