"""TCP client: connects to a receiver or an aggregator and comes back whenever the line drops.

Always true: it never gives up by itself; waits grow from half a second to a minute and are spread
by the jitter handed in, so that a hundred nodes do not come back in one second; a line cut by a lost
connection is dropped with it and never joined to the next one.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from shiprider.adapters.feeds.file import wall_us
from shiprider.adapters.feeds.hosts import checked_host
from shiprider.adapters.feeds.lines import LineCutter
from shiprider.model.errors import UsageError
from shiprider.ports.feed import CHUNK_BYTES, Chunk, Declaration, Origin, Taken

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 60.0
CONNECT_S: Final = 10.0
#: Silence after which a connection is taken for dead, seconds.
SILENCE_S: Final = 120.0
_POLL_S: Final = 0.1
_BLOCK: Final = 256 << 10


class TcpFeed:
    """See `ports.feed.Feed`. `jitter` gives numbers in 0..1."""

    def __init__(
        self,
        host: str,
        port: int,
        declaration: Declaration,
        *,
        jitter: Callable[[], float],
        now_us: Callable[[], int] = wall_us,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        if not 0 < port < 65536:
            raise UsageError(f"Port {port} of feed {declaration.name!r} is none: give one from 1 to 65535.")
        self._address = (checked_host(host, declaration.name), port)
        self._declaration = declaration
        self._jitter = jitter
        self._now_us = now_us
        self._first_wait_s = first_wait_s
        self._stop = threading.Event()
        self._connections = 0
        self._trouble = ""
        self._cut_bytes = 0

    @property
    def declaration(self) -> Declaration:
        """What it is."""
        return self._declaration

    @property
    def total_bytes(self) -> int | None:
        """It never ends."""
        return None

    def chunks(self, taken: Sequence[Taken]) -> Iterator[Chunk]:
        """What comes, for as long as nobody says stop; see the port."""
        origin = Origin()
        offset = max((t.next_offset for t in taken if t.origin == origin), default=0)
        wait = self._first_wait_s
        while not self._stop.is_set():
            line = self._connect()
            if line is not None:
                with line:
                    for data in self._pieces(line):
                        # A peer that only takes the line and drops it is not asked ever again at once.
                        wait = self._first_wait_s
                        yield Chunk(origin, data, offset, self._now_us(), progress=offset + len(data))
                        offset += len(data)
            self._stop.wait(wait * (0.5 + self._jitter()))
            wait = min(wait * 2, LONGEST_WAIT_S)

    def _connect(self) -> socket.socket | None:
        host, port = self._address
        try:
            line = socket.create_connection(self._address, timeout=CONNECT_S)
        except OSError as error:
            reason = error.strerror or str(error)
            self._trouble = f"{host}:{port} cannot be reached ({reason}): trying again."
            return None
        self._connections += 1
        self._trouble = ""
        line.settimeout(_POLL_S)
        return line

    def _pieces(self, line: socket.socket) -> Iterator[bytes]:
        cutter = LineCutter()
        held = b""
        silent_s = 0.0
        host, port = self._address
        while not self._stop.is_set():
            try:
                block = line.recv(_BLOCK)
            except TimeoutError:
                silent_s += _POLL_S
                if held:
                    yield held
                    held = b""
                if silent_s >= SILENCE_S:
                    self._trouble = f"{host}:{port} said nothing for {SILENCE_S:.0f} s: connecting again."
                    break
                continue
            except OSError as error:
                self._trouble = f"{host}:{port} dropped the line ({error.strerror}): connecting again."
                break
            if not block:
                self._trouble = f"{host}:{port} closed the line: connecting again."
                break
            silent_s = 0.0
            held += cutter.cut(block)
            # What is there is handed on at once; a busy line fills larger pieces by itself.
            if held and (len(block) < _BLOCK or len(held) >= CHUNK_BYTES // 2):
                yield held
                held = b""
        if held:
            yield held
        self._cut_bytes += len(cutter.rest())

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def notices(self) -> Sequence[str]:
        """The line's trouble, how often it came back, what was cut."""
        found = [self._trouble] if self._trouble else []
        if self._connections > 1:
            found.append(f"{self._declaration.name}: connected {self._connections} times.")
        if self._cut_bytes:
            found.append(f"{self._declaration.name}: {self._cut_bytes} bytes of cut lines were dropped.")
        return tuple(found)
