"""A node's secrets in a back-up: packed into one file, sealed by a passphrase, never in the clear.

Always true: what is put back is what was packed, readable by its owner alone; no name leads out of the folder.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from shiprider.model.errors import CorruptStore

#: Folders of a node that hold private keys.
FOLDERS: Final = ("keys", "tls")

#: Where they are in a copy.
SEALED: Final = "secrets.sealed"

Seal = Callable[[bytes], bytes]


def secret_files(folder: Path, folders: Sequence[str] = FOLDERS) -> list[Path]:
    """Files that must not be copied in the clear."""
    return sorted(path for name in folders for path in (folder / name).rglob("*") if path.is_file())


#: How a secret begins that is no key pair, once it is sealed (`adapters/sealing`); its file's name ends so.
_SEALED_BEGIN: Final = b"shiprider-sealed-1\n"
_ENDING: Final = ".key"


def in_the_clear(path: Path) -> bool:
    """Whether a file holds a secret that no passphrase encrypts (key pairs: RFC 7468, sections 10 and 11).

    Raises OSError.
    """
    data = path.read_bytes()
    if path.suffix == _ENDING and b"PRIVATE KEY-----" not in data:
        return not data.startswith(_SEALED_BEGIN)
    return b"PRIVATE KEY-----" in data and b"BEGIN ENCRYPTED PRIVATE KEY-----" not in data


def packed(folder: Path) -> bytes:
    """All of them. Raises OSError."""
    return msgspec.msgpack.encode(
        {str(path.relative_to(folder)): path.read_bytes() for path in secret_files(folder)}
    )


def unpack(data: bytes, folder: Path) -> int:
    """Write them into a node's folder; how many. Raises CorruptStore, OSError."""
    try:
        files = msgspec.msgpack.decode(data, type=dict[str, bytes])
    except msgspec.DecodeError as error:
        raise CorruptStore("The sealed keys are damaged: use another back-up.") from error
    for name, content in files.items():
        parts = PurePosixPath(name).parts
        if not parts or parts[0] not in FOLDERS or ".." in parts:
            raise CorruptStore(
                f"The sealed keys name a file outside their place ({name!r}): use another back-up."
            )
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    return len(files)
