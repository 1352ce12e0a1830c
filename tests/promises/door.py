"""The whole way to one node: the application as it is served, gate and access log included, asked over ASGI.

One application for all nodes: what it is handed (`Site`) is changed from question to question. What is answered is
all that goes over the wire: status, every header, body.
"""

import asyncio
import atexit
import functools
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlencode

import msgspec

from shiprider.adapters.accounts.sqlite import SqliteAccounts
from shiprider.api.app import make_litestar
from shiprider.api.authorising import Asker
from shiprider.api.gate import Gate
from shiprider.api.live import LiveView
from shiprider.api.place import Place
from shiprider.api.recording import recorded
from shiprider.api.sessions import Sessions
from shiprider.flow.access import Access
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import Account
from shiprider.model.observer import Observer
from shiprider.model.rules import Home
from shiprider.settings import AccessSettings

_HOST = b"127.0.0.1:8000"


class _Kept:
    """An access log of which only the writing is asked."""

    def __init__(self) -> None:
        self.entries: list[AccessEntry] = []

    def append(self, entries: Sequence[AccessEntry]) -> int:
        self.entries = list(entries)
        return 1


class _Now:
    """The site of the moment, under one name."""

    site: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.site, name)


class Door:
    """One person's way in: an account, a session, its cookie."""

    def __init__(self, observer: Observer, home: Home, clock: Callable[[], int]) -> None:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        accounts = SqliteAccounts(Path(folder) / "accounts.sqlite")
        account = accounts.add(
            Account(
                id="1" * 32,
                login=observer.name.lower(),
                name=observer.name,
                roles=observer.roles,  # type: ignore[arg-type]
                nation=observer.nation,
                clearance=observer.clearance,
                cases=observer.cases,
            )
        )
        self.log: Any = _Kept()
        nothing: Any = None
        self.access = Access(
            accounts=accounts,
            log=self.log,
            passwords=nothing,
            passkeys=nothing,
            settings=AccessSettings(),
            clock=clock,
            nation="COL",
            node="col",
            home=home,
        )
        self.sessions = Sessions("token", idle_s=1e9, longest_s=1e9)
        self._cookie = self.sessions.begin_for(account, purpose=observer.purpose)
        session = self.sessions.of(self._cookie)
        assert session is not None
        self.asker = Asker(self.access, session)
        assert msgspec.structs.replace(self.asker.observer, session="", login="") == observer
        application, self._now = _application()
        self._app = Gate(recorded(application, self.access), self.access, self.sessions, Place(8000))
        self._loop = asyncio.new_event_loop()

    def ask(self, site: Any, method: str, path: str, query: Mapping[str, Any], body: bytes = b"") -> bytes:
        """Status, headers and body of one answer."""
        scope = self._scope("http", path, query)
        scope["method"] = method
        if method != "GET":
            scope["headers"] += [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        self._now.site = site
        self._loop.run_until_complete(self._app(scope, receive, send))
        start = sent[0]
        told = [b"%d" % start["status"], *(b"%b: %b" % each for each in sorted(start["headers"]))]
        return b"\n".join([*told, b"", b"".join(message.get("body", b"") for message in sent[1:])])

    def live(self, site: Any, asked: LiveView) -> list[bytes]:
        """What a live push begins with: its acceptance, the first frame, the first status line, in no order."""
        self._now.site = site
        return self._loop.run_until_complete(self._live(asked))

    async def _live(self, asked: LiveView) -> list[bytes]:
        scope = self._scope("websocket", "/api/v1/live", {})
        scope |= {"scheme": "ws", "subprotocols": []}
        asking = iter(
            [
                {"type": "websocket.connect"},
                {"type": "websocket.receive", "text": msgspec.json.encode(asked).decode()},
            ]
        )
        found: dict[str, bytes] = {}
        enough = asyncio.Event()

        async def receive() -> Any:
            for message in asking:
                return message
            await asyncio.wait_for(enough.wait(), 30)
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            if message["type"] == "websocket.accept":
                found["accept"] = repr(sorted(message.get("headers", []))).encode()
            elif message.get("bytes"):
                found.setdefault("frame", message["bytes"])
            elif message.get("text"):
                kind = msgspec.json.decode(message["text"])["type"]
                found.setdefault(kind, message["text"].encode())
            else:
                found["closed"] = repr(message).encode()
            if "closed" in found or {"frame", "status"} <= set(found):
                enough.set()

        await self._app(scope, receive, send)
        return [found[name] for name in sorted(found)]

    def _scope(self, kind: str, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
            "path": path, "raw_path": path.encode(), "query_string": urlencode(query).encode(),
            "headers": [
                (b"host", _HOST), (b"origin", b"http://" + _HOST), (b"cookie", f"shiprider_session={self._cookie}".encode()),
            ],
            "client": ("127.0.0.1", 5000), "server": ("127.0.0.1", 8000), "state": {},
        }  # fmt: skip


@functools.cache
def _application() -> tuple[Any, _Now]:
    now = _Now()
    handed: Any = now
    return make_litestar(handed), now


@functools.cache
def _way_of(route: Any) -> tuple[str, str, frozenset[str], dict[str, str]]:
    """(method, path, what of a handler's arguments stands in it, names of those that stand in the query)."""
    hints = get_type_hints(route.fn, include_extras=True)
    (path,) = route.paths
    named = re.findall(r"{(\w+):\w+}", path)
    query = {
        name: next((p.query for p in getattr(hint, "__metadata__", ()) if getattr(p, "query", None)), name)
        for name, hint in hints.items()
    }
    (method,) = route.http_methods - {"HEAD", "OPTIONS"}
    return str(method), f"/api/v1{path}", frozenset(named), query


def request_of(route: Any, given: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], bytes]:
    """(method, path, query, body) by which a handler gets these arguments over the wire."""
    method, path, named, names = _way_of(route)
    plain = {k: v for k, v in given.items() if isinstance(v, str | int | float) and k not in named}
    for name in named:
        path = re.sub(rf"{{{name}:\w+}}", str(given[name]), path)
    body = msgspec.json.encode(given["data"]) if "data" in given else b""
    return method, path, {names[k]: v for k, v in plain.items() if k != "author"}, body
