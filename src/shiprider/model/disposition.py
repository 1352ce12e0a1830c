"""What became of an alert: kept apart from it, because it teaches the ranking.

Always true: a disposition repeats the score and probability that were shown when it was made; every
decision on an alert makes another one, taking back a decision makes a withdrawn one; the newest counts and no other.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import msgspec

T = TypeVar("T")

Outcome = Literal["confirmed", "dismissed", "withdrawn"]


class Disposition(msgspec.Struct, frozen=True, kw_only=True):
    """`confirmed`: escalated by a watch officer. `reason` is one of `alert.DISMISS_REASONS`, or ""."""

    alert: str
    finding: str
    finding_revision: int
    behaviour: str
    preset: str
    subtype: str
    score: float
    probability: float
    outcome: Outcome
    reason: str = ""
    simulated: bool = False


def newest_of_each_alert(recorded: Iterable[T], body: Callable[[T], Disposition]) -> list[T]:
    """What counts of dispositions that are given in the order they were recorded; that order is kept."""
    kept: dict[str, T] = {}
    for each in recorded:
        alert = body(each).alert
        kept.pop(alert, None)
        kept[alert] = each
    return list(kept.values())
