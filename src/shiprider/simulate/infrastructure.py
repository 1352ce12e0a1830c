"""Base stations and aids to navigation: what a coast sends of itself.

Always true: each receiving station has a base station that reports (message 4) and an aid to
navigation off its coast (message 21, every three minutes as ITU-R M.1371-5 has it). A base station
reports every ten seconds; networks thin that, so one in eighteen is passed on (our choice).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.simulate import reporting
from shiprider.simulate.reception import Receivers
from shiprider.simulate.wire import AID_TO_NAVIGATION, BASE_STATION, Received

F64 = NDArray[np.float64]

_EVERY_S: Final = 180.0
#: The aid lies this far off its station, in degrees.
AID_OFF_DEG: Final = 0.03


def infrastructure(
    receivers: Receivers, outage_first: NDArray[np.int64], outages: F64, t0: float, t1: float
) -> Received:
    """Rows of base stations and aids in [t0, t1), each heard by its own station unless that is down."""
    stations = len(receivers.stations)
    number = np.arange(int(np.ceil(t0 / _EVERY_S)), int(np.ceil(t1 / _EVERY_S)))
    which = np.repeat(np.arange(stations), len(number))
    count = np.tile(number, stations)
    floats: list[F64] = []
    integers: list[NDArray[np.int64]] = []
    for channel, phase, shift in ((BASE_STATION, 7.0, 0.0), (AID_TO_NAVIGATION, 91.0, AID_OFF_DEG)):
        t = count * _EVERY_S + (which * 37.0 + phase) % _EVERY_S
        part = np.zeros((len(t), reporting.FLOATS))
        part[:, reporting.R_SENT] = t
        part[:, reporting.R_ARRIVED] = t + 0.4
        part[:, reporting.R_LAT] = receivers.stations[which, 0] + shift
        part[:, reporting.R_LON] = receivers.stations[which, 1] + shift
        whole = np.zeros((len(t), reporting.INTEGERS), np.int64)
        whole[:, reporting.N_VESSEL] = which
        whole[:, reporting.N_RECEIVER] = which
        whole[:, reporting.N_CHANNEL] = channel
        whole[:, reporting.N_COUNT] = count
        up = np.ones(len(t), np.bool_)
        for station in range(stations):
            for start, end in outages[outage_first[station] : outage_first[station + 1]]:
                up &= ~((which == station) & (t >= start) & (t < end))
        floats.append(part[up])
        integers.append(whole[up])
    return Received(np.concatenate(floats), np.concatenate(integers))
