"""Ledgers: append-only records."""
