"""Standing orders: areas, watchlists, legal holds."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import get, post

from shiprider.api.asking import Asked, Held
from shiprider.api.failures import CHANGING, documented
from shiprider.api.permissions import WATCHLIST_BYTES
from shiprider.api.schemas import orders as s
from shiprider.flow.holding import Holding
from shiprider.flow.review import Review
from shiprider.flow.view import Seen
from shiprider.model.errors import NotFound
from shiprider.model.orders import LegalHold, WatchedArea, Watchlist, WatchlistEntry

TAG: Final = ["orders"]


@get(
    "/areas",
    operation_id="list_areas",
    summary="Watched areas",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_areas(rendering: Asked) -> s.Areas:
    """All, ended ones too."""
    found = rendering.view.areas()
    return s.Areas(
        areas=[rendering.area(item) for item in found],
        marking=rendering.marking(*(item.record.label for item in found)),
    )


@post(
    "/areas",
    operation_id="write_area",
    summary="Draw or change an area",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def write_area(data: s.AreaNew, rendering: Asked, review: Review, holding: Held, author: str) -> s.AreaOut:
    """With `id` and `expected_revision` it is a change."""
    _check(holding, "area", data.id, rendering.view.areas())
    body = WatchedArea(name=data.name, ring=tuple(data.ring), text=data.text, active=data.active)
    return rendering.area(
        review.area(body, author=author, area_id=data.id or "", expected_revision=data.expected_revision)
    )


@get(
    "/watchlists",
    operation_id="list_watchlists",
    summary="Watchlists",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_watchlists(rendering: Asked) -> s.Watchlists:
    """All, ended ones too."""
    found = rendering.view.watchlists()
    return s.Watchlists(
        watchlists=[rendering.watchlist(item) for item in found],
        marking=rendering.marking(*(item.record.label for item in found)),
    )


@post(
    "/watchlists",
    operation_id="write_watchlist",
    summary="Make or change a watchlist",
    request_max_body_size=WATCHLIST_BYTES,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def write_watchlist(
    data: s.WatchlistNew, rendering: Asked, review: Review, holding: Held, author: str
) -> s.WatchlistOut:
    """With `id` and `expected_revision` it is a change."""
    _check(holding, "watchlist", data.id, rendering.view.watchlists())
    entries = tuple(
        WatchlistEntry(**{name: getattr(entry, name) for name in WatchlistEntry.__struct_fields__})
        for entry in data.entries
    )
    body = Watchlist(name=data.name, entries=entries, source=data.source, active=data.active)
    return rendering.watchlist(
        review.watchlist(body, author=author, list_id=data.id or "", expected_revision=data.expected_revision)
    )


@get(
    "/legal-holds",
    operation_id="list_legal_holds",
    summary="Legal holds",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_legal_holds(rendering: Asked) -> s.LegalHolds:
    """All, released ones too."""
    return s.LegalHolds(legal_holds=[rendering.legal_hold(item) for item in rendering.view.legal_holds()])


@post(
    "/legal-holds",
    operation_id="write_legal_hold",
    summary="Hold rows for a case, or release them",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def write_legal_hold(
    data: s.LegalHoldNew, rendering: Asked, review: Review, holding: Held, author: str
) -> s.LegalHoldOut:
    """A release is a change with `released`."""
    _check(holding, "legal hold", data.id, rendering.view.legal_holds())
    body = LegalHold(
        reason=data.reason,
        mmsi=tuple(data.mmsi),
        start_us=data.start_us,
        end_us=data.end_us,
        released=data.released,
    )
    return rendering.legal_hold(
        review.legal_hold(
            body,
            case=data.case,
            author=author,
            hold_id=data.id or "",
            expected_revision=data.expected_revision,
        )
    )


def _check(holding: Holding, what: str, record_id: str | None, orders: Sequence[Seen[Any]]) -> None:
    """The order that is changed, not another one. Raises Forbidden, NotFound."""
    if not record_id:
        return
    found = next((item for item in orders if item.record.id == record_id), None)
    if found is None:
        raise NotFound(f"There is no {what} {record_id}: look the list up again.")
    holding.check_written(what, found.record.author)


HANDLERS = [list_areas, write_area, list_watchlists, write_watchlist, list_legal_holds, write_legal_hold]
