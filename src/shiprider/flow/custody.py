"""The chain of custody of a finding as a CASE/UCO graph (JSON-LD).

Always true: each step names who or what did it, with what, on what, with what result; every object that
has bytes in the package has its SHA-256; ids are made from the package's own content, so the same
package gives the same graph. Ontologies: CASE 1.x (Investigation), UCO 1.x (Action, Observable, Identity,
Tool, Types).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_CONTEXT: Final = {
    "kb": "urn:shiprider:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

#: Names of the graph's nodes are made from this and their content (RFC 9562, version 5).
_SPACE: Final = uuid.UUID("7f1b6a0e-3f0c-5a49-9d57-1f2f6c1b8a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file of the package."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act: `kind` (received, recorded, exported), by whom, when, on which files, giving which."""

    kind: str
    by: str
    person: bool
    start_us: int
    end_us: int
    objects: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    words: str = ""


def graph(
    *, finding: str, node: str, software: str, files: Sequence[Held], steps: Sequence[Step]
) -> dict[str, Any]:
    """The graph; steps in order of time."""

    def name(kind: str, *parts: str) -> str:
        return f"kb:{kind}-{uuid.uuid5(_SPACE, chr(31).join((finding, kind, *parts)))}"

    nodes: list[dict[str, Any]] = []
    tool = name("tool", software)
    nodes.append({"@id": tool, "@type": "uco-tool:Tool", "uco-core:name": software})
    for who, person in sorted({(step.by, step.person) for step in steps}):
        kind = "Person" if person else "Organization"
        nodes.append({"@id": name("identity", who), "@type": f"uco-identity:{kind}", "uco-core:name": who})
    objects = {held.path: name("file", held.path) for held in files}
    nodes += [_file(objects[held.path], held, name) for held in files]
    before = ""
    acts: list[str] = []
    for number, step in enumerate(steps):
        act = name("action", str(number))
        made: dict[str, Any] = {
            "@id": act,
            "@type": "case-investigation:InvestigativeAction",
            "uco-core:name": step.kind,
            "uco-action:startTime": _time(step.start_us),
            "uco-action:endTime": _time(step.end_us),
            "uco-action:performer": {"@id": name("identity", step.by)},
            "uco-action:instrument": {"@id": tool},
        }
        if step.words:
            made["uco-core:description"] = step.words
        if step.objects:
            made["uco-action:object"] = [{"@id": objects[path]} for path in step.objects]
        if step.results:
            record = name("provenance", str(number))
            made["uco-action:result"] = [{"@id": objects[path]} for path in step.results] + [{"@id": record}]
            nodes.append(
                {
                    "@id": record,
                    "@type": "case-investigation:ProvenanceRecord",
                    "uco-core:description": step.kind,
                    "case-investigation:exhibitNumber": f"{finding[:8]}-{number + 1}",
                    "uco-core:object": [{"@id": objects[path]} for path in step.results],
                }
            )
        if before:
            made["case-investigation:wasInformedBy"] = {"@id": before}
        before = act
        acts.append(act)
        nodes.append(made)
    nodes.append(
        {
            "@id": name("investigation", node),
            "@type": "case-investigation:Investigation",
            "uco-core:name": f"Finding {finding} of node {node}",
            "uco-core:object": [{"@id": each} for each in acts],
        }
    )
    return {"@context": _CONTEXT, "@graph": nodes}


def _file(iri: str, held: Held, name: Any) -> dict[str, Any]:
    return {
        "@id": iri,
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [
            {
                "@id": name("file-facet", held.path),
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": held.path.rsplit("/", 1)[-1],
                "uco-observable:filePath": held.path,
                "uco-observable:sizeInBytes": {"@type": "xsd:integer", "@value": str(held.size)},
            },
            {
                "@id": name("content-facet", held.path),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:hash": [
                    {
                        "@id": name("hash", held.path),
                        "@type": "uco-types:Hash",
                        "uco-types:hashMethod": "SHA256",
                        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": held.sha256.upper()},
                    }
                ],
                "uco-observable:sizeInBytes": {"@type": "xsd:integer", "@value": str(held.size)},
            },
        ],
    }


def _time(at_us: int) -> dict[str, str]:
    text = datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="microseconds")
    return {"@type": "xsd:dateTime", "@value": text.replace("+00:00", "Z")}
