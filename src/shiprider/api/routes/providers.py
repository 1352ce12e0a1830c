"""Coming in through an organisation's provider: out to it, and back (OpenID Connect, authorization code with PKCE)."""

import logging
import secrets
from typing import Annotated, Any, Final
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import Parameter

from shiprider.api.routes.sign_in import enter
from shiprider.api.site import Site
from shiprider.flow.sign_in import SignIn
from shiprider.model.errors import NotFound, ShipriderError
from shiprider.ports.identity import Asking

_log = logging.getLogger("shiprider.api")

#: Bound to one browser. `Lax`: the provider sends the person back from another site.
COOKIE: Final = "shiprider_provider"
_BACK: Final = "/sign-in/return"

Short = Annotated[str, Parameter(max_length=2048)]


def _cookie_name(request: Request[Any, Any, Any]) -> str:
    return f"__Host-{COOKIE}" if request.scope["state"]["place"].tls else COOKIE


def _redirect(request: Request[Any, Any, Any]) -> str:
    state = request.scope["state"]
    return f"{state['place'].scheme}://{state['host']}{_BACK}"


@get("/sign-in/with/{provider:str}", include_in_schema=False, sync_to_thread=True)
def leave(request: Request[Any, Any, Any], state: State, provider: str) -> Response[bytes]:
    """To the provider; what comes back must bring what is remembered here. Raises NotFound, Forbidden."""
    site: Site = state.site
    found = site.access.providers.get(provider)
    if found is None:
        raise NotFound("There is no such provider: choose one of the sign-in page.")
    asking = Asking(
        provider=provider,
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
    )
    address = found.address(asking, _redirect(request))
    browser = secrets.token_urlsafe(24)
    address_of = request.scope["state"]["address"]
    site.ceremonies.begin("provider", (asking, browser), asking.state, address=address_of)
    cookie = request.scope["state"]["place"].cookie_header(
        browser, name=_cookie_name(request), same_site="Lax", age_s=300
    )
    return Response(b"", status_code=303, headers={"location": address, "set-cookie": cookie})


@get(_BACK, include_in_schema=False, sync_to_thread=True)
def come_back(
    request: Request[Any, Any, Any],
    state: State,
    code: Short = "",
    back: Annotated[str, Parameter(query="state", max_length=200)] = "",
) -> Response[bytes]:
    """From the provider: the page again, signed in or told why not."""
    site: Site = state.site
    begun = site.ceremonies.take("provider", back)
    given = request.cookies.get(_cookie_name(request), "")
    if begun is None or not code or not secrets.compare_digest(given.encode(), begun[1].encode()):
        return _told("expired")
    asking: Asking = begun[0]
    provider = next(each for each in site.access.settings.providers if each.name == asking.provider)
    try:
        claims = site.access.providers[asking.provider].claims(asking, code, _redirect(request))
        account = SignIn(site.access).with_claims(provider, claims, request.scope["state"]["address"])
    except ShipriderError as error:
        # The person is told that, the operator why.
        _log.warning("sign-in by provider %s refused: %s", asking.provider, error)
        return _told("refused")
    entered = enter(request, site, account, "")
    return Response(
        b"", status_code=303, headers={"location": "/", "set-cookie": entered.headers["set-cookie"]}
    )


def _told(reason: str) -> Response[bytes]:
    return Response(b"", status_code=303, headers={"location": f"/?sign_in={quote(reason)}"})


HANDLERS = [leave, come_back]
