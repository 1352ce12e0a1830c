"""The commands that README.md and docs/ name, run as they are written there, on a simulated recording."""

import hashlib
import importlib
import json
import re
import shutil
import signal
import socket
import time
import urllib.request
from pathlib import Path

import click
import pytest

from shiprider.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str) -> list[list[str]]:
    """The words of every command line in a page's fenced blocks and table cells."""
    text = (ROOT / page).read_text()
    # Of fences, every second part is inside one; its first line names the language, none for commands.
    inside = [part.partition("\n") for part in re.split(r"^```", text, flags=re.M)[1::2]]
    lines = [line for language, _, block in inside if not language for line in block.splitlines()]
    lines += re.findall(r"`(shiprider [^`]+)`", text)
    return [line.split()[1:] for line in lines if line.split()[:1] and "shiprider" in line.split()[0]]


#: Commands that have commands of their own.
GROUPS = {
    name
    for name, (module, *_) in COMMANDS.items()
    if isinstance(importlib.import_module(f"shiprider.cli.{module}").command, click.Group)
}


def test_documented_commands_and_options_exist(shiprider):  # type: ignore[no-untyped-def]
    pages = ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
    asked = {
        (*words[: 1 + (words[0] in GROUPS)], *sorted(w for w in words if w.startswith("--")))
        for page in pages
        for words in blocks(page)
    }
    asked = {each for each in asked if not each[0].startswith("-")}
    assert len(asked) >= 9
    for words in sorted(asked):
        name = [word for word in words if not word.startswith("--")]
        told = shiprider(*name, "--help")
        assert told.code == 0, name
        for option in words[len(name) :]:
            assert option in told.out, (name, option)


def test_a_recording_is_taken_once(shiprider, node, recording):  # type: ignore[no-untyped-def]
    again = shiprider("ingest", recording, "--node", node, "--json")
    assert again.code == 0, again.err
    assert sum(again.objects()[0]["rows"].values()) == 0


def test_the_care_of_a_node(shiprider, node, tmp_path, sealing):  # type: ignore[no-untyped-def]
    listed = shiprider("alerts", "--node", node, "--json", "--limit", 500).objects()
    assert len(listed) >= 2
    assert all(each["simulated"] for each in listed)
    first, second = (each["id"] for each in listed[:2])
    assert shiprider("alerts", first, "take", "--node", node).code == 0
    told = shiprider("alerts", second, "dismiss", "--node", node, "--reason", "no_such_reason")
    assert told.code == 2, told.err
    assert shiprider("alerts", second, "dismiss", "--node", node, "--reason", "expected_conduct").code in (
        0,
        2,
    )
    states = {
        e["id"]: e["state"] for e in shiprider("alerts", "--node", node, "--json", "--limit", 500).objects()
    }
    assert states[first] == "taken"
    assert shiprider("tracks", "--node", node, "--json").code == 2
    vessel = listed[0]["participants"][0]
    assert shiprider("tracks", str(vessel["mmsi"]), "--node", node, "--json").objects()
    for words in (
        ["quarantine", "--replay", "--node", node],
        ["retention", "--dry-run", "--node", node],
        ["report", "calibration", "--node", node],
        ["backup", tmp_path / "copy", *sealing, "--node", node],
        ["backup", tmp_path / "copy", "--check"],
        ["restore", tmp_path / "copy", tmp_path / "node2", *sealing],
    ):
        told = shiprider(*words)
        assert told.code == 0, (words, told.err)
    restored = shiprider("alerts", "--node", tmp_path / "node2", "--json", "--limit", 500).objects()
    assert {e["id"]: e["state"] for e in restored} == states
    doctor = {
        e["check"]: e["ok"] for e in shiprider("doctor", "--node", tmp_path / "node2", "--json").objects()
    }
    assert doctor["spool"]
    assert doctor["ledger"]


def test_a_rebuilt_node_has_the_same_alerts(shiprider, node):  # type: ignore[no-untyped-def]
    def listed() -> dict[str, str]:
        told = shiprider("alerts", "--node", node, "--json", "--limit", 500)
        return {each["id"]: each["reason"] for each in told.objects()}

    before = listed()
    told = shiprider("rebuild", node)
    assert told.code == 0, told.err
    assert listed() == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_ingest_that_was_cut_short_goes_on(shiprider, spawn, tmp_path, recording, taken_node, how):  # type: ignore[no-untyped-def]
    node = tmp_path / "node"
    assert shiprider("init", node).code == 0
    process = spawn("ingest", recording, "--node", node)
    spool = node / "spool"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if spool.is_dir() and any(p.stat().st_size > 4096 for p in spool.rglob("*") if p.is_file()):
            break
        time.sleep(0.01)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how is signal.SIGINT and process.returncode != 0:
        assert process.returncode == 130, err
        assert "Traceback" not in err
    told = shiprider("ingest", recording, "--node", node, "--json")
    assert told.code == 0, told.err
    assert rows(node) == rows(taken_node)


def rows(node: Path) -> list[tuple[object, ...]]:
    """Content of a node's observations, in order of the bytes."""
    from shiprider.bootstrap.node import open_node

    with open_node(node) as opened:
        frame = opened.lake.scan(
            "observations", ["raw", "time", "claimed_id", "latitude_deg", "longitude_deg"]
        )
        return frame.sort("raw").collect().rows()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shiprider, shell):  # type: ignore[no-untyped-def]
    told = shiprider("completion", shell)
    assert told.code == 0
    assert "_SHIPRIDER_COMPLETE" in told.out


def test_the_same_seed_gives_the_same_bytes(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    sums = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        told = shiprider(
            "simulate", "demo", "--hours", 0.2, "--seed", seed, "--out", tmp_path / name, "--json"
        )
        assert told.code == 0, told.err
        sums.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
        assert told.objects()[0]["sha256"] == sums[-1]
    assert sums[0] == sums[1] != sums[2]


def test_bytes_sent_to_a_running_node_become_alerts(shiprider, spawn, tmp_path, recording):  # type: ignore[no-untyped-def]
    node = tmp_path / "node"
    assert shiprider("init", node).code == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = node / "shiprider.toml"
    settings.write_text(
        settings.read_text()
        + f'\n[[feeds]]\nname = "coast"\nkind = "udp"\nhost = "127.0.0.1"\nport = {port}\n'
    )
    process = spawn("run", node, "--port", 0, "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["port"] > 0
    told = shiprider("replay", recording, "--udp", f"127.0.0.1:{port}", "--speed", 1500)
    assert told.code == 0, told.err
    address = json.loads((node / "node.address").read_text())
    found: dict[str, object] = {"total": 0}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not found["total"]:
        request = urllib.request.Request(
            f"{address['origin']}/api/v1/alerts", headers={"Authorization": f"Bearer {address['token']}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.loads(answer.read())
        time.sleep(0.3)
    assert found["total"], "no alert within 30 s of the last byte"
    assert shiprider("ingest", recording, "--node", node).code == 6
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    shutil.rmtree(node)


def test_one_person_alone_needs_no_account(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    from shiprider.bootstrap.folder import load_settings

    told = shiprider("init", tmp_path / "alone", "--alone", "--json")
    assert told.code == 0, told.err
    assert "administrator" not in told.objects()[0]
    settings = load_settings(tmp_path / "alone")
    assert settings.access.demo and settings.api.place[0] == "127.0.0.1"
    assert shiprider("init", tmp_path / "many", "--json").objects()[0]["administrator"]["code"]
    assert not load_settings(tmp_path / "many").access.demo
