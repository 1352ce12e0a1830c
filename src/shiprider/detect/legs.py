"""The speed of a leg between two reports of one vessel.

Always true: a leg of at least `chord_us` is timed by the distance made good; a shorter one by the
mean of the two reported speeds where both are there, because ten metres of position noise over a few
seconds are knots.
"""

import math

from shiprider.measure.geodesy import local_one
from shiprider.measure.kernels import kernel


@kernel
def leg_speed(
    lat_a: float,
    lon_a: float,
    speed_a: float,
    lat_b: float,
    lon_b: float,
    speed_b: float,
    span_us: int,
    chord_us: int,
) -> float:
    """Metres per second; `span_us` is positive."""
    if span_us < chord_us and not math.isnan(speed_a) and not math.isnan(speed_b):
        return 0.5 * (speed_a + speed_b)
    return local_one(lat_a, lon_a, lat_b, lon_b) / (span_us * 1e-6)


@kernel
def keep_sample(kept: int, stride: int, seen: int, raws, lats, lons, raw: int, lat: float, lon: float):  # type: ignore[no-untyped-def]
    """Keep every `stride`-th report; when full, drop every other one. Gives (kept, stride)."""
    if seen % stride != 0:
        return kept, stride
    if kept == len(raws):
        for i in range(len(raws) // 2):
            raws[i], lats[i], lons[i] = raws[2 * i], lats[2 * i], lons[2 * i]
        kept = len(raws) // 2
        stride *= 2
        if seen % stride != 0:
            return kept, stride
    raws[kept], lats[kept], lons[kept] = raw, lat, lon
    return kept + 1, stride
