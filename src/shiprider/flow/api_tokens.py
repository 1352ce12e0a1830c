"""Tokens of people's programs: made, shown once, found again by their hash.

Always true: the secret is random and kept nowhere; a token is its account's, never more than the account may do at that
moment, for one purpose, until its time; making and revoking one stands in the access log.
"""

import hashlib
import secrets
from typing import Final

from shiprider.flow.access import Access
from shiprider.measure.clock import DAY_US
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import Account, ApiToken
from shiprider.model.errors import Conflict, UsageError

#: What every secret begins with, so that one that was left somewhere is recognised.
PREFIX: Final = "shiprider-"
MOST_DAYS: Final = 366
_MOST_OF_ONE: Final = 20


def digest(secret: str) -> bytes:
    """What is kept of a secret: it has 256 random bits, so a plain hash tells nothing of it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def found(access: Access, secret: str, login: str = "") -> tuple[Account, ApiToken] | None:
    """Whose token it is; None where it is nobody's, past its time, another login's, or its account is disabled."""
    token = access.accounts.token(digest(secret)) if secret.startswith(PREFIX) else None
    if token is None or access.clock() >= token.until_us:
        return None
    account = access.accounts.get(token.account)
    if account is None or account.disabled or (login and login.casefold() != account.login.casefold()):
        return None
    return account, token


def make(
    access: Access, account: Account, name: str, purpose: str, days: int, *, case: str = "", session: str = ""
) -> tuple[ApiToken, str]:
    """A token and its secret, which is shown this once. Raises UsageError, Conflict, NotLogged."""
    plain = " ".join(name.split())
    if not plain or not plain.isprintable() or len(plain) > 80:
        raise UsageError("A token needs a name of letters, at most 80: say which program it is for.")
    if purpose not in access.settings.purposes:
        raise UsageError(
            f"{purpose[:40]!r} is no purpose here: use one of {', '.join(access.settings.purposes)}."
        )
    if case and case not in account.cases:
        raise UsageError(f"{case[:40]!r} is no case of yours: choose one that you are assigned to.")
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"A token is good for 1 to {MOST_DAYS} days: choose a number between.")
    now_us = access.clock()
    for each in access.accounts.tokens(account.id):
        if now_us >= each.until_us:
            access.accounts.revoke_token(account.id, each.id)
    if len(access.accounts.tokens(account.id)) >= _MOST_OF_ONE:
        raise Conflict(f"You have {_MOST_OF_ONE} tokens: revoke one that is not used any more.")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=secrets.token_hex(8),
        account=account.id,
        name=plain,
        digest=digest(secret),
        purpose=purpose,
        case=case,
        made_us=now_us,
        until_us=now_us + days * DAY_US,
    )
    _log(access, account, "make token", token.id, session)
    access.accounts.add_token(token)
    return token, secret


def revoke(access: Access, account: Account, token_id: str, *, session: str = "") -> None:
    """Raises NotFound where it is not his, NotLogged."""
    _log(access, account, "revoke token", token_id[:40], session)
    access.accounts.revoke_token(account.id, token_id)


def _log(access: Access, account: Account, what: str, token: str, session: str) -> None:
    access.record(
        AccessEntry(
            at_us=access.clock(),
            who=account.login,
            name=account.name,
            session=session,
            act="administer",
            what=what,
            outcome="allowed",
            objects=(account.id, token),
        )
    )
