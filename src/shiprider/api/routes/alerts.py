"""The queue of alerts, one alert with what it was made of, and the decisions on it."""

from typing import Annotated, Any, Final, Literal, get_args

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import (
    Asked,
    BoxText,
    Cursor,
    Held,
    Limit,
    RecordPath,
    TimeOf,
    box_of,
    choices,
    in_box,
)
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import alerts as s
from shiprider.flow.queue import Sort, ordered
from shiprider.flow.review import Review
from shiprider.flow.view import Seen
from shiprider.measure.clock import DAY_US
from shiprider.model.alert import OPEN_STATES, Alert, AlertState
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.publication import Publication
from shiprider.ports.ledger import Query

TAG: Final = ["alerts"]

#: How near in time another alert of the same vessel is related.
_RELATED_US: Final = 3 * DAY_US
_MOST_RELATED: Final = 20


@get(
    "/alerts",
    operation_id="list_alerts",
    summary="The queue of alerts",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_alerts(
    rendering: Asked,
    states: Annotated[
        str | None,
        Parameter(query="state", max_length=200, description="Comma list of states; open ones by default."),
    ] = None,
    behaviour: Annotated[
        str | None, Parameter(max_length=400, description="Comma list of behaviours.")
    ] = None,
    mmsi: Annotated[int | None, Parameter(ge=0, le=999_999_999)] = None,
    bbox: BoxText = None,
    since_us: TimeOf = None,
    until_us: TimeOf = None,
    min_score: Annotated[float, Parameter(ge=0, le=1)] = 0.0,
    simulated: bool | None = None,
    retracted: bool | None = None,
    sort: Sort = "rank",
    limit: Limit = 100,
    cursor: Cursor = "",
) -> s.AlertPage:
    """Ranked over all open alerts, whatever the filters leave out. A cursor stays good while alerts come and go."""
    box = box_of(bbox)
    asked_states = choices(states, get_args(AlertState), "state") or OPEN_STATES
    queue = rendering.view.alerts(Query("alert", (("open",),)))
    ranks = {item.record.id: place for place, item in enumerate(ordered(queue, "rank"), 1)}
    asked: list[tuple[str, ...]] = [tuple(f"state:{each}" for each in asked_states)]
    if behaviour:
        asked.append(tuple(f"behaviour:{each}" for each in choices(behaviour, None, "behaviour")))
    if mmsi is not None:
        asked.append((f"mmsi:{mmsi}",))
    if simulated is not None:
        asked.append((f"simulated:{simulated}",))
    if retracted is not None:
        asked.append((f"retracted:{retracted}",))
    found = rendering.view.alerts(Query("alert", tuple(asked), start_us=since_us, end_us=until_us))
    listed = ordered(
        [
            item
            for item in found
            if item.body.probability >= min_score
            and in_box(item.body.latitude_deg, item.body.longitude_deg, box)
        ],
        sort,
    )
    start = _place_after(listed, cursor)
    page = listed[start : start + limit]
    more = start + limit < len(listed)
    return s.AlertPage(
        alerts=rendering.alerts(page, ranks),
        total=len(listed),
        next_cursor=page[-1].record.id if more and page else "",
        marking=rendering.marking(*(item.record.label for item in page)),
    )


def _place_after(listed: list[Seen[Alert]], cursor: str) -> int:
    if not cursor:
        return 0
    for place, item in enumerate(listed):
        if item.record.id == cursor:
            return place + 1
    raise UsageError("The page before ended at an alert that is no longer in this list: read the list anew.")


@get(
    "/alerts/{alert_id:str}",
    operation_id="get_alert",
    summary="One alert: its finding and evidence, its life, what may belong to it",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_alert(alert_id: RecordPath, rendering: Asked) -> s.AlertDetail:
    """Raises NotFound."""
    view = rendering.view
    item = view.alert(alert_id)
    body = item.body
    merged = view.alerts(Query("alert", ((f"merged_into:{alert_id}",),)))
    participants = tuple(f"mmsi:{mmsi}" for mmsi in body.participants)
    near = Query(
        "alert",
        (participants,),
        start_us=body.start_us - _RELATED_US,
        end_us=body.end_us + _RELATED_US,
        limit=_MOST_RELATED + 1,
    )
    related = [other for other in view.alerts(near) if other.record.id != alert_id] if participants else []
    notes = [*view.notes("alert", alert_id)]
    notes += [note for mmsi in body.participants for note in view.notes("vessel", str(mmsi))]
    findings = _in_order(view.findings_of(body.findings), body)
    lead = next((each for each in findings if each.record.id == body.finding), next(iter(findings), None))
    if lead is None:
        raise NotFound(f"There is no alert {alert_id}: look the list up again.")
    shown: list[Seen[Any]] = [item, *findings, *merged, *related[:_MOST_RELATED], *notes]
    return s.AlertDetail(
        alert=rendering.alert(item),
        finding=rendering.finding(lead),
        findings=[rendering.finding(each) for each in findings],
        history=[rendering.event(step) for step in view.alert_history(alert_id)],
        merged=rendering.alerts(merged),
        related=rendering.alerts(related[:_MOST_RELATED]),
        notes=[rendering.note(note) for note in notes],
        marking=rendering.marking(*(each.record.label for each in shown)),
    )


def _in_order(found: dict[str, Seen[Publication]], alert: Alert) -> list[Seen[Publication]]:
    return [found[each] for each in alert.findings if each in found]


def _decision(name: str, summary: str):  # type: ignore[no-untyped-def]
    return post(
        f"/alerts/{{alert_id:str}}/{name}",
        operation_id=f"{name}_alert",
        summary=summary,
        status_code=200,
        tags=TAG,
        responses=documented(404, *CHANGING),
        sync_to_thread=True,
    )


@_decision("take", "Take an alert: say that you look at it")
def take(
    alert_id: RecordPath, data: s.Decide, rendering: Asked, review: Review, holding: Held, author: str
) -> s.AlertOut:
    """Taking what somebody else holds takes it over."""
    holding.check_alert(alert_id, rendering.view.alert(alert_id).body, taking=True)
    return rendering.alert(review.take(alert_id, data.expected_revision, author=author, text=data.text))


@_decision("escalate", "Escalate an alert to somebody with authority")
def escalate(
    alert_id: RecordPath, data: s.Decide, rendering: Asked, review: Review, holding: Held, author: str
) -> s.AlertOut:
    """It counts as confirmed in the calibration."""
    holding.check_alert(alert_id, rendering.view.alert(alert_id).body, taking=False)
    return rendering.alert(review.escalate(alert_id, data.expected_revision, author=author, text=data.text))


@_decision("reopen", "Put an alert back into the queue")
def reopen(
    alert_id: RecordPath, data: s.Decide, rendering: Asked, review: Review, holding: Held, author: str
) -> s.AlertOut:
    """Nobody holds it then."""
    holding.check_alert(alert_id, rendering.view.alert(alert_id).body, taking=False)
    return rendering.alert(review.reopen(alert_id, data.expected_revision, author=author, text=data.text))


@_decision("undo", "Undo the last decision on an alert")
def undo(
    alert_id: RecordPath, data: s.Decide, rendering: Asked, review: Review, holding: Held, author: str
) -> s.AlertOut:
    """What late data changed in the meantime stays."""
    holding.check_alert(alert_id, rendering.view.alert(alert_id).body, taking=False)
    return rendering.alert(review.undo(alert_id, data.expected_revision, author=author, text=data.text))


@_decision("dismiss", "Dismiss an alert with a reason")
def dismiss(
    alert_id: RecordPath, data: s.Dismiss, rendering: Asked, review: Review, holding: Held, author: str
) -> s.AlertOut:
    """The reason is kept and feeds the ranking."""
    holding.check_alert(alert_id, rendering.view.alert(alert_id).body, taking=False)
    return rendering.alert(
        review.dismiss(alert_id, data.expected_revision, author=author, reason=data.reason, text=data.text)
    )


@_decision("merge", "Merge an alert into another one")
def merge(
    alert_id: RecordPath, data: s.Merge, rendering: Asked, review: Review, holding: Held, author: str
) -> s.AlertOut:
    """The other one stays open; it too must be one that the observer sees."""
    holding.check_alert(alert_id, rendering.view.alert(alert_id).body, taking=False)
    rendering.view.alert(data.into)
    return rendering.alert(review.merge(alert_id, data.expected_revision, author=author, into=data.into))


@get(
    "/findings",
    operation_id="list_findings",
    summary="Published findings, newest first",
    tags=["findings"],
    responses=documented(),
    sync_to_thread=True,
)
def list_findings(
    rendering: Asked,
    behaviour: Annotated[
        str | None, Parameter(max_length=400, description="Comma list of behaviours.")
    ] = None,
    mmsi: Annotated[int | None, Parameter(ge=0, le=999_999_999)] = None,
    finding_state: Annotated[Literal["open", "closed", "retracted"] | None, Parameter(query="state")] = None,
    bbox: BoxText = None,
    since_us: TimeOf = None,
    until_us: TimeOf = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> s.FindingPage:
    """With a box, a page may be shorter than `limit` and still have a next one."""
    box = box_of(bbox)
    asked: list[tuple[str, ...]] = []
    if behaviour:
        asked.append(tuple(f"behaviour:{each}" for each in choices(behaviour, None, "behaviour")))
    if mmsi is not None:
        asked.append((f"mmsi:{mmsi}",))
    if finding_state is not None:
        asked.append((f"state:{finding_state}",))
    after = (rendering.view.place_of(cursor), "") if cursor else None
    query = Query("finding", tuple(asked), start_us=since_us, end_us=until_us, after=after, limit=limit)
    found = rendering.view.findings(query)
    inside = [
        item for item in found if in_box(item.body.finding.latitude_deg, item.body.finding.longitude_deg, box)
    ]
    return s.FindingPage(
        findings=[rendering.finding(item) for item in inside],
        total=rendering.view.count(Query("finding", tuple(asked), start_us=since_us, end_us=until_us)),
        next_cursor=rendering.view.cursor_of(found[-1]) if len(found) == limit else "",
    )


@get(
    "/findings/{finding_id:str}",
    operation_id="get_finding",
    summary="One finding",
    tags=["findings"],
    responses=documented(404),
    sync_to_thread=True,
)
def get_finding(finding_id: RecordPath, rendering: Asked, known_us: TimeOf = None) -> s.FindingOut:
    """As known at `known_us` where it is given. Raises NotFound."""
    return rendering.finding(rendering.view.finding(finding_id, known_us=known_us))


@get(
    "/findings/{finding_id:str}/history",
    operation_id="get_finding_history",
    summary="What was known when: every revision of a finding",
    tags=["findings"],
    responses=documented(404),
    sync_to_thread=True,
)
def get_finding_history(finding_id: RecordPath, rendering: Asked) -> s.FindingPage:
    """Oldest first. Raises NotFound."""
    steps = [rendering.finding(item) for item in rendering.view.finding_history(finding_id)]
    return s.FindingPage(findings=steps, total=len(steps), next_cursor="")


HANDLERS = [
    list_alerts,
    get_alert,
    take,
    escalate,
    reopen,
    undo,
    dismiss,
    merge,
    list_findings,
    get_finding,
    get_finding_history,
]
