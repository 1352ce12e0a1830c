"""The spool's seals of an opened node."""

from collections.abc import Mapping, Sequence

import polars as pl

from shiprider.adapters.feeds.file import wall_us
from shiprider.flow.pieces import Pieces
from shiprider.flow.sealing import SpoolSeals
from shiprider.ports.lake import Lake, LakeWriter
from shiprider.ports.ledger import Ledger
from shiprider.ports.spool import Spool


def spool_pieces(spool: Spool, ledger: Ledger, lake: Lake, writer: LakeWriter) -> Pieces:
    """Seals and pieces of this node, one writer of both; `writer` is ingest's, whose position says what the lake has."""

    def lengths(raws: Sequence[int]) -> Mapping[int, int]:
        found: dict[int, int] = {}
        if raws:
            for table in ("messages", "statements", "observations"):
                rows = lake.scan(table, ["raw", "raw_length"], raw_start=min(raws), raw_end=max(raws) + 1)
                kept = rows.filter(pl.col("raw").is_in(list(raws)) & pl.col("raw_length").is_not_null())
                found.update(kept.collect().select("raw", "raw_length").iter_rows())
        return found

    return Pieces(SpoolSeals(spool, ledger, wall_us), lengths, lambda: writer.position)
