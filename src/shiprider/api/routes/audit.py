"""The auditor's page: the access log, who touched what, browsing alarms, the log's head; and the node's metrics.

Always true: what is asked here is itself logged before it is answered; who is no auditor gets a refusal.
"""

from dataclasses import replace
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.params import Parameter

from shiprider.api.asking import Asked, Cursor, Here, Limit, TimeOf
from shiprider.api.failures import documented
from shiprider.api.rendering import Rendering
from shiprider.api.schemas import audit as s
from shiprider.api.sessions import Sessions
from shiprider.api.site import Site
from shiprider.detect.browsing_words import told
from shiprider.flow.audit import Audit
from shiprider.model.errors import Forbidden, NotFound, UsageError
from shiprider.ports.access_log import Question

TAG: Final = ["audit"]

#: Who may read the node's metrics: they name feeds and counts, no person and no object.
METRICS_ROLES: Final = frozenset({"auditor", "node_administrator"})

Text = Annotated[str, Parameter(max_length=200)]


def _audit(site: Site, rendering: Rendering) -> Audit:
    if site.audit is None:
        raise NotFound("This node keeps no access log: start it with `shiprider run`.")
    return site.audit(rendering.view.observer)


def _question(
    who: str, object_id: str, act: str, outcome: str, case: str, start_us: int | None, end_us: int | None
) -> Question:
    return Question(
        who=who, object_id=object_id, act=act, outcome=outcome, case=case, start_us=start_us, end_us=end_us
    )


@get(
    "/audit/entries",
    operation_id="list_audit_entries",
    summary="Who saw, searched, exported, released or was refused what, and why",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_audit_entries(
    rendering: Asked,
    site: Here,
    who: Text = "",
    object_id: Annotated[str, Parameter(query="object", max_length=200)] = "",
    act: Text = "",
    outcome: Text = "",
    case: Text = "",
    start_us: TimeOf = None,
    end_us: TimeOf = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> s.AuditEntries:
    """Filters that are not given do not filter; newest first."""
    if cursor and not (cursor.isdecimal() and len(cursor) < 19):
        raise UsageError("The cursor is not one of ours: ask anew.")
    asked = _question(who, object_id, act, outcome, case, start_us, end_us)
    place = int(cursor) if cursor else None
    question = replace(asked, newest_first=True, limit=limit, from_sequence=place)
    found = _audit(site, rendering).entries(question)
    return s.AuditEntries(
        entries=[
            s.AuditEntry(
                sequence=sequence,
                at_us=entry.at_us,
                who=entry.who,
                session=entry.session,
                act=entry.act,
                what=entry.what,
                outcome=entry.outcome,
                objects=list(entry.objects),
                count=entry.count,
                purpose=entry.purpose,
                case=entry.case,
                why=entry.why,
                name=entry.name,
                asked=entry.asked,
            )
            for sequence, entry in found
        ],
        next_cursor=str(found[-1][0]) if len(found) == limit else "",
    )


@get(
    "/audit/people",
    operation_id="list_audit_people",
    summary="Who touched an object, a case or anything in a time, counted by person",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_audit_people(
    rendering: Asked,
    site: Here,
    who: Text = "",
    object_id: Annotated[str, Parameter(query="object", max_length=200)] = "",
    act: Text = "",
    outcome: Text = "",
    case: Text = "",
    start_us: TimeOf = None,
    end_us: TimeOf = None,
) -> s.AuditPeople:
    """Who did most first."""
    touches = _audit(site, rendering).people(_question(who, object_id, act, outcome, case, start_us, end_us))
    return s.AuditPeople(
        people=[
            s.AuditPerson(
                who=each.who,
                first_us=each.first_us,
                last_us=each.last_us,
                entries=each.entries,
                acts=dict(each.acts),
                outcomes=dict(each.outcomes),
                purposes=dict(each.purposes),
                cases=dict(each.cases),
                why=dict(each.why),
            )
            for each in touches
        ]
    )


@get(
    "/audit/alarms",
    operation_id="list_browsing_alarms",
    summary="Browsing that no case explains",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_browsing_alarms(
    rendering: Asked, site: Here, who: Text = "", limit: Limit = 100
) -> s.BrowsingAlarms:
    """Newest first."""
    return s.BrowsingAlarms(
        alarms=[
            s.BrowsingAlarmOut(
                id=each.id,
                recorded_us=each.recorded_us,
                who=each.alarm.who,
                role=each.alarm.role,
                sign=each.alarm.sign,
                from_us=each.alarm.from_us,
                to_us=each.alarm.to_us,
                count=each.alarm.count,
                usual=each.alarm.usual,
                limit=each.alarm.limit,
                objects=list(each.alarm.objects),
                cases=list(each.alarm.cases),
                text=told(each.alarm, rendering.language),
            )
            for each in _audit(site, rendering).alarms(who=who, limit=limit)
        ]
    )


@get(
    "/audit/head",
    operation_id="get_audit_head",
    summary="The signed end of the access log, to be kept elsewhere",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_audit_head(rendering: Asked, site: Here) -> s.AuditHead:
    """With the segments that are held, and those that retention let go."""
    audit = _audit(site, rendering)
    head = audit.head()
    return s.AuditHead(
        origin=head.origin,
        sequence=head.sequence,
        hash=head.hash,
        at_us=head.at_us,
        key=head.key,
        signature=head.signature,
        segments=[
            s.AuditSegment(
                number=each.number,
                first=each.first,
                last=each.last,
                first_us=each.first_us,
                last_us=each.last_us,
                bytes=each.bytes,
                closed=each.closed,
                removed=each.removed,
            )
            for each in audit.segments()
        ],
    )


@get(
    "/audit/check",
    operation_id="check_audit_log",
    summary="Check the whole access log: every link, head and segment",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def check_audit_log(rendering: Asked, site: Here) -> s.AuditChecked:
    """An error says where it is broken."""
    head = _audit(site, rendering).verify()
    return s.AuditChecked(sequence=head.sequence, hash=head.hash)


@get("/metrics", include_in_schema=False, media_type="text/plain", sync_to_thread=True)
def get_metrics(request: Request[Any, Any, Any], rendering: Asked, site: Here) -> Response[bytes]:
    """Prometheus' text format; for programs with the start-up token, auditors and administrators."""
    observer = rendering.view.observer
    if site.metrics is None:
        raise NotFound("This node is not measured: start it with `shiprider run`.")
    if not METRICS_ROLES & set(observer.roles):
        raise Forbidden("Metrics are for auditors and administrators: ask the administrator for the role.")
    sessions: Sessions = request.scope["state"]["sessions"]
    return Response(site.metrics(sessions.count()), media_type="text/plain; version=0.0.4; charset=utf-8")


HANDLERS = [
    list_audit_entries,
    list_audit_people,
    list_browsing_alarms,
    get_audit_head,
    check_audit_log,
    get_metrics,
]
