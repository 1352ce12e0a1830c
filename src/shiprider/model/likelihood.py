"""Likelihood in words: the seven bands of ICD 203.

Always true: a band is of a probability alone and says nothing of confidence.
"""

from typing import Final, Literal

Band = Literal[
    "almost_no_chance", "very_unlikely", "unlikely", "even", "likely", "very_likely", "almost_certain"
]

#: Upper edges of the bands (ICD 203, 2015, D.6.e.2.a); 0-1 and 99-100 % count to the outer bands.
_EDGES: Final[tuple[tuple[float, Band], ...]] = (
    (0.05, "almost_no_chance"),
    (0.20, "very_unlikely"),
    (0.45, "unlikely"),
    (0.55, "even"),
    (0.80, "likely"),
    (0.95, "very_likely"),
)


def band(probability: float) -> Band:
    """The band of a probability in 0..1; an edge counts to the higher band."""
    for upper, name in _EDGES:
        if probability < upper:
            return name
    return "almost_certain"
