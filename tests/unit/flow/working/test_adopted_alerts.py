"""A partner's watchlist raises alerts here once it is followed, and not before; what it finds is labelled as narrowly."""

from pathlib import Path
from typing import Any

import msgspec

import people
from coalition import TO_USA
from partnered import Partnered, partnered
from shiprider.bootstrap.feeds import recording
from shiprider.flow.working.adopting import Adopting
from shiprider.flow.working.pen import pen
from shiprider.model.label import parse, understood
from shiprider.model.orders import Watchlist, WatchlistEntry
from shiprider.model.publication import Publication

PUBLIC = "policy=COALITION class=UNCLASSIFIED rel=* tlp=CLEAR"


def sails(pair: Partnered, folder: Path, mmsi: int, start_s: int) -> list[Any]:
    """A vessel is heard for two hours; the findings that there are then."""
    file = folder / f"{mmsi}.nmea"
    file.write_bytes(people.voyage(mmsi, "SEA FOX", start_s=start_s))
    node = pair.floor.opened.node
    # A running node looks at its orders every few seconds.
    node._take_orders()
    node.ingest([recording(str(file), label=PUBLIC)], lambda *_: None)
    node.catch_up(lambda *_: None)
    return [r for r in pair.ledger.of_kind("finding") if b'"watchlist"' in (r.body or b"")]


def test_it_alerts_once_it_is_followed(tmp_path: Path) -> None:
    with partnered(tmp_path, presets=("watchlist/ours",)) as pair:
        listed = (WatchlistEntry(mmsi=235000001), WatchlistEntry(mmsi=235000002))
        order = pair.usa.record("watchlist", Watchlist(name="PATROL", entries=listed), TO_USA)
        pair.exchange()
        assert sails(pair, tmp_path, 235000001, people.START_S) == []

        view = pair.floor.opened.view(pair.floor.opened.own("Ana Ruiz"))
        adopting = Adopting(pen(pair.ledger, pair.floor.access.clock, view))
        made = adopting.adopt(order.id, "watchlist", "follow", digest=order.digest, author="Ana Ruiz")
        found = sails(pair, tmp_path, 235000002, people.START_S + 7200)
        said = [msgspec.json.decode(each.body, type=Publication).finding for each in found]
        assert (235000002,) in {each.participants for each in said}
        assert {each.facts["list"] for each in said} == {f"PATROL (usa {order.id[:8]})"}
        # The rows are anybody's, the list is COL's and USA's: so is what it found.
        for record in (*found, *pair.ledger.of_kind("alert")):
            label = understood(parse(record.label))
            assert label.nations == ("COL", "USA") and label.originators == ("usa",)
        assert pair.ledger.of_kind("alert")

        adopting.end(made.record.id, 1, author="Ana Ruiz")
        later = sails(pair, tmp_path, 235000001, people.START_S + 14400)
        assert [each.id for each in later] == [each.id for each in found]
