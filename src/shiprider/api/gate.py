"""The gate: everything that reaches the application came from our own page or a program of this machine.

Always true: a request whose Host is not this server's is refused (DNS rebinding), whatever it asks for;
so is one from another origin, and, of the API, one without a session or the token but for what is needed to
sign in; the token opens from this machine alone; a change made with a cookie names its origin; every answer
carries the headers that keep a browser from running what is data.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import msgspec

from shiprider.api import tokens
from shiprider.api.authorising import Asker
from shiprider.api.permissions import OPEN, body_bytes
from shiprider.api.place import Place, is_loopback
from shiprider.api.schemas.base import Failure
from shiprider.api.sessions import Session, Sessions
from shiprider.api.taxii_form import TAXII_TYPE, refused
from shiprider.api.tokens import is_api
from shiprider.flow.access import Access

#: ASGI 3.0.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Largest of somebody without a session, bytes: a passkey's answer is a few kilobytes, and strangers are many.
STRANGER_BYTES: Final = 64 << 10

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

#: Answered by the framework itself, past the table of permissions: not answered at all.
_NEVER: Final = frozenset({"OPTIONS", "TRACE", "CONNECT"})

#: Dark: a white page at night costs a watch its eyes for half an hour.
_LOCKED_PAGE: Final = (
    b"<!doctype html><html lang=en><meta charset=utf-8><meta name=color-scheme content=dark><title>Shiprider</title>"
    b"<body style='font:15px/1.5 system-ui,sans-serif;max-width:40em;margin:12vh auto;padding:0 1em'><h1>Shiprider</h1>"
    b"<p>This is not the start-up URL of this run: open the one that the node printed in its terminal, "
    b"or <a href=/>sign in</a>.</p>"
    b"<p lang=es>Esta no es la URL de inicio de esta ejecuci\xc3\xb3n: abra la que el nodo mostr\xc3\xb3 en su terminal, "
    b"o <a href=/>inicie sesi\xc3\xb3n</a>.</p>"
)


def security_headers(host: str, api: bool, *, tls: bool = False) -> list[tuple[bytes, bytes]]:
    """Headers of every answer. Styles may stand in attributes (positions of map controls), scripts never."""
    live = f"{'wss' if tls else 'ws'}://{host}"
    policy = (
        "default-src 'none'; script-src 'self'; style-src-elem 'self'; style-src-attr 'unsafe-inline'; "
        "style-src 'self'; img-src 'self' data: blob:; font-src 'self'; worker-src 'self' blob:; "
        f"connect-src 'self' {live}; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
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
    """The outermost ASGI application. `place` is where it listens; `demo` lets the start-up URL sign in."""

    def __init__(
        self, app: ASGIApp, access: Access, sessions: Sessions, place: Place, *, demo: bool = False
    ) -> None:
        self._app = app
        self._access = access
        self._sessions = sessions
        self._place = place
        self._demo = demo
        self._hosts = place.hosts
        self._origins = place.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or answer why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _Headers(scope["headers"])
        host = (headers.only("host") or "").lower()
        api = is_api(scope["path"])
        shown = host if host in self._hosts else "127.0.0.1"
        guarded = _guarded(send, security_headers(shown, api, tls=self._place.tls))
        refusal = self._refusal(scope, headers, host)
        if refusal is not None:
            await _refuse(scope, guarded, *refusal)
            return
        if scope["type"] == "http" and not api and await self._exchange(scope, headers, guarded):
            return
        session = self._session(scope, headers)
        if session is None and api and (scope.get("method"), scope["path"]) not in OPEN:
            failure = Failure(
                error="no_session",
                message="This request carries neither a session nor the token.",
                hint="Sign in, or send `Authorization: Bearer TOKEN` from this machine.",
            )
            await _refuse(scope, guarded, 401, failure)
            return
        if session is None and scope["type"] == "http" and scope["method"] in _CHANGING:
            refusal = _stranger_refusal(headers)
            if refusal is not None:
                await _refuse(scope, guarded, *refusal)
                return
        cookie_only = session is not None and session.kind not in ("program", "token")
        if cookie_only and self._needs_origin(scope) and headers.only("origin") is None:
            failure = Failure(
                error="no_origin",
                message="A change from a browser must name its origin.",
                hint="Programs send `Authorization: Bearer TOKEN` instead of the cookie.",
            )
            await _refuse(scope, guarded, 403, failure)
            return
        state = scope.setdefault("state", {})
        state["asker"] = Asker(self._access, session) if session is not None else None
        state["sessions"], state["place"], state["host"] = self._sessions, self._place, host
        state["demo"] = self._demo and is_loopback(_address(scope))
        state["address"], state["agent"] = _address(scope), (headers.only("user-agent") or "")[:120]
        await self._app(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: "_Headers", host: str) -> tuple[int, Failure] | None:
        if host not in self._hosts:
            return 421, Failure(
                error="wrong_host",
                message="This server answers only under its own names.",
                hint="Open its address as it was printed, or name it under `[api] names`.",
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
        if scope.get("method") in _NEVER:
            return 405, Failure(
                error="bad_method",
                message="This is not done with this method.",
                hint="See /api/v1/openapi.json.",
            )
        if scope["type"] == "http" and scope["method"] in _CHANGING:
            return _body_refusal(headers, body_bytes(scope["method"], scope["path"]))
        return None

    def _needs_origin(self, scope: Scope) -> bool:
        return scope["type"] == "websocket" or scope.get("method") in _CHANGING

    def _session(self, scope: Scope, headers: "_Headers") -> Session | None:
        authorization = headers.only("authorization") or ""
        scheme, _, token = authorization.partition(" ")
        of_person = tokens.session_of(
            self._access, authorization, _address(scope), (headers.only("user-agent") or "")[:120]
        )
        if of_person is not None or scheme.lower() == "basic":
            return of_person
        if scheme.lower() == "bearer":
            # The token lies in a file of the node's owner on this machine: from elsewhere it was stolen.
            if not is_loopback(_address(scope)) or not self._sessions.is_token(token.strip()):
                return None
            purpose = headers.only("x-purpose") or self._access.settings.purposes[0]
            return Session(
                id="program",
                kind="program",
                login="program",
                name=self._named(_officer(headers)),
                purpose=purpose if purpose in self._access.settings.purposes else "",
            )
        cookie = headers.cookie(self._place.cookie)
        session = self._sessions.of(cookie) if cookie else None
        if session is not None and not Asker(self._access, session).alive:
            # Disabled, changed or given a new code in the meantime.
            self._sessions.end(session)
            return None
        return session

    def _named(self, officer: str) -> str:
        """Who a program says decides: never somebody who proves himself by signing in, nor one who looks like him."""
        proven = officer and self._access.accounts.all()
        return f"{officer} (command line)" if proven else officer

    async def _exchange(self, scope: Scope, headers: "_Headers", send: Send) -> bool:
        """The token in a page's URL becomes a cookie, and leaves the URL: in a demonstration only."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = query.pop("token", [])
        if not tokens or scope["method"] != "GET":
            return False
        address = _address(scope)
        cookie = None
        if self._demo and len(tokens) == 1 and is_loopback(address):
            cookie = self._sessions.begin(
                tokens[0],
                purpose=self._access.settings.purposes[0],
                address=address,
                agent=(headers.only("user-agent") or "")[:120],
            )
        if cookie is None:
            await _answer(send, 401, b"text/html; charset=utf-8", _LOCKED_PAGE)
            return True
        rest = urlencode(query, doseq=True)
        place = quote("/" + scope["path"].lstrip("/"), safe="/") + (f"?{rest}" if rest else "")
        set_cookie = self._place.cookie_header(cookie).encode()
        await _answer(
            send, 303, b"text/plain", b"", [(b"location", place.encode()), (b"set-cookie", set_cookie)]
        )
        return True


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


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
        and not is_api(scope["path"])
        and headers.only("sec-fetch-mode") == "navigate"
    )


def _officer(headers: _Headers) -> str:
    name = " ".join((headers.only("x-officer") or "").encode("latin-1").decode("utf-8", "replace").split())
    return name if name.isprintable() and len(name) <= 80 else ""


def _body_refusal(headers: _Headers, most: int) -> tuple[int, Failure] | None:
    length = headers.only("content-length") or "0"
    if not length.isdecimal() or (length != "0" and len(headers.all("transfer-encoding")) > 0):
        return 400, Failure(
            error="bad_length", message="The length of the body is not clear.", hint="Send it once."
        )
    if len(length) > 12 or int(length) > most:
        return 413, Failure(
            error="too_large",
            message=f"The body is larger than {most >> 10} KiB.",
            hint="Send less at once.",
        )
    kind = (headers.only("content-type") or "").partition(";")[0].strip().lower()
    if kind not in ("application/json", TAXII_TYPE):
        return 415, Failure(
            error="not_json",
            message="The body must be JSON.",
            hint="Send it with `Content-Type: application/json`.",
        )
    return None


def _stranger_refusal(headers: _Headers) -> tuple[int, Failure] | None:
    """Of what is held in memory before anybody is known, each gets little, and says how much beforehand."""
    if headers.all("transfer-encoding"):
        return 400, Failure(
            error="bad_length", message="The length of the body is not said.", hint="Send `Content-Length`."
        )
    if int(headers.only("content-length") or "0") > STRANGER_BYTES:
        return 413, Failure(
            error="too_large",
            message=f"The body is larger than {STRANGER_BYTES >> 10} KiB.",
            hint="Sign in first.",
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
    if scope["type"] != "websocket":
        kind, body, more = refused(scope["path"], status, failure)
        await _answer(send, status, kind.encode(), body, more)
        return
    body = msgspec.json.encode(failure)
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
