"""What vessels said of themselves, as known at a moment.

Always true: an answer for a moment uses only statements up to that moment, so it is the same however
the rows were cut; only changes are kept.
"""

from typing import Final

import msgspec
import numpy as np

from shiprider.model.rows import StatementRows

#: claimed id -> changes in time order: (time_us, ship type or -1, length in metres or -1).
Known = dict[int, tuple[tuple[int, int, int], ...]]

_MOST_CHANGES: Final = 32


class Particulars(msgspec.Struct, frozen=True):
    """Ship type (ITU-R M.1371-5 table 53; -1 unknown) and length (-1 unknown)."""

    ship_type: int = -1
    length_m: int = -1

    def is_tug(self) -> bool:
        """Towing or tug."""
        return self.ship_type in (31, 32, 52)

    def is_service(self) -> bool:
        """Pilot, search and rescue, port tender, anti-pollution, law enforcement, military, medical."""
        return self.ship_type in (35, 50, 51, 53, 54, 55, 58)

    def is_exempt(self) -> bool:
        """Military operations or law enforcement."""
        return self.ship_type in (35, 55)

    def is_fishing(self) -> bool:
        """Engaged in fishing by its own statement."""
        return self.ship_type == 30

    def is_tanker(self) -> bool:
        """Tanker of any kind."""
        return 80 <= self.ship_type <= 89

    def is_cargo(self) -> bool:
        """Cargo of any kind."""
        return 70 <= self.ship_type <= 79

    def is_small(self) -> bool:
        """Sailing, pleasure, high speed craft, or shorter than 25 m."""
        return self.ship_type in (36, 37) or 40 <= self.ship_type <= 49 or 0 < self.length_m < 25


UNKNOWN: Final = Particulars()


def learnt(known: Known, rows: StatementRows) -> Known:
    """`known` with the new statements; the same object where nothing changed."""
    said = np.flatnonzero((rows.ship_type >= 0) | (rows.length_m >= 0))
    if len(said) == 0:
        return known
    claimed, kind, length = rows.claimed_id[said], rows.ship_type[said], rows.length_m[said]
    order = np.lexsort((rows.time_us[said], claimed))
    claimed, kind, length, time = claimed[order], kind[order], length[order], rows.time_us[said][order]
    changed = np.ones(len(order), dtype=bool)
    changed[1:] = (claimed[1:] != claimed[:-1]) | (kind[1:] != kind[:-1]) | (length[1:] != length[:-1])
    result = dict(known)
    for who, when, what, size in zip(
        claimed[changed].tolist(),
        time[changed].tolist(),
        kind[changed].tolist(),
        length[changed].tolist(),
        strict=True,
    ):
        changes = result.get(who, ())
        _, last_kind, last_length = changes[-1] if changes else (0, -1, -1)
        new = (what if what > 0 else last_kind, size if size > 0 else last_length)
        if new != (last_kind, last_length) and len(changes) < _MOST_CHANGES:
            result[who] = (*changes, (when, *new))
    return result


def at(known: Known, claimed_id: int, time_us: int) -> Particulars:
    """What was known of a vessel at a moment."""
    answer = UNKNOWN
    for when, kind, length in known.get(claimed_id, ()):
        if when > time_us:
            break
        answer = Particulars(kind, length)
    return answer
