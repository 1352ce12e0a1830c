"""The gate: everything that reaches the application came from this machine's own page or program.

Always true: a request whose Host is not this server's is refused (DNS rebinding), whatever it asks for;
so is one from another origin, and one without the session or the token; a change made with a cookie
names its origin; every answer carries the headers that keep a browser from running what is data.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import msgspec

from shiprider.api.schemas import Failure
from shiprider.api.sessions import COOKIE, Person, Sessions

#: ASGI 3.0.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Largest body taken, bytes: a watchlist of 50,000 lines fits.
BODY_BYTES: Final = 12 << 20

#: What may be asked without a session: to begin one.
_OPEN: Final = frozenset({("POST", "/api/v1/session")})
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

#: Dark: a white page at night costs a watch its eyes for half an hour.
_LOCKED_PAGE: Final = (
    b"<!doctype html><html lang=en><meta charset=utf-8><meta name=color-scheme content=dark><title>Shiprider</title>"
    b"<body style='font:15px/1.5 system-ui,sans-serif;max-width:40em;margin:12vh auto;padding:0 1em'><h1>Shiprider</h1>"
    b"<p>Open the start-up URL that the node printed in its terminal: it carries the token.</p>"
    b"<p lang=es>Abra la URL de inicio que el nodo mostr\xc3\xb3 en su terminal: lleva el c\xc3\xb3digo de acceso.</p>"
)


def security_headers(host: str, api: bool) -> list[tuple[bytes, bytes]]:
    """Headers of every answer. Styles may stand in attributes (positions of map controls), scripts never."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src-elem 'self'; style-src-attr 'unsafe-inline'; "
        "style-src 'self'; img-src 'self' data: blob:; font-src 'self'; worker-src 'self' blob:; "
        f"connect-src 'self' ws://{host}; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    )
    headers = [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"geolocation=(), camera=(), microphone=(), payment=(), usb=()"),
    ]
    if api:
        headers.append((b"cache-control", b"no-store"))
    return headers


class Gate:
    """The outermost ASGI application. `port` is where it listens."""

    def __init__(self, app: ASGIApp, sessions: Sessions, port: int) -> None:
        self._app = app
        self._sessions = sessions
        names = ("127.0.0.1", "localhost", "[::1]")
        self._hosts = frozenset({f"{name}:{port}" for name in names} | ({*names} if port == 80 else set()))
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or answer why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _Headers(scope["headers"])
        host = headers.only("host") or ""
        api = scope["path"].startswith("/api/")
        guarded = _guarded(send, security_headers(host if host in self._hosts else "127.0.0.1", api))
        refusal = self._refusal(scope, headers, host)
        if refusal is not None:
            await _refuse(scope, guarded, *refusal)
            return
        if scope["type"] == "http" and not api and await self._exchange(scope, guarded):
            return
        person = self._person(headers)
        if person is None and (scope.get("method"), scope["path"]) not in _OPEN:
            if scope["type"] == "http" and not api:
                await _answer(guarded, 401, b"text/html; charset=utf-8", _LOCKED_PAGE)
                return
            failure = Failure(
                error="no_session",
                message="This request carries neither a session nor the token.",
                hint="Open the start-up URL, or send `Authorization: Bearer TOKEN`.",
            )
            await _refuse(scope, guarded, 401, failure)
            return
        cookie_only = person is not None and not person.program
        if cookie_only and self._needs_origin(scope) and headers.only("origin") is None:
            failure = Failure(
                error="no_origin",
                message="A change from a browser must name its origin.",
                hint="Programs send `Authorization: Bearer TOKEN` instead of the cookie.",
            )
            await _refuse(scope, guarded, 403, failure)
            return
        scope.setdefault("state", {})["person"] = person if person is not None else Person()
        scope["state"]["sessions"] = self._sessions
        await self._app(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: "_Headers", host: str) -> tuple[int, Failure] | None:
        if host.lower() not in self._hosts:
            return 421, Failure(
                error="wrong_host",
                message="This server answers only under its own loopback address.",
                hint="Open the start-up URL as it was printed.",
            )
        origins = headers.all("origin")
        if len(origins) > 1 or any(origin.lower() not in self._origins for origin in origins):
            return 403, Failure(
                error="wrong_origin",
                message="A page of another origin asked.",
                hint="Use the watch floor's own page.",
            )
        if headers.only("sec-fetch-site") not in (None, "same-origin", "none") and not _is_page(
            scope, headers
        ):
            return 403, Failure(
                error="cross_site",
                message="A page of another site asked.",
                hint="Use the watch floor's own page.",
            )
        if scope["type"] == "http" and scope["method"] in _CHANGING:
            return _body_refusal(headers)
        return None

    def _needs_origin(self, scope: Scope) -> bool:
        return scope["type"] == "websocket" or scope.get("method") in _CHANGING

    def _person(self, headers: "_Headers") -> Person | None:
        authorization = headers.only("authorization") or ""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            if not self._sessions.is_token(token.strip()):
                return None
            return Person(officer=_officer(headers), program=True)
        cookie = headers.cookie(COOKIE)
        return self._sessions.of(cookie) if cookie else None

    async def _exchange(self, scope: Scope, send: Send) -> bool:
        """The token in a page's URL becomes a cookie, and leaves the URL."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = query.pop("token", [])
        if not tokens or scope["method"] != "GET":
            return False
        cookie = self._sessions.begin(tokens[0]) if len(tokens) == 1 else None
        if cookie is None:
            await _answer(send, 401, b"text/html; charset=utf-8", _LOCKED_PAGE)
            return True
        rest = urlencode(query, doseq=True)
        place = quote("/" + scope["path"].lstrip("/"), safe="/") + (f"?{rest}" if rest else "")
        extra = [(b"location", place.encode()), (b"set-cookie", cookie_header(cookie).encode())]
        await _answer(send, 303, b"text/plain", b"", extra)
        return True


def cookie_header(cookie: str) -> str:
    """The session cookie; not `Secure`, because the loopback speaks plain HTTP."""
    return f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict"


class _Headers:
    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = list(raw)

    def all(self, name: str) -> list[str]:
        wanted = name.encode()
        return [value.decode("latin-1") for key, value in self._raw if key.lower() == wanted]

    def only(self, name: str) -> str | None:
        """The value of a header that is there once; None where it is absent or given twice."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    def cookie(self, name: str) -> str | None:
        try:
            morsel = SimpleCookie("; ".join(self.all("cookie"))).get(name)
        except CookieError:
            return None
        return morsel.value if morsel else None


def _is_page(scope: Scope, headers: _Headers) -> bool:
    """A person following a link to a page; it gets no data before it has the session."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and not scope["path"].startswith("/api/")
        and headers.only("sec-fetch-mode") == "navigate"
    )


def _officer(headers: _Headers) -> str:
    name = (headers.only("x-officer") or "").encode("latin-1").decode("utf-8", "replace").strip()
    return name if name.isprintable() and len(name) <= 80 else ""


def _body_refusal(headers: _Headers) -> tuple[int, Failure] | None:
    length = headers.only("content-length") or "0"
    if not length.isdecimal() or (length != "0" and len(headers.all("transfer-encoding")) > 0):
        return 400, Failure(
            error="bad_length", message="The length of the body is not clear.", hint="Send it once."
        )
    if len(length) > 12 or int(length) > BODY_BYTES:
        return 413, Failure(
            error="too_large",
            message=f"The body is larger than {BODY_BYTES >> 20} MiB.",
            hint="Send less at once.",
        )
    kind = (headers.only("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return 415, Failure(
            error="not_json",
            message="The body must be JSON.",
            hint="Send it with `Content-Type: application/json`.",
        )
    return None


def _guarded(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
            own = {name for name, _ in headers}
            kept = [(n, v) for n, v in message.get("headers", []) if n.lower() not in own]
            message["headers"] = [*kept, *headers]
        await send(message)

    return guarded


async def _refuse(scope: Scope, send: Send, status: int, failure: Failure) -> None:
    body = msgspec.json.encode(failure)
    if scope["type"] != "websocket":
        await _answer(send, status, b"application/json", body)
        return
    if "websocket.http.response" in (scope.get("extensions") or {}):
        start = {
            "type": "websocket.http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json")],
        }
        await send(start)
        await send({"type": "websocket.http.response.body", "body": body})
        return
    await send({"type": "websocket.close", "code": 4403, "reason": failure.error})


async def _answer(
    send: Send, status: int, kind: bytes, body: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(extra or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
