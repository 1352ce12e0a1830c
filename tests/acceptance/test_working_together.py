"""Two nations' nodes work together by their commands: bundles go on a stick, nothing else is between them."""

from pathlib import Path
from typing import Any

import pytest

from acceptance.test_nations_exchange import settled

STICK = '\n[[exchange.ways]]\npartner = "{partner}"\nstick = "{place}"\n'


@pytest.fixture
def two(shiprider: Any, tmp_path: Path) -> tuple[Path, Path]:
    col, usa = tmp_path / "col", tmp_path / "usa"
    for folder in (col, usa):
        assert shiprider("init", folder, "--alone", "--name", folder.name).code == 0
        settled(folder, folder.name, "")
        with (folder / "shiprider.toml").open("a") as settings:
            other = "usa" if folder is col else "col"
            settings.write(STICK.format(partner=other, place=tmp_path / "stick"))
    (tmp_path / "stick").mkdir()
    for mine, other in ((col, usa), (usa, col)):
        file = tmp_path / f"{other.name}.json"
        told = shiprider("partner", "introduce", file, "--node", other, "--json")
        read_out = told.objects()[0]["fingerprint"]
        assert shiprider("partner", "add", file, "--by", "Ana Ruiz", "--node", mine).code == 0
        confirm = ("partner", "confirm", other.name, read_out, "--purpose", "watch", "--clearance", "SECRET")
        assert shiprider(*confirm, "--by", "Luz Paz", "--node", mine).code == 0
    return col, usa


def test_by_its_commands(shiprider: Any, spawn: Any, two: tuple[Path, Path]) -> None:
    import time

    col, usa = two

    def asked(*words: Any, code: int = 0) -> Any:
        told = shiprider(*words)
        assert told.code == code, (words, told.err)
        return told

    alone = asked("partner", "case", "usa", "K-7", "--by", "Ana Ruiz", "--node", col, code=9)
    assert "second person" in alone.err
    for mine, other in ((col, "usa"), (usa, "col")):
        asked("partner", "case", other, "K-7", "--by", "Ana Ruiz", "--agreed-by", "Luz Paz", "--node", mine)
    fixed = ("--fixed", "is_it_yours", "--set", "vessel=235000001", "--language", "es")
    made = asked(
        "request", "ask", *fixed, "--to", "usa", "--about", "vessel:235000001", "--within-h", "1", "--officer", "Ana Ruiz",
        "--node", col, "--json",
    ).objects()[0]  # fmt: skip
    assert made["author"] == "Ana Ruiz" and made["question"]["sent_language"] == "es"
    asked(
        "chat",
        "K-7",
        "Hay niebla.",
        "--language",
        "es",
        "--to",
        "usa",
        "--officer",
        "Ana Ruiz",
        "--node",
        col,
    )

    running = [spawn("run", folder, "--port", 0, "--json") for folder in (col, usa)]
    for each in running:
        assert each.stdout.readline()

    def waited(what: Any) -> Any:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            if found := what():
                return found
            time.sleep(0.5)
        return None

    listing = ("request", "list", "--of-us", "--waiting", "--node", usa, "--json")
    theirs = waited(lambda: shiprider(*listing).objects())
    assert theirs and theirs[0]["question"]["text"] == "Do you confirm that 235000001 (GBR) flies your flag?"
    asked(
        "request", "answer", theirs[0]["number"], "answered", "It is.", "--officer", "Bo Lee", "--node", usa
    )
    heard = waited(lambda: shiprider("chat", "K-7", "--node", usa, "--json").objects())
    assert heard and (heard[0]["said"]["text"], heard[0]["said"]["language"]) == ("Hay niebla.", "es")
    done = waited(
        lambda: [e for e in shiprider("request", "list", "--node", col, "--json").objects() if not e["waits"]]
    )
    assert done and done[0]["answers"][0]["author"].startswith("Bo Lee")
    (times,) = asked("request", "list", "--times", "--node", col, "--json").objects()
    assert times["node"] == "usa" and times["answered"] == 1 and times["median_us"] > 0
    assert "answered" in asked("request", "list", "--node", col).out
    assert "col  Ana Ruiz: Hay niebla." in asked("chat", "K-7", "--node", col).out
    wrong = asked("request", "answer", "COL-ZZZZZZ", "answered", "x", "--node", usa, code=8)
    assert "no request" in wrong.err
