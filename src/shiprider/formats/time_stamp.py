"""Time stamps of RFC 3161: the request, and what an answer says, without trusting it.

Always true: an answer counts only if it was granted, is over the digest that was sent and repeats the
nonce; its signature is checked by the verifier of the evidence, which has no part of ours.
"""

from dataclasses import dataclass
from typing import Final

from shiprider.formats import der

#: Algorithm SHA-256 with its (absent-equivalent) NULL, RFC 5754 section 2.
_SHA256: Final = der.packed(der.SEQUENCE, der.object_id("2.16.840.1.101.3.4.2.1"), der.packed(der.NULL))
_SIGNED_DATA: Final = der.object_id("1.2.840.113549.1.7.2")
_TST_INFO: Final = der.object_id("1.2.840.113549.1.9.16.1.4")

#: PKIStatus: granted, grantedWithMods (RFC 3161, 2.4.2).
_GRANTED: Final = (0, 1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer says: `time` as GeneralizedTime text, the digest it is over, the nonce it repeats."""

    time: str
    digest: bytes
    nonce: int | None


def request(digest: bytes, nonce: int) -> bytes:
    """A TimeStampReq over a SHA-256 digest that asks for the certificate (RFC 3161, 2.4.1)."""
    imprint = der.packed(der.SEQUENCE, _SHA256, der.packed(der.OCTET_STRING, digest))
    return der.packed(
        der.SEQUENCE, der.integer(1), imprint, der.integer(nonce), der.packed(der.BOOLEAN, b"\xff")
    )


def read(response: bytes) -> Stamp:
    """What a TimeStampResp says. Raises ValueError with the reason where it is none or was not granted."""
    parts = der.children(response, der.SEQUENCE)
    if not parts or parts[0][0] != der.SEQUENCE:
        raise ValueError("the answer is no time stamp response")
    status = list(der.values(parts[0][1]))
    if not status or int.from_bytes(status[0][1], "big") not in _GRANTED or len(parts) < 2:
        raise ValueError("the time stamp was not granted")
    content_type, wrapped = der.children(parts[1][2], der.SEQUENCE)[:2]
    if content_type[2] != _SIGNED_DATA:
        raise ValueError("the answer holds no signed data")
    signed = der.children(wrapped[1], der.SEQUENCE)
    kind, held = list(der.values(signed[2][1]))[:2]
    if kind[2] != _TST_INFO:
        raise ValueError("what is signed is no time stamp")
    info = der.children(next(der.values(held[1]))[1], der.SEQUENCE)
    digest = der.children(info[2][2], der.SEQUENCE)[1][1]
    time = info[4][1].decode("ascii")
    nonces = [int.from_bytes(content, "big") for tag, content, _ in info[5:] if tag == der.INTEGER]
    return Stamp(time, digest, nonces[0] if nonces else None)
