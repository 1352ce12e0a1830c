"""Promise 5 for the ledger: a full disk is refused in one sentence within 5 s, reads go on, and appends go on
within 10 s of space being freed, by themselves. On a real, small tmpfs.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger.log import now_us
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.model.errors import DiskFull
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Ledger

SIZE = 8 << 20


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


def drafts(count: int) -> list[Draft]:
    return [
        Draft(id=os.urandom(16).hex(), kind="note", expected_revision=0, schema=1, author="Ana", valid_from_us=1,
              body=os.urandom(600))
        for _ in range(count)
    ]  # fmt: skip


def fill(ledger: Ledger, kept: list[Record]) -> float:
    """Append until the disk is full; how long the refusal took."""
    while True:
        begun = time.monotonic()
        try:
            kept += ledger.append(drafts(50))
        except DiskFull as error:
            assert "is full: free space and decide again; nothing acknowledged was lost" in str(error)
            return time.monotonic() - begun


@pytest.mark.parametrize("room", [0, 40_000, 700_000, 3_000_000])
def test_full_then_freed(small_disk: Path, room: int) -> None:
    """`room` bytes are left, so that the log, the write-ahead log or a checkpoint is what fails first."""
    keys = FileKeys(small_disk / "keys", clock=now_us)
    ledger = SqliteLedger(small_disk / "l.sqlite", origin="n", keys=keys)
    kept = ledger.append(drafts(100))
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast.write_bytes(b"\0" * max(0, free - room))
    assert fill(ledger, kept) < 5
    for _ in range(20):  # again and again: no refusal leaves anything behind
        assert fill(ledger, kept) < 5
    # Reads go on: by a query, by id, and the proof that a record is in the log.
    assert ledger.since(0, limit=10**6) == kept
    assert ledger.latest(kept[7].id) == kept[7]
    head = ledger.tree_head()
    assert head is not None and head.size == len(kept) == ledger.head().sequence
    assert ledger.inclusion(8, head).index == 7
    ballast.unlink()
    freed = time.monotonic()
    kept += ledger.append(drafts(50))
    assert time.monotonic() - freed < 10
    assert ledger.verify() == ledger.head()
    ledger.close()
    again = SqliteLedger(small_disk / "l.sqlite", origin="n", keys=keys)
    assert again.since(0, limit=10**6) == kept
    again.close()


def test_a_key_that_finds_no_room_changes_nothing(small_disk: Path) -> None:
    keys = FileKeys(small_disk / "keys", clock=now_us)
    before = keys.public()
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "ballast").write_bytes(b"\0" * free)
    with pytest.raises(DiskFull, match="is full: free space and try again"):
        keys.prepare()
    (small_disk / "ballast").unlink()
    assert FileKeys(small_disk / "keys", clock=now_us).public() == before == keys.public()
    assert keys.prepare().state == "prepared"
