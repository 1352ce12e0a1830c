"""Merkle trees of RFC 6962: hashes of leaves and nodes, roots, inclusion and consistency proofs.

Always true: a leaf's hash begins with 0x00 and a node's with 0x01 (section 2.1), so neither can be taken
for the other; a proof is accepted only if it is exactly as long as its place and size demand.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

_sha256 = hashlib.sha256

#: The root of a tree without leaves: SHA-256 of nothing.
EMPTY_ROOT: Final = _sha256(b"").digest()

#: The root of leaves start..end (half-open), wherever it is kept.
RootOf = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one leaf, 32 bytes."""
    return _sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node, 32 bytes."""
    return _sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below `size` (size >= 2): where RFC 6962 divides a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All hashes level by level, leaves first; an odd last one is lifted as it is, as RFC 6962 shapes a tree."""
    level = list(leaves)
    found = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [_sha256(b"\1" + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        found.append(above)
        level = above
    return found


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (section 2.1)."""
    return levels(leaves)[-1][0] if leaves else EMPTY_ROOT


def path(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The inclusion proof of one leaf from `levels`, bottom up (section 2.1.1)."""
    found: list[bytes] = []
    for level in tree[:-1]:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        index >>= 1
    return found


def inclusion(index: int, size: int, root_of: RootOf) -> list[bytes]:
    """The inclusion proof of leaf `index` in the tree of `size` leaves, from roots that are kept."""
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            found.append(root_of(middle, end))
            end = middle
        else:
            found.append(root_of(start, middle))
            start = middle
    return found[::-1]


def consistency(old: int, new: int, root_of: RootOf) -> list[bytes]:
    """The proof that the tree of `old` leaves is the beginning of that of `new` (section 2.1.2)."""
    start, end, whole, found = 0, new, True, []
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            found.append(root_of(middle, end))
            end = middle
        else:
            found.append(root_of(start, middle))
            start, whole = middle, False
    if not whole:
        found.append(root_of(start, end))
    return found[::-1] if old else []


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to; None if it cannot be the proof of that place (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = _sha256(b"\1" + beside + found).digest()
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = _sha256(b"\1" + found + beside).digest()
        place >>= 1
        last >>= 1
    return found if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the older tree is the beginning of the newer one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not proof and old_root == (EMPTY_ROOT if old == 0 else new_root)
    rest = list(proof)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    if not rest:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = rest[0]
    for beside in rest[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first = node_hash(beside, first)
            second = node_hash(beside, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, beside)
        place >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root
