"""One segment on disk: the live file being appended to, or a closed one being read.

Always true: `NNNNNNNN.live` is plain bytes, `NNNNNNNN.zst` the same bytes compressed; the live file
is removed only after the compressed one is durable and in the chain; `NNNNNNNN.index` lies beside; the live
one's SHA-256 is of the bytes as they were handed over, not as the disk gives them back.
"""

import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from shiprider.adapters.spool import index
from shiprider.adapters.spool.disk import sync_folder, write_all
from shiprider.adapters.spool.seekable import SeekableReader
from shiprider.model.errors import CorruptStore, NotFound

if TYPE_CHECKING:
    from hashlib import _Hash

#: Bytes read at once to hash what an earlier run wrote.
_HASH_BLOCK: Final = 1 << 20


def live_path(folder: Path, number: int) -> Path:
    """Where a live segment's bytes are."""
    return folder / f"{number:08d}.live"


def closed_path(folder: Path, number: int) -> Path:
    """Where a closed segment's bytes are."""
    return folder / f"{number:08d}.zst"


def index_path(folder: Path, number: int) -> Path:
    """Where a segment's index is."""
    return folder / f"{number:08d}.index"


def load_index(folder: Path, number: int) -> index.Records:
    """The index of a segment. Raises NotFound."""
    try:
        return index.unpack(index_path(folder, number).read_bytes(), checked=False)
    except FileNotFoundError:
        raise NotFound(f"Spool segment {number} is not there: it was removed, or never was.") from None


@dataclass
class LiveSegment:
    """The segment being appended to. `end` bytes are written, `synced` of them durable.

    `digest` is SHA-256 of the written bytes, `digest_synced` of the durable ones, `index_digest` of the index that names
    these; None until it is asked for, where another run wrote them.
    """

    folder: Path
    number: int
    data: int
    side: int
    end: int
    synced: int
    index_synced: int
    records: index.Records
    pending: bytearray
    digest: "_Hash | None" = None
    digest_synced: "_Hash | None" = None
    index_digest: "_Hash | None" = None

    @classmethod
    def create(cls, folder: Path, number: int) -> "LiveSegment":
        """A new, empty one. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        data = os.open(live_path(folder, number), flags, 0o640)
        side = os.open(index_path(folder, number), flags, 0o640)
        sync_folder(folder)
        records = np.zeros(0, index.RECORD)
        empty = hashlib.sha256()
        return cls(folder, number, data, side, 0, 0, 0, records, bytearray(), empty, empty.copy())

    @classmethod
    def recover(cls, folder: Path, number: int) -> "LiveSegment":
        """Open after a stop of any kind: a torn tail is cut off, whole chunks are kept."""
        data = os.open(live_path(folder, number), os.O_RDWR, 0o640)
        side = os.open(index_path(folder, number), os.O_RDWR | os.O_CREAT, 0o640)
        records = index.unpack(os.pread(side, os.fstat(side).st_size, 0))
        size = os.fstat(data).st_size
        kept = len(records)
        if kept and int(records[-1]["offset"] + records[-1]["length"]) == size:
            # Only the tail can be torn: what was synced before it needs no second look.
            while kept and not _whole(data, size, records[kept - 1]):
                kept -= 1
        else:
            # Stopped while writing, or cut: nothing behind the first broken chunk counts, whatever it looks like.
            kept = next((n for n in range(kept) if not _whole(data, size, records[n])), kept)
        records = records[:kept]
        end = int(records[-1]["offset"] + records[-1]["length"]) if kept else 0
        os.ftruncate(data, end)
        os.ftruncate(side, kept * index.RECORD.itemsize)
        os.fsync(data)
        os.fsync(side)
        return cls(folder, number, data, side, end, end, kept * index.RECORD.itemsize, records, bytearray())

    def append(self, data: bytes, source: int, flags: int, file_offset: int, received_us: int) -> int:
        """Write one chunk; its offset. Raises OSError."""
        digest = self._running()
        write_all(self.data, data, self.end)
        digest.update(data)
        offset = self.end
        self.pending += index.pack(
            offset, len(data), source, flags, file_offset, received_us, zlib.crc32(data)
        )
        self.end += len(data)
        return offset

    def sync(self) -> None:
        """Data first, then the index that names it. Raises OSError."""
        if not self.pending:
            return
        os.fsync(self.data)
        write_all(self.side, bytes(self.pending), self.index_synced)
        os.fsync(self.side)
        added = np.frombuffer(bytes(self.pending), index.RECORD)
        if self.index_digest is not None:
            self.index_digest.update(self.pending)
        self.records = np.concatenate([self.records, added])
        self.index_synced += len(self.pending)
        self.pending.clear()
        self.synced = self.end
        self.digest_synced = self.digest.copy() if self.digest is not None else None

    def roll_back(self) -> None:
        """Forget what was not synced. Raises OSError."""
        self.pending.clear()
        self.end = self.synced
        self.digest = self.digest_synced.copy() if self.digest_synced is not None else None
        os.ftruncate(self.data, self.synced)
        os.ftruncate(self.side, self.index_synced)

    def _running(self) -> "_Hash":
        """The hash that goes on with the next chunk. Raises OSError."""
        if self.digest is None:
            self.digest = hashlib.sha256()
            for offset in range(0, self.synced, _HASH_BLOCK):
                self.digest.update(os.pread(self.data, min(_HASH_BLOCK, self.synced - offset), offset))
            self.digest_synced = self.digest.copy()
        return self.digest

    def sha256(self) -> str:
        """Of the durable bytes, as they were handed over (those of an earlier run: as they are). Raises OSError."""
        running = self._running()
        return (self.digest_synced or running).hexdigest()

    def index_sha256(self) -> str:
        """Of the index of the durable bytes."""
        if self.index_digest is None:
            self.index_digest = hashlib.sha256(self.records.tobytes())
        return self.index_digest.hexdigest()

    def read(self, offset: int, length: int) -> bytes:
        """Durable bytes."""
        return os.pread(self.data, min(length, self.synced - offset), offset)

    def close(self) -> None:
        """Let the files go."""
        os.close(self.data)
        os.close(self.side)


def _whole(data: int, size: int, record: np.void) -> bool:
    offset, length = int(record["offset"]), int(record["length"])
    if offset + length > size:
        return False
    return zlib.crc32(os.pread(data, length, offset)) == int(record["data_crc"])


class ClosedSegment:
    """A segment that will not change."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.records = load_index(folder, number)
        path = closed_path(folder, number)
        # Between two segments' closing the bytes are still plain: read them as they are.
        self._reader = SeekableReader(path) if path.exists() else None
        self._plain = -1 if self._reader else os.open(live_path(folder, number), os.O_RDONLY)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an offset. Raises CorruptStore."""
        if self._reader is not None:
            return self._reader.read(offset, length)
        return os.pread(self._plain, length, offset)

    def check(self) -> None:
        """Every chunk against its checksum. Raises CorruptStore."""
        for record in self.records:
            offset, length = int(record["offset"]), int(record["length"])
            if zlib.crc32(self.read(offset, length)) != int(record["data_crc"]):
                raise CorruptStore(
                    f"Spool segment {self.number} is damaged at byte {offset}: restore it from a back-up."
                )

    def close(self) -> None:
        """Let the file go."""
        if self._reader is not None:
            self._reader.close()
        else:
            os.close(self._plain)
