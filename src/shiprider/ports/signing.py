"""Signing: the narrow part of a node's keys that the access log and an evidence package need.

Always true: a signature is Ed25519 (RFC 8032) over exactly the bytes that were handed in; a key's id is the
first 16 bytes of SHA-256 of its 32 public bytes, so a key cannot be passed off under another's id.
"""

import hashlib
from typing import Protocol


class Signer(Protocol):
    """One node's signing key of the moment."""

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """(key id: 32 hex digits, signature: 64 bytes). Raises StorageError where no key is at hand."""
        ...


class Checker(Protocol):
    """Knows the public keys that a node has had."""

    def __call__(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether the key of that id signed exactly this; a key that is not known did not."""
        ...


def key_id_of(public: bytes) -> str:
    """The id of a public key, 32 hex digits."""
    return hashlib.sha256(public).hexdigest()[:32]
