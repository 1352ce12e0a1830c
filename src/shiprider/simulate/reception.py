"""Who listens: stations on the coast, satellites overhead, and when they are down.

Always true: stations are named `SIM-…` and satellites `SIM-SAT-…`, so that a decoder marks whatever
they heard as simulated; orbits and outages are pure functions of the seed.

Figures and their sources: radio horizon 4.12 (sqrt h1 + sqrt h2) km for heights in metres (4/3 Earth,
ITU-R P.1546); satellites in sun-synchronous orbits of 600 km with a footprint of about 22 degrees
(half-angle to the horizon), as flown by commercial AIS constellations; the chance to read one message
from orbit falls with the number of transmitters in the footprint (Eriksen et al. 2006, Acta
Astronautica 58). The mean delay between 2 and 25 minutes is the promise of the brief; the chances
themselves are our choice, tuned so that a class A ship at sea gives 30 to 120 positions a day.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.simulate.reporting import SATELLITE_STEP_S
from shiprider.simulate.scenario import Reception
from shiprider.simulate.sea_grid import SeaGrid

F64 = NDArray[np.float64]

_EARTH_ROTATION_RADPS: Final = 7.2921159e-5
_ORBIT_S: Final = 5801.0
_INCLINATION_DEG: Final = 97.8
_FOOTPRINT_DEG: Final = 22.0
_CELL_DEG: Final = 0.5


def horizon_m(height_m: F64) -> F64:
    """Metres to the radio horizon of an antenna `height_m` above the sea."""
    return 4120.0 * np.sqrt(height_m)


@dataclass(frozen=True, slots=True)
class Receivers:
    """Stations (m rows: latitude, longitude, radio horizon, chance at the mast) and satellites."""

    name: tuple[str, ...]
    stations: F64
    cell_first: NDArray[np.int64]
    cell_stations: NDArray[np.int64]
    cell_grid: F64
    ascending_node_rad: F64
    phase_rad: F64
    rules: F64
    background: float

    @property
    def satellites(self) -> int:
        """How many."""
        return len(self.ascending_node_rad)


def place_receivers(grid: SeaGrid, reception: Reception, seed: np.random.SeedSequence) -> Receivers:
    """Stations at every n-th port, with the heights of masts and hills; satellites in even planes."""
    rng = np.random.default_rng(seed)
    region = grid.geography.region
    wanted = min(reception.stations, len(grid))
    chosen = _spread(grid.berth_latitude_deg, grid.berth_longitude_deg, wanted)
    height = np.exp(rng.normal(np.log(60.0), 0.6, len(grid.port_index)))[chosen].clip(15.0, 500.0)
    quality = rng.uniform(0.75, 0.97, len(grid.port_index))[chosen]
    stations = np.column_stack(
        (grid.berth_latitude_deg[chosen], grid.berth_longitude_deg[chosen], horizon_m(height), quality)
    )
    rows = int((region.north_deg - region.south_deg) / _CELL_DEG) + 1
    cols = int((region.east_deg - region.west_deg) / _CELL_DEG) + 1
    lists: list[NDArray[np.int64]] = []
    first = np.zeros(rows * cols + 1, np.int64)
    for row in range(rows):
        centre_lat = region.south_deg + (row + 0.5) * _CELL_DEG
        for col in range(cols):
            centre_lon = region.west_deg + (col + 0.5) * _CELL_DEG
            far = np.hypot(
                (stations[:, 0] - centre_lat) * 111_195.0,
                (stations[:, 1] - centre_lon) * 111_195.0 * np.cos(np.deg2rad(centre_lat)),
            )
            near = np.flatnonzero(far < 1.25 * (stations[:, 2] + 30_000.0) + 0.8 * _CELL_DEG * 111_195.0)
            lists.append(near)
            first[row * cols + col + 1] = first[row * cols + col] + len(near)
    names = [f"SIM-{_code(grid.port_name[c])}-{i:02d}" for i, c in enumerate(chosen)]
    names += [f"SIM-SAT-{i:02d}" for i in range(reception.satellites)]
    n = max(reception.satellites, 1)
    rules = np.array(
        [
            np.cos(np.deg2rad(_FOOTPRINT_DEG)),
            reception.satellite_chance_a,
            reception.satellite_chance_b,
            reception.satellite_chance_long_range,
            reception.satellite_late_min_s,
            reception.satellite_late_max_s,
            # A satellite's footprint moves 4 degrees in a minute: beyond this nobody listens for that long.
            np.cos(np.deg2rad(_FOOTPRINT_DEG + 4.5)),
        ]
    )
    return Receivers(
        name=tuple(names),
        stations=stations,
        cell_first=first,
        cell_stations=np.concatenate(lists).astype(np.int64) if lists else np.empty(0, np.int64),
        cell_grid=np.array([region.south_deg, region.west_deg, _CELL_DEG, rows, cols], np.float64),
        ascending_node_rad=np.pi * np.arange(reception.satellites) / n
        + rng.uniform(0, 0.3, reception.satellites),
        phase_rad=rng.uniform(0, 2 * np.pi, reception.satellites),
        rules=rules,
        background=float(reception.background_vessels),
    )


def _code(name: str) -> str:
    letters = "".join(c for c in name.upper() if "A" <= c <= "Z")
    return (letters + "XXX")[:6]


def _spread(latitude: F64, longitude: F64, wanted: int) -> NDArray[np.int64]:
    """Farthest-point choice: evenly along the coasts, the same first k for any `wanted` >= k."""
    chosen = [0]
    far = np.hypot(latitude - latitude[0], longitude - longitude[0])
    while len(chosen) < wanted:
        best = int(np.argmax(far))
        chosen.append(best)
        far = np.minimum(far, np.hypot(latitude - latitude[best], longitude - longitude[best]))
    return np.asarray(chosen, np.int64)


def outages_between(
    receivers: Receivers, reception: Reception, seed: np.random.SeedSequence, day0: int, day1: int
) -> tuple[NDArray[np.int64], F64]:
    """Outages of every station that touch days day0..day1: row bounds (m + 1) and start, end seconds.

    About one in `outage_every_days` a station, lognormal with a median of 90 minutes (our choice).
    """
    m = len(receivers.stations)
    first = np.zeros(m + 1, np.int64)
    rows: list[tuple[float, float]] = []
    days = range(day0 - 1, day1 + 1)
    draws = {}
    for day in days:
        rng = np.random.default_rng(
            np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, day + 1))
        )
        down = rng.random(512) < 1.0 / reception.outage_every_days
        start = rng.uniform(0, 86_400, 512) + day * 86_400.0
        length = np.exp(rng.normal(np.log(5400.0), 1.0, 512)).clip(600.0, 80_000.0)
        draws[day] = (down, start, length)
    for station in range(m):
        for day in days:
            down, start, length = draws[day]
            if down[station % 512]:
                begin = float(start[station % 512])
                rows.append((begin, begin + float(length[station % 512])))
        first[station + 1] = len(rows)
    return first, np.asarray(rows, np.float64).reshape(-1, 2)


def orbit_table(receivers: Receivers, t0: float, t1: float, traffic_lat: F64, traffic_lon: F64) -> F64:
    """Where the satellites are, every 10 s from two minutes before t0, shape (satellites, steps, 5):
    unit vector (3), the share of messages that survive collisions in the footprint, and the number
    of the pass (half-orbit) for the downlink."""
    steps = int((t1 - t0) / SATELLITE_STEP_S) + 26
    t = t0 - 12.0 * SATELLITE_STEP_S + np.arange(steps) * SATELLITE_STEP_S
    table = np.empty((receivers.satellites, steps, 5))
    cos_lat = np.cos(np.deg2rad(traffic_lat))
    ships = np.column_stack(
        (
            cos_lat * np.cos(np.deg2rad(traffic_lon)),
            cos_lat * np.sin(np.deg2rad(traffic_lon)),
            np.sin(np.deg2rad(traffic_lat)),
        )
    )
    inclination = np.deg2rad(_INCLINATION_DEG)
    coarse = np.arange(0, steps, 6)
    for i in range(receivers.satellites):
        angle = receivers.phase_rad[i] + 2 * np.pi * t / _ORBIT_S
        x, y = np.cos(angle), np.sin(angle) * np.cos(inclination)
        node = receivers.ascending_node_rad[i] - _EARTH_ROTATION_RADPS * t
        table[i, :, 0] = x * np.cos(node) - y * np.sin(node)
        table[i, :, 1] = x * np.sin(node) + y * np.cos(node)
        table[i, :, 2] = np.sin(angle) * np.sin(inclination)
        seen = (table[i, coarse, :3] @ ships.T > receivers.rules[0]).sum(axis=1)
        survive = np.exp(-(seen + receivers.background * (seen > 0)) / 4000.0)
        table[i, :, 3] = np.interp(np.arange(steps), coarse, survive)
        table[i, :, 4] = np.floor(angle / np.pi) + 1000.0
    return table


def station_load(receivers: Receivers, traffic_lat: F64, traffic_lon: F64, slots: F64) -> F64:
    """Share of messages lost to slot collisions at each station: vessels in reach, 4,500 slots a minute.

    `slots` is how many messages a minute each vessel sends.
    """
    dy = (receivers.stations[:, 0][:, None] - traffic_lat[None]) * 111_195.0
    dx = (receivers.stations[:, 1][:, None] - traffic_lon[None]) * 111_195.0 * np.cos(np.deg2rad(traffic_lat))
    load = (np.hypot(dx, dy) < receivers.stations[:, 2][:, None] * 1.3) @ slots
    return 1.0 - np.exp(-load / 4500.0)
