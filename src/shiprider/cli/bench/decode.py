"""Decoding AIS: ours beside AIS-catcher, libais and pyais, and beside reading the bytes at all.

Always true: all sides read the same bytes in the same process, each peer the fastest way its own interface
offers (AIS-catcher in pieces of its own size, pyais without making dicts); they must agree on the number of
messages and on the sum of the identities, and our positions with AIS-catcher's, else nothing is reported;
rates are messages a second of processor time, medians of several runs, ours and the peer's by turns.
"""

import importlib
import itertools
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from shiprider.cli.bench.table import Row, compared
from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode, merged, with_tag_blocks
from shiprider.formats.ais.fields import decode_fields, decode_lines
from shiprider.formats.decoded import DecodeContext, Decoded

NAME: Final = "decode"

_UNIT: Final = "messages/s"
_CONTEXT: Final = DecodeContext(feed="bench", received_clock="wall")
_NOW_US: Final = 1_700_000_000_000_000
_RUNS: Final = 5
_RECORDING: Final = Path(__file__).resolve().parents[5] / "shared" / "data" / "ais_dma" / "stream_example.txt"
_PLAIN: Final = re.compile(rb"![A-Z]{2}VD[MO],[^*]*\*[0-9A-F]{2}\r?\n")
_PART: Final = re.compile(rb"!..VD[MO],(\d),")
#: What AIS-catcher's own reader feeds at a time: whole recordings at once take it twice as long.
_PIECE: Final = 65_536
#: Types whose positions are compared with AIS-catcher's, which gives them in single precision.
_POSITIONS: Final = (1, 2, 3, 18)
_SINGLE_DEG: Final = 2e-5
#: Messages of the slow peers: their rate does not depend on the size.
_SLOW: Final = 20_000

#: What both sides must agree on: messages, sum of the MMSI.
Proof = tuple[int, int]


def run(scale: float = 1.0) -> list[Row]:
    """One row per stream and peer. `scale` 1 is about a million messages for the fast sides."""
    rows: list[Row] = []
    for case, data in _streams(scale).items():
        rows += _case(case, data)
    return rows


def _streams(scale: float) -> dict[str, bytes]:
    """A real stream (without its $PGHP lines) where it is at hand, and the encoder's with tag blocks."""
    made = _made(20_000)
    copies = max(1, round(50 * scale))
    streams = {
        "single-part, no tag blocks": made["single"] * copies,
        "mixed types, tag blocks": made["tagged"] * copies,
    }
    if _RECORDING.exists():
        sentences = _common(_RECORDING.read_bytes())
        streams["real stream, mixed"] = b"".join(sentences) * max(1, round(250 * scale))
        single = [line for line in sentences if line[6:10] == b",1,1"]
        streams["real stream, single-part"] = b"".join(single) * max(1, round(250 * scale))
    return streams


def _common(recording: bytes) -> list[bytes]:
    """The sentences that all peers can read: AIS-catcher takes no `!--VDM` and nothing behind a checksum.

    Parts of one message follow each other, because peers differ in how long they wait for one.
    """
    kept: list[bytes] = []
    lines = [line for line in recording.splitlines(keepends=True) if _PLAIN.match(line)]
    for line, following in itertools.pairwise([*lines, b""]):
        # AIS-catcher gives nothing for an MMSI of zero.
        if line[9:10] == b"1" and not _identity(line.split(b",")[5].decode()):
            continue
        if line[6:10] == b",1,1":
            kept.append(line)
        elif line[6:10] == b",2,1" and following[6:10] == b",2,2" and following[11:14] == line[11:14]:
            kept += [line, following]
    return kept


def _made(n: int) -> dict[str, bytes]:
    rng = np.random.default_rng(1)

    def at(count: int) -> dict[str, Any]:
        return {
            "mmsi": rng.integers(201_000_000, 776_000_000, count),
            "lat": rng.uniform(-85, 85, count),
            "lon": rng.uniform(-180, 180, count),
            "speed": rng.uniform(0, 30, count),
            "course": rng.uniform(0, 359, count),
            "second": rng.integers(0, 60, count),
        }

    parts = [
        encode(1, at(n * 7 // 10)),
        encode(18, at(n * 2 // 10)),
        encode(
            5, {"mmsi": rng.integers(201_000_000, 776_000_000, n // 10), "shipname": ["BENCH"] * (n // 10)}
        ),
    ]
    mixed = merged(parts, rng.permutation(sum(len(part) for part in parts)))
    single = merged(parts[:2], rng.permutation(len(parts[0]) + len(parts[1])))
    stations = np.zeros(len(mixed), np.int64)
    times = 1_700_000_000 + np.arange(len(mixed)) // 100
    tagged = with_tag_blocks(mixed, ["SIM-BENCH"], stations, times)
    return {"single": single.tobytes(), "tagged": tagged.tobytes()}


def _case(case: str, data: bytes) -> list[Row]:
    messages = _ours(data).counts.messages
    rows: list[Row] = []

    def add(peer: str, read: Callable[[bytes], Proof] | None, size: int) -> None:
        if read is None:
            ours = messages / _median(lambda: _ours(data))
            rows.append(compared(case, ours, None, peer, _UNIT, f"{peer} is not installed"))
            return
        piece = _head(data, size)
        mine = _proof(_ours(piece))
        theirs = read(piece)
        if mine != theirs:
            raise AssertionError(f"{peer} and ours differ on {case}: {theirs} against {mine}")
        our_time, their_time = _by_turns(lambda: _ours(data), lambda: read(piece))
        rows.append(
            compared(case, messages / our_time, theirs[0] / their_time, peer, _UNIT, f"{messages} messages")
        )

    _compare_positions(case, _head(data, 100_000))
    add("aiscat", _aiscat(), 400_000)
    add("libais", _libais(), _SLOW)
    add("pyais", _pyais(), _SLOW)
    ours = messages / _median(lambda: _ours(data))
    rows.append(
        compared(case, ours, messages / _line_count(data), "wc -l", _UNIT, "the limit: counting lines")
    )
    rows.append(_json(case, data))
    return rows


def _json(case: str, data: bytes) -> Row:
    """Every field as JSON, against pyais as dicts."""
    piece = _head(data, 100_000)
    count = sum(1 for _ in decode_lines(piece))
    read = _pyais(dicts=True)
    if read is None:
        ours = count / _median(lambda: sum(1 for _ in decode_lines(piece)), 3)
        return compared(f"{case}, every field as JSON", ours, None, "pyais", _UNIT, "pyais is not installed")
    small = _head(data, _SLOW)
    mine = (0, 0)
    for message in decode_fields(small):
        mine = (mine[0] + 1, mine[1] + message["mmsi"])
    theirs = read(small)
    if mine != theirs:
        raise AssertionError(f"pyais and our JSON differ on {case}: {theirs} against {mine}")
    our_time, their_time = _by_turns(lambda: sum(1 for _ in decode_lines(piece)), lambda: read(small))
    return compared(
        f"{case}, every field as JSON",
        count / our_time,
        theirs[0] / their_time,
        "pyais .asdict()",
        _UNIT,
    )


def _ours(data: bytes) -> Decoded:
    return AisDecoder(_CONTEXT).decode(data, 0, _NOW_US, final=True)


def _proof(result: Decoded) -> Proof:
    """Messages and the sum of their MMSI; types 19 and 21 have a row in two tables and count once."""
    total = 0
    for table in (result.observations, result.messages):
        total += int(table.column("claimed_id").to_numpy().sum())
    kinds = result.statements.column("message_type").to_numpy()
    once = (kinds == 5) | (kinds == 24)
    total += int(result.statements.column("claimed_id").to_numpy()[once].sum())
    return result.counts.messages, total


def _compare_positions(case: str, data: bytes) -> None:
    """Raises AssertionError where our positions and AIS-catcher's are not the same."""
    try:
        decoder = importlib.import_module("aiscat").Decoder()
    except ImportError:
        return
    decoder.feed(data)
    found: list[tuple[float, float]] = []
    while (message := decoder.next()) is not None:
        if message["type"] in _POSITIONS:
            # What is not available it leaves out.
            found.append((message.get("lat", np.nan), message.get("lon", np.nan)))
    table = _ours(data).observations
    wanted = np.isin(table.column("message_type").to_numpy(), _POSITIONS)
    names = ("latitude_deg", "longitude_deg")
    mine = np.column_stack([table.column(name).to_numpy() for name in names])[wanted]
    theirs = np.array(found).reshape(-1, 2)
    if mine.shape != theirs.shape:
        raise AssertionError(f"We have {len(mine)} positions, AIS-catcher {len(theirs)} on {case}.")
    # It leaves both out where one is out of range.
    both = ~np.isnan(theirs).any(axis=1)
    inside = (np.abs(mine) <= (90, 180)).all(axis=1)
    if not np.array_equal(both, inside) or np.abs(mine - theirs)[both].max(initial=0) > _SINGLE_DEG:
        raise AssertionError(f"Our positions are not those of AIS-catcher on {case}.")


def _aiscat() -> Callable[[bytes], Proof] | None:
    try:
        aiscat = importlib.import_module("aiscat")
    except ImportError:
        return None

    def read(data: bytes) -> Proof:
        decoder = aiscat.Decoder()
        count = total = 0
        for at in range(0, len(data), _PIECE):
            decoder.feed(data[at : at + _PIECE])
            while (message := decoder.next()) is not None:
                count += 1
                total += message["mmsi"]
        return count, total

    return read


def _libais() -> Callable[[bytes], Proof] | None:
    try:
        ais = importlib.import_module("ais")
    except ImportError:
        return None

    def read(data: bytes) -> Proof:
        count = total = 0
        held: list[str] = []
        for line in data.splitlines():
            at = line.rfind(b"!")
            fields = line[at:].decode("ascii").split(",")
            held.append(fields[5])
            if fields[1] == fields[2]:
                try:
                    message = ais.decode("".join(held), int(fields[6][0]))
                except ais.DecodeError as error:
                    # libais refuses some lengths; the identity is all the proof needs.
                    message = {"mmsi": _identity("".join(held)), "error": error}
                count += 1
                total += message["mmsi"]
                held = []
        return count, total

    return read


def _identity(payload: str) -> int:
    value = 0
    for letter in payload[:7]:
        code = ord(letter) - 48
        value = value << 6 | (code - 8 if code > 40 else code)
    return value >> 4 & 0x3FFFFFFF


def _pyais(*, dicts: bool = False) -> Callable[[bytes], Proof] | None:
    try:
        stream = importlib.import_module("pyais.stream")
    except ImportError:
        return None

    def read(data: bytes) -> Proof:
        count = total = 0
        for sentence in stream.IterMessages(data.splitlines()):
            message = sentence.decode()
            total += int(message.asdict()["mmsi"] if dicts else message.mmsi)
            count += 1
        return count, total

    return read


def _head(data: bytes, messages: int) -> bytes:
    """About that many messages from the beginning, not ending inside one of several parts."""
    lines = data.split(b"\n", messages + 200)
    kept = lines[:messages]
    for line in lines[messages : messages + 200]:
        found = _PART.search(line)
        if found is None or found[1] == b"1":
            break
        kept.append(line)
    return b"\n".join(kept) + b"\n"


def _line_count(data: bytes) -> float:
    """Seconds that `wc -l` takes for the same bytes as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream"
        path.write_bytes(data)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run(["wc", "-l", str(path)], check=True, capture_output=True)  # noqa: S603, S607
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def _median(work: Callable[[], object], runs: int = _RUNS) -> float:
    """Seconds of this process's processor time."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def _by_turns(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both, run by turns, so that a busy machine is busy for both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_RUNS):
        for work, taken in zip((ours, theirs), times, strict=True):
            taken.append(_median(work, 1))
    return statistics.median(times[0]), statistics.median(times[1])
