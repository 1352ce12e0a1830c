"""The access log's lines and heads as exact bytes: what is hashed, what is signed.

Always true: a line's hash covers the hash before it and every byte of the line, so any program can check
the chain (docs/evidence.md); what is signed of a head names its node, so heads of two nodes are never
taken for each other.
"""

import hashlib
from typing import Final

#: First field of what is signed of a head.
HEAD_FORM: Final = "shiprider-access-head-1"

#: Hex digits of a hash at a line's end.
HASH_DIGITS: Final = 64


def line_hash(previous: str, content: bytes) -> str:
    """SHA-256 of the hash before (32 bytes) and of the line up to its own hash: 64 hex digits."""
    return hashlib.sha256(bytes.fromhex(previous) + content).hexdigest()


def head_bytes(origin: str, sequence: int, hash_: str, at_us: int) -> bytes:
    """What is signed of a head: five fields, each preceded by its length in bytes (netstrings)."""
    fields = (HEAD_FORM, origin, str(sequence), hash_, str(at_us))
    return b"".join(b"%d:%b," % (len(data), data) for data in (field.encode() for field in fields))
