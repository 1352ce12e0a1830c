"""Keys: the node's signing keys; nothing else ever sees a private one.

Always true: exactly one key signs at a time; whatever was signed within a key's validity can be checked
for ever, also when the key was replaced or lost.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from shiprider.model.signing_key import SigningKey


class Signer(Protocol):
    """The key that signs now. `from_us`: nothing recorded before may bear it."""

    @property
    def key_id(self) -> str:
        """Its id, 32 hex digits."""
        ...

    @property
    def from_us(self) -> int:
        """Since when it signs."""
        ...

    def sign(self, message: bytes, at_us: int) -> bytes:
        """64 bytes (Ed25519) over exactly these bytes, for what is recorded at that time."""
        ...


class Keys(Protocol):
    """One node's keys."""

    def signing(self) -> AbstractContextManager[Signer]:
        """The active key; no key is changed while it is held. Raises StorageError where it is not at hand."""
        ...

    def public(self) -> Sequence[SigningKey]:
        """Every key there ever was, oldest first."""
        ...

    def check(self, key_id: str, message: bytes, signature: bytes, at_us: int | None = None) -> bool:
        """Whether that key signed these bytes, and was valid at that time; False for an unknown key."""
        ...

    def prepare(self) -> SigningKey:
        """Make the next key, endorsed by the active one; it does not sign until `activate`."""
        ...

    def activate(self, at_us: int) -> SigningKey:
        """Let the prepared key sign from then on, and retire the one before; durable on return."""
        ...

    def lost(self, at_us: int, reason: str) -> SigningKey:
        """Write the active key off as lost and sign with a new one, which nothing endorses; durable on return."""
        ...
