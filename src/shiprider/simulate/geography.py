"""The sea a scenario plays on: ports, lanes and land, handed in as plain arrays.

Always true: nothing here knows where the arrays came from; longitudes are degrees east in -180..180,
latitudes degrees north; `is_land` is vectorised and pure.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

#: (latitude_deg, longitude_deg) -> True where land, element by element.
LandTest = Callable[[F64, F64], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Region:
    """A box in degrees, not across the 180th meridian."""

    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float

    def contains(self, latitude_deg: F64, longitude_deg: F64) -> NDArray[np.bool_]:
        """True where the point is inside, element by element."""
        inside: NDArray[np.bool_] = (
            (latitude_deg >= self.south_deg)
            & (latitude_deg <= self.north_deg)
            & (longitude_deg >= self.west_deg)
            & (longitude_deg <= self.east_deg)
        )
        return inside


@dataclass(frozen=True, slots=True)
class Geography:
    """Ports (n), lane polylines and the land of a region.

    `lanes` are arrays of shape (k, 2): latitude_deg, longitude_deg. `version` names the sources.
    """

    version: str
    region: Region
    port_name: tuple[str, ...]
    port_country: tuple[str, ...]
    port_latitude_deg: F64
    port_longitude_deg: F64
    lanes: tuple[F64, ...]
    is_land: LandTest
