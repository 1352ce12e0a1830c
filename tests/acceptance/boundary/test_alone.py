"""Loitering, dark encounters, silences and port visits just over and just under every number."""

from datetime import UTC, datetime

import numpy as np
import pytest

from shiprider.adapters.geography.coast import load_coast

HOUR = 3600.0
SHIP = 219000111


def drift(sea, hours, knots, *, every=60.0, begin=(15.0, -75.0), t=None, before=2.0, status=0):
    """(items, begin, end) of a slow stretch between two legs of 9 kn."""
    ship = sea.Ship(SHIP, "ALONE", 70)
    start = sea.T0 if t is None else t
    way = sea.Way(start, *begin).sail(before, 90, 9).sail(hours, 90, knots).sail(2, 90, 9)
    items = sea.statics(ship, start, way.end) + sea.reports(
        ship, way, start, way.end, every, exact_ends=False, status=status
    )
    return items, start + before * HOUR, start + (before + hours) * HOUR


@pytest.mark.parametrize("every", [60.0, 300.0])
@pytest.mark.parametrize(
    ("hours", "knots", "presets"),
    [
        (2.25, 1.0, ("gfw", "gfw-product")),
        (1.85, 1.0, ()),
        (3.0, 1.85, ("gfw", "gfw-product")),
        (3.0, 2.15, ()),
        (3.85, 0.5, ("gfw", "gfw-product")),
        (4.25, 0.5, ("gfw", "gfw-product", "gfw-transshipment")),
    ],
)
def test_loitering(sea, detect, only, misses, every, hours, knots, presets) -> None:
    items, start, end = drift(sea, hours, knots, every=every)
    found = only(detect(sea.nmea(items)), "loitering")
    assert sorted(f["preset"] for f in found) == sorted(presets)
    for finding in found:
        assert misses(finding, start, end) < 1.5 * every + 10
        assert "mean speed" in finding["reason"]
        assert "from shore" in finding["reason"]


def off_the_coast(sea, lat: float, lon: float, metres: float) -> tuple[float, float]:
    """East of a coast that has nothing but sea before it, with the nearest land so far away.

    Which cells are land is asked of the packaged mask; how far they are is measured here, to each of their centres.
    """
    is_land = load_coast().is_land
    y, x = np.meshgrid(np.arange(lat - 1.5, lat + 1.5, 1 / 240), np.arange(lon - 1.0, lon + 2.0, 1 / 240))
    land = np.asarray(is_land(y.ravel(), x.ravel()), bool)
    there = np.array([sea.vector(*place) for place in zip(y.ravel()[land], x.ravel()[land], strict=True)])

    def nearest(place: tuple[float, float]) -> float:
        return float(
            2 * sea.EARTH_M * np.arcsin(np.linalg.norm(there - sea.vector(*place), axis=1).min() / 2)
        )

    low, high = 0.0, 2 * metres
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if nearest(sea.go(lat, lon, 90.0, middle)) < metres else (low, middle)
    return sea.go(lat, lon, 90.0, high)


@pytest.mark.parametrize(("fast_min", "count"), [(15, 1), (30, 0)])
def test_an_hour_is_slow_by_its_mean(sea, detect, only, fast_min, count) -> None:
    """Each hour has some minutes at 5 kn and the rest at 0.5 kn: means of 1.6 and 2.75 kn."""
    way = sea.Way(sea.T0, 15.0, -75.0)
    for _ in range(4):
        way.sail(1 - fast_min / 60, 90, 0.5).sail(fast_min / 60, 270, 5)
    items = sea.reports(sea.Ship(SHIP, "WORKS"), way, sea.T0, way.end, 60.0)
    assert len(only(detect(sea.nmea(items)), "loitering", "gfw")) == count


@pytest.mark.parametrize(
    ("miles", "presets"), [(19.5, {"gfw"}), (20.5, {"gfw", "gfw-product", "gfw-transshipment"})]
)
def test_twenty_miles_from_shore(sea, detect, only, miles, presets) -> None:
    """Off Paraiba, where Brazil ends in the east."""
    place = off_the_coast(sea, -7.0, -34.83, miles * 1852)
    way = sea.Way(sea.T0, *sea.go(*place, 90.0, 2 * 9 * 1852)).sail(2, 270, 9).lie(4.5).sail(2, 90, 9)
    items = sea.reports(sea.Ship(SHIP, "ALONE"), way, sea.T0, way.end, 60.0)
    assert {f["preset"] for f in only(detect(sea.nmea(items)), "loitering")} == presets


@pytest.mark.parametrize(
    ("minutes", "every", "count"),
    [
        (18, 30.0, 1),
        (12, 30.0, 0),
        (25, 180.0, 1),
        (36, 300.0, 1),
        (11.6 * 60, 60.0, 1),
        (12.4 * 60, 60.0, 0),
    ],
)
def test_a_stop_with_nobody_beside(sea, detect, only, misses, minutes, every, count) -> None:
    items, start, end = drift(sea, minutes / 60, 0.5, every=every, before=3.0)
    found = only(detect(sea.nmea(items)), "dark_encounter", "skylight")
    assert len(found) == count
    for finding in found:
        assert misses(finding, start, end) < every + 15
        assert "1500 m" in finding["reason"]


@pytest.mark.parametrize("behaviour", ["loitering", "dark_encounter"])
def test_work_that_is_declared_scores_below_the_same_without_a_word(sea, detect, only, behaviour) -> None:
    """COLREG 3(g): restricted in her ability to manoeuvre (navigational status 3)."""
    best = {}
    for status in (0, 3):
        items, _, _ = drift(sea, 2.5, 0.5, before=3.0, status=status)
        best[status] = max(f["score"] for f in only(detect(sea.nmea(items)), behaviour))
    assert 0.0 < best[3] < 0.6 * best[0]


@pytest.mark.parametrize(("metres", "count"), [(1_380, 0), (1_620, 1)])
def test_somebody_beside(sea, detect, only, metres, count) -> None:
    items, _, _ = drift(sea, 0.5, 0.5, before=3.0)
    other = sea.Way(sea.T0, *sea.go(15.0, -75.0, 90.0, 27 * 1852)).lie(8)
    there = sea.beside(other, 0.0, metres)
    items += sea.reports(sea.Ship(219000222, "LIES", 30), there, sea.T0, other.end, 60.0)
    found = only(detect(sea.nmea(items)), "dark_encounter")
    assert [f["participants"] for f in found] == [[SHIP]] * count


@pytest.mark.parametrize(
    ("hours", "every", "count"), [(6.03, 60.0, 1), (5.97, 60.0, 0), (6.1, 400.0, 1), (5.9, 400.0, 0)]
)
def test_six_hours_of_silence(sea, detect, only, misses, hours, every, count) -> None:
    ship, way = sea.Ship(SHIP, "SILENT"), sea.Way(sea.T0, 15.0, -75.0).sail(14, 90, 10)
    start, end = sea.T0 + 3 * HOUR, sea.T0 + (3 + hours) * HOUR
    found = only(
        detect(sea.nmea(sea.reports(ship, way, sea.T0, way.end, every, silent=[(start, end)]))), "gap"
    )
    assert [f["preset"] for f in found] == ["gfw-raw"] * count
    for finding in found:
        assert misses(finding, start, end) <= 1.0
        assert "10.0 kn" in finding["reason"]


RECEIVERS = "source,kind,latitude_deg,longitude_deg\nORB,satellite,,\ncoast,terrestrial,12.0,-72.0\n"


def disabled(
    sea, *, hours=12.3, satellites=15, days=2, a_day=24.0, source="ORB", t=None, begin=(15.0, -75.0)
):
    """(items, begin, end): `days` with `a_day` positions, then `satellites` in 12 h, then the silence.

    The vessel works to and fro at 6 kn. The first of the satellite positions is 11 h 50 min before the silence.
    """
    ship = sea.Ship(SHIP, "ALONE", 30)
    t = datetime(2026, 3, 12, tzinfo=UTC).timestamp() if t is None else t
    first = t - days * 24 * HOUR
    way = sea.Way(first, *begin)
    while way.t < t + (12 + hours + 6) * HOUR:
        way.sail(2, 90 if len(way.legs) % 2 == 0 else 270, 6)
    start, end = round(t + 12 * HOUR), round(t + (12 + hours) * HOUR)
    step = 11 * HOUR + 50 * 60
    times = [start - step * k / (satellites - 1) for k in range(satellites)]
    times += [first + k * 24 * HOUR / a_day for k in range(int(days * a_day)) if days]
    times += [end + 1800 * k for k in range(10)]
    items = []
    for moment in sorted(round(x) for x in times):
        lat, lon, knots, course = way(moment)
        items.append(sea.Report(moment, ship, lat, lon, knots, course, source=source))
    return items, start, end


@pytest.mark.parametrize(
    ("scene", "count"),
    [
        ({}, 1),
        ({"days": 0}, 1),
        ({"hours": 11.9}, 0),
        ({"satellites": 14}, 1),
        ({"satellites": 13}, 0),
        ({"a_day": 12.0}, 1),
        ({"a_day": 8.0}, 0),
        ({"source": "coast"}, 0),
        ({"source": "unnamed"}, 0),
    ],
    ids=str,
)
def test_disabling(sea, detect, only, misses, scene, count) -> None:
    items, start, end = disabled(sea, **scene)
    found = only(detect(sea.nmea(items), receivers=RECEIVERS), "gap", "disabling")
    assert len(found) == count
    for finding in found:
        assert misses(finding, start, end) <= 1.0
        assert "12 h 18 min" in finding["reason"]
        assert "positions a day are received" in finding["reason"]
        assert "14 by satellite in the 12 h before" in finding["reason"]


def test_disabling_asks_what_the_operator_says_of_receivers(sea, detect, only) -> None:
    items, _, _ = disabled(sea)
    assert not only(detect(sea.nmea(items)), "gap", "disabling")
    assert len(only(detect(sea.nmea(items), receivers=RECEIVERS), "gap", "disabling")) == 1


def test_copies_in_another_file_are_not_more_positions(sea, detect, only) -> None:
    for satellites, count in ((8, 0), (15, 1)):
        items, _, _ = disabled(sea, satellites=satellites)
        copies = sea.nmea([sea.replace(item, source="ORB") for item in items if item.t > items[0].t])
        for files in ((sea.nmea(items), copies), (copies, sea.nmea(items))):
            assert len(only(detect(*files, receivers=RECEIVERS), "gap", "disabling")) == count


@pytest.mark.parametrize(("miles", "count"), [(49.0, 0), (51.0, 1)])
def test_disabling_begins_fifty_miles_offshore(sea, detect, only, miles, count) -> None:
    """East of Barbados."""
    place = off_the_coast(sea, 13.15, -59.45, miles * 1852)
    items, _, _ = disabled(sea, days=0)
    still = [sea.replace(item, lat=place[0], lon=place[1], knots=0.0) for item in items]
    assert len(only(detect(sea.nmea(still), receivers=RECEIVERS), "gap", "disabling")) == count


def test_when_the_receiver_fails_all_silences_score_low(sea, detect, only) -> None:
    def silences(silent_ones: int):
        items = []
        for k in range(8):
            # the first one lies alone in its degree, on the edge to the others'
            way = sea.Way(sea.T0, 14.98 + 0.05 * k, -74.9).sail(14, 90, 3)
            silent = [(sea.T0 + 3 * HOUR + k, sea.T0 + 10 * HOUR + k)] if k < silent_ones else []
            ship = sea.Ship(219000500 + k, f"V{k}")
            items += sea.reports(ship, way, sea.T0, way.end, 60.0, silent=silent)
        return only(detect(sea.nmea(items)), "gap")

    everybody, alone = silences(8), silences(1)
    assert [len(everybody), len(alone)] == [8, 1]
    assert max(f["score"] for f in everybody) < 0.5 * alone[0]["score"]


PORT = "name,latitude_deg,longitude_deg\nPORT X,15.0,-75.0\n"


def call(sea, nearest, knots, hours=1.5, *, every=60.0, silent=(), entry=True, leave=True):
    """(items, begin and end of the stay): from 20 km south to `nearest` metres from the port and back."""
    ship = sea.Ship(SHIP, "CALLS", 70)
    way = sea.Way(sea.T0, *sea.go(15.0, -75.0, 180.0, 20_000.0))
    leg = (20_000 - nearest) / (10 * sea.KNOT) / HOUR
    way.sail(leg, 0, 10)
    start = way.t
    way.sail(hours, 90, knots)
    end = way.t
    way.sail(leg, 180, 10)
    begin, last = (sea.T0 if entry else start + 60), (way.end if leave else end - 60)
    silences = [(start + a * HOUR, start + b * HOUR) for a, b in silent]
    return sea.reports(ship, way, begin, last, every, silent=silences, exact_ends=False), start, end


@pytest.mark.parametrize(
    ("scene", "confidence"),
    [
        ({"nearest": 2_850, "knots": 0.1}, 4),
        ({"nearest": 3_200, "knots": 0.1}, 0),
        ({"nearest": 2_500, "knots": 0.3}, 1),
        ({"nearest": 1_000, "knots": 0.35, "hours": 5, "silent": [(0.2, 4.4)]}, 4),
        ({"nearest": 1_000, "knots": 0.35, "hours": 5, "silent": [(0.2, 4.0)]}, 1),
        ({"nearest": 1_000, "knots": 0.1, "entry": False}, 3),
        ({"nearest": 1_000, "knots": 0.1, "hours": 2, "every": 300.0}, 4),
        ({"nearest": 1_000, "knots": 0.1, "hours": 2, "every": 600.0}, 4),
    ],
    ids=str,
)
def test_port_visits(sea, detect, only, scene, confidence) -> None:
    items, start, _ = call(sea, **scene)
    found = only(detect(sea.nmea(items), anchorages=PORT), "port_visit", "gfw")
    assert [f["facts"]["confidence"] for f in found] == [confidence] * (confidence > 0)
    for finding in found:
        assert "PORT X" in finding["reason"]
        # entered at 3 km, of which the vessel makes 10 kn
        if scene.get("entry", True):
            began = datetime.fromisoformat(finding["start"]).timestamp()
            crossing = start - (3_000 - scene["nearest"]) / (10 * sea.KNOT)
            assert abs(began - crossing) < scene.get("every", 60.0) * 1.4


@pytest.mark.parametrize(("metres", "count"), [(3_800, 1), (4_250, 2)])
def test_a_visit_ends_beyond_four_kilometres(sea, detect, only, metres, count) -> None:
    way = (
        sea.Way(sea.T0, *sea.go(15.0, -75.0, 180.0, 20_000.0))
        .sail(19_000 / (10 * sea.KNOT) / HOUR, 0, 10)
        .lie(1)
    )
    leg = (metres - 1_000) / (6 * sea.KNOT) / HOUR
    way.sail(leg, 180, 6).sail(leg, 0, 6).lie(1).sail(1.5, 180, 10)
    items = sea.reports(sea.Ship(SHIP, "CALLS"), way, sea.T0, way.end, 30.0, exact_ends=False)
    assert len(only(detect(sea.nmea(items), anchorages=PORT), "port_visit")) == count


def test_vessels_moored_side_by_side_score_at_the_bottom(sea, detect, only) -> None:
    """Ten of them in Cartagena, with the packaged ports: nothing above 0.05, and no encounter of GFW's."""
    items = []
    for k in range(10):
        ship = sea.Ship(219000100 + k, f"M{k}", (30, 37, 52, 70, 80)[k % 5])
        way = sea.Way(sea.T0, *sea.go(10.402, -75.53, 0.0, 25.0 * k)).lie(10)
        items += sea.statics(ship, sea.T0, way.end)
        items += sea.reports(ship, way, sea.T0, way.end, 180.0, status=5, exact_ends=False)
    found = detect(sea.nmea(items))
    assert not only(found, "encounter", "gfw")
    assert not [f for f in found if f["behaviour"] not in ("encounter", "loitering", "port_visit")]
    assert max(f["score"] for f in found) < 0.05
