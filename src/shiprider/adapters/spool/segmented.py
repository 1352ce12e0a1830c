"""The spool on a local disk: append-only segments, the live one plain, closed ones compressed.

Always true: what `sync` answered survives a power cut; a failed write leaves the spool at its last
sync; every closed segment's SHA-256 is chained to the one before (`chain.log`), also after removal.
One writer (the node's lock holder), any number of reading threads.
"""

import hashlib
import os
import queue
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import numpy as np

from shiprider.adapters.spool import index
from shiprider.adapters.spool.disk import (
    Probe,
    copy_file,
    make_folder,
    no_probe,
    replace,
    storage_error,
    sync_folder,
)
from shiprider.adapters.spool.journal import Journal
from shiprider.adapters.spool.seekable import compress
from shiprider.adapters.spool.segment import (
    ClosedSegment,
    LiveSegment,
    closed_path,
    index_path,
    live_path,
    load_index,
)
from shiprider.model.errors import CorruptStore, NotFound, ShipriderError
from shiprider.model.tables import raw_address, raw_parts
from shiprider.ports.feed import Declaration, Origin, Taken
from shiprider.ports.spool import Prefix, SegmentInfo, Source, Stored

#: Uncompressed bytes of a segment: about 3 million sentences; offsets must stay below 2^32.
SEGMENT_BYTES: Final = 256 << 20

_READ_CHUNK: Final = 1 << 20

#: The hashes of a segment that would have to be read for them.
_UNKNOWN: Final = ("", "")

#: Folder of what was fixed of a segment, beside the segments.
_PIECES: Final = "pieces"


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the chain: a segment was closed, or (`removed`) its bytes were let go.

    `taken` sums the index up (source -> next file offset, complete), so that opening a large spool
    reads no index but the live one's.
    """

    segment: int
    length: int = 0
    sha256: str = ""
    index_sha256: str = ""
    first_received_us: int = 0
    last_received_us: int = 0
    taken: dict[int, tuple[int, bool]] = {}
    previous: str = ""
    removed: str = ""
    digest: str = ""

    def digested(self) -> "Link":
        """With `digest`: SHA-256 over all the rest."""
        bare = msgspec.structs.replace(self, digest="")
        return msgspec.structs.replace(bare, digest=hashlib.sha256(msgspec.json.encode(bare)).hexdigest())


class SegmentedSpool:
    """See `ports.spool.Spool`."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, probe: Probe = no_probe) -> None:
        if not 1 << 10 <= segment_bytes < 1 << 32:
            raise ValueError("segment_bytes must be from 2^10 to below 2^32")
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._probe = probe
        self._lock = threading.RLock()
        self._open: dict[int, ClosedSegment] = {}
        #: SHA-256 of segments that are full and not yet in the chain, as their bytes were handed over, and of their index.
        self._full: dict[int, tuple[str, str]] = {}
        try:
            make_folder(folder)
            make_folder(folder / _PIECES)
            self._sources = Journal(folder / "sources.log", Source)
            self._chain = Journal(folder / "chain.log", Link)
            self._live = self._recover()
        except OSError as error:
            raise storage_error(error, folder) from error
        self._taken = self._replay_taken()
        self._by_origin = {(s.declaration, s.origin): s for s in self._sources.entries}
        self._end = raw_address(self._live.number, self._live.end)
        self._closing: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.closing_error: ShipriderError | None = None
        for number in self._unclosed():
            self._closing.put(number)
        self._closer = threading.Thread(target=self._close_segments, name="spool-closer", daemon=True)
        self._closer.start()

    # -- opening ---------------------------------------------------------------------------------

    def _recover(self) -> LiveSegment:
        for torn in self._folder.glob("*.zst.new"):
            torn.unlink()
        for number in self._removed():
            closed_path(self._folder, number).unlink(missing_ok=True)
        numbers = sorted(int(path.stem) for path in self._folder.glob("*.live"))
        closed = [link.segment for link in self._chain.entries if not link.removed]
        if closed and (not numbers or numbers[-1] <= closed[-1]):
            return LiveSegment.create(self._folder, closed[-1] + 1)
        if not numbers:
            return LiveSegment.create(self._folder, 1)
        return LiveSegment.recover(self._folder, numbers[-1])

    def _unclosed(self) -> list[int]:
        return sorted(
            int(path.stem) for path in self._folder.glob("*.live") if int(path.stem) < self._live.number
        )

    def _links(self) -> dict[int, Link]:
        return {link.segment: link for link in self._chain.entries if not link.removed}

    def _removed(self) -> set[int]:
        return {link.segment for link in self._chain.entries if link.removed}

    def _replay_taken(self) -> dict[int, tuple[int, bool]]:
        taken: dict[int, tuple[int, bool]] = {}
        links = self._links()
        # A removed segment's link is kept: what was taken stays taken.
        for number in sorted({*links, *self._held()}):
            part = links[number].taken if number in links else summed_up(self._records(number))
            _merge(taken, part)
        return taken

    def _held(self) -> list[int]:
        return sorted(int(path.stem) for path in self._folder.glob("*.index"))

    def _records(self, number: int) -> index.Records:
        if number == self._live.number:
            return self._live.records
        closed = self._open.get(number)
        return closed.records if closed is not None else load_index(self._folder, number)

    # -- sources ---------------------------------------------------------------------------------

    def source(self, declaration: Declaration, origin: Origin) -> Source:
        """The source for this origin of this feed."""
        with self._lock:
            key = (declaration, origin)
            known = self._by_origin.get(key)
            if known is None:
                known = Source(len(self._sources.entries), declaration, origin)
                self._sources.append(known)
                self._by_origin[key] = known
            return known

    def sources(self) -> Sequence[Source]:
        """All sources in order of number."""
        return tuple(self._sources.entries)

    def taken(self, feed: str) -> Sequence[Taken]:
        """What is held of each origin of a feed."""
        with self._lock:
            found: dict[Origin, tuple[int, bool]] = {}
            for source in self._sources.entries:
                if source.declaration.name == feed and source.number in self._taken:
                    _merge(found, {source.origin: self._taken[source.number]})
            return tuple(Taken(origin, *reached) for origin, reached in found.items())

    # -- writing ---------------------------------------------------------------------------------

    def append(
        self,
        source: int,
        data: bytes,
        *,
        file_offset: int,
        received_us: int,
        final: bool = False,
        padding: bool = False,
    ) -> Stored:
        """Add one chunk; see the port."""
        if not data or len(data) > self._segment_bytes:
            raise ValueError(f"a chunk has 1 to {self._segment_bytes} bytes, not {len(data)}")
        flags = (index.FINAL if final else 0) | (index.PADDING if padding else 0)
        with self._lock:
            try:
                if self._live.end + len(data) > self._segment_bytes:
                    self._roll()
                offset = self._live.append(data, source, flags, file_offset, received_us)
            except OSError as error:
                self._roll_back()
                raise storage_error(error, self._folder) from error
            self._probe("spool.appended")
            raw = raw_address(self._live.number, offset)
            return Stored(raw, len(data), source, file_offset, received_us, final, padding)

    def sync(self) -> int:
        """Make all of it durable; see the port."""
        with self._lock:
            before = len(self._live.records)
            try:
                self._live.sync()
            except OSError as error:
                self._roll_back()
                raise storage_error(error, self._folder) from error
            _merge(self._taken, summed_up(self._live.records[before:]))
            self._end = raw_address(self._live.number, self._live.synced)
            self._probe("spool.synced")
            return self._end

    def roll(self) -> None:
        """Go on in a new segment; see the port."""
        with self._lock:
            try:
                if self._live.end:
                    self._roll()
            except OSError as error:
                self._roll_back()
                raise storage_error(error, self._folder) from error

    def _roll(self) -> None:
        self.sync()
        following = LiveSegment.create(self._folder, self._live.number + 1)
        full, self._live = self._live, following
        self._full[full.number] = full.sha256(), full.index_sha256()
        self._open[full.number] = ClosedSegment(self._folder, full.number)
        full.close()
        self._end = raw_address(following.number, 0)
        self._probe("spool.rolled")
        self._closing.put(full.number)

    def _roll_back(self) -> None:
        try:
            self._live.roll_back()
        except OSError:
            # Truncation needs no space; if even that fails, the next opening cuts the tail.
            self._live.close()
            self._live = LiveSegment.recover(self._folder, self._live.number)

    # -- closing segments, in the background --------------------------------------------------------

    def _close_segments(self) -> None:
        while (number := self._closing.get()) is not None:
            while not self._close_one(number):
                # A full disk is not fatal: the plain segment stays, and is tried again.
                try:
                    if self._closing.get(timeout=2.0) is None:
                        return
                except queue.Empty:
                    continue

    def _close_one(self, number: int) -> bool:
        try:
            self._close_segment(number)
        except OSError as error:
            self.closing_error = storage_error(error, self._folder)
            return False
        except ShipriderError as error:
            self.closing_error = error
            return False
        self.closing_error = None
        return True

    def _close_segment(self, number: int) -> None:
        live, closed = live_path(self._folder, number), closed_path(self._folder, number)
        if number not in self._links():
            link = self._compress(number, live, closed)
            with self._lock:
                self._extend_chain(link)
                self._full.pop(number, None)
            self._probe("spool.chained")
        with self._lock:
            plain = self._open.pop(number, None)
            if plain is not None:
                plain.close()
            live.unlink(missing_ok=True)
        sync_folder(self._folder)
        self._probe("spool.closed")

    def _extend_chain(self, link: Link) -> None:
        previous = self._chain.entries[-1].digest if self._chain.entries else ""
        self._chain.append(msgspec.structs.replace(link, previous=previous).digested())

    def _compress(self, number: int, live: Path, closed: Path) -> Link:
        beside = closed.with_name(closed.name + ".new")
        handle = os.open(live, os.O_RDONLY)
        try:
            length = os.fstat(handle).st_size
            digest = compress(handle, length, beside, sha256=self._full.get(number, _UNKNOWN)[0])
        finally:
            os.close(handle)
        self._probe("spool.compressed")
        beside.replace(closed)
        sync_folder(self._folder)
        records = load_index(self._folder, number)
        return Link(
            segment=number,
            length=length,
            sha256=digest,
            index_sha256=hashlib.sha256(index_path(self._folder, number).read_bytes()).hexdigest(),
            first_received_us=int(records["received_us"].min()),
            last_received_us=int(records["received_us"].max()),
            taken=summed_up(records),
        )

    def trouble(self) -> str:
        """What hinders the work in the background; see the port."""
        return str(self.closing_error or "")

    # -- reading ---------------------------------------------------------------------------------

    def end(self) -> int:
        """The durable position."""
        return self._end

    def start(self) -> int:
        """The first address still held."""
        removed = self._removed()
        return raw_address(min(n for n in self._held() if n not in removed), 0)

    def read(self, raw: int, length: int) -> bytes:
        """The bytes at an address; see the port."""
        number, offset = raw_parts(raw)
        with self._lock:
            if number == self._live.number:
                data = self._live.read(offset, length)
            else:
                data = self._segment(number).read(offset, length)
        if len(data) < length:
            raise NotFound(f"The spool has no {length} bytes at address {raw}: check the address.")
        return data

    def _segment(self, number: int) -> ClosedSegment:
        found = self._open.get(number)
        if found is None:
            if number in self._removed():
                raise NotFound(f"Spool segment {number} was removed by retention; its hash is in the chain.")
            try:
                found = ClosedSegment(self._folder, number)
            except FileNotFoundError:
                raise NotFound(f"Spool segment {number} is not there: check the address.") from None
            while len(self._open) >= 16:
                self._open.pop(next(iter(self._open))).close()
            self._open[number] = found
        return found

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[tuple[Stored, bytes]]:
        """Durable chunks from an address on; see the port."""
        stop = self._end if end is None else end
        first, last = raw_parts(start)[0], raw_parts(stop)[0]
        removed = self._removed()
        for number in self._held():
            if number < first or number > last or number in removed:
                continue
            for record in self._records(number):
                stored = _stored(number, record)
                if stored.raw < start:
                    continue
                if stored.raw >= stop:
                    return
                yield stored, self.read(stored.raw, stored.length)

    def locate(self, raw: int) -> Stored:
        """The chunk that holds an address."""
        number, offset = raw_parts(raw)
        with self._lock:
            held = number != self._live.number and number not in self._removed()
            # Opened, so that the next question does not read the index again.
            records = self._segment(number).records if held else self._records(number)
        found = int(np.searchsorted(records["offset"], offset, "right")) - 1
        if found < 0 or offset >= int(records[found]["offset"]) + int(records[found]["length"]):
            raise NotFound(f"The spool has no chunk at address {raw}: check the address.")
        return _stored(number, records[found])

    def sources_between(self, first: int, last: int) -> set[int]:
        """Numbers of the sources that have bytes in a span of addresses; see the port."""
        (low, begin), (high, end) = raw_parts(first), raw_parts(last)
        links = self._links()
        found: set[int] = set()
        for number in self._held():
            if low < number < high and number in links:
                found.update(links[number].taken)
            elif low <= number <= high:
                records = self._records(number)
                after = records["offset"].astype(np.int64) + records["length"] > (
                    begin if number == low else 0
                )
                before = records["offset"] <= (end if number == high else 0xFFFF_FFFF)
                found.update(np.unique(records["source"][after & before]).tolist())
        return found

    # -- care --------------------------------------------------------------------------------------

    def segments(self) -> Sequence[SegmentInfo]:
        """All segments."""
        links, removed = self._links(), self._removed()
        return tuple(self._info(number, links, removed) for number in self._held())

    def _info(self, number: int, links: dict[int, Link], removed: set[int]) -> SegmentInfo:
        stored = 0
        for path in (live_path(self._folder, number), closed_path(self._folder, number)):
            if path.exists():
                stored += path.stat().st_size
        link, gone = links.get(number), number in removed
        if link is not None:
            span = (link.first_received_us, link.last_received_us)
            sources = tuple(link.taken)
            return SegmentInfo(number, link.length, stored, True, gone, *span, sources, link.sha256)
        records = self._records(number)
        if not len(records):
            return SegmentInfo(number, 0, stored, False, gone, 0, 0, ())
        received = records["received_us"]
        length = int(records[-1]["offset"] + records[-1]["length"])
        sources = tuple(summed_up(records))
        span = (int(received.min()), int(received.max()))
        return SegmentInfo(number, length, stored, False, gone, *span, sources)

    def prefixes(self) -> Sequence[Prefix]:
        """What is durable of each segment and its hash; see the port."""
        with self._lock:
            links, removed = self._links(), self._removed()
            found: list[Prefix] = []
            for number in self._held():
                if number in removed:
                    continue
                if number in links:
                    link = links[number]
                    found.append(Prefix(number, link.length, link.sha256, link.index_sha256, True))
                elif number == self._live.number:
                    try:
                        live = self._live
                        found.append(Prefix(number, live.synced, live.sha256(), live.index_sha256(), False))
                    except OSError as error:
                        raise storage_error(error, self._folder) from error
                else:
                    length = self._info(number, links, removed).length
                    found.append(Prefix(number, length, *self._full.get(number, _UNKNOWN), True))
            return found

    def prefix_hashes(self, segment: int, lengths: Sequence[int]) -> list[tuple[str, str]]:
        """SHA-256 of a segment's beginnings and of their index, read from the disk; see the port."""
        digest = hashlib.sha256()
        found: list[tuple[str, str]] = []
        try:
            side = index_path(self._folder, segment).read_bytes()
        except OSError:
            return found
        records = index.unpack(side, checked=False)
        ends = records["offset"].astype(np.int64) + records["length"]
        at = 0
        for length in lengths:
            while at < length:
                try:
                    data = self.read(raw_address(segment, at), min(_READ_CHUNK, length - at))
                except (NotFound, CorruptStore):
                    return found
                digest.update(data)
                at += len(data)
            last = int(np.searchsorted(ends, length))
            whole = last < len(ends) and int(ends[last]) == length
            beside = hashlib.sha256(side[: (last + 1) * index.RECORD.itemsize]).hexdigest() if whole else ""
            found.append((digest.copy().hexdigest(), beside))
        return found

    def sources_hash(self, count: int | None = None) -> tuple[int, str]:
        """How many sources there are, or the first `count`, and their SHA-256; see the port."""
        with self._lock:
            return self._sources.sha256(count)

    def keep_pieces(self, segment: int, name: str, data: bytes) -> None:
        """Keep what was fixed of a segment, durable on return; see the port."""
        replace(self._folder / _PIECES / f"{segment:08d}-{name}.json", data)

    def pieces(self, segment: int) -> dict[str, bytes]:
        """What was fixed of a segment, by name; see the port."""
        begin = f"{segment:08d}-"
        paths = sorted((self._folder / _PIECES).glob(f"{begin}*.json"))
        return {path.stem.removeprefix(begin): path.read_bytes() for path in paths}

    def remove(self, segment: int, why: str) -> int:
        """Remove a closed segment's bytes; see the port."""
        with self._lock:
            link = self._links().get(segment)
            if link is None or segment in self._removed():
                raise NotFound(f"Spool segment {segment} is not a closed one: only those can be removed.")
            self._extend_chain(Link(segment=segment, removed=why))
            opened = self._open.pop(segment, None)
            if opened is not None:
                opened.close()
            path = closed_path(self._folder, segment)
            freed = path.stat().st_size
            path.unlink()
            for kept in (self._folder / _PIECES).glob(f"{segment:08d}-*.json"):
                kept.unlink()
            sync_folder(self._folder)
            return freed

    def verify(self) -> Iterator[SegmentInfo]:
        """Read everything against its hashes; see the port."""
        previous = ""
        for link in tuple(self._chain.entries):
            if link.previous != previous or link.digested().digest != link.digest:
                raise CorruptStore(
                    f"The spool's chain is broken at segment {link.segment}: restore it from a back-up."
                )
            previous = link.digest
        links, removed = self._links(), self._removed()
        lost = set(range(1, self._live.number + 1)) - removed - set(self._held())
        if lost:
            raise CorruptStore(f"Spool segment {min(lost)} is missing: restore it from a back-up.")
        for number in self._held():
            if number not in removed and number in links:
                self._verify_segment(number, links[number])
            elif number not in removed:
                self._verify_plain(number)
            yield self._info(number, links, removed)

    def _verify_segment(self, number: int, link: Link) -> None:
        digest = hashlib.sha256()
        for offset in range(0, link.length, _READ_CHUNK):
            digest.update(self.read(raw_address(number, offset), min(_READ_CHUNK, link.length - offset)))
        side = hashlib.sha256(index_path(self._folder, number).read_bytes()).hexdigest()
        if digest.hexdigest() != link.sha256 or side != link.index_sha256:
            raise CorruptStore(f"Spool segment {number} does not match its hash: restore it from a back-up.")

    def _verify_plain(self, number: int) -> None:
        if number != self._live.number:
            with self._lock:
                self._segment(number).check()
            return
        for record in self._live.records:
            offset, length = int(record["offset"]), int(record["length"])
            if zlib.crc32(self.read(raw_address(number, offset), length)) != int(record["data_crc"]):
                raise CorruptStore(
                    f"Spool segment {number} is damaged at byte {offset}: restore it from a back-up."
                )

    def copy_to(self, folder: Path) -> None:
        """A whole copy of all that is durable now; see the port."""
        end = self._end
        try:
            folder.mkdir(parents=True)
            # The chain first: what it names is closed and will not change while we copy.
            with self._lock:
                closed = set(self._links()) - self._removed()
                for name in ("chain.log", "sources.log"):
                    copy_file(self._folder / name, folder / name)
            for number in self._held():
                if number <= raw_parts(end)[0]:
                    self._copy_segment(number, folder, closed)
            (folder / _PIECES).mkdir()
            for kept in (self._folder / _PIECES).glob("*.json"):
                copy_file(kept, folder / _PIECES / kept.name)
            sync_folder(folder / _PIECES)
            sync_folder(folder)
        except OSError as error:
            raise storage_error(error, folder) from error

    def _copy_segment(self, number: int, folder: Path, closed: set[int]) -> None:
        if number in closed:
            copy_file(closed_path(self._folder, number), closed_path(folder, number))
        elif number not in self._removed():
            # Plain bytes as they read now, whether or not the segment is being closed meanwhile.
            length = self._info(number, self._links(), self._removed()).length
            with live_path(folder, number).open("wb") as out:
                for offset in range(0, length, _READ_CHUNK):
                    out.write(self.read(raw_address(number, offset), min(_READ_CHUNK, length - offset)))
                out.flush()
                os.fsync(out.fileno())
        copy_file(index_path(self._folder, number), index_path(folder, number))

    def close(self) -> None:
        """Sync and let go."""
        with self._lock:
            self.sync()
        self._closing.put(None)
        self._closer.join()
        with self._lock:
            self._live.close()
            for opened in self._open.values():
                opened.close()
            self._open.clear()
            self._sources.close()
            self._chain.close()


K = TypeVar("K")


def _merge(into: dict[K, tuple[int, bool]], part: Mapping[K, tuple[int, bool]]) -> None:
    for key, (reached, complete) in part.items():
        before, done = into.get(key, (0, False))
        into[key] = (max(before, reached), done or complete)


def summed_up(records: index.Records) -> dict[int, tuple[int, bool]]:
    """Per source: the file offset after its last byte, and whether its end was seen."""
    found: dict[int, tuple[int, bool]] = {}
    for source in np.unique(records["source"]):
        mine = records[records["source"] == source]
        real = mine[(mine["flags"] & index.PADDING) == 0]
        reached = int((real["file_offset"] + real["length"]).max()) if len(real) else 0
        found[int(source)] = (reached, bool((mine["flags"] & index.FINAL).any()))
    return found


def _stored(number: int, record: np.void) -> Stored:
    flags = int(record["flags"])
    return Stored(
        raw_address(number, int(record["offset"])),
        int(record["length"]),
        int(record["source"]),
        int(record["file_offset"]),
        int(record["received_us"]),
        bool(flags & index.FINAL),
        bool(flags & index.PADDING),
    )
