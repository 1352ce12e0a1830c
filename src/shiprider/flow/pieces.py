"""What findings rest on, fixed in the signed log piece by piece, and proved to a stranger.

Always true: a piece is fixed only where its whole segment is what was sealed; it is a salted leaf of its own, so it can
be shown without its neighbours, and nobody guesses at another by its hash; what was fixed is shown only as it was.

A seal of a segment (`flow.sealing`) finds out any change of it, but only who has all of it can tell. So pieces (the
bytes of one observation within one chunk) are the leaves of a tree whose root is in a seal, too.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from shiprider.flow.sealing import SpoolSeals
from shiprider.model import merkle
from shiprider.model.errors import CorruptStore, NotFound
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.model.spool_seal import Arrival, FixedPiece, FixedPieces, SpoolSeal, piece_entry, salt_of
from shiprider.model.tables import raw_parts
from shiprider.ports.spool import Source

#: Findings whose bytes are fixed at once.
_FINDINGS: Final = 1000

#: A whole segment that matched its seals is read again for fixing after so long. An export always reads.
_TRUSTED_S: Final = 3600.0

#: Under this name of segment 0, which there is none of: the last record whose findings' bytes were fixed.
_PLACE: Final = "place"

#: Raw addresses to how many bytes there are at them, for those that the lake has a row of.
Lengths = Callable[[Sequence[int]], Mapping[int, int]]


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
class Pieces:
    """Fixes and proves. `position` is how far the lake is. Every method may be called from any thread."""

    seals: SpoolSeals
    lengths: Lengths
    position: Callable[[], int]
    _place: int | None = None
    _trusted: dict[int, float] = field(default_factory=dict)

    def follow(self) -> bool:
        """Fix the bytes of the next findings in the log; whether there may be more. Raises as `fix`, and `Lake`."""
        with self.seals.lock:
            begin = self._placed()
            head = self.seals.ledger.head().sequence
            if head <= begin:
                return False
            records = self.seals.ledger.since(begin, limit=_FINDINGS, kinds=("finding",))
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
                self.seals.spool.keep_pieces(0, _PLACE, b"%d" % position)
            self._place = position
            return len(records) == _FINDINGS and position > begin

    def _placed(self) -> int:
        if self._place is None:
            kept = self.seals.spool.pieces(0).get(_PLACE, b"0")
            self._place = int(kept) if kept.isdigit() else 0
        return self._place

    def fix(self, spans: Iterable[tuple[int, int]], *, afresh: bool = False) -> None:
        """Fix spans (address, bytes) that were not: each cut where a chunk of another source begins.

        What differs from its seal, or is not sealed, is not fixed. `afresh`: read whole segments, however lately they
        were found to match. Raises DiskFull, StorageError.
        """
        with self.seals.lock:
            self.seals.newest()
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
            self.seals.append(made)

    def _cut(self, raw: int, length: int) -> Iterator[tuple[int, int]]:
        """A span by the chunks it lies in."""
        at, end = raw, raw + length
        while at < end:
            try:
                stored = self.seals.spool.locate(at)
            except (NotFound, CorruptStore):
                return
            until = min(stored.end, end)
            yield at, until - at
            at = until

    def _fix_in(self, segment: int, pieces: Sequence[tuple[int, int]], afresh: bool) -> SpoolSeal | None:
        known = self.seals.newest().get(segment)
        if known is None or known.seal.removed:
            return None
        trusted = self._trusted.get(segment, float("-inf"))
        if known.seal.whole and not afresh and time.monotonic() - trusted < _TRUSTED_S:
            good = known.seal.length
        else:
            good, sentence = self.seals.good(segment)
            if not sentence:
                self._trusted[segment] = time.monotonic()
        seed, sources = secrets.token_bytes(32), self.seals.spool.sources()
        fixed: list[FixedPiece] = []
        for raw, length in pieces:
            if raw_parts(raw)[1] + length <= good:
                data = self.seals.spool.read(raw, length)
                salt = salt_of(seed, raw, length)
                leaf = merkle.leaf_hash(piece_entry(salt, raw, self._arrival(raw, sources), data))
                fixed.append(FixedPiece(raw, length, leaf.hex()))
        if not fixed:
            return None
        kept = FixedPieces(seed.hex(), tuple(fixed))
        # The salts first: a root that nobody can open any more would be of no use.
        self.seals.spool.keep_pieces(segment, f"{known.revision + 1:08d}", msgspec.json.encode(kept))
        return msgspec.structs.replace(known.seal, pieces=_root(kept).hex())

    def _arrival(self, raw: int, sources: Sequence[Source]) -> Arrival:
        stored = self.seals.spool.locate(raw)
        source = sources[stored.source]
        return Arrival(stored.received_us, source.declaration.name, source.origin.file)

    def _fixed(self, segment: int) -> list[tuple[int, FixedPieces]]:
        """What is fixed of a segment, by revision, as far as its root is in the log: what else lies there is nobody's."""
        roots = {each.revision: each.seal.pieces for each in self.seals.history(segment) if each.seal.pieces}
        found: list[tuple[int, FixedPieces]] = []
        for name, data in sorted(self.seals.spool.pieces(segment).items()):
            try:
                kept = msgspec.json.decode(data, type=FixedPieces)
                if name.isdigit() and roots.get(int(name)) == _root(kept).hex():
                    found.append((int(name), kept))
            except (msgspec.MsgspecError, ValueError):
                continue
        return found

    def prove(self, pieces: Sequence[tuple[int, bytes]]) -> dict[tuple[int, int], Proof]:
        """By address and length, that each piece (address, bytes; within one chunk) is what was sealed.

        Seals and fixes first what was not; a piece without a proof is not sealed. Raises CorruptStore where one is
        not what was sealed, DiskFull, StorageError.
        """
        with self.seals.lock:
            self.seals.seal()
            if differs := self.seals.sources():
                raise CorruptStore(differs)
            self.fix(((raw, len(data)) for raw, data in pieces), afresh=True)
            by_segment: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
            for raw, data in pieces:
                by_segment[raw_parts(raw)[0]].append((raw, data))
            found: dict[tuple[int, int], Proof] = {}
            for segment, mine in sorted(by_segment.items()):
                good, sentence = self.seals.good(segment)
                if sentence and any(raw_parts(raw)[1] + len(data) > good for raw, data in mine):
                    raise CorruptStore(sentence)
                found.update(self._prove_in(segment, mine))
            return found

    def _prove_in(
        self, segment: int, pieces: Sequence[tuple[int, bytes]]
    ) -> Iterator[tuple[tuple[int, int], Proof]]:
        history = self.seals.history(segment)
        sources = self.seals.spool.sources()
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


def _raws(record: Record) -> set[int]:
    if record.body is None:
        return set()
    body = msgspec.json.decode(record.body, type=Publication)
    return {raw for shown in body.finding.evidence for raw in shown.raws}


def _tree(kept: FixedPieces) -> list[list[bytes]]:
    return merkle.levels([bytes.fromhex(piece.leaf) for piece in kept.pieces])


def _root(kept: FixedPieces) -> bytes:
    return merkle.root([bytes.fromhex(piece.leaf) for piece in kept.pieces])
