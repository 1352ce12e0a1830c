"""Whether scores mean what they say, and making them so.

Always true: a calibrated score is the expected share of such alerts that people found worth having;
it never reverses the order of two scores; with too few dispositions it is the score itself (the
presets' priors), with some a line in log-odds held near that, with many the monotone regression.
"""

import itertools
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

F64 = NDArray[np.float64]

#: Dispositions, and of the rarer kind, from which a line is fitted; from which a monotone step function.
LINE_FROM: Final = (30, 5)
STEPS_FROM: Final = (300, 30)
#: The line is held near the identity as strongly as by so many dispositions.
_HELD_BY: Final = 10.0
_CLIP: Final = 1e-4
#: No share is nearer to never or always than this.
_SUREST: Final = 1e-9


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """A map from scores to shares: through `scores` (ascending) and `shares`, straight between in log-odds."""

    kind: Literal["prior", "line", "steps"]
    dispositions: int
    scores: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()


def fit_calibration(scores: ArrayLike, outcomes: ArrayLike) -> Calibration:
    """From scores (n,) and outcomes (n,), true where the alert was worth having. Raises ValueError on other shapes."""
    x = np.clip(np.asarray(scores, np.float64), _CLIP, 1 - _CLIP)
    y = np.asarray(outcomes, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"{x.shape} scores do not fit {y.shape} outcomes")
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if len(x) < LINE_FROM[0] or rarer < LINE_FROM[1]:
        return Calibration(kind="prior", dispositions=len(x))
    if len(x) < STEPS_FROM[0] or rarer < STEPS_FROM[1]:
        slope, shift = _line(_logit(x), y)
        grid = np.linspace(0.01, 0.99, 99)
        shares = _expit(shift + slope * _logit(grid))
        return Calibration(
            kind="line", dispositions=len(x), scores=tuple(grid.tolist()), shares=tuple(shares.tolist())
        )
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    steps = isotonic_regression(y).x
    # one knot per step, at the mean score of its members; a step's share is its Jeffreys mean, so never 0 or 1
    starts = np.flatnonzero(np.r_[True, np.diff(steps) > 0])
    counts = np.diff(np.r_[starts, len(x)])
    knots = np.add.reduceat(x, starts) / counts
    shares = (np.add.reduceat(y, starts) + 0.5) / (counts + 1.0)
    return Calibration(
        kind="steps",
        dispositions=len(x),
        scores=tuple(knots.tolist()),
        shares=tuple(np.maximum.accumulate(shares).tolist()),
    )


def calibrated(calibration: Calibration, scores: ArrayLike) -> F64:
    """Shares for scores, same shape."""
    x = np.clip(np.asarray(scores, np.float64), _CLIP, 1 - _CLIP)
    if calibration.kind == "prior":
        return x
    knots, shares = np.array(calibration.scores), np.array(calibration.shares)
    inner = np.interp(_logit(x), _logit(knots), _logit(np.clip(shares, _SUREST, 1 - _SUREST)))
    # beyond the last knots go on in parallel, so that order is kept
    lattice = _logit(x)
    low, high = _logit(knots[:1])[0], _logit(knots[-1:])[0]
    inner = inner + np.minimum(lattice - low, 0.0) * 0.5 + np.maximum(lattice - high, 0.0) * 0.5
    # in floating point the ends would round to certainty
    return np.clip(_expit(inner), _SUREST, 1 - _SUREST)


class ReliabilityRow(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts with scores in [low, high): how many, their mean score, the share worth having, 95 % interval."""

    low: float
    high: float
    count: int
    mean_score: float
    worth: int
    share: float
    share_low: float
    share_high: float


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """The table, the Brier score and the expected calibration error (Naeini and others 2015)."""

    rows: tuple[ReliabilityRow, ...]
    brier: float
    expected_error: float


def reliability(
    scores: ArrayLike, outcomes: ArrayLike, edges: ArrayLike = (0.0, 0.05, 0.2, 0.45, 0.55, 0.8, 0.95, 1.0)
) -> Reliability:
    """How scores fared; the bands are those of ICD 203. Empty bands are left out."""
    x, y, cuts = (
        np.asarray(scores, np.float64),
        np.asarray(outcomes, np.float64),
        np.asarray(edges, np.float64),
    )
    rows = []
    error = 0.0
    for k, (low, high) in enumerate(itertools.pairwise(cuts)):
        chosen = (x >= low) & ((x < high) if k < len(cuts) - 2 else (x <= high))
        n = int(chosen.sum())
        if not n:
            continue
        worth = int(y[chosen].sum())
        below, above = wilson(worth, n)
        mean = float(x[chosen].mean())
        rows.append(
            ReliabilityRow(
                low=float(low),
                high=float(high),
                count=n,
                mean_score=mean,
                worth=worth,
                share=worth / n,
                share_low=below,
                share_high=above,
            )
        )
        error += n / len(x) * abs(worth / n - mean)
    brier = float(((x - y) ** 2).mean()) if len(x) else 0.0
    return Reliability(rows=tuple(rows), brier=brier, expected_error=error)


def wilson(worth: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval of a share (1927), 95 % by default."""
    if count == 0:
        return 0.0, 1.0
    p = worth / count
    centre = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(p * (1 - p) / count + z * z / (4 * count * count)))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _line(x: F64, y: F64) -> tuple[float, float]:
    """Slope and shift of a logistic regression held near slope 1, shift 0 (ridge), by Newton's method."""
    spread = float(np.mean(x**2)) or 1.0
    beta = np.array([1.0, 0.0])
    hold = _HELD_BY * 0.25 * np.array([spread, 1.0])
    design = np.column_stack((x, np.ones_like(x)))
    for _ in range(50):
        p = _expit(design @ beta)
        gradient = design.T @ (y - p) - hold * (beta - np.array([1.0, 0.0]))
        curvature = (design * (p * (1 - p))[:, None]).T @ design + np.diag(hold)
        step = np.linalg.solve(curvature, gradient)
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    # a line that falls would reverse the order: then the scores say nothing, and all get about the same
    return max(float(beta[0]), 0.01), float(beta[1])


def _logit(p: F64) -> F64:
    return np.asarray(np.log(p / (1.0 - p)))


def _expit(x: F64) -> F64:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -50.0, 50.0))))
