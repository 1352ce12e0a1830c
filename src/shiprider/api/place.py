"""The place: under which names a server answers, and whether it speaks TLS.

Always true: without TLS it is the loopback; a name that the operator did not give is not answered.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

from shiprider.api.sessions import COOKIE, SECURE_COOKIE

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address == "localhost"
    mapped = getattr(found, "ipv4_mapped", None)
    return bool(found.is_loopback or (mapped is not None and mapped.is_loopback))


def bracketed(name: str) -> str:
    """A name as it stands in a Host header."""
    return f"[{name.strip('[]')}]" if ":" in name else name.lower()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server answers. `names` are the operator's."""

    port: int
    tls: bool = False
    names: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        """What stands before the name."""
        return "https" if self.tls else "http"

    @property
    def hosts(self) -> frozenset[str]:
        """Host headers that are ours."""
        names = {*LOOPBACK, *(bracketed(name) for name in self.names)}
        usual = 443 if self.tls else 80
        return frozenset({f"{name}:{self.port}" for name in names} | (names if self.port == usual else set()))

    @property
    def origins(self) -> frozenset[str]:
        """Origins of our own page."""
        return frozenset(f"{self.scheme}://{host}" for host in self.hosts)

    @property
    def cookie(self) -> str:
        """The name of the session cookie."""
        return SECURE_COOKIE if self.tls else COOKIE

    def cookie_header(self, value: str, *, name: str = "", same_site: str = "Strict", age_s: int = -1) -> str:
        """A cookie of ours; `Secure` under TLS: the loopback's plain HTTP cannot keep one."""
        secure = "; Secure" if self.tls else ""
        until = f"; Max-Age={age_s}" if age_s >= 0 else ""
        return f"{name or self.cookie}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{until}"
