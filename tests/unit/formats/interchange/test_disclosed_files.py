"""GeoJSON and CSV of disclosures: read by other libraries, labelled inside, and never a formula."""

import csv
import io
import json

import pytest
from shapely.geometry import shape

from shiprider.formats.disclosed_csv import COLUMNS, rows
from shiprider.formats.disclosed_geojson import collection

from .conftest import HOSTILE, RESTRICTED, alert, disclosure, words


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_geojson_is_a_point_with_its_label() -> None:
    data = b"".join(collection([[disclosure()], [], [alert()]], "the whole", words))
    found = json.loads(data)
    assert found["type"] == "FeatureCollection" and found["label"] == "the whole"
    assert data.index(b'"label"') < data.index(b'"features"'), "who reads a part of it has read the label"
    one, other = found["features"]
    point = shape(one["geometry"])
    # RFC 7946, 3.1.1: longitude first.
    assert (point.x, point.y) == (-74.5, 16.0004)
    assert one["properties"]["label"] == disclosure().label and one["properties"]["marking"].startswith(
        "marked "
    )
    assert other["properties"]["probability"] == 0.72 and one["properties"]["probability"] is None


def test_geojson_of_nothing_is_a_collection() -> None:
    assert json.loads(b"".join(collection([], "", words)))["features"] == []


def test_csv_is_as_the_standard_writes_it_with_the_label_in_every_row() -> None:
    data = b"".join(rows([[disclosure()], [alert(simulated=True)]], RESTRICTED, words))
    # RFC 4180, 2: CRLF ends every line.
    assert data.count(b"\n") == data.count(b"\r\n") == 3
    one, other = table(data)
    assert tuple(one) == COLUMNS
    assert one["label"] == disclosure().label and {one["label_of_file"], other["label_of_file"]} == {
        RESTRICTED
    }
    assert (one["latitude_deg"], one["longitude_deg"], one["start"]) == (
        "16.0004",
        "-74.5",
        "2026-01-01T00:00:00Z",
    )
    assert other["title"].startswith("SIMULATED: ") and other["probability"] == "0.72"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_no_row_is_split(text: str) -> None:
    vessel = disclosure().vessels[0]
    vessels = (type(vessel)(mmsi=1, name=text, callsign=text, flag=text, label=RESTRICTED),)
    given = disclosure(title=text, text=text, origin=text, behaviours=(text,), vessels=vessels)
    (row,) = table(b"".join(rows([[given]], RESTRICTED, words)))
    for name, cell in row.items():
        if name in ("latitude_deg", "longitude_deg", "score", "probability"):
            float(cell or 0)
            continue
        # As OWASP's rule is read by somebody else: not what is seen first, nor what stands after blanks.
        assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠") or not cell, (name, cell)
        assert cell.lstrip()[:1] not in tuple("=+-@") or not cell.lstrip(), (name, cell)
        assert all(letter.isprintable() or letter == "\n" for letter in cell)
    json.loads(b"".join(collection([[given]], RESTRICTED, words)))
