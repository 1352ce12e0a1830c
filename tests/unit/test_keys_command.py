"""`shiprider keys` on a real node: replaced, lost, encrypted, copied; the log opens after each."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def shiprider(*arguments: str, code: int = 0, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "shiprider", *arguments],
        capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def keys(node: Path, *arguments: str, **environment: str) -> list[dict[str, Any]]:
    told = shiprider("keys", "--node", str(node), "--json", *arguments, **environment)
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


def test_keys_of_a_node(tmp_path: Path) -> None:
    node = tmp_path / "node"
    shiprider("init", str(node))
    assert [k["state"] for k in keys(node)] == ["active"]
    assert "--author" in shiprider("keys", "--node", str(node), "--replace", code=2)
    assert [k["state"] for k in keys(node, "--replace", "--author", "Ana")] == ["retired", "active"]
    secret = {"SHIPRIDER_KEYS_PASSPHRASE": "a long passphrase"}
    keys(node, **secret)
    assert all(b"ENCRYPTED" in path.read_bytes() for path in (node / "keys").glob("*.pem"))
    assert "give its passphrase" in shiprider("keys", "--node", str(node), code=2)
    # The passphrase is forgotten: the key is lost, and the log goes on.
    for path in (node / "keys").glob("*.pem"):
        path.unlink()
    states = [k["state"] for k in keys(node, "--lost", "nobody knows the passphrase", "--author", "Ana")]
    assert states == ["retired", "lost", "active"]
    passphrase = tmp_path / "for-the-copy"
    passphrase.write_text("correct horse battery\n")
    passphrase.chmod(0o600)
    sealing = ("--passphrase-file", str(passphrase))
    shiprider("backup", str(tmp_path / "copy"), *sealing, "--node", str(node))
    shiprider("restore", str(tmp_path / "copy"), str(tmp_path / "again"), *sealing)
    assert [k["state"] for k in keys(tmp_path / "again")] == states
    assert "the chain is whole" in shiprider("doctor", "--node", str(tmp_path / "again"), "--json")
    for path in (tmp_path / "again" / "keys").glob("*.pem"):
        assert path.stat().st_mode & 0o077 == 0
