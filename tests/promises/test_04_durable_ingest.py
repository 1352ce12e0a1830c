"""Promise 4, storage: acknowledged means durable. Nothing lost, torn or doubled, whenever it stops.

The standard is the lake of an uninterrupted run; rows are compared by the file and byte offset that
their address leads to in the spool, so that a loss, a double and a wrong address all show. The input
is encoded by pyais, with parts of messages far apart, duplicates, garbage and copies of files.
"""

import gzip
import random
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pyais = pytest.importorskip("pyais", reason="pyais encodes the input of this test")

DRIVER = Path(__file__).with_name("ingest_driver.py")
TABLES = ("observations", "statements", "messages", "quarantine")
KILLS = 60


def sentence(fields: dict[str, Any], sequence: int = 0) -> list[str]:
    return list(
        pyais.encode_dict(
            fields, talker_id="AI", sentence_type="VDM", radio_channel="A", seq_id=sequence % 10
        )
    )


def stamped(line: str, second: int) -> bytes:
    tag = f"s:station{second % 3},c:{1_704_067_200 + second}"
    checksum = 0
    for character in tag:
        checksum ^= ord(character)
    return f"\\{tag}*{checksum:02X}\\{line}\r\n".encode()


def recording(seed: int, count: int) -> bytes:
    chance = random.Random(seed)
    late: list[tuple[int, bytes]] = []
    lines: list[bytes] = []
    for number in range(count):
        second = seed * 3600 + number
        mmsi = 257_000_000 + chance.randrange(12)
        kind = chance.random()
        if kind < 0.8:
            position = {
                "type": 1,
                "mmsi": mmsi,
                "lat": 10 + number / 1000,
                "lon": -80 + chance.random(),
                "speed": 9.5,
            }
            encoded = stamped(sentence(position)[0], second)
            lines.append(encoded)
            if chance.random() < 0.15:
                late.append((number + chance.randrange(1, 30), stamped(sentence(position)[0], second + 1)))
        elif kind < 0.95:
            static = {
                "type": 5,
                "mmsi": mmsi,
                "shipname": f"SHIP {number}",
                "callsign": "LA1B",
                "imo": 9074729,
            }
            first, second_part = sentence(static, number)
            lines.append(stamped(first, second))
            late.append((number + chance.randrange(1, 9), stamped(second_part, second + 3)))
        elif kind < 0.98:
            lines.append(b"!AIVDM,1,1,,A,15Ndamaged,0*00\r\n")
        else:
            lines.append(bytes(chance.randrange(1, 255) for _ in range(40)).replace(b"\n", b"?") + b"\n")
        lines += [line for at, line in late if at == number]
    return b"".join(lines)


@pytest.fixture(scope="module")
def driver() -> dict[str, Any]:
    return runpy.run_path(str(DRIVER), run_name="driver")


class Server:
    """The process that forks runs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def run(self, folder: Path, node: Path, step: str = "", count: int = 0, after_ms: float = 0) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder}\t{node}\t{step}\t{count}\t{after_ms}\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    serving = Server()
    yield serving
    serving.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("in")
    (made / "a.nmea").write_bytes(recording(1, 900))
    (made / "b.nmea.gz").write_bytes(gzip.compress(recording(2, 700)))
    (made / "c.nmea").write_bytes(recording(3, 500)[:-2])
    (made / "copy of a.nmea").write_bytes((made / "a.nmea").read_bytes())
    return made


def content(driver: dict[str, Any], node: Path) -> dict[str, pl.DataFrame]:
    """Every row of every table, its addresses told as file and byte offset."""
    spool, lake = driver["open_node"](node)
    files = {s.number: Path(s.origin.file).name.removeprefix("copy of ") for s in spool.sources()}

    def place(raw: int | None) -> str | None:
        if raw is None:
            return None
        chunk = spool.locate(raw)
        return f"{files[chunk.source]}:{chunk.file_offset + raw - chunk.raw}"

    found = {}
    for name in TABLES:
        frame = lake.scan(name).collect().with_columns(first_raw=pl.col("raw"))
        places = [
            pl.Series(c, [place(r) for r in frame[c]], pl.String)
            for c in ("raw", "duplicate_of")
            if c in frame.columns
        ]
        frame = frame.with_columns(places)
        if "file" in frame.columns:
            frame = frame.with_columns(pl.col("file").str.replace(r"^.*/(copy of )?", ""))
        if "raw_length" in frame.columns:
            # The parts of one message lie in one segment or in two, depending on where a run stopped;
            # then the length is the first part's.
            if name == "statements":
                for raw, length in frame.select("first_raw", "raw_length").iter_rows():
                    assert b"!AIVDM,2,1," in spool.read(raw, length)
                frame = frame.drop("raw_length")
            frame = frame.drop("first_raw")
        found[name] = frame.sort("raw", *(c for c in frame.columns if c != "raw"))
    for _ in spool.verify():
        pass
    spool.close()
    return found


@pytest.fixture(scope="module")
def expected(
    driver: dict[str, Any], server: Server, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, pl.DataFrame], list[str]]:
    node = tmp_path_factory.mktemp("uninterrupted")
    assert server.run(folder, node, "", -1) == "done"
    found = content(driver, node)
    return found, (node / "steps").read_text().splitlines()


def assert_same(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    for name in TABLES:
        assert found[name].height == expected[name].height, name
        different = [c for c in found[name].columns if not found[name][c].equals(expected[name][c])]
        assert different == [], (
            f"{name}: {found[name].filter(found[name][different[0]] != expected[name][different[0]])[different]} "
        )


def test_the_uninterrupted_run_has_every_message_that_pyais_reads(
    expected: tuple[dict[str, pl.DataFrame], list[str]], folder: Path
) -> None:
    found = expected[0]
    positions = statics = 0
    for name in ("a.nmea", "b.nmea.gz", "c.nmea"):
        data = (folder / name).read_bytes()
        data = gzip.decompress(data) if name.endswith("gz") else data
        sentences = [line[line.find(b"!AIVDM") :] for line in data.split(b"\r\n") if b"!AIVDM" in line]
        for one in sentences:
            if one.startswith(b"!AIVDM,1,1,"):
                positions += pyais.NMEAMessage(one).is_valid
        statics += sum(one.startswith(b"!AIVDM,2,2,") for one in sentences)
    assert found["observations"].height == positions > 1500
    assert found["statements"].height == statics > 200
    assert found["observations"]["duplicate_of"].drop_nulls().len() > 50
    assert found["quarantine"].height > 20


def test_killed_at_random_points_it_ends_as_if_never_killed(
    driver: dict[str, Any],
    server: Server,
    folder: Path,
    expected: tuple[dict[str, pl.DataFrame], list[str]],
    tmp_path: Path,
) -> None:
    chance = random.Random(20260101)
    steps = len(expected[1])
    kills = rounds = 0
    while kills < KILLS:
        node = tmp_path / f"node{rounds}"
        node.mkdir()
        answer = "killed"
        in_a_row = 0
        while answer == "killed":
            if in_a_row >= 8:
                answer = server.run(folder, node)
            elif chance.random() < 0.5:
                answer = server.run(folder, node, "", chance.randrange(1, steps))
            else:
                answer = server.run(folder, node, "", 0, chance.uniform(1, 600))
            kills += answer == "killed"
            in_a_row += 1
        assert answer == "done"
        assert_same(content(driver, node), expected[0])
        shutil.rmtree(node)
        rounds += 1
    assert kills >= 50


def test_killed_at_every_kind_of_step(
    driver: dict[str, Any],
    server: Server,
    folder: Path,
    expected: tuple[dict[str, pl.DataFrame], list[str]],
    tmp_path: Path,
) -> None:
    kinds = sorted(set(expected[1]))
    assert {"spool.appended", "spool.synced", "spool.rolled", "spool.compressed", "spool.chained"} <= set(
        kinds
    )
    assert {"lake.written", "lake.committed.observations", "lake.state", "lake.checkpoint"} <= set(kinds)
    for kind in kinds:
        passed = expected[1].count(kind)
        node = tmp_path / kind
        node.mkdir()
        for count in (1, max(1, passed // 2)):
            assert server.run(folder, node, kind, count) in ("killed", "done")
        assert server.run(folder, node) == "done"
        assert_same(content(driver, node), expected[0])
        shutil.rmtree(node)
