"""How long a request may take to arrive.

Always true: a connection whose request is not there, headers and body, within `REQUEST_S` of its first
octet (of the connection, for the first) is let go; one that waits between requests is the server's to end.
uvicorn bounds only the wait between requests, so that one slow program could hold every connection there is.
"""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: 12 MiB, the largest body, over this machine's own network take a tenth of a second.
REQUEST_S: Final = 20.0
#: Connections and requests at once; beyond, the answer is 503. A page takes seven.
CONNECTIONS: Final = 256

_WAITED_FOR: Final = (h11.IDLE, h11.SEND_BODY)


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
