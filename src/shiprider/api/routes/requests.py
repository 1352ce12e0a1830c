"""Requests for information: asking partners, answering them, how long answers take."""

from typing import Annotated, Final, Literal

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Cursor, Here, Limit, Telling, Written, choices
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import working as s
from shiprider.flow.working.pen import Pen, partners_seen
from shiprider.flow.working.requests import Question, Requests
from shiprider.flow.working.standing import (
    StandingRequest,
    answer_times,
    request_standing,
    requests_standing,
)
from shiprider.measure.clock import DAY_US
from shiprider.model.errors import UsageError
from shiprider.model.wording import Wording

TAG: Final = ["requests"]

RequestPath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a request.")]
_STATES: Final = ("waiting", "overdue", "done")


@get(
    "/correspondents",
    operation_id="list_correspondents",
    summary="Partners that can be asked",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_correspondents(telling: Telling) -> s.Correspondents:
    """Confirmed ones, by name."""
    return s.Correspondents(partners=[telling.partner(each) for each in partners_seen(telling.view)])


@get(
    "/fixed-messages",
    operation_id="list_fixed_messages",
    summary="Fixed messages",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_fixed_messages(telling: Telling, use: Literal["request", "answer", "chat"]) -> s.FixedMessages:
    """Whoever reads one reads it in his own language."""
    return telling.fixed(use)


@get(
    "/requests",
    operation_id="list_requests",
    summary="Requests for information",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_requests(
    telling: Telling,
    rendering: Asked,
    site: Here,
    direction: Literal["asked_by_us", "asked_of_us", "between_others"] | None = None,
    stands: Annotated[
        str | None, Parameter(max_length=40, description="Comma list: waiting, overdue, done.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> s.Requests:
    """Newest first."""
    wanted = choices(stands, _STATES, "stands")
    found = [
        each
        for each in requests_standing(rendering.view, site.clock())
        if direction in (None, each.direction) and (not wanted or _states_of(each) & set(wanted))
    ]
    start = 0
    if cursor:
        ids = [each.request.record.id for each in found]
        if cursor not in ids:
            raise UsageError("The cursor is not one of ours: read the list anew.")
        start = ids.index(cursor) + 1
    page = found[start : start + limit]
    labels = [each.request.record.label for each in page]
    labels += [answer.record.label for each in page for answer in each.answers]
    return s.Requests(
        requests=[telling.request(each) for each in page],
        total=len(found),
        next_cursor=page[-1].request.record.id if start + limit < len(found) else "",
        marking=rendering.marking(*labels),
    )


def _states_of(each: StandingRequest) -> set[str]:
    return {"waiting" if each.waits else "done", *(["overdue"] if each.overdue else [])}


@post(
    "/requests",
    operation_id="ask_partners",
    summary="Ask partners for information",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def ask_partners(
    data: s.RequestNew, telling: Telling, written: Written, site: Here, author: str
) -> s.RequestOut:
    """Nothing is written that one of those who are asked could not read."""
    question = Question(
        to=tuple(data.to),
        said=wording(written, data.question),
        subject_kind=data.subject_kind,
        subject=data.subject,
        agreement=data.agreement,
        purpose=data.purpose,
        wanted_us=data.wanted_us,
        urgency=data.urgency,
        classification=data.classification,
        label=data.label,
        case=data.case,
    )
    made = Requests(written).ask(question, author=author)
    return telling.request(request_standing(telling.view, made.record.id, site.clock()))


@get(
    "/requests/{request_id:str}",
    operation_id="get_request",
    summary="One request for information",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_request(request_id: RequestPath, telling: Telling, site: Here) -> s.RequestOut:
    """With its answers, in the order in which they came."""
    return telling.request(request_standing(telling.view, request_id, site.clock()))


@post(
    "/requests/{request_id:str}/answers",
    operation_id="answer_request",
    summary="Answer a request of a partner",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def answer_request(
    request_id: RequestPath, data: s.AnswerNew, telling: Telling, written: Written, site: Here, author: str
) -> s.RequestOut:
    """Nothing is written that its asker could not read."""
    said = wording(written, data.said, may_be_empty=data.step in ("taken", "refused"))
    Requests(written).answer(
        request_id,
        data.step,
        said,
        author=author,
        reason=data.reason,
        references=tuple(data.references),
        label=data.label,
    )
    return telling.request(request_standing(telling.view, request_id, site.clock()))


@post(
    "/requests/{request_id:str}/end",
    operation_id="end_request",
    summary="Close or withdraw an own request",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def end_request(
    request_id: RequestPath, data: s.RequestEnd, telling: Telling, written: Written, site: Here, author: str
) -> s.RequestOut:
    """It can be asked again in a new one."""
    Requests(written).end(request_id, data.expected_revision, data.state, author=author)
    return telling.request(request_standing(telling.view, request_id, site.clock()))


@get(
    "/answer-times",
    operation_id="get_answer_times",
    summary="How long answers take",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_answer_times(
    telling: Telling,
    rendering: Asked,
    site: Here,
    days: Annotated[int, Parameter(ge=1, le=3660, description="Requests of so many days.")] = 90,
) -> s.AnswerTimesPage:
    """By node, of the requests that one sees."""
    now_us = site.clock()
    since_us = now_us - days * DAY_US
    standing = requests_standing(rendering.view, now_us, since_us=since_us)
    times = answer_times(standing, rendering.view.ledger.origin)
    return s.AnswerTimesPage(since_us=since_us, times=[telling.times(each) for each in times])


def wording(pen: Pen, said: s.SaidNew, *, may_be_empty: bool = False) -> Wording:
    """What somebody says. Raises InputError, UsageError."""
    return pen.wording(said.text, said.language, said.template, said.arguments, may_be_empty=may_be_empty)


HANDLERS = [
    list_correspondents,
    list_fixed_messages,
    list_requests,
    ask_partners,
    get_request,
    answer_request,
    end_request,
    get_answer_times,
]
