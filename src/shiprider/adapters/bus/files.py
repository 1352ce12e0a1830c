"""Bundles as files: a stick between a ship and the shore, or a folder that another program carries over.

Always true: a file appears whole under its name or not at all, and is durable then; what is taken is left
where it is until it is durable here, and then renamed, not removed: the stick goes on to be read by eye.
"""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from shiprider.formats.feed_bundle import ACKNOWLEDGED, MOST_BYTES, decode, decode_acknowledged
from shiprider.model.errors import InputError, LinkDown
from shiprider.ports.bus import Lane, Parcel

SUFFIX: Final = ".bundle"
_TAKEN: Final = ".taken"


class FolderLink:
    """See `ports.bus.Link`. `outgoing` is written to, `incoming` is read from; both may be one folder."""

    def __init__(self, outgoing: Path, incoming: Path, *, node: str) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._node = node

    def send(self, lane: Lane, data: bytes) -> None:
        """See the port. The name tells a person from whom, in which order and in which lane it is."""
        sender, recipient, what = _address(data)
        name = f"{_plain(sender)}-to-{_plain(recipient)}-{lane}-{what}"
        made = self._outgoing / f"{name}{SUFFIX}"
        part = made.with_suffix(".part")
        try:
            self._outgoing.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(made)
            _sync_folder(self._outgoing)
        except OSError as error:
            raise LinkDown(
                f"{self._outgoing} cannot be written ({error.strerror}): look at the stick and its space."
            ) from error

    def receive(self, lane: Lane, most: int, wait_s: float) -> Sequence[Parcel]:
        """See the port: files in order of their names. Nothing is waited for."""
        del wait_s
        found: list[Parcel] = []
        try:
            for path in sorted(self._incoming.glob(f"*-{lane}-*{SUFFIX}")):
                if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
                    continue
                data = path.read_bytes()
                if self._is_for_us(data):
                    found.append(Parcel(data, partial(_taken, path)))
                if len(found) >= most:
                    break
        except OSError as error:
            raise LinkDown(
                f"{self._incoming} cannot be read ({error.strerror}): look at the stick."
            ) from error
        return found

    def close(self) -> None:
        """See the port."""

    def _is_for_us(self, data: bytes) -> bool:
        """A stick may carry the bundles of several nodes; what cannot be read is handed on, to be refused."""
        try:
            return _address(data)[1] == self._node
        except InputError:
            return True


def _address(data: bytes) -> tuple[str, str, str]:
    """From whom, to whom, and which it is. Raises InputError."""
    if data.startswith(ACKNOWLEDGED):
        told = decode_acknowledged(data)
        return told.recipient, told.sender, f"acknowledged-{told.epoch:04}-{told.sequence:010}"
    bundle = decode(data)
    return bundle.sender, bundle.recipient, f"{bundle.epoch:04}-{bundle.sequence:010}"


def _plain(name: str) -> str:
    """A node's name as part of a file's name: a partner chose it."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)[:40] or "_"


def _taken(path: Path) -> None:
    """A stick that cannot be written any more brings its bundles again: they are known by then."""
    try:
        path.replace(path.with_suffix(_TAKEN))
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
