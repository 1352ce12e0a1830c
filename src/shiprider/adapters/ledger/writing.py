"""Turning drafts into rows of the log: revisions checked, digests, signatures, links and leaves made.

Always true: a batch is checked as a whole before a row is written; a later draft of a batch sees the
revisions of the earlier ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Dialect, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shiprider.adapters.ledger.tables import LATEST, RECORD, TERM, TILE, TREE_HEAD
from shiprider.adapters.ledger.tree import Tiles
from shiprider.model.envelope import Fields, bytes_of, digest_of, link_entry
from shiprider.model.errors import Conflict, UsageError
from shiprider.model.merkle import leaf_hash
from shiprider.model.record import KINDS, Draft, Record
from shiprider.model.release_class import ReleaseClass
from shiprider.model.tree_head import TreeHead, leaf_entry
from shiprider.ports.ledger import Filed, Head, Received

#: What a commit takes.
Entry = Filed | Received

#: What is known of an id: latest revision, kind, origin.
Known = tuple[int, str, str]

#: The signatures of some envelopes, in order.
Sign = Callable[[Sequence[bytes]], Iterable[bytes]]

_HEX: Final = frozenset("0123456789abcdef")


def filed(drafts: Iterable[Draft | Filed | Received]) -> list[Entry]:
    """Drafts with their terms."""
    return [Filed(draft=each) if isinstance(each, Draft) else each for each in drafts]


def check_form(entries: Sequence[Entry], origin: str) -> None:
    """Refuse what cannot be a record of the log of `origin`. Raises UsageError."""
    if entries and isinstance(entries[-1], Received):
        raise UsageError(
            "What is received is followed by this node's own record of its coming: file that last."
        )
    for each in entries:
        record: Draft | Fields = each.draft if isinstance(each, Filed) else each.fields
        if len(record.id) != 32 or not _HEX.issuperset(record.id):
            raise UsageError(f"{record.id[:40]!r} is no record id: give 32 lower-case hex digits.")
        if record.kind not in KINDS:
            raise UsageError(f"{record.kind[:40]!r} is no kind of record: use one of {', '.join(KINDS)}.")
        if not record.author:
            raise UsageError(f"The {record.kind} record {record.id} names no author: say who decides.")
        if "\0" in record.author or "\0" in record.label or "\0" in record.purpose or "\0" in record.case:
            raise UsageError(
                f"The {record.kind} record {record.id} has a zero character in a text: remove it."
            )
        if isinstance(each, Received) and each.fields.origin in ("", origin):
            raise UsageError(
                f"The {record.kind} record {record.id} is this node's own: only others' are received."
            )


def check_revisions(known: dict[str, Known], entries: Sequence[Entry], origin: str) -> dict[str, Known]:
    """The revisions after these. Raises Conflict where one was decided on an older one, or is another node's."""
    changed: dict[str, Known] = {}
    for each in entries:
        record: Draft | Fields = each.draft if isinstance(each, Filed) else each.fields
        of = origin if isinstance(each, Filed) else each.fields.origin
        revision, kind, whose = changed.get(record.id) or known.get(record.id) or (0, record.kind, of)
        if whose != of:
            raise Conflict(f"The record {record.id} is of {whose!r}, not of {of!r}: nobody else revises it.")
        if record.kind != kind:
            raise Conflict(f"The record {record.id} is a {kind}, not a {record.kind}: look again.")
        if isinstance(each, Received):
            # A partner is not sent every revision.
            if each.fields.revision <= revision:
                raise Conflict(
                    f"Revision {each.fields.revision} of {record.id} is here: it is at {revision}."
                )
            changed[record.id] = (each.fields.revision, kind, whose)
        else:
            if each.draft.expected_revision != revision:
                raise Conflict(
                    f"The {kind} {record.id} is at revision {revision}, not {each.draft.expected_revision}: "
                    "someone decided in the meantime; look again and decide again."
                )
            changed[record.id] = (revision + 1, kind, whose)
    return changed


@dataclass(slots=True)
class Written:
    """Records made for a commit, with what is stored beside them."""

    records: list[Record] = field(default_factory=list)
    filed: list[Entry] = field(default_factory=list)
    class_ids: list[int] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)


def make_records(
    entries: Sequence[Entry],
    *,
    origin: str,
    head: Head,
    recorded_us: int,
    number: Callable[[ReleaseClass], int],
    sign: Sign | None,
    into: Written,
) -> Head:
    """Add the records that follow `head` to `into`; the head after them.

    One append's records of one release class are signed together: the hashes in a signature are then of
    records that whoever may see this one may see too. What was received keeps its originator's signature.
    """
    envelopes: list[bytes] = []
    fields: list[Fields] = []
    by_class: defaultdict[ReleaseClass, list[int]] = defaultdict(list)
    for at, each in enumerate(entries):
        if isinstance(each, Received):
            made = each.fields
        else:
            draft = each.draft
            made = Fields(
                id=draft.id,
                kind=draft.kind,
                revision=draft.expected_revision + 1,
                schema=draft.schema,
                origin=origin,
                author=draft.author,
                valid_from_us=draft.valid_from_us,
                valid_to_us=draft.valid_to_us,
                recorded_us=recorded_us,
                label=draft.label,
                purpose=draft.purpose,
                case=draft.case,
                digest=digest_of(draft.body),
            )
        fields.append(made)
        envelopes.append(bytes_of(made))
        by_class[
            ReleaseClass(
                label=made.label, origin=made.origin, purpose=made.purpose, case=made.case, kind=made.kind
            )
        ].append(at)
    signed = [each.signature if isinstance(each, Received) else b"" for each in entries]
    class_ids = [0] * len(entries)
    for of, places in by_class.items():
        class_id = number(of)
        for at in places:
            class_ids[at] = class_id
        if sign is not None and of.origin == origin:
            for at, signature in zip(places, sign([envelopes[at] for at in places]), strict=True):
                signed[at] = signature
    sequence, previous = head.sequence, head.hash
    for each, made, envelope, signature in zip(entries, fields, envelopes, signed, strict=True):
        sequence += 1
        into.records.append(
            Record(
                id=made.id,
                kind=made.kind,
                revision=made.revision,
                schema=made.schema,
                origin=made.origin,
                author=made.author,
                valid_from_us=made.valid_from_us,
                valid_to_us=made.valid_to_us,
                recorded_us=made.recorded_us,
                label=made.label,
                purpose=made.purpose,
                case=made.case,
                digest=made.digest,
                body=each.body if isinstance(each, Received) else each.draft.body,
                signature=signature,
                sequence=sequence,
                previous=previous,
            )
        )
        entry = leaf_entry(envelope, signature)
        previous = link_entry(previous, sequence, entry)
        into.leaves.append(leaf_hash(entry))
    into.filed += entries
    into.class_ids += class_ids
    return Head(sequence, previous)


def insert_records(connection: Connection, written: Written) -> None:
    """Write rows, latest revisions and terms in the open transaction."""
    pairs = list(zip(written.records, written.class_ids, strict=True))
    _insert(connection, RECORD, [(*_RECORD_VALUES(record), class_id) for record, class_id in pairs])
    last: dict[tuple[str, int], tuple[Record, Sequence[str]]] = {}
    newest: dict[str, int] = {}
    revised: set[str] = set()
    for (record, class_id), each in zip(pairs, written.filed, strict=True):
        last[record.id, class_id] = (record, each.terms)
        newest[record.id] = record.sequence
        if record.revision > 1:
            revised.add(record.id)
    if revised:
        gone = [{"gone": id_, "of": class_id} for id_, class_id in last if id_ in revised]
        earlier = select(RECORD.c.sequence).where(RECORD.c.id == bindparam("gone"))
        for table in (LATEST, TERM):
            of_class = earlier.where(RECORD.c.class_id == bindparam("of"))
            connection.execute(delete(table).where(table.c.sequence.in_(of_class)), gone)
        connection.execute(
            update(LATEST).where(LATEST.c.sequence.in_(earlier)).values(newest=0),
            [{"gone": id_} for id_ in sorted(revised)],
        )
    _insert(
        connection,
        LATEST,
        sorted(
            (r.sequence, r.id, class_id, r.kind, r.revision, r.valid_from_us, r.valid_to_us,
             int(newest[r.id] == r.sequence))
            for (_, class_id), (r, _) in last.items()
        ),
    )  # fmt: skip
    terms = [
        (term, r.sequence, class_id)
        for (_, class_id), (r, found) in last.items()
        for term in dict.fromkeys(found)
    ]
    if terms:
        _insert(connection, TERM, terms)


def store_tree(connection: Connection, tiles: Tiles, head: TreeHead) -> None:
    """Write the changed tiles and the signed head in the open transaction."""
    rows = [{"level": level, "number": at, "hashes": data} for (level, at), data in tiles.items()]
    insertion = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(TILE)
    connection.execute(
        insertion.on_conflict_do_update(
            index_elements=["level", "number"], set_={"hashes": insertion.excluded.hashes}
        ),
        rows,
    )
    connection.execute(insert(TREE_HEAD), msgspec.structs.asdict(head))


_RECORD_VALUES: Final = attrgetter(*(column.name for column in RECORD.c if column.name != "class_id"))


def _insert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in the table's column order. Compiled once per dialect: the general path costs as much as the write."""
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        connection.exec_driver_sql(_statement(table, connection.dialect), list(rows))


def _copy(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """PostgreSQL's fastest way in. COPY is refused on a table with row-level security, so by way of another."""
    names = ", ".join(f'"{column.name}"' for column in table.c)
    waiting = f"waiting_{table.name}"
    types = [column.type.compile(connection.dialect).lower() for column in table.c]
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        columns = ", ".join(f'"{c.name}" {form}' for c, form in zip(table.c, types, strict=True))
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {waiting} ({columns}) ON COMMIT DELETE ROWS")
        with cursor.copy(f"COPY {waiting} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            write = copy.write_row
            for row in rows:
                write(row)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {waiting}")  # noqa: S608


@cache
def _statement(table: Table, dialect: Dialect) -> str:
    return str(insert(table).compile(dialect=dialect))
