"""An archive of back-ups: every one can be restored, what they share is kept once.

Always true: a block is named by its SHA-256 and written before a snapshot names it; a snapshot is written
last and whole; blocks that no snapshot names go only after the snapshots that did; the node as it was at a
time is the newest snapshot not after it, and answers for any earlier moment by what was known then.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from shiprider.flow.backup import Manifest, empty_folder, within
from shiprider.model.errors import CorruptStore, DiskFull, StorageError, UsageError

#: Bytes of a block: a database that grows at its end shares all but its last ones with the day before.
BLOCK: Final = 1 << 20

_SNAPSHOTS: Final = "snapshots"
_BLOCKS: Final = "blocks"

Progress = Callable[[int, int], None]


class ArchivedFile(msgspec.Struct, frozen=True):
    """One file of a snapshot, in blocks."""

    path: str
    size: int
    sha256: str
    blocks: tuple[str, ...]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The node at one time: `ledger_sequence` is its last record, `position` the end of its spool."""

    node: str
    made_us: int
    position: int
    ledger_sequence: int
    files: tuple[ArchivedFile, ...]


def add(archive: Path, copy: Path, manifest: Manifest, ledger_sequence: int) -> tuple[Snapshot, int]:
    """Put a finished copy into the archive; the snapshot and the bytes that were new. Raises DiskFull, StorageError."""
    try:
        (archive / _BLOCKS).mkdir(parents=True, exist_ok=True)
        (archive / _SNAPSHOTS).mkdir(exist_ok=True)
        before = snapshots(archive)
        if before and before[-1].node != manifest.node:
            raise UsageError(
                f"{archive} is the archive of the node {before[-1].node!r}: name another folder."
            )
        fresh = 0
        files: list[ArchivedFile] = []
        for entry in manifest.files:
            names: list[str] = []
            with (copy / entry.path).open("rb") as data:
                while block := data.read(BLOCK):
                    name = hashlib.sha256(block).hexdigest()
                    names.append(name)
                    fresh += _keep(archive, name, block)
            files.append(ArchivedFile(entry.path, entry.size, entry.sha256, tuple(names)))
        made = Snapshot(
            node=manifest.node,
            made_us=manifest.made_us,
            position=manifest.position,
            ledger_sequence=ledger_sequence,
            files=tuple(files),
        )
        _write(archive / _SNAPSHOTS / f"{made.made_us:020d}.json", msgspec.json.encode(made))
    except OSError as error:
        raise _storage_error(error, archive) from error
    return made, fresh


def snapshots(archive: Path) -> list[Snapshot]:
    """All of them, oldest first. Raises CorruptStore."""
    found: list[Snapshot] = []
    for path in sorted((archive / _SNAPSHOTS).glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Snapshot))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CorruptStore(f"{path} is damaged ({error}): remove it, the others are whole.") from error
    return found


def choose(archive: Path, *, at_us: int | None = None, sequence: int | None = None) -> Snapshot:
    """The newest snapshot not after a time, or whose ledger ends at or before a record. Raises UsageError."""
    listed = snapshots(archive)
    fit = [
        each
        for each in listed
        if (at_us is None or each.made_us <= at_us) and (sequence is None or each.ledger_sequence <= sequence)
    ]
    if not listed:
        raise UsageError(f"{archive} is no archive of back-ups: name its folder.")
    if not fit:
        raise UsageError(
            f"{archive} begins later: its first back-up is of record {listed[0].ledger_sequence}."
        )
    return fit[-1]


def restore(archive: Path, snapshot: Snapshot, folder: Path, progress: Progress) -> None:
    """Make a node's folder, every file checked. Raises UsageError, CorruptStore, DiskFull, StorageError."""
    empty_folder(folder)
    try:
        for number, entry in enumerate(snapshot.files, 1):
            target = within(folder, entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with target.open("wb") as out:
                for block in _blocks(archive, entry):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != entry.sha256:
                raise CorruptStore(f"{entry.path} in {archive} is damaged: use another back-up.")
            progress(number, len(snapshot.files))
        for place in {(folder / entry.path).parent for entry in snapshot.files} | {folder}:
            _sync(place)
    except OSError as error:
        raise _storage_error(error, folder) from error


def verify(archive: Path, progress: Progress) -> int:
    """Read every block of every snapshot; how many snapshots. Raises CorruptStore."""
    listed = snapshots(archive)
    names = sorted({name for each in listed for entry in each.files for name in entry.blocks})
    for number, name in enumerate(names, 1):
        _read(archive, name)
        progress(number, len(names))
    return len(listed)


def prune(archive: Path, before_us: int) -> tuple[int, int]:
    """Forget snapshots from before a time, the newest never; (snapshots, bytes) that went."""
    listed = snapshots(archive)
    old = [each for each in listed[:-1] if each.made_us < before_us]
    freed = 0
    try:
        for each in old:
            (archive / _SNAPSHOTS / f"{each.made_us:020d}.json").unlink()
        _sync(archive / _SNAPSHOTS)
        kept = {n for each in listed if each not in old for entry in each.files for n in entry.blocks}
        for path in (archive / _BLOCKS).glob("*/*"):
            if path.name not in kept:
                freed += path.stat().st_size
                path.unlink()
    except OSError as error:
        raise _storage_error(error, archive) from error
    return len(old), freed


def _keep(archive: Path, name: str, block: bytes) -> int:
    place = _place(archive, name)
    if place.exists() and place.stat().st_size == len(block):
        return 0
    place.parent.mkdir(exist_ok=True)
    _write(place, block)
    return len(block)


def _blocks(archive: Path, entry: ArchivedFile) -> Iterator[bytes]:
    for name in entry.blocks:
        yield _read(archive, name)


def _read(archive: Path, name: str) -> bytes:
    path = _place(archive, name)
    try:
        block = path.read_bytes()
    except FileNotFoundError:
        block = b""
    if hashlib.sha256(block).hexdigest() != name:
        raise CorruptStore(f"{path} is missing or damaged: use another back-up.")
    return block


def _place(archive: Path, name: str) -> Path:
    if len(name) != 64 or not name.isalnum():
        raise CorruptStore(f"{archive} names a block {name[:70]!r}, which is none: use another back-up.")
    return archive / _BLOCKS / name[:2] / name


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
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
