"""The rules of one node: whose people are whose, and which agreements there are.

Always true: rules are data; two nodes with the same rules answer alike; nobody is at home in a node that
the rules do not name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from shiprider.model.account import CONTENT_ROLES
from shiprider.model.agreement import AgreementBook, Party
from shiprider.model.label import Classification
from shiprider.model.observer import Observer


class Home(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose node it is: its people are those of this nation and organisation (an empty part is not asked for)."""

    node: str
    nation: str = ""
    organisation: str = ""

    def is_of(self, nation: str, organisation: str) -> bool:
        """Whether somebody of this nation and organisation is one of its people; a home of nobody has none."""
        return (
            bool(self.nation or self.organisation)
            and self.nation in ("", nation)
            and self.organisation in ("", organisation)
        )

    def is_party(self, party: Party) -> bool:
        """Whether a party's promises are this home's."""
        return party.is_of(self.nation, self.organisation)


#: A home without people.
NOBODYS: Final = Home(node="")


def home_of(node: str, nation: str = "", organisation: str = "") -> Home:
    """A node's home; without nation and organisation its people are the organisation that bears its name."""
    return Home(node=node, nation=nation, organisation=organisation or ("" if nation else node))


@dataclass(frozen=True, slots=True)
class Rules:
    """`node` is the one that decides; `homes` the known nodes, itself among them."""

    node: str
    homes: tuple[Home, ...]
    book: AgreementBook

    def at_home(self, origin: str, nation: str, organisation: str) -> bool:
        """Whether somebody is one of the originator's people."""
        return any(home.node == origin and home.is_of(nation, organisation) for home in self.homes)

    def homes_of(self, origin: str) -> Sequence[Home]:
        """The homes of a node: none where it is not known."""
        return [home for home in self.homes if home.node == origin]


def fault_of(homes: Iterable[Home]) -> str:
    """What cannot be meant: a sentence, empty where all is well."""
    for home in homes:
        if not home.node:
            return "a home names no node"
        if not home.nation and not home.organisation:
            return f"the home of {home.node!r} is of no nation and no organisation"
    return ""


def own_observer(
    name: str,
    home: Home,
    purpose: str,
    *,
    roles: Sequence[str] = CONTENT_ROLES,
    session: str = "",
    login: str = "",
) -> Observer:
    """One of a home's people with full clearance: who sits at the node's own machine without an account."""
    return Observer(
        name=name,
        roles=tuple(roles),
        nation=home.nation,
        organisation=home.organisation,
        clearance=Classification.TOP_SECRET.name,
        purpose=purpose,
        session=session,
        owner=True,
        login=login,
    )
