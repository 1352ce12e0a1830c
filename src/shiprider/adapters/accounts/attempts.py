"""Counting tries against guessing.

Always true: a try moves the time before which no other is taken, in the commit that counts it and before
anything is compared; so tries at once wait for each other and a crash forgets none.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from shiprider.adapters.accounts.tables import ATTEMPT

#: A person mistypes: so many tries go without waiting.
FREE_TRIES: Final = 5

#: Then the wait doubles from here, microseconds, up to the longest of its kind.
_FIRST_US: Final = 1_000_000

#: Tries this old are forgotten, microseconds: a day.
_KEPT_US: Final = 86_400_000_000


def counted(connection: sa.Connection, keys: Sequence[tuple[str, int]], now_us: int) -> int:
    """See `ports.accounts.Accounts.attempt`; `keys` are (key, longest delay in microseconds)."""
    connection.execute(sa.delete(ATTEMPT).where(ATTEMPT.c.last_us < now_us - _KEPT_US))
    rows = connection.execute(sa.select(ATTEMPT).where(ATTEMPT.c.key.in_([key for key, _ in keys])))
    found = {row.key: row for row in rows}
    # A clock that was set back must not lock anybody out for longer than the longest delay.
    waits = [min(found[key].not_before_us - now_us, longest) for key, longest in keys if key in found]
    if waits and max(waits) > 0:
        return max(waits)
    for key, longest in keys:
        tries = (found[key].tries if key in found else 0) + 1
        row = {
            "tries": tries,
            "last_us": now_us,
            "not_before_us": now_us + delay_us(tries, longest),
        }
        if key in found:
            connection.execute(sa.update(ATTEMPT).where(ATTEMPT.c.key == key).values(row))
        else:
            connection.execute(sa.insert(ATTEMPT), {"key": key, **row})
    return 0


def delay_us(tries: int, longest_us: int) -> int:
    """How long after so many tries the next one must wait."""
    beyond = tries - FREE_TRIES
    return 0 if beyond < 0 else min(_FIRST_US << min(beyond, 40), longest_us)
