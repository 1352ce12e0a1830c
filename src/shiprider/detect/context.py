"""What the place and the hour say of a finding: facts, and weights in log-odds (P).

Always true: a part of the world that is unknown gives neither fact nor weight.
"""

from typing import Final

import numpy as np

from shiprider.detect.anchorage_index import indexed, nearest_of_all
from shiprider.measure.geodesy import NAUTICAL_MILE_M
from shiprider.measure.sun import is_night
from shiprider.model.finding import Fact
from shiprider.model.world import World

#: How far around a finding anchorages are looked for when it is scored.
SCORED_ANCHORAGE_M: Final = 20_000.0


def context(
    world: World, latitude: float, longitude: float, time_us: int
) -> tuple[dict[str, Fact], dict[str, float]]:
    """Facts (`shore_m`, `anchorage_m` where within 20 km, `night` yes or no) and weights."""
    facts: dict[str, Fact] = {}
    weights: dict[str, float] = {}
    where = np.array([latitude]), np.array([longitude])
    if world.coast is not None:
        shore = float(world.coast.distance_to_shore_m(*where)[0])
        facts["shore_m"] = round(shore)
        miles = shore / NAUTICAL_MILE_M
        weights["offshore"] = 0.8 if miles >= 20 else 0.4 if miles >= 12 else -0.8 if miles < 3 else 0.0
    if world.anchorages is not None:
        index = indexed(world.anchorages)
        _, metres = nearest_of_all(
            *where, SCORED_ANCHORAGE_M, index.first, index.latitude_deg, index.longitude_deg
        )
        if np.isfinite(metres[0]):
            facts["anchorage_m"] = round(float(metres[0]))
            weights["anchorage near"] = -1.5 if metres[0] < 10_000.0 else -0.5
    if is_night(latitude, longitude, time_us):
        weights["night"] = 0.4
    return facts, weights


def versions(world: World) -> dict[str, str]:
    """Which inputs were used."""
    used: dict[str, str] = {}
    if world.anchorages is not None:
        used["anchorages"] = world.anchorages.version
    if world.coast is not None:
        used["coast"] = world.coast.version
    return used
