"""The score of a finding: the preset's prior, moved by what the context says, in log-odds.

Always true: score = 1 / (1 + exp(-(logit(prior) + sum of the weights))); it is in 0.01..0.99; every
weight that moved it is named in the finding's facts, so that a person can see why; no weight ever
removes a finding.

The score means: the share of findings like this one that a watch would want to look at. Weights are
ours (P): evidence that trafficking meetings show in casework (night, offshore, off the ports' sides)
raises, evidence of the lawful look-alikes (bunkering, pilots, tows, fishing together) lowers. They
are replaced by the calibrated model of `rank` once there are enough dispositions.
"""

import math
from collections.abc import Mapping
from typing import Final

#: Less than 0.3 kn of drift for four hours in the open sea is an anchor or a propeller that holds the place (P).
_KEEPS_PLACE_MPS: Final = 0.1543
_KEEPS_PLACE_S: Final = 4 * 3600.0
#: Restricted in her ability to manoeuvre, by the vessel's own navigational status (COLREG 3(g): survey, diving,
#: dredging, replenishment, pipes and cables): what it does there it says openly. A word is not a proof (P).
DECLARED_WORK: Final[Mapping[str, float]] = {"work declared": -1.5}
_FLOOR: Final = 0.01
_CEILING: Final = 0.99


def score(prior: float, weights: Mapping[str, float]) -> float:
    """The score from a prior in (0, 1) and named weights in log-odds."""
    bounded = min(max(prior, _FLOOR), _CEILING)
    total = math.log(bounded / (1.0 - bounded)) + sum(weights.values())
    return round(min(max(1.0 / (1.0 + math.exp(-total)), _FLOOR), _CEILING), 4)


def keeps_place(speed_mps: float, duration_s: float) -> dict[str, float]:
    """The weight of lying still for hours: craft on station, at a platform, at anchor."""
    held = speed_mps < _KEEPS_PLACE_MPS and duration_s >= _KEEPS_PLACE_S
    return {"keeps its place": -1.5} if held else {}


def spoken(weights: Mapping[str, float]) -> str:
    """The weights as one text for `facts["weights"]`: `night +0.4, tow -2.0`; empty for none."""
    kept = [(name, value) for name, value in weights.items() if abs(value) >= 0.05]
    kept.sort(key=lambda item: -abs(item[1]))
    return ", ".join(f"{name} {value:+.1f}" for name, value in kept)
