"""A watched folder: every file that appears is read once it has stopped growing.

Always true: each content is taken exactly once, known by its SHA-256, whatever the file is called,
wherever in the folder it is moved, however often the node restarts; a file that grew after it was
taken goes on where it ended; files are taken in order of their last change, then name.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shiprider.adapters.feeds.file import UNPACKING, file_chunks, resume, wall_us
from shiprider.adapters.feeds.stored import Unpacking
from shiprider.model.errors import InputError, StopFeed
from shiprider.ports.feed import CHUNK_BYTES, Chunk, Declaration, Origin, Taken

#: A file that has not changed for so long is taken to be complete, seconds.
STABLE_S: Final = 2.0
LOOK_EVERY_S: Final = 1.0

#: Names that writers use for files that are not finished.
_UNFINISHED: Final = (".part", ".tmp", ".crdownload", ".filepart", ".swp")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What tells whether a file has changed since we looked."""

    inode: int
    size: int
    changed_ns: int
    #: Also moves when only the rights change: a file that could not be read is then looked at again.
    touched_ns: int


class FolderFeed:
    """See `ports.feed.Feed`. With `once` it ends when everything there has been taken."""

    def __init__(
        self,
        folder: Path,
        declaration: Declaration,
        *,
        once: bool = False,
        stable_s: float = STABLE_S,
        look_every_s: float = LOOK_EVERY_S,
        now_us: Callable[[], int] = wall_us,
        clock: Callable[[], float] = time.monotonic,
        chunk_bytes: int = CHUNK_BYTES,
        unpacking: Unpacking = UNPACKING,
    ) -> None:
        self._unpacking = unpacking
        self._folder = folder
        self._declaration = declaration
        self._once = once
        self._stable_s = stable_s
        self._look_every_s = look_every_s
        self._now_us = now_us
        self._clock = clock
        self._chunk_bytes = chunk_bytes
        self._stop = threading.Event()
        self._growing: dict[Path, tuple[_Seen, float]] = {}
        self._done: dict[Path, _Seen] = {}
        self._taken: dict[Origin, Taken] = {}
        self._notices: dict[Path, str] = {}

    @property
    def declaration(self) -> Declaration:
        """What it is."""
        return self._declaration

    @property
    def total_bytes(self) -> int | None:
        """Nobody can know what will still be put there."""
        return None

    def chunks(self, taken: Sequence[Taken]) -> Iterator[Chunk]:
        """Every file not yet taken, for as long as nobody says stop; see the port."""
        if not self._folder.is_dir():
            raise StopFeed(f"{self._folder} is not a folder that can be watched: make it, or correct `path`.")
        self._taken = {t.origin: t for t in taken}
        while not self._stop.is_set():
            ready, waiting = self._look()
            for path, seen in ready:
                yield from self._file(path)
                if self._stop.is_set():
                    return
                self._done[path] = seen
            if self._once and not ready and not waiting:
                return
            self._stop.wait(self._look_every_s)

    def _look(self) -> tuple[list[tuple[Path, _Seen]], bool]:
        """Files that are stable and new, and whether others are still growing."""
        now = self._clock()
        ready: list[tuple[int, str, Path, _Seen]] = []
        growing: dict[Path, tuple[_Seen, float]] = {}
        for path in self._paths():
            seen = _seen(path)
            if seen is None or self._done.get(path) == seen:
                continue
            before = self._growing.get(path)
            since = before[1] if before is not None and before[0] == seen else now
            if now - since >= self._stable_s:
                ready.append((seen.changed_ns, str(path), path, seen))
            else:
                growing[path] = (seen, since)
        self._growing = growing
        return [(path, seen) for _, _, path, seen in sorted(ready)], bool(growing)

    def _paths(self) -> Iterator[Path]:
        try:
            for path in self._folder.rglob("*"):
                if (
                    not path.name.startswith(".")
                    and path.suffix.lower() not in _UNFINISHED
                    and self._is_file(path)
                ):
                    yield path
        except OSError as error:
            raise StopFeed(
                f"{self._folder} cannot be listed ({error.strerror}): check its rights."
            ) from error

    def _is_file(self, path: Path) -> bool:
        """Whether there is a file; a place we may not look at does not stop the folder."""
        try:
            found = path.is_file()
        except OSError as error:
            self._notices[path] = f"{path} cannot be looked at ({error.strerror}): check its rights."
            return False
        return found

    def _file(self, path: Path) -> Iterator[Chunk]:
        try:
            origin, offset, complete = resume(path, tuple(self._taken.values()))
            if complete or not origin.size:
                return
            for chunk in file_chunks(
                path, origin, offset, self._now_us, self._stop.is_set, self._chunk_bytes, self._unpacking
            ):
                end = chunk.file_offset + (0 if chunk.padding else len(chunk.data))
                yield chunk
                self._taken[origin] = Taken(origin, end, chunk.final)
            self._notices.pop(path, None)
        except InputError as error:
            # One bad file does not stop the folder; it is looked at again when it changes.
            self._notices[path] = str(error)

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def notices(self) -> Sequence[str]:
        """Files that could not be read whole."""
        return tuple(self._notices.values())


def _seen(path: Path) -> _Seen | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return _Seen(state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
