"""How the node does: feeds, disk, counts."""

from typing import Literal

from shiprider.api.schemas.base import Microseconds, Struct
from shiprider.api.schemas.marking import Marking


class FeedStatus(Struct):
    """One feed. `state`: "live", "idle" (nothing for a while), "down", "done" (a file read to its end)."""

    name: str
    kind: str
    state: Literal["live", "idle", "down", "done"]
    text: str
    messages: int
    messages_per_s: float
    last_received_us: Microseconds | None
    lag_s: float | None
    nature: str


class DiskStatus(Struct):
    """Room on the node's disk."""

    used_bytes: int
    free_bytes: int
    budget_bytes: int


class Counts(Struct):
    """What there is."""

    vessels: int
    observations: int
    findings: int
    alerts_new: int
    alerts_taken: int
    alerts_escalated: int
    quarantine: int


class Status(Struct):
    """The status line. `picture_us` is the time of the newest data; `simulated`: some data shown is not real.

    `picture_marking`: of all that the live picture shows; null where it shows nothing.
    """

    node: str
    nation: str
    version: str
    now_us: Microseconds
    picture_us: Microseconds | None
    earliest_us: Microseconds | None
    lag_s: float | None
    simulated: bool
    picture_marking: Marking | None
    demo: bool
    feeds: list[FeedStatus]
    disk: DiskStatus
    counts: Counts
    ledger_sequence: int
    notices: list[str]
