"""What the signed log says of the spool: how long a segment was, its SHA-256, and which pieces of it were fixed.

Always true: a segment has one record, and each seal of it is a revision: longer than the one before, or with pieces
fixed that were not, or the word that retention removed it. A seal covers its segment from the first byte.
"""

import hashlib
import hmac
from typing import Final

import msgspec

#: The kind of the records.
KIND: Final = "spool_seal"

#: First field of a fixed piece's leaf.
PIECE_FORM: Final = b"shiprider-spool-piece-1"


class SpoolSeal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first `length` bytes of a segment, uncompressed, have this SHA-256 (hex); `whole`: it is full, and ends there.

    `index_sha256` is of the index of these bytes (each chunk's source and time of arrival), `sources_sha256` of the
    first `sources` feeds and files that the spool knew then.
    `pieces` is the root (hex) of RFC 6962's tree over the pieces that were fixed with this revision, "" where none
    were; `removed` is why retention let the bytes go, "" while they are held.
    """

    segment: int
    length: int
    sha256: str
    index_sha256: str
    sources: int
    sources_sha256: str
    whole: bool = False
    pieces: str = ""
    removed: str = ""


class Arrival(msgspec.Struct, frozen=True):
    """How bytes came in: when (microseconds since 1970 UTC), by which feed, in which of its files."""

    received_us: int
    feed: str
    file: str


class FixedPiece(msgspec.Struct, frozen=True, array_like=True):
    """Some bytes of a segment that are evidence: address, length, hash of the leaf (hex)."""

    raw: int
    length: int
    leaf: str


class FixedPieces(msgspec.Struct, frozen=True):
    """What one revision fixed, in the order of the tree; `seed` (hex) is what its salts are made of, and never shown."""

    seed: str
    pieces: tuple[FixedPiece, ...]


def seal_id(segment: int) -> str:
    """The id of a segment's record: the same on every node, as it says nothing but the number."""
    return hashlib.sha256(b"shiprider-spool-seal-1,%d" % segment).hexdigest()[:32]


def salt_of(seed: bytes, raw: int, length: int) -> bytes:
    """The salt of one piece, 32 bytes: who is shown one cannot guess at another by its hash."""
    return hmac.digest(seed, b"%d,%d" % (raw, length), "sha256")


def piece_entry(salt: bytes, raw: int, arrival: Arrival, data: bytes) -> bytes:
    """The leaf of a piece: netstrings of form, salt, address, time of arrival, feed, file and the bytes."""
    fields = (
        PIECE_FORM,
        salt,
        b"%d" % raw,
        b"%d" % arrival.received_us,
        arrival.feed.encode(),
        arrival.file.encode(),
        data,
    )
    return b"".join(b"%d:%b," % (len(field), field) for field in fields)
