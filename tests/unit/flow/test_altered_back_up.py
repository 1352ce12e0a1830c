"""A back-up that somebody altered on its medium: its manifest leads nowhere outside the restored folder."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from shiprider.flow import archive, backup
from shiprider.model.errors import CorruptStore

EVIL = b"ssh-ed25519 AAAA attacker"


@pytest.mark.parametrize("name", ["../evil", "lake/../../evil", "", "./evil", "lake//evil", "/evil"])
def test_a_manifest_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    medium, home = tmp_path / "medium", tmp_path / "home"
    copy = medium / "copy"
    (copy / "lake").mkdir(parents=True)
    home.mkdir()
    (medium / "evil").write_bytes(EVIL)
    entry = backup.Entry(name, len(EVIL), hashlib.sha256(EVIL).hexdigest())
    manifest = backup.Manifest("n", 1, 0, (entry,))
    (copy / backup.MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(CorruptStore, match="outside its place"):
        backup.restore(copy, home / "node")
    assert not any(home.iterdir())


@pytest.mark.parametrize("name", ["../evil", "lake/../../evil", "/evil"])
def test_nor_does_an_archive(tmp_path: Path, name: str) -> None:
    home, kept = tmp_path / "home", tmp_path / "archive"
    home.mkdir()
    digest = hashlib.sha256(EVIL).hexdigest()
    block = kept / "blocks" / digest[:2] / digest
    block.parent.mkdir(parents=True)
    block.write_bytes(EVIL)
    entry = archive.ArchivedFile(name, len(EVIL), digest, (digest,))
    snapshot = archive.Snapshot(node="n", made_us=1, position=0, ledger_sequence=0, files=(entry,))
    with pytest.raises(CorruptStore, match="outside its place"):
        archive.restore(kept, snapshot, home / "node", backup.no_progress)
    assert [each.name for each in home.rglob("*")] == ["node"]


def test_a_copy_and_a_restored_node_are_their_owners_alone(tmp_path: Path) -> None:
    backup.empty_folder(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
