"""UDP: datagrams of whole lines, as many as fit.

Always true: memory is bounded; what does not fit is dropped whole and counted, never in silence;
a datagram is whole lines (a missing line end is added), so two senders are never mixed in one line.
"""

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from shiprider.adapters.feeds.file import wall_us
from shiprider.adapters.feeds.hosts import checked_host
from shiprider.model.errors import StopFeed
from shiprider.ports.feed import CHUNK_BYTES, Chunk, Declaration, Origin, Taken

#: Bytes waiting at most: half a minute of 20,000 sentences a second.
BUFFER_BYTES: Final = 48 << 20
GATHER_S: Final = 0.1
_DATAGRAM: Final = 65535
#: What a waiting datagram takes beside its bytes: small ones must not outgrow the buffer.
_OVERHEAD: Final = 64


class UdpFeed:
    """See `ports.feed.Feed`. The socket is bound at construction; raises StopFeed if it cannot be."""

    def __init__(
        self,
        host: str,
        port: int,
        declaration: Declaration,
        *,
        now_us: Callable[[], int] = wall_us,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        self._declaration = declaration
        self._now_us = now_us
        self._buffer_bytes = buffer_bytes
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._ready = threading.Condition()
        self._stop = threading.Event()
        self.dropped = 0
        host = checked_host(host, declaration.name)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise StopFeed(
                f"UDP port {port} on {host} cannot be opened ({error.strerror}): choose another one."
            ) from error
        self._socket.settimeout(GATHER_S)
        self.port = int(self._socket.getsockname()[1])

    @property
    def declaration(self) -> Declaration:
        """What it is."""
        return self._declaration

    @property
    def total_bytes(self) -> int | None:
        """It never ends."""
        return None

    def _receive(self) -> None:
        while not self._stop.is_set():
            try:
                datagram = self._socket.recv(_DATAGRAM)
            except TimeoutError:
                continue
            except OSError:
                break
            if not datagram:
                continue
            if not datagram.endswith(b"\n"):
                datagram += b"\n"
            with self._ready:
                if self._waiting_bytes + len(datagram) + _OVERHEAD > self._buffer_bytes:
                    self.dropped += 1
                    continue
                self._waiting.append(datagram)
                self._waiting_bytes += len(datagram) + _OVERHEAD
                self._ready.notify()

    def chunks(self, taken: Sequence[Taken]) -> Iterator[Chunk]:
        """What comes, for as long as nobody says stop; see the port."""
        origin = Origin()
        offset = max((t.next_offset for t in taken if t.origin == origin), default=0)
        receiver = threading.Thread(target=self._receive, name="udp-receiver", daemon=True)
        receiver.start()
        try:
            while not self._stop.is_set():
                data = self._gather()
                if data:
                    yield Chunk(origin, data, offset, self._now_us(), progress=offset + len(data))
                    offset += len(data)
        finally:
            self._stop.set()
            receiver.join()
            self._socket.close()

    def _gather(self) -> bytes:
        with self._ready:
            if not self._waiting:
                self._ready.wait(GATHER_S)
            parts: list[bytes] = []
            size = 0
            while self._waiting and size < CHUNK_BYTES - _DATAGRAM:
                part = self._waiting.popleft()
                parts.append(part)
                size += len(part)
            self._waiting_bytes -= size + _OVERHEAD * len(parts)
        return b"".join(parts)

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def notices(self) -> Sequence[str]:
        """What was dropped."""
        if not self.dropped:
            return ()
        return (f"{self._declaration.name}: {self.dropped} datagrams were dropped, the node is too slow.",)
