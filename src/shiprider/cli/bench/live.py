"""Messages a second live, and the time from the arrival of bytes to what they change.

Always true: the bytes go through a real UDP socket into a whole node (spool, lake, folds, ledger) in
this process; the time of a message is from its datagram being sent to the fold having taken it, which
is when its alert is in the ledger.
"""

import resource
import socket
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.cli.bench.table import Row

#: Messages a second; the issue's target.
RATE: Final = 2_000

#: Ten minutes at scale 1.
SECONDS: Final = 600.0

#: Sentences a datagram.
_TOGETHER: Final = 20


def run(scale: float = 1.0) -> list[Row]:
    """A node under a steady stream of simulated traffic."""
    from shiprider import settings
    from shiprider.bootstrap.feeds import live_feed
    from shiprider.bootstrap.node import open_node

    seconds = max(20.0, SECONDS * scale)
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / settings.FILE_NAME).write_text(settings.TEMPLATE.format(node="bench"), encoding="utf-8")
        port = _free_port()
        with open_node(folder) as opened:
            node = opened.node
            feed = live_feed(settings.FeedSettings(name="bench", kind="udp", port=port), folder)
            lags: list[NDArray[np.float64]] = []

            def timed(points: pa.Table) -> None:
                # Told once the step's findings are recorded: their alerts are in the ledger.
                received = np.asarray(pc.cast(points["received"], pa.int64()).combine_chunks())
                lags.append(time.time() - received / 1e6)

            node.on_points = timed
            node.catch_up(lambda _p, _t: None)
            thread = threading.Thread(target=node.run, args=([feed],))
            thread.start()
            time.sleep(1.0)
            before = resource.getrusage(resource.RUSAGE_SELF)
            begun = time.monotonic()
            count, sender_cpu_s = _send(port, seconds)
            time.sleep(3.0)
            elapsed = time.monotonic() - begun
            after = resource.getrusage(resource.RUSAGE_SELF)
            node.stop()
            thread.join()
            kept = int(opened.lake.scan("observations", ["raw"]).collect().height)
    lag = np.concatenate(lags) if lags else np.array([np.nan])
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime - sender_cpu_s) / elapsed
    notes = f"{count:,} sentences in {elapsed:.0f} s, {kept:,} positions in the lake"
    return [
        Row(case="live: messages a second", ours=count / seconds, unit="1/s", notes=notes),
        Row(
            case="live: arrival to alert, median",
            ours=float(np.median(lag)),
            unit="s",
            notes="lower is better",
        ),
        Row(
            case="live: arrival to alert, p99",
            ours=float(np.quantile(lag, 0.99)),
            unit="s",
            notes="target < 2",
        ),
        Row(case="live: processors used", ours=cpu, unit="cores", notes="target < 0.5"),
        Row(case="live: peak memory", ours=after.ru_maxrss / 2**20, unit="GiB", notes="whole process"),
    ]


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(port: int, seconds: float) -> tuple[int, float]:
    """Send at the rate; how many sentences, and the processor time of sending."""
    from shiprider.bootstrap.simulations import steady_datagrams

    begun_cpu = time.thread_time()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    count = 0
    begun = time.monotonic()
    for group in steady_datagrams(RATE, _TOGETHER):
        due = begun + count / RATE
        wait = due - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        out.sendto(group, ("127.0.0.1", port))
        count += group.count(b"\n")
        if time.monotonic() - begun > seconds:
            break
    return count, time.thread_time() - begun_cpu
