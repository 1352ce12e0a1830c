"""What an observer's probabilities are fitted to: the decisions that he may see."""

from types import SimpleNamespace
from typing import Any

from shiprider.detect.calibration import LINE_FROM
from shiprider.flow.calibration import Models, models_for
from shiprider.model.disposition import Disposition


def _decided(score: float, outcome: str, *, simulated: bool = False) -> Disposition:
    return Disposition(
        alert=f"{score}", finding="f", finding_revision=1, behaviour="gap", preset="p", subtype="", score=score,
        probability=score, outcome=outcome, simulated=simulated,  # type: ignore[arg-type]
    )  # fmt: skip


def _view(bodies: list[Disposition]) -> Any:
    return SimpleNamespace(dispositions=lambda: [SimpleNamespace(body=body) for body in bodies])


#: Enough for a line, and against the score: high scores were dismissed.
TAUGHT = [
    _decided(0.2 + at / 100, "dismissed" if at > 10 else "confirmed") for at in range(LINE_FROM[0] + 10)
]


def test_who_sees_the_decisions_is_taught_by_them() -> None:
    share, model = models_for(_view(TAUGHT)).probability(0.6, simulated=False)
    assert model == f"line-{len(TAUGHT)}"
    assert share < 0.6


def test_who_sees_too_few_of_them_gets_the_prior() -> None:
    """Byte for byte what he would get if the others had never been made."""
    assert models_for(_view([])).probability(0.6, simulated=False) == (0.6, "prior")
    assert models_for(_view(TAUGHT[:5])).probability(0.6, simulated=False) == (0.6, "prior")


def test_simulated_decisions_teach_only_the_simulated() -> None:
    simulated = Models.of(_decided(each.score, each.outcome, simulated=True) for each in TAUGHT)
    assert simulated.probability(0.6, simulated=False) == (0.6, "prior")
    assert simulated.probability(0.6, simulated=True)[1] == f"line-{len(TAUGHT)}"
    withdrawn = Models.of(_decided(each.score, "withdrawn") for each in TAUGHT)
    assert withdrawn.probability(0.6, simulated=False) == (0.6, "prior")
