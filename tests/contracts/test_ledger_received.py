"""One contract, every ledger: records of other nodes, taken in as their originator signed them."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shiprider.adapters.keys.files import ed25519_signed
from shiprider.model.envelope import Fields, bytes_of, digest_of
from shiprider.model.errors import Conflict, CorruptStore, NotFound, UsageError
from shiprider.model.record import Draft
from shiprider.model.signature import Check, signatures
from shiprider.model.signing_key import key_id_of
from shiprider.ports.ledger import Allowed, Filed, Ledger, Query, Received

Open = Callable[[], Ledger]


def own(number: int, revision: int = 0) -> Draft:
    return Draft(
        id=f"{number:032x}", kind="note", expected_revision=revision, schema=1, author="Ana", valid_from_us=1, body=b"{}"
    )  # fmt: skip


class _Partner:
    """The keys of node-b."""

    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key_id = key_id_of(public)


def checked(origin: str) -> Check:
    def check(key_id: str, message: bytes, signed: bytes, at_us: int | None) -> bool:
        return (
            origin == "node-b"
            and key_id == _Partner.key_id
            and ed25519_signed(_Partner.public, message, signed)
        )

    return check


def theirs(
    number: int, revision: int = 1, *, recorded_us: int = 7, origin: str = "node-b", body: bytes = b"theirs", **more: Any
) -> Received:  # fmt: skip
    fields = Fields(
        id=f"{number:032x}", kind=more.get("kind", "note"), revision=revision, schema=1, origin=origin, author="Bo",
        valid_from_us=1, valid_to_us=None, recorded_us=recorded_us, label="L", purpose="", case="",
        digest=digest_of(body),
    )  # fmt: skip
    (signed,) = signatures([bytes_of(fields)], _Partner.key_id, _Partner.private.sign)
    return Received(fields=fields, signature=signed, body=body, terms=("vessel:1",))


def test_it_is_kept_as_it_was_signed_and_chained_like_any_other(open_ledger: Open) -> None:
    ledger = open_ledger()
    sent = theirs(1)
    got, receipt = ledger.append([sent, own(2)])
    assert (got.origin, got.author, got.recorded_us, got.signature) == ("node-b", "Bo", 7, sent.signature)
    assert (got.sequence, receipt.sequence, receipt.origin) == (1, 2, "node-a")
    assert ledger.latest(got.id) == got
    assert ledger.find(Query("note", (("vessel:1",),))) == [got]
    assert ledger.find(Query("note", origin="node-a")) == [receipt]
    assert ledger.find(Query("note", origin="node-b")) == [got]
    assert ledger.count(Query("note", origin="node-b")) == 1
    numbers = {of.origin: number for number, of in ledger.classes().items()}
    seen = Allowed(frozenset({numbers["node-b"]}))
    assert ledger.since(0, allowed=seen) == [got]
    with pytest.raises(CorruptStore, match="without a valid signature"):
        ledger.verify()  # nobody is known who could check it
    ledger.check_others(checked)
    assert ledger.verify() == ledger.head()


def test_revisions_may_have_holes_and_never_go_back(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([theirs(1, 2), own(2)])
    ledger.append([theirs(1, 5, body=b"later"), own(3)])
    assert [r.revision for r in ledger.history(f"{1:032x}")] == [2, 5]
    for revision in (1, 2, 4, 5):
        with pytest.raises(Conflict, match="it is at 5"):
            ledger.append([theirs(1, revision), own(4)])
    with pytest.raises(Conflict):
        ledger.append([theirs(9, 1), theirs(9, 1), own(4)])
    with pytest.raises(NotFound):
        ledger.latest(f"{9:032x}")


def test_nobody_but_its_originator_revises_a_record(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([theirs(1), own(2)])
    for wrong in ([own(1, 1)], [theirs(1, 2, origin="node-c"), own(3)], [theirs(2, 2), own(3)]):
        with pytest.raises(Conflict, match="nobody else revises it"):
            ledger.append(wrong)
    with pytest.raises(Conflict, match="is a note, not a alert"):
        ledger.append([theirs(1, 2, kind="alert"), own(3)])
    for forged in ([theirs(5, origin="node-a"), own(6)], [theirs(5, origin=""), own(6)]):
        with pytest.raises(UsageError, match="own"):
            ledger.append(forged)
    with pytest.raises(UsageError, match="file that last"):
        ledger.append([own(6), theirs(5)])
    assert ledger.head().sequence == 2


def test_what_was_known_then_is_by_our_clock(open_ledger: Open, clock: Any) -> None:
    """Partners' clocks are before and after ours; what came stands from its receipt on."""
    ledger = open_ledger()
    ledger.append([own(1)])
    clock.now = 2_000
    ledger.append([theirs(2, recorded_us=5), theirs(3, recorded_us=10**15), Filed(draft=own(4))])
    clock.now = 3_000
    ledger.append([theirs(2, 2, recorded_us=6, body=b"again"), own(5)])

    def known(at_us: int) -> list[int]:
        return sorted(int(r.id, 16) for r in ledger.of_kind("note", known_us=at_us))

    assert known(1_999) == [1]
    assert known(2_000) == [1, 2, 3, 4]
    assert ledger.latest(f"{2:032x}", known_us=2_999).body == b"theirs"
    assert ledger.latest(f"{2:032x}", known_us=3_000).body == b"again"
    with pytest.raises(NotFound):
        ledger.latest(f"{3:032x}", known_us=1_500)
    assert ledger.head(known_us=2_500).sequence == 4


def test_after_a_restart_it_is_there_and_can_be_erased(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([theirs(1), own(2)])
    ledger.close()
    ledger = open_ledger()
    ledger.erase(f"{1:032x}", 1, author="exchange", authority="recall", reason="narrowed")
    assert ledger.latest(f"{1:032x}").body is None
    ledger.check_others(checked)
    assert ledger.verify() == ledger.head()
    (mine,) = ledger.append([own(7)])
    assert mine.recorded_us >= 1_000
