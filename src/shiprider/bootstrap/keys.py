"""A node's secrets: its signing keys, the key of its pseudonyms, and the passphrase of a copy."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.folder import KEYS
from shiprider.model.errors import CorruptStore, StorageError, UsageError
from shiprider.settings import Settings, key_passphrase

if TYPE_CHECKING:
    from shiprider.adapters.keys.files import FileKeys


def open_keys(folder: Path, settings: Settings) -> "FileKeys":
    """The node's signing keys; the first opening makes them. Raises UsageError, CorruptStore, StorageError."""
    from shiprider.adapters.keys.files import FileKeys

    try:
        passphrase = key_passphrase(settings, folder, os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return FileKeys(folder / KEYS, clock=wall_us, passphrase=passphrase)


#: The secret of the node's pseudonyms, beside its signing keys, so that a back-up of them has it too.
PSEUDONYM_KEY: Final = "pseudonyms.key"


def pseudonym_key(folder: Path) -> bytes:
    """The node's secret for pseudonyms, 32 bytes; the first asking makes it. Raises StorageError, CorruptStore."""
    import secrets

    path = folder / KEYS / PSEUDONYM_KEY
    try:
        if not path.exists():
            made = path.with_suffix(".new")
            made.unlink(missing_ok=True)
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_bytes(32))
                out.flush()
                os.fsync(out.fileno())
            made.replace(path)
        key = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be kept ({error.strerror}): look at its rights.") from error
    if len(key) != 32:
        raise CorruptStore(f"{path} has {len(key)} bytes instead of 32: restore it from a back-up.")
    return key


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
