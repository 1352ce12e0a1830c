"""What may be taken of a partner's feed: the next bundle, whole, signed, and of nobody else.

Always true: in doubt nothing is taken; a bundle that was taken before is known again by its hash, and another one
in its place is a fork, which is never taken; an item is refused with its whole bundle, so a feed has no holes.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shiprider.model import signature
from shiprider.model.envelope import Fields, parse_envelope
from shiprider.model.feed_bundle import (
    BEGINNING,
    REASONS,
    FeedBundle,
    Item,
    NewKey,
    Recall,
    SharedRecord,
    Withdrawn,
)
from shiprider.model.label import Label, parse
from shiprider.model.signature import Check

#: Kinds that nodes exchange; all others are a node's own business.
SHARED: Final = (
    "alert",
    "finding",
    "disposition",
    "note",
    "watchlist",
    "area",
    "tear_line",
    "agreement",
    "request",
    "request_answer",
    "alert_acknowledgement",
    "chat_message",
)

_HEX: Final = frozenset("0123456789abcdef")
#: How far a partner's clock may be ahead.
_AHEAD_US: Final = 10 * 60 * 1_000_000


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The last bundle of a feed that was taken: nothing yet where `sequence` is 0."""

    epoch: int = 0
    sequence: int = 0
    hash: str = BEGINNING


#: take: it is the next one; known: it was taken before; early: one before it is missing; refuse: never.
Answer = Literal["take", "known", "early", "refuse"]


@dataclass(frozen=True, slots=True)
class Admission:
    """What to do with a bundle, and why it is refused (a key of the catalogue)."""

    answer: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """From whom and for whom a bundle must be, where the feed stands, and who can check the sender's signature."""

    sender: str
    recipient: str
    last: Position
    check: Check
    now_us: int
    #: Hashes of bundles of this feed that were taken, by epoch and sequence; "" where none was.
    taken: Callable[[int, int], str]


def admitted(bundle: FeedBundle, of: Expected) -> Admission:
    """Whether a bundle is the next of its feed."""
    if bundle.sender != of.sender:
        return Admission("refuse", "other_sender")
    if bundle.recipient != of.recipient:
        return Admission("refuse", "other_recipient")
    if bundle.sequence < 1 or bundle.epoch < 1:
        return Admission("refuse", "no_place")
    if bundle.made_us > of.now_us + _AHEAD_US:
        return Admission("refuse", "from_the_future")
    if not bundle.is_signed(of.check):
        return Admission("refuse", "not_signed")
    last = of.last
    if (bundle.epoch, bundle.sequence) <= (last.epoch, last.sequence):
        same = of.taken(bundle.epoch, bundle.sequence) == bundle.hash
        return Admission("known") if same else Admission("refuse", "forked")
    if bundle.epoch > last.epoch:
        if bundle.sequence != 1:
            return Admission("early")
        return Admission("take") if bundle.previous == BEGINNING else Admission("refuse", "forked")
    if bundle.sequence != last.sequence + 1:
        return Admission("early")
    return Admission("take") if bundle.previous == last.hash else Admission("refuse", "forked")


@dataclass(frozen=True, slots=True)
class TakenRecord:
    """A record of a partner that may be stored."""

    fields: Fields
    signature: bytes
    body: bytes


def fault_of_record(item: SharedRecord, *, origin: str, check: Check) -> TakenRecord | str:
    """The record, or why it is none of this originator's (a key of the catalogue)."""
    try:
        fields = parse_envelope(item.envelope)
    except ValueError:
        return "envelope"
    if fields.origin != origin:
        return "other_origin"
    if fields.kind not in SHARED:
        return "kind"
    if len(fields.id) != 32 or not _HEX.issuperset(fields.id) or fields.revision < 1 or not fields.author:
        return "envelope"
    if "\0" in f"{fields.author}{fields.label}{fields.purpose}{fields.case}":
        return "envelope"
    if not isinstance(parse(fields.label), Label) or not fields.label:
        return "label"
    if hashlib.sha256(item.body).hexdigest() != fields.digest:
        return "body"
    if not signature.verify(item.envelope, item.signature, check, fields.recorded_us):
        return "not_signed"
    return TakenRecord(fields, item.signature, item.body)


@dataclass(frozen=True, slots=True)
class Opened:
    """The items of a bundle, each found good."""

    records: tuple[TakenRecord, ...] = ()
    recalls: tuple[Recall, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    keys: tuple[NewKey, ...] = ()


def opened(items: Iterable[Item], *, origin: str, check: Check) -> Opened | str:
    """All items, or why one of them, and so the bundle, is refused."""
    records: list[TakenRecord] = []
    recalls: list[Recall] = []
    answers: list[Withdrawn] = []
    keys: list[NewKey] = []
    for item in items:
        match item:
            case SharedRecord():
                found = fault_of_record(item, origin=origin, check=check)
                if isinstance(found, str):
                    return found
                records.append(found)
            case Recall():
                if item.reason not in REASONS or not _is_id(item.id) or not _is_id(item.record):
                    return "recall"
                recalls.append(item)
            case Withdrawn():
                if not _is_id(item.recall) or item.derived < 0:
                    return "answer"
                answers.append(item)
            case NewKey():
                keys.append(item)
    return Opened(tuple(records), tuple(recalls), tuple(answers), tuple(keys))


def _is_id(text: str) -> bool:
    return len(text) == 32 and _HEX.issuperset(text)
