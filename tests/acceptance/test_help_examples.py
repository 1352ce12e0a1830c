"""What the help shows can be typed, and `--json` is one object a line everywhere."""

import importlib
import json
import shlex
from pathlib import Path

import click
import pytest

from shiprider.cli.main import COMMANDS

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def examples(name: str) -> list[list[str]]:
    """The words of a command's examples, without pipes and redirections."""
    command = importlib.import_module(f"shiprider.cli.{COMMANDS[name][0]}").command
    told = (command.epilog or "").split("Example: ")[1:]
    found = []
    for line in told:
        words = shlex.split(line.split("|")[0].split(">")[0])
        assert words[:2] == ["shiprider", name], line
        found.append(words[2:])
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_the_help_is_understood(name: str) -> None:
    command = importlib.import_module(f"shiprider.cli.{COMMANDS[name][0]}").command
    assert examples(name), f"{name} shows no example"
    for words in examples(name):
        context = command.make_context(name, list(words))
        if isinstance(command, click.Group) and context._protected_args:
            inner = command.get_command(context, context._protected_args[0])
            assert inner is not None, words
            inner.make_context(context._protected_args[0], [*context._protected_args[1:], *context.args])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_program(shiprider, shell):  # type: ignore[no-untyped-def]
    told = shiprider("completion", shell)
    assert told.code == 0, told.err
    assert "_SHIPRIDER_COMPLETE" in told.out


def test_json_is_one_object_a_line_in_every_command(shiprider, node, recording, tmp_path, sealing):  # type: ignore[no-untyped-def]
    alert = shiprider("alerts", "--node", node, "--json", "--limit", 1).objects()[0]
    vessel = alert["participants"][0]["mmsi"]
    commands = [
        ["init", tmp_path / "new", "--json"],
        ["decode", recording, "--limit", 5, "--json"],
        ["detect", recording, "--json"],
        ["ingest", recording, "--node", node, "--json"],
        ["alerts", "--node", node, "--json"],
        ["alerts", alert["id"], "take", "--node", node, "--json"],
        ["tracks", vessel, "--node", node, "--json"],
        ["quarantine", "--node", node, "--json"],
        ["quarantine", "--entries", 3, "--node", node, "--json"],
        ["quarantine", "--replay", "--node", node, "--json"],
        ["report", "calibration", "--node", node, "--json"],
        ["retention", "--dry-run", "--node", node, "--json"],
        ["backup", tmp_path / "copy", *sealing, "--node", node, "--json"],
        ["backup", tmp_path / "copy", "--check", "--json"],
        ["restore", tmp_path / "copy", tmp_path / "restored", *sealing, "--json"],
        ["rebuild", tmp_path / "restored", "--json"],
        ["doctor", "--node", node, "--json"],
        ["policy", "check", EXAMPLES / "policy.toml", "--json"],
        ["policy", "diff", EXAMPLES / "policy-wider.toml", EXAMPLES / "policy.toml", "--json"],
        ["partner", "introduce", tmp_path / "us.json", "--node", node, "--json"],
        ["partner", "list", "--node", node, "--json"],
        ["simulate", "demo", "--hours", 1, "--out", tmp_path / "s.nmea", "--json"],
    ]
    for words in commands:
        told = shiprider(*words)
        assert told.code in ((0, 1) if words[0] == "doctor" else (0,)), (words, told.err)
        for line in told.out.splitlines():
            assert isinstance(json.loads(line), dict), (words, line[:200])
