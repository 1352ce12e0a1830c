"""The gate: DNS rebinding, other origins, missing and wrong tokens, bodies of every wrong kind, headers."""

import http.client
import json
import socket
from typing import Any

import httpx
import pytest

from shiprider.api.app import make_litestar
from shiprider.api.permissions import BODY_BYTES, TABLE, WATCHLIST_BYTES, body_bytes
from shiprider.api.server import Server, bind, check_loopback
from shiprider.model.errors import UsageError

Running = Any


def bare(running: Running) -> httpx.Client:
    return httpx.Client(base_url=running.server.origin, timeout=20, verify=False)  # noqa: S501  (plain HTTP)


def in_a_browser(running: Running) -> httpx.Client:
    client = bare(running)
    answer = client.get(running.server.url)
    assert answer.status_code == 303
    return client


@pytest.mark.parametrize("path", ["/api/v1/status", "/", "/api/v1/session", "/api/v1/alerts", "/assets/x.js"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1.nip.io:{port}"]
)
def test_another_host_name_is_refused_whatever_it_asks(running: Running, host: str, path: str) -> None:
    headers = {
        "host": host.format(port=running.server.port),
        "authorization": f"Bearer {running.server.token}",
    }
    answer = bare(running).get(path, headers=headers)
    assert answer.status_code in (400, 421)
    if answer.status_code == 421:
        assert answer.json()["error"] == "wrong_host"


def test_two_hosts_are_refused(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.server.port)) as raw:
        host = f"127.0.0.1:{running.server.port}"
        raw.sendall(f"GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n".encode())
        assert raw.recv(200).split()[1] in (b"400", b"421")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_another_origin_is_refused_even_with_the_token(running: Running, origin: str) -> None:
    wrong = {"origin": origin.format(port=running.server.port)}
    assert running.client.get("/api/v1/status", headers=wrong).status_code == 403
    assert running.client.post("/api/v1/watch-log", json={"text": "x"}, headers=wrong).status_code == 403


def test_another_site_of_the_same_machine_is_refused(running: Running) -> None:
    """A page on another port of the loopback is another origin, and its requests say so."""
    client = in_a_browser(running)
    for site in ("cross-site", "same-site"):
        assert client.get("/api/v1/status", headers={"sec-fetch-site": site}).status_code == 403
    own = {"sec-fetch-site": "same-origin", "origin": running.server.origin}
    assert client.get("/api/v1/status", headers=own).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer"}, {"authorization": "Basic eDp5"},
     {"cookie": "shiprider_session=abc"}, {"cookie": "shiprider_session"}, {"authorization": "Bearer \xff"}],
)  # fmt: skip
def test_without_the_token_there_is_nothing(running: Running, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    for path in ("/api/v1/status", "/api/v1/alerts", "/api/v1/openapi.json", "/api/v1/nothing"):
        answer = bare(running).get(path, headers=encoded)  # type: ignore[arg-type]
        assert answer.status_code == 401 and answer.json()["error"] == "no_session"
    # The page itself is the sign-in page: the same bytes for everybody, with nothing of the node in them.
    page = bare(running).get("/", headers=encoded)  # type: ignore[arg-type]
    assert page.status_code == 200 and page.content == running.client.get("/").content
    assert page.headers.get("set-cookie") is None


def test_the_start_up_url_becomes_a_cookie_and_leaves_the_address(running: Running) -> None:
    client = bare(running)
    answer = client.get(f"/?alert=abc&token={running.server.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?alert=abc")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and running.server.token not in cookie
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/status").status_code == 200
    assert bare(running).get("/?token=wrong").status_code == 401
    assert bare(running).get(f"/?token={running.server.token}&token=x").status_code == 401
    assert (
        "evil"
        not in bare(running)
        .get(f"//evil.example/?token={running.server.token}")
        .headers.get("location", "")[:2]
    )


def test_a_redirect_never_leaves_this_server(running: Running) -> None:
    for path in ("//evil.example/", "/\\evil.example", "/%2F%2Fevil.example"):
        connection = http.client.HTTPConnection("127.0.0.1", running.server.port)
        connection.request("GET", f"{path}?token={running.server.token}")
        place = connection.getresponse().getheader("location") or "/"
        assert place.startswith("/") and not place.startswith(("//", "/\\")), place


def test_the_token_as_json_for_programs(running: Running) -> None:
    client = bare(running)
    wrong = client.post("/api/v1/session", json={"token": "wrong"})
    assert (wrong.status_code, wrong.json()["error"]) == (403, "forbidden")
    assert client.get("/api/v1/session").status_code in (401, 403)
    assert client.put("/api/v1/session", json={"officer": "Eve"}).status_code in (401, 403)
    assert client.post("/api/v1/session", json={"token": running.server.token}).status_code == 200
    assert client.get("/api/v1/session").json()["officer"] == ""


def test_a_change_by_cookie_names_its_origin_and_its_person(running: Running) -> None:
    client = in_a_browser(running)
    own = {"origin": running.server.origin}
    line = {"text": "x"}
    assert client.post("/api/v1/watch-log", json=line).json()["error"] == "no_origin"
    nobody = client.post("/api/v1/watch-log", json=line, headers=own)
    assert (nobody.status_code, nobody.json()["error"]) == (403, "forbidden")
    assert (
        client.put("/api/v1/session", json={"officer": "  Eva  Ruiz "}, headers=own).json()["officer"]
        == "Eva Ruiz"
    )
    assert client.post("/api/v1/watch-log", json=line, headers=own).json()["author"] == "Eva Ruiz"
    assert client.put("/api/v1/session", json={"officer": "a\x00b"}, headers=own).status_code in (400, 403)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"text": 5}', "application/json", 400),
        (b'{"text": ""}', "application/json", 400),
        (b'{"text": "a", "more": 1}', "application/json", 400),
        (b'{"text": "' + b"x" * 10_001 + b'"}', "application/json", 400),
        (b'{"text": "\xff\xfe"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b'{"text": "a"}', "text/plain", 415),
        (b'{"text": "a"}', "", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
    ],
)  # fmt: skip
def test_bodies_of_every_wrong_kind(running: Running, content: bytes, kind: str, status: int) -> None:
    before = running.opened.ledger.head()
    answer = running.client.post("/api/v1/watch-log", content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    failure = answer.json()
    assert set(failure) == {"error", "message", "hint"} and "Traceback" not in answer.text
    assert running.opened.ledger.head() == before


def test_a_body_that_is_too_large_is_refused_before_it_is_read(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=10)
    connection.putrequest("POST", "/api/v1/watch-log")
    connection.putheader("authorization", f"Bearer {running.server.token}")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(BODY_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and json.loads(answer.read())["error"] == "too_large"


def test_each_route_takes_the_body_that_it_needs_and_no_larger_one(running: Running) -> None:
    large = {}
    for method, template in TABLE:
        if method not in ("POST", "PUT"):
            continue
        path = template.replace("{path}", "x")
        for name in (
            "account_id",
            "adoption_id",
            "alert_id",
            "change_id",
            "notice_id",
            "partner_id",
            "proposal_id",
            "request_id",
            "session_id",
            "token_id",
            "collection",
        ):
            path = path.replace("{" + name + "}", "0" * 32)
        assert "{" not in path
        most = body_bytes(method, path)
        if most > 256 << 10:
            large[path] = most
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {running.server.token}\r\nContent-Length: {most + 1}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", running.server.port), timeout=10) as connection:
            connection.sendall(head.encode())
            assert connection.recv(12) == b"HTTP/1.1 413", path
    assert large == {
        "/api/v1/watchlists": 12 << 20, "/api/v1/policy/effect": 3 << 20, "/api/v1/policy/changes": 3 << 20,
        "/api/v1/foreign-reports": 32 << 20, f"/taxii2/api/collections/{'0' * 32}/objects": 8 << 20,
    }  # fmt: skip


def test_a_body_without_a_length_is_held_to_the_same(running: Running) -> None:
    told = {}
    for route in make_litestar(None).routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in getattr(handler, "http_methods", ()):
                if method in ("POST", "PUT"):
                    told[method, route.path_format] = handler.resolve_request_max_body_size()
    assert told and told == {key: body_bytes(*key) for key in told}


def test_a_long_watchlist_is_taken(running: Running) -> None:
    entries = [{"mmsi": 201_000_000 + n, "reason": "From the list of the authority."} for n in range(6_000)]
    body = json.dumps({"name": "Long", "entries": entries}).encode()
    assert BODY_BYTES < len(body) < WATCHLIST_BYTES
    headers = {"content-type": "application/json"}
    assert running.client.post("/api/v1/watchlists", content=body, headers=headers).status_code == 201
    assert running.client.post("/api/v1/areas", content=body, headers=headers).status_code == 413


def test_an_endless_body_without_a_length_is_cut_off(running: Running) -> None:
    def pieces():  # type: ignore[no-untyped-def]
        for _ in range(BODY_BYTES // 65536 + 20):
            yield b" " * 65536

    headers = {"content-type": "application/json"}
    try:
        answer = running.client.post("/api/v1/watch-log", content=pieces(), headers=headers)
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server closed the connection on us: as good
    assert running.get("/status").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/alerts?limit=0", "/alerts?limit=x", "/alerts?limit=1e9", "/alerts?state=odd", "/alerts?bbox=1,2,3", "/alerts?lang=xx",
     "/alerts?bbox=nan,0,1,1", "/alerts?bbox=0,5,1,1", "/alerts?sort=odd", "/alerts?cursor=zz", "/alerts?since_us=-1",
     "/alerts?min_score=7", "/findings?cursor=-1", "/findings?cursor=99999999999999999999", "/vessels", "/vessels?q=",
     "/vessels/names?mmsi=a", "/picture", "/picture?time_us=99999999999999999999", "/picture?time_us=1&mode=odd",
     "/reception?resolution=99", "/reception?start_us=5&end_us=5", "/notes", "/notes?subject_kind=x&subject=1",
     "/handover/summary?to_us=9007199254740991", "/vessels/235000001/tracks?start_us=5&end_us=1",
     "/vessels/235000001/tracks?points=0", "/watch-log?cursor=x"],
)  # fmt: skip
def test_parameters_of_every_wrong_kind(running: Running, path: str) -> None:
    answer = running.client.get(f"/api/v1{path}")
    assert answer.status_code == 400, answer.text
    failure = answer.json()
    assert set(failure) == {"error", "message", "hint"} and failure["message"].endswith(".")


@pytest.mark.parametrize(
    "path",
    ["/alerts/" + "0" * 32, "/alerts/" + "g" * 32, "/alerts/x", "/findings/" + "0" * 32, "/vessels/999999999", "/observations/5",
     "/vessels/abc", "/nothing", "/observations/-1", "/observations/99999999999999999999"],
)  # fmt: skip
def test_what_is_not_there(running: Running, path: str) -> None:
    answer = running.client.get(f"/api/v1{path}")
    assert answer.status_code in (400, 404), answer.text
    assert set(answer.json()) == {"error", "message", "hint"}


def test_wrong_methods_are_refused_in_the_same_form(running: Running) -> None:
    for method, path in (
        ("DELETE", "/alerts"),
        ("PUT", "/alerts"),
        ("POST", "/status"),
        ("PATCH", "/session"),
    ):
        answer = running.client.request(method, f"/api/v1{path}", json={})
        assert answer.status_code == 405 and answer.json()["error"] == "bad_method"


def test_every_answer_carries_the_headers(running: Running) -> None:
    for path in ("/", "/api/v1/status", "/api/v1/nothing", "/api/v1/alerts?limit=x", "/assets/none.js"):
        headers = running.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy and "script-src 'self';" in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers and "server" not in headers
    assert running.client.get("/api/v1/status").headers["cache-control"] == "no-store"


def test_an_unbuilt_page_says_what_to_do_and_a_built_one_is_served(running: Running, folder: Any) -> None:
    assert "make web" in running.client.get("/").text
    static = folder / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>built</title>")
    (static / "assets" / "a-1.js").write_text("1")
    (folder / "secret.txt").write_text("secret")
    assert "built" in running.client.get("/").text
    assert "built" in running.client.get("/alert/abc").text
    script = running.client.get("/assets/a-1.js")
    assert (
        script.headers["content-type"].startswith("text/javascript")
        and "immutable" in script.headers["cache-control"]
    )
    assert running.client.get("/assets/b.js").status_code == 404
    for path in ("/../secret.txt", "/..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/%00"):
        connection = http.client.HTTPConnection("127.0.0.1", running.server.port)
        connection.request("GET", path, headers={"authorization": f"Bearer {running.server.token}"})
        answer = connection.getresponse()
        assert b"secret" not in answer.read(), path
        assert answer.status in (200, 400, 404), path


@pytest.mark.parametrize(
    "host", [".".join("0000"), "::", "192.168.1.5", "example.org", "", "127.0.0.1.evil.example"]
)
def test_no_address_but_the_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(UsageError, match="loopback only"):
        bind(host, 0)


def test_the_loopback_by_any_of_its_names() -> None:
    assert [check_loopback(h) for h in ("localhost", "127.0.0.1", "::1", "[::1]", "127.3.2.1")] == [
        "127.0.0.1", "127.0.0.1", "::1", "::1", "127.3.2.1",
    ]  # fmt: skip


def test_a_taken_port_is_one_sentence(running: Running) -> None:
    with pytest.raises(UsageError, match=r"is taken: choose another with `\[api\] port`"):
        Server(None, host="127.0.0.1", port=running.server.port)  # type: ignore[arg-type]
