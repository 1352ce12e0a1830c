"""Cases across nodes: the common timeline, chat on a case or operation, who has seen an alert, adopted orders."""

import re
from typing import Annotated, Final, Literal

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Cursor, Limit, RecordPath, Telling, Who, Written
from shiprider.api.failures import CHANGING, documented
from shiprider.api.rendering import Rendering
from shiprider.api.routes.requests import wording
from shiprider.api.schemas import working as s
from shiprider.api.working_rendering import WorkingRendering
from shiprider.flow.view import Seen, View
from shiprider.flow.working.acknowledging import Acknowledging, acknowledged
from shiprider.flow.working.adopting import Adopting, partner_orders
from shiprider.flow.working.chat import Chat, Room, messages, operations
from shiprider.flow.working.timeline import cases, place, timeline
from shiprider.model.chat import ChatMessage
from shiprider.model.errors import NotFound, UsageError

TAG: Final = ["cases"]

RoomKind = Literal["case", "operation"]
RoomText = Annotated[str, Parameter(min_length=1, max_length=120)]
AdoptionPath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of an adoption.")]
_CURSOR: Final = re.compile("(-?[0-9]{1,16})[.]([0-9a-f]{32})")


@get(
    "/cases",
    operation_id="list_cases",
    summary="Cases and operations",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_cases(rendering: Asked) -> s.Cases:
    """Those that one may see something of, and those that one is assigned to."""
    view = rendering.view
    return s.Cases(
        cases=[
            s.CaseOut(name=each.name, nodes=list(each.origins), partners=list(each.partners))
            for each in cases(view)
        ],
        operations=operations(view),
    )


@get(
    "/timeline",
    operation_id="get_timeline",
    summary="The common timeline of a case",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_timeline(
    telling: Telling, rendering: Asked, case: RoomText, limit: Limit = 100, cursor: Cursor = ""
) -> s.CaseTimeline:
    """Records of all nodes by when they were true, newest first; what comes later slides in where it belongs."""
    after = None
    if cursor:
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise UsageError("The cursor is not one of ours: read the timeline anew.")
        after = (int(found[1]), found[2])
    # One more than is shown tells whether there is a next page.
    events = timeline(rendering.view, case, after=after, limit=limit + 1)
    page = events[:limit]
    at = "{}.{}".format(*place(page[-1].record)) if len(events) > limit else ""
    return s.CaseTimeline(
        case=case,
        events=[telling.event(each) for each in page],
        next_cursor=at,
        marking=rendering.marking(*(each.record.label for each in page)),
    )


@get(
    "/chat",
    operation_id="read_chat",
    summary="Messages on a case or operation",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def read_chat(
    telling: Telling,
    rendering: Asked,
    room_kind: RoomKind,
    room: RoomText,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> s.Messages:
    """Newest first."""
    after = rendering.view.place_of(cursor) if cursor else None
    found = messages(rendering.view, Room(room_kind, room), after=after, limit=limit)
    answered = _answered(rendering.view, [each.body.reply_to for each in found if each.body.reply_to])
    labels = [each.record.label for each in (*found, *answered.values())]
    return s.Messages(
        messages=[telling.message(each, answered) for each in found],
        next_cursor=rendering.view.cursor_of(found[-1]) if len(found) == limit else "",
        marking=rendering.marking(*labels),
    )


def _answered(view: View, ids: list[str]) -> dict[str, Seen[ChatMessage]]:
    found: dict[str, Seen[ChatMessage]] = {}
    for each in dict.fromkeys(ids):
        try:
            found[each] = view.one(each, "chat_message", ChatMessage)
        except NotFound:
            continue
    return found


@post(
    "/chat",
    operation_id="write_chat",
    summary="Say something on a case or operation",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def write_chat(data: s.MessageNew, telling: Telling, written: Written, author: str) -> s.MessageOut:
    """It cannot be changed afterwards; nothing is written that one of `to` could not read."""
    made = Chat(written).say(
        Room(data.room_kind, data.room),
        wording(written, data.said),
        author=author,
        to=data.to,
        classification=data.classification,
        label=data.label,
        reply_to=data.reply_to or "",
    )
    return telling.message(made, _answered(telling.view, [data.reply_to] if data.reply_to else []))


@get(
    "/alerts/{alert_id:str}/acknowledgements",
    operation_id="list_acknowledgements",
    summary="Whose floors have seen an alert",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_acknowledgements(alert_id: RecordPath, telling: Telling, asker: Who) -> s.Acknowledgements:
    """In the order in which it was known here."""
    return _acknowledgements(alert_id, telling, asker.session.name)


@post(
    "/alerts/{alert_id:str}/acknowledge",
    operation_id="acknowledge_alert",
    summary="Say that you have seen an alert",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def acknowledge_alert(
    alert_id: RecordPath, data: s.Acknowledge, telling: Telling, written: Written, author: str
) -> s.Acknowledgements:
    """It takes nothing off the alert; every node that has the alert is told."""
    Acknowledging(written).acknowledge(alert_id, author=author, text=data.text)
    return _acknowledgements(alert_id, telling, author)


def _acknowledgements(alert_id: str, telling: WorkingRendering, author: str) -> s.Acknowledgements:
    found = acknowledged(telling.view, alert_id)
    digest = telling.view.record(alert_id, "alert").digest
    return telling.acknowledgements(found, digest, author)


@get(
    "/adoptions",
    operation_id="list_partner_orders",
    summary="Areas and watchlists of partners",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_partner_orders(telling: Telling, rendering: Asked) -> s.PartnerOrders:
    """With what this node follows of them."""
    return _orders(telling, rendering)


def _orders(telling: WorkingRendering, rendering: Rendering) -> s.PartnerOrders:
    found = partner_orders(rendering.view)
    labels = [
        each.record.label for order in found for each in (order.order, order.adoption) if each is not None
    ]
    return s.PartnerOrders(orders=[telling.order(each) for each in found], marking=rendering.marking(*labels))


@post(
    "/adoptions",
    operation_id="adopt_order",
    summary="Follow a partner's area or watchlist",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def adopt_order(
    data: s.AdoptionNew, telling: Telling, rendering: Asked, written: Written, author: str
) -> s.PartnerOrders:
    """From then on it alerts here as one's own does."""
    Adopting(written).adopt(data.order, data.kind, data.mode, digest=data.digest, author=author)
    return _orders(telling, rendering)


@post(
    "/adoptions/{adoption_id:str}/end",
    operation_id="end_adoption",
    summary="Follow a partner's order no longer",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def end_adoption(
    adoption_id: AdoptionPath,
    data: s.AdoptionEnd,
    telling: Telling,
    rendering: Asked,
    written: Written,
    author: str,
) -> s.PartnerOrders:
    """What it has raised stays."""
    Adopting(written).end(adoption_id, data.expected_revision, author=author)
    return _orders(telling, rendering)


HANDLERS = [
    list_cases,
    get_timeline,
    read_chat,
    write_chat,
    list_acknowledgements,
    acknowledge_alert,
    list_partner_orders,
    adopt_order,
    end_adoption,
]
