"""`make demo`: four nodes in one command; an alert is where its label lets it be, and one is taken back from all."""

import json
import time
from pathlib import Path
from typing import Any


def test_an_alert_is_at_two_partners_and_not_at_the_third_and_comes_back(spawn: Any, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    words = ("--folder", folder, "--coalition", "--no-browser", "--port", 0, "--json", "--speed", 60)
    running = spawn("demo", *words)
    told: dict[str, Any] = {}
    began = time.monotonic()
    while "recall" not in told and time.monotonic() - began < 280:
        line = running.stdout.readline()
        assert line, "the demonstration ended"
        said = json.loads(line)
        if "partner" in said:
            told.setdefault("partners", []).append(said["partner"])
            assert said["url"].startswith("http://127.0.0.1:")
        else:
            told |= said
    assert told["partners"] == ["usa", "nld", "cutter"]
    assert (told["at"], told["not_at"]) == (["usa", "nld"], ["cutter"])
    assert told["recall"] == told["alert"] and told["gone"] is True
    assert set(told["answered_s"]) == {"usa", "nld"}
    assert max(told["answered_s"].values()) < 60
    running.terminate()
    running.wait(60)
    # Each node has keys of its own, and nobody is left running.
    keys = {path.read_bytes() for path in folder.rglob("keys/*") if path.is_file()}
    assert len(keys) >= 4
    assert not list(folder.rglob("node.address"))
