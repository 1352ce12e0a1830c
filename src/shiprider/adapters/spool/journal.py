"""An append-only file of JSON lines, each with its checksum: sources and the chain of segments.

Always true: a line counts only if it is whole; a torn last line (power cut) is cut off at opening.
"""

import hashlib
import os
import zlib
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from shiprider.adapters.spool.disk import storage_error, sync_folder, write_all
from shiprider.model.errors import CorruptStore

T = TypeVar("T")


class Journal(Generic[T]):
    """Lines of one type of struct."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._decoder = msgspec.json.Decoder(kind)
        new = not path.exists()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        if new:
            os.fsync(self._handle)
            sync_folder(path.parent)
        self.entries: list[T] = []
        self._digest = hashlib.sha256()
        self._end = self._load()

    def _load(self) -> int:
        data = os.pread(self._handle, os.fstat(self._handle).st_size, 0)
        offset = 0
        while offset < len(data):
            stop = data.find(b"\n", offset)
            line = data[offset:stop] if stop >= 0 else b""
            body, _, checksum = line.rpartition(b" ")
            if stop < 0 or checksum != b"%08x" % zlib.crc32(body):
                if stop >= 0 and stop + 1 < len(data):
                    raise CorruptStore(
                        f"{self._path} is damaged at byte {offset}: restore it from a back-up."
                    )
                os.ftruncate(self._handle, offset)
                return offset
            self.entries.append(self._decoder.decode(body))
            self._digest.update(body + b"\n")
            offset = stop + 1
        return offset

    def append(self, entry: T) -> None:
        """Add one line, durable on return. Raises DiskFull, StorageError; then nothing was added."""
        body = msgspec.json.encode(entry)
        line = body + b" %08x\n" % zlib.crc32(body)
        try:
            write_all(self._handle, line, self._end)
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, self._end)
            raise storage_error(error, self._path) from error
        self._end += len(line)
        self._digest.update(body + b"\n")
        self.entries.append(entry)

    def sha256(self, count: int | None = None) -> tuple[int, str]:
        """How many lines were loaded or added, and the SHA-256 of them; of the first `count`, as the file has them now."""
        if count is None:
            return len(self.entries), self._digest.hexdigest()
        lines = os.pread(self._handle, self._end, 0).splitlines()[:count]
        bodies = b"".join(line.rpartition(b" ")[0] + b"\n" for line in lines)
        return len(lines), hashlib.sha256(bodies).hexdigest()

    def close(self) -> None:
        """Let the file go."""
        os.close(self._handle)
