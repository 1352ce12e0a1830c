"""The records that the release desk works on, read as their reader may see them.

Always true: whoever does not see a record cannot propose anything about it, nor learn that it is there.
"""

from typing import Any, Final, Literal, get_args

from shiprider.flow import terms
from shiprider.flow.bodies import FORMS
from shiprider.flow.view import Seen, View, seen
from shiprider.model.errors import NotFound, ShipriderError, UsageError
from shiprider.model.handover import Handover
from shiprider.model.note import Note
from shiprider.model.record import Record
from shiprider.model.watch_log import LogLine

SubjectKind = Literal["alert", "finding", "note", "watch_log", "handover"]
SUBJECTS: Final[tuple[SubjectKind, ...]] = get_args(SubjectKind)


def subject(view: View, kind: str, record_id: str) -> Seen[Any]:
    """One record of a kind, as the view's observer sees it. Raises NotFound, UsageError."""
    if kind == "alert":
        return view.alert(record_id)
    if kind == "finding":
        return view.finding(record_id)
    if kind == "watch_log":
        found: list[Seen[Any]] = list(view.log_lines([record_id]))
    elif kind == "handover":
        found = list(view.handovers())
    elif kind == "note":
        found = list(_notes_beside(view, record_id))
    else:
        raise UsageError(f"{kind[:40]!r} cannot be worked on here: take one of {', '.join(SUBJECTS)}.")
    for item in found:
        if item.record.id == record_id and item.record.kind == kind:
            return item
    raise NotFound(f"There is no {kind.replace('_', ' ')} {record_id}: look the list up again.")


def sees(view: View, kind: str, record_id: str) -> bool:
    """Whether the view's observer sees a record."""
    try:
        subject(view, kind, record_id)
    except ShipriderError:
        return False
    return True


def terms_of(record: Record) -> tuple[str, ...]:
    """The terms by which its latest revision is found. Raises UsageError for a kind that is never relabelled."""
    known = terms.of_record(record)
    if known is not None:
        return known
    body = seen(record, FORMS[record.kind].type).body
    if isinstance(body, Note):
        return (f"{body.subject_kind}:{body.subject}",)
    if isinstance(body, LogLine):
        return (f"source:{body.source}", *((f"alert:{body.alert}",) if body.alert else ()))
    if isinstance(body, Handover):
        return ()
    raise UsageError(f"A {record.kind} is not relabelled: take one of {', '.join(SUBJECTS)}.")


def _notes_beside(view: View, record_id: str) -> list[Seen[Note]]:
    """The notes on the same subject, as the view gives them."""
    record = view.ledger.latest_of([record_id], allowed=view.allowed).get(record_id)
    if record is None or record.kind != "note" or record.body is None:
        return []
    body = seen(record, Note).body
    return view.notes(body.subject_kind, body.subject)
