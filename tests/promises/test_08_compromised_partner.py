"""Promise 8: a partner's node that was taken over, with valid keys: it reads its own feed alone, writes only as itself,
administers nothing, and is cut off within a minute of its revocation.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from msgspec import structs

from coalition import TO_BOTH, TO_USA, Clock, CoalitionNode, coalition
from shiprider.adapters.bus.nats import NatsLink, Place
from shiprider.adapters.bus.server import Broker, Guest
from shiprider.adapters.certificates.link import LinkCertificate
from shiprider.flow.exchange.dispatching import _shared
from shiprider.formats.feed_bundle import encode, pack_items
from shiprider.model.envelope import bytes_of, parse_envelope
from shiprider.model.feed_bundle import BEGINNING, Acknowledged, FeedBundle, NewKey, Recall, Withdrawn
from shiprider.model.label import written
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Filed
from shiprider.share.feed import SHARED

OWN_KINDS = (
    "partner", "policy_change", "signing_key", "dispatch", "receipt", "recall", "withdrawal", "recall_answer",
    "evidence_export", "browsing_alarm", "legal_hold", "setting", "handover", "watch_log", "spool_seal",
    "relabelling", "tear_line_proposal", "tear_line_link", "erasure",
)  # fmt: skip


class Hostile:
    """nld, taken over: it signs whatever it likes with its own good key, for usa."""

    def __init__(self, nodes: list[CoalitionNode]) -> None:
        self.col, self.usa, self.nld = nodes
        self.ours = self.usa.note(TO_BOTH, "ours")
        self.theirs = self.col.note(TO_USA, "theirs")
        self.count = 0
        assert [each.answer for each in self.col.send(self.usa)] == ["take"]
        self.recall_for_col = self._ordered_for_col()

    def _ordered_for_col(self) -> str:
        from shiprider.flow.exchange.dispatching import recall_draft
        from shiprider.model.exchange import RecallOrder

        order = RecallOrder(partner="col", record=self.ours.id, revision=1, reason="corrected")
        record: Record = self.usa.ledger.append([recall_draft(order, self.usa.clock(), "Ana Ruiz")])[0]
        return record.id

    def signed(self, kind: str = "note", *, label: str = TO_BOTH, body: bytes = b"", id_: str = "") -> Any:
        """A record of any kind in its own log, as it would be shared."""
        self.count += 1
        draft = Draft(
            id=id_ or f"{self.count:032x}", kind=kind, expected_revision=0, schema=1, author="Nobody",
            valid_from_us=1, label=label,
            body=body or b'{"subject_kind":"vessel","subject":"211234560","text":"x"}',
        )  # fmt: skip
        record = self.nld.ledger.append([Filed(draft=draft)])[0]
        return _shared(record)

    def bundle(self, *items: Any, **changed: Any) -> bytes:
        """The next bundle of its feed, properly numbered, chained and signed."""
        place = self.usa.receiving.place("nld")
        payload, digest = pack_items(items)
        with self.nld.keys.signing() as signer:
            made = FeedBundle(
                sender="nld", recipient="usa", epoch=max(place.epoch, 1), sequence=place.sequence + 1,
                previous=place.hash if place.sequence else BEGINNING,
                made_us=max(self.nld.clock(), signer.from_us), digest=digest, key_id=signer.key_id,
            )  # fmt: skip
            made = structs.replace(made, **changed)
            signature = signer.sign(made.statement(), made.made_us)
        return encode(structs.replace(made, payload=payload, signature=signature))

    def answer(self, *items: Any, link: str = "nld", **changed: Any) -> tuple[str, str]:
        taken = self.usa.receiving.take(self.bundle(*items, **changed), link)
        return taken.answer, taken.reason


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Hostile]:
    nodes = coalition(tmp_path, "col", "usa", "nld", clock=Clock())
    yield Hostile(nodes)
    for each in nodes:
        each.ledger.close()


def test_its_own_bundle_is_taken_so_the_refusals_mean_something(hostile: Hostile) -> None:
    assert hostile.answer(hostile.signed()) == ("take", "")
    assert hostile.usa.notes_of("nld") == ["x"]


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_it_writes_nothing_of_a_nodes_own_dealings(hostile: Hostile, kind: str) -> None:
    assert kind not in SHARED
    before = hostile.usa.ledger.head()
    assert hostile.answer(hostile.signed(kind, body=b"{}")) == ("refuse", "kind")
    assert hostile.usa.ledger.head() == before


def test_it_writes_as_nobody_else(hostile: Hostile) -> None:
    before = hostile.usa.ledger.head()
    for id_ in (hostile.ours.id, hostile.theirs.id):
        assert hostile.answer(hostile.signed(id_=id_)) == ("refuse", "other_origin")
    for origin in ("usa", "col", "", "nowhere"):
        item = hostile.signed()
        forged = structs.replace(parse_envelope(item.envelope), origin=origin)
        assert hostile.answer(structs.replace(item, envelope=bytes_of(forged)))[0] == "refuse"
    assert hostile.answer(hostile.signed(), link="col") == ("refuse", "other_sender")
    assert hostile.answer(hostile.signed(), sender="col") == ("refuse", "other_sender")
    assert hostile.answer(hostile.signed(), recipient="col") == ("refuse", "other_recipient")
    # A record of col's that it was given, passed on under its own feed.
    assert hostile.answer(_shared(hostile.theirs)) == ("refuse", "other_origin")
    for label in ("", "policy=NONSENSE class=EVERYTHING", "\0"):
        item = hostile.signed()
        forged = structs.replace(parse_envelope(item.envelope), label=label)
        assert hostile.answer(structs.replace(item, envelope=bytes_of(forged)))[0] == "refuse"
    assert hostile.usa.ledger.head() == before


def test_it_takes_back_only_its_own(hostile: Hostile) -> None:
    recalls = [
        Recall(f"{n:032x}", id_, 10**6, "retracted")
        for n, id_ in enumerate((hostile.ours.id, hostile.theirs.id))
    ]
    assert hostile.answer(*recalls) == ("take", "")
    assert hostile.usa.ledger.latest(hostile.ours.id).body is not None
    assert hostile.usa.ledger.latest(hostile.theirs.id).body is not None
    # It answers no recall that went to somebody else, and acknowledges nobody else's feed.
    forged = Withdrawn(hostile.recall_for_col, 1, 0)
    assert hostile.answer(forged) == ("refuse", "answer")
    with hostile.nld.keys.signing() as signer:
        told = Acknowledged(
            sender="usa", recipient="col", epoch=1, sequence=9, made_us=hostile.nld.clock(), key_id=signer.key_id
        )  # fmt: skip
        told = structs.replace(told, signature=signer.sign(told.statement(), told.made_us))
    assert not hostile.usa.receiving.acknowledged(told, "col")
    assert not hostile.usa.receiving.acknowledged(structs.replace(told, recipient="nld"), "nld")


def test_it_changes_no_keys_but_its_own_next(hostile: Hostile) -> None:
    col_key = hostile.usa.partners.partner("col")[1].keys[-1]
    forged = NewKey(col_key.key_id, col_key.public, 1, "0" * 128)
    assert hostile.answer(forged)[0] == "refuse"
    assert [key.key_id for key in hostile.usa.partners.partner("nld")[1].keys] == [
        key.key_id for key in hostile.nld.keys.public()
    ]
    assert hostile.usa.partners.partner("col")[1].keys[-1] == col_key


def test_an_agreement_of_its_own_making_gives_it_nothing(hostile: Hostile) -> None:
    secret = hostile.usa.note(written("policy=COALITION class=SECRET rel=nations:COL,USA").text, "secret")
    nld = hostile.usa.partners.partner("nld")[1]
    before = hostile.usa.dispatching.allowed(nld)
    body = (
        b'{"id":"accord","title":"All for us","from_us":0,"parties":[{"name":"usa","nation":"USA"},'
        b'{"name":"nld","nation":"NLD"}],"sharing":[{"id":"1","shared_by":["usa"],"shared_with":["nld"],'
        b'"kinds":["*"],"purposes":["*"],"highest":"TOP_SECRET"}]}'
    )
    taken = hostile.answer(hostile.signed("agreement", body=body))
    assert taken[0] in ("take", "refuse")
    after = hostile.usa.dispatching.allowed(hostile.usa.partners.partner("nld")[1])
    assert after.classes == before.classes
    hostile.usa.send(hostile.nld)
    assert hostile.nld.ledger.latest_of([secret.id]) == {}
    assert hostile.usa.notes_of("nld") == []


def test_what_is_too_much_is_refused_whole(hostile: Hostile) -> None:
    many = [Recall(f"{n:032x}", hostile.ours.id, 1, "retracted") for n in range(101)]
    assert hostile.answer(*many) == ("refuse", "unreadable")
    large = hostile.signed(
        body=b'{"subject_kind":"vessel","subject":"1","text":"' + b"x" * (33 << 20) + b'"}'
    )
    assert hostile.answer(large) == ("refuse", "unreadable")
    assert hostile.answer(hostile.signed(), made_us=hostile.usa.clock() + 3_600_000_000) == (
        "refuse",
        "from_the_future",
    )


def test_a_revoked_partner_is_taken_nothing_from_and_sent_nothing(hostile: Hostile) -> None:
    good = hostile.bundle(hostile.signed())
    hostile.usa.partners.end("nld", "revoked", who="Luz Paz", why="its node was taken over")
    taken = hostile.usa.receiving.take(good, "nld")
    assert (taken.answer, taken.reason) == ("refuse", "not_confirmed")


# -- at the broker ----------------------------------------------------------------------------------------

ATTEMPTS = (
    ("publish", "to.records"),
    ("publish", "to.frames"),
    ("publish", "$JS.API.STREAM.PURGE.TO"),
    ("publish", "$JS.API.STREAM.PURGE.FROM"),
    ("publish", "$JS.API.STREAM.DELETE.TO"),
    ("publish", "$JS.API.STREAM.CREATE.MINE"),
    ("publish", "$JS.API.STREAM.UPDATE.TO"),
    ("publish", "$JS.API.STREAM.INFO.TO"),
    ("publish", "$JS.API.STREAM.NAMES"),
    ("publish", "$JS.API.STREAM.MSG.GET.TO"),
    ("publish", "$JS.API.STREAM.MSG.DELETE.TO"),
    ("publish", "$JS.API.DIRECT.GET.TO"),
    ("publish", "$JS.API.CONSUMER.CREATE.TO"),
    ("publish", "$JS.API.CONSUMER.DURABLE.CREATE.TO.mine"),
    ("publish", "$JS.API.CONSUMER.DELETE.TO.records"),
    ("publish", "$JS.API.CONSUMER.MSG.NEXT.FROM.records"),
    ("publish", "$JS.API.ACCOUNT.INFO"),
    ("publish", "$JS.ACK.FROM.records.1.1.1.1.1"),
    ("publish", "$SYS.REQ.SERVER.PING"),
    ("publish", "$SYS.REQ.ACCOUNT.x.CLAIMS.UPDATE"),
    ("subscribe", ">"),
    ("subscribe", "to.>"),
    ("subscribe", "from.>"),
    ("subscribe", "_INBOX.>"),
    ("subscribe", "$SYS.>"),
    ("subscribe", "$JS.EVENT.>"),
)


class Bus:
    """The broker of one node with two partners, one of them hostile."""

    def __init__(self, folder: Path) -> None:
        self.own = LinkCertificate(folder / "own")
        self.tls = {name: LinkCertificate(folder / name) for name in ("col", "nld")}
        self.guests = [Guest(name, tls.name, tls.pem) for name, tls in self.tls.items()]
        self.broker = Broker(folder / "bus", self.own, self.guests, LinkCertificate, host="127.0.0.1", port=0)

    def link(self, guest: str, *, hosting: bool, shown: Any = None) -> NatsLink:
        tls = self.tls[guest]
        shown = shown or (self.broker.host_identity(tls.name) if hosting else tls)
        return NatsLink(
            Place(
                "127.0.0.1", self.broker.port, self.own.name, tls.name.partition(".")[0], hosting,
                lambda: shown.client_context(self.own.pem),
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    made = Bus(tmp_path_factory.mktemp("bus"))
    yield made
    made.broker.close()


def test_it_takes_from_its_own_stream_and_can_do_nothing_else_at_the_broker(bus: Bus) -> None:
    hosts = {name: bus.link(name, hosting=True) for name in ("col", "nld")}
    for name, host in hosts.items():
        host.send("records", f"for {name}".encode())
    guest = bus.link("nld", hosting=False)
    tls = bus.tls["nld"]
    short = tls.name.partition(".")[0]

    async def attempt() -> list[str]:
        denied: list[str] = []

        async def unheard(error: Exception) -> None:
            denied.append(str(error).lower())

        client = await nats.connect(
            f"tls://127.0.0.1:{bus.broker.port}", tls=tls.client_context(bus.own.pem),
            tls_hostname=bus.own.name, error_cb=unheard, allow_reconnect=False,
            inbox_prefix=f"_INBOX_{short}".encode(),
        )  # fmt: skip
        heard: list[Any] = []

        async def listen(message: Any) -> None:
            heard.append(message)

        kept: list[str] = []
        for how, subject in ATTEMPTS:
            before = len(denied)
            if how == "publish":
                await client.publish(subject, b"{}", reply=f"_INBOX_{short}.x")
            else:
                await client.subscribe(subject, cb=listen)
            await client.flush()
            await asyncio.sleep(0.05)
            if len(denied) == before:
                kept.append(f"{how} {subject} was not refused")
        await client.close()
        assert heard == []
        assert all("permissions violation" in each for each in denied), denied
        return kept

    assert asyncio.run(attempt()) == []
    parcels = guest.receive("records", 10, 2.0)
    assert [each.data for each in parcels] == [b"for nld"]
    parcels[0].done()
    # What it sends reaches the host in its own account, and what is for col lies untouched.
    guest.send("records", b"from nld")
    assert [each.data for each in hosts["nld"].receive("records", 10, 2.0)] == [b"from nld"]
    assert hosts["col"].receive("records", 10, 0.2) == []
    col = bus.link("col", hosting=False)
    assert [each.data for each in col.receive("records", 10, 2.0)] == [b"for col"]
    for each in (*hosts.values(), guest, col):
        each.close()


def test_strangers_and_plain_connections_do_not_come_in(bus: Bus, tmp_path: Path) -> None:
    stranger = LinkCertificate(tmp_path / "stranger")

    async def comes(context: ssl.SSLContext | None, **more: Any) -> bool:
        scheme = "tls" if context else "nats"
        named = {"tls": context, "tls_hostname": bus.own.name} if context else {}
        try:
            client = await nats.connect(
                f"{scheme}://127.0.0.1:{bus.broker.port}", allow_reconnect=False, connect_timeout=3, **named, **more
            )  # fmt: skip
        except Exception:
            return False
        with contextlib.suppress(Exception):
            await client.close()
        return True

    assert asyncio.run(comes(bus.tls["col"].client_context(bus.own.pem)))
    assert not asyncio.run(comes(stranger.client_context(bus.own.pem)))
    bare = ssl.create_default_context(cadata=bus.own.pem)
    assert not asyncio.run(comes(bare))
    assert not asyncio.run(comes(None, user="admin", password="admin"))  # noqa: S106 (a guess)
    older = bus.tls["col"].client_context(bus.own.pem)
    older.minimum_version = ssl.TLSVersion.TLSv1_2
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not asyncio.run(comes(older))


def test_revoked_it_is_cut_off_at_once(bus: Bus) -> None:
    tls = bus.tls["nld"]

    async def cut() -> float:
        gone = asyncio.Event()

        async def closed() -> None:
            gone.set()

        client = await nats.connect(
            f"tls://127.0.0.1:{bus.broker.port}", tls=tls.client_context(bus.own.pem),
            tls_hostname=bus.own.name, allow_reconnect=False, closed_cb=closed,
        )  # fmt: skip
        began = time.monotonic()
        bus.broker.admit([each for each in bus.guests if each.node != "nld"])
        await asyncio.wait_for(gone.wait(), 60)
        took_s = time.monotonic() - began
        try:
            client = await nats.connect(
                f"tls://127.0.0.1:{bus.broker.port}", tls=tls.client_context(bus.own.pem),
                tls_hostname=bus.own.name, allow_reconnect=False, connect_timeout=3,
            )  # fmt: skip
        except Exception:
            return took_s
        await client.close()
        raise AssertionError("it came in again")

    assert asyncio.run(cut()) < 60
    bus.broker.admit(bus.guests)
