"""An introduction: what a node tells a partner of itself before they exchange anything.

Always true: an introduction is signed by the key that it introduces, so it cannot be altered on its way; whose
key that is, only people can say, by comparing fingerprints over a channel they trust; the fingerprint is of the
node's name and keys together, so a key cannot be passed off under another's name.
"""

import hashlib
from typing import Final

import msgspec

from shiprider.model.signature import netstrings
from shiprider.model.signing_key import SigningKey, key_id_of

#: First field of what is signed: which fields follow, in which order.
FORM: Final = "shiprider-introduction-1"

#: Decimal digits of a fingerprint, and of one group: 30 digits are 99 bits, more than anybody can try.
_DIGITS: Final = 30
_GROUP: Final = 5

#: No name of a node, nation or organisation is longer.
_LONGEST_NAME: Final = 64


class Introduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`node` is the origin of its records; `name` what people call it; `nation` ISO 3166-1 alpha-3.

    `key` signs its records and what it sends; `certificate` (PEM, X.509) is what it shows on a link. Times in
    microseconds since 1970 UTC; `signature` in hex.
    """

    node: str
    name: str
    nation: str = ""
    organisation: str = ""
    key: SigningKey
    certificate: str = ""
    made_us: int
    signature: str = ""

    def statement(self) -> bytes:
        """The exact bytes that are signed."""
        key = self.key
        return netstrings(
            FORM.encode(),
            *(field.encode() for field in (self.node, self.name, self.nation, self.organisation)),
            key.key_id.encode(),
            key.public.encode(),
            b"%d" % key.from_us,
            self.certificate.encode(),
            b"%d" % self.made_us,
        )


def fault_of(introduction: Introduction) -> str:
    """What cannot be meant: a sentence's end, empty where all is well. The signature is the caller's to check."""
    key = introduction.key
    for what, name in (("node", introduction.node), ("name", introduction.name)):
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            return f"its {what} is empty, longer than {_LONGEST_NAME} characters or not printable"
    for what, name in (("nation", introduction.nation), ("organisation", introduction.organisation)):
        if len(name) > _LONGEST_NAME or not name.isprintable():
            return f"its {what} is longer than {_LONGEST_NAME} characters or not printable"
    if not introduction.nation and not introduction.organisation:
        return "it names no nation and no organisation"
    try:
        public = bytes.fromhex(key.public)
    except ValueError:
        return "its key is no Ed25519 key"
    if len(public) != 32 or key.public != public.hex():
        return "its key is no Ed25519 key"
    if key.key_id != key_id_of(public):
        return "its key bears another key's id"
    if key.state != "active" or key.predecessor or key.endorsement:
        return "its key is not one that signs"
    return ""


def fingerprint(introduction: Introduction) -> str:
    """What two people read to each other: six groups of five digits over name, key and certificate."""
    told = netstrings(
        b"shiprider-fingerprint-1",
        introduction.node.encode(),
        introduction.key.public.encode(),
        introduction.certificate.encode(),
    )
    digits = str(int.from_bytes(hashlib.sha512(told).digest()) % 10**_DIGITS).zfill(_DIGITS)
    return " ".join(digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))


def same_fingerprint(typed: str, told: str) -> bool:
    """Whether a person typed this fingerprint, however it was spaced; too short is not the same."""
    return "".join(typed.split()) == "".join(told.split()) != ""
