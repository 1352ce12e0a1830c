"""Which form the ledger's tables have, and how they get to the newest one.

Always true: a ledger goes forward only, in one transaction, with what is in it; one made by a newer
Shiprider is left untouched and refused in one sentence.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from shiprider.model.errors import StorageError

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_TABLE: Final = "schema_version"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def known() -> tuple[str, ...]:
    """Every schema this program knows, oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(reversed([script.revision for script in scripts.walk_revisions()]))


def current(connection: Connection) -> str | None:
    """The schema of a ledger; None where there is none yet."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608
    return found


def upgrade(connection: Connection, name: str, target: str = "head") -> None:
    """Bring the tables to `target` in the caller's transaction; `name` is shown in errors.

    Raises StorageError where the ledger is of a newer form than this program knows.
    """
    versions = known()
    found = current(connection)
    if found is not None and found not in versions:
        raise StorageError(
            f"{name} has schema {found}, newer than {versions[-1]}, the newest that this Shiprider knows: "
            "update Shiprider, nothing was changed."
        )
    if found == (versions[-1] if target == "head" else target):
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)
