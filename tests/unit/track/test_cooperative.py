"""Cooperative tracks: branches, compaction, and real recordings."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyproj import Geod

from shiprider.model.codes import Flaw
from shiprider.track.cooperative import VESSELS, CooperativeTracker

GEOD = Geod(ellps="WGS84")
DATA = Path(__file__).resolve().parents[3] / "../shared/data"
IMPOSSIBLE = int(Flaw.IMPOSSIBLE_MOTION)


def steam(seconds, start, speed, course):
    """Positions along a geodesic, by GeographicLib."""
    n = len(seconds)
    lon, lat, _ = GEOD.fwd(
        np.full(n, start[1]), np.full(n, start[0]), np.full(n, course), np.asarray(seconds) * speed
    )
    return np.asarray(lat), np.asarray(lon)


def two_places(observations_of, apart_deg: float = 2.0):
    t = np.arange(0.0, 3600.0, 10.0)
    one = steam(t, (10.0, 179.95), 7.0, 80.0)
    two = steam(t, (10.0 + apart_deg, 179.95), 5.0, 200.0)
    first = observations_of(t, 232_001_234, *one, 7.0, 80.0)
    second = observations_of(t + 3.0, 232_001_234, *two, 5.0, 200.0, raw=np.arange(len(t)) + 1000)
    return pa.concat_tables([first, second]).sort_by([("time", "ascending"), ("raw", "ascending")])


def test_an_identity_in_two_places_becomes_two_tracks(observations_of) -> None:
    tracked = CooperativeTracker().fold(two_places(observations_of))
    points = tracked.points
    assert set(points.track.tolist()) == {232_001_234 * 16, 232_001_234 * 16 + 1}
    own = points.raw >= 1000
    assert (points.track % 16 == own).all()
    # only the claim that opened the second branch is impossible
    assert np.flatnonzero(points.flaws & IMPOSSIBLE).tolist() == [1]


def test_one_stray_position_makes_no_lasting_branch(observations_of) -> None:
    t = np.arange(0.0, 7200.0, 10.0)
    lat, lon = steam(t, (10.0, -70.0), 7.0, 80.0)
    lat[100] += 1.0
    points = CooperativeTracker().fold(observations_of(t, 232_001_234, lat, lon, 7.0, 80.0)).points
    assert np.flatnonzero(points.flaws & IMPOSSIBLE).tolist() == [100]
    assert np.flatnonzero(points.track % 16).tolist() == [100]


def test_a_branch_that_goes_on_alone_is_followed(observations_of) -> None:
    t = np.arange(0.0, 90_000.0, 60.0)
    lat, lon = steam(t, (10.0, -70.0), 2.0, 80.0)
    lat[10:] += 1.0
    points = CooperativeTracker().fold(observations_of(t, 232_001_234, lat, lon, 2.0, 80.0)).points
    assert set((points.track % 16)[:10].tolist()) == {0}
    assert set((points.track % 16)[10:].tolist()) == {1}
    assert (points.flaws & IMPOSSIBLE).sum() == IMPOSSIBLE


@pytest.mark.parametrize(
    ("jump_m", "impossible"), [(500.0 + 40.0 * 10.0 - 15.0, False), (500.0 + 40.0 * 10.0 + 15.0, True)]
)
def test_just_below_and_above_what_can_be_reached(observations_of, jump_m: float, impossible: bool) -> None:
    lon, lat, _ = GEOD.fwd(-70.0, 10.0, 30.0, jump_m)
    points = (
        CooperativeTracker().fold(observations_of([0.0, 10.0], 232_001_234, [10.0, lat], [-70.0, lon])).points
    )
    assert bool(points.flaws[1] & IMPOSSIBLE) is impossible


def test_injected_impossible_motion_is_flagged_in_99_of_100_cases(observations_of) -> None:
    rng = np.random.default_rng(1)
    tables = []
    for case in range(500):
        t = np.arange(0.0, 1800.0, 10.0)
        lat, lon = steam(
            t, (rng.uniform(-60, 60), rng.uniform(-180, 180)), rng.uniform(0, 12), rng.uniform(0, 360)
        )
        # faster than 60 kn for at least a minute of way, as far as half way round the Earth
        at = rng.integers(5, len(t) - 5)
        x, y, _ = GEOD.fwd(
            lon[at:],
            lat[at:],
            np.full(len(t) - at, rng.uniform(0, 360)),
            np.full(len(t) - at, 10 ** rng.uniform(3.3, 7.0)),
        )
        lat[at:], lon[at:] = y, x
        tables.append(
            observations_of(t, 210_000_000 + case, lat, lon, 5.0, 0.0, raw=np.arange(len(t)) + case * 1000)
        )
    table = pa.concat_tables(tables).sort_by([("time", "ascending"), ("raw", "ascending")])
    points = CooperativeTracker().fold(table).points
    flagged = set(points.claimed_id[(points.flaws & IMPOSSIBLE) != 0].tolist())
    assert len(flagged) >= 495


def test_duplicates_flaws_and_fixed_stations_have_no_tracks(observations_of) -> None:
    table = observations_of(
        np.arange(6.0),
        232_001_234,
        10.0,
        -70.0,
        duplicate_of=[None, 0, None, None, None, None],
        flaws=[0, 0, int(Flaw.OFF_EARTH), 0, 0, int(Flaw.MID_UNKNOWN)],
        transmitter_class=[1, 1, 1, 4, 5, 1],
    )
    assert CooperativeTracker().fold(table).points.raw.tolist() == [0, 5]


def wandering(observations_of, seed: int, vessels: int = 6, n: int = 600):
    """Vessels that turn, stop and fall silent; some over the 180th meridian."""
    rng = np.random.default_rng(seed)
    tables = []
    for v in range(vessels):
        every = rng.choice([2.0, 10.0, 30.0, 180.0])
        t = np.cumsum(np.where(rng.random(n) < 0.01, 2000.0, every))
        speed = np.abs(np.cumsum(rng.normal(0, 0.3, n)))
        course = np.cumsum(rng.normal(0, 6.0, n)) + rng.uniform(0, 360)
        step = np.diff(t, prepend=t[0])
        lat = 10.0 + np.cumsum(speed * step * np.cos(np.radians(course))) / 111_195
        lon = 179.9 + np.cumsum(speed * step * np.sin(np.radians(course))) / 109_500
        lon = (lon + 180.0) % 360.0 - 180.0
        tables.append(
            observations_of(
                t, 232_000_000 + v, lat, lon, speed, course % 360.0, raw=np.arange(n) + v * 10_000
            )
        )
    return pa.concat_tables(tables).sort_by([("time", "ascending"), ("raw", "ascending")])


@pytest.mark.parametrize("seed", range(6))
def test_compact_points_give_every_position_back_within_25_m(observations_of, seed: int) -> None:
    table = wandering(observations_of, seed)
    tracker = CooperativeTracker()
    tracked = tracker.fold(table)
    compact = pa.concat_tables([tracked.compact, tracker.flush()])
    assert compact.num_rows < 0.8 * table.num_rows
    assert len(set(compact["raw"].to_pylist())) == compact.num_rows
    full = tracked.points
    for track in set(full.track.tolist()):
        kept = compact.filter(pc.equal(compact["track"], track)).sort_by("time")
        t = kept["time"].cast(pa.int64()).to_numpy()
        lon = np.unwrap(kept["longitude_deg"].to_numpy(), period=360.0)
        mine = full.track == track
        lat_back = np.interp(full.time_us[mine], t, kept["latitude_deg"].to_numpy())
        lon_back = np.interp(full.time_us[mine], t, lon)
        _, _, off = GEOD.inv(full.longitude_deg[mine], full.latitude_deg[mine], lon_back, lat_back)
        assert max(off) <= 25.2
        assert np.diff(t[np.searchsorted(t, t)]).max(initial=0) >= 0


@pytest.mark.parametrize("seed", range(4))
def test_the_same_however_cut_and_through_a_snapshot(observations_of, seed: int) -> None:
    table = pa.concat_tables([wandering(observations_of, seed), two_places(observations_of)])
    table = table.sort_by([("time", "ascending"), ("raw", "ascending")])
    whole = CooperativeTracker()
    expected = whole.fold(table)
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, table.num_rows, 7)).tolist()
    tracker = CooperativeTracker()
    full, compact = [], []
    for begin, end in zip([0, *cuts], [*cuts, table.num_rows], strict=True):
        step = tracker.fold(table.slice(begin, end - begin))
        full.append(step.full)
        compact.append(step.compact)
        other = CooperativeTracker()
        other.restore(tracker.snapshot())
        tracker = other
    assert pa.concat_tables(full).to_pylist() == expected.full.to_pylist()
    assert pa.concat_tables(compact).to_pylist() == expected.compact.to_pylist()
    assert tracker.flush().to_pylist() == whole.flush().to_pylist()
    assert tracker.vessels().to_pylist() == whole.vessels().to_pylist()


def test_vessels_join_what_was_said_with_where_they_are(observations_of, statements_of) -> None:
    tracker = CooperativeTracker()
    positions = observations_of([0.0, 10.0], [232_001_234, 232_009_999], 10.0, -70.0)
    said = statements_of(
        [1.0, 2.0, 3.0],
        232_001_234,
        name=["ANA", None, None],
        imo=[None, 9_074_729, None],
        ship_type=[None, 70, 71],
    )
    tracker.fold(positions, said)
    table = tracker.vessels()
    assert table.schema == VESSELS
    first, second = table.to_pylist()
    assert (first["name"], first["imo"], first["ship_type"]) == ("ANA", 9_074_729, 71)
    assert (second["claimed_id"], second["name"]) == (232_009_999, None)


@pytest.mark.shared
@pytest.mark.skipif(
    not (DATA / "ais_solent_opensky").exists(), reason="../shared/data/ais_solent_opensky is absent"
)
def test_solent_vessels_keep_one_track_unless_they_jump(observations_of) -> None:
    frame = pl.read_csv(DATA / "ais_solent_opensky/SolentAIS_20160112_130211.csv", try_parse_dates=True)
    frame = frame.with_row_index("raw").sort("Time", "raw")
    t = frame["Time"].dt.epoch("us").to_numpy() / 1e6
    table = observations_of(
        t - 1_704_067_200.0,
        frame["MMSI"].to_numpy(),
        frame["Latitude_degrees"].to_numpy(),
        frame["Longitude_degrees"].to_numpy(),
        frame["SOG_knots"].to_numpy() * 0.514444,
        frame["COG_degrees"].to_numpy(),
        raw=frame["raw"].to_numpy().astype(np.int64),
    )
    points = CooperativeTracker().fold(table).points
    assert len(points) == frame.height
    jumpers = set()
    for (mmsi,), own in frame.group_by("MMSI", maintain_order=True):
        lat, lon = own["Latitude_degrees"].to_numpy(), own["Longitude_degrees"].to_numpy()
        _, _, metres = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
        seconds = np.diff(own["Time"].dt.epoch("us").to_numpy()) / 1e6
        if (np.asarray(metres) > 500.0 + 40.0 * seconds).any():
            jumpers.add(mmsi)
    split = set(points.claimed_id[points.track % 16 > 0].tolist())
    assert split == jumpers
    assert len(set(points.claimed_id.tolist())) == frame["MMSI"].n_unique()


@pytest.mark.shared
@pytest.mark.skipif(not (DATA / "adsb_traffic").exists(), reason="../shared/data/adsb_traffic is absent")
def test_spoofed_aircraft_are_flagged_where_their_positions_jump(observations_of) -> None:
    raw = json.loads(gzip.decompress((DATA / "adsb_traffic/noisy_spoofing.json.gz").read_bytes()))
    frame = pl.DataFrame(
        {
            name: list(column.values())
            for name, column in raw.items()
            if name in ("timestamp", "icao24", "latitude", "longitude")
        }
    )
    frame = frame.drop_nulls().unique(["timestamp", "icao24"], maintain_order=True).sort("timestamp")
    identity = [int(code, 16) for code in frame["icao24"].to_list()]
    seconds = frame["timestamp"].to_numpy() / 1000.0 - 1_704_067_200.0
    lat, lon = frame["latitude"].to_numpy(), frame["longitude"].to_numpy()
    table = observations_of(seconds, identity, lat, lon, None, None, transmitter_class=6)
    points = CooperativeTracker().fold(table).points
    # independently: the first step of each aircraft that is faster than 300 m/s beyond the slack
    first_jump = {}
    for who in set(identity):
        mine = np.flatnonzero(np.array(identity) == who)
        _, _, metres = GEOD.inv(lon[mine][:-1], lat[mine][:-1], lon[mine][1:], lat[mine][1:])
        over = np.flatnonzero(np.asarray(metres) > 500.0 + 300.0 * np.diff(seconds[mine]))
        if len(over):
            first_jump[who] = int(mine[over[0] + 1])
    flagged = np.flatnonzero(points.flaws & IMPOSSIBLE)
    assert first_jump, "the recording has jumps"
    for who, row in first_jump.items():
        mine = flagged[points.claimed_id[flagged] == who]
        assert points.raw[mine[0]] == row
