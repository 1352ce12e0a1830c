"""Vouching: what a node can show for its log towards somebody outside it.

Always true: everything here is public; a proof is RFC 6962's, its head signed by one of the keys given; a
witness is a partner's signature over a commitment to a head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class VouchingKey:
    """A signing key of the node (`model.signing_key`): public bytes, and the key that endorsed it, in hex."""

    key_id: str
    public: str
    from_us: int
    to_us: int | None = None
    predecessor: str = ""
    endorsement: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRoot:
    """A signed tree head (`model.tree_head`); `signature` in hex."""

    origin: str
    size: int
    root: str
    link: str
    first_signed: int
    recorded_us: int
    key_id: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A partner's signature over the commitment `sha256(netstrings("shiprider-commitment-1", salt, statement,
    signature))` to a head: netstrings of "shiprider-cosignature-1", partner, commitment (hex), `at_us`. In hex.
    """

    partner: str
    public: str
    salt: str
    at_us: int
    signature: str
    root: SignedRoot


class Vouching(Protocol):
    """The node's side of every proof."""

    def signing_keys(self) -> Sequence[VouchingKey]:
        """Every key there ever was, oldest first."""
        ...

    def root(self, size: int) -> SignedRoot:
        """A signed head over at least `size` records: the one that partners witnessed last, else the newest."""
        ...

    def path(self, sequence: int, root: SignedRoot) -> Sequence[str]:
        """RFC 6962's audit path of a record under that head, bottom up, 64 hex digits each."""
        ...

    def witnesses(self) -> Sequence[Witness]:
        """The newest witness of each partner, empty where nobody has witnessed anything."""
        ...

    def since(self) -> int:
        """When the first record was made: unwitnessed since then, where nobody ever was a witness."""
        ...
