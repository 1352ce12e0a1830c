"""Progress while kernels are compiled: once on each machine, and again where their source has changed.

Always true: nothing is said where everything comes from the cache.
"""

import functools
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: What a command makes of messages: JSON objects, or rows of the lake.
Makes = Literal["objects", "rows"]

#: Seconds between two lines.
_EVERY_S: Final = 2.0
#: The kernel that takes most of the time, half of which a second process can take over.
_SCAN: Final = "shiprider.formats.ais.framing.scan"


@contextmanager
def compiling(makes: Makes = "rows") -> Iterator[None]:
    """Say on stderr that kernels are being compiled, and how far it is, for as long as the block lasts."""
    from numba.core import event

    from shiprider.cli.output import say

    class Listener(event.Listener):
        # Kernels compile those that they call: the outermost one that is under way ends last.
        depth = 0
        made = 0
        said = 0.0
        second: "subprocess.Popen[bytes] | None" = None

        def on_start(self, told: Any) -> None:
            if not self.said:
                say("Compiling for this machine: once, about 10 s.")
                self.said = time.monotonic()
            if self.depth == 0:
                # Compiling makes millions of objects that stay: looking through them for cycles takes a
                # seventh of the time.
                gc.disable()
            self.depth += 1
            if _name(told) == _SCAN and len(os.sched_getaffinity(0)) > 1:
                self.second = _shared_out(makes)

        def on_end(self, told: Any) -> None:
            self.depth -= 1
            self.made += 1
            if self.depth == 0:
                gc.enable()
            if time.monotonic() - self.said >= _EVERY_S:
                self.said = time.monotonic()
                say(f"compile: {self.made} kernels, {_name(told).rpartition('.')[2]}")
            if self.second is not None and _name(told) == _SCAN:
                self.second.communicate()
                self.second = None

    listener = Listener()
    event.register("numba:compile", listener)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)  # type: ignore[no-untyped-call]
        gc.enable()


def _name(told: Any) -> str:
    function = getattr(told.data.get("dispatcher"), "py_func", None)
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__name__', '')}"


def _shared_out(makes: Makes) -> "subprocess.Popen[bytes]":
    """Compile what the pass calls, half of it in the process given back, which goes on with what comes after."""
    from shiprider.formats.ais import beside

    # -P: the folder that somebody works in is no place to take modules from.
    second = subprocess.Popen(  # noqa: S603 (our own module, one of two words)
        [sys.executable, "-P", "-m", beside.__name__, makes],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    beside.first()
    if second.stdout is not None:
        second.stdout.readline()
    return second


def announced(command: Callable[P, R], makes: Makes = "rows") -> Callable[P, R]:
    """A command that says when it compiles."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> R:
        with compiling(makes):
            return command(*args, **options)

    return run
