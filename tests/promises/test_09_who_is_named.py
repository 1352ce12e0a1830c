"""Promise 9: the access log knows everybody by one name that stays, and says what was searched for.

Every file that writes an entry is tried here: a new one has to be added to WRITERS and to what is done below.
"""

import io
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shiprider.api.recording import asked_for
from shiprider.bootstrap.evidence import export_evidence
from shiprider.bootstrap.node import open_node
from shiprider.cli.audit import _answer
from shiprider.cli.logs import log_json
from shiprider.model.access_entry import AccessEntry
from shiprider.ports.access_log import Question
from shiprider.settings import Settings

SOURCE = Path(__file__).resolve().parents[2] / "src/shiprider"
#: Files that make an entry, and what of their entries must have been seen here.
WRITERS = {
    "api/authorising.py": "GET /api/v1/vessels",
    "flow/administering.py": "accounts",
    "flow/api_tokens.py": "make token",
    "flow/break_glass.py": "break glass",
    "flow/desk_steps.py": "propose wider label",
    "flow/key_desk.py": "rotate the signing key",
    "flow/logged_access.py": "evidence",
    "flow/sign_in.py": "sign in",
}
WHY = "Asked for by the court today."


def test_whatever_writes_it_who_is_the_login_and_the_name_stands_beside_it(
    people: Any, tmp_path: Path
) -> None:
    making = re.compile(r"\bAccessEntry\(\n|\},\s*AccessEntry")
    files = {
        str(each.relative_to(SOURCE)) for each in SOURCE.rglob("*.py") if making.search(each.read_text())
    }
    assert files - {"cli/bench/access_log.py"} == set(WRITERS)

    with people.floor(tmp_path) as floor:
        for login, role in (
            ("watch", "watch_officer"), ("liaison", "liaison_officer"), ("keeper", "node_administrator"),
            ("auditor", "auditor"), ("custodian", "evidence_custodian"),
        ):  # fmt: skip
            floor.add(login, role, clearance="secret")
        log = floor.opened.access_log
        floor.give_password("watch")
        stranger, code = floor.stranger(), people.authenticator(people.SEED, time.time())
        wrong = {"login": "watch", "password": "no", "code": "000000"}
        assert stranger.post("/api/v1/sign-in/password", json=wrong).status_code == 401
        assert stranger.post("/api/v1/sign-in/password", json={**wrong, "login": "who"}).status_code == 401
        good = {"login": "watch", "password": people.PASSWORD, "code": code}
        assert stranger.post("/api/v1/sign-in/password", json=good).status_code == 200

        watch, keeper, liaison = floor.client("watch"), floor.client("keeper"), floor.client("liaison")
        assert watch.get("/api/v1/vessels", params={"q": "santa rita"}).status_code == 200
        assert watch.get(f"/api/v1/alerts/{'0' * 32}").status_code == 404
        assert watch.get("/api/v1/accounts").status_code == 403
        taken = {"role": "legal_adviser", "reason": WHY, "minutes": 5, "second": floor.people["liaison"].id}
        assert watch.post("/api/v1/break-glass", json=taken).status_code == 200
        new = {"login": "new", "name": "Somebody New", "roles": ["watch_officer"], "nation": "COL"}
        made = keeper.post("/api/v1/accounts", json=new)
        assert made.status_code in (200, 201), made.text
        assert (
            keeper.post(f"/api/v1/accounts/{made.json()['account']['id']}/code", json={}).status_code == 200
        )
        active = keeper.get("/api/v1/keys").json()["keys"][0]["key_id"]
        assert keeper.post("/api/v1/keys/rotate", json={"active": active}).status_code == 200
        alert = watch.get("/api/v1/alerts").json()["alerts"][0]
        label = "policy=COALITION class=SECRET rel=nations:COL"
        asked = {
            "kind": "alert", "id": alert["id"], "expected_revision": alert["revision"], "label": label, "why": WHY
        }  # fmt: skip
        assert liaison.post("/api/v1/relabellings", json=asked).status_code == 201
        token = {"name": "a program", "purpose": "watch", "days": 1}
        assert liaison.post("/api/v1/me/tokens", json=token).status_code == 201
        assert floor.client("auditor").get("/api/v1/audit/entries").status_code == 200
        export_evidence(
            floor.opened,
            alert["finding"],
            tmp_path / "package.zip",
            by="custodian",
            reason=WHY,
            purpose="evidence",
        )
        entries = [each for _, each in log.since(0, limit=10_000)]

    names = {login: login.title() for login in ("watch", "liaison", "keeper", "auditor", "custodian")}
    for each in entries:
        assert each.who in names or (each.who, each.name) == ("unknown", ""), each
        assert each.name == names.get(each.who, ""), each
    assert set(names) == {each.who for each in entries} - {"unknown"}
    whats = {each.what for each in entries}
    assert set(WRITERS.values()) <= whats, whats

    options = (
        "who",
        "object_id",
        "act",
        "outcome",
        "case",
        "since",
        "until",
        "save_head",
        "alarms",
        "people",
    )
    with open_node(tmp_path, Settings(nation="COL")) as opened:
        titles, rows = _answer(opened, {**dict.fromkeys(options, ""), "save_head": None, "limit": 5})
        last = opened.access_log.search(Question(newest_first=True, limit=1))[0][1]
    assert last.who.startswith("machine:") and last.name == last.who
    assert set(titles) <= set(rows[0]) and rows[0]["asked"] == ""


@pytest.fixture
def ordinary() -> Iterator[io.StringIO]:
    """The lines of the process, as `shiprider run` writes them."""
    root = logging.getLogger()
    kept, level, stream = root.handlers[:], root.level, io.StringIO()
    log_json(stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


def test_what_was_searched_for_is_in_the_log_and_in_no_line_of_the_process(
    people: Any, tmp_path: Path, ordinary: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    with people.floor(tmp_path) as floor:
        floor.add("ana", "watch_officer")
        client, log = floor.client("ana"), floor.opened.access_log
        asked = (
            ("/vessels", {"q": 'sánta "rita"', "limit": "3"}, 'q="sánta \\"rita\\"" limit="3"'),
            ("/vessels", {"q": "nobody of that name"}, 'q="nobody of that name"'),
            ("/findings", {"mmsi": "235000001", "behaviour": "gap"}, 'mmsi="235000001" behaviour="gap"'),
            ("/vessels", {"q": "x", "limit": "-1"}, 'q="x" limit="-1"'),
        )
        for path, query, expected in asked:
            before = log.head().sequence
            client.get(f"/api/v1{path}", params=query)
            entries = [each for _, each in log.since(before)]
            assert [each.asked for each in entries] == [expected]
    told = ordinary.getvalue() + "".join(capfd.readouterr())
    assert ordinary.getvalue()
    assert "rita" not in told and "nobody of that name" not in told and "235000001" not in told


def test_a_search_takes_little_room_in_the_log() -> None:
    long = asked_for(b"q=" + b"%C3%B1" * 50_000 + b"&limit=1")
    assert long.startswith('q="ññ') and len(long) == 401 and long.endswith("…")
    assert asked_for(b"&".join(b"a=%d" % n for n in range(100_000))).startswith('a="0" a="1"')
    assert asked_for(b"q=%ff%00&&=") == 'q="\ufffd\\u0000"'
    assert AccessEntry(at_us=1, who="a", session="", act="read", what="x", outcome="allowed").asked == ""
