"""Administering accounts: who is made, changed, disabled, and given a one-time code.

Always true: every change is in the access log before it is made, and the auditors are told; nobody
changes his own roles; who runs the node gives himself no way to its content; a code is shown once and
kept as a hash; a change ends every session of the account at once.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import structs

from shiprider.flow.access import Access
from shiprider.flow.ids import new_id
from shiprider.flow.sign_in import CODE_US, hash_of, new_code
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import ROLES, Account, Notice, conflicting
from shiprider.model.errors import Conflict, Forbidden, NotFound, UsageError
from shiprider.ports.accounts import Secrets

#: The first administrator's login, where nobody is there yet.
FIRST_LOGIN: Final = "administrator"

_LETTERS: Final = 80
_CLEARANCES: Final = ("", "unclassified", "restricted", "confidential", "secret", "top_secret")


def first_administrator(access: Access) -> tuple[Account, str] | None:
    """The administrator of a node that has nobody yet, and his one-time code; None where it has."""
    if access.accounts.all():
        return None
    account = Account(
        id=new_id(),
        login=FIRST_LOGIN,
        name="Administrator",
        roles=("node_administrator",),
        nation=access.nation,
        made_us=access.clock(),
    )
    _log(access, "node", "", account, "first administrator made")
    access.accounts.add(account)
    return account, _give_code(access, account)


def renewed_code(access: Access, login: str, *, by: str = "node", session: str = "") -> str:
    """A new one-time code for somebody who lost his way in; what he had is forgotten. Raises NotFound."""
    account = access.accounts.find(login=login)
    if account is None:
        raise NotFound(f"There is nobody with the login {login[:40]!r}: list the accounts.")
    return _reset(access, account, by, session)


class Administering:
    """What one administrator does. `me` is his account, `session` his session."""

    def __init__(self, access: Access, me: Account, session: str) -> None:
        self._access = access
        self._me = me
        self._session = session

    def make(self, wanted: Account) -> tuple[Account, str]:
        """A new account and its one-time code. Raises UsageError, Conflict."""
        account = structs.replace(
            wanted, id=new_id(), revision=1, made_us=self._access.clock(), issuer="", subject=""
        )
        _check(account)
        accounts = self._access.accounts
        if accounts.find(login=account.login) or accounts.find(name=account.name):
            raise Conflict(
                f"The login {account.login!r} or the name {account.name!r} is taken: choose another."
            )
        self._write(account, f"made: {_words(account)}")
        account = accounts.add(account)
        return account, _give_code(self._access, account)

    def change(self, account_id: str, expected_revision: int, **changes: Any) -> Account:
        """Change roles, attributes, or whether it is disabled. Raises NotFound, Conflict, Forbidden."""
        account = self.one(account_id)
        if account.revision != expected_revision:
            raise Conflict(
                f"The account {account.login} is at revision {account.revision}, not {expected_revision}: "
                "look again and decide again."
            )
        changed = structs.replace(account, **changes)
        _check(changed)
        if account.id == self._me.id and (changed.roles != account.roles or changed.disabled):
            raise Forbidden(
                "Nobody changes his own roles or disables himself: ask another node administrator."
            )
        self._write(changed, f"changed: {_words(changed)}")
        return self._access.accounts.change(changed)

    def new_code(self, account_id: str) -> str:
        """A one-time code; password, authenticator and passkeys are forgotten. Raises NotFound, Forbidden."""
        account = self.one(account_id)
        if account.issuer:
            raise Forbidden(
                f"{account.name} signs in with his organisation: it is there that his way in is renewed."
            )
        self._tell(account, "given a new one-time code")
        return _reset(self._access, account, self._me.login, self._session, self._me.name)

    def one(self, account_id: str) -> Account:
        """One account. Raises NotFound."""
        account = self._access.accounts.get(account_id)
        if account is None:
            raise NotFound(f"There is no account {account_id[:40]}: look the list up again.")
        return account

    def _write(self, account: Account, why: str) -> None:
        _log(self._access, self._me.login, self._session, account, why, self._me.name)
        self._tell(account, why)

    def _tell(self, account: Account, text: str) -> None:
        """A second pair of eyes: an administrator could make himself another person."""
        auditors = [
            each for each in self._access.accounts.all() if "auditor" in each.roles and not each.disabled
        ]
        notices = [
            Notice(
                id=new_id(),
                to=each.id,
                kind="administered",
                about=self._me.name,
                text=f"{account.login}: {text}",
                at_us=self._access.clock(),
            )
            for each in auditors
        ]
        if notices:
            self._access.accounts.add_notices(notices)


def _give_code(access: Access, account: Account) -> str:
    code = new_code()
    secrets = Secrets(code=hash_of(code), code_until_us=access.clock() + CODE_US)
    access.accounts.set_secrets(account.id, secrets, forget_passkeys=True)
    return code


def _reset(access: Access, account: Account, by: str, session: str, name: str = "") -> str:
    _log(access, by, session, account, "new one-time code", name)
    # The next revision: whoever is signed in as this account is so no longer.
    return _give_code(access, access.accounts.change(account))


def _log(access: Access, who: str, session: str, account: Account, why: str, name: str = "") -> None:
    access.record(
        AccessEntry(
            at_us=access.clock(),
            who=who,
            name=name,
            session=session,
            act="administer",
            what="accounts",
            outcome="allowed",
            objects=(account.id,),
            why=why,
        )
    )


def _words(account: Account) -> str:
    parts = [",".join(account.roles) or "no role", account.nation, account.organisation, account.clearance]
    if account.disabled:
        parts.append("disabled")
    return "; ".join(part for part in parts if part)


def _check(account: Account) -> None:
    """Raises UsageError."""
    login, name = account.login, account.name
    if not login or len(login) > _LETTERS or not login.isprintable() or set(login) & set(" @/\\"):
        raise UsageError(f"The login {login[:40]!r} cannot be one: use letters, digits, dots and hyphens.")
    if not name.strip() or name != " ".join(name.split()) or len(name) > _LETTERS or not name.isprintable():
        raise UsageError(f"The name {name[:40]!r} cannot be one: write first and family name.")
    unknown = [role for role in account.roles if role not in ROLES]
    if unknown:
        raise UsageError(f"{unknown[0][:40]!r} is no role: use {', '.join(ROLES)}.")
    clash = conflicting(account.roles)
    if clash:
        raise UsageError(
            f"These roles do not go together, {clash}: make a second account for a second person."
        )
    if account.nation and not (
        len(account.nation) == 3 and account.nation.isascii() and account.nation.isupper()
    ):
        raise UsageError(f"{account.nation[:40]!r} is no nation: write ISO 3166-1 alpha-3, COL.")
    if account.clearance not in _CLEARANCES:
        raise UsageError(
            f"{account.clearance[:40]!r} is no clearance: use {', '.join(filter(None, _CLEARANCES))}."
        )
    _check_lists(account.communities, account.cases)
    if len(account.organisation) > _LETTERS or not account.organisation.isprintable():
        raise UsageError("The organisation's name is too long or no text: shorten it.")


def _check_lists(*lists: Sequence[str]) -> None:
    for each in lists:
        if len(each) > 64 or any(not t.strip() or len(t) > _LETTERS or not t.isprintable() for t in each):
            raise UsageError("A community or a case has no name or a name too long: correct the list.")
