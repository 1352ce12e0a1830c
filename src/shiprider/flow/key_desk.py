"""The node's keys as whoever runs the node has to do with them: what there is, until when, a new one, a lost one.

Always true: a change is in the access log and told to the auditors before it is made; no private half is ever shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shiprider.flow.access import Access
from shiprider.flow.desk_steps import Person, reason
from shiprider.flow.ids import new_id
from shiprider.flow.signing_keys import rotate, write_off
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import Notice
from shiprider.model.signing_key import SigningKey
from shiprider.ports.keys import Keys
from shiprider.ports.ledger import Ledger

#: From then on people are asked to make a new one: long enough that a lost copy is not for ever.
ROTATE_AFTER_DAYS: Final = 365
DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What browsers check. Times in microseconds since 1970 UTC; `fingerprint` is the authority's (SHA-256)."""

    ends_us: int
    fingerprint: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDesk:
    """One node's keys. `certificate` gives that of its TLS, None where it has none."""

    access: Access
    ledger: Ledger
    keys: Keys
    certificate: Callable[[], Certificate | None]

    def signing_keys(self) -> Sequence[SigningKey]:
        """Every key there ever was, newest first."""
        return tuple(reversed(self.keys.public()))

    def due_us(self, key: SigningKey) -> int:
        """When the active key should be followed by another."""
        return key.from_us + ROTATE_AFTER_DAYS * DAY_US

    def rotate(self, who: Person) -> SigningKey:
        """The next key signs from now on."""
        self._told(who, "rotate the signing key", "")
        return rotate(self.ledger, self.keys, self.access.clock, who.name)

    def report_lost(self, who: Person, why: str) -> SigningKey:
        """The active key is no longer in our hands alone: it is written off, another signs. Raises UsageError."""
        said = reason(why)
        self._told(who, "write the signing key off as lost", said)
        return write_off(self.ledger, self.keys, self.access.clock, who.name, said)

    def _told(self, who: Person, what: str, why: str) -> None:
        active = next(each.key_id for each in self.keys.public() if each.state == "active")
        now_us = self.access.clock()
        self.access.record(
            AccessEntry(
                at_us=now_us,
                who=who.login,
                name=who.name,
                session=who.observer.session,
                act="administer",
                what=what,
                outcome="allowed",
                objects=(active,),
                why=why,
            )
        )
        auditors = [e for e in self.access.accounts.all() if "auditor" in e.roles and not e.disabled]
        if auditors:
            text = f"{what}{': ' if why else ''}{why}"
            self.access.accounts.add_notices(
                [
                    Notice(id=new_id(), to=e.id, kind="administered", about=who.name, text=text, at_us=now_us)
                    for e in auditors
                ]
            )
