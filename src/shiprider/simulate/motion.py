"""Movement as knots: moments with a position and a velocity, joined by cubic Hermite curves.

Always true: an array of knots has the columns below, ascending in time; between two knots a vessel
moves on the cubic that meets both positions and both velocities, so speed and course are continuous;
flags (status, transmitting, identity, claimed place) hold from their knot to the next.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.kernels import kernel

F64 = NDArray[np.float64]

#: Knots -> claimed latitude, longitude and their speeds, shape (n, 4).
Claim = Callable[[F64], F64]

#: Columns: seconds since the scenario's start, degrees, degrees a second, ITU-R M.1371 status,
#: transmitting (0/1), identity slot of the vessel, and the claimed place (NaN: the true one).
T, LAT, LON, VLAT, VLON, STATUS, ON, IDENTITY, CLAT, CLON, CVLAT, CVLON = range(12)
COLUMNS: Final = 12

METRES_PER_DEGREE: Final = 111_195.0
KNOT_MPS: Final = 1852.0 / 3600.0

UNDER_WAY, AT_ANCHOR, RESTRICTED, MOORED, FISHING, SAILING, TOWING, UNDEFINED = 0, 1, 3, 5, 7, 8, 12, 15

#: Between knots on a straight leg; long enough to be cheap, short enough to wander like a helmsman.
CRUISE_KNOT_S: Final = 1200.0


def knots_of(t: F64, lat: F64, lon: F64, vlat: F64, vlon: F64, status: int, on: bool = True) -> F64:
    """Knots from columns; `t` in seconds since the scenario's start."""
    knots = np.empty((len(t), COLUMNS))
    knots[:, T], knots[:, LAT], knots[:, LON], knots[:, VLAT], knots[:, VLON] = t, lat, lon, vlat, vlon
    knots[:, STATUS], knots[:, ON], knots[:, IDENTITY], knots[:, CLAT:] = status, on, 0, np.nan
    return knots


@kernel
def _sail(
    path: F64,
    t0: float,
    speed: float,
    v0: float,
    v1: float,
    accel: float,
    turn_s: float,
    noise: F64,
    wander: float,
) -> F64:
    """(k, 5) t, lat, lon, vlat, vlon along `path`; see `sail`."""
    n = len(path)
    # Corners become arcs: five points on a quadratic Bezier curve.
    shape = np.empty((n * 5 + 2, 2))
    shape[0, 0] = path[0, 0]
    shape[0, 1] = path[0, 1]
    m = 1
    for i in range(1, n - 1):
        scale = np.cos(np.deg2rad(path[i, 0]))
        ax = (path[i, 1] - path[i - 1, 1]) * scale
        ay = path[i, 0] - path[i - 1, 0]
        bx = (path[i + 1, 1] - path[i, 1]) * scale
        by = path[i + 1, 0] - path[i, 0]
        la = np.hypot(ax, ay)
        lb = np.hypot(bx, by)
        if la < 1e-9 or lb < 1e-9:
            continue
        angle = abs(np.arctan2(ax * by - ay * bx, ax * bx + ay * by))
        if angle < 0.02:
            shape[m, 0] = path[i, 0]
            shape[m, 1] = path[i, 1]
            m += 1
            continue
        back = min(0.42 * la, 0.42 * lb, speed * turn_s * np.tan(min(angle, 2.6) / 2.0) / 111195.0)
        for j in range(5):
            u = j / 4.0
            wa = (1.0 - u) * (1.0 - u) * back / la
            wb = u * u * back / lb
            shape[m, 0] = path[i, 0] - wa * ay + wb * by
            shape[m, 1] = path[i, 1] + (-wa * ax + wb * bx) / scale
            m += 1
    shape[m, 0] = path[n - 1, 0]
    shape[m, 1] = path[n - 1, 1]
    m += 1
    s = np.zeros(m)
    for i in range(1, m):
        scale = np.cos(np.deg2rad(0.5 * (shape[i, 0] + shape[i - 1, 0])))
        dx = (shape[i, 1] - shape[i - 1, 1]) * scale
        s[i] = s[i - 1] + np.hypot(dx, shape[i, 0] - shape[i - 1, 0]) * 111195.0
    total = s[m - 1]
    top = speed
    if (2 * top * top - v0 * v0 - v1 * v1) / (2 * accel) > total:
        top = max(np.sqrt(accel * total + 0.5 * (v0 * v0 + v1 * v1)), v0, v1, 0.05)
    rise = max(0.0, (top * top - v0 * v0) / (2 * accel))
    fall = max(0.0, (top * top - v1 * v1) / (2 * accel))
    # Where knots lie: the shape's points, regular steps, and steps in both ramps.
    regular = int(total / (speed * 1200.0))
    spots = np.empty(m + regular + 12)
    for i in range(m):
        spots[i] = s[i]
    k = m
    for i in range(1, regular + 1):
        spots[k] = total * i / (regular + 1)
        k += 1
    for j in range(1, 6):
        spots[k] = min(rise * (j / 5.0) ** 2, total)
        spots[k + 1] = max(total - fall * (j / 5.0) ** 2, 0.0)
        k += 2
    # By insertion: the pieces are nearly in order, and it compiles in a tenth of the time of a library sort.
    for i in range(1, k):
        value = spots[i]
        j = i - 1
        while j >= 0 and spots[j] > value:
            spots[j + 1] = spots[j]
            j -= 1
        spots[j + 1] = value
    out = np.empty((k, 5))
    count = 0
    cell = 0
    last = -1e9
    clock = t0
    steps = len(noise) // 3
    for i in range(k):
        d = spots[i]
        if d - last < 8.0 and i > 0 and i != k - 1:
            continue
        if i == k - 1 and count > 1 and d - last < 8.0:
            count -= 1
        while cell < m - 2 and s[cell + 1] < d:
            cell += 1
        span = s[cell + 1] - s[cell]
        u = (d - s[cell]) / span if span > 0 else 0.0
        lat = shape[cell, 0] + (shape[cell + 1, 0] - shape[cell, 0]) * u
        lon = shape[cell, 1] + (shape[cell + 1, 1] - shape[cell, 1]) * u
        if d < rise:
            clock = t0 + (np.sqrt(v0 * v0 + 2 * accel * d) - v0) / accel
        elif d <= total - fall:
            clock = t0 + (top - v0) / accel * (1 if rise > 0 else 0) + (d - rise) / top
        else:
            left = max(total - d, 0.0)
            clock = (
                t0
                + (top - v0) / accel * (1 if rise > 0 else 0)
                + (total - rise - fall) / top
                + (top - np.sqrt(v1 * v1 + 2 * accel * left)) / accel
            )
        # Slow changes of speed and small departures from the line, none at the ends.
        part = d / total * (steps - 1) if total > 0 else 0.0
        w = int(part)
        w = min(w, steps - 2)
        f = part - w
        taper = min(1.0, min(d, total - d) / 6000.0)
        bend = f * f * (3 - 2 * f)
        north = (noise[w] * (1 - bend) + noise[w + 1] * bend) * taper * wander * 0.7
        east = (noise[steps + w] * (1 - bend) + noise[steps + w + 1] * bend) * taper * wander * 0.7
        pace = (noise[2 * steps + w] * (1 - bend) + noise[2 * steps + w + 1] * bend) * taper
        clock += pace * min(45.0, 0.025 * total / top / (steps - 1))
        lat += north / 111195.0
        lon += east / (111195.0 * np.cos(np.deg2rad(lat)))
        out[count, 0] = clock
        out[count, 1] = lat
        out[count, 2] = lon
        last = d
        count += 1
    for i in range(count):
        if i == 0 or i == count - 1:
            j = 0 if i == 0 else count - 2
            if count < 2:
                out[i, 3] = out[i, 4] = 0.0
                continue
            h = out[j + 1, 0] - out[j, 0]
            dlat = out[j + 1, 1] - out[j, 1]
            dlon = out[j + 1, 2] - out[j, 2]
            mean = np.hypot(dlat, dlon * np.cos(np.deg2rad(out[j, 1]))) * 111195.0 / max(h, 1e-3)
            wanted = v0 if i == 0 else v1
            factor = wanted / mean if mean > 1e-6 else 0.0
            out[i, 3] = dlat / max(h, 1e-3) * factor
            out[i, 4] = dlon / max(h, 1e-3) * factor
        else:
            ha = out[i, 0] - out[i - 1, 0]
            hb = out[i + 1, 0] - out[i, 0]
            for c in (1, 2):
                da = (out[i, c] - out[i - 1, c]) / max(ha, 1e-3)
                db = (out[i + 1, c] - out[i, c]) / max(hb, 1e-3)
                out[i, c + 2] = (da * hb + db * ha) / (ha + hb)
    return out[:count]


def sail(
    t0: float,
    path: F64,
    speed_mps: float,
    rng: np.random.Generator,
    *,
    status: int = UNDER_WAY,
    on: bool = True,
    start_mps: float = 0.0,
    end_mps: float = 0.0,
    acceleration_mps2: float = 0.02,
    turn_s: float = 150.0,
    wander_m: float = 80.0,
) -> F64:
    """Knots along `path`, shape (k, 2) of latitude and longitude, at a cruising speed.

    Speeds up from `start_mps`, slows down to `end_mps`; turns with a radius of speed x `turn_s`
    (150 s is about 23 degrees a minute); wanders `wander_m` (one sigma) off the line.
    """
    noise = rng.standard_normal(3 * max(4, min(40, len(path) * 4)))
    table = _sail(
        np.ascontiguousarray(path),
        t0,
        speed_mps,
        start_mps,
        end_mps,
        acceleration_mps2,
        turn_s,
        noise,
        wander_m,
    )
    return knots_of(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4], status, on)


def moor(t0: float, t1: float, lat: float, lon: float, *, status: int = MOORED, on: bool = True) -> F64:
    """Still at one place from `t0` to `t1`."""
    zero = np.zeros(2)
    return knots_of(np.array([t0, t1]), np.array([lat, lat]), np.array([lon, lon]), zero, zero, status, on)


def swing(
    t0: float,
    t1: float,
    lat: float,
    lon: float,
    radius_m: float,
    rng: np.random.Generator,
    *,
    status: int = AT_ANCHOR,
    on: bool = True,
    step_s: float = 2400.0,
) -> F64:
    """Riding to an anchor: slow arcs about a place, still at both ends."""
    n = max(3, int((t1 - t0) / step_s) + 2)
    t = np.linspace(t0, t1, n)
    angle = np.cumsum(rng.normal(0.0, 0.35, n)) + rng.uniform(0, 2 * np.pi)
    radius = radius_m * (0.8 + 0.2 * np.sin(angle * 3.0))
    east, north = radius * np.sin(angle), radius * np.cos(angle)
    east -= np.linspace(east[0], east[-1], n)
    north -= np.linspace(north[0], north[-1], n)
    la = lat + north / METRES_PER_DEGREE
    lo = lon + east / (METRES_PER_DEGREE * np.cos(np.deg2rad(lat)))
    vla, vlo = through(t, la), through(t, lo)
    return knots_of(t, la, lo, vla, vlo, status, on)


def through(t: F64, x: F64) -> F64:
    """Velocity at each knot of a curve through all points, zero at both ends."""
    v = np.zeros(len(t))
    if len(t) > 2:
        h = np.maximum(np.diff(t), 1e-3)
        slope = np.diff(x) / h
        v[1:-1] = (slope[:-1] * h[1:] + slope[1:] * h[:-1]) / (h[:-1] + h[1:])
    return v


def offset_path(lat: float, lon: float, bearing_deg: float, distance_m: float) -> tuple[float, float]:
    """The place `distance_m` away on a bearing, flat Earth (good below 100 km)."""
    angle = np.deg2rad(bearing_deg)
    return (
        float(lat + distance_m * np.cos(angle) / METRES_PER_DEGREE),
        float(lon + distance_m * np.sin(angle) / (METRES_PER_DEGREE * np.cos(np.deg2rad(lat)))),
    )


def shifted(knots: F64, north_m: F64 | float, east_m: F64 | float) -> F64:
    """The same movement beside itself, by metres north and east (arrays: one value a knot)."""
    out = knots.copy()
    scale = METRES_PER_DEGREE * np.cos(np.deg2rad(knots[:, LAT]))
    out[:, LAT] += np.asarray(north_m) / METRES_PER_DEGREE
    out[:, LON] += np.asarray(east_m) / scale
    if np.ndim(north_m) or np.ndim(east_m):
        keep = (out[0, VLAT:STATUS].copy(), out[-1, VLAT:STATUS].copy())
        out[:, VLAT] = through(out[:, T], out[:, LAT])
        out[:, VLON] = through(out[:, T], out[:, LON])
        out[0, VLAT:STATUS], out[-1, VLAT:STATUS] = keep
    return out


def abreast(knots: F64, right_m: F64 | float, ahead_m: F64 | float = 0.0, settle_s: float = 1800.0) -> F64:
    """A companion that keeps station on the movement's course: metres to the right and ahead.

    It swings into place within about `settle_s` after a turn, as a tow or a partner does.
    """
    scale = np.cos(np.deg2rad(knots[:, LAT]))
    heading = knots[:, VLAT] + 1j * knots[:, VLON] * scale
    size = np.abs(heading)
    moving = size > 1e-9
    if not moving.any():
        heading = np.ones(len(knots), complex)
    else:
        first = int(np.argmax(moving))
        index = np.maximum.accumulate(np.where(moving, np.arange(len(knots)), first))
        heading = heading[index] / size[index]
        if settle_s > 0 and knots[-1, T] - knots[0, T] > 2 * settle_s:
            step = settle_s / 6.0
            times = np.arange(knots[0, T] - 2 * settle_s, knots[-1, T] + 2 * settle_s, step)
            held = heading[np.clip(np.searchsorted(knots[:, T], times, side="right") - 1, 0, len(knots) - 1)]
            smooth = np.convolve(np.convolve(held, np.ones(7) / 7, "same"), np.ones(7) / 7, "same")
            # A turn right about would pass through nothing: a small push to the right avoids it.
            smooth = np.interp(knots[:, T], times, smooth) + 0.02j * heading
            heading = smooth / np.abs(smooth)
    north = ahead_m * heading.real - right_m * heading.imag
    east = ahead_m * heading.imag + right_m * heading.real
    return shifted(knots, north, east)


def at(knots: F64, t: float) -> tuple[float, float]:
    """Latitude and longitude at a moment inside the knots."""
    i = int(np.clip(np.searchsorted(knots[:, T], t, side="right") - 1, 0, len(knots) - 2))
    a, b = knots[i], knots[i + 1]
    h = b[T] - a[T]
    if h <= 0:
        return float(b[LAT]), float(b[LON])
    u = (t - a[T]) / h
    h00, h10, h01, h11 = 2 * u**3 - 3 * u**2 + 1, u**3 - 2 * u**2 + u, -2 * u**3 + 3 * u**2, u**3 - u**2
    lat = h00 * a[LAT] + h10 * h * a[VLAT] + h01 * b[LAT] + h11 * h * b[VLAT]
    lon = h00 * a[LON] + h10 * h * a[VLON] + h01 * b[LON] + h11 * h * b[VLON]
    return float(lat), float(lon)


def resampled(knots: F64, times: F64) -> F64:
    """The same movement with a knot at each of `times` as well (those inside its span).

    A piece of a cubic is the same cubic, so nothing moves; flags are those of the interval.
    """
    inside = times[(times > knots[0, T]) & (times < knots[-1, T])]
    fresh = np.setdiff1d(inside, knots[:, T])
    if len(fresh) == 0:
        return knots.copy()
    i = np.clip(np.searchsorted(knots[:, T], fresh, side="right") - 1, 0, len(knots) - 2)
    a, b = knots[i], knots[i + 1]
    h = b[:, T] - a[:, T]
    u = (fresh - a[:, T]) / h
    new = a.copy()
    new[:, T] = fresh
    for x, v in ((LAT, VLAT), (LON, VLON), (CLAT, CVLAT), (CLON, CVLON)):
        slope = (b[:, x] - a[:, x]) / h
        c2, c3 = 3 * slope - 2 * a[:, v] - b[:, v], a[:, v] + b[:, v] - 2 * slope
        new[:, x] = a[:, x] + u * h * (a[:, v] + u * (c2 + u * c3))
        new[:, v] = a[:, v] + u * (2 * c2 + 3 * u * c3)
    merged = np.concatenate((knots, new))
    return merged[np.argsort(merged[:, T], kind="stable")]


def silent(knots: F64, start_s: float, end_s: float) -> F64:
    """The same movement, switched off in [start, end)."""
    out = resampled(knots, np.array([start_s, end_s]))
    out[(out[:, T] >= start_s) & (out[:, T] < end_s), ON] = 0.0
    return out


def renamed(knots: F64, start_s: float, slot: int) -> F64:
    """The same movement under another identity from a moment on."""
    out = resampled(knots, np.array([start_s]))
    out[out[:, T] >= start_s, IDENTITY] = slot
    return out


def claiming(knots: F64, start_s: float, end_s: float, place: Claim, step_s: float = 60.0) -> F64:
    """The same movement, but the positions reported in [start, end) are those of `place`.

    `place` gives latitude, longitude and their speeds in degrees a second for moments and true places.
    """
    n = max(2, int((end_s - start_s) / step_s) + 1)
    out = resampled(knots, np.linspace(start_s, end_s, n))
    inside = (out[:, T] >= start_s) & (out[:, T] <= end_s)
    out[inside, CLAT:] = place(out[inside])
    # The last knot opens an interval in which the claim is over, but closes the one before it.
    closing = out[inside][-1:].copy()
    at_end = np.flatnonzero(inside)[-1]
    opening = closing.copy()
    opening[:, CLAT:] = np.nan
    return np.concatenate((out[: at_end + 1], opening, out[at_end + 1 :]))
