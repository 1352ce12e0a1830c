"""What a node says of itself: feeds, lag, disk, what cannot be decoded.

Always true: counts are of this run and the lake together; a feed that gives nothing is "idle" before
it is "down", and a file read to its end is "done".
"""

from dataclasses import dataclass, field
from typing import Literal

FeedCondition = Literal["live", "idle", "down", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """One feed. `lag_s`: from the newest message's own time to its arrival, None where unknown."""

    name: str
    kind: str
    condition: FeedCondition
    messages: int = 0
    messages_per_s: float = 0.0
    last_received_us: int | None = None
    lag_s: float | None = None
    nature: str = "declared"
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """All of it. `quarantine` counts what could not be decoded; `notices` are one sentence each."""

    feeds: tuple[FeedState, ...] = ()
    lag_s: float | None = None
    observations: int = 0
    earliest_us: int | None = None
    quarantine: int = 0
    used_bytes: int = 0
    free_bytes: int = 0
    budget_bytes: int = 0
    notices: tuple[str, ...] = field(default=())
