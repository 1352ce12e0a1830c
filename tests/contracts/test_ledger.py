"""One contract, every ledger: what any backend must keep. Expected digests and links are made by hand here."""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shiprider.model.errors import Conflict, NotFound, UsageError
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Filed, Ledger, Query

Open = Callable[[], Ledger]


def draft(
    number: int, revision: int = 0, *, kind: str = "note", body: bytes = b"{}", author: str = "Ana"
) -> Draft:
    return Draft(
        id=f"{number:032x}", kind=kind, expected_revision=revision, schema=1, author=author,
        valid_from_us=10 * number, valid_to_us=10 * number + 5, label="L", purpose="P", case="C", body=body,
    )  # fmt: skip


def by_hand(record: Record) -> str:
    """The link of an entry, written again from the description in docs/decisions/0007."""

    def net(data: bytes) -> bytes:
        return str(len(data)).encode() + b":" + data + b","

    fields = [
        "shiprider-envelope-1", record.id, record.kind, str(record.revision), str(record.schema), record.origin,
        record.author, str(record.valid_from_us), "" if record.valid_to_us is None else str(record.valid_to_us),
        str(record.recorded_us), record.label, record.purpose, record.case, record.digest,
    ]  # fmt: skip
    envelope = b"".join(net(field.encode()) for field in fields)
    parts = (
        bytes.fromhex(record.previous)
        + record.sequence.to_bytes(8, "big")
        + net(envelope)
        + net(record.signature)
    )
    return hashlib.sha256(parts).hexdigest()


def test_the_envelope_is_kept_and_chained(open_ledger: Open, clock: Any) -> None:
    ledger = open_ledger()
    first, second = ledger.append([draft(1, body=b'{"a": 1}'), draft(2)])
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.previous == "0" * 64
    assert second.previous == by_hand(first)
    assert ledger.head().hash == by_hand(second)
    assert first.digest == hashlib.sha256(b'{"a": 1}').hexdigest()
    assert (first.origin, first.author, first.revision, first.recorded_us) == ("node-a", "Ana", 1, 1_000)
    assert (first.label, first.purpose, first.case) == ("L", "P", "C")
    assert (first.valid_from_us, first.valid_to_us, first.body) == (10, 15, b'{"a": 1}')
    assert ledger.latest(first.id) == first
    (third,) = ledger.append([draft(3, author="Íñigo Ⅳ 船")])
    assert ledger.head().hash == by_hand(third)
    assert ledger.verify() == ledger.head()


def test_all_or_nothing_and_conflict(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([draft(1)])
    with pytest.raises(Conflict, match="is at revision 1, not 0"):
        ledger.append([draft(2), draft(1)])
    assert ledger.head().sequence == 1
    with pytest.raises(NotFound):
        ledger.latest(f"{2:032x}")
    ledger.append([draft(1, 1), draft(1, 2)])
    assert [r.revision for r in ledger.history(f"{1:032x}")] == [1, 2, 3]
    with pytest.raises(Conflict, match="is a note, not a alert"):
        ledger.append([draft(1, 3, kind="alert")])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Draft(id="x", kind="note", expected_revision=0, schema=1, author="A", valid_from_us=0, body=b""), "no record id"),
        (Draft(id="0" * 32, kind="cake", expected_revision=0, schema=1, author="A", valid_from_us=0, body=b""), "no kind"),
        (Draft(id="0" * 32, kind="note", expected_revision=0, schema=1, author="", valid_from_us=0, body=b""), "no author"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_in_a_sentence(open_ledger: Open, wrong: Draft, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_ledger().append([wrong])


def test_as_known_then(open_ledger: Open, clock: Any) -> None:
    ledger = open_ledger()
    ledger.append([draft(1, body=b"1"), draft(2, body=b"2")])
    clock.now = 2_000
    ledger.append([draft(1, 1, body=b"1b"), draft(3, body=b"3")])
    clock.now = 3_000
    ledger.append([draft(2, 1, body=b"2b")])
    assert [r.body for r in ledger.of_kind("note", known_us=999)] == []
    assert [r.body for r in ledger.of_kind("note", known_us=1_999)] == [b"1", b"2"]
    assert {r.body for r in ledger.of_kind("note", known_us=2_000)} == {b"1b", b"2", b"3"}
    assert {r.body for r in ledger.of_kind("note")} == {b"1b", b"2b", b"3"}
    assert ledger.latest(f"{2:032x}", known_us=2_500).body == b"2"
    with pytest.raises(NotFound):
        ledger.latest(f"{3:032x}", known_us=1_500)
    assert ledger.head(known_us=1_500).sequence == 2


def test_time_of_recording_never_goes_back(open_ledger: Open, clock: Any) -> None:
    ledger = open_ledger()
    clock.now = 5_000
    ledger.append([draft(1)])
    clock.now = 4_000
    assert ledger.append([draft(2)])[0].recorded_us == 5_000


def test_terms_find_the_latest_revision_only(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([Filed(draft=draft(n), terms=("state:new", f"mmsi:{n}", "mmsi:7")) for n in range(1, 6)])
    ledger.append([Filed(draft=draft(2, 1), terms=("state:taken", "mmsi:2"))])
    assert [r.id[-1] for r in ledger.find(Query("note", (("state:new",),)))] == ["5", "4", "3", "1"]
    both = Query("note", (("state:new", "state:taken"), ("mmsi:2", "mmsi:3")), order="oldest")
    assert [r.id[-1] for r in ledger.find(both)] == ["3", "2"]
    assert ledger.count(both) == 2
    assert ledger.find(Query("note", (("mmsi:7",), ("mmsi:2",)))) == []
    assert [r.id[-1] for r in ledger.find(Query("note", start_us=35, end_us=50))] == ["4", "3"]
    page = ledger.find(Query("note", limit=2))
    rest = ledger.find(Query("note", after=(page[-1].sequence, page[-1].id)))
    assert [r.id[-1] for r in page + rest] == ["2", "5", "4", "3", "1"]
    assert set(ledger.latest_of([f"{n:032x}" for n in range(2_000)])) == {f"{n:032x}" for n in range(1, 6)}


def test_since_gives_what_came_after_in_order(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([draft(n, kind="note" if n % 2 else "alert") for n in range(1, 11)])
    assert [r.sequence for r in ledger.since(4, limit=3)] == [5, 6, 7]
    assert [r.sequence for r in ledger.since(0, kinds=("alert",))] == [2, 4, 6, 8, 10]


def test_erasure_leaves_the_digest_and_the_chain(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([draft(1, body=b"secret words"), draft(2)])
    act = ledger.erase(f"{1:032x}", 1, author="Judge", authority="court order 7", reason="law")
    kept = ledger.latest(f"{1:032x}")
    assert kept.body is None
    assert kept.digest == hashlib.sha256(b"secret words").hexdigest()
    assert act.kind == "erasure" and b"court order 7" in (act.body or b"")
    assert ledger.verify() == ledger.head()
    with pytest.raises(Conflict, match="already erased"):
        ledger.erase(f"{1:032x}", 1, author="Judge", authority="again", reason="law")
    with pytest.raises(Conflict, match="no revision 9"):
        ledger.erase(f"{1:032x}", 9, author="Judge", authority="again", reason="law")
    ledger.close()
    again = open_ledger()
    assert again.latest(f"{1:032x}").body is None


def test_what_was_appended_is_there_after_a_restart(open_ledger: Open) -> None:
    ledger = open_ledger()
    records = ledger.append([draft(n) for n in range(1, 50)])
    head = ledger.head()
    ledger.close()
    again = open_ledger()
    assert again.since(0) == records
    assert again.head() == head
    assert again.append([draft(50)])[0].previous == head.hash


def test_of_many_who_decide_at_once_exactly_one_is_first(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([draft(1)])
    outcome: list[str] = []
    start = threading.Barrier(8)

    def decide(name: str) -> None:
        start.wait()
        for revision in range(1, 21):
            try:
                ledger.append([draft(1, revision, author=name), draft(1000 * revision + int(name))])
                outcome.append("won")
            except Conflict:
                outcome.append("lost")

    threads = [threading.Thread(target=decide, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    revisions = [r.revision for r in ledger.history(f"{1:032x}")]
    assert revisions == list(range(1, len(revisions) + 1))
    assert outcome.count("won") == len(revisions) - 1 >= 20 - 1
    # What came with a refused decision is not there; what came with an accepted one is.
    assert ledger.head().sequence == 1 + 2 * outcome.count("won")
    assert ledger.verify() == ledger.head()
