"""What is remembered of a vessel between two reports."""

import math

import numpy as np
import pytest

from shiprider.detect.silences import fading


def test_fading_is_the_exponential() -> None:
    for share in [0.0, 1e-9, *np.geomspace(1e-6, 3.0, 200), 700.0]:
        assert fading(float(share)) == pytest.approx(math.exp(-share), rel=2e-12)
