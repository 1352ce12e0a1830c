"""MISP events of others as foreign reports: one report an event.

Always true: an event that cannot be read is kept with the reason and the others are read; nothing that an event names is
fetched, opened or run.
"""

from typing import Any, Final

import msgspec

from shiprider.formats.foreign import (
    UNREADABLE,
    Foreign,
    bounded,
    digest,
    each_read,
    listed_of,
    mapping_of,
    place_of,
    text_of,
    title_of,
)
from shiprider.formats.misp.tags import grade_of, label_of
from shiprider.formats.stix.markings import not_understood, unmarked
from shiprider.model.errors import InputError
from shiprider.model.foreign_report import ForeignPlace, ForeignReport
from shiprider.model.label import combine

#: Relations of MISP's `ais` object as identifiers here.
_IDENTIFIERS: Final = {"mmsi": "mmsi", "imo-number": "imo", "call-sign": "callsign", "name": "name"}
#: Distributions that restrict nothing: everybody, and what it is part of. Of every other, somebody decided who.
_OPEN: Final = frozenset({"3", "5"})


def read(data: bytes, source: str) -> list[Foreign]:
    """Every event. Raises InputError where it is no MISP at all."""
    doubtful = not_understood(source)
    return list(
        each_read(parts_of(data), source, "misp", lambda raw: _read(_event(raw), raw, source), doubtful)
    )


def parts_of(data: bytes) -> list[msgspec.Raw]:
    """The exact bytes of each event. Raises InputError."""
    bounded(data, "The MISP file")
    try:
        if data.lstrip()[:1] == b"[":
            return msgspec.json.decode(data, type=list[msgspec.Raw])
        plain: dict[str, msgspec.Raw] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "response" in plain:
            return msgspec.json.decode(plain["response"], type=list[msgspec.Raw])
    except UNREADABLE as error:
        raise InputError(f"It is no MISP event in JSON ({str(error)[:200]}): export it as JSON.") from None
    if "Event" not in plain and not {"info", "uuid"} <= set(plain):
        raise InputError("It is no MISP event in JSON (there is no Event in it): export it as JSON.")
    return [msgspec.Raw(data)]


def _event(raw: bytes) -> dict[str, Any]:
    plain = msgspec.json.decode(raw, type=dict[str, Any])
    found = plain.get("Event", plain)
    if not isinstance(found, dict) or not isinstance(found.get("uuid"), str) or not found["uuid"]:
        raise ValueError("there is no event with a uuid in it")
    return found


def _read(event: dict[str, Any], raw: bytes, source: str) -> Foreign:
    attributes = [mapping_of(each) for each in listed_of(event.get("Attribute"))]
    groups = [mapping_of(each) for each in listed_of(event.get("Object"))]
    of_groups = [[mapping_of(each) for each in listed_of(group.get("Attribute"))] for group in groups]
    everything = [each for part in (attributes, *of_groups) for each in part]
    tags, distributions = list[str](), set[str]()
    _restrictions(event, tags, distributions)
    label, markings = label_of(dict.fromkeys(tags), source)
    if distributions:
        label = combine(label, unmarked(source))
        markings = (*markings, *(f"distribution {each[:20]}" for each in sorted(distributions)))
    reliability, credibility = grade_of(_tags(event))
    places: list[ForeignPlace] = []
    for group in of_groups:
        values = {text_of(each.get("object_relation"), 80).lower(): each.get("value") for each in group}
        places += place_of(values.get("latitude"), values.get("longitude"))
    report = ForeignReport(
        source=source,
        format="misp",
        foreign_id=text_of(event["uuid"], 200),
        foreign_type="event",
        modified=text_of(str(event.get("timestamp", "")), 40),
        title=title_of(event.get("info"), "event"),
        text=_text(everything),
        identifiers=_identifiers(everything),
        places=tuple(dict.fromkeys(places)),
        markings=markings,
        reliability=reliability,
        credibility=credibility,
        sha256=digest(raw),
        raw=raw,
    )
    return Foreign(report, label)


def _restrictions(within: Any, tags: list[str], distributions: set[str]) -> None:
    """Every tag and every distribution, however deep: one that is not looked at may be the one that restricts."""
    if isinstance(within, list):
        for each in within:
            _restrictions(each, tags, distributions)
    elif isinstance(within, dict):
        tags += _tags(within)
        if str(within.get("distribution", "3")) not in _OPEN:
            distributions.add(str(within["distribution"]))
        for each in within.values():
            _restrictions(each, tags, distributions)


def _tags(holder: dict[str, Any]) -> list[str]:
    given = holder.get("Tag")
    names = [mapping_of(each).get("name") for each in given] if isinstance(given, list) else []
    return [name for name in names if isinstance(name, str)]


def _identifiers(attributes: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    found = [
        (_IDENTIFIERS.get(text_of(each.get("object_relation"), 80).lower(), ""), title_of(each.get("value")))
        for each in attributes
    ]
    return tuple(dict.fromkeys((name, value) for name, value in found if name and value))


def _text(attributes: list[dict[str, Any]]) -> str:
    lines = []
    for each in attributes:
        name = title_of(each.get("object_relation"), each.get("type"))
        value, comment = text_of(each.get("value"), 2000), title_of(each.get("comment"))
        if value:
            lines.append(f"{name}: {value}" + (f" ({comment})" if comment else ""))
    return text_of("\n".join(lines))
