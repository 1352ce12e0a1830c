"""A whole copy of a ledger, also while its node writes.

Always true: the copy opens as a ledger: its head file is taken first, so the log can be ahead of what
was acknowledged there, never behind.
"""

import shutil
import sqlite3
from pathlib import Path

from shiprider.model.errors import StorageError


def copy_ledger(source: Path, target: Path) -> None:
    """Copy the ledger file `source` (and its head) to `target`. Raises StorageError."""
    try:
        shutil.copyfile(source.with_suffix(".head"), target.with_suffix(".head"))
        reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        try:
            writing = sqlite3.connect(target)
            try:
                reading.backup(writing)
            finally:
                writing.close()
        finally:
            reading.close()
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{source} cannot be copied to {target}: {error}.") from error
