"""How often a station must report its position: ITU-R M.1371-5, annex 1, tables 1 and 2.

Always true: intervals are nominal, for a steady course (a turning class A ship reports up to three
times as often, so expectations made from these are on the low side); speeds are m/s.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.kernels import kernel
from shiprider.model.codes import TransmitterClass

_KNOT_MPS: Final = 1852.0 / 3600.0
_A: Final = int(TransmitterClass.A)
_B_SO: Final = int(TransmitterClass.B_SO)
_B_CS: Final = int(TransmitterClass.B_CS)
_AID: Final = int(TransmitterClass.AID_TO_NAVIGATION)
_AT_ANCHOR: Final = 1
_MOORED: Final = 5


@kernel
def reporting_interval_s(transmitter_class: int, speed_mps: float, nav_status: int) -> float:
    """Seconds between position reports; an unknown speed counts as slow, an unknown class as class A."""
    knots = speed_mps / _KNOT_MPS if np.isfinite(speed_mps) else 0.0
    if transmitter_class == _B_CS:
        return 180.0 if knots <= 2.0 else 30.0
    if transmitter_class == _B_SO:
        if knots <= 2.0:
            return 180.0
        return 30.0 if knots <= 14.0 else (15.0 if knots <= 23.0 else 5.0)
    if transmitter_class == _AID:
        return 180.0
    if transmitter_class == _A or transmitter_class == 0:
        if nav_status in (_AT_ANCHOR, _MOORED) and knots <= 3.0:
            return 180.0
        return 10.0 if knots <= 14.0 else (6.0 if knots <= 23.0 else 2.0)
    return 10.0


@kernel
def reporting_intervals_s(
    transmitter_class: NDArray[np.int8], speed_mps: NDArray[np.float32], nav_status: NDArray[np.int8]
) -> NDArray[np.float64]:
    """`reporting_interval_s` of many, shape (n,)."""
    out = np.empty(len(speed_mps))
    for i in range(len(speed_mps)):
        out[i] = reporting_interval_s(transmitter_class[i], speed_mps[i], nav_status[i])
    return out
