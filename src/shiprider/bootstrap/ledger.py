"""A node's log, in the store that the settings name."""

import os
from pathlib import Path

from shiprider.bootstrap.folder import LEDGER
from shiprider.model.errors import UsageError
from shiprider.ports.keys import Keys
from shiprider.ports.ledger import Ledger
from shiprider.settings import Settings, ledger_address


def open_ledger(folder: Path, settings: Settings, keys: Keys) -> Ledger:
    """The node's log, where the settings say. Raises UsageError, NodeBusy, CorruptStore, StorageError."""
    try:
        address = ledger_address(settings, folder, os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if address == "sqlite":
        from shiprider.adapters.ledger.sqlite import SqliteLedger

        return SqliteLedger(folder / LEDGER, origin=settings.node, keys=keys)
    from shiprider.adapters.ledger.postgres import PostgresLedger

    return PostgresLedger(address, (folder / LEDGER).with_suffix(".head"), origin=settings.node, keys=keys)
