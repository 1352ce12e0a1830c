"""A signing key of a node, as everybody may see it.

Always true: the id of a key is the first 16 bytes of SHA-256 of its 32 public bytes, so a key cannot be
passed off under another's id; a key that follows another was endorsed by it, unless that one was lost.
"""

import hashlib
from typing import Literal

import msgspec

#: prepared: made and announced, does not sign yet; retired: replaced; lost: no longer in the node's hands.
KeyState = Literal["prepared", "active", "retired", "lost"]


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """`key_id` 32 hex digits, `public` 64 (Ed25519, RFC 8032). It signs from `from_us` to `to_us`, both included.

    Times in microseconds since 1970 UTC. `endorsement` is the signature of `predecessor` over
    `endorsement_bytes`, in hex; both are empty for a first key and for one that follows a lost key.
    """

    key_id: str
    public: str
    state: KeyState
    from_us: int
    to_us: int | None = None
    predecessor: str = ""
    endorsement: str = ""
    reason: str = ""

    def valid_at(self, at_us: int) -> bool:
        """Whether what was recorded at that time may bear this key's signature."""
        return (
            self.state != "prepared" and self.from_us <= at_us and (self.to_us is None or at_us <= self.to_us)
        )


def key_id_of(public: bytes) -> str:
    """The id of a public key, 32 hex digits."""
    return hashlib.sha256(public).hexdigest()[:32]


def endorsement_bytes(predecessor: str, public: bytes) -> bytes:
    """What a key signs to name its successor."""
    return b"shiprider-successor-1," + bytes.fromhex(predecessor) + public
