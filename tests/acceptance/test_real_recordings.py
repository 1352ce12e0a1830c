"""The main job on recordings of real AIS, counted a second time by pyais and the csv module."""

import csv
import gzip
from datetime import datetime
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not beside the repository"),
]

KEYS = {
    "behaviour",
    "preset",
    "subtype",
    "participants",
    "start",
    "end",
    "score",
    "reason",
    "latitude_deg",
    "longitude_deg",
    "state",
    "facts",
    "versions",
    "simulated",
}


def checked(told) -> list[dict[str, object]]:  # type: ignore[no-untyped-def]
    """The finding lines of a command that went well: exactly the promised keys, values that can be."""
    assert told.code == 0, told.err
    found = told.objects()
    for each in found:
        assert set(each) == KEYS
        start, end = (datetime.fromisoformat(each[name]) for name in ("start", "end"))
        assert start <= end
        assert start.utcoffset() is not None
        assert 0.0 <= each["score"] <= 1.0
        assert -90 <= each["latitude_deg"] <= 90
        assert -180 <= each["longitude_deg"] <= 180
        assert each["participants"]
        assert each["reason"].strip()
        assert each["state"] in ("open", "closed")
        assert each["simulated"] is False
    return found


def tally(told) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """(positions, statements) of the last word on stderr."""
    words = next(line for line in told.err.splitlines() if " findings in " in line).replace(",", "").split()
    return int(words[3]), int(words[6])


NMEA = [
    "ais_dma/stream_example.txt",
    "ais_amsa/exact-earth-augmented-2.txt",
    "ais_amsa/exact-earth-with-tag-block.txt",
    "ais_amsa/nmea-timestamped.txt",
]


@pytest.mark.parametrize("name", NMEA)
def test_a_stamped_recording(shiprider, name):  # type: ignore[no-untyped-def]
    told = shiprider("detect", SHARED / name, "--json")
    checked(told)
    positions, _ = tally(told)
    assert positions > 0


@pytest.mark.parametrize("name", ["ais_pyais/nmea_data_sample.txt"])
def test_an_unstamped_recording_says_what_it_needs(shiprider, name):  # type: ignore[no-untyped-def]
    told = shiprider("detect", SHARED / name)
    assert told.code == 3
    assert "start" in told.err
    checked(shiprider("detect", SHARED / name, "--json", "--start", "2024-01-01T00:00:00Z"))


def test_every_message_that_pyais_decodes_is_printed(shiprider):  # type: ignore[no-untyped-def]
    pyais = pytest.importorskip("pyais")
    path = SHARED / "ais_pyais" / "nmea_data_sample.txt"
    told = shiprider("decode", path, "--json")
    assert told.code == 0, told.err
    ours: dict[int, int] = {}
    for each in told.objects():
        ours[each["msg_type"]] = ours.get(each["msg_type"], 0) + 1
    theirs: dict[int, int] = {}
    for sentence in pyais.FileReaderStream(str(path)):
        if not sentence.is_valid or not sentence.payload:
            continue
        kind = sentence.decode().msg_type
        theirs[kind] = theirs.get(kind, 0) + 1
    for kind in (1, 2, 3, 4, 5, 18, 21, 24):
        assert ours.get(kind, 0) == theirs.get(kind, 0), kind


def csv_rows(path: Path) -> int:
    """Rows with a position on the globe, by the csv module."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()  # noqa: SIM115 (closed below)
    with opened as source:
        return sum(1 for _ in csv.DictReader(source))


@pytest.mark.parametrize(
    "name",
    [
        "ais_solent_opensky/SolentAIS_20160112_130211.csv",
        "ais_atd2025/dataset1_truth.csv.gz",
    ],
)
def test_a_table_of_positions(shiprider, name):  # type: ignore[no-untyped-def]
    told = shiprider("detect", SHARED / name, "--json")
    checked(told)
    positions, _ = tally(told)
    refused = sum(
        int(line.split()[0].replace(",", ""))
        for line in told.err.splitlines()
        if "could not be decoded" in line
    )
    assert positions + refused == csv_rows(SHARED / name)


def test_the_danish_stream_in_a_node(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    path = SHARED / "ais_dma" / "stream_example.txt"
    alone = tally(shiprider("detect", path, "--json"))
    assert shiprider("init", tmp_path / "node").code == 0
    told = shiprider("ingest", path, "--node", tmp_path / "node", "--json")
    assert told.code == 0, told.err
    rows = told.objects()[0]["rows"]
    assert (rows["observations"], rows["statements"]) == alone
    listed = shiprider("alerts", "--node", tmp_path / "node", "--json", "--limit", 500)
    assert listed.code == 0, listed.err
    assert len(listed.objects()) == told.objects()[0]["alerts"]
