"""Where the lake's files are: a local folder (synced by us) or an object store (durable by itself).

Always true: a file that `written` returned for is durable; a full disk is `DiskFull`.
"""

import errno
import os
import re
import shutil
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.fs
from deltalake.fs import DeltaStorageHandler

from shiprider.model.errors import DiskFull, StorageError

_REMOTE: Final = re.compile(r"^[a-z][a-z0-9+.-]+://")
_FULL: Final = re.compile(r"no space left|os error 28|disk quota|os error 122|errno 28", re.IGNORECASE)


def storage_error(error: Exception, what: str) -> StorageError:
    """The sentence for a failure of the disk or the store, whoever reported it."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or _FULL.search(str(error)):
        return DiskFull(f"The disk that holds {what} is full: free space, and it goes on by itself.")
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return StorageError(f"{what} cannot be written ({first}): check the disk or the store.")


def is_remote(url: str) -> bool:
    """True for an object store's URL, False for a path of this machine."""
    return bool(_REMOTE.match(url))


def sync_file(path: Path) -> None:
    """Make a file's bytes durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


def replace(path: Path, *parts: bytes) -> None:
    """Write a whole file, its parts one after the other, so that a crash leaves the old or the new one.

    Raises DiskFull, StorageError.
    """
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("wb") as out:
            out.writelines(parts)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise storage_error(error, str(path)) from error


class Place:
    """One table's folder or prefix, and how files get there."""

    def __init__(self, url: str, options: dict[str, str] | None = None) -> None:
        self.url = url
        self.options = options
        self.folder = None if is_remote(url) else Path(url)
        self._store: Any = None

    @property
    def filesystem(self) -> Any:
        """The store as an Arrow file system, rooted at the table; remote only."""
        if self._store is None:
            self._store = pa.fs.PyFileSystem(DeltaStorageHandler(self.url, self.options))
        return self._store

    def open_output(self, name: str) -> Any:
        """A new file to write Parquet into."""
        if self.folder is None:
            return self.filesystem.open_output_stream(name)
        path = self.folder / name
        if not path.parent.exists():
            make_folder(path.parent)
        return pa.OSFile(str(path), "wb")

    def written(self, name: str) -> int:
        """Make a closed file durable; its size in bytes."""
        if self.folder is None:
            return int(self.filesystem.get_file_info(name).size)
        path = self.folder / name
        sync_file(path)
        sync_folder(path.parent)
        return path.stat().st_size

    def discard(self, name: str) -> None:
        """Remove a file that no table names; a missing one is fine."""
        if self.folder is None:
            try:
                self.filesystem.delete_file(name)
            except FileNotFoundError:
                return
        else:
            (self.folder / name).unlink(missing_ok=True)

    def sync_log(self, version: int) -> None:
        """Make one entry of the table's log durable: Delta itself never syncs."""
        if self.folder is None:
            return
        log = self.folder / "_delta_log"
        sync_file(log / f"{version:020d}.json")
        sync_folder(log)

    def log_names(self, version: int) -> list[str]:
        """The table's log up to a version."""
        if self.folder is None:
            infos = self.filesystem.get_file_info(pa.fs.FileSelector("_delta_log"))
            names = [info.base_name for info in infos]
        else:
            names = [path.name for path in (self.folder / "_delta_log").iterdir()]
        wanted = [name for name in names if not name[:20].isdigit() or int(name[:20]) <= version]
        return sorted(f"_delta_log/{name}" for name in wanted if not name.startswith(("_commit", ".")))

    def copy(self, name: str, target: Path) -> None:
        """Copy one file to a local path, durable on return. Raises OSError."""
        source = (
            self.filesystem.open_input_stream(name)
            if self.folder is None
            else (self.folder / name).open("rb")
        )
        with source, target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        sync_folder(target.parent)

    def locate(self, name: str) -> str:
        """A URL or path that readers open."""
        return f"{self.url.rstrip('/')}/{name}"
