"""Evidence of a finding, for somebody outside: what is in the package, and where it comes from.

Always true: raw bytes are as the spool has them; records are the exact bytes that were signed; what is no
longer held is named with the reason, never left out in silence; the export itself is part of the custody.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from shiprider import __version__
from shiprider.flow.custody import Held, Step, graph
from shiprider.flow.evidence_package import canonical, sealed
from shiprider.flow.evidence_words import README
from shiprider.model.envelope import envelope_bytes
from shiprider.model.errors import CorruptStore, NotFound
from shiprider.model.evidence import EvidenceExport
from shiprider.model.publication import Publication
from shiprider.model.record import Draft, Record
from shiprider.model.tables import raw_parts
from shiprider.ports.ledger import Ledger, Query
from shiprider.ports.signing import Signer
from shiprider.ports.spool import Spool
from shiprider.ports.timestamps import TimeStamper
from shiprider.ports.vouching import SignedRoot, Vouching, Witness

#: What wrote a record when it was no person.
PROCESSES: Final = frozenset({"watch", "shiprider", "node"})

#: How many bytes an observation has, by its address; None where the lake no longer holds its row.
LengthOf = Callable[[int], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where evidence comes from. `clock` in microseconds since 1970 UTC."""

    node: str
    ledger: Ledger
    spool: Spool
    length_of: LengthOf
    vouching: Vouching
    signer: Signer
    stamper: TimeStamper | None
    clock: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The bytes, and what they can show: `no_stamp` and `unwitnessed_since_us` say what they cannot."""

    data: bytes
    sha256: str
    records: int
    observations: int
    missing: int
    no_stamp: str
    unwitnessed_since_us: int | None


def records_of(ledger: Ledger, finding: str) -> list[Record]:
    """Every revision of the finding, of the alerts that rest on it and of what was decided on them.

    Raises NotFound where there is no such finding.
    """
    history = ledger.history(finding)
    if history[0].kind != "finding":
        raise NotFound(f"There is no finding {finding}: look the list up again.")
    alerts = [each.id for each in ledger.find(Query("alert", ((f"finding:{finding}",),), order="oldest"))]
    decided = [
        record.id
        for alert in alerts
        for record in ledger.find(Query("disposition", ((f"alert:{alert}",),), order="oldest"))
    ]
    found = [*history, *(record for each in (*alerts, *decided) for record in ledger.history(each))]
    return sorted(found, key=lambda record: record.sequence)


def export(sources: Sources, finding: str, *, by: str, reason: str) -> Package:
    """The package of one finding. Raises NotFound, CorruptStore, StorageError."""
    made_us = sources.clock()
    records = records_of(sources.ledger, finding)
    files: dict[str, bytes] = {}
    listed: list[dict[str, Any]] = []
    root = sources.vouching.root(records[-1].sequence)
    for number, record in enumerate(records, 1):
        listed.append(_record(sources, files, number, record, root))
    observations, missing = _observations(sources, records, finding, files)
    witnesses = sources.vouching.witnesses()
    since = _unwitnessed(sources, root, witnesses)
    files["records.json"] = canonical(listed)
    files["observations.json"] = canonical(observations)
    files["log/head.json"] = canonical(asdict(root))
    files["log/keys.json"] = canonical([asdict(key) for key in sources.vouching.signing_keys()])
    files["log/witnesses.json"] = canonical(
        {"unwitnessed_since_us": since, "witnesses": [asdict(each) for each in witnesses]}
    )
    files["README.txt"] = README.encode()
    held = [Held(path=p, sha256=hashlib.sha256(d).hexdigest(), size=len(d)) for p, d in sorted(files.items())]
    steps = _steps(sources.node, records, observations, by, reason, made_us)
    files["custody.jsonld"] = canonical(
        graph(
            finding=finding, node=sources.node, software=f"Shiprider {__version__}", files=held, steps=steps
        )
    )
    head = {"by": by, "finding": finding, "made_us": made_us, "node": sources.node, "reason": reason}
    data, no_stamp = sealed(files, head, sources.signer, sources.stamper)
    return Package(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        records=len(records),
        observations=len(observations) - missing,
        missing=missing,
        no_stamp=no_stamp,
        unwitnessed_since_us=since,
    )


def recorded(package: Package, finding: str, *, by: str, reason: str, at_us: int, record_id: str) -> Draft:
    """The record of an export: later packages show it in their custody."""
    body = EvidenceExport(
        finding=finding,
        package_sha256=package.sha256,
        records=package.records,
        observations=package.observations,
        missing=package.missing,
        reason=reason,
        no_time_stamp=package.no_stamp,
        unwitnessed_since_us=package.unwitnessed_since_us,
    )
    return Draft(
        id=record_id,
        kind="evidence_export",
        expected_revision=0,
        schema=1,
        author=by,
        valid_from_us=at_us,
        body=msgspec.json.encode(body),
    )


def envelope_of(record: Record) -> bytes:
    """The exact bytes that were signed and chained."""
    return envelope_bytes(
        id=record.id,
        kind=record.kind,
        revision=record.revision,
        schema=record.schema,
        origin=record.origin,
        author=record.author,
        valid_from_us=record.valid_from_us,
        valid_to_us=record.valid_to_us,
        recorded_us=record.recorded_us,
        label=record.label,
        purpose=record.purpose,
        case=record.case,
        digest=record.digest,
    )


def _record(
    sources: Sources, files: dict[str, bytes], number: int, record: Record, root: SignedRoot
) -> dict[str, Any]:
    stem = f"records/{number:04d}"
    files[f"{stem}.envelope"] = envelope_of(record)
    files[f"{stem}.signature"] = record.signature
    if record.body is not None:
        files[f"{stem}.body"] = record.body
    return {
        "envelope": f"{stem}.envelope",
        "signature": f"{stem}.signature",
        "body": f"{stem}.body" if record.body is not None else None,
        "index": record.sequence - 1,
        "path": list(sources.vouching.path(record.sequence, root)),
    }


def _observations(
    sources: Sources, records: Sequence[Record], finding: str, files: dict[str, bytes]
) -> tuple[list[dict[str, Any]], int]:
    """What is listed of the observations that the revisions name, and how many of them are gone."""
    raws: set[int] = set()
    for record in records:
        if record.id == finding and record.body is not None:
            body = msgspec.json.decode(record.body, type=Publication)
            raws.update(raw for shown in body.finding.evidence for raw in shown.raws)
    segments = {info.number: info for info in sources.spool.segments()}
    names = {source.number: source for source in sources.spool.sources()}
    listed: list[dict[str, Any]] = []
    missing = 0
    for raw in sorted(raws):
        segment, offset = raw_parts(raw)
        entry: dict[str, Any] = {"raw": raw, "segment": segment, "offset": offset}
        listed.append(entry)
        length = sources.length_of(raw)
        try:
            if length is None:
                raise NotFound("the lake no longer holds its row")
            stored = sources.spool.locate(raw)
            data = sources.spool.read(raw, length)
        except (NotFound, CorruptStore) as error:
            entry["missing"] = str(error)
            missing += 1
            continue
        path = f"observations/{segment:08d}-{offset:010d}.raw"
        files[path] = data
        source = names.get(stored.source)
        info = segments.get(segment)
        entry.update(
            file=path,
            length=length,
            sha256=hashlib.sha256(data).hexdigest(),
            received_us=stored.received_us,
            feed=source.declaration.name if source else "",
            origin=source.origin.file if source else "",
            segment_sha256=info.sha256 if info else "",
        )
    return listed, missing


def _unwitnessed(sources: Sources, root: SignedRoot, witnesses: Sequence[Witness]) -> int | None:
    """Since when nobody outside can tell; None where a partner witnessed the very head."""
    if any(each.root == root for each in witnesses):
        return None
    return max((each.root.recorded_us for each in witnesses), default=sources.vouching.since())


def _steps(
    node: str,
    records: Sequence[Record],
    observations: Sequence[dict[str, Any]],
    by: str,
    reason: str,
    made_us: int,
) -> list[Step]:
    steps: list[Step] = []
    for feed in sorted({str(each["feed"]) for each in observations if "file" in each}):
        mine = [each for each in observations if each.get("feed") == feed and "file" in each]
        times = [int(each["received_us"]) for each in mine]
        steps.append(
            Step(
                kind="received",
                by=node,
                person=False,
                start_us=min(times),
                end_us=max(times),
                results=tuple(str(each["file"]) for each in mine),
                words=f"Bytes of feed {feed} appended to the spool as they came.",
            )
        )
    raw_files = tuple(str(each["file"]) for each in observations if "file" in each)
    for number, record in enumerate(records, 1):
        stem = f"records/{number:04d}"
        results = [f"{stem}.envelope", f"{stem}.signature"]
        if record.body is not None:
            results.append(f"{stem}.body")
        steps.append(
            Step(
                kind="recorded",
                by=record.author,
                person=record.author not in PROCESSES,
                start_us=record.recorded_us,
                end_us=record.recorded_us,
                objects=raw_files if record.kind == "finding" else (),
                results=tuple(results),
                words=f"Revision {record.revision} of {record.kind} {record.id}, entry {record.sequence} of the log.",
            )
        )
    steps.sort(key=lambda step: (step.end_us, step.kind))
    steps.append(Step(kind="exported", by=by, person=True, start_us=made_us, end_us=made_us, words=reason))
    return steps
