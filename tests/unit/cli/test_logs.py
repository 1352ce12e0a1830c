"""The operational log: JSON lines that no name, call sign, MMSI or text of a person can reach."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from shiprider.cli.logs import FACTS, log_json

PERSONAL = ("Maria Example", "SANTA RITA", "ABC1", "224123456", "seen with two men", "officer 7", "10.1.2.3")


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    # A server that ran before in this process made it speak seldom.
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "filters", [])
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    log_json(stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


def test_what_a_program_logs_about_people_and_vessels_stays_out(out: io.StringIO) -> None:
    ours, theirs = logging.getLogger("shiprider.node"), logging.getLogger("uvicorn.error")
    for text in PERSONAL:
        ours.info("note written by %s", text)
        ours.info("note", extra={"who": text, "mmsi": text, "vessel": text})
        theirs.warning(f"GET /api/v1/vessels?search={text}")
        theirs.warning("request from %s", text)
        try:
            raise ValueError(f"cannot read {text}")
        except ValueError:
            ours.exception("request failed")
        try:
            {}[text]
        except KeyError as error:
            ours.error("request failed", exc_info=error)
    lines = out.getvalue().splitlines()
    assert len(lines) == 6 * len(PERSONAL)
    for text in PERSONAL:
        assert text not in out.getvalue()
    for line in map(json.loads, lines):
        assert set(line) <= {"time", "level", "logger", "event", "line", "trace", *FACTS}
    failed = [json.loads(line) for line in lines if "trace" in line]
    assert {each["error"] for each in failed} == {"ValueError", "KeyError"}
    assert "test_logs.py" in failed[0]["trace"][-1]


def test_facts_of_the_node_are_there(out: io.StringIO) -> None:
    log = logging.getLogger("shiprider.node")
    log.info("feed condition", extra={"feed": "coast", "condition": "down", "messages": 12})
    line = json.loads(out.getvalue())
    assert (line["event"], line["feed"], line["condition"], line["messages"]) == (
        "feed condition",
        "coast",
        "down",
        12,
    )
    assert line["level"] == "info" and line["time"].endswith("+00:00")
