"""Layers beside the picture: where reception reaches, and what could not be decoded.

Always true: a cell that was never heard is not in the layer, so that what is not drawn is unknown, not
silent; both are bounded before they are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import h3
import numpy as np
import polars as pl
from numpy.typing import NDArray

from shiprider.flow.picture import Box
from shiprider.flow.sight import Frames
from shiprider.measure.clock import DAY_US, iso_from_us
from shiprider.model.codes import ReceiverKind
from shiprider.model.errors import NotFound
from shiprider.model.label import number_of
from shiprider.ports.lake import Lake
from shiprider.ports.spool import Spool

#: Cells of one answer at most.
MOST_CELLS: Final = 20_000
_LONGEST_DAYS: Final = 92

#: (days) -> rows of `model.tables.RECEPTION` of these days.
Counted = Callable[[Sequence[date]], pl.LazyFrame]


@dataclass(frozen=True, slots=True)
class ReceptionLayer:
    """One row per H3 cell; `total` before thinning. `expected` 0 where nothing was expected."""

    resolution: int
    total: int
    cell: NDArray[np.uint64]
    expected: NDArray[np.float64]
    received: NDArray[np.int64]
    vessels: NDArray[np.int64]
    terrestrial: NDArray[np.int64]
    satellite: NDArray[np.int64]


def reception(
    counted: Counted, start_us: int, end_us: int, box: Box | None, resolution: int | None
) -> ReceptionLayer:
    """Expected against received in a span of days, at most at the resolution they are kept in."""
    first = date.fromisoformat(iso_from_us(start_us)[:10])
    last = date.fromisoformat(iso_from_us(max(end_us - 1, start_us))[:10])
    count = min((last - first).days, _LONGEST_DAYS) + 1
    days = [last - timedelta(days=back) for back in range(count)]
    rows = (
        counted(days)
        .group_by("cell")
        .agg(
            pl.col("expected").sum().cast(pl.Float64),
            pl.col("received_count").sum().cast(pl.Int64),
            pl.col("vessels").max().cast(pl.Int64),
            _received(ReceiverKind.TERRESTRIAL).alias("terrestrial"),
            _received(ReceiverKind.SATELLITE).alias("satellite"),
        )
        .collect()
    )
    cells = rows["cell"].to_numpy()
    kept_at = int(h3.get_resolution(h3.int_to_str(int(cells[0])))) if len(cells) else 0
    wanted = kept_at if resolution is None else min(resolution, kept_at)
    if wanted < kept_at:
        rows = (
            rows.with_columns(pl.Series("cell", _parents(cells, wanted)))
            .group_by("cell")
            .agg(
                pl.col("vessels").max(),
                *(pl.col(name).sum() for name in ("expected", "received_count", "terrestrial", "satellite")),
            )
        )
    rows = rows.sort("cell")
    if box is not None and rows.height:
        rows = rows.filter(pl.Series(_inside(rows["cell"].to_numpy(), box)))
    total = rows.height
    if total > MOST_CELLS:
        rows = rows.sort("received_count", descending=True).head(MOST_CELLS).sort("cell")
    return ReceptionLayer(
        wanted,
        total,
        rows["cell"].to_numpy(),
        rows["expected"].to_numpy(),
        rows["received_count"].to_numpy(),
        rows["vessels"].to_numpy(),
        rows["terrestrial"].to_numpy(),
        rows["satellite"].to_numpy(),
    )


def _received(kind: ReceiverKind) -> pl.Expr:
    return pl.col("received_count").filter(pl.col("receiver_kind") == int(kind)).sum().cast(pl.Int64)


def _parents(cells: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    """The cells' parents (H3 index layout: resolution in bits 52-55, three bits a digit, unused digits 7)."""
    unused = np.uint64((1 << (3 * (15 - resolution))) - 1)
    cleared = cells & ~np.uint64(0xF << 52)
    return cleared | np.uint64(resolution << 52) | unused


def _inside(cells: NDArray[np.uint64], box: Box) -> NDArray[np.bool_]:
    """Whether each cell's centre lies in the box, a cell's width beside it included."""
    west, south, east, north = box
    centres = np.array([h3.cell_to_latlng(h3.int_to_str(int(cell))) for cell in cells])
    margin = 2.0 * float(
        np.degrees(
            h3.average_hexagon_edge_length(h3.get_resolution(h3.int_to_str(int(cells[0]))), "m") / 6_371_000.0
        )
    )
    latitude, longitude = centres[:, 0], centres[:, 1]
    within = (latitude >= south - margin) & (latitude <= north + margin)
    wide = margin / np.maximum(np.cos(np.radians(latitude)), 0.05)
    if west <= east:
        return within & (longitude >= west - wide) & (longitude <= east + wide)
    return within & ((longitude >= west - wide) | (longitude <= east + wide))


@dataclass(frozen=True, slots=True)
class Refused:
    """How much could not be decoded for one reason, with one example."""

    reason: str
    count: int
    first_us: int | None
    last_us: int | None
    example: str
    example_raw: int | None


def refused(lake: Lake, spool: Spool | None, frames: Frames, columns: Sequence[str]) -> pl.LazyFrame:
    """Rows of the quarantine that the observer may see: those of the sources whose label he sees."""
    if frames.everything:
        return lake.scan("quarantine", columns)
    sources = spool.sources() if spool is not None else ()
    admitted: dict[str, set[bool]] = {}
    for source in sources:
        may = frames.admits(number_of(source.declaration.label))
        admitted.setdefault(source.declaration.name, set()).add(may)
    whole = sorted(name for name, may in admitted.items() if may == {True})
    mixed = sorted(name for name, may in admitted.items() if len(may) == 2)
    wanted = list(dict.fromkeys([*columns, "feed", "raw"]))
    rows = lake.scan("quarantine", wanted).filter(pl.col("feed").is_in([*whole, *mixed]))
    if mixed and spool is not None:
        # The feed was given another label at some time: each row is asked where it lies.
        numbers = {s.number for s in sources if frames.admits(number_of(s.declaration.label))}
        found = rows.collect()
        keep = [
            feed in whole or _source_at(spool, raw) in numbers
            for feed, raw in found.select("feed", "raw").iter_rows()
        ]
        rows = found.filter(pl.Series(keep, dtype=pl.Boolean)).lazy()
    return rows.select(columns)


def _source_at(spool: Spool, raw: int) -> int | None:
    try:
        return spool.locate(raw).source
    except NotFound:
        return None


def quarantine(lake: Lake, spool: Spool | None, frames: Frames, most: int = 200) -> list[Refused]:
    """What could not be decoded, by reason, most frequent first."""
    rows = (
        refused(lake, spool, frames, ["received", "raw", "reason", "excerpt"])
        .sort("raw")
        .group_by("reason")
        .agg(
            pl.len().alias("count"),
            pl.col("received").min().dt.timestamp("us").alias("first"),
            pl.col("received").max().dt.timestamp("us").alias("last"),
            pl.col("excerpt").first(),
            pl.col("raw").first(),
        )
        .sort(["count", "reason"], descending=[True, False])
        .head(most)
        .collect()
    )
    return [
        Refused(
            row["reason"] or "", row["count"], row["first"], row["last"], row["excerpt"] or "", row["raw"]
        )
        for row in rows.iter_rows(named=True)
    ]


#: How far back the layer looks where no span is given.
DEFAULT_SPAN_US: Final = 7 * DAY_US
