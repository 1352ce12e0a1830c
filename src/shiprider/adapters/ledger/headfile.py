"""The last acknowledged head, kept outside the database.

Always true: it is written and synced after a commit and before the commit is acknowledged, so a
database that lost acknowledged rows (a damaged write-ahead log drops them silently) ends before it and
is found out; one of its two slots is whole whatever happens during a write.
"""

import os
import zlib
from pathlib import Path
from typing import Final

from shiprider.model.envelope import GENESIS
from shiprider.model.errors import CorruptStore
from shiprider.ports.ledger import Head

_SLOT: Final = 4096
_MAGIC: Final = b"SRHEAD1 "


class HeadFile:
    """Two slots, written in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, max(os.fstat(self._file).st_size, 2 * _SLOT))
        os.fsync(self._file)
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        self._next = 0

    def read(self) -> Head:
        """The newest whole slot; an empty file is the head of an empty log. Raises CorruptStore."""
        found = [(head.sequence, slot, head) for slot in (0, 1) if (head := self._slot(slot)) is not None]
        if found:
            _, newest, head = max(found, key=lambda each: each[:2])
            self._next = 1 - newest
            return head
        if any(os.pread(self._file, 2 * _SLOT, 0)):
            raise CorruptStore(f"{self._path} holds no readable head: restore the ledger from a back-up.")
        return Head(0, GENESIS)

    def _slot(self, slot: int) -> Head | None:
        data = os.pread(self._file, 96, slot * _SLOT)
        content, check = data[:80], data[80:84]
        if content[:8] != _MAGIC or zlib.crc32(content).to_bytes(4, "big") != check:
            return None
        return Head(int.from_bytes(content[8:16], "big"), content[16:80].decode("ascii"))

    def write(self, head: Head) -> None:
        """Keep it; durable on return. Goes over the older slot, so the newest stays whole."""
        content = _MAGIC + head.sequence.to_bytes(8, "big") + head.hash.encode("ascii")
        os.pwrite(self._file, content + zlib.crc32(content).to_bytes(4, "big"), self._next * _SLOT)
        os.fdatasync(self._file)
        self._next = 1 - self._next

    def close(self) -> None:
        """Let go."""
        os.close(self._file)
