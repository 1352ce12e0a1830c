"""Files of the access log, written so that they survive a power cut.

Always true: after `sync_folder` the names are on the medium; a failure is one sentence, a full disk its own.
"""

import errno
import os
from pathlib import Path

from shiprider.model.errors import DiskFull, StorageError


def refused(error: OSError, what: Path) -> StorageError:
    """The sentence for a failure of the disk: without the log there is no access."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"The disk that holds {what} is full: what cannot be logged is refused; free space, and it goes on by itself."
        )
    return StorageError(
        f"{what} cannot be written ({error.strerror or error}): what cannot be logged is refused; check the disk."
    )


def write_all(handle: int, data: bytes, offset: int) -> None:
    """All of `data` at `offset`. Raises OSError."""
    view = memoryview(data)
    while view:
        done = os.pwrite(handle, view, offset)
        view = view[done:]
        offset += done


def open_file(path: Path) -> int:
    """Open or create for reading and writing by its owner alone, the name durable. Raises OSError."""
    new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if new:
        os.fsync(handle)
        sync_folder(path.parent)
    return handle


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
