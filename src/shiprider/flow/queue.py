"""The order of the queue: which alert to look at first.

Always true: the order depends on the alerts alone, so two people see the same; what is retracted comes
after what stands, what is over budget after what is within.
"""

from collections.abc import Sequence
from typing import Literal

from shiprider.flow.view import Seen
from shiprider.model.alert import Alert

Sort = Literal["rank", "newest", "score", "start"]


def ordered(alerts: Sequence[Seen[Alert]], sort: Sort) -> list[Seen[Alert]]:
    """Alerts in the order asked for; the id decides between equals."""

    def key(item: Seen[Alert]) -> tuple[float | str, ...]:
        alert = item.body
        if sort == "newest":
            return (-alert.raised_us, item.record.id)
        if sort == "start":
            return (-alert.start_us, item.record.id)
        if sort == "score":
            return (-alert.score, -alert.start_us, item.record.id)
        return (alert.retracted, not alert.budgeted, -alert.probability, -alert.start_us, item.record.id)

    return sorted(alerts, key=key)
