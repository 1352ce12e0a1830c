"""The TAXII client against servers that answer as they should not: nothing is followed, held or waited for beyond bounds."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shiprider.adapters.taxii import client as module
from shiprider.adapters.taxii.client import MEDIA_TYPE, TaxiiClient
from shiprider.model.errors import Forbidden, InputError, LinkDown, ShipriderError, UsageError

HERE = ("127.0.0.1/32",)
SECRET = "s3cret"  # noqa: S105
ANY = "0.0.0.0"  # noqa: S104


class Taxii:
    """A server on the loopback that answers what it is told to."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                answer = outer.answers.get(
                    self.path, outer.answers.get(urlsplit(self.path).path, (404, {}, b""))
                )
                status, headers, body = answer(self) if callable(answer) else answer
                self.send_response(status)
                for name, value in {"content-type": MEDIA_TYPE, **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def put(self, path: str, given: Any, status: int = 200, **headers: str) -> None:
        body = given if isinstance(given, bytes) else json.dumps(given).encode()
        self.answers[path] = (status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


@pytest.fixture
def taxii() -> Iterator[Taxii]:
    made = Taxii()
    made.put("/taxii2/", {"title": "t", "api_roots": [f"{made.origin}/api/"]})
    made.put("/api/", {"title": "t", "versions": [MEDIA_TYPE]})
    both = [
        {"id": "a", "can_read": True},
        {"id": "b", "can_read": False},
        {"id": "../../x", "can_read": True},
    ]
    made.put("/api/collections/", {"collections": both})
    made.put("/api/collections/a/", both[0])
    made.put("/api/collections/a/objects/", {"objects": [{"id": "1"}]})
    yield made
    made.server.shutdown()
    made.server.server_close()


def pages(taxii: Taxii, path: str = "/taxii2/", since: str = "", **more: Any) -> list[Any]:
    made = TaxiiClient(taxii.origin + path, **{"private_addresses": HERE, **more})
    try:
        return list(made.pages(since))
    finally:
        made.close()


@pytest.mark.parametrize("path", ["/taxii2/", "/taxii2", "/api/", "/api/collections/a/"])
def test_from_discovery_root_or_collection_only_what_may_be_read(taxii: Taxii, path: str) -> None:
    (page,) = pages(taxii, path)
    assert json.loads(page.data) == {"objects": [{"id": "1"}]} and page.collection.endswith("/a/")
    assert all(headers["accept"] == MEDIA_TYPE for _, headers in taxii.asked)


def test_the_secret_goes_as_it_should(taxii: Taxii) -> None:
    pages(taxii, secret=SECRET)
    assert {headers.get("authorization") for _, headers in taxii.asked} == {"Bearer s3cret"}
    taxii.asked.clear()
    pages(taxii, login="ana", secret=SECRET)
    # RFC 7617: base64 of `ana:s3cret`, from Python's own encoder at the prompt.
    assert {headers.get("authorization") for _, headers in taxii.asked} == {"Basic YW5hOnMzY3JldA=="}


def test_pages_by_cursor_and_where_there_is_none_by_date(taxii: Taxii) -> None:
    def answer(request: Any) -> Any:
        query = parse_qs(urlsplit(request.path).query)
        later = {"x-taxii-date-added-last": "2026-01-02T00:00:00Z"}
        if query == {"added_after": ["2026-01-01T00:00:00Z"]}:
            return 200, {}, b'{"more": true, "next": "a b&c", "objects": [1]}'
        if query == {"added_after": ["2026-01-01T00:00:00Z"], "next": ["a b&c"]}:
            return 200, later, b'{"more": true, "objects": [2]}'
        assert query == {"added_after": ["2026-01-02T00:00:00Z"]}
        return 200, {}, b'{"objects": [3]}'

    taxii.answers["/api/collections/a/objects/"] = answer
    found = pages(taxii, since="2026-01-01T00:00:00Z")
    assert [json.loads(each.data)["objects"] for each in found] == [[1], [2], [3]]
    assert [each.added_last for each in found] == ["", "2026-01-02T00:00:00Z", ""]


@pytest.mark.parametrize("told", [{"more": True}, {"more": True, "next": "x"}, {"more": True, "next": 7}])
def test_a_server_that_leads_round_in_circles(taxii: Taxii, told: Any) -> None:
    taxii.put("/api/collections/a/objects/", told)
    with pytest.raises(InputError, match="more and not where"):
        pages(taxii)
    assert len(taxii.asked) < 10


def test_a_server_without_end(taxii: Taxii, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAGES", 5)
    counted = iter(range(100))
    taxii.answers["/api/collections/a/objects/"] = lambda _: (
        200,
        {},
        b'{"more": true, "next": "%d"}' % next(counted),
    )
    with pytest.raises(InputError, match="more than 5 pages"):
        pages(taxii)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(taxii: Taxii, status: int) -> None:
    taxii.put("/taxii2/", b"", status, location=f"{taxii.origin}/elsewhere/")
    with pytest.raises(Forbidden, match="nothing is followed"):
        pages(taxii)
    assert [path for path, _ in taxii.asked] == ["/taxii2/"]


@pytest.mark.parametrize(
    "root", ["http://169.254.169.254/latest/", "http://localhost:1/", "https://127.0.0.1/", "file:///etc/passwd", "//evil.example/x",
             "http://127.0.0.1:99999/", "http://[", "http://user@127.0.0.1/", "\\\\evil.example\\x"],
)  # fmt: skip
def test_a_server_that_sends_elsewhere_in_its_own_words(taxii: Taxii, root: str) -> None:
    taxii.put("/taxii2/", {"api_roots": [root]})
    with pytest.raises((Forbidden, LinkDown)):
        pages(taxii, secret=SECRET)
    assert all(path.startswith("/taxii2/") or "evil" in path for path, _ in taxii.asked)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", ANY],
)
def test_private_addresses_are_refused_unless_they_were_named(taxii: Taxii, host: str) -> None:
    port = taxii.server.server_port
    for scheme in ("http", "https"):
        try:
            made = TaxiiClient(f"{scheme}://{host}:{port}/taxii2/")
        except UsageError as error:
            assert "not encrypted" in str(error) and scheme == "http"
            continue
        with pytest.raises(LinkDown, match="not allowed"):
            list(made.pages())
    assert taxii.asked == []


def test_too_much_at_once(taxii: Taxii, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    taxii.put("/api/collections/a/objects/", b" " * 1001)
    with pytest.raises(InputError, match="more than 1,000 bytes"):
        pages(taxii)


def test_packed_answers_are_refused(taxii: Taxii) -> None:
    taxii.put("/taxii2/", b"\x1f\x8b", content_encoding="gzip")
    with pytest.raises(InputError, match="packed"):
        pages(taxii)


def test_one_that_drips_does_not_hold_us(taxii: Taxii) -> None:
    ticks = iter(range(0, 10_000, 100))
    with pytest.raises(LinkDown, match="takes longer"):
        pages(taxii, clock=lambda: float(next(ticks)) * 2)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [(b"<html>", 200, "text/html"), (b"[]", 200, MEDIA_TYPE), (b"{", 200, MEDIA_TYPE), (b"[" * 100_000, 200, MEDIA_TYPE),
     (b"{}", 401, MEDIA_TYPE), (b"{}", 500, MEDIA_TYPE), (b"\xff", 200, MEDIA_TYPE), (b"", 200, "")],
)  # fmt: skip
def test_wrong_answers_are_one_sentence(taxii: Taxii, body: bytes, status: int, kind: str) -> None:
    taxii.put("/taxii2/", body, status, content_type=kind)
    with pytest.raises((InputError, LinkDown)) as told:
        pages(taxii)
    assert str(told.value).count(": ") >= 1 and "\n" not in str(told.value)


@pytest.mark.parametrize(
    "given", [None, 7, "x", {}, [None], [{"id": 7, "can_read": True}], [{"can_read": True}], [[]]]
)
def test_collections_that_are_none(taxii: Taxii, given: Any) -> None:
    taxii.put("/api/collections/", {"collections": given})
    assert pages(taxii) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://a/",
        "https://",
        "https://a:b@c/",
        "http://example.org/taxii2/",
        "https://[",
        "https://a/?x=1",
        "file:///x",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        TaxiiClient(url, secret=SECRET)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        made = TaxiiClient(f"http://127.0.0.1:{silent.getsockname()[1]}/", private_addresses=HERE)
        with pytest.raises(ShipriderError, match="cannot be reached"):
            list(made.pages())
        assert time.monotonic() - begun < 10
