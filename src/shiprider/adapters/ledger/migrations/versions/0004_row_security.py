"""PostgreSQL's own lock on rows: a reader's connection sees the classes it named, and none if it named none.

The second line behind the SQL filter. `shiprider.allowed` is a string of bits, one per class, set for one
transaction. SQLite has no such lock: there the filter stands alone.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

#: Owns nothing, signs in nowhere; the node's reading connections take this role.
READER = "shiprider_reader"


def upgrade() -> None:
    """Force the lock on every table with a class; the owner's own work passes by a policy of its own."""
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute(f"DO $$ BEGIN CREATE ROLE {READER} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    # A role is the whole server's: where another node's owner made it, the server's administrator grants it.
    op.execute(
        f"DO $$ BEGIN IF NOT pg_has_role(current_user, '{READER}', 'SET') THEN "
        f"GRANT {READER} TO CURRENT_USER; END IF; END $$"
    )
    for table, column in (
        ("record", "class_id"),
        ("latest", "class_id"),
        ("term", "class_id"),
        ("release_class", "id"),
    ):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_work ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        # The setting is read once per statement (a sub-select), not once per row; beyond its end is no bit.
        # (>= is planned as a third of the rows, = as nearly none.)
        op.execute(
            f"CREATE POLICY readers ON {table} FOR SELECT TO {READER} USING (substring("  # noqa: S608
            f"(SELECT current_setting('shiprider.allowed', true)::bit varying) FROM {column} + 1 FOR 1) >= B'1')"
        )
        op.execute(f"GRANT SELECT ON {table} TO {READER}")
    # For people with a database client: what they see obeys their own rights, not the owner's.
    op.execute(
        "CREATE VIEW latest_record WITH (security_invoker = true) AS SELECT r.* FROM record AS r "
        "JOIN latest AS l ON l.sequence = r.sequence WHERE NOT EXISTS (SELECT 1 FROM record AS later "
        "WHERE later.id = l.id AND later.sequence > l.sequence)"
    )
    op.execute(f"GRANT SELECT ON latest_record TO {READER}")
