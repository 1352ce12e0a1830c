"""Two nations' nodes as processes of their own, with a real broker between them: what the label allows arrives."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

POLICY = """schema = 1
node = "{node}"

[[homes]]
node = "col"
nation = "COL"

[[homes]]
node = "usa"
nation = "USA"

[[agreements]]
id = "accord"
title = "Accord"
from = 2020-01-01
source = "an example"

[[agreements.parties]]
name = "col"
nation = "COL"
standings = [{{ from = 2020-01-01, status = "in_force" }}]

[[agreements.parties]]
name = "usa"
nation = "USA"
standings = [{{ from = 2020-01-01, status = "in_force" }}]

[[agreements.sharing]]
id = "1"
shared_by = ["col", "usa"]
shared_with = ["col", "usa"]
kinds = ["*"]
purposes = ["*"]
highest = "SECRET"
"""

SETTINGS = """node = "{node}"
nation = "{nation}"
policy = "policy.toml"

[exchange]
{exchange}
"""

FEED = """
[[feeds]]
name = "coast"
kind = "file"
path = "{path}"
label = "{label}"
"""


def settled(folder: Path, node: str, exchange: str, feed: str = "") -> None:
    text = SETTINGS.format(node=node, nation=node.upper(), exchange=exchange) + feed
    (folder / "shiprider.toml").write_text(text)
    (folder / "policy.toml").write_text(POLICY.format(node=node))


@pytest.fixture
def two(shiprider: Any, tmp_path: Path, recording: Path) -> tuple[Path, Path, int]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    col, usa = tmp_path / "col", tmp_path / "usa"
    for folder in (col, usa):
        assert shiprider("init", folder, "--alone", "--name", folder.name).code == 0
    label = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"
    settled(col, "col", f'listen = "127.0.0.1:{port}"', FEED.format(path=recording, label=label))
    settled(usa, "usa", "")
    for mine, other, place in ((col, usa, ""), (usa, col, f"127.0.0.1:{port}")):
        file = tmp_path / f"{other.name}.json"
        told = shiprider("partner", "introduce", file, "--node", other, "--json")
        assert told.code == 0, told.err
        read_out = told.objects()[0]["fingerprint"]
        words = ["--place", place] if place else []
        told = shiprider("partner", "add", file, *words, "--by", "Ana Ruiz", "--node", mine)
        assert told.code == 0, told.err
        alone = ("partner", "confirm", other.name, read_out, "--purpose", "watch", "--node", mine)
        assert shiprider(*alone, "--by", "Ana Ruiz").code == 9, "one person alone"
        told = shiprider(*alone, "--clearance", "SECRET", "--by", "Luz Paz")
        assert told.code == 0, told.err
    return col, usa, port


def alerts(shiprider: Any, folder: Path) -> list[dict[str, Any]]:
    told = shiprider("alerts", "--node", folder, "--json")
    return [json.loads(line) for line in told.out.splitlines()] if told.code == 0 else []


def waited(what: Any, within_s: float = 120.0) -> Any:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.5)
    return what()


def test_an_alert_of_one_nation_is_on_the_others_watch_floor(shiprider: Any, spawn: Any, two: Any) -> None:
    col, usa, _ = two
    running = [spawn("run", folder, "--port", 0, "--json") for folder in (col, usa)]
    for each in running:
        # A command asks a node that runs; before that it would open the folder itself.
        assert json.loads(each.stdout.readline())["url"]
    mine = waited(lambda: alerts(shiprider, col))
    assert mine, running[0].poll()
    theirs = waited(lambda: len(found := alerts(shiprider, usa)) >= len(mine) and found)
    assert {each["id"] for each in theirs} >= {each["id"] for each in mine}
    # The other nation looks at it and cannot decide it: it is not theirs.
    told = shiprider("alerts", "--node", usa, "--dismiss", mine[0]["id"], "--reason", "duplicate")
    assert told.code != 0
    for each in running:
        each.terminate()
        each.wait(60)
    for folder in (col, usa):
        told = shiprider("doctor", "--node", folder, "--json")
        wrong = [check for check in told.objects() if not check["ok"]]
        assert [check for check in wrong if check["check"] in ("ledger", "spool", "access log")] == []
