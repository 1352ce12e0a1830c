"""Engines: where partitions are computed."""
