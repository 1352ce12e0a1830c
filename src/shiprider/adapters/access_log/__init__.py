"""The log of accesses."""
