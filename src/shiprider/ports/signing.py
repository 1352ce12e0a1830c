"""Signing: the narrow part of a node's keys that a log or an evidence package needs.

Always true: a signature is Ed25519 (RFC 8032) over exactly the bytes that were handed in; the key's name
is the SHA-256 of its 32 public bytes, so a name cannot be given to another key.
"""

import hashlib
from typing import Protocol


class Signer(Protocol):
    """One private key that never leaves its keeper."""

    @property
    def key_id(self) -> str:
        """Name of the key, 64 hex digits."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes. Raises StorageError where the key cannot be used."""
        ...


class Checker(Protocol):
    """Knows the public keys that a node has had."""

    def __call__(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether the key of that name signed exactly this; a key that is not known did not."""
        ...


def key_name(public_key: bytes) -> str:
    """The name of a public key."""
    return hashlib.sha256(public_key).hexdigest()
