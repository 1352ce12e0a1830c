"""Route departure: a lane learnt, a vessel that leaves it, and the rate of false alarms."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from shiprider.detect.catalogue import build, find, shipped
from shiprider.detect.traffic import TrafficModel, cumulated, fit_traffic, way_of
from shiprider.model.codes import TransmitterClass
from shiprider.model.identity import VesselClass
from shiprider.model.rows import Rows, no_statements, points_from_table
from shiprider.model.tables import STATEMENTS, TRACK_POINTS
from shiprider.model.world import World

NEW_YEAR_US = 1_704_067_200_000_000


def lanes(seed: int, day: int, vessels: int = 150, leave: int | None = None) -> pa.Table:
    """Vessels on two crossing lanes at 17 kn; one may leave its lane at noon for the north-east."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list] = {name: [] for name in ("t", "id", "lat", "lon", "course")}
    for v in range(vessels):
        t = np.arange(rng.uniform(0, 120), 86_400.0, 120.0)
        way = rng.uniform(0, 3.0) + 9.0 * t / 111_195
        if v % 2:
            lat, lon, course = 10.0 + way, -75.0 + rng.normal(0, 0.05) + 0 * t, 0.0 * t
        else:
            lat, lon, course = 15.0 + rng.normal(0, 0.05) + 0 * t, -80.0 + way / 0.966, 90.0 + 0 * t
        if v == leave:
            off = t > 43_200
            k = int(np.argmax(off))
            run = 9.0 * (t - t[k]) / 111_195 * np.sqrt(0.5)
            lat, lon, course = (
                np.where(off, lat[k] + run, lat),
                np.where(off, lon[k] + run / 0.966, lon),
                np.where(off, 45.0, course),
            )
        for name, value in (
            ("t", t),
            ("id", np.full(len(t), 232_000_000 + day * 1000 + v)),
            ("lat", lat),
            ("lon", lon),
            ("course", course),
        ):
            columns[name].append(value)
    flat = {name: np.concatenate(parts) for name, parts in columns.items()}
    order = np.argsort(flat["t"], kind="stable")
    n = len(order)
    time = NEW_YEAR_US + day * 86_400_000_000 + np.round(flat["t"][order] * 1e6).astype(np.int64)
    given = {
        "time": pa.array(time, pa.timestamp("us", tz="UTC")),
        "day": pa.array(np.full(n, 19_723 + day, np.int32)).cast(pa.date32()),
        "track": pa.array(flat["id"][order].astype(np.int64) * 16),
        "claimed_id": pa.array(flat["id"][order].astype(np.int64)),
        "latitude_deg": pa.array(flat["lat"][order]),
        "longitude_deg": pa.array(flat["lon"][order]),
        "speed_mps": pa.array(np.full(n, 9.0, np.float32)),
        "course_deg": pa.array(flat["course"][order].astype(np.float32)),
        "transmitter_class": pa.array(np.full(n, int(TransmitterClass.A), np.int8)),
        "flaws": pa.array(np.zeros(n, np.int32)),
        "raw": pa.array(np.arange(n)),
    }
    return pa.table([given.get(f.name, pa.nulls(n, f.type)) for f in TRACK_POINTS], schema=TRACK_POINTS)


@pytest.fixture(scope="module")
def model() -> TrafficModel:
    fitted = fit_traffic(pa.concat_tables([lanes(d, d) for d in range(4)]), STATEMENTS.empty_table())
    assert fitted is not None
    return fitted


def told(model: TrafficModel, table: pa.Table):
    detector = build(find("route_departure.ours", shipped()))
    points = points_from_table(table)
    world = World(traffic=model)
    state, findings = detector.fold(
        detector.start(), Rows(points, no_statements(), int(points.time_us[-1])), world
    )
    return [*findings, *detector.finish(state, world)]


def test_the_vessel_that_leaves_its_lane_is_found(model) -> None:
    findings = told(model, lanes(50, 5, leave=4))
    assert {f.participants for f in findings} == {(232_005_004,)}
    (opened, last) = findings
    assert (opened.state, last.state) == ("open", "open")
    # it left at noon; at least an hour of evidence
    noon = NEW_YEAR_US + (5 * 24 + 12) * 3_600_000_000
    assert noon <= opened.start_us <= noon + 3 * 3_600_000_000
    assert opened.end_us - opened.start_us >= 3_600_000_000
    assert last.end_us > opened.end_us
    assert last.versions == {"traffic": model.version}


def test_normal_days_give_no_more_than_the_rate(model) -> None:
    # 600 vessel-days at 0.0005: 0.3 expected, more than 3 has probability 3e-4
    assert len({f.participants for d in range(4) for f in told(model, lanes(60 + d, 10 + d))}) <= 3


def test_the_density_is_highest_where_and_how_the_lane_goes(model) -> None:
    def at(lat: float, lon: float, course: float, speed: float = 9.0) -> float:
        one = [np.array([v]) for v in (lat, lon, course, speed)]
        return float(model.log_density(np.array([0], np.int8), *one)[0])

    assert at(15.0, -77.0, 90.0) > at(15.0, -77.0, 270.0) > at(18.5, -77.0, 90.0)
    assert at(15.0, -77.0, 90.0) > at(15.0, -77.0, 90.0, 2.0)
    assert at(15.0, -77.0, 90.0) == pytest.approx(0.0, abs=1.5)


def test_ways_and_sums_by_hand() -> None:
    assert way_of(np.array([0.0, 359.0, 45.0, 180.0]), np.array([1.0, 1.6, 6.0, 11.0])).tolist() == [
        0,
        8,
        17,
        28,
    ]
    out = np.empty(5)
    cumulated(np.array([0, 0, 1, 0, 0], np.int32), np.array([1.0, -3.0, 2.0, 4.0, 1.0]), np.zeros(2), out)
    assert out.tolist() == [1.0, 0.0, 2.0, 4.0, 5.0]


def test_only_earlier_days_saved_and_loaded(model) -> None:
    days = pa.concat_tables([lanes(d, d) for d in range(2)])
    fitted = fit_traffic(days, STATEMENTS.empty_table(), before=date(2024, 1, 2))
    assert fitted is not None
    assert fitted.version.startswith("2024-01-01..2024-01-01/")
    assert fit_traffic(days, STATEMENTS.empty_table(), before=date(2024, 1, 1)) is None
    again = TrafficModel.load(model.save())
    assert again.version == model.version
    assert again.departure_threshold(0, 0.01) == model.departure_threshold(0, 0.01)
    # 600 vessel-days: six may lie above
    assert (model.maxima[0] > model.departure_threshold(0, 0.01)).sum() == 6


def test_without_enough_days_nothing_is_a_departure() -> None:
    fitted = fit_traffic(lanes(1, 0, vessels=50), STATEMENTS.empty_table())
    assert fitted is not None
    assert fitted.departure_threshold(0, 0.01) == float("inf")


@pytest.mark.parametrize(
    ("days", "threshold"),
    [(59, float("inf")), (60, 12.0 + 100.0 / 3.0), (100, 12.0 + 20.0), (200, 12.0 + 2.0)],
)
def test_the_fewer_days_were_learnt_from_the_wider_is_the_margin(days: int, threshold: float) -> None:
    """A fifth above the highest sum of 10, and a margin that falls from 5 x 2 x 200 / n log units to 2."""
    maxima = [np.zeros(0)] * len(VesselClass)
    maxima[VesselClass.CARGO] = np.sort(np.r_[10.0, np.zeros(days - 1)])
    nothing = np.zeros(0, np.int64)
    model = TrafficModel(
        "by hand", nothing.astype(np.uint64), nothing, nothing, nothing.astype(np.float32), 0.0, tuple(maxima)
    )
    assert model.departure_threshold(VesselClass.CARGO, 0.0005) == pytest.approx(threshold)
