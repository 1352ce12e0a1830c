"""Bodies of records across versions of Shiprider.

Always true: the stored bytes are never rewritten; a body of an older form is brought forward as it is read,
by every step there is a function for; one of the next newer form is read with the fields that are known
here, and the others are kept beside it; what is further off is refused in one sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import msgspec

from shiprider.model.acknowledgement import AlertAcknowledgement
from shiprider.model.adoption import Adoption
from shiprider.model.agreement import Agreement
from shiprider.model.alert import Alert
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.chat import ChatMessage
from shiprider.model.disposition import Disposition
from shiprider.model.errors import InputError
from shiprider.model.evidence import EvidenceExport
from shiprider.model.exchange import Dispatch, RecallAnswer, RecallOrder, Receipt, Withdrawal
from shiprider.model.foreign_report import ForeignReport
from shiprider.model.handover import Handover
from shiprider.model.note import Note
from shiprider.model.orders import LegalHold, Preferences, WatchedArea, Watchlist
from shiprider.model.partner import Partner
from shiprider.model.proposals import PolicyChange, Relabelling, TearLineProposal
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.model.request import InformationRequest, RequestAnswer
from shiprider.model.signing_key import SigningKey
from shiprider.model.spool_seal import SpoolSeal
from shiprider.model.tear_line import TearLine, TearLineLink
from shiprider.model.watch_log import LogLine

B = TypeVar("B", bound=msgspec.Struct)

#: A body of one form as it is in the next: plain JSON values.
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BodyForm(Generic[B]):
    """How the bodies of a kind are written now: `upgrades` lead to `schema`, the last from the form before it."""

    type: type[B]
    schema: int = 1
    upgrades: tuple[Upgrade, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadBody(Generic[B]):
    """A body, and the fields of a newer form that are not known here, as plain JSON values."""

    body: B
    more: Mapping[str, Any] = field(default_factory=dict)


#: The form of each kind of record. Who changes one adds an upgrade and raises `schema`, here and in its drafts.
FORMS: Final[dict[str, BodyForm[Any]]] = {
    "finding": BodyForm(Publication),
    "alert": BodyForm(Alert),
    "disposition": BodyForm(Disposition),
    "note": BodyForm(Note),
    "watch_log": BodyForm(LogLine),
    "handover": BodyForm(Handover),
    "watchlist": BodyForm(Watchlist),
    "area": BodyForm(WatchedArea),
    "legal_hold": BodyForm(LegalHold),
    "setting": BodyForm(Preferences),
    "signing_key": BodyForm(SigningKey),
    "tear_line": BodyForm(TearLine),
    "tear_line_link": BodyForm(TearLineLink),
    "policy_change": BodyForm(PolicyChange),
    "tear_line_proposal": BodyForm(TearLineProposal),
    "relabelling": BodyForm(Relabelling),
    "agreement": BodyForm(Agreement),
    "evidence_export": BodyForm(EvidenceExport, schema=2, upgrades=(dict,)),
    "browsing_alarm": BodyForm(BrowsingAlarm),
    "partner": BodyForm(Partner),
    "dispatch": BodyForm(Dispatch),
    "receipt": BodyForm(Receipt),
    "recall": BodyForm(RecallOrder),
    "withdrawal": BodyForm(Withdrawal),
    "recall_answer": BodyForm(RecallAnswer),
    "spool_seal": BodyForm(SpoolSeal),
    "chat_message": BodyForm(ChatMessage),
    "request": BodyForm(InformationRequest),
    "request_answer": BodyForm(RequestAnswer),
    "alert_acknowledgement": BodyForm(AlertAcknowledgement),
    "adoption": BodyForm(Adoption),
    "foreign_report": BodyForm(ForeignReport),
}


def read_body(record: Record, data: bytes, form: BodyForm[B]) -> ReadBody[B]:
    """The body of a record from its bytes. Raises InputError where it cannot be read."""
    oldest = form.schema - len(form.upgrades)
    if not oldest <= record.schema <= form.schema + 1:
        raise InputError(
            f"The {record.kind} {record.id} has form {record.schema}, and this Shiprider reads forms {oldest} to "
            f"{form.schema + 1}: {'update Shiprider' if record.schema > form.schema else 'use an older Shiprider'}."
        )
    try:
        if record.schema == form.schema:
            return ReadBody(msgspec.json.decode(data, type=form.type))
        plain = msgspec.json.decode(data, type=dict[str, Any])
        if record.schema < form.schema:
            for upgrade in form.upgrades[record.schema - form.schema :]:
                plain = upgrade(plain)
            return ReadBody(msgspec.convert(plain, form.type))
        body = msgspec.json.decode(data, type=form.type)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise InputError(
            f"The body of the {record.kind} {record.id}, of form {record.schema}, cannot be read ({error}): update "
            "Shiprider."
        ) from error
    return ReadBody(body, _unknown(plain, msgspec.to_builtins(body)))


def _unknown(found: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """What is in the one and not in the other, at any depth of objects."""
    more: dict[str, Any] = {}
    for name, value in found.items():
        if name not in known:
            more[name] = value
        elif isinstance(value, dict) and isinstance(known[name], dict):
            inner = _unknown(value, known[name])
            if inner:
                more[name] = inner
    return more
