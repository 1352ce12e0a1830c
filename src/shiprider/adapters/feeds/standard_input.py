"""Standard input: a pipe that is read until it ends.

Always true: nothing typed or piped is lost up to the spool's last sync; a pipe cannot be read
again, so a restart goes on with what comes then.
"""

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from shiprider.adapters.feeds.file import wall_us
from shiprider.adapters.feeds.lines import LineCutter
from shiprider.model.errors import InputError
from shiprider.ports.feed import CHUNK_BYTES, Chunk, Declaration, Origin, Taken

#: How long to gather small pieces before they are handed on, seconds.
GATHER_S: Final = 0.1
_BLOCK: Final = 1 << 20


class StandardInputFeed:
    """See `ports.feed.Feed`. `handle` is a file descriptor, standard input by default."""

    def __init__(
        self, declaration: Declaration, *, handle: int | None = None, now_us: Callable[[], int] = wall_us
    ) -> None:
        self._declaration = declaration
        self._handle = _standard_input() if handle is None else handle
        self._now_us = now_us
        self._stop = threading.Event()

    @property
    def declaration(self) -> Declaration:
        """What it is."""
        return self._declaration

    @property
    def total_bytes(self) -> int | None:
        """Nobody can know."""
        return None

    def chunks(self, taken: Sequence[Taken]) -> Iterator[Chunk]:
        """All that comes, cut at line ends; see the port."""
        del taken  # a pipe cannot be read again
        # Each run is an origin of its own: a decoder must not join two pipes' halves.
        origin = Origin(f"stdin-{self._now_us()}")
        cutter = LineCutter()
        offset = 0
        for data in self._pieces(cutter):
            yield Chunk(origin, data, offset, self._now_us(), progress=offset + len(data))
            offset += len(data)
        rest = cutter.rest()
        yield Chunk(origin, rest or b"\n", offset, self._now_us(), final=True, padding=not rest)

    def _pieces(self, cutter: LineCutter) -> Iterator[bytes]:
        held = b""
        open_end = True
        while open_end and not self._stop.is_set():
            ready, _, _ = select.select([self._handle], [], [], GATHER_S)
            if ready:
                try:
                    block = os.read(self._handle, _BLOCK)
                except OSError as error:
                    raise InputError(
                        f"Standard input cannot be read ({error.strerror}): give it a file or a pipe."
                    ) from error
                open_end = bool(block)
                held += cutter.cut(block)
            if held and (not ready or not open_end or len(held) >= CHUNK_BYTES // 2):
                yield held
                held = b""
        if held:
            yield held

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def notices(self) -> Sequence[str]:
        """Nothing to tell."""
        return ()


def _standard_input() -> int:
    """The descriptor of standard input. Raises InputError where the process was started without one."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        raise InputError("Standard input is closed: give it a file or a pipe, or name a file.") from None
