"""What detectors know of the world beyond the rows: coast, anchorages, receivers, learnt models.

Always true: everything here is handed in, versioned, and fitted only on days before the rows it is
used on. A part that is None is unknown, and the detector that needs it says so or falls back.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


class Coast(Protocol):
    """Land and the distance to it."""

    @property
    def version(self) -> str:
        """Which source and edition."""
        ...

    def is_land(self, latitude_deg: F64, longitude_deg: F64) -> NDArray[np.bool_]:
        """True where the position is on land, shape (n,)."""
        ...

    def distance_to_shore_m(self, latitude_deg: F64, longitude_deg: F64) -> F64:
        """Metres to the nearest land, 0 on land, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class Anchorages:
    """Anchorage points, m rows."""

    version: str
    name: tuple[str, ...]
    latitude_deg: F64
    longitude_deg: F64


@dataclass(frozen=True, slots=True)
class Receivers:
    """The operator's receivers, `kind` codes of `ReceiverKind`."""

    version: str
    source: tuple[str, ...]
    kind: NDArray[np.int8]
    latitude_deg: F64
    longitude_deg: F64


class Reception(Protocol):
    """How likely it is to hear a transmitter there and then."""

    @property
    def version(self) -> str:
        """Which fit, on which days."""
        ...

    def positions_per_day(
        self,
        latitude_deg: float,
        longitude_deg: float,
        transmitter_class: int,
        speed_mps: float,
        nav_status: int,
    ) -> float:
        """Positions received in a day of a transmitter that stays there and is on; NaN where nothing is known."""
        ...

    def silence_probability(
        self,
        latitude_deg: float,
        longitude_deg: float,
        transmitter_class: int,
        start_us: int,
        duration_s: float,
        speed_mps: float,
        course_deg: float = 0.0,
        nav_status: int = 15,
        own_received: float = 0.0,
        own_expected: float = 0.0,
    ) -> float:
        """Probability that a transmitter that is on is not heard at all for that long.

        It starts there and moves steadily. `own_received` of `own_expected` reports of this very
        transmitter were heard just before: it may be heard better or worse than others are.
        """
        ...

    def chance_threshold(self, false_alarms_per_vessel_day: float) -> float:
        """The silence probability below which silences by chance alone number so many a vessel-day."""
        ...


class Traffic(Protocol):
    """What is normal movement for a class of vessel in a cell."""

    @property
    def version(self) -> str:
        """Which fit, on which days."""
        ...

    def log_density(
        self,
        vessel_class: NDArray[np.int8],
        latitude_deg: F64,
        longitude_deg: F64,
        course_deg: F64,
        speed_mps: F64,
    ) -> F64:
        """Log of the learnt density relative to its own average, shape (n,)."""
        ...

    def departure_threshold(self, vessel_class_code: int, false_alarms_per_vessel_day: float) -> float:
        """The cumulative sum of rarity that normal vessel-days exceed at that rate only."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """One line of a watchlist. The strongest identifier that is given decides (see detect/watchlist.py)."""

    list_name: str
    mmsi: int | None = None
    imo: int | None = None
    name: str | None = None
    callsign: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A named polygon (GeoJSON ring order, degrees) with entry and exit alerts."""

    name: str
    ring: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class World:
    """All of it."""

    coast: Coast | None = None
    anchorages: Anchorages | None = None
    receivers: Receivers | None = None
    reception: Reception | None = None
    traffic: Traffic | None = None
    watchlist: tuple[Watch, ...] = ()
    areas: tuple[Area, ...] = ()
