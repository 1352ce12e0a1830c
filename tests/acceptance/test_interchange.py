"""Exchange with other software as its users meet it: files by commands, a running node asked over TLS by OASIS' client."""

import csv
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import stix2
from pymisp import MISPEvent
from taxii2client.v21 import Server, as_pages

from shiprider.bootstrap.access import open_access
from shiprider.bootstrap.folder import load_settings
from shiprider.flow import api_tokens
from shiprider.flow.ids import new_id
from shiprider.model.account import Account


def person(folder: Path, login: str, *roles: Any) -> str:
    """An account of the stopped node, and the secret of a token of his."""
    with open_access(folder, load_settings(folder)) as access:
        account = access.accounts.add(
            Account(id=new_id(), login=login, name=login.title(), roles=roles, clearance="SECRET", made_us=1)
        )
        return api_tokens.make(access, account, "test", "watch", 2)[1]


def export(shiprider: Any, node: Path, target: Path, format_: str, by: str = "ana") -> Any:
    told = shiprider(
        "export", target, "--format", format_, "--by", by, "--reason", "request 7", "--node", node, "--json"
    )
    assert told.code == 0, told.err
    return told.objects()[0]


def test_files_of_every_format_are_read_by_other_software(shiprider: Any, node: Path, tmp_path: Path) -> None:
    names = {name: tmp_path / f"{name}.out" for name in ("stix", "misp", "geojson", "csv")}
    told = {name: export(shiprider, node, path, name) for name, path in names.items()}
    counted = {each["records"] for each in told.values()}
    assert len(counted) == 1 and counted.pop() > 1
    many = told["csv"]["records"]
    bundle = stix2.parse(names["stix"].read_text(), allow_custom=False)
    own = [each for each in bundle.objects if each.type in ("report", "grouping")]
    assert len(own) == many and all(
        each.name.startswith("SIMULATED: ") for each in own if "simulated" in each.get("labels", [])
    )
    events = json.loads(names["misp"].read_text())["response"]
    for each in events:
        made = MISPEvent()
        made.load(json.dumps(each))
        assert made.info and made.objects
    assert len(events) == many
    features = json.loads(names["geojson"].read_text())["features"]
    rows = list(csv.DictReader(io.StringIO(names["csv"].read_bytes().decode(), newline="")))
    assert len(features) == len(rows) == many
    assert {row["record"] for row in rows} == {each["id"] for each in features}
    assert {row["marking_of_file"] for row in rows} == {told["csv"]["marking"]} != {""}
    assert names["csv"].stat().st_mode & 0o077 == 0, "for its owner alone"
    told = shiprider("audit", "--node", node, "--act", "export", "--json")
    assert told.code == 0 and "request 7" in told.out


def test_the_same_is_written_again_as_the_same(shiprider: Any, node: Path, tmp_path: Path) -> None:
    for n in "ab":
        export(shiprider, node, tmp_path / n, "misp")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    told = shiprider("export", tmp_path / "a", "--by", "ana", "--reason", "x", "--node", node)
    assert told.code == 2 and "nothing is overwritten" in told.err


def test_who_may_not_export_writes_no_file(shiprider: Any, node: Path, tmp_path: Path) -> None:
    person(node, "officer", "watch_officer")
    target = tmp_path / "x.json"
    told = shiprider(
        "export", target, "--by", "officer", "--reason", "x", "--purpose", "watch", "--node", node
    )
    assert told.code == 9 and "do not export" in told.err and not target.exists()
    told = shiprider("export", target, "--by", "nobody", "--reason", "x", "--node", node)
    assert told.code == 2 and not target.exists()


def test_what_others_wrote_is_taken_in_once_and_listed(shiprider: Any, node: Path, tmp_path: Path) -> None:
    name = "\x1b[2Jevil"
    vessel = stix2.Identity(name=name, identity_class="system", object_marking_refs=stix2.TLP_AMBER)
    (tmp_path / "b.json").write_text(stix2.Bundle(vessel, stix2.TLP_AMBER).serialize())
    words = ("--by", "José Peña", "--source", "JIATF", "--grade", "B2", "--node", node, "--json")
    told = shiprider("import", "stix", tmp_path / "b.json", *words)
    assert told.objects() == [{"new": 1, "revised": 0, "known": 0, "older": 0, "unreadable": 0}], told.err
    assert shiprider("import", "stix", tmp_path / "b.json", *words).objects()[0]["known"] == 1
    event = MISPEvent()
    assert (
        shiprider("foreign", "--node", node, "--json").objects()[0]["taken_in_by"]
        == "José Peña (command line)"
    )
    event.from_dict(info="Seen", distribution=3)
    (tmp_path / "m.json").write_text(event.to_json())
    assert shiprider("import", "misp", tmp_path / "m.json", *words).objects()[0]["new"] == 1
    (tmp_path / "bad.json").write_text('{"objects": [{"type": "note", "id": "x"}]}')
    assert shiprider("import", "stix", tmp_path / "bad.json", *words).objects()[0]["unreadable"] == 1
    shown = shiprider("foreign", "--node", node, "--json").objects()
    assert [each["format"] for each in shown] == ["stix-2.1", "misp", "stix-2.1"]
    assert shown[0]["fault"] and shown[0]["marking"]["level"] == "UNKNOWN"
    unread = shiprider("foreign", "--node", node, "--unreadable", "--json").objects()
    assert [each["id"] for each in unread] == [shown[0]["id"]]
    assert shown[2]["title"] == name and shown[2]["reliability"] + shown[2]["credibility"] == "B2"
    assert "TLP:AMBER" in shown[2]["marking"]["banner"]
    told = shiprider("foreign", "--node", node)
    assert "\x1b" not in told.out and "evil" in told.out
    assert shiprider("doctor", "--node", node, "--json").code == 0


@pytest.mark.parametrize("format_", ["stix", "misp"])
def test_a_file_that_is_none_is_one_sentence(
    shiprider: Any, node: Path, tmp_path: Path, format_: str
) -> None:
    (tmp_path / "x").write_bytes(b"\xff\x00")
    told = shiprider("import", format_, tmp_path / "x", "--by", "ana", "--node", node)
    assert told.code == 3 and len(told.err.strip().splitlines()) == 1
    told = shiprider("import", format_, tmp_path / "none", "--by", "ana", "--node", node)
    assert told.code == 2 and len(told.err.strip().splitlines()) == 1


def test_over_tls_the_client_of_oasis_and_another_node_read_what_each_may(
    shiprider: Any, spawn: Any, node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They would count for more with the client of OASIS than what it is told to trust.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    secrets = {
        "ana": person(node, "ana", "intelligence_analyst"), "olga": person(node, "olga", "watch_officer"),
    }  # fmt: skip
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (node / "shiprider.toml").read_text()
    (node / "shiprider.toml").write_text(
        text.replace("[api]\n", f'[api]\nlisten = "127.0.0.1:{port}"\ntls = true\n')
    )
    process = spawn("run", node, "--json")
    line = process.stdout.readline()
    assert line, process.stderr.read()
    url, authority = json.loads(line)["url"], json.loads((node / "node.address").read_text())["authority"]
    assert url.startswith("https://") and Path(authority).is_file()
    place = f"https://127.0.0.1:{port}/taxii2/"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = Server(place, user="ana", password=secrets["ana"], verify=authority)
        readable, _ = server.default.collections
        pages = list(as_pages(readable.get_objects, per_request=20))
        objects = [each for page in pages for each in page.get("objects", [])]
        assert len(pages) > 1 and {each["type"] for each in objects} >= {
            "report",
            "grouping",
            "sighting",
            "location",
        }
        stix2.parse(
            {"type": "bundle", "id": f"bundle--{objects[0]['id'].partition('--')[2]}", "objects": objects}
        )
        note = stix2.Note(content="x", object_refs=[objects[0]["id"]])
        officer = Server(place, user="olga", password=secrets["olga"], verify=authority)
        refused, box = officer.default.collections
        assert (refused.can_read, box.can_write) == (False, True)
        status = box.add_objects({"objects": [json.loads(note.serialize())]})
        assert (status.status, status.success_count) == ("complete", 1)
    # A node of others imports from it; that one has its own ledger and trusts nothing.
    other = tmp_path / "other"
    assert shiprider("init", other, "--alone", "--name", "usa").code == 0
    (tmp_path / "token").write_text(secrets["ana"] + "\n")
    words = (
        "import",
        "taxii",
        place,
        "--by",
        "Ann",
        "--token-file",
        tmp_path / "token",
        "--authority",
        authority,
        "--node",
        other,
        "--json",
    )
    told = shiprider(*words)
    assert told.code == 12 and "not allowed" in told.err, "a private address that nobody allowed"
    told = shiprider(*words, "--private", "127.0.0.1/32")
    assert told.code == 0, told.err
    done = told.objects()[0]
    own = {
        each["id"] for each in objects if each["type"] not in ("marking-definition", "extension-definition")
    }
    assert done["new"] == len(own) and done["unreadable"] == 0
    again = shiprider(*words, "--private", "127.0.0.1/32", "--since", done["since"]).objects()[0]
    assert again["new"] == again["revised"] == 0
    process.terminate()
    process.wait(60)
