"""Whoever may write the spool's files, and has no key: a sentence is changed and every checksum made anew."""

import hashlib
import os
import zlib
from pathlib import Path

import msgspec
import numpy as np
import zstandard

from shiprider.adapters.spool import index
from shiprider.adapters.spool.seekable import compress
from shiprider.adapters.spool.segmented import Link
from shiprider.model.tables import raw_parts


def rewrite(spool: Path, raw: int, old: bytes, new: bytes, *, later_us: int = 0) -> None:
    """At an address of a spool that nobody has open: `old` becomes `new`, of the same length; it came in later, too."""
    assert len(old) == len(new)
    number, offset = raw_parts(raw)
    live, closed = spool / f"{number:08d}.live", spool / f"{number:08d}.zst"
    data = bytearray(_bytes_of(live, closed))
    assert data[offset : offset + len(old)] == old
    data[offset : offset + len(old)] = new
    if live.exists():
        live.write_bytes(data)
    else:
        plain = spool / "plain"
        plain.write_bytes(data)
        handle = os.open(plain, os.O_RDONLY)
        compress(handle, len(data), closed)
        os.close(handle)
        plain.unlink()
    _index_anew(spool / f"{number:08d}.index", bytes(data), offset, later_us)
    if closed.exists():
        _chain_anew(spool, number, bytes(data))


def _bytes_of(live: Path, closed: Path) -> bytes:
    if live.exists():
        return live.read_bytes()
    with closed.open("rb") as stored:
        return zstandard.ZstdDecompressor().stream_reader(stored, read_across_frames=True).read()


def _index_anew(path: Path, data: bytes, at: int, later_us: int) -> None:
    records = np.frombuffer(path.read_bytes(), index.RECORD)
    made = b""
    for each in records:
        offset, length = int(each["offset"]), int(each["length"])
        crc = zlib.crc32(data[offset : offset + length])
        made += index.pack(
            offset, length, int(each["source"]), int(each["flags"]), int(each["file_offset"]),
            int(each["received_us"]) + (later_us if offset == at else 0), crc,
        )  # fmt: skip
    path.write_bytes(made)


def _chain_anew(spool: Path, number: int, data: bytes) -> None:
    lines = (spool / "chain.log").read_bytes().splitlines()
    links = [msgspec.json.decode(line.rpartition(b" ")[0], type=Link) for line in lines]
    side = hashlib.sha256((spool / f"{number:08d}.index").read_bytes()).hexdigest()
    for at, link in enumerate(links):
        if link.segment == number and not link.removed:
            sha256 = hashlib.sha256(data).hexdigest()
            links[at] = msgspec.structs.replace(link, sha256=sha256, index_sha256=side)
    write_chain(spool, links)


def write_chain(spool: Path, links: list[Link]) -> None:
    """A chain that holds together, whatever it says."""
    previous, out = "", b""
    for link in links:
        made = msgspec.structs.replace(link, previous=previous, digest="").digested()
        previous = made.digest
        body = msgspec.json.encode(made)
        out += body + b" %08x\n" % zlib.crc32(body)
    (spool / "chain.log").write_bytes(out)


def chain(spool: Path) -> list[Link]:
    """The links as they are."""
    lines = (spool / "chain.log").read_bytes().splitlines()
    return [msgspec.json.decode(line.rpartition(b" ")[0], type=Link) for line in lines]
