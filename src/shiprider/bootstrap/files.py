"""Files of the operator outside a node: read and written with one sentence where they cannot be."""

import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from shiprider.model.errors import StorageError, UsageError


def read_text(path: str) -> str:
    """A text file of the operator. Raises UsageError in one sentence."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read ({reason}): check the file.") from error


def write_new(path: Path, data: bytes) -> None:
    """A new file, durable on return. Raises UsageError where it exists, StorageError."""
    try:
        with path.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise UsageError(f"{path} exists, and nothing is overwritten: name a new file.") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


@contextmanager
def compressed_writer(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A writer to a file, compressed by its ending; `-` is standard output. Raises StorageError."""
    if str(path) == "-":
        yield sys.stdout.buffer.write
        return
    try:
        with path.open("wb") as plain:
            if path.suffix == ".zst":
                with zstandard.ZstdCompressor(level=3).stream_writer(plain, closefd=False) as packed:
                    yield packed.write
            elif path.suffix == ".gz":
                with gzip.GzipFile(fileobj=plain, mode="wb", compresslevel=6, mtime=0) as zipped:
                    yield zipped.write
            else:
                yield plain.write
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}): choose another place.") from error
