"""Evidence of a finding, for somebody outside: what is in the package, and where it comes from.

Always true: raw bytes are as the spool has them; records are the exact bytes that were signed; nothing is in it
that the policy does not let its exporter export; what is no longer held, or may not go, is said, never left out in
silence, and so is what was not sealed in the log; bytes that are not what was sealed go into no package; the export
itself is part of the custody.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from shiprider import __version__
from shiprider.flow.custody import Held, Step, graph
from shiprider.flow.evidence_package import canonical, sealed
from shiprider.flow.evidence_scope import GONE, WITHHELD, EvidenceScope, RawRow
from shiprider.flow.evidence_words import README
from shiprider.flow.pieces import Pieces
from shiprider.flow.sight import Sight
from shiprider.model.envelope import envelope_bytes
from shiprider.model.errors import CorruptStore, NotFound
from shiprider.model.evidence import EvidenceExport
from shiprider.model.observer import Observer
from shiprider.model.publication import Publication
from shiprider.model.record import Draft, Record
from shiprider.model.spool_seal import seal_id
from shiprider.model.tables import raw_parts
from shiprider.ports.ledger import Ledger
from shiprider.ports.signing import Signer
from shiprider.ports.spool import Spool
from shiprider.ports.timestamps import TimeStamper
from shiprider.ports.vouching import SignedRoot, Vouching, Witness

#: In the words of a package, why nothing in the log says that bytes are as they came in.
UNSEALED: Final = "it came after the last seal of its segment, or its segment was not sealed any further"
NO_SEALS: Final = "the node seals nothing"

#: What wrote a record when it was no person.
PROCESSES: Final = frozenset({"watch", "shiprider", "node"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where evidence comes from. `row_of` finds a raw address in the lake; `clock` in microseconds since 1970 UTC."""

    node: str
    ledger: Ledger
    spool: Spool
    sight: Sight
    row_of: Callable[[int], RawRow | None]
    vouching: Vouching
    signer: Signer
    stamper: TimeStamper | None
    clock: Callable[[], int]
    #: None: a node that seals nothing.
    pieces: Pieces | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes of one observation within one chunk: what is listed of it, offset from its address."""

    listed: dict[str, Any]
    offset: int
    data: bytes

    @property
    def raw(self) -> int:
        return int(self.listed["raw"]) + self.offset

    @property
    def key(self) -> tuple[int, int]:
        return self.raw, len(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The bytes, and what they can show: `no_stamp` and `unwitnessed_since_us` say what they cannot.

    `missing` observations are no longer held; `withheld` ones, and records, may not be exported by who exported;
    `unsealed` ones are in the package, and nothing in the log says that they are as they came in.
    """

    data: bytes
    sha256: str
    records: int
    observations: int
    missing: int
    withheld_records: int
    withheld_observations: int
    unsealed: int
    no_stamp: str
    unwitnessed_since_us: int | None


def export(sources: Sources, finding: str, *, observer: Observer, reason: str) -> Package:
    """The package of one finding, as far as the observer may export it.

    Raises NotFound, Forbidden where part of it would mislead, CorruptStore where the spool's bytes are not what was
    sealed, StorageError.
    """
    made_us, by = sources.clock(), observer.name
    scope = EvidenceScope(observer, sources.sight, sources.ledger, sources.spool, sources.row_of)
    scoped = scope.records(finding)
    records = scoped.records
    files: dict[str, bytes] = {}
    observations, pieces = _observations(sources, scope, records, finding, files)
    sealing = _sealing(sources, pieces)
    root = sources.vouching.root(max(record.sequence for record in (*records, *sealing)))
    listed = [
        _record(sources, files, f"records/{number:04d}", record, root)
        for number, record in enumerate(records, 1)
    ]
    files["seals.json"] = canonical(
        [
            _record(sources, files, f"seals/{number:04d}", record, root)
            for number, record in enumerate(sealing, 1)
        ]
    )
    withheld_observations = sum(each.get("missing") == WITHHELD for each in observations)
    missing = sum("missing" in each for each in observations) - withheld_observations
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
    head = {
        "by": by,
        "finding": finding,
        "made_us": made_us,
        "node": sources.node,
        "purpose": observer.purpose,
        "reason": reason,
        # Whether, not how much: how much there is would itself be told to whoever opens the package.
        "withheld": {"observations": withheld_observations > 0, "records": scoped.withheld > 0},
    }
    data, no_stamp = sealed(files, head, sources.signer, sources.stamper)
    return Package(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        records=len(records),
        observations=len(observations) - missing - withheld_observations,
        missing=missing,
        withheld_records=scoped.withheld,
        withheld_observations=withheld_observations,
        unsealed=sum("unsealed" in each for each in observations),
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
        withheld_records=package.withheld_records,
        withheld_observations=package.withheld_observations,
        reason=reason,
        no_time_stamp=package.no_stamp,
        unwitnessed_since_us=package.unwitnessed_since_us,
    )
    return Draft(
        id=record_id,
        kind="evidence_export",
        expected_revision=0,
        schema=2,
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
    sources: Sources, files: dict[str, bytes], stem: str, record: Record, root: SignedRoot
) -> dict[str, Any]:
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
    sources: Sources, scope: EvidenceScope, records: Sequence[Record], finding: str, files: dict[str, bytes]
) -> tuple[list[dict[str, Any]], list["_Piece"]]:
    """What is listed of the observations that the revisions name: each with its file, or why it has none.

    And of the files the pieces that lie in one chunk of the spool each.
    """
    raws: set[int] = set()
    for record in records:
        if record.id == finding and record.body is not None:
            body = msgspec.json.decode(record.body, type=Publication)
            raws.update(raw for shown in body.finding.evidence for raw in shown.raws)
    segments = {info.number: info for info in sources.spool.segments()}
    names = {source.number: source for source in sources.spool.sources()}
    listed: list[dict[str, Any]] = []
    pieces: list[_Piece] = []
    for raw in sorted(raws):
        segment, offset = raw_parts(raw)
        entry: dict[str, Any] = {"raw": raw, "segment": segment, "offset": offset}
        listed.append(entry)
        try:
            found = scope.raw(raw)
            if isinstance(found, str):
                entry["missing"] = GONE if found == "gone" else WITHHELD
                continue
            stored = sources.spool.locate(raw)
        except (NotFound, CorruptStore) as error:
            entry["missing"] = str(error)
            continue
        path = f"observations/{segment:08d}-{offset:010d}.raw"
        files[path] = found.data
        begin = 0
        for at, length in found.parts:
            pieces.append(_Piece(entry, at, found.data[begin : begin + length]))
            begin += length
        source = names.get(stored.source)
        info = segments.get(segment)
        entry.update(
            file=path,
            length=len(found.data),
            sha256=hashlib.sha256(found.data).hexdigest(),
            received_us=stored.received_us,
            feed=source.declaration.name if source else "",
            origin=source.origin.file if source else "",
            segment_sha256=info.sha256 if info else "",
        )
        if len(found.data) < sum(found.parts[-1]):
            # Its sentences lie apart, among those of feeds that are not exported.
            entry["parts"] = [list(each) for each in found.parts]
    return listed, pieces


def _sealing(sources: Sources, pieces: Sequence[_Piece]) -> list[Record]:
    """Say of every observation with bytes how the log seals it; the records that do, in order of the log.

    Raises CorruptStore where bytes are not what was sealed.
    """
    fixed = sources.pieces
    proofs = fixed.prove([(each.raw, each.data) for each in pieces]) if fixed is not None else {}
    # Of an observation either every piece is sealed, or it is not: half of a message proves nothing.
    lacking = {id(each.listed) for each in pieces if each.key not in proofs}
    proofs = {each.key: proofs[each.key] for each in pieces if id(each.listed) not in lacking}
    needed = {
        (raw_parts(raw)[0], n) for (raw, _), proof in proofs.items() for n in (proof.covered, proof.fixed)
    }
    found = [
        record
        for segment in sorted({segment for segment, _ in needed})
        for record in sources.ledger.history(seal_id(segment))
        if (segment, record.revision) in needed
    ]
    listed = sorted(found, key=lambda record: record.sequence)
    places = {(record.id, record.revision): place for place, record in enumerate(listed)}
    for piece in pieces:
        proof = proofs.get(piece.key)
        if proof is None:
            piece.listed["unsealed"] = NO_SEALS if fixed is None else UNSEALED
        else:
            name = seal_id(int(piece.listed["segment"]))
            piece.listed.setdefault("sealed", []).append(
                {
                    "offset": piece.offset,
                    "length": len(piece.data),
                    "received_us": proof.arrival.received_us,
                    "feed": proof.arrival.feed,
                    "origin": proof.arrival.file,
                    "covered": places[name, proof.covered],
                    "fixed": places[name, proof.fixed],
                    "salt": proof.salt.hex(),
                    "index": proof.index,
                    "size": proof.size,
                    "path": [beside.hex() for beside in proof.path],
                }
            )
    return listed


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
