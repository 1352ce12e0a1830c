"""What Alembic runs: on the connection it is handed, inside the caller's transaction."""

from alembic import context

from shiprider.adapters.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    version_table="schema_version",
)
with context.begin_transaction():
    context.run_migrations()
