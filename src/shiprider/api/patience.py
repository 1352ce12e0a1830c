"""How long a request may take to arrive, and how many connections may wait.

Always true: a connection whose request is not there, headers and body, within `REQUEST_S` of its first
octet (of the connection, for the first) is let go; one that waits between requests is the server's to end.
uvicorn bounds only the wait between requests, so that one slow program could hold every connection there is.
A connection beyond the bound, of all or of one address, is closed as it comes, before TLS: it would take a
file handle from the spool, and a seat from everybody else.
"""

import asyncio
import socket
import weakref
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from shiprider.flow.networks import network_of

#: 12 MiB, the largest body, over this machine's own network take a tenth of a second.
REQUEST_S: Final = 20.0
#: Connections and requests at once; beyond, the answer is 503. A page takes seven.
CONNECTIONS: Final = 256
#: Of one address: a watch floor behind one router goes on (eighteen pages), a single stranger takes half at most.
OF_ONE_ADDRESS: Final = 128

_WAITED_FOR: Final = (h11.IDLE, h11.SEND_BODY)


class BoundedListener(socket.socket):
    """A listening socket that takes so many connections at once and no more."""

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._taken: weakref.WeakKeyDictionary[socket.socket, str] = weakref.WeakKeyDictionary()
        self.most, self.most_of_one = CONNECTIONS, OF_ONE_ADDRESS

    def accept(self) -> tuple[socket.socket, Any]:
        """See `socket.accept`. Raises ConnectionAbortedError for one too many, which asyncio passes over."""
        taken, address = super().accept()
        network = network_of(str(address[0]))
        there = [of for each, of in list(self._taken.items()) if each.fileno() >= 0]
        if len(there) >= self.most or there.count(network) >= self.most_of_one:
            taken.close()
            raise ConnectionAbortedError("too many connections")
        self._taken[taken] = network
        return taken, address


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP, with a deadline for what is to come."""

    _deadline: asyncio.TimerHandle | None = None
    request_s: float = REQUEST_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new connection: its first request is waited for."""
        super().connection_made(transport)  # type: ignore[arg-type]
        # Whatever logging a process sets up: the first address of a session carries the token.
        self.access_log = False
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Octets came: of a request that is waited for, or of one that begins."""
        if self._deadline is None:
            self._wait()
        super().data_received(data)
        if self.conn.their_state not in _WAITED_FOR:
            self._arrived()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """The WebSocket has bounds of its own."""
        self._arrived()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._arrived()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.request_s, self._let_go)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _let_go(self) -> None:
        self._deadline = None
        self.transport.abort()
