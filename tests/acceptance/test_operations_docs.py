"""docs/operations.md and deploy/: the commands run as written, the unit is sound, the container's files are there."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()


def test_the_commands_of_the_page_run(shiprider, node, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    assert node == tmp_path / "node"
    (tmp_path / "passphrase").write_text("correct horse battery\n")
    (tmp_path / "passphrase").chmod(0o600)
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.S)
        for line in block.splitlines()
        if line.startswith("shiprider ")
    ]
    assert len(lines) >= 9
    for line in lines:
        told = shiprider(*shlex.split(line)[1:])
        assert told.code in ((0, 1) if " doctor " in line else (0,)), (line, told.err)
    assert (tmp_path / "node-as-it-was" / "ledger.sqlite").exists() and (tmp_path / "head.json").exists()


def test_the_page_names_every_metric() -> None:
    from shiprider.flow.measures import Measures, series
    from shiprider.flow.status import FeedState, NodeStatus

    read = Measures(
        status=NodeStatus(feeds=(FeedState(name="coast", kind="udp", condition="live", lag_s=1.0),)), quarantined=0, spool_bytes=1, spool_segments=1, spool_trouble=False, ledger_records=1,
        access_entries=1, accesses={}, browsing_alarms=0, sessions=1, disk_days_left=1.0,
    )  # fmt: skip
    named = set(re.findall(r"shiprider_[a-z_]+[a-z]", PAGE))
    made = {each.name + ("_total" if each.counts else "") for each in series(read)}
    assert named <= made
    assert made - named <= {"shiprider_observations_total", "shiprider_notices"}


@pytest.mark.parametrize("unit", ["shiprider.service", "shiprider-backup.service", "shiprider-backup.timer"])
def test_the_units_are_sound(tmp_path: Path, unit: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not there")
    for path in (ROOT / "deploy").glob("shiprider*"):
        text = path.read_text().replace("/opt/shiprider/bin/shiprider", "/bin/true")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_the_service_is_exposed_little() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not there")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(ROOT / "deploy" / "shiprider.service")],
        capture_output=True, text=True,
    )  # fmt: skip
    if "Overall exposure" not in done.stdout:
        pytest.skip(f"this systemd cannot judge a file: {done.stderr.strip()[:200]}")
    found = re.search(r"Overall exposure level.*: ([0-9.]+)", done.stdout)
    assert found is not None and float(found[1]) <= 2.0


def test_units_and_container_name_what_there_is(shiprider) -> None:  # type: ignore[no-untyped-def]
    for path in [*(ROOT / "deploy").glob("*.service"), ROOT / "deploy" / "Containerfile"]:
        text = path.read_text()
        for words in re.findall(r"shiprider (run|backup|init|alerts)\b([^\n]*)", text):
            told = shiprider(words[0], "--help")
            for option in re.findall(r"--[a-z-]+", words[1]):
                if option in ("--network", "--name", "--rm"):
                    continue
                assert option in told.out, (path.name, option)
    container = (ROOT / "deploy" / "Containerfile").read_text()
    for names in re.findall(r"^COPY (?!--from)(.*) \S+$", container, flags=re.M):
        for name in names.split():
            assert (ROOT / name).exists(), name
    assert "USER 10001" in container and "STOPSIGNAL SIGINT" in container
