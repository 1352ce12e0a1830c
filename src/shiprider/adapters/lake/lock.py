"""The node's lock: one process works on a node at a time.

Always true: the lock is the kernel's (flock), so it goes when its holder goes, however it died;
what is written in the file only tells people who holds it.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final

from shiprider.model.errors import NodeBusy, StorageError

FILE_NAME: Final = "node.lock"


class NodeLock:
    """Held from construction until `release`. Raises NodeBusy, StorageError."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE_NAME
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise StorageError(f"{path} cannot be opened ({error.strerror}): check its rights.") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._handle)
            raise NodeBusy(
                f"The node in {folder} is in use by process {holder}: stop it, or use its web page."
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others in."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "NodeLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
