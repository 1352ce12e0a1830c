"""The secret of a node's pseudonyms, in its folder of keys: 32 random bytes, sealed where there is a passphrase.

Always true: with a passphrase it does not lie in the clear, also where it did before there was one; a sealed one is
never opened by guessing, nor replaced because it could not be opened: other bytes would name everybody anew.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shiprider.adapters.sealing.passphrase import is_sealed, seal, unseal
from shiprider.model.errors import CorruptStore, StorageError, UsageError

#: Beside the signing keys, so that a back-up of them has it too.
FILE: Final = "pseudonyms.key"

_BYTES: Final = 32


def pseudonym_key(folder: Path, passphrase: bytes | None, random: Callable[[int], bytes]) -> bytes:
    """The secret; the first asking makes it of so many bytes of `random`.

    Raises UsageError where the passphrase is missing or wrong, StorageError, CorruptStore.
    """
    path = folder / FILE
    try:
        if not path.exists():
            _write(path, random(_BYTES), passphrase)
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be kept ({error.strerror}): look at its rights.") from error
    return _opened(path, data, passphrase)


def seal_existing(folder: Path, passphrase: bytes | None) -> bool:
    """Seal one that was made before there was a passphrase; whether it was. Raises StorageError, CorruptStore."""
    path = folder / FILE
    try:
        if not passphrase or not path.exists():
            return False
        data = path.read_bytes()
        if is_sealed(data):
            return False
        _write(path, _opened(path, data, None), passphrase)
    except OSError as error:
        raise StorageError(f"{path} cannot be kept ({error.strerror}): look at its rights.") from error
    return True


def _opened(path: Path, data: bytes, passphrase: bytes | None) -> bytes:
    if is_sealed(data):
        if not passphrase:
            raise UsageError(f"{path} is encrypted: give its passphrase (settings: [keys] passphrase_file).")
        data = unseal(data, passphrase)
    if len(data) != _BYTES:
        raise CorruptStore(f"{path} has {len(data)} bytes instead of {_BYTES}: restore it from a back-up.")
    return data


def _write(path: Path, key: bytes, passphrase: bytes | None) -> None:
    """The old or the new file is there after a crash, never a part of one. Raises OSError, UsageError."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    # The passphrase is that of the signing keys, which ask for no length.
    data = seal(key, passphrase, least=1) if passphrase else key
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
