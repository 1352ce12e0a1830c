"""Alembic's scripts for the ledger; run forward only, by `schema.upgrade`."""
