"""What is signed, in every ledger: read again here from docs/decisions/0010 with an Ed25519 of its own.

Nothing of `shiprider.model` that makes signatures, trees or envelopes is used to check them.
"""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.flow import signing_keys
from shiprider.model.errors import NotFound, StorageError, UsageError
from shiprider.model.record import Draft, Record
from shiprider.model.tree_head import TreeHead, commitment
from shiprider.ports.ledger import Ledger

Open = Callable[[], Ledger]


def draft(
    number: int, revision: int = 0, *, label: str = "L", body: bytes = b"{}", kind: str = "note"
) -> Draft:
    return Draft(
        id=f"{number:032x}", kind=kind, expected_revision=revision, schema=1, author="Íñigo", valid_from_us=number,
        label=label, purpose="P", case="C", body=body,
    )  # fmt: skip


def net(*fields: bytes) -> bytes:
    return b"".join(str(len(each)).encode() + b":" + each + b"," for each in fields)


def envelope(record: Record) -> bytes:
    texts = (
        "shiprider-envelope-1", record.id, record.kind, str(record.revision), str(record.schema), record.origin,
        record.author, str(record.valid_from_us), "" if record.valid_to_us is None else str(record.valid_to_us),
        str(record.recorded_us), record.label, record.purpose, record.case, record.digest,
    )  # fmt: skip
    return net(*(text.encode() for text in texts))


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """From a leaf to the root, by the recursive definition of RFC 6962 2.1.1 (top of the path is its end)."""
    if size == 1:
        return leaf if index == 0 and not path else None
    if not path:
        return None
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        below = climb(leaf, index, k, path[:-1])
        return None if below is None else sha(b"\1", below, path[-1])
    below = climb(leaf, index - k, size - k, path[:-1])
    return None if below is None else sha(b"\1", path[-1], below)


def verifies(record: Record, keys: dict[str, bytes]) -> bool:
    """The record alone, and public keys."""
    data = record.signature
    if len(data) < 85 or (len(data) - 85) % 32 or data[0] != 1:
        return False
    key_id, signature = data[1:17].hex(), data[17:81]
    index, size = int.from_bytes(data[81:83], "big"), int.from_bytes(data[83:85], "big")
    path = [data[at : at + 32] for at in range(85, len(data), 32)]
    if key_id not in keys or not index < size:
        return False
    root = climb(sha(b"\0", envelope(record)), index, size, path)
    return root is not None and signed(
        keys[key_id], signature, net(b"shiprider-bundle-1", key_id.encode(), str(size).encode(), root)
    )


def signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def head_signed(head: TreeHead, keys: dict[str, bytes]) -> bool:
    texts = (
        head.origin, str(head.size), head.root, head.link, str(head.first_signed), str(head.recorded_us), head.key_id,
    )  # fmt: skip
    return head.key_id in keys and signed(
        keys[head.key_id], head.signature, net(b"shiprider-tree-head-1", *(text.encode() for text in texts))
    )


def leaf(record: Record) -> bytes:
    return sha(b"\0", net(envelope(record), record.signature))


def mth(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1", mth(leaves[:k]), mth(leaves[k:]))


def public(keys: FileKeys) -> dict[str, bytes]:
    return {each.key_id: bytes.fromhex(each.public) for each in keys.public()}


def test_every_record_verifies_alone_with_the_public_key(open_ledger: Open, keys: FileKeys) -> None:
    ledger = open_ledger()
    records = ledger.append([draft(n, label=f"L{n % 3}") for n in range(1, 301)])
    records += [ledger.append([draft(n)])[0] for n in range(301, 311)]
    records += ledger.append([draft(n, 1) for n in (1, 5, 9)])
    assert all(verifies(each, public(keys)) for each in records)
    assert all(verifies(each, public(keys)) for each in ledger.since(0, limit=10_000))
    sizes = {int.from_bytes(each.signature[83:85], "big") for each in records[:300]}
    assert sizes == {64, 36}, "a hundred of each label: a bundle of 64 and one of 36"


def test_an_erased_body_breaks_no_signature(open_ledger: Open, keys: FileKeys) -> None:
    ledger = open_ledger()
    ledger.append([draft(n, body=b"a name") for n in range(1, 10)])
    act = ledger.erase(f"{4:032x}", 1, author="Judge", authority="court", reason="law")
    record = ledger.latest(f"{4:032x}")
    assert record.body is None and verifies(record, public(keys)) and verifies(act, public(keys))
    assert (act.label, act.purpose, act.case) == ("L", "P", "C")
    assert ledger.verify() == ledger.head()


def test_any_changed_byte_is_refused(open_ledger: Open, keys: FileKeys) -> None:
    """By the program here and by the ledger's own check: a byte of the signature, a character of the envelope."""
    from shiprider.model import signature as ours

    ledger = open_ledger()
    record = ledger.append([draft(n) for n in range(1, 20)])[11]
    chance = random.Random(3)
    known = public(keys)

    def refused(changed: Record) -> bool:
        mine = ours.verify(envelope(changed), changed.signature, keys.check, changed.recorded_us)
        assert mine == verifies(changed, known)
        return not mine

    assert not refused(record)
    for place in range(len(record.signature)):
        data = bytearray(record.signature)
        data[place] ^= 1 << chance.randrange(8)
        assert refused(msgspec.structs.replace(record, signature=bytes(data))), place
    for change in (
        {"id": f"{12:032x}"[::-1]}, {"kind": "alert"}, {"revision": 2}, {"schema": 2}, {"origin": "node-b"},
        {"author": "Inigo"}, {"valid_from_us": 0}, {"valid_to_us": 5}, {"recorded_us": 1}, {"label": ""},
        {"label": "LP", "purpose": ""}, {"purpose": "Q"}, {"case": "D"}, {"digest": "0" * 64},
        {"signature": b""}, {"signature": record.signature + b"\0" * 32}, {"signature": record.signature[:-32]},
    ):  # fmt: skip
        assert refused(msgspec.structs.replace(record, **change)), change


def test_what_may_not_be_seen_does_not_show_in_a_signature(tmp_path: Path) -> None:
    """Two nodes with the same keys and clock; one appends hidden records in the same act."""
    signatures = []
    first = FileKeys(tmp_path / "keys", clock=lambda: 1)
    for hidden in (0, 1, 7):
        ledger = SqliteLedger(tmp_path / f"{hidden}.sqlite", origin="n", keys=first, clock=lambda: 5)
        drafts = [draft(n) for n in range(1, 6)]
        for n in range(hidden):
            drafts.insert(2 * n % 5, draft(100 + n, label="SECRET"))
        signatures.append([r.signature for r in ledger.append(drafts) if r.label == "L"])
        ledger.close()
    assert signatures[0] == signatures[1] == signatures[2]


def test_a_signed_head_is_over_every_commit(open_ledger: Open, keys: FileKeys) -> None:
    ledger = open_ledger()
    assert ledger.tree_head() is None
    sizes = []
    chance = random.Random(5)
    number = 0
    for _ in range(40):
        many = chance.choice((1, 2, 3, 60, 300))
        ledger.append([draft(number + n) for n in range(many)])
        number += many
        sizes.append(number)
    leaves = [leaf(each) for each in ledger.since(0, limit=100_000)]
    for size in sizes:
        head = ledger.tree_head(size)
        assert head is not None and head.size == size
        assert head.root == mth(leaves[:size]).hex(), size
        assert head_signed(head, public(keys)) and head.first_signed == 1
        changed = msgspec.structs.replace(head, size=size + 1)
        assert not head_signed(changed, public(keys)) and not changed.is_signed(keys.check)
    newest = ledger.tree_head()
    assert newest is not None and newest.link == ledger.head().hash and newest.size == number
    for sequence in (1, 2, 255, 256, 257, 1000, number):
        head = ledger.tree_head(max(sequence, chance.choice(sizes)))
        assert head is not None
        proof = ledger.inclusion(sequence, head)
        path = [bytes.fromhex(each) for each in proof.path]
        found = climb(leaves[sequence - 1], proof.index, head.size, path)
        assert found is not None and found.hex() == head.root, sequence
        assert climb(leaves[sequence - 2], proof.index, head.size, path) != found
    for old in (1, sizes[3], 256, 257, sizes[20], number):
        assert ledger.consistency(old, number) == _subproof(old, leaves, True)
    with pytest.raises(NotFound):
        ledger.inclusion(number + 1, newest)
    with pytest.raises(UsageError, match="sizes that the log has had"):
        ledger.consistency(5, number + 1)


def _subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*_subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def test_a_commitment_binds_and_says_nothing(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.append([draft(1)])
    head = ledger.tree_head()
    assert head is not None
    made = commitment(head, b"s" * 32)
    assert len(made) == 32 and made == commitment(head, b"s" * 32)
    others = {commitment(head, b"t" * 32), commitment(msgspec.structs.replace(head, size=2), b"s" * 32)}
    assert len({made, *others}) == 3
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(head, b"short")


def test_a_signed_log_does_not_open_without_its_keys_or_under_another_name(
    open_ledger: Open, tmp_path: Path, keys: FileKeys
) -> None:
    ledger = open_ledger()
    ledger.append([draft(1)])
    ledger.close()
    if not isinstance(ledger, SqliteLedger):
        return
    path = tmp_path / "ledger.sqlite"
    with pytest.raises(StorageError, match="is signed: open it with the node's keys"):
        SqliteLedger(path, origin="node-a")
    with pytest.raises(StorageError, match="not of 'node-b'"):
        SqliteLedger(path, origin="node-b", keys=keys)
    with pytest.raises(StorageError, match="keys do not confirm"):
        SqliteLedger(path, origin="node-a", keys=FileKeys(tmp_path / "others", clock=lambda: 1))


def test_keys_are_replaced_and_lost_while_the_log_goes_on(
    open_ledger: Open, keys: FileKeys, clock: Any
) -> None:
    ledger = open_ledger()
    signing_keys.settle(ledger, keys, clock)
    ledger.append([draft(1)])
    clock.now = 2_000
    signing_keys.rotate(ledger, keys, clock, "Ana")
    ledger.append([draft(2)])
    clock.now = 3_000
    signing_keys.write_off(ledger, keys, clock, "Ana", "the ship's disk burnt")
    ledger.append([draft(3)])
    first, second, third = (each.key_id for each in keys.public())

    def by(record_id: str) -> list[str]:
        return [each.signature[1:17].hex() for each in ledger.history(record_id)]

    assert [by(f"{n:032x}")[0] for n in (1, 2, 3)] == [first, second, third]
    # Announced under the key before it; written off under the key after it.
    assert by(second) == [first, second, third] and by(third) == [third]
    gone = msgspec.json.decode(ledger.latest(second).body or b"{}")
    assert (gone["state"], gone["reason"]) == ("lost", "the ship's disk burnt")
    assert ledger.verify() == ledger.head()
    before = ledger.head()
    ledger.close()
    again = open_ledger()
    signing_keys.settle(again, keys, clock)  # nothing to add
    assert again.head() == before and again.verify() == before
    assert all(verifies(each, public(keys)) for each in again.since(0))


def test_a_key_prepared_before_a_crash_is_put_in_use_at_start(
    open_ledger: Open, keys: FileKeys, clock: Any
) -> None:
    ledger = open_ledger()
    signing_keys.settle(ledger, keys, clock)
    keys.prepare()
    signing_keys.settle(ledger, keys, clock)
    assert [each.state for each in keys.public()] == ["retired", "active"]
    assert len(ledger.of_kind("signing_key")) == 2
    assert ledger.verify() == ledger.head()
