"""The steady stream: its rate, its vessels, its mark."""

import re
from collections import Counter

import pyais

from shiprider.simulate.geography import Geography
from shiprider.simulate.steady import steady_stream


def test_rate_and_vessels(geography: Geography) -> None:
    pieces = list(steady_stream(geography, messages_per_s=500, vessels=1000, duration_s=6.0, slice_s=0.5))
    assert [p.messages for p in pieces] == [250] * 12
    again = list(steady_stream(geography, messages_per_s=500, vessels=1000, duration_s=6.0, slice_s=3.0))
    assert sum(p.messages for p in again) == 3000
    kinds: Counter[int] = Counter()
    vessels: set[int] = set()
    parts: list[bytes] = []
    for line in b"".join(p.data for p in pieces).split(b"\r\n")[:-1]:
        assert re.match(rb"\\(g:\d-\d-\d+,)?s:SIM-STEADY-\d\d,c:\d+\*|\\g:2-2-\d+\*", line), line
        parts.append(line[line.index(b"!") :])
        if len(parts) < int(parts[0].split(b",")[1]):
            continue
        message = pyais.decode(*parts)
        parts = []
        kinds[message.msg_type] += 1
        vessels.add(message.mmsi)
    assert sum(kinds.values()) == 3000
    assert len(vessels) == 1000
    assert 0.05 < (kinds[5] + kinds[24]) / 3000 < 0.15


def test_vessels_are_at_sea(geography: Geography) -> None:
    import numpy as np

    from shiprider.simulate.steady import _places

    places = _places(geography, 5000, np.random.default_rng(1))
    assert places.shape == (5000, 2)
    assert not geography.is_land(places[:, 0].copy(), places[:, 1].copy()).any()
