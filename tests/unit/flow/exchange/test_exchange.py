"""Two and three nodes exchange: what goes, what does not, what is taken back, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from coalition import HOME_ONLY, TO_BOTH, TO_USA, Clock, CoalitionNode, coalition
from shiprider.adapters.keys.files import ed25519_signed
from shiprider.flow.exchange.partners import read_introduction
from shiprider.flow.signing_keys import rotate
from shiprider.formats.feed_bundle import decode, encode
from shiprider.model.errors import Conflict, Forbidden, InputError, UsageError
from shiprider.model.introduction import fingerprint


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[CoalitionNode]]:
    made = coalition(tmp_path, "col", "usa", "nld", clock=Clock())
    yield made
    for each in made:
        each.ledger.close()


def answers(outcomes: list) -> list[str]:
    return [each.answer for each in outcomes]


def test_each_partner_gets_what_its_label_lets_it_have_once(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    col.note("", "own")
    col.note(HOME_ONLY, "home")
    col.note(TO_USA, "usa")
    col.note(TO_BOTH, "both")
    assert answers(col.send(usa)) == ["take"] and answers(col.send(nld)) == ["take"]
    assert sorted(usa.notes_of("col")) == ["both", "usa"]
    assert nld.notes_of("col") == ["both"]
    assert col.send(usa) == [] and col.send(nld) == []
    col.note(TO_BOTH, "later")
    assert answers(col.send(usa)) == ["take"]
    assert sorted(usa.notes_of("col")) == ["both", "later", "usa"]
    for node in nodes:
        node.ledger.verify()


def test_the_feed_of_one_partner_says_nothing_of_what_others_get(nodes: list[CoalitionNode]) -> None:
    col, _, nld = nodes
    for number in range(250):
        col.note(HOME_ONLY if number % 2 else TO_USA, str(number))
    col.note(TO_BOTH)
    partner = col.partners.partner("nld")[1]
    bundle = col.dispatching.next(partner)
    assert (bundle.epoch, bundle.sequence) == (1, 1)
    assert nld.receiving.take(encode(bundle), "col").answer == "take"
    assert col.dispatching.next(partner) is None


def test_many_go_in_bundles_of_a_hundred_and_in_order(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    for number in range(250):
        col.note(TO_USA, str(number))
    outcomes = col.send(usa)
    assert [len(each.records) for each in outcomes] == [100, 100, 50]
    assert usa.notes_of("col") == [str(number) for number in range(250)]


def test_what_is_written_while_a_bundle_is_chosen_is_not_passed_over(
    nodes: list[CoalitionNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    col, usa, _ = nodes
    col.note(TO_USA, "0")
    real, late = col.ledger.since, ["1", "2"]

    def since(*args: object, **given: object) -> list:
        page = real(*args, **given)
        if late and given.get("kinds") == ("note",):
            col.note(TO_USA, late.pop(0))
        return page

    monkeypatch.setattr(col.ledger, "since", since)
    col.send(usa)
    assert usa.notes_of("col") == ["0", "1", "2"]


def test_a_bundle_again_is_known_an_early_one_waits_and_a_fork_is_refused(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    partner = col.partners.partner("usa")[1]
    bundles = []
    for number in range(3):
        col.note(TO_USA, str(number))
        bundles.append(encode(col.dispatching.next(partner)))
    assert usa.receiving.take(bundles[1], "col").answer == "early"
    assert usa.receiving.take(bundles[0], "col").answer == "take"
    assert usa.receiving.take(bundles[0], "col").answer == "known"
    assert usa.receiving.take(bundles[1], "col").answer == "take"
    assert usa.notes_of("col") == ["0", "1"]
    # The same place signed again with other contents, as a node restored from a back-up would.
    with col.keys.signing() as signer:
        old = decode(bundles[2])
        other = structs.replace(
            old, made_us=old.made_us + 1, sequence=2, previous=decode(bundles[1]).previous
        )
        forged = structs.replace(other, signature=signer.sign(other.statement(), other.made_us))
    refused = usa.receiving.take(encode(forged), "col")
    assert (refused.answer, refused.reason) == ("refuse", "forked")


def test_what_was_sent_is_made_again_byte_for_byte(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    first = col.note(TO_USA, "a")
    partner = col.partners.partner("usa")[1]
    bundle = encode(col.dispatching.next(partner))
    waiting = col.dispatching.sent.after("usa", 0, 0, 10)
    assert [encode(col.dispatching.again(each)) for each in waiting] == [bundle]
    col.ledger.erase(first.id, 1, author="Ana Ruiz", authority="a judge", reason="a wrong name")
    assert col.dispatching.again(waiting[0]) is None
    # It is begun anew without it, and the feed goes on: nothing else is lost.
    col.note(TO_USA, "b")
    second = col.dispatching.next(partner)
    assert usa.receiving.take(encode(second), "col").answer == "early"
    assert col.dispatching.renew(partner, 0, 0) == 2
    for record in col.dispatching.sent.after("usa", 0, 0, 10):
        anew = col.dispatching.again(record)
        assert anew.epoch == 2
        assert usa.receiving.take(encode(anew), "col").answer == "take"
    assert usa.notes_of("col") == ["b"]
    assert usa.receiving.take(bundle, "col").reason == "forked", "the old epoch is over"


def test_narrowing_recalls_and_the_answer_comes_back(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    note = col.note(TO_BOTH, "both")
    col.send(usa), col.send(nld)
    mine = usa.note("", "what I think of it")
    assert mine.origin == "usa"
    col.note(HOME_ONLY, "narrowed", id_=note.id, revision=1)
    assert answers(col.send(usa)) == ["take"]
    assert usa.notes_of("col") == [] and nld.notes_of("col") == ["both"]
    assert answers(usa.send(col)) == ["take"]
    (answer,) = col.ledger.of_kind("recall_answer")
    assert b'"partner":"usa"' in answer.body
    col.send(nld)
    assert nld.notes_of("col") == []
    # Nothing goes round and round.
    assert col.send(usa) == [] and usa.send(col) == []
    for node in nodes:
        node.ledger.verify()


def test_erasure_by_law_reaches_every_holder(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    note = col.note(TO_BOTH, "both")
    col.send(usa), col.send(nld)
    col.ledger.erase(note.id, 1, author="Ana Ruiz", authority="a judge", reason="a wrong name")
    col.send(usa), col.send(nld)
    assert usa.notes_of("col") == [] and nld.notes_of("col") == []


def test_a_correction_is_a_later_revision(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    note = col.note(TO_USA, "first")
    col.send(usa)
    col.note(TO_USA, "second", id_=note.id, revision=1)
    col.send(usa)
    assert usa.notes_of("col") == ["second"]


def test_a_wider_label_sends_what_is_newest_and_never_goes_back(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    note = col.note(HOME_ONLY, "first")
    col.note(TO_USA, "second", id_=note.id, revision=1)
    col.send(usa)
    assert usa.notes_of("col") == ["second"]
    (here,) = [r for r in usa.ledger.of_kind("note") if r.origin == "col"]
    assert here.revision == 2


def test_only_its_originator_speaks_for_a_node(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    col.note(TO_BOTH, "of col")
    partner = col.partners.partner("usa")[1]
    bundle = col.dispatching.next(partner)
    assert nld.receiving.take(encode(bundle), "col").reason == "other_recipient"
    assert usa.receiving.take(encode(bundle), "nld").reason == "other_sender"
    # usa signs col's records into its own feed.
    with usa.keys.signing() as signer:
        unsigned = structs.replace(
            bundle, sender="usa", recipient="nld", key_id=signer.key_id, made_us=usa.clock()
        )
        relayed = structs.replace(unsigned, signature=signer.sign(unsigned.statement(), unsigned.made_us))
    assert nld.receiving.take(encode(relayed), "usa").reason == "other_origin"
    assert nld.notes_of("col") == []


def test_nobody_is_a_partner_without_two_people_and_the_fingerprint(tmp_path: Path) -> None:
    clock = Clock()
    col, usa = (CoalitionNode(name, tmp_path / name, clock) for name in ("col", "usa"))
    told = usa.introduction()
    file = msgspec.json.encode(told)
    assert read_introduction(file, ed25519_signed) == told
    with pytest.raises(InputError, match="altered"):
        read_introduction(msgspec.json.encode(structs.replace(told, nation="NLD")), ed25519_signed)
    col.partners.propose(told, place="", who="Ana Ruiz")
    usa.meet(col)
    usa.note(TO_USA.replace("COL,USA", "COL,USA"), "early")
    assert [each.reason for each in usa.send(col)] == ["not_confirmed"]
    with pytest.raises(Forbidden):
        col.partners.confirm("usa", fingerprint(told), who="Ana Ruiz")
    with pytest.raises(UsageError):
        col.partners.confirm("usa", "00000 " * 6, who="Luz Paz")
    col.partners.confirm("usa", fingerprint(told), who="Luz Paz", clearance="SECRET", purposes=("watch",))
    with pytest.raises(Conflict):
        col.partners.propose(told, place="", who="Ana Ruiz")
    col.partners.end("usa", "revoked", who="Ana Ruiz", why="their ship was lost")
    bundle = usa.dispatching.again(usa.dispatching.sent.after("col", 0, 0, 1)[0])
    assert col.receiving.take(encode(bundle), "usa").reason == "not_confirmed"
    col.ledger.close()
    usa.ledger.close()


def test_a_partners_next_key_is_taken_when_the_one_before_endorsed_it(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    col.note(TO_USA, "old key")
    col.send(usa)
    rotate(col.ledger, col.keys, col.clock, "Ana Ruiz")
    rotate(col.ledger, col.keys, col.clock, "Ana Ruiz")
    col.note(TO_USA, "new key")
    assert answers(col.send(usa)) == ["take"]
    assert usa.notes_of("col") == ["old key", "new key"]
    keys = usa.partners.partner("col")[1].keys
    assert [key.state for key in keys] == ["retired", "retired", "active"]
    usa.ledger.verify()
    # A key that no key of col's endorsed signs nothing of col's.
    col.note(TO_USA, "stolen")
    real = col.dispatching.next(col.partners.partner("usa")[1])
    with usa.keys.signing() as signer:
        stolen = structs.replace(real, key_id=signer.key_id)
        stolen = structs.replace(stolen, signature=signer.sign(stolen.statement(), stolen.made_us))
    assert usa.receiving.take(encode(stolen), "col").reason == "not_signed"
    assert usa.receiving.take(encode(real), "col").answer == "take"


def test_a_node_stopped_between_taking_and_carrying_out_goes_on(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    note = col.note(TO_USA, "usa")
    col.send(usa)
    col.note(HOME_ONLY, "narrowed", id_=note.id, revision=1)
    usa.receiving.carry_out = lambda: None
    col.send(usa)
    assert usa.notes_of("col") == ["usa"] and usa.send(col) == [], "not answered before it is done"
    usa.ledger.close()
    usa.open()
    usa.receiving.carry_out()
    assert usa.notes_of("col") == []
    assert answers(usa.send(col)) == ["take"]


def test_what_is_written_while_a_bundle_is_chosen_goes_with_a_later_one(
    nodes: list[CoalitionNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    col, usa, _ = nodes
    col.note(TO_USA, "first")
    real, meanwhile = col.ledger.since, iter(range(4))

    def since(*told: Any, **more: Any) -> list[Any]:
        page = real(*told, **more)
        if "note" in more.get("kinds", ()) and (number := next(meanwhile, None)) is not None:
            col.note(TO_USA, f"meanwhile {number}")
        return list(page)

    monkeypatch.setattr(col.ledger, "since", since)
    while any(col.send(usa)):
        pass
    assert usa.notes_of("col") == ["first", *(f"meanwhile {number}" for number in range(4))]


def test_what_was_narrowed_before_it_left_is_not_sent(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    first = col.note(TO_BOTH, "seen")
    col.note(HOME_ONLY, "seen", id_=first.id, revision=1)
    second = col.note(TO_BOTH, "both")
    col.note(TO_USA, "usa alone", id_=second.id, revision=1)
    assert answers(col.send(usa)) == ["take"] and col.send(nld) == []
    assert sorted(usa.notes_of("col")) == ["usa alone"] and nld.notes_of("col") == []
    assert {r.revision for r in usa.ledger.history(second.id)} == {1, 2}


def test_what_was_narrowed_while_a_bundle_was_signed_is_taken_back_after_a_stop(
    nodes: list[CoalitionNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    col, usa, _ = nodes
    note = col.note(TO_USA, "seen")
    real = col.ledger.append

    def append(drafts: Any) -> Any:
        if getattr(getattr(drafts[0], "draft", None), "kind", "") == "dispatch":
            monkeypatch.setattr(col.ledger, "append", real)
            col.note(HOME_ONLY, "seen", id_=note.id, revision=1)
        return real(drafts)

    monkeypatch.setattr(col.ledger, "append", append)
    partner = col.partners.partner("usa")[1]
    bundle = col.dispatching.next(partner)
    assert bundle is not None and usa.receiving.take(encode(bundle), "col").answer == "take"
    assert usa.notes_of("col") == ["seen"]
    col.ledger.close()
    col.open()
    assert answers(col.send(usa)) == ["take"]
    assert usa.notes_of("col") == []
