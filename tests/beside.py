"""A node with people and its API, and a partner's node beside it, with bytes carried between them by hand."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from coalition import CoalitionNode
from shiprider.bootstrap.exchange import own_introduction
from shiprider.flow.exchange.dispatching import Dispatching
from shiprider.flow.exchange.receiving import Receiving
from shiprider.formats.feed_bundle import encode
from shiprider.model.introduction import fingerprint

LABEL = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"
POLICY = """schema = 1
node = "node"

[[homes]]
node = "node"
nation = "COL"

[[homes]]
node = "usa"
nation = "USA"

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


def now_us() -> int:
    return time.time_ns() // 1000


class Two:
    """A node with people and its API, and a partner's node beside it; `carry` is the link between them."""

    def __init__(self, floor: Any, usa: CoalitionNode) -> None:
        self.floor, self.usa = floor, usa
        opened = floor.opened
        self.partners = floor.site.desk.liaison._partners
        self.dispatching = Dispatching(opened.ledger, opened.sight, opened.keys, node="node", clock=now_us)
        self.receiving = Receiving(opened.ledger, self.partners, node="node", clock=now_us)

    def ask(self, login: str, method: str, path: str, body: Any = None) -> Any:
        return self.floor.client(login).request(method, f"/api/v1{path}", json=body)

    def meet(self) -> dict[str, Any]:
        """Introduced and confirmed on both sides."""
        told = self.usa.introduction()
        file = msgspec.json.encode(told).decode()
        made = self.ask("admin", "POST", "/partners", {"file": file, "place": "127.0.0.1:4250"})
        assert made.status_code == 201, made.text
        seen = made.json()
        body = {
            "expected_revision": seen["revision"],
            "fingerprint": fingerprint(told),
            "clearance": "SECRET",
            "purposes": ["watch"],
        }
        made = self.ask("liaison", "POST", f"/partners/{seen['id']}/confirm", body)
        assert made.status_code == 200, made.text
        mine = own_introduction(self.floor.opened)
        self.usa.partners.propose(mine, place="", who="Ana Ruiz")
        self.usa.partners.confirm(
            "node", fingerprint(mine), who="Luz Paz", clearance="SECRET", purposes=("watch",)
        )
        found: dict[str, Any] = made.json()
        return found

    def carry(self) -> None:
        """Everything that waits, there and back."""
        partner = self.partners.partner("usa")[1]
        while (bundle := self.dispatching.next(partner)) is not None:
            assert self.usa.receiving.take(encode(bundle), "node").answer == "take"
        while (bundle := self.usa.dispatching.next(self.usa.partners.partner("node")[1])) is not None:
            assert self.receiving.take(encode(bundle), "usa").answer == "take"

    def labelled_alert(self) -> str:
        """The node's alert, with a label that lets the partner have it."""
        client = self.floor.client("liaison")
        (alert,) = client.get("/api/v1/alerts").json()["alerts"]
        record = self.floor.opened.ledger.latest(alert["id"])
        draft = {
            "kind": "alert",
            "id": alert["id"],
            "expected_revision": record.revision,
            "label": LABEL,
            "why": "the partner's ship is nearer",
        }
        asked = client.post("/api/v1/relabellings", json=draft)
        assert asked.status_code == 201, asked.text
        if asked.json()["state"] == "proposed":
            agreed = self.floor.client("legal").post(
                f"/api/v1/relabellings/{asked.json()['id']}/agree", json={"expected_revision": 1}
            )
            assert agreed.status_code == 200, agreed.text
        found: str = alert["id"]
        return found


@contextmanager
def beside(people: Any, tmp_path: Path) -> Iterator[Two]:
    """Both nodes; the partner is not introduced yet."""
    (tmp_path / "node").mkdir(exist_ok=True)
    with people.floor(tmp_path / "node", policy=POLICY) as made:
        for login, role in (
            ("liaison", "liaison_officer"),
            ("legal", "legal_adviser"),
            ("watch", "watch_officer"),
            ("admin", "node_administrator"),
            ("auditor", "auditor"),
        ):
            clearance = "" if role in ("node_administrator", "auditor") else "SECRET"
            made.add(login, role, clearance=clearance)
        made.opened.node.load_picture()
        usa = CoalitionNode("usa", tmp_path / "usa", now_us, homes={"node": "COL"})
        yield Two(made, usa)
        usa.ledger.close()
