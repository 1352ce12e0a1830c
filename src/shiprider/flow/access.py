"""Access: the people of a node, how they prove themselves, and what they may do right now.

Always true: what somebody may do is asked of the account as it is at that moment, never of what a session
remembers; access that was taken by breaking the glass ends by its time alone; what cannot be written to
the access log does not happen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import Account, Grant
from shiprider.model.errors import NotLogged, StorageError
from shiprider.model.observer import Observer
from shiprider.model.rules import NOBODYS, Home
from shiprider.ports.access_log import AccessLog
from shiprider.ports.accounts import Accounts
from shiprider.ports.identity import IdentityProvider
from shiprider.ports.proofs import Passkeys, Passwords
from shiprider.settings import AccessSettings


@dataclass(frozen=True, slots=True)
class Authority:
    """What an account may do now: its own roles and cases, and those taken by breaking the glass."""

    account: Account
    grants: tuple[Grant, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Own and taken."""
        taken = tuple(grant.role for grant in self.grants if grant.role)
        return (*self.account.roles, *(role for role in taken if role not in self.account.roles))

    @property
    def cases(self) -> tuple[str, ...]:
        """Own and taken."""
        taken = tuple(grant.case for grant in self.grants if grant.case)
        return (*self.account.cases, *(case for case in taken if case not in self.account.cases))


def observer_of(authority: Authority, home: Home, purpose: str, session: str = "") -> Observer:
    """An account as one who reads, with every attribute that a release may depend on."""
    account = authority.account
    nation, organisation = account.nation, account.organisation
    if not account.issuer and not organisation and nation in ("", home.nation):
        # The node's administrator made the account here and named nobody else: it is one of its own people.
        nation, organisation = home.nation, home.organisation
    return Observer(
        name=account.name,
        roles=authority.roles,
        nation=nation,
        organisation=organisation,
        communities=account.communities,
        clearance=account.clearance,
        purpose=purpose,
        cases=authority.cases,
        session=session,
        login=account.login,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """All that stands between a stranger and a node. `clock` gives microseconds since 1970 UTC."""

    accounts: Accounts
    log: AccessLog
    passwords: Passwords
    passkeys: Passkeys
    settings: AccessSettings
    clock: Callable[[], int]
    nation: str = ""
    node: str = ""
    home: Home = NOBODYS
    providers: Mapping[str, IdentityProvider] = field(default_factory=dict)

    def authority(self, account_id: str, revision: int) -> Authority | None:
        """None where the account is gone, disabled, or no longer what it was when the session began."""
        account = self.accounts.get(account_id)
        if account is None or account.disabled or account.revision != revision:
            return None
        return Authority(account, tuple(self.accounts.grants(account_id, self.clock())))

    def record(self, *entries: AccessEntry) -> None:
        """Write to the access log, durably. Raises NotLogged: then the caller refuses."""
        try:
            self.log.append(entries)
        except StorageError as error:
            raise NotLogged(
                "The access cannot be written to the access log, so it is refused: look at the node's disk."
            ) from error
