"""Reads of a ledger in SQL, the same for every backend.

Always true: a read sees whole commits; it uses a connection that cannot write; every statement that gives
records or counts them passes `_within`, which lets through only the classes that are allowed.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    CursorResult,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shiprider.adapters.ledger.tables import LATEST, RECORD, RELEASE_CLASS, TERM, TREE_HEAD
from shiprider.model.envelope import GENESIS, envelope_bytes, link
from shiprider.model.errors import NotFound
from shiprider.model.record import Record
from shiprider.model.release_class import ReleaseClass
from shiprider.model.tree_head import TreeHead
from shiprider.ports.ledger import Allowed, Head, Query

#: Ids in one statement: below the bound-variable limit of every SQLite build (999).
_IDS_AT_ONCE: Final = 900

_COLUMNS: Final = tuple(each for each in RECORD.c if each.name != "class_id")


@cache
def _condition(dialect: str, table: FromClause, walk: bool) -> ColumnElement[bool]:
    """Rows of the allowed classes, by the parameters that `_run` gives; made once, as it costs as much as a read.

    `walk`: rows come in another order than by class and each is looked at; else they are looked up by class.
    """
    class_id = table.c.class_id
    if dialect == "sqlite":
        if walk:
            # One byte per class: half the cost of looking each row's class up in a list.
            bits = bindparam("allowed_bits", type_=LargeBinary)
            return func.substr(bits, class_id + 1, 1) == literal_column("x'01'", LargeBinary)
        listed = func.json_each(bindparam("allowed_json", type_=Text)).table_valued("value")
        return class_id.in_(select(listed.c.value))
    if walk:
        # As in the policy of migration 0005: beyond the array's end is NULL, which is no row. In a sub-select,
        # so that the text is read once for a statement.
        flags = select(cast(bindparam("allowed_flags", type_=Text), ARRAY(Boolean))).scalar_subquery()
        return flags[class_id + 1]
    return class_id == func.any(bindparam("allowed_numbers", type_=ARRAY(Integer)))


@cache
def _standing_condition(dialect: str, walk: bool) -> ColumnElement[bool]:
    """Rows of `latest` that are allowed and behind no later one of their id that is allowed."""
    later = RECORD.alias("later")
    same = (later.c.id == LATEST.c.id, later.c.sequence > LATEST.c.sequence)
    hidden_by = exists().where(*same, _condition(dialect, later, True)).correlate(LATEST)
    return and_(_condition(dialect, LATEST, walk), or_(LATEST.c.newest == 1, ~hidden_by))


def _within(connection: Connection, allowed: Allowed | None) -> ColumnElement[bool]:
    """Rows of `record` of the allowed classes; all of them for the node's own work."""
    return true() if allowed is None else _condition(connection.dialect.name, RECORD, True)


def _standing(connection: Connection, allowed: Allowed | None, *, walk: bool = True) -> ColumnElement[bool]:
    """Rows of `latest` that are the newest which the reader may see of their id."""
    return _NEWEST if allowed is None else _standing_condition(connection.dialect.name, walk)


_NEWEST: Final = LATEST.c.newest == 1


def _run(connection: Connection, chosen: Select[Any], allowed: Allowed | None) -> CursorResult[Any]:
    """The rows, with the parameters of `_condition`."""
    return connection.execute(chosen, None if allowed is None else _parameters(connection, allowed))


def _parameters(connection: Connection, allowed: Allowed) -> dict[str, Any]:
    numbers = sorted(allowed.classes)
    if connection.dialect.name == "sqlite":
        return {"allowed_bits": allowed.bits, "allowed_json": json.dumps(numbers)}
    return {"allowed_flags": allowed.flags, "allowed_numbers": numbers}


def record_from(row: Sequence[Any]) -> Record:
    """One record from a row of `record`, columns in the table's order."""
    (sequence, id_, kind, revision, schema, origin, author, start, end, recorded, label, purpose, case) = row[
        :13
    ]
    return Record(
        id=id_,
        kind=kind,
        revision=revision,
        schema=schema,
        origin=origin,
        author=author,
        valid_from_us=start,
        valid_to_us=end,
        recorded_us=recorded,
        label=label,
        purpose=purpose,
        case=case,
        digest=row[13],
        body=row[14],
        signature=row[15],
        sequence=sequence,
        previous=row[16],
    )


def envelope_of(record: Record) -> bytes:
    """The exact bytes that are signed and chained."""
    return envelope_bytes(
        id=record.id,
        kind=record.kind,
        revision=record.revision,
        schema=record.schema,
        origin=record.origin,
        author=record.author,
        valid_from_us=record.valid_from_us,
        valid_to_us=record.valid_to_us,
        recorded_us=record.recorded_us,
        label=record.label,
        purpose=record.purpose,
        case=record.case,
        digest=record.digest,
    )


def hash_of(record: Record) -> str:
    """The hash of a stored record's entry in the chain."""
    return link(record.previous, record.sequence, envelope_of(record), record.signature)


def classes(connection: Connection) -> dict[int, ReleaseClass]:
    """Release classes by number."""
    rows = connection.execute(select(*RELEASE_CLASS.c))
    return {
        number: ReleaseClass(label=label, origin=origin, purpose=purpose, case=case, kind=kind)
        for number, label, origin, purpose, case, kind in rows
    }


def class_counts(connection: Connection) -> dict[int, int]:
    """Revisions with a body by number of class."""
    asked = (
        select(RECORD.c.class_id, func.count()).where(RECORD.c.body.is_not(None)).group_by(RECORD.c.class_id)
    )
    return {int(row[0]): int(row[1]) for row in connection.execute(asked)}


def tree_head(connection: Connection, size: int | None = None) -> TreeHead | None:
    """The newest signed head, or the first that covers `size` records."""
    chosen = select(*TREE_HEAD.c).limit(1)
    if size is None:
        chosen = chosen.order_by(TREE_HEAD.c.size.desc())
    else:
        chosen = chosen.where(TREE_HEAD.c.size >= size).order_by(TREE_HEAD.c.size)
    row = connection.execute(chosen).first()
    if row is None:
        return None
    return TreeHead(
        size=row[0], origin=row[1], root=row[2], link=row[3], first_signed=row[4], recorded_us=row[5],
        key_id=row[6], signature=bytes(row[7]),
    )  # fmt: skip


def commits(connection: Connection) -> int:
    """How many commits were signed, two at most: each has its head."""
    return len(connection.execute(select(TREE_HEAD.c.size).limit(2)).all())


def any_signed(connection: Connection) -> bool:
    """Whether any record bears a signature."""
    signed = select(RECORD.c.sequence).where(func.length(RECORD.c.signature) > 0).limit(1)
    return connection.execute(signed).first() is not None


def known(connection: Connection, origin: str, known_us: int) -> int:
    """The last sequence number that was in the log of `origin` at a time: of its own records, as their times are
    its clock's; what was received stands before the record of its coming."""
    chosen = (
        select(RECORD.c.sequence)
        .where(RECORD.c.recorded_us <= known_us, RECORD.c.origin == origin)
        .order_by(RECORD.c.sequence.desc())
        .limit(1)
    )
    return int(connection.execute(chosen).scalar() or 0)


def head(connection: Connection, until: int | None = None) -> tuple[Head, int]:
    """The end of the log as stored (as it was at the sequence number `until`), and when it was recorded."""
    chosen = select(*_COLUMNS).order_by(RECORD.c.sequence.desc()).limit(1)
    if until is not None:
        chosen = chosen.where(RECORD.c.sequence <= until)
    row = connection.execute(chosen).first()
    if row is None:
        return Head(0, GENESIS), 0
    record = record_from(row)
    return Head(record.sequence, hash_of(record)), record.recorded_us


def own_head(connection: Connection, until: int | None, allowed: Allowed) -> Head:
    """How many records a reader may see, and a hash of the newest of them: nothing of it depends on another record."""
    seen = _within(connection, allowed)
    by_then = true() if until is None else RECORD.c.sequence <= until
    counted = select(func.count(), func.max(RECORD.c.sequence)).where(seen, by_then)
    row = connection.execute(counted.select_from(RECORD), _parameters(connection, allowed)).one()
    count, last = row[0], row[1]
    if not count:
        return Head(0, GENESIS)
    found = _run(connection, select(*_COLUMNS).where(RECORD.c.sequence == last, seen), allowed)
    newest = record_from(found.one())
    # Not the envelope: it has the number of the revision, which counts those that are hidden.
    told = f"{newest.id}|{newest.recorded_us}|{newest.digest}"
    return Head(int(count), hashlib.sha256(told.encode()).hexdigest())


def revisions_of(
    connection: Connection, record_ids: Sequence[str], allowed: Allowed | None = None
) -> dict[str, list[int]]:
    """The revisions of each that may be seen, ascending; ids without any are left out."""
    found: dict[str, list[int]] = {}
    for start in range(0, len(record_ids), _IDS_AT_ONCE):
        part = record_ids[start : start + _IDS_AT_ONCE]
        chosen: Select[Any] = select(RECORD.c.id, RECORD.c.revision).where(
            RECORD.c.id.in_(part), _within(connection, allowed)
        )
        rows: Any = _run(connection, chosen.order_by(RECORD.c.id, RECORD.c.revision), allowed)
        for row in rows:
            found.setdefault(row[0], []).append(row[1])
    return found


def latest(
    connection: Connection, record_id: str, until: int | None, allowed: Allowed | None = None
) -> Record:
    """The latest revision up to the sequence number `until`. Raises NotFound."""
    chosen = select(*_COLUMNS).where(RECORD.c.id == record_id, _within(connection, allowed))
    if until is not None:
        chosen = chosen.where(RECORD.c.sequence <= until)
    row = _run(connection, chosen.order_by(RECORD.c.revision.desc()).limit(1), allowed).first()
    if row is None:
        raise NotFound(f"There is no record {record_id}: look the list up again.")
    return record_from(row)


def latest_of(
    connection: Connection, record_ids: Sequence[str], allowed: Allowed | None = None
) -> dict[str, Record]:
    """Latest revisions by id."""
    found: dict[str, Record] = {}
    for start in range(0, len(record_ids), _IDS_AT_ONCE):
        part = record_ids[start : start + _IDS_AT_ONCE]
        chosen = (
            select(*_COLUMNS)
            .join(LATEST, RECORD.c.sequence == LATEST.c.sequence)
            .where(RECORD.c.id.in_(part), _standing(connection, allowed))
        )
        for record in map(record_from, _run(connection, chosen, allowed)):
            found[record.id] = record
    return found


def revisions(connection: Connection, record_ids: Sequence[str]) -> dict[str, tuple[int, str, str]]:
    """Latest revision, kind and origin by id; new ids are left out."""
    found: dict[str, tuple[int, str, str]] = {}
    for start in range(0, len(record_ids), _IDS_AT_ONCE):
        part = record_ids[start : start + _IDS_AT_ONCE]
        rows = connection.execute(
            select(RECORD.c.id, RECORD.c.revision, RECORD.c.kind, RECORD.c.origin)
            .join(LATEST, RECORD.c.sequence == LATEST.c.sequence)
            .where(RECORD.c.id.in_(part), LATEST.c.newest == 1)
        )
        found.update((row[0], (row[1], row[2], row[3])) for row in rows)
    return found


def of_kind(
    connection: Connection, kind: str, until: int | None, allowed: Allowed | None = None
) -> list[Record]:
    """Latest revisions of a kind, up to the sequence number `until`."""
    if until is None:
        return find(connection, Query(kind, order="oldest", allowed=allowed))
    newest = (
        select(RECORD.c.id, func.max(RECORD.c.revision).label("revision"))
        .where(
            RECORD.c.kind == kind,
            RECORD.c.sequence <= until,
            _within(connection, allowed),
        )
        .group_by(RECORD.c.id)
        .subquery()
    )
    chosen = (
        select(*_COLUMNS)
        .join(newest, and_(RECORD.c.id == newest.c.id, RECORD.c.revision == newest.c.revision))
        .order_by(RECORD.c.sequence)
    )
    return [record_from(row) for row in _run(connection, chosen, allowed)]


def _matching(connection: Connection, chosen: Select[Any], query: Query, *, walk: bool = True) -> Select[Any]:
    chosen = chosen.where(LATEST.c.kind == query.kind, _standing(connection, query.allowed, walk=walk))
    for alternatives in query.terms:
        same = TERM.c.sequence == LATEST.c.sequence
        chosen = chosen.where(exists().where(same, TERM.c.term.in_(alternatives)).correlate(LATEST))
    if query.origin:
        whose = select(RECORD.c.sequence).where(RECORD.c.origin == query.origin)
        same = RECORD.c.sequence == LATEST.c.sequence
        chosen = chosen.where(exists(whose.where(same).correlate(LATEST)))
    if query.end_us is not None:
        chosen = chosen.where(LATEST.c.valid_from_us < query.end_us)
    if query.start_us is not None:
        chosen = chosen.where(or_(LATEST.c.valid_to_us.is_(None), LATEST.c.valid_to_us >= query.start_us))
    return chosen


def find(connection: Connection, query: Query) -> list[Record]:
    """Latest revisions that match, a page of them, ordered by sequence."""
    chosen = _matching(
        connection,
        select(*_COLUMNS).join_from(LATEST, RECORD, RECORD.c.sequence == LATEST.c.sequence),
        query,
    )
    key = LATEST.c.sequence
    if query.after is not None:
        chosen = chosen.where(key < query.after[0] if query.order == "newest" else key > query.after[0])
    chosen = chosen.order_by(key.desc() if query.order == "newest" else key)
    if query.limit is not None:
        chosen = chosen.limit(query.limit)
    return [record_from(row) for row in _run(connection, chosen, query.allowed)]


def count(connection: Connection, query: Query) -> int:
    """How many match."""
    chosen = _matching(connection, select(func.count()).select_from(LATEST), query, walk=False)
    return int(_run(connection, chosen, query.allowed).scalar_one())


def history(connection: Connection, record_id: str, allowed: Allowed | None = None) -> list[Record]:
    """Every revision, oldest first. Raises NotFound."""
    chosen = select(*_COLUMNS).where(RECORD.c.id == record_id, _within(connection, allowed))
    rows = _run(connection, chosen.order_by(RECORD.c.revision), allowed).all()
    if not rows:
        raise NotFound(f"There is no record {record_id}: look the list up again.")
    return [record_from(row) for row in rows]


def since(
    connection: Connection, sequence: int, limit: int, kinds: Iterable[str], allowed: Allowed | None = None
) -> list[Record]:
    """Records after a sequence number."""
    chosen = select(*_COLUMNS).where(RECORD.c.sequence > sequence, _within(connection, allowed))
    wanted = tuple(kinds)
    if wanted:
        chosen = chosen.where(RECORD.c.kind.in_(wanted))
    rows = _run(connection, chosen.order_by(RECORD.c.sequence).limit(limit), allowed)
    return [record_from(row) for row in rows]
