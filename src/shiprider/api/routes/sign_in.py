"""Coming in: by password and authenticator, by passkey, by a one-time code."""

import ipaddress
import secrets
from typing import Any, Final

from litestar import Request, Response, get, post

from shiprider.api.asking import Here
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import access as s
from shiprider.api.site import Site
from shiprider.flow.sign_in import SignIn
from shiprider.model.account import Account
from shiprider.model.errors import NotRecognised

TAG: Final = ["sign-in"]
_EXPIRED: Final = "This took too long, or was done already: begin anew."


def party_of(host: str) -> str:
    """The party of a passkey: the name in the address; "" where it is a number (WebAuthn 5.1.2)."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name
    return ""


def enter(
    request: Request[Any, Any, Any], site: Site, account: Account, purpose: str, *, enrolling: bool = False
) -> Response[s.Done]:
    """A new session for somebody who proved himself: whatever cookie he came with opens nothing of it."""
    state = request.scope["state"]
    known = purpose if purpose in site.access.settings.purposes else ""
    old = state["asker"]
    if old is not None and old.session.kind != "program":
        state["sessions"].end(old.session)
    cookie = state["sessions"].begin_for(
        account, enrolling=enrolling, purpose=known, address=state["address"], agent=state["agent"]
    )
    return Response(s.Done(), headers={"set-cookie": state["place"].cookie_header(cookie)}, status_code=200)


@get(
    "/sign-in",
    operation_id="get_sign_in_ways",
    summary="How one can sign in here",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def get_ways(request: Request[Any, Any, Any], site: Here) -> s.SignInWays:
    """Answered to everybody: it says nothing of anybody."""
    language: Any = site.language
    return s.SignInWays(
        node=site.node,
        language=language,
        demo=bool(request.scope["state"]["demo"]),
        passkeys=bool(party_of(request.scope["state"]["host"])),
        providers=[
            s.ProviderOut(name=each.name, title=each.title or each.name)
            for each in site.access.settings.providers
        ],
        purposes=list(site.access.settings.purposes),
    )


@post(
    "/sign-in/password",
    operation_id="sign_in_with_password",
    summary="Sign in with password and authenticator",
    status_code=200,
    tags=TAG,
    responses=documented(429, *CHANGING),
    sync_to_thread=True,
)
def with_password(request: Request[Any, Any, Any], data: s.PasswordIn, site: Here) -> Response[s.Done]:
    """Which part was wrong is never said."""
    address = request.scope["state"]["address"]
    account = SignIn(site.access).with_password(data.login, data.password, data.code, address)
    return enter(request, site, account, data.purpose)


@post(
    "/sign-in/code",
    operation_id="sign_in_with_code",
    summary="Sign in for the first time, with a one-time code",
    status_code=200,
    tags=TAG,
    responses=documented(429, *CHANGING),
    sync_to_thread=True,
)
def with_code(request: Request[Any, Any, Any], data: s.CodeIn, site: Here) -> Response[s.Done]:
    """The session is good for making a password or a passkey, and for nothing else."""
    account = SignIn(site.access).with_code(data.login, data.code, request.scope["state"]["address"])
    return enter(request, site, account, "", enrolling=True)


@post(
    "/sign-in/passkey/options",
    operation_id="begin_passkey",
    summary="A challenge for a passkey",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=False,
)
def begin_passkey(request: Request[Any, Any, Any], data: s.PasskeyAsked, site: Here) -> s.Ceremony:
    """Whoever asks gets one: the device knows whose key it has."""
    del data
    party = party_of(request.scope["state"]["host"])
    if not party:
        raise NotRecognised("A passkey needs a name in the address: open it as localhost or by its name.")
    challenge = secrets.token_bytes(32)
    ceremony = site.ceremonies.begin("passkey", challenge, address=request.scope["state"]["address"])
    return s.Ceremony(ceremony=ceremony, public_key=site.access.passkeys.request(party, challenge))


@post(
    "/sign-in/passkey",
    operation_id="sign_in_with_passkey",
    summary="Sign in with a passkey",
    status_code=200,
    tags=TAG,
    responses=documented(429, *CHANGING),
    sync_to_thread=True,
)
def with_passkey(request: Request[Any, Any, Any], data: s.PasskeyIn, site: Here) -> Response[s.Done]:
    """The challenge is good once."""
    state = request.scope["state"]
    challenge = site.ceremonies.take("passkey", data.ceremony)
    if challenge is None:
        raise NotRecognised(_EXPIRED)
    account = SignIn(site.access).with_passkey(
        data.credential,
        state["address"],
        challenge=challenge,
        rp_id=party_of(state["host"]),
        origin=f"{state['place'].scheme}://{state['host']}",
    )
    return enter(request, site, account, data.purpose)


HANDLERS = [get_ways, with_password, with_code, begin_passkey, with_passkey]
