"""The world of a day: what is given, and what was learnt on earlier days only.

Always true: nothing learnt on a day is used on that day; the same earlier rows give the same world,
with the same version names, live and in batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl
import pyarrow as pa

from shiprider.detect.traffic import fit_traffic
from shiprider.measure.clock import DAY_US
from shiprider.model.tables import RECEPTION, STATEMENTS, TRACK_POINTS
from shiprider.model.world import World
from shiprider.observe.reception import fit_reception

#: So many earlier days are learnt from: a fortnight has both weekends, and follows the season.
LEARN_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Learnt:
    """What some days left to learn from: RECEPTION rows, compact TRACK_POINTS, STATEMENTS (one a saying)."""

    reception: pa.Table
    points: pa.Table
    statements: pa.Table


#: (first day, day after the last) -> what there is of those days.
History = Callable[[date, date], Learnt]


def day_of(time_us: int) -> date:
    """The UTC date of a time."""
    return datetime.fromtimestamp(time_us // 1_000_000, tz=UTC).date()


def day_start_us(day: date) -> int:
    """Midnight UTC at which a day begins."""
    return (day - date(1970, 1, 1)).days * DAY_US


@dataclass(slots=True)
class DailyWorld:
    """Gives the world of an event time; fits anew when a day begins."""

    given: World
    history: History
    _worlds: dict[date, World] = field(default_factory=dict)

    def at(self, time_us: int) -> World:
        """The world of that day."""
        day = day_of(time_us)
        if day not in self._worlds:
            # A re-fold may go back over midnight: the day before is kept, older ones are not needed.
            self._worlds = {d: w for d, w in self._worlds.items() if abs((day - d).days) <= 1}
            self._worlds[day] = self._fit(day)
        return self._worlds[day]

    def give(self, given: World) -> None:
        """Other standing orders (watchlists, areas) from now on; what was learnt stays."""
        self.given = given
        self._worlds = {
            day: replace(world, watchlist=given.watchlist, areas=given.areas)
            for day, world in self._worlds.items()
        }

    def _fit(self, day: date) -> World:
        past = self.history(day - timedelta(days=LEARN_DAYS), day)
        return replace(
            self.given,
            reception=fit_reception(
                past.reception, past.points if past.points.num_rows else None, before=day
            ),
            traffic=fit_traffic(past.points, past.statements, before=day) if past.points.num_rows else None,
        )


@dataclass(slots=True)
class KeptHistory:
    """Earlier days kept in memory: what a recording without a node learns from."""

    reception: pa.Table = field(default_factory=RECEPTION.empty_table)
    points: list[pa.Table] = field(default_factory=list)
    statements: pa.Table = field(default_factory=STATEMENTS.empty_table)

    def add(self, compact: pa.Table, statements: pa.Table) -> None:
        """Compact track points and statements, in the order of time."""
        if compact.num_rows:
            self.points.append(compact)
        if statements.num_rows:
            self.statements = one_a_saying(pa.concat_tables([self.statements, statements]))

    def read(self, first: date, last: date) -> Learnt:
        """As `History`."""
        points = pa.concat_tables(self.points) if self.points else TRACK_POINTS.empty_table()
        return Learnt(
            _days(self.reception, first, last),
            _days(points, first, last),
            _days(self.statements, first, last),
        )


def one_a_saying(statements: pa.Table) -> pa.Table:
    """The first statement of each vessel and ship type: all that is learnt from, and few."""
    frame = pl.from_arrow(statements)
    if not isinstance(frame, pl.DataFrame) or frame.is_empty():
        return statements
    kept = frame.sort("time", "raw").unique(["claimed_id", "ship_type"], keep="first", maintain_order=True)
    table: pa.Table = kept.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(STATEMENTS)
    return table


def _days(table: pa.Table, first: date, last: date) -> pa.Table:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame) or frame.is_empty():
        return table
    inside = frame["day"].is_between(first, last, closed="left")
    return table.filter(inside.to_arrow())
