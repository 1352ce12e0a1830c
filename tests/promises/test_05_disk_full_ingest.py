"""Promise 5, ingest: a full disk is said within 5 s, reads go on, and ingest goes on by itself within
10 s of space being freed, with nothing lost. On a real, small tmpfs.
"""

import contextlib
import os
import random
import runpy
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("ingest_driver.py")
SIZE = 6 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "small"
    where.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def noise(count: int, seed: int = 5) -> bytes:
    """Lines that compress badly and are all quarantined: each is counted, and the disk fills fast."""
    chance = random.Random(seed)
    return b"".join(b"!AIVDM,1,1,,A,%s,0*00\r\n" % chance.randbytes(40).hex().encode() for _ in range(count))


@pytest.mark.parametrize("room", [0, 120_000, 900_000])
def test_full_then_freed_goes_on_by_itself(small_disk: Path, tmp_path: Path, room: int) -> None:
    """`room` bytes are left, so that the spool, the lake or a segment's closing is what fails first."""
    driver: dict[str, Any] = runpy.run_path(str(DRIVER), run_name="driver")
    folder, node = tmp_path / "in", small_disk / "node"
    folder.mkdir()
    node.mkdir()
    (folder / "first").write_bytes(noise(500))
    driver["ingest"](folder, node)
    data = noise(12_000, 6)
    (folder / "second").write_bytes(data)

    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast.write_bytes(b"\0" * max(0, free - room))
    seen: list[tuple[float, dict[str, str]]] = []
    failed: list[BaseException] = []

    def told(status: Any) -> None:
        seen.append((time.monotonic(), dict(status.alarms)))

    def work() -> None:
        try:
            driver["ingest"](folder, node, on_status=told)
        except BaseException as error:
            failed.append(error)

    start = time.monotonic()
    worker = threading.Thread(target=work)
    worker.start()
    _until(lambda: any(alarms for _, alarms in seen) or failed, 20)
    assert failed == []
    alarm_at, alarms = next((at, alarms) for at, alarms in seen if alarms)
    assert all("is full: free space" in line for line in alarms.values())
    assert alarm_at - start < 5 + 2  # two seconds for the decoder's first use
    time.sleep(2)

    # Reads go on: a reader of its own opens the lake and sees what was committed before.
    from shiprider.adapters.lake.delta import DeltaLake

    assert DeltaLake(node / "lake", node / "state").scan("quarantine").collect().height >= 500
    assert worker.is_alive()

    ballast.unlink()
    freed_at = time.monotonic()
    worker.join(60)
    assert not worker.is_alive()
    assert failed == []
    clear_at = next(at for at, alarms in seen if at > freed_at and not alarms)
    assert clear_at - freed_at < 10
    spool, lake = driver["open_node"](node)
    found = lake.scan("quarantine").collect()
    list(spool.verify())
    offsets = found.filter(found["file"].str.ends_with("second"))["file_offset"].sort().to_list()
    assert offsets == [n * (len(data) // 12_000) for n in range(12_000)]
    assert found.height == 12_500
    spool.close()


def _until(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def test_stopping_while_the_disk_is_full_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    driver: dict[str, Any] = runpy.run_path(str(DRIVER), run_name="driver")
    folder, node = tmp_path / "in", small_disk / "node"
    folder.mkdir()
    node.mkdir()
    (folder / "f").write_bytes(noise(3000))
    (small_disk / "ballast").write_bytes(b"\0" * (SIZE - 400_000))
    from shiprider.adapters.feeds.folder import FolderFeed
    from shiprider.flow.decoding import TABLES
    from shiprider.flow.ingest import STREAM, Ingest
    from shiprider.model.errors import DiskFull

    spool, lake = driver["open_node"](node)
    feed = FolderFeed(folder, driver["DECLARATION"], once=True, stable_s=0.0, chunk_bytes=9000)
    run = Ingest([feed], spool, lake.writer(STREAM, TABLES), driver["decoding"](spool), commit_every_s=0.0)
    threading.Timer(3.0, run.stop).start()
    start = time.monotonic()
    with contextlib.suppress(DiskFull):
        run.run()
    assert time.monotonic() - start < 10
    (small_disk / "ballast").unlink()
    spool.close()
    driver["ingest"](folder, node)
    spool, lake = driver["open_node"](node)
    assert lake.scan("quarantine").collect().height == 3000
    spool.close()
