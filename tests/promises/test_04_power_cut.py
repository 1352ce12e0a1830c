"""Promise 4, storage: what was acknowledged survives a power cut, not only a killed process.

A recorder notes what each fsync made durable: the bytes of a file, the names in a folder. At a chosen
step the "power is cut": every file is cut back to what was synced (or filled with zeros, as a disk
does), every name that was never synced is gone. Then the node is opened and goes on; it must end
with the rows of an uninterrupted run, and hold at once everything that had been acknowledged.
"""

import os
import random
import runpy
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shiprider.adapters.lake.stream import load_checkpoint

DRIVER = Path(__file__).with_name("ingest_driver.py")
TABLES = ("observations", "statements", "messages", "quarantine")


class Cut(BaseException):
    """The power is gone."""


class Recorder:
    """What is on the medium below a folder: name -> durable bytes, learnt from the fsync calls."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.data: dict[int, bytes] = {}
        self.names: dict[Path, dict[str, int]] = {self.root: {}}
        self.copies: dict[int, Path] = {}

    def synced(self, handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if self.root not in (path, *path.parents):
            return
        state = os.fstat(handle)
        if path.is_dir():
            self.names[path] = {entry.name: entry.inode() for entry in os.scandir(path)}
            # A folder's entry for a new folder is durable; its contents only once they were synced.
        else:
            self.data[state.st_ino] = path.read_bytes()

    def image(self, target: Path, chance: random.Random) -> None:
        """Write what the medium holds into a new folder."""
        self._folder(self.root, target, chance)

    def _folder(self, source: Path, target: Path, chance: random.Random) -> None:
        target.mkdir(exist_ok=True)
        for name, inode in self.names.get(source, {}).items():
            path = source / name
            if path in self.names or path.is_dir():
                self._folder(path, target / name, chance)
            else:
                durable = self.data.get(inode, b"")
                now = path.read_bytes() if path.exists() and path.stat().st_ino == inode else durable
                lost = len(now) - len(durable)
                # The length may have reached the disk before the bytes did.
                tail = b"\0" * lost if lost > 0 and chance.random() < 0.5 else b""
                (target / name).write_bytes(durable + tail)


def content(driver: dict[str, Any], node: Path) -> dict[str, pl.DataFrame]:
    spool, lake = driver["open_node"](node)
    found = {}
    for name in TABLES:
        frame = lake.scan(name).collect()
        places = []
        for raw in frame["raw"]:
            chunk = spool.locate(raw)
            places.append(chunk.file_offset + raw - chunk.raw)
        columns = [c for c in frame.columns if c not in ("raw", "raw_length", "duplicate_of")]
        found[name] = (
            frame.select(columns).with_columns(pl.Series("place", places, pl.Int64)).sort("place", *columns)
        )
    list(spool.verify())
    spool.close()
    return found


@pytest.fixture(scope="module")
def driver() -> dict[str, Any]:
    return runpy.run_path(str(DRIVER), run_name="driver")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyais", reason="pyais encodes the input of this test")
    made = tmp_path_factory.mktemp("in")
    other = runpy.run_path(str(DRIVER.with_name("test_04_durable_ingest.py")), run_name="other")
    (made / "a.nmea").write_bytes(other["recording"](7, 400))
    return made


def test_the_power_is_cut_at_every_kind_of_step(
    driver: dict[str, Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    plain = tmp_path / "plain"
    plain.mkdir()
    driver["ingest"](folder, plain, steps.append)
    expected = content(driver, plain)
    real = os.fsync
    chance = random.Random(11)
    cuts = [(kind, count) for kind in sorted(set(steps)) for count in (steps.count(kind),)]
    cuts += [("", chance.randrange(1, len(steps))) for _ in range(6)]
    for number, (kind, count) in enumerate(cuts):
        node = tmp_path / f"node{number}"
        node.mkdir()
        recorder = Recorder(node)
        left = [count]
        image = tmp_path / f"image{number}"

        def fsync(handle: int, recorder: Recorder = recorder) -> None:
            real(handle)
            recorder.synced(handle)

        acknowledged = [0]

        def probe(
            step: str,
            acknowledged: Any = acknowledged,
            kind: str = kind,
            left: Any = left,
            recorder: Recorder = recorder,
            image: Path = image,
        ) -> None:
            if image.exists():
                return
            if step == "lake.checkpoint":
                checkpoint = load_checkpoint(recorder.root / "state" / "ingest.checkpoint")
                acknowledged[0] = checkpoint.position if checkpoint else 0
            if not step.startswith(kind):
                return
            left[0] -= 1
            if left[0] == 0:
                # The medium as it is at this moment; the process itself may run on into nothing.
                recorder.image(image, chance)

        monkeypatch.setattr(os, "fsync", fsync)
        driver["ingest"](folder, node, probe)
        monkeypatch.setattr(os, "fsync", real)
        if not image.exists():
            continue
        assert _position(driver, image) >= acknowledged[0], (kind, count)
        driver["ingest"](folder, image)
        after = content(driver, image)
        for table in TABLES:
            assert after[table].equals(expected[table]), (kind, count, table)
        shutil.rmtree(node)
        shutil.rmtree(image)


def _position(driver: dict[str, Any], image: Path) -> int:
    spool, lake = driver["open_node"](image)
    position: int = lake.writer("ingest", TABLES).position
    assert position <= spool.end(), "the lake is never further than the spool"
    spool.close()
    return position


def test_the_recorder_finds_a_missing_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean run alone proves nothing: without its syncs the spool must lose what it acknowledged."""
    from shiprider.adapters.spool.segmented import SegmentedSpool
    from shiprider.ports.feed import Declaration, Origin

    real = os.fsync
    for honest in (True, False):
        node = tmp_path / f"{honest}"
        node.mkdir()
        recorder = Recorder(node)

        def fsync(handle: int, recorder: Recorder = recorder, honest: bool = honest) -> None:
            real(handle)
            if honest or Path(f"/proc/self/fd/{handle}").readlink().suffix != ".live":
                recorder.synced(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        spool = SegmentedSpool(node / "spool")
        handle = os.open(node, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        source = spool.source(Declaration(name="f", standard="s"), Origin()).number
        spool.append(source, b"acknowledged\n", file_offset=0, received_us=0)
        spool.sync()
        recorder.image(tmp_path / f"image{honest}", random.Random(1))
        monkeypatch.setattr(os, "fsync", real)
        spool.close()
        opened = SegmentedSpool(tmp_path / f"image{honest}" / "spool")
        assert [data for _, data in opened.chunks()] == ([b"acknowledged\n"] if honest else [])
        opened.close()
