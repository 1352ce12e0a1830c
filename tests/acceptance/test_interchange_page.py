"""docs/interchange.md: its commands run as written, and what it says of roles is the table of permissions."""

import re
import shlex
from pathlib import Path

import stix2
from pymisp import MISPEvent

from shiprider.api.permissions import ROLES_OF
from shiprider.share.release import roles_for

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "interchange.md").read_text()


def test_the_commands_of_the_page_run(shiprider, node, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    assert node == tmp_path / "node"
    (tmp_path / "bundle.json").write_text(stix2.Bundle(stix2.Identity(name="SEA FOX")).serialize())
    event = MISPEvent()
    event.from_dict(info="Seen")
    (tmp_path / "events-of-others.json").write_text(event.to_json())
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.S)
        for line in block.splitlines()
        if line.startswith("shiprider ")
    ]
    assert len(lines) == 8
    for line in lines:
        told = shiprider(*shlex.split(line)[1:])
        assert told.code == 0, (line, told.err)
    for name in ("alerts.json", "alerts.csv", "events.json", "alerts.geojson"):
        assert (tmp_path / name).stat().st_size > 500


def test_its_table_of_roles_is_what_the_node_does() -> None:
    rows = re.findall(r"^\| ([a-z ,]+) \| (yes|no) \| (yes|no) \|$", PAGE, flags=re.M)
    assert len(rows) == 4
    reads, hands_in = set[str](), set[str]()
    for names, read, hand_in in rows:
        roles = {name.strip().replace(" ", "_") for name in names.split(",")} - {"all_others"}
        reads |= roles if read == "yes" else set()
        hands_in |= roles if hand_in == "yes" else set()
    assert reads == ROLES_OF["export"] == set(roles_for("export", "finding"))
    assert hands_in == ROLES_OF["hand_in"]
