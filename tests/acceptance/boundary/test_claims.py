"""Identities, impossible positions, lists and areas; and that order, copies, files and packing change nothing."""

import gzip
import json
import random
from datetime import datetime

import pytest
import zstandard

HOUR = 3600.0
SHIP, OTHER = 219000111, 341000333


def alpha(sea, **says):
    return sea.Ship(**{"mmsi": SHIP, "name": "ALPHA STAR", "imo": 9074729, "callsign": "OXAB", **says})


def under_way(sea, ship, hours=4.0, every=60.0, lat=15.0, lon=-75.0, knots=10.0, course=90.0, **options):
    way = sea.Way(sea.T0, lat, lon).sail(hours, course, knots)
    heard = sea.reports(ship, way, sea.T0, way.end, every, exact_ends=False, **options)
    return heard + sea.statics(ship, sea.T0, way.end)


@pytest.mark.parametrize("every", [60.0, 600.0])
@pytest.mark.parametrize("kilometres", [30, 300])
def test_one_identity_in_two_places_is_told_once(sea, detect, only, every, kilometres) -> None:
    lat, lon = sea.go(15.0, -75.0, 0.0, kilometres * 1000.0)
    items = under_way(sea, alpha(sea), every=every)
    items += under_way(sea, alpha(sea), every=every, lat=lat, lon=lon, knots=7, course=200, seed=9)
    found = [f for f in detect(sea.nmea(items)) if f["behaviour"] in ("identity", "spoofing")]
    assert [(f["behaviour"], f["subtype"]) for f in found] == [("identity", "shared_mmsi")]
    assert "nm apart" in found[0]["reason"]


def test_one_stray_position_is_nothing(sea, detect) -> None:
    items = under_way(sea, alpha(sea))
    at = len(items) // 3
    lat, lon = sea.go(items[at].lat, items[at].lon, 0.0, 80_000.0)
    items[at] = sea.replace(items[at], lat=lat, lon=lon)
    assert detect(sea.nmea(items)) == []


@pytest.mark.parametrize(("hours", "every"), [(1.5, 60.0), (8.0, 300.0)])
@pytest.mark.parametrize(
    "says", [{"imo": 0, "name": "ZULU", "callsign": ""}, {"name": "ZULU"}, {"imo": 0}], ids=str
)
def test_a_change_of_identity_under_way_is_told_once(sea, detect, only, every, hours, says) -> None:
    """By movement alone; by its IMO number; by its name and call sign."""
    way = sea.Way(sea.T0, 15.0, -75.0).sail(hours + 3, 90, 10)
    change = sea.T0 + hours * HOUR
    before, after = alpha(sea), alpha(sea, mmsi=OTHER, **says)
    items = sea.reports(before, way, sea.T0, change, every) + sea.statics(before, sea.T0, change)
    items += sea.reports(after, way, change + 600, way.end, every) + sea.statics(after, change + 600, way.end)
    (finding,) = [f for f in detect(sea.nmea(items)) if f["behaviour"] == "identity"]
    assert (finding["subtype"], finding["participants"]) == ("mmsi_change", [SHIP, OTHER])


@pytest.mark.parametrize(
    ("mmsi", "count"),
    [
        (299000123, 1),
        (199000123, 1),
        (812345678, 1),
        (12345, 1),
        (219000123, 0),
        (123456789, 0),
        (0, 0),
        (982191234, 0),
        (974123456, 0),
    ],
)
def test_what_an_mmsi_may_not_be(sea, detect, only, mmsi, count) -> None:
    found = only(detect(sea.nmea(under_way(sea, sea.Ship(mmsi, "X", 30)))), "identity")
    assert [f["subtype"] for f in found] == ["invalid"] * count


@pytest.mark.parametrize(("imo", "count"), [(9074729, 0), (9074720, 1), (12345, 1), (0, 0), (100_000_001, 0)])
def test_what_an_imo_number_may_not_be(sea, detect, only, imo, count) -> None:
    found = only(detect(sea.nmea(under_way(sea, alpha(sea, imo=imo)))), "identity")
    assert [f["subtype"] for f in found] == ["invalid"] * count
    assert all(str(imo) in f["reason"] for f in found)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ({"name": "TOTALLY NEW"}, "TOTALLY NEW"),
        ({"name": "ALPHA STAR I"}, ""),
        ({"callsign": "ZZ99"}, "ZZ99"),
        ({"imo": 9176187}, "9176187"),
    ],
    ids=str,
)
def test_what_is_said_of_a_ship_changes(sea, detect, only, says, words) -> None:
    ship, changed = alpha(sea), alpha(sea, **says)
    way = sea.Way(sea.T0, 15.0, -75.0).sail(4, 90, 10)
    items = sea.reports(ship, way, sea.T0, way.end) + sea.statics(ship, sea.T0, sea.T0 + 2 * HOUR)
    found = only(detect(sea.nmea(items + sea.statics(changed, sea.T0 + 2 * HOUR, way.end))), "identity")
    assert [f["subtype"] for f in found] == ["name_change"] * bool(words)
    assert all(words in f["reason"] for f in found)


@pytest.mark.parametrize(
    ("ship_type", "knots", "hours", "count"),
    [
        (80, 29, 1, 1),
        (80, 25, 1, 0),
        (70, 45, 1, 1),
        (70, 45, 0.1, 0),
        (30, 27, 1, 1),
        (60, 45, 1, 0),
        (37, 45, 1, 0),
    ],
)
def test_a_kind_that_contradicts_its_speed(sea, detect, only, ship_type, knots, hours, count) -> None:
    items = under_way(sea, alpha(sea, ship_type=ship_type), hours=hours, knots=knots)
    found = only(detect(sea.nmea(items)), "identity")
    assert [f["subtype"] for f in found] == ["contradiction"] * count


@pytest.mark.parametrize("every", [10.0, 60.0, 300.0])
@pytest.mark.parametrize(
    ("metres", "aside", "subtype"), [(25_000, 77.0, "teleport"), (25_000, 0.0, "offset"), (1_000, 0.0, "")]
)
def test_jumps(sea, detect, only, every, metres, aside, subtype) -> None:
    """Two hours on a course, then elsewhere at once, on the same course or another."""
    way = (
        sea.Way(sea.T0, 15.0, -75.0).sail(2, 0, 10).leap(90.0, metres).sail(2, aside, 10 if not aside else 6)
    )
    moment = sea.T0 + 2 * HOUR
    items = sea.reports(sea.Ship(SHIP, "JUMPS"), way, sea.T0, way.end, every, exact_ends=False)
    found = [f for f in detect(sea.nmea(items)) if f["behaviour"] in ("spoofing", "identity")]
    assert [f["subtype"] for f in found] == [subtype] * bool(subtype)
    for finding in found:
        begin, end = (datetime.fromisoformat(finding[name]).timestamp() for name in ("start", "end"))
        assert moment - 1.4 * every <= begin <= moment <= end <= moment + 2.8 * every


@pytest.mark.parametrize(
    ("radius", "turns", "knots", "every", "count"),
    [
        (500, 3.2, 10, 10.0, 1),
        (1000, 4.2, 10, 60.0, 1),
        (5000, 3.3, 12, 300.0, 1),
        (500, 1.6, 10, 10.0, 0),
        (110, 6.0, 5, 10.0, 0),
    ],
)
def test_circles(sea, detect, only, radius, turns, knots, every, count) -> None:
    way = sea.Way(sea.T0, 15.0, -75.0).sail(2, 0, 10)
    centre = sea.go(way.lat, way.lon, 90.0, radius)
    begin, period = way.t, 2 * 3.141592653589793 * radius / (knots * sea.KNOT)

    def motion(t):
        if t < begin:
            return way(t)
        angle = 270.0 + 360.0 * (t - begin) / period
        return (*sea.go(*centre, angle, radius), knots, (angle + 90.0) % 360.0)

    end = begin + turns * period
    items = sea.reports(sea.Ship(SHIP, "TURNS"), motion, sea.T0, end, every, exact_ends=False)
    found = only(detect(sea.nmea(items)), "spoofing")
    assert [f["subtype"] for f in found] == ["circle"] * count
    for finding in found:
        told = datetime.fromisoformat(finding["end"]).timestamp()
        assert end - 0.75 * period - 2 * every < told <= end


@pytest.mark.parametrize("every", [60.0, 300.0, 600.0])
def test_on_land(sea, detect, only, every) -> None:
    way = sea.Way(sea.T0, 5.0, -68.0).sail(2, 90, 8)
    found = only(
        detect(sea.nmea(sea.reports(sea.Ship(SHIP, "INLAND"), way, sea.T0, way.end, every))), "spoofing"
    )
    assert [f["subtype"] for f in found] == ["on_land"]
    assert datetime.fromisoformat(found[0]["end"]).timestamp() > way.end - 1800


@pytest.mark.parametrize(
    ("line", "subtypes"),
    [
        (f"{SHIP},,,", ["mmsi"]),
        (",9074729,,", ["imo"]),
        (",,Alpha-Star,", ["name"]),
        (",,,OXAB", ["callsign"]),
        (f"{SHIP + 1},,,", []),
        (",9176187,ALPHA STAR,", []),
    ],
)
def test_watchlists(sea, detect, only, line, subtypes) -> None:
    watchlist = f"mmsi,imo,name,callsign\n{line}\n"
    found = only(detect(sea.nmea(under_way(sea, alpha(sea))), watchlist=watchlist), "watchlist")
    assert [f["subtype"] for f in found] == subtypes
    assert all("/" not in f["reason"] for f in found)


@pytest.mark.parametrize(
    ("west", "east", "lon"), [(-74.6, -74.4, -75.0), (179.9, -179.9, 179.5), (-0.1, 0.1, -0.5)], ids=str
)
def test_areas(sea, detect, only, west, east, lon) -> None:
    """A box of 0.2 degrees that is crossed at 10 kn along 17.5 S: in and out where the meridians are."""
    ring = [[west, -18.0], [east, -18.0], [east, -17.0], [west, -17.0], [west, -18.0]]
    feature = {
        "type": "Feature",
        "properties": {"name": "BOX"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    areas = json.dumps({"type": "FeatureCollection", "features": [feature]})
    found = only(
        detect(sea.nmea(under_way(sea, alpha(sea), hours=6, lat=-17.5, lon=lon)), areas=areas), "area"
    )
    assert [f["subtype"] for f in found] == ["entry", "exit"]
    for finding, bound in zip(found, (0.4, 0.6), strict=True):
        way = sea.apart((-17.5, lon), (-17.5, lon + bound)) / (10 * sea.KNOT)
        assert abs(datetime.fromisoformat(finding["end"]).timestamp() - sea.T0 - way) < 150


def said(found):
    """All that a finding says, without where its rows lie in their files."""
    return sorted(json.dumps(f, sort_keys=True) for f in found)


@pytest.fixture(scope="module")
def scene(sea):
    """A meeting, a silence and a change of name."""
    one, other = alpha(sea), sea.Ship(OTHER, "BRAVO", 30)
    way = sea.Way(sea.T0, 15.0, -75.0).sail(1.5, 90, 8).lie(2.5).sail(8, 90, 8)
    silent = [(sea.T0 + 5 * HOUR, sea.T0 + 11.5 * HOUR)]
    aside = sea.beside(way, 0.0, lambda t: 180 + max(sea.T0 + 1.5 * HOUR - t, t - sea.T0 - 4 * HOUR, 0) * 3)
    items = sea.reports(one, way, sea.T0, way.end, 60.0, silent=silent) + sea.statics(one, sea.T0, way.end)
    items += sea.reports(other, aside, sea.T0, way.end, 90.0)
    items += sea.statics(other, sea.T0, sea.T0 + 2 * HOUR - 1)
    return sorted(
        items + sea.statics(sea.renamed(other, name="ESPERANZA"), sea.T0 + 2 * HOUR, way.end),
        key=lambda i: i.t,
    )


def test_order_copies_and_files_change_nothing(sea, detect, scene, shiprider, tmp_path) -> None:
    expected = said(detect(sea.nmea(scene)))
    kinds = {(f["behaviour"], f["preset"]) for f in map(json.loads, expected)}
    assert {("encounter", "gfw"), ("gap", "gfw-raw"), ("identity", "ours")} <= kinds

    shuffled = list(scene)
    random.Random(3).shuffle(shuffled)
    assert said(detect(sea.nmea(shuffled, in_order=False))) == expected
    late = sorted(scene, key=lambda item: item.t + (1500 if random.Random(item.t).random() < 0.3 else 0))
    assert said(detect(sea.nmea(late, in_order=False))) == expected
    copies = [item for one in scene for item in (one, sea.replace(one, source="other"))]
    assert said(detect(sea.nmea(copies))) == expected
    assert (
        said(detect(sea.nmea(scene), sea.nmea([sea.replace(item, source="far") for item in scene])))
        == expected
    )
    for parts in ((scene[::2], scene[1::2]), (scene[len(scene) // 2 :], scene[: len(scene) // 2])):
        assert said(detect(*(sea.nmea(part) for part in parts))) == expected
    for name, packed in (
        ("whole.nmea.gz", gzip.compress(sea.nmea(scene))),
        ("whole.nmea.zst", zstandard.ZstdCompressor().compress(sea.nmea(scene))),
    ):
        (tmp_path / name).write_bytes(packed)
        assert said(shiprider("detect", tmp_path / name, "--json").objects()) == expected


def test_tables_say_the_same(sea, detect, only, scene) -> None:
    """Positions of five or six decimals instead of a ten-thousandth of a minute: the same, within metres and seconds."""
    expected = detect(sea.nmea(scene))
    rows = [item for item in scene if isinstance(item, sea.Report)]
    for table in (sea.marine_cadastre(rows), sea.danish(rows)):
        found = detect(table, ext="csv")
        for behaviour in ("encounter", "gap", "loitering"):
            ours, theirs = only(found, behaviour), only(expected, behaviour)
            assert [(f["preset"], f["participants"]) for f in ours] == [
                (f["preset"], f["participants"]) for f in theirs
            ]
            for a, b in zip(ours, theirs, strict=True):
                for name in ("start", "end"):
                    moments = (datetime.fromisoformat(f[name]).timestamp() for f in (a, b))
                    assert abs(next(moments) - next(moments)) < 5.0
                assert a["score"] == pytest.approx(b["score"], abs=0.02)


def test_a_declared_table_says_the_same(sea, detect, only, scene) -> None:
    """Metres per second, epoch seconds and semicolons; receivers of its own."""
    expected = only(detect(sea.nmea(scene)), "encounter")
    lines = ["when;ship;y;x;v;dir;heard by"]
    for item in scene:
        if isinstance(item, sea.Report):
            speed = item.knots * sea.KNOT
            lines.append(
                f"{item.t};{item.ship.mmsi};{item.lat:.6f};{item.lon:.6f};{speed:.2f};{item.course:.0f};shore"
            )
    columns = (
        'name = "ours"\ndelimiter = ";"\nspeed_unit = "mps"\ntime_formats = ["epoch_s"]\n[columns]\ntime = "when"\n'
        'mmsi = "ship"\nlatitude = "y"\nlongitude = "x"\nspeed = "v"\ncourse = "dir"\nreceiver = "heard by"\n'
    )
    found = only(detect("\n".join(lines).encode(), ext="csv", columns=columns), "encounter")
    assert [(f["preset"], f["participants"]) for f in found] == [
        (f["preset"], f["participants"]) for f in expected
    ]


def test_who_leaves_the_lane_is_told_and_who_keeps_it_is_not(sea, detect, only) -> None:
    """Five days of 20 cargo ships along 15 N; on the fifth one turns north after three hours."""
    rng, items, first = random.Random(6), [], sea.T0 - 4 * 24 * HOUR - 6 * HOUR
    for number in range(100):
        begin = first + number // 20 * 24 * HOUR + number % 20 * 0.6 * HOUR
        way = sea.Way(begin, 15 + rng.gauss(0, 0.03), -76.0).sail(
            10, 90 + rng.gauss(0, 1), 12 + rng.gauss(0, 1)
        )
        ship = sea.Ship(219100000 + number, f"L{number}", 70)
        items += sea.reports(ship, way, begin, way.end, 300.0) + sea.statics(ship, begin, way.end, 1800.0)
    way = sea.Way(sea.T0, 15.0, -76.0).sail(3, 90, 12).sail(7, 20, 12)
    ship = sea.Ship(SHIP, "LEAVES", 70)
    items += sea.reports(ship, way, sea.T0, way.end, 300.0) + sea.statics(ship, sea.T0, way.end, 1800.0)
    (finding,) = only(detect(sea.nmea(items)), "route_departure", "ours")
    assert finding["participants"] == [SHIP]
    begin, end = (datetime.fromisoformat(finding[name]).timestamp() for name in ("start", "end"))
    assert abs(begin - sea.T0 - 3 * HOUR) < 1800
    assert abs(end - way.end) < 1800
