"""A disclosure: what of one finding or alert is handed to somebody who runs other software.

Always true: it holds nothing that the policy does not let whoever takes it out export; `label` is the combination
of the labels of everything in it; what a vessel says of itself is a claim with a label of its own.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shiprider.model.finding import Fact
from shiprider.model.label import combined_text


class VesselClaim(msgspec.Struct, frozen=True, kw_only=True):
    """What is claimed of one vessel. `flag`: ISO 3166-1 alpha-3 by its MMSI; empty or 0 where it never said."""

    mmsi: int
    name: str = ""
    callsign: str = ""
    imo: int = 0
    ship_type: int = -1
    flag: str = ""
    label: str = ""


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """When one vessel was observed doing it. Times in microseconds since 1970 UTC; `count` observations named."""

    mmsi: int
    start_us: int
    end_us: int
    count: int


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """One finding or alert. Times in microseconds since 1970 UTC, the place in degrees.

    `own_label` is the record's, `label` that of everything in it. `probability` is the calibrated one of an alert, None
    of a finding; `findings` are ids of the findings of an alert that may go as well.
    """

    record: str
    revision: int
    kind: Literal["finding", "alert"]
    origin: str
    created_us: int
    modified_us: int
    own_label: str
    title: str
    text: str
    behaviours: tuple[str, ...]
    preset: str
    start_us: int
    end_us: int
    latitude_deg: float
    longitude_deg: float
    score: float
    state: str
    simulated: bool
    participants: tuple[int, ...]
    retracted: bool = False
    probability: float | None = None
    vessels: tuple[VesselClaim, ...] = ()
    presences: tuple[Presence, ...] = ()
    findings: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = {}

    @property
    def label(self) -> str:
        """Of everything in it."""
        return combined_text((self.own_label, *(vessel.label for vessel in self.vessels)))
