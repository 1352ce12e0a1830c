"""The log: one append-only table, with the triggers that keep it so."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make `record`; nothing in it can be changed or deleted."""
    number = sa.BigInteger
    op.create_table(
        "record",
        sa.Column(
            "sequence", number().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "kind")),
        *(sa.Column(name, number, nullable=False) for name in ("revision", "schema")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("origin", "author")),
        sa.Column("valid_from_us", number, nullable=False),
        sa.Column("valid_to_us", number),
        sa.Column("recorded_us", number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("label", "purpose", "case", "digest")),
        sa.Column("body", sa.LargeBinary),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
    )
    op.create_index("record_id_revision", "record", ["id", "revision"], unique=True)
    op.create_index("record_kind_recorded", "record", ["kind", "recorded_us"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER record_no_delete BEFORE DELETE ON record "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is deleted'); END"
        )
        op.execute(
            "CREATE TRIGGER record_no_update BEFORE UPDATE ON record "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is changed'); END"
        )
        op.execute(
            "CREATE TRIGGER record_in_order BEFORE INSERT ON record WHEN NEW.sequence != "
            "(SELECT coalesce(max(sequence), 0) + 1 FROM record) "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a record goes at its end'); END"
        )
