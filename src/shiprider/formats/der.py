"""DER, as much as RFC 3161 needs: writing a request, finding one's way in an answer.

Always true: lengths are definite (X.690, section 10.1); what is read is bounded by what holds it, and
anything else is a ValueError, never more.
"""

from collections.abc import Iterator
from typing import Final

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT: Final = 0x06
BOOLEAN: Final = 0x01
SEQUENCE: Final = 0x30
SET: Final = 0x31


def packed(tag: int, *contents: bytes) -> bytes:
    """One value."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int) -> bytes:
    """An INTEGER that is not negative."""
    return packed(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def object_id(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from `1.2.840…`."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return packed(OBJECT, bytes(content))


def values(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(tag, content, whole) of the values that lie side by side. Raises ValueError."""
    at = 0
    while at < len(content):
        if at + 2 > len(content):
            raise ValueError("DER ends within a header")
        tag, size = content[at], content[at + 1]
        start = at + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or start + count > len(content):
                raise ValueError("DER with a length that cannot be")
            size = int.from_bytes(content[start : start + count], "big")
            start += count
        if start + size > len(content):
            raise ValueError("DER ends within a value")
        yield tag, content[start : start + size], content[at : start + size]
        at = start + size


def children(whole: bytes, tag: int) -> list[tuple[int, bytes, bytes]]:
    """What one value of that tag holds. Raises ValueError."""
    found = list(values(whole))
    if len(found) != 1 or found[0][0] != tag:
        raise ValueError(f"DER without the value expected ({tag:#x})")
    return list(values(found[0][1]))
