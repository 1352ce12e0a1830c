"""The lines of a segment: `sequence remaining entry hash`, one entry each.

Always true: `entry` is JSON without a line break; `remaining` counts the entries of the same append that
follow, so a cut append is told from a whole one; `hash` is `model.access_chain.line_hash` of all before it.
Lines are in order of sequence, so a place is found by halving.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import msgspec

from shiprider.model.access_chain import HASH_DIGITS, line_hash
from shiprider.model.access_entry import AccessEntry

_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(AccessEntry).decode

#: Space, hash, line break.
_TAIL: Final = HASH_DIGITS + 2


class Searchable(Protocol):
    """Bytes, or a file mapped to memory."""

    def find(self, sub: bytes, start: int, end: int, /) -> int:
        """First place of `sub`, -1 where there is none."""
        ...

    def rfind(self, sub: bytes, start: int, end: int, /) -> int:
        """Last place of `sub`, -1 where there is none."""
        ...

    def __getitem__(self, key: slice, /) -> bytes: ...


def packed(entries: Sequence[AccessEntry], sequence: int, previous: str) -> tuple[bytes, str]:
    """The lines of one append after `sequence`, and the hash of the last."""
    parts: list[bytes] = []
    left = len(entries)
    for entry in entries:
        sequence += 1
        left -= 1
        content = b"%d %d %b" % (sequence, left, _ENCODE(entry))
        previous = line_hash(previous, content)
        parts.append(b"%b %b\n" % (content, previous.encode()))
    return b"".join(parts), previous


def content_of(line: bytes) -> tuple[bytes, str]:
    """A line (with its break) into what is hashed and the hash it states. Raises ValueError."""
    if len(line) <= _TAIL or line[-1:] != b"\n" or line[-_TAIL : -_TAIL + 1] != b" ":
        raise ValueError("no line of an access log")
    return line[:-_TAIL], line[-_TAIL + 1 : -1].decode("ascii")


def parsed(content: bytes) -> tuple[int, int, bytes]:
    """(sequence, remaining, entry's JSON). Raises ValueError."""
    sequence, remaining, entry = content.split(b" ", 2)
    return int(sequence), int(remaining), entry


def entry_of(line: bytes) -> tuple[int, AccessEntry]:
    """(sequence, entry) of a line. Raises ValueError."""
    sequence, _, entry = parsed(content_of(line)[0])
    return sequence, _DECODE(entry)


def place_of(data: Searchable, end: int, sequence: int) -> int:
    """Where the first line with at least that sequence number begins; `end` where there is none."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        start = data.rfind(b"\n", low, middle) + 1 or low
        stop = data.find(b"\n", start, end) + 1
        if int(data[start : start + 20].split(b" ", 1)[0]) < sequence:
            low = stop
        else:
            high = start
    return low


def lines(data: Searchable, start: int, end: int, needle: bytes, newest_first: bool) -> Iterator[bytes]:
    """Lines between two places that hold `needle`, in order or backwards."""
    while start < end:
        if newest_first:
            found = data.rfind(needle, start, end) if needle else end - 1
        else:
            found = data.find(needle, start, end) if needle else start
        if found < 0:
            return
        begin = max(data.rfind(b"\n", start, found) + 1, start)
        stop = data.find(b"\n", found, end) + 1
        yield data[begin:stop]
        if newest_first:
            end = begin
        else:
            start = stop
