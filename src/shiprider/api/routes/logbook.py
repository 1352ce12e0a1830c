"""Notes, the watch log, and the handover of the shift."""

from typing import Annotated, Final, Literal

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Cursor, Here, Limit, TimeOf
from shiprider.api.failures import CHANGING, documented
from shiprider.api.rendering import Rendering
from shiprider.api.schemas.logbook import (
    HandoverOut,
    Handovers,
    HandoverSign,
    HandoverSummary,
    LogEntry,
    LogNew,
    WatchLog,
)
from shiprider.api.schemas.notes import NoteNew, NoteOut, Notes
from shiprider.flow import shift
from shiprider.flow.review import Review
from shiprider.model.errors import UsageError
from shiprider.model.handover import Summary

TAG: Final = ["logbook"]


@get(
    "/notes",
    operation_id="list_notes",
    summary="Notes on a vessel, an alert, a finding or an area",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_notes(
    rendering: Asked,
    subject_kind: Literal["vessel", "alert", "finding", "area"],
    subject: Annotated[str, Parameter(min_length=1, max_length=64)],
) -> Notes:
    """Newest first."""
    return Notes(notes=[rendering.note(item) for item in rendering.view.notes(subject_kind, subject)])


@post(
    "/notes",
    operation_id="write_note",
    summary="Write a note",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def write_note(data: NoteNew, rendering: Asked, review: Review, author: str) -> NoteOut:
    """`subject` is an MMSI for a vessel, else a record's id."""
    return rendering.note(review.note(data.subject_kind, data.subject, data.text, author=author))


@get(
    "/watch-log",
    operation_id="read_watch_log",
    summary="The watch log, newest first",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def read_watch_log(
    rendering: Asked, since_us: TimeOf = None, limit: Limit = 100, cursor: Cursor = ""
) -> WatchLog:
    """Lines of people and of decisions."""
    after = rendering.view.place_of(cursor) if cursor else None
    found = rendering.view.log(since_us=since_us, after=after, limit=limit)
    return WatchLog(
        entries=[rendering.log_line(item) for item in found],
        next_cursor=rendering.view.cursor_of(found[-1]) if len(found) == limit else "",
        marking=rendering.marking(*(item.record.label for item in found)),
    )


@post(
    "/watch-log",
    operation_id="write_watch_log",
    summary="Write a line in the watch log",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def write_watch_log(data: LogNew, rendering: Asked, review: Review, author: str) -> LogEntry:
    """It cannot be changed afterwards."""
    return rendering.log_line(review.log(data.text, author=author))


@get(
    "/handover/summary",
    operation_id="summarise_handover",
    summary="What the next watch gets",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def summarise_handover(rendering: Asked, site: Here, to_us: TimeOf = None) -> HandoverSummary:
    """Since the last handover, as known at `to_us` (now where it is not given)."""
    now = site.clock()
    if to_us is not None and to_us >= now:
        raise UsageError("The summary ends in the future: choose a time that has passed.")
    summary = shift.summarise(rendering.view, to_us if to_us is not None else now - 1)
    return summary_out(rendering, summary)


def summary_out(rendering: Rendering, summary: Summary) -> HandoverSummary:
    """The summary with its records."""
    view = rendering.view
    known = {item.record.id: item for item in view.alerts_known(summary.to_us)}
    alerts = [known[each] for each in summary.open_alerts]
    lines = view.log_lines(summary.log)
    return HandoverSummary(
        from_us=summary.from_us,
        to_us=summary.to_us,
        open_alerts=rendering.alerts(alerts),
        taken=summary.taken,
        dismissed=summary.dismissed,
        escalated=summary.escalated,
        merged=summary.merged,
        retracted=summary.retracted,
        log=[rendering.log_line(item) for item in lines],
        ledger_sequence=summary.ledger_sequence,
        ledger_head=summary.ledger_head,
        digest=shift.digest_of(summary),
        marking=rendering.marking(*(a.record.label for a in alerts), *(line.record.label for line in lines)),
    )


@get(
    "/handover",
    operation_id="list_handovers",
    summary="Signed handovers, newest first",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_handovers(rendering: Asked, limit: Limit = 50) -> Handovers:
    """Who gave the watch to whom, and the digest of what was shown."""
    return Handovers(handovers=[rendering.handover(item) for item in rendering.view.handovers(limit)])


@post(
    "/handover",
    operation_id="sign_handover",
    summary="Sign the handover",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def sign_handover(data: HandoverSign, rendering: Asked, review: Review, author: str) -> HandoverOut:
    """`digest` and `to_us` are those of the summary that was shown."""
    signed = review.sign_handover(
        rendering.view,
        digest=data.digest,
        to_us=data.to_us,
        author=author,
        relieved_by=data.relieved_by,
        text=data.text,
    )
    return rendering.handover(signed)


HANDLERS = [
    list_notes,
    write_note,
    read_watch_log,
    write_watch_log,
    summarise_handover,
    list_handovers,
    sign_handover,
]
