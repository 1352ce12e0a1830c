"""Accounts: the people of one node, what they prove themselves with, and what is counted against guessing.

Always true: what a method returned is durable; a code, a step of an authenticator and a passkey's counter
are used up in the same commit that says they were good; a try is counted before anything is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shiprider.model.account import Account, ApiToken, Grant, Notice, Passkey


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a local account proves itself with; empty where it has not.

    `password` is an argon2id hash, `authenticator` the seed of RFC 6238, `code` the hash of a one-time
    code that is good until `code_until_us`.
    """

    password: str = ""
    authenticator: bytes = b""
    code: bytes = b""
    code_until_us: int = 0


class Accounts(Protocol):
    """One node's people. Raises StorageError, DiskFull."""

    def all(self) -> list[Account]:
        """Everybody, by name."""
        ...

    def get(self, account_id: str) -> Account | None:
        """One, as he is now. From memory: it is asked with every request."""
        ...

    def find(self, *, login: str = "", name: str = "", issuer: str = "", subject: str = "") -> Account | None:
        """By login, by name, or by issuer and subject; case does not count for login and name."""
        ...

    def add(self, account: Account) -> Account:
        """A new one. Raises Conflict where the login, the name or the subject is somebody's."""
        ...

    def change(self, account: Account) -> Account:
        """The next revision of `account.revision`. Raises Conflict where that is not the newest."""
        ...

    def secrets(self, account_id: str) -> Secrets:
        """What he proves himself with."""
        ...

    def set_secrets(self, account_id: str, secrets: Secrets, *, forget_passkeys: bool = False) -> None:
        """Replace all of it; the steps that were used stay used. With the passkeys the tokens go as well."""
        ...

    def use_step(self, account_id: str, step: int) -> bool:
        """Use up a step of the authenticator; False where it, or a later one, was used (RFC 6238, 5.2)."""
        ...

    def use_code(self, account_id: str, code: bytes, now_us: int) -> bool:
        """Use up a one-time code by its hash; False where it is another, used, or too old."""
        ...

    def passkeys(self, account_id: str) -> list[Passkey]:
        """Of one account."""
        ...

    def passkey(self, credential: bytes) -> Passkey | None:
        """By its credential id."""
        ...

    def add_passkey(self, passkey: Passkey) -> None:
        """A new one. Raises Conflict where the credential is known."""
        ...

    def use_passkey(self, credential: bytes, uses: int) -> bool:
        """Set its counter; False where it did not go up though it counts (WebAuthn 7.2, step 22)."""
        ...

    def tokens(self, account_id: str) -> list[ApiToken]:
        """Of one account, newest first."""
        ...

    def token(self, digest: bytes) -> ApiToken | None:
        """By the SHA-256 of its secret. From memory: it is asked with every request of a program."""
        ...

    def add_token(self, token: ApiToken) -> None:
        """A new one."""
        ...

    def revoke_token(self, account_id: str, token_id: str) -> None:
        """It opens nothing any more. Raises NotFound where it is not his."""
        ...

    def attempt(self, keys: Sequence[tuple[str, int]], now_us: int) -> int:
        """Count a try for each (key, longest delay) or, where one must wait, count none.

        Gives how long to wait, microseconds; 0 where the try may go on. One commit, so that tries at the
        same moment and crashes gain nothing.
        """
        ...

    def forgive(self, login: str, address: str, now_us: int) -> None:
        """The right secret was given: forget the tries at the login, and this one try of the address.

        The other tries of the address stay: else one's own account would be the way to guess at others.
        """
        ...

    def add_grant(self, grant: Grant, notices: Sequence[Notice]) -> None:
        """Access taken, and who is told, in one commit."""
        ...

    def end_grant(self, grant_id: str, now_us: int) -> None:
        """End it before its time."""
        ...

    def grants(self, account_id: str, now_us: int) -> list[Grant]:
        """Those in force. From memory: it is asked with every request."""
        ...

    def add_notices(self, notices: Sequence[Notice]) -> None:
        """Tell people."""
        ...

    def notices(self, account_id: str) -> list[Notice]:
        """What one person was told, newest first. From memory."""
        ...

    def see_notice(self, account_id: str, notice_id: str, now_us: int) -> None:
        """He has seen it. Raises NotFound where it is not his."""
        ...

    def close(self) -> None:
        """Let go."""
        ...
