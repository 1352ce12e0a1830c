"""Promise 5, ingest: the disk is full exactly where one segment of the spool ends and the next begins.

Closing the full segment made its chunks durable, so only the others may be written again.
"""

import errno
import runpy
from pathlib import Path
from typing import Any

import pytest

from shiprider.adapters.feeds.folder import FolderFeed
from shiprider.adapters.spool.segment import LiveSegment
from shiprider.flow.decoding import TABLES
from shiprider.flow.ingest import STREAM, Ingest

DRIVER = Path(__file__).with_name("ingest_driver.py")
LINES = 2_000


@pytest.mark.parametrize("stop", [False, True])
def test_nothing_is_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: bool) -> None:
    driver: dict[str, Any] = runpy.run_path(str(DRIVER), run_name="driver")
    folder, node = tmp_path / "in", tmp_path / "node"
    folder.mkdir()
    node.mkdir()
    (folder / "f").write_bytes(b"".join(b"!AIVDM,1,1,,A,%06d%s,0*00\r\n" % (n, b"x" * 64) for n in range(LINES)))

    create = LiveSegment.create
    full = [2]

    def once_full(where: Path, number: int) -> LiveSegment:
        if number == 2 and full[0]:
            full[0] -= 1
            if stop and not full[0]:
                run.stop()
            raise OSError(errno.ENOSPC, "No space left on device")
        return create(where, number)

    spool, lake = driver["open_node"](node)
    monkeypatch.setattr(LiveSegment, "create", once_full)
    feed = FolderFeed(folder, driver["DECLARATION"], once=True, stable_s=0.0, chunk_bytes=9_000)
    # A commit in two seconds: until then the batches are as large as the feed fills them.
    run = Ingest([feed], spool, lake.writer(STREAM, TABLES), driver["decoding"](spool), commit_every_s=2.0)
    run.run()
    spool.close()
    assert not full[0]
    driver["ingest"](folder, node)
    spool, lake = driver["open_node"](node)
    offsets = sorted(s.file_offset for s, _ in spool.chunks())
    assert offsets == sorted(set(offsets))
    assert lake.scan("quarantine").collect()["file_offset"].n_unique() == LINES
    assert lake.scan("quarantine").collect().height == LINES
    spool.close()
