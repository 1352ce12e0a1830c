"""An access log checked from its first held line, also offline and against heads kept elsewhere.

Always true: a missing, added, changed or reordered line, a cut end and a changed segment are each found,
with the place where it begins; a log that was rewritten whole (every hash made again) is found by any
head from before: this node's own signed ones, or one that a partner cosigned.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from shiprider.adapters.access_log.chain import Link, read_links
from shiprider.adapters.access_log.heads import read_history, read_slots, trusted
from shiprider.adapters.access_log.lines import content_of, parsed
from shiprider.model.access_chain import line_hash
from shiprider.model.envelope import GENESIS
from shiprider.model.errors import CorruptStore
from shiprider.ports.access_log import SignedHead
from shiprider.ports.ledger import Head
from shiprider.ports.signing import Checker


def segment_path(folder: Path, number: int) -> Path:
    """Where a segment's lines are."""
    return folder / f"{number:08d}.log"


def numbers(folder: Path) -> list[int]:
    """Segments whose lines are held, oldest first."""
    return sorted(int(path.stem) for path in folder.glob("[0-9]*.log"))


class Walk:
    """Lines followed one by one from a known hash. `heads` are what the log must pass through."""

    def __init__(self, name: str, sequence: int, hash_: str, heads: Sequence[SignedHead | Head]) -> None:
        self.name = name
        self.head = Head(sequence, hash_)
        self._wanted: dict[int, set[str]] = {}
        for head in heads:
            self._wanted.setdefault(head.sequence, set()).add(head.hash)
        self._first = sequence
        self._see()

    def step(self, line: bytes) -> int:
        """Follow one line; how many entries of its append are still to come. Raises CorruptStore."""
        expected = self.head.sequence + 1
        try:
            content, stated = content_of(line)
            sequence, remaining, _ = parsed(content)
        except ValueError:
            raise self._broken(expected) from None
        if sequence != expected or stated != line_hash(self.head.hash, content):
            raise self._broken(expected)
        self.head = Head(sequence, stated)
        self._see()
        return remaining

    def _see(self) -> None:
        wanted = self._wanted.pop(self.head.sequence, None)
        if wanted is not None and wanted != {self.head.hash}:
            raise CorruptStore(
                f"{self.name} does not lead to the signed head at entry {self.head.sequence}: the log was "
                "rewritten; keep it as it is and restore it from a back-up."
            )

    def _broken(self, sequence: int) -> CorruptStore:
        return CorruptStore(
            f"{self.name} does not follow on at entry {sequence}: an entry there was changed, removed, added or "
            "moved; keep it as it is and restore it from a back-up."
        )

    def end(self) -> Head:
        """The head that was reached. Raises CorruptStore where a head lies behind it."""
        beyond = [sequence for sequence in self._wanted if sequence > self._first]
        if beyond:
            raise CorruptStore(
                f"{self.name} ends at entry {self.head.sequence} but a head was signed at {max(beyond)}: entries were "
                "cut off; keep it as it is and restore it from a back-up."
            )
        return self.head


def held(folder: Path, links: Sequence[Link]) -> Iterator[tuple[int, Link | None]]:
    """Segments that must be there, oldest first: closed ones with their line of the chain, then the live one.

    Raises CorruptStore where one is missing or too many.
    """
    gone = {link.segment for link in links if link.removed}
    closed = {link.segment: link for link in links if not link.removed}
    there = set(numbers(folder)) - gone
    wanted = [number for number in sorted(closed) if number not in gone]
    for number in wanted:
        if number not in there:
            raise CorruptStore(
                f"{segment_path(folder, number)} is missing: restore the access log from a back-up."
            )
        yield number, closed[number]
    rest = sorted(there - set(closed))
    if len(rest) == 2 and segment_path(folder, rest[1]).stat().st_size == 0:
        rest = rest[:1]  # stopped while the next one was begun
    if len(rest) > 1:
        raise CorruptStore(
            f"{folder} lost the line of segment {rest[0]} in its chain: restore it from a back-up."
        )
    for number in rest:
        yield number, None


def start_of(folder: Path, links: Sequence[Link]) -> Head:
    """What the first held line follows: the end of what retention let go, or nothing. Raises CorruptStore."""
    removed = {link.segment for link in links if link.removed}
    last = [link for link in links if not link.removed and link.segment in removed]
    if not last:
        return Head(0, GENESIS)
    newest = max(last, key=lambda link: link.segment)
    if {link.segment for link in last} != set(range(1, newest.segment + 1)):
        raise CorruptStore(f"{folder} misses a segment amid what was removed: restore it from a back-up.")
    return Head(newest.last, newest.hash)


def verify_folder(
    folder: Path,
    *,
    origin: str = "",
    check: Checker | None = None,
    heads: Sequence[SignedHead | Head] = (),
) -> Head:
    """Every line of a log on disk, its chain, its own heads and `heads` from elsewhere; the head reached.

    An unacknowledged append at the end that a stop tore is left out. Raises CorruptStore, OSError.
    """
    links, _ = read_links(folder / "chain.log")
    history, _ = read_history(folder / "heads.log")
    slots = folder / "head"
    newest = read_slots(slots.read_bytes())[0] if slots.exists() else None
    own = [*history, *([newest] if newest is not None else [])]
    if newest is None and (history or links or numbers(folder)):
        raise CorruptStore(f"{slots} holds no readable head: restore the log from a back-up.")
    for head in own:
        if not trusted(head, origin or head.origin, check):
            raise CorruptStore(
                f"{folder} has a head at entry {head.sequence} that none of this node's keys signed: restore it "
                "from a back-up."
            )
    begin = start_of(folder, links)
    walk = Walk(str(folder), begin.sequence, begin.hash, [*own, *heads])
    acknowledged = newest.sequence if newest is not None else 0
    for number, link in held(folder, links):
        data = segment_path(folder, number).read_bytes()
        if link is not None:
            check_closed(folder, link, data, walk.head)
        _follow(walk, data, acknowledged if link is None else None)
        if link is not None and walk.head != Head(link.last, link.hash):
            raise CorruptStore(
                f"{segment_path(folder, number)} does not end as its chain says: restore it from a back-up."
            )
    return walk.end()


def _follow(walk: Walk, data: bytes, acknowledged: int | None) -> None:
    for line in data.splitlines(keepends=True):
        # Nothing behind the acknowledged end was ever promised: a stop may have torn it.
        if (
            acknowledged is not None
            and walk.head.sequence >= acknowledged
            and not _sound(line, walk.head.hash)
        ):
            return
        walk.step(line)


def _sound(line: bytes, previous: str) -> bool:
    try:
        content, stated = content_of(line)
    except ValueError:
        return False
    return stated == line_hash(previous, content)


def check_closed(folder: Path, link: Link, data: bytes, before: Head) -> None:
    """A closed segment's bytes against its line of the chain. Raises CorruptStore."""
    path = segment_path(folder, link.segment)
    if before != Head(link.first - 1, link.before):
        raise CorruptStore(f"{path} does not follow the segment before it: restore it from a back-up.")
    if len(data) != link.bytes or hashlib.sha256(data).hexdigest() != link.sha256:
        raise CorruptStore(f"{path} does not match its hash: restore it from a back-up.")
