"""The spool in the signed log: what came in is sealed, what is evidence is fixed, and both are held against the disk.

Always true: a seal's hash is of bytes as they came in, not as the disk gives them back (but for those of a run that
ended before it sealed them); what differs from its seal is never sealed anew; nothing is recorded where nothing
came in; a segment that retention removes is recorded as removed before its bytes go.

Two things are recorded of a segment, both as revisions of its one record (`model.spool_seal`): the SHA-256 of its
bytes so far, and the root of a tree over **pieces**, salted, of what findings rest on. The first finds out any change
of the spool; the second lets a stranger check a few bytes without being shown their neighbours.
"""

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

import msgspec

from shiprider.measure.clock import iso_from_us
from shiprider.model import merkle
from shiprider.model.errors import CorruptStore, NotFound
from shiprider.model.publication import Publication
from shiprider.model.record import Draft, Record
from shiprider.model.spool_seal import (
    KIND,
    Arrival,
    FixedPiece,
    FixedPieces,
    SpoolSeal,
    piece_entry,
    salt_of,
    seal_id,
)
from shiprider.model.tables import raw_parts
from shiprider.ports.ledger import Ledger
from shiprider.ports.spool import Source, Spool

#: While data comes in, a seal this often, or after so many bytes.
SEAL_EVERY_S: Final = 60.0
SEAL_BYTES: Final = 64 << 20

#: Findings whose bytes are fixed at once.
_FINDINGS: Final = 1000

#: A whole segment that matched its seals is read again for fixing after so long. An export always reads.
_TRUSTED_S: Final = 3600.0

#: Under this name of segment 0, which there is none of: the last record whose findings' bytes were fixed.
_PLACE: Final = "place"

#: Where it is told that the spool's sources differ: segments begin with 1.
SOURCES: Final = 0

#: Raw addresses to how many bytes there are at them, for those that the lake has a row of.
Lengths = Callable[[Sequence[int]], Mapping[int, int]]

#: (fraction done, what is being done).
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Revision:
    """One seal, and the record it is."""

    sequence: int
    revision: int
    recorded_us: int
    seal: SpoolSeal


@dataclass(frozen=True, slots=True)
class Proof:
    """That some bytes are those that were sealed: by `covered` the segment, by `fixed` the very piece.

    Both are revisions of the record `seal_id(segment)`; salt and path lead to the root in `fixed`.
    """

    covered: int
    fixed: int
    arrival: Arrival
    salt: bytes
    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(slots=True)
class SpoolSeals:
    """The one writer of seals. `clock` in microseconds since 1970 UTC; `position` is how far the lake is.

    Every method may be called from any thread. Without `lengths` no finding's bytes are fixed ahead of an export.
    """

    spool: Spool
    ledger: Ledger
    clock: Callable[[], int]
    author: str = "node"
    lengths: Lengths | None = None
    position: Callable[[], int] = lambda: 0
    #: Segment -> its newest seal; None until the log was read.
    _newest: dict[int, Revision] | None = None
    #: Segment -> one sentence: not what was sealed, so not sealed any further.
    _differs: dict[int, str] = field(default_factory=dict)
    _end: int = 0
    _place: int | None = None
    _trusted: dict[int, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # -- sealing --------------------------------------------------------------------------------------

    def due(self, since_s: float) -> bool:
        """Whether what came in since the last seal should be sealed, `since_s` seconds after it.

        At first always: then `seal` looks, too, whether what was sealed before is still there.
        """
        grown = self.spool.end() - self._end
        return grown >= SEAL_BYTES or (grown > 0 and since_s >= SEAL_EVERY_S)

    def seal(self) -> int:
        """Record what is durable and not sealed yet; how many seals. Raises DiskFull, StorageError."""
        with self._lock:
            newest = self._begin()
            end = self.spool.end()
            if SOURCES in self._differs:
                return 0
            made: list[SpoolSeal] = []
            sources, sources_sha256 = self.spool.sources_hash()
            for prefix in self.spool.prefixes():
                known = newest.get(prefix.segment)
                if not prefix.sha256 or not prefix.length or prefix.segment in self._differs:
                    continue
                if (
                    known is not None
                    and known.seal.length >= prefix.length
                    and known.seal.whole >= prefix.whole
                ):
                    continue
                made.append(
                    SpoolSeal(
                        segment=prefix.segment,
                        length=prefix.length,
                        sha256=prefix.sha256,
                        index_sha256=prefix.index_sha256,
                        sources=sources,
                        sources_sha256=sources_sha256,
                        whole=prefix.whole,
                    )
                )
            self._append(made)
            self._end = end
            return len(made)

    def removing(self, segment: int, why: str) -> None:
        """Retention is about to remove a segment: recorded first, so that its absence accuses nobody."""
        with self._lock:
            self.seal()
            known = self._begin().get(segment)
            if known is not None and not known.seal.removed:
                self._append([msgspec.structs.replace(known.seal, pieces="", removed=why)])
            self._differs.pop(segment, None)

    def trouble(self) -> Sequence[str]:
        """One sentence for each segment that is not what was sealed, as far as was looked."""
        return tuple(self._differs.values())

    def _begin(self) -> dict[int, Revision]:
        """The newest seal of each segment; at first, whether the spool still has what they say (little is read)."""
        if self._newest is None:
            self._newest = {}
            for record in self.ledger.of_kind(KIND):
                found = _revision(record)
                if found is not None:
                    self._newest[found.seal.segment] = found
            held = {prefix.segment: prefix for prefix in self.spool.prefixes()}
            for number, each in self._newest.items():
                if each.seal.removed:
                    continue
                prefix = held.get(number)
                if prefix is not None and each.seal.whole and prefix.whole and prefix.sha256:
                    same = (prefix.sha256, prefix.index_sha256) == _hashes(each.seal)
                else:
                    same = self._same(each.seal)
                if not same:
                    self._differs[number] = self.difference(number) or (
                        f"Spool segment {number} is not in the spool's chain (chain.log) as it was sealed at "
                        f"{iso_from_us(each.recorded_us)}: restore the spool from a back-up."
                    )
            self._sources_differ()
        return self._newest

    def _same(self, seal: SpoolSeal) -> bool:
        return self.spool.prefix_hashes(seal.segment, [seal.length]) == [_hashes(seal)]

    def _sources_differ(self) -> None:
        """Tell if the feeds and files that the spool knows are not those of the newest seal."""
        newest = max(self._newest.values(), key=lambda each: each.sequence) if self._newest else None
        if newest is not None:
            seal = newest.seal
            if self.spool.sources_hash(seal.sources) != (seal.sources, seal.sources_sha256):
                self._differs[SOURCES] = (
                    f"The spool's feeds and files (sources.log) are not what was sealed at "
                    f"{iso_from_us(newest.recorded_us)}: restore the spool from a back-up; none of it goes out as evidence."
                )

    def _append(self, seals: Sequence[SpoolSeal]) -> None:
        if not seals:
            return
        newest = self._newest if self._newest is not None else self._begin()
        drafts = []
        for seal in seals:
            known = newest.get(seal.segment)
            drafts.append(
                Draft(
                    id=seal_id(seal.segment),
                    kind=KIND,
                    expected_revision=known.revision if known is not None else 0,
                    schema=1,
                    author=self.author,
                    valid_from_us=self.clock(),
                    body=msgspec.json.encode(seal),
                )
            )
        for record in self.ledger.append(drafts):
            found = _revision(record)
            if found is not None:
                newest[found.seal.segment] = found

    # -- the spool against its seals ------------------------------------------------------------------

    def history(self, segment: int) -> list[Revision]:
        """Every seal of a segment, oldest first."""
        try:
            records = self.ledger.history(seal_id(segment))
        except NotFound:
            return []
        return [found for record in records if (found := _revision(record)) is not None]

    def difference(self, segment: int) -> str:
        """In one sentence where a segment is not what was sealed, "" where it is. Reads all of it."""
        return self._compare(segment)[1]

    def _compare(self, segment: int) -> tuple[int, str]:
        """How many bytes from the first match their seals, and the sentence about those that do not."""
        history = self.history(segment)
        if history and history[-1].seal.removed:
            return 0, ""
        sealed: dict[int, Revision] = {}
        for each in history:
            sealed.setdefault(each.seal.length, each)
        lengths = sorted(sealed)
        good = 0
        for length, found in zip_longest(lengths, self.spool.prefix_hashes(segment, lengths)):
            each = sealed[length]
            if found != _hashes(each.seal):
                if found is None:
                    what = "is missing or unreadable, though it was sealed"
                elif found[0] != each.seal.sha256:
                    what = "is not what was sealed"
                else:
                    what = "does not have the sources and times that were sealed"
                return good, (
                    f"Spool segment {segment}, from byte {good} to {length}, {what} at {iso_from_us(each.recorded_us)}: "
                    "restore it from a back-up; none of it goes out as evidence."
                )
            good = length
        return good, ""

    def compare(self, progress: Progress) -> "Comparison":
        """The whole spool against every seal: reads all of it."""
        with self._lock:
            newest = self._begin()
            wrong: list[str] = []
            matching = 0
            for done, number in enumerate(sorted(newest)):
                progress(done / len(newest), f"segment {number}")
                if newest[number].seal.removed:
                    continue
                sentence = self.difference(number)
                if sentence:
                    wrong.append(sentence)
                    self._differs[number] = sentence
                else:
                    matching += 1
            self._sources_differ()
            if SOURCES in self._differs:
                wrong.append(self._differs[SOURCES])
            sealed = {number: each.seal.length for number, each in newest.items()}
            unsealed = sum(
                max(0, prefix.length - sealed.get(prefix.segment, 0)) for prefix in self.spool.prefixes()
            )
            since = min(
                (found[0].recorded_us for number in newest if (found := self.history(number))), default=0
            )
            return Comparison(tuple(wrong), matching, unsealed, since)

    # -- fixing what is evidence ----------------------------------------------------------------------

    def follow(self) -> bool:
        """Fix the bytes of the next findings in the log; whether there may be more. Raises as `fix`, and `Lake`."""
        with self._lock:
            if self.lengths is None:
                return False
            begin = self._placed()
            head = self.ledger.head().sequence
            if head <= begin:
                return False
            records = self.ledger.since(begin, limit=_FINDINGS, kinds=("finding",))
            raws = {record.sequence: _raws(record) for record in records}
            known = self.lengths(sorted({raw for each in raws.values() for raw in each}))
            reached, position = self.position(), begin
            wanted: set[tuple[int, int]] = set()
            for record in records:
                if any(raw not in known and raw >= reached for raw in raws[record.sequence]):
                    # Its rows are on their way to the lake.
                    break
                wanted |= {(raw, known[raw]) for raw in raws[record.sequence] if raw in known}
                position = record.sequence
            else:
                position = head if len(records) < _FINDINGS else position
            self.fix(sorted(wanted))
            if records and position > begin:
                self.spool.keep_pieces(0, _PLACE, b"%d" % position)
            self._place = position
            return len(records) == _FINDINGS and position > begin

    def _placed(self) -> int:
        if self._place is None:
            kept = self.spool.pieces(0).get(_PLACE, b"0")
            self._place = int(kept) if kept.isdigit() else 0
        return self._place

    def fix(self, spans: Iterable[tuple[int, int]], *, afresh: bool = False) -> None:
        """Fix spans (address, bytes) that were not: each cut where a chunk of another source begins.

        What differs from its seal, or is not sealed, is not fixed. `afresh`: read whole segments, however lately they
        were found to match. Raises DiskFull, StorageError.
        """
        with self._lock:
            self._begin()
            wanted: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
            for raw, length in spans:
                for piece in self._cut(raw, length):
                    wanted[raw_parts(raw)[0]].add(piece)
            made: list[SpoolSeal] = []
            for segment in sorted(wanted):
                fixed = {(p.raw, p.length) for _, each in self._fixed(segment) for p in each.pieces}
                new = sorted(wanted[segment] - fixed)
                seal = self._fix_in(segment, new, afresh) if new else None
                if seal is not None:
                    made.append(seal)
            self._append(made)

    def _cut(self, raw: int, length: int) -> Iterator[tuple[int, int]]:
        """A span by the chunks it lies in."""
        at, end = raw, raw + length
        while at < end:
            try:
                stored = self.spool.locate(at)
            except (NotFound, CorruptStore):
                return
            until = min(stored.end, end)
            yield at, until - at
            at = until

    def _fix_in(self, segment: int, pieces: Sequence[tuple[int, int]], afresh: bool) -> SpoolSeal | None:
        known = self._newest.get(segment) if self._newest is not None else None
        if known is None or known.seal.removed:
            return None
        trusted = self._trusted.get(segment, float("-inf"))
        if known.seal.whole and not afresh and time.monotonic() - trusted < _TRUSTED_S:
            good = known.seal.length
        else:
            good, sentence = self._compare(segment)
            if sentence:
                self._differs[segment] = sentence
            else:
                self._trusted[segment] = time.monotonic()
        seed, sources = secrets.token_bytes(32), self.spool.sources()
        fixed: list[FixedPiece] = []
        for raw, length in pieces:
            if raw_parts(raw)[1] + length <= good:
                data = self.spool.read(raw, length)
                salt = salt_of(seed, raw, length)
                leaf = merkle.leaf_hash(piece_entry(salt, raw, self._arrival(raw, sources), data))
                fixed.append(FixedPiece(raw, length, leaf.hex()))
        if not fixed:
            return None
        kept = FixedPieces(seed.hex(), tuple(fixed))
        # The salts first: a root that nobody can open any more would be of no use.
        self.spool.keep_pieces(segment, f"{known.revision + 1:08d}", msgspec.json.encode(kept))
        return msgspec.structs.replace(known.seal, pieces=_root(kept).hex())

    def _arrival(self, raw: int, sources: Sequence[Source]) -> Arrival:
        stored = self.spool.locate(raw)
        source = sources[stored.source]
        return Arrival(stored.received_us, source.declaration.name, source.origin.file)

    def _fixed(self, segment: int) -> list[tuple[int, FixedPieces]]:
        """What is fixed of a segment, by revision, as far as its root is in the log: what else lies there is nobody's."""
        roots = {each.revision: each.seal.pieces for each in self.history(segment) if each.seal.pieces}
        found: list[tuple[int, FixedPieces]] = []
        for name, data in sorted(self.spool.pieces(segment).items()):
            try:
                kept = msgspec.json.decode(data, type=FixedPieces)
                if name.isdigit() and roots.get(int(name)) == _root(kept).hex():
                    found.append((int(name), kept))
            except (msgspec.MsgspecError, ValueError):
                continue
        return found

    # -- for evidence ---------------------------------------------------------------------------------

    def prove(self, pieces: Sequence[tuple[int, bytes]]) -> dict[tuple[int, int], Proof]:
        """By address and length, that each piece (address, bytes; within one chunk) is what was sealed.

        Seals and fixes first what was not; a piece without a proof is not sealed. Raises CorruptStore where one is
        not what was sealed, DiskFull, StorageError.
        """
        with self._lock:
            self.seal()
            self._sources_differ()
            if SOURCES in self._differs:
                raise CorruptStore(self._differs[SOURCES])
            self.fix(((raw, len(data)) for raw, data in pieces), afresh=True)
            by_segment: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
            for raw, data in pieces:
                by_segment[raw_parts(raw)[0]].append((raw, data))
            found: dict[tuple[int, int], Proof] = {}
            for segment, mine in sorted(by_segment.items()):
                good, sentence = self._compare(segment)
                if sentence and any(raw_parts(raw)[1] + len(data) > good for raw, data in mine):
                    raise CorruptStore(sentence)
                found.update(self._prove_in(segment, mine))
            return found

    def _prove_in(
        self, segment: int, pieces: Sequence[tuple[int, bytes]]
    ) -> Iterator[tuple[tuple[int, int], Proof]]:
        history = self.history(segment)
        sources = self.spool.sources()
        fixed = [
            (revision, kept, _tree(kept), {(p.raw, p.length): n for n, p in enumerate(kept.pieces)})
            for revision, kept in self._fixed(segment)
        ]
        for raw, data in pieces:
            end = raw_parts(raw)[1] + len(data)
            covered = next((each.revision for each in history if each.seal.length >= end), 0)
            for revision, kept, tree, places in fixed:
                index = places.get((raw, len(data)))
                if index is None:
                    continue
                salt = salt_of(bytes.fromhex(kept.seed), raw, len(data))
                arrival = self._arrival(raw, sources)
                if merkle.leaf_hash(piece_entry(salt, raw, arrival, data)) != tree[0][index]:
                    raise CorruptStore(
                        f"The {len(data)} bytes at address {raw} of the spool are not those that were fixed as evidence: "
                        "restore the spool from a back-up."
                    )
                path = tuple(merkle.path(tree, index))
                yield (raw, len(data)), Proof(covered, revision, arrival, salt, index, len(kept.pieces), path)
                break


@dataclass(frozen=True, slots=True)
class Comparison:
    """The spool against its seals: `wrong` one sentence each; bytes that came after the last seal; since when (0: none)."""

    wrong: tuple[str, ...]
    matching: int
    unsealed: int
    since_us: int

    def sentence(self) -> str:
        """How it stands. Raises CorruptStore where something is wrong."""
        if self.wrong:
            raise CorruptStore(" ".join(self.wrong))
        if not self.since_us:
            return f"nothing is sealed yet ({self.unsealed:,} bytes): it will be when the node next runs"
        text = f"{self.matching} segments match what was sealed, since {iso_from_us(self.since_us)}"
        return f"{text}; {self.unsealed:,} bytes came after the last seal" if self.unsealed else text


def _revision(record: Record) -> Revision | None:
    if record.body is None:
        return None
    seal = msgspec.json.decode(record.body, type=SpoolSeal)
    return Revision(record.sequence, record.revision, record.recorded_us, seal)


def _hashes(seal: SpoolSeal) -> tuple[str, str]:
    return seal.sha256, seal.index_sha256


def _raws(record: Record) -> set[int]:
    if record.body is None:
        return set()
    body = msgspec.json.decode(record.body, type=Publication)
    return {raw for shown in body.finding.evidence for raw in shown.raws}


def _tree(kept: FixedPieces) -> list[list[bytes]]:
    return merkle.levels([bytes.fromhex(piece.leaf) for piece in kept.pieces])


def _root(kept: FixedPieces) -> bytes:
    return merkle.root([bytes.fromhex(piece.leaf) for piece in kept.pieces])
