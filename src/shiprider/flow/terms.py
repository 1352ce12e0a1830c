"""The terms by which the latest revision of a record is found (`ports.ledger.Filed`).

Always true: terms are made from the body alone, so they can be made again.
"""

from collections.abc import Iterable

import msgspec

from shiprider.model.alert import OPEN_STATES, Alert
from shiprider.model.foreign_report import ForeignReport
from shiprider.model.publication import Publication
from shiprider.model.record import Record


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


def of_foreign_report(body: ForeignReport) -> tuple[str, ...]:
    """Its source and format, whether it could be read, the numbers of vessels it names."""
    found = [f"source:{body.source}", f"format:{body.format}", "unreadable" if body.fault else "readable"]
    for name, value in body.identifiers:
        if name in ("mmsi", "imo") and value.isascii() and value.isdecimal() and len(value) <= 9:
            found.append(f"{name}:{int(value)}")
    return tuple(dict.fromkeys(found))


def of_record(record: Record) -> tuple[str, ...] | None:
    """The terms of a finding, an alert or a foreign report; None for other kinds, and where the law had the body erased."""
    if record.body is None:
        return None
    if record.kind == "finding":
        return of_finding(msgspec.json.decode(record.body, type=Publication))
    if record.kind == "alert":
        return of_alert(msgspec.json.decode(record.body, type=Alert))
    if record.kind == "foreign_report":
        return of_foreign_report(msgspec.json.decode(record.body, type=ForeignReport))
    return None
