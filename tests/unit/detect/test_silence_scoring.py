"""What moves the score of a silence: by hand, weight by weight."""

import math
from dataclasses import replace

import pytest

from shiprider.detect.particulars import UNKNOWN, Particulars
from shiprider.detect.silence_scoring import Circumstances, weights
from shiprider.model.codes import TransmitterClass

NOTHING = Circumstances(
    duration_s=8 * 3600.0,
    usual_s=math.nan,
    heard_s=0.0,
    speed_mps=math.nan,
    implied_mps=math.nan,
    shore_m=math.nan,
    anchorage_m=math.nan,
    transmitter_class=int(TransmitterClass.A),
    who=UNKNOWN,
)


def test_what_is_unknown_moves_nothing() -> None:
    assert weights(NOTHING) == {}


@pytest.mark.parametrize(
    ("usual_h", "heard_h", "expected"),
    [
        (2.0, 12, 2.0),  # four times as long: two doublings
        (8.0, 12, 0.0),
        (16.0, 12, -1.0),
        (90.0, 12, -1.5),  # no further
        (0.25, 12, 4.0),  # five doublings, no more than four
        (0.0, 12, 4.0),  # at the reporting interval: ten minutes stand for it
        (2.0, 5.9, None),  # heard for too short a time to know what is usual
    ],
)
def test_a_vessels_own_usual_silence(usual_h: float, heard_h: float, expected: float | None) -> None:
    found = weights(replace(NOTHING, usual_s=usual_h * 3600, heard_s=heard_h * 3600))
    assert list(found.values()) == ([] if expected is None else [pytest.approx(expected)])


@pytest.mark.parametrize(
    ("change", "weight"),
    [
        ({"speed_mps": 1.6}, 0.7),
        ({"speed_mps": 1.5}, None),
        ({"transmitter_class": int(TransmitterClass.B_CS)}, -1.5),
        ({"shore_m": 11.9 * 1852}, -1.9),
        ({"shore_m": 19.9 * 1852}, -0.4),
        ({"shore_m": 50.1 * 1852}, 1.0),
        ({"anchorage_m": 19_000.0}, -1.6),
        ({"anchorage_m": math.inf}, None),
        ({"implied_mps": 0.25}, -2.5),
        ({"implied_mps": 1.0}, None),
        ({"implied_mps": 1.6}, 1.8),
        ({"who": Particulars(50, 20)}, -2.0),  # pilot
        ({"who": Particulars(55, 40)}, -3.5),  # law enforcement
        ({"who": Particulars(35, 90)}, -3.5),  # military
        ({"who": Particulars(70, 150)}, None),
    ],
)
def test_each_circumstance(change: dict[str, object], weight: float | None) -> None:
    assert list(weights(replace(NOTHING, **change)).values()) == ([] if weight is None else [weight])  # type: ignore[arg-type]
