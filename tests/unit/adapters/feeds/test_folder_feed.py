"""Each content in a watched folder is given once, whatever is renamed, moved, copied or still growing."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiprider.adapters.feeds.folder import FolderFeed
from shiprider.model.errors import StopFeed
from shiprider.ports.feed import Chunk, Declaration, Taken

DECLARATION = Declaration(name="drop", standard="NMEA 0183")


def feed(folder: Path, *, once: bool = True) -> FolderFeed:
    return FolderFeed(folder, DECLARATION, once=once, stable_s=0.05, look_every_s=0.02, chunk_bytes=64)


def bodies(chunks: list[Chunk]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for chunk in chunks:
        found[Path(chunk.origin.file).name] = found.get(Path(chunk.origin.file).name, b"") + (
            b"" if chunk.padding else chunk.data
        )
    return found


def taken_of(chunks: list[Chunk]) -> list[Taken]:
    reached: dict[object, Taken] = {}
    for chunk in chunks:
        end = chunk.file_offset + (0 if chunk.padding else len(chunk.data))
        reached[chunk.origin] = Taken(chunk.origin, end, chunk.final)
    return list(reached.values())


def test_files_in_order_of_change_and_copies_once(tmp_path: Path) -> None:
    import os

    for number, name in enumerate(["c", "a", "b"]):
        (tmp_path / name).write_bytes(b"%s %d\n" % (name.encode(), number) * 20)
        os.utime(tmp_path / name, ns=(10**18 + number * 10**9,) * 2)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "copy of a").write_bytes((tmp_path / "a").read_bytes())
    (tmp_path / "half.part").write_bytes(b"not yet\n")
    (tmp_path / ".hidden").write_bytes(b"not this\n")
    (tmp_path / "empty").touch()
    chunks = list(feed(tmp_path).chunks(()))
    assert list(bodies(chunks)) == ["c", "a", "b"]
    assert bodies(chunks)["a"] == (tmp_path / "a").read_bytes()


def test_a_restart_goes_on_in_the_middle_of_a_renamed_file(tmp_path: Path) -> None:
    lines = b"".join(b"line %04d\n" % n for n in range(100))
    (tmp_path / "a").write_bytes(lines)
    chunks: list[Chunk] = []
    source = feed(tmp_path)
    for chunk in source.chunks(()):
        chunks.append(chunk)
        if len(chunks) == 5:
            source.stop()
            break
    (tmp_path / "a").rename(tmp_path / "z")
    (tmp_path / "other").write_bytes(b"other\n")
    rest = list(feed(tmp_path).chunks(taken_of(chunks)))
    assert bodies(chunks)["a"] + bodies(rest)["a"] == lines
    assert bodies(rest)["other"] == b"other\n"
    assert list(feed(tmp_path).chunks(taken_of([*chunks, *rest]))) == []


def test_a_growing_file_waits_and_one_that_grows_later_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    source = FolderFeed(tmp_path, DECLARATION, stable_s=0.3, look_every_s=0.02)
    chunks: list[Chunk] = []
    got = threading.Condition()

    def read() -> None:
        for chunk in source.chunks(()):
            with got:
                chunks.append(chunk)
                got.notify()

    reader = threading.Thread(target=read)
    reader.start()
    with path.open("ab", buffering=0) as out:
        for number in range(10):
            out.write(b"early %d\n" % number)
            time.sleep(0.05)
            assert not chunks
    with got:
        assert got.wait_for(lambda: len(chunks) == 1, 5)
    with path.open("ab") as out:
        out.write(b"later\n")
    with got:
        assert got.wait_for(lambda: len(chunks) == 2, 5)
    source.stop()
    reader.join(5)
    assert not reader.is_alive()
    assert b"".join(c.data for c in chunks) == path.read_bytes()


def test_a_bad_file_is_noted_and_does_not_stop_the_others(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "bad.gz").write_bytes(gzip.compress(b"first\n" * 10_000)[:60])
    (tmp_path / "good").write_bytes(b"good\n")
    source = feed(tmp_path)
    assert bodies(list(source.chunks(())))["good"] == b"good\n"
    assert "bad.gz is damaged or cut off" in source.notices()[0]


def test_no_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StopFeed, match="is not a folder"):
        next(iter(feed(tmp_path / "absent").chunks(())))


def test_stop_ends_the_wait(tmp_path: Path) -> None:
    source = feed(tmp_path, once=False)
    found: Iterator[Chunk] = iter(source.chunks(()))
    threading.Timer(0.1, source.stop).start()
    start = time.monotonic()
    assert list(found) == []
    assert time.monotonic() - start < 2
