"""Anchorages learnt from where vessels lie still, as Global Fishing Watch learns its own.

Always true: a stationary period is a stretch of one track that stays within 500 m of where it began
for at least 12 h, with no silence longer than 12 h in it; an anchorage is a cell in which at least
20 different vessels had one (GFW, pipe-anchorages: S2 cells of level 14, some 0.5 km; ours are H3
cells of resolution 8, of about the same width). The version names the days and the number of stops,
and anchorages are used only on later days.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.detect.reasons import place
from shiprider.detect.rows_used import positions_used
from shiprider.measure.cells import h3_cells
from shiprider.measure.clock import HOUR_US, iso_from_us
from shiprider.measure.geodesy import local_one, mean_position, wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.model.rows import TrackPoints
from shiprider.model.world import Anchorages

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

#: GFW: within half a kilometre for half a day.
STATIONARY_M: Final = 500.0
STATIONARY_US: Final = 12 * HOUR_US
#: GFW: so many different vessels make a cell an anchorage.
LEAST_VESSELS: Final = 20
_RESOLUTION: Final = 8


@dataclass(frozen=True, slots=True)
class Stops:
    """Stationary periods, m rows: who, when (microseconds), and the mean position."""

    claimed_id: I64
    start_us: I64
    end_us: I64
    latitude_deg: F64
    longitude_deg: F64


@kernel
def _periods(
    time: I64, track: I64, lat: F64, lon: F64, radius_m: float, least: int, first: I64, last: I64, where: F64
) -> int:
    """Periods of rows ordered by track and time: first and last row, mean position. Gives how many."""
    found = 0
    begin = 0
    n = len(time)
    sum_lat, sum_lon = 0.0, 0.0
    for i in range(n + 1):
        over = i == n
        if not over and i > begin:
            over = (
                track[i] != track[begin]
                or time[i] - time[i - 1] > least
                or local_one(lat[begin], lon[begin], lat[i], lon[i]) > radius_m
            )
        if over:
            if i > begin and time[i - 1] - time[begin] >= least:
                first[found], last[found] = begin, i - 1
                where[found, 0] = sum_lat / (i - begin)
                where[found, 1] = wrapped_deg(lon[begin] + sum_lon / (i - begin))
                found += 1
            begin = i
            sum_lat, sum_lon = 0.0, 0.0
        if i < n:
            sum_lat += lat[i]
            sum_lon += wrapped_deg(lon[i] - lon[begin])
    return found


def stationary_periods(points: TrackPoints) -> Stops:
    """Every stationary period in the points (in any order of tracks, each ordered by time)."""
    used = positions_used(points)
    used = used[np.argsort(points.track[used], kind="stable")]
    time, track = points.time_us[used], points.track[used]
    first = np.empty(len(used), dtype=np.int64)
    last = np.empty(len(used), dtype=np.int64)
    where = np.empty((len(used), 2))
    lat, lon = points.latitude_deg[used], points.longitude_deg[used]
    count = _periods(time, track, lat, lon, STATIONARY_M, STATIONARY_US, first, last, where)
    first, last, where = first[:count], last[:count], where[:count]
    return Stops(
        points.claimed_id[used][first], time[first], time[last], where[:, 0].copy(), where[:, 1].copy()
    )


def learnt_anchorages(stops: Stops, least_vessels: int = LEAST_VESSELS) -> Anchorages:
    """Cells where at least `least_vessels` different vessels lay still; the point is their mean."""
    cells = h3_cells(stops.latitude_deg, stops.longitude_deg, _RESOLUTION)
    pairs = np.unique(np.column_stack((cells.astype(np.int64), stops.claimed_id)), axis=0)
    distinct, vessels = np.unique(pairs[:, 0], return_counts=True)
    chosen = distinct[vessels >= least_vessels].astype(np.uint64)
    middles = [
        mean_position(stops.latitude_deg[cells == cell], stops.longitude_deg[cells == cell])
        for cell in chosen
    ]
    days = "no days"
    if len(stops.start_us):
        begin, end = (iso_from_us(int(t))[:10] for t in (stops.start_us.min(), stops.end_us.max()))
        days = f"{begin}..{end}"
    return Anchorages(
        version=f"learnt {days} from {len(cells)} stops, at least {least_vessels} vessels",
        name=tuple(f"learnt {place(*middle)}" for middle in middles),
        latitude_deg=np.array([middle[0] for middle in middles]),
        longitude_deg=np.array([middle[1] for middle in middles]),
    )
