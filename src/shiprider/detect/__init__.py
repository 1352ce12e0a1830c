"""Finds behaviour that may be trafficking, and says why."""
