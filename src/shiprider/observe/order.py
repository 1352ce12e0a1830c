"""Late data put in order: rows wait until the watermark has passed them, then come out sorted.

Always true: what comes out as `ready` is ordered by time, ties by raw, and never older than what came
out before; a row older than the watermark comes out as `late`, at once and once, with the time from
which folds must be run again (from the snapshot before it); no row is lost.

The watermark is the newest believable time minus the window. Rows from a clock that runs ahead
(`Flaw.TIME_FUTURE`) do not move it. Terrestrial streams need a window of seconds; satellite rows that
are 2 to 25 minutes late are expected to come out as `late`: waiting for them would delay every alert.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from shiprider.measure.clock import SECOND_US
from shiprider.model.codes import Flaw
from shiprider.model.columns import integers
from shiprider.model.tables import OBSERVATIONS, STATEMENTS

#: Long enough for the jitter of receivers on one network, short enough for an alert within 2 s.
LIVE_WINDOW_US: Final = SECOND_US
_FUTURE: Final = int(Flaw.TIME_FUTURE)
_NEVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What one push let through. `until_us` is the watermark: rows are complete up to it, late ones apart.

    `rerun_from_us` is the oldest late time, None where nothing was late.
    """

    observations: pa.Table
    statements: pa.Table
    until_us: int
    late_observations: pa.Table
    late_statements: pa.Table
    rerun_from_us: int | None


@dataclass(slots=True)
class Sequencer:
    """Holds back one window of rows."""

    window_us: int = LIVE_WINDOW_US
    watermark_us: int = _NEVER
    newest_us: int = _NEVER
    held_observations: pa.Table = field(default_factory=OBSERVATIONS.empty_table)
    held_statements: pa.Table = field(default_factory=STATEMENTS.empty_table)

    def push(self, observations: pa.Table, statements: pa.Table) -> Ordered:
        """Take the next rows in order of arrival; give what the watermark has passed."""
        before = self.watermark_us
        observations, late_observations = _split(observations, before)
        statements, late_statements = _split(statements, before)
        for table in (observations, statements):
            times = integers(table["time"], np.int64, _NEVER)
            believable = times[(integers(table["flaws"], np.int32, 0) & _FUTURE) == 0]
            if len(believable):
                self.newest_us = max(self.newest_us, int(believable.max()))
        self.watermark_us = max(before, self.newest_us - self.window_us)
        return self._release(observations, statements, late_observations, late_statements)

    def finish(self) -> Ordered:
        """Everything still held: the stream is over."""
        self.watermark_us = max(self.watermark_us, self.newest_us)
        for table in (self.held_observations, self.held_statements):
            if table.num_rows:
                self.watermark_us = max(self.watermark_us, int(integers(table["time"], np.int64, 0).max()))
        empty = (OBSERVATIONS.empty_table(), STATEMENTS.empty_table())
        return self._release(*empty, *empty)

    def _release(
        self,
        observations: pa.Table,
        statements: pa.Table,
        late_observations: pa.Table,
        late_statements: pa.Table,
    ) -> Ordered:
        ready, self.held_observations = _due(self.held_observations, observations, self.watermark_us)
        said, self.held_statements = _due(self.held_statements, statements, self.watermark_us)
        late = [
            int(integers(table["time"], np.int64, 0).min())
            for table in (late_observations, late_statements)
            if table.num_rows
        ]
        return Ordered(
            ready, said, self.watermark_us, late_observations, late_statements, min(late) if late else None
        )


def _split(table: pa.Table, watermark_us: int) -> tuple[pa.Table, pa.Table]:
    """Rows after the watermark, and those it has already passed."""
    on_time = integers(table["time"], np.int64, 0) > watermark_us
    if on_time.all():
        return table, table.slice(0, 0)
    return table.filter(pa.array(on_time)), table.filter(pa.array(~on_time))


def _due(held: pa.Table, new: pa.Table, watermark_us: int) -> tuple[pa.Table, pa.Table]:
    """Sorted rows up to the watermark, and the rest, still in order of arrival."""
    rows = pa.concat_tables([held, new]).combine_chunks()
    due = integers(rows["time"], np.int64, 0) <= watermark_us
    ready = rows if due.all() else rows.filter(pa.array(due))
    rest = rows.slice(0, 0) if due.all() else rows.filter(pa.array(~due))
    return sorted_rows(ready), rest


def sorted_rows(table: pa.Table) -> pa.Table:
    """Rows by time, ties by raw; not copied where they already are."""
    times = integers(table["time"], np.int64, 0)
    raws = integers(table["raw"], np.int64, 0)
    steps = np.diff(times)
    if ((steps > 0) | ((steps == 0) & (np.diff(raws) > 0))).all():
        return table
    order = np.lexsort((raws, times))
    return table.take(pa.array(order)).combine_chunks()
