"""The movement detectors on real recordings, against independent implementations.

Encounters: numpy interpolation of every vessel on the grid and all pairs by brute force with
GeographicLib. Loitering: gaps and islands in pandas. Port visits: Global Fishing Watch's table of
transitions, walked report by report. Recordings are short, so durations are too; all else is as in
the presets.
"""

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from shiprider.detect.catalogue import build, find, shipped
from shiprider.detect.user_presets import parse_user_presets
from shiprider.model.rows import Rows
from shiprider.model.world import Anchorages, World

SHARED = Path(__file__).resolve().parents[3] / "../shared/data"
GEOD = Geod(ellps="WGS84")
KNOT = 1852.0 / 3600.0
MIDNIGHT_S = 1_699_920_000

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.exists(), reason="the real data of ../shared/data are absent"),
]

Reports = dict[int, np.ndarray]


def _solent() -> Reports:
    """Stone Soup's Solent recording: MMSI to rows of (seconds, latitude, longitude, knots)."""
    pd = pytest.importorskip("pandas")
    table = pd.read_csv(SHARED / "ais_solent_opensky" / "SolentAIS_20160112_130211.csv")
    clock = pd.to_datetime(table["Time"])
    table["t"] = (clock - clock.min()).dt.total_seconds()
    columns = ["t", "Latitude_degrees", "Longitude_degrees", "SOG_knots"]
    return {int(mmsi): _ordered(rows[columns].to_numpy(float)) for mmsi, rows in table.groupby("MMSI")}


def _dma() -> Reports:
    """The Danish stream with its $PGHP times, decoded by pyais."""
    pyais = pytest.importorskip("pyais")
    now = 0.0
    rows: dict[int, list[tuple[float, float, float, float]]] = {}
    for line in (SHARED / "ais_dma" / "stream_example.txt").read_text(errors="replace").splitlines():
        if line.startswith("$PGHP,1,"):
            stamp = [int(x) for x in line.split(",")[2:9]]
            now = datetime(*stamp[:6], stamp[6] * 1000, tzinfo=UTC).timestamp()
            continue
        fields = line.split(",")
        if len(fields) < 7 or fields[1] != "1" or not now:
            continue
        try:
            message = pyais.decode(line).asdict()
        except Exception:  # noqa: S112 - whatever pyais cannot read is not a reference
            continue
        if (
            message["msg_type"] in (1, 2, 3, 18, 19)
            and abs(message["lat"]) <= 90
            and abs(message["lon"]) <= 180
        ):
            sog = message["speed"] if message["speed"] < 102.3 else np.nan
            rows.setdefault(int(message["mmsi"]), []).append((now, message["lat"], message["lon"], sog))
    first = min(r[0][0] for r in rows.values())
    return {mmsi: _ordered(np.array(r) - [first, 0, 0, 0]) for mmsi, r in rows.items()}


def _ordered(rows: np.ndarray) -> np.ndarray:
    """By time, the first report of each moment."""
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    return rows[np.concatenate(([True], np.diff(np.round(rows[:, 0] * 1e6)) > 0))]


def _rows(sea: Any, reports: Reports) -> Rows:
    for mmsi, rows in reports.items():
        sea.reports(mmsi, rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3])
    return sea.rows(until_s=max(r[-1, 0] for r in reports.values()) + 86_400.0)


@pytest.fixture(params=[_solent, _dma], ids=["solent", "dma"])
def reports(request: pytest.FixtureRequest) -> Reports:
    return request.param()


def _gridded(rows: np.ndarray, step: float, max_gap: float) -> dict[int, tuple[float, float]]:
    """Tick to position, linear between two reports at most `max_gap` apart."""
    out = {}
    t = np.round((rows[:, 0] + MIDNIGHT_S) * 1e6) / 1e6
    for tick in range(int(t[0] // step), int(t[-1] // step) + 1):
        when = tick * step
        k = int(np.searchsorted(t, when))
        if k < len(t) and t[k] == when:
            out[tick] = (rows[k, 1], rows[k, 2])
        elif 0 < k < len(t) and t[k] - t[k - 1] <= max_gap:
            share = (when - t[k - 1]) / (t[k] - t[k - 1])
            out[tick] = tuple(rows[k - 1, 1:3] * (1 - share) + rows[k, 1:3] * share)
    return out


def _contacts(
    reports: Reports, within_m: float, step: float, max_gap: float, flicker: float
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Pairs to runs of ticks within the distance, partings up to `flicker` forgiven, by brute force."""
    grid = {mmsi: _gridded(rows, step, max_gap) for mmsi, rows in reports.items()}
    runs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for a, b in itertools.combinations(sorted(grid), 2):
        ticks = sorted(grid[a].keys() & grid[b].keys())
        if not ticks:
            continue
        pa, pb = np.array([grid[a][k] for k in ticks]), np.array([grid[b][k] for k in ticks])
        if np.min(np.abs(pa - pb).sum(axis=1)) > 0.05:
            continue
        near = GEOD.inv(pa[:, 1], pa[:, 0], pb[:, 1], pb[:, 0])[2] <= within_m
        for tick in itertools.compress(ticks, near):
            mine = runs.setdefault((a, b), [])
            if mine and (tick - mine[-1][1]) * step <= flicker:
                mine[-1] = (mine[-1][0], tick)
            else:
                mine.append((tick, tick))
    return runs


@pytest.mark.parametrize(
    ("base", "duration_s"), [("skylight", 1800.0), ("skylight", 600.0), ("starboard", 600.0), ("gfw", 900.0)]
)
def test_encounters(sea: Any, reports: Reports, base: str, duration_s: float) -> None:
    """Every run surely long enough is found, and nothing is found that is surely too short.

    Ours begins and ends between ticks, the reference on them: each end may differ by a tick.
    """
    (preset,) = parse_user_presets(
        f'[encounter.test]\nbased_on = "{base}"\nduration_s = {duration_s}\nmedian_speed_mps = 0\n'
        "inner_m = 0\nmerge_s = 0\nanchorage_m = 0\n",
        "test",
    )
    n = preset.numbers
    detector = build(preset)
    state, told = detector.fold(detector.start(), _rows(sea, reports), World())
    last = {(f.participants, f.start_us): f for f in [*told, *detector.finish(state, World())]}
    ours: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for f in last.values():
        if f.state != "retracted":
            ours.setdefault((f.participants[0], f.participants[1]), []).append(
                (f.start_us / 1e6, f.end_us / 1e6)
            )
    step = float(n["step_s"])
    arguments = reports, float(n["within_m"]), step, float(n["max_gap_s"])
    runs_of = _contacts(*arguments, float(n["flicker_s"]))
    sure = 0
    for pair, runs in runs_of.items():
        for first, end in runs:
            if (end - first) * step >= duration_s:
                sure += 1
                found = [o for o in ours.get(pair, []) if o[0] <= first * step + 1 and o[1] >= end * step - 1]
                assert found, (pair, first * step, end * step)
    for pair, intervals in ours.items():
        for start, stop in intervals:
            assert any(
                first * step - step <= start and stop <= end * step + step for first, end in runs_of[pair]
            ), (pair, start, stop)
    if len(reports) < 200 and base != "starboard":
        assert sure >= 3


def test_loitering_in_the_solent(sea: Any) -> None:
    pd = pytest.importorskip("pandas")
    reports = _solent()
    (preset,) = parse_user_presets(
        '[loitering.test]\nbased_on = "gfw"\nduration_s = 1200\nmax_gap_s = 900\n', "test"
    )
    n = preset.numbers
    expected = set()
    for mmsi, rows in reports.items():
        # Reported speeds are float32 in the rows: 2.0 kn must fall on the same side.
        sog = (rows[:, 3] * KNOT).astype(np.float32).astype(float)
        legs = pd.DataFrame(
            {
                "begin": rows[:-1, 0],
                "end": rows[1:, 0],
                "chord": GEOD.inv(rows[:-1, 2], rows[:-1, 1], rows[1:, 2], rows[1:, 1])[2],
                "sog": (sog[:-1] + sog[1:]) / 2,
            }
        )
        span = legs.end - legs.begin
        legs["pace"] = np.where(span < 300.0, legs.sog, legs.chord / span)
        slow = legs[(legs.pace < n["speed_mps"]) & (span <= 900.0)]
        run = (slow.begin - slow.end.shift() > n["burst_s"]).cumsum()
        for _, part in slow.groupby(run):
            whole = legs[(legs.begin >= part.begin.iloc[0]) & (legs.end <= part.end.iloc[-1])]
            length = part.end.iloc[-1] - part.begin.iloc[0]
            if length >= 1200 and (whole.pace * (whole.end - whole.begin)).sum() / length < n["speed_mps"]:
                expected.add((mmsi, round(part.begin.iloc[0]), round(part.end.iloc[-1])))
    detector = build(preset)
    _, told = detector.fold(detector.start(), _rows(sea, reports), World())
    ours = {
        (f.participants[0], round(f.start_us / 1e6 - MIDNIGHT_S), round(f.end_us / 1e6 - MIDNIGHT_S))
        for f in told
        if f.state == "closed"
    }
    assert ours == expected
    assert len(expected) > 10


PORTS = Anchorages(
    "by hand",
    ("Southampton", "Cowes", "Portsmouth"),
    np.array([50.895, 50.765, 50.805]),
    np.array([-1.395, -1.295, -1.105]),
)


def test_port_visits_in_the_solent(sea: Any) -> None:
    """GFW's transitions, report by report; visits of every confidence."""
    reports = _solent()
    n = find("port_visit.gfw", shipped()).numbers
    expected = set()
    for mmsi, rows in reports.items():
        state: str | None = None
        events: list[tuple[str, float]] = []
        for when, lat, lon, knots in rows:
            away = min(
                GEOD.inv(lon, lat, x, y)[2]
                for y, x in zip(PORTS.latitude_deg, PORTS.longitude_deg, strict=True)
            )
            inside = away <= n["entry_m"] or (away < n["exit_m"] and state in ("PORT", "STOPPED"))
            speed = knots * KNOT
            stopped = speed <= n["stop_begin_mps"] or (state == "STOPPED" and speed < n["stop_end_mps"])
            new = ("STOPPED" if stopped else "PORT") if inside else "SEA"
            for name in {
                ("SEA", "PORT"): ("entry",),
                ("SEA", "STOPPED"): ("entry", "stop"),
                ("PORT", "SEA"): ("exit",),
                ("PORT", "STOPPED"): ("stop",),
                ("STOPPED", "SEA"): ("stop", "exit"),
                ("STOPPED", "PORT"): ("stop",),
            }.get((state or "", new), ()):
                events.append((name, when))
                if name == "exit":
                    expected.add(_visit(mmsi, events))
                    events = []
            state = new
        if events:
            expected.add(_visit(mmsi, events))
    detector = build(find("port_visit.gfw", shipped()))
    world = World(anchorages=PORTS)
    state_after, told = detector.fold(detector.start(), _rows(sea, reports), world)
    last = {(f.participants, f.start_us): f for f in [*told, *detector.finish(state_after, world)]}
    ours = {
        (
            f.participants[0],
            round(f.start_us / 1e6 - MIDNIGHT_S),
            round(f.end_us / 1e6 - MIDNIGHT_S),
            f.facts["confidence"],
        )
        for f in last.values()
    }
    assert ours == expected
    assert len({visit[3] for visit in expected}) >= 3


def _visit(mmsi: int, events: list[tuple[str, float]]) -> tuple[int, int, int, int]:
    names = {name for name, _ in events}
    still = bool(names & {"stop", "gap"})
    confidence = 1 if not still else 2 + ("entry" in names) + ("exit" in names)
    return mmsi, round(events[0][1]), round(events[-1][1]), confidence
