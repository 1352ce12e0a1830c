"""Codes that detectors and the API send have words in both of the client's catalogues."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shiprider.detect.catalogue import shipped
from shiprider.model.codes import Nature, ReceiverKind, TransmitterClass
from shiprider.model.identity import VesselClass

ROOT = Path(__file__).resolve().parents[3]
DETECT = ROOT / "src/shiprider/detect"
MESSAGES = ROOT / "web/src/messages"


def _weights(tree: ast.AST) -> Iterator[str]:
    """Names of what weighs: keys of the mappings from words to log-odds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and node.keys and all(_is_number(value) for value in node.values):
            for key in node.keys:
                yield from (text for text in _texts(key) if text.islower())
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if isinstance(target.value, ast.Name) and target.value.id in ("weights", "found"):
                yield from _texts(target.slice)
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "name"
        ):
            yield from _texts(node.value)


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _weighed() -> set[str]:
    found: set[str] = set()
    for source in DETECT.glob("*.py"):
        found |= set(_weights(ast.parse(source.read_text(encoding="utf-8"))))
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_code_has_words(language: str) -> None:
    if not MESSAGES.is_dir():
        pytest.skip("the web client's source is not here: this is an installed package")
    words = json.loads((MESSAGES / f"{language}.json").read_text(encoding="utf-8"))
    weighed = _weighed()
    assert {"night", "tug or tow", "under way", "no longer than its usual silences"} <= weighed
    codes = {
        *(f"weight.{name.replace(' ', '_')}" for name in weighed - {"imo", "mmsi", "callsign", "name"}),
        *(f"behaviour.{preset.behaviour}" for preset in shipped()),
        *(f"kind.{kind.name.lower()}" for kind in VesselClass),
        *(f"station.{kind.name.lower()}" for kind in TransmitterClass),
        *(f"receiver.{kind.name.lower()}" for kind in ReceiverKind),
        *(f"nature.{kind.name.lower()}" for kind in Nature),
        *(f"model.{kind}" for kind in ("prior", "line", "steps")),
    }
    assert sorted(codes - set(words)) == []
