"""Calibration: what people decided teaches what scores mean, and whether they mean what they say.

Always true: the report compares what was shown when a person decided with what he decided, never with
what the model says today; decisions on simulated data never teach the ranking of real data; an alert counts once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from shiprider.detect.calibration import (
    LINE_FROM,
    Calibration,
    ReliabilityRow,
    calibrated,
    fit_calibration,
    reliability,
)
from shiprider.model.disposition import Disposition, newest_of_each_alert
from shiprider.ports.ledger import Ledger

if TYPE_CHECKING:
    from shiprider.flow.view import View


@dataclass(frozen=True, slots=True)
class Report:
    """`model` is "prior", "line" or "steps"; `needed` decisions before it is fitted; `brier` None without any."""

    model: str
    simulated: bool
    decided: int
    confirmed: int
    needed: int
    brier: float | None
    rows: tuple[ReliabilityRow, ...]
    behaviours: Mapping[str, int]


def _standing(bodies: Iterable[Disposition], simulated: bool) -> list[Disposition]:
    return [each for each in bodies if each.outcome != "withdrawn" and each.simulated == simulated]


def _confirmed(decided: list[Disposition]) -> list[bool]:
    return [each.outcome == "confirmed" for each in decided]


@dataclass(frozen=True, slots=True)
class Models:
    """Calibrations, one for real (False) and one for simulated data (True)."""

    fitted: Mapping[bool, Calibration]

    @classmethod
    def of(cls, bodies: Iterable[Disposition]) -> "Models":
        """Fitted to these decisions, in the order they were recorded, and to no others."""
        given = newest_of_each_alert(bodies, lambda body: body)
        models = {}
        for simulated in (False, True):
            decided = _standing(given, simulated)
            models[simulated] = fit_calibration([each.score for each in decided], _confirmed(decided))
        return cls(models)

    def probability(self, score: float, *, simulated: bool) -> tuple[float, str]:
        """The share of such alerts that would be confirmed, and which model says so."""
        model = self.fitted.get(simulated)
        if model is None or model.kind == "prior":
            return score, "prior"
        share = float(calibrated(model, np.array([score]))[0])
        return round(share, 4), f"{model.kind}-{model.dispositions}"


def models_for(view: "View") -> Models:
    """What the decisions that this observer may see teach, and nothing else does; the priors where he sees few.

    An alert's stored probability is that of all decisions: whoever may not see all of them is shown this one.
    """
    return Models.of(item.body for item in view.dispositions())


class Teaching:
    """The calibrations in force, one for real and one for simulated data."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._head = -1
        self._models = Models({})

    def refresh(self) -> bool:
        """Learn from what was decided since; whether anything changed."""
        head = self._ledger.head().sequence
        if head == self._head or not self._news():
            self._head = head
            return False
        self._head = head
        bodies = [
            msgspec.json.decode(record.body, type=Disposition)
            for record in self._ledger.of_kind("disposition")
            if record.body is not None and record.origin == self._ledger.origin
        ]
        before, self._models = self._models, Models.of(bodies)
        return before != self._models

    def _news(self) -> bool:
        return self._head < 0 or bool(self._ledger.since(self._head, limit=1, kinds=("disposition",)))

    def probability(self, score: float, *, simulated: bool) -> tuple[float, str]:
        """The share of such alerts that would be confirmed, and which model says so."""
        return self._models.probability(score, simulated=simulated)


def calibration_report(view: "View") -> Report:
    """Over real decisions; over simulated ones where there are no real ones."""
    bodies = [item.body for item in view.dispositions() if item.record.origin == view.ledger.origin]
    decided = _standing(bodies, False)
    simulated = not decided
    decided = decided or _standing(bodies, True)
    worth = _confirmed(decided)
    table = reliability([each.probability for each in decided], worth) if decided else None
    return Report(
        model=fit_calibration([each.score for each in decided], worth).kind,
        simulated=simulated and bool(decided),
        decided=len(decided),
        confirmed=sum(worth),
        needed=LINE_FROM[0],
        brier=table.brier if table else None,
        rows=table.rows if table else (),
        behaviours=dict(sorted(Counter(each.behaviour for each in decided).items())),
    )
