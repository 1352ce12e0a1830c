"""A million mutations of valid sentences: no exception, no hang, no memory growth."""

import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode, with_tag_blocks
from shiprider.formats.ais.fields import decode_lines
from shiprider.formats.decoded import DecodeContext

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
WALL = DecodeContext(feed="fuzz", received_clock="wall")
RECORDING = DecodeContext(feed="fuzz", received_clock="recording", start_us=1_700_000_000_000_000)


def corpus() -> list[bytes]:
    """Valid lines: the encoder's, and where they are at hand the real recordings'."""
    n = 40
    rng = np.random.default_rng(5)
    mmsi = rng.integers(200_000_000, 776_000_000, n)
    at = {"lat": rng.uniform(-90, 90, n), "lon": rng.uniform(-180, 180, n)}
    stations = np.zeros(n, np.int64)
    parts = [
        encode(1, {"mmsi": mmsi, **at}),
        encode(4, {"mmsi": mmsi, "year": 2024, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5}),
        encode(5, {"mmsi": mmsi, "shipname": ["MUTANT"] * n}),
        encode(8, {"mmsi": mmsi, "dac": 1, "fid": 22, "data": [b"\x55" * 40] * n}),
        encode(8, {"mmsi": mmsi, "dac": 1, "fid": 26, "data": [b"\x12\x34" * 30] * n}),
        encode(14, {"mmsi": mmsi, "text": ['"QUOTED\\"'] * n}),
        encode(18, {"mmsi": mmsi, **at}),
        encode(26, {"mmsi": mmsi, "data": [b"\xff" * 60] * n}),
        encode(27, {"mmsi": mmsi, **at}),
    ]
    tagged = [with_tag_blocks(part, ["SIM-A"], stations, np.full(n, 1_700_000_000)) for part in parts]
    lines = b"".join(part.tobytes() for part in (*parts, *tagged)).splitlines(keepends=True)
    lines += [
        b"$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B*5B\n",
        b"!AIVDM,9,9,9,B,,0*25\r\n",
        b"!AIVDM,1,1,,A,,0*26\r\n",
        b"1328133720012,!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n",
    ]
    for path in sorted(SHARED.glob("ais_*/*.txt")):
        lines += path.read_bytes().splitlines(keepends=True)[:400]
    return lines


def mutated(rng: np.random.Generator, lines: list[bytes]) -> bytes:
    """One line, changed in one of the ways in which lines break."""
    line = bytearray(lines[int(rng.integers(len(lines)))])
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(line) + 1))
        kind = int(rng.integers(9))
        if kind == 0 and line:
            line[at % len(line)] = int(rng.integers(256))
        elif kind == 1:
            del line[at:]
        elif kind == 2:
            other = lines[int(rng.integers(len(lines)))]
            line[at:] = other[int(rng.integers(len(other))) :]
        elif kind == 3:
            line[at:at] = rng.integers(0, 256, int(rng.integers(1, 40)), dtype=np.uint8).tobytes()
        elif kind == 4:
            line[at:at] = bytes([int(rng.choice(list(b"!$\\,*\r\n0123456789")))]) * int(rng.integers(1, 6))
        elif kind == 5:
            line = bytearray(line.replace(b",1,1,", rng.choice([b",99999,1,", b",9,1,", b",0,0,", b",1,9,"])))
        elif kind == 6:
            line[at:at] = bytes(line) * int(rng.integers(1, 4))
        elif kind == 7:
            line[at:at] = b"w" * int(rng.integers(1, 3000))
        else:
            # A wrong payload under a right checksum gets further in.
            star = line.rfind(b"*")
            bang = line.rfind(b"!")
            if 0 <= bang < star and star - bang > 20:
                where = int(rng.integers(bang + 14, star - 3))
                line[where] = int(rng.integers(48, 120))
                checksum = 0
                for byte in line[bang + 1 : star]:
                    checksum ^= byte
                line[star + 1 : star + 3] = b"%02X" % checksum
    return bytes(line) if rng.random() < 0.2 else bytes(line.rstrip(b"\r\n")) + b"\n"


def run(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = corpus()
    decoders = [AisDecoder(WALL), AisDecoder(RECORDING)]
    process = psutil.Process()
    settled = 0
    raw = 0
    batch = 5_000
    for done in range(0, count, batch):
        data = b"".join(mutated(rng, lines) for _ in range(batch))
        for decoder in decoders:
            began = time.monotonic()
            result = decoder.decode(data, raw, 1_700_000_000_000_000 + done)
            assert time.monotonic() - began < 60, "a hang"
            for table in (result.observations, result.statements, result.messages, result.rejects):
                table.validate(full=True)
            length = result.rejects.column("raw_length").to_numpy()
            address = result.rejects.column("raw").to_numpy()
            assert (length > 0).all()
            assert (address + length <= raw + len(data)).all()
            assert result.counts.messages == len(
                set(result.observations.column("raw").to_pylist())
                | set(result.statements.column("raw").to_pylist())
                | set(result.messages.column("raw").to_pylist())
            ), "an address names one message"
        for _ in decode_lines(data[:200_000]):
            pass
        raw += len(data)
        if done == 4 * batch or (settled == 0 and done + batch >= count):
            settled = process.memory_info().rss
    grown = process.memory_info().rss - settled
    assert grown < 150 << 20, f"memory grew by {grown >> 20} MiB"


def test_twenty_thousand_mutations() -> None:
    run(20_000, 1)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_million_mutations() -> None:
    run(1_000_000, 2)
