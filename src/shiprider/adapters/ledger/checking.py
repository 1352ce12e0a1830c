"""Checking a long log in several processes while a node starts; run as a module, it checks one stretch.

Always true: every record is read, whoever reads it; what a helping process could not do is done here.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec
import sqlalchemy as sa

from shiprider.adapters.ledger.verifying import Doubt, Stretch, stretch

#: A shorter log is read before a helping process has started.
_WORTH_HELP: Final = 100_000

#: More would only wait for the disk.
_PROCESSES: Final = 4


class Task(msgspec.Struct):
    """What a helping process is told on its standard input: where (an SQLAlchemy URL), from, up to without."""

    url: str
    start: int
    end: int


def stretches(connection: sa.Connection, url: str, size: int) -> Iterator[Stretch | Doubt]:
    """All `size` records, in stretches that follow one another. The last ones are read here meanwhile."""
    hands = min(len(os.sched_getaffinity(0)), _PROCESSES) if size >= _WORTH_HELP else 1
    bounds = [1 + size * part // hands for part in range(hands + 1)]
    tasks = [Task(url, start, end) for start, end in pairwise(bounds)]
    helping = [_start(task) for task in tasks[:-1]]
    try:
        last = stretch(connection, tasks[-1].start)
        for task, process in zip(tasks, helping, strict=False):
            yield _finish(process) or stretch(connection, task.start, task.end)
        yield last
    finally:
        for process in helping:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def _start(task: Task) -> "subprocess.Popen[bytes] | None":
    try:
        process = subprocess.Popen(  # this very program
            [sys.executable, "-m", "shiprider.adapters.ledger.checking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None  # noqa: S101 -- for the type checker
        with process.stdin:
            process.stdin.write(msgspec.json.encode(task))
    except OSError:
        return None
    return process


def _finish(process: "subprocess.Popen[bytes] | None") -> Stretch | Doubt | None:
    """What it found; None where it could not look."""
    if process is None or process.stdout is None:
        return None
    with process.stdout:
        data = process.stdout.read()
    if process.wait() != 0:
        return None
    try:
        found: tuple[Stretch | None, Doubt | None] = msgspec.msgpack.decode(
            data, type=tuple[Stretch | None, Doubt | None]
        )
    except msgspec.DecodeError:
        return None
    return found[0] or found[1]


def main() -> None:
    """One stretch, told on standard input, its result in MessagePack on standard output."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    engine = sa.create_engine(task.url)
    with engine.connect() as connection:
        found = stretch(connection, task.start, task.end)
    answer = (found, None) if isinstance(found, Stretch) else (None, found)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    engine.dispose()


if __name__ == "__main__":
    main()
