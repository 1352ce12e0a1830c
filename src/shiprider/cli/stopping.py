"""Interrupting long work: the first Ctrl-C asks it to end well, the second ends it."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """While inside, SIGINT and SIGTERM call `stop` once; yields whether that happened."""
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        print("Stopping: what was taken in is kept. Once more to stop at once.", file=sys.stderr)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
