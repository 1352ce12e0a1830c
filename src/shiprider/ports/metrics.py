"""Metrics: named numbers for those who keep a node running.

Always true: a name says its unit; label values are feeds, acts, outcomes and conditions, never a person or object.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: `values` are (label values in order of `labels`, number); `counts`: it only grows."""

    name: str
    text: str
    values: Sequence[tuple[tuple[str, ...], float]]
    labels: tuple[str, ...] = ()
    counts: bool = False
