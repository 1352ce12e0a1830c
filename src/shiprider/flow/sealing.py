"""The spool sealed in the signed log, and held against its seals.

Always true: a seal's hash is of bytes as they came in, not as the disk gives them back (but for those of a run that
ended before it sealed them); what differs from its seal is never sealed anew; nothing is recorded where nothing
came in; a segment that retention removes is recorded as removed before its bytes go.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

import msgspec

from shiprider.measure.clock import iso_from_us
from shiprider.model.errors import CorruptStore, NotFound, StorageError
from shiprider.model.record import Draft, Record
from shiprider.model.spool_seal import (
    KIND,
    SpoolSeal,
    seal_id,
)
from shiprider.ports.ledger import Ledger
from shiprider.ports.spool import Spool

#: While data comes in, a seal this often, or after so many bytes.
SEAL_EVERY_S: Final = 60.0
SEAL_BYTES: Final = 64 << 20

#: Where it is told that the spool's sources differ: segments begin with 1.
SOURCES: Final = 0

#: (fraction done, what is being done).
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Revision:
    """One seal, and the record it is."""

    sequence: int
    revision: int
    recorded_us: int
    seal: SpoolSeal


@dataclass(slots=True)
class SpoolSeals:
    """The one writer of seals. `clock` in microseconds since 1970 UTC. Every method may be called from any thread."""

    spool: Spool
    ledger: Ledger
    clock: Callable[[], int]
    author: str = "node"
    #: Segment -> its newest seal; None until the log was read.
    _newest: dict[int, Revision] | None = None
    #: Segment -> one sentence: not what was sealed, so not sealed any further.
    _differs: dict[int, str] = field(default_factory=dict)
    _end: int = 0
    #: Held over several calls by who must not be overtaken between them.
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- sealing --------------------------------------------------------------------------------------

    def due(self, since_s: float) -> bool:
        """Whether what came in since the last seal should be sealed, `since_s` seconds after it.

        At first always: then `seal` looks, too, whether what was sealed before is still there.
        """
        grown = self.spool.end() - self._end
        return grown >= SEAL_BYTES or (grown > 0 and since_s >= SEAL_EVERY_S)

    def seal(self) -> int:
        """Record what is durable and not sealed yet; how many seals. Raises DiskFull, StorageError."""
        with self.lock:
            newest = self.newest()
            self._end = self.spool.end()
            if SOURCES in self._differs:
                return 0
            if self._differs and any(
                not each.whole and each.segment in self._differs for each in self.spool.prefixes()
            ):
                # What comes now can be sealed in the next one.
                self.spool.roll()
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
            try:
                self.append(made)
            except StorageError:
                self._end = 0
                raise
            return len(made)

    def removing(self, segment: int, why: str) -> None:
        """Retention is about to remove a segment: recorded first, so that its absence accuses nobody."""
        with self.lock:
            self.seal()
            known = self.newest().get(segment)
            if known is not None and not known.seal.removed:
                self.append([msgspec.structs.replace(known.seal, pieces="", removed=why)])
            self._differs.pop(segment, None)

    def trouble(self) -> Sequence[str]:
        """One sentence for each segment that is not what was sealed, as far as was looked."""
        return tuple(self._differs.values())

    def newest(self) -> dict[int, Revision]:
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
            self.sources()
        return self._newest

    def _same(self, seal: SpoolSeal) -> bool:
        return self.spool.prefix_hashes(seal.segment, [seal.length]) == [_hashes(seal)]

    def sources(self) -> str:
        """In one sentence that the feeds and files that the spool knows are not those of the newest seal, or ""."""
        newest = max(self._newest.values(), key=lambda each: each.sequence) if self._newest else None
        if newest is not None:
            seal = newest.seal
            if self.spool.sources_hash(seal.sources) != (seal.sources, seal.sources_sha256):
                self._differs[SOURCES] = (
                    f"The spool's feeds and files (sources.log) are not what was sealed at "
                    f"{iso_from_us(newest.recorded_us)}: restore the spool from a back-up; none of it goes out as evidence."
                )
        return self._differs.get(SOURCES, "")

    def append(self, seals: Sequence[SpoolSeal]) -> None:
        """Record these, each the next of its segment. Raises DiskFull, StorageError."""
        if not seals:
            return
        newest = self._newest if self._newest is not None else self.newest()
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
        return self.good(segment)[1]

    def good(self, segment: int) -> tuple[int, str]:
        """How many bytes from the first match their seals, and the sentence about those that do not. Reads all of it."""
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
                self._differs[segment] = (
                    f"Spool segment {segment}, from byte {good} to {length}, {what} at {iso_from_us(each.recorded_us)}: "
                    "restore it from a back-up; none of it goes out as evidence."
                )
                return good, self._differs[segment]
            good = length
        self._differs.pop(segment, None)
        return good, ""

    def compare(self, progress: Progress) -> "Comparison":
        """The whole spool against every seal: reads all of it."""
        with self.lock:
            newest = self.newest()
            wrong: list[str] = []
            matching = 0
            for done, number in enumerate(sorted(newest)):
                progress(done / len(newest), f"segment {number}")
                if newest[number].seal.removed:
                    continue
                sentence = self.difference(number)
                if sentence:
                    wrong.append(sentence)
                else:
                    matching += 1
            wrong += filter(None, [self.sources()])
            sealed = {number: each.seal.length for number, each in newest.items()}
            unsealed = sum(
                max(0, prefix.length - sealed.get(prefix.segment, 0)) for prefix in self.spool.prefixes()
            )
            since = min(
                (found[0].recorded_us for number in newest if (found := self.history(number))), default=0
            )
            return Comparison(tuple(wrong), matching, unsealed, since)


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
