"""Time stamps of RFC 3161, checked with nothing but the published formats (RFC 3161, 5652, 5035, 5816).

Always true: a stamp is believed only if it is over the digest given, its signature and its signer's
certificate hold, and the certificate was made for time stamping alone and was valid at the stamp's time.
"""

import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

HASHES = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
SHA256 = "2.16.840.1.101.3.4.2.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


class Wrong(Exception):
    """The stamp is not to be believed; the text says why."""


class Value:
    """One DER value: `tag`, `content`, `whole`."""

    def __init__(self, tag, content, whole):
        self.tag, self.content, self.whole = tag, content, whole

    def inside(self):
        """The values it holds."""
        return values(self.content)

    def oid(self):
        """An OBJECT IDENTIFIER, dotted."""
        if self.tag != 6 or not self.content:
            raise Wrong("an identifier is missing")
        arcs, arc = [], 0
        for byte in self.content:
            arc = arc << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(arc)
                arc = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))

    def number(self):
        """An INTEGER."""
        if self.tag != 2:
            raise Wrong("a number is missing")
        return int.from_bytes(self.content, "big", signed=True)


def values(data):
    """The DER values that lie side by side in `data`."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise Wrong("it ends within a value")
        size, start = data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or start + count > len(data):
                raise Wrong("it has a length that cannot be")
            size, start = int.from_bytes(data[start : start + count], "big"), start + count
        if start + size > len(data):
            raise Wrong("it ends within a value")
        found.append(Value(data[at], data[start : start + size], data[at : start + size]))
        at = start + size
    return found


def one(data, tag):
    """The only value in `data`, which has that tag."""
    found = values(data)
    if len(found) != 1 or found[0].tag != tag:
        raise Wrong("it has not the form of RFC 3161")
    return found[0]


def check(response, digest, authorities):
    """(time, name of the authority, whether one of `authorities` vouches for it). Raises Wrong."""
    try:
        return _check(response, digest, authorities)
    except (IndexError, ValueError, TypeError, InvalidSignature) as error:
        raise Wrong(f"it cannot be read or its signature does not hold ({type(error).__name__})") from None


def _check(response, digest, authorities):
    status, token = one(response, 0x30).inside()
    if status.inside()[0].number() not in (0, 1):
        raise Wrong("it was not granted")
    kind, wrapped = token.inside()
    if kind.oid() != SIGNED_DATA:
        raise Wrong("it is not signed")
    signed = one(wrapped.content, 0x30).inside()
    held_kind, held = signed[2].inside()
    if held_kind.oid() != TST_INFO:
        raise Wrong("what is signed is no time stamp")
    info_bytes = one(held.content, 4).content
    info = one(info_bytes, 0x30).inside()
    algorithm, imprint = info[2].inside()
    if algorithm.inside()[0].oid() != SHA256 or imprint.content != digest:
        raise Wrong("it is over something else")
    time = _time(info[4].content.decode("ascii"))
    certificates = [x509.load_der_x509_certificate(v.whole) for v in signed[3].inside()] if signed[3].tag == 0xA0 else []
    signers = signed[-1].inside()
    if len(signers) != 1:
        raise Wrong("it has not exactly one signer")
    certificate = _signer(signers[0], certificates, info_bytes)
    _made_for_stamps(certificate, time)
    name = certificate.subject.rfc4514_string()
    return time, name, _vouched(certificate, certificates, authorities, time)


def _time(text):
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z"):
        raise Wrong("its time is not UTC")
    return datetime.strptime(whole + "." + (fraction[:6] or "0"), "%Y%m%d%H%M%S.%f").replace(tzinfo=UTC)


def _signer(info, certificates, content):
    parts = info.inside()
    algorithm = HASHES.get(parts[2].inside()[0].oid())
    if algorithm is None or parts[3].tag != 0xA0:
        raise Wrong("it is signed in a way that is not accepted")
    attributes = {}
    for attribute in parts[3].inside():
        kind, held = attribute.inside()
        attributes[kind.oid()] = held.inside()[0]
    if attributes[CONTENT_TYPE].oid() != TST_INFO:
        raise Wrong("its signature is over another kind of content")
    if attributes[MESSAGE_DIGEST].content != _digest(algorithm, content):
        raise Wrong("its content does not match its signature")
    certificate = _named(parts[1], certificates)
    _is_bound(certificate, attributes)
    message = b"\x31" + parts[3].whole[1:]
    signature, key = parts[5].content, certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(algorithm))
    else:
        raise Wrong("it is signed by a kind of key that is not accepted")
    return certificate


def _named(identifier, certificates):
    """The certificate that the signer says is his (issuer and serial number)."""
    if identifier.tag != 0x30:
        raise Wrong("its signer is not named by issuer and number")
    issuer, serial = identifier.inside()
    for certificate in certificates:
        same = certificate.issuer.public_bytes() == issuer.whole
        if same and certificate.serial_number == serial.number():
            return certificate
    raise Wrong("its signer's certificate is not in it")


def _is_bound(certificate, attributes):
    """RFC 3161, 2.4.2: the signature itself names the certificate, so no other can be put in its place."""
    der = certificate.public_bytes(Encoding.DER)
    if SIGNING_CERTIFICATE_V2 in attributes:
        first = attributes[SIGNING_CERTIFICATE_V2].inside()[0].inside()[0].inside()
        algorithm = hashes.SHA256()
        if first[0].tag == 0x30:
            algorithm = HASHES.get(first[0].inside()[0].oid())
            first = first[1:]
        if algorithm is None or first[0].content != _digest(algorithm, der):
            raise Wrong("its signature names another certificate")
    elif SIGNING_CERTIFICATE in attributes:
        first = attributes[SIGNING_CERTIFICATE].inside()[0].inside()[0].inside()
        if first[0].content != hashlib.sha1(der).digest():  # noqa: S324 (RFC 2634 knows no other)
            raise Wrong("its signature names another certificate")
    else:
        raise Wrong("its signature names no certificate")


def _made_for_stamps(certificate, time):
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise Wrong("its signer's certificate is not made for time stamps") from None
    if not extension.critical or list(extension.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise Wrong("its signer's certificate is not made for time stamps alone")
    _valid(certificate, time)


def _valid(certificate, time):
    if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
        raise Wrong("a certificate was not valid at the stamp's time")


def _vouched(certificate, certificates, authorities, time):
    """Whether a chain leads to one of the authorities given; raises Wrong where they are given and none does."""
    if not authorities:
        return False
    current = certificate
    for _ in range(6):
        for authority in authorities:
            if current == authority or _issued(current, authority):
                _valid(authority, time)
                return True
        above = [c for c in certificates if c != current and _is_authority(c) and _issued(current, c)]
        if not above:
            break
        current = above[0]
        _valid(current, time)
    raise Wrong("no authority you gave vouches for its signer")


def _is_authority(certificate):
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _issued(certificate, issuer):
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _digest(algorithm, data):
    return hashlib.new(algorithm.name, data).digest()


