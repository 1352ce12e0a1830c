"""Watchlists as CSV, OFAC's list, areas as GeoJSON."""

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pytest

from shiprider.formats.area_geojson import parse_areas
from shiprider.formats.ofac_sdn import parse_sdn
from shiprider.formats.watchlist_csv import parse_watchlist
from shiprider.model.errors import InputError

DATA = Path(__file__).resolve().parents[3] / "../shared/data/sanctions_ofac"


def test_a_watchlist_in_any_order_of_columns() -> None:
    text = '\ufeffName,IMO,MMSI,Reason\n"Santa Rita, II",IMO 9074729,,seen with a go-fast\n,,334012345,\n\n'
    first, second = parse_watchlist(text, "mine")
    assert (first.name, first.imo, first.mmsi, first.reason) == (
        "Santa Rita, II",
        9_074_729,
        None,
        "seen with a go-fast",
    )
    assert (second.mmsi, second.name, second.list_name) == (334_012_345, None, "mine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "line 1"),
        ("mmsi\n12345\n", "line 2: '12345' is not a MMSI"),
        ("imo,reason\n9074728,x\n", "line 2: the check digit"),
        ("mmsi,reason\n,x\n", "line 2 names no vessel"),
    ],
)
def test_a_wrong_line_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        parse_watchlist(text, "mine.csv")


def test_remarks_of_the_sdn_list() -> None:
    text = (
        '15036,"ARTAVIL","vessel","IRAN",-0- ,"T2EU4","Crude/Oil Products Tanker","99,144","56,068","Iran",-0- ,'
        "\"Former Vessel Flag Malta; Vessel Registration Identification IMO 9187629; MMSI 572469210; f.k.a. 'ALPHA'; "
        'Linked To: NATIONAL IRANIAN TANKER COMPANY."\n'
        '36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n\x1a'
    )
    first, former = parse_sdn(text)
    assert (first.name, first.imo, first.mmsi, first.callsign) == ("ARTAVIL", 9_187_629, 572_469_210, "T2EU4")
    assert first.reason == "programme IRAN, linked to NATIONAL IRANIAN TANKER COMPANY"
    assert (former.name, former.imo) == ("ALPHA", 9_187_629)
    with pytest.raises(InputError, match="line 1 is not a line of SDN"):
        parse_sdn("mmsi,name\n1,2\n")


@pytest.mark.shared
@pytest.mark.skipif(not DATA.exists(), reason="../shared/data/sanctions_ofac is absent")
@pytest.mark.parametrize("edition", ["2022-08-01", "2023-08-03"])
def test_every_vessel_of_the_published_list_is_read(edition: str) -> None:
    text = gzip.decompress((DATA / f"sdn_{edition}.csv.gz").read_bytes()).decode("utf-8", "replace")
    watches = parse_sdn(text)
    vessels = [row for row in csv.reader(io.StringIO(text)) if len(row) == 12 and row[2] == "vessel"]
    assert {row[1].strip() for row in vessels} <= {watch.name for watch in watches}
    with_imo = {int(m) for row in vessels for m in re.findall(r"IMO (\d{7})\b", row[11])}
    assert len({w.imo for w in watches if w.imo}) >= 0.98 * len(with_imo) > 100
    assert {int(m) for row in vessels for m in re.findall(r"MMSI (\d{9})", row[11])[:1]} == {
        w.mmsi for w in watches if w.mmsi
    }


def test_areas_of_a_feature_collection() -> None:
    ring = [[-70.0, 10.0], [-69.0, 10.0], [-69.0, 11.0], [-70.0, 10.0]]
    feature = {
        "type": "Feature",
        "properties": {"name": "Bay"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    many = {
        "type": "Feature",
        "id": "isles",
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring], [ring]]},
    }
    areas = parse_areas(json.dumps({"type": "FeatureCollection", "features": [feature, many]}), "a.geojson")
    assert [a.name for a in areas] == ["Bay", "isles (1)", "isles (2)"]
    assert areas[0].ring == tuple(map(tuple, ring))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "is not JSON"),
        ('{"type": "Topology"}', "its type is 'Topology'"),
        ('{"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}}', "feature 1 is a Point"),
        (
            '{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]],[[0,0],[1,0],[1,1],[0,0]]]}',
            "has a hole",
        ),
        ('{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1]]]}', "ends where it began"),
        ('{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,"x"],[0,0]]]}', "a point is not"),
        ('{"type": "Polygon", "coordinates": [[[0,0],[200,0],[1,1],[0,0]]]}', "outside"),
    ],
)
def test_what_is_no_area_is_refused(document: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        parse_areas(document, "a.geojson")


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_watchlist, "name,reason\n" + "x" * 140_000 + ",y\n", "f line 2 is no CSV"),
        (parse_sdn, '1,"' + "x" * 140_000, "OFAC SDN line 1 is no CSV"),
        (parse_areas, "[" * 5_000, "not JSON"),
        (
            parse_areas,
            '{"type":"Feature","properties":["Bank"],"geometry":{"type":"Polygon","coordinates":[[]]}}',
            "its properties are no object",
        ),
        (parse_areas, '{"type":"Polygon","coordinates":[[{"x":1},[1,2],[1,3],[1,2]]]}', "not \\[longitude"),
        (parse_areas, '{"type":"Polygon","coordinates":[[[1' + "0" * 400 + ",2]]]}", "feature 1|not JSON"),
    ],
)
def test_what_parsers_trip_over_is_one_sentence(parse, text, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        parse(text, *([] if parse is parse_sdn else ["f"]))


def test_a_watchlist_with_the_line_ends_of_an_old_machine() -> None:
    assert [watch.name for watch in parse_watchlist("name,reason\rFOO,a\rBAR,b\r", "mine")] == ["FOO", "BAR"]
