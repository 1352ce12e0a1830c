"""Requests for information: asked here of partners, and answered here for them.

Always true: a request goes to nobody who may not read it, and neither does an answer; a node answers what it was
asked, in a record of its own; only the node that asked changes what it asked.
"""

from dataclasses import dataclass
from typing import Final

from msgspec import structs

from shiprider.flow.desk_steps import class_of
from shiprider.flow.view import Seen, seen
from shiprider.flow.working.pen import Pen
from shiprider.flow.working.standing import asks, sees_subject
from shiprider.model.errors import Conflict, Forbidden, NotFound, UsageError
from shiprider.model.record import Record
from shiprider.model.request import (
    AnswerStep,
    InformationRequest,
    RefusalReason,
    RequestAnswer,
    RequestState,
    RequestSubject,
    Urgency,
)
from shiprider.model.wording import Wording

KIND: Final = "request"
ANSWER: Final = "request_answer"
_MOST_ADDRESSED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks. `label` empty: made from `to`, `classification` and `agreement`."""

    to: tuple[str, ...]
    said: Wording
    subject_kind: RequestSubject = "none"
    subject: str = ""
    agreement: str = ""
    purpose: str = ""
    wanted_us: int | None = None
    urgency: Urgency = "routine"
    classification: str = "RESTRICTED"
    label: str = ""
    case: str = ""


class Requests:
    """What one person asks and answers."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen

    def ask(self, question: Question, *, author: str) -> Seen[InformationRequest]:
        """Ask partners. Raises UsageError, InputError, Forbidden, NotFound."""
        pen = self._pen
        partners = pen.addressed(question.to)
        if not 0 < len(partners) <= _MOST_ADDRESSED:
            raise UsageError(f"A request goes to one to {_MOST_ADDRESSED} partners: name them.")
        if question.wanted_us is not None and question.wanted_us <= pen.clock():
            raise UsageError("The answer is wanted by a time that has passed: choose a later one.")
        given = question.label or pen.label_for(partners, question.classification, question.agreement)
        about = self._about(question)
        case = question.case
        purpose = ""
        if question.subject_kind == "case":
            case = question.subject
        if about is not None:
            case, purpose = case or about.case, about.purpose
        label = pen.label_of(given, () if about is None else (about,))
        of = pen.of_kind(KIND, label, purpose=purpose, case=case)
        pen.check_reach(partners, of, "this request")
        body = InformationRequest(
            to=tuple(each.node for each in partners),
            question=question.said,
            subject_kind=question.subject_kind,
            subject=question.subject,
            agreement=question.agreement,
            purpose=question.purpose,
            wanted_us=question.wanted_us,
            urgency=question.urgency,
        )
        return seen(pen.write(of, body, author), InformationRequest)

    def end(
        self, request_id: str, expected_revision: int, state: RequestState, *, author: str
    ) -> Seen[InformationRequest]:
        """Close what is answered, or take back what is no longer asked. Raises NotFound, Conflict, Forbidden."""
        pen = self._pen
        now = pen.view.one(request_id, KIND, InformationRequest)
        if now.record.origin != pen.node:
            raise Forbidden(f"The request is of {now.record.origin}: answer it, or refuse it with a reason.")
        if now.record.revision != expected_revision:
            raise Conflict(
                f"The request is at revision {now.record.revision}, not {expected_revision}: look again and decide again."
            )
        if now.body.state != "open":
            raise Conflict(f"The request is already {now.body.state}: ask again in a new one.")
        newest = pen.ledger.latest(request_id)
        if newest.sequence != now.record.sequence:
            raise Conflict("The request cannot be changed now: ask the watch.")
        body = structs.replace(now.body, state=state)
        of = class_of(now.record)
        made = pen.write(
            of,
            body,
            author,
            record_id=request_id,
            revision=newest.revision,
            valid_from_us=now.record.valid_from_us,
        )
        return seen(made, InformationRequest)

    def answer(
        self,
        request_id: str,
        step: AnswerStep,
        said: Wording,
        *,
        author: str,
        reason: RefusalReason | None = None,
        references: tuple[str, ...] = (),
        label: str = "",
    ) -> Seen[RequestAnswer]:
        """Say that somebody is at it, answer, answer in part, or refuse. Raises NotFound, Conflict, Forbidden."""
        pen = self._pen
        asked = pen.view.one(request_id, KIND, InformationRequest)
        if not asks(asked, pen.node):
            raise Forbidden("This request is not asked of this node: whoever it is asked of answers it.")
        if asked.body.state != "open":
            raise Conflict(f"The request is already {asked.body.state}: nothing more is asked.")
        if (step == "refused") != (reason is not None):
            raise UsageError("A refusal needs a reason, and nothing else has one: choose one of the list.")
        if step == "taken" and references:
            raise UsageError("Taking a request answers nothing yet: refer to records when you answer.")
        (partner,) = pen.addressed((asked.record.origin,))
        pieces = [self._reference(each) for each in references]
        of = pen.of_kind(
            ANSWER,
            pen.label_of(label, (asked.record, *pieces)),
            purpose=asked.record.purpose,
            case=asked.record.case,
        )
        for piece in pieces:
            if piece.origin != partner.node:
                pen.check_reach((partner,), class_of(piece), f"the {piece.kind.replace('_', ' ')} {piece.id}")
        pen.check_reach((partner,), of, "this answer")
        body = RequestAnswer(request=request_id, step=step, said=said, reason=reason, references=references)
        return seen(pen.write(of, body, author), RequestAnswer)

    # -- what it is about -----------------------------------------------------------------------------

    def _about(self, question: Question) -> Record | None:
        kind, subject = question.subject_kind, question.subject
        if kind == "none":
            if subject:
                raise UsageError("Say what kind of thing the request is about, or leave it out.")
            return None
        if kind == "vessel" and not (subject.isdecimal() and len(subject) <= 9):
            raise UsageError(f"{subject[:40]!r} is no MMSI: give up to nine digits.")
        if kind == "case" and not (subject.strip() and subject.isprintable() and len(subject) <= 120):
            raise UsageError("A case is named in 120 printable letters: name it as its records do.")
        if kind in ("vessel", "case"):
            return None
        if not sees_subject(self._pen.view, kind, subject):
            raise NotFound(f"There is no {kind} {subject[:40]}: look the list up again.")
        return self._pen.view.record(subject, kind)

    def _reference(self, record_id: str) -> Record:
        found = self._pen.view.newest(record_id)
        if found is None or found.body is None:
            raise NotFound(f"There is no record {record_id[:40]}: refer to one that you see.")
        return found
