"""The access log: opened, measured, checked."""

from pathlib import Path

import msgspec

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.folder import ACCESS_LOG
from shiprider.flow.vouching import KeySigner
from shiprider.model.errors import StorageError, UsageError
from shiprider.ports.access_log import AccessLog, SignedHead
from shiprider.ports.ledger import Head
from shiprider.ports.signing import Checker, Signer
from shiprider.settings import Settings


def open_access_log(
    folder: Path, settings: Settings, signer: Signer | None = None, check: Checker | None = None
) -> AccessLog:
    """The node's access log. Raises NodeBusy, CorruptStore, StorageError."""
    from shiprider.adapters.access_log.segmented import SegmentedAccessLog

    return SegmentedAccessLog(folder / ACCESS_LOG, origin=settings.node, signer=signer, check=check)


def bench_access_log(folder: Path) -> AccessLog:
    """An access log under a key of its own, for measuring."""
    from shiprider.adapters.access_log.segmented import SegmentedAccessLog
    from shiprider.adapters.keys.files import FileKeys

    keys = FileKeys(folder.parent / "bench-keys", clock=wall_us)
    return SegmentedAccessLog(folder, origin="bench", signer=KeySigner(keys, wall_us), check=keys.check)


def check_access_log(folder: Path, head: Path | None = None, check: Checker | None = None) -> Head:
    """Check a node's access log (or a copy of one) from its files, and against a head kept elsewhere.

    Raises CorruptStore, UsageError, StorageError.
    """
    from shiprider.adapters.access_log.verifying import verify_folder

    place = folder / ACCESS_LOG if (folder / ACCESS_LOG).is_dir() else folder
    if not (place / "head").exists():
        raise UsageError(f"{folder} holds no access log: name a node's folder.")
    kept: list[SignedHead] = []
    if head is not None:
        try:
            kept = [msgspec.json.decode(head.read_bytes(), type=SignedHead)]
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{head} is no head of an access log ({error}): check the file.") from error
    try:
        return verify_folder(place, check=check, heads=kept)
    except OSError as error:
        raise StorageError(f"{place} cannot be read ({error.strerror}): check the disk.") from error
