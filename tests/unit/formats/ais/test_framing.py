"""Sentences, stamps, parts and rejects: expected values by hand or from the recordings' own words."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from shiprider.formats.ais import framing
from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode
from shiprider.formats.ais.fields import decode_fields
from shiprider.formats.decoded import DecodeContext, Decoded
from shiprider.model.codes import Flaw, Nature, ReceiverKind, TimeSource
from shiprider.model.errors import InputError, UnstampedRecording

SHARED = Path(__file__).resolve().parents[4] / ".." / "shared" / "data"
NOON_US = int(datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
WALL = DecodeContext(feed="f", received_clock="wall")
RECORDING = DecodeContext(feed="f", received_clock="recording")
POSITION = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24"
FIRST = b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C"
SECOND = b"!AIVDM,2,2,1,A,88888888880,2*25"


def tag(text: str) -> bytes:
    checksum = 0
    for byte in text.encode():
        checksum ^= byte
    return f"\\{text}*{checksum:02X}\\".encode()


def sealed(body: str) -> bytes:
    checksum = 0
    for byte in body.encode():
        checksum ^= byte
    return f"!{body}*{checksum:02X}".encode()


def decoded(data: bytes, context: DecodeContext = WALL, *, final: bool = True) -> Decoded:
    return AisDecoder(context).decode(data, 1000, NOON_US, final)


def reasons(data: bytes) -> list[str]:
    result = decoded(data)
    assert result.counts.messages == 0
    return result.rejects.column("reason").to_pylist()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends(end: bytes) -> None:
    result = decoded(end.join([POSITION, b"# a comment", POSITION, b""]))
    assert result.counts.messages == 2
    assert result.counts.ignored == 1
    assert result.observations.column("raw").to_pylist() == [1000, 1000 + len(POSITION) + 11 + 2 * len(end)]
    assert result.observations.column("raw_length").to_pylist() == [len(POSITION)] * 2


@pytest.mark.parametrize("talker", ["AI", "AB", "BS", "AN", "AR", "SA", "AD", "AT", "AX", "--"])
@pytest.mark.parametrize("formatter", ["VDM", "VDO"])
def test_every_talker(talker: str, formatter: str) -> None:
    line = sealed(f"{talker}{formatter},1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0")
    assert [m["talker"] for m in decode_fields(line)] == [talker + formatter]


def test_several_sentences_and_garbage_on_one_line() -> None:
    line = b"xx " + POSITION + POSITION + b" garbage " + FIRST + b"\\r\\n" + SECOND + b"\n"
    result = decoded(line)
    assert (result.counts.messages, result.counts.rejected, result.counts.lines) == (3, 0, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (POSITION[:-2] + b"25", "bad checksum"),
        (POSITION[:-3], "no checksum"),
        (sealed("AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb0[9D,0"), "bad armour"),
        (sealed("AIVDM,1,1,,A,,0"), "empty payload"),
        (sealed("AIVDM,1,1,,A,13u?etPv2;0n:,0"), "truncated"),
        (sealed("AIVDM,1,1,,A,0000000000000000000000000000,0"), "unknown type"),
        (sealed("AIVDM,1,1,,A,w3u?etPv2;0n:dDPwUM1U1Cb069D,0"), "unknown type"),
        (sealed("AIVDM,1,1,,A," + "1" * 600 + ",0"), "too long"),
        (sealed("AIVDM,2,3,1,A,55?MbV02,0"), "bad part number"),
        (sealed("AIVDM,9999,1,1,A,55?MbV02,0"), "malformed sentence"),
        (b"AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24", "malformed sentence"),
        (FIRST, "missing part"),
        (SECOND, "missing part"),
    ],
)
def test_rejects_say_why(line: bytes, reason: str) -> None:
    assert reasons(line + b"\n") == [reason]
    result = decoded(b"\n" + line + b"\n" + POSITION + b"\n")
    assert result.counts.messages == 1
    assert result.rejects.column("raw").to_pylist() == [1001]
    assert result.rejects.column("raw_length").to_pylist() == [len(line)]


def test_what_is_no_ais_is_ignored_and_counted() -> None:
    other = b"$GPGGA,184353.07,1929.045,S,02410.506,E,1,04,2.6,100.00,M,-33.9,M,,0000*6D\n\nIamNotAnAisMessage1111\n"
    result = decoded(other)
    assert (result.counts.ignored, result.counts.rejected, result.counts.messages) == (3, 0, 0)


def test_parts_out_of_order_and_interleaved() -> None:
    other_first = sealed("AIVDM,2,1,1,B,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0")
    other_second = sealed("AIVDM,2,2,1,B,88888888880,2")
    lines = [SECOND, other_first, POSITION, FIRST, other_second]
    result = decoded(b"\n".join(lines) + b"\n")
    assert (result.counts.messages, result.counts.rejected) == (3, 0)
    assert result.statements.column("claimed_id").to_pylist() == [351759000] * 2


def test_interleaved_stations_with_the_same_sequence() -> None:
    def block(station: str, second: bool) -> bytes:
        return tag(f"s:{station},c:1700000000") + (SECOND if second else FIRST)

    lines = [block("A", False), block("B", False), block("B", True), block("A", True)]
    result = decoded(b"\r\n".join(lines) + b"\r\n", RECORDING)
    assert result.statements.column("receiver").to_pylist() == ["B", "A"]
    assert result.counts.rejected == 0


def test_a_part_that_comes_twice_gives_up_the_old_message() -> None:
    result = decoded(b"\n".join([FIRST, FIRST, SECOND, b""]))
    assert (result.counts.messages, result.rejects.column("reason").to_pylist()) == (1, ["missing part"])


def test_a_part_is_not_waited_for_for_ever() -> None:
    crowd = (POSITION + b"\n") * (framing.PATIENCE_SENTENCES + 1)
    result = decoded(FIRST + b"\n" + crowd + SECOND + b"\n")
    assert result.statements.num_rows == 0
    assert result.rejects.column("reason").to_pylist() == ["missing part"] * 2


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4, 5])
def test_state_spans_calls_and_snapshots(cut: int) -> None:
    lines = [FIRST, POSITION, b"$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,24*2D", POSITION, SECOND]
    whole = decoded(b"\n".join(lines) + b"\n", RECORDING_FROM_NOON)
    head = b"".join(line + b"\n" for line in lines[:cut])
    tail = b"".join(line + b"\n" for line in lines[cut:])
    one = AisDecoder(RECORDING_FROM_NOON)
    before = one.decode(head, 1000, 0)
    other = AisDecoder(RECORDING_FROM_NOON)
    other.restore(one.snapshot())
    after = other.decode(tail, 1000 + len(head), 0, final=True)
    for name in ("observations", "statements", "messages", "rejects"):
        both = [*getattr(before, name).to_pylist(), *getattr(after, name).to_pylist()]
        assert both == getattr(whole, name).to_pylist()


RECORDING_FROM_NOON = DecodeContext(feed="f", received_clock="recording", start_us=NOON_US)


def test_a_foreign_snapshot_is_refused() -> None:
    with pytest.raises(InputError, match="another version"):
        AisDecoder(WALL).restore(b"\0nonsense")


@pytest.mark.parametrize(
    ("line", "time", "resolution_s"),
    [
        (tag("s:r1,c:1700000000") + POSITION, 1_700_000_000_000_000, 1.0),
        (tag("c:1700000000123,s:r1") + POSITION, 1_700_000_000_123_000, 0.001),
        (tag("g:1-1-77,n:4,r:5,d:x,t:hello,s:r1,c:1700000000") + POSITION, 1_700_000_000_000_000, 1.0),
        (POSITION + b",1700000000", 1_700_000_000_000_000, 1.0),
        (POSITION + b",1328133720012", 1_328_133_720_012_000, 0.001),
        (POSITION + b",1daasd4218,,1357134222", 1_357_134_222_000_000, 1.0),
        (b"1700000000 " + POSITION, 1_700_000_000_000_000, 1.0),
        (b"[2023-11-14T22:13:20Z] " + POSITION, 1_700_000_000_000_000, 1.0),
        (b"2023-11-14 22:13:20.250," + POSITION, 1_700_000_000_250_000, 0.001),
    ],
)
def test_stamps(line: bytes, time: int, resolution_s: float) -> None:
    result = decoded(line + b"\n", RECORDING)
    row = result.observations.to_pylist()[0]
    assert round(row["time"].timestamp() * 1e6) == time
    assert row["time_source"] == TimeSource.RECEIVER
    assert row["time_sigma_s"] == pytest.approx(resolution_s / 12**0.5, rel=1e-5)


def test_a_gatehouse_line_stamps_the_sentence_whose_checksum_it_repeats() -> None:
    head = b"$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,24*2D\n"
    row = decoded(head + POSITION + b"\n", RECORDING).observations.to_pylist()[0]
    assert row["time"] == datetime(2010, 6, 11, 11, 46, 11, 390_000, UTC)
    assert row["receiver"] == "992190934"


def test_a_damaged_tag_block_stamps_nothing() -> None:
    block = tag("s:r1,c:1700000000").replace(b"c:17", b"c:18")
    row = decoded(block + POSITION + b"\n").observations.to_pylist()[0]
    assert row["receiver"] is None
    assert row["time"] == datetime(2024, 1, 1, 12, tzinfo=UTC)


def test_received_is_the_latest_stamp_so_far() -> None:
    stamps = [1_700_000_100, 1_700_000_000, 1_700_000_200]
    data = b"".join(tag(f"c:{stamp}") + POSITION + b"\n" for stamp in stamps)
    rows = decoded(data, RECORDING).observations.to_pylist()
    assert [int(row["received"].timestamp()) for row in rows] == [1_700_000_100, 1_700_000_100, 1_700_000_200]
    assert [int(row["time"].timestamp()) for row in rows] == stamps


def test_an_unstamped_recording_needs_a_start() -> None:
    with pytest.raises(UnstampedRecording, match="start"):
        decoded(POSITION + b"\n", RECORDING)
    assert next(decode_fields(POSITION))["time"] is None
    # The sample's second of the minute is 53.
    second = next(decode_fields(POSITION))["second"]
    row = decoded(POSITION + b"\n", RECORDING_FROM_NOON).observations.to_pylist()[0]
    assert row["time"].second == second
    assert abs(row["time"].timestamp() * 1e6 - NOON_US) <= 30e6
    assert row["time_source"] == TimeSource.ASSUMED
    assert row["flaws"] == Flaw.TIME_ASSUMED


def test_a_base_station_anchors_an_unstamped_recording() -> None:
    # Message 4 of the Danish stream; its own date, as pyais reads it.
    import pyais

    base = b"!AIVDM,1,1,,A,403OtUAv6gEcaoNubBCQ2wO028HW,0*17"
    said = pyais.decode(base).asdict()
    row = decoded(base + b"\n", RECORDING).observations.to_pylist()[0]
    assert row["time_source"] == TimeSource.MESSAGE
    assert (row["time"].year, row["time"].month, row["time"].day) == (
        said["year"],
        said["month"],
        said["day"],
    )
    assert (row["time"].hour, row["time"].minute, row["time"].second) == (
        said["hour"],
        said["minute"],
        said["second"],
    )


def test_simulated_and_satellite_stations_are_known_by_name() -> None:
    data = b"".join(
        tag(f"s:{name},c:1700000000") + POSITION + b"\n" for name in ("SIM-SAT1", "r003", "SIM-B")
    )
    rows = decoded(data, RECORDING).observations.to_pylist()
    assert [row["nature"] for row in rows] == [Nature.SIMULATED, Nature.DECLARED, Nature.SIMULATED]
    assert [row["receiver_kind"] for row in rows] == [
        ReceiverKind.SATELLITE,
        ReceiverKind.UNKNOWN,
        ReceiverKind.UNKNOWN,
    ]


def test_a_long_recording_without_stamps_stays_undated() -> None:
    # Each position is 20 s after the one before: 4,500 of them are 25 hours.
    data = encode(1, {"mmsi": np.array([1, 1, 1]), "second": np.array([0, 20, 40])}).tobytes()
    messages = list(decode_fields(data * 1_500))
    assert len(messages) == 4_500
    assert {message["time"] for message in messages} == {None}


def test_codes_are_those_of_the_model() -> None:
    assert (framing._RECEIVER, framing._MESSAGE, framing._FILE, framing._ASSUMED) == (
        TimeSource.RECEIVER,
        TimeSource.MESSAGE,
        TimeSource.FILE,
        TimeSource.ASSUMED,
    )
    assert framing._SIMULATED == Nature.SIMULATED
    assert framing._SATELLITE == ReceiverKind.SATELLITE
    assert framing._TIME_ASSUMED == Flaw.TIME_ASSUMED


@pytest.mark.shared
def test_the_danish_stream_loses_nothing() -> None:
    path = SHARED / "ais_dma" / "stream_example.txt"
    if not path.exists():
        pytest.skip("the real data of ../shared/data is absent")
    data = path.read_bytes()
    result = decoded(data, RECORDING)
    # 4,500 sentences, 898 of them parts of two-part messages: 3,602 + 449 messages (shared/data/README.md).
    assert result.counts.messages == 4051
    assert result.counts.rejected == 0
    ids = {
        mmsi
        for table in (result.observations, result.statements, result.messages)
        for mmsi in table.column("claimed_id").to_pylist()
    }
    assert len(ids) == 1933
    # However it is cut at line ends, the rows are the same.
    decoder = AisDecoder(RECORDING)
    rows: list[object] = []
    position = 0
    while position < len(data):
        end = data.find(b"\n", position + 7_919) + 1 or len(data)
        rows += decoder.decode(
            data[position:end], 1000 + position, 0, end == len(data)
        ).observations.to_pylist()
        position = end
    assert rows == result.observations.to_pylist()
