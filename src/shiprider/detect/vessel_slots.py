"""One row of state per track: seats for new tracks, and who they are.

Always true: `names[s]` is (track, claimed id, simulated) of the track in seat s; seats are given in
order of first appearance, so they do not depend on how the rows are cut.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.slots import Slots, first_rows
from shiprider.model.codes import Nature
from shiprider.model.rows import TrackPoints


def seated(
    slots: Slots,
    vessels: NDArray[Any],
    names: NDArray[np.int64],
    points: TrackPoints,
    used: NDArray[np.int64],
    fresh: Callable[[int], NDArray[Any]],
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int32]]:
    """(vessels, names, seat of every used row); the two arrays grow where there are new tracks.

    `vessels` has a field `slot`; `fresh(n)` makes n empty seats.
    """
    known = len(slots)
    slot = slots.assign(points.track[used])
    count, have = len(slots), len(vessels)
    if count > have:
        larger = fresh(max(count, 2 * have, 64))
        larger[:have] = vessels
        larger["slot"][have:] = np.arange(have, len(larger))
        longer = np.zeros((len(larger), 3), dtype=np.int64)
        longer[:have] = names
        vessels, names = larger, longer
    seen = used[first_rows(slot, known, count)]
    names[known:count] = np.column_stack(
        (points.track[seen], points.claimed_id[seen], points.nature[seen] == Nature.SIMULATED)
    )
    return vessels, names, slot
