"""Who sits here, the status line, how things are shown."""

from typing import Any

from litestar import Request, Response, get, post, put

from shiprider import __version__
from shiprider.api import schemas as s
from shiprider.api.asking import Asked, Here
from shiprider.api.failures import CHANGING, documented
from shiprider.api.gate import cookie_header
from shiprider.api.rendering import Rendering
from shiprider.api.site import Site
from shiprider.flow.review import Review
from shiprider.model.errors import Forbidden
from shiprider.model.orders import Preferences

TAG = ["session"]


def _session(rendering: Rendering, site: Site, officer: str) -> s.Session:
    language: Any = rendering.language
    return s.Session(officer=officer, language=language, node=site.node, version=__version__)


@post(
    "/session",
    operation_id="begin_session",
    summary="Exchange the start-up token for a session cookie",
    status_code=200,
    tags=TAG,
    responses=documented(413, 415),
    sync_to_thread=False,
)
def begin_session(
    request: Request[Any, Any, Any], data: s.SessionToken, rendering: Asked, site: Here
) -> Response[s.Session]:
    """Raises Forbidden where the token is wrong."""
    cookie = request.scope["state"]["sessions"].begin(data.token)
    if cookie is None:
        raise Forbidden("This is not the token: open the start-up URL that the node printed.")
    return Response(_session(rendering, site, ""), headers={"set-cookie": cookie_header(cookie)})


@get(
    "/session",
    operation_id="get_session",
    summary="Who sits here",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def get_session(request: Request[Any, Any, Any], rendering: Asked, site: Here) -> s.Session:
    """The session of who asks."""
    return _session(rendering, site, request.scope["state"]["person"].officer)


@put(
    "/session",
    operation_id="say_who",
    summary="Say who you are",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=False,
)
def say_who(
    request: Request[Any, Any, Any], data: s.SessionChange, rendering: Asked, site: Here
) -> s.Session:
    """Decisions from now on carry this name."""
    name = " ".join(data.officer.split())
    if not name or not name.isprintable():
        raise Forbidden("A name is made of letters: write yours.")
    person = request.scope["state"]["person"]
    person.officer = name
    return _session(rendering, site, name)


@get(
    "/status",
    operation_id="get_status",
    summary="The status line: feeds, lag, disk, counts",
    tags=["node"],
    responses=documented(),
    sync_to_thread=True,
)
def get_status(rendering: Asked, site: Here) -> s.Status:
    """Also whether simulated data is among what is shown."""
    return rendering.status(site)


def _settings(rendering: Rendering) -> s.SettingsOut:
    found = rendering.view.preferences()
    body = found.body if found else Preferences(language="es" if rendering.language == "es" else "en")
    return s.SettingsOut(
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
def get_settings(rendering: Asked) -> s.SettingsOut:
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
def change_settings(data: s.SettingsChange, rendering: Asked, review: Review, author: str) -> s.SettingsOut:
    """Raises Conflict where somebody changed them in the meantime."""
    body = Preferences(**{name: getattr(data, name) for name in Preferences.__struct_fields__})
    review.preferences(body, data.expected_revision, author=author)
    return _settings(rendering)


HANDLERS = [begin_session, get_session, say_who, get_status, get_settings, change_settings]
