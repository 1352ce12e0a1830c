"""`shiprider decode`: every message of a recording, every field of its type."""

from functools import partial
from typing import TYPE_CHECKING

import click

from shiprider.cli.compiling import announced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@click.command(epilog="Example: shiprider decode recording.nmea --json | head")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--json", "as_json", is_flag=True, help="One object a line, every field, units of ITU-R M.1371."
)
@click.option("--limit", type=click.IntRange(1), help="Stop after so many messages.")
@partial(announced, makes="objects")
def command(files: tuple[str, ...], as_json: bool, limit: int | None) -> None:
    """Print every message in FILE (plain, .gz or .zst; - is standard input).

    Units are those of ITU-R M.1371: degrees, knots, metres; null means "not available".
    """
    from itertools import islice

    from shiprider.bootstrap.decoding import message_lines

    lines = (line for path in files for line in _some(path, message_lines(path)))
    taken = islice(lines, limit) if limit else lines
    if as_json:
        import sys

        out = sys.stdout.buffer
        for line in taken:
            out.write(line + b"\n")
        out.flush()
        return
    _summary(taken)


def _some(path: str, lines: "Iterable[bytes]") -> "Iterator[bytes]":
    """The lines; raises InputError where there is none: an empty answer would look like a quiet sea."""
    from shiprider.cli.output import plain
    from shiprider.model.errors import InputError

    found = False
    for line in lines:
        found = True
        yield line
    if not found:
        raise InputError(
            f"{plain(path)} holds no AIS message that can be decoded: check that it is a recording of AIS "
            "sentences (tables of positions are read by `detect` and `ingest`)."
        )


def _summary(lines: "Iterable[bytes]") -> None:
    from collections import Counter

    import msgspec

    from shiprider.cli.output import say, table

    counts: Counter[int] = Counter()
    vessels: set[int] = set()
    for line in lines:
        message = msgspec.json.decode(line)
        counts[int(message["msg_type"])] += 1
        vessels.add(int(message["mmsi"]))
    table(("message type", "count"), [(kind, f"{count:,}") for kind, count in sorted(counts.items())])
    say(f"{sum(counts.values()):,} messages of {len(vessels):,} stations; --json prints every field.")
