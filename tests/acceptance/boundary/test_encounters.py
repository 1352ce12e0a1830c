"""Encounters just over and just under every number of the three presets, and where the Earth has edges.

Two vessels go side by side, hold at a distance, and part at 3 m/s; who comes from 500 m away takes
the difference to the hold's distance at that speed, which is where the expected times come from.
"""

from datetime import UTC, datetime

import pytest

HOUR = 3600.0
PARTING = 3.0


def meeting(
    sea,
    metres,
    hours,
    knots=0.0,
    *,
    every=60.0,
    lat=15.0,
    lon=-75.0,
    t=None,
    course=90.0,
    ships=None,
    status=0,
):
    """(items, begin of the hold, its end): hold `metres` apart, `knots` fast, between two legs of 8 kn."""
    begin = sea.T0 if t is None else t
    one, other = ships or (sea.Ship(219000111, "ONE", 70), sea.Ship(219000222, "OTHER", 30))
    way = sea.Way(begin, lat, lon).sail(1.5, course, 8).sail(hours, course, knots).sail(1.5, course, 8)
    start, end = begin + 1.5 * HOUR, begin + (1.5 + hours) * HOUR
    aside = sea.beside(way, 0.0, lambda t: metres + max(start - t, t - end, 0) * PARTING)
    items = sea.statics(one, begin, way.end) + sea.statics(other, begin, way.end)
    for ship, motion in ((one, way), (other, aside)):
        items += sea.reports(ship, motion, begin, way.end, every, exact_ends=False, status=status)
    return items, start, end


@pytest.mark.parametrize("every", [10.0, 60.0, 300.0])
@pytest.mark.parametrize(
    ("metres", "hours", "knots", "count"),
    [
        (440, 2.25, 0.0, 1),
        (440, 1.75, 0.0, 0),
        (540, 3.0, 0.0, 0),
        (300, 3.0, 1.85, 1),
        (300, 3.0, 2.15, 0),
    ],
)
def test_gfw(sea, detect, only, misses, every, metres, hours, knots, count) -> None:
    items, start, end = meeting(sea, metres, hours, knots, every=every)
    found = only(detect(sea.nmea(items)), "encounter", "gfw")
    assert len(found) == count
    for finding in found:
        crossing = max(0.0, 500 - metres) / PARTING
        assert misses(finding, start - crossing, end + crossing) < max(60.0, 0.75 * every)
        assert "500 m" in finding["reason"]
        assert "median speed" in finding["reason"]


@pytest.mark.parametrize(
    ("preset", "metres", "minutes", "every", "count"),
    [
        ("skylight", 235, 33, 30.0, 1),
        ("skylight", 235, 28, 30.0, 0),
        ("skylight", 262, 90, 30.0, 0),
        ("skylight", 200, 38, 180.0, 1),
        ("starboard", 40, 11, 10.0, 1),
        ("starboard", 40, 8, 10.0, 0),
        ("starboard", 58, 12, 10.0, 0),
        ("starboard", 40, 15, 180.0, 1),
        ("starboard", 185, 33, 30.0, 1),
        ("starboard", 185, 27, 30.0, 0),
        ("starboard", 212, 60, 30.0, 0),
    ],
)
def test_shorter_and_closer(sea, detect, only, preset, metres, minutes, every, count) -> None:
    items, _, _ = meeting(sea, metres, minutes / 60, every=every)
    assert len(only(detect(sea.nmea(items)), "encounter", preset)) == count


@pytest.mark.parametrize(("metres", "count"), [(9_700, 0), (10_400, 1)])
def test_ten_kilometres_from_an_anchorage(sea, detect, only, metres, count) -> None:
    items, _, _ = meeting(sea, 250, 2.5)
    middle = sea.go(15.0, -75.0, 90.0, 12 * 1852)
    lat, lon = sea.go(*middle, 180.0, metres)
    anchorages = f"name,latitude_deg,longitude_deg\nROADS,{lat:.6f},{lon:.6f}\n"
    assert len(only(detect(sea.nmea(items), anchorages=anchorages), "encounter", "gfw")) == count


@pytest.mark.parametrize(
    "where",
    [
        {"lat": -17.0, "lon": 179.86},
        {"lat": 51.0, "lon": -179.9, "course": 270.0},
        {"lat": 85.0, "lon": 100.0},
        {"lat": -77.0, "lon": 180.0},
        {"lat": -0.01, "lon": -0.25, "course": 80.0},
        {"lat": 0.0, "lon": -0.201},
        {"t": datetime(2026, 3, 10, 21, 10, tzinfo=UTC).timestamp()},
    ],
    ids=["180-E", "180-W", "85-N", "antarctic", "greenwich", "null-island", "midnight"],
)
def test_edges_of_the_map_and_of_the_day(sea, detect, only, misses, where) -> None:
    items, start, end = meeting(sea, 300, 2.4, every=120.0, **where)
    (finding,) = only(detect(sea.nmea(items)), "encounter", "gfw")
    assert misses(finding, start - 200 / PARTING, end + 200 / PARTING) < 90.0


def test_at_the_pole(sea, detect, only, misses) -> None:
    """One lies on the pole itself; the other comes up a meridian, lies 300 m away, and goes down again."""
    one, other = sea.Ship(219000111, "ONE"), sea.Ship(219000222, "OTHER")
    still = sea.Way(sea.T0, 90.0, 0.0).lie(8)
    way = sea.Way(sea.T0, *sea.go(90.0, 0.0, 0.0, 300 + 6 * 1852)).sail(1, 0, 6).lie(3).sail(1, 180, 6)
    items = [
        item
        for ship, motion in ((one, still), (other, way))
        for item in sea.reports(ship, motion, sea.T0, way.end, 60.0)
    ]
    (finding,) = only(detect(sea.nmea(items)), "encounter", "gfw")
    assert misses(finding, sea.T0 + HOUR, sea.T0 + 4 * HOUR) < 200 / (6 * sea.KNOT) + 60


def test_a_short_parting_is_one_encounter_and_a_long_one_is_two(sea, detect, only) -> None:
    for hours, count in ((3.0, 1), (5.0, 2)):
        first, _, end = meeting(sea, 300, 2.3)
        second, _, _ = meeting(sea, 300, 2.3, t=end + (hours - 1.5) * HOUR, lon=-74.5)
        first = [item for item in first if item.t < end + (hours - 1.5) * HOUR]
        found = only(detect(sea.nmea(first + second)), "encounter", "gfw")
        assert len(found) == count, hours


@pytest.mark.parametrize(
    ("station", "mmsi", "count"),
    [("A", 219000222, 1), ("B", 219000222, 1), ("base", 2190001, 0), ("aton", 992190001, 0), ("sar", 111219001, 0), ("A", 0, 0)],
)  # fmt: skip
def test_only_vessels_meet(sea, detect, only, station, mmsi, count) -> None:
    """In sentences, in the Danish tables, and in tables that know no class but A and B."""
    ships = sea.Ship(219000111, "ONE"), sea.Ship(mmsi, "OTHER", 30, station=station)
    items, _, _ = meeting(sea, 200, 2.5, ships=ships)
    table = [item for item in items if isinstance(item, sea.Report)]
    assert len(only(detect(sea.nmea(items)), "encounter", "gfw")) == count
    assert len(only(detect(sea.marine_cadastre(table), ext="csv"), "encounter", "gfw")) == count
    if station != "B" or mmsi:
        assert len(only(detect(sea.danish(table), ext="csv"), "encounter", "gfw")) == count


def test_long_range_messages_and_vessels_that_say_little(sea, detect, only) -> None:
    nameless = (
        sea.Ship(219000111, "", 0, length=0, beam=0),
        sea.Ship(219000222, "", 0, length=0, beam=0, station="B"),
    )
    items, start, _ = meeting(sea, 150, 3.0, every=180.0, ships=nameless)
    say = [item for item in items if isinstance(item, sea.Report)]
    long_range = [sea.replace(item, message=27) for item in say]
    assert len(only(detect(sea.nmea(long_range)), "encounter", "gfw")) == 1
    silent = [sea.replace(item, knots=None, course=None, heading=None) for item in say]
    (finding,) = only(detect(sea.nmea(silent)), "encounter", "gfw")
    assert abs(datetime.fromisoformat(finding["start"]).timestamp() - start) < 300


def test_lawful_company_scores_below_a_meeting(sea, detect, only) -> None:
    """A pilot, a tow, pair trawlers and bunkering in the roads, against a meeting of strangers at sea."""
    strangers, _, _ = meeting(sea, 150, 2.5)
    least = min(f["score"] for f in only(detect(sea.nmea(strangers)), "encounter"))

    def together(one, other, knots, metres, status=0, **options):
        way = sea.Way(sea.T0, 15.0, -75.0).sail(5, 90, knots)
        items = []
        for ship, motion in ((one, way), (other, sea.beside(way, 0.0, metres))):
            items += sea.reports(ship, motion, sea.T0, way.end, 60.0, status=status)
            items += sea.statics(ship, sea.T0, way.end)
        return only(detect(sea.nmea(items), **options), "encounter")

    one = sea.Ship(219000333, "ONE", 70)
    aboard = lambda t: 30 + max(0.0, abs(t - sea.T0 - 2 * HOUR) - 420) * 3  # noqa: E731
    pilot = together(one, sea.Ship(219000334, "PILOT", 50), 8, aboard)
    tow = together(sea.Ship(219000335, "TUG", 52), one, 5, 150)
    trawl = together(sea.Ship(219000336, "A", 30), sea.Ship(219000337, "B", 30), 3, 200, 7)
    roads = "name,latitude_deg,longitude_deg\nROADS,15.02,-75.0\n"
    bunker = together(sea.Ship(219000338, "TANKER", 80), one, 0, 30, 1, anchorages=roads)
    for company in (pilot, tow, trawl, bunker):
        assert not only(company, "encounter", "gfw")
        assert all(f["score"] < 0.5 * least for f in company)


def test_work_that_is_declared_scores_below_the_same_without_a_word(sea, detect, only) -> None:
    """COLREG 3(g): restricted in her ability to manoeuvre (navigational status 3)."""
    score = {}
    for status in (0, 3):
        items, _, _ = meeting(sea, 150, 2.5, status=status)
        (found,) = only(detect(sea.nmea(items)), "encounter", "gfw")
        score[status] = found["score"]
    assert 0.0 < score[3] < 0.6 * score[0]
