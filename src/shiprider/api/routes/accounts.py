"""Running the node's accounts: for the node administrator, who sees no content."""

from typing import Annotated, Any, Final

from litestar import Request, get, post, put
from litestar.params import Parameter

from shiprider.api.asking import Who
from shiprider.api.authorising import Asker
from shiprider.api.failures import CHANGING, documented
from shiprider.api.routes.me import account_of, session_out
from shiprider.api.schemas import access as s
from shiprider.api.sessions import Sessions
from shiprider.flow.administering import Administering
from shiprider.model.account import ROLES, Account

TAG: Final = ["accounts"]

AccountPath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of an account.")]


def _administering(asker: Asker) -> Administering:
    return Administering(asker.access, account_of(asker), asker.session.id)


def _sessions(request: Request[Any, Any, Any]) -> Sessions:
    sessions: Sessions = request.scope["state"]["sessions"]
    return sessions


def _out(asker: Asker, account: Account, sessions: Sessions) -> s.AccountOut:
    accounts = asker.access.accounts
    secrets = accounts.secrets(account.id)
    code = bool(secrets.code) and secrets.code_until_us > asker.access.clock()
    held = (
        ("password", bool(secrets.password)),
        ("passkey", bool(accounts.passkeys(account.id))),
        ("code", code),
        ("provider", bool(account.issuer)),
    )
    ways: Any = [name for name, there in held if there]
    return s.AccountOut(
        id=account.id,
        login=account.login,
        name=account.name,
        roles=list(account.roles),
        nation=account.nation,
        organisation=account.organisation,
        communities=list(account.communities),
        clearance=account.clearance,
        cases=list(account.cases),
        disabled=account.disabled,
        issuer=account.issuer,
        revision=account.revision,
        made_us=account.made_us,
        ways=ways,
        sessions=len(sessions.of_account(account.id)),
    )


@get(
    "/accounts",
    operation_id="list_accounts",
    summary="Everybody, by name",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_accounts(request: Request[Any, Any, Any], asker: Who) -> s.Accounts:
    """Disabled ones too."""
    listed = asker.access.accounts.all()
    return s.Accounts(accounts=[_out(asker, each, _sessions(request)) for each in listed], roles=list(ROLES))


@post(
    "/accounts",
    operation_id="make_account",
    summary="Make somebody known, with a one-time code",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def make_account(request: Request[Any, Any, Any], data: s.AccountNew, asker: Who) -> s.AccountMade:
    """The code is shown this once."""
    wanted = Account(
        id="",
        login=data.login.strip(),
        name=" ".join(data.name.split()),
        roles=tuple(dict.fromkeys(data.roles)),
        nation=data.nation,
        organisation=data.organisation,
        communities=tuple(data.communities),
        clearance=data.clearance,
        cases=tuple(data.cases),
    )
    account, code = _administering(asker).make(wanted)
    return s.AccountMade(account=_out(asker, account, _sessions(request)), code=code)


@put(
    "/accounts/{account_id:str}",
    operation_id="change_account",
    summary="Change roles and attributes, disable",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def change_account(
    request: Request[Any, Any, Any], account_id: AccountPath, data: s.AccountChange, asker: Who
) -> s.AccountOut:
    """All sessions of the account end at once."""
    changed = _administering(asker).change(
        account_id,
        data.expected_revision,
        roles=tuple(dict.fromkeys(data.roles)),
        nation=data.nation,
        organisation=data.organisation,
        communities=tuple(data.communities),
        clearance=data.clearance,
        cases=tuple(data.cases),
        disabled=data.disabled,
    )
    _sign_out(request, changed.id)
    return _out(asker, changed, _sessions(request))


@post(
    "/accounts/{account_id:str}/code",
    operation_id="renew_code",
    summary="A new one-time code; what the account had is forgotten",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def renew_code(
    request: Request[Any, Any, Any], account_id: AccountPath, data: s.CodeAsked, asker: Who
) -> s.AccountMade:
    """The code is shown this once; all sessions of the account end at once."""
    del data
    administering = _administering(asker)
    code = administering.new_code(account_id)
    _sign_out(request, account_id)
    account = administering.one(account_id)
    return s.AccountMade(account=_out(asker, account, _sessions(request)), code=code)


@get(
    "/accounts/{account_id:str}/sessions",
    operation_id="list_sessions_of",
    summary="Where somebody is signed in",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=False,
)
def list_sessions(request: Request[Any, Any, Any], account_id: AccountPath, asker: Who) -> s.MySessions:
    """Newest first. Raises NotFound."""
    account = _administering(asker).one(account_id)
    sessions = _sessions(request)
    listed = [session_out(each, asker.session, sessions.clock()) for each in sessions.of_account(account.id)]
    return s.MySessions(sessions=listed)


@post(
    "/accounts/{account_id:str}/sign-out",
    operation_id="sign_out_account",
    summary="End every session of somebody at once",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=False,
)
def sign_out(
    request: Request[Any, Any, Any], account_id: AccountPath, data: s.CodeAsked, asker: Who
) -> s.Done:
    """Their live pushes end within a second. Raises NotFound."""
    del data
    _sign_out(request, _administering(asker).one(account_id).id)
    return s.Done()


def _sign_out(request: Request[Any, Any, Any], account_id: str) -> None:
    sessions = _sessions(request)
    sessions.end(*sessions.of_account(account_id))


HANDLERS = [list_accounts, make_account, change_account, renew_code, list_sessions, sign_out]
