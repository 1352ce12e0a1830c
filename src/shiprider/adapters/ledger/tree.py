"""The log's Merkle tree, kept in tiles of 256 hashes.

Always true: tile (level, number) holds the roots of whole subtrees of 256**level records, in order; an
append touches only the last tile of each level; a proof reads a few tiles, however long the log is.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import Connection, select

from shiprider.adapters.ledger.tables import TILE
from shiprider.model import merkle

#: Hashes in a tile, and its height in levels of the tree.
WIDTH: Final = 256
_HEIGHT: Final = 8

Tiles = dict[tuple[int, int], bytes]


class Tree:
    """The unfinished tiles at the right edge: all that an append and the root need."""

    def __init__(self) -> None:
        self.size = 0
        self._open: list[list[bytes]] = [[]]

    @classmethod
    def load(cls, connection: Connection, size: int) -> "Tree":
        """The tree of a stored log of that many records."""
        made = cls()
        made.size = size
        made._open = []
        read = reader(connection)
        level = 0
        while size or not made._open:
            number, many = divmod(size, WIDTH)
            data = read(level, number) if many else b""
            made._open.append([data[at : at + 32] for at in range(0, 32 * many, 32)])
            size, level = number, level + 1
        return made

    def copy(self) -> "Tree":
        """An independent copy: a commit that fails changes nothing."""
        made = Tree()
        made.size = self.size
        made._open = [list(level) for level in self._open]
        return made

    def extend(self, leaves: Iterable[bytes]) -> Tiles:
        """Add leaf hashes; the tiles to be stored."""
        changed: Tiles = {}
        touched = {0}
        bottom = self._open[0]
        for leaf in leaves:
            bottom.append(leaf)
            self.size += 1
            if len(bottom) == WIDTH:
                self._close(changed, touched)
        count = self.size
        for level, hashes in enumerate(self._open):
            if hashes and level in touched:
                changed[level, count // WIDTH] = b"".join(hashes)
            count //= WIDTH
        return changed

    def _close(self, changed: Tiles, touched: set[int]) -> None:
        level, count = 0, self.size
        while len(self._open[level]) == WIDTH:
            hashes = self._open[level]
            changed[level, count // WIDTH - 1] = b"".join(hashes)
            if level + 1 == len(self._open):
                self._open.append([])
            self._open[level + 1].append(merkle.root(hashes))
            hashes.clear()
            level, count = level + 1, count // WIDTH
            touched.add(level)

    def root(self) -> bytes:
        """The root over everything, RFC 6962."""
        found: bytes | None = None
        for hashes in self._open:  # from the right edge to the left
            for peak in reversed(_peaks(hashes)):
                found = peak if found is None else merkle.node_hash(peak, found)
        return merkle.EMPTY_ROOT if found is None else found


def _peaks(hashes: list[bytes]) -> list[bytes]:
    """The roots of the largest whole subtrees, left to right."""
    found: list[bytes] = []
    at = 0
    for bit in reversed(range(_HEIGHT)):
        if len(hashes) & (1 << bit):
            found.append(merkle.root(hashes[at : at + (1 << bit)]))
            at += 1 << bit
    return found


def reader(connection: Connection) -> Callable[[int, int], bytes]:
    """Reads a tile, each of them once."""
    kept: Tiles = {}

    def read(level: int, number: int) -> bytes:
        if (level, number) not in kept:
            chosen = select(TILE.c.hashes).where(TILE.c.level == level, TILE.c.number == number)
            kept[level, number] = bytes(connection.execute(chosen).scalar() or b"")
        return kept[level, number]

    return read


def roots(connection: Connection) -> merkle.RootOf:
    """The root over any stretch that a proof asks for, from stored tiles."""
    read = reader(connection)

    def root_of(start: int, end: int) -> bytes:
        size = end - start
        if size & (size - 1) or start % size:
            middle = start + merkle.split(size)
            return merkle.node_hash(root_of(start, middle), root_of(middle, end))
        level, height = divmod(size.bit_length() - 1, _HEIGHT)
        first = start >> (level * _HEIGHT)
        data = read(level, first // WIDTH)
        at = 32 * (first % WIDTH)
        return merkle.root([data[place : place + 32] for place in range(at, at + (32 << height), 32)])

    return root_of
