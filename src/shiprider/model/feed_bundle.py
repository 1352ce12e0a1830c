"""A feed bundle: what one node sends one partner at a time, signed, numbered and chained.

Always true: a bundle is for one partner alone; its sequence and predecessor are of the feed to that partner and
tell nothing of what others are sent or of what is withheld; its signature covers everything in it; each
record in it still bears its originator's own signature, which no relay can make.

One feed has one epoch; only a sender that lost its memory (restored from a back-up) begins a later one.
"""

import hashlib
from typing import Final

import msgspec

from shiprider.model.signature import Check, netstrings

#: First field of what is signed.
FORM: Final = "shiprider-feed-1"

#: Items in one bundle at most: an Ed25519 check costs as much as taking a hundred records in.
MOST_ITEMS: Final = 100

#: `previous` of the first bundle of an epoch.
BEGINNING: Final = "0" * 64

#: Why something is taken back.
REASONS: Final = ("retracted", "narrowed", "corrected", "erased")


class SharedRecord(msgspec.Struct, frozen=True, array_like=True, tag="record"):
    """A record as its originator signed it: the exact bytes of its envelope and its body."""

    envelope: bytes
    signature: bytes
    body: bytes


class Recall(msgspec.Struct, frozen=True, array_like=True, tag="recall"):
    """Revisions of a record up to `revision`, to be withdrawn. `id` is the recall's own, to be acknowledged."""

    id: str
    record: str
    revision: int
    reason: str


class Withdrawn(msgspec.Struct, frozen=True, array_like=True, tag="withdrawn"):
    """The answer to a recall: withdrawn here at that time; `derived` things of its holder rest on it."""

    recall: str
    at_us: int
    derived: int


class NewKey(msgspec.Struct, frozen=True, array_like=True, tag="key"):
    """The sender's next signing key, endorsed by the one that signs this bundle."""

    key_id: str
    public: str
    from_us: int
    endorsement: str


Item = SharedRecord | Recall | Withdrawn | NewKey


class FeedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """`sequence` from 1; `digest` is SHA-256 of `payload`'s exact bytes, which hold the items (formats/feed_bundle.py)."""

    sender: str
    recipient: str
    epoch: int
    sequence: int
    previous: str
    made_us: int
    digest: str
    key_id: str
    signature: bytes = b""
    payload: bytes = b""

    def statement(self) -> bytes:
        """The exact bytes that are signed."""
        return netstrings(
            FORM.encode(),
            self.sender.encode(),
            self.recipient.encode(),
            *(b"%d" % number for number in (self.epoch, self.sequence)),
            self.previous.encode(),
            b"%d" % self.made_us,
            self.digest.encode(),
            self.key_id.encode(),
        )

    @property
    def hash(self) -> str:
        """What the next bundle names as its predecessor, 64 hex digits."""
        return hashlib.sha256(self.statement()).hexdigest()

    def is_signed(self, check: Check) -> bool:
        """Whether its sender's key signed it, and the payload is the one that was signed for."""
        return hashlib.sha256(self.payload).hexdigest() == self.digest and check(
            self.key_id, self.statement(), self.signature, self.made_us
        )


#: First field of what is signed of an acknowledgement.
ACKNOWLEDGED: Final = "shiprider-acknowledged-1"


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """That the bundles of a feed up to this one are durable at their recipient. The latest counts; it may be lost."""

    sender: str
    recipient: str
    epoch: int
    sequence: int
    made_us: int
    key_id: str
    signature: bytes = b""

    def statement(self) -> bytes:
        """The exact bytes that the feed's recipient signs; `sender` is the feed's."""
        return netstrings(
            ACKNOWLEDGED.encode(),
            self.sender.encode(),
            self.recipient.encode(),
            *(b"%d" % number for number in (self.epoch, self.sequence, self.made_us)),
            self.key_id.encode(),
        )

    def is_signed(self, check: Check) -> bool:
        """Whether the feed's recipient signed it."""
        return check(self.key_id, self.statement(), self.signature, self.made_us)
