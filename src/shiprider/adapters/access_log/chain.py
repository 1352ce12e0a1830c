"""`chain.log`: one line for each segment that was closed, and one for each that retention let go.

Always true: a line's digest covers the digest of the line before it; what a segment held (first, last,
times, hashes) stays known after its bytes went; a torn last line (power cut) is cut off at opening.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from shiprider.adapters.access_log.disk import open_file, write_all
from shiprider.model.errors import CorruptStore


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Entries `first` to `last` of a segment; `before` is the hash that its first line follows, `hash` its last."""

    segment: int
    first: int
    last: int
    first_us: int
    last_us: int
    bytes: int
    sha256: str
    before: str
    hash: str
    previous: str = ""
    removed: str = ""
    digest: str = ""

    def digested(self) -> "Link":
        """With `digest`: SHA-256 over the JSON of all the rest."""
        bare = msgspec.structs.replace(self, digest="")
        return msgspec.structs.replace(bare, digest=hashlib.sha256(msgspec.json.encode(bare)).hexdigest())


def read_links(path: Path) -> tuple[list[Link], int]:
    """Whole lines of a chain, checked, and how many bytes they are. Raises CorruptStore, OSError."""
    links: list[Link] = []
    data = path.read_bytes() if path.exists() else b""
    at = 0
    while at < len(data):
        stop = data.find(b"\n", at)
        if stop < 0:
            break
        try:
            link = msgspec.json.decode(data[at:stop], type=Link)
        except (msgspec.DecodeError, UnicodeDecodeError):
            link = None
        previous = links[-1].digest if links else ""
        # Only the one way of writing it counts: another is somebody else's.
        sound = link is not None and link == link.digested() and msgspec.json.encode(link) == data[at:stop]
        if link is None or not sound or link.previous != previous:
            raise CorruptStore(
                f"{path} is broken at line {len(links) + 1}: a line was changed, removed or added; restore it from a back-up."
            )
        links.append(link)
        at = stop + 1
    return links, at


class Chain:
    """The file being appended to."""

    def __init__(self, path: Path) -> None:
        self.links, self._end = read_links(path)
        self._handle = open_file(path)
        os.ftruncate(self._handle, self._end)

    def append(self, link: Link) -> None:
        """Add one line, durable on return. Raises OSError; then nothing was added."""
        previous = self.links[-1].digest if self.links else ""
        made = msgspec.structs.replace(link, previous=previous).digested()
        line = msgspec.json.encode(made) + b"\n"
        try:
            write_all(self._handle, line, self._end)
            os.fsync(self._handle)
        except OSError:
            os.ftruncate(self._handle, self._end)
            raise
        self._end += len(line)
        self.links.append(made)

    def closed(self) -> list[Link]:
        """Segments that were closed, oldest first."""
        return [link for link in self.links if not link.removed]

    def removed(self) -> dict[int, str]:
        """Why segments went, by number."""
        return {link.segment: link.removed for link in self.links if link.removed}

    def close(self) -> None:
        """Let go."""
        os.close(self._handle)
