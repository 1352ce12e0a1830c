"""The access log as one file of JSON lines, each with the hash of the line before.

Always true: `append` returns when its lines are synced; a line that was torn by a crash was never
acknowledged and is cut off at the next start.
"""

import errno
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from shiprider.model.access_entry import AccessEntry
from shiprider.model.errors import CorruptStore, DiskFull, StorageError
from shiprider.ports.ledger import Head

_EMPTY: Final = "0" * 64


class _Line(msgspec.Struct, frozen=True):
    sequence: int
    previous: str
    entry: AccessEntry


class JsonLinesAccessLog:
    """See `ports.access_log.AccessLog`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            self._recover()
        except OSError as error:
            raise self._told(error) from error

    def _recover(self) -> None:
        head, end = self._walk()
        os.ftruncate(self._file, end)
        os.lseek(self._file, end, os.SEEK_SET)
        self._head, self._end = head, end

    def _walk(self) -> tuple[Head, int]:
        """The head by the lines, and where the last whole line ends. Raises CorruptStore."""
        head, end = Head(0, _EMPTY), 0
        with self._path.open("rb") as lines:
            for raw in lines:
                if not raw.endswith(b"\n"):
                    break
                try:
                    line = msgspec.json.decode(raw, type=_Line)
                except msgspec.DecodeError as error:
                    raise self._broken(head.sequence + 1) from error
                if line.sequence != head.sequence + 1 or line.previous != head.hash:
                    raise self._broken(head.sequence + 1)
                head, end = Head(line.sequence, hashlib.sha256(raw).hexdigest()), end + len(raw)
        return head, end

    def _broken(self, sequence: int) -> CorruptStore:
        return CorruptStore(
            f"{self._path} is broken at entry {sequence}: keep the file and restore it from a back-up."
        )

    def append(self, entries: Sequence[AccessEntry]) -> int:
        """See `ports.access_log.AccessLog.append`."""
        with self._lock:
            head, out = self._head, b""
            for entry in entries:
                line = _Line(head.sequence + 1, head.hash, entry)
                raw = msgspec.json.encode(line) + b"\n"
                head, out = Head(line.sequence, hashlib.sha256(raw).hexdigest()), out + raw
            try:
                written = os.pwrite(self._file, out, self._end)
                if written != len(out):
                    raise OSError(errno.ENOSPC, "short write")
                os.fdatasync(self._file)
            except OSError as error:
                os.ftruncate(self._file, self._end)
                raise self._told(error) from error
            self._head, self._end = head, self._end + len(out)
            return head.sequence

    def since(
        self, sequence: int, *, limit: int = 1000, who: str = "", object_id: str = "", act: str = ""
    ) -> list[tuple[int, AccessEntry]]:
        """See `ports.access_log.AccessLog.since`."""
        found: list[tuple[int, AccessEntry]] = []
        with self._lock, self._path.open("rb") as lines:
            for raw in lines:
                if len(found) == limit:
                    break
                line = msgspec.json.decode(raw, type=_Line)
                entry = line.entry
                if (
                    line.sequence > sequence
                    and who in ("", entry.who)
                    and act in ("", entry.act)
                    and (not object_id or object_id in entry.objects)
                ):
                    found.append((line.sequence, entry))
        return found

    def head(self) -> Head:
        """See `ports.access_log.AccessLog.head`."""
        return self._head

    def verify(self) -> Head:
        """See `ports.access_log.AccessLog.verify`."""
        with self._lock:
            head, _ = self._walk()
        if head != self._head:
            raise self._broken(head.sequence + 1)
        return head

    def close(self) -> None:
        """See `ports.access_log.AccessLog.close`."""
        os.close(self._file)

    def _told(self, error: OSError) -> StorageError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(f"The disk of {self._path} is full: free space; without the log nobody may read.")
        return StorageError(f"{self._path} refused ({error.strerror}): look at the disk and its rights.")
