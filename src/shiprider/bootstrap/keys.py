"""A node's secrets: its signing keys, what they are sealed with, and the passphrase of a copy."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.folder import KEYS
from shiprider.model.errors import UsageError
from shiprider.settings import Settings, key_passphrase

if TYPE_CHECKING:
    from shiprider.adapters.keys.files import FileKeys


def open_keys(folder: Path, settings: Settings) -> "FileKeys":
    """The node's signing keys; the first opening makes them. Raises UsageError, CorruptStore, StorageError."""
    from shiprider.adapters.keys.files import FileKeys
    from shiprider.adapters.sealing.pseudonyms import seal_existing

    passphrase = passphrase_of(folder, settings)
    keys = FileKeys(folder / KEYS, clock=wall_us, passphrase=passphrase)
    seal_existing(folder / KEYS, passphrase)
    return keys


def passphrase_of(folder: Path, settings: Settings) -> bytes | None:
    """What the node's keys are sealed with, if anything. Raises UsageError."""
    try:
        return key_passphrase(settings, folder, os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error


def passphrase_from(path: Path | None) -> bytes | None:
    """The first line of a file that only its owner may read. Raises UsageError."""
    if path is None:
        return None
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the file.") from error
    if mode & 0o077:
        raise UsageError(f"{path} can be read by others: make it its owner's alone (chmod 600).")
    return text.split(b"\n", 1)[0].strip()
