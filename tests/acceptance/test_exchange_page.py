"""docs/exchange.md: its commands run as written on two nodes, its settings are read, bad introductions are one sentence."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from shiprider.settings import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "exchange.md").read_text()


@pytest.fixture
def pair(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    """A node `col` in ./node and a partner `usa` in ./other."""
    for name, folder in (("col", "node"), ("usa", "other")):
        assert shiprider("init", tmp_path / folder, "--alone", "--name", name).code == 0
        with (tmp_path / folder / "shiprider.toml").open("a") as settings:
            settings.write("")
    return tmp_path


def test_the_commands_of_the_page_run(shiprider, pair, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(pair)
    told = shiprider("partner", "introduce", "them.json", "--node", "other", "--json")
    fingerprint = told.objects()[0]["fingerprint"]
    commands = [
        each for each in re.findall(r"`(shiprider partner [^`]*)`", PAGE) if each != "shiprider partner"
    ]
    assert len(commands) == 5
    for line in commands:
        line = line.replace("'12345 67890 …'", f"'{fingerprint}'").replace("'…'", "'they left'")
        line = line.replace("--by …", "--by 'Ana Ruiz'")
        words = shlex.split(line)[1:]
        if "--node" not in words:
            words += ["--node", "./node"]
        told = shiprider(*words)
        assert told.code == 0, (line, told.err)
    (listed,) = shiprider("partner", "list", "--node", "./node", "--json").objects()
    assert listed["node"] == "usa" and listed["state"] == "revoked"
    assert listed["place"] == "192.0.2.7:4250" and listed["clearance"] == "SECRET"


def test_the_settings_of_the_page_are_read() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.S)
    exchange = parse(block, "page").exchange
    assert exchange.place == ("0.0.0.0", 4250)  # noqa: S104 (compared)
    assert exchange.way("ship").kbit_s == 9.6 and exchange.way("outpost").stick == "stick"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda text: text.replace('"usa"', '"nld"'), "altered"),
        (lambda text: text[:100], "no introduction"),
        (lambda text: text.replace('"active"', '"retired"'), "one that signs"),
        (lambda text: "", "no introduction"),
    ],
    ids=["renamed", "cut", "retired", "empty"],
)
def test_a_bad_introduction_is_one_sentence(shiprider, pair, change, word):  # type: ignore[no-untyped-def]
    file = pair / "them.json"
    assert shiprider("partner", "introduce", file, "--node", pair / "other").code == 0
    file.write_text(change(file.read_text()))
    told = shiprider("partner", "add", file, "--by", "Ana Ruiz", "--node", pair / "node")
    assert told.code == 3, told.err
    said = [line for line in told.err.splitlines() if line.startswith("shiprider: ")]
    assert len(said) == 1 and word in said[0]
    assert shiprider("partner", "list", "--node", pair / "node", "--json").objects() == []
    shutil.rmtree(pair / "other")
