"""Rows of a small CSV that a person wrote: every line end, and what csv refuses in one sentence."""

import csv
import io
from collections.abc import Iterator

from shiprider.model.errors import InputError


def csv_rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """(line number as an editor shows it, cells). Raises InputError naming the line."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=None))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{file} line {reader.line_num} is no CSV ({error}): look for a quote that is not closed."
            ) from None
        yield reader.line_num, cells
