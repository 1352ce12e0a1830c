"""The application: routes, their description, the built web client, and the gate around all of it.

Always true: nothing is served that did not pass the gate; an unknown path of the page gives the page
(its URLs are states of the page), an unknown path of the API gives an error.
"""

import mimetypes
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath

from shiprider import __version__
from shiprider.api import asking
from shiprider.api.authorising import authorise
from shiprider.api.failures import HANDLERS
from shiprider.api.gate import ASGIApp, Gate
from shiprider.api.permissions import BODY_BYTES, check_complete
from shiprider.api.place import Place
from shiprider.api.recording import recorded
from shiprider.api.routes import (
    accounts,
    alerts,
    audit,
    break_glass,
    cases,
    interchange,
    keys,
    labels,
    live,
    logbook,
    me,
    node,
    orders,
    partners,
    policies,
    providers,
    requests,
    session,
    sign_in,
    taxii,
    tear_lines,
    tokens,
    vessels,
)
from shiprider.api.schemas.catalogue import words_of
from shiprider.api.sessions import COOKIE, Sessions
from shiprider.api.site import Site
from shiprider.api.tokens import is_api

_NO_PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=color-scheme content=dark><title>Shiprider</title>"
    "<body style='font:15px/1.5 system-ui,sans-serif;max-width:40em;margin:12vh auto;padding:0 1em'><h1>Shiprider</h1>"
    "<p>The watch floor's page is not built: run <code>make web</code> and load this page again. "
    "The API runs: <a href=/api/v1/openapi.json>/api/v1/openapi.json</a>.</p>"
    "<p lang=es>La página no está construida: ejecute <code>make web</code> y recargue.</p>"
)

#: Files whose name carries a hash of their content never change.
_FOR_EVER: Final = "private, max-age=31536000, immutable"


_SUBJECTS: Final = (
    session,
    sign_in,
    me,
    break_glass,
    accounts,
    alerts,
    vessels,
    orders,
    logbook,
    node,
    audit,
    policies,
    tear_lines,
    labels,
    keys,
    partners,
    requests,
    cases,
    interchange,
    tokens,
)


#: What every handler can ask for.
_GIVEN: Final = {
    "site": Provide(asking.provide_site, sync_to_thread=False),
    "rendering": Provide(asking.provide_rendering, sync_to_thread=False),
    "author": Provide(asking.provide_author, sync_to_thread=False),
    "review": Provide(asking.provide_review, sync_to_thread=False),
    "asker": Provide(asking.provide_asker, sync_to_thread=False),
    "holding": Provide(asking.provide_holding, sync_to_thread=False),
    "telling": Provide(asking.provide_telling, sync_to_thread=False),
    "written": Provide(asking.provide_written, sync_to_thread=False),
}


def static_folder() -> Path:
    """Where the web build puts the page."""
    return Path(str(files("shiprider.api"))) / "static"


def _pages(folder: Path) -> list[Any]:
    root = folder.resolve()

    @get("/", include_in_schema=False)
    async def home() -> Response[bytes]:
        """The client's page."""
        return _file(root, "")

    @get("/{path:path}", include_in_schema=False)
    async def page(path: FromPath[str]) -> Response[bytes]:
        """A file of the built client, or its page."""
        return _file(root, path)

    return [home, page]


def _file(root: Path, path: str) -> Response[bytes]:
    if is_api(f"/{path.lstrip('/')}") or not path.isprintable():
        raise NotFoundException
    try:
        wanted = (root / path.lstrip("/")).resolve()
        found = bool(path.strip("/")) and wanted.is_relative_to(root) and wanted.is_file()
    except OSError:
        # Longer than any name of a file can be.
        raise NotFoundException from None
    if found:
        kind = mimetypes.guess_type(wanted.name)[0] or "application/octet-stream"
        cache = _FOR_EVER if "assets" in wanted.relative_to(root).parts[:-1] else "no-cache"
        return Response(wanted.read_bytes(), media_type=kind, headers={"cache-control": cache})
    if "." in Path(path).name:
        raise NotFoundException
    index = root / "index.html"
    content = index.read_bytes() if index.is_file() else _NO_PAGE.encode()
    return Response(content, media_type="text/html; charset=utf-8", headers={"cache-control": "no-cache"})


def make_app(site: Site, *, token: str, place: Place, static: Path | None = None) -> ASGIApp:
    """The application as it listens at `place`; `token` is that of the start-up URL."""
    application: Any = make_litestar(site, static)
    limits = site.access.settings
    sessions = Sessions(token, idle_s=limits.idle_min * 60, longest_s=limits.session_h * 3600)
    return Gate(recorded(application, site.access), site.access, sessions, place, demo=limits.demo)


def make_litestar(site: Site | None, static: Path | None = None) -> Litestar:
    """The application within the gate; without a site only its description can be asked for."""
    api = Router(
        "/api/v1",
        route_handlers=[
            *(each for subject in _SUBJECTS for each in subject.HANDLERS),
            *live.HANDLERS,
            openapi,
        ],
        dependencies=_GIVEN,
    )
    application = Litestar(
        [
            api,
            Router("/taxii2", route_handlers=taxii.HANDLERS, dependencies=_GIVEN),
            *providers.HANDLERS,
            *_pages(static if static is not None else static_folder()),
        ],
        state=State({"site": site}),
        exception_handlers=HANDLERS,
        request_max_body_size=BODY_BYTES,
        openapi_config=description(),
        logging_config=None,
        debug=False,
        guards=[authorise],
    )
    check_complete(application)
    return application


@get("/openapi.json", include_in_schema=False, media_type="application/json", sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The description of the API."""
    return Response(described(request.app))


def described(application: Litestar) -> dict[str, Any]:
    """The description, with the words of each schema: those of its class."""
    found = application.openapi_schema.to_schema()
    for name, schema in found["components"]["schemas"].items():
        words = words_of(name)
        if words and not schema.get("description"):
            schema["description"] = words
    return found


def description() -> OpenAPIConfig:
    """The head of the OpenAPI description."""
    return OpenAPIConfig(
        title="Shiprider",
        version=__version__,
        description=(
            "The watch floor of one node. Times are microseconds since 1970 UTC, positions degrees, speeds "
            "metres per second. The live push (WebSocket /api/v1/live) is described in docs/api.md."
        ),
        path="/api/v1/description",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        create_examples=False,
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie"),
                "token": SecurityScheme(type="http", scheme="bearer"),
            }
        ),
        security=[{"session": []}, {"token": []}],
    )
