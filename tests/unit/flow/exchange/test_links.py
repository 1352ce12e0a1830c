"""Two nodes over a way that loses, doubles and reorders; over a stick; and over a real broker."""

import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from coalition import HOME_ONLY, TO_USA, Clock, CoalitionNode, coalition
from shiprider.adapters.bus.files import FolderLink
from shiprider.adapters.bus.nats import NatsLink, Place
from shiprider.adapters.bus.server import Broker, Guest
from shiprider.adapters.certificates.link import LinkCertificate
from shiprider.flow.exchange import links
from shiprider.flow.exchange.links import Pace, PartnerLink
from shiprider.model.errors import LinkDown
from shiprider.ports.bus import Parcel


class Way:
    """Both ways between two nodes, in memory; `bad` loses and doubles a third each and reorders."""

    def __init__(self, seed: int, bad: bool) -> None:
        self.draw = random.Random(seed)
        self.bad = bad
        self.boxes: dict[str, list[bytes]] = {"col": [], "usa": []}

    def end(self, mine: str, other: str) -> "End":
        return End(self, mine, other)


class End:
    def __init__(self, way: Way, mine: str, other: str) -> None:
        self.way, self.mine, self.other = way, mine, other

    def send(self, lane: str, data: bytes) -> None:
        way = self.way
        if way.bad and way.draw.random() < 0.1:
            raise LinkDown("cut")
        copies = way.draw.choice((0, 1, 2)) if way.bad else 1
        way.boxes[self.other] += [data] * copies
        if way.bad:
            way.draw.shuffle(way.boxes[self.other])

    def receive(self, lane: str, most: int, wait_s: float) -> Sequence[Parcel]:
        box = self.way.boxes[self.mine]
        taken, box[:] = box[:most], box[most:]
        return [Parcel(data, lambda: None) for data in taken]

    def close(self) -> None:
        pass


def linked(one: CoalitionNode, other: CoalitionNode, opened: Any, pace: Pace | None = None) -> PartnerLink:
    return PartnerLink(
        partner=other.name,
        partners=one.partners,
        dispatching=one.dispatching,
        receiving=one.receiving,
        keys=one.keys,
        node=one.name,
        open_link=opened,
        refused_folder=one.folder / "refused",
        clock=one.clock,
        pace=pace or Pace(),
    )


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[CoalitionNode]]:
    made = coalition(tmp_path, "col", "usa", clock=Clock())
    yield made
    for each in made:
        each.ledger.close()


def stepped(*ends: PartnerLink) -> None:
    for each in ends:
        try:
            each.step()
        except LinkDown:
            each._down("cut")


@pytest.mark.parametrize("seed", range(4))
def test_everything_is_applied_once_and_in_order_over_a_bad_way(
    nodes: list[CoalitionNode], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "RESEND_S", 0.0)
    col, usa = nodes
    way = Way(seed, bad=True)
    a = linked(col, usa, lambda: way.end("col", "usa"), Pace(bundle_bytes=2048, bundles=3))
    b = linked(usa, col, lambda: way.end("usa", "col"))
    for number in range(40):
        col.note(TO_USA, str(number))
        if number % 4 == 0:
            usa.note(TO_USA, f"u{number}")
        stepped(a, b)
        if number == 20:  # a stop on one side: nothing but the log is left of what was under way
            usa.ledger.close()
            usa.open()
            b = linked(usa, col, lambda: way.end("usa", "col"))
    for _ in range(3000):
        if len(usa.notes_of("col")) == 40 and len(col.notes_of("usa")) == 10:
            break
        stepped(a, b)
    assert usa.notes_of("col") == [str(n) for n in range(40)]
    assert col.notes_of("usa") == [f"u{n}" for n in range(0, 40, 4)]
    usa.ledger.verify()
    assert not (usa.folder / "refused").exists() or not list((usa.folder / "refused").iterdir())


def test_over_a_stick(nodes: list[CoalitionNode], tmp_path: Path) -> None:
    col, usa = nodes
    stick = tmp_path / "stick"
    a = linked(col, usa, lambda: FolderLink(stick, stick, node="col"))
    b = linked(usa, col, lambda: FolderLink(stick, stick, node="usa"))
    note = col.note(TO_USA, "by hand")
    stepped(a)
    assert [path.name for path in stick.iterdir()] == ["col-to-usa-records-0001-0000000001.bundle"]
    stepped(b)
    assert usa.notes_of("col") == ["by hand"]
    col.note(HOME_ONLY, "narrowed", id_=note.id, revision=1)
    stepped(a, b, a)
    assert usa.notes_of("col") == []
    assert len(col.ledger.of_kind("recall_answer")) == 1


def test_over_a_real_broker(nodes: list[CoalitionNode], tmp_path: Path) -> None:
    col, usa = nodes
    col_tls, usa_tls = LinkCertificate(tmp_path / "ct"), LinkCertificate(tmp_path / "ut")
    broker = Broker(
        tmp_path / "bus",
        col_tls,
        [Guest("usa", usa_tls.name, usa_tls.pem)],
        LinkCertificate,
        host="127.0.0.1",
        port=0,
    )
    try:
        short = usa_tls.name.partition(".")[0]
        host = broker.host_identity(usa_tls.name)

        def opened(hosting: bool) -> NatsLink:
            own = host if hosting else usa_tls
            return NatsLink(
                Place(
                    "127.0.0.1",
                    broker.port,
                    col_tls.name,
                    short,
                    hosting,
                    lambda: own.client_context(col_tls.pem),
                )
            )

        stop = threading.Event()
        ends = [linked(col, usa, lambda: opened(True)), linked(usa, col, lambda: opened(False))]
        threads = [threading.Thread(target=each.run, args=(stop,)) for each in ends]
        for each in threads:
            each.start()
        for number in range(300):
            col.note(TO_USA, str(number))
        until = time.monotonic() + 60
        while len(usa.notes_of("col")) < 300 and time.monotonic() < until:
            time.sleep(0.1)
        # What arrived last is acknowledged a moment later.
        while (at := ends[0].state()).acknowledged.sequence < at.sent.sequence and time.monotonic() < until:
            time.sleep(0.1)
        stop.set()
        for each in threads:
            each.join()
        assert usa.notes_of("col") == [str(n) for n in range(300)]
        assert ends[0].state().acknowledged.sequence == ends[0].state().sent.sequence
    finally:
        broker.close()


def test_a_broker_that_ended_is_started_again_and_one_left_behind_is_ended(tmp_path: Path) -> None:
    tls = LinkCertificate(tmp_path / "tls")

    def started(port: int) -> Broker:
        return Broker(tmp_path / "bus", tls, [], LinkCertificate, host="127.0.0.1", port=port)

    first = started(0)
    os.kill(first.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while first._process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    dead = first.pid
    first.tend()
    assert first.pid != dead
    with socket.create_connection(("127.0.0.1", first.port), 2):
        pass
    # Its node is killed, and begins again while the broker is still there: that one goes, a new one has the port.
    left = first.pid
    second = started(first.port)
    assert second.pid != left and first._process.wait(10) is not None
    before = second.pid
    second.tend()
    assert second.pid == before
    second.close()
    first._log.close()
