"""Who may come in: accounts, passwords, passkeys, identity providers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.access_log import open_access_log
from shiprider.bootstrap.files import read_text
from shiprider.bootstrap.folder import ACCOUNTS, beside
from shiprider.bootstrap.keys import open_keys
from shiprider.bootstrap.policies import node_rules, own_home
from shiprider.flow.vouching import KeySigner
from shiprider.ports.access_log import AccessLog
from shiprider.settings import Settings

if TYPE_CHECKING:
    from shiprider.flow.access import Access
    from shiprider.flow.browsing import Duties
    from shiprider.model.account import Account
    from shiprider.ports.identity import IdentityProvider


@contextmanager
def open_access(folder: Path, settings: Settings, log: AccessLog | None = None) -> "Iterator[Access]":
    """Who may come in, and the log of what he sees: that of the open node, or one opened for this alone.

    Raises UsageError, NodeBusy, StorageError, CorruptStore.
    """
    from shiprider.adapters.accounts.passkeys import WebauthnPasskeys
    from shiprider.adapters.accounts.passwords import Argon2Passwords
    from shiprider.adapters.accounts.sqlite import SqliteAccounts
    from shiprider.flow.access import Access

    accounts = SqliteAccounts(folder / ACCOUNTS)
    try:
        own: AccessLog | None = None
        if log is None:
            keys = open_keys(folder, settings)
            log = own = open_access_log(folder, settings, KeySigner(keys, wall_us), keys.check)
        try:
            yield Access(
                accounts=accounts,
                log=log,
                passwords=Argon2Passwords(),
                passkeys=WebauthnPasskeys(),
                settings=settings.access,
                clock=wall_us,
                nation=settings.nation,
                node=settings.node,
                home=own_home(node_rules(settings, folder)),
                providers=_providers(folder, settings),
            )
        finally:
            if own is not None:
                own.close()
    finally:
        accounts.close()


def duties_of(access: "Access") -> "Callable[[], Duties]":
    """What the accounts say of people's work, by the login that their accesses are logged under."""
    from shiprider.flow.browsing import Duties

    def duties() -> Duties:
        people = access.accounts.all()
        return Duties(
            roles={each.login: each.roles[0] for each in people if each.roles},
            cases={each.login: frozenset(each.cases) for each in people},
        )

    return duties


def _providers(folder: Path, settings: Settings) -> "dict[str, IdentityProvider]":
    if not settings.access.providers:
        return {}
    from shiprider.adapters.identity.openid import OpenIdProvider

    return {
        each.name: OpenIdProvider(
            each,
            read_text(beside(folder, each.client_secret_file)).strip() if each.client_secret_file else "",
        )
        for each in settings.access.providers
    }


def first_administrator(access: "Access") -> "tuple[Account, str] | None":
    """The administrator of a node that knows nobody yet, and his one-time code; None where it does."""
    from shiprider.flow.administering import first_administrator as first

    return first(access)


def renewed_code(access: "Access", login: str) -> str:
    """A new one-time code for somebody who lost his way in. Raises NotFound."""
    from shiprider.flow.administering import renewed_code as renewed

    return renewed(access, login)
