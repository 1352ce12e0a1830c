"""A node's folder: what lies in it under which name, its settings, its lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shiprider.model.errors import UsageError
from shiprider.settings import Settings
from shiprider.settings import load as read_settings

#: The access log's folder in a node's folder.
ACCESS_LOG: Final = "access"

#: The ledger's file in a node's folder.
LEDGER: Final = "ledger.sqlite"

#: The folder of its signing keys there.
KEYS: Final = "keys"

#: The people of a node, and the log of their accesses, in its folder.
ACCOUNTS: Final = "accounts.sqlite"


def load_settings(folder: Path) -> Settings:
    """Settings of the node in a folder. Raises UsageError."""
    try:
        return read_settings(folder)
    except ValueError as error:
        raise UsageError(str(error)) from error


@contextmanager
def node_lock(folder: Path) -> Iterator[None]:
    """Hold a node's lock without opening its stores. Raises NodeBusy."""
    from shiprider.adapters.lake.lock import NodeLock

    with NodeLock(folder):
        yield


def beside(folder: Path, name: str) -> str:
    """An operator's file: relative names are in the node's folder."""
    return str(folder / name) if name else ""
