"""Identity provider: an organisation that vouches for its people (OpenID Connect).

Always true: only issuers of the settings are ever asked; nothing of a request decides which address is
fetched; what is not proven by a signature of the issuer's keys is not believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One way out to a provider and back: kept here, bound to one browser by a cookie."""

    provider: str
    state: str
    nonce: str
    verifier: str


class IdentityProvider(Protocol):
    """One organisation's provider."""

    @property
    def name(self) -> str:
        """What the settings call it."""
        ...

    def address(self, asking: Asking, redirect: str) -> str:
        """Where the browser is sent. Raises Forbidden where the provider cannot be asked."""
        ...

    def claims(self, asking: Asking, code: str, redirect: str) -> Mapping[str, Any]:
        """The verified claims of the ID token. Raises Forbidden."""
        ...
