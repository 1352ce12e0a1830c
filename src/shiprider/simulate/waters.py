"""Places a scenario uses again and again: hub ports, anchorages, fishing grounds, meeting areas.

Always true: every place is on water that the grid reaches; all are drawn once from the scenario's own
stream, so they do not depend on how many vessels there are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiprider.simulate.sea_grid import SeaGrid

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waters:
    """`hubs`: ports of ocean-going ships; `homes`: ports of small craft with `grounds` near them.

    `anchorage` (ports, 2) is a place 3 to 8 km off each berth; `weight` is how busy each hub is;
    `offshore` are places 25 to 450 km from land, for meetings and waiting.
    """

    grid: SeaGrid
    hubs: NDArray[np.int64]
    weight: F64
    homes: NDArray[np.int64]
    anchorage: F64
    grounds: F64
    ground_home: NDArray[np.int64]
    offshore: F64

    def anchored_at(self, port: int) -> tuple[float, float]:
        """Latitude and longitude of a port's anchorage."""
        return float(self.anchorage[port, 0]), float(self.anchorage[port, 1])


def find_waters(grid: SeaGrid, hubs: int, seed: np.random.SeedSequence) -> Waters:
    """Choose them."""
    rng = np.random.default_rng(seed)
    latitude, longitude = grid.berth_latitude_deg, grid.berth_longitude_deg
    ports = len(grid)
    # Spread, so that every coast has its hubs.
    chosen = [int(np.argmin(np.hypot(latitude - 10.4, longitude + 75.6)))]
    far = np.hypot(latitude - latitude[chosen[0]], longitude - longitude[chosen[0]])
    while len(chosen) < min(hubs, ports):
        chosen.append(int(np.argmax(far)))
        far = np.minimum(far, np.hypot(latitude - latitude[chosen[-1]], longitude - longitude[chosen[-1]]))
    hub = np.asarray(chosen, np.int64)
    weight = rng.pareto(1.5, len(hub)) + 0.3
    anchorage = np.empty((ports, 2))
    for port in range(ports):
        anchorage[port] = _off(grid, port, rng)
    homes = rng.permutation(ports)[: max(12, min(ports, 2 * hubs))]
    grounds, owner = [], []
    for home in homes:
        for _ in range(3):
            place = _near_sea(grid, latitude[home], longitude[home], rng, 20_000.0, 180_000.0, 8_000.0)
            if place is not None:
                grounds.append(place)
                owner.append(home)
    offshore: list[tuple[float, float]] = []
    region = grid.geography.region
    while len(offshore) < 400:
        la = rng.uniform(region.south_deg + 1.5, min(region.north_deg - 1.0, 24.0))
        lo = rng.uniform(max(region.west_deg + 2.0, -108.0), region.east_deg - 1.0)
        if grid.node_near(la, lo) < 0:
            continue
        shore = float(grid.distance_to_shore_m(np.array([la]), np.array([lo]))[0])
        # Every second place is within 90 km of a coast: handovers are off the coasts as well as far out.
        if 25_000.0 < shore < (90_000.0 if len(offshore) % 2 else 450_000.0):
            offshore.append((la, lo))
    return Waters(
        grid=grid,
        hubs=hub,
        weight=weight / weight.sum(),
        homes=np.unique(np.asarray(owner)),
        anchorage=anchorage,
        grounds=np.asarray(grounds),
        ground_home=np.asarray(owner),
        offshore=np.asarray(offshore),
    )


def _off(grid: SeaGrid, port: int, rng: np.random.Generator) -> F64:
    """A place to anchor: the deepest of some draws 3 to 8 km off the berth, else the berth."""
    berth = grid.berth(port)
    bearing = rng.uniform(0, 2 * np.pi, 24)
    distance = rng.uniform(3_000.0, 8_000.0, 24)
    la = berth[0] + distance * np.cos(bearing) / 111_195.0
    lo = berth[1] + distance * np.sin(bearing) / (111_195.0 * np.cos(np.deg2rad(berth[0])))
    shore = grid.distance_to_shore_m(la, lo)
    best = int(np.argmax(shore))
    if shore[best] < 2_800.0:
        return berth
    return np.array([la[best], lo[best]])


def _near_sea(
    grid: SeaGrid,
    lat: float,
    lon: float,
    rng: np.random.Generator,
    near_m: float,
    far_m: float,
    clear_m: float,
) -> tuple[float, float] | None:
    for _ in range(40):
        bearing, distance = rng.uniform(0, 2 * np.pi), rng.uniform(near_m, far_m)
        la = lat + distance * np.cos(bearing) / 111_195.0
        lo = lon + distance * np.sin(bearing) / (111_195.0 * np.cos(np.deg2rad(lat)))
        region = grid.geography.region
        if not (region.south_deg + 0.5 < la < region.north_deg - 0.5):
            continue
        if not (region.west_deg + 0.5 < lo < region.east_deg - 0.5):
            continue
        shore = float(grid.distance_to_shore_m(np.array([la]), np.array([lo]))[0])
        if shore >= clear_m and grid.node_near(la, lo) >= 0:
            return float(la), float(lo)
    return None
