"""Runs of ingest in processes of their own, so that they can be killed: see test_04_durable_ingest.py.

Reads lines `FOLDER NODE STEP COUNT AFTER_MS` and answers each with how the run ended. A run takes
every file of FOLDER into NODE. It is killed with SIGKILL the COUNT-th time a step whose name begins
with STEP is passed (COUNT 0: never), or AFTER_MS milliseconds after it began (0: never). With COUNT
-1 nothing is killed and the names of the steps passed are the answer.

Runs are forked from one process that has imported everything and warmed the decoder, because
importing takes longer than the run.
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from shiprider.adapters.feeds.folder import FolderFeed
from shiprider.adapters.lake.delta import DeltaLake
from shiprider.adapters.spool.segmented import SegmentedSpool
from shiprider.flow.decoding import TABLES, Decoding, context_of
from shiprider.flow.ingest import STREAM, Ingest
from shiprider.formats.ais.decoder import AisDecoder
from shiprider.observe.cleaner import Cleaner
from shiprider.ports.feed import Declaration, Origin
from shiprider.ports.spool import Source

SEGMENT_BYTES = 60_000
CHUNK_BYTES = 6_000
DECLARATION = Declaration(
    name="drop", standard="NMEA 0183", start_us=1_451_606_400_000_000, received_clock="recording"
)


def open_node(node: Path, probe: Any = lambda step: None) -> tuple[SegmentedSpool, DeltaLake]:
    """Spool and lake of a node in small pieces, so that a little input goes through every step."""
    spool = SegmentedSpool(node / "spool", segment_bytes=SEGMENT_BYTES, probe=probe)
    return spool, DeltaLake(node / "lake", node / "state", probe=probe)


def decoding(spool: SegmentedSpool) -> Decoding:
    """The real decoder and observer."""
    return Decoding(spool, lambda source, head: AisDecoder(context_of(source)), Cleaner())


def ingest(folder: Path, node: Path, probe: Any = lambda step: None, **more: Any) -> None:
    """All files of a folder, to the end."""
    spool, lake = open_node(node, probe)
    feed = FolderFeed(
        folder,
        DECLARATION,
        once=True,
        stable_s=0.0,
        look_every_s=0.01,
        now_us=lambda: 1_767_225_600_000_000,
        chunk_bytes=CHUNK_BYTES,
    )
    run = Ingest([feed], spool, lake.writer(STREAM, TABLES), decoding(spool), commit_every_s=0.0, **more)
    run.run()
    spool.close()


def run(folder: Path, node: Path, step: str, count: int) -> None:
    """One run, in this process."""
    left = count
    passed: list[str] = []

    def probe(name: str) -> None:
        nonlocal left
        passed.append(name)
        if count > 0 and name.startswith(step):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    ingest(folder, node, probe)
    if count == -1:
        (node / "steps").write_text("\n".join(passed))


def forked(folder: Path, node: Path, step: str, count: int, after_ms: float) -> str:
    """One run, in a child; "done", "killed" or what went wrong."""
    child = os.fork()
    if child == 0:
        try:
            run(folder, node, step, count)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if after_ms:
        time.sleep(after_ms / 1000)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
    return "done" if os.WEXITSTATUS(status) == 0 else "failed"


def main() -> None:
    """Serve runs until the input ends."""
    line = b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n"
    AisDecoder(context_of(Source(0, DECLARATION, Origin()))).decode(line, 0, 0)
    print("ready", flush=True)
    for order in sys.stdin:
        folder, node, step, count, after_ms = order.rstrip("\n").split("\t")
        print(forked(Path(folder), Path(node), step, int(count), float(after_ms)), flush=True)


if __name__ == "__main__":
    main()
