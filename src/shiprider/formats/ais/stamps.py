"""Cutting a stamped recording into seconds, so that it can be played at its own pace.

Always true: the pieces, joined, are the recording; a piece's time is the largest believable tag-block
time (`c:`) up to its end, so it never goes back, and one stamp years ahead does not stop the playing.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from shiprider.formats.ais.stamping import FOLLOWS, NEXT_BYTES, NEXT_STAMPS, verdict
from shiprider.measure.clock import HOUR_US

_STAMP: Final = re.compile(rb"c:(\d{10,13})")

#: Seconds are 10 digits until the year 2286; more are milliseconds.
_SECONDS_DIGITS: Final = 10
#: The kernel's rule as plain Python: it is asked only at jumps.
_RULE: Final[Any] = verdict


def stamped_pieces(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """(time in us, whole lines) for each stretch of lines with one latest stamp; 0 before the first."""
    held: list[bytes] = []
    latest = 0
    for line, stamp, behind in _ahead(lines):
        if stamp > latest and (
            0 < latest >= stamp - HOUR_US or _believed(latest or -1, stamp, [s for _, s in behind if s])
        ):
            if held:
                yield latest, b"".join(held)
                held = []
            latest = stamp
        held.append(line)
    if held:
        yield latest, b"".join(held)


def _believed(clock: int, stamp: int, later: list[int]) -> bool:
    near = sum(other >= stamp - HOUR_US for other in later[:NEXT_STAMPS])
    return bool(_RULE.py_func(clock, stamp, near, 0, len(later[:NEXT_STAMPS]), False) == FOLLOWS)


def _ahead(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int, deque[tuple[bytes, int]]]]:
    """Each line, its stamp (0: none), and the lines behind it that may have to judge it."""
    waiting: deque[tuple[bytes, int]] = deque()
    stamps = size = 0
    for line in lines:
        stamp = _stamp(line)
        waiting.append((line, stamp))
        stamps += stamp > 0
        size += len(line)
        while stamps > NEXT_STAMPS or size > NEXT_BYTES:
            first, moment = waiting.popleft()
            stamps -= moment > 0
            size -= len(first)
            yield first, moment, waiting
    while waiting:
        first, moment = waiting.popleft()
        yield first, moment, waiting


def _stamp(line: bytes) -> int:
    found = _STAMP.search(line[:80])
    if not found:
        return 0
    digits = found.group(1)
    return int(digits) * (1_000_000 if len(digits) == _SECONDS_DIGITS else 1000)
