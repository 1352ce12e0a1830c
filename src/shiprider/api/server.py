"""Listening: plain HTTP on the loopback and nowhere else; beyond it TLS, with the node's own certificate.

Always true: an address that other machines can reach is refused without TLS, before a socket is bound; the
token of a run is made for it, and stands in the start-up URL only where that signs a demo user in.
"""

import asyncio
import errno
import ipaddress
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn

from shiprider.api.app import make_app
from shiprider.api.patience import CONNECTIONS, BoundedListener, BoundedProtocol
from shiprider.api.place import Place, bracketed, is_loopback
from shiprider.api.seldom import speak_seldom
from shiprider.api.site import Site
from shiprider.model.errors import StopFeed, UsageError


def check_loopback(host: str, *, tls: bool = False) -> str:
    """The address to bind. Raises UsageError where other machines could read what is not encrypted."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or not (address.is_loopback or tls):
        raise UsageError(
            f"The watch floor speaks plain HTTP on the loopback only, not on {host!r}: use 127.0.0.1, or an "
            "address of this machine with TLS (`[api] listen`)."
        )
    return str(address)


def bind(host: str, port: int, *, tls: bool = False) -> socket.socket:
    """A bound socket; port 0 takes any that is free. Raises UsageError."""
    address = check_loopback(host, tls=tls)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = BoundedListener(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise UsageError(f"Port {port} of {host} {what}: choose another with `[api] port`.") from error
    return listener


def new_token() -> str:
    """A token for one run."""
    return secrets.token_urlsafe(24)


class Server:
    """One listening watch floor. `start` returns when it answers; `stop` when it has let go."""

    def __init__(
        self,
        site: Site,
        *,
        host: str,
        port: int,
        token: str | None = None,
        static: Path | None = None,
        names: tuple[str, ...] = (),
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._socket = bind(host, port, tls=tls is not None)
        self.port: int = self._socket.getsockname()[1]
        self.token = token or new_token()
        everywhere = host.strip("[]") in ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
        own = () if everywhere or is_loopback(host) else (host,)
        place = Place(self.port, tls is not None, (*names, *own))
        shown = names[0] if names else "127.0.0.1" if everywhere else host
        self.origin = f"{place.scheme}://{bracketed(shown)}:{self.port}"
        local = host if is_loopback(host) else "127.0.0.1"
        #: Where commands of this machine ask.
        self.local_origin = (
            f"{place.scheme}://{bracketed(local if everywhere or is_loopback(host) else host)}:{self.port}"
        )
        demo = site.access.settings.demo
        self.url = f"{self.origin}/?token={self.token}" if demo else f"{self.origin}/"
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(site, token=self.token, place=place, static=static),
                ssl_context_factory=None if tls is None else lambda *_: tls(),
                http=BoundedProtocol,
                limit_concurrency=CONNECTIONS,
                ws="websockets-sansio",
                ws_max_size=65_536,
                ws_ping_interval=20.0,
                ws_ping_timeout=20.0,
                ws_per_message_deflate=False,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                lifespan="off",
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=65_536,
            )
        )
        speak_seldom()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Serve in this thread until it is interrupted (SIGINT, SIGTERM) or stopped."""

        async def serve() -> None:
            task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
            while not self._server.started and not task.done():
                await asyncio.sleep(0.01)
            if ready is not None and not task.done():
                ready()
            await task

        asyncio.run(serve())

    def start(self) -> None:
        """Serve in a thread of its own. Raises StopFeed where it does not come up."""
        up = threading.Event()

        def serve() -> None:
            try:
                self.run(up.set)
            except BaseException as error:
                self._failure = error
            finally:
                up.set()

        self._thread = threading.Thread(target=serve, name="api", daemon=True)
        self._thread.start()
        if not up.wait(30) or self._failure is not None or not self._server.started:
            raise StopFeed(
                f"The watch floor's server did not start ({self._failure}): look at the node's log."
            )

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)
        self._socket.close()
