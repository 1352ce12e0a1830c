"""STIX 2.1 objects of others as foreign reports.

Always true: an object is judged by itself: one that cannot be read is kept with the reason and the others are read;
who wrote a bundle decides nothing about what is already here.

STIX 2.1, 10 (bundle) and appendix A (confidence scales); TAXII 2.1, 3.7 (envelope).
"""

import re
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
from shiprider.formats.stix.markings import not_understood, read_markings
from shiprider.formats.stix.names import EXTENSION
from shiprider.model.errors import InputError
from shiprider.model.foreign_report import ForeignReport

_ID: Final = re.compile(
    r"([a-z][a-z0-9-]{2,249})--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
#: They say something of other objects, nothing of the sea.
_SERVING: Final = frozenset({"marking-definition", "extension-definition"})


class _Container(msgspec.Struct):
    """A bundle, or TAXII's envelope."""

    objects: list[msgspec.Raw]


def parts_of(data: bytes) -> list[msgspec.Raw]:
    """The exact bytes of each object of a bundle, an envelope, a list, or of a single object. Raises InputError."""
    bounded(data, "The STIX file")
    try:
        start = data.lstrip()[:1]
        if start == b"[":
            return msgspec.json.decode(data, type=list[msgspec.Raw])
        plain: dict[str, msgspec.Raw] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "objects" in plain:
            return msgspec.json.decode(data, type=_Container).objects
        kind = msgspec.json.decode(plain["type"], type=str) if "type" in plain else ""
    except UNREADABLE as error:
        raise InputError(
            f"It is no STIX 2.1 in JSON ({str(error)[:200]}): give a bundle or a TAXII envelope."
        ) from None
    return [msgspec.Raw(data)] if kind and kind != "bundle" else []


def read(data: bytes, source: str) -> list[Foreign]:
    """Every object but markings and definitions. Raises InputError where it is no STIX at all."""
    parts = parts_of(data)
    defined = _definitions(parts)
    doubtful = not_understood(source)

    def one(raw: bytes) -> Foreign | None:
        given = msgspec.json.decode(raw, type=dict[str, Any])
        kind = given["type"]
        if kind in _SERVING:
            return None
        found = _ID.fullmatch(given["id"])
        if found is None or found[1] != kind:
            raise ValueError("its id is none of its type")
        return _read(given, raw, source, defined)

    return list(each_read(parts, source, "stix-2.1", one, doubtful))


def _definitions(parts: list[msgspec.Raw]) -> dict[str, dict[str, Any]]:
    """The marking-definitions among them; two that differ under one id are none."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        if b"marking-definition" not in bytes(part):
            continue
        try:
            given = msgspec.json.decode(part, type=dict[str, Any])
        except UNREADABLE:
            continue
        id_ = given.get("id")
        if given.get("type") == "marking-definition" and isinstance(id_, str):
            found[id_] = given if found.get(id_, given) == given else {}
    return found


def _read(given: dict[str, Any], raw: bytes, source: str, defined: dict[str, dict[str, Any]]) -> Foreign:
    refs = given.get("object_marking_refs", [])
    if not isinstance(refs, list) or not all(isinstance(ref, str) for ref in refs):
        raise ValueError("its markings are no list of ids")
    label, markings = read_markings(refs, defined, source)
    if given.get("granular_markings"):
        # Parts of it are marked on their own: what they say is not kept apart here.
        label, markings = not_understood(source), (*markings, "granular markings")
    ours = mapping_of(mapping_of(given.get("extensions")).get(EXTENSION))
    confidence = given.get("confidence")
    report = ForeignReport(
        source=source,
        format="stix-2.1",
        foreign_id=given["id"],
        foreign_type=given["type"],
        modified=text_of(given.get("modified") or given.get("created"), 40),
        title=title_of(given.get("name"), given.get("abstract"), given.get("value"), given["type"]),
        text=text_of(given.get("description") or given.get("content") or given.get("pattern")),
        identifiers=_identifiers(given, ours),
        places=place_of(given.get("latitude"), given.get("longitude")),
        markings=markings,
        credibility=_credibility(confidence),
        revoked=given.get("revoked") is True,
        sha256=digest(raw),
        raw=raw,
    )
    return Foreign(report, label)


def _identifiers(given: dict[str, Any], ours: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = [(name, text_of(ours.get(name), 40)) for name in ("mmsi", "imo", "callsign", "flag")]
    if given["type"] == "identity":
        found.append(("name", title_of(given.get("name"))))
    for each in listed_of(given.get("external_references")):
        reference = mapping_of(each)
        found.append((title_of(reference.get("source_name"))[:80], title_of(reference.get("external_id"))))
        found.append(("url", text_of(reference.get("url"), 2000)))
    return tuple(dict.fromkeys((name, value) for name, value in found if name and value))


def _credibility(confidence: Any) -> str:
    """STIX 2.1, appendix A, Admiralty Credibility: 0-19 is 5, ... 80-100 is 1; without one it cannot be judged."""
    if not isinstance(confidence, int) or isinstance(confidence, bool) or not 0 <= confidence <= 100:
        return "6"
    return str(5 - min(confidence // 20, 4))
