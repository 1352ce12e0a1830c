"""Clocks outside the node."""
