"""Where requests stand: who asked what of whom, who answered, and how long that took.

Always true: it is read from the records that the observer may see, and from nothing else; a time from asking to
answering is by one clock, this node's: what came from a partner is timed by its receipt.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from msgspec import structs

from shiprider.flow.view import Seen, View
from shiprider.model.request import ANSWERING, InformationRequest, RequestAnswer
from shiprider.ports.ledger import Query

Direction = Literal["asked_by_us", "asked_of_us", "between_others"]
#: waiting: nobody has said anything; the others as answers have them.
Reply = Literal["waiting", "taken", "answered", "partly", "refused"]

#: Subjects that are records.
_RECORDS: Final = frozenset({"alert", "finding", "area"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedNode:
    """How one of those who were asked stands to a request. Times in microseconds since 1970 UTC, by this node's clock."""

    node: str
    reply: Reply
    taken_us: int | None
    answered_us: int | None
    overdue: bool
    #: From asking to the first answer that says something.
    took_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRequest:
    """A request, its answers in the order they came, and how it stands."""

    request: Seen[InformationRequest]
    direction: Direction
    asked_us: int
    answers: tuple[Seen[RequestAnswer], ...]
    addressed: tuple[AddressedNode, ...]

    @property
    def waits(self) -> bool:
        """Whether an answer is still to come."""
        return self.request.body.state == "open" and any(each.answered_us is None for each in self.addressed)

    @property
    def overdue(self) -> bool:
        """Whether one is late."""
        return any(each.overdue for each in self.addressed)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTimes:
    """How long one node takes to answer: of `answered` requests the median and 90th percentile, microseconds.

    Requests without an answer are counted beside them, not in them.
    """

    node: str
    direction: Direction
    asked: int
    answered: int
    waiting: int
    overdue: int
    median_us: int | None
    p90_us: int | None


def asks(request: Seen[InformationRequest], node: str) -> bool:
    """Whether it is asked of this node by another."""
    return node in request.body.to and request.record.origin != node


def sees_subject(view: View, kind: str, subject: str) -> bool:
    """Whether what a request is about may be named to the observer."""
    return kind not in _RECORDS or bool(view.there([subject]))


def requests_standing(view: View, now_us: int, *, since_us: int = 0) -> list[StandingRequest]:
    """All requests the observer sees that were asked since a time, newest first."""
    listed = [
        each
        for each in view.found(Query("request"), InformationRequest)
        if each.record.valid_from_us >= since_us
    ]
    answers: dict[str, list[Seen[RequestAnswer]]] = defaultdict(list)
    for answer in view.found(Query("request_answer", order="oldest"), RequestAnswer):
        answers[answer.body.request].append(answer)
    return [_standing(view, each, answers[each.record.id], now_us) for each in listed]


def request_standing(view: View, request_id: str, now_us: int) -> StandingRequest:
    """One. Raises NotFound."""
    asked = view.one(request_id, "request", InformationRequest)
    query = Query("request_answer", ((f"request:{request_id}",),), order="oldest")
    return _standing(view, asked, view.found(query, RequestAnswer), now_us)


def answer_times(standing: Sequence[StandingRequest], own: str) -> list[AnswerTimes]:
    """By node that answers: partners that we asked, then ourselves. Percentiles by nearest rank."""
    found: dict[tuple[Direction, str], list[tuple[StandingRequest, AddressedNode]]] = defaultdict(list)
    for each in standing:
        for node in each.addressed:
            if each.direction == "asked_by_us" or (each.direction == "asked_of_us" and node.node == own):
                found[each.direction, node.node].append((each, node))
    return [_times(node, direction, found[direction, node]) for direction, node in sorted(found)]


def percentile(values: Sequence[int], part: float) -> int | None:
    """The smallest value that at least this part of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered)), 1) - 1] if ordered else None


def _times(
    node: str, direction: Direction, pairs: Sequence[tuple[StandingRequest, AddressedNode]]
) -> AnswerTimes:
    took = [each.took_us for _, each in pairs if each.took_us is not None]
    return AnswerTimes(
        node=node,
        direction=direction,
        asked=len(pairs),
        answered=len(took),
        waiting=sum(1 for of, each in pairs if each.answered_us is None and of.request.body.state == "open"),
        overdue=sum(1 for _, each in pairs if each.overdue),
        median_us=percentile(took, 0.5),
        p90_us=percentile(took, 0.9),
    )


def _standing(
    view: View, request: Seen[InformationRequest], answers: Sequence[Seen[RequestAnswer]], now_us: int
) -> StandingRequest:
    own, origin = view.ledger.origin, request.record.origin
    direction: Direction = "between_others"
    if origin == own:
        direction = "asked_by_us"
    elif own in request.body.to:
        direction = "asked_of_us"
    first = request.record
    if first.revision > 1:
        first = view.ledger.history(first.id, allowed=view.allowed)[0]
    asked_us = view.known_here_us(first)
    # Only those who were asked answer: a word of anybody else is not counted as one.
    heard = [each for each in answers if each.record.origin in request.body.to]
    linked = view.there(ref for each in heard for ref in each.body.references)
    if not sees_subject(view, request.body.subject_kind, request.body.subject):
        request = replace(request, body=structs.replace(request.body, subject_kind="none", subject=""))
    return StandingRequest(
        request=request,
        direction=direction,
        asked_us=asked_us,
        answers=tuple(
            replace(
                each,
                body=structs.replace(
                    each.body, references=tuple(ref for ref in each.body.references if ref in linked)
                ),
            )
            for each in heard
        ),
        addressed=tuple(
            _addressed(view, request.body, node, asked_us, heard, now_us)
            for node in dict.fromkeys(request.body.to)
        ),
    )


def _addressed(
    view: View,
    request: InformationRequest,
    node: str,
    asked_us: int,
    answers: Sequence[Seen[RequestAnswer]],
    now_us: int,
) -> AddressedNode:
    mine = [each for each in answers if each.record.origin == node]
    taken = next((each for each in mine if each.body.step == "taken"), None)
    first = next((each for each in mine if each.body.step in ANSWERING), None)
    last = [each for each in mine if each.body.step in ANSWERING] or mine
    answered_us = None if first is None else view.known_here_us(first.record)
    wanted = request.wanted_us
    late = wanted is not None and (now_us if answered_us is None else answered_us) > wanted
    return AddressedNode(
        node=node,
        reply=last[-1].body.step if last else "waiting",
        taken_us=None if taken is None else view.known_here_us(taken.record),
        answered_us=answered_us,
        overdue=late and answered_us is None and request.state == "open",
        took_us=None if answered_us is None else max(answered_us - asked_us, 0),
    )
