"""A signed tree head: what a node vouches for about its log, in one signature.

Always true: the root is over every record up to `size`, in order (RFC 6962); a later head's tree begins
with an earlier one's, or records were changed or taken away.
"""

import hashlib

import msgspec

from shiprider.model.signature import Check, netstrings


class TreeHead(msgspec.Struct, frozen=True, kw_only=True):
    """The log's state after `size` records. `root` and `link` (the chain's hash there) are 64 hex digits.

    Records before `first_signed` are older than signatures and bear none; every later one bears one.
    """

    origin: str
    size: int
    root: str
    link: str
    first_signed: int
    recorded_us: int
    key_id: str
    signature: bytes = b""

    def statement(self) -> bytes:
        """The exact bytes that are signed."""
        return netstrings(
            b"shiprider-tree-head-1",
            self.origin.encode(),
            b"%d" % self.size,
            self.root.encode(),
            self.link.encode(),
            b"%d" % self.first_signed,
            b"%d" % self.recorded_us,
            self.key_id.encode(),
        )

    def is_signed(self, check: Check) -> bool:
        """Whether its key signed it, and was valid when it was recorded."""
        return check(self.key_id, self.statement(), self.signature, self.recorded_us)


class Inclusion(msgspec.Struct, frozen=True, kw_only=True):
    """That a record is in the log: the record's leaf is number `index` (from 0) of the tree under `head`.

    `path` is RFC 6962's audit path, bottom up, each 64 hex digits; the leaf's entry is `leaf_entry`.
    """

    index: int
    head: TreeHead
    path: tuple[str, ...]


def leaf_entry(envelope: bytes, signature: bytes) -> bytes:
    """What the log's tree holds of a record: its envelope and its signature, never its body."""
    return b"%d:%b,%d:%b," % (len(envelope), envelope, len(signature), signature)


#: Random bytes that hide a head in its commitment.
SALT_BYTES = 32


def commitment(head: TreeHead, salt: bytes) -> bytes:
    """32 bytes that a partner can cosign: they bind the node to this head, and say nothing of it.

    With a fresh random salt they do not even tell whether the log has grown. Opened by giving salt and head.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    parts = netstrings(b"shiprider-commitment-1", salt, head.statement(), head.signature)
    return hashlib.sha256(parts).digest()
