"""A node's API for commands: the running node's where there is one, else one of our own for a moment.

Always true: a command and the web page read through the same API; the address of a running node lies
in a file that only its owner may read.
"""

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from shiprider.model.errors import InputError, NodeBusy, NotFound, ShipriderError, UsageError

if TYPE_CHECKING:
    from shiprider.adapters.certificates.own import OwnCertificates
    from shiprider.api.server import Server
    from shiprider.api.site import Site
    from shiprider.bootstrap.node import OpenNode
    from shiprider.flow.access import Access
    from shiprider.flow.exchange.links import LinkState

#: Written by a running node, readable by its owner alone.
ADDRESS_FILE: Final = "node.address"


#: A body of more bytes takes its time.
_LARGE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Api:
    """One node's API."""

    origin: str
    token: str
    officer: str = ""
    authority: str = ""

    def ask(self, method: str, path: str, body: object = None, **query: object) -> dict[str, Any]:
        """One call; raises ShipriderError with the API's own sentence."""
        return self._send(method, path, None if body is None else json.dumps(body).encode(), query)

    def hand(self, path: str, data: bytes, **query: object) -> dict[str, Any]:
        """A file as it is; raises ShipriderError with the API's own sentence."""
        return self._send("POST", path, data, query)

    def _send(self, method: str, path: str, data: bytes | None, query: dict[str, object]) -> dict[str, Any]:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        url = f"{self.origin}/api/v1{path}" + (f"?{urlencode(given)}" if given else "")
        request = urllib.request.Request(  # noqa: S310 (our own loopback address)
            url,
            method=method,
            data=data,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                # A decision is a person's: the node records this name with it.
                **(
                    {"X-Officer": self.officer.encode("utf-8", "replace").decode("latin-1")}
                    if self.officer
                    else {}
                ),
            },
        )
        try:
            trusted = ssl.create_default_context(cafile=self.authority) if self.authority else None
            patience_s = 600 if data and len(data) > _LARGE else 60
            with urllib.request.urlopen(request, timeout=patience_s, context=trusted) as answer:  # noqa: S310 (as above)
                found: dict[str, Any] = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as error:
            raise _told(error) from None


def _told(error: urllib.error.HTTPError) -> ShipriderError:
    try:
        said = json.loads(error.read())
        sentence = f"{said['message']} {said.get('hint', '')}".strip()
        if said["error"] == "bad_input":
            return InputError(sentence)
    except (ValueError, KeyError, TypeError):
        sentence = f"The node answered {error.code} {error.reason}: look at its log."
    kind = {404: NotFound, 400: UsageError, 422: UsageError}.get(error.code, ShipriderError)
    return kind(sentence)


def site_of(
    opened: "OpenNode",
    access: "Access",
    *,
    demo: bool = False,
    certificates: "OwnCertificates | None" = None,
    links: "Callable[[], Sequence[LinkState]]" = tuple,
) -> "Site":
    """What the API is handed of an opened node. `links`: how the exchange with each partner stands."""
    from shiprider import __version__
    from shiprider.api.site import Site
    from shiprider.bootstrap.care import metrics
    from shiprider.bootstrap.desk import open_desk

    return Site(
        node=opened.settings.node,
        version=__version__,
        view=opened.view,
        review=opened.review(),
        status=opened.node.status,
        access=access,
        desk=open_desk(opened, access, certificates, links),
        nation=opened.settings.nation,
        language=opened.settings.language,
        demo=demo,
        audit=opened.audit,
        metrics=metrics(opened),
    )


@contextmanager
def announced(folder: Path, server: "Server", authority: str = "") -> Iterator[None]:
    """Let other commands find a running node, and trust its certificate by its `authority` file."""
    path = folder / ADDRESS_FILE
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        json.dump({"origin": server.local_origin, "token": server.token, "authority": authority}, out)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running(folder: Path) -> Api | None:
    """The API of the node that runs in a folder, None where none does."""
    try:
        found = json.loads((folder / ADDRESS_FILE).read_text())
        api = Api(found["origin"], found["token"], authority=found.get("authority", ""))
        api.ask("GET", "/status")
    except (OSError, ValueError, KeyError, ShipriderError):
        return None
    return api


@contextmanager
def node_api(folder: Path) -> Iterator[Api]:
    """The API of the node in a folder. Raises UsageError, NodeBusy."""
    api = running(folder)
    if api is not None:
        yield api
        return
    from shiprider.api.server import Server
    from shiprider.bootstrap.access import open_access
    from shiprider.bootstrap.node import open_node

    with open_node(folder) as opened, open_access(folder, opened.settings, opened.access_log) as access:
        opened.node.load_picture()
        server = Server(site_of(opened, access), host="127.0.0.1", port=0)
        server.start()
        try:
            yield Api(server.origin, server.token)
        finally:
            server.stop()


@contextmanager
def officer_api(folder: Path, officer: str = "") -> Iterator[Api]:
    """The same, for somebody who writes: by his login name where he gives no other."""
    import getpass
    from dataclasses import replace

    with node_api(folder) as api:
        yield replace(api, officer=officer or getpass.getuser())


def refuse_running(folder: Path) -> None:
    """For work that needs the node stopped. Raises NodeBusy."""
    if running(folder) is not None:
        raise NodeBusy(f"The node in {folder} is running: stop it first, then try again.")
