"""When the certificates in a folder expire.

Always true: only certificates are looked at, never a private key; a file that is none is passed over.
"""

from pathlib import Path
from typing import Final

from cryptography import x509

_ENDINGS: Final = frozenset({".pem", ".crt", ".cert", ".cer"})
_MOST_BYTES: Final = 1 << 20


def expiries(folder: Path) -> list[tuple[str, int]]:
    """(file's name, end of validity in microseconds) of every certificate below a folder."""
    found: list[tuple[str, int]] = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.suffix not in _ENDINGS or path.stat().st_size > _MOST_BYTES:
                continue
            certificates = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            continue
        ends = [round(each.not_valid_after_utc.timestamp() * 1e6) for each in certificates]
        found.append((str(path.relative_to(folder)), min(ends)))
    return found
