"""Writing files so that they survive a power cut.

Always true: after `replace` or `sync_folder` returned, name and content are on the medium; a full
disk is `DiskFull`, every other failure of the disk `StorageError`, each in one sentence.
"""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from shiprider.model.errors import DiskFull, StorageError

#: Named step -> nothing; tests hand in one that stops the process there.
Probe = Callable[[str], None]


def no_probe(step: str) -> None:
    """Nothing happens at this step."""
    del step


def storage_error(error: OSError, what: Path) -> StorageError:
    """The sentence for a failure of the disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"The disk that holds {what} is full: free space, and it goes on by itself.")
    return StorageError(f"{what} cannot be written ({error.strerror or error}): check the disk.")


def write_all(handle: int, data: bytes | memoryview, offset: int) -> None:
    """All of `data` at `offset`; a short write is followed up. Raises OSError."""
    view = memoryview(data)
    while view:
        done = os.pwrite(handle, view, offset)
        view = view[done:]
        offset += done


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """A folder and those above it, their names durable. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def replace(path: Path, data: bytes) -> None:
    """Write a whole file so that a crash leaves the old or the new one. Raises DiskFull, StorageError."""
    beside = path.with_name(path.name + ".new")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            write_all(handle, data, 0)
            os.fsync(handle)
        finally:
            os.close(handle)
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, durable on return. Raises OSError."""
    with source.open("rb") as read, target.open("wb") as out:
        shutil.copyfileobj(read, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
