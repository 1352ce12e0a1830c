"""Ids of new records: random, so that they say nothing and never meet.

Always true: 128 random bits as 32 lower-case hex digits.
"""

import secrets


def new_id() -> str:
    """A new id."""
    return secrets.token_hex(16)
