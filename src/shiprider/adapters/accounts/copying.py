"""A whole copy of a node's accounts, also while it runs."""

import sqlite3
from pathlib import Path

from shiprider.model.errors import StorageError


def copy_accounts(source: Path, target: Path) -> None:
    """Copy the accounts' file, readable by its owner alone. Raises StorageError."""
    try:
        target.touch(0o600)
        reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        writing = sqlite3.connect(target)
        try:
            reading.backup(writing)
        finally:
            writing.close()
            reading.close()
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{source} cannot be copied to {target}: {error}.") from error
