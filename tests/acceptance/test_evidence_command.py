"""`shiprider evidence` over a real node: signed ledger, spool, keys; checked by the independent program."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def verified(package: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, str(ROOT / "verifier" / "verify.py"), str(package), *words]
    return subprocess.run(program, capture_output=True, text=True, cwd=package.parent)


def test_a_finding_of_a_real_node_verifies(shiprider, node, tmp_path):  # type: ignore[no-untyped-def]
    from shiprider.bootstrap.node import open_node

    alert = shiprider("alerts", "--node", node, "--json").objects()[0]
    assert shiprider("alerts", alert["id"], "take", "--node", node).code == 0
    with open_node(node) as opened:
        records = opened.ledger.of_kind("finding")
        finding = records[0].id
        key = opened.keys.public()[-1].key_id
    package = tmp_path / "case.zip"
    words = ["evidence", finding, package, "--by", "custodian", "--reason", "order 12", "--node", node]
    told = shiprider(*words, "--json")
    assert told.code == 0, told.err
    said = told.objects()[0]
    assert said["records"] >= 1 and said["observations"] > 1 and said["no_time_stamp"]
    done = verified(package, "--key", key)
    assert done.returncode == 0, done.stdout + done.stderr
    for check in ("signatures", "log", "head", "observations", "sealed", "custody", "seal", "trust"):
        assert f"PASS  {check}" in done.stdout
    assert "no time stamp" in done.stdout and "unwitnessed since" in done.stdout
    assert verified(package).returncode == 2
    assert verified(package, "--key", "0" * 32).returncode == 1
    with zipfile.ZipFile(package) as archive:
        raw = next(
            name for name in archive.namelist() if name.startswith("observations/") and name.endswith(".raw")
        )
        assert archive.read(raw).startswith((b"!AIVDM", b"\\"))
    # Nothing is overwritten, and both the access and the export are on record.
    assert shiprider(*words).code == 2
    exports = shiprider("audit", "--node", node, "--act", "export", "--json").objects()
    assert exports[-1]["who"] == "custodian" and exports[-1]["purpose"] == "evidence"
    assert exports[-1]["why"] == "order 12"
    with open_node(node) as opened:
        assert opened.ledger.of_kind("evidence_export")
