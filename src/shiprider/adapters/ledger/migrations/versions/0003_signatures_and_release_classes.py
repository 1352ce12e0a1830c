"""Release classes on records, latest revisions by class, the Merkle tree's tiles and the signed tree heads."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KEPT = (
    "sequence", "id", "kind", "revision", "schema", "origin", "author", "valid_from_us", "valid_to_us",
    "recorded_us", "label", "purpose", "case", "digest", "signature", "previous", "class_id",
)  # fmt: skip

_CLASS_OF = (
    "(SELECT c.id FROM release_class AS c WHERE c.label = record.label AND c.origin = record.origin "
    'AND c.purpose = record.purpose AND c."case" = record."case" AND c.kind = record.kind)'
)


def upgrade() -> None:
    """Nothing of a record changes but the number of its class, which is derived; old rows stay unsigned."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    number = sa.BigInteger
    op.create_table(
        "release_class",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("label", "origin", "purpose", "case", "kind")
        ),
    )
    op.create_index(
        "release_class_unique", "release_class", ["label", "origin", "purpose", "case", "kind"], unique=True
    )
    op.execute(
        'INSERT INTO release_class (id, label, origin, purpose, "case", kind) '
        "SELECT row_number() OVER (ORDER BY first), label, origin, purpose, wanted, kind FROM "
        '(SELECT min(sequence) AS first, label, origin, purpose, "case" AS wanted, kind FROM record '
        'GROUP BY label, origin, purpose, "case", kind) AS d'
    )
    if sqlite:
        op.execute("DROP TRIGGER record_no_update")
    op.add_column("record", sa.Column("class_id", sa.Integer, nullable=False, server_default="0"))
    op.execute(f"UPDATE record SET class_id = {_CLASS_OF}")  # noqa: S608
    _derived(number)
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", number, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tree_head",
        sa.Column("size", number().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("origin", "root", "link")),
        *(sa.Column(name, number, nullable=False) for name in ("first_signed", "recorded_us")),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    (_sqlite_triggers if sqlite else _postgres_triggers)()


def _derived(number: type[sa.BigInteger]) -> None:
    """`latest` and `term` by sequence and with the class, filled from what they were."""
    op.execute("ALTER TABLE latest RENAME TO latest_before")
    op.execute("ALTER TABLE term RENAME TO term_before")
    op.drop_index("latest_kind_sequence", "latest_before")
    op.drop_index("term_id", "term_before")
    op.create_table(
        "latest",
        sa.Column("sequence", number().with_variant(sa.Integer, "sqlite"), autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("class_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("revision", number, nullable=False),
        sa.Column("valid_from_us", number, nullable=False),
        sa.Column("valid_to_us", number),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="latest_key"),
    )
    # Of every id, the newest revision within each class; `newest` marks the newest of all.
    op.execute(
        "INSERT INTO latest (sequence, id, class_id, kind, revision, valid_from_us, valid_to_us, newest) "
        "SELECT r.sequence, r.id, r.class_id, r.kind, r.revision, r.valid_from_us, r.valid_to_us, "
        "CASE WHEN r.revision = (SELECT max(n.revision) FROM record AS n WHERE n.id = r.id) THEN 1 ELSE 0 END "
        "FROM record AS r WHERE r.revision = "
        "(SELECT max(m.revision) FROM record AS m WHERE m.id = r.id AND m.class_id = r.class_id) "
        "ORDER BY r.sequence"
    )
    op.create_index("latest_kind_sequence", "latest", ["kind", "sequence", "newest", "class_id", "id"])
    op.create_index("latest_kind_class", "latest", ["kind", "class_id", "newest", "sequence", "id"])
    op.create_table(
        "term",
        sa.Column("term", sa.Text, nullable=False),
        sa.Column("sequence", number, nullable=False, autoincrement=False),
        sa.Column("class_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("term", "sequence", name="term_key"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO term (term, sequence, class_id) SELECT t.term, l.sequence, l.class_id "
        "FROM term_before AS t JOIN latest AS l ON l.id = t.id AND l.newest = 1"
    )
    op.create_index("term_sequence", "term", ["sequence"])
    op.drop_table("latest_before")
    op.drop_table("term_before")


def _sqlite_triggers() -> None:
    same = " AND ".join(f'NEW."{name}" IS OLD."{name}"' for name in _KEPT)
    op.execute(
        "CREATE TRIGGER record_no_update BEFORE UPDATE ON record "  # noqa: S608
        f"WHEN NOT (NEW.body IS NULL AND {same} "
        "AND EXISTS (SELECT 1 FROM erasure WHERE sequence = OLD.sequence)) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is changed'); END"
    )
    for table in ("tree_head", "release_class"):
        for act in ("DELETE", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a {table} stays'); END"
            )


def _postgres_triggers() -> None:
    """The same refusals as in SQLite."""
    op.execute(
        "CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'the ledger is append-only: nothing is changed in %', TG_TABLE_NAME; END $$"
    )
    same = " AND ".join(f'NEW."{name}" IS NOT DISTINCT FROM OLD."{name}"' for name in _KEPT)
    op.execute(
        "CREATE FUNCTION ledger_erases_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608
        f"IF NEW.body IS NULL AND {same} AND EXISTS "
        "(SELECT 1 FROM erasure WHERE sequence = OLD.sequence) THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION 'the ledger is append-only: nothing is changed in %', TG_TABLE_NAME; END $$"
    )
    # One look at each batch, not at each row: the highest number must be the number of rows there are.
    op.execute(
        "CREATE FUNCTION ledger_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE low bigint; high bigint; many bigint; BEGIN "
        "SELECT min(sequence), max(sequence), count(*) INTO low, high, many FROM added; "
        "IF many > 0 AND (high - low + 1 <> many OR low <> 1 + coalesce("
        "(SELECT max(sequence) FROM record WHERE sequence < low), 0) "
        "OR EXISTS (SELECT 1 FROM record WHERE sequence > high)) THEN "
        "RAISE EXCEPTION 'the ledger is append-only: a record goes at its end'; END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER record_in_order AFTER INSERT ON record REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_in_order()"
    )
    op.execute(
        "CREATE TRIGGER record_no_update BEFORE UPDATE ON record FOR EACH ROW EXECUTE FUNCTION ledger_erases_only()"
    )
    op.execute(
        "CREATE TRIGGER record_no_delete BEFORE DELETE OR TRUNCATE ON record "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()"
    )
    for table in ("erasure", "tree_head", "release_class"):
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()"
        )
