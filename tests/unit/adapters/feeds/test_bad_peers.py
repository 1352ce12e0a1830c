"""Peers and folders that misbehave: bounded memory, one sentence, and never the end of the node."""

import itertools
import os
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from shiprider.adapters.feeds.folder import FolderFeed
from shiprider.adapters.feeds.lines import LineCutter
from shiprider.adapters.feeds.standard_input import StandardInputFeed
from shiprider.adapters.feeds.tcp import TcpFeed
from shiprider.adapters.feeds.udp import UdpFeed
from shiprider.model.errors import StopFeed, UsageError
from shiprider.ports.feed import CHUNK_BYTES, LINE_BYTES, Chunk, Declaration

DECLARATION = Declaration(name="line", standard="NMEA 0183")

ODD_HOSTS = ["", "a..b", "x" * 64 + ".org", "nul\0host", "http://ais.example.org", "host name", "u@h", "a\nb"]


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_a_host_that_is_none_is_refused_in_one_sentence(host: str) -> None:
    with pytest.raises(UsageError, match="neither a name nor an address"):
        TcpFeed(host, 5631, DECLARATION, jitter=lambda: 0.0)
    with pytest.raises(UsageError, match="neither a name nor an address"):
        UdpFeed(host, 0, DECLARATION)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "[::1]", "localhost", "ais.example.org", "münchen.example"]
)
def test_a_host_that_may_be_one_is_taken(host: str) -> None:
    TcpFeed(host, 5631, DECLARATION, jitter=lambda: 0.0)


def test_a_udp_host_that_does_not_resolve_is_one_sentence() -> None:
    with pytest.raises(StopFeed, match="cannot be opened"):
        UdpFeed("no-such-name.invalid", 0, DECLARATION)


def test_a_peer_that_takes_the_line_and_drops_it_is_asked_ever_more_seldom() -> None:
    taken: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        feed = TcpFeed(
            "127.0.0.1", server.getsockname()[1], DECLARATION, jitter=lambda: 0.5, first_wait_s=0.05
        )
        reader = threading.Thread(target=lambda: list(feed.chunks(())))
        reader.start()
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            try:
                line, _ = server.accept()
            except TimeoutError:
                continue
            taken.append(time.monotonic())
            line.close()
        feed.stop()
        reader.join(10)
    # 0.05 s, doubled each time, fill 2 s after six times; asked at once each time it would be forty.
    assert 3 <= len(taken) <= 8
    assert any("closed the line" in notice for notice in feed.notices())


def test_a_line_without_end_is_cut_and_memory_stays_bounded() -> None:
    total = 64 << 20
    with socket.create_server(("127.0.0.1", 0)) as server:
        feed = TcpFeed("127.0.0.1", server.getsockname()[1], DECLARATION, jitter=lambda: 0.0)
        chunks = feed.chunks(())

        def send() -> None:
            line, _ = server.accept()
            with line:
                block = b"\x00\xff!AIVDM" * 8192
                for _ in range(total // len(block)):
                    line.sendall(block)

        sender = threading.Thread(target=send)
        sender.start()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = 0
        while size < total - LINE_BYTES:
            chunk = next(chunks)
            assert len(chunk.data) <= CHUNK_BYTES
            size += len(chunk.data)
        feed.stop()
        sender.join(10)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 32


def test_a_long_line_octet_by_octet_does_not_cost_its_square() -> None:
    def seconds(octets: int) -> float:
        cutter = LineCutter()
        begun = time.process_time()
        for _ in range(octets):
            cutter.cut(b"x")
        return time.process_time() - begun

    # Eight times as many octets cost 64 times as much where each copies what is there.
    assert seconds(800_000) < 24 * max(seconds(100_000), 0.01)


def test_half_lines_for_ever_come_out_whole() -> None:
    cutter = LineCutter()
    halves = itertools.cycle([b"!AIVDM,1,1,,A,13u?et", b"Pv2;0n:dDPwUM1U1Cb069D,0*24\r\n"])
    out = b"".join(cutter.cut(next(halves)) for _ in range(2001))
    assert out == b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n" * 1000
    assert cutter.rest() == b"!AIVDM,1,1,,A,13u?et"


def test_udp_of_no_octet_and_of_the_most_octets() -> None:
    feed = UdpFeed("127.0.0.1", 0, DECLARATION)
    chunks = feed.chunks(())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in (b"", b"x" * 65_507, b"", b"\n"):
            sender.sendto(data, ("127.0.0.1", feed.port))
        got = b""
        while len(got) < 65_509:
            got += next(chunks).data
    feed.stop()
    assert got == b"x" * 65_507 + b"\n\n"
    assert list(chunks) == []


def test_a_flood_of_small_datagrams_is_bounded_by_what_it_takes_and_not_by_what_it_says() -> None:
    feed = UdpFeed("127.0.0.1", 0, DECLARATION, buffer_bytes=64_000)
    chunks = iter(feed.chunks(()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"first\n", ("127.0.0.1", feed.port))
        next(chunks)
        end = time.monotonic() + 10
        while feed.dropped < 500 and time.monotonic() < end:
            sender.sendto(b"\n", ("127.0.0.1", feed.port))
    assert feed.dropped >= 500
    # A datagram takes 65 octets here: no more than 984 of one octet each may wait.
    assert len(feed._waiting) <= 984
    assert "dropped" in feed.notices()[0]
    feed.stop()
    list(chunks)


def test_standard_input_that_is_closed_at_once_ends() -> None:
    read, write = os.pipe()
    os.close(write)
    (chunk,) = StandardInputFeed(DECLARATION, handle=read).chunks(())
    os.close(read)
    assert chunk.final
    assert chunk.padding


def once(folder: Path) -> FolderFeed:
    return FolderFeed(folder, DECLARATION, once=True, stable_s=0.05, look_every_s=0.02)


def given(chunks: list[Chunk]) -> set[bytes]:
    return {chunk.data for chunk in chunks if not chunk.padding}


def test_links_loops_pipes_and_dangling_names_do_not_stop_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "sub" / "deeper" / "a").write_bytes(b"a\n")
    (folder / "loop").symlink_to(folder)
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    (folder / "itself").symlink_to(folder / "itself")
    (tmp_path / "outside").write_bytes(b"outside\n")
    (folder / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe")
    assert given(list(once(folder).chunks(()))) == {b"a\n", b"outside\n"}


def test_a_place_that_may_not_be_looked_at_does_not_stop_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good").write_bytes(b"good\n")
    (tmp_path / "locked").write_bytes(b"locked\n")
    is_file = Path.is_file

    def refused(path: Path, **_: bool) -> bool:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refused)
    feed = once(tmp_path)
    assert given(list(feed.chunks(()))) == {b"good\n"}
    assert any("locked" in notice and "rights" in notice for notice in feed.notices())


def test_a_file_that_becomes_readable_is_taken_although_it_did_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "late"
    path.write_bytes(b"late\n")
    opened = Path.open
    locked = True

    def open_if_allowed(place: Path, *args: object, **options: object) -> object:
        if locked and place == path:
            raise PermissionError(13, "Permission denied", str(place))
        return opened(place, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", open_if_allowed)
    feed = FolderFeed(tmp_path, DECLARATION, stable_s=0.05, look_every_s=0.02)
    got: list[Chunk] = []
    reader = threading.Thread(target=lambda: got.extend(feed.chunks(())))
    reader.start()
    end = time.monotonic() + 5
    while not feed.notices() and time.monotonic() < end:
        time.sleep(0.01)
    assert "check its rights" in feed.notices()[0]
    locked = False
    path.chmod(0o640)
    while feed.notices() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)
    feed.stop()
    reader.join(10)
    assert given(got) == {b"late\n"}
    assert list(feed.notices()) == []


def test_a_file_that_the_disk_loses_while_it_is_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good").write_bytes(b"good\n")
    (tmp_path / "lost").write_bytes(b"lost\n")
    opened = Path.open

    class Lost:
        def __init__(self, inner: object) -> None:
            self._inner = inner

        def __enter__(self) -> "Lost":
            return self

        def __exit__(self, *_: object) -> None:
            self._inner.close()  # type: ignore[attr-defined]

        def fileno(self) -> int:
            return int(self._inner.fileno())  # type: ignore[attr-defined]

        def read(self, _: int) -> bytes:
            raise OSError(116, "Stale file handle")

    def lose(place: Path, *args: object, **options: object) -> object:
        found = opened(place, *args, **options)  # type: ignore[call-overload]
        return Lost(found) if place.name == "lost" else found

    monkeypatch.setattr(Path, "open", lose)
    feed = once(tmp_path)
    assert given(list(feed.chunks(()))) == {b"good\n"}
    assert any("Stale file handle" in notice for notice in feed.notices())
