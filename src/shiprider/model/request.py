"""A request for information between nodes, and its answers.

Always true: a request is its originator's and an answer is its own node's, each a record of its own; so where a
request stands is read from both and written in neither.
"""

from typing import Final, Literal, get_args

import msgspec

from shiprider.model.wording import Wording

RequestSubject = Literal["none", "alert", "finding", "area", "vessel", "case"]
Urgency = Literal["routine", "priority", "immediate"]
RequestState = Literal["open", "closed", "withdrawn"]
AnswerStep = Literal["taken", "answered", "partly", "refused"]
RefusalReason = Literal["not_held", "not_releasable", "no_agreement", "not_ours", "no_capacity", "other"]

#: Most urgent first.
URGENCIES: Final[tuple[Urgency, ...]] = ("immediate", "priority", "routine")
REFUSAL_REASONS: Final[tuple[RefusalReason, ...]] = get_args(RefusalReason)
#: Answers that say something; `taken` only says that somebody is at it.
ANSWERING: Final[frozenset[AnswerStep]] = frozenset({"answered", "partly", "refused"})


class InformationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `request`. `to` are nodes; `subject` an id of a record, an MMSI or a case's name.

    `agreement` and `purpose`: under what and for what it is asked. `wanted_us`: by when, microseconds since 1970 UTC.
    """

    to: tuple[str, ...]
    question: Wording
    subject_kind: RequestSubject = "none"
    subject: str = ""
    agreement: str = ""
    purpose: str = ""
    wanted_us: int | None = None
    urgency: Urgency = "routine"
    state: RequestState = "open"


class RequestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `request_answer`: what one node says to a request of another.

    `reason` is given where it refuses; `references` are ids of records that answer, each released to who asked.
    """

    request: str
    step: AnswerStep
    said: Wording
    reason: RefusalReason | None = None
    references: tuple[str, ...] = ()


def request_number(origin: str, record_id: str) -> str:
    """What a request is called in speech, `COL-3F7A2C`. Made of its id: a running number would count hidden ones."""
    return f"{origin}-{record_id[:6]}".upper()
