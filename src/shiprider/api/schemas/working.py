"""Working together: requests for information, chat, acknowledgements, timelines, adopted orders."""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Microseconds, RecordId, Request, ShortText, Struct
from shiprider.api.schemas.marking import Marking

WordsLanguage = Literal["en", "es", "pt", "fr", "nl"]
Classified = Literal["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP_SECRET"]
Argument = int | float | str
NodeName = Annotated[str, Meta(min_length=1, max_length=80)]
RoomName = Annotated[str, Meta(min_length=1, max_length=120)]
LabelText = Annotated[str, Meta(max_length=4000, description="As a person writes it; empty: of `to`.")]


class SaidOut(Struct):
    """What somebody said: a fixed message in the reader's language, free text in its sender's (`language`).

    `sent_text` is as the sender saw it, in `sent_language`.
    """

    text: str
    language: WordsLanguage
    template: str
    sent_text: str
    sent_language: WordsLanguage


class SaidNew(Request):
    """Say something: a text in `language`, or a fixed message by `template` with its `arguments`."""

    text: Annotated[str, Meta(max_length=4000)] = ""
    language: WordsLanguage = "en"
    template: Annotated[str, Meta(max_length=40)] = ""
    arguments: Annotated[dict[str, Argument], Meta(max_length=10)] = {}


class CorrespondentOut(Struct):
    """A confirmed partner, and the cases that it was taken into."""

    node: str
    name: str
    nation: str
    organisation: str
    cases: list[str]


class Correspondents(Struct):
    """Confirmed partners, by name."""

    partners: list[CorrespondentOut]


class ArgumentOut(Struct):
    """A gap of a fixed message. place: "latitude,longitude" in degrees; time: microseconds; duration: seconds."""

    name: str
    type: Literal["vessel", "time", "place", "duration", "count", "text"]


class FixedMessageOut(Struct):
    """A fixed message with its gaps, `{vessel}`."""

    template: str
    text: str
    arguments: list[ArgumentOut]


class FixedMessages(Struct):
    """Fixed messages in one language."""

    language: WordsLanguage
    messages: list[FixedMessageOut]


class AnswerOut(Struct):
    """What a node said to a request. `known_us`: since when it is known here."""

    id: RecordId
    node: str
    author: str
    step: Literal["taken", "answered", "partly", "refused"]
    step_text: str
    reason: str
    reason_text: str
    said: SaidOut
    references: list[RecordId]
    known_us: Microseconds
    recorded_us: Microseconds
    marking: Marking


class AddressedOut(Struct):
    """How one who was asked stands to a request; times by this node's clock, `took_us` from asking to answering."""

    node: str
    reply: Literal["waiting", "taken", "answered", "partly", "refused"]
    reply_text: str
    taken_us: Microseconds | None
    answered_us: Microseconds | None
    overdue: bool
    took_us: int | None


class RequestOut(Struct):
    """A request for information. `number` is made of its id, so it counts nothing."""

    id: RecordId
    revision: int
    number: str
    node: str
    author: str
    direction: Literal["asked_by_us", "asked_of_us", "between_others"]
    to: list[str]
    question: SaidOut
    subject_kind: Literal["none", "alert", "finding", "area", "vessel", "case"]
    subject: str
    case: str
    agreement: str
    purpose: str
    wanted_us: Microseconds | None
    urgency: Literal["immediate", "priority", "routine"]
    urgency_text: str
    state: Literal["open", "closed", "withdrawn"]
    state_text: str
    asked_us: Microseconds
    waits: bool
    overdue: bool
    addressed: list[AddressedOut]
    answers: list[AnswerOut]
    may_answer: bool
    may_end: bool
    marking: Marking


class Requests(Struct):
    """Requests, newest first. `total` before paging."""

    requests: list[RequestOut]
    total: int
    next_cursor: str
    marking: Marking


class RequestNew(Request):
    """Ask partners. Without `label` it goes to those in `to` alone."""

    to: Annotated[list[NodeName], Meta(min_length=1, max_length=20)]
    question: SaidNew
    subject_kind: Literal["none", "alert", "finding", "area", "vessel", "case"] = "none"
    subject: Annotated[str, Meta(max_length=120)] = ""
    case: Annotated[str, Meta(max_length=120)] = ""
    agreement: Annotated[str, Meta(max_length=120)] = ""
    purpose: Annotated[str, Meta(max_length=200)] = ""
    wanted_us: Microseconds | None = None
    urgency: Literal["immediate", "priority", "routine"] = "routine"
    classification: Classified = "RESTRICTED"
    label: LabelText = ""


class RequestEnd(Request):
    """Close an own request that is answered, or withdraw it."""

    expected_revision: int
    state: Literal["closed", "withdrawn"]


class AnswerNew(Request):
    """Answer a request. A refusal has a `reason`; `references` are ids of records that its asker may see."""

    step: Literal["taken", "answered", "partly", "refused"]
    said: SaidNew
    reason: (
        Literal["not_held", "not_releasable", "no_agreement", "not_ours", "no_capacity", "other"] | None
    ) = None
    references: Annotated[list[RecordId], Meta(max_length=50)] = []
    label: LabelText = ""


class AnswerTimesOut(Struct):
    """How long one node takes to answer, microseconds; requests that wait are beside it, not in it."""

    node: str
    direction: Literal["asked_by_us", "asked_of_us", "between_others"]
    asked: int
    answered: int
    waiting: int
    overdue: int
    median_us: int | None
    p90_us: int | None


class AnswerTimesPage(Struct):
    """By node, of requests since a time."""

    since_us: Microseconds
    times: list[AnswerTimesOut]


class CaseOut(Struct):
    """A case that one may see: whose records there are of it, which partners were taken into it."""

    name: str
    nodes: list[str]
    partners: list[str]


class Cases(Struct):
    """Cases and operations, by name."""

    cases: list[CaseOut]
    operations: list[str]


class MessageOut(Struct):
    """A chat message. `reply_text`: the beginning of what it answers."""

    id: RecordId
    node: str
    author: str
    said: SaidOut
    reply_to: str
    reply_text: str
    known_us: Microseconds
    recorded_us: Microseconds
    marking: Marking


class Messages(Struct):
    """Messages of a room, newest first."""

    messages: list[MessageOut]
    next_cursor: str
    marking: Marking


class MessageNew(Request):
    """Say something on a case or operation; without `to`, `label` and `reply_to` it stays on this node."""

    room_kind: Literal["case", "operation"]
    room: RoomName
    said: SaidNew
    to: Annotated[list[NodeName], Meta(max_length=20)] = []
    classification: Classified = "RESTRICTED"
    label: LabelText = ""
    reply_to: RecordId | None = None


class CaseEventOut(Struct):
    """A record of a case. `late`: it came long after it was recorded; `gone_us`: its content was taken away then."""

    id: RecordId
    kind: str
    kind_text: str
    node: str
    author: str
    text: str
    language: WordsLanguage | None
    valid_us: Microseconds
    recorded_us: Microseconds
    known_us: Microseconds
    late: bool
    state: Literal["here", "recalled", "erased"]
    gone_us: Microseconds | None
    marking: Marking


class CaseTimeline(Struct):
    """Records of a case by when they were true, newest first."""

    case: str
    events: list[CaseEventOut]
    next_cursor: str
    marking: Marking


class AcknowledgementOut(Struct):
    """Somebody has seen an alert; `current`: as it is now."""

    id: RecordId
    node: str
    author: str
    on_watch: bool
    current: bool
    text: str
    recorded_us: Microseconds
    known_us: Microseconds
    marking: Marking


class Acknowledgements(Struct):
    """Whose floors have seen an alert; `waiting`: partners who may see it and of whom nobody has."""

    acknowledgements: list[AcknowledgementOut]
    waiting: list[str]
    may_acknowledge: bool


class Acknowledge(Request):
    """Say that you have seen an alert."""

    text: ShortText = ""


class PartnerOrderOut(Struct):
    """A partner's area or watchlist here. `digest` names what is looked at; empty where it was recalled."""

    id: RecordId
    kind: Literal["watchlist", "area"]
    node: str
    name: str
    size: int
    digest: str
    state: Literal["offered", "following", "pinned", "changed", "withdrawn", "recalled", "ended"]
    state_text: str
    adoption: str
    adoption_revision: int
    adopted_by: str
    adopted_us: Microseconds | None
    known_us: Microseconds
    marking: Marking


class PartnerOrders(Struct):
    """Areas and watchlists of partners."""

    orders: list[PartnerOrderOut]
    marking: Marking


class AdoptionNew(Request):
    """Follow a partner's order as one's own: every revision, or (`pin`) the one that was looked at (`digest`)."""

    order: RecordId
    kind: Literal["watchlist", "area"]
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    mode: Literal["follow", "pin"] = "follow"


class AdoptionEnd(Request):
    """Follow it no longer."""

    expected_revision: int
