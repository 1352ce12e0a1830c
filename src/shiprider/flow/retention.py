"""What is past its time goes, oldest first under a disk budget; what a hold names stays.

Always true: nothing is removed that was not listed by `plan`; a hold is kept in lake and spool; a
spool segment goes only when no row of the lake points into it, so evidence never loses its bytes.
Age counts from the later of a row's day and the day it came in: a recording of last year that was
taken in today is one day old tomorrow.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from shiprider.measure.clock import DAY_US, SECOND_US
from shiprider.model.errors import NotFound
from shiprider.model.tables import TABLES, raw_address
from shiprider.ports.access_log import AccessLog, LogSegment
from shiprider.ports.lake import DayInfo, Hold, Lake
from shiprider.ports.spool import SegmentInfo, Spool

GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Days per table (0 or absent: for ever), and bytes for lake and spool together (None: any)."""

    days: Mapping[str, int]
    budget_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LakeStep:
    """One day of one table goes, but `held_rows` of its rows stay."""

    table: str
    day: date
    rows: int
    held_rows: int
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class SpoolStep:
    """One segment goes."""

    segment: int
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go. `over_budget_bytes` cannot be freed: it is all held, or too young to go."""

    lake: tuple[LakeStep, ...]
    spool: tuple[SpoolStep, ...]
    over_budget_bytes: int = 0

    @property
    def bytes(self) -> int:
        """What it frees (held rows counted as freed: nobody knows their share before)."""
        return sum(step.bytes for step in self.lake) + sum(step.bytes for step in self.spool)


def plan(spool: Spool, lake: Lake, policy: Policy, holds: Sequence[Hold], today: date) -> Plan:
    """What retention would remove today; removes nothing."""
    segments = {segment.number: segment for segment in spool.segments()}
    days = [info for table in TABLES for info in lake.days(table)]
    ages = [(_age_day(info, spool), info) for info in days]
    aged = sorted(ages, key=lambda pair: (pair[0], pair[1].day, pair[1].table))
    steps: dict[tuple[str, date], LakeStep] = {}
    remaining = {(info.table, info.day): info for info in days}

    def let_go(info: DayInfo, reason: str) -> int:
        step, kept = _lake_step(lake, info, holds, reason)
        if not step.rows:
            return 0
        steps[info.table, info.day] = step
        remaining.pop((info.table, info.day))
        if kept is not None:
            remaining[info.table, info.day] = kept
        return step.bytes

    for since, info in aged:
        limit = policy.days.get(info.table, 0)
        if limit and (today - since).days > limit:
            let_go(info, f"older than {limit} days")
    spool_steps = _free_segments(
        spool, segments, remaining.values(), holds, policy, today, "nothing needs it"
    )
    total = sum(info.bytes for info in remaining.values()) + sum(s.stored for s in segments.values())
    total -= sum(step.bytes for step in spool_steps)
    if policy.budget_bytes is not None and total > policy.budget_bytes:
        for _, info in aged:
            if total <= policy.budget_bytes:
                break
            if (info.table, info.day) not in steps:
                total -= let_go(info, "the disk budget is used up")
                freed = _free_segments(
                    spool, segments, remaining.values(), holds, policy, None, "the disk budget is used up"
                )
                total -= sum(s.bytes for s in freed) - sum(s.bytes for s in spool_steps if s in freed)
                spool_steps = sorted({*spool_steps, *freed}, key=lambda s: s.segment)
    over = 0 if policy.budget_bytes is None else max(0, total - policy.budget_bytes)
    return Plan(tuple(steps.values()), tuple(spool_steps), over)


def _age_day(info: DayInfo, spool: Spool) -> date:
    """The later of the rows' day and the day when the newest of them came in."""
    if info.last_raw is None:
        return info.day
    try:
        return max(info.day, _day(spool.locate(info.last_raw).received_us))
    except NotFound:
        return info.day


def _day(time_us: int) -> date:
    return datetime.fromtimestamp(time_us / SECOND_US, UTC).date()


def _lake_step(
    lake: Lake, info: DayInfo, holds: Sequence[Hold], reason: str
) -> tuple[LakeStep, DayInfo | None]:
    held = lake.held(info.table, info.day, holds) if holds else None
    held_rows = held.rows if held is not None else 0
    share = (info.rows - held_rows) / info.rows if info.rows else 0.0
    freed = int(info.bytes * share)
    step = LakeStep(info.table, info.day, info.rows - held_rows, held_rows, freed, reason)
    if held is None or not held.rows:
        return step, None
    return step, replace(held, bytes=info.bytes - freed)


def _free_segments(
    spool: Spool,
    segments: Mapping[int, SegmentInfo],
    remaining: Iterable[DayInfo],
    holds: Sequence[Hold],
    policy: Policy,
    today: date | None,
    reason: str,
) -> list[SpoolStep]:
    """Closed segments that nothing points into; with `today`, only those past the observations' time."""
    spans = [
        (i.first_raw, i.last_raw) for i in remaining if i.first_raw is not None and i.last_raw is not None
    ]
    spans += [(h.raw_start or 0, (h.raw_end or 1 << 62) - 1) for h in holds if _names_addresses(h)]
    free = {
        number
        for number, segment in segments.items()
        if segment.closed and not segment.removed and not _pointed_into(segment, spans)
        if today is None or _past(segment, policy, today)
    }
    # A file is decoded from its beginning (header, first time stamp): while rows of it remain, its
    # first segments stay.
    files = {source.number for source in spool.sources() if source.origin.digest}
    needed: set[int] = set()
    if any(files & set(segments[number].sources) for number in free):
        for first, last in spans:
            needed |= spool.sources_between(first, last) & files
    return [
        SpoolStep(number, segments[number].stored, reason)
        for number in sorted(free)
        if not needed & set(segments[number].sources)
    ]


def _names_addresses(hold: Hold) -> bool:
    return hold.raw_start is not None or hold.raw_end is not None


def _pointed_into(segment: SegmentInfo, spans: Sequence[tuple[int, int]]) -> bool:
    first = raw_address(segment.number, 0)
    last = first + segment.length - 1
    return any(a <= last and b >= first for a, b in spans)


def _past(segment: SegmentInfo, policy: Policy, today: date) -> bool:
    limit = policy.days.get("observations", 0)
    return bool(limit) and (today - _day(segment.last_received_us)).days > limit


def apply(
    spool: Spool,
    lake: Lake,
    listed: Plan,
    holds: Sequence[Hold],
    progress: Callable[[str], None] = lambda _: None,
    removing: Callable[[int, str], None] = lambda _segment, _why: None,
) -> int:
    """Do what was planned (with the same holds); rows removed. May be interrupted and planned anew.

    `removing` is told of a segment and the reason before its bytes go (`flow.sealing` records it).
    """
    removed = 0
    for step in listed.lake:
        progress(f"{step.table} {step.day}")
        removed += lake.remove_day(step.table, step.day, holds)
    # The lake's files first: a row never points at bytes that are gone.
    for part in listed.spool:
        progress(f"spool segment {part.segment}")
        removing(part.segment, part.reason)
        spool.remove(part.segment, part.reason)
    return removed


def old_access_segments(log: AccessLog, days: int, now_us: int) -> list[LogSegment]:
    """Whole closed segments of the access log past their time, oldest first; none where it is kept for ever."""
    if not days:
        return []
    found: list[LogSegment] = []
    for segment in log.segments():
        if segment.removed:
            continue
        if not segment.closed or segment.last_us >= now_us - days * DAY_US:
            break
        found.append(segment)
    return found
