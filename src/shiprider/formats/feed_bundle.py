"""Feed bundles and their acknowledgements as bytes: the same on a broker and on a stick.

A bundle: `SRFB1` and four bytes of length (big-endian) before MessagePack of the header as an array, then the
payload: Zstandard of MessagePack of the items. An acknowledgement: `SRFA1` and MessagePack of its fields as an array.
Read strictly: what is not exactly one of them within the bounds is refused before anything of it is used.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
import zstandard

from shiprider.model.errors import InputError
from shiprider.model.feed_bundle import MOST_ITEMS, Acknowledged, FeedBundle, Item

MAGIC: Final = b"SRFB1"
ACKNOWLEDGED: Final = b"SRFA1"
#: Bounds of one bundle, bytes: what a partner can make us hold before he is known to be the partner.
MOST_BYTES: Final = 8 * 2**20
MOST_UNPACKED_BYTES: Final = 32 * 2**20
_MOST_HEADER: Final = 4096


class _Header(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    sender: str
    recipient: str
    epoch: int
    sequence: int
    previous: str
    made_us: int
    digest: str
    key_id: str
    signature: bytes


class _Acknowledged(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    sender: str
    recipient: str
    epoch: int
    sequence: int
    made_us: int
    key_id: str
    signature: bytes


_ACKNOWLEDGEMENTS: Final = msgspec.msgpack.Decoder(_Acknowledged)
_HEADERS: Final = msgspec.msgpack.Decoder(_Header)
_ITEMS: Final = msgspec.msgpack.Decoder(list[Item])
_ENCODER: Final = msgspec.msgpack.Encoder()
_FIELDS: Final = tuple(field for field in FeedBundle.__struct_fields__ if field != "payload")


def pack_items(items: Sequence[Item]) -> tuple[bytes, str]:
    """A payload and its digest. The same items give the same bytes."""
    payload = zstandard.ZstdCompressor(level=10, write_content_size=True).compress(
        _ENCODER.encode(list(items))
    )
    return payload, hashlib.sha256(payload).hexdigest()


def unpack_items(payload: bytes) -> list[Item]:
    """The items of a payload whose signature was found good. Raises InputError."""
    try:
        size = zstandard.frame_content_size(payload)
        if not 0 <= size <= MOST_UNPACKED_BYTES:
            raise InputError(
                "A bundle's payload unpacks to more than 32 MiB: ask its sender for a smaller one."
            )
        data = zstandard.ZstdDecompressor().decompress(payload, max_output_size=MOST_UNPACKED_BYTES)
        items = _ITEMS.decode(data)
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            f"A bundle's payload cannot be read ({error}): ask its sender to send it again."
        ) from None
    if len(items) > MOST_ITEMS:
        raise InputError(f"A bundle holds {len(items)} items: it may hold {MOST_ITEMS}.")
    return items


def encode(bundle: FeedBundle) -> bytes:
    """One bundle as bytes."""
    header = _ENCODER.encode([getattr(bundle, name) for name in _FIELDS])
    return b"".join((MAGIC, len(header).to_bytes(4), header, bundle.payload))


def decode(data: bytes) -> FeedBundle:
    """The bundle in exactly these bytes; nothing in it is believed yet. Raises InputError."""
    if len(data) > MOST_BYTES:
        raise InputError(f"A bundle of {len(data):,} bytes is too large: one has 8 MiB at most.")
    start = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC) : start])
    if (
        data[: len(MAGIC)] != MAGIC
        or len(data) < start
        or not 0 < size <= min(_MOST_HEADER, len(data) - start)
    ):
        raise InputError("This is no Shiprider bundle: look at the file or ask its sender.")
    try:
        header = _HEADERS.decode(data[start : start + size])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            f"A bundle's header cannot be read ({error}): ask its sender to send it again."
        ) from None
    bundle = FeedBundle(payload=data[start + size :], **msgspec.structs.asdict(header))
    if encode(bundle) != data:
        raise InputError("A bundle's header is not in its one form: ask its sender to send it again.")
    return bundle


def encode_acknowledged(told: Acknowledged) -> bytes:
    """One acknowledgement as bytes."""
    return ACKNOWLEDGED + _ENCODER.encode([getattr(told, name) for name in Acknowledged.__struct_fields__])


def decode_acknowledged(data: bytes) -> Acknowledged:
    """The acknowledgement in exactly these bytes; nothing in it is believed yet. Raises InputError."""
    if data[: len(ACKNOWLEDGED)] != ACKNOWLEDGED or len(data) > _MOST_HEADER:
        raise InputError("This is no acknowledgement of a bundle: ask its sender.")
    try:
        told = Acknowledged(**msgspec.structs.asdict(_ACKNOWLEDGEMENTS.decode(data[len(ACKNOWLEDGED) :])))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"An acknowledgement cannot be read ({error}): ask its sender.") from None
    if encode_acknowledged(told) != data:
        raise InputError("An acknowledgement is not in its one form: ask its sender.")
    return told
