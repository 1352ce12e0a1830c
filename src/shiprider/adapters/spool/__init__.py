"""Spools: the synced bytes that are the truth."""
