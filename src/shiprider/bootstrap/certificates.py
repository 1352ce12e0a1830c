"""A node's TLS."""

from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.settings import Settings

if TYPE_CHECKING:
    from shiprider.adapters.certificates.own import OwnCertificates


def own_certificates(folder: Path, settings: Settings) -> "OwnCertificates | None":
    """The node's TLS; None where it speaks plain HTTP on the loopback. Raises UsageError, StorageError."""
    import socket

    host, _ = settings.api.place
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if loopback and not settings.api.tls:
        return None
    from shiprider.adapters.certificates.own import OwnCertificates

    names = settings.api.names
    if not loopback:
        own = () if host in ("0.0.0.0", "::") else (host,)  # noqa: S104 (compared, not bound)
        names = (*names, *own, *(() if names else (socket.gethostname(),)))
    return OwnCertificates(folder / "tls", node=settings.node, names=names)
