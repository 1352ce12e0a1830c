"""A finding: one behaviour seen, with its score, its reason and the observations that show it.

Always true: no score without a reason; no reason without evidence; a finding is content, its id is
minted by the ledger at its first publication.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

#: A fact in a reason: numbers carry their unit in the name (`duration_s`, `distance_m`, `speed_mps`).
Fact = str | int | float

State = Literal["open", "closed", "retracted"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of one participant's track that shows the behaviour.

    `raws` are raw addresses (`model.tables.raw_address`) of observations, first and last included,
    thinned to at most 64; times in microseconds since 1970 UTC.
    """

    track: int
    claimed_id: int
    start_us: int
    end_us: int
    raws: tuple[int, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A detector's claim. `participants` are MMSI, ascending. `score` is in 0..1.

    `reason_key` names a template in `detect/reasons/{en,es}.toml`; `facts` fill it.
    `state`: "open" while it goes on, "closed" when over, "retracted" when late data undid it.
    `versions` names the learnt inputs used (reception map, anchorages, traffic model).
    """

    behaviour: str
    preset: str
    subtype: str = ""
    participants: tuple[int, ...]
    start_us: int
    end_us: int
    latitude_deg: float
    longitude_deg: float
    score: float
    reason_key: str
    facts: Mapping[str, Fact]
    evidence: tuple[Evidence, ...]
    state: State = "closed"
    versions: Mapping[str, str] = {}
    simulated: bool = False

    def key(self) -> tuple[str, str, str, tuple[int, ...]]:
        """What must match, with overlapping intervals, for a revision to keep its id."""
        return (self.behaviour, self.preset, self.subtype, self.participants)
