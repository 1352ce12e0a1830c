"""From findings to a ranked list that a watch can work through.

Always true: findings that share a vessel and a time are one candidate; several presets of one
behaviour count once, the strongest; a candidate's score is never below its strongest finding's and
never reaches 1; every place on the list, and every place not given, has its reason.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from shiprider.detect.calibration import Calibration, calibrated
from shiprider.measure.clock import HOUR_US
from shiprider.model.finding import Fact, Finding

#: Findings of one vessel no further apart than this belong together ...
JOIN_US: Final = 6 * HOUR_US
#: ... until the candidate is this long: then a new one begins, or a busy vessel would be one alert for ever.
LONGEST_US: Final = 48 * HOUR_US
#: What a second, third … behaviour adds: each counts half of the one before (they are seldom independent).
_DISCOUNT: Final = 0.5
#: Who meets or drifts is slow: these are one sign, however many of them see it.
_STILL: Final = frozenset({"encounter", "dark_encounter", "loitering"})


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Findings that are one matter. `members` are positions in the list given, strongest first.

    `raw_score` is the joint score, `score` the calibrated one; `lead` is the strongest finding's behaviour.
    """

    members: tuple[int, ...]
    participants: tuple[int, ...]
    start_us: int
    end_us: int
    latitude_deg: float
    longitude_deg: float
    lead: str
    behaviours: tuple[str, ...]
    raw_score: float
    score: float
    simulated: bool


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts a watch can work through.

    `share_of_one` of them at most go to one behaviour while others wait; `least` is the score below
    which nothing is shown, `always` the one from which everything is, up to twice the budget.
    """

    per_watch: int = 40
    share_of_one: float = 0.5
    least: float = 0.02
    always: float = 0.8


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate's place: rank from 1, whether it is shown, and why (a key and its facts, for a catalogue)."""

    candidate: Candidate
    rank: int
    shown: bool
    reason_key: str
    facts: dict[str, Fact]


def joint_score(findings: Sequence[Finding]) -> float:
    """One score for findings of one matter: per sign the strongest, then one minus the discounted misses.

    A sign is a behaviour; those that say that a vessel lay nearly still are one.
    """
    best: dict[str, float] = {}
    for finding in findings:
        sign = "still" if finding.behaviour in _STILL else finding.behaviour
        best[sign] = max(best.get(sign, 0.0), finding.score)
    miss = 1.0
    for k, score in enumerate(sorted(best.values(), reverse=True)):
        miss *= 1.0 - score * _DISCOUNT**k
    return min(1.0 - miss, 0.99)


def candidates(findings: Sequence[Finding], calibration: Calibration | None = None) -> list[Candidate]:
    """Candidates, best first; retracted findings are left out."""
    order = sorted(
        (i for i, finding in enumerate(findings) if finding.state != "retracted"),
        key=lambda i: (findings[i].start_us, findings[i].end_us, findings[i].key(), i),
    )
    matter_of: dict[int, int] = {}
    matters: dict[int, list[int]] = {}
    span: dict[int, tuple[int, int]] = {}
    for i in order:
        finding = findings[i]
        near = {
            matter
            for who in finding.participants
            if (matter := matter_of.get(who)) is not None and _joins(span[matter], finding)
        }
        target = min(near) if near else i
        members = matters.setdefault(target, [])
        start, end = span.get(target, (finding.start_us, finding.end_us))
        joined = [i]
        for other in sorted(near - {target}):
            joined.extend(matters.pop(other))
            start, end = min(start, span[other][0]), max(end, span[other][1])
        members.extend(joined)
        span[target] = (min(start, finding.start_us), max(end, finding.end_us))
        for member in joined:
            for who in findings[member].participants:
                matter_of[who] = target
    built = [_candidate(findings, members, calibration) for members in matters.values()]
    return sorted(built, key=lambda c: (-c.score, -c.raw_score, -c.end_us, c.members))


def _joins(span: tuple[int, int], finding: Finding) -> bool:
    return finding.start_us - span[1] <= JOIN_US and finding.start_us - span[0] <= LONGEST_US


def _candidate(findings: Sequence[Finding], members: list[int], calibration: Calibration | None) -> Candidate:
    ranked = sorted(members, key=lambda i: (-findings[i].score, findings[i].start_us, i))
    chosen = [findings[i] for i in ranked]
    raw = joint_score(chosen)
    share = raw if calibration is None else float(calibrated(calibration, np.array([raw]))[0])
    lead = chosen[0]
    return Candidate(
        members=tuple(ranked),
        participants=tuple(sorted({who for finding in chosen for who in finding.participants})),
        start_us=min(finding.start_us for finding in chosen),
        end_us=max(finding.end_us for finding in chosen),
        latitude_deg=lead.latitude_deg,
        longitude_deg=lead.longitude_deg,
        lead=lead.behaviour,
        behaviours=tuple(dict.fromkeys(finding.behaviour for finding in chosen)),
        raw_score=round(raw, 4),
        score=round(share, 4),
        simulated=any(finding.simulated for finding in chosen),
    )


def allocate(ranked: Sequence[Candidate], budget: Budget, shown_already: int = 0) -> list[Place]:
    """Places on the list of this watch, in the order given. `shown_already` were used up earlier in the watch."""
    room = max(budget.per_watch - shown_already, 0)
    cap = max(math.ceil(budget.share_of_one * room), 1)
    shown: dict[int, str] = {}
    held: list[int] = []
    of_kind: dict[str, int] = defaultdict(int)
    for k, candidate in enumerate(ranked):
        if candidate.score < budget.least:
            continue
        if candidate.score >= budget.always and len(shown) < 2 * budget.per_watch - shown_already:
            shown[k] = "certain"
        elif len(shown) >= room:
            continue
        elif of_kind[candidate.lead] >= cap:
            held.append(k)
            continue
        else:
            shown[k] = "budget"
        of_kind[candidate.lead] += 1
    for k in held:
        if len(shown) >= room:
            break
        shown[k] = "room_left"
    return [_place(k, candidate, shown.get(k), k in held, budget) for k, candidate in enumerate(ranked)]


def _place(k: int, candidate: Candidate, why: str | None, held: bool, budget: Budget) -> Place:
    facts: dict[str, Fact] = {"rank": k + 1, "per_watch": budget.per_watch, "behaviour": candidate.lead}
    if why is not None:
        return Place(candidate=candidate, rank=k + 1, shown=True, reason_key=why, facts=facts)
    reason = "below_least" if candidate.score < budget.least else "kind_full" if held else "budget_full"
    return Place(candidate=candidate, rank=k + 1, shown=False, reason_key=reason, facts=facts)
