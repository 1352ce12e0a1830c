"""Proofs: how a password and a passkey are made and checked, whoever makes the primitives.

Always true: a check says yes or no and never why; it takes as long for no as for yes.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from shiprider.model.account import Passkey


class Passwords(Protocol):
    """A slow hash of passwords."""

    def hash(self, password: str) -> str:
        """The hash with its salt and its costs. Raises NodeBusy where too many wait."""
        ...

    def matches(self, hashed: str, password: str) -> bool:
        """Whether it is the password; an empty hash takes as long and is none. Raises NodeBusy."""
        ...


class Passkeys(Protocol):
    """WebAuthn Level 3 ceremonies, user verification always required."""

    def creation(
        self, rp_id: str, account_id: str, login: str, name: str, known: Sequence[bytes], challenge: bytes
    ) -> dict[str, Any]:
        """`PublicKeyCredentialCreationOptionsJSON`."""
        ...

    def created(
        self, credential: dict[str, Any], *, challenge: bytes, rp_id: str, origin: str
    ) -> tuple[bytes, bytes, int]:
        """Credential id, public key, counter. Raises Forbidden."""
        ...

    def request(self, rp_id: str, challenge: bytes) -> dict[str, Any]:
        """`PublicKeyCredentialRequestOptionsJSON`; the device knows which of its keys are for us."""
        ...

    def answered(
        self, credential: dict[str, Any], passkey: Passkey, *, challenge: bytes, rp_id: str, origin: str
    ) -> int:
        """The new counter. Raises Forbidden."""
        ...

    def credential_id(self, credential: dict[str, Any]) -> bytes:
        """Which passkey answers. Raises Forbidden where it is no answer."""
        ...
