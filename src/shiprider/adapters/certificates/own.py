"""TLS with a certificate that the node makes: an authority of its own, and under it the server's.

Always true: keys are ECDSA P-256, made here, readable by their owner alone, and never leave the folder; the
server's certificate names what people reach it by, and is made anew in time before it ends or where the
names have changed; the authority stays the same, so that browsers that trust it go on.
"""

import datetime
import hashlib
import ipaddress
import os
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shiprider.model.errors import StorageError, UsageError

#: CA/Browser Forum baseline requirements, 6.3.2: browsers refuse what lasts longer than 398 days.
_SERVER_DAYS: Final = 397
_AUTHORITY_DAYS: Final = 3650

#: Made anew so long before the end.
RENEW_DAYS: Final = 30

_CURVE: Final = ec.SECP256R1()
_SLACK: Final = datetime.timedelta(hours=1)

Clock = Callable[[], datetime.datetime]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class OwnCertificates:
    """The node's authority and its server's certificate, in one folder. Raises StorageError, UsageError."""

    def __init__(self, folder: Path, *, node: str, names: Sequence[str], clock: Clock = _now) -> None:
        self._folder = folder
        self._node = node[:40] or "node"
        self._names = tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", *(n.strip("[]") for n in names))))
        self._clock = clock
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.renew()
        except OSError as error:
            raise StorageError(
                f"{folder} cannot keep the TLS keys ({error.strerror}): look at its rights."
            ) from error

    @property
    def names(self) -> tuple[str, ...]:
        """Every name and address in the server's certificate."""
        return self._names

    @property
    def authority_file(self) -> Path:
        """The authority's certificate: give it to the browsers that shall trust this node."""
        return self._folder / "authority.pem"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, in pairs: compared by eye before it is trusted."""
        made = self._read_authority()[0].public_bytes(serialization.Encoding.DER)
        return hashlib.sha256(made).digest().hex(":").upper()

    @property
    def ends(self) -> datetime.datetime:
        """When the server's certificate ends."""
        return self._read_server().not_valid_after_utc

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, with the newest certificate; what is open goes on when it is made anew."""
        if self._context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context = context
            self._load()
        return self._context

    def renew(self) -> bool:
        """Make what is missing, ends soon, or names other names; whether anything was made."""
        with self._lock:
            if not self._due():
                return False
            if not (self.authority_file.exists() and self._key_file("authority").exists()):
                self._make_authority()
            self._make_server()
            self._load()
            return True

    def _due(self) -> bool:
        if not all(
            path.exists()
            for path in (
                self.authority_file,
                self._server_file,
                self._key_file("authority"),
                self._key_file("server"),
            )
        ):
            return True
        made = self._read_server()
        given = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        named = {str(each.value) for each in given}
        soon = self._clock() + datetime.timedelta(days=RENEW_DAYS)
        return made.not_valid_after_utc < soon or named != set(map(str, map(_plain, self._names)))

    def _load(self) -> None:
        if self._context is not None:
            self._context.load_cert_chain(self._server_file, self._key_file("server"))

    @property
    def _server_file(self) -> Path:
        return self._folder / "server.pem"

    def _key_file(self, whose: str) -> Path:
        return self._folder / f"{whose}.key"

    def _make_authority(self) -> None:
        key = ec.generate_private_key(_CURVE)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Shiprider {self._node} authority")])
        now = self._clock()
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SLACK)
            .not_valid_after(now + datetime.timedelta(days=_AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._write(self._key_file("authority"), _pem_key(key))
        self._write(self.authority_file, made.public_bytes(serialization.Encoding.PEM))

    def _make_server(self) -> None:
        authority, authority_key = self._read_authority()
        key = ec.generate_private_key(_CURVE)
        now = self._clock()
        until = min(now + datetime.timedelta(days=_SERVER_DAYS), authority.not_valid_after_utc)
        if until <= now + datetime.timedelta(days=RENEW_DAYS):
            raise StorageError(
                f"The authority {self.authority_file} ends: move it away, a new one is made at the next start."
            )
        names = [_plain(name) for name in self._names]
        shown = next((str(n) for n in self._names if not _is_address(n) and n != "localhost"), "localhost")
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown[:64])]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SLACK)
            .not_valid_after(until)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName(n) if isinstance(n, str) else x509.IPAddress(n) for n in names]
                ),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        # The certificate is removed first: a crash between the two leaves a pair to be made anew, none that differ.
        self._server_file.unlink(missing_ok=True)
        self._write(self._key_file("server"), _pem_key(key))
        self._write(self._server_file, made.public_bytes(serialization.Encoding.PEM))

    def _read_authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        certificate = x509.load_pem_x509_certificate(self.authority_file.read_bytes())
        key = serialization.load_pem_private_key(self._key_file("authority").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise StorageError(f"{self._key_file('authority')} is no key of ours: restore it from a back-up.")
        return certificate, key

    def _read_server(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self._server_file.read_bytes())

    def _write(self, path: Path, content: bytes) -> None:
        new = path.with_suffix(path.suffix + ".new")
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)


def _is_address(name: str) -> bool:
    return not isinstance(_plain(name), str)


def _plain(name: str) -> str | ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    if not name.isascii() or not 0 < len(name) <= 253 or set(name) & set(" /:@*_"):
        raise UsageError(f"{name[:60]!r} in `[api] names` is no name of a machine: write watch.example.org.")
    return name.lower()


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
