"""What people do with a partner by the API: a served node with one of each who may, and a partner it has not met yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from partnered import Partnered, unmet
from shiprider.bootstrap.exchange import own_introduction
from shiprider.model.introduction import fingerprint

LABEL = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"


class Two:
    """The two nodes; `carry` is the link between them."""

    def __init__(self, made: Partnered) -> None:
        self.floor, self.usa = made.floor, made.usa
        #: Everything that waits, there and back.
        self.carry = made.exchange

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
            "col", fingerprint(mine), who="Luz Paz", clearance="SECRET", purposes=("watch",)
        )
        found: dict[str, Any] = made.json()
        return found

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
def beside(folder: Path) -> Iterator[Two]:
    """Both nodes; the partner is not introduced yet."""
    folder.mkdir(exist_ok=True)
    with unmet(folder, data=True) as made:
        for login, role in (
            ("liaison", "liaison_officer"),
            ("legal", "legal_adviser"),
            ("watch", "watch_officer"),
            ("admin", "node_administrator"),
            ("auditor", "auditor"),
        ):
            clearance = "" if role in ("node_administrator", "auditor") else "SECRET"
            made.floor.add(login, role, clearance=clearance)
        made.floor.opened.node.load_picture()
        yield Two(made)
