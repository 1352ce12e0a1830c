"""Oneself: what I may do and why, what I prove myself with, where I am signed in, what I was told."""

import secrets
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post, put
from litestar.params import Parameter

from shiprider.api import permissions
from shiprider.api.asking import Here, Who
from shiprider.api.authorising import Asker
from shiprider.api.failures import CHANGING, documented
from shiprider.api.routes.sign_in import party_of
from shiprider.api.schemas import access as s
from shiprider.api.sessions import Session
from shiprider.flow.sign_in import SignIn
from shiprider.formats import totp
from shiprider.model.account import Account, Grant
from shiprider.model.errors import Forbidden, NotFound, NotRecognised, UsageError

TAG: Final = ["me"]

SessionPath = Annotated[str, Parameter(pattern="^[0-9a-f]{16}$", description="Id of a session.")]
NoticePath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a notice.")]


def account_of(asker: Asker) -> Account:
    """The account behind a session. Raises Forbidden for the demo user and programs, who have none."""
    authority = asker.authority
    if authority is None:
        raise Forbidden(
            "You have no account here, the start-up URL signed you in: make one with `shiprider init`."
        )
    return authority.account


def _local(asker: Asker) -> Account:
    account = account_of(asker)
    if account.issuer:
        raise Forbidden("Your organisation vouches for you: your password and passkeys are kept there.")
    return account


#: How long after signing in a session may change what its account proves itself with, seconds.
_FRESH_S: Final = 600.0


def fresh(request: Request[Any, Any, Any], asker: Asker) -> Account:
    """The account, where its person has proved himself just now: an open desk must not be enough."""
    account = _local(asker)
    age_s = request.scope["state"]["sessions"].clock() - asker.session.began_s
    if not asker.session.enrolling and age_s > _FRESH_S:
        raise Forbidden("You signed in a while ago: sign out and in again, then change how you sign in.")
    return account


def grant_out(asker: Asker, grant: Grant) -> s.GrantOut:
    """With the name of who was told."""
    second = asker.access.accounts.get(grant.second)
    return s.GrantOut(
        id=grant.id,
        role=grant.role,
        case=grant.case,
        reason=grant.reason,
        second=second.name if second else "",
        from_us=grant.from_us,
        until_us=grant.until_us,
    )


@get(
    "/me",
    operation_id="get_my_access",
    summary="What I may do here, and why",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_me(asker: Who) -> s.MyAccess:
    """Every permission there is, and through which role one holds it."""
    observer, session, authority = asker.observer, asker.session, asker.authority
    accounts = asker.access.accounts
    whys = []
    for permission in permissions.ROLES_OF:
        if permission in ("public", "enrol", "self"):
            continue
        roles = permissions.roles_for(permission)
        through = [role for role in roles if role in observer.roles]
        whys.append(s.Why(permission=permission, held=bool(through), through=through, for_roles=roles))
    keys = accounts.passkeys(session.account) if session.account else []
    return s.MyAccess(
        kind=session.kind,
        name=observer.name,
        login=session.login,
        roles=list(observer.roles),
        nation=observer.nation,
        organisation=observer.organisation,
        communities=list(observer.communities),
        clearance=observer.clearance,
        cases=list(observer.cases),
        purpose=session.purpose,
        case=session.case,
        purposes=list(asker.access.settings.purposes),
        passkeys=[each.name for each in keys],
        password=bool(session.account and accounts.secrets(session.account).password),
        grants=[grant_out(asker, each) for each in (authority.grants if authority else ())],
        permissions=whys,
    )


@put(
    "/me/purpose",
    operation_id="change_purpose",
    summary="Say what I read for from now on",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=False,
)
def change_purpose(data: s.PurposeChange, asker: Who) -> s.Done:
    """Raises UsageError where it is no purpose of this node, or no case of mine."""
    purposes = asker.access.settings.purposes
    if data.purpose not in purposes:
        raise UsageError(f"{data.purpose[:40]!r} is no purpose here: use one of {', '.join(purposes)}.")
    if data.case and data.case not in asker.observer.cases:
        raise UsageError(f"{data.case[:40]!r} is no case of yours: choose one that you are assigned to.")
    asker.session.purpose, asker.session.case = data.purpose, data.case
    return s.Done()


# -- what I prove myself with -----------------------------------------------------------------------


@post(
    "/me/authenticator",
    operation_id="begin_authenticator",
    summary="The seed of a new authenticator",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=False,
)
def begin_authenticator(
    request: Request[Any, Any, Any], data: s.AuthenticatorAsked, asker: Who, site: Here
) -> s.AuthenticatorOut:
    """It counts once a password is set with its code."""
    del data
    account = fresh(request, asker)
    seed = secrets.token_bytes(totp.SEED_BYTES)
    asker.session.seed = seed
    return s.AuthenticatorOut(secret=totp.base32(seed), address=totp.address(seed, account.login, site.node))


@post(
    "/me/password",
    operation_id="set_password",
    summary="Set my password and authenticator",
    status_code=200,
    tags=TAG,
    responses=documented(429, *CHANGING),
    sync_to_thread=True,
)
def set_password(request: Request[Any, Any, Any], data: s.PasswordNew, asker: Who) -> Response[s.Done]:
    """The session gets a new cookie; my other sessions end."""
    account, session = fresh(request, asker), asker.session
    if not session.seed:
        raise UsageError("There is no new authenticator yet: set one up first.")
    SignIn(asker.access).set_password(account, data.password, session.seed, data.code)
    session.seed = b""
    return _renewed(request, session)


@post(
    "/me/passkeys/options",
    operation_id="begin_new_passkey",
    summary="A challenge for a new passkey",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def begin_new_passkey(
    request: Request[Any, Any, Any], data: s.PasskeyAsked, asker: Who, site: Here
) -> s.Ceremony:
    """Raises UsageError where the address has no name."""
    del data
    account = fresh(request, asker)
    party = party_of(request.scope["state"]["host"])
    if not party:
        raise UsageError("A passkey needs a name in the address: open it as localhost or by its name.")
    challenge = secrets.token_bytes(32)
    known = [each.credential for each in asker.access.accounts.passkeys(account.id)]
    options = asker.access.passkeys.creation(party, account.id, account.login, account.name, known, challenge)
    ceremony = site.ceremonies.begin(
        "new passkey", (account.id, challenge), address=request.scope["state"]["address"]
    )
    return s.Ceremony(ceremony=ceremony, public_key=options)


@post(
    "/me/passkeys",
    operation_id="add_passkey",
    summary="Add a passkey",
    status_code=200,
    tags=TAG,
    responses=documented(429, *CHANGING),
    sync_to_thread=True,
)
def add_passkey(
    request: Request[Any, Any, Any], data: s.PasskeyNew, asker: Who, site: Here
) -> Response[s.Done]:
    """The session gets a new cookie; my other sessions end."""
    account, state = fresh(request, asker), request.scope["state"]
    begun = site.ceremonies.take("new passkey", data.ceremony)
    if begun is None or begun[0] != account.id:
        raise NotRecognised("This took too long, or was done already: begin anew.")
    made = asker.access.passkeys.created(
        data.credential,
        challenge=begun[1],
        rp_id=party_of(state["host"]),
        origin=f"{state['place'].scheme}://{state['host']}",
    )
    name = " ".join(data.name.split())
    if not name.isprintable():
        raise UsageError("The name of the device is no text: write another.")
    SignIn(asker.access).add_passkey(account, made, name)
    return _renewed(request, asker.session)


def _renewed(request: Request[Any, Any, Any], session: Session) -> Response[s.Done]:
    state = request.scope["state"]
    state["sessions"].end(*(e for e in state["sessions"].of_account(session.account) if e is not session))
    session.enrolling = False
    cookie = state["sessions"].renew(session)
    return Response(s.Done(), headers={"set-cookie": state["place"].cookie_header(cookie)}, status_code=200)


# -- where I am signed in ---------------------------------------------------------------------------


def session_out(session: Session, here: Session, now_s: float) -> s.SessionOut:
    """One sign-in as it is listed."""
    return s.SessionOut(
        id=session.id,
        began_us=session.began_us,
        idle_s=max(now_s - session.seen_s, 0.0),
        address=session.address,
        agent=session.agent,
        purpose=session.purpose,
        here=session is here,
    )


@get(
    "/me/sessions",
    operation_id="list_my_sessions",
    summary="Where I am signed in",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def list_sessions(request: Request[Any, Any, Any], asker: Who) -> s.MySessions:
    """Newest first."""
    sessions, here = request.scope["state"]["sessions"], asker.session
    mine = sessions.of_account(here.account) if here.account else [here]
    return s.MySessions(sessions=[session_out(each, here, sessions.clock()) for each in mine])


@post(
    "/me/sessions/{session_id:str}/revoke",
    operation_id="revoke_session",
    summary="End one of my sessions at once",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=False,
)
def revoke(request: Request[Any, Any, Any], session_id: SessionPath, data: s.CodeAsked, asker: Who) -> s.Done:
    """Its live push ends within a second. Raises NotFound where it is not mine."""
    del data
    sessions, here = request.scope["state"]["sessions"], asker.session
    mine = sessions.of_account(here.account) if here.account else [here]
    found = [each for each in mine if each.id == session_id]
    if not found:
        raise NotFound(f"You have no session {session_id}: look the list up again.")
    sessions.end(*found)
    return s.Done()


# -- what I was told --------------------------------------------------------------------------------


@get(
    "/me/notices",
    operation_id="list_notices",
    summary="What I was told of others: broken glass, changed accounts",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def list_notices(asker: Who) -> s.Notices:
    """Newest first."""
    found = asker.access.accounts.notices(asker.session.account) if asker.session.account else []
    return s.Notices(
        notices=[
            s.NoticeOut(
                id=each.id,
                kind=each.kind,
                about=each.about,
                text=each.text,
                at_us=each.at_us,
                seen=bool(each.seen_us),
            )
            for each in found
        ]
    )


@post(
    "/me/notices/{notice_id:str}/seen",
    operation_id="see_notice",
    summary="Say that I have seen a notice",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def see_notice(notice_id: NoticePath, data: s.CodeAsked, asker: Who) -> s.Done:
    """Raises NotFound where it is not mine."""
    del data
    asker.access.accounts.see_notice(asker.session.account, notice_id, asker.access.clock())
    return s.Done()


HANDLERS = [
    get_me,
    change_purpose,
    begin_authenticator,
    set_password,
    begin_new_passkey,
    add_passkey,
    list_sessions,
    revoke,
    list_notices,
    see_notice,
]
