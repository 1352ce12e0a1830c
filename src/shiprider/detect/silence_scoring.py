"""What moves the score of a silence: weights in log-odds (P).

Always true: a part that is unknown gives no weight; every weight has its name, so that a person sees what moved
the score. The reasons: most silences are satellites' passes and small craft that go home and switch off. A vessel
that was heard well, is under way on the open sea, and is somewhere else when it is heard again has none of these
excuses. The sizes were set on simulated weeks of two seeds (501, 502) and rounded; nothing here was measured on the
real sea, and dispositions replace it.
"""

import math
from dataclasses import dataclass
from typing import Final

from shiprider.detect.particulars import Particulars
from shiprider.measure.geodesy import NAUTICAL_MILE_M
from shiprider.model.codes import TransmitterClass

#: A vessel's usual silence is known once it has been heard for so long.
KNOWN_AFTER_S: Final = 6 * 3600.0
#: Below this a silence is the reporting interval and a missed slot or two, not usual or unusual.
_SHORTEST_USUAL_S: Final = 600.0
#: 3 kn: under way, not drifting or at anchor.
_UNDER_WAY_MPS: Final = 1.5433
#: Half a knot over the whole silence: it stayed.
_STAYED_MPS: Final = 0.2572
#: An anchorage this near explains that a vessel lies still or goes home.
_ANCHORAGE_M: Final = 20_000.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one silence; NaN where unknown. `implied_mps` is the way made good over it, NaN while it lasts.

    `usual_s` is the vessel's own longest silence of late, `heard_s` for how long it had been heard before.
    """

    duration_s: float
    usual_s: float
    heard_s: float
    speed_mps: float
    implied_mps: float
    shore_m: float
    anchorage_m: float
    transmitter_class: int
    who: Particulars


def weights(of: Circumstances) -> dict[str, float]:
    """Named weights in log-odds."""
    found: dict[str, float] = {}
    if of.heard_s >= KNOWN_AFTER_S:
        doublings = math.log2(of.duration_s / max(of.usual_s, _SHORTEST_USUAL_S))
        name = "longer than its usual silences" if doublings > 0 else "no longer than its usual silences"
        found[name] = min(max(doublings, -1.5), 4.0)
    if of.speed_mps >= _UNDER_WAY_MPS:
        found["under way"] = 0.7
    if of.transmitter_class in (TransmitterClass.B_SO, TransmitterClass.B_CS):
        # Carried by choice, heard worse, and switched off when a boat is laid up.
        found["class B"] = -1.5
    miles = of.shore_m / NAUTICAL_MILE_M
    if math.isfinite(miles):
        found["offshore"] = -1.9 if miles < 12 else -0.4 if miles < 20 else 0.0 if miles < 50 else 1.0
    if of.anchorage_m < _ANCHORAGE_M:
        found["anchorage near"] = -1.6
    if of.implied_mps < _STAYED_MPS:
        found["stayed where it was"] = -2.5
    elif of.implied_mps >= _UNDER_WAY_MPS:
        found["went on its way"] = 1.8
    if of.who.is_exempt():
        # Warships and State vessels need carry no AIS (SOLAS V/1): their silence is their right.
        found["State vessel"] = -3.5
    elif of.who.is_service():
        found["service craft"] = -2.0
    return found
