"""A served node of COL with people, and a partner's node of the USA beside it that it exchanges bundles with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import people
from coalition import CoalitionNode
from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.exchange import own_introduction
from shiprider.bootstrap.partners import open_partners
from shiprider.flow.exchange.dispatching import Dispatching
from shiprider.flow.exchange.receiving import Receiving
from shiprider.formats.feed_bundle import encode
from shiprider.model.introduction import fingerprint

POLICY = """schema = 1
node = "col"

[[homes]]
node = "col"
nation = "COL"

[[homes]]
node = "usa"
nation = "USA"

[[homes]]
node = "nld"
nation = "NLD"

[[agreements]]
id = "accord"
title = "Accord"
from = 2020-01-01
source = "an example"

[[agreements.parties]]
name = "col"
nation = "COL"
standings = [{ from = 2020-01-01, status = "in_force" }]

[[agreements.parties]]
name = "usa"
nation = "USA"
standings = [{ from = 2020-01-01, status = "in_force" }]

[[agreements.sharing]]
id = "1"
shared_by = ["col", "usa"]
shared_with = ["col", "usa"]
kinds = ["*"]
purposes = ["*"]
highest = "SECRET"
"""


@dataclass
class Partnered:
    """`floor` is COL's served node, `usa` the partner's."""

    floor: Any
    usa: CoalitionNode
    dispatching: Dispatching
    receiving: Receiving

    @property
    def ledger(self) -> Any:
        """COL's."""
        return self.floor.opened.ledger

    def exchange(self) -> None:
        """Everything that waits goes, both ways."""
        partner = open_partners(self.ledger, self.floor.opened.settings).partner("usa")[1]
        while (bundle := self.dispatching.next(partner)) is not None:
            assert self.usa.receiving.take(encode(bundle), "col").answer == "take"
        partner = self.usa.partners.partner("col")[1]
        while (bundle := self.usa.dispatching.next(partner)) is not None:
            assert self.receiving.take(encode(bundle), "usa").answer == "take"


@contextmanager
def unmet(folder: Path, *, data: bool = False, **given: Any) -> Iterator[Partnered]:
    """Neither knows the other yet."""
    with people.floor(folder, data=data, policy=POLICY, node="col", **given) as floor:
        opened = floor.opened
        usa = CoalitionNode("usa", folder / "usa", wall_us)
        partners = open_partners(opened.ledger, opened.settings)
        opened.ledger.check_others(partners.check_of)
        yield Partnered(
            floor,
            usa,
            Dispatching(opened.ledger, opened.sight, opened.keys, node="col", clock=wall_us),
            Receiving(opened.ledger, partners, node="col", clock=wall_us),
        )
        usa.ledger.close()


@contextmanager
def partnered(folder: Path, *, data: bool = False, **given: Any) -> Iterator[Partnered]:
    """The two have met; USA is in the case K-7."""
    with unmet(folder, data=data, **given) as made:
        opened, usa = made.floor.opened, made.usa
        partners = open_partners(opened.ledger, opened.settings)
        told = usa.introduction()
        partners.propose(told, place="", who="Ana Ruiz")
        partners.confirm("usa", fingerprint(told), who="Luz Paz", clearance="SECRET", purposes=("watch",))
        partners.into_case("usa", "K-7", who="Ana Ruiz", second="Luz Paz")
        mine = own_introduction(opened)
        usa.partners.propose(mine, place="", who="Bo Lee")
        usa.partners.confirm("col", fingerprint(mine), who="Di Fox", clearance="SECRET", purposes=("watch",))
        usa.partners.into_case("col", "K-7", who="Bo Lee", second="Di Fox")
        yield made
