"""A recording is given whole, once, whatever its wrapping; zlib's and zstd's own tools make the files."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from shiprider.adapters.feeds.file import FileFeed
from shiprider.adapters.feeds.folder import FolderFeed
from shiprider.adapters.feeds.lines import LineCutter
from shiprider.adapters.feeds.stored import Unpacking
from shiprider.model.errors import InputError
from shiprider.ports.feed import Chunk, Declaration, Origin, Taken

DECLARATION = Declaration(name="recording", standard="NMEA 0183")
LINES = b"".join(b"!AIVDM,1,1,,A,line %06d,0*00\r\n" % n for n in range(30_000))


def feed(path: Path, chunk_bytes: int = 50_000) -> FileFeed:
    return FileFeed(path, DECLARATION, now_us=lambda: 7, chunk_bytes=chunk_bytes)


def joined(chunks: list[Chunk]) -> bytes:
    offset = chunks[0].file_offset
    for chunk in chunks:
        assert chunk.file_offset == offset
        offset += 0 if chunk.padding else len(chunk.data)
    assert [c.final for c in chunks] == [False] * (len(chunks) - 1) + [True]
    return b"".join(c.data for c in chunks if not c.padding)


@pytest.mark.parametrize("wrapping", ["plain", "gzip", "gzip members", "zstd", "zstd frames"])
def test_the_bytes_of_the_chunks_are_the_bytes_of_the_file(tmp_path: Path, wrapping: str) -> None:
    half = len(LINES) // 2
    data = {
        "plain": LINES,
        "gzip": gzip.compress(LINES),
        "gzip members": gzip.compress(LINES[:half]) + gzip.compress(LINES[half:]),
        "zstd": zstandard.compress(LINES),
        "zstd frames": zstandard.compress(LINES[:half]) + zstandard.compress(LINES[half:]),
    }[wrapping]
    path = tmp_path / "f"
    path.write_bytes(data)
    chunks = list(feed(path).chunks(()))
    assert joined(chunks) == LINES
    assert all(chunk.data.endswith(b"\n") for chunk in chunks)
    assert len(chunks) > 5
    assert chunks[-1].progress == len(data)


def test_it_goes_on_where_the_spool_ends_and_a_copy_is_not_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(LINES))
    chunks = list(feed(path).chunks(()))
    third = chunks[2]
    taken = [Taken(third.origin, third.file_offset + len(third.data), False)]
    path = path.rename(tmp_path / "moved.gz")
    rest = list(feed(path).chunks(taken))
    assert b"".join(c.data for c in chunks[:3]) + joined(rest) == LINES
    assert rest[0].origin == third.origin
    again = feed(path)
    assert list(again.chunks([Taken(third.origin, len(LINES), True)])) == []
    assert "was taken before" in again.notices()[0]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_cut_file_gives_what_is_readable_and_one_sentence_then_goes_on_when_whole(
    tmp_path: Path, kind: str
) -> None:
    data = gzip.compress(LINES) if kind == "gzip" else zstandard.ZstdCompressor(level=1).compress(LINES)
    path = tmp_path / "cut"
    path.write_bytes(data[: len(data) * 2 // 3])
    got: list[Chunk] = []
    with pytest.raises(
        InputError, match=r"cut off after \d+ decompressed bytes: what could be read was kept"
    ):
        for chunk in feed(path).chunks(()):
            got.append(chunk)  # noqa: PERF402 (what came before the error counts)
    kept = b"".join(c.data for c in got)
    assert not any(c.final for c in got)
    if kind == "gzip":
        assert len(kept) > len(LINES) // 3
    assert LINES.startswith(kept)
    path.write_bytes(data)
    taken = [Taken(got[-1].origin, len(kept), False)] if got else []
    assert kept + joined(list(feed(path).chunks(taken))) == LINES


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(LINES))
    data[len(data) // 2] ^= 0xFF
    data[len(data) // 2 + 7] ^= 0xFF
    path = tmp_path / "bad.gz"
    path.write_bytes(bytes(data))
    with pytest.raises(InputError) as caught:
        list(feed(path).chunks(()))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("name", "words"), [("absent", "is not there"), (".", "is a folder")])
def test_what_is_no_file_is_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        list(feed(tmp_path / name).chunks(()))


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "e").touch()
    source = feed(tmp_path / "e")
    assert list(source.chunks(())) == []
    assert "is empty" in source.notices()[0]


def test_a_grown_file_gives_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "g"
    path.write_bytes(LINES[:-30])
    before = list(feed(path).chunks(()))
    path.write_bytes(LINES)
    taken = [Taken(before[-1].origin, len(LINES) - 30, True)]
    assert b"".join(c.data for c in feed(path).chunks(taken)) == LINES[-30:]
    other = tmp_path / "other"
    other.write_bytes(b"X" + LINES)
    assert joined(list(feed(other).chunks(taken))) == b"X" + LINES


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for _ in range(60):
            out.write(LINES)
    source = FileFeed(path, DECLARATION)
    tracemalloc.start()
    total = sum(len(chunk.data) for chunk in source.chunks(()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 60 * len(LINES)
    assert peak < 24 << 20 < total


@pytest.mark.parametrize("wrapping", ["gzip", "zstd"])
def test_of_a_file_that_begins_well_and_unpacks_without_end_nothing_is_taken(
    tmp_path: Path, wrapping: str
) -> None:
    pack = gzip.compress if wrapping == "gzip" else zstandard.compress
    # Whole frames one after the other, as an honest archive has them: a recording, then one line for ever.
    path = tmp_path / f"bomb.{wrapping}"
    path.write_bytes(pack(LINES) + pack(LINES[:32] * (1 << 20)) * 9)
    with pytest.raises(
        InputError, match=r"bomb.* unpacks to more than 256 MiB, .* nothing of it was taken; look into it"
    ):
        next(feed(path).chunks(()))
    # The same is taken where somebody said that it may be so large; one that is small always is.
    large = FileFeed(path, DECLARATION, unpacking=Unpacking(ratio=1 << 20))
    assert len(next(large.chunks(())).data)
    small = tmp_path / f"small.{wrapping}"
    small.write_bytes(pack(LINES[:32] * (1 << 20)))
    assert sum(len(chunk.data) for chunk in feed(small, 1 << 22).chunks(())) == 32 << 20
    with pytest.raises(InputError, match="more than 1 MiB"):
        next(FileFeed(small, DECLARATION, unpacking=Unpacking(most_bytes=1 << 20)).chunks(()))


def test_a_file_that_unpacks_without_end_does_not_stop_a_watched_folder(tmp_path: Path) -> None:
    (tmp_path / "a.zst").write_bytes(
        zstandard.compress(LINES) + zstandard.compress(b"a line\n" * (1 << 20)) * 40
    )
    (tmp_path / "b.nmea").write_bytes(LINES)
    watched = FolderFeed(tmp_path, DECLARATION, once=True, stable_s=0.0, look_every_s=0.0)
    assert joined(list(watched.chunks(()))) == LINES
    (notice,) = watched.notices()
    assert "a.zst unpacks to more than 256 MiB" in notice
    assert (tmp_path / "a.zst").exists()


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "endless"
    path.write_bytes(b"A" * (12 << 20))
    chunks = list(FileFeed(path, DECLARATION).chunks(()))
    assert joined(chunks) == b"A" * (12 << 20)
    assert len(chunks) > 1


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 30))
def test_cutting_loses_and_doubles_nothing(blocks: list[bytes], line_bytes: int) -> None:
    cutter = LineCutter(line_bytes)
    pieces = [cutter.cut(block) for block in blocks]
    assert b"".join(pieces) + cutter.rest() == b"".join(blocks)


@given(st.lists(st.sampled_from([b"ab", b"\n", b"c", b"\r\n"]), max_size=30))
def test_pieces_end_at_line_ends(blocks: list[bytes]) -> None:
    cutter = LineCutter()
    assert all(not piece or piece.endswith(b"\n") for piece in map(cutter.cut, blocks))


def test_a_known_unchanged_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(LINES)
    state = path.stat()
    origin = Origin(str(path), "0" * 64, state.st_size, state.st_mtime_ns)
    assert list(feed(path).chunks([Taken(origin, len(LINES), True)])) == []
    os.utime(path, ns=(1, 1))
    assert joined(list(feed(path).chunks([Taken(origin, len(LINES), True)]))) == LINES
