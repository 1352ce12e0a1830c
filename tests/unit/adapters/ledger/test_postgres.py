"""What is PostgreSQL's own: the log refuses every change, one writer, a changed row found, a server that went away."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger import postgres
from shiprider.adapters.ledger.postgres import PostgresLedger
from shiprider.adapters.ledger.tables import METADATA
from shiprider.model.errors import CorruptStore, NodeBusy, StorageError, UsageError
from shiprider.model.record import Draft

Opened = Callable[[], PostgresLedger]


def draft(number: int) -> Draft:
    return Draft(
        id=f"{number:032x}",
        kind="note",
        expected_revision=0,
        schema=1,
        author="Ana",
        valid_from_us=1,
        body=b"{}",
    )


@pytest.fixture
def url(postgres_database: Callable[[], str]) -> str:
    return postgres_database()


@pytest.fixture
def open_(url: str, tmp_path: Path) -> Iterator[Opened]:
    made: list[PostgresLedger] = []
    keys = FileKeys(tmp_path / "keys", clock=lambda: 1)

    def opened() -> PostgresLedger:
        made.append(PostgresLedger(url, tmp_path / "l.head", origin="n", keys=keys))
        return made[-1]

    yield opened
    for each in made:
        each.close()


def test_the_tables_are_what_the_program_thinks(open_: Opened, url: str) -> None:
    open_()
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET author = 'x' WHERE sequence = 3",
        "UPDATE record SET body = NULL WHERE sequence = 3",
        "DELETE FROM record WHERE sequence = 3",
        "TRUNCATE record",
        "TRUNCATE tree_head",
        "DELETE FROM tree_head",
        "UPDATE release_class SET label = 'PUBLIC'",
        'INSERT INTO record SELECT 99, \'a\', kind, revision, schema, origin, author, valid_from_us, valid_to_us, '
        'recorded_us, label, purpose, "case", digest, body, signature, previous, class_id FROM record WHERE sequence = 3',
    ],
)  # fmt: skip
def test_the_log_refuses_every_change(open_: Opened, url: str, statement: str) -> None:
    open_().append([draft(n) for n in range(1, 6)])
    with psycopg.connect(url) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(statement)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE record SET author = 'Eve' WHERE sequence = 3",
        "UPDATE record SET class_id = 7 WHERE sequence = 3",
        "DELETE FROM record WHERE sequence > 3",
        "DELETE FROM tree_head",
        "UPDATE tile SET hashes = 'x'",
    ],
)
def test_tampering_past_the_triggers_is_found_at_start(open_: Opened, url: str, damage: str) -> None:
    ledger = open_()
    ledger.append([draft(n) for n in range(1, 6)])
    ledger.close()
    with psycopg.connect(url) as connection:
        for table in ("record", "tree_head"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        connection.execute(damage)
    with pytest.raises(CorruptStore, match="restore it from a back-up"):
        open_()


def test_one_writer(open_: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_LOCK_PATIENCE_S", 0.1)
    ledger = open_()
    with pytest.raises(NodeBusy, match="Another process writes"):
        open_()
    ledger.close()
    open_().append([draft(1)])


def test_a_session_that_the_server_ended_is_made_again(open_: Opened, postgres_server: str) -> None:
    """An append that meets the loss is refused or done; the ones after it are done, and nothing is doubled."""
    ledger = open_()
    ledger.append([draft(1)])
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shiprider'"
        )
    for number in range(2, 8):
        try:
            ledger.append([draft(number)])
        except StorageError as error:
            assert "look at the server and its rights" in str(error)
    assert ledger.append([draft(100)])[0].sequence == ledger.head().sequence
    assert ledger.verify() == ledger.head()


def test_what_is_no_address_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no URL of a database"):
        PostgresLedger("nonsense", tmp_path / "l.head", origin="n")
    with pytest.raises(StorageError, match="look at the server and its rights"):
        PostgresLedger("postgresql://nobody@127.0.0.1:1/none", tmp_path / "l.head", origin="n")
