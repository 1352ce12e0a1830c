"""Promise 4 for the ledger: what was acknowledged survives a power cut, which drops every unsynced write.

`synced_only.c` keeps what each file held at its last sync, also of SQLite's own files. A child appends
signed batches, replaces its key now and then, and is killed; the node is then made of the synced bytes
alone (some with a tail of zeros or of bytes that had been written, as a disk may) and must hold
everything that was acknowledged. A ledger that does not sync must be found out, or the test proves nothing.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger.log import now_us
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.model.errors import CorruptStore

CUTS = 8

CHILD = textwrap.dedent(
    """
    import os, random, sys
    from pathlib import Path
    from shiprider.adapters.keys.files import FileKeys
    from shiprider.adapters.ledger import sqlite
    from shiprider.adapters.ledger.log import now_us
    from shiprider.adapters.ledger.sqlite import SqliteLedger
    from shiprider.flow import signing_keys
    from shiprider.model.record import Draft

    folder, seed, honest = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "honest"
    draw = random.Random(seed)
    sqlite._CHECKPOINT_BYTES = 200_000  # many checkpoints in little time
    keys = FileKeys(folder / "keys", clock=now_us)
    ledger = SqliteLedger(folder / "ledger.sqlite", origin="n", keys=keys)
    if not honest:
        ledger._writer.raw_connection().dbapi_connection.execute("PRAGMA synchronous=OFF")
    signing_keys.settle(ledger, keys, now_us)
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        if number % 4 == 0:
            signing_keys.rotate(ledger, keys, now_us, "Ana")
        drafts = [
            Draft(id=os.urandom(16).hex(), kind="note", expected_revision=0, schema=1, author="Ana",
                  valid_from_us=number, body=os.urandom(200))
            for _ in range(draw.randint(1, 30))
        ]
        done = ledger.append(drafts)
        os.write(1, b"".join(b"%d %s\\n" % (r.sequence, r.digest.encode()) for r in done))
    """
)


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler on this machine: SQLite's own syncs cannot be watched")
    made = tmp_path_factory.mktemp("shim") / "synced_only.so"
    source = Path(__file__).with_name("synced_only.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    return made


def make_image(folder: Path, synced: Path, target: Path, chance: random.Random) -> None:
    """The folder as the disk has it: names as of its last sync, each file's bytes as of its own."""
    listed = synced / f"{folder.stat().st_ino}.names"
    for line in listed.read_text().splitlines() if listed.exists() else ():
        inode, _, name = line.partition(" ")
        if (synced / f"{inode}.names").exists():
            (target / name).mkdir()
            make_image(folder / name, synced, target / name, chance)
            continue
        kept = synced / f"{inode}.data"
        data = kept.read_bytes() if kept.exists() else b""
        now = (folder / name).read_bytes() if (folder / name).exists() else data
        if name.endswith("-wal") and len(now) > len(data):
            # The length, or some of the bytes, may have reached the disk without a sync.
            tail = now[len(data) :]
            data += chance.choice((b"", b"\0" * len(tail), tail[: chance.randrange(len(tail))]))
        (target / name).write_bytes(data)


def cut(shim: Path, place: Path, seed: int, honest: str) -> tuple[dict[int, str], Path]:
    """What was acknowledged, and the node as the disk has it."""
    chance = random.Random(seed)
    node, synced, image = place / "node", place / "synced", place / "image"
    for folder in (node, synced, image):
        folder.mkdir(parents=True)
    environment = {**os.environ, "LD_PRELOAD": str(shim), "WATCHED": str(node), "SYNCED": str(synced)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(node), str(seed), honest], env=environment, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    time.sleep(chance.uniform(0.05, 0.8))
    child.kill()
    told = child.stdout.read()
    child.wait()
    lines = told[: told.rfind(b"\n") + 1].decode().splitlines()
    acknowledged = {int(line.split()[0]): line.split()[1] for line in lines}
    make_image(node, synced, image, chance)
    return acknowledged, image


@pytest.mark.timeout(280)
def test_the_power_is_cut(shim: Path, tmp_path: Path) -> None:
    total = 0
    for seed in range(CUTS):
        acknowledged, image = cut(shim, tmp_path / str(seed), seed, "honest")
        keys = FileKeys(image / "keys", clock=now_us)
        ledger = SqliteLedger(image / "ledger.sqlite", origin="n", keys=keys)
        stored = {record.sequence: record.digest for record in ledger.since(0, limit=10**6)}
        assert {n: stored.get(n) for n in acknowledged} == acknowledged, seed
        ledger.verify()
        ledger.close()
        total += len(acknowledged)
        shutil.rmtree(tmp_path / str(seed))
    assert total > 20 * CUTS


def test_a_ledger_that_does_not_sync_is_found_out(shim: Path, tmp_path: Path) -> None:
    found = []
    for seed in range(3):
        acknowledged, image = cut(shim, tmp_path / str(seed), seed, "dishonest")
        if not acknowledged:
            continue
        try:
            keys = FileKeys(image / "keys", clock=now_us)
            ledger = SqliteLedger(image / "ledger.sqlite", origin="n", keys=keys)
        except CorruptStore as error:
            found.append(str(error))
            continue
        stored = {record.sequence for record in ledger.since(0, limit=10**6)}
        ledger.close()
        assert set(acknowledged) <= stored, "lost without a word: the head file did not tell"
    assert found, json.dumps(found)
    assert all("were acknowledged" in words or "restore it" in words for words in found)
