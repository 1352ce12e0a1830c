"""The picture and the view: newest wins, late never moves back, boxes (also across 180°), search, then and now.

Expected positions come from a plain loop over the same rows.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from shiprider.adapters.lake.delta import DeltaLake
from shiprider.flow import frames
from shiprider.flow.picture import Picture
from shiprider.flow.sight import Frames
from shiprider.model.codes import TransmitterClass
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.tables import STATEMENTS, TRACK_POINTS

T0 = 1_700_000_000_000_000


def everything(_: str) -> Frames:
    return Frames(frozenset({0}), frozenset(), True)


def table(schema: pa.Schema, n: int, **given: Any) -> pa.Table:
    columns = []
    for field in schema:
        if field.name not in given:
            columns.append(pa.nulls(n, field.type))
            continue
        values = pa.array(given[field.name])
        columns.append(
            values.cast(pa.int64()).cast(field.type)
            if pa.types.is_timestamp(field.type)
            else values.cast(field.type)
        )
    return pa.table(columns, schema=schema)


def points(seed: int, n: int = 4000, vessels: int = 300) -> pa.Table:
    rng = np.random.default_rng(seed)
    time = T0 + rng.integers(0, 7_200, n) * 1_000_000
    mmsi = 200_000_000 + rng.integers(0, vessels, n)
    return table(
        TRACK_POINTS, n, time=time, received=time + rng.choice([0, 600_000_000], n), track=mmsi * 16, claimed_id=mmsi,
        latitude_deg=rng.uniform(-80, 80, n), longitude_deg=rng.uniform(-180, 180, n), raw=np.arange(n), flaws=np.zeros(n, np.int32),
        day=np.asarray(time // 86_400_000_000, np.int32),
    )  # fmt: skip


def by_loop(
    rows: pa.Table, *, until: int = 2**62, known: int = 2**62, since: int = 0
) -> dict[int, tuple[int, float, float]]:
    found: dict[int, tuple[int, float, float]] = {}
    for row in rows.to_pylist():
        time, received = (round(row[name].timestamp() * 1e6) for name in ("time", "received"))
        if since <= time <= until and received <= known and time >= found.get(row["track"], (-1,))[0]:
            found[row["track"]] = (time, row["latitude_deg"], row["longitude_deg"])
    return found


@pytest.mark.parametrize("batch", [4000, 37, 1])
def test_the_newest_wins_in_whatever_batches_they_come(batch: int) -> None:
    rows = points(1, 600 if batch == 1 else 4000).sort_by([("received", "ascending")])
    made = Picture()
    for at in range(0, rows.num_rows, batch):
        made.take_points(rows.slice(at, batch))
    ties = by_loop(rows)
    seen = made.rows()
    assert len(seen) == len(ties) == len(made)
    for at in range(len(seen)):
        assert int(seen["time_us"][at]) == ties[int(seen.track[at])][0]


@pytest.mark.parametrize(
    "box",
    [
        (-10.0, -10.0, 60.0, 45.0),
        (170.0, -80.0, -170.0, 80.0),
        (-180.0, -90.0, 180.0, 90.0),
        (5.0, 5.0, 5.0, 5.0),
    ],
)
def test_boxes_against_a_loop(box: tuple[float, float, float, float]) -> None:
    rows, made = points(2), Picture()
    made.take_points(rows)
    everything = made.rows()
    west, south, east, north = box
    expected = set()
    for at in range(len(everything)):
        latitude, longitude = everything["latitude_e7"][at] / 1e7, everything["longitude_e7"][at] / 1e7
        across = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
        if south <= latitude <= north and across:
            expected.add(int(everything.track[at]))
    assert set(made.rows(box).track.tolist()) == expected


def test_versions_tell_what_changed() -> None:
    made = Picture()
    made.take_points(points(3))
    before, version = made.rows(), made.version
    one = points(3).slice(0, 1)
    later = one.set_column(0, "time", pa.array([T0 + 10**12]).cast(TRACK_POINTS.field("time").type))
    made.take_points(later)
    changed = made.rows()
    assert (changed.changed > version).sum() == 1 and len(before) == len(changed)


def test_each_part_of_what_a_vessel_said_stands_until_it_says_another() -> None:
    made = Picture()
    said = table(
        STATEMENTS, 4, time=[T0, T0 + 10, T0 + 20, T0 + 5], claimed_id=[1, 1, 1, 1], imo=[9074729, None, None, 1],
        name=["FIRST", None, "SECOND", "LATE"], ship_type=[70, None, 30, 80], to_bow_m=[10, None, 30, 1], to_stern_m=[5, None, 3, 1],
        callsign=["C1", "  ", None, None], raw=[1, 2, 3, 4],
    )  # fmt: skip
    made.take_statements(said.slice(0, 3))
    made.take_statements(said.slice(3, 1))
    static = made.static(1)
    assert (static.name, static.imo, static.ship_type, static.length_m, static.callsign) == (
        "SECOND",
        9074729,
        30,
        33,
        "C1",
    )
    assert made.static(2).name == ""
    assert [hit[:2] for hit in made.search("seco", 5)] == [(1, "name")]
    assert made.search("   ", 5) == [] and made.search("%", 5) == []


def test_classes_of_ships_and_stations() -> None:
    from shiprider.flow.picture import class_of

    types = np.array([70, 82, 60, 30, 36, 37, 52, 40, 35, 51, 90, -1, -1, -1, 0, 255], np.int16)
    station = np.zeros(16, np.int8)
    station[11:14] = [
        TransmitterClass.BASE_STATION,
        TransmitterClass.AID_TO_NAVIGATION,
        TransmitterClass.SAR_AIRCRAFT,
    ]
    assert class_of(types, station).tolist() == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 13, 10, 11, 12, 0, 0]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> DeltaLake:
    folder = tmp_path_factory.mktemp("lake")
    made = DeltaLake(folder / "lake", folder / "state")
    writer = made.writer("tracks", ("track_points",))
    writer.add({"track_points": points(4)}, 1)
    writer.commit(1, b"")
    return made


@pytest.mark.parametrize("mode", ["then", "now"])
def test_the_picture_of_a_past_time_against_a_loop(lake: DeltaLake, mode: str) -> None:
    at = T0 + 3_600_000_000
    rows, labels = frames.picture_at(lake, everything, Picture(), at, mode, None)
    expected = by_loop(
        points(4), until=at, known=at if mode == "then" else 2**62, since=at - frames.PICTURE_SPAN_US
    )
    found = {int(t): int(time) for t, time in zip(rows.track, rows["time_us"], strict=True)}
    assert found == {track: value[0] for track, value in expected.items()}
    assert len(found) > 200
    assert labels == {0}


def test_then_and_now_differ_by_what_came_late(lake: DeltaLake) -> None:
    at = T0 + 1_800_000_000
    then, now = (
        frames.picture_at(lake, everything, Picture(), at, mode, None)[0] for mode in ("then", "now")
    )
    assert then["time_us"].sum() < now["time_us"].sum() or len(then) < len(now)


def test_tracks_keep_their_ends_when_thinned(lake: DeltaLake) -> None:
    (whole,) = frames.tracks(
        lake, everything, 200_000_001, T0, T0 + 7_200_000_000, known_us=None, points=10_000
    )
    (thin,) = frames.tracks(lake, everything, 200_000_001, T0, T0 + 7_200_000_000, known_us=None, points=3)
    assert thin.total == whole.total and len(thin.columns["raw"]) == 3
    assert thin.columns["raw"][[0, -1]].tolist() == whole.columns["raw"][[0, -1]].tolist()
    with pytest.raises(UsageError, match="must end after it begins"):
        frames.tracks(lake, everything, 1, 5, 5, known_us=None, points=3)


def test_an_unknown_address_is_not_found(lake: DeltaLake) -> None:
    with pytest.raises(NotFound, match="never here, or retention removed it"):
        frames.observation(lake, everything, None, 12345)
