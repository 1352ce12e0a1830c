"""A whole copy of an access log, also while its node writes.

Always true: the head is taken first, so the copy's lines can be ahead of what it acknowledges, never behind;
the copy opens as an access log.
"""

import shutil
from pathlib import Path

from shiprider.adapters.access_log.disk import refused
from shiprider.model.errors import StorageError


def copy_access_log(source: Path, target: Path) -> None:
    """Copy a log's folder. Raises StorageError."""
    try:
        target.mkdir(parents=True, mode=0o700)
        # Of what closes a segment the chain comes last, so it is taken before the segments it names.
        for name in ("head", "heads.log", "chain.log"):
            if (source / name).exists():
                shutil.copyfile(source / name, target / name)
        for path in sorted(source.glob("[0-9]*.log")):
            shutil.copyfile(path, target / path.name)
    except FileNotFoundError as error:
        raise StorageError(f"{source} changed while it was copied (retention): copy it again.") from error
    except OSError as error:
        raise refused(error, target) from error
