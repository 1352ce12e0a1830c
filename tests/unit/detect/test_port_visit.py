"""Port visit: GFW's state machine, each threshold, and the four confidences."""

from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from shiprider.model.world import World

GEOD = Geod(ellps="WGS84")
A = 232_000_001
PORT = ("Port", 10.0, -140.0)
#: (kilometres from the port, knots) of ten-minute reports.
Reports = list[tuple[float, float]]


def approach(
    sea: Any, reports: Reports, every_s: float = 600.0, gaps: dict[int, float] | None = None
) -> None:
    """Reports due west of the port; `gaps`: seconds of silence before report number n."""
    t, times = 0.0, []
    for n in range(len(reports)):
        t += (gaps or {}).get(n, every_s)
        times.append(t)
    k = len(reports)
    lon, lat, _ = GEOD.fwd(
        np.full(k, PORT[2]), np.full(k, PORT[1]), np.full(k, 270.0), np.array([r[0] for r in reports]) * 1000
    )
    sea.reports(A, times, list(lat), list(lon), [r[1] for r in reports])


@pytest.fixture
def world(anchorages: Any) -> World:
    return World(anchorages=anchorages(PORT, ("Far", -10.0, 20.0)))


IN: Reports = [(9.0, 8.0), (5.0, 8.0), (2.9, 5.0), (1.0, 2.0)]
STOP: Reports = [(0.5, 0.1), (0.5, 0.0), (0.5, 0.6)]
OUT: Reports = [(2.0, 5.0), (3.9, 8.0), (4.1, 8.0), (9.0, 8.0)]


@pytest.mark.parametrize(
    ("reports", "confidence"),
    [
        (IN + STOP + OUT, 4),
        (IN + STOP, 3),
        (STOP[1:] + OUT, 3),
        (STOP[1:], 2),
        (IN + OUT, 1),
        ([(9.0, 8.0), (3.1, 8.0), (9.0, 8.0)], None),
        ([(9.0, 8.0), (2.9, 8.0), (9.0, 8.0)], 1),
        ([(9.0, 8.0), (2.9, 0.25), (3.9, 0.25), (9.0, 8.0)], 1),
        ([(9.0, 8.0), (2.9, 0.15), (3.9, 0.25), (9.0, 8.0)], 4),
    ],
)
def test_confidence(sea: Any, found: Any, world: World, reports: Reports, confidence: int | None) -> None:
    approach(sea, reports)
    findings = found("port_visit.gfw", sea.rows(), world)
    assert [f.facts["confidence"] for f in findings] == ([] if confidence is None else [confidence])
    assert all(f.facts["port"] == "Port" for f in findings)


def test_exit_beyond_4_km_only(sea: Any, found: Any, world: World) -> None:
    """Between 3 and 4 km the vessel stays in port: one visit, not two."""
    approach(sea, [*IN, *STOP, (3.9, 5.0), (2.0, 5.0), *STOP, *OUT])
    (finding,) = found("port_visit.gfw", sea.rows(), world)
    assert finding.state == "closed"
    # Entry is report 3 (2.9 km), exit is report 15 (4.1 km).
    assert (finding.end_us - finding.start_us) / 1e6 == pytest.approx((len(IN) + 2 * 3 + 2 + 3 - 3) * 600.0)


@pytest.mark.parametrize(("silence_h", "confidence"), [(3.9, 1), (4.1, 4)])
def test_a_silence_of_more_than_four_hours_is_a_port_gap(
    sea: Any, found: Any, world: World, silence_h: float, confidence: int
) -> None:
    approach(sea, IN + OUT, gaps={len(IN): silence_h * 3600.0})
    (finding,) = found("port_visit.gfw", sea.rows(), world)
    assert finding.facts["confidence"] == confidence


@pytest.mark.parametrize(("least", "confidence"), [(0.45, 3), (0.55, 3)])
def test_a_stop_ends_above_half_a_knot(
    sea: Any, found: Any, world: World, least: float, confidence: int
) -> None:
    approach(sea, [*IN, (0.5, 0.1), (0.5, least)])
    (finding,) = found("port_visit.gfw", sea.rows(), world)
    assert finding.facts["confidence"] == confidence
    last_event_s = finding.end_us / 1e6 - 1_699_920_000
    assert last_event_s == (3600.0 if least > 0.5 else 3000.0)


def test_the_port_is_where_it_stopped_not_where_it_entered(sea: Any, found: Any, anchorages: Any) -> None:
    lon, lat, _ = GEOD.fwd(PORT[2], PORT[1], 270.0, 2000.0)
    world = World(anchorages=anchorages(PORT, ("Outer", lat, lon)))
    approach(sea, IN + STOP + OUT)
    (finding,) = found("port_visit.gfw", sea.rows(), world)
    assert finding.facts["port"] == "Port"
    assert finding.latitude_deg == PORT[1]


def test_no_anchorages_no_visits(sea: Any, found: Any) -> None:
    approach(sea, IN + STOP + OUT)
    assert found("port_visit.gfw", sea.rows(), World()) == []


def test_a_port_at_the_180th_meridian(sea: Any, found: Any, anchorages: Any) -> None:
    world = World(anchorages=anchorages(("Edge", 10.0, 179.999)))
    t = np.arange(9) * 600.0
    lon = np.array([-179.9, -179.95, -179.99, -179.999, 179.999, 179.999, -179.99, -179.94, -179.9])
    sea.reports(A, list(t), [10.0] * 9, list(lon), [8.0, 8.0, 3.0, 1.0, 0.0, 0.0, 3.0, 8.0, 8.0])
    (finding,) = found("port_visit.gfw", sea.rows(), world)
    assert finding.facts["confidence"] == 4
