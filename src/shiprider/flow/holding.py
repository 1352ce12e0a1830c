"""Whose an object is: who may decide on what another person holds or wrote.

Always true: the object that is changed is the one that is asked about; what somebody of another nation
holds or wrote is not changed from here, whatever the role; a third person takes an alert over, openly,
before deciding on it, unless his role may overrule.
"""

from dataclasses import dataclass

from shiprider.model.account import Account
from shiprider.model.alert import OPEN_STATES, Alert
from shiprider.model.errors import Forbidden
from shiprider.ports.accounts import Accounts


@dataclass(frozen=True, slots=True)
class Holding:
    """What one person may do to others' objects. `proven`: his name is that of an account."""

    accounts: Accounts
    name: str
    nation: str
    proven: bool
    may_overrule: bool

    def check_alert(self, alert_id: str, alert: Alert, *, taking: bool) -> None:
        """Raises Forbidden where somebody else's hold stands against it."""
        holder = alert.holder
        if not holder or alert.state not in OPEN_STATES or holder == self.name:
            return
        account = self.accounts.find(name=holder)
        if account is None and not self.proven:
            # Where nobody proves who he is, a name is only a word.
            return
        if account is not None and self._foreign(account):
            raise Forbidden(
                f"The alert {alert_id} is held by {holder} of {account.nation or 'another nation'}: ask there."
            )
        if not (taking or self.may_overrule):
            raise Forbidden(f"The alert {alert_id} is held by {holder}: take it over first, then decide.")

    def check_written(self, what: str, author: str) -> None:
        """Raises Forbidden where an order was written by somebody of another nation."""
        account = self.accounts.find(name=author)
        if account is not None and author != self.name and self._foreign(account):
            raise Forbidden(
                f"The {what} was written by {author} of {account.nation or 'another nation'}: ask there."
            )

    def _foreign(self, account: Account) -> bool:
        return account.nation != self.nation
