"""Reading a stored file, plain or compressed, as a stream of bytes in flat memory.

Always true: offsets are of decompressed bytes; a cut or damaged compressed file gives all that is
readable first, and then one sentence; one that unpacks to more than its bound gives nothing, and one sentence.
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import zstandard

from shiprider.model.errors import InputError

#: Bytes read at once.
BLOCK: Final = 1 << 20
_COMPRESSED: Final = 4096
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"


#: Of a file that unpacks to no more than this nothing is to be feared, whatever its ratio.
_SMALL_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Unpacking:
    """How much larger than stored a compressed file may be. AIS packs 3 to 20 times; zeros 1,000 to 30,000 times."""

    ratio: int = 200
    most_bytes: int = 100 << 30

    def bound(self, stored: int) -> int:
        """Bytes that a file of so many stored ones may unpack to."""
        return min(self.most_bytes, max(_SMALL_BYTES, self.ratio * stored))


def check_unpacking(path: Path, unpacking: Unpacking, stopped: Callable[[], bool]) -> None:
    """Unpack a compressed file to nowhere: it is refused as a whole before anything of it is taken. Raises InputError.

    A damaged one is not refused: what can be read of it is within the bound.
    """
    stream = StoredStream(path)
    try:
        if stream.kind == "plain":
            return
        bound, unpacked, blocks = (
            unpacking.bound(path.stat().st_size),
            0,
            stream.blocks(0, stopped),
        )
        while True:
            try:
                block = next(blocks, b"")
            except InputError:
                return
            unpacked += len(block)
            if unpacked > bound:
                raise InputError(
                    f"{path} unpacks to more than {bound >> 20} MiB, which no recording of its size does: nothing of it was "
                    "taken; look into it and give it unpacked, or raise the feed's `unpacked_ratio` or `unpacked_gib`."
                )
            if not block:
                return
    finally:
        stream.close()


def open_raw(path: Path) -> io.BufferedReader:
    """The file as it is. Raises InputError in one sentence."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a file: name a file, or watch it as a folder feed.")
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path} is not there: check the name.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its rights.") from error


def digest_of(path: Path, lengths: frozenset[int] = frozenset()) -> tuple[str, int, dict[int, str]]:
    """SHA-256 of the file as stored, its size, and the digests of its first so many bytes."""
    digest = hashlib.sha256()
    size = 0
    prefixes: dict[int, str] = {}
    marks = sorted(lengths)
    with open_raw(path) as raw:
        while block := _read(raw, path):
            while marks and marks[0] <= size + len(block):
                part = digest.copy()
                part.update(block[: marks[0] - size])
                prefixes[marks.pop(0)] = part.hexdigest()
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size, prefixes


def _read(raw: io.BufferedReader, path: Path) -> bytes:
    """The next block. Raises InputError: a file that a server or a disk lost stops itself, not the node."""
    try:
        return raw.read(BLOCK)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the disk.") from error


class ZstdStream:
    """Frames of zstd one after the other. The library's own reader ends silently at a cut frame."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._input = b""
        self._output = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end. Raises EOFError where the last frame is not whole."""
        while not self._output:
            # Small pieces: a few bytes can stand for very many.
            data = self._input or self._raw.read(_COMPRESSED)
            if not data:
                if self._begun and not self._frame.eof:
                    raise EOFError
                return b""
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._begun = True
            self._output = memoryview(self._frame.decompress(data))
            self._input = self._frame.unused_data
        piece, self._output = bytes(self._output[:size]), self._output[size:]
        return piece


class StoredStream:
    """Decompressed blocks of one file; `read_bytes` says how many stored bytes were used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw = open_raw(path)
        try:
            head = self._raw.peek(4)[:4]
        except OSError as error:
            self._raw.close()
            raise InputError(f"{path} cannot be read ({error.strerror}): check the disk.") from error
        if head[:2] == _GZIP:
            self.kind = "gzip"
        elif head == _ZSTD or head[1:] == _ZSTD_SKIPPABLE:
            self.kind = "zstd"
        else:
            self.kind = "plain"

    @property
    def read_bytes(self) -> int:
        """Stored bytes used so far."""
        return self._raw.tell()

    def blocks(self, offset: int, stopped: Callable[[], bool], block_bytes: int = BLOCK) -> Iterator[bytes]:
        """Blocks from a decompressed offset on. Raises InputError after the last readable one."""
        if self.kind == "plain":
            self._raw.seek(offset)
            offset = 0
            stream: Any = self._raw
        elif self.kind == "gzip":
            stream = gzip.GzipFile(fileobj=self._raw)
        else:
            stream = ZstdStream(self._raw)
        produced = 0
        try:
            while not stopped() and (block := stream.read(block_bytes)):
                produced += len(block)
                if offset:
                    skipped = min(offset, len(block))
                    offset -= skipped
                    block = block[skipped:]
                if block:
                    yield block
        except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            raise InputError(
                f"{self._path} is damaged or cut off after {produced} decompressed bytes: "
                "what could be read was kept; get the file again."
            ) from error
        except OSError as error:
            raise InputError(f"{self._path} cannot be read ({error.strerror}): check the disk.") from error

    def close(self) -> None:
        """Let the file go."""
        self._raw.close()
