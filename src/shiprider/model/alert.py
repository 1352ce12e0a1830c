"""An alert: published findings that are one matter, put before a watch officer, and what was decided on it.

Always true: an alert has a leading finding, the strongest; each revision is one step of its life (`event`) with the
state after it; a decision names its author and, where it ends the alert, its reason; late data changes
an alert's content, never a person's decision on it.
"""

from typing import Final, Literal

import msgspec

AlertState = Literal["new", "taken", "dismissed", "escalated", "merged"]

#: What a revision did.
AlertStep = Literal[
    "raised", "revised", "retracted", "restored", "outranked", "taken", "dismissed", "escalated", "merged", "reopened", "undone",
    "relabelled",
]  # fmt: skip

#: States in which somebody still has to look or act.
OPEN_STATES: Final[tuple[AlertState, ...]] = ("new", "taken", "escalated")

#: Behaviours that a person asked to be told about: outside the budget.
ASKED_FOR: Final = frozenset({"watchlist", "area"})

#: Why an alert is dismissed. `data_error` and `sensor_fault` say the finding was wrong.
DISMISS_REASONS: Final = (
    "lawful_explained",
    "known_vessel",
    "data_error",
    "sensor_fault",
    "duplicate",
    "out_of_area",
    "other",
)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One step. What of the findings the queue shows is repeated here, as it was known at this step.

    `findings`: ids of all findings of the matter, `finding` the leading one. `score` is the joint one,
    `probability` the calibrated one; `model` names the calibration used. `watch_us` is the start of the
    watch whose budget it is in; `budgeted`: within it (what was asked for is outside the budget).
    """

    finding: str
    finding_revision: int
    findings: tuple[str, ...]
    behaviours: tuple[str, ...]
    watch_us: int
    state: AlertState
    event: AlertStep
    behaviour: str
    preset: str
    subtype: str
    participants: tuple[int, ...]
    start_us: int
    end_us: int
    latitude_deg: float
    longitude_deg: float
    score: float
    probability: float
    model: str
    raised_us: int
    simulated: bool
    retracted: bool = False
    revised: bool = False
    budgeted: bool = True
    holder: str = ""
    reason: str = ""
    text: str = ""
    merged_into: str = ""
