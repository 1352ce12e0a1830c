"""A partner's watchlist or area, adopted: followed, pinned, changed, ended, recalled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalition import T0, TO_BOTH, TO_USA, Clock, CoalitionNode, coalition
from shiprider.bootstrap.world import with_orders
from shiprider.flow.exchange.dispatching import recall_draft
from shiprider.flow.labelling import Labelling
from shiprider.flow.working.adopting import Adopting, order_label, partner_orders
from shiprider.model.errors import Conflict, NotFound, UsageError
from shiprider.model.exchange import RecallOrder
from shiprider.model.finding import Finding
from shiprider.model.label import parse, understood
from shiprider.model.orders import WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.world import World

RING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0))


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[CoalitionNode]]:
    made = coalition(tmp_path, "col", "usa", "nld", clock=Clock())
    yield made
    for each in made:
        each.ledger.verify()
        each.ledger.close()


def watchlist(node: CoalitionNode, *mmsi: int, active: bool = True, **more: Any) -> str:
    entries = tuple(WatchlistEntry(mmsi=each) for each in mmsi)
    body = Watchlist(name="PATROL", entries=entries, active=active)
    return node.record("watchlist", body, TO_USA, **more).id


def watched(node: CoalitionNode) -> list[tuple[str, int | None]]:
    given: Any = None
    world = with_orders(World(coast=given, anchorages=given, receivers=None), node.ledger)
    return [(each.list_name, each.mmsi) for each in world.watchlist]


def adopt(node: CoalitionNode, order: str, mode: Any = "follow", kind: Any = "watchlist") -> str:
    digest = node.ledger.latest(order).digest
    return Adopting(node.pen()).adopt(order, kind, mode, digest=digest, author="Bo Lee").record.id


def states(node: CoalitionNode) -> list[str]:
    return [each.state for each in partner_orders(node.view())]


def recall(node: CoalitionNode, of: str, revision: int, to: CoalitionNode) -> None:
    order = RecallOrder(partner=to.name, record=of, revision=revision, reason="retracted")
    node.ledger.append([recall_draft(order, node.clock(), "Ana Ruiz")])
    node.send(to)


def test_nothing_is_watched_for_before_somebody_adopts_it_and_then_it_follows(
    nodes: list[CoalitionNode],
) -> None:
    col, usa, _ = nodes
    order = watchlist(col, 1)
    col.send(usa)
    called = f"PATROL (col {order[:8]})"
    assert (watched(usa), states(usa)) == ([], ["offered"])
    adopted = adopt(usa, order)
    assert (watched(usa), states(usa)) == ([(called, 1)], ["following"])
    watchlist(col, 1, 2, id_=order, revision=1)
    col.send(usa)
    assert watched(usa) == [(called, 1), (called, 2)]
    # An adoption is this node's own affair: nothing of it goes to anybody.
    assert usa.send(col) == []
    watchlist(col, 1, 2, active=False, id_=order, revision=2)
    col.send(usa)
    assert (watched(usa), states(usa)) == ([], ["withdrawn"])
    watchlist(col, 3, id_=order, revision=3)
    col.send(usa)
    assert watched(usa) == [(called, 3)]
    Adopting(usa.pen()).end(adopted, 1, author="Bo Lee")
    assert (watched(usa), states(usa)) == ([], ["ended"])
    for revision in (1, 2):
        with pytest.raises(Conflict):
            Adopting(usa.pen()).end(adopted, revision, author="Bo Lee")


def test_a_pinned_one_stays_as_it_was_looked_at_and_tells_that_it_was_changed(
    nodes: list[CoalitionNode],
) -> None:
    col, usa, _ = nodes
    order = watchlist(col, 1)
    col.send(usa)
    adopt(usa, order, "pin")
    assert states(usa) == ["pinned"]
    watchlist(col, 2, id_=order, revision=1)
    col.send(usa)
    assert (states(usa), [mmsi for _, mmsi in watched(usa)]) == (["changed"], [1])


@pytest.mark.parametrize("mode", ["follow", "pin"])
def test_a_recall_ends_it(nodes: list[CoalitionNode], mode: str) -> None:
    col, usa, _ = nodes
    order = watchlist(col, 1)
    col.send(usa)
    adopted = adopt(usa, order, mode)
    recall(col, order, 1, usa)
    assert (watched(usa), states(usa)) == ([], ["recalled"])
    (found,) = partner_orders(usa.view())
    assert found.order is None and found.origin == "col"
    # And the originator is told that something rested on it.
    assert usa.receiving.withdrawn([order])[order].derived == (adopted,)


def test_areas_too(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    order = col.record("area", WatchedArea(name="Bay", ring=RING), TO_USA).id
    col.send(usa)
    given: Any = None
    base = World(coast=given, anchorages=given, receivers=None)
    assert with_orders(base, usa.ledger).areas == ()
    adopt(usa, order, kind="area")
    (area,) = with_orders(base, usa.ledger).areas
    assert (area.name, area.ring) == (f"Bay (col {order[:8]})", RING)


def test_only_what_one_sees_of_a_partner_as_it_is_now_is_adopted_once(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    order = watchlist(col, 1)
    col.send(usa)
    seen = usa.ledger.latest(order).digest
    for node, given, error in (
        (nld, {}, NotFound), (col, {}, UsageError), (usa, {"digest": "0" * 64}, Conflict), (usa, {"kind": "area"}, NotFound),
    ):  # fmt: skip
        asked: Any = {"kind": "watchlist", "mode": "follow", "digest": seen, "author": "Bo Lee", **given}
        with pytest.raises(error):
            Adopting(node.pen()).adopt(order, **asked)
    adopt(usa, order)
    with pytest.raises(Conflict, match="adopted already"):
        adopt(usa, order, "pin")


def test_what_is_found_by_it_is_known_to_no_more_than_the_list(nodes: list[CoalitionNode]) -> None:
    """The list is released to COL and USA; what it finds in rows that NLD may see too is not NLD's."""
    col, usa, _ = nodes
    order = watchlist(col, 1)
    col.send(usa)
    adopt(usa, order)
    row_label = TO_BOTH

    def finding(name: str) -> Finding:
        return Finding(
            behaviour="watchlist", preset="p", participants=(1,), start_us=T0, end_us=T0, latitude_deg=0.0,
            longitude_deg=0.0, score=0.5, reason_key="by_mmsi", facts={"list": name}, evidence=(), state="closed",
        )  # fmt: skip

    class Said:
        label = row_label

    class Feed:
        declaration = Said()

    sources: Any = lambda: [Feed()]  # noqa: E731
    labelling = Labelling(sources, lambda _: (), lambda of: order_label(usa.ledger, of))
    called = f"PATROL (col {order[:8]})"
    found = understood(parse(labelling.of_finding(finding(called))))
    assert (found.nations, found.originators) == (("COL", "USA"), ("col",))
    assert labelling.of_finding(finding("PATROL")) == row_label
    recall(col, order, 1, usa)
    assert understood(parse(labelling.of_finding(finding(called)))).nations == ("COL", "USA")
