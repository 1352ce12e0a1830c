"""What became of an alert: kept apart from it, because it teaches the ranking.

Always true: a disposition repeats the score and probability that were shown when it was made; taking
back a decision withdraws its disposition, in a new revision.
"""

from typing import Literal

import msgspec

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
