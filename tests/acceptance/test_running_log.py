"""A whole node under `--log-json`: it says what it does, and nothing of whom or which vessel."""

import json
import signal
import sqlite3
import time
import urllib.error
import urllib.request

import pytest


@pytest.mark.timeout(240)
def test_a_running_nodes_log_names_nobody(spawn, shiprider, node):  # type: ignore[no-untyped-def]
    from shiprider.bootstrap.node import open_node

    with open_node(node) as opened:
        said = opened.lake.scan("statements", ["claimed_id", "name", "callsign"]).collect()
    names = {
        str(value) for column in said.columns for value in said[column].to_list() if len(str(value or "")) > 4
    }
    assert len(names) > 20
    process = spawn("run", node, "--port", 0, "--json", "--log-json")
    told = json.loads(process.stdout.readline())
    address = json.loads((node / "node.address").read_text())

    def ask(method: str, path: str, body: object = None) -> int:
        request = urllib.request.Request(
            f"{address['origin']}/api/v1{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {address['token']}", "Content-Type": "application/json",
                     "X-Officer": "Maria Example"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert told["port"] and ask("GET", "/metrics") in (200, 403)
    mmsi = next(name for name in names if name.isdigit())
    assert (
        ask("POST", "/notes", {"subject_kind": "vessel", "subject": mmsi, "text": "seen with two men"}) == 201
    )
    assert ask("GET", f"/vessels/{mmsi}") in (200, 404)
    assert ask("GET", "/vessels/abc") in (400, 404)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=90)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"node started", "node stopped"} <= {line["event"] for line in lines}
    for word in (*names, "Maria Example", "seen with two men", address["token"]):
        assert not [line for line in lines if word in json.dumps(line)], word
    # It was there to be told: the ledger has it.
    with sqlite3.connect(node / "ledger.sqlite") as base:
        assert (
            base.execute(
                "SELECT count(*) FROM record WHERE author = 'Maria Example (command line)'"
            ).fetchone()[0]
            == 1
        )
    assert (node / "access" / "head").exists() and (node / "state" / "disk.history").read_text()
