"""The shift: what one watch hands to the next, and the signing of it.

Always true: a summary is made from the ledger as it was at `to_us`, which lies in the past, so the same
question gives the same bytes for ever; what is signed is the digest of the bytes that were shown.
"""

import hashlib
from collections import Counter
from collections.abc import Callable

import msgspec

from shiprider.flow.ids import new_id
from shiprider.flow.queue import ordered
from shiprider.flow.view import Seen, View, seen
from shiprider.model.alert import OPEN_STATES
from shiprider.model.errors import Conflict, UsageError
from shiprider.model.handover import Handover, Summary
from shiprider.model.label import combined_text
from shiprider.model.record import Draft
from shiprider.model.watch_log import LogLine
from shiprider.ports.ledger import Ledger


def digest_of(summary: Summary) -> str:
    """SHA-256 of the summary's exact bytes (msgspec JSON, fields in the order of the struct)."""
    return hashlib.sha256(msgspec.json.encode(summary)).hexdigest()


def summarise(view: View, to_us: int) -> Summary:
    """What the next watch gets: since the last handover, as known at `to_us`."""
    before = [item for item in view.handovers() if item.body.summary.to_us < to_us]
    from_us = max((item.body.summary.to_us for item in before), default=0)
    open_alerts = [item for item in view.alerts_known(to_us) if item.body.state in OPEN_STATES]
    log = [
        item
        for item in view.log(since_us=from_us, after=None, limit=None)
        if from_us < item.record.recorded_us <= to_us
    ]
    steps = Counter(item.body.step for item in log)
    head = view.head(known_us=to_us)
    return Summary(
        from_us=from_us,
        to_us=to_us,
        open_alerts=tuple(item.record.id for item in ordered(open_alerts, "rank")),
        log=tuple(item.record.id for item in log),
        taken=steps["taken"],
        dismissed=steps["dismissed"],
        escalated=steps["escalated"],
        merged=steps["merged"],
        retracted=sum(1 for item in open_alerts if item.body.retracted),
        ledger_sequence=head.sequence,
        ledger_head=head.hash,
    )


def sign(
    view: View,
    ledger: Ledger,
    clock: Callable[[], int],
    *,
    digest: str,
    to_us: int,
    author: str,
    relieved_by: str,
    text: str = "",
    ids: Callable[[], str] = new_id,
) -> Seen[Handover]:
    """Hand the watch over. Raises Conflict where the summary shown is not the one that `to_us` gives."""
    if to_us >= clock():
        raise UsageError("The handover ends in the future: choose a time that has passed.")
    relieved_by = " ".join(relieved_by.split())
    if not relieved_by or relieved_by == author:
        raise UsageError("The watch is handed to somebody else: name who takes over.")
    summary = summarise(view, to_us)
    if digest_of(summary) != digest:
        raise Conflict(
            "The summary that was shown is not the one of this time: look at it again and sign again."
        )
    if any(item.body.summary.to_us >= to_us for item in view.handovers(limit=1)):
        raise Conflict("The watch was already handed over after that time: look at the handovers again.")
    label = _label_of(view, summary)
    body = Handover(summary=summary, digest=digest, relieved_by=relieved_by, text=text)
    line = LogLine(text=f"{author} → {relieved_by}. {text}".strip(), source="decision", step="handed_over")
    records = ledger.append(
        [
            Draft(
                id=ids(),
                kind="handover",
                expected_revision=0,
                schema=1,
                author=author,
                valid_from_us=summary.from_us,
                valid_to_us=to_us,
                label=label,
                body=msgspec.json.encode(body),
            ),
            Draft(
                id=ids(),
                kind="watch_log",
                expected_revision=0,
                schema=1,
                author=author,
                valid_from_us=clock(),
                label=label,
                body=msgspec.json.encode(line),
            ),
        ]
    )
    return seen(records[0], Handover)


def _label_of(view: View, summary: Summary) -> str:
    """What is listed is not known more widely by being listed; a summary of nothing is the node's own."""
    listed = set(summary.open_alerts)
    labels = {i.record.label for i in view.alerts_known(summary.to_us) if i.record.id in listed}
    labels |= {item.record.label for item in view.log_lines(summary.log)}
    return combined_text(labels)
