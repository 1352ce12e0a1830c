"""The certificate that a node shows on a link to a partner: made by itself, trusted because people compared it.

Always true: a link certificate vouches for itself alone (it is no authority), and its one name is the beginning
of SHA-256 of its own public key: so nobody's certificate can bear another's name, on a broker that maps names to
accounts. Keys are ECDSA P-256, made here, readable by their owner alone.
"""

import datetime
import hashlib
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shiprider.model.errors import InputError, StorageError

_DAYS: Final = 3650
_ZONE: Final = ".node.invalid"
#: A certificate of this kind has about 700 bytes.
_MOST_BYTES: Final = 4096

Clock = Callable[[], datetime.datetime]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class LinkCertificate:
    """`ports.bus.LinkIdentity` in one folder; key and certificate are made where they are missing. Raises StorageError."""

    def __init__(self, folder: Path, clock: Clock = _now) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.key_file.exists() and self.file.exists()):
                self._make(clock())
            self._pem = self.file.read_text("ascii")
        except OSError as error:
            raise StorageError(
                f"{folder} cannot keep the key of the links ({error.strerror}): look at its rights."
            ) from error

    @property
    def file(self) -> Path:
        """See `ports.bus.LinkIdentity`."""
        return self._folder / "link.pem"

    @property
    def key_file(self) -> Path:
        """See `ports.bus.LinkIdentity`."""
        return self._folder / "link.key"

    @property
    def pem(self) -> str:
        """See `ports.bus.LinkIdentity`."""
        return self._pem

    @property
    def name(self) -> str:
        """See `ports.bus.LinkIdentity`."""
        return link_name(self._pem)

    def client_context(self, partner_pem: str) -> ssl.SSLContext:
        """TLS 1.3 towards a partner who shows exactly this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=partner_pem)
        # The certificate itself is the anchor: it is nobody's authority.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.load_cert_chain(self.file, self.key_file)
        return context

    def _make(self, now: datetime.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name_of(key.public_key())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(self.key_file, secret)
        _write(self.file, made.public_bytes(serialization.Encoding.PEM))


def link_name(pem: str) -> str:
    """The name in a partner's link certificate. Raises InputError where it is not one as nodes make them."""
    try:
        if len(pem) > _MOST_BYTES:
            raise ValueError("it is too long")
        certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
        if certificate.public_bytes(serialization.Encoding.PEM).decode("ascii").strip() != pem.strip():
            raise ValueError("there is more than one certificate in it")
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("its key is not ECDSA P-256")
        certificate.verify_directly_issued_by(certificate)
        name = _name_of(key)
        extensions = {type(each.value): each.value for each in certificate.extensions}
        authority = extensions.pop(x509.BasicConstraints, None)
        names = extensions.pop(x509.SubjectAlternativeName, None)
        uses = extensions.pop(x509.ExtendedKeyUsage, None)
        if not isinstance(authority, x509.BasicConstraints) or authority.ca:
            raise ValueError("it would be an authority")
        if not isinstance(names, x509.SubjectAlternativeName) or list(names) != [x509.DNSName(name)]:
            raise ValueError("its name is not that of its key")
        if uses is None or extensions:
            raise ValueError("it has other extensions than it should")
        if [each.value for each in certificate.subject] != [name]:
            raise ValueError("its subject is not the name of its key")
    except (ValueError, TypeError, InvalidSignature, UnicodeEncodeError) as error:
        said = str(error) or "its signature is not its own"
        raise InputError(
            f"The link certificate cannot be used: {said}; ask the partner for a new introduction."
        ) from None
    return name


def _name_of(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:32] + _ZONE


def _write(path: Path, data: bytes) -> None:
    """Whole, durable, and the owner's alone."""
    part = path.with_suffix(path.suffix + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
