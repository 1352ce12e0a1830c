"""What nodes ask and tell each other, as its reader sees it.

Always true: a fixed message is in the reader's language and free text in its sender's, each marked with it; what was
taken back is named and says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shiprider.api import permissions
from shiprider.api.rendering import Rendering
from shiprider.api.schemas import working as s
from shiprider.api.words import word
from shiprider.flow.view import Seen, seen
from shiprider.flow.working.acknowledging import Acknowledged
from shiprider.flow.working.adopting import PartnerOrder
from shiprider.flow.working.standing import AddressedNode, AnswerTimes, StandingRequest
from shiprider.flow.working.timeline import CaseEvent
from shiprider.model.acknowledgement import AlertAcknowledgement
from shiprider.model.alert import Alert
from shiprider.model.chat import ChatMessage
from shiprider.model.errors import InputError, NotFound
from shiprider.model.note import Note
from shiprider.model.orders import WatchedArea, Watchlist
from shiprider.model.partner import Partner
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.model.request import InformationRequest, RequestAnswer, request_number
from shiprider.model.watch_log import LogLine
from shiprider.model.wording import MESSAGE_LANGUAGES, MessageLanguage, Wording
from shiprider.share.messages import Use, arguments_of, offered, read, words_of

_LINE_LETTERS = 280


@dataclass(frozen=True, slots=True)
class WorkingRendering:
    """What one person sees; `words` is the language in which he reads fixed messages."""

    rendering: Rendering
    words: MessageLanguage

    @property
    def view(self) -> Any:
        """What he sees."""
        return self.rendering.view

    def said(self, wording: Wording) -> s.SaidOut:
        """What somebody said."""
        text, language = read(wording, self.words, self.rendering.called)
        return s.SaidOut(
            text=text,
            language=language,
            template=wording.template,
            sent_text=wording.text,
            sent_language=wording.language,
        )

    def partner(self, partner: Partner) -> s.CorrespondentOut:
        """A partner."""
        told = partner.introduction
        return s.CorrespondentOut(
            node=partner.node,
            name=told.name,
            nation=told.nation,
            organisation=told.organisation,
            # Of cases, those that he may know of.
            cases=[each for each in partner.cases if self._knows_case(each)],
        )

    def _knows_case(self, case: str) -> bool:
        observer = self.view.observer
        return observer.owner or case in observer.cases

    def fixed(self, use: Use) -> s.FixedMessages:
        """The fixed messages of a use."""
        return s.FixedMessages(
            language=self.words,
            messages=[
                s.FixedMessageOut(
                    template=each,
                    text=words_of(each, self.words),
                    arguments=[
                        s.ArgumentOut(name=name, type=kind) for name, kind in arguments_of(each).items()
                    ],
                )
                for each in offered(use)
            ],
        )

    # -- requests -------------------------------------------------------------------------------------

    def request(self, standing: StandingRequest) -> s.RequestOut:
        """A request as it stands."""
        record, body = standing.request.record, standing.request.body
        roles, language = self.view.observer.roles, self.rendering.language
        may = permissions.may(roles, "ask_partners") and body.state == "open"
        return s.RequestOut(
            id=record.id,
            revision=record.revision,
            number=request_number(record.origin, record.id),
            node=record.origin,
            author=record.author,
            direction=standing.direction,
            to=list(body.to),
            question=self.said(body.question),
            subject_kind=body.subject_kind,
            subject=body.subject,
            case=record.case,
            agreement=body.agreement,
            purpose=body.purpose,
            wanted_us=body.wanted_us,
            urgency=body.urgency,
            urgency_text=word("urgency", body.urgency, language),
            state=body.state,
            state_text=word("request", body.state, language),
            asked_us=standing.asked_us,
            waits=standing.waits,
            overdue=standing.overdue,
            addressed=[self._addressed(each) for each in standing.addressed],
            answers=[self.answer(each) for each in standing.answers],
            may_answer=may and standing.direction == "asked_of_us",
            may_end=may and standing.direction == "asked_by_us",
            marking=self.rendering.marking(record.label, *(each.record.label for each in standing.answers)),
        )

    def _addressed(self, of: AddressedNode) -> s.AddressedOut:
        return s.AddressedOut(
            node=of.node,
            reply=of.reply,
            reply_text=word("reply", of.reply, self.rendering.language),
            taken_us=of.taken_us,
            answered_us=of.answered_us,
            overdue=of.overdue,
            took_us=of.took_us,
        )

    def answer(self, item: Seen[RequestAnswer]) -> s.AnswerOut:
        """What a node said to a request."""
        language = self.rendering.language
        reason = item.body.reason or ""
        return s.AnswerOut(
            id=item.record.id,
            node=item.record.origin,
            author=item.record.author,
            step=item.body.step,
            step_text=word("reply", item.body.step, language),
            reason=reason,
            reason_text=word("refusal", reason, language) if reason else "",
            said=self.said(item.body.said),
            references=list(item.body.references),
            known_us=self.view.known_here_us(item.record),
            recorded_us=item.record.recorded_us,
            marking=self.rendering.marking(item.record.label),
        )

    def times(self, of: AnswerTimes) -> s.AnswerTimesOut:
        """How long one node takes."""
        return s.AnswerTimesOut(
            node=of.node,
            direction=of.direction,
            asked=of.asked,
            answered=of.answered,
            waiting=of.waiting,
            overdue=of.overdue,
            median_us=of.median_us,
            p90_us=of.p90_us,
        )

    # -- chat -----------------------------------------------------------------------------------------

    def message(self, item: Seen[ChatMessage], answered: Mapping[str, Seen[ChatMessage]]) -> s.MessageOut:
        """A message; `answered` are those that messages answer, by id."""
        before = answered.get(item.body.reply_to)
        return s.MessageOut(
            id=item.record.id,
            node=item.record.origin,
            author=item.record.author,
            said=self.said(item.body.said),
            reply_to=item.body.reply_to,
            reply_text=_line(self.said(before.body.said).text) if before else "",
            known_us=self.view.known_here_us(item.record),
            recorded_us=item.record.recorded_us,
            marking=self.rendering.marking(item.record.label),
        )

    # -- alerts ---------------------------------------------------------------------------------------

    def acknowledgement(self, item: Seen[AlertAcknowledgement], digest: str) -> s.AcknowledgementOut:
        """Who has seen an alert; `digest` is that of the alert as it is."""
        return s.AcknowledgementOut(
            id=item.record.id,
            node=item.record.origin,
            author=item.record.author,
            on_watch=item.body.on_watch,
            current=item.body.digest == digest,
            text=item.body.text,
            recorded_us=item.record.recorded_us,
            known_us=self.view.known_here_us(item.record),
            marking=self.rendering.marking(item.record.label),
        )

    def acknowledgements(self, found: Acknowledged, digest: str, author: str) -> s.Acknowledgements:
        """All of an alert; whether `author` may add his."""
        own = self.view.ledger.origin
        said = any(
            each.record.origin == own and each.record.author == author and each.body.digest == digest
            for each in found.by
        )
        return s.Acknowledgements(
            acknowledgements=[self.acknowledgement(each, digest) for each in found.by],
            waiting=list(found.waiting),
            may_acknowledge=not said and permissions.may(self.view.observer.roles, "annotate"),
        )

    # -- orders ---------------------------------------------------------------------------------------

    def order(self, of: PartnerOrder) -> s.PartnerOrderOut:
        """A partner's order."""
        labels = [] if of.order is None else [of.order.record.label]
        if of.adoption is not None:
            labels.append(of.adoption.record.label)
        body = None if of.order is None else of.order.body
        size = len(body.entries) if isinstance(body, Watchlist) else len(body.ring) if body else 0
        active = of.adoption is not None and of.adoption.body.active
        return s.PartnerOrderOut(
            id=of.id,
            kind=of.kind,
            node=of.origin,
            name="" if body is None else body.name,
            size=size,
            digest="" if of.order is None else of.order.record.digest,
            state=of.state,
            state_text=word("adoption", of.state, self.rendering.language),
            adoption=of.adoption.record.id if active and of.adoption else "",
            adoption_revision=of.adoption.record.revision if of.adoption else 0,
            adopted_by=of.adoption.record.author if of.adoption else "",
            adopted_us=of.adoption.record.recorded_us if of.adoption else None,
            known_us=of.known_us,
            marking=self.rendering.marking(*labels),
        )

    # -- timeline -------------------------------------------------------------------------------------

    def event(self, of: CaseEvent) -> s.CaseEventOut:
        """A record of a case in one line."""
        record = of.record
        text, language = ("", None) if of.state != "here" else self._line(record)
        return s.CaseEventOut(
            id=record.id,
            kind=record.kind,
            kind_text=word("record", record.kind, self.rendering.language),
            node=record.origin,
            author=record.author,
            text=text,
            language=language,
            valid_us=record.valid_from_us,
            recorded_us=record.recorded_us,
            known_us=of.known_us,
            late=of.late,
            state=of.state,
            gone_us=of.gone_us,
            marking=self.rendering.marking(record.label),
        )

    def _line(self, record: Record) -> tuple[str, MessageLanguage | None]:
        """What a record says, and in which language where that is its sender's."""
        try:
            return self._told(record)
        except (NotFound, InputError):
            # Of a form that is not read here: that it is there is told.
            return "", None

    def _told(self, record: Record) -> tuple[str, MessageLanguage | None]:
        language = self.rendering.language
        match record.kind:
            case "chat_message":
                said = self.said(seen(record, ChatMessage).body.said)
                return _line(said.text), said.language
            case "request":
                said = self.said(seen(record, InformationRequest).body.question)
                return f"{request_number(record.origin, record.id)}: {_line(said.text)}", said.language
            case "request_answer":
                body = seen(record, RequestAnswer).body
                said = self.said(body.said)
                return f"{word('reply', body.step, language)}: {_line(said.text)}", said.language
            case "alert_acknowledgement":
                return _line(seen(record, AlertAcknowledgement).body.text), None
            case "alert":
                body_of = seen(record, Alert).body
                states = word("state", body_of.state, language)
                return f"{word('behaviour', body_of.behaviour, language)}, {states}", None
            case "finding":
                return _line(self.rendering.reason(seen(record, Publication).body.finding)), None
            case "note":
                return _line(seen(record, Note).body.text), None
            case "watch_log":
                return _line(seen(record, LogLine).body.text), None
            case "watchlist":
                return _line(seen(record, Watchlist).body.name), None
            case "area":
                return _line(seen(record, WatchedArea).body.name), None
        return "", None


def read_in(language: str) -> MessageLanguage:
    """The language of fixed messages for a reader of the page in another; English where there is none."""
    return next((each for each in MESSAGE_LANGUAGES if each == language), "en")


def _line(text: str) -> str:
    """In one line, not too long."""
    plain = " ".join(text.split())
    return plain if len(plain) <= _LINE_LETTERS else f"{plain[: _LINE_LETTERS - 1]}…"
