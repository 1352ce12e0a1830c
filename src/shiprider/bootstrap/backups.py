"""Copies of a node, and its keys put back from one."""

import shutil
from pathlib import Path

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.folder import ACCESS_LOG, ACCOUNTS, LEDGER
from shiprider.bootstrap.node import OpenNode
from shiprider.flow.archive import Snapshot
from shiprider.flow.backup import Manifest
from shiprider.model.errors import StorageError, UsageError


def backup_node(opened: OpenNode, target: Path, passphrase: bytes | None = None) -> Manifest:
    """Copy a node: spool, lake, ledger, access log, settings, and its keys sealed by a passphrase.

    Raises UsageError where there are keys and no passphrase: a copy never holds them in the clear.
    """
    from shiprider.adapters.access_log.copying import copy_access_log
    from shiprider.adapters.accounts.copying import copy_accounts
    from shiprider.adapters.ledger.copying import copy_ledger
    from shiprider.adapters.sealing.passphrase import seal
    from shiprider.flow.backup import backup
    from shiprider.flow.secrets import in_the_clear, packed, secret_files
    from shiprider.settings import FILE_NAME

    sealed: bytes | None = None
    secrets = secret_files(opened.folder)
    if passphrase is not None:
        sealed, secrets = seal(packed(opened.folder), passphrase) if secrets else None, []
    elif any(in_the_clear(path) for path in secrets):
        raise UsageError(
            "The node has private keys, and a copy never holds them in the clear: give --passphrase-file."
        )

    if not (opened.folder / LEDGER).is_file():
        raise UsageError(
            "The ledger is in PostgreSQL: copy it there (pg_dump), and the node's folder while it stands."
        )

    def logs(place: Path) -> None:
        if not (opened.folder / LEDGER).is_file():
            raise UsageError(
                "The ledger is in PostgreSQL: copy it there (pg_dump), and the node's folder while it stands."
            )
        copy_ledger(opened.folder / LEDGER, place / LEDGER)
        copy_access_log(opened.folder / ACCESS_LOG, place / ACCESS_LOG)
        if (opened.folder / ACCOUNTS).exists():
            copy_accounts(opened.folder / ACCOUNTS, place / ACCOUNTS)

    return backup(
        target,
        opened.spool,
        opened.lake,
        node=opened.settings.node,
        made_us=wall_us(),
        copy_ledger=logs,
        secrets=sealed,
        # Without its keys a copy of a signed log does not open; here only those that a passphrase encrypts.
        others=[opened.folder / FILE_NAME, *secrets, *_operators_files(opened)],
        folder=opened.folder,
    )


def _operators_files(opened: OpenNode) -> list[Path]:
    """Files that the settings name and that lie in the node's folder: without them a copy does not start."""
    watch = opened.settings.watch
    names = {
        watch.anchorages,
        watch.receivers,
        watch.user_presets,
        opened.settings.policy,
        *(f.columns for f in opened.settings.feeds),
    }
    root = opened.folder.resolve()
    places = [opened.folder / name for name in sorted(names) if name and not Path(name).is_absolute()]
    return [place for place in places if place.is_file() and place.resolve().is_relative_to(root)]


def archive_node(opened: OpenNode, archive: Path, passphrase: bytes | None = None) -> tuple[Snapshot, int]:
    """Add the node as it is to an archive; the snapshot and how many bytes were new to it."""
    import tempfile

    from shiprider.flow.archive import add

    try:
        archive.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = Path(tempfile.mkdtemp(prefix="copy-", dir=archive))
    except OSError as error:
        raise StorageError(
            f"{archive} cannot be written ({error.strerror}): choose another place."
        ) from error
    try:
        sequence = opened.ledger.head().sequence
        manifest = backup_node(opened, place / "node", passphrase)
        return add(archive, place / "node", manifest, sequence)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def open_secrets(folder: Path, passphrase: bytes | None) -> int:
    """Put the keys of a restored node in their place; how many files. Raises UsageError, CorruptStore."""
    from shiprider.adapters.sealing.passphrase import unseal
    from shiprider.flow.secrets import SEALED, unpack

    sealed = folder / SEALED
    if not sealed.exists():
        return 0
    if passphrase is None:
        raise UsageError(f"The node's keys are sealed in {sealed}: give --passphrase-file to open them.")
    count = unpack(unseal(sealed.read_bytes(), passphrase), folder)
    sealed.unlink()
    return count
