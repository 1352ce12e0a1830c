"""Recall of simulated events against false alerts, by behaviour, with the misses by cause.

Always true: the truth comes from the simulator alone; an event counts only if it left an AIS trace; a
false alert is one that overlaps no event (same vessel, overlapping in time); the curves of a behaviour are
over its findings' scores, that of the alerts over what a watch is shown: findings of one vessel and time are one
alert (`detect/ranking.py`). Nothing here, and no result of it, says anything of real traffickers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from shiprider.cli.bench.table import Row
from shiprider.detect.ranking import Candidate, candidates
from shiprider.flow.matters import NEVER_ALERTS
from shiprider.measure.clock import DAY_US, HOUR_US
from shiprider.model.finding import Finding
from shiprider.simulate.truth import Event

#: Seeds that nothing was built or tuned with.
SEEDS: Final = (9_001, 9_002, 9_003)

#: A finding may begin before or end after its event by so much: vessels approach and part.
_SLACK_US: Final = 2 * HOUR_US

#: The curve over alerts.
_ALERTS: Final = "alerts, ranked"

#: What a curve is over: (score, events overlapped).
Point = tuple[float, tuple[str, ...]]

#: False alerts per 1,000 vessel-days at which recall is told.
_BUDGETS: Final = (0.3, 1.0, 3.0, 10.0)


def run(scale: float = 1.0) -> list[Row]:
    """Three simulated weeks (days with a smaller scale)."""
    points: dict[str, list[Point]] = defaultdict(list)
    events: list[Event] = []
    confounders: Counter[str] = Counter()
    vessel_days = 0.0
    for seed in SEEDS:
        week_events, week_points, days, explained = _week(seed, scale)
        events += week_events
        for name, listed in week_points.items():
            points[name] += listed
        vessel_days += days
        confounders += explained
    return [*_curves(events, points, vessel_days), *_misses(events, points), *_explained(confounders)]


def _week(seed: int, scale: float) -> tuple[list[Event], dict[str, list[Point]], float, Counter[str]]:
    """Events with a trace, points of each curve, vessel-days, and what false findings really were."""
    from shiprider.bootstrap.detection import detect_recordings, folds
    from shiprider.bootstrap.feeds import recording
    from shiprider.bootstrap.simulations import simulation
    from shiprider.bootstrap.world import given_world

    play = simulation("week", seed)
    begin = play.scenario.start_us
    end = begin + max(DAY_US, round(7 * DAY_US * min(scale, 1.0)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"week-{seed}.nmea"
        with path.open("wb") as out:
            for piece in play.slices(begin, end, HOUR_US):
                out.write(piece.data)
        _, listed = detect_recordings([recording(str(path))], folds(), given_world(), lambda _p, _t: None)
    truth = play.truth()
    findings = [finding for finding in listed if finding.behaviour not in NEVER_ALERTS]
    events = [msgspec.structs.replace(e, id=f"{seed}:{e.id}") for e in truth.events if e.start_us < end]
    of_vessel: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        for mmsi in event.participants:
            of_vessel[mmsi].append(event)

    def overlapped(seen: Finding | Candidate) -> tuple[str, ...]:
        near = {e.id: e for mmsi in seen.participants for e in of_vessel.get(mmsi, ())}
        return tuple(
            name for name, e in near.items() if _overlaps(seen, e.participants, e.start_us, e.end_us)
        )

    points: dict[str, list[Point]] = defaultdict(list)
    explained: Counter[str] = Counter()
    for finding in findings:
        ids = overlapped(finding)
        points[f"{finding.behaviour}.{finding.preset}"].append((finding.score, ids))
        if not ids:
            kinds = {
                look.kind
                for look in truth.lookalikes
                if _overlaps(finding, look.participants, look.start_us, look.end_us)
            }
            explained[f"{finding.behaviour}: {'/'.join(sorted(kinds)) or 'ordinary movement'}"] += 1
    points[_ALERTS] = [(alert.raw_score, overlapped(alert)) for alert in candidates(findings)]
    vessels = {m for v in truth.vessels for m in v.mmsi}
    shown = [e for e in events if e.leaves_ais_trace]
    return shown, points, len(vessels) * (end - begin) / DAY_US, explained


def _overlaps(seen: Finding | Candidate, participants: Iterable[int], start_us: int, end_us: int) -> bool:
    return (
        bool(set(seen.participants) & set(participants))
        and seen.start_us <= end_us + _SLACK_US
        and seen.end_us >= start_us - _SLACK_US
    )


def _curves(events: Sequence[Event], points: dict[str, list[Point]], vessel_days: float) -> list[Row]:
    rows: list[Row] = []
    for name, listed in sorted(points.items()):
        behaviour = name.split(".")[0]
        wanted = {
            e.id
            for e in events
            if name == _ALERTS or behaviour in {trace.split("/")[0] for trace in e.traces}
        }
        curve = _curve(listed, wanted, vessel_days)
        for budget in _BUDGETS:
            inside = [recall for false, recall in curve if false <= budget]
            rows.append(
                Row(
                    case=f"{name}: recall at {budget:g} false per 1,000 vessel-days",
                    ours=max(inside, default=0.0) if wanted else None,
                    unit="recall",
                    notes=f"{len(wanted)} events with a trace; all of them: recall "
                    f"{curve[-1][1] if curve else 0:.2f} at {curve[-1][0] if curve else 0:.1f}",
                )
            )
    return rows


def _curve(listed: Sequence[Point], wanted: set[str], vessel_days: float) -> list[tuple[float, float]]:
    """(false alerts per 1,000 vessel-days, recall) as the score's threshold falls.

    What has one score is shown together: among equals, false ones count first.
    """
    points = []
    hit: set[str] = set()
    false = 0
    for _, events in sorted(listed, key=lambda point: (-point[0], bool(point[1]))):
        hit.update(wanted.intersection(events))
        false += not events
        points.append((1000.0 * false / vessel_days, len(hit) / max(len(wanted), 1)))
    return points


def _misses(events: Sequence[Event], points: dict[str, list[Point]]) -> list[Row]:
    """Events with a trace that no alert overlaps, by kind and by what could have shown them."""
    hit = {event for _, overlapped in points[_ALERTS] for event in overlapped}
    missed = Counter(f"{e.kind} ({', '.join(e.traces) or 'none'})" for e in events if e.id not in hit)
    total = Counter(e.kind for e in events)
    return [
        Row(
            case=f"missed: {cause}",
            ours=float(count),
            unit="events",
            notes=f"of {total[cause.split(' ')[0]]}",
        )
        for cause, count in missed.most_common()
    ] or [Row(case="missed", ours=0.0, unit="events", notes=f"of {sum(total.values())}")]


def _explained(confounders: Counter[str]) -> list[Row]:
    return [
        Row(case=f"false: {cause}", ours=float(count), unit="findings", notes="what really was there")
        for cause, count in confounders.most_common(12)
    ]
