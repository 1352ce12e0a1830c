"""Signing in: who proves himself, with what, and what is counted against guessing.

Always true: a try is counted, durably, before anything is compared; a login that nobody has takes as long
and gets the same answer as a wrong password; a code of an authenticator and a one-time code are good
once; every sign-in and every refusal is in the access log before it is answered.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from shiprider.flow.access import Access
from shiprider.flow.ids import new_id
from shiprider.flow.networks import network_of
from shiprider.flow.vouched import account_of
from shiprider.formats import totp
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import Account, Passkey
from shiprider.model.errors import Forbidden, NotRecognised, NotYet, UsageError
from shiprider.ports.accounts import Secrets
from shiprider.settings import ProviderSettings

#: Longest waits, microseconds: short per account, so that nobody can lock another out for long.
ACCOUNT_WAIT_US: Final = 30 * 1_000_000
ADDRESS_WAIT_US: Final = 15 * 60 * 1_000_000

#: How long a one-time code is good, microseconds: a week.
CODE_US: Final = 7 * 24 * 3600 * 1_000_000

#: Of a one-time code: 32 letters and digits that are not mistaken for each other, 100 bits.
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
_CODE_LETTERS: Final = 20

#: NIST SP 800-63B, 5.1.1.2: long rather than odd.
PASSWORD_LETTERS: Final = 12
PASSWORD_MOST: Final = 256

_WRONG: Final = "That is not right: check the login, the password and the code, then try again."


def new_code() -> str:
    """A one-time code, in groups."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LETTERS))
    return "-".join(letters[at : at + 5] for at in range(0, _CODE_LETTERS, 5))


def hash_of(code: str) -> bytes:
    """What is kept of a one-time code: it has 100 random bits, so a fast hash is enough."""
    plain = "".join(each for each in code.upper() if each.isalnum())
    return hashlib.sha256(plain.encode()).digest()


def new_password(text: str) -> str:
    """A password as it is hashed. Raises UsageError."""
    plain = unicodedata.normalize("NFKC", text)
    if not PASSWORD_LETTERS <= len(plain) <= PASSWORD_MOST or len(set(plain)) < 5:
        raise UsageError(
            f"The password is too short or too plain: take {PASSWORD_LETTERS} characters or more, a sentence is good."
        )
    return plain


class SignIn:
    """The ways in. `address` is where the request comes from."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def with_password(self, login: str, password: str, code: str, address: str) -> Account:
        """Password and authenticator together. Raises NotRecognised, NotYet, NotLogged."""
        access = self._access
        account = self._try(login, address)
        found = access.accounts.secrets(account.id if account else "")
        right = access.passwords.matches(found.password, unicodedata.normalize("NFKC", password))
        step = totp.step_of(found.authenticator or secrets.token_bytes(20), code, access.clock())
        if account is None or not (right and step is not None and found.authenticator):
            raise self._refused(login, "password")
        if not access.accounts.use_step(account.id, step):
            raise self._refused(login, "password")
        return self._recognised(account, "password", address)

    def with_code(self, login: str, code: str, address: str) -> Account:
        """A one-time code: good for making a password or a passkey, and for nothing else."""
        account = self._try(login, address)
        used = self._access.accounts.use_code(
            account.id if account else "", hash_of(code), self._access.clock()
        )
        if account is None or not used:
            raise self._refused(login, "code")
        return self._recognised(account, "code", address)

    def with_passkey(
        self, credential: dict[str, Any], address: str, *, challenge: bytes, rp_id: str, origin: str
    ) -> Account:
        """A passkey; the device has verified the person."""
        access = self._access
        self._count([(f"address:{network_of(address)}", ADDRESS_WAIT_US)])
        try:
            passkey = access.accounts.passkey(access.passkeys.credential_id(credential))
            if passkey is None:
                raise Forbidden(_WRONG)
            uses = access.passkeys.answered(
                credential, passkey, challenge=challenge, rp_id=rp_id, origin=origin
            )
        except Forbidden:
            raise self._refused("", "passkey") from None
        account = access.accounts.get(passkey.account)
        if account is None or account.disabled or not access.accounts.use_passkey(passkey.credential, uses):
            raise self._refused(account.login if account else "", "passkey")
        return self._recognised(account, "passkey", address)

    def with_claims(self, provider: ProviderSettings, claims: Mapping[str, Any], address: str) -> Account:
        """What an organisation's provider vouches for; its attributes are taken anew each time."""
        accounts = self._access.accounts
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise self._refused("", f"provider {provider.name}")
        known = accounts.find(issuer=provider.issuer, subject=subject)
        wanted = account_of(provider, claims, known, new_id=new_id(), made_us=self._access.clock())
        if known is not None and known.disabled:
            raise self._refused(known.login, f"provider {provider.name}")
        if not wanted.roles:
            raise self._refused(wanted.login, f"provider {provider.name}: no role")
        if known is None:
            for number in range(2, 100):
                if not (accounts.find(login=wanted.login) or accounts.find(name=wanted.name)):
                    break
                wanted = account_of(
                    provider, claims, None, new_id=wanted.id, made_us=wanted.made_us, number=number
                )
            self._administered(wanted, "made at the first sign-in")
            known = accounts.add(wanted)
        elif structs.replace(wanted, revision=known.revision) != known:
            self._administered(wanted, "attributes changed by the provider")
            known = accounts.change(wanted)
        return self._recognised(known, f"provider {provider.name}", address)

    # -- what an account proves itself with from now on -----------------------------------------------

    def set_password(self, account: Account, password: str, seed: bytes, code: str) -> None:
        """A password and an authenticator whose code was typed. Raises UsageError, NotRecognised."""
        access = self._access
        plain = new_password(password)
        step = totp.step_of(seed, code, access.clock())
        if step is None:
            raise NotRecognised("The code of the authenticator is wrong: type the one it shows now.")
        hashed = access.passwords.hash(plain)
        self._administered(account, "password and authenticator set")
        access.accounts.set_secrets(account.id, Secrets(password=hashed, authenticator=seed))
        access.accounts.use_step(account.id, step)

    def add_passkey(self, account: Account, made: tuple[bytes, bytes, int], name: str) -> None:
        """A passkey whose making was verified."""
        credential, public_key, uses = made
        self._administered(account, "passkey added")
        self._access.accounts.add_passkey(
            Passkey(
                credential=credential,
                account=account.id,
                public_key=public_key,
                uses=uses,
                name=name,
                made_us=self._access.clock(),
            )
        )

    # -- guessing -----------------------------------------------------------------------------------

    def _try(self, login: str, address: str) -> Account | None:
        # Unknown logins are counted too, by a hash: the table holds nothing that somebody typed by mistake.
        key = hashlib.sha256(login.strip().casefold().encode("utf-8", "replace")).hexdigest()[:32]
        self._count([(f"login:{key}", ACCOUNT_WAIT_US), (f"address:{network_of(address)}", ADDRESS_WAIT_US)])
        account = self._access.accounts.find(login=login.strip()) if login.strip() else None
        return None if account is None or account.disabled or account.issuer else account

    def _count(self, keys: list[tuple[str, int]]) -> None:
        wait_us = self._access.accounts.attempt(keys, self._access.clock())
        if wait_us > 0:
            error = NotYet(
                f"There were too many tries: wait {max(round(wait_us / 1e6), 1)} s, then try again."
            )
            error.wait_s = wait_us / 1e6
            raise error

    def _refused(self, login: str, how: str) -> NotRecognised:
        known = self._access.accounts.find(login=login.strip()) if login.strip() else None
        # A password typed as a login must not get into the log.
        self._log(known, "denied", how)
        return NotRecognised(_WRONG)

    def _recognised(self, account: Account, how: str, address: str) -> Account:
        self._log(account, "allowed", how)
        key = hashlib.sha256(account.login.casefold().encode()).hexdigest()[:32]
        self._access.accounts.forgive(f"login:{key}", f"address:{network_of(address)}", self._access.clock())
        return account

    def _log(self, who: Account | None, outcome: Any, why: str) -> None:
        self._access.record(
            AccessEntry(
                at_us=self._access.clock(),
                who=who.login if who else "unknown",
                name=who.name if who else "",
                session="",
                act="sign_in",
                what="sign in",
                outcome=outcome,
                why=why,
            )
        )

    def _administered(self, account: Account, why: str) -> None:
        self._access.record(
            AccessEntry(
                at_us=self._access.clock(),
                who=account.login,
                name=account.name,
                session="",
                act="administer",
                what="own account",
                outcome="allowed",
                objects=(account.id,),
                why=why,
            )
        )
