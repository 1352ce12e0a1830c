"""Who sits here, the status line, how things are shown."""

from typing import Any

from litestar import Request, Response, get, post, put

from shiprider import __version__
from shiprider.api.asking import Asked, Here, Who
from shiprider.api.authorising import Asker
from shiprider.api.failures import CHANGING, documented
from shiprider.api.permissions import TABLE, permissions_of
from shiprider.api.rendering import Rendering
from shiprider.api.schemas.access import CodeAsked, Done
from shiprider.api.schemas.session import Session, SessionChange, SessionToken, SettingsChange, SettingsOut
from shiprider.api.schemas.status import Status
from shiprider.api.site import Site
from shiprider.api.words import language_of
from shiprider.flow.review import Review
from shiprider.model.errors import Forbidden
from shiprider.model.orders import Preferences

TAG = ["session"]
LIVE = TABLE["WS", "/api/v1/live"]


def _session(rendering: Rendering, site: Site, asker: Asker | None) -> Session:
    language: Any = rendering.language
    session = asker.session if asker is not None else None
    return Session(
        officer=session.name if session else "",
        language=language,
        node=site.node,
        version=__version__,
        kind=session.kind if session else "demo",
        enrolling=bool(session and session.enrolling),
        purpose=session.purpose if session else "",
        permissions=[str(each) for each in permissions_of(asker.roles)]
        if asker is not None and not asker.session.enrolling
        else [],
        live=bool(asker and asker.may(LIVE)),
    )


@post(
    "/session",
    operation_id="begin_session",
    summary="Exchange the start-up token for a session cookie, in a demonstration",
    status_code=200,
    tags=TAG,
    responses=documented(413, 415),
    sync_to_thread=False,
)
def begin_session(request: Request[Any, Any, Any], data: SessionToken, site: Here) -> Response[Session]:
    """Raises Forbidden where the token is wrong, or people sign in with accounts."""
    state = request.scope["state"]
    if not state["demo"]:
        raise Forbidden("This node knows its people: sign in with your account.")
    cookie = state["sessions"].begin(
        data.token,
        purpose=site.access.settings.purposes[0],
        address=state["address"],
        agent=state["agent"],
    )
    if cookie is None:
        raise Forbidden("This is not the token: open the start-up URL that the node printed.")
    asker = Asker(site.access, state["sessions"].of(cookie))
    language = language_of(None, request.headers.get("accept-language"), site.language)
    rendering = Rendering(site.view(asker.observer), language)
    begun = _session(rendering, site, asker)
    return Response(begun, headers={"set-cookie": state["place"].cookie_header(cookie)})


@get(
    "/session",
    operation_id="get_session",
    summary="Who sits here",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def get_session(asker: Who, rendering: Asked, site: Here) -> Session:
    """The session of who asks."""
    return _session(rendering, site, asker)


@put(
    "/session",
    operation_id="say_who",
    summary="Say who you are, where no account says it",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=False,
)
def say_who(data: SessionChange, asker: Who, rendering: Asked, site: Here) -> Session:
    """Decisions from now on carry this name. Raises Forbidden where it is an account's."""
    name = " ".join(data.officer.split())
    if not name or not name.isprintable():
        raise Forbidden("A name is made of letters: write yours.")
    if asker.session.kind == "account":
        raise Forbidden("Your decisions carry the name of your account: it cannot be another one.")
    if site.access.accounts.find(name=name) is not None:
        raise Forbidden(f"{name} has an account here: sign in with it.")
    asker.session.name = name
    return _session(rendering, site, asker)


@post(
    "/sign-out",
    operation_id="sign_out",
    summary="End this session",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=False,
)
def sign_out(request: Request[Any, Any, Any], data: CodeAsked, asker: Who) -> Response[Done]:
    """The browser forgets its cookie, the node the session."""
    del data
    state = request.scope["state"]
    state["sessions"].end(asker.session)
    return Response(Done(), headers={"set-cookie": state["place"].cookie_header("", age_s=0)})


@get(
    "/status",
    operation_id="get_status",
    summary="The status line: feeds, lag, disk, counts",
    tags=["node"],
    responses=documented(),
    sync_to_thread=True,
)
def get_status(rendering: Asked, site: Here) -> Status:
    """Also whether simulated data is among what is shown."""
    return rendering.status(site)


def _settings(rendering: Rendering) -> SettingsOut:
    found = rendering.view.preferences()
    body = found.body if found else Preferences(language="es" if rendering.language == "es" else "en")
    return SettingsOut(
        revision=found.record.revision if found else 0,
        **{name: getattr(body, name) for name in Preferences.__struct_fields__},
    )


@get(
    "/settings",
    operation_id="get_settings",
    summary="How things are shown",
    tags=["node"],
    responses=documented(),
    sync_to_thread=True,
)
def get_settings(rendering: Asked) -> SettingsOut:
    """Revision 0 where nobody has changed anything."""
    return _settings(rendering)


@put(
    "/settings",
    operation_id="change_settings",
    summary="Change how things are shown",
    tags=["node"],
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def change_settings(data: SettingsChange, rendering: Asked, review: Review, author: str) -> SettingsOut:
    """Raises Conflict where somebody changed them in the meantime."""
    body = Preferences(**{name: getattr(data, name) for name in Preferences.__struct_fields__})
    review.preferences(body, data.expected_revision, author=author)
    return _settings(rendering)


HANDLERS = [begin_session, get_session, say_who, sign_out, get_status, get_settings, change_settings]
