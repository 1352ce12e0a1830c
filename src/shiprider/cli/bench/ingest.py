"""Bytes to a durable, queryable lake, beside pyais + pandas + Parquet doing the same in the same run.

Always true: both sides start from the same bytes, keep every position and every static report in
columns on disk, and agree on how many there are; the peer gets a smaller sample and its rate is
compared; our run is in a process of its own, so that its peak memory is its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, Final

import numpy as np

from shiprider.cli.bench.table import Row, compared

NAME: Final = "ingest"

SENTENCES: Final = 4_000_000
PEER_SENTENCES: Final = 60_000
_BLOCK: Final = 250_000
_START_S: Final = 1_767_225_600


def run(scale: float = 1.0) -> list[Row]:
    """The rows of the table; `scale` multiplies the size of the input."""
    with tempfile.TemporaryDirectory(prefix="shiprider-bench-") as made:
        folder = Path(made)
        recording, sample = folder / "recording.nmea", folder / "sample.nmea"
        sentences, messages = write_recording(recording, max(_BLOCK, int(SENTENCES * scale)))
        sample_sentences, sample_messages = write_recording(sample, PEER_SENTENCES)
        # The first run of an installation compiles kernels and modules: that is not what is measured.
        in_own_process(sample, folder / "warm", folder / "modules")
        ours = in_own_process(recording, folder / "node", folder / "modules")
        if ours["rows"] != messages:
            raise AssertionError(f"the lake has {ours['rows']} rows of {messages} messages")
        rate = sentences / ours["seconds"]
        peer = _peer(sample, folder / "peer.parquet", sample_messages)
        peer_rate = None if peer is None else sample_sentences / peer
        note = (
            f"{sentences:,} sentences, {recording.stat().st_size >> 20} MiB; "
            f"{ours['cpu_s'] / sentences * 1e6:.2f} CPU seconds per million"
        )
        limit = _limit(recording, folder / "limit.zst")
        return [
            compared(
                "bytes to durable lake", rate, peer_rate, "pyais + pandas + Parquet", "sentences/s", note
            ),
            compared(
                "limit: zstd and disk alone",
                rate,
                sentences / limit,
                "zstd -1 and fsync of the same bytes",
                "sentences/s",
            ),
            Row(
                case="peak memory",
                ours=ours["peak_mib"],
                unit="MiB",
                notes="lower is better; aim 1024 or less for any file size",
            ),
        ]


def write_recording(path: Path, count: int) -> tuple[int, int]:
    """A recording of about `count` sentences in blocks (positions of class A and B, static reports).

    Returns (sentences, messages). Same count, same bytes.
    """
    sentences = messages = 0
    with path.open("wb") as out:
        block = 0
        while sentences < count:
            size = min(_BLOCK, count - sentences)
            data, more, lines = _block(block, size)
            out.write(data)
            messages += more
            sentences += lines
            block += 1
    return sentences, messages


def _block(block: int, size: int) -> tuple[bytes, int, int]:
    from shiprider.formats.ais.encoder import encode, merged, with_tag_blocks

    chance = np.random.default_rng(block)
    parts = []
    for kind, share in ((1, 0.70), (18, 0.20), (5, 0.05)):
        n = max(1, int(size * share))
        mmsi = 200_000_000 + chance.integers(0, 20_000, n)
        fields: dict[str, Any] = {"mmsi": mmsi}
        if kind == 5:
            names = [f"VESSEL {number}" for number in mmsi.tolist()]
            fields |= {"imo": chance.integers(9_000_000, 9_999_999, n), "shipname": names, "ship_type": 70}
        else:
            fields |= {
                "lon": chance.uniform(-90, -60, n),
                "lat": chance.uniform(5, 25, n),
                "speed": chance.uniform(0, 20, n),
                "course": chance.uniform(0, 359, n),
                "heading": chance.integers(0, 359, n),
            }
        parts.append(encode(kind, fields))
    total = sum(len(part) for part in parts)
    mixed = merged(parts, chance.permutation(total))
    seconds = _START_S + block * 600 + np.arange(total, dtype=np.int64) * 600 // total
    stations = [f"station{number}" for number in range(20)]
    tagged = with_tag_blocks(mixed, stations, chance.integers(0, 20, total), seconds)
    data = tagged.tobytes()
    return data, total, data.count(b"\n")


def in_own_process(recording: Path, node: Path, modules: Path) -> dict[str, Any]:
    """What `ingest_once` tells, from a process as a node has it: `modules` is a folder for compiled modules."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(  # noqa: S603 (our own module, our own file names)
        [sys.executable, "-m", "shiprider.cli.bench.ingest", str(recording), str(node)],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"PYTHONPYCACHEPREFIX": str(modules)},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def ingest_once(recording: Path, node: Path) -> dict[str, Any]:
    """Take a recording into a new node, in this process: rows, seconds, peak memory in MiB, CPU seconds.

    The CPU seconds are those of the whole process until now, in user and kernel mode, start-up included.
    """
    import resource

    from shiprider.adapters.feeds.file import FileFeed
    from shiprider.adapters.lake.delta import DeltaLake
    from shiprider.adapters.spool.segmented import SegmentedSpool
    from shiprider.flow.decoding import TABLES, Decoding, open_by_content
    from shiprider.flow.ingest import STREAM, Ingest
    from shiprider.observe.cleaner import Cleaner
    from shiprider.ports.feed import Declaration

    start = time.perf_counter()
    spool = SegmentedSpool(node / "spool")
    lake = DeltaLake(node / "lake", node / "state")
    feed = FileFeed(recording, Declaration(name="bench", standard="NMEA 0183", received_clock="recording"))
    run_ = Ingest([feed], spool, lake.writer(STREAM, TABLES), Decoding(spool, open_by_content, Cleaner()))
    run_.run()
    spool.close()
    seconds = time.perf_counter() - start
    rows = sum(day.rows for table in TABLES[:3] for day in lake.days(table))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "seconds": seconds,
        "peak_mib": used.ru_maxrss / 1024,
        "cpu_s": used.ru_utime + used.ru_stime,
    }


class _NoPandas(MetaPathFinder):
    """Arrow imports pandas where it finds it (a quarter of a second). A node is installed without; the peer needs it."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """Not there, as where it is not installed."""
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'")


def _peer(sample: Path, target: Path, messages: int) -> float | None:
    """Seconds of pyais + pandas + Parquet, None where they are not installed."""
    try:
        import pandas as pd
        import pyais
    except ImportError:
        return None
    start = time.perf_counter()
    rows = [message.decode().asdict() for message in pyais.FileReaderStream(str(sample))]
    frame = pd.DataFrame(rows).drop(columns=["spare_1", "spare_2", "spare_3"], errors="ignore")
    frame.to_parquet(target, compression="zstd")
    with target.open("rb") as written:
        os.fsync(written.fileno())
    seconds = time.perf_counter() - start
    if len(frame) != messages:
        raise AssertionError(f"the peer has {len(frame)} rows of {messages} messages")
    return seconds


def _limit(recording: Path, target: Path) -> float:
    """Seconds to compress the same bytes with zstd -1 and sync them."""
    import zstandard

    start = time.perf_counter()
    with recording.open("rb") as data, target.open("wb") as out:
        zstandard.ZstdCompressor(level=1).copy_stream(data, out)
        out.flush()
        os.fsync(out.fileno())
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.meta_path.insert(0, _NoPandas())
    print(json.dumps(ingest_once(Path(sys.argv[1]), Path(sys.argv[2]))))
