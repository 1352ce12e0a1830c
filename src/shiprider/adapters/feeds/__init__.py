"""Feeds: where bytes come from."""
