"""Closed segments: zstd in the seekable format, so that a few bytes are read without the rest.

Always true: the file is a plain zstd stream for any tool; the seek table is its last (skippable)
frame. Source: Zstandard Seekable Format 0.1.0 (facebook/zstd, contrib/seekable_format).
"""

import hashlib
import os
import struct
from pathlib import Path
from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from shiprider.model.errors import CorruptStore

FRAME_BYTES: Final = 1 << 20
#: Measured on tagged AIS: level 1 is both smaller (3.7 to 1) and faster (410 MB/s) than level 3.
LEVEL: Final = 1
_SKIPPABLE: Final = 0x184D2A5E
_FOOTER_MAGIC: Final = 0x8F92EAB1
_FOOTER: Final = struct.Struct("<IBI")


def compress(source: int, length: int, target: Path, *, sha256: str = "") -> str:
    """Compress `length` bytes of an open file into `target`, synced; their SHA-256. Raises OSError.

    With `sha256` (as the bytes were handed over) they are not hashed again: if the file is another by now, the closed
    segment does not match, and is found.
    """
    digest = hashlib.sha256()
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
    table = bytearray()
    with target.open("wb") as out:
        for offset in range(0, length, FRAME_BYTES):
            data = os.pread(source, min(FRAME_BYTES, length - offset), offset)
            if not sha256:
                digest.update(data)
            frame = compressor.compress(data)
            out.write(frame)
            table += struct.pack("<II", len(frame), len(data))
        footer = _FOOTER.pack(len(table) // 8, 0, _FOOTER_MAGIC)
        out.write(struct.pack("<II", _SKIPPABLE, len(table) + len(footer)) + table + footer)
        out.flush()
        os.fsync(out.fileno())
    return sha256 or digest.hexdigest()


class SeekableReader:
    """Reads any span of one closed segment; keeps the last frame it opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDONLY)
        self._starts, self._stored = self._seek_table()
        self._cached = (-1, b"")

    def _seek_table(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        size = os.fstat(self._handle).st_size
        tail = os.pread(self._handle, _FOOTER.size, max(0, size - _FOOTER.size))
        if len(tail) < _FOOTER.size:
            raise self._corrupt()
        frames, descriptor, magic = _FOOTER.unpack(tail)
        if magic != _FOOTER_MAGIC or descriptor != 0 or frames * 8 + _FOOTER.size > size:
            raise self._corrupt()
        table = os.pread(self._handle, frames * 8, size - _FOOTER.size - frames * 8)
        lengths = np.frombuffer(table, "<u4").reshape(-1, 2).astype(np.int64)
        ends = np.cumsum(lengths, axis=0)
        zero = np.zeros((1, 2), np.int64)
        starts = np.concatenate([zero, ends])
        return starts[:, 1], starts[:, 0]

    def _corrupt(self) -> CorruptStore:
        return CorruptStore(f"{self._path} is not a whole spool segment: restore it from a back-up.")

    @property
    def length(self) -> int:
        """Uncompressed bytes."""
        return int(self._starts[-1])

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an uncompressed offset; fewer at the end. Raises CorruptStore."""
        parts: list[bytes] = []
        length = min(length, self.length - offset)
        while length > 0:
            number = int(np.searchsorted(self._starts, offset, "right")) - 1
            frame = self._frame(number)
            begin = offset - int(self._starts[number])
            part = frame[begin : begin + length]
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)

    def _frame(self, number: int) -> bytes:
        cached_number, cached = self._cached
        if cached_number == number:
            return cached
        begin, end = int(self._stored[number]), int(self._stored[number + 1])
        try:
            frame = zstandard.ZstdDecompressor().decompress(os.pread(self._handle, end - begin, begin))
        except zstandard.ZstdError as error:
            raise self._corrupt() from error
        if len(frame) != int(self._starts[number + 1] - self._starts[number]):
            raise self._corrupt()
        self._cached = (number, frame)
        return frame

    def close(self) -> None:
        """Let the file go."""
        os.close(self._handle)
