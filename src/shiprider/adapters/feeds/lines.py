"""Cutting a stream of bytes at line ends.

Always true: every byte that went in comes out once, in order; a piece ends at a line feed, at the
end of the stream, or, where no line feed comes within the limit, at a carriage return or the limit.
"""

from shiprider.ports.feed import LINE_BYTES


class LineCutter:
    """Keeps the unfinished last line until its end comes."""

    def __init__(self, line_bytes: int = LINE_BYTES) -> None:
        self._line_bytes = line_bytes
        self._rest = bytearray()

    def cut(self, data: bytes) -> bytes:
        """The whole lines so far, b"" while there is none."""
        end = data.rfind(b"\n") + 1
        whole = bytes(self._rest) + data[:end] if end else b""
        # Grown in place: a peer that sends a long line octet by octet must not cost its square.
        if end:
            self._rest = bytearray(data[end:])
        else:
            self._rest += data
        if len(self._rest) > self._line_bytes:
            return whole + self._cut_long()
        return whole

    def _cut_long(self) -> bytes:
        end = self._rest.rfind(b"\r", 0, len(self._rest) - 1) + 1 or len(self._rest)
        piece, self._rest = self._rest[:end], self._rest[end:]
        return bytes(piece)

    def rest(self) -> bytes:
        """What is left at the end of the stream."""
        rest, self._rest = self._rest, bytearray()
        return bytes(rest)
