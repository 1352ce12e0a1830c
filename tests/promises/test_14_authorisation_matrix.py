"""Promise 14: route x method x role x nation x owner, from the application's own route table, WebSockets too.

What is expected is written here by hand, route by route, from domain.md's people; nothing of
api/permissions.py is read for it.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets
from litestar import WebSocket, get, post, websocket
from websockets.sync.client import connect

from shiprider.api import permissions
from shiprider.api.app import make_litestar
from shiprider.api.routes import alerts as alert_routes
from shiprider.flow.ids import new_id
from shiprider.model.account import Notice
from shiprider.model.orders import LegalHold, WatchedArea, Watchlist, WatchlistEntry

ROLES = {
    "W": "watch_officer", "I": "intelligence_analyst", "L": "liaison_officer", "P": "planner", "J": "legal_adviser",
    "E": "evidence_custodian", "V": "evaluator", "C": "community_liaison", "N": "node_administrator", "A": "auditor",
}  # fmt: skip
NATIONS = ("COL", "USA")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

EVERYBODY, CONTENT, DESK, NOBODY = "WILPJEVCNA", "WILPJEVC", "WI", ""
#: Who gets past the door of each route: a letter a role; `*` also a stranger.
EXPECTED = """
GET  /                                        *
GET  /{path}                                  *
GET  /sign-in/with/{provider}                 *
GET  /sign-in/return                          *
GET  /api/v1/sign-in                          *
POST /api/v1/sign-in/password                 *
POST /api/v1/sign-in/code                     *
POST /api/v1/sign-in/passkey/options          *
POST /api/v1/sign-in/passkey                  *
POST /api/v1/session                          *
GET  /api/v1/session                          WILPJEVCNA
PUT  /api/v1/session                          WILPJEVC
POST /api/v1/sign-out                         WILPJEVCNA
GET  /api/v1/openapi.json                     WILPJEVCNA
GET  /api/v1/description                      WILPJEVCNA
GET  /api/v1/description/openapi.json         WILPJEVCNA
GET  /api/v1/description/{path}               WILPJEVCNA
GET  /api/v1/me                               WILPJEVCNA
PUT  /api/v1/me/purpose                       WILPJEVCNA
POST /api/v1/me/authenticator                 WILPJEVCNA
POST /api/v1/me/password                      WILPJEVCNA
POST /api/v1/me/passkeys/options              WILPJEVCNA
POST /api/v1/me/passkeys                      WILPJEVCNA
GET  /api/v1/me/sessions                      WILPJEVCNA
POST /api/v1/me/sessions/{session_id}/revoke  WILPJEVCNA
GET  /api/v1/me/notices                       WILPJEVCNA
POST /api/v1/me/notices/{notice_id}/seen      WILPJEVCNA
GET  /api/v1/me/tokens                        WILPJEVCNA
POST /api/v1/me/tokens                        WILPJEVCNA
POST /api/v1/me/tokens/{token_id}/revoke      WILPJEVCNA
GET  /api/v1/break-glass                      WILPJEVC
POST /api/v1/break-glass                      WILPJEVC
POST /api/v1/break-glass/end                  WILPJEVC
GET  /api/v1/accounts                         N
POST /api/v1/accounts                         N
PUT  /api/v1/accounts/{account_id}            N
POST /api/v1/accounts/{account_id}/code       N
GET  /api/v1/accounts/{account_id}/sessions   N
POST /api/v1/accounts/{account_id}/sign-out   N
GET  /api/v1/status                           WILPJEVCN
GET  /api/v1/metrics                          NA
GET  /api/v1/audit/entries                    A
GET  /api/v1/audit/people                     A
GET  /api/v1/audit/alarms                     A
GET  /api/v1/audit/head                       A
GET  /api/v1/audit/check                      A
GET  /api/v1/settings                         WILPJEVCN
PUT  /api/v1/settings                         WILPJEVC
GET  /api/v1/alerts                           WILPJEVC
GET  /api/v1/alerts/{alert_id}                WILPJEVC
POST /api/v1/alerts/{alert_id}/take           WI
POST /api/v1/alerts/{alert_id}/escalate       WI
POST /api/v1/alerts/{alert_id}/reopen         WI
POST /api/v1/alerts/{alert_id}/undo           WI
POST /api/v1/alerts/{alert_id}/dismiss        WI
POST /api/v1/alerts/{alert_id}/merge          WI
GET  /api/v1/findings                         WILPJEVC
GET  /api/v1/findings/{finding_id}            WILPJEVC
GET  /api/v1/findings/{finding_id}/history    WILPJEVC
GET  /api/v1/vessels                          WILPJEVC
GET  /api/v1/vessels/names                    WILPJEVC
GET  /api/v1/vessels/{mmsi}                   WILPJEVC
GET  /api/v1/vessels/{mmsi}/tracks            WILPJEVC
GET  /api/v1/observations/{raw}               WILJEV
GET  /api/v1/picture                          WILPJEVC
GET  /api/v1/reception                        WILPJEVC
GET  /api/v1/quarantine                       WILJEV
GET  /api/v1/calibration                      WILPJEVC
GET  /api/v1/areas                            WILPJEVC
POST /api/v1/areas                            WIP
GET  /api/v1/watchlists                       WILPJEVC
POST /api/v1/watchlists                       WIP
GET  /api/v1/legal-holds                      WILPJEVC
POST /api/v1/legal-holds                      JE
GET  /api/v1/notes                            WILPJEVC
POST /api/v1/notes                            WILPJE
GET  /api/v1/watch-log                        WILPJEVC
POST /api/v1/watch-log                        W
GET  /api/v1/handover/summary                 WILPJEVC
GET  /api/v1/handover                         WILPJEVC
POST /api/v1/handover                         W
GET  /api/v1/keys                             N
POST /api/v1/keys/rotate                      N
POST /api/v1/keys/lost                        N
GET  /api/v1/policy                           WILPJEVC
POST /api/v1/policy/effect                    LJ
GET  /api/v1/policy/changes                   WILPJEVC
POST /api/v1/policy/changes                   LJ
POST /api/v1/policy/changes/{change_id}/agree       LJ
POST /api/v1/policy/changes/{change_id}/show-again  LJ
POST /api/v1/policy/changes/{change_id}/refuse      LJ
POST /api/v1/policy/changes/{change_id}/withdraw    LJ
POST /api/v1/tear-lines/preview               ILJ
GET  /api/v1/tear-lines                       WILPJEVC
POST /api/v1/tear-lines                       ILJ
POST /api/v1/tear-lines/{proposal_id}/agree   LJ
POST /api/v1/tear-lines/{proposal_id}/refuse  LJ
POST /api/v1/tear-lines/{proposal_id}/withdraw      ILJ
GET  /api/v1/labels/{kind}/{record_id}        WILPJEVC
GET  /api/v1/relabellings                     WILPJEVC
POST /api/v1/relabellings                     ILJ
POST /api/v1/relabellings/{proposal_id}/agree       LJ
POST /api/v1/relabellings/{proposal_id}/refuse      LJ
POST /api/v1/relabellings/{proposal_id}/withdraw    ILJ
POST /api/v1/view-as                          WILPJEVC
GET  /api/v1/partners                         WILPJEVCN
GET  /api/v1/partners/own                     LN
POST /api/v1/partners                         LN
POST /api/v1/partners/{partner_id}/confirm    LJ
POST /api/v1/partners/{partner_id}/end        LJ
GET  /api/v1/partners/{partner_id}/shared     WILPJEVC
GET  /api/v1/partners/of/{kind}/{record_id}   WILPJEVC
GET  /api/v1/recalls                          WILPJEVC
POST /api/v1/recalls                          LJ
GET  /api/v1/recalls/of-partners              WILPJEVC
GET  /api/v1/correspondents                   WILPJEVC
GET  /api/v1/fixed-messages                   WILPJEVC
GET  /api/v1/requests                         WILPJEVC
POST /api/v1/requests                         WILJ
GET  /api/v1/requests/{request_id}            WILPJEVC
POST /api/v1/requests/{request_id}/answers    WILJ
POST /api/v1/requests/{request_id}/end        WILJ
GET  /api/v1/answer-times                     WILPJEVC
GET  /api/v1/cases                            WILPJEVC
GET  /api/v1/timeline                         WILPJEVC
GET  /api/v1/chat                             WILPJEVC
POST /api/v1/chat                             WILPJE
GET  /api/v1/alerts/{alert_id}/acknowledgements     WILPJEVC
POST /api/v1/alerts/{alert_id}/acknowledge    WILPJE
GET  /api/v1/adoptions                        WILPJEVC
POST /api/v1/adoptions                        WIP
POST /api/v1/adoptions/{adoption_id}/end      WIP
GET  /api/v1/foreign-reports                  WILPJEVC
POST /api/v1/foreign-reports                  WIL
GET  /api/v1/foreign-reports/{report_id}      WILPJEVC
GET  /api/v1/foreign-reports/{report_id}/raw  WILJEV
GET  /api/v1/export                           ILJE
GET  /taxii2                                  WILJE
GET  /taxii2/api                              WILJE
GET  /taxii2/api/status/{status_id}           WIL
GET  /taxii2/api/collections                  WILJE
GET  /taxii2/api/collections/{collection}     WILJE
GET  /taxii2/api/collections/{collection}/manifest                      ILJE
GET  /taxii2/api/collections/{collection}/objects                       ILJE
POST /taxii2/api/collections/{collection}/objects                       WIL
GET  /taxii2/api/collections/{collection}/objects/{object_id}           ILJE
GET  /taxii2/api/collections/{collection}/objects/{object_id}/versions  ILJE
WS   /api/v1/live                             WILPJEVC
"""
TABLE = {(line.split()[0], line.split()[1]): line.split()[2] for line in EXPECTED.strip().splitlines()}
FILLED = {
    "{alert_id}": "0" * 32, "{finding_id}": "0" * 32, "{account_id}": "0" * 32, "{notice_id}": "0" * 32,
    "{change_id}": "0" * 32, "{proposal_id}": "0" * 32, "{partner_id}": "0" * 32, "{record_id}": "0" * 32, "{kind}": "alert",
    "{request_id}": "0" * 32, "{adoption_id}": "0" * 32, "{session_id}": "0" * 16, "{mmsi}": "235000001", "{raw}": "0", "{provider}": "none", "{path}": "x",
    "{report_id}": "0" * 32, "{token_id}": "0" * 16, "{collection}": "x", "{status_id}": "x", "{object_id}": "x",
}  # fmt: skip


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with people.floor(tmp_path_factory.mktemp("node")) as made:
        for nation in NATIONS:
            for letter, role in ROLES.items():
                cases = ("c",) if letter == "J" else ()
                made.add(f"{letter}-{nation}", role, nation=nation, cases=cases)
        made.add("roleless")
        yield made


def routes() -> set[tuple[str, str]]:
    """Of the application, read without its own help: every handler of every method."""
    found = set()
    for route in make_litestar(None).routes:
        if hasattr(route, "route_handler_map"):
            found |= {
                (method, route.path_format) for method in route.route_handler_map if method != "OPTIONS"
            }
        else:
            found.add(("WS", route.path_format))
    return found


def address(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


def answer(floor: Any, login: str, method: str, path: str) -> int:
    """The status that one person gets, from a session of this moment."""
    with floor.stranger() as client:
        if login:
            cookie = floor.sessions().begin_for(floor.people[login], purpose="watch")
            client.cookies.set("shiprider_session", cookie)
        body: Any = None if method in ("GET", "HEAD", "OPTIONS", "TRACE") else {}
        found: int = client.request(method, address(path), json=body, follow_redirects=False).status_code
        return found


def knock(floor: Any, login: str, path: str = "/api/v1/live") -> int:
    """The status of a WebSocket's handshake."""
    headers = {}
    if login:
        cookie = floor.sessions().begin_for(floor.people[login], purpose="watch")
        headers = {"cookie": f"shiprider_session={cookie}"}
    url = f"ws://127.0.0.1:{floor.server.port}{path}"
    try:
        with connect(url, additional_headers=headers, origin=floor.server.origin):
            return 101
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


def wrong_cells(floor: Any, table: dict[tuple[str, str], str]) -> list[str]:
    """Cells whose answer is not the expected one."""
    wrong = []
    for (method, path), who in table.items():
        for login in ("", "roleless", *(f"{letter}-{nation}" for letter in ROLES for nation in NATIONS)):
            status = knock(floor, login, path) if method == "WS" else answer(floor, login, method, path)
            inside = who == "*" or (login[:1] in who if login != "roleless" else who == EVERYBODY)
            # Past the door a question can be meant or not (400, 404, 409); at the door it is 401 or 403.
            # What proves nothing is 401 there too, said by the handler: signing in with nothing.
            right = (
                status == 401 if not login and who != "*" else (status != 403) if inside else status == 403
            )
            if path.startswith("/api/v1/me/") and inside and login and method != "GET":
                right = status in (200, 400, 401, 403, 404)
            if status >= 500 or not right:
                wrong.append(f"{method} {path} as {login or 'a stranger'}: {status}")
    return wrong


def test_every_route_is_in_the_table_and_the_table_names_no_other() -> None:
    assert routes() == set(TABLE)


def test_every_cell(floor: Any) -> None:
    """Routes x 22 people."""
    assert wrong_cells(floor, TABLE) == []


def test_a_permission_given_to_one_role_too_many_is_found(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaks = {
        "see_content": ("auditor", "GET /api/v1/alerts "),
        "administer": ("watch_officer", "GET /api/v1/accounts "),
        "decide": ("liaison_officer", "POST /api/v1/alerts/{alert_id}/take "),
    }
    for permission, (role, said) in leaks.items():
        more = permissions.ROLES_OF | {permission: permissions.ROLES_OF[permission] | {role}}  # type: ignore[index,operator]
        with monkeypatch.context() as patched:
            patched.setattr(permissions, "ROLES_OF", more)
            key = tuple(said.split())
            found = wrong_cells(floor, {key: TABLE[key]})  # type: ignore[index,dict-item]
        assert len(found) == len(NATIONS) and all(each.startswith(said) for each in found)


@pytest.mark.parametrize("kind", ["http", "websocket", "method"])
def test_a_route_that_is_not_in_the_table_does_not_start(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    @get("/secret", operation_id="secret")
    async def http() -> dict[str, str]:
        return {}

    @websocket("/secret")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()

    @post("/quarantine", operation_id="secret")
    async def method() -> dict[str, str]:
        return {}

    planted = {"http": http, "websocket": live, "method": method}[kind]
    monkeypatch.setattr(alert_routes, "HANDLERS", [*alert_routes.HANDLERS, planted])
    with pytest.raises(RuntimeError, match="in no table"):
        make_litestar(None)


def test_other_methods_are_nobodys(floor: Any) -> None:
    paths = sorted({path for method, path in TABLE if method != "WS"})
    for path in paths:
        for method in METHODS:
            if (method, path) in TABLE:
                continue
            for login in ("", "W-COL", "N-COL", "A-COL"):
                status = answer(floor, login, method, path)
                open_path = not path.startswith(("/api/", "/taxii2"))
                assert status in ((405, 404) if open_path or login else (401, 405)), (method, path, login)


# -- owner x nation -------------------------------------------------------------------------------

DECISIONS: dict[str, dict[str, Any]] = {
    "take": {}, "escalate": {}, "reopen": {}, "undo": {}, "dismiss": {"reason": "known_vessel"}, "merge": {},
}  # fmt: skip
#: Rows: who decides. Columns: on what nobody holds, he holds, one of his nation holds, one of another holds.
#: t: take; d: all the others. A dash: not even that.
HELD = {"W": ("td", "td", "t", "-"), "I": ("td", "td", "td", "-")}


def held_by(floor: Any, holder: str) -> tuple[str, int]:
    """The alert in the hands of one person, and its revision."""
    (found,) = floor.site.view(floor.opened.own("test")).alerts_known(2**60)
    review, alert_id, revision = floor.site.review, found.record.id, found.record.revision
    if found.body.state != "new":
        revision = review.reopen(alert_id, revision, author="Nobody").record.revision
    # So that there is something to undo and to reopen, whoever holds it.
    if holder:
        revision = review.take(alert_id, revision, author=holder).record.revision
    return alert_id, revision


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("letter", HELD)
@pytest.mark.parametrize("nation", NATIONS)
def test_what_another_holds(floor: Any, nation: str, letter: str, decision: str) -> None:
    me = floor.people[f"{letter}-{nation}"]
    other = next(each for each in NATIONS if each != nation)
    holders = ("", me.name, floor.people[f"P-{nation}"].name, floor.people[f"P-{other}"].name)
    for holder, allowed in zip(holders, HELD[letter], strict=True):
        alert_id, revision = held_by(floor, holder)
        before = floor.opened.ledger.head()
        body = {"expected_revision": revision, **DECISIONS[decision]}
        if decision == "merge":
            body["into"] = new_id()
        status = floor.client(me.login).post(f"/api/v1/alerts/{alert_id}/{decision}", json=body).status_code
        may = ("t" if decision == "take" else "d") in allowed
        if nation != "COL":
            # The alert is unlabelled, the node's own: for another nation it is not there, whoever holds it.
            assert status == 404, (holder, status)
            assert floor.opened.ledger.head() == before
            continue
        # Reopening what is new and merging into what is not there are refused for what they are, past the door.
        assert status in ((200, 404, 409) if may else (403,)), (holder, status)
        if not may:
            assert floor.opened.ledger.head() == before


def test_path_and_body_are_one_object(floor: Any) -> None:
    """Authorised one object, changed another: the id in the path decides, ids in the body are refused."""
    mine, revision = held_by(floor, "")
    client = floor.client("W-COL")
    swapped = {
        "expected_revision": revision,
        "reason": "known_vessel",
        "text": "",
        "id": "0" * 32,
        "alert_id": "0" * 32,
    }
    assert client.post(f"/api/v1/alerts/{mine}/dismiss", json=swapped).status_code == 400
    for kind, body in (
        ("areas", {"name": "a", "ring": [[0, 0], [1, 0], [1, 1]], "id": mine}),
        ("watchlists", {"name": "w", "entries": [{"mmsi": 5}], "id": mine}),
    ):
        before = floor.opened.ledger.head()
        assert client.post(f"/api/v1/{kind}", json={**body, "expected_revision": revision}).status_code == 404
        assert floor.opened.ledger.head() == before


@pytest.mark.parametrize("kind", ["areas", "watchlists", "legal-holds"])
def test_what_another_nation_wrote_is_not_changed_from_here(floor: Any, kind: str) -> None:
    review, login = floor.site.review, "J-COL" if kind == "legal-holds" else "W-COL"
    bodies: dict[str, Any] = {
        "areas": {"name": "a", "ring": [[0, 0], [1, 0], [1, 1]]},
        "watchlists": {"name": "w", "entries": [{"mmsi": 5}]},
        "legal-holds": {"case": "c", "reason": "r", "mmsi": [5]},
    }
    for author, allowed in (("P-COL", True), ("P-USA", False), (login, True)):
        name = floor.people[author].name
        if kind == "areas":
            made = review.area(WatchedArea(name="a", ring=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))), author=name)
        elif kind == "watchlists":
            made = review.watchlist(Watchlist(name="w", entries=(WatchlistEntry(mmsi=5),)), author=name)
        else:
            made = review.legal_hold(LegalHold(reason="r", mmsi=(5,)), case="c", author=name)
        body = {**bodies[kind], "id": made.record.id, "expected_revision": 1}
        status = floor.client(login).post(f"/api/v1/{kind}", json=body).status_code
        assert (status == 201) is allowed and (allowed or status == 403), (author, status)


def test_sessions_and_notices_of_others_are_not_there(floor: Any) -> None:
    mine, theirs = floor.client("W-COL"), floor.client("I-COL")
    other = next(s for s in theirs.get("/api/v1/me/sessions").json()["sessions"] if s["here"])
    assert mine.post(f"/api/v1/me/sessions/{other['id']}/revoke", json={}).status_code == 404
    assert theirs.get("/api/v1/me").status_code == 200
    notice = Notice(
        id=new_id(), to=floor.people["I-COL"].id, kind="break_glass", about="x", text="y", at_us=1
    )
    floor.access.accounts.add_notices([notice])
    assert mine.post(f"/api/v1/me/notices/{notice.id}/seen", json={}).status_code == 404
    assert theirs.get("/api/v1/me/notices").json()["notices"][0]["seen"] is False
    assert theirs.post(f"/api/v1/me/notices/{notice.id}/seen", json={}).status_code == 200


# -- promise 10, the roles' part ------------------------------------------------------------------


def test_an_administrator_reads_no_content_whatever_he_does_to_himself(floor: Any) -> None:
    admin = floor.client("N-COL")
    me = floor.people["N-COL"]
    for roles in (["node_administrator", "watch_officer"], ["watch_officer"], ["auditor"]):
        body = {"expected_revision": me.revision, "roles": roles, "nation": "COL"}
        assert admin.put(f"/api/v1/accounts/{me.id}", json=body).status_code in (400, 403)
    new = {"login": "both", "name": "Both", "roles": ["node_administrator", "intelligence_analyst"]}
    assert admin.post("/api/v1/accounts", json=new).status_code == 400
    for path in ("alerts", "vessels?q=A", "notes?subject_kind=vessel&subject=1", "watch-log", "quarantine"):
        assert admin.get(f"/api/v1/{path}").status_code == 403
    taken = {
        "reason": "I want to look at it",
        "minutes": 5,
        "second": floor.people["W-COL"].id,
        "role": "planner",
    }
    assert admin.post("/api/v1/break-glass", json=taken).status_code == 403


def test_a_page_of_the_program_token_from_elsewhere_is_nothing(floor: Any) -> None:
    with httpx.Client(base_url=floor.server.origin) as client:
        wrong = client.post("/api/v1/session", json={"token": floor.server.token})
        assert (wrong.status_code, wrong.json()["error"]) == (403, "forbidden")
        assert client.get(f"/?token={floor.server.token}").status_code == 401
        assert "token" not in floor.server.url
