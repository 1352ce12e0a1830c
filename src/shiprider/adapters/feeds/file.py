"""A recording: one file, plain, gzip or zstd, read once.

Always true: a file is known by the SHA-256 of its bytes, so that a copy or a renamed one is not
taken twice, and an interrupted one goes on where the spool ends; memory does not grow with size.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from shiprider.adapters.feeds.lines import LineCutter
from shiprider.adapters.feeds.stored import (
    BLOCK,
    StoredStream,
    Unpacking,
    check_unpacking,
    digest_of,
    open_raw,
)
from shiprider.model.errors import InputError
from shiprider.ports.feed import CHUNK_BYTES, Chunk, Declaration, Origin, Taken

#: What is right for every feed that says nothing else.
UNPACKING: Final = Unpacking()


def spelt(path: Path | str) -> str:
    """A file name as text: names are bytes, and those that are not UTF-8 could not be stored nor printed."""
    return os.fsencode(path).decode("utf-8", "replace")


def wall_us() -> int:
    """The wall clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def file_chunks(
    path: Path,
    origin: Origin,
    offset: int,
    now_us: Callable[[], int],
    stopped: Callable[[], bool],
    chunk_bytes: int = CHUNK_BYTES,
    unpacking: Unpacking = UNPACKING,
) -> Iterator[Chunk]:
    """Chunks of one file from a decompressed offset on; the last one is final.

    Raises InputError after the last readable line of a damaged file (nothing is final then), and before anything of one
    that unpacks to more than its bound.
    """
    check_unpacking(path, unpacking, stopped)
    stream = StoredStream(path)
    cutter = LineCutter()
    held: list[bytes] = []
    size = 0

    def chunk(final: bool) -> Chunk:
        nonlocal offset, size
        data = b"".join(held)
        padding = not data
        made = Chunk(origin, data or b"\n", offset, now_us(), final, padding, stream.read_bytes)
        offset += len(data)
        held.clear()
        size = 0
        return made

    try:
        try:
            for block in stream.blocks(offset, stopped, min(BLOCK, chunk_bytes)):
                whole = cutter.cut(block)
                if size and size + len(whole) > chunk_bytes:
                    yield chunk(final=False)
                if whole:
                    held.append(whole)
                    size += len(whole)
        except InputError:
            # The broken last line is left out: when the whole file comes, it goes on from here.
            if size:
                yield chunk(final=False)
            raise
        if not stopped():
            held.append(cutter.rest())
            yield chunk(final=True)
    finally:
        stream.close()


def resume(path: Path, taken: Sequence[Taken]) -> tuple[Origin, int, bool]:
    """What a file is, from which decompressed offset to go on, and whether it is taken whole.

    The same bytes under any name are the same file; a file that begins with one taken before (it
    has grown, or the copy before was cut off) goes on where that one ended. Raises InputError.
    """
    with open_raw(path) as raw:
        state = os.fstat(raw.fileno())
    for known in taken:
        at = known.origin
        if known.complete and (at.file, at.size, at.changed_ns) == (
            str(path),
            state.st_size,
            state.st_mtime_ns,
        ):
            return at, known.next_offset, True
    shorter = frozenset(t.origin.size for t in taken if 0 < t.origin.size < state.st_size)
    digest, size, prefixes = digest_of(path, shorter)
    same = [t for t in taken if t.origin.digest == digest]
    if same:
        furthest = max(same, key=lambda t: (t.complete, t.next_offset))
        return furthest.origin, furthest.next_offset, furthest.complete
    grown = [t for t in taken if prefixes.get(t.origin.size) == t.origin.digest]
    offset = max((t.next_offset for t in grown), default=0)
    return Origin(spelt(path), digest, size, state.st_mtime_ns), offset, False


class FileFeed:
    """See `ports.feed.Feed`."""

    def __init__(
        self,
        path: Path,
        declaration: Declaration,
        *,
        now_us: Callable[[], int] = wall_us,
        chunk_bytes: int = CHUNK_BYTES,
        unpacking: Unpacking = UNPACKING,
    ) -> None:
        self._chunk_bytes = chunk_bytes
        self._unpacking = unpacking
        self._path = path
        self._declaration = declaration
        self._now_us = now_us
        self._stop = threading.Event()
        self._notices: list[str] = []

    @property
    def declaration(self) -> Declaration:
        """What it is."""
        return self._declaration

    @property
    def total_bytes(self) -> int | None:
        """The file's size."""
        try:
            return self._path.stat().st_size
        except OSError:
            return None

    def chunks(self, taken: Sequence[Taken]) -> Iterator[Chunk]:
        """What the spool does not hold yet; see the port."""
        origin, offset, complete = resume(self._path, taken)
        if complete:
            self._notices.append(f"{self._path} was taken before (as {origin.file}): nothing to do.")
            return
        if not origin.size:
            self._notices.append(f"{self._path} is empty: nothing to do.")
            return
        yield from file_chunks(
            self._path, origin, offset, self._now_us, self._stop.is_set, self._chunk_bytes, self._unpacking
        )

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def notices(self) -> Sequence[str]:
        """What a person should know."""
        return tuple(self._notices)
