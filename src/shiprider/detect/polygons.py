"""Points in polygons on the Earth's degree grid, over the 180th meridian as well.

Always true: edges are straight in degrees (as GeoJSON, RFC 7946 section 3.1.1, has them); a ring that
crosses the 180th meridian is unrolled, and points are brought to its side; a point on an edge may
fall either way. Even-odd rule (Haines 1994).
"""

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.geodesy import wrapped_deg
from shiprider.measure.kernels import kernel

F64 = NDArray[np.float64]


def unrolled(ring: tuple[tuple[float, float], ...]) -> F64:
    """Vertices (longitude, latitude), shape (n, 2), each longitude next to the one before."""
    vertices = np.array(ring, np.float64)
    steps = (np.diff(vertices[:, 0]) + 180.0) % 360.0 - 180.0
    vertices[1:, 0] = vertices[0, 0] + np.cumsum(steps)
    return vertices


@kernel
def inside_one(
    latitude: float, longitude: float, ring: F64, west: float, east: float, south: float, north: float
) -> bool:
    """Whether one point is inside an unrolled ring with these bounds."""
    if not south <= latitude <= north:
        return False
    middle = 0.5 * (west + east)
    x = middle + wrapped_deg(longitude - middle)
    if not west <= x <= east:
        return False
    within = False
    j = len(ring) - 1
    for i in range(len(ring)):
        if (ring[i, 1] > latitude) != (ring[j, 1] > latitude):
            crossing = ring[i, 0] + (latitude - ring[i, 1]) / (ring[j, 1] - ring[i, 1]) * (
                ring[j, 0] - ring[i, 0]
            )
            if x < crossing:
                within = not within
        j = i
    return within


@kernel
def inside(latitude: F64, longitude: F64, ring: F64) -> NDArray[np.bool_]:
    """Which points are inside an unrolled ring, shape (n,)."""
    west, east = ring[:, 0].min(), ring[:, 0].max()
    south, north = ring[:, 1].min(), ring[:, 1].max()
    out = np.empty(len(latitude), np.bool_)
    for i in range(len(latitude)):
        out[i] = inside_one(latitude[i], longitude[i], ring, west, east, south, north)
    return out
