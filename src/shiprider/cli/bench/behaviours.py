"""Behaviours over many positions: our folds beside the same definitions in DuckDB SQL and MovingPandas.

Always true: both sides run over the same simulated positions in the same process, with all cores
DuckDB wants; before a figure is given, what they found is compared and a difference raises. The peer
that is too slow for all positions gets a sample, and the row says how large.
"""

import math
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np

from shiprider.adapters.geography.anchorages import packaged_ports
from shiprider.adapters.geography.coast import load_coast
from shiprider.adapters.geography.sea_lanes import sea_geography
from shiprider.cli.bench import behaviours_sql as sql
from shiprider.cli.bench.table import Row, compared
from shiprider.detect.catalogue import build, find, shipped
from shiprider.detect.preset import Preset
from shiprider.model.finding import Finding
from shiprider.model.rows import Rows, TrackPoints, no_statements
from shiprider.model.world import World
from shiprider.simulate.columns import million_positions

NAME: Final = "behaviours"
#: Positions at scale 1 (performance.md), and days they span.
POSITIONS: Final = 10_000_000
_DAYS: Final = 7.0
_VESSELS: Final = 3_000
#: MovingPandas makes an object per segment: some 20,000 positions a second.
_SAMPLE: Final = 40_000
_UNIT: Final = "positions/s"


def run(scale: float = 1.0) -> list[Row]:
    """All behaviours over `scale` times ten million positions, and the growth from a quarter of them."""
    coast = load_coast()
    world = World(coast=coast, anchorages=packaged_ports(coast))
    geography = sea_geography(coast.is_land)
    count = max(20_000, round(POSITIONS * scale))
    vessels = max(60, round(_VESSELS * scale))
    points = million_positions(count, vessels, geography, days=_DAYS)
    quarter = _first_tracks(points, 0.25)
    rows: list[Row] = []
    database = _duckdb(points, world)
    for preset, query, check in _cases():
        detector = build(preset)
        _found(detector, _first_tracks(points, 0.01), world)  # compile before measuring
        seconds, findings = _timed(partial(_found, detector, points, world))
        growth = _growth(detector, points, quarter, world)
        notes = f"{len(findings)} findings; time grows as n^{growth:.2f}"
        peer: float | None = None
        if database is not None and query is not None:
            peer_seconds, events = _timed(partial(_answer, database, query(preset.numbers)))
            check(preset, findings, events, database)
            peer = len(points) / peer_seconds
            notes += "; same findings"
        elif query is None:
            notes += "; no SQL of the same definition"
        rows.append(
            compared(
                f"{preset.behaviour} {preset.name}", len(points) / seconds, peer, "DuckDB SQL", _UNIT, notes
            )
        )
    return [*rows, *_beside_movingpandas(points, world)]


Check = Callable[[Preset, list[Finding], Any, Any], None]
Case = tuple[Preset, Callable[[Any], str] | None, Check]


def _cases() -> list[Case]:
    """(preset, its SQL, how the two are compared)."""
    known = shipped()
    encounter = find("encounter.gfw", known)
    # Merging over hours is bookkeeping on findings, not on positions: left out on both sides.
    encounter = msgspec.structs.replace(encounter, numbers={**encounter.numbers, "merge_s": 0.0})
    return [
        (encounter, sql.encounter, _same_encounters),
        (find("loitering.gfw", known), sql.loitering, _same_intervals),
        (find("gap.gfw-raw", known), sql.gap, _same_intervals),
        (find("port_visit.gfw", known), sql.port_visit, _same_visits),
        (find("dark_encounter.skylight", known), None, _same_intervals),
    ]


def _answer(database: Any, query: str) -> Any:
    return database.execute(query).fetchnumpy()


def _found(detector: Any, points: TrackPoints, world: World) -> list[Finding]:
    """The last revision of every finding."""
    until = int(points.time_us[-1]) if len(points) else 0
    state, told = detector.fold(detector.start(), Rows(points, no_statements(), until), world)
    last = {(*f.key(), f.start_us): f for f in [*told, *detector.finish(state, world)]}
    return [f for f in last.values() if f.state != "retracted"]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def _growth(detector: Any, points: TrackPoints, part: TrackPoints, world: World) -> float:
    """The exponent of n by which the processor's time grows (a fold is one thread; waiting is left out)."""
    spent = []
    for rows in (part, points):
        begin = time.process_time()
        _found(detector, rows, world)
        spent.append(time.process_time() - begin)
    return math.log(spent[1] / spent[0]) / math.log(len(points) / len(part))


def _first_tracks(points: TrackPoints, share: float) -> TrackPoints:
    """All rows of the first tracks: as dense in time, fewer vessels."""
    tracks = np.unique(points.track)
    last = tracks[max(0, int(len(tracks) * share) - 1)]
    return _chosen(points, np.flatnonzero(points.track <= last))


def _chosen(points: TrackPoints, at: Any) -> TrackPoints:
    names = TrackPoints.__dataclass_fields__
    return TrackPoints(**{name: getattr(points, name)[at] for name in names})


def _duckdb(points: TrackPoints, world: World) -> Any:
    """A connection with the tables loaded, or None where DuckDB is not installed."""
    try:
        import duckdb
    except ImportError:
        return None
    import pyarrow as pa

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    rows = pa.table(
        {
            "track": points.track,
            "t": points.time_us,
            "lat": points.latitude_deg,
            "lon": points.longitude_deg,
            "sog": points.speed_mps.astype(np.float64),
        }
    )
    ports = world.anchorages
    if ports is None:
        raise ValueError("the benchmark needs anchorages")
    places = pa.table({"lat": ports.latitude_deg, "lon": ports.longitude_deg})
    connection.register("rows_in", rows)
    connection.register("places_in", places)
    connection.execute("CREATE TABLE p AS SELECT * FROM rows_in")
    connection.execute("CREATE TABLE anchorages AS SELECT * FROM places_in")
    connection.execute(sql.MACROS)
    return connection


def _differ(preset: Preset, ours: set[Any], theirs: set[Any]) -> None:
    if ours != theirs:
        raise AssertionError(
            f"{preset.behaviour} {preset.name}: {len(ours - theirs)} findings only ours, "
            f"{len(theirs - ours)} only DuckDB's, e.g. {sorted(ours ^ theirs)[:3]}"
        )


def _same_intervals(preset: Preset, findings: list[Finding], events: Any, _: Any) -> None:
    """The same tracks, starts and ends."""
    ours = {(f.evidence[0].track, f.start_us, f.end_us) for f in findings if f.state == "closed"}
    if preset.behaviour == "loitering":
        ours |= {(f.evidence[0].track, f.start_us, f.end_us) for f in findings}
    theirs = set(zip(*(events[name].tolist() for name in ("track", "s", "e")), strict=True))
    _differ(preset, ours, theirs)


def _same_visits(preset: Preset, findings: list[Finding], events: Any, _: Any) -> None:
    """The same tracks, starts, ends and confidences."""
    ours = {(f.evidence[0].track, f.start_us, f.end_us, int(f.facts["confidence"])) for f in findings}
    theirs = set(zip(*(events[name].tolist() for name in ("track", "s", "e", "confidence")), strict=True))
    _differ(preset, ours, theirs)


def _same_encounters(preset: Preset, findings: list[Finding], events: Any, database: Any) -> None:
    """Ours end between ticks, the SQL's on them: its own are all ours, ours are all of its loose ones."""
    ours: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for f in findings:
        a, b = sorted(e.track for e in f.evidence)
        ours.setdefault((a, b), []).append((f.start_us, f.end_us))
    loose = database.execute(sql.encounter(preset.numbers, loose_steps=2)).fetchnumpy()

    def inside(pairs: dict[tuple[int, int], list[tuple[int, int]]], found: Any) -> int:
        return sum(
            not any(s < end and e > start for start, end in pairs.get((a, b), []))
            for a, b, s, e in zip(*(found[n].tolist() for n in ("a", "b", "s", "e")), strict=True)
        )

    theirs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for a, b, s, e in zip(*(loose[n].tolist() for n in ("a", "b", "s", "e")), strict=True):
        theirs.setdefault((a, b), []).append((s, e))
    missed = inside(ours, events)
    extra = sum(
        not any(s < end and e > start for start, end in theirs.get(pair, []))
        for pair, intervals in ours.items()
        for s, e in intervals
    )
    if missed or extra:
        raise AssertionError(f"encounters differ: {missed} only DuckDB's, {extra} only ours")


def _silent_within(sample: TrackPoints, stop: Any) -> bool:
    """True where the peer's stop spans a silence that the preset does not bridge."""
    first, last = (round(moment.timestamp() * 1e6) for moment in (stop.t_0, stop.t_n))
    inside = (sample.track == int(stop.traj_id)) & (sample.time_us >= first) & (sample.time_us <= last)
    longest = float(np.max(np.diff(sample.time_us[inside]), initial=0.0))
    return longest > float(find("loitering.gfw", shipped()).numbers["max_gap_s"]) * 1e6  # type: ignore[arg-type]


def _beside_movingpandas(points: TrackPoints, world: World) -> list[Row]:
    """Gap and stop detection of MovingPandas on the first tracks up to the sample's size."""
    sample = _first_tracks(points, min(1.0, _SAMPLE / len(points)))
    cases = ("gap gfw-raw", "loitering gfw")
    ours: dict[str, tuple[float, list[Finding]]] = {}
    for case in cases:
        detector = build(find(case.replace(" ", "."), shipped()))
        seconds, _ = _timed(partial(_found, detector, points, world))
        ours[case] = len(points) / seconds, _found(detector, sample, world)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import geopandas
            import movingpandas
            import pandas
    except ImportError:
        return [compared(case, ours[case][0], None, "MovingPandas", _UNIT) for case in cases]
    from datetime import timedelta

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = geopandas.GeoDataFrame(
            {"track": sample.track, "t": pandas.to_datetime(sample.time_us, unit="us")},
            geometry=geopandas.points_from_xy(sample.longitude_deg, sample.latitude_deg),
            crs=4326,
        ).set_index("t")
        made, tracks = _timed(lambda: movingpandas.TrajectoryCollection(frame, "track"))
        split, parts = _timed(
            lambda: movingpandas.ObservationGapSplitter(tracks).split(gap=timedelta(hours=6), min_length=-1)
        )
        stopped, stops = _timed(
            lambda: movingpandas.TrajectoryStopDetector(tracks).get_stop_time_ranges(
                min_duration=timedelta(hours=2), max_diameter=100
            )
        )
    silences = sum(f.state == "closed" for f in ours["gap gfw-raw"][1])
    single = len(tracks.trajectories) + silences
    if not len(tracks.trajectories) <= len(parts.trajectories) <= single:
        raise AssertionError(f"gaps differ: {len(parts.trajectories)} parts, ours make at most {single}")
    still = {int(r.traj_id) for r in stops if not _silent_within(sample, r)}
    drifting = {f.evidence[0].track for f in ours["loitering gfw"][1]}
    if not still <= drifting:
        raise AssertionError(f"stops of {sorted(still - drifting)[:3]} are not among our loitering")
    notes = f"peer on {len(sample)} positions"
    return [
        compared(cases[0], ours[cases[0]][0], len(sample) / (made + split), "MovingPandas", _UNIT, notes),
        compared(
            cases[1],
            ours[cases[1]][0],
            len(sample) / (made + stopped),
            "MovingPandas",
            _UNIT,
            notes + "; peer's stops of 2 h within 100 m are all among ours",
        ),
    ]
