"""A record's signature: one Ed25519 signature over the Merkle root of a bundle, and the way from this record to it.

Always true: a record verifies with itself and the public key alone; all records of a bundle are of one
release class and of one append, so the hashes beside the way tell nobody of a record he may not see;
the body is in it only by its digest, so that its erasure breaks nothing.

Bytes: form (1), key id (16), Ed25519 signature (64), place and size of the bundle (2 each, big-endian),
hashes beside the way to the root (32 each, RFC 6962). The leaf is the envelope's exact bytes; what is
signed are the netstrings of `shiprider-bundle-1`, the key id (hex), the size and the root.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from shiprider.model import merkle

#: Measured in docs/decisions/0010-signatures.md: a larger bundle costs more bytes than it saves time.
BUNDLE: Final = 64

_FORM: Final = 1
_HEAD: Final = 1 + 16 + 64 + 2 + 2

#: (key id, message, signature, recorded at) -> whether that key signed it and was valid then.
Check = Callable[[str, bytes, bytes, int | None], bool]


class BundleSignature(msgspec.Struct, frozen=True):
    """The parts of a record's signature; `index` and `size` place it in its bundle."""

    key_id: str
    signature: bytes
    index: int
    size: int
    path: tuple[bytes, ...]


def netstrings(*fields: bytes) -> bytes:
    """Fields as `length:bytes,`: two lists of fields never give the same bytes."""
    return b"".join([b"%d:%b," % (len(field), field) for field in fields])


def statement(key_id: str, size: int, root: bytes) -> bytes:
    """What the key signs for a bundle."""
    return netstrings(b"shiprider-bundle-1", key_id.encode(), b"%d" % size, root)


def parse(signature: bytes) -> BundleSignature | None:
    """The parts; None where the bytes are no signature of this form."""
    beside = len(signature) - _HEAD
    if beside < 0 or beside % 32 or signature[0] != _FORM:
        return None
    path = tuple(signature[at : at + 32] for at in range(_HEAD, len(signature), 32))
    return BundleSignature(
        signature[1:17].hex(),
        signature[17:81],
        int.from_bytes(signature[81:83], "big"),
        int.from_bytes(signature[83:85], "big"),
        path,
    )


def signatures(
    envelopes: Sequence[bytes], key_id: str, sign: Callable[[bytes], bytes], bundle: int = BUNDLE
) -> Iterator[bytes]:
    """The signature of each envelope, in order; one signing per `bundle` of them (at most 65,535)."""
    key = bytes.fromhex(key_id)
    for start in range(0, len(envelopes), bundle):
        tree = merkle.levels([merkle.leaf_hash(each) for each in envelopes[start : start + bundle]])
        size = len(tree[0])
        signed = b"%c%b%b" % (_FORM, key, sign(statement(key_id, size, tree[-1][0])))
        tail = size.to_bytes(2, "big")
        for index in range(size):
            yield b"".join((signed, index.to_bytes(2, "big"), tail, *merkle.path(tree, index)))


def root_signed(envelope: bytes, signature: bytes) -> tuple[BundleSignature, bytes] | None:
    """The parts and the root that this envelope leads to; None where it leads to none."""
    found = parse(signature)
    if found is None:
        return None
    root = merkle.root_by_inclusion(merkle.leaf_hash(envelope), found.index, found.size, found.path)
    return None if root is None else (found, root)


def verify(envelope: bytes, signature: bytes, check: Check, at_us: int | None = None) -> bool:
    """Whether the envelope bears a valid signature; `at_us` is when it was recorded."""
    led = root_signed(envelope, signature)
    if led is None:
        return False
    found, root = led
    return check(found.key_id, statement(found.key_id, found.size, root), found.signature, at_us)
