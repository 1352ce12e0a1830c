"""Turning drafts into rows of the log: revisions checked, digests and links made.

Always true: a batch is checked as a whole before a row is written; a later draft of a batch sees the
revisions of the earlier ones.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, bindparam, delete, insert

from shiprider.adapters.ledger import reading
from shiprider.adapters.ledger.tables import LATEST, RECORD, TERM
from shiprider.model.envelope import digest_of
from shiprider.model.errors import Conflict, UsageError
from shiprider.model.record import KINDS, Draft, Record
from shiprider.ports.ledger import Filed, Head

_HEX: Final = frozenset("0123456789abcdef")


def filed(drafts: Iterable[Draft | Filed]) -> list[Filed]:
    """Drafts with their terms."""
    return [each if isinstance(each, Filed) else Filed(draft=each) for each in drafts]


def check_form(drafts: Sequence[Filed]) -> None:
    """Refuse what cannot be a record. Raises UsageError."""
    for each in drafts:
        draft = each.draft
        if len(draft.id) != 32 or not _HEX.issuperset(draft.id):
            raise UsageError(f"{draft.id[:40]!r} is no record id: give 32 lower-case hex digits.")
        if draft.kind not in KINDS:
            raise UsageError(f"{draft.kind[:40]!r} is no kind of record: use one of {', '.join(KINDS)}.")
        if not draft.author:
            raise UsageError(f"The {draft.kind} record {draft.id} names no author: say who decides.")


def check_revisions(known: dict[str, tuple[int, str]], drafts: Sequence[Filed]) -> dict[str, tuple[int, str]]:
    """The revisions after these drafts. Raises Conflict where one was decided on an older one."""
    changed: dict[str, tuple[int, str]] = {}
    for each in drafts:
        draft = each.draft
        revision, kind = changed.get(draft.id) or known.get(draft.id) or (0, draft.kind)
        if draft.expected_revision != revision:
            raise Conflict(
                f"The {draft.kind} {draft.id} is at revision {revision}, not {draft.expected_revision}: "
                "someone decided in the meantime; look again and decide again."
            )
        if draft.kind != kind:
            raise Conflict(f"The record {draft.id} is a {kind}, not a {draft.kind}: look again.")
        changed[draft.id] = (revision + 1, kind)
    return changed


def records_from(
    drafts: Sequence[Filed], origin: str, head: Head, recorded_us: int
) -> tuple[list[Record], Head]:
    """The records that follow `head`, and the head after them."""
    records: list[Record] = []
    sequence, previous = head.sequence, head.hash
    for each in drafts:
        draft = each.draft
        digest = digest_of(draft.body)
        sequence += 1
        record = Record(
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
            digest=digest,
            body=draft.body,
            signature=b"",
            sequence=sequence,
            previous=previous,
        )
        previous = reading.hash_of(record)
        records.append(record)
    return records, Head(sequence, previous)


def insert_records(connection: Connection, records: Sequence[Record], drafts: Sequence[Filed]) -> None:
    """Write rows, latest revisions and terms in the open transaction."""
    _insert(connection, RECORD, [_RECORD_VALUES(record) for record in records])
    last = {record.id: (record, each.terms) for record, each in zip(records, drafts, strict=True)}
    changed = [{"gone": id_} for id_, (record, _) in last.items() if record.revision > 1]
    if changed:
        connection.execute(delete(LATEST).where(LATEST.c.id == bindparam("gone")), changed)
        connection.execute(delete(TERM).where(TERM.c.id == bindparam("gone")), changed)
    _insert(connection, LATEST, [_LATEST_VALUES(record) for record, _ in last.values()])
    terms = [(term, id_) for id_, (_, found) in last.items() for term in dict.fromkeys(found)]
    if terms:
        _insert(connection, TERM, terms)


_RECORD_VALUES: Final = attrgetter(*(column.name for column in RECORD.c))
_LATEST_VALUES: Final = attrgetter(*(column.name for column in LATEST.c))


def _insert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in the table's column order. Compiled once per dialect: the general path costs as much as the write."""
    dialect = connection.dialect
    if dialect.positional:
        connection.exec_driver_sql(_statement(table, dialect), list(rows))
        return
    names = [column.name for column in table.c]
    connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


@cache
def _statement(table: Table, dialect: Dialect) -> str:
    return str(insert(table).compile(dialect=dialect))
