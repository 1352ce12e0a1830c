"""A consistent copy of a node, also while it runs; checking a copy; making a node from one.

Always true: the copy's ledger names nothing that its spool does not hold, and its lake is at most as
far as its spool (ledger first, then lake, then spool); every file of a copy has its SHA-256 in the
manifest, which is written last; nothing is ever overwritten.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from shiprider.flow.secrets import SEALED
from shiprider.model.errors import CorruptStore, DiskFull, StorageError, UsageError
from shiprider.ports.lake import Lake
from shiprider.ports.spool import Spool

MANIFEST: Final = "manifest.json"
_BLOCK: Final = 1 << 20

#: (files done, files there are).
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Nobody looks."""
    del done, total


class Entry(msgspec.Struct, frozen=True):
    """One file of a copy."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a copy consists of. `made_us` in microseconds since 1970 UTC, `position` of the spool."""

    node: str
    made_us: int
    position: int
    files: tuple[Entry, ...]


def backup(
    target: Path,
    spool: Spool,
    lake: Lake,
    *,
    node: str,
    made_us: int,
    copy_ledger: Callable[[Path], None] | None = None,
    secrets: bytes | None = None,
    others: Sequence[Path] = (),
    folder: Path | None = None,
) -> Manifest:
    """Copy a node into a new folder: `spool/`, `lake/`, `state/`, what `copy_ledger` makes, `others`.

    `others` keep their place below `folder`, the node's, where that is given.

    `copy_ledger(folder)` writes a consistent copy of the ledger (and the access log) into the folder;
    `secrets` are the keys, sealed (`flow.secrets`). Raises UsageError
    where the folder is not empty, DiskFull, StorageError (then the copy has no manifest: remove it).
    """
    empty_folder(target)
    try:
        for path in others:
            place = target / (path.relative_to(folder) if folder is not None else path.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
        if secrets is not None:
            (target / SEALED).write_bytes(secrets)
        if copy_ledger is not None:
            copy_ledger(target)
        lake.copy_to(target)
        spool.copy_to(target / "spool")
        files = tuple(_entry(target, path) for path in _files(target))
        manifest = Manifest(node, made_us, spool.end(), files)
        _write(target / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as error:
        raise _storage_error(error, target) from error
    return manifest


def verify(copy: Path, progress: Progress = no_progress) -> Manifest:
    """Every file of a copy against the manifest. Raises CorruptStore, UsageError."""
    try:
        manifest = msgspec.json.decode((copy / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise UsageError(f"{copy} is no finished back-up: it has no {MANIFEST}.") from None
    except msgspec.DecodeError as error:
        raise CorruptStore(f"{copy / MANIFEST} is damaged ({error}): use another back-up.") from error
    for number, entry in enumerate(manifest.files):
        path = within(copy, entry.path)
        if not path.is_file() or _entry(copy, path) != entry:
            raise CorruptStore(f"{path} is missing or damaged: use another back-up.")
        progress(number + 1, len(manifest.files))
    extra = {str(path.relative_to(copy)) for path in _files(copy)} - {e.path for e in manifest.files}
    if extra:
        raise CorruptStore(f"{copy} has a file that is not in its manifest ({min(extra)}): remove it.")
    return manifest


def restore(copy: Path, folder: Path, progress: Progress = no_progress) -> Manifest:
    """Make a node's folder from a copy, checked first. Raises UsageError where it is not empty."""
    manifest = verify(copy)
    empty_folder(folder)
    try:
        for number, entry in enumerate(manifest.files):
            target = within(folder, entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy / entry.path, target)
            _sync(target)
            progress(number + 1, len(manifest.files))
        for path in {(folder / entry.path).parent for entry in manifest.files} | {folder}:
            _sync(path)
    except OSError as error:
        raise _storage_error(error, folder) from error
    return manifest


def within(folder: Path, name: str) -> Path:
    """The place of a copy's file in a folder: nothing that a manifest names leads out of it. Raises CorruptStore."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or parts[0].startswith("/") or str(PurePosixPath(name)) != name:
        raise CorruptStore(
            f"The back-up names a file outside its place ({name[:80]!r}): use another back-up."
        )
    return folder / name


def empty_folder(folder: Path) -> None:
    """Make a folder that must have nothing in it, its owner's alone. Raises UsageError, StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        full = any(folder.iterdir())
        if not full:
            # All of a node: what stands in it is not for whoever else has an account on the machine.
            folder.chmod(0o700)
    except OSError as error:
        raise _storage_error(error, folder) from error
    if full:
        raise UsageError(f"{folder} is not empty, and nothing is overwritten: name a new folder.")


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST))


def _entry(folder: Path, path: Path) -> Entry:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as data:
        while block := data.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return Entry(str(path.relative_to(folder)), size, digest.hexdigest())


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _storage_error(error: OSError, path: Path) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"The disk that holds {path} is full: free space and start again.")
    return StorageError(f"{path} cannot be written ({error.strerror or error}): check the disk.")
