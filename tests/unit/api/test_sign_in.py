"""Signing in over real HTTP: what lets in, what does not, how guessing is slowed, how sessions begin and end."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.sync.client import connect

from shiprider.adapters.accounts.attempts import FREE_TRIES, delay_us
from shiprider.adapters.accounts.sqlite import SqliteAccounts
from shiprider.api.ceremonies import MOST, WAIT_S, Ceremonies
from shiprider.api.sessions import ENROLLING_S, Sessions
from shiprider.flow.administering import first_administrator, renewed_code
from shiprider.flow.break_glass import MOST_HELD
from shiprider.flow.sign_in import SignIn, hash_of, new_code
from shiprider.model.account import Account, Notice
from shiprider.model.errors import Conflict, NotLogged, NotRecognised, NotYet, StorageError

Floor = Any


@pytest.fixture
def floor(people: Any, tmp_path: Path) -> Iterator[Floor]:
    with people.floor(tmp_path, data=False) as made:
        made.add("ana", "watch_officer")
        made.give_password("ana")
        yield made


@pytest.fixture(scope="module")
def watched(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """With an alert in it."""
    with people.floor(tmp_path_factory.mktemp("watched")) as made:
        made.add("ana", "watch_officer")
        yield made


def sign_in(floor: Floor, client: Any, people: Any, **more: Any) -> Any:
    body = {
        "login": "ana",
        "password": people.PASSWORD,
        "code": people.authenticator(people.SEED, time.time()),
        "purpose": "watch",
    }
    return client.post("/api/v1/sign-in/password", json={**body, **more})


def entries(floor: Floor, act: str = "") -> list[Any]:
    return [entry for _, entry in floor.access.log.since(0, act=act)]


# -- coming in --------------------------------------------------------------------------------------


def test_password_and_authenticator_open_and_the_code_is_used_up(floor: Floor, people: Any) -> None:
    client = floor.stranger()
    answer = sign_in(floor, client, people)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert client.get("/api/v1/alerts").status_code == 200
    assert client.get("/api/v1/session").json()["officer"] == "Ana"
    # The same code again, within its half minute: RFC 6238, 5.2.
    again = sign_in(floor, floor.stranger(), people)
    assert (again.status_code, again.json()["error"]) == (401, "not_recognised")


def test_what_is_wrong_is_never_said(floor: Floor, people: Any) -> None:
    floor.add("bea", "planner", disabled=True)
    answers = [
        sign_in(floor, floor.stranger(), people, **wrong)
        for wrong in (
            {"password": "wrong horse battery staple"},
            {"code": "000000"},
            {"login": "nobody"},
            {"login": "bea"},
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)
    denied = [entry for entry in entries(floor, "sign_in") if entry.outcome == "denied"]
    assert [entry.who for entry in denied] == ["ana", "ana", "unknown", "bea"]


def test_an_unknown_login_takes_as_long(floor: Floor, people: Any) -> None:
    """By the hash that is made for it: nobody's password costs what a wrong one costs."""
    spent: dict[str, list[float]] = {"ana": [], "nobody": []}
    for _ in range(7):
        for login, times in spent.items():
            _forget_tries(floor)
            begun = time.process_time()
            sign_in(floor, floor.stranger(), people, login=login, password=people.PASSWORD + "r")
            times.append(time.process_time() - begun)
    known, unknown = (sorted(times)[3] for times in spent.values())
    assert 0.6 < unknown / known < 1.7, spent


def stop_the_clock(floor: Floor) -> None:
    """Waits are then counted in tries alone, however busy this machine is."""
    now = floor.access.clock()
    object.__setattr__(floor.access, "clock", lambda: now)


def _forget_tries(floor: Floor) -> None:
    with floor.access.accounts._commit() as connection:
        connection.exec_driver_sql("DELETE FROM attempt")


def test_a_one_time_code_opens_only_the_making_of_a_way_in(floor: Floor, people: Any) -> None:
    code = renewed_code(floor.access, "ana")
    client = floor.stranger()
    body = {"login": "ana", "code": code.lower()}
    first = client.post("/api/v1/sign-in/code", json=body)
    assert first.status_code == 200
    assert floor.stranger().post("/api/v1/sign-in/code", json=body).status_code == 401
    for path in ("alerts", "me", "me/sessions", "status", "settings", "openapi.json"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path
    assert client.get("/api/v1/session").json()["enrolling"] is True
    with pytest.raises(websockets.InvalidStatus):
        cookie = f"shiprider_session={client.cookies['shiprider_session']}"
        url = f"ws://127.0.0.1:{floor.server.port}/api/v1/live"
        connect(url, additional_headers={"cookie": cookie}, origin=floor.server.origin)
    # What she had before is forgotten.
    assert sign_in(floor, floor.stranger(), people).status_code == 401

    seed = people.seed_of(client.post("/api/v1/me/authenticator", json={}).json()["secret"])
    new = {"password": "another fine sentence", "code": people.authenticator(seed, time.time())}
    wrong = (
        {**new, "password": "short"},
        {**new, "password": "aaaaaaaaaaaaaaaaaaaa"},
        {**new, "code": "000000"},
    )
    assert [client.post("/api/v1/me/password", json=each).status_code for each in wrong] == [400, 400, 401]
    before = client.cookies["shiprider_session"]
    assert client.post("/api/v1/me/password", json=new).status_code == 200
    # Access was gained: another cookie, and the old one opens nothing.
    assert client.cookies["shiprider_session"] != before
    with floor.stranger() as old:
        old.cookies.set("shiprider_session", before, domain="127.0.0.1")
        assert old.get("/api/v1/session").status_code == 401
    assert client.get("/api/v1/me").status_code == 200
    assert client.get("/api/v1/alerts").json()["error"] == "no_purpose"
    assert client.put("/api/v1/me/purpose", json={"purpose": "odd"}).status_code == 400
    assert client.put("/api/v1/me/purpose", json={"purpose": "watch", "case": "x"}).status_code == 400
    assert client.put("/api/v1/me/purpose", json={"purpose": "watch"}).status_code == 200
    assert client.get("/api/v1/alerts").status_code == 200


def test_a_code_that_is_too_old_or_anothers_is_none(floor: Floor) -> None:
    accounts, now = floor.access.accounts, floor.access.clock()
    other = floor.add("bea", "planner")
    code = renewed_code(floor.access, "ana")
    assert not accounts.use_code(other.id, hash_of(code), now)
    assert not accounts.use_code(floor.people["ana"].id, hash_of(code), now + 8 * 86_400_000_000)
    assert not accounts.use_code(floor.people["ana"].id, b"", now)
    assert not accounts.use_code(other.id, b"", now)
    assert accounts.use_code(floor.people["ana"].id, hash_of(code), now)
    assert not accounts.use_code(floor.people["ana"].id, hash_of(code), now)


def test_codes_are_long_and_never_the_same() -> None:
    made = {new_code() for _ in range(500)}
    assert len(made) == 500 and all(len(code.replace("-", "")) == 20 for code in made)
    assert hash_of("ABCDE-FGHJK") == hash_of(" abcde fghjk ")


def test_the_first_administrator_is_made_once_and_only_a_hash_is_kept(people: Any, tmp_path: Path) -> None:
    with people.floor(tmp_path, data=False) as made:
        found = first_administrator(made.access)
        assert found is not None and found[0].roles == ("node_administrator",)
        assert first_administrator(made.access) is None
        plain = found[1].replace("-", "").encode()
        for file in tmp_path.glob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert plain not in content and found[1].encode() not in content, file
        assert (tmp_path / "accounts.sqlite").stat().st_mode & 0o077 == 0


# -- guessing ---------------------------------------------------------------------------------------


def test_the_wait_doubles_and_ends() -> None:
    waits = [delay_us(tries, 900_000_000) // 1_000_000 for tries in range(1, 18)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert delay_us(10**6, 30_000_000) == 30_000_000


def test_guessing_is_slowed_and_says_how_long(floor: Floor, people: Any) -> None:
    stop_the_clock(floor)
    client = floor.stranger()
    seen = [sign_in(floor, client, people, code="000000") for _ in range(FREE_TRIES + 3)]
    assert [answer.status_code for answer in seen] == [401] * FREE_TRIES + [429] * 3
    assert int(seen[-1].headers["retry-after"]) >= 1
    # The right secrets too must wait: else waiting would tell.
    assert sign_in(floor, client, people).status_code == 429


def test_guesses_at_once_gain_nothing(floor: Floor, people: Any) -> None:
    stop_the_clock(floor)
    with ThreadPoolExecutor(24) as pool:
        found = list(
            pool.map(
                lambda n: sign_in(floor, floor.stranger(), people, code=f"{n:06d}").status_code, range(48)
            )
        )
    assert found.count(401) <= FREE_TRIES and found.count(401) + found.count(429) == 48


def test_another_address_of_the_same_network_buys_no_guesses(floor: Floor) -> None:
    coming_in = SignIn(floor.access)
    for number in range(FREE_TRIES):
        with pytest.raises(NotRecognised):
            coming_in.with_code(f"login{number}", "x", f"2001:db8::{number:x}")
    with pytest.raises(NotYet):
        coming_in.with_code("another", "x", "2001:db8::ffff:1")
    with pytest.raises(NotRecognised):
        coming_in.with_code("another", "x", "2001:db8:0:1::1")


def test_guesses_over_many_logins_are_slowed_by_their_address(floor: Floor, people: Any) -> None:
    stop_the_clock(floor)
    client = floor.stranger()
    found = [sign_in(floor, client, people, login=f"nobody{n}").status_code for n in range(12)]
    assert found == [401] * FREE_TRIES + [429] * (12 - FREE_TRIES)


def test_a_crash_forgets_no_guess(people: Any, tmp_path: Path) -> None:
    """The try is in the file before anything is compared: read by another connection, as after a kill."""
    accounts = SqliteAccounts(tmp_path / "accounts.sqlite")
    keys = [("login:x", 30_000_000), ("address:y", 900_000_000)]
    for number in range(FREE_TRIES):
        assert accounts.attempt(keys, 1_000_000 + number) == 0
        with sqlite3.connect(tmp_path / "accounts.sqlite") as other:
            rows = other.execute("SELECT key, tries FROM attempt ORDER BY key").fetchall()
        assert rows == [("address:y", number + 1), ("login:x", number + 1)]
    # No close: the process is gone.
    reopened = SqliteAccounts(tmp_path / "accounts.sqlite")
    assert reopened.attempt(keys, 1_000_100) > 900_000
    assert reopened.attempt(keys, 2_100_000) == 0
    # Ones own account does not buy guesses at others: only its own try is given back.
    reopened.forgive("login:x", "address:y", 2_100_000)
    assert [reopened.attempt([("address:y", 900_000_000)], 2_100_001 + n) > 0 for n in range(3)] == [
        False,
        True,
        True,
    ]
    # A clock set back locks nobody out for longer than the longest wait.
    assert reopened.attempt([("address:y", 5_000_000)], 0) <= 5_000_000
    accounts.close()
    reopened.close()


def test_a_code_of_the_authenticator_is_used_once_by_many_at_once(floor: Floor, people: Any) -> None:
    """Many hands with the right secrets and one code: one gets in."""
    step = int(time.time()) // 30 + 1
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: floor.access.accounts.use_step(floor.people["ana"].id, step), range(64))
        )
    assert found.count(True) == 1


# -- sessions ---------------------------------------------------------------------------------------


def test_a_cookie_that_was_there_before_opens_nothing(floor: Floor, people: Any) -> None:
    """Session fixation: whatever a browser comes with, it leaves with another."""
    client = floor.stranger()
    client.cookies.set("shiprider_session", "planted", domain="127.0.0.1")
    answer = sign_in(floor, client, people)
    fresh = answer.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]
    assert fresh != "planted" and len(fresh) >= 43
    with floor.stranger() as attacker:
        attacker.cookies.set("shiprider_session", "planted", domain="127.0.0.1")
        assert attacker.get("/api/v1/session").status_code == 401


def test_sessions_end_by_idleness_and_by_age() -> None:
    now = [0.0]
    sessions = Sessions("t", idle_s=100.0, longest_s=1000.0, clock=lambda: now[0])
    ana = Account(id="a", login="ana", name="Ana")
    cookie = sessions.begin_for(ana)
    for _ in range(11):
        now[0] += 90.0
        assert sessions.of(cookie) is not None
    now[0] += 90.0
    assert sessions.of(cookie) is None
    cookie = sessions.begin_for(ana)
    now[0] += 100.0
    assert sessions.of(cookie) is None
    sessions.idle_s = 10**9
    enrolling = sessions.begin_for(ana, enrolling=True)
    now[0] += ENROLLING_S
    assert sessions.of(enrolling) is None
    cookies = [sessions.begin_for(ana) for _ in range(15)]
    assert sum(sessions.of(each) is not None for each in cookies) == 12 and sessions.of(cookies[-1])


@pytest.mark.parametrize("how", ["revoked", "signed out", "disabled", "other roles", "new code"])
def test_what_ends_a_session_ends_its_live_push_within_a_second(floor: Floor, people: Any, how: str) -> None:
    client = floor.stranger()
    assert sign_in(floor, client, people).status_code == 200
    floor.add("adm", "node_administrator")
    admin, ana = floor.client("adm"), floor.people["ana"]
    cookie = f"shiprider_session={client.cookies['shiprider_session']}"
    url = f"ws://127.0.0.1:{floor.server.port}/api/v1/live"
    with connect(url, additional_headers={"cookie": cookie}, origin=floor.server.origin) as socket:
        socket.send('{"type": "view", "view": 1, "bbox": [-180, -90, 180, 90]}')
        assert socket.recv(5)
        change = {"expected_revision": ana.revision, "roles": ["watch_officer"], "nation": "COL"}
        if how == "revoked":
            (mine,) = client.get("/api/v1/me/sessions").json()["sessions"]
            done = client.post(f"/api/v1/me/sessions/{mine['id']}/revoke", json={})
        elif how == "signed out":
            done = admin.post(f"/api/v1/accounts/{ana.id}/sign-out", json={})
        elif how == "disabled":
            done = admin.put(f"/api/v1/accounts/{ana.id}", json={**change, "disabled": True})
        elif how == "other roles":
            done = admin.put(f"/api/v1/accounts/{ana.id}", json={**change, "roles": ["planner"]})
        else:
            done = admin.post(f"/api/v1/accounts/{ana.id}/code", json={})
        assert done.status_code == 200, done.text
        begun = time.monotonic()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            while True:
                socket.recv(5)
        assert time.monotonic() - begun < 1.0
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    assert client.get("/api/v1/session").status_code == 401


def test_my_sessions_are_listed_and_others_end_when_the_password_changes(floor: Floor, people: Any) -> None:
    first, second = floor.stranger(), floor.stranger()
    for client in (first, second):
        client.cookies.set(
            "shiprider_session", floor.sessions().begin_for(floor.people["ana"]), domain="127.0.0.1"
        )
    listed = first.get("/api/v1/me/sessions").json()["sessions"]
    assert len(listed) == 2 and sum(each["here"] for each in listed) == 1
    seed = people.seed_of(first.post("/api/v1/me/authenticator", json={}).json()["secret"])
    new = {"password": "another fine sentence", "code": people.authenticator(seed, time.time())}
    assert first.post("/api/v1/me/password", json=new).status_code == 200
    assert first.get("/api/v1/session").status_code == 200
    assert second.get("/api/v1/session").status_code == 401
    # An open desk is not enough to take an account over.
    for session in floor.sessions().of_account(floor.people["ana"].id):
        session.began_s -= 601.0
    assert first.post("/api/v1/me/authenticator", json={}).status_code == 403


# -- the log ----------------------------------------------------------------------------------------


def test_every_read_is_logged_with_its_purpose_before_it_is_answered(watched: Floor) -> None:
    watched.clients.clear()
    client = watched.client("ana", purpose="investigation")
    page = client.get("/api/v1/alerts").json()
    line = entries(watched, "search")[-1]
    assert (line.who, line.what, line.outcome, line.purpose) == (
        "ana",
        "GET /api/v1/alerts",
        "allowed",
        "investigation",
    )
    assert page["alerts"][0]["id"] in line.objects
    vessels = {str(v["mmsi"]) for v in page["alerts"][0]["participants"]}
    assert vessels <= set(line.objects) and line.count == len(line.objects)
    client.get(f"/api/v1/alerts/{page['alerts'][0]['id']}")
    assert entries(watched, "read")[-1].objects[0] == page["alerts"][0]["id"]
    watched.add("aud", "auditor")
    assert watched.client("aud").get("/api/v1/alerts").status_code == 403
    denied = entries(watched, "search")[-1]
    assert (denied.who, denied.outcome) == ("aud", "denied") and "roles" in denied.why
    session = watched.sessions().of_account(watched.people["ana"].id)[0]
    assert line.session == session.id


def test_what_cannot_be_logged_is_not_shown_and_not_done(
    watched: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = watched.client("ana")
    (alert,) = client.get("/api/v1/alerts").json()["alerts"]
    before = watched.opened.ledger.head()

    def full(_: Any) -> int:
        raise StorageError("no")

    monkeypatch.setattr(watched.access.log, "append", full)
    for path in ("alerts", f"alerts/{alert['id']}", "vessels/235000001", "picture?time_us=1700000000000000"):
        answer = client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["error"]) == (503, "not_logged")
        assert "235000001" not in answer.text and alert["id"] not in answer.text
    take = {"expected_revision": alert["revision"]}
    assert client.post(f"/api/v1/alerts/{alert['id']}/take", json=take).status_code == 503
    assert client.post("/api/v1/watch-log", json={"text": "x"}).status_code == 503
    assert watched.opened.ledger.head() == before
    cookie = f"shiprider_session={client.cookies['shiprider_session']}"
    url = f"ws://127.0.0.1:{watched.server.port}/api/v1/live"
    with connect(url, additional_headers={"cookie": cookie}, origin=watched.server.origin) as socket:
        socket.send('{"type": "view", "view": 1, "bbox": [-180, -90, 180, 90]}')
        said = [socket.recv(5) for _ in range(2)]
        assert all(isinstance(each, str) for each in said) and any("not_logged" in each for each in said)
    with pytest.raises(NotLogged):
        watched.access.record()
    # What shows nothing of anybody goes on: the page can say what is wrong.
    assert client.get("/api/v1/session").status_code == 200


def test_the_live_push_is_logged_once_a_view(floor: Floor) -> None:
    client = floor.client("ana")
    cookie = f"shiprider_session={client.cookies['shiprider_session']}"
    url = f"ws://127.0.0.1:{floor.server.port}/api/v1/live"
    with connect(url, additional_headers={"cookie": cookie}, origin=floor.server.origin) as socket:
        for number, west in ((1, -180), (2, -90)):
            socket.send(f'{{"type": "view", "view": {number}, "bbox": [{west}, -90, 180, 90]}}')
            while not isinstance(socket.recv(5), bytes):
                pass
        time.sleep(2.5)
    lines = entries(floor, "live")
    assert [line.objects[0] for line in lines] == [
        "box:-180.00,-90.00,180.00,90.00",
        "box:-90.00,-90.00,180.00,90.00",
    ]


# -- breaking the glass -----------------------------------------------------------------------------


def test_breaking_the_glass_tells_a_second_person_and_ends_by_itself(floor: Floor) -> None:
    floor.add("pia", "planner")
    floor.add("aud", "auditor")
    ana = floor.people["ana"]
    client, second = floor.client("pia"), floor.client("ana")
    assert client.get("/api/v1/observations/0").status_code == 403
    ways = client.get("/api/v1/break-glass").json()
    assert "liaison_officer" in ways["roles"] and "planner" not in ways["roles"]
    assert [each["name"] for each in ways["people"]] == ["Ana", "Aud"]
    take = {
        "role": "legal_adviser",
        "reason": "A boarding is under way and nobody answers",
        "minutes": 5,
        "second": ana.id,
    }
    wrong = ({"reason": "because"}, {"minutes": 61}, {"second": floor.people["pia"].id}, {"role": "node_administrator"},
             {"role": "auditor"}, {"role": "planner"}, {"case": "x"}, {"role": ""}, {"second": "0" * 32})  # fmt: skip
    for each in wrong:
        assert client.post("/api/v1/break-glass", json={**take, **each}).status_code == 400, each
    cookie = f"shiprider_session={second.cookies['shiprider_session']}"
    url = f"ws://127.0.0.1:{floor.server.port}/api/v1/live"
    with connect(url, additional_headers={"cookie": cookie}, origin=floor.server.origin) as socket:
        socket.recv(5)
        before = client.cookies["shiprider_session"]
        assert client.post("/api/v1/break-glass", json=take).status_code == 200
        begun = time.monotonic()
        while '"notice"' not in str(socket.recv(5)):
            pass
        assert time.monotonic() - begun < 1.0
    assert client.cookies["shiprider_session"] != before
    (notice,) = second.get("/api/v1/me/notices").json()["notices"]
    assert notice["about"] == "Pia" and "boarding is under way" in notice["text"] and not notice["seen"]
    assert len(floor.access.accounts.notices(floor.people["aud"].id)) == 1
    (line,) = [entry for entry in entries(floor, "break_glass") if entry.outcome == "allowed"]
    assert line.who == "pia" and "ana" in line.why
    assert client.get("/api/v1/observations/0").status_code in (200, 404)
    assert client.get("/api/v1/me").json()["grants"][0]["second"] == "Ana"
    # Its time is over: nobody does anything.
    (grant,) = floor.access.accounts.grants(floor.people["pia"].id, floor.access.clock())
    assert floor.access.accounts.grants(floor.people["pia"].id, grant.until_us) == []
    assert grant.until_us - grant.from_us == 300_000_000
    assert client.post("/api/v1/break-glass/end", json={}).status_code == 200
    assert client.get("/api/v1/observations/0").status_code == 403


def test_a_case_taken_is_in_what_one_sees_as(floor: Floor) -> None:
    floor.add("pia", "planner", cases=("one",))
    client = floor.client("pia")
    take = {
        "case": "two",
        "reason": "The case officer cannot be reached",
        "minutes": 1,
        "second": floor.people["ana"].id,
    }
    assert client.post("/api/v1/break-glass", json=take).status_code == 200
    assert client.get("/api/v1/me").json()["cases"] == ["one", "two"]
    assert client.put("/api/v1/me/purpose", json={"purpose": "watch", "case": "two"}).status_code == 200


# -- administering ----------------------------------------------------------------------------------


def test_an_administrator_makes_changes_and_disables_and_the_auditor_is_told(
    floor: Floor, people: Any
) -> None:
    floor.add("adm", "node_administrator")
    floor.add("aud", "auditor")
    admin, auditor = floor.client("adm"), floor.client("aud")
    new = {
        "login": "luz",
        "name": "Luz  Díaz",
        "roles": ["liaison_officer"],
        "nation": "USA",
        "clearance": "secret",
    }
    made = admin.post("/api/v1/accounts", json=new)
    assert made.status_code == 201 and made.json()["account"]["name"] == "Luz Díaz"
    account = made.json()["account"]
    assert account["ways"] == ["code"]
    assert admin.post("/api/v1/accounts", json={**new, "name": "Other"}).status_code == 409
    assert (
        admin.post("/api/v1/accounts", json={**new, "login": "LUZ2", "name": "luz díaz"}).status_code == 409
    )
    for wrong in (
        {"login": "a b"},
        {"nation": "usa"},
        {"clearance": "cosmic"},
        {"roles": ["king"]},
        {"name": "\x00a"},
    ):
        odd = {**new, "login": "x", "name": "X Y", **wrong}
        assert admin.post("/api/v1/accounts", json=odd).status_code == 400, wrong
    with floor.stranger() as client:
        body = {"login": "luz", "code": made.json()["code"]}
        assert client.post("/api/v1/sign-in/code", json=body).status_code == 200
    told = [n["text"] for n in auditor.get("/api/v1/me/notices").json()["notices"]]
    assert any("luz: made" in text for text in told)
    lines = [
        entry
        for entry in entries(floor, "administer")
        if entry.who == "adm" and account["id"] in entry.objects
    ]
    assert lines and "liaison_officer" in lines[0].why
    change = {"expected_revision": 5, "roles": ["planner"], "nation": "USA"}
    assert admin.put(f"/api/v1/accounts/{account['id']}", json=change).status_code == 409
    # The ledger holds nothing of it.
    with sqlite3.connect(floor.opened.folder / "ledger.sqlite") as ledger:
        assert not ledger.execute("SELECT count(*) FROM record WHERE kind LIKE '%account%'").fetchone()[0]


def test_changes_at_once_end_in_one_revision(floor: Floor) -> None:
    floor.add("adm", "node_administrator")
    ana = floor.people["ana"]
    found: list[int] = []

    def change() -> None:
        with floor.stranger() as client:
            client.cookies.set("shiprider_session", floor.sessions().begin_for(floor.people["adm"]))
            body = {"expected_revision": ana.revision, "roles": ["planner"], "nation": "COL"}
            found.append(client.put(f"/api/v1/accounts/{ana.id}", json=body).status_code)

    threads = [threading.Thread(target=change) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [200, 409, 409, 409, 409, 409]


def test_a_program_and_a_demo_user_speak_in_nobodys_name(watched: Floor) -> None:
    """A decision carries an account's name only where its person has signed in."""
    import httpx

    headers = {"authorization": f"Bearer {watched.server.token}", "x-officer": "Ana"}
    with httpx.Client(base_url=watched.server.origin, headers=headers) as program:
        assert program.post("/api/v1/watch-log", json={"text": "x"}).json()["author"] == "Ana (command line)"
    ana = watched.client("ana")
    assert ana.put("/api/v1/session", json={"officer": "Somebody"}).status_code == 403
    assert ana.post("/api/v1/watch-log", json={"text": "x"}).json()["author"] == "Ana"


@pytest.mark.parametrize("name", ["Ana  Ruiz", "ANA  RUIZ", "Ａna Ruiz", "\u0410na Ruiz", "Ana Rui\u007a"])
def test_nor_in_one_that_looks_like_it(floor: Floor, name: str) -> None:
    floor.add("ruiz", "planner")
    with floor.stranger() as program:
        program.headers["authorization"] = f"Bearer {floor.server.token}"
        headers = {"x-officer": name.encode()}
        author = program.post("/api/v1/watch-log", json={"text": "x"}, headers=headers).json()["author"]
    assert author == f"{' '.join(name.split())} (command line)"


def test_two_people_have_no_names_that_read_alike(floor: Floor) -> None:
    floor.people["jose"] = floor.access.accounts.add(
        Account(id="1" * 32, login="jose", name="José Díaz", roles=("planner",))
    )
    find = floor.access.accounts.find
    for name in ("José Díaz", "JOSE\u0301  DI\u0301AZ", "Ｊosé Díaz"):
        assert find(name=name) == floor.people["jose"], name
    assert find(name="Jose Diaz") is None
    for name in ("JOSE\u0301 DI\u0301AZ", "José  Díaz"):
        with pytest.raises(Conflict):
            floor.access.accounts.add(Account(id="2" * 32, login="other", name=name))


def test_many_breakings_of_the_glass_hide_none(floor: Floor) -> None:
    floor.add("bea", "planner")
    floor.add("aud", "auditor")
    client = floor.client("ana")
    take = {
        "role": "",
        "case": "",
        "reason": "They come tonight.",
        "minutes": 5,
        "second": floor.people["bea"].id,
    }
    for number in range(MOST_HELD + 3):
        status = client.post("/api/v1/break-glass", json={**take, "case": f"c{number}"}).status_code
        assert status == (200 if number < MOST_HELD else 403)
    notices = [
        Notice(
            id=f"{n:032x}",
            to=floor.people["aud"].id,
            kind="break_glass",
            about="Ana",
            text="more",
            at_us=2**60,
        )
        for n in range(300)
    ]
    floor.access.accounts.add_notices(notices)
    told = floor.access.accounts.notices(floor.people["aud"].id)
    assert sum("case c" in each.text for each in told) == MOST_HELD
    for each in notices:
        floor.access.accounts.see_notice(floor.people["aud"].id, each.id, 7)
    assert len(floor.access.accounts.notices(floor.people["aud"].id)) == 200 + MOST_HELD


def test_a_stranger_who_asks_for_many_challenges_pushes_out_his_own() -> None:
    ceremonies = Ceremonies()
    ours = ceremonies.begin("passkey", b"ours", address="192.0.2.1")
    for number in range(MOST + 5):
        ceremonies.begin("passkey", b"his", address=f"2001:db8::{number:x}")
    assert ceremonies.take("passkey", ours) == b"ours"


def test_ceremonies_are_good_once_in_time_and_crowd_out_none_of_another_kind() -> None:
    now = [0.0]
    ceremonies = Ceremonies(clock=lambda: now[0])
    mine = ceremonies.begin("new passkey", 1)
    for number in range(MOST + 5):
        last = ceremonies.begin("passkey", number, address=f"192.0.2.{number % 250}")
    assert len(ceremonies._begun) == MOST + 1
    assert ceremonies.take("passkey", mine) is None
    mine = ceremonies.begin("new passkey", 1)
    assert ceremonies.take("new passkey", mine) == 1 and ceremonies.take("new passkey", mine) is None
    now[0] += WAIT_S
    assert ceremonies.take("passkey", last) is None
