"""Areas: the polygon test against shapely, entries and exits by hand."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.detect.polygons import inside, unrolled
from shiprider.model.world import Area, World

SHIP = 232_001_234
BOX = Area("box", ((179.9, 9.9), (-179.9, 9.9), (-179.9, 10.1), (179.9, 10.1), (179.9, 9.9)))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 12), st.booleans())
def test_inside_is_shapelys_inside(seed: int, corners: int, dateline: bool) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = rng.uniform(0.2, 3.0, corners)
    x, y = reach * np.cos(angle), 10.0 + reach * np.sin(angle)
    ring = np.column_stack((np.r_[x, x[0]], np.r_[y, y[0]]))
    px, py = rng.uniform(-4, 4, 500), rng.uniform(6, 14, 500)
    expected = shapely.contains_xy(shapely.Polygon(ring), px, py)
    shift = 180.0 if dateline else 20.0
    turned = tuple(((a + shift + 180.0) % 360.0 - 180.0, b) for a, b in ring.tolist())
    ours = inside(py, (px + shift + 180.0) % 360.0 - 180.0, unrolled(turned))
    edge = shapely.distance(shapely.LinearRing(ring), shapely.points(px, py)) < 1e-9
    assert (ours == expected)[~edge].all()


def crossing(sea, minutes_out: float = 60.0):
    """Into the box over the 180th meridian, out of it, and on."""
    t = np.arange(0, 7200.0 + minutes_out * 60, 60.0)
    lon = np.where(t < 1800, 179.8, np.where(t < 5400, 180.0, 180.3))
    sea.reports(SHIP, t, np.full(len(t), 10.0), lon, np.full(len(t), 8.0))
    return sea.rows()


def test_entry_and_exit_are_dated_when_they_happened(sea, found) -> None:
    told = found("area.ours", crossing(sea), World(areas=(BOX,)))
    assert [(f.subtype, f.reason_key) for f in told] == [("entry", "entry"), ("exit", "exit")]
    assert [(f.start_us - 1_699_920_000_000_000) / 1e6 for f in told] == [1800.0, 5400.0]
    assert told[1].facts["inside_s"] == 3600
    assert all(len(f.evidence[0].raws) == 2 for f in told)


@pytest.mark.parametrize(("away_s", "kinds"), [(540.0, ["entry"]), (660.0, ["entry", "exit", "entry"])])
def test_wandering_over_the_edge_is_no_exit(sea, found, away_s: float, kinds: list[str]) -> None:
    t = np.arange(0, 7200.0, 60.0)
    lon = np.where((t >= 600) & (t < 600 + away_s), 179.8, 180.0)
    sea.reports(SHIP, t, np.full(len(t), 10.0), lon, np.full(len(t), 8.0))
    assert [f.subtype for f in found("area.ours", sea.rows(), World(areas=(BOX,)))] == kinds


def test_first_heard_inside_says_so(sea, found) -> None:
    sea.sails(SHIP, (10.0, 180.0), [(600.0, 1.0, 0.0)])
    (told,) = found("area.ours", sea.rows(), World(areas=(BOX,)))
    assert told.reason_key == "seen_inside"
    assert len(told.evidence[0].raws) == 1
