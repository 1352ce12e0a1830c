"""Whose decisions may teach the scores that an observer sees.

Always true: a model fitted on labelled data carries the combination of its inputs' labels, as everything made of
them does; an observer who may not see that combination gets the shipped prior, as if nothing had been learnt.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shiprider.model.label import combined_text

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Learnt(Generic[M]):
    """Something fitted, and the label (stored text) of what it was fitted on."""

    model: M
    label: str


def learnt(model: M, inputs: Iterable[str]) -> Learnt[M]:
    """A model with the combination of its inputs' labels."""
    return Learnt(model, combined_text(inputs))


def model_for(fitted: Learnt[M] | None, prior: M, sees: Callable[[str], bool]) -> M:
    """The model an observer's scores are computed with; `sees` says whether he may read what carries a label."""
    return prior if fitted is None or not sees(fitted.label) else fitted.model


def teaching(inputs: Iterable[tuple[M, str]], sees: Callable[[str], bool]) -> list[M]:
    """The inputs that an observer may see: what is fitted on them alone is his own model.

    For aggregates that are cheap to make per observer (counts, a calibration, a budget's order).
    """
    return [given for given, label in inputs if sees(label)]
