"""TCP and UDP feeds over real sockets of this machine, and standard input over a real pipe."""

import os
import socket
import threading
import time
from collections.abc import Callable

import pytest

from shiprider.adapters.feeds.standard_input import StandardInputFeed
from shiprider.adapters.feeds.tcp import TcpFeed
from shiprider.adapters.feeds.udp import UdpFeed
from shiprider.model.errors import StopFeed, UsageError
from shiprider.ports.feed import Chunk, Declaration, Feed, Origin, Taken

DECLARATION = Declaration(name="line", standard="NMEA 0183")


class Gathered:
    """What a feed gives, gathered in a thread."""

    def __init__(self, feed: Feed, taken: tuple[Taken, ...] = ()) -> None:
        self.feed = feed
        self.chunks: list[Chunk] = []
        self._thread = threading.Thread(target=lambda: self.chunks.extend(_each(self, feed.chunks(taken))))
        self._thread.start()

    def until(self, condition: Callable[[bytes], bool]) -> None:
        end = time.monotonic() + 10
        while not condition(self.data) and time.monotonic() < end:
            time.sleep(0.01)
        assert condition(self.data), self.data[-200:]

    @property
    def data(self) -> bytes:
        return b"".join(c.data for c in list(self.chunks))

    def stop(self) -> None:
        self.feed.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()


def _each(gathered: Gathered, chunks: object) -> list[Chunk]:
    for chunk in chunks:  # type: ignore[attr-defined]
        gathered.chunks.append(chunk)
    return []


def test_tcp_comes_back_after_the_line_dropped_and_cuts_at_line_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        feed = TcpFeed("127.0.0.1", port, DECLARATION, jitter=lambda: 0.5, first_wait_s=0.05)
        got = Gathered(feed)
        line, _ = server.accept()
        line.sendall(b"one\r\ntwo\r\nhal")
        got.until(lambda data: data == b"one\r\ntwo\r\n")
        line.close()
        line, _ = server.accept()
        line.sendall(b"three\r\n")
        got.until(lambda data: data.endswith(b"three\r\n"))
        got.stop()
        line.close()
    assert got.data == b"one\r\ntwo\r\nthree\r\n"
    assert [c.file_offset for c in got.chunks][-1] == len(b"one\r\ntwo\r\n")
    assert any("connected 2 times" in notice for notice in feed.notices())
    assert any("3 bytes of cut lines" in notice for notice in feed.notices())


def test_tcp_keeps_trying_says_so_and_counts_on_from_what_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    feed = TcpFeed("127.0.0.1", port, DECLARATION, jitter=lambda: 0.0, first_wait_s=0.05)
    got = Gathered(feed, (Taken(Origin(), 500, False),))
    time.sleep(0.2)
    assert "cannot be reached" in feed.notices()[0]
    with socket.create_server(("127.0.0.1", port)) as server:
        line, _ = server.accept()
        line.sendall(b"x\n")
        got.until(lambda data: data == b"x\n")
        got.stop()
        line.close()
    assert got.chunks[0].file_offset == 500


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="Port 0"):
        TcpFeed("127.0.0.1", 0, DECLARATION, jitter=lambda: 0.0)


def test_udp_gives_datagrams_as_whole_lines_in_order() -> None:
    feed = UdpFeed("127.0.0.1", 0, DECLARATION)
    got = Gathered(feed)
    sent = b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(500):
            sender.sendto(
                b"!AIVDM,%d\r\n" % number if number % 2 else b"!AIVDM,%d" % number, ("127.0.0.1", feed.port)
            )
            sent += b"!AIVDM,%d\r\n" % number if number % 2 else b"!AIVDM,%d\n" % number
    got.until(lambda data: len(data) >= len(sent))
    got.stop()
    assert got.data == sent
    assert feed.dropped == 0
    assert list(feed.notices()) == []


def test_udp_counts_what_does_not_fit() -> None:
    feed = UdpFeed("127.0.0.1", 0, DECLARATION, buffer_bytes=10 * (100 + 64))
    chunks = iter(feed.chunks(()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"first\n", ("127.0.0.1", feed.port))
        assert next(chunks).data == b"first\n"
        # Nobody takes anything now: 10 of 100 bytes, and 64 beside each, fit; 40 do not.
        for _ in range(50):
            sender.sendto(b"x" * 99 + b"\n", ("127.0.0.1", feed.port))
        end = time.monotonic() + 5
        while feed.dropped < 40 and time.monotonic() < end:
            time.sleep(0.01)
    assert feed.dropped == 40
    assert len(next(chunks).data) == 1000
    feed.stop()
    assert list(chunks) == []
    assert "40 datagrams were dropped" in feed.notices()[0]


def test_a_udp_port_in_use_is_one_sentence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(StopFeed, match="cannot be opened"):
            UdpFeed("127.0.0.1", other.getsockname()[1], DECLARATION)


def test_standard_input_until_the_pipe_ends() -> None:
    read, write = os.pipe()
    got = Gathered(StandardInputFeed(DECLARATION, handle=read, now_us=lambda: 3))
    os.write(write, b"one\ntw")
    got.until(lambda data: data == b"one\n")
    os.write(write, b"o\nlast without end")
    os.close(write)
    got.until(lambda data: data.endswith(b"end"))
    got.stop()
    os.close(read)
    assert got.data == b"one\ntwo\nlast without end"
    assert [c.final for c in got.chunks][-1]
