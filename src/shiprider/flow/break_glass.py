"""Breaking the glass: access that somebody lacks, taken for a reason and a time, before a second person's eyes.

Always true: it is in the access log and the second person is told before it works; it ends by its time,
with no one's doing; whoever runs the node or audits it cannot take it.
"""

from shiprider.flow.access import Access, Authority
from shiprider.flow.ids import new_id
from shiprider.model.access_entry import AccessEntry
from shiprider.model.account import APART, CONTENT_ROLES, Account, Grant, Notice
from shiprider.model.errors import Forbidden, UsageError

#: Held at once by one person; more is no emergency, and drowns what the others are told of it.
MOST_HELD = 8

#: Shorter is no reason that a second person can judge.
_REASON_LETTERS = 10


def second_persons(access: Access, me: Account) -> list[Account]:
    """Who can be told: everybody who is active, but oneself and whoever runs the node."""
    return [
        each
        for each in access.accounts.all()
        if each.id != me.id and not each.disabled and each.roles and "node_administrator" not in each.roles
    ]


def break_glass(
    access: Access,
    authority: Authority,
    session: str,
    *,
    role: str,
    case: str,
    reason: str,
    minutes: float,
    second: str,
) -> Grant:
    """Take a role or a case. Raises Forbidden, UsageError, NotLogged."""
    me = authority.account
    if APART & set(me.roles) or not me.roles:
        raise Forbidden("Who runs or audits the node takes no access to its content: ask a watch officer.")
    if len(authority.grants) >= MOST_HELD:
        raise Forbidden(f"You hold {MOST_HELD} that you took already: give them back first.")
    if bool(role) == bool(case):
        raise UsageError("Take either a role or a case: name one of them.")
    if role and (role not in CONTENT_ROLES or role in authority.roles):
        raise UsageError(f"{role[:40]!r} cannot be taken: name a role that you lack.")
    if case and (case in authority.cases or len(case) > 80 or not case.isprintable()):
        raise UsageError(f"{case[:40]!r} cannot be taken: name a case that you are not assigned to.")
    said = " ".join(reason.split())
    if len(said) < _REASON_LETTERS or not said.isprintable():
        raise UsageError("The reason says too little: write what happens and why it cannot wait.")
    if not 0 < minutes <= access.settings.break_glass_min:
        raise UsageError(f"{minutes:g} min is too long: take {access.settings.break_glass_min:g} at most.")
    told = next((each for each in second_persons(access, me) if each.id == second), None)
    if told is None:
        raise UsageError("There is no such second person: choose one of the list.")
    now_us = access.clock()
    grant = Grant(
        id=new_id(),
        account=me.id,
        reason=said,
        second=told.id,
        role=role,
        case=case,
        from_us=now_us,
        until_us=now_us + round(minutes * 60e6),
    )
    what = f"role {role}" if role else f"case {case}"
    auditors = [e for e in access.accounts.all() if "auditor" in e.roles and not e.disabled]
    notices = [
        Notice(
            id=new_id(),
            to=each.id,
            kind="break_glass",
            about=me.name,
            text=f"{what}, {minutes:g} min: {said}",
            at_us=now_us,
        )
        for each in {e.id: e for e in (told, *auditors)}.values()
    ]
    _log(access, me, session, grant, f"{what} for {minutes:g} min, {told.login} told: {said}")
    access.accounts.add_grant(grant, notices)
    return grant


def give_back(access: Access, authority: Authority, session: str) -> None:
    """End what was taken before its time."""
    for grant in authority.grants:
        _log(access, authority.account, session, grant, "given back")
        access.accounts.end_grant(grant.id, access.clock())


def _log(access: Access, me: Account, session: str, grant: Grant, why: str) -> None:
    access.record(
        AccessEntry(
            at_us=access.clock(),
            who=me.login,
            name=me.name,
            session=session,
            act="break_glass",
            what="break glass",
            outcome="allowed",
            objects=(grant.id,),
            case=grant.case,
            why=why,
        )
    )
