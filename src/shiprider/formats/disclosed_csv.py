"""Disclosures as CSV (RFC 4180) that carries its label inside: in every row, its own and that of the whole file.

Always true: no cell is a formula to a spreadsheet: a text that begins like one stands behind an apostrophe; numbers stay
numbers; a row is never split by what a cell says.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from shiprider.measure.clock import iso_from_us
from shiprider.model.disclosure import Disclosure

COLUMNS: Final = (
    "label",
    "marking",
    "label_of_file",
    "marking_of_file",
    "record",
    "kind",
    "revision",
    "origin",
    "title",
    "text",
    "behaviours",
    "start",
    "end",
    "latitude_deg",
    "longitude_deg",
    "score",
    "probability",
    "state",
    "simulated",
    "retracted",
    "mmsi",
    "names",
    "callsigns",
    "imo",
    "flags",
)
#: What spreadsheets take for the beginning of a formula (OWASP, CSV Injection), full-width forms among them.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(text: str) -> str:
    """A text that no spreadsheet computes; what is no printable letter is marked."""
    plain = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    return f"'{plain}" if text.startswith(_FORMULA) or plain.lstrip().startswith(_FORMULA) else plain


def rows(chunks: Iterable[Iterable[Disclosure]], label: str, words: Callable[[str], str]) -> Iterator[bytes]:
    """The file in pieces; `label` is that of everything in it."""
    yield _lines([list(COLUMNS)])
    for chunk in chunks:
        made = [_row(each, label, words) for each in chunk]
        if made:
            yield _lines(made)


def _row(given: Disclosure, label: str, words: Callable[[str], str]) -> list[object]:
    vessels = given.vessels
    return [
        safe(given.label),
        safe(words(given.label)),
        safe(label),
        safe(words(label)),
        given.record,
        given.kind,
        given.revision,
        safe(given.origin),
        safe(f"SIMULATED: {given.title}" if given.simulated else given.title),
        safe(given.text),
        safe(" ".join(given.behaviours)),
        iso_from_us(given.start_us),
        iso_from_us(given.end_us),
        round(given.latitude_deg, 6),
        round(given.longitude_deg, 6),
        given.score,
        "" if given.probability is None else given.probability,
        given.state,
        str(given.simulated).lower(),
        str(given.retracted).lower(),
        " ".join(f"{mmsi:09d}" for mmsi in given.participants),
        safe("; ".join(vessel.name for vessel in vessels)),
        safe("; ".join(vessel.callsign for vessel in vessels)),
        "; ".join(str(vessel.imo or "") for vessel in vessels),
        safe("; ".join(vessel.flag for vessel in vessels)),
    ]


def _lines(made: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(made)
    return out.getvalue().encode("utf-8", "replace")
