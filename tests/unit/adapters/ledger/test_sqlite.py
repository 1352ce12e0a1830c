"""What is SQLite's own: triggers, pragmas, damage found at start, one writer, migrations on a node in use."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiprider.adapters.ledger import schema
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.model.errors import CorruptStore, DiskFull, NodeBusy, StorageError
from shiprider.model.record import Draft


def draft(number: int, body: bytes = b"{}") -> Draft:
    return Draft(
        id=f"{number:032x}",
        kind="note",
        expected_revision=0,
        schema=1,
        author="Ana",
        valid_from_us=1,
        body=body,
    )


def filled(path: Path, count: int = 20) -> Path:
    ledger = SqliteLedger(path, origin="n")
    ledger.append([draft(n, b'{"n":%d}' % n) for n in range(1, count + 1)])
    ledger.close()
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET author='x' WHERE sequence=3",
        "UPDATE record SET body=NULL WHERE sequence=3",
        "UPDATE record SET sequence=99 WHERE sequence=3",
        "DELETE FROM record WHERE sequence=3",
        "DELETE FROM record",
        "INSERT INTO record SELECT 99,'a',kind,revision,schema,origin,author,valid_from_us,valid_to_us,recorded_us,"
        'label,purpose,"case",digest,body,signature,previous,class_id FROM record WHERE sequence=3',
        "INSERT OR REPLACE INTO record SELECT 3,'a',kind,revision,schema,origin,author,valid_from_us,valid_to_us,"
        'recorded_us,label,purpose,"case",digest,body,signature,previous,class_id FROM record WHERE sequence=3',
    ],
)
def test_the_log_refuses_every_change(tmp_path: Path, statement: str) -> None:
    path = filled(tmp_path / "l.sqlite")
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE record SET author='Eve' WHERE sequence=7",
        "UPDATE record SET body=x'00' WHERE sequence=7",
        "UPDATE record SET body=NULL WHERE sequence=7",
        "UPDATE record SET recorded_us=0 WHERE sequence=7",
        "DELETE FROM record WHERE sequence=7",
        "DELETE FROM record WHERE sequence>17",
        "DELETE FROM record",
    ],
)
def test_tampering_past_the_triggers_is_found_at_start(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path / "l.sqlite")
    with sqlite3.connect(path) as connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        connection.execute(damage)
    with pytest.raises(CorruptStore, match="restore it from a back-up"):
        SqliteLedger(path, origin="n")


def test_a_flipped_byte_in_the_write_ahead_log_is_found_out(tmp_path: Path) -> None:
    """SQLite drops the frames from a bad one on without a word: the head file knows better."""
    path = tmp_path / "l.sqlite"
    ledger = SqliteLedger(path, origin="n")
    for n in range(1, 11):
        ledger.append([draft(n)])
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("l.sqlite", "l.sqlite-wal", "l.head"):
        shutil.copy(tmp_path / name, copy / name)
    ledger.close()
    wal = bytearray((copy / "l.sqlite-wal").read_bytes())
    assert len(wal) > 8 * 4096
    wal[-6 * 4120 + 100] ^= 1
    (copy / "l.sqlite-wal").write_bytes(bytes(wal))
    with sqlite3.connect(copy / "l.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM record").fetchone()[0] < 10
    with pytest.raises(CorruptStore, match="10 were acknowledged"):
        SqliteLedger(copy / "l.sqlite", origin="n")


def test_damaged_pages_are_one_sentence(tmp_path: Path) -> None:
    path = filled(tmp_path / "l.sqlite", 200)
    data = bytearray(path.read_bytes())
    data[0:16] = b"not a database!!"
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptStore, match="restore it from a back-up"):
        SqliteLedger(path, origin="n")


def test_one_writer(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "l.sqlite", origin="n")
    with pytest.raises(NodeBusy, match="Another process writes"):
        SqliteLedger(tmp_path / "l.sqlite", origin="n")
    ledger.close()
    SqliteLedger(tmp_path / "l.sqlite", origin="n").close()
    with pytest.raises(StorageError, match="is closed"):
        ledger.append([draft(1)])


def test_durability_is_asked_of_sqlite(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "l.sqlite", origin="n")
    with ledger._writer.connect() as connection:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("wal_autocheckpoint", 0)):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    with ledger._reader.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM latest")
    ledger.close()


def test_the_write_ahead_log_stays_small(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "l.sqlite", origin="n")
    for batch in range(40):
        ledger.append([draft(batch * 1000 + n, b"x" * 400) for n in range(1000)])
    assert (tmp_path / "l.sqlite-wal").stat().st_size < 40 << 20
    ledger.close()
    assert not (tmp_path / "l.sqlite-wal").exists() or (tmp_path / "l.sqlite-wal").stat().st_size == 0


def test_an_erased_body_is_in_no_file(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "l.sqlite", origin="n")
    secret = b"THE-SECRET-OF-THE-SEA" * 40
    ledger.append([draft(1, secret), *(draft(n) for n in range(2, 30))])
    ledger.erase(f"{1:032x}", 1, author="Judge", authority="court", reason="law")
    found = [p.name for p in tmp_path.iterdir() if b"THE-SECRET-OF-THE-SEA" in p.read_bytes()]
    assert found == []
    ledger.close()


def test_migrations_run_forward_on_a_node_in_use(tmp_path: Path) -> None:
    """A ledger of the first schema, with records, is read by a reader while it is brought forward."""
    path = tmp_path / "l.sqlite"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema.upgrade(connection, "l", "0001")
        assert schema.current(connection) == "0001"
    made = filled(tmp_path / "other.sqlite", 30)
    with sqlite3.connect(path) as target, sqlite3.connect(made) as source:
        target.execute("PRAGMA journal_mode=WAL")
        columns = [row[1] for row in target.execute("PRAGMA table_info(record)")]
        wanted = ",".join(f'"{name}"' for name in columns)
        rows = source.execute(f"SELECT {wanted} FROM record ORDER BY sequence").fetchall()  # noqa: S608
        target.executemany(f"INSERT INTO record VALUES ({','.join('?' * len(columns))})", rows)  # noqa: S608
    shutil.copy(tmp_path / "other.head", tmp_path / "l.head")
    stop, seen = threading.Event(), []

    def read() -> None:
        with sqlite3.connect(path) as connection:
            while not stop.is_set():
                seen.append(connection.execute("SELECT count(*) FROM record").fetchone()[0])

    reader = threading.Thread(target=read)
    reader.start()
    ledger = SqliteLedger(path, origin="n")
    stop.set()
    reader.join()
    assert set(seen) == {30}
    assert len(ledger.of_kind("note")) == 30
    assert ledger.append([draft(31)])[0].sequence == 31
    ledger.close()


def test_the_tables_are_what_the_program_thinks(tmp_path: Path) -> None:
    """Alembic's own comparison of the migrated file with `tables.py` finds no difference."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from shiprider.adapters.ledger.tables import METADATA

    path = filled(tmp_path / "l.sqlite")
    with sa.create_engine(f"sqlite:///{path}").connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
        assert compare_metadata(context, METADATA) == []


def test_a_newer_schema_is_refused_in_one_sentence_and_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path / "l.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version_num='0999'")
    with pytest.raises(
        StorageError, match=r"schema 0999, newer than .*: update Shiprider, nothing was changed"
    ):
        SqliteLedger(path, origin="n")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM schema_version").fetchone() == ("0999",)


def test_a_full_disk_is_one_sentence_and_resumes(tmp_path: Path) -> None:
    """A file-size limit (RLIMIT_FSIZE gives EFBIG) is not a full disk, so SQLite's own page limit stands in:
    it raises the very error (SQLITE_FULL) of a full disk."""
    ledger = SqliteLedger(tmp_path / "l.sqlite", origin="n")
    ledger.append([draft(1)])
    with ledger._writer.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(DiskFull, match="nothing acknowledged was lost"):
        ledger.append([draft(n, b"x" * 3000) for n in range(2, 50)])
    assert ledger.head().sequence == 1 and len(ledger.of_kind("note")) == 1
    with ledger._writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1073741823")
    assert ledger.append([draft(2)])[0].sequence == 2
    assert ledger.verify() == ledger.head()
    ledger.close()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        (tmp_path / "shut").mkdir(mode=0o500)
        with pytest.raises((StorageError, PermissionError)):
            SqliteLedger(tmp_path / "shut" / "l.sqlite", origin="n")
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "from pathlib import Path; from shiprider.adapters.ledger.sqlite import SqliteLedger;"
         f"SqliteLedger(Path({str(tmp_path / 'file' / 'l.sqlite')!r}), origin='n')"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "shiprider.model.errors.StorageError" in done.stderr
