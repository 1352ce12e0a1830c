"""The tracker and the detectors as one fold, and how late rows are taken into it.

Always true: a state handed out is a snapshot that nothing changes any more; rows that arrive in order are
folded at once; rows that arrive late are folded again from the snapshot before them, and what that
changes is given as (before, after), so that published findings are revised or retracted. Folding a
history live, in any arrival order within the allowed lateness, ends in the same findings as batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shiprider.detect.fold import Detector
from shiprider.measure.clock import MINUTE_US, SECOND_US
from shiprider.model.finding import Finding
from shiprider.model.rows import Rows, TrackPoints, statements_from_table
from shiprider.model.world import World

#: Snapshots: close together for the last minutes (jitter between receivers), then far (satellites).
_NEAR_EVERY_US: Final = 30 * SECOND_US
_NEAR_SPAN_US: Final = 3 * MINUTE_US
_FAR_EVERY_US: Final = 5 * MINUTE_US


class Tracked(Protocol):
    """What a tracker makes of one batch."""

    @property
    def points(self) -> TrackPoints:
        """All points, for detectors."""
        ...

    @property
    def full(self) -> pa.Table:
        """The same as a table (TRACK_POINTS), for the live picture."""
        ...

    @property
    def compact(self) -> pa.Table:
        """Those that the lake keeps (TRACK_POINTS)."""
        ...


class Tracker(Protocol):
    """The cooperative tracker: rows ordered by time, each call after the last call's."""

    def fold(self, observations: pa.Table, statements: pa.Table | None = None) -> Tracked:
        """Track the next rows."""
        ...

    def snapshot(self) -> bytes:
        """All that is needed to go on from here."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        ...


@dataclass(frozen=True, slots=True)
class FoldState:
    """Where tracker and detectors stand; complete up to `until_us`. An empty `tracker` is the beginning."""

    tracker: bytes
    detectors: tuple[Any, ...]
    until_us: int


@dataclass(frozen=True, slots=True)
class Advance:
    """One step's result: track points (TRACK_POINTS: all, and the lake's) and findings, in detector order."""

    full: pa.Table
    compact: pa.Table
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Folds:
    """The pieces of which every head is made."""

    new_tracker: Callable[[], Tracker]
    detectors: Sequence[Detector[Any]]

    def start(self) -> FoldState:
        """The state before any row."""
        return FoldState(b"", tuple(d.start() for d in self.detectors), 0)


class Head:
    """Tracker and detectors at one place in the stream."""

    def __init__(self, folds: Folds, state: FoldState) -> None:
        self._folds = folds
        self._tracker = folds.new_tracker()
        if state.tracker:
            self._tracker.restore(state.tracker)
        self._states = state.detectors
        self.until_us = state.until_us

    def step(self, observations: pa.Table, statements: pa.Table, until_us: int, world: World) -> Advance:
        """Fold the next rows (both tables ordered by time, then raw)."""
        tracked = self._tracker.fold(observations, statements)
        rows = Rows(tracked.points, statements_from_table(statements), until_us)
        states = []
        findings: list[Finding] = []
        for detector, before in zip(self._folds.detectors, self._states, strict=True):
            after, found = detector.fold(before, rows, world)
            states.append(after)
            findings += found
        self._states = tuple(states)
        self.until_us = until_us
        return Advance(tracked.full, tracked.compact, findings)

    def finish(self, world: World) -> list[Finding]:
        """Findings still open where the rows end."""
        found: list[Finding] = []
        for detector, last in zip(self._folds.detectors, self._states, strict=True):
            found += detector.finish(last, world)
        return found

    def keep(self) -> FoldState:
        """The state as a snapshot."""
        return FoldState(self._tracker.snapshot(), self._states, self.until_us)


@dataclass(frozen=True, slots=True)
class Refold:
    """What late rows changed: the findings given out before for that stretch, and those that hold now."""

    before: list[Finding]
    after: list[Finding]
    full: pa.Table
    compact: pa.Table
    since_us: int


@dataclass(slots=True)
class _Batch:
    number: int
    observations: pa.Table
    statements: pa.Table
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A state and the number of the first batch that is not in it.

    Not the time alone: a batch can end at the very time of the snapshot and still come after it.
    """

    state: FoldState
    next_number: int

    @property
    def until_us(self) -> int:
        return self.state.until_us


@dataclass(slots=True)
class LiveFold:
    """Folds a stream as it arrives. One thread only; `world_at` gives the world of an event time."""

    folds: Folds
    world_at: Callable[[int], World]
    allowed_lateness_us: int
    head: Head = field(init=False)
    too_late: int = 0
    _snapshots: list[_Snapshot] = field(default_factory=list)
    _next_number: int = 0
    _batches: list[_Batch] = field(default_factory=list)
    _late: list[tuple[pa.Table, pa.Table]] = field(default_factory=list)
    _late_from_us: int | None = None

    def __post_init__(self) -> None:
        self.resume(self.folds.start())

    def resume(self, state: FoldState) -> None:
        """Go on from a kept state."""
        self.head = Head(self.folds, state)
        self._snapshots = [_Snapshot(state, self._next_number)]
        self._batches = []
        self._late = []
        self._late_from_us = None

    @property
    def oldest(self) -> FoldState:
        """The oldest snapshot: what to keep on disk; rows before it are final."""
        return self._snapshots[0].state

    @property
    def late_from_us(self) -> int | None:
        """Event time of the earliest row waiting to be folded in again."""
        return self._late_from_us

    def take(
        self, observations: pa.Table, statements: pa.Table, until_us: int | None = None
    ) -> Advance | None:
        """Fold what is in order; put aside what is late. None where nothing was in order.

        `until_us`: rows are known to be complete up to there; else up to the last of them.
        """
        edge = self.head.until_us
        on_time, late = _split(observations, edge)
        said_on_time, said_late = _split(statements, edge)
        if late.num_rows or said_late.num_rows:
            self.put_aside(late, said_late)
        if not on_time.num_rows and not said_on_time.num_rows:
            return None
        return self._step(_ordered(on_time), _ordered(said_on_time), until_us)

    def refold(self) -> Refold | None:
        """Fold again from the snapshot before the earliest late row. None where nothing is late."""
        if self._late_from_us is None:
            return None
        at = max(i for i, s in enumerate(self._snapshots) if i == 0 or s.until_us <= self._late_from_us)
        base = self._snapshots[at]
        until = self.head.until_us
        stale = [b for b in self._batches if b.number >= base.next_number]
        self._batches = [b for b in self._batches if b.number < base.next_number]
        observations = _ordered(
            pa.concat_tables([b.observations for b in stale] + [o for o, _ in self._late])
        )
        statements = _ordered(pa.concat_tables([b.statements for b in stale] + [s for _, s in self._late]))
        before = [f for b in stale for f in b.findings]
        self._late = []
        self._late_from_us = None
        del self._snapshots[at + 1 :]
        self.head = Head(self.folds, base.state)
        after: list[Finding] = []
        full, compact = [], []
        # In steps, so that there are snapshots again for the next late row.
        for edge in _edges((observations, statements), until):
            now, observations = _split_at(observations, edge)
            said, statements = _split_at(statements, edge)
            step = self._step(now, said, edge)
            after += step.findings
            full.append(step.full)
            compact.append(step.compact)
        return Refold(before, after, pa.concat_tables(full), pa.concat_tables(compact), base.until_us)

    def _step(self, observations: pa.Table, statements: pa.Table, until_us: int | None = None) -> Advance:
        if until_us is None:
            until_us = max(self.head.until_us, _last(observations), _last(statements))
        step = self.head.step(observations, statements, until_us, self.world_at(until_us))
        self._batches.append(_Batch(self._next_number, observations, statements, step.findings))
        self._next_number += 1
        if until_us - self._snapshots[-1].until_us >= _NEAR_EVERY_US:
            self._snapshots.append(_Snapshot(self.head.keep(), self._next_number))
            self._thin()
        return step

    def put_aside(self, observations: pa.Table, statements: pa.Table) -> None:
        """Rows that came late: kept for the next `refold`, or counted where no snapshot is as old."""
        floor = self.oldest.until_us
        kept = _from(observations, floor)
        said = _from(statements, floor)
        self.too_late += observations.num_rows - kept.num_rows + statements.num_rows - said.num_rows
        if not kept.num_rows and not said.num_rows:
            return
        self._late.append((kept, said))
        first = min((_first(t) for t in (kept, said) if t.num_rows), default=floor)
        if self._late_from_us is None or first < self._late_from_us:
            self._late_from_us = first

    def _thin(self) -> None:
        """Drop snapshots nobody will need, and the rows before the oldest one that is left."""
        now = self.head.until_us
        kept: list[_Snapshot] = []
        for snapshot in self._snapshots:
            near = now - snapshot.until_us <= _NEAR_SPAN_US
            if near or not kept or snapshot.until_us - kept[-1].until_us >= _FAR_EVERY_US:
                kept.append(snapshot)
        horizon = now - self.allowed_lateness_us
        if self._late_from_us is not None:
            horizon = min(horizon, self._late_from_us)
        while len(kept) > 1 and kept[1].until_us <= horizon:
            kept.pop(0)
        self._snapshots = kept
        first = kept[0].next_number
        if self._batches and self._batches[0].number < first:
            self._batches = [b for b in self._batches if b.number >= first]


def _edges(tables: Sequence[pa.Table], until_us: int) -> list[int]:
    """Where to cut rows that are folded again: only where there are rows, close together near the end."""
    times = np.concatenate([np.asarray(_time_us(t).combine_chunks()) for t in tables])
    near = times > until_us - _NEAR_SPAN_US
    every = np.where(near, _NEAR_EVERY_US, _FAR_EVERY_US)
    edges = np.unique(-(-times // every) * every)
    return [*(int(e) for e in edges if e < until_us), until_us]


def _time_us(table: pa.Table) -> pa.ChunkedArray:
    return pc.cast(table.column("time"), pa.int64())


def _last(table: pa.Table) -> int:
    return int(pc.max(_time_us(table)).as_py() or 0) if table.num_rows else 0


def _first(table: pa.Table) -> int:
    return int(pc.min(_time_us(table)).as_py())


def _ordered(table: pa.Table) -> pa.Table:
    return table.sort_by([("time", "ascending"), ("raw", "ascending")]) if table.num_rows > 1 else table


def _split(table: pa.Table, edge_us: int) -> tuple[pa.Table, pa.Table]:
    """(rows at or after the edge, rows before it)."""
    if not table.num_rows:
        return table, table
    late = pc.less(_time_us(table), edge_us)
    if not pc.any(late).as_py():
        return table, table.slice(0, 0)
    return table.filter(pc.invert(late)), table.filter(late)


def _split_at(table: pa.Table, edge_us: int) -> tuple[pa.Table, pa.Table]:
    """An ordered table cut after the rows at or before the edge."""
    if not table.num_rows:
        return table, table
    count = int(pc.sum(pc.less_equal(_time_us(table), edge_us)).as_py())
    return table.slice(0, count), table.slice(count)


def _from(table: pa.Table, floor_us: int) -> pa.Table:
    return table.filter(pc.greater_equal(_time_us(table), floor_us)) if table.num_rows else table
