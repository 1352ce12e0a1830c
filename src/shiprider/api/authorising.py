"""Authorising: every route asks here before its handler sees the request.

Always true: who is not allowed by the table is refused and the refusal is logged; a change is in the
access log before it is made; content is shown for a purpose only.
"""

import asyncio
from typing import Any, Final

from shiprider.api import permissions
from shiprider.api.permissions import TABLE, Rule
from shiprider.api.sessions import Session
from shiprider.api.tokens import FOR_TOKENS
from shiprider.flow.access import Access, Authority, observer_of
from shiprider.flow.holding import Holding
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import CONTENT_ROLES
from shiprider.model.errors import Forbidden, NoPurpose, NotRecognised
from shiprider.model.observer import Observer
from shiprider.model.rules import own_observer

_OF_ACCOUNTS: Final = ("account", "token")
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Asker:
    """Who asks: his session, and what he may do at this moment."""

    def __init__(self, access: Access, session: Session) -> None:
        self.access = access
        self.session = session

    @property
    def authority(self) -> Authority | None:
        """Of an account; None for the demo user and programs of this machine, who have none."""
        if self.session.kind not in _OF_ACCOUNTS:
            return None
        return self.access.authority(self.session.account, self.session.revision)

    @property
    def roles(self) -> tuple[str, ...]:
        """As of now: a session remembers none."""
        if self.session.kind not in _OF_ACCOUNTS:
            return CONTENT_ROLES
        authority = self.authority
        return authority.roles if authority is not None else ()

    @property
    def alive(self) -> bool:
        """Whether the account still stands behind the session."""
        return self.session.kind not in _OF_ACCOUNTS or self.authority is not None

    @property
    def observer(self) -> Observer:
        """Who reads, with every attribute that a release may depend on."""
        session = self.session
        authority = self.authority
        if authority is None:
            name = session.name or "watch officer"
            if not self.roles:
                return Observer(
                    name=name, roles=(), purpose=session.purpose, session=session.id, login=session.login
                )
            return own_observer(
                name, self.access.home, session.purpose, session=session.id, login=session.login
            )
        return observer_of(authority, self.access.home, session.purpose, session.id)

    @property
    def holding(self) -> Holding:
        """What he may do to what others hold."""
        observer, authority = self.observer, self.authority
        return Holding(
            self.access.accounts,
            observer.name,
            observer.nation if authority is None else authority.account.nation,
            self.session.kind == "account",
            permissions.may(observer.roles, "overrule"),
        )

    def may(self, rule: Rule) -> bool:
        """By the table. Somebody who is still enrolling may do that and nothing else."""
        if self.session.enrolling and rule.permission not in ("enrol", "public"):
            return False
        if self.session.kind == "token" and rule.permission not in FOR_TOKENS:
            return False
        if rule.permission in ("self", "enrol"):
            return self.alive
        return permissions.may(self.roles, rule.permission)


def entry(asker: Asker | None, rule: Rule, what: str, outcome: Any, at_us: int, **more: Any) -> AccessEntry:
    """A line of the access log about one request."""
    session = asker.session if asker is not None else None
    return AccessEntry(
        at_us=at_us,
        who=session.login if session else "nobody",
        name=session.name if session else "",
        session=session.id if session else "",
        act=rule.act or "read",
        what=what,
        outcome=outcome,
        purpose=session.purpose if session else "",
        case=session.case if session else "",
        **more,
    )


async def authorise(connection: Any, _: Any) -> None:
    """The guard of every route. Raises Forbidden, NoPurpose, NotRecognised, NotLogged."""
    scope = connection.scope
    method = "WS" if scope["type"] == "websocket" else scope["method"]
    what = f"{method} {scope['path_template']}"
    state = scope["state"]
    rule = TABLE.get((method, scope["path_template"]))
    if rule is None:
        raise Forbidden("This route is nobody's: it is not in the table of permissions.")
    state["rule"], state["what"] = rule, what
    asker: Asker | None = state.get("asker")
    if rule.permission == "public":
        return
    if asker is None:
        raise NotRecognised("This needs a session: sign in.")
    refusal = _refusal(asker, rule)
    if refusal is not None:
        state["why"] = str(refusal)
        if scope["type"] == "websocket":
            denied = entry(asker, rule, what, "denied", asker.access.clock(), why=str(refusal))
            await asyncio.to_thread(asker.access.record, denied)
        raise refusal
    if rule.act is not None and method in _CHANGING and not rule.by_hand:
        objects = tuple(str(value) for value in scope["path_params"].values())
        allowed = entry(asker, rule, what, "allowed", asker.access.clock(), objects=objects)
        await asyncio.to_thread(asker.access.record, allowed)
        state["logged"] = True


def _refusal(asker: Asker, rule: Rule) -> Forbidden | None:
    if not asker.may(rule):
        roles = ", ".join(role.replace("_", " ") for role in permissions.roles_for(rule.permission))
        if asker.session.enrolling:
            return Forbidden("Your one-time code opens only this: make a password or a passkey first.")
        if asker.session.kind == "token" and rule.permission not in FOR_TOKENS:
            return Forbidden("A token opens only the exchange with other software: sign in for this.")
        return Forbidden(f"Your roles do not allow this, it is for {roles}: ask the node administrator.")
    if rule.permission in permissions.NEEDS_PURPOSE and not asker.session.purpose:
        return NoPurpose("Content is read for a purpose: say yours (PUT /api/v1/me/purpose).")
    return None
