"""The log checked from its first record.

Always true: a missing, added, changed or reordered record, a changed body, a record under another release
class than its own, and a body that went without a recorded erasure are each found, with the sequence
number where it begins. The signed tree head must be over exactly these records.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from shiprider.adapters.ledger import classing, reading
from shiprider.adapters.ledger.tables import RECORD, TILE
from shiprider.adapters.ledger.tree import Tiles, Tree
from shiprider.model import signature
from shiprider.model.envelope import GENESIS
from shiprider.model.errors import CorruptStore
from shiprider.model.tree_head import TreeHead
from shiprider.ports.ledger import Head

ROWS_AT_ONCE: Final = 5000

#: The beginning of every envelope's bytes (model/envelope.py).
_FORM: Final = "20:shiprider-envelope-1,"


class _Erasure(msgspec.Struct):
    sequence: int


class Stretch(msgspec.Struct):
    """Consecutive records that were read and hold together: `leaves` are 32 bytes each, in order."""

    start: int
    end: int
    previous: str
    hash: str
    leaves: bytes
    bare: list[int]
    erased: list[int]


class Doubt(msgspec.Struct):
    """Where a stretch does not hold, and what is wrong there, as a sentence after the ledger's name."""

    sequence: int
    words: str


def check_rows(
    rows: Iterable[Sequence[Any]], start: int, classes: Mapping[int, tuple[str, str, str, str, str]]
) -> Stretch | Doubt:
    """Rows of `record` (the table's columns) from sequence `start` on: form, digest, link and class of each.

    The fields of `envelope_bytes` are written out here, with their steady parts kept: a million records
    must be read while somebody waits for the node to start. A test holds the two together.
    """
    sha256 = hashlib.sha256
    heads: dict[tuple[str, int, int, str, str], str] = {}
    tails: dict[int, str] = {}
    leaves: list[bytes] = []
    bare: list[int] = []
    erased: list[int] = []
    expected, first, previous = start, "", ""
    for (
        sequence, id_, kind, revision, schema, origin, author, valid_from, valid_to, recorded, label, purpose,
        case, digest, body, signed, linked, class_id,
    ) in rows:  # fmt: skip
        if not previous:
            first = previous = linked
        if sequence != expected or linked != previous:
            return Doubt(
                expected,
                f"does not follow on at record {expected}: a record before it was changed, removed or added",
            )
        if body is None:
            bare.append(sequence)
        elif sha256(body).hexdigest() != digest:
            return Doubt(expected, f"holds a changed body at record {expected}")
        elif kind == "erasure":
            erased.append(msgspec.json.decode(body, type=_Erasure).sequence)
        if classes.get(class_id) != (label, origin, purpose, case, kind):
            return Doubt(expected, f"holds record {expected} under a release class that is not its own")
        key = (kind, revision, schema, origin, author)
        before = heads.get(key)
        if before is None:
            if len(heads) > ROWS_AT_ONCE:
                heads.clear()
            before = heads[key] = _net(kind, str(revision), str(schema), origin, author)
        after = tails.get(class_id)
        if after is None:
            after = tails[class_id] = _net(label, purpose, case)
        begun, ended, made = str(valid_from), "" if valid_to is None else str(valid_to), str(recorded)
        text = (
            f"{_FORM}{len(id_)}:{id_},{before}{len(begun)}:{begun},{len(ended)}:{ended},{len(made)}:{made},"
            f"{after}{len(digest)}:{digest},"
        ).encode()
        entry = b"%d:%b,%d:%b," % (len(text), text, len(signed), signed)
        leaves.append(sha256(b"\0" + entry).digest())
        previous = sha256(bytes.fromhex(previous) + sequence.to_bytes(8, "big") + entry).hexdigest()
        expected += 1
    return Stretch(start, expected, first, previous, b"".join(leaves), bare, erased)


def _net(*fields: str) -> str:
    return "".join(f"{len(field.encode())}:{field}," for field in fields)


def stretch(connection: Connection, start: int, end: int | None = None) -> Stretch | Doubt:
    """Read and check records from `start` up to, without, `end`."""
    chosen = select(*RECORD.c).where(RECORD.c.sequence >= start).order_by(RECORD.c.sequence)
    if end is not None:
        chosen = chosen.where(RECORD.c.sequence < end)
    classes = classing.keys_of(reading.classes(connection))
    # The driver's own cursor: a wrapped row costs as much as its check.
    text = str(chosen.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    raw: Any = connection.connection.dbapi_connection
    cursor = raw.cursor() if connection.dialect.name == "sqlite" else raw.cursor(name="stretch", binary=True)
    try:
        if connection.dialect.name != "sqlite":
            cursor.itersize = ROWS_AT_ONCE
        cursor.execute(text)
        return check_rows(cursor, start, classes)
    finally:
        cursor.close()


@dataclass(frozen=True, slots=True)
class Checked:
    """A whole log: its end, its tree, and every tile of it."""

    head: Head
    tree: Tree
    tiles: Tiles


def join(parts: Iterable[Stretch | Doubt], name: str, acknowledged: Head) -> Checked:
    """Stretches that follow one another from the first record: together whole, and up to `acknowledged`.

    Raises CorruptStore.
    """
    previous, expected = GENESIS, 1
    bare: set[int] = set()
    erased: set[int] = set()
    tree = Tree()
    tiles: Tiles = {}
    for part in parts:
        if isinstance(part, Doubt):
            raise CorruptStore(f"{name} {part.words}; restore it from a back-up.")
        if part.start == part.end:
            continue
        if part.start != expected or part.previous != previous:
            raise CorruptStore(
                f"{name} does not follow on at record {expected}: a record before it was changed, removed or "
                "added; restore it from a back-up."
            )
        tiles.update(tree.extend(part.leaves[at : at + 32] for at in range(0, len(part.leaves), 32)))
        bare.update(part.bare)
        erased.update(part.erased)
        previous, expected = part.hash, part.end
    if expected - 1 < acknowledged.sequence:
        raise CorruptStore(
            f"{name} ends at record {expected - 1} but {acknowledged.sequence} were acknowledged: records were "
            "lost; restore it from a back-up."
        )
    if bare - erased:
        raise CorruptStore(
            f"{name} lost the body of record {min(bare - erased)} without a recorded erasure: restore it from a "
            "back-up."
        )
    return Checked(Head(expected - 1, previous), tree, tiles)


def check_acknowledged(connection: Connection, name: str, acknowledged: Head) -> None:
    """The log passes through the head that was acknowledged last. Raises CorruptStore."""
    if not acknowledged.sequence:
        return
    row = connection.execute(select(*RECORD.c).where(RECORD.c.sequence == acknowledged.sequence)).first()
    if row is None or reading.hash_of(reading.record_from(row)) != acknowledged.hash:
        raise CorruptStore(
            f"{name} does not lead to the acknowledged record {acknowledged.sequence}: a record before it was "
            "changed; restore it from a back-up."
        )


def check_tree_head(
    signed: TreeHead | None, head: Head, tree: Tree, origin: str, name: str, check: signature.Check
) -> None:
    """The newest signed head is over exactly this log, and ours. Raises CorruptStore."""
    if signed is None:
        return
    if not signed.is_signed(check):
        raise CorruptStore(
            f"{name} ends in a head signed by the key {signed.key_id}, which this node's keys do not confirm: "
            "restore the ledger and the keys from one back-up."
        )
    if signed.origin != origin:
        raise CorruptStore(
            f"{name} is the log of {signed.origin!r}, not of {origin!r}: restore the settings or the ledger."
        )
    if signed.size != head.sequence:
        raise CorruptStore(
            f"{name} has {head.sequence} records but its signed head is over {signed.size}: records were removed "
            "or added; restore it from a back-up."
        )
    if signed.link != head.hash or signed.root != tree.root().hex():
        raise CorruptStore(
            f"{name} is not what its signed head at record {signed.size} is over: a record was changed; restore "
            "it from a back-up."
        )


def check_tiles(connection: Connection, name: str, tiles: Tiles) -> None:
    """The stored tiles are those of the log. Raises CorruptStore."""
    stored = 0
    for level, number, hashes in connection.execute(select(*TILE.c)):
        stored += 1
        if tiles.get((level, number)) != bytes(hashes):
            stored = -1
            break
    if stored != len(tiles):
        raise CorruptStore(f"{name} has a Merkle tree that is not its log's: restore it from a back-up.")


def check_signatures(
    connection: Connection, name: str, first_signed: int, check_by: Callable[[str], signature.Check]
) -> None:
    """Every record from `first_signed` on bears its originator's valid signature; older ones bear none.

    `check_by` gives who checks the signatures of an origin. Raises CorruptStore.
    """
    good: set[tuple[str, str, bytes, bytes]] = set()

    def of(origin: str) -> signature.Check:
        check = check_by(origin)

        def once(key_id: str, message: bytes, signed: bytes, at_us: int | None) -> bool:
            asked = (origin, key_id, message, signed)
            if asked in good:
                return True
            if check(key_id, message, signed, at_us):
                if len(good) > ROWS_AT_ONCE:
                    good.clear()
                good.add(asked)
                return True
            return False

        return once

    checks: dict[str, signature.Check] = {}

    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(
        select(*RECORD.c).order_by(RECORD.c.sequence)
    )
    for row in rows:
        record = reading.record_from(row)
        if record.sequence < first_signed:
            if record.signature:
                raise CorruptStore(
                    f"{name} holds a signature at record {record.sequence}, before the first signed one: restore "
                    "it from a back-up."
                )
            continue
        check = checks.get(record.origin) or checks.setdefault(record.origin, of(record.origin))
        if not signature.verify(reading.envelope_of(record), record.signature, check, record.recorded_us):
            raise CorruptStore(
                f"{name} holds record {record.sequence} without a valid signature: restore it from a back-up."
            )
