"""PostgreSQL's own lock on rows, the second line: without the filter of our SQL it shows exactly the same."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger.postgres import PostgresLedger
from shiprider.model.record import Draft
from shiprider.ports.ledger import Allowed, Filed, Query

TABLES = ("record", "latest", "term", "release_class", "latest_record")


@pytest.fixture
def url(postgres_database: Callable[[], str]) -> str:
    return postgres_database()


@pytest.fixture
def ledger(url: str, tmp_path: Path) -> Iterator[PostgresLedger]:
    keys = FileKeys(tmp_path / "keys", clock=lambda: 1)
    made = PostgresLedger(url, tmp_path / "l.head", origin="n", keys=keys, clock=lambda: 2)
    chance = random.Random(1)
    revisions: dict[int, int] = {}
    for _ in range(30):
        batch = []
        for _ in range(20):
            number = chance.randrange(300)
            draft = Draft(
                id=f"{number:032x}", kind="note", expected_revision=revisions.get(number, 0), schema=1, author="A",
                valid_from_us=number, label=f"L{chance.randrange(40)}", body=b"{}",
            )  # fmt: skip
            batch.append(Filed(draft=draft, terms=(f"mmsi:{number % 7}",)))
            revisions[number] = revisions.get(number, 0) + 1
        made.append(batch)
    yield made
    made.close()


def reading(url: str, allowed: Allowed | None) -> "psycopg.Connection[Any]":
    """A reader's own session, as a program of the node that forgot every filter would have it."""
    connection = psycopg.connect(url)
    connection.execute("SET ROLE shiprider_reader")
    if allowed is not None:
        connection.execute("SELECT set_config('shiprider.allowed', %s, true)", (allowed.flags,))
    return connection


def test_who_forgets_the_setting_sees_nothing(url: str, ledger: PostgresLedger) -> None:
    assert ledger.head().sequence == 600
    with reading(url, None) as connection:
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608
    # The setting ends with its transaction: a connection that goes back to the pool carries nothing on.
    with reading(url, Allowed(frozenset(ledger.classes()))) as connection:
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (600,)
        connection.commit()
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608


def test_the_lock_and_the_filter_agree_on_random_readers(url: str, ledger: PostgresLedger) -> None:
    chance = random.Random(2)
    classes = sorted(ledger.classes())
    for _ in range(150):
        allowed = Allowed(frozenset(chance.sample(classes, chance.randrange(len(classes) + 1))))
        with reading(url, allowed) as connection:
            rows = connection.execute("SELECT sequence FROM record ORDER BY sequence").fetchall()
            latest = connection.execute("SELECT sequence FROM latest_record ORDER BY sequence").fetchall()
            terms = connection.execute(
                "SELECT count(*) FROM term WHERE class_id <> ALL (%s)", (list(allowed.classes),)
            )
            named = connection.execute("SELECT id FROM release_class").fetchall()
            assert terms.fetchone() == (0,)
        assert [n for (n,) in rows] == [r.sequence for r in ledger.since(0, limit=10_000, allowed=allowed)]
        assert [n for (n,) in latest] == [
            r.sequence for r in ledger.find(Query("note", order="oldest", allowed=allowed))
        ]
        assert {n for (n,) in named} == allowed.classes
        # And the ledger with its filter removed: only the lock is left.
        with ledger._reading(allowed) as bare:
            held = bare.exec_driver_sql("SELECT sequence FROM record ORDER BY sequence").fetchall()
        assert [n for (n,) in held] == [n for (n,) in rows]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO release_class VALUES (999, '', '', '', '')",
        "UPDATE record SET class_id = 1",
        "DELETE FROM record",
        "TRUNCATE record",
        "SELECT * FROM tile",
        "SELECT * FROM tree_head",
        "SELECT * FROM erasure",
        "ALTER TABLE record DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE mine (n int)",
        "DROP POLICY readers ON record",
    ],
)
def test_a_reader_can_do_nothing_else(url: str, ledger: PostgresLedger, statement: str) -> None:
    with reading(url, Allowed(frozenset(ledger.classes()))) as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)


def test_the_owner_is_no_superuser_and_the_lock_is_forced(url: str, ledger: PostgresLedger) -> None:
    with psycopg.connect(url) as connection:
        assert connection.execute(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False,)
        locked = connection.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
        ).fetchall()
        assert [name for (name,) in locked] == ["latest", "record", "release_class", "term"]
        # Without the owner's own policy even the owner sees nothing: the lock is forced.
        connection.execute("DROP POLICY own_work ON record")
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (0,)
        connection.rollback()


def test_a_readers_connection_of_the_node_cannot_write(ledger: PostgresLedger) -> None:
    with pytest.raises(Exception, match="read-only transaction"), ledger._reading() as connection:
        connection.exec_driver_sql("INSERT INTO erasure VALUES (1, 1)")
