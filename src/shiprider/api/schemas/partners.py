"""What goes over the wire as JSON about partners: who they are, what each was sent, what is taken back.

Always true: of a partner's feed only what its reader may read himself is in here, and no number of the feed.
"""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Microseconds, RecordId, Request, Struct
from shiprider.api.schemas.desk import Revision, Why, Word
from shiprider.api.schemas.marking import Marking
from shiprider.flow.exchange.liaison import OrderedReason
from shiprider.model.partner import PartnerState

Clearance = Literal["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP_SECRET"]


class LinkOut(Struct):
    """How the exchange with a partner stands. `clock_s`: its clock was so far ahead of ours when it was heard last.

    `heard_us` null: not since the node was started. `trouble` is the node's sentence, empty where there is none.
    """

    up: bool
    trouble: str
    heard_us: Microseconds | None
    clock_s: float
    refused: int


class PartnerOut(Struct):
    """A partner's node. `link` null: nothing is exchanged. `waiting`: what I may read and it was not sent yet, 1,000 at most."""

    id: RecordId
    revision: int
    node: str
    name: str
    nation: str
    organisation: str
    state: PartnerState
    fingerprint: str
    clearance: str
    communities: list[str]
    purposes: list[str]
    place: str
    introduced_by: str
    confirmed_by: str
    why: str
    recorded_us: Microseconds
    waiting: int
    link: LinkOut | None


class Partners(Struct):
    """Every partner there ever was. `purposes`: what anybody may read for here."""

    now_us: Microseconds
    partners: list[PartnerOut]
    purposes: list[str]


class OwnIntroduction(Struct):
    """This node's introduction: the text of the file for a partner, and the fingerprint to be read to him."""

    node: str
    file: str
    fingerprint: str


class PartnerNew(Request):
    """A partner's introduction as its file has it. `place`: `host:port` of its broker, empty where it comes to ours."""

    file: Annotated[str, Meta(min_length=1, max_length=20_000)]
    place: Annotated[str, Meta(max_length=260)] = ""


class PartnerConfirm(Request):
    """The fingerprint as the partner read it out, and what it may be sent."""

    expected_revision: Revision
    fingerprint: Annotated[str, Meta(min_length=1, max_length=200)]
    clearance: Clearance
    purposes: Annotated[list[Word], Meta(min_length=1, max_length=50)]
    communities: Annotated[list[Word], Meta(max_length=50)] = []


class PartnerEnd(Request):
    """Exchange nothing more. `left`: it left by itself, nothing is held against it."""

    expected_revision: Revision
    why: Why
    left: bool = False


class RecallOut(Struct):
    """A recall. `sent_us` null: it waits for the link; `answered_us` null: the partner has not said that it took it away.

    `derived`: so many things of the partner's rest on it.
    """

    id: RecordId
    partner: str
    kind: str
    record: RecordId
    record_revision: int
    reason: str
    why: str
    ordered_by: str
    ordered_us: Microseconds
    sent_us: Microseconds | None
    answered_us: Microseconds | None
    derived: int
    marking: Marking


class SharedOut(Struct):
    """One revision of a record that a partner was sent; `acknowledged`: it is durable there, as far as is known."""

    kind: str
    id: RecordId
    revision: int
    author: str
    sent_us: Microseconds
    acknowledged: bool
    recall: RecallOut | None
    marking: Marking


class SharedPage(Struct):
    """What a partner was sent of what I may read, newest first. `next_cursor` "": this is the end."""

    items: list[SharedOut]
    next_cursor: str
    marking: Marking


class PartnerOfRecord(Struct):
    """One record and one partner: whether the policy lets the partner read it now, why, and since when he has it."""

    id: RecordId
    node: str
    name: str
    allowed: bool
    reasons: list[str]
    sent_us: Microseconds | None
    acknowledged: bool
    recall: RecallOut | None


class PartnersOfRecord(Struct):
    """One record and each confirmed partner."""

    kind: str
    id: RecordId
    is_ours: bool
    partners: list[PartnerOfRecord]
    marking: Marking


class RecallNew(Request):
    """Take a record back. `partners`: names of nodes, empty: all who were sent it."""

    kind: Word
    id: RecordId
    reason: OrderedReason
    why: Why
    partners: Annotated[list[Word], Meta(max_length=200)] = []


class Recalls(Struct):
    """Recalls of what I may read, newest first."""

    recalls: list[RecallOut]
    marking: Marking


class Reference(Struct):
    """A record that is only named."""

    kind: str
    id: RecordId


class WithdrawnOut(Struct):
    """What a partner took back from us; `derived`: what of ours rests on it."""

    id: RecordId
    partner: str
    kind: str
    record: RecordId
    reason: str
    withdrawn_us: Microseconds
    derived: list[Reference]
    marking: Marking


class WithdrawnItems(Struct):
    """What partners took back from us of what I could read, newest first."""

    withdrawn: list[WithdrawnOut]
    marking: Marking
