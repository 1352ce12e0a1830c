"""Acknowledgements of alerts across nodes: whose floor has seen it, and whose has not yet.

Always true: an acknowledgement is known to whoever may know of the alert, and to nobody else; which partners have not
seen it is told of those alone whom the policy lets see it now.
"""

from dataclasses import dataclass
from typing import Final

from shiprider.flow.desk_steps import class_of
from shiprider.flow.view import Seen, View, seen
from shiprider.flow.working.pen import Pen, partners_seen, reaches
from shiprider.model.acknowledgement import AlertAcknowledgement
from shiprider.model.errors import Conflict
from shiprider.ports.ledger import Query

KIND: Final = "alert_acknowledgement"
_WATCH: Final = "watch_officer"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who has seen an alert, in the order it was known here, and partners of whom nobody has."""

    by: tuple[Seen[AlertAcknowledgement], ...]
    waiting: tuple[str, ...]


class Acknowledging:
    """What one person has seen."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen

    def acknowledge(self, alert_id: str, *, author: str, text: str = "") -> Seen[AlertAcknowledgement]:
        """Say that you have seen it. Raises NotFound, Conflict, Forbidden."""
        pen = self._pen
        alert = pen.view.record(alert_id, "alert")
        mine = [each for each in _of(pen.view, alert_id) if each.record.origin == pen.node]
        if any(each.record.author == author and each.body.digest == alert.digest for each in mine):
            raise Conflict("You have acknowledged this alert as it is: nothing is to be said again.")
        of = pen.of_kind(KIND, pen.label_of("", (alert,)), purpose=alert.purpose, case=alert.case)
        body = AlertAcknowledgement(
            alert=alert_id, digest=alert.digest, on_watch=_WATCH in pen.view.observer.roles, text=text.strip()
        )
        return seen(pen.write(of, body, author), AlertAcknowledgement)


def acknowledged(view: View, alert_id: str) -> Acknowledged:
    """Whose floors have seen an alert. Raises NotFound."""
    alert = view.record(alert_id, "alert")
    by = _of(view, alert_id)
    heard = {each.record.origin for each in by}
    waiting: tuple[str, ...] = ()
    if alert.origin == view.ledger.origin:
        waiting = tuple(
            each.node
            for each in partners_seen(view)
            if each.node not in heard and reaches(view, each, class_of(alert))
        )
    return Acknowledged(tuple(by), waiting)


def _of(view: View, alert_id: str) -> list[Seen[AlertAcknowledgement]]:
    return view.found(Query(KIND, ((f"alert:{alert_id}",),), order="oldest"), AlertAcknowledgement)
