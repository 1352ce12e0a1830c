"""Recall of simulated events against false alerts, by behaviour, with the misses by cause.

Always true: the truth comes from the simulator alone; an event counts only if it left an AIS trace; a
false alert is a finding that overlaps no event (same vessel, overlapping in time); the curve is over
the findings' score. Nothing here, and no result of it, says anything of real traffickers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from shiprider.cli.bench.table import Row
from shiprider.measure.clock import DAY_US, HOUR_US
from shiprider.model.finding import Finding
from shiprider.simulate.truth import Event

#: Seeds that nothing was built or tuned with.
SEEDS: Final = (9_001, 9_002, 9_003)

#: A finding may begin before or end after its event by so much: vessels approach and part.
_SLACK_US: Final = 2 * HOUR_US

#: False alerts per 1,000 vessel-days at which recall is told.
_BUDGETS: Final = (0.3, 1.0, 3.0, 10.0)


def run(scale: float = 1.0) -> list[Row]:
    """Three simulated weeks (days with a smaller scale)."""
    found: list[tuple[Finding, str]] = []
    events: list[tuple[Event, int]] = []
    confounders: Counter[str] = Counter()
    vessel_days = 0.0
    for number, seed in enumerate(SEEDS):
        day_events, day_found, days, explained = _week(seed, scale)
        events += [(event, number) for event in day_events]
        found += [(finding, explanation) for finding, explanation in day_found]
        vessel_days += days
        confounders += explained
    return [*_curves(events, found, vessel_days), *_misses(events, found), *_explained(confounders)]


def _week(seed: int, scale: float) -> tuple[list[Event], list[tuple[Finding, str]], float, Counter[str]]:
    from shiprider import bootstrap

    play = bootstrap.simulation("week", seed)
    begin = play.scenario.start_us
    end = begin + max(DAY_US, round(7 * DAY_US * min(scale, 1.0)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"week-{seed}.nmea"
        with path.open("wb") as out:
            for piece in play.slices(begin, end, HOUR_US):
                out.write(piece.data)
        _, findings = bootstrap.detect_recordings(
            [bootstrap.recording(str(path))], bootstrap.folds(), bootstrap.given_world(), lambda _p, _t: None
        )
    truth = play.truth()
    events = [e for e in truth.events if e.leaves_ais_trace and e.start_us < end]
    explained: Counter[str] = Counter()
    told: list[tuple[Finding, str]] = []
    for finding in findings:
        if finding.behaviour == "port_visit":
            continue
        ids = [e.id for e in truth.events if _overlaps(finding, e.participants, e.start_us, e.end_us)]
        told.append((finding, f"{seed}:{ids[0]}" if ids else ""))
        if not ids:
            kinds = {
                look.kind
                for look in truth.lookalikes
                if _overlaps(finding, look.participants, look.start_us, look.end_us)
            }
            explained[f"{finding.behaviour}: {'/'.join(sorted(kinds)) or 'ordinary movement'}"] += 1
    vessels = {m for v in truth.vessels for m in v.mmsi}
    renamed = [
        Event(**{name: getattr(e, name) for name in Event.__struct_fields__} | {"id": f"{seed}:{e.id}"})
        for e in events
    ]
    return renamed, told, len(vessels) * (end - begin) / DAY_US, explained


def _overlaps(finding: Finding, participants: Iterable[int], start_us: int, end_us: int) -> bool:
    return (
        bool(set(finding.participants) & set(participants))
        and finding.start_us <= end_us + _SLACK_US
        and finding.end_us >= start_us - _SLACK_US
    )


def _curves(
    events: Sequence[tuple[Event, int]], found: Sequence[tuple[Finding, str]], vessel_days: float
) -> list[Row]:
    by_behaviour: dict[str, list[tuple[Finding, str]]] = defaultdict(list)
    for finding, event in found:
        by_behaviour[f"{finding.behaviour}.{finding.preset}"].append((finding, event))
        by_behaviour["all, ranked"].append((finding, event))
    rows: list[Row] = []
    for name, listed in sorted(by_behaviour.items()):
        behaviour = name.split(".")[0]
        wanted = {e.id for e, _ in events if name == "all, ranked" or behaviour in e.traces}
        points = _curve(listed, wanted, vessel_days)
        for budget in _BUDGETS:
            inside = [recall for false, recall in points if false <= budget]
            rows.append(
                Row(
                    case=f"{name}: recall at {budget:g} false per 1,000 vessel-days",
                    ours=max(inside, default=0.0) if wanted else None,
                    unit="recall",
                    notes=f"{len(wanted)} events with a trace; all findings: recall "
                    f"{points[-1][1] if points else 0:.2f} at {points[-1][0] if points else 0:.1f}",
                )
            )
    return rows


def _curve(
    listed: Sequence[tuple[Finding, str]], wanted: set[str], vessel_days: float
) -> list[tuple[float, float]]:
    """(false alerts per 1,000 vessel-days, recall) as the score's threshold falls."""
    points = []
    hit: set[str] = set()
    false = 0
    for finding, event in sorted(listed, key=lambda item: -item[0].score):
        if event in wanted:
            hit.add(event)
        elif not event:
            false += 1
        points.append((1000.0 * false / vessel_days, len(hit) / max(len(wanted), 1)))
        del finding
    return points


def _misses(events: Sequence[tuple[Event, int]], found: Sequence[tuple[Finding, str]]) -> list[Row]:
    """Events with a trace that no finding overlaps, by kind and by what could have shown them."""
    hit = {event for _, event in found if event}
    missed = Counter(f"{e.kind} ({', '.join(e.traces) or 'none'})" for e, _ in events if e.id not in hit)
    total = Counter(e.kind for e, _ in events)
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
