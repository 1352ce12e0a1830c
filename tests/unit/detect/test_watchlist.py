"""Watchlists: which identifier decides, and how names are compared."""

import numpy as np
import pytest

from shiprider.detect.reasons import render
from shiprider.detect.watchlist import Lists, Stated, comparable
from shiprider.model.rows import Rows, StatementRows
from shiprider.model.world import Watch, World

SHIP = 232_001_234
IMO = Watch(list_name="list", imo=9_074_729, mmsi=572_469_210, name="ALPHA", callsign="T2EU4")
NAME = Watch(list_name="list", name="Santa-Rita")


@pytest.mark.parametrize(
    ("mmsi", "stated", "how"),
    [
        (SHIP, Stated(imo=9_074_729), "imo"),
        (572_469_210, Stated(), "mmsi"),
        # the MMSI was given to another hull
        (572_469_210, Stated(imo=9_176_187), None),
        (SHIP, Stated(name="ALPHA", callsign="T2EU4"), "callsign"),
        # a call sign that differs speaks against the name
        (SHIP, Stated(name="ALPHA", callsign="HQXY1"), None),
        (SHIP, Stated(name="ALPHA"), "name"),
        (SHIP, Stated(name="ALPHA", imo=9_176_187), None),
        (SHIP, Stated(name="SANTARITA"), "name"),
        (SHIP, Stated(name="SANTARITA2"), None),
        (SHIP, Stated(), None),
    ],
)
def test_the_strongest_identifier_decides(mmsi: int, stated: Stated, how: str | None) -> None:
    match = Lists.of((IMO, NAME)).match(mmsi, stated, 1.0)
    assert (match[0] if match else None) == how


@pytest.mark.parametrize("text", ["M/V SANTA RITA", "Santa-Rita", "  santa  rita ", "MV SANTA.RITA"])
def test_names_are_compared_by_letters_and_digits(text: str) -> None:
    assert comparable(text.strip()) == "SANTARITA"


def rows(sea, statements: list[tuple[float, int, int, str | None]]) -> Rows:
    base = sea.rows()
    k = len(statements)
    return Rows(
        base.points,
        StatementRows(
            time_us=np.array([1_699_920_000_000_000 + round(s[0] * 1e6) for s in statements], np.int64),
            claimed_id=np.array([s[1] for s in statements], np.int64),
            transmitter_class=np.ones(k, np.int8),
            imo=np.array([s[2] for s in statements], np.int32),
            ship_type=np.full(k, -1, np.int16),
            length_m=np.full(k, -1, np.int16),
            name=[s[3] for s in statements],
            callsign=[None] * k,
            raw=np.arange(k, dtype=np.int64),
        ),
        base.until_us,
    )


def test_a_call_sign_without_a_name_is_enough() -> None:
    lists = Lists.of((Watch(list_name="list", callsign="T2-EU4"), Watch(list_name="list", callsign="X")))
    assert lists.match(SHIP, Stated(callsign="T2EU4"), 1.0) == ("callsign", Watch("list", callsign="T2-EU4"))
    assert lists.match(SHIP, Stated(callsign="X"), 1.0) is None


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_line_with_nothing_but_a_number_reads_well(sea, found, language: str) -> None:
    sea.sails(SHIP, (10.0, -70.0), [(600.0, 10.0, 0.0)])
    (told,) = found("watchlist.ours", sea.rows(), World(watchlist=(Watch(list_name="ours", mmsi=SHIP),)))
    text = render(told, language)
    assert text.endswith("ours.")
    assert "  " not in text
    assert " ," not in text


def test_seen_once_then_again_after_a_day(sea, found) -> None:
    sea.reports(SHIP, [0.0, 60.0, 86_000.0, 86_000.0 + 86_399.0, 300_000.0], [10.0] * 5, [-70.0] * 5)
    watch = Watch(list_name="mine", mmsi=SHIP, name="ANA", reason="asked")
    told = found("watchlist.ours", sea.rows(), World(watchlist=(watch,)))
    assert [(f.start_us - 1_699_920_000_000_000) / 1e6 for f in told] == [0.0, 300_000.0]
    assert {f.subtype for f in told} == {"mmsi"}


def test_a_sighting_by_imo_begins_with_the_statement(sea, found) -> None:
    sea.sails(SHIP, (10.0, -70.0), [(3600.0, 8.0, 0.0)])
    told = found("watchlist.ours", rows(sea, [(1790.0, SHIP, 9_074_729, "OMEGA")]), World(watchlist=(IMO,)))
    assert [(f.subtype, (f.start_us - 1_699_920_000_000_000) / 1e6) for f in told] == [("imo", 1800.0)]


def test_a_list_that_comes_later_finds_what_was_stated_before(sea) -> None:
    from shiprider.detect.catalogue import build, find, shipped

    sea.sails(SHIP, (10.0, -70.0), [(600.0, 8.0, 0.0)])
    detector = build(find("watchlist.ours", shipped()))
    other = Watch(list_name="other", mmsi=1)
    state, told = detector.fold(
        detector.start(), rows(sea, [(10.0, SHIP, 9_074_729, None)]), World(watchlist=(other,))
    )
    assert told == []
    sea.parts.clear()
    sea.sails(SHIP, (10.0, -70.0), [(600.0, 8.0, 0.0)], at_s=1000.0)
    _, told = detector.fold(state, sea.rows(), World(watchlist=(other, IMO)))
    assert [f.subtype for f in told] == ["imo"]
