"""Latest revisions and terms as derived tables; erasure of a body by law."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEPT = (
    "sequence", "id", "kind", "revision", "schema", "origin", "author", "valid_from_us", "valid_to_us",
    "recorded_us", "label", "purpose", "case", "digest", "signature", "previous",
)  # fmt: skip


def upgrade() -> None:
    """Make the derived tables, fill `latest` from the log, and let a body be erased if that is recorded."""
    number = sa.BigInteger
    op.create_table(
        "latest",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("revision", number, nullable=False),
        sa.Column("sequence", number, nullable=False),
        sa.Column("valid_from_us", number, nullable=False),
        sa.Column("valid_to_us", number),
        sqlite_with_rowid=False,
    )
    op.create_index("latest_kind_sequence", "latest", ["kind", "sequence"])
    op.execute(
        "INSERT INTO latest (id, kind, revision, sequence, valid_from_us, valid_to_us) "
        "SELECT id, kind, revision, sequence, valid_from_us, valid_to_us FROM record AS r "
        "WHERE revision = (SELECT max(revision) FROM record AS n WHERE n.id = r.id)"
    )
    op.create_table(
        "term",
        sa.Column("term", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("term_id", "term", ["id"])
    op.create_table(
        "erasure",
        sa.Column(
            "sequence", number().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("by_sequence", number, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        same = " AND ".join(f'NEW."{name}" IS OLD."{name}"' for name in _KEPT)
        op.execute("DROP TRIGGER record_no_update")
        op.execute(
            "CREATE TRIGGER record_no_update BEFORE UPDATE ON record "  # noqa: S608
            f"WHEN NOT (NEW.body IS NULL AND {same} "
            "AND EXISTS (SELECT 1 FROM erasure WHERE sequence = OLD.sequence)) "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is changed'); END"
        )
        for act in ("DELETE", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER erasure_no_{act.lower()} BEFORE {act} ON erasure "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an erasure stays'); END"
            )
