"""Progress while kernels are compiled: once on each machine, and again where their source has changed.

Always true: nothing is said where everything comes from the cache.
"""

import functools
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds between two lines.
_EVERY_S: Final = 2.0


@contextmanager
def compiling() -> Iterator[None]:
    """Say on stderr that kernels are being compiled, and how far it is, for as long as the block lasts."""
    from numba.core import event

    from shiprider.cli.output import say

    class Listener(event.Listener):
        # Kernels compile those that they call: the outermost one that is under way ends last.
        depth = 0
        made = 0
        said = 0.0

        def on_start(self, told: Any) -> None:
            if not self.said:
                say("Compiling for this machine: once, about 10 s.")
                self.said = time.monotonic()
            if self.depth == 0:
                # Compiling makes millions of objects that stay: looking through them for cycles takes a
                # seventh of the time.
                gc.disable()
            self.depth += 1

        def on_end(self, told: Any) -> None:
            self.depth -= 1
            self.made += 1
            if self.depth == 0:
                gc.enable()
            if time.monotonic() - self.said >= _EVERY_S:
                self.said = time.monotonic()
                function = getattr(told.data.get("dispatcher"), "py_func", None)
                say(f"compile: {self.made} kernels, {getattr(function, '__name__', '')}")

    listener = Listener()
    event.register("numba:compile", listener)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)  # type: ignore[no-untyped-call]
        gc.enable()


def announced(command: Callable[P, R]) -> Callable[P, R]:
    """A command that says when it compiles."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> R:
        with compiling():
            return command(*args, **options)

    return run
