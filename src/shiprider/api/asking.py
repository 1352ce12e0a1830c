"""What a route is given about who asks: language, view, name; and the query parameters many routes share.

Always true: a route reads through the `Rendering` of the person who asks; a route that changes something
asks for `author`, and gets it only from somebody who has said his name.
"""

from typing import Annotated, Any, Final, Literal

from litestar import Request
from litestar.datastructures import State
from litestar.params import Dependency, Parameter

from shiprider.api.authorising import Asker
from shiprider.api.rendering import Rendering
from shiprider.api.site import Site
from shiprider.api.words import language_of
from shiprider.api.working_rendering import WorkingRendering, read_in
from shiprider.flow.holding import Holding
from shiprider.flow.picture import Box
from shiprider.flow.review import Review
from shiprider.flow.working.pen import Pen
from shiprider.model.errors import Forbidden, UsageError
from shiprider.model.wording import MessageLanguage

#: Largest value of a time or an address: what a JSON number carries exactly.
MOST_INTEGER: Final = 2**53 - 1

Language = Annotated[
    Literal["en", "es"] | None,
    Parameter(query="lang", description="Language of words in the answer; else Accept-Language decides."),
]
TimeAt = Annotated[int, Parameter(ge=0, le=MOST_INTEGER, description="Microseconds since 1970 UTC.")]
TimeOf = Annotated[int | None, Parameter(ge=0, le=MOST_INTEGER, description="Microseconds since 1970 UTC.")]
Limit = Annotated[int, Parameter(ge=1, le=1000, description="Most items of one page.")]
Cursor = Annotated[str, Parameter(max_length=120, description="`next_cursor` of the page before.")]
BoxText = Annotated[
    str | None,
    Parameter(
        max_length=120,
        description="west,south,east,north in degrees; west > east crosses the 180th meridian.",
    ),
]
RecordPath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a record, 32 hex digits.")]
Mmsi = Annotated[int, Parameter(ge=0, le=999_999_999)]


#: What routes are given; made by us, so nothing is to be checked.
Asked = Annotated[Rendering, Dependency(skip_validation=True)]
Here = Annotated[Site, Dependency(skip_validation=True)]
Who = Annotated[Asker, Dependency(skip_validation=True)]
Held = Annotated[Holding, Dependency(skip_validation=True)]


Telling = Annotated[WorkingRendering, Dependency(skip_validation=True)]
Written = Annotated[Pen, Dependency(skip_validation=True)]
WordsIn = Annotated[
    MessageLanguage | None,
    Parameter(query="words", description="Language of fixed messages; else that of the answer's words."),
]


def provide_site(state: State) -> Site:
    """The node."""
    site: Site = state.site
    return site


def provide_rendering(request: Request[Any, Any, Any], state: State, lang: Language = None) -> Rendering:
    """The view of who asks, in his language."""
    site: Site = state.site
    asker: Asker = request.scope["state"]["asker"]
    language = language_of(lang, request.headers.get("accept-language"), site.language)
    return Rendering(site.view(asker.observer), language)


def provide_asker(request: Request[Any, Any, Any]) -> Asker:
    """Who asks. The guard let him pass, so there is a session."""
    asker: Asker = request.scope["state"]["asker"]
    return asker


def provide_holding(request: Request[Any, Any, Any]) -> Holding:
    """What who asks may do to what others hold or wrote."""
    asker: Asker = request.scope["state"]["asker"]
    return asker.holding


def provide_author(request: Request[Any, Any, Any]) -> str:
    """Who decides. Raises Forbidden where nobody has said his name."""
    officer: str = request.scope["state"]["asker"].session.name
    if not officer:
        raise Forbidden(
            "A decision needs the name of the person who makes it: say who you are (PUT /api/v1/session)."
        )
    return officer


def provide_review(request: Request[Any, Any, Any], state: State) -> Review:
    """Where the decisions of who asks go: he changes only what he sees and may change."""
    site: Site = state.site
    asker: Asker = request.scope["state"]["asker"]
    return site.review.seen_by(site.view(asker.observer))


def provide_telling(
    request: Request[Any, Any, Any], state: State, lang: Language = None, words: WordsIn = None
) -> WorkingRendering:
    """What nodes tell each other, as who asks sees it."""
    rendering = provide_rendering(request, state, lang)
    return WorkingRendering(rendering, words or read_in(rendering.language))


def provide_written(request: Request[Any, Any, Any], state: State) -> Pen:
    """What who asks writes with where partners are to read it."""
    return provide_review(request, state).pen()


def box_of(text: str | None) -> Box | None:
    """A box from its text. Raises UsageError."""
    if text is None:
        return None
    try:
        edges = tuple(float(part) for part in text.split(","))
    except ValueError:
        edges = ()
    if len(edges) != 4 or not all(-180 <= edge <= 180 for edge in edges):
        raise UsageError(f"bbox is {text[:60]!r}: give west,south,east,north in degrees.")
    west, south, east, north = edges
    if not -90 <= south <= north <= 90:
        raise UsageError(f"bbox is {text[:60]!r}: south must not lie north of north, both within -90 to 90.")
    return west, south, east, north


def choices(text: str | None, allowed: tuple[str, ...] | None, name: str) -> tuple[str, ...]:
    """A comma list. Raises UsageError where a part is not allowed."""
    parts = tuple(part for part in (text or "").split(",") if part)
    wrong = [part for part in parts if allowed is not None and part not in allowed]
    if wrong:
        raise UsageError(f"{name} is {wrong[0][:40]!r}: use {', '.join(allowed or ())}.")
    return parts


def in_box(latitude_deg: float, longitude_deg: float, box: Box | None) -> bool:
    """Whether a place lies within."""
    if box is None:
        return True
    west, south, east, north = box
    across = west <= longitude_deg <= east if west <= east else not east < longitude_deg < west
    return south <= latitude_deg <= north and across
