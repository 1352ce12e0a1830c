"""Pieces of bytes given out at their own pace, faster or as they were: for demos, exercises and replays.

Always true: pieces come in order and whole; the pace changes when bytes come, never what they say; a
piece that the spool holds is passed over without waiting.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from shiprider.adapters.feeds.file import wall_us
from shiprider.ports.feed import Chunk, Declaration, Origin, Taken


class PacedFeed:
    """See `ports.feed.Feed`. `pieces` are (event time of the end in us, whole lines); `speed` 1 is real time."""

    def __init__(
        self,
        pieces: Iterable[tuple[int, bytes]],
        declaration: Declaration,
        *,
        origin: Origin,
        speed: float,
        now_us: Callable[[], int] = wall_us,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pieces = pieces
        self._declaration = declaration
        self._origin = origin
        self._speed = speed
        self._now_us = now_us
        self._clock = clock
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
        """What the spool does not hold yet; see the port."""
        known = next((t for t in taken if t.origin.file == self._origin.file), None)
        if known is not None and known.complete:
            return
        done = known.next_offset if known is not None else 0
        offset = 0
        begun_s = begun_us = None
        for end_us, data in self._pieces:
            at = offset
            offset += len(data)
            if offset <= done or not data:
                continue
            if begun_s is None or begun_us is None:
                begun_s, begun_us = self._clock(), end_us
            due_s = begun_s + (end_us - begun_us) / 1e6 / self._speed
            if self._stop.wait(max(0.0, due_s - self._clock())):
                return
            yield Chunk(self._origin, data, at, self._now_us())
        yield Chunk(self._origin, b"\n", offset, self._now_us(), final=True, padding=True)

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def notices(self) -> Sequence[str]:
        """Nothing to say."""
        return ()
