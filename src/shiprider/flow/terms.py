"""The terms by which the latest revision of a record is found (`ports.ledger.Filed`).

Always true: terms are made from the body alone, so they can be made again.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from shiprider.model.acknowledgement import AlertAcknowledgement
from shiprider.model.adoption import Adoption
from shiprider.model.alert import OPEN_STATES, Alert
from shiprider.model.chat import ChatMessage
from shiprider.model.foreign_report import ForeignReport
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.model.request import InformationRequest, RequestAnswer

_ID: Final = re.compile("[0-9a-f]{32}|[0-9]{1,9}")


def _participants(participants: Iterable[int]) -> list[str]:
    return [f"mmsi:{mmsi}" for mmsi in participants]


def of_finding(body: Publication) -> tuple[str, ...]:
    """Behaviour, preset, participants, state, nature."""
    finding = body.finding
    return (
        f"behaviour:{finding.behaviour}",
        f"preset:{finding.behaviour}.{finding.preset}",
        f"state:{finding.state}",
        f"simulated:{finding.simulated}",
        *_participants(finding.participants),
    )


def of_alert(body: Alert) -> tuple[str, ...]:
    """State, whether it is open, behaviour, participants, its finding, what it was merged into."""
    terms = [
        f"state:{body.state}",
        f"simulated:{body.simulated}",
        f"retracted:{body.retracted}",
        *(f"behaviour:{behaviour}" for behaviour in body.behaviours),
        *(f"finding:{finding}" for finding in body.findings),
        *_participants(body.participants),
    ]
    if body.state in OPEN_STATES:
        terms.append("open")
    if body.merged_into:
        terms.append(f"merged_into:{body.merged_into}")
    return tuple(terms)


def of_body(body: msgspec.Struct) -> tuple[str, ...]:
    """Of what nodes ask and tell each other: what it is about, whom it is for."""
    match body:
        case ChatMessage():
            return (room_term(body.room_kind, body.room), *_linked("reply", body.reply_to))
        case InformationRequest():
            about = body.subject if body.subject_kind != "case" else ""
            return (*(f"to:{_hashed(name)}" for name in body.to), *_linked("about", about))
        case RequestAnswer():
            return (
                *_linked("request", body.request),
                *(term for each in body.references for term in _linked("reference", each)),
            )
        case AlertAcknowledgement():
            return _linked("alert", body.alert)
        case Adoption():
            return _linked("order", body.order)
    return ()


def room_term(kind: str, room: str) -> str:
    """By which messages of a room are found. A term is one word; a room's name is anything."""
    return f"{kind}:{_hashed(room)}"


def _linked(name: str, subject: str) -> tuple[str, ...]:
    """An id as it is; anything else, which a partner may have written, as one word."""
    return (f"{name}:{subject if _ID.fullmatch(subject) else _hashed(subject)}",) if subject else ()


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


#: Kinds whose terms `of_body` makes.
_WORKING: Final[dict[str, type[msgspec.Struct]]] = {
    "chat_message": ChatMessage,
    "request": InformationRequest,
    "request_answer": RequestAnswer,
    "alert_acknowledgement": AlertAcknowledgement,
    "adoption": Adoption,
}


def of_foreign_report(body: ForeignReport) -> tuple[str, ...]:
    """Its source and format, whether it could be read, the numbers of vessels it names."""
    found = [f"source:{body.source}", f"format:{body.format}", "unreadable" if body.fault else "readable"]
    for name, value in body.identifiers:
        if name in ("mmsi", "imo") and value.isascii() and value.isdecimal() and len(value) <= 9:
            found.append(f"{name}:{int(value)}")
    return tuple(dict.fromkeys(found))


def of_record(record: Record) -> tuple[str, ...] | None:
    """The terms of a record; None for other kinds, and where the law had the body erased."""
    if record.body is None:
        return None
    if record.kind == "finding":
        return of_finding(msgspec.json.decode(record.body, type=Publication))
    if record.kind == "alert":
        return of_alert(msgspec.json.decode(record.body, type=Alert))
    if record.kind in _WORKING:
        return of_body(msgspec.json.decode(record.body, type=_WORKING[record.kind]))
    if record.kind == "foreign_report":
        return of_foreign_report(msgspec.json.decode(record.body, type=ForeignReport))
    return None
