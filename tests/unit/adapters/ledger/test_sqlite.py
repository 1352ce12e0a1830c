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
from msgspec import structs

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger import reading, schema, verifying
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.model import merkle
from shiprider.model.errors import CorruptStore, DiskFull, NodeBusy, StorageError
from shiprider.model.record import Draft, Record
from shiprider.model.tree_head import leaf_entry
from shiprider.ports.ledger import Allowed, Filed, Query


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


def test_a_log_older_than_signatures_opens_and_its_rows_stay_valid(tmp_path: Path) -> None:
    """Schema 0002 with rows, revisions and terms; its node is updated: unsigned rows stay, later ones are signed."""
    path = tmp_path / "l.sqlite"
    with sa.create_engine(f"sqlite:///{path}").begin() as connection:
        schema.upgrade(connection, "l", "0002")
    made = SqliteLedger(tmp_path / "other.sqlite", origin="n")
    made.append([draft(n, b'{"n":%d}' % n) for n in range(1, 700)])
    made.append([Filed(draft=structs.replace(draft(5), expected_revision=1, case="c"), terms=("t:5",))])
    made.append([Filed(draft=structs.replace(draft(6), expected_revision=1), terms=("t:6",))])
    made.close()
    with sqlite3.connect(path) as target, sqlite3.connect(tmp_path / "other.sqlite") as source:
        for table in ("record", "latest", "term"):
            columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
            wanted = ",".join(f'"{name}"' for name in columns)
            rows = source.execute(
                {
                    "record": f"SELECT {wanted} FROM record ORDER BY sequence",  # noqa: S608
                    "latest": f"SELECT {wanted} FROM latest WHERE newest = 1",  # noqa: S608
                    "term": "SELECT term.term, latest.id FROM term JOIN latest USING (sequence)",
                }[table]
            ).fetchall()
            target.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(columns))})", rows)  # noqa: S608
    shutil.copy(tmp_path / "other.head", tmp_path / "l.head")
    keys = FileKeys(tmp_path / "keys", clock=lambda: 1)
    ledger = SqliteLedger(path, origin="n", keys=keys)
    head = ledger.tree_head()
    assert head is not None and (head.size, head.first_signed) == (701, 702) and head.is_signed(keys.check)
    assert {len(r.signature) for r in ledger.since(0)} == {0}
    (signed,) = ledger.append([draft(1000)])
    assert len(signed.signature) > 64
    assert ledger.verify(lambda record: None) == ledger.head()
    assert [r.revision for r in ledger.find(Query("note", (("t:5",),)))] == [2]
    classes = {c.case: n for n, c in ledger.classes().items()}
    assert set(classes) == {"", "c"}
    # Of record 5 a reader without the case has the revision before it.
    plain = Allowed(frozenset({classes[""]}))
    assert ledger.latest(f"{5:032x}", allowed=plain).revision == 1
    assert ledger.count(Query("note", allowed=plain)) == 700
    assert ledger.inclusion(3, head).index == 2
    ledger.close()
    again = SqliteLedger(path, origin="n", keys=keys)
    again.close()
    # From the first signed record on none may come without a signature.
    with sqlite3.connect(path) as connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        connection.execute("UPDATE record SET signature=x'' WHERE sequence=702")
    with pytest.raises(CorruptStore, match="restore it from a back-up"):
        SqliteLedger(path, origin="n", keys=keys)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE tree_head SET root = printf('%064d', 7) WHERE size = 20",
        "UPDATE tree_head SET signature = zeroblob(64) WHERE size = 20",
        "UPDATE tree_head SET first_signed = 21 WHERE size = 20",
        "UPDATE tree_head SET recorded_us = recorded_us + 1 WHERE size = 20",
        "DELETE FROM tree_head WHERE size = 20",
        "DELETE FROM tree_head",
        "UPDATE record SET signature = zeroblob(85) WHERE sequence = 20",
        "UPDATE record SET label = 'PUBLIC' WHERE sequence = 20",
    ],
)
def test_a_changed_head_or_last_record_is_found_at_any_start(
    tmp_path: Path, damage: str, verify: bool
) -> None:
    path, keys = signed(tmp_path)
    _damage(path, damage)
    with pytest.raises(CorruptStore, match="restore"):
        SqliteLedger(path, origin="n", keys=keys, verify=verify)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE record SET signature = zeroblob(85) WHERE sequence = 7",
        "UPDATE record SET signature = (SELECT signature FROM record WHERE sequence = 8) WHERE sequence = 7",
        "UPDATE record SET class_id = 2 WHERE sequence = 7",
        "UPDATE release_class SET label = 'PUBLIC' WHERE id = 1",
        "UPDATE record SET label = 'PUBLIC' WHERE sequence = 7",
        "UPDATE record SET sequence = 100 - sequence WHERE sequence IN (7, 93)",
        "UPDATE tile SET hashes = zeroblob(640)",
        "DELETE FROM tile",
        "INSERT INTO tile VALUES (1, 0, zeroblob(32))",
        "DELETE FROM record WHERE sequence > 15; DELETE FROM tree_head WHERE size > 15",
    ],
)
def test_a_forged_log_is_found_at_start(tmp_path: Path, damage: str) -> None:
    path, keys = signed(tmp_path)
    _damage(path, damage)
    with pytest.raises(CorruptStore, match="restore it from a back-up"):
        SqliteLedger(path, origin="n", keys=keys)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM latest WHERE sequence = 7",
        "UPDATE latest SET class_id = 1",
        "UPDATE latest SET newest = 0 WHERE sequence = 7",
        "UPDATE latest SET kind = 'alert' WHERE sequence = 7",
        "UPDATE latest SET sequence = 700 WHERE sequence = 7",
        "INSERT INTO latest SELECT 1, id, class_id, kind, 1, valid_from_us, valid_to_us, 1 FROM record WHERE sequence = 21",
        "DELETE FROM term WHERE sequence = 21",
        "INSERT INTO term VALUES ('mmsi:1', 7, 1)",
        "INSERT INTO term VALUES ('mmsi:1', 900, 1)",
        "UPDATE term SET class_id = 2",
    ],
)
def test_changed_search_rows_are_found(tmp_path: Path, damage: str) -> None:
    """What would hide a record, or show it to the wrong reader."""
    path, keys = signed(tmp_path)
    ledger = SqliteLedger(path, origin="n", keys=keys)
    again = structs.replace(draft(1), expected_revision=1, case="1")
    ledger.append([Filed(draft=again, terms=("mmsi:5",))])

    def terms_of(record: Record) -> tuple[str, ...]:
        return ("mmsi:5",) if record.sequence == 21 else ()

    ledger.verify(terms_of)
    _damage(path, damage)
    with pytest.raises(CorruptStore, match="search rows were changed"):
        ledger.verify(terms_of)
    ledger.close()


def test_a_forger_without_the_key_cannot_write_the_log_anew(tmp_path: Path) -> None:
    """A whole log with a chain, tree and head of its own, and the head file with it: the signature is missing."""
    path, keys = signed(tmp_path)
    other = FileKeys(tmp_path / "forger", clock=lambda: 1)
    forged = SqliteLedger(tmp_path / "forged.sqlite", origin="n", keys=other)
    forged.append([draft(n, b"forged") for n in range(1, 21)])
    forged.close()
    shutil.copy(tmp_path / "forged.sqlite", path)
    shutil.copy(tmp_path / "forged.head", path.with_suffix(".head"))
    with pytest.raises(CorruptStore, match="keys do not confirm"):
        SqliteLedger(path, origin="n", keys=keys)


def test_an_older_log_put_back_is_found_out(tmp_path: Path) -> None:
    path, keys = signed(tmp_path)
    shutil.copy(path, tmp_path / "older")
    ledger = SqliteLedger(path, origin="n", keys=keys)
    ledger.append([draft(500)])
    ledger.close()
    shutil.copy(tmp_path / "older", path)
    with pytest.raises(CorruptStore, match="21 were acknowledged: records were lost"):
        SqliteLedger(path, origin="n", keys=keys)


def test_a_long_log_is_checked_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finds the damage of its own stretch; what a helper cannot do is done here."""
    from shiprider.adapters.ledger import checking

    monkeypatch.setattr(checking, "_WORTH_HELP", 10)
    monkeypatch.setattr(checking.os, "sched_getaffinity", lambda _: {0, 1, 2})
    started = []
    real = checking._start
    monkeypatch.setattr(checking, "_start", lambda task: started.append(real(task)) or started[-1])
    path, keys = signed(tmp_path)
    SqliteLedger(path, origin="n", keys=keys).close()
    assert [each.returncode for each in started] == [0, 0]
    monkeypatch.setattr(checking, "_start", lambda task: None)
    SqliteLedger(path, origin="n", keys=keys).close()
    monkeypatch.setattr(checking, "_start", real)
    _damage(path, "UPDATE record SET author = 'Eve' WHERE sequence = 3")
    with pytest.raises(CorruptStore, match="record 4"):
        SqliteLedger(path, origin="n", keys=keys)


def test_the_quick_form_of_the_check_writes_the_envelope_as_it_is_signed(tmp_path: Path) -> None:
    """Letters outside ASCII, no end, every field: the leaves are those of `envelope_bytes`."""
    ledger = SqliteLedger(
        tmp_path / "l.sqlite", origin="nó", keys=FileKeys(tmp_path / "keys", clock=lambda: 1)
    )
    plain = {"kind": "note", "expected_revision": 0, "schema": 1, "valid_from_us": -5, "body": b"x"}
    ledger.append(
        [
            Draft(id=f"{1:032x}", author="Íñigo 船", label="λ", purpose="", case="ñ", valid_to_us=7, **plain),
            Draft(id=f"{2:032x}", author="Ana", label="", purpose="π", case="", **plain),
        ]
    )
    with ledger._reader.connect() as connection:
        found = verifying.stretch(connection, 1)
    assert isinstance(found, verifying.Stretch)
    wanted = [merkle.leaf_hash(leaf_entry(reading.envelope_of(r), r.signature)) for r in ledger.since(0)]
    assert found.leaves == b"".join(wanted) and found.hash == ledger.head().hash
    ledger.close()


def signed(folder: Path) -> tuple[Path, FileKeys]:
    keys = FileKeys(folder / "keys", clock=lambda: 1)
    ledger = SqliteLedger(folder / "l.sqlite", origin="n", keys=keys)
    ledger.append([structs.replace(draft(n, b'{"n":%d}' % n), case=str(n % 2)) for n in range(1, 16)])
    ledger.append([structs.replace(draft(n, b'{"n":%d}' % n), case=str(n % 2)) for n in range(16, 21)])
    ledger.close()
    return folder / "l.sqlite", keys


def _damage(path: Path, statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        connection.executescript(statements)
