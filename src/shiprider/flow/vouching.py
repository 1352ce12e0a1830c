"""What the node's own ledger and keys show of themselves, in the form evidence needs.

Always true: nothing is signed here; a head is one that the ledger holds, a path the ledger's own proof.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from shiprider.model.errors import StorageError
from shiprider.model.record import Record
from shiprider.ports.keys import Keys
from shiprider.ports.vouching import SignedRoot, VouchingKey, Witness

H = TypeVar("H", bound="HeadOfTree")


class HeadOfTree(Protocol):
    """A signed tree head as the ledger keeps it."""

    @property
    def origin(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def root(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def first_signed(self) -> int: ...
    @property
    def recorded_us(self) -> int: ...
    @property
    def key_id(self) -> str: ...
    @property
    def signature(self) -> bytes: ...


class ProofOfPlace(Protocol):
    """An inclusion proof."""

    @property
    def path(self) -> tuple[str, ...]: ...


class TreeLedger(Protocol[H]):
    """A ledger with a tree over its records."""

    def tree_head(self, size: int | None = None) -> H | None:
        """The newest signed head, or the first that covers `size` records."""
        ...

    def inclusion(self, sequence: int, head: H) -> ProofOfPlace:
        """That a record is under a head."""
        ...

    def since(self, sequence: int, *, limit: int = 1000) -> list[Record]:
        """Records after a sequence number."""
        ...


class PublicKey(Protocol):
    """A key as everybody may see it."""

    @property
    def key_id(self) -> str: ...
    @property
    def public(self) -> str: ...
    @property
    def from_us(self) -> int: ...
    @property
    def to_us(self) -> int | None: ...
    @property
    def predecessor(self) -> str: ...
    @property
    def endorsement(self) -> str: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LedgerVouching(Generic[H]):
    """See `ports.vouching.Vouching`. `keys` gives every key, oldest first; `witnessed` partners' newest witnesses."""

    ledger: TreeLedger[H]
    keys: Callable[[], Sequence[PublicKey]]
    witnessed: Callable[[], Sequence[Witness]] = tuple

    def signing_keys(self) -> Sequence[VouchingKey]:
        """See the port."""
        return [
            VouchingKey(
                key_id=key.key_id,
                public=key.public,
                from_us=key.from_us,
                to_us=key.to_us,
                predecessor=key.predecessor,
                endorsement=key.endorsement,
                reason=key.reason,
            )
            for key in self.keys()
        ]

    def root(self, size: int) -> SignedRoot:
        """See the port. Raises StorageError where nothing was ever signed."""
        witnessed = [each.root for each in self.witnessed() if each.root.size >= size]
        if witnessed:
            return max(witnessed, key=lambda root: root.size)
        head = self.ledger.tree_head()
        if head is None or head.size < size:
            raise StorageError(
                "The ledger has no signed head over this record: start the node once, then export."
            )
        return _root(head)

    def path(self, sequence: int, root: SignedRoot) -> Sequence[str]:
        """See the port."""
        head = self.ledger.tree_head(root.size)
        if head is None or _root(head) != root:
            raise StorageError(
                f"The ledger no longer has its signed head over {root.size} records: check it."
            )
        return self.ledger.inclusion(sequence, head).path

    def witnesses(self) -> Sequence[Witness]:
        """See the port."""
        return self.witnessed()

    def since(self) -> int:
        """See the port."""
        first = self.ledger.since(0, limit=1)
        return first[0].recorded_us if first else 0


def _root(head: HeadOfTree) -> SignedRoot:
    return SignedRoot(
        origin=head.origin,
        size=head.size,
        root=head.root,
        link=head.link,
        first_signed=head.first_signed,
        recorded_us=head.recorded_us,
        key_id=head.key_id,
        signature=head.signature.hex(),
    )


@dataclass(frozen=True, slots=True)
class KeySigner:
    """See `ports.signing.Signer`: the node's active key. `clock` in microseconds since 1970 UTC."""

    keys: Keys
    clock: Callable[[], int]

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """See the port."""
        with self.keys.signing() as key:
            return key.key_id, key.sign(message, max(self.clock(), key.from_us))
