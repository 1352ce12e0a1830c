"""What the node knows of itself: reception, calibration, quarantine."""

from shiprider.api.schemas.base import Microseconds, Struct


class ReceptionCell(Struct):
    """One H3 cell: `ratio` received / expected, null where nothing was expected (unknown, not silent)."""

    cell: str
    ring: list[list[float]]
    expected: float
    received: int
    ratio: float | None
    vessels: int
    terrestrial: int
    satellite: int


class ReceptionOut(Struct):
    """The reception layer in a bbox; cells not listed have never been heard: uncovered, not empty."""

    start_us: Microseconds
    end_us: Microseconds
    resolution: int
    cells: list[ReceptionCell]
    thinned: bool


class CalibrationBin(Struct):
    """Of `count` decided alerts scored between `low` and `high`, `confirmed` were escalated; the rest dismissed."""

    low: float
    high: float
    mean_probability: float
    count: int
    confirmed: int
    observed: float | None
    observed_low: float | None
    observed_high: float | None


class CalibrationOut(Struct):
    """Whether scores mean what they say. `model` is "prior" until there are enough dispositions.

    `simulated`: the decisions were on simulated data (there are none on real data yet).
    """

    model: str
    simulated: bool
    decided: int
    confirmed: int
    needed: int
    brier: float | None
    bins: list[CalibrationBin]
    behaviours: dict[str, int]
    text: str


class QuarantineReason(Struct):
    """How much could not be decoded for one reason."""

    reason: str
    count: int
    first_us: Microseconds | None
    last_us: Microseconds | None
    example: str
    example_raw: int | None


class QuarantineOut(Struct):
    """What could not be decoded; the bytes are kept and can be replayed."""

    total: int
    reasons: list[QuarantineReason]
