"""Which track points a movement detector may believe.

Always true: a row that is left out here is still in the lake; only its claim about movement is not
used. Base stations, aids to navigation and search aircraft are not vessels.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.model.codes import Flaw, TransmitterClass
from shiprider.model.rows import TrackPoints

_UNUSABLE: Final = int(Flaw.POSITION_UNAVAILABLE | Flaw.OFF_EARTH | Flaw.NULL_ISLAND | Flaw.IMPOSSIBLE_MOTION)
_NOT_VESSELS: Final = (
    TransmitterClass.BASE_STATION,
    TransmitterClass.AID_TO_NAVIGATION,
    TransmitterClass.SAR_AIRCRAFT,
    TransmitterClass.LOCATING_DEVICE,
)


def positions_used(points: TrackPoints) -> NDArray[np.int64]:
    """Row numbers of vessels' believable positions, ascending."""
    good = (points.flaws & _UNUSABLE) == 0
    good &= np.abs(points.latitude_deg) <= 90.0
    good &= np.abs(points.longitude_deg) <= 180.0
    for kind in _NOT_VESSELS:
        good &= points.transmitter_class != int(kind)
    return np.flatnonzero(good)
