"""Which format are these bytes? By content, never by name.

Always true: what is not known is said in one sentence; nothing is guessed.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from shiprider.formats.csv.layouts import CsvLayout, find_layout
from shiprider.formats.decoded import DecodeContext, Decoder
from shiprider.model.errors import InputError

#: How much of a source is looked at.
SAMPLE_BYTES: Final = 1 << 16

_SENTENCE: Final = re.compile(rb"![A-Z-]{2}VD[MO],\d,\d,\d*,[^,\r\n]*,")
_MAGIC: Final = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "gzip data",
    b"\x28\xb5\x2f\xfd": "zstandard data",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The format, and for tables of text their layout."""

    format: Literal["nmea", "csv"]
    layout: CsvLayout | None = None


def sniff(sample: bytes, layouts: tuple[CsvLayout, ...] = (), source: str = "The input") -> Sniffed:
    """The format of a source that begins with `sample`.

    `layouts` are declared ones, tried first. Raises `InputError` with what the bytes look like.
    """
    sample = sample[:SAMPLE_BYTES]
    if not sample.strip():
        raise InputError(f"{source} is empty: give a recording with AIS sentences or a table of positions.")
    for magic, name in _MAGIC.items():
        if sample.startswith(magic):
            raise InputError(f"{source} is {name}, not AIS sentences or a table: unpack or convert it first.")
    first = next(line for line in sample.splitlines() if line.strip())
    layout = find_layout(first, layouts)
    if layout is not None:
        return Sniffed("csv", layout)
    if _SENTENCE.search(sample):
        return Sniffed("nmea")
    shown = first[:60].decode("utf-8", "replace")
    if first.count(b",") >= 2 or first.count(b";") >= 2:
        raise InputError(
            f"{source} looks like a table with an unknown header ({shown!r}): declare its columns in a TOML file."
        )
    raise InputError(
        f"{source} holds neither AIS sentences (!AIVDM) nor a known table; it begins {shown!r}: "
        "check that it is the right file."
    )


def open_decoder(
    sample: bytes,
    context: DecodeContext,
    layouts: tuple[CsvLayout, ...] = (),
    source: str = "The input",
) -> Decoder:
    """The decoder for a source that begins with `sample`. Raises `InputError` where the format is unknown."""
    found = sniff(sample, layouts, source)
    # Imported here: the kernels need not be loaded to tell what a file is.
    if found.layout is not None:
        from shiprider.formats.csv.decoder import CsvDecoder

        return CsvDecoder(found.layout, context)
    from shiprider.formats.ais.decoder import AisDecoder

    return AisDecoder(context)
