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
        for column in ("class_id", "kind", "revision", "valid_from_us", "valid_to_us")
    ]
    wrong = connection.execute(
        select(RECORD.c.id)
        .join(by_class, and_(RECORD.c.id == by_class.c.id, RECORD.c.revision == by_class.c.revision))
        .join(of_all, RECORD.c.id == of_all.c.id)
        .outerjoin(
            LATEST,
            and_(
                LATEST.c.sequence == RECORD.c.sequence,
                LATEST.c.id == RECORD.c.id,
                LATEST.c.newest == is_newest,
                *same,
            ),
        )
        .where(LATEST.c.id.is_(None))
        .limit(1)
    ).scalar()
    if wrong is None:
        wrong = connection.execute(
            select(LATEST.c.id)
            .outerjoin(
                by_class,
                and_(
                    by_class.c.id == LATEST.c.id,
                    by_class.c.class_id == LATEST.c.class_id,
                    by_class.c.revision == LATEST.c.revision,
                ),
            )
            .where(by_class.c.id.is_(None))
            .limit(1)
        ).scalar()
    if wrong is None:
        wrong = connection.execute(
            select(func.coalesce(RECORD.c.id, "that is not there"))
            .select_from(TERM)
            .outerjoin(
                LATEST, and_(TERM.c.sequence == LATEST.c.sequence, TERM.c.class_id == LATEST.c.class_id)
            )
            .outerjoin(RECORD, RECORD.c.sequence == TERM.c.sequence)
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
        records = [reading.record_from(row) for row in rows]
        after = records[-1].sequence
        stored: defaultdict[int, set[str]] = defaultdict(set)
        for sequence, term in connection.execute(
            select(TERM.c.sequence, TERM.c.term).where(
                TERM.c.sequence.in_([each.sequence for each in records])
            )
        ):
            stored[sequence].add(term)
        for record in records:
            wanted = terms_of(record)
            if wanted is not None and stored[record.sequence] != set(wanted):
                return record.id
