"""Back-ups: an archive gives the node as it was at a time; keys are never in the clear; an old node opens."""

import sqlite3
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[1]


def note(folder: Path, text: str) -> int:
    """A note in the ledger; its place."""
    from shiprider.bootstrap.node import open_node

    with open_node(folder) as opened:
        opened.review().note("vessel", "224000001", text, author="officer 1")
        return opened.ledger.head().sequence


def notes(folder: Path) -> list[str]:
    from shiprider.bootstrap.node import open_node
    from shiprider.model.observer import Observer

    with open_node(folder) as opened:
        found = opened.view(opened.own("a")).notes("vessel", "224000001")
        opened.audit(Observer(name="auditor", roles=("auditor",))).verify()
        assert sum(1 for _ in opened.spool.verify()) >= 1
        return sorted(item.body.text for item in found)


def now() -> str:
    time.sleep(0.01)
    return datetime.now(UTC).isoformat()


def test_an_archive_gives_the_node_as_it_was(shiprider, node, recording, tmp_path, sealing):  # type: ignore[no-untyped-def]
    archive = tmp_path / "archive"
    before = now()
    first = note(node, "one")
    made = shiprider("backup", archive, "--archive", *sealing, "--node", node, "--json").objects()[0]
    assert made["ledger_sequence"] == first
    between = now()
    second = note(node, "two")
    (tmp_path / "more.nmea").write_bytes(recording.read_bytes()[:50_000])
    assert shiprider("ingest", tmp_path / "more.nmea", "--node", node).code == 0
    again = shiprider("backup", archive, "--archive", *sealing, "--node", node, "--json").objects()[0]
    # What came in meanwhile is sealed in the log.
    assert again["ledger_sequence"] > second
    # What both share is kept once.
    assert again["new_bytes"] < again["bytes"] / 2
    note(node, "three")
    assert shiprider("backup", archive, "--archive", "--check").code == 0

    for words, wanted in (
        (("--at", between), ["one"]),
        (("--at", now()), ["one", "two"]),
        ((), ["one", "two"]),
        (("--sequence", second - 1), ["one"]),
        (("--sequence", again["ledger_sequence"]), ["one", "two"]),
    ):
        target = tmp_path / f"restored-{len(list(tmp_path.iterdir()))}"
        told = shiprider("restore", archive, target, *words, *sealing, "--json")
        assert told.code == 0, told.err
        assert notes(target) == wanted
    told = shiprider("restore", archive, tmp_path / "early", "--at", before)
    assert told.code == 2 and "begins later" in told.err
    assert shiprider("restore", archive, node).code == 2  # nothing is overwritten

    gone = shiprider("backup", archive, "--archive", "--prune-before", now(), "--json").objects()[0]
    assert gone["removed"] == 1 and gone["bytes"] > 0
    told = shiprider("restore", archive, tmp_path / "gone", "--at", between)
    assert told.code == 2
    assert shiprider("restore", archive, tmp_path / "last", *sealing, "--json").code == 0


def test_a_damaged_block_is_found_by_check_and_by_restore(shiprider, node, tmp_path, sealing):  # type: ignore[no-untyped-def]
    archive = tmp_path / "archive"
    shiprider("backup", archive, "--archive", *sealing, "--node", node)
    block = max((archive / "blocks").glob("*/*"), key=lambda path: path.stat().st_size)
    data = bytearray(block.read_bytes())
    data[len(data) // 2] ^= 1
    block.write_bytes(data)
    for words in (("backup", archive, "--archive", "--check"), ("restore", archive, tmp_path / "new")):
        told = shiprider(*words)
        assert told.code == 5 and "damaged" in told.err
    block.unlink()
    assert shiprider("backup", archive, "--archive", "--check").code == 5
    assert shiprider("backup", tmp_path / "none", "--archive", "--check", "--json").objects() == [
        {"backups": 0}
    ]


@pytest.mark.parametrize("kind", ["copy", "archive"])
def test_keys_are_sealed_and_come_back(shiprider, node, tmp_path, kind):  # type: ignore[no-untyped-def]
    kept = {path.relative_to(node): path.read_bytes() for path in (node / "keys").iterdir()}
    assert any(b"BEGIN PRIVATE KEY" in data for data in kept.values())
    words: Any = ("--archive",) if kind == "archive" else ()
    told = shiprider("backup", tmp_path / "copy", *words, "--node", node)
    assert told.code == 2 and "in the clear" in told.err
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery\n")
    passphrase.chmod(0o644)
    told = shiprider("backup", tmp_path / "other", *words, "--node", node, "--passphrase-file", passphrase)
    assert told.code == 2 and "chmod 600" in told.err
    passphrase.chmod(0o600)
    told = shiprider("backup", tmp_path / "sealed", *words, "--node", node, "--passphrase-file", passphrase)
    assert told.code == 0, told.err
    assert not [
        p for p in (tmp_path / "sealed").rglob("*") if p.is_file() and b"PRIVATE KEY" in p.read_bytes()
    ]

    told = shiprider("restore", tmp_path / "sealed", tmp_path / "a")
    assert told.code == 2 and "--passphrase-file" in told.err
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    wrong.chmod(0o600)
    told = shiprider("restore", tmp_path / "sealed", tmp_path / "b", "--passphrase-file", wrong)
    assert told.code == 2 and "not the one" in told.err
    told = shiprider(
        "restore", tmp_path / "sealed", tmp_path / "c", "--passphrase-file", passphrase, "--json"
    )
    assert told.code == 0 and told.objects()[0]["keys"] == len(kept)
    for name, data in kept.items():
        assert (tmp_path / "c" / name).read_bytes() == data
        assert (tmp_path / "c" / name).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "c" / "secrets.sealed").exists()
    short = tmp_path / "short"
    short.write_text("short\n")
    short.chmod(0o600)
    told = shiprider("backup", tmp_path / "d", *words, "--node", node, "--passphrase-file", short)
    assert told.code == 2 and "too short" in told.err


def test_a_changed_byte_of_sealed_keys_is_refused() -> None:
    from shiprider.adapters.sealing.passphrase import seal, unseal
    from shiprider.model.errors import ShipriderError

    sealed = seal(b"secret bytes", b"correct horse battery")
    assert unseal(sealed, b"correct horse battery") == b"secret bytes"
    for at in range(0, len(sealed), 5):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(ShipriderError):
            unseal(bytes(changed), b"correct horse battery")


def test_sealed_names_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    import msgspec

    from shiprider.flow.secrets import unpack
    from shiprider.model.errors import CorruptStore

    for name in ("../x", "keys/../../x", "/etc/x", "spool/x", ""):
        with pytest.raises(CorruptStore):
            unpack(msgspec.msgpack.encode({name: b"x"}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_node_of_the_form_before_opens_with_what_is_in_it(shiprider, tmp_path, sealing):  # type: ignore[no-untyped-def]
    """`node-0002` was written by the program before there was an access log (ledger schema 0002)."""
    with tarfile.open(HERE / "data" / "node-0002.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    node = tmp_path / "node"
    with sqlite3.connect(node / "ledger.sqlite") as base:
        assert base.execute("SELECT version_num FROM schema_version").fetchone()[0].startswith("0002")
        stored = base.execute("SELECT id, digest, body FROM record ORDER BY sequence").fetchall()
    told = shiprider("doctor", "--node", node, "--json")
    found = {each["check"]: each for each in told.objects()}
    assert all(found[name]["ok"] for name in ("spool", "ledger", "access log", "lake")), found
    from shiprider.bootstrap.node import open_node

    with open_node(node) as opened:
        kept = opened.ledger.since(0, limit=100)
        assert [(r.id, r.digest, r.body) for r in kept[: len(stored)]] == stored
        vessel = opened.lake.scan("observations", ["claimed_id"]).collect()["claimed_id"].mode()[0]
    assert notes(node) == ["seen at anchor"]
    assert shiprider("tracks", vessel, "--node", node, "--json").code == 0
    # Old copies, made before the access log, restore too.
    assert shiprider("backup", tmp_path / "copy", *sealing, "--node", node).code == 0
    assert shiprider("restore", tmp_path / "copy", tmp_path / "new", *sealing).code == 0
