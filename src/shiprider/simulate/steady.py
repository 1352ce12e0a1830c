"""Traffic at a given rate: for loading the map with vessels and the live way with messages.

Always true: message k is sent at second k / rate by the k-th vessel in turn, so any stretch of the
stream can be made alone and is the same; vessels circle on ellipses in open water; every tenth message
is static data; everything is heard by `SIM-` stations and so marked as simulated.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import SECOND_US
from shiprider.simulate import reporting
from shiprider.simulate.geography import Geography
from shiprider.simulate.identity import FLAGS, imo_number
from shiprider.simulate.scenario import DEFAULT_START_US
from shiprider.simulate.stream import Slice
from shiprider.simulate.wire import Cast, Received, write

F64 = NDArray[np.float64]

_STATIONS: Final = tuple(f"SIM-STEADY-{i:02d}" for i in range(8))
#: One message in so many is static data.
_STATIC_EVERY: Final = 10


def _places(geography: Geography, vessels: int, rng: np.random.Generator) -> F64:
    """Open-water places near lanes and ports, shape (vessels, 2)."""
    points = np.concatenate(
        [
            line[:-1] + (line[1:] - line[:-1]) * part
            for line in geography.lanes
            for part in (0.0, 0.2, 0.4, 0.6, 0.8)
            if len(line) > 1
        ]
        + [np.column_stack((geography.port_latitude_deg, geography.port_longitude_deg))] * 4
    )
    region = geography.region
    points = points[region.contains(points[:, 0], points[:, 1])]
    found: list[F64] = []
    have = 0
    while have < vessels:
        place = points[rng.integers(len(points), size=2 * vessels)] + rng.normal(0.0, 0.35, (2 * vessels, 2))
        # The whole ellipse, at most 4 km, is to lie on water.
        good = region.contains(place[:, 0], place[:, 1])
        for north, east in ((0, 0), (0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)):
            good &= ~geography.is_land(place[:, 0] + north, place[:, 1] + east)
        found.append(place[good])
        have += int(good.sum())
    return np.concatenate(found)[:vessels]


def steady_stream(
    geography: Geography,
    *,
    messages_per_s: float,
    vessels: int,
    duration_s: float,
    slice_s: float = 1.0,
    start_us: int = DEFAULT_START_US,
    seed: int = 3,
) -> Iterator[Slice]:
    """Slices of `slice_s` with `messages_per_s` messages each second from `vessels` vessels in turn.

    50,000 vessels at 2,000 messages a second: each reports every 25 s.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(20,)))
    centre = _places(geography, vessels, rng)
    size_m = rng.uniform(800.0, 3_500.0, vessels)
    flat = rng.uniform(0.3, 1.0, vessels)
    tilt = rng.uniform(0, 2 * np.pi, vessels)
    phase = rng.uniform(0, 2 * np.pi, vessels)
    rate = rng.uniform(1.0, 9.0, vessels) / size_m * rng.choice((-1.0, 1.0), vessels)
    cast = _cast(vessels, rng)
    sent = 0
    slices = int(np.ceil(duration_s / slice_s))
    for number in range(slices):
        end_s = min((number + 1) * slice_s, duration_s)
        stop = int(np.ceil(end_s * messages_per_s - 1e-9))
        k = np.arange(sent, stop)
        t = k / messages_per_s
        v = k % vessels
        floats = np.zeros((len(k), reporting.FLOATS))
        integers = np.zeros((len(k), reporting.INTEGERS), np.int64)
        angle = phase[v] + rate[v] * t
        x, y = size_m[v] * np.cos(angle), size_m[v] * flat[v] * np.sin(angle)
        vx, vy = -size_m[v] * np.sin(angle) * rate[v], size_m[v] * flat[v] * np.cos(angle) * rate[v]
        ct, st = np.cos(tilt[v]), np.sin(tilt[v])
        north, east, vn, ve = x * ct - y * st, x * st + y * ct, vx * ct - vy * st, vx * st + vy * ct
        floats[:, reporting.R_SENT] = floats[:, reporting.R_ARRIVED] = t
        floats[:, reporting.R_LAT] = centre[v, 0] + north / 111_195.0
        floats[:, reporting.R_LON] = centre[v, 1] + east / (111_195.0 * np.cos(np.deg2rad(centre[v, 0])))
        floats[:, reporting.R_SPEED] = np.hypot(vn, ve)
        floats[:, reporting.R_COURSE] = np.rad2deg(np.arctan2(ve, vn)) % 360.0
        floats[:, reporting.R_HEADING] = floats[:, reporting.R_COURSE]
        integers[:, reporting.N_VESSEL] = v
        # A vessel's turn comes every `vessels` messages: its static data every tenth turn.
        turn = k // vessels + v
        integers[:, reporting.N_CHANNEL] = np.where(
            turn % _STATIC_EVERY == 0, reporting.STATIC, reporting.POSITION
        )
        integers[:, reporting.N_COUNT] = np.where(turn % _STATIC_EVERY == 0, turn // _STATIC_EVERY, turn)
        integers[:, reporting.N_RECEIVER] = v % len(_STATIONS)
        data, _ = write(Received(floats, integers), cast, _STATIONS, start_us // SECOND_US)
        yield Slice(
            start_us + round(number * slice_s * SECOND_US),
            start_us + round(end_s * SECOND_US),
            data.tobytes(),
            len(k),
        )
        sent = stop


def _cast(vessels: int, rng: np.random.Generator) -> Cast:
    mids = np.array([mid for mid, _ in FLAGS.values()])
    number = np.arange(vessels)
    length = rng.uniform(20, 250, vessels).astype(np.int64)
    return Cast(
        transmitter=np.where(number % 3 == 2, 3, 1).astype(np.int8),
        identity_first=number,
        mmsi=mids[number % len(mids)] * 1_000_000 + number,
        imo=np.array([imo_number(100_000 + int(i)) for i in number]),
        ship_type=rng.choice(np.array([30, 37, 52, 60, 70, 80]), vessels),
        to_bow=length // 2,
        to_stern=length - length // 2,
        to_port=length // 14 + 1,
        to_starboard=length // 14 + 1,
        draught=np.round(2.0 + length / 25.0, 1),
        name=[f"STEADY {i}" for i in number],
        callsign=[f"ST{i}"[:7] for i in number],
        destination=[""] * vessels,
    )
