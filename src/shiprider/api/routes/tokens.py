"""Tokens of my programs: what they show instead of me to exchange with other software."""

from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.params import Parameter

from shiprider.api.asking import Who
from shiprider.api.failures import CHANGING, documented
from shiprider.api.routes.me import account_of, fresh
from shiprider.api.schemas import interchange as s
from shiprider.api.schemas.access import CodeAsked, Done
from shiprider.flow import api_tokens
from shiprider.model.account import ApiToken

TAG: Final = ["me"]

TokenPath = Annotated[str, Parameter(pattern="^[0-9a-f]{16}$", description="Id of a token.")]


def _out(token: ApiToken, now_us: int) -> s.TokenOut:
    return s.TokenOut(
        id=token.id,
        name=token.name,
        purpose=token.purpose,
        case=token.case,
        made_us=token.made_us,
        until_us=token.until_us,
        over=now_us >= token.until_us,
    )


@get(
    "/me/tokens",
    operation_id="list_my_tokens",
    summary="The tokens of my programs",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def list_tokens(asker: Who) -> s.Tokens:
    """Newest first; without their secrets, which are kept nowhere."""
    now_us, account = asker.access.clock(), asker.session.account
    found = asker.access.accounts.tokens(account) if account else []
    return s.Tokens(tokens=[_out(each, now_us) for each in found])


@post(
    "/me/tokens",
    operation_id="make_token",
    summary="Make a token for a program of mine",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def make(request: Request[Any, Any, Any], data: s.TokenNew, asker: Who) -> s.TokenMade:
    """The secret is shown this once. Raises Forbidden where I signed in a while ago, or have no account."""
    account = fresh(request, asker)
    token, secret = api_tokens.make(
        asker.access, account, data.name, data.purpose, data.days, case=data.case, session=asker.session.id
    )
    return s.TokenMade(token=_out(token, asker.access.clock()), secret=secret)


@post(
    "/me/tokens/{token_id:str}/revoke",
    operation_id="revoke_token",
    summary="A token of mine opens nothing any more",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def revoke(token_id: TokenPath, data: CodeAsked, asker: Who) -> Done:
    """At once. Raises NotFound where it is not mine."""
    del data
    api_tokens.revoke(asker.access, account_of(asker), token_id, session=asker.session.id)
    return Done()


HANDLERS = [list_tokens, make, revoke]
