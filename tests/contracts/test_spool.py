"""What every spool must do; expected bytes are the bytes put in, hashes are hashlib's."""

import hashlib
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.adapters.spool.segmented import SegmentedSpool
from shiprider.model.errors import CorruptStore, NotFound
from shiprider.model.tables import raw_parts
from shiprider.ports.feed import Declaration, Origin, Taken

DECLARATION = Declaration(name="coast", standard="NMEA 0183")
ORIGIN = Origin("a.nmea", "ab" * 32, 999)


def fill(spool: SegmentedSpool, chunks: list[bytes]) -> list[int]:
    source = spool.source(DECLARATION, ORIGIN).number
    raws = []
    offset = 0
    for number, data in enumerate(chunks):
        stored = spool.append(source, data, file_offset=offset, received_us=1_000 + number)
        raws.append(stored.raw)
        offset += len(data)
    spool.sync()
    return raws


def test_addresses_keep_reading_the_same_bytes(tmp_path: Path) -> None:
    chunks = [bytes([65 + n % 26]) * (700 + n) for n in range(40)]
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    raws = fill(spool, chunks)
    for _ in range(2):
        assert [spool.read(raw, len(data)) for raw, data in zip(raws, chunks, strict=True)] == chunks
        assert spool.read(raws[3] + 5, 10) == chunks[3][5:15]
        assert [data for _, data in spool.chunks()] == chunks
        assert [stored.raw for stored, _ in spool.chunks()] == raws == sorted(raws)
        assert [stored.raw for stored, _ in spool.chunks(raws[7], raws[20])] == raws[7:20]
        spool.close()
        spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    assert len(list(spool.verify())) == raw_parts(raws[-1])[0]
    spool.close()


def test_the_hash_of_what_is_durable_is_known_without_reading_it(tmp_path: Path) -> None:
    chunks = [b"!AIVDM,%d\r\n" % n * 50 for n in range(60)]
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=8192)
    fill(spool, chunks[:30])
    for rest in (chunks[30:40], chunks[40:]):
        source = spool.source(DECLARATION, ORIGIN).number
        spool.append(source, b"not durable", file_offset=0, received_us=1)
        held = _segments(tmp_path / "s", spool)
        for prefix in spool.prefixes():
            if prefix.sha256:
                data = held[prefix.segment][: prefix.length]
                assert len(data) == prefix.length and hashlib.sha256(data).hexdigest() == prefix.sha256
                cuts = [1, prefix.length // 2, prefix.length, prefix.length + 1]
                hashes = [hashlib.sha256(data[:cut]).hexdigest() for cut in cuts[:3]]
                found = spool.prefix_hashes(prefix.segment, cuts)
                assert [of_bytes for of_bytes, _ in found] == hashes
                side = (tmp_path / "s" / f"{prefix.segment:08d}.index").read_bytes()
                assert found[2][1] == prefix.index_sha256 == hashlib.sha256(side).hexdigest()
                assert found[0][1] == "", "no chunk ends there"
        assert spool.sources_hash() == spool.sources_hash(1) != spool.sources_hash(0)
        assert [prefix.whole for prefix in spool.prefixes()] == [True] * (len(held) - 1) + [False]
        fill(spool, rest)
        spool.close()
        spool = SegmentedSpool(tmp_path / "s", segment_bytes=8192)
    spool.close()


def _segments(folder: Path, spool: SegmentedSpool) -> dict[int, bytes]:
    """The durable bytes of every segment."""
    found: dict[int, bytes] = {}
    for stored, data in spool.chunks():
        number = raw_parts(stored.raw)[0]
        found[number] = found.get(number, b"") + data
    return found


def test_after_a_write_that_failed_the_hash_is_of_what_stayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shiprider.adapters.spool import segment
    from shiprider.model.errors import DiskFull

    spool = SegmentedSpool(tmp_path / "s", segment_bytes=1 << 16)
    fill(spool, [b"first" * 10])
    source, real = spool.source(DECLARATION, ORIGIN).number, segment.write_all

    def full(handle: int, data: bytes, offset: int) -> None:
        real(handle, data[: len(data) // 2], offset)
        raise OSError(28, "No space left on device")

    spool.append(source, b"second" * 10, file_offset=50, received_us=1)
    monkeypatch.setattr(segment, "write_all", full)
    with pytest.raises(DiskFull):
        spool.append(source, b"third" * 10, file_offset=110, received_us=1)
    monkeypatch.undo()
    spool.append(source, b"fourth" * 10, file_offset=50, received_us=1)
    spool.sync()
    (prefix,) = spool.prefixes()
    assert prefix.sha256 == hashlib.sha256(b"first" * 10 + b"fourth" * 10).hexdigest()
    spool.close()


def test_a_closed_segment_is_plain_zstd_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    chunks = [b"!AIVDM,%d\r\n" % n * 50 for n in range(100)]
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=8192)
    fill(spool, chunks)
    spool.close()
    closed = sorted((tmp_path / "s").glob("*.zst"))
    assert len(closed) >= 5
    import zstandard

    whole = b"".join(
        zstandard.ZstdDecompressor().stream_reader(p.open("rb"), read_across_frames=True).read()
        for p in closed
    )
    assert b"".join(chunks).startswith(whole)
    chain = (tmp_path / "s" / "chain.log").read_text()
    first = zstandard.ZstdDecompressor().stream_reader(closed[0].open("rb"), read_across_frames=True).read()
    assert hashlib.sha256(first).hexdigest() in chain.splitlines()[0]


def test_what_was_not_synced_is_not_read(tmp_path: Path) -> None:
    spool = SegmentedSpool(tmp_path / "s")
    source = spool.source(DECLARATION, ORIGIN).number
    fill(spool, [b"one\n"])
    stored = spool.append(source, b"two\n", file_offset=4, received_us=5)
    assert [data for _, data in spool.chunks()] == [b"one\n"]
    with pytest.raises(NotFound):
        spool.read(stored.raw, 4)
    spool.sync()
    assert spool.read(stored.raw, 4) == b"two\n"
    spool.close()


def test_locate_and_taken_survive_closing_and_removal(tmp_path: Path) -> None:
    chunks = [b"x" * 1000 + b"\n" for _ in range(12)]
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    raws = fill(spool, chunks)
    spool.close()
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    found = spool.locate(raws[5] + 17)
    assert (found.raw, found.file_offset, found.received_us) == (raws[5], 5 * 1001, 1005)
    assert spool.taken("coast") == (Taken(ORIGIN, 12 * 1001, False),)
    assert spool.remove(1, "age") > 0
    with pytest.raises(NotFound, match="removed by retention"):
        spool.read(raws[0], 4)
    spool.close()
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    assert spool.taken("coast") == (Taken(ORIGIN, 12 * 1001, False),)
    assert raw_parts(spool.start())[0] == 2
    assert [s.removed for s in spool.segments()][:2] == [True, False]
    list(spool.verify())
    spool.close()


def test_a_source_is_known_again_and_changed_settings_make_a_new_one(tmp_path: Path) -> None:
    spool = SegmentedSpool(tmp_path / "s")
    one = spool.source(DECLARATION, ORIGIN)
    assert spool.source(DECLARATION, ORIGIN) == one
    other = spool.source(Declaration(name="coast", standard="NMEA 0183", start_us=7), ORIGIN)
    assert other.number != one.number
    spool.close()
    spool = SegmentedSpool(tmp_path / "s")
    assert list(spool.sources()) == [one, other]
    spool.close()


@pytest.mark.parametrize("damage", ["closed", "index", "live", "chain"])
def test_a_flipped_byte_is_found(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "s"
    spool = SegmentedSpool(folder, segment_bytes=4096)
    fill(spool, [b"y" * 1500 + b"\n" for _ in range(8)])
    spool.close()
    path = {
        "closed": folder / "00000002.zst",
        "index": folder / "00000001.index",
        "live": sorted(folder.glob("*.live"))[-1],
        "chain": folder / "chain.log",
    }[damage]
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptStore):
        spool = SegmentedSpool(folder, segment_bytes=4096)
        list(spool.verify())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=12), st.integers(0, 4000), st.data()
)
def test_any_torn_tail_leaves_a_whole_beginning(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], cut: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn") / "s"
    spool = SegmentedSpool(folder)
    fill(spool, chunks)
    spool.close()
    live, side = folder / "00000001.live", folder / "00000001.index"
    victim = data.draw(st.sampled_from([live, side]))
    before = victim.read_bytes()
    kept = min(cut, len(before))
    junk = data.draw(st.sampled_from([b"", b"\0" * 64, b"junk"]))
    victim.write_bytes(before[:kept] + junk)
    spool = SegmentedSpool(folder)
    held = [piece for _, piece in spool.chunks()]
    assert held == chunks[: len(held)]
    if victim == live and not junk:
        # Exactly the chunks that lie wholly before the cut are kept.
        ends = [sum(map(len, chunks[: n + 1])) for n in range(len(chunks))]
        assert len(held) == sum(end <= kept for end in ends)
    source = spool.source(DECLARATION, ORIGIN).number
    spool.append(source, b"after\n", file_offset=0, received_us=9)
    spool.sync()
    assert [piece for _, piece in spool.chunks()] == [*held, b"after\n"]
    spool.close()


def test_a_last_chunk_that_a_torn_tail_happens_to_spell_saves_none_before_it(tmp_path: Path) -> None:
    spool = SegmentedSpool(tmp_path / "s")
    fill(spool, [b"\1", b"\0"])
    spool.close()
    (tmp_path / "s" / "00000001.live").write_bytes(b"\0" * 64)
    spool = SegmentedSpool(tmp_path / "s")
    assert list(spool.chunks()) == []
    spool.close()


def test_reading_goes_on_while_writing(tmp_path: Path) -> None:
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=1 << 16)
    chunks = [b"%06d" % n * 100 + b"\n" for n in range(600)]
    wrong: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for number, (_, data) in enumerate(spool.chunks()):
                if data != chunks[number]:
                    wrong.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    source = spool.source(DECLARATION, ORIGIN).number
    for number, data in enumerate(chunks):
        spool.append(source, data, file_offset=0, received_us=number)
        if number % 7 == 0:
            spool.sync()
    spool.sync()
    done.set()
    reader.join()
    assert wrong == []
    assert [data for _, data in spool.chunks()] == chunks
    spool.close()


def test_a_copy_taken_while_writing_opens_and_verifies(tmp_path: Path) -> None:
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    chunks = [b"%05d" % n * 100 + b"\n" for n in range(50)]
    fill(spool, chunks)
    spool.copy_to(tmp_path / "copy")
    spool.append(0, b"later\n", file_offset=0, received_us=1)
    spool.sync()
    copy = SegmentedSpool(tmp_path / "copy", segment_bytes=4096)
    assert [data for _, data in copy.chunks()] == chunks
    list(copy.verify())
    copy.close()
    spool.close()


def test_the_zstd_tool_reads_a_segment(tmp_path: Path) -> None:
    import shutil

    if shutil.which("zstd") is None:
        pytest.skip("the zstd command is not installed")
    spool = SegmentedSpool(tmp_path / "s", segment_bytes=4096)
    fill(spool, [b"z" * 3000 + b"\n", b"w" * 3000 + b"\n"])
    spool.close()
    out = subprocess.run(
        ["zstd", "-dc", str(tmp_path / "s" / "00000001.zst")], capture_output=True, check=True
    )
    assert out.stdout == b"z" * 3000 + b"\n"
