"""The derived tables held against the log.

Always true: a changed row in them, which would hide an alert or show it to the wrong reader, is found.
"""

from collections import defaultdict
from typing import Final

from sqlalchemy import Connection, and_, case, func, or_, select

from shiprider.adapters.ledger import reading
from shiprider.adapters.ledger.tables import LATEST, RECORD, TERM
from shiprider.model.errors import CorruptStore
from shiprider.ports.ledger import TermsOf

#: Ids in one statement: below the bound-variable limit of every SQLite build (999).
_IDS_AT_ONCE: Final = 900


def verify_derived(connection: Connection, name: str, terms_of: TermsOf) -> None:
    """`latest` and `term` against the log, and every index against its table. Raises CorruptStore."""
    if connection.dialect.name == "sqlite":
        told = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
        if told != "ok":
            raise CorruptStore(f"{name} is damaged ({told}): restore it from a back-up.")
    by_class = (
        select(RECORD.c.id, RECORD.c.class_id, func.max(RECORD.c.revision).label("revision"))
        .group_by(RECORD.c.id, RECORD.c.class_id)
        .subquery()
    )
    of_all = (
        select(RECORD.c.id, func.max(RECORD.c.revision).label("revision")).group_by(RECORD.c.id).subquery()
    )
    is_newest = case((by_class.c.revision == of_all.c.revision, 1), else_=0)
    same = [
        or_(
            LATEST.c[column] == RECORD.c[column], and_(LATEST.c[column].is_(None), RECORD.c[column].is_(None))
        )
        for column in ("class_id", "kind", "revision", "sequence", "valid_from_us", "valid_to_us")
    ]
    wrong = connection.execute(
        select(RECORD.c.id)
        .join(by_class, and_(RECORD.c.id == by_class.c.id, RECORD.c.revision == by_class.c.revision))
        .join(of_all, RECORD.c.id == of_all.c.id)
        .outerjoin(LATEST, and_(LATEST.c.id == RECORD.c.id, LATEST.c.newest == is_newest, *same))
        .where(LATEST.c.id.is_(None))
        .limit(1)
    ).scalar()
    if wrong is None:
        wrong = connection.execute(
            select(LATEST.c.id)
            .outerjoin(RECORD, and_(RECORD.c.id == LATEST.c.id, RECORD.c.class_id == LATEST.c.class_id))
            .where(RECORD.c.id.is_(None))
            .limit(1)
        ).scalar()
    if wrong is None:
        wrong = connection.execute(
            select(TERM.c.id)
            .outerjoin(LATEST, and_(TERM.c.id == LATEST.c.id, TERM.c.class_id == LATEST.c.class_id))
            .where(LATEST.c.id.is_(None))
            .limit(1)
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
    after = 0
    while True:
        rows = connection.execute(
            select(*RECORD.c)
            .join(LATEST, LATEST.c.sequence == RECORD.c.sequence)
            .where(LATEST.c.sequence > after)
            .order_by(LATEST.c.sequence)
            .limit(_IDS_AT_ONCE)
        ).all()
        if not rows:
            return None
        records = [(reading.record_from(row), row[-1]) for row in rows]
        after = records[-1][0].sequence
        stored: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        for id_, class_id, term in connection.execute(
            select(TERM.c.id, TERM.c.class_id, TERM.c.term).where(
                TERM.c.id.in_([each.id for each, _ in records])
            )
        ):
            stored[id_, class_id].add(term)
        for record, class_id in records:
            wanted = terms_of(record)
            if wanted is not None and stored[record.id, class_id] != set(wanted):
                return record.id
