"""Promise 7: forged, relabelled, replayed and rolled-back bundles are refused: none of 100,000 mutations is taken.

The mutants know everything that was ever sent, pack everything again properly, and hold the keys of another partner;
what they lack is the sender's key.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from coalition import TO_BOTH, TO_USA, Clock, CoalitionNode, coalition
from shiprider.formats.feed_bundle import decode, encode, pack_items, unpack_items
from shiprider.model.envelope import bytes_of, digest_of, parse_envelope
from shiprider.model.errors import InputError
from shiprider.model.feed_bundle import FeedBundle, Recall, SharedRecord
from shiprider.model.label import written
from shiprider.share.feed import Expected, admitted, opened

PUBLIC = written("policy=COALITION class=UNCLASSIFIED rel=nations:COL,NLD,USA tlp=CLEAR").text
ORDINARY, ALL = 4_000, 100_000


class Feed:
    """A real feed from col to usa, the place where it stands, and a partner nld who forges."""

    def __init__(self, nodes: list[CoalitionNode]) -> None:
        self.col, self.usa, self.nld = nodes
        for number in range(6):
            self.col.note(TO_USA if number % 2 else TO_BOTH, f"note {number}")
        partner = self.col.partners.partner("usa")[1]
        self.bundles: list[FeedBundle] = []
        while (bundle := self.col.dispatching.next(partner, most_bytes=700)) is not None:
            self.bundles.append(bundle)
        assert len(self.bundles) >= 3
        first, self.next = self.bundles[0], self.bundles[1]
        assert self.usa.receiving.take(encode(first), "col").answer == "take"
        self.place = self.usa.receiving.place("col")
        self.check = self.usa.partners.check_of("col")

    def is_taken(self, data: bytes) -> bool:
        """As `Receiving.take` decides, without its looking into the log each time."""
        try:
            bundle = decode(data)
            taken = {(1, 1): self.place.hash}
            of = Expected(
                "col", "usa", self.place, self.check, self.usa.clock(), lambda e, s: taken.get((e, s), "")
            )
            if admitted(bundle, of).answer != "take":
                return False
            return not isinstance(opened(unpack_items(bundle.payload), origin="col", check=self.check), str)
        except InputError:
            return False

    def signed_by_nld(self, bundle: FeedBundle) -> FeedBundle:
        with self.nld.keys.signing() as signer:
            mine = structs.replace(bundle, key_id=signer.key_id)
            at_us = max(mine.made_us, signer.from_us)
            return structs.replace(mine, signature=signer.sign(mine.statement(), at_us))


def repacked(bundle: FeedBundle, change: Callable[[SharedRecord], Any]) -> FeedBundle:
    items = unpack_items(bundle.payload)
    payload, digest = pack_items([change(items[0]), *items[1:]])
    return structs.replace(bundle, payload=payload, digest=digest)


def relabelled(item: SharedRecord, **fields: Any) -> SharedRecord:
    made = structs.replace(parse_envelope(item.envelope), **fields)
    return structs.replace(item, envelope=bytes_of(made))


def mutants(feed: Feed, count: int, seed: int) -> Iterator[bytes]:
    """`count` of all kinds in turn."""
    draw = random.Random(seed)
    good = encode(feed.next)
    old = [encode(bundle) for bundle in feed.bundles]
    number: Callable[[], int] = lambda: draw.choice((0, 1, 2, 3, 2**31, draw.randrange(2**40)))  # noqa: E731

    def flipped() -> bytes:
        data = bytearray(good)
        for _ in range(draw.choice((1, 1, 1, 2, 8))):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        return bytes(data)

    def cut() -> bytes:
        at = draw.randrange(len(good))
        return draw.choice((good[:at], good[at:], good[:at] + draw.randbytes(3) + good[at:], good + b"\0"))

    def field() -> bytes:
        name = draw.choice(
            ("sender", "recipient", "epoch", "sequence", "previous", "made_us", "digest", "key_id")
        )
        now = getattr(feed.next, name)
        other: Any = number() if isinstance(now, int) else draw.choice(
            ("col", "usa", "nld", "", "0" * 64, feed.bundles[0].hash, feed.bundles[2].digest, now[::-1])
        )  # fmt: skip
        return encode(structs.replace(feed.next, **{name: other})) if other != now else flipped()

    def content() -> bytes:
        body = draw.randbytes(draw.randrange(40))
        change: Callable[[SharedRecord], Any] = draw.choice(
            (
                lambda item: relabelled(item, label=PUBLIC),
                lambda item: relabelled(item, label=""),
                lambda item: relabelled(item, origin=draw.choice(("nld", "usa", ""))),
                lambda item: relabelled(item, revision=number()),
                lambda item: relabelled(item, recorded_us=number()),
                lambda item: relabelled(item, author="Somebody Else"),
                lambda item: relabelled(item, digest=digest_of(body)),
                lambda item: structs.replace(relabelled(item, digest=digest_of(body)), body=body),
                lambda item: structs.replace(item, body=body),
                lambda item: structs.replace(item, signature=draw.randbytes(len(item.signature))),
                lambda item: Recall("1" * 32, parse_envelope(item.envelope).id, 1, "retracted"),
            )
        )
        made = repacked(feed.next, change)
        return encode(feed.signed_by_nld(made) if draw.random() < 0.5 else made)

    def replayed() -> bytes:
        bundle = draw.choice([b for b in feed.bundles if b is not feed.next])
        moved = structs.replace(
            bundle, sequence=draw.choice((bundle.sequence, 2)), epoch=draw.choice((1, 2, number())),
            previous=draw.choice((bundle.previous, feed.place.hash, "0" * 64)),
        )  # fmt: skip
        return draw.choice((draw.choice(old[:1] + old[2:]), encode(moved), encode(feed.signed_by_nld(moved))))

    makers = (flipped, cut, field, content, replayed)
    made = 0
    while made < count:
        data = makers[made % len(makers)]()
        if data != good:  # two flips can undo each other
            made += 1
            yield data


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    nodes = coalition(tmp_path, "col", "usa", "nld", clock=Clock())
    yield Feed(nodes)
    for node in nodes:
        node.ledger.close()


def test_no_mutation_is_taken(feed: Feed) -> None:
    assert feed.is_taken(encode(feed.next)), "or everything would be refused"
    assert [data for data in mutants(feed, ORDINARY, 7) if feed.is_taken(data)] == []


@pytest.mark.slow
def test_none_of_a_hundred_thousand_mutations_is_taken(feed: Feed) -> None:
    assert sum(feed.is_taken(data) for data in mutants(feed, ALL, 8)) == 0
    assert feed.is_taken(encode(feed.next))


def test_what_is_refused_changes_nothing_and_the_feed_goes_on(feed: Feed) -> None:
    head, usa = feed.usa.ledger.head(), feed.usa
    for data in mutants(feed, 400, 9):
        assert usa.receiving.take(data, "col").answer != "take"
    assert usa.ledger.head() == head
    assert usa.receiving.take(encode(feed.next), "col").answer == "take"
    usa.ledger.verify()


def test_a_partner_with_valid_keys_speaks_for_itself_alone(feed: Feed) -> None:
    """nld sends col's very records in a feed of its own, properly signed: it cannot speak for col."""
    items = unpack_items(feed.next.payload)
    payload, digest = pack_items(items)
    mine = structs.replace(
        feed.next, sender="nld", epoch=1, sequence=1, previous="0" * 64, payload=payload, digest=digest,
        made_us=feed.nld.clock(),
    )  # fmt: skip
    taken = feed.usa.receiving.take(encode(feed.signed_by_nld(mine)), "nld")
    assert (taken.answer, taken.reason) == ("refuse", "other_origin")
    as_own = repacked(mine, lambda item: relabelled(item, origin="nld"))
    taken = feed.usa.receiving.take(encode(feed.signed_by_nld(as_own)), "nld")
    assert (taken.answer, taken.reason) == ("refuse", "not_signed")
