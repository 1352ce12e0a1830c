"""Names of STIX objects: the same thing has the same id whenever it is written (UUIDv5, RFC 9562).

Always true: an id is made of what the thing is, never of when it was written or by whom it was asked for.
"""

import uuid
from typing import Any, Final

from shiprider.measure.clock import iso_from_us

#: Of everything that Shiprider names, in STIX and in MISP.
NAMESPACE: Final = uuid.UUID("94ed8079-0020-4eec-a233-bca32f659d97")

#: What our own properties are, for those who read them.
FORM: Final = "Shiprider, docs/interchange.md, form 1"
#: Made for this form of them: what has no time of its own (the definition, a claim of a vessel) has this one.
FORM_MADE: Final = "2026-11-26T00:00:00.000Z"


def name_of(*parts: object) -> str:
    """The UUID of a thing: `parts` say which."""
    whole = "\x1f".join(str(part) for part in parts)
    return str(uuid.uuid5(NAMESPACE, whole.encode("utf-8", "replace").decode()))


def stix_id(kind: str, *parts: object) -> str:
    """The id of a STIX object of this type."""
    return f"{kind}--{name_of(kind, *parts)}"


def timestamp(time_us: int) -> str:
    """Microseconds since 1970 UTC as STIX's timestamp, to the millisecond."""
    whole = iso_from_us(time_us // 1_000_000 * 1_000_000)
    return f"{whole.removesuffix('Z')}.{time_us // 1000 % 1000:03d}Z"


#: One extension for vessels, findings, alerts and labels.
EXTENSION: Final = stix_id("extension-definition", "shiprider", 1)


def maker(node: str) -> dict[str, Any]:
    """The identity of the node that writes."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": stix_id("identity", "node", node),
        "created": FORM_MADE,
        "modified": FORM_MADE,
        "name": node,
        "identity_class": "organization",
    }


def extension_definition() -> dict[str, Any]:
    """What our properties are called and mean."""
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION,
        "created_by_ref": stix_id("identity", "node", "shiprider"),
        "created": FORM_MADE,
        "modified": FORM_MADE,
        "name": "Shiprider: vessels, findings, alerts and labels",
        "description": (
            "On identity: mmsi, imo, callsign, ship_type, flag, as the vessel itself claims. On report and grouping: "
            "behaviours, preset, score, state, simulated, retracted, facts, start, end. On marking-definition: label."
        ),
        "schema": FORM,
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }
