"""From movement to received messages: when each transmitter speaks, and who hears it.

Always true: reporting intervals are those of ITU-R M.1371-5, tables 1 and 2; whether a message is
received is a pure function of (seed, vessel, count of the message, receiver), so slices of any length
and any other vessel change nothing; only what is received is ever written down.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.kernels import kernel, njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Transmitter classes, as in `model.codes.TransmitterClass`.
CLASS_A: Final = 1
CLASS_B_SO: Final = 2
CLASS_B_CS: Final = 3

#: Channels of one transmitter: positions, static data, the long-range message 27.
POSITION, STATIC, LONG_RANGE = 0, 1, 2
CHANNELS: Final = 3

#: Columns of a received message; metres a second, degrees, degrees a minute; times in seconds.
R_SENT, R_ARRIVED, R_LAT, R_LON, R_SPEED, R_COURSE, R_HEADING, R_TURN = range(8)
FLOATS: Final = 8
#: Integer columns: vessel, identity slot, channel, count of the message, receiver, status.
N_VESSEL, N_IDENTITY, N_CHANNEL, N_COUNT, N_RECEIVER, N_STATUS = range(6)
INTEGERS: Final = 6

#: Seconds between the rows of the table of satellite positions.
SATELLITE_STEP_S: Final = 10.0


@njit(cache=True, nogil=True, inline="never")
def _mix(a: np.uint64) -> np.uint64:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014)."""
    a = (a ^ (a >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    a = (a ^ (a >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return a ^ (a >> np.uint64(31))


@kernel
def _uniform(seed: np.uint64, count: int, salt: int) -> float:
    """A number in [0, 1) that depends on its three arguments alone."""
    a = (
        seed
        + np.uint64(count) * np.uint64(0x9E3779B97F4A7C15)
        + np.uint64(salt) * np.uint64(0xD1B54A32D192ED03)
    )
    return float(_mix(_mix(a) + np.uint64(0x632BE59BD9B4E019)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def _normal(seed: np.uint64, count: int, salt: int) -> float:
    """A standard normal number by Box and Muller."""
    u = max(_uniform(seed, count, salt), 1e-12)
    return float(np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * _uniform(seed, count, salt + 1)))


@kernel
def reporting_interval_s(transmitter: int, status: int, speed_mps: float, turn_degps: float) -> float:
    """Seconds to the next position report: ITU-R M.1371-5, tables 1 (class A) and 2 (class B).

    Changing course means more than 5 degrees off the mean heading of the last 30 s, that is a steady
    turn faster than a third of a degree a second.
    """
    knots = speed_mps * 3600.0 / 1852.0
    if transmitter == 1:
        if (status == 1 or status == 5) and knots <= 3.0:
            return 180.0
        if status == 1 or status == 5:
            return 10.0
        turning = abs(turn_degps) > 1.0 / 3.0
        if knots <= 14.0:
            return 10.0 / 3.0 if turning else 10.0
        if knots <= 23.0:
            return 2.0 if turning else 6.0
        return 2.0
    if knots <= 2.0:
        return 180.0
    if transmitter == 3:
        return 30.0
    if knots <= 14.0:
        return 30.0
    if knots <= 23.0:
        return 15.0
    return 5.0


@kernel
def _hermite(x0: float, v0: float, x1: float, v1: float, h: float, u: float) -> tuple[float, float, float]:
    """Value, first and second derivative of the cubic at u in 0..1 of an interval of h seconds."""
    d = (x1 - x0) / h
    c2 = 3.0 * d - 2.0 * v0 - v1
    c3 = v0 + v1 - 2.0 * d
    tau = u * h
    x = x0 + tau * (v0 + u * (c2 + u * c3))
    v = v0 + u * (2.0 * c2 + 3.0 * u * c3)
    a = (2.0 * c2 + 6.0 * u * c3) / h
    return x, v, a


@kernel
def receive(
    knots: F64,
    first: I64,
    t0: float,
    t1: float,
    seeds: NDArray[np.uint64],
    transmitter: NDArray[np.int8],
    antenna_range_m: F64,
    power: F64,
    cursor: I64,
    due: F64,
    counts: I64,
    stations: F64,
    outage_first: I64,
    outages: F64,
    cell_first: I64,
    cell_stations: I64,
    cell_grid: F64,
    satellites: F64,
    satellite_rules: F64,
    floats: F64,
    integers: NDArray[np.int64],
) -> int:
    """Every message of the block [t0, t1) that some receiver heard. Returns how many rows there are.

    `knots` are all vessels' knots, vessel v at `first[v]:first[v + 1]`; `cursor`, `due` (vessels x
    channels) and `counts` (the same) are carried from block to block and changed in place. `stations`
    are rows of latitude, longitude, radio horizon in metres, chance at the mast. Rows beyond the
    capacity of `floats` are counted but not written: call again, with the carried arrays as they were.
    """
    rows = 0
    noise = np.empty(9)
    capacity = len(floats)
    n_satellites = satellites.shape[0]
    for v in range(len(first) - 1):
        seed = seeds[v]
        kind = int(transmitter[v])
        start, stop = first[v], first[v + 1]
        if stop - start < 2 or kind == 0:
            continue
        while True:
            # The channel that is due next.
            channel = 0
            for c in range(1, CHANNELS):
                if due[v, c] < due[v, channel]:
                    channel = c
            t = due[v, channel]
            if t >= t1:
                break
            if t < knots[start, 0]:
                t = knots[start, 0]
                due[v, channel] = (
                    max(t, due[v, channel]) + _uniform(seed, counts[v, channel], 77) * 10.0 + 0.5
                )
                continue
            k = cursor[v]
            while k < stop - 1 and knots[k + 1, 0] <= t:
                k += 1
            cursor[v] = k
            if k >= stop - 1:
                for c in range(CHANNELS):
                    due[v, c] = max(due[v, c], t1)
                break
            count = counts[v, channel]
            counts[v, channel] = count + 1
            if knots[k, 6] == 0.0:
                # Silent: nothing is said before the knots say otherwise.
                j = k
                while j < stop - 1 and knots[j, 6] == 0.0:
                    j += 1
                due[v, channel] = knots[j, 0] + 0.5 + 10.0 * _uniform(seed, count, 5)
                if j >= stop - 1:
                    due[v, channel] = max(due[v, channel], t1)
                continue
            h = knots[k + 1, 0] - knots[k, 0]
            u = (t - knots[k, 0]) / h
            lat, vlat, alat = _hermite(knots[k, 1], knots[k, 3], knots[k + 1, 1], knots[k + 1, 3], h, u)
            lon, vlon, alon = _hermite(knots[k, 2], knots[k, 4], knots[k + 1, 2], knots[k + 1, 4], h, u)
            true_scale = np.cos(np.deg2rad(lat))
            scale = true_scale
            north, east = vlat * 111195.0, vlon * 111195.0 * scale
            speed = np.sqrt(north * north + east * east)
            turn = 0.0
            if speed > 0.3:
                turn = (north * alon * scale - east * alat) * 111195.0 / (speed * speed) * 57.29577951308232
            status = int(knots[k, 5])
            interval = 0.0
            if channel == 0:
                interval = reporting_interval_s(kind, status, speed, turn)
                # A slot is chosen within a tenth of the interval either side (SOTDMA's selection interval).
                due[v, channel] = t + interval * (0.9 + 0.2 * _uniform(seed, count, 1))
            elif channel == 1:
                due[v, channel] = t + 360.0
            else:
                due[v, channel] = t + 180.0
            said = False
            c_lat = lat
            c_lon = lon
            if not np.isnan(knots[k, 8]):
                c_lat, vlat, alat = _hermite(
                    knots[k, 8], knots[k, 10], knots[k + 1, 8], knots[k + 1, 10], h, u
                )
                c_lon, vlon, alon = _hermite(
                    knots[k, 9], knots[k, 11], knots[k + 1, 9], knots[k + 1, 11], h, u
                )
                scale = np.cos(np.deg2rad(c_lat))
                north, east = vlat * 111195.0, vlon * 111195.0 * scale
                speed = np.hypot(north, east)
                turn = 0.0
                if speed > 0.3:
                    turn = (
                        (north * alon * scale - east * alat) * 111195.0 / (speed * speed) * 57.29577951308232
                    )
            n_local = 0
            cell = 0
            if channel != 2:
                row = int((lat - cell_grid[0]) / cell_grid[2])
                col = int((lon - cell_grid[1]) / cell_grid[2])
                if 0 <= row < cell_grid[3] and 0 <= col < cell_grid[4]:
                    cell = row * int(cell_grid[4]) + col
                    n_local = cell_first[cell + 1] - cell_first[cell]
            step = int((t - t0) / 10.0 + 12.0)
            over = 0.0 <= step < satellites.shape[1]
            ex = ey = ez = 0.0
            if over:
                ex = true_scale * np.cos(np.deg2rad(lon))
                ey = true_scale * np.sin(np.deg2rad(lon))
                ez = np.sin(np.deg2rad(lat))
            near = False
            for r in range(n_local + n_satellites):
                arrived = t
                if r < n_local:
                    station = cell_stations[cell_first[cell] + r]
                    dy = (lat - stations[station, 0]) * 111195.0
                    dx = (lon - stations[station, 1]) * 111195.0 * true_scale
                    reach = stations[station, 2] + antenna_range_m[v]
                    ratio = np.sqrt(dx * dx + dy * dy) / reach
                    near |= ratio < 1.3
                    if ratio > 1.25:
                        continue
                    # Falls slowly inside the radio horizon and steeply beyond it.
                    chance = stations[station, 3] * power[v] / (1.0 + np.exp((ratio - 0.92) * 16.0))
                    if _uniform(seed, count, 1000 + 3 * station + channel) >= chance:
                        continue
                    down = False
                    for o in range(outage_first[station], outage_first[station + 1]):
                        if outages[o, 0] <= t < outages[o, 1]:
                            down = True
                    if down:
                        continue
                    receiver = station
                    arrived = t + 0.2 + 2.3 * _uniform(seed, count, 2000 + 3 * station + channel)
                else:
                    sat = r - n_local
                    if not over:
                        break
                    dot = (
                        satellites[sat, step, 0] * ex
                        + satellites[sat, step, 1] * ey
                        + satellites[sat, step, 2] * ez
                    )
                    near |= dot > satellite_rules[6]
                    if dot < satellite_rules[0]:
                        continue
                    if channel == 2:
                        chance = satellite_rules[3]
                    elif kind == 1:
                        chance = satellite_rules[1]
                    else:
                        chance = satellite_rules[2]
                    chance *= satellites[sat, step, 3]
                    if _uniform(seed, count, 500 + 3 * sat + channel) >= chance:
                        continue
                    receiver = len(stations) + sat
                    # One downlink a pass: the pass is named by the satellite's own count of orbits.
                    per_pass = _uniform(np.uint64(satellites[sat, step, 4]), 0, 3 + sat)
                    delay = satellite_rules[4] + (satellite_rules[5] - satellite_rules[4]) * (
                        0.75 * per_pass + 0.25 * _uniform(seed, count, 600 + 3 * sat + channel)
                    )
                    arrived = t + delay
                if rows < capacity:
                    integers[rows, 0] = v
                    integers[rows, 1] = int(knots[k, 7])
                    integers[rows, 2] = channel
                    integers[rows, 3] = count
                    integers[rows, 4] = receiver
                    integers[rows, 5] = status
                    floats[rows, 0] = t
                    floats[rows, 1] = arrived
                    if not said:
                        said = True
                        # The receiver's error: slow (ten minutes) and quick parts, metres.
                        slow = int(t // 600.0)
                        f = t / 600.0 - slow
                        for q in range(9):
                            # One place of call, because each is compiled in full.
                            which, salt = count, 11 + 2 * q
                            if q < 4:
                                # The slow part is one curve through the ten minutes' values.
                                which, salt = slow + q % 2, 11 + 4 * (q // 2)
                            elif q == 8:
                                which = slow // 6
                            noise[q] = _normal(seed, which, salt)
                        en = 3.0 * ((1 - f) * noise[0] + f * noise[1]) + noise[4]
                        ee = 3.0 * ((1 - f) * noise[2] + f * noise[3]) + noise[5]
                        o_lat = c_lat + en / 111195.0
                        o_lon = c_lon + ee / (111195.0 * scale)
                        wn = north + 0.03 * noise[6]
                        we = east + 0.03 * noise[7]
                        o_speed = np.sqrt(wn * wn + we * we)
                        o_course = np.rad2deg(np.arctan2(we, wn)) % 360.0
                        crab = 4.0 * noise[8]
                        if speed > 0.5:
                            o_heading = (o_course + crab) % 360.0
                        else:
                            # Lying with the wind: turns slowly with it.
                            g = t / 21600.0 - int(t // 21600.0)
                            a0 = _uniform(seed, int(t // 21600.0), 25)
                            a1 = _uniform(seed, int(t // 21600.0) + 1, 25)
                            o_heading = (360.0 * a0 + 120.0 * g * (a1 - 0.5) * 2.0) % 360.0
                    floats[rows, 2] = o_lat
                    floats[rows, 3] = o_lon
                    floats[rows, 4] = o_speed
                    floats[rows, 5] = o_course
                    floats[rows, 6] = o_heading
                    floats[rows, 7] = turn * 60.0
                rows += 1
            if channel == 0 and not near and interval < 30.0:
                # Nobody can hear it for the next minute: its messages are counted, not made.
                skipped = int(60.0 / interval) - 1
                due[v, 0] += skipped * interval
                counts[v, 0] += skipped
    return rows


@kernel
def situation(knots: F64, first: I64, t: float, transmitter: NDArray[np.int8], out: F64) -> None:
    """Each vessel at one moment: `out` rows are latitude, longitude, reporting interval (0: silent)."""
    for v in range(len(first) - 1):
        start, stop = first[v], first[v + 1]
        out[v, 0] = out[v, 1] = np.nan
        out[v, 2] = 0.0
        if stop - start < 2 or knots[stop - 1, 0] <= t:
            continue
        k = start
        while k < stop - 2 and knots[k + 1, 0] <= t:
            k += 1
        h = knots[k + 1, 0] - knots[k, 0]
        if h <= 0.0:
            continue
        u = min(1.0, max(0.0, (t - knots[k, 0]) / h))
        lat, vlat, _ = _hermite(knots[k, 1], knots[k, 3], knots[k + 1, 1], knots[k + 1, 3], h, u)
        lon, vlon, _ = _hermite(knots[k, 2], knots[k, 4], knots[k + 1, 2], knots[k + 1, 4], h, u)
        out[v, 0] = lat
        out[v, 1] = lon
        if knots[k, 6] != 0.0 and transmitter[v] != 0 and knots[k, 0] <= t:
            speed = np.hypot(vlat * 111195.0, vlon * 111195.0 * np.cos(np.deg2rad(lat)))
            out[v, 2] = reporting_interval_s(int(transmitter[v]), int(knots[k, 5]), speed, 0.0)
