"""The reception map of an observer: counted from the observations that he may see, as the node counts its own.

Always true: where no feed is hidden from him it is the node's own map; else it is what that map would be if there
were no other observations than his; a map is counted once for all who see the same labels, and then goes on.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl
import pyarrow as pa

from shiprider.flow.layers import Counted
from shiprider.flow.sight import Frames
from shiprider.model.tables import OBSERVATIONS, RECEPTION
from shiprider.observe.exposure import ReceptionCounter, merged
from shiprider.ports.lake import Lake

#: Addresses counted at once, as for the node's own map; maps kept.
_COUNTED_ADDRESSES: Final = 32 << 20
_KEPT: Final = 16


@dataclass(slots=True)
class _Map:
    position: int = 0
    counter: ReceptionCounter = field(default_factory=ReceptionCounter)
    rows: pa.Table = field(default_factory=RECEPTION.empty_table)


class OwnReception:
    """Of one node; any thread."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._maps: dict[frozenset[int], _Map] = {}
        self._lock = threading.Lock()

    def counted(self, frames: Frames) -> Counted:
        """Rows of `RECEPTION` for who sees these observations."""

        def rows(days: Sequence[date]) -> pl.LazyFrame:
            if not frames.hidden:
                return self._lake.scan("reception", days=days)
            return pl.DataFrame(self._of(frames)).lazy().filter(pl.col("day").is_in(list(days)))

        return rows

    def _of(self, frames: Frames) -> pa.Table:
        with self._lock:
            found = self._maps.pop(frames.shown, None) or _Map()
            while len(self._maps) >= _KEPT:
                self._maps.pop(next(iter(self._maps)))
            self._maps[frames.shown] = found
            self._go_on(found, frames)
            return found.rows

    def _go_on(self, found: _Map, frames: Frames) -> None:
        newest = self._lake.scan("observations", ["raw"], raw_start=found.position)
        last = newest.select(pl.col("raw").max()).collect().item()
        if last is None:
            return
        drained = [found.rows] if found.rows.num_rows else []
        while found.position <= last:
            # Segments are far apart: from where the next rows are.
            first = self._lake.scan("observations", ["raw"], raw_start=found.position)
            start = first.select(pl.col("raw").min()).collect().item()
            end = min(start + _COUNTED_ADDRESSES, last + 1)
            rows = self._lake.scan("observations", raw_start=start, raw_end=end)
            table = rows.filter(frames.condition()).sort("raw").collect()
            if table.height:
                plain = table.select(OBSERVATIONS.names).to_arrow(compat_level=pl.CompatLevel.oldest())
                found.counter.count(plain.cast(OBSERVATIONS))
                drained.append(found.counter.drain())
            found.position = end
        found.rows = merged(drained) if drained else found.rows
