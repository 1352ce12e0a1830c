"""Tables of text: published layouts, a declared one, bad rows; expected values by hand, polars and csv."""

import csv
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shiprider.formats.csv.decoder import CsvDecoder
from shiprider.formats.csv.layouts import declared, find_layout
from shiprider.formats.decoded import DecodeContext
from shiprider.formats.sniffing import open_decoder, sniff
from shiprider.model.codes import IdentityKind, ReceiverKind, TimeSource, TransmitterClass
from shiprider.model.errors import InputError
from shiprider.model.tables import MESSAGES, OBSERVATIONS, STATEMENTS

SHARED = Path(__file__).resolve().parents[4] / ".." / "shared" / "data"
RECORDING = DecodeContext(feed="f", received_clock="recording")
KNOT = 1852 / 3600

NOAA = (
    b"MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,"
    b"Cargo,TransceiverClass\n"
    b'367000001,2022-03-31T00:00:01,29.78339,-95.08078,10.0,133.9,511.0,"FOO, BAR",IMO9074729,WDC1,31,12,20,8,2.5,57,B\n'
    b'367000001,2022-03-31T00:01:01,29.78340,-95.08079,102.3,360.0,10.0,"FOO, BAR",IMO9074729,WDC1,31,12,20,8,2.5,57,B\n'
)
NOAA_2024 = (
    b"mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,"
    b"width,draft,cargo,transceiver\r\n"
    b"338000001,2025-01-01 00:00:00,-122.1,37.1,5.2,10.0,511,A,IMO0000000,WX,37,15,12,4,,37,A\r\n"
)
DANISH = (
    b"# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,"
    b"Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,C,D\n"
    b"01/02/2024 00:00:00,Class A,219000001,57.1,11.2,Moored,0.0,12.5,123.4,124,9074729,OXXX,NAME,Cargo,,20,100,GPS,"
    b"5.5,DEST,,AIS,80,20,10,10\n"
    b"01/02/2024 00:00:01,Base Station,2190001,91.0,181.0,Unknown value,,,,,Unknown,Unknown,,Undefined,,,,GPS,,,,AIS,,,,\n"
)
EXACT = (
    b"MMSI,Message_ID,Time,Base_station,Vessel_Name,Call_sign,IMO,Ship_Type,Draught,Destination,Navigational_status,"
    b"SOG,Longitude,Latitude,COG,Heading\n"
    b"357000001,1,20130901_000005,316000002,,,,,,,0,14.1,-79.5,8.9,12.5,13\n"
)


def rows(data: bytes, context: DecodeContext = RECORDING) -> tuple[list[dict[str, Any]], Any]:
    result = open_decoder(data, context).decode(data, 100, 0, True)
    assert result.observations.schema == OBSERVATIONS
    assert result.statements.schema == STATEMENTS
    assert result.messages.schema == MESSAGES
    return result.observations.to_pylist(), result


def test_marine_cadastre() -> None:
    found, result = rows(NOAA)
    first, second = found
    assert first["time"] == datetime(2022, 3, 31, 0, 0, 1, tzinfo=UTC)
    assert (first["claimed_id"], first["latitude_deg"], first["longitude_deg"]) == (
        367000001,
        29.78339,
        -95.08078,
    )
    assert first["speed_mps"] == pytest.approx(10 * KNOT, rel=1e-6)
    assert (first["heading_deg"], second["speed_mps"], second["course_deg"]) == (None, None, None)
    assert first["transmitter_class"] == TransmitterClass.B_CS
    assert (first["nav_status"], first["time_source"]) == (12, TimeSource.FILE)
    (said,) = result.statements.to_pylist()
    assert (said["name"], said["imo"], said["callsign"], said["ship_type"]) == (
        "FOO, BAR",
        9074729,
        "WDC1",
        31,
    )
    assert said["to_bow_m"] + said["to_stern_m"] == 20
    assert NOAA[first["raw"] - 100 :].startswith(b"367000001,2022-03-31T00:00:01")
    assert first["raw_length"] == len(NOAA.split(b"\n")[1])


def test_marine_cadastre_since_2024() -> None:
    (row,), result = rows(NOAA_2024)
    assert (row["latitude_deg"], row["longitude_deg"], row["transmitter_class"]) == (
        37.1,
        -122.1,
        TransmitterClass.A,
    )
    assert result.statements.to_pylist()[0]["imo"] is None


def test_danish() -> None:
    found, result = rows(DANISH)
    assert found[0]["time"] == datetime(2024, 2, 1, tzinfo=UTC)
    assert (found[0]["nav_status"], found[1]["nav_status"]) == (5, 15)
    assert (found[1]["latitude_deg"], found[1]["transmitter_class"]) == (None, TransmitterClass.BASE_STATION)
    (said,) = result.statements.to_pylist()
    assert (said["ship_type"], said["to_bow_m"], said["to_stern_m"], said["destination"]) == (
        70,
        80,
        20,
        "DEST",
    )


def test_exact_earth_is_satellite() -> None:
    (row,), _ = rows(EXACT)
    assert row["time"] == datetime(2013, 9, 1, 0, 0, 5, tzinfo=UTC)
    assert (row["receiver"], row["receiver_kind"], row["message_type"]) == (
        "316000002",
        ReceiverKind.SATELLITE,
        1,
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x,y", "wrong number of columns"),
        (NOAA.split(b"\n")[1] + b",more", "wrong number of columns"),
        (NOAA.split(b"\n")[1].replace(b'BAR"', b"BAR"), "wrong number of columns"),
        (NOAA.split(b"\n")[1].replace(b"2022-03-31", b"2022-13-31"), "bad time"),
        (NOAA.split(b"\n")[1].replace(b"29.78339", b"north"), "bad position"),
        (NOAA.split(b"\n")[1].replace(b"29.78339", b"nan1"), "bad position"),
        (NOAA.split(b"\n")[1].replace(b"367000001", b"unknowable"), "bad MMSI"),
    ],
)
def test_bad_rows_are_rejected_and_nothing_else_is_lost(line: bytes, reason: str) -> None:
    data = NOAA + line + b"\n\n" + NOAA.split(b"\n")[2] + b"\n"
    found, result = rows(data)
    assert len(found) == 3
    (reject,) = result.rejects.to_pylist()
    assert reject == {"raw": 100 + len(NOAA), "raw_length": len(line), "reason": reason}
    # The header and the empty line.
    assert result.counts.ignored == 2


def test_stray_quotes_do_not_break_the_table() -> None:
    odd = NOAA.split(b"\n")[1].replace(b'"FOO, BAR"', b'FO"O BA"R')
    found, result = rows(NOAA + odd + b"\n")
    assert len(found) + result.rejects.num_rows == 3


@pytest.mark.parametrize("cut", [1, 2])
def test_state_spans_calls(cut: int) -> None:
    lines = NOAA.splitlines(keepends=True)
    head, tail = b"".join(lines[:cut]), b"".join(lines[cut:])
    one = open_decoder(NOAA, RECORDING)
    before = one.decode(head, 0, 0)
    other = open_decoder(NOAA, RECORDING)
    other.restore(one.snapshot())
    after = other.decode(tail, len(head), 0, final=True)
    whole = open_decoder(NOAA, RECORDING).decode(NOAA, 0, 0, final=True)
    for name in ("observations", "statements"):
        both = [*getattr(before, name).to_pylist(), *getattr(after, name).to_pylist()]
        assert both == getattr(whole, name).to_pylist()
    with pytest.raises(InputError, match="another version"):
        other.restore(b"nonsense")


@pytest.mark.parametrize(
    ("mmsi", "said", "meant"),
    [
        ("002190001", "", TransmitterClass.BASE_STATION),
        ("2190001", "A", TransmitterClass.BASE_STATION),
        ("992191234", "A", TransmitterClass.AID_TO_NAVIGATION),
        ("111219501", "B", TransmitterClass.SAR_AIRCRAFT),
        ("970123456", "", TransmitterClass.LOCATING_DEVICE),
        ("219000001", "", TransmitterClass.UNKNOWN),
        ("219000001", "B", TransmitterClass.B_CS),
        ("982191234", "A", TransmitterClass.A),
    ],
)
def test_what_is_no_vessel_is_known_by_its_number(mmsi: str, said: str, meant: TransmitterClass) -> None:
    """ITU-R M.585-9: 00MID coast station, 99MID aid to navigation, 111MID aircraft, 970 AIS-SART, 98MID craft."""
    header, line = (
        b"MMSI,BaseDateTime,LAT,LON,TransceiverClass",
        f"{mmsi},2024-03-31T00:00:01,29.7,-95.0,{said}",
    )
    layout = declared(
        '[columns]\ntime = "BaseDateTime"\nmmsi = "MMSI"\nlatitude = "LAT"\nlongitude = "LON"\n'
        'transmitter_class = "TransceiverClass"\n'
    )
    data = header + b"\n" + line.encode() + b"\n"
    (row,) = open_decoder(data, RECORDING, (layout,)).decode(data, 0, 0, True).observations.to_pylist()
    assert row["transmitter_class"] == meant


def test_a_declared_layout() -> None:
    layout = declared(
        'name = "mine"\ntime_formats = ["epoch_ms"]\nspeed_unit = "mps"\ndelimiter = ";"\n'
        '[columns]\ntime = "t"\nmmsi = "id"\nlatitude = "y"\nlongitude = "x"\nspeed = "v"\n'
    )
    data = b"id;t;y;x;v\n1;1700000000123;1.5;-2.5;3.25\n"
    decoder = open_decoder(data, RECORDING, (layout,))
    (row,) = decoder.decode(data, 0, 0, True).observations.to_pylist()
    assert row["time"] == datetime.fromtimestamp(1_700_000_000, UTC).replace(microsecond=123_000)
    assert (row["speed_mps"], row["latitude_deg"], row["longitude_deg"]) == (3.25, 1.5, -2.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[columns", "no TOML"),
        ("a = 1", r"no \[columns\]"),
        ('[columns]\ntime = "t"\n', "does not map 'latitude'"),
        ('[columns]\nplace = "t"\n', "'place'"),
        ('speed_unit = "c"\n[columns]\ntime = "t"\nlatitude = "y"\nlongitude = "x"\n', "speed_unit"),
    ],
)
def test_what_is_wrong_in_a_declaration_is_said(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        declared(text)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (b" \n", "is empty"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"a,b,c\n1,2,3\n", "unknown header"),
        ("a,b,c\n1,2,3\n".encode("utf-16"), "UTF-16 text"),
        (b"hello", "neither AIS sentences"),
    ],
)
def test_an_unknown_format_is_one_sentence(sample: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        sniff(sample)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_sentences_are_known_behind_comments() -> None:
    sample = b"# a comment\n\n\\s:r,c:1*00\\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n"
    assert sniff(sample).format == "nmea"


def test_a_foreign_header_is_refused() -> None:
    layout = find_layout(NOAA.split(b"\n")[0])
    assert layout is not None
    with pytest.raises(InputError, match="header"):
        CsvDecoder(layout, RECORDING).decode(b"a,b,c\n1,2,3\n", 0, 0)


def by_hand(text: str, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in names) for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.shared
def test_the_solent_file_row_by_row() -> None:
    path = SHARED / "ais_solent_opensky" / "SolentAIS_20160112_130211.csv"
    if not path.exists():
        pytest.skip("the real data of ../shared/data is absent")
    data = path.read_bytes()
    found, result = rows(data)
    wanted = by_hand(data.decode(), ("Time", "MMSI", "Latitude_degrees", "SOG_knots"))
    assert (len(found), result.rejects.num_rows) == (18_623, 0)
    for row, (time, mmsi, latitude, speed) in zip(found, wanted, strict=True):
        assert row["time"] == datetime.fromisoformat(time).replace(tzinfo=UTC)
        assert (row["claimed_id"], row["latitude_deg"]) == (int(mmsi), float(latitude))
        assert row["speed_mps"] == pytest.approx(float(speed) * KNOT, rel=1e-6)
        assert data[row["raw"] - 100 :].startswith(f"{time},{mmsi}".encode())


@pytest.mark.shared
def test_the_challenge_file_with_and_without_its_truth() -> None:
    path = SHARED / "ais_atd2025" / "example_truth.csv.gz"
    if not path.exists():
        pytest.skip("the real data of ../shared/data is absent")
    data = gzip.decompress(path.read_bytes())
    result = open_decoder(data, RECORDING).decode(data, 0, 0, True)
    assert (result.observations.num_rows, result.rejects.num_rows) == (110_290, 0)
    bare = "\n".join(
        ",".join(line.split(",")[:1] + line.split(",")[3:]) for line in data.decode().splitlines()[:50]
    )
    (row, *_), _ = rows(bare.encode() + b"\n")
    assert (row["claimed_id"], row["claimed_id_kind"]) == (0, IdentityKind.NONE)
