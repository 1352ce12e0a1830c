"""From the lake to findings: what was ingested while nobody folded, and old data that came late.

Always true: rows are folded in the order of time, from the newest kept state that is still true; a
finding published before keeps its id, is revised, or is retracted; an interruption loses nothing but
the work since the last kept state.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl
import pyarrow as pa

from shiprider.flow.folds import Folds, FoldState, Head
from shiprider.flow.keeping import StateShelf
from shiprider.flow.learn import DailyWorld, History, Learnt, day_of, day_start_us
from shiprider.flow.recording import Latest
from shiprider.flow.watch import Watch
from shiprider.measure.clock import DAY_US, HOUR_US, MINUTE_US
from shiprider.model.codes import Flaw
from shiprider.model.finding import Finding
from shiprider.model.tables import OBSERVATIONS, RECEPTION, STATEMENTS, TRACK_POINTS
from shiprider.observe.exposure import ReceptionCounter, merged
from shiprider.observe.order import sorted_rows
from shiprider.ports.lake import Lake, LakeWriter

#: Folded at once: short enough that memory stays flat, long enough that steps cost nothing.
_STEP_US: Final = 2 * HOUR_US

#: The newest rows, so that the live fold has snapshots among them.
_REST_STEP_US: Final = 5 * MINUTE_US

#: Rows counted for the reception map at once.
_COUNTED_ADDRESSES: Final = 32 << 20

Progress = Callable[[float, str], None]


def history(lake: Lake) -> History:
    """What a day's world is learnt from: see `flow.learn.History`."""

    def read(first: date, last: date) -> Learnt:
        days = [first + timedelta(days=n) for n in range((last - first).days)]
        reception = lake.scan("reception", days=days).collect()
        points = (
            lake.scan("track_points", start_us=day_start_us(first), end_us=day_start_us(last))
            .unique("raw", keep="any")
            .sort("time", "raw")
            .collect()
        )
        said = lake.scan("statements", start_us=day_start_us(first), end_us=day_start_us(last))
        kept = said.sort("time", "raw").unique(["claimed_id", "ship_type"], keep="first", maintain_order=True)
        return Learnt(
            _arrow(reception, RECEPTION), _arrow(points, TRACK_POINTS), _arrow(kept.collect(), STATEMENTS)
        )

    return read


def count_reception(lake: Lake, writer: LakeWriter, end: int) -> None:
    """Bring the reception table up to the spool position `end`, in the order of arrival."""
    if end <= writer.position:
        return
    counter = ReceptionCounter()
    if writer.state:
        counter.restore(writer.state)
    drained = []
    for start in range(writer.position, end, _COUNTED_ADDRESSES):
        rows = lake.scan("observations", raw_start=start, raw_end=min(start + _COUNTED_ADDRESSES, end)).sort(
            "raw"
        )
        table = _arrow(rows.collect(), OBSERVATIONS)
        if table.num_rows:
            counter.count(table)
            drained.append(counter.drain())
    writer.add({"reception": merged(drained)} if drained else {}, end)
    writer.commit(end, counter.snapshot())


@dataclass(slots=True)
class CatchUp:
    """Folds what the lake has and the kept state has not."""

    lake: Lake
    folds: Folds
    world: DailyWorld
    watch: Watch
    points: LakeWriter
    shelf: StateShelf
    clock: Callable[[], int]
    #: The newest rows are left to the live fold, which keeps snapshots of them: late ones may still come.
    left_us: int = 0

    def run(self, position: int, progress: Progress, stopped: Callable[[], bool]) -> FoldState:
        """Fold up to the spool position of the lake; the state to go on from."""
        kept = self.shelf.latest()
        since = kept.position if kept else 0
        oldest = self._oldest(since)
        before: list[Finding] = []
        if kept is None and oldest is not None:
            # The state was lost, or a folding of old data was cut short: all that the lake still has is
            # folded again and compared with what was published from it.
            before = [f for f in self.watch.standing(oldest) if f.start_us >= oldest]
        elif kept is not None and oldest is not None and oldest <= kept.until_us:
            # Old data came: what was folded after its time is folded again, and what no longer holds goes.
            before = self.watch.standing(oldest)
            kept = self.shelf.before(oldest)
            self.shelf.clear_after(oldest)
            if kept is not None:
                before = [f for f in before if f.end_us >= kept.until_us]
        state = kept.fold if kept else self.folds.start()
        return self._fold(state, position, before, progress, stopped)

    def _fold(
        self,
        state: FoldState,
        position: int,
        before: list[Finding],
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> FoldState:
        head = Head(self.folds, state)
        span = self._span(state.until_us)
        if span is None:
            return state
        again = bool(before)
        first, last = span
        last -= 0 if again else self.left_us
        found = Latest()
        for start, end, observations, statements in self._batches(first, last):
            if stopped():
                if again:
                    # Half a folding says nothing of the rest: nothing is published, and as the latest
                    # state is gone from the shelf, the next start folds it all.
                    return state
                break
            until = min(end - 1, last)
            self.watch.saw(observations)
            self.watch.saw(statements)
            step = head.step(observations, statements, until, self.world.at(until))
            self.points.add({"track_points": step.compact}, max(self.points.position, self.clock()))
            if again:
                found.take(step.findings)
            else:
                self.watch.advance(step.findings)
            if end // DAY_US > start // DAY_US or until == last:
                self._keep(head, position, complete=not again)
            progress((until - first + 1) / (last - first + 1), f"{day_of(start)}")
        if again:
            self.watch.refold(before, found.ordered())
        self._keep(head, position, complete=True)
        return head.keep()

    def _keep(self, head: Head, position: int, *, complete: bool) -> None:
        self.points.commit(max(self.points.position + 1, self.clock()))
        if complete:
            self.shelf.put(head.keep(), position)

    def rest(self, after_us: int) -> Iterator[tuple[int, pa.Table, pa.Table]]:
        """What `run` left: (complete up to, observations, statements), in order."""
        span = self._span(after_us)
        if span is not None:
            for _, end, observations, statements in self._batches(*span, step_us=_REST_STEP_US):
                yield min(end - 1, span[1]), observations, statements

    def _oldest(self, since: int) -> int | None:
        """The earliest time among rows whose bytes came at or after a spool position."""
        found = [
            self.lake.scan(table, ["time", "flaws"], raw_start=since)
            .filter(_believable())
            .select(pl.col("time").min())
            for table in ("observations", "statements")
        ]
        times = [frame.collect().item() for frame in found]
        return min((round(t.timestamp() * 1e6) for t in times if t is not None), default=None)

    def _span(self, after_us: int) -> tuple[int, int] | None:
        ends = []
        for table in ("observations", "statements"):
            row = (
                self.lake.scan(table, ["time", "flaws"], start_us=after_us + 1)
                .filter(_believable())
                .select(pl.col("time").min().alias("first"), pl.col("time").max().alias("last"))
                .collect()
                .row(0)
            )
            ends += [round(t.timestamp() * 1e6) for t in row if t is not None]
        return (min(ends), max(ends)) if ends else None

    def _batches(
        self, first_us: int, last_us: int, step_us: int = _STEP_US
    ) -> Iterator[tuple[int, int, pa.Table, pa.Table]]:
        start = first_us
        while start <= last_us:
            end = min((start // step_us + 1) * step_us, last_us + 1)
            observations, statements = (
                _arrow(self.lake.scan(t, start_us=start, end_us=end).filter(_believable()).collect(), s)
                for t, s in (("observations", OBSERVATIONS), ("statements", STATEMENTS))
            )
            yield start, end, sorted_rows(observations), sorted_rows(statements)
            start = end


def _believable() -> pl.Expr:
    return (pl.col("flaws").fill_null(0) & int(Flaw.TIME_FUTURE)) == 0


def _arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    table: pa.Table = frame.select(schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(schema)
