"""A re-run of track and detect over a lake: two simulated nodes of one thread each against one thread.

Always true: both sides run the same function over the same partitions (by vessel) and must give
identical findings; start-up of the cluster and a first, unmeasured round (imports, kernels) are left
out on both sides, because the aim is a share of linear beyond start-up.
"""

import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from shiprider.cli.bench.table import Row

NAME: Final = "rerun"

POSITIONS: Final = 1_500_000
PARTITIONS: Final = 16
PRESETS: Final = ("loitering.gfw", "gap.gfw-raw")
_START_S: Final = 1_767_225_600

Partition = tuple[str, int]


def run(scale: float = 1.0) -> list[Row]:
    """The row of the table; an absent Ray is said in it."""
    from shiprider.model.errors import MissingExtra

    with tempfile.TemporaryDirectory(prefix="shiprider-bench-") as made:
        node = Path(made)
        rows = _fill(node, max(50_000, int(POSITIONS * scale)))
        partitions = [(str(node), number) for number in range(PARTITIONS)]
        try:
            return [_compare(partitions, rows)]
        except MissingExtra as missing:
            return [
                Row(case="two nodes against one thread", ours=None, unit="positions/s", notes=str(missing))
            ]


def _compare(partitions: list[Partition], rows: int) -> Row:
    from shiprider.adapters.engine.simulated import SimulatedCluster

    times = {}
    findings = {}
    for workers in (1, 2):
        cluster = SimulatedCluster(workers)
        try:
            list(cluster.engine.map(detect_partition, partitions[: 2 * workers]))
            start = time.perf_counter()
            findings[workers] = list(cluster.engine.map(detect_partition, partitions))
            times[workers] = time.perf_counter() - start
        finally:
            cluster.close()
    if findings[1] != findings[2]:
        raise AssertionError("two nodes gave other findings than one")
    speedup = times[1] / times[2]
    count = sum(len(part) for part in findings[1])
    return Row(
        case="two nodes of one thread against one",
        ours=rows / times[2],
        peer=rows / times[1],
        peer_name="the same on one node of one thread",
        unit="positions/s",
        ratio=speedup,
        notes=f"{speedup / 2:.2f} of linear (aim 0.8); {count} identical findings",
    )


def detect_partition(partition: Partition) -> list[bytes]:
    """Track and detect over the vessels of one partition; findings as canonical JSON, sorted."""
    import msgspec
    import polars as pl

    from shiprider.adapters.lake.delta import DeltaLake
    from shiprider.bootstrap import detection
    from shiprider.flow.folds import Head
    from shiprider.model.tables import OBSERVATIONS, STATEMENTS
    from shiprider.model.world import World

    node, number = partition
    lake = DeltaLake(Path(node) / "lake", Path(node) / "state")
    mine = lake.scan("observations").filter(pl.col("claimed_id") % PARTITIONS == number)
    rows = mine.sort("time", "raw").collect()
    observations = rows.to_arrow().cast(OBSERVATIONS)
    until_us = int(rows["time"].dt.epoch("us").max() or 0)  # type: ignore[arg-type]
    folds = detection.folds(PRESETS)
    head = Head(folds, folds.start())
    found = head.step(observations, STATEMENTS.empty_table(), until_us, World()).findings
    found += head.finish(World())
    return sorted(msgspec.json.encode(finding, order="sorted") for finding in found)


def _fill(node: Path, count: int) -> int:
    """A lake of about `count` positions of 2,000 vessels over some days, some lying still; rows."""
    from shiprider.adapters.feeds.file import FileFeed
    from shiprider.adapters.lake.delta import DeltaLake
    from shiprider.adapters.spool.segmented import SegmentedSpool
    from shiprider.flow.decoding import TABLES, Decoding, open_by_content
    from shiprider.flow.ingest import STREAM, Ingest
    from shiprider.formats.ais.encoder import encode, with_tag_blocks
    from shiprider.observe.cleaner import Cleaner
    from shiprider.ports.feed import Declaration

    chance = np.random.default_rng(1)
    vessel = np.arange(count) % 2000
    turn = np.arange(count) // 2000
    still = (turn // 60 + vessel) % 4 == 0
    fields = {
        "mmsi": 200_000_000 + vessel,
        "lon": -70 + vessel / 200 + np.where(still, 0.0, turn * 1e-4) % 5,
        "lat": 12 + vessel / 400 + chance.normal(0, 1e-4, count),
        "speed": np.where(still, 0.5, 9.0),
        "course": np.full(count, 90.0),
    }
    seconds = _START_S + turn * 300 + vessel // 10
    tagged = with_tag_blocks(encode(1, fields), ["st"], np.zeros(count, np.int64), seconds)
    path = node / "recording.nmea"
    path.write_bytes(tagged.tobytes())
    spool = SegmentedSpool(node / "spool")
    lake = DeltaLake(node / "lake", node / "state")
    feed = FileFeed(path, Declaration(name="bench", standard="NMEA 0183", received_clock="recording"))
    Ingest([feed], spool, lake.writer(STREAM, TABLES), Decoding(spool, open_by_content, Cleaner())).run()
    spool.close()
    return sum(day.rows for day in lake.days("observations"))
