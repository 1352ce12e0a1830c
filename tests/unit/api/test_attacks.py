"""Attacks from this machine: paths, missing tokens, forged changes, odd bodies, slow and many connections."""

import asyncio
import contextlib
import http.client
import json
import logging
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from shiprider.api.describe import document
from shiprider.api.patience import CONNECTIONS, OF_ONE_ADDRESS, BoundedProtocol
from shiprider.flow.networks import network_of

Running = Any
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in document()["paths"].items()
    for method, operation in item.items()
    if method in ("get", "post", "put", "delete", "patch")
]
#: What a stranger needs to sign in, and what an empty question gets there.
SIGNING_IN = {
    "/api/v1/session": (400, 401),
    "/api/v1/sign-in": (200,),
    "/api/v1/sign-in/password": (400,),
    "/api/v1/sign-in/code": (400,),
    "/api/v1/sign-in/passkey/options": (401,),
    "/api/v1/sign-in/passkey": (400,),
}
CHANGING = [(method, path) for method, path, _ in OPERATIONS if method != "GET"]
IDS = "01890000-0000-7000-8000-000000000000"


def place(path: str) -> str:
    out = path
    while "{" in out:
        head, rest = out.split("{", 1)
        out = head + IDS + rest.split("}", 1)[1]
    return out


def cookie_of(running: Running) -> str:
    with httpx.Client(base_url=running.server.origin) as client:
        answer = client.get(running.server.url)
        return answer.headers["set-cookie"].split(";", 1)[0]


def raw(running: Running, request: bytes, *, wait_s: float = 10.0) -> bytes:
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=wait_s) as line:
        line.sendall(request)
        out = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while block := line.recv(65_536):
                out += block
        return out


@pytest.mark.parametrize(
    "path",
    [
        "/../ledger.sqlite", "/..%2fledger.sqlite", "/%2e%2e/ledger.sqlite", "/%2e%2e%2fledger.sqlite",
        "/..%5cledger.sqlite", "/..%252fledger.sqlite", "/assets/../../ledger.sqlite", "/./../ledger.sqlite",
        "/%2f..%2fledger.sqlite", "//etc/passwd", "/%2fetc%2fpasswd", "/etc/passwd", "/assets/..;/ledger.sqlite",
        "/..%c0%afledger.sqlite", "/static/../ledger.sqlite", "/out/passwd", "/" + "a" * 5000, "/" + "a/" * 3000,
        "/" + "a" * 5000 + ".js", "/%00", "/ledger.sqlite%00.js", "/%ff%fe.js",
    ],
)  # fmt: skip
def test_no_path_leaves_the_page_with_a_valid_session(running: Running, path: str) -> None:
    static = running.opened.folder / "static"
    static.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (static / "out").symlink_to("/etc")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nCookie: {cookie_of(running)}\r\n"
        "Connection: close\r\n\r\n"
    )
    answer = raw(running, request.encode())
    assert b"SQLite format" not in answer and b"root:" not in answer
    assert answer.split(b" ", 2)[1] in (b"200", b"400", b"404"), answer[:200]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda each: str(each)[:40])
def test_no_route_answers_without_a_token(
    running: Running, method: str, path: str, operation: dict[str, Any]
) -> None:
    del operation
    with httpx.Client(base_url=running.server.origin, timeout=20) as client:
        for headers in (
            {},
            {"authorization": "Bearer x"},
            {"cookie": "shiprider=x"},
            {"authorization": "Basic eDp4"},
        ):
            answer = client.request(
                method, place(path), headers=headers, json={} if method != "GET" else None
            )
            # A session begins with the token, a secret or a passkey in its body: an empty body holds none.
            assert answer.status_code in SIGNING_IN.get(path, (401,)), headers
            assert "set-cookie" not in answer.headers
            assert running.server.token not in answer.text


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_no_change_by_a_cookie_alone_or_from_elsewhere(running: Running, method: str, path: str) -> None:
    if path.endswith("/session"):
        pytest.skip("begins a session, by the token")
    cookie = {"cookie": cookie_of(running)}
    with httpx.Client(base_url=running.server.origin, timeout=20) as client:
        for headers in (
            {},
            {"origin": "null"},
            {"origin": "http://evil.example"},
            {"origin": f"http://127.0.0.1:{running.server.port + 1}"},
            {"origin": running.server.origin, "sec-fetch-site": "cross-site"},
        ):
            answer = client.request(method, place(path), headers=cookie | headers, json={})
            assert answer.status_code == 403, (headers, answer.text)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = client.request(
                method,
                place(path),
                headers=cookie | {"origin": running.server.origin, "content-type": kind},
                content=b"{}",
            )
            assert answer.status_code == 415, (kind, answer.text)


ODD_BODIES = [
    b"", b"null", b"[]", b"0", b'""', b"{", b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b"1e999", b"\xff\xfe{}",
    b'{"reason":null,"note":1e309,"expected_revision":-1}', b'{"expected_revision":99999999999999999999999}',
    b'{"expected_revision":"1","text":["x"],"reason":{}}', b'{"text":"' + b"\\ud800" * 10 + b'"}',
    b'{"text":"' + b"x" * 1_000_000 + b'"}', b'{"text":"\\u0000\\u001b[31m"}', b'{"__proto__":{"a":1},"constructor":1}',
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_odd_bodies_are_refused_and_never_a_fault_of_the_server(
    running: Running, method: str, path: str
) -> None:
    for body in ODD_BODIES:
        answer = running.client.request(
            method, place(path), content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code < 500, (body[:40], answer.text[:300])
        # A text of control characters is a text: it is shown as text, and made harmless for terminals.
        assert answer.status_code >= 400 or body.startswith(b'{"text"'), (body[:40], answer.text[:300])
        assert answer.status_code < 400 or set(answer.json()) >= {"error", "message"}, body[:40]


ODD_VALUES = [
    "-1", "1e400", "99999999999999999999", "NaN", "", "[]", "a" * 4000, "\x00", "9223372036854775807", "' or 1=1 --",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "operation"), [(p, o) for m, p, o in OPERATIONS if m == "GET"], ids=lambda each: str(each)[:40]
)
def test_odd_parameters_are_never_a_fault_of_the_server(
    running: Running, path: str, operation: dict[str, Any]
) -> None:
    names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    for name in names:
        for value in ODD_VALUES:
            answer = running.client.get(place(path), params={name: value})
            assert answer.status_code < 500, (name, value, answer.text[:300])
    for value in ODD_VALUES:
        if "{" in path and value.strip() and "/" not in value:
            head, tail = path.split("{", 1)
            answer = running.client.get(
                head + httpx.URL("/", params={"x": value}).query.decode()[2:] + tail.split("}", 1)[1]
            )
            assert answer.status_code < 500, (value, answer.text[:300])


def test_a_request_that_does_not_arrive_is_let_go(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.5)
    head = f"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\n"
    slow = {
        "nothing": b"",
        "half a header": head[:30].encode(),
        "headers without end": head.encode() + b"X-A: 1\r\n",
        "half a body": (head + "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{").encode(),
    }
    for what, request in slow.items():
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", running.server.port), timeout=10) as line:
            line.sendall(request)
            with contextlib.suppress(ConnectionResetError):
                while line.recv(4096):
                    pass
        assert time.monotonic() - begun < 5, what


def test_a_request_that_trickles_is_let_go_too(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.5)
    begun = time.monotonic()
    place_of = ("127.0.0.1", running.server.port)
    with socket.create_connection(place_of, timeout=10) as line, contextlib.suppress(ConnectionError):
        line.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\n".encode())
        while time.monotonic() - begun < 8:
            line.sendall(b"X-A: 1\r\n")
            time.sleep(0.1)
    assert time.monotonic() - begun < 5


def test_the_deadline_is_not_for_answers_and_not_for_what_comes_between(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.4)
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=10)
    headers = {"authorization": f"Bearer {running.server.token}"}
    for _ in range(3):
        connection.request("GET", "/api/v1/status", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        time.sleep(0.8)
    connection.close()

    async def live() -> None:
        url = f"ws://127.0.0.1:{running.server.port}/api/v1/live"
        async with websockets.connect(url, additional_headers=headers) as line:
            await asyncio.sleep(1.0)
            await line.send("not a view")
            while json.loads(await asyncio.wait_for(line.recv(), 5))["type"] != "error":
                pass

    asyncio.run(live())


def test_a_hundred_idle_connections_do_not_keep_a_person_out(running: Running) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", running.server.port)))
        assert running.client.get("/api/v1/status").status_code == 200


def test_a_flood_of_views_and_broken_frames_leaves_the_server_standing(running: Running) -> None:
    headers = {"authorization": f"Bearer {running.server.token}"}
    url = f"ws://127.0.0.1:{running.server.port}/api/v1/live"
    view = json.dumps({"type": "view", "view": 1, "bbox": [-180, -90, 180, 90]})

    async def flood() -> None:
        async with websockets.connect(url, additional_headers=headers, max_queue=None) as line:
            for number in range(3000):
                await line.send(view if number % 2 else b"\x00" * 100)
        with contextlib.suppress(websockets.ConnectionClosed):
            async with websockets.connect(url, additional_headers=headers, max_size=None) as line:
                await line.send("x" * 200_000)
                while True:
                    await asyncio.wait_for(line.recv(), 5)

    asyncio.run(flood())
    for broken in (
        b"\xff" * 64,
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x83\x00" * 50,
        b"\x81\x02\xc3\x28",
        b"\x09\x7e\xff\xff",
    ):
        with socket.create_connection(("127.0.0.1", running.server.port), timeout=5) as line:
            line.sendall(
                (
                    f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nConnection: Upgrade\r\n"
                    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                    f"Authorization: Bearer {running.server.token}\r\n\r\n"
                ).encode()
            )
            assert line.recv(4096).startswith(b"HTTP/1.1 101")
            line.sendall(broken)
            with contextlib.suppress(ConnectionError, TimeoutError):
                while line.recv(65_536):
                    pass
    assert running.client.get("/api/v1/status").status_code == 200


def test_the_token_is_in_no_log_no_referrer_and_no_answer(
    running: Running, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    token = running.server.token
    with caplog.at_level(logging.DEBUG), httpx.Client(base_url=running.server.origin) as client:
        logging.getLogger("httpx").setLevel(logging.CRITICAL)
        logging.getLogger("httpcore").setLevel(logging.CRITICAL)
        first = client.get(running.server.url)
        for path in (
            f"/api/v1/status?token={token}",
            f"/nothing.js?token={token}",
            f"/?token={token}&token=x",
            "/",
        ):
            answer = client.get(path)
            assert token not in answer.text
            assert token not in str(answer.headers)
    assert first.status_code == 303
    assert first.headers["referrer-policy"] == "no-referrer"
    assert token not in str(first.headers)
    assert token not in caplog.text
    told = capfd.readouterr()
    assert token not in told.out + told.err


def test_a_stranger_is_given_little_memory(running: Running) -> None:
    host = f"Host: 127.0.0.1:{running.server.port}\r\nContent-Type: application/json\r\n"
    for path in ("/api/v1/sign-in/password", "/api/v1/sign-in/code", "/api/v1/session", "/sign-in/return"):
        for length, status in (("Content-Length: 70000", b"413"), ("Transfer-Encoding: chunked", b"400")):
            # Refused by what is announced: nothing of the body is sent, or waited for.
            answer = raw(running, f"POST {path} HTTP/1.1\r\n{host}{length}\r\n\r\n".encode(), wait_s=3)
            assert answer.split(b" ", 2)[1] == status, (path, length, answer[:200])


def test_connections_beyond_the_bound_take_no_file_handle(running: Running) -> None:
    listener = running.server._socket
    listener.most, listener.most_of_one = 12, 8
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    lines: list[socket.socket] = []
    try:
        place = ("127.0.0.1", running.server.port)
        lines.extend(socket.create_connection(place, timeout=5) for _ in range(40))
        time.sleep(0.5)
        # Forty are this test's own ends.
        assert len(list(Path("/proc/self/fd").iterdir())) - open_files - len(lines) <= 8
        closed = 0
        for line in lines:
            line.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                closed += line.recv(1) == b""
        assert closed >= 32
    finally:
        listener.most, listener.most_of_one = CONNECTIONS, OF_ONE_ADDRESS
        for line in lines:
            line.close()
    time.sleep(0.5)
    assert running.get("/status").status_code == 200, "those who went make room"


def test_one_attackers_addresses_are_one() -> None:
    assert network_of("192.0.2.7") == network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("fe80::1%eth0") == "fe80::/64" and network_of("") == ""
