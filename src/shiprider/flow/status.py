"""What a node says of itself: feeds, lag, disk, what cannot be decoded.

Always true: counts are of this run and the lake together; a feed that gives nothing is "idle" before
it is "down", and a file read to its end is "done".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FeedCondition = Literal["live", "idle", "down", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """One feed. `label` is the stored text of its label: who may not see its rows does not see the feed.

    `wall`: what it gives is of this moment. `lag_s`: from the newest message's own time to its arrival, None where unknown.
    """

    name: str
    kind: str
    label: str = ""
    wall: bool = False
    condition: FeedCondition
    messages: int = 0
    messages_per_s: float = 0.0
    last_received_us: int | None = None
    lag_s: float | None = None
    nature: str = "declared"
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence; `label` is the stored text of the label of what it tells of (empty: the node's own)."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """All of it. `observations` counts rows by the number of their label; `notices` are one sentence each.

    They are told to who may see what carries their label.
    """

    feeds: tuple[FeedState, ...] = ()
    observations: Mapping[int, int] = field(default_factory=dict)
    earliest_us: int | None = None
    used_bytes: int = 0
    free_bytes: int = 0
    budget_bytes: int = 0
    notices: tuple[Notice, ...] = ()
