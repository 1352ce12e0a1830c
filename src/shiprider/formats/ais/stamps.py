"""Cutting a stamped recording into seconds, so that it can be played at its own pace.

Always true: the pieces, joined, are the recording; a piece's time is the largest tag-block time (`c:`)
up to its end, so it never goes back.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_STAMP: Final = re.compile(rb"c:(\d{10,13})")

#: Seconds are 10 digits until the year 2286; more are milliseconds.
_SECONDS_DIGITS: Final = 10


def stamped_pieces(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """(time in us, whole lines) for each stretch of lines with one latest stamp; 0 before the first."""
    held: list[bytes] = []
    latest = 0
    for line in lines:
        found = _STAMP.search(line[:80])
        stamp = latest
        if found:
            digits = found.group(1)
            stamp = int(digits) * (1_000_000 if len(digits) == _SECONDS_DIGITS else 1000)
        if stamp > latest:
            if held:
                yield latest, b"".join(held)
                held = []
            latest = stamp
        held.append(line)
    if held:
        yield latest, b"".join(held)
