"""What a terminal shows: tables, progress with an estimate, one JSON object a line for programs.

Always true: data goes to stdout, everything said about it to stderr; colour and moving bars only
on a terminal; control characters in data (a vessel's name is somebody else's text) are never sent
to a terminal.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Progress = Callable[[float, str], None]


def plain(text: object) -> str:
    """Text that a terminal cannot be moved by: control characters become a visible mark."""
    return "".join(c if c.isprintable() else "�" for c in str(text))


def json_line(item: dict[str, Any]) -> None:
    """One object on one line; what would move a terminal or turn its text round is written as JSON's escape."""
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"), default=str)
    sys.stdout.write("".join(c if c.isprintable() else _escaped(c) for c in text) + "\n")


def _escaped(character: str) -> str:
    """RFC 8259, section 7."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def say(text: str) -> None:
    """A sentence about the work, to stderr."""
    print(plain(text), file=sys.stderr, flush=True)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout; aligned text also where it is not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title in titles:
        grid.add_column(title, overflow="fold")
    for row in rows:
        grid.add_row(*(_cell(value) for value in row))
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(grid)


def _cell(value: object) -> Any:
    from rich.text import Text

    return Text("" if value is None else plain(value))


@contextmanager
def progress(title: str, quiet: bool = False) -> Iterator[Progress]:
    """Yields `advance(fraction, detail)`: a bar with an estimate on a terminal, else a line now and then."""
    if quiet:
        yield lambda _fraction, _detail: None
        return
    if not sys.stderr.isatty():
        yield _lines(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=1.0, detail="")
        yield lambda fraction, detail: bar.update(task, completed=fraction, detail=plain(detail))


def _lines(title: str, every_s: float = 5.0) -> Progress:
    begun = said = time.monotonic()

    def advance(fraction: float, detail: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < every_s:
            return
        said = now
        left = "" if fraction <= 0.01 else f", about {(now - begun) * (1 - fraction) / fraction:.0f} s left"
        say(f"{title}: {fraction:.0%} {detail}{left}")

    return advance
