"""The chain checked from its first record.

Always true: a missing, added, changed or reordered record, a changed body, and a body that went
without a recorded erasure are each found, with the sequence number where it begins. The derived tables,
by which records are found, are held against the log: a changed row there would hide an alert.
"""

import hashlib
from collections import defaultdict
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from shiprider.adapters.ledger import reading
from shiprider.adapters.ledger.tables import LATEST, RECORD, TERM
from shiprider.model.envelope import GENESIS
from shiprider.model.errors import CorruptStore
from shiprider.ports.ledger import Head, TermsOf

_ROWS_AT_ONCE: Final = 5000

#: Ids in one statement: below the bound-variable limit of every SQLite build (999).
_IDS_AT_ONCE: Final = 900


class _Erasure(msgspec.Struct):
    sequence: int


def verify_chain(connection: Connection, name: str, acknowledged: Head) -> Head:
    """The head that was reached; must pass through `acknowledged`. Raises CorruptStore."""
    previous, expected = GENESIS, 1
    bare: set[int] = set()
    erased: set[int] = set()
    rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
        select(*RECORD.c).order_by(RECORD.c.sequence)
    )
    for row in rows:
        record = reading.record_from(row)
        if record.sequence != expected or record.previous != previous:
            raise CorruptStore(
                f"{name} does not follow on at record {expected}: a record before it was changed, removed or "
                "added; restore it from a back-up."
            )
        if record.body is None:
            bare.add(record.sequence)
        elif hashlib.sha256(record.body).hexdigest() != record.digest:
            raise CorruptStore(
                f"{name} holds a changed body at record {expected}: restore it from a back-up."
            )
        elif record.kind == "erasure":
            erased.add(msgspec.json.decode(record.body, type=_Erasure).sequence)
        previous = reading.hash_of(record)
        if expected == acknowledged.sequence and previous != acknowledged.hash:
            raise CorruptStore(
                f"{name} does not lead to the acknowledged record {expected}: a record before it was changed; "
                "restore it from a back-up."
            )
        expected += 1
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
    return Head(expected - 1, previous)


def verify_derived(connection: Connection, name: str, terms_of: TermsOf) -> None:
    """`latest` and `term` against the log, and every index against its table. Raises CorruptStore."""
    if connection.dialect.name == "sqlite":
        told = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
        if told != "ok":
            raise CorruptStore(f"{name} is damaged ({told}): restore it from a back-up.")
    newest = (
        select(RECORD.c.id, func.max(RECORD.c.revision).label("revision")).group_by(RECORD.c.id).subquery()
    )
    same = [
        or_(
            LATEST.c[column] == RECORD.c[column], and_(LATEST.c[column].is_(None), RECORD.c[column].is_(None))
        )
        for column in ("kind", "revision", "sequence", "valid_from_us", "valid_to_us")
    ]
    wrong = connection.execute(
        select(RECORD.c.id)
        .join(newest, and_(RECORD.c.id == newest.c.id, RECORD.c.revision == newest.c.revision))
        .outerjoin(LATEST, and_(LATEST.c.id == RECORD.c.id, *same))
        .where(LATEST.c.id.is_(None))
        .limit(1)
    ).scalar()
    if wrong is None:
        wrong = connection.execute(
            select(LATEST.c.id).where(LATEST.c.id.not_in(select(RECORD.c.id))).limit(1)
        ).scalar()
    if wrong is None:
        wrong = connection.execute(
            select(TERM.c.id).where(TERM.c.id.not_in(select(LATEST.c.id))).limit(1)
        ).scalar()
    if wrong is None:
        wrong = _wrong_terms(connection, terms_of)
    if wrong is not None:
        raise CorruptStore(
            f"{name} no longer finds the record {wrong} by what it says (its search rows were changed): "
            "restore it from a back-up."
        )


def _wrong_terms(connection: Connection, terms_of: TermsOf) -> str | None:
    """The first record whose terms are not those of its body."""
    after = ""
    while True:
        rows = connection.execute(
            select(*RECORD.c)
            .join(LATEST, LATEST.c.sequence == RECORD.c.sequence)
            .where(LATEST.c.id > after)
            .order_by(LATEST.c.id)
            .limit(_IDS_AT_ONCE)
        ).all()
        if not rows:
            return None
        records = [reading.record_from(row) for row in rows]
        after = records[-1].id
        stored: defaultdict[str, set[str]] = defaultdict(set)
        for id_, term in connection.execute(
            select(TERM.c.id, TERM.c.term).where(TERM.c.id.in_([each.id for each in records]))
        ):
            stored[id_].add(term)
        for record in records:
            wanted = terms_of(record)
            if wanted is not None and stored[record.id] != set(wanted):
                return record.id
