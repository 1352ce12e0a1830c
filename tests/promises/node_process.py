"""One node of a coalition as a process of its own, to be cut off and killed: it writes, shares, recalls and exchanges.

Simulated time runs `scale` times as fast as the clock, from the same moment on every node. Everything it does is drawn
from its seed. What is told on standard output: `ready` once it runs, `quiet` when all that it holds was acknowledged.
"""

import json
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coalition import KEPT_AT_HOME, T0, TO_BOTH, TO_USA, CoalitionNode
from shiprider.adapters.bus.nats import NatsLink, Place
from shiprider.adapters.bus.server import Broker, Guest
from shiprider.adapters.certificates.link import LinkCertificate
from shiprider.flow.exchange import links
from shiprider.flow.exchange.dispatching import recall_draft
from shiprider.flow.exchange.links import Pace, PartnerLink
from shiprider.model.errors import LinkDown, ShipriderError
from shiprider.model.exchange import RecallOrder


class SimulatedClock:
    """Microseconds since 1970 UTC, the same on every node."""

    def __init__(self, began_s: float, scale: float) -> None:
        self._began_s, self._scale = began_s, scale

    def __call__(self) -> int:
        return T0 + round((time.monotonic() - self._began_s) * self._scale * 1e6)


@dataclass
class BadWay:
    """A way that drops, doubles and reorders what it is given; and what comes over it, now and then, does not count."""

    link: Any
    rng: random.Random
    held: list[tuple[Any, bytes]] = field(default_factory=list)

    def send(self, lane: Any, data: bytes) -> None:
        what = self.rng.random()
        if what < 0.06:
            return
        if what < 0.16:
            self.held.append((lane, data))
            return
        self.link.send(lane, data)
        if what < 0.28:
            self.link.send(lane, data)
        if self.held and self.rng.random() < 0.5:
            self.link.send(*self.held.pop(self.rng.randrange(len(self.held))))

    def receive(self, lane: Any, most: int, wait_s: float) -> Any:
        return self.link.receive(lane, most, wait_s)

    def close(self) -> None:
        self.link.close()


class Writer:
    """Draws what the node's people do: new notes, revisions, narrower labels, recalls, erasures by law."""

    def __init__(self, node: CoalitionNode, other: str, rng: random.Random) -> None:
        self._node, self._other, self._rng = node, other, rng

    def act(self) -> None:
        node, rng = self._node, self._rng
        mine = [each for each in node.ledger.of_kind("note") if each.origin == node.name]
        what = rng.random()
        if what < 0.6 or not mine:
            node.count = len(mine)
            node.note(
                rng.choice((TO_USA, TO_USA, TO_BOTH, KEPT_AT_HOME[node.name])), f"{node.name} {rng.random()}"
            )
            return
        record = rng.choice(mine)
        if what < 0.78:
            node.note(record.label, f"revised {rng.random()}", id_=record.id, revision=record.revision)
        elif what < 0.88:
            node.note(
                KEPT_AT_HOME[node.name], f"narrowed {rng.random()}", id_=record.id, revision=record.revision
            )
        elif what < 0.94 and self._other in node.dispatching.sent.holders(record.id):
            order = RecallOrder(
                partner=self._other, record=record.id, revision=record.revision, reason="corrected"
            )
            node.ledger.append([recall_draft(order, node.clock(), "Ana Ruiz")])
        elif record.body is not None:
            node.ledger.erase(
                record.id, record.revision, author="Luz Paz", authority="a court", reason="erased"
            )


def main() -> None:
    """Run until killed. The plan comes as JSON in the first argument."""
    plan = json.loads(sys.argv[1])
    name, other, folder = plan["name"], plan["other"], Path(plan["folder"])
    rng = random.Random(plan["seed"])
    clock = SimulatedClock(plan["began_s"], plan["scale"])
    links.RESEND_S = plan["resend_s"]
    node = CoalitionNode(name, folder, clock)
    own = LinkCertificate(folder / "tls")
    theirs = Path(plan["other_pem"]).read_text()
    broker = None
    if plan["hosts"]:
        guest = Guest(other, plan["guest_name"], theirs)
        broker = Broker(folder / "bus", own, [guest], LinkCertificate, host="127.0.0.1", port=plan["port"])
        shown = broker.host_identity(plan["guest_name"])
        server, trusted = own.name, own.pem
    else:
        shown, server, trusted = own, plan["host_name"], theirs

    def opened() -> Any:
        if broker is not None:
            broker.tend()
        link = NatsLink(
            Place(
                "127.0.0.1",
                plan["through"],
                server,
                plan["guest_name"].partition(".")[0],
                plan["hosts"],
                lambda: shown.client_context(trusted),
            )
        )
        return BadWay(link, rng) if plan["bad"] else link

    end = PartnerLink(
        partner=other,
        partners=node.partners,
        dispatching=node.dispatching,
        receiving=node.receiving,
        keys=node.keys,
        node=name,
        open_link=opened,
        refused_folder=folder / "refused",
        clock=clock,
        pace=Pace(bundle_bytes=plan["bundle_bytes"], bundles=4),
    )
    node.receiving.carry_out()
    writer = Writer(node, other, rng)
    print("ready", flush=True)
    stop = threading.Event()
    quiet_since: float | None = None
    due, at_s = 0.0, time.monotonic()
    while not stop.is_set():
        due += min(time.monotonic() - at_s, 1.0) * plan["writes_per_s"]
        at_s = time.monotonic()
        while due >= 1.0:
            writer.act()
            due -= 1.0
        try:
            moved = end.step()
        except LinkDown:
            end._down("")
            time.sleep(0.05)
            quiet_since = None
            continue
        except ShipriderError as error:
            print(f"fault {error}", flush=True)
            raise
        state = end.state()
        settled = (
            not moved and state.acknowledged.sequence == state.sent.sequence and not plan["writes_per_s"]
        )
        quiet_since = (quiet_since or time.monotonic()) if settled else None
        if quiet_since and time.monotonic() - quiet_since > 2.0:
            print("quiet", flush=True)
            quiet_since = None
            time.sleep(0.2)
        if not moved:
            time.sleep(0.02)


if __name__ == "__main__":
    main()
