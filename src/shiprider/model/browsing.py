"""Browsing that no case explains: what the auditor is told of a person's accesses.

Always true: an alarm says what was counted, against what the person and the role usually do, and which
objects were opened; it accuses nobody: an auditor asks, and records what was found.
"""

from typing import Literal

import msgspec

#: What was unusual: many objects in minutes (burst) or in a watch (breadth), lists paged through (listing),
#: searches that led nowhere (fruitless), objects taken out (export), hours never worked (hours), a case the
#: person is not on (claim), refusals in a row (probing).
BrowsingSign = Literal["burst", "breadth", "listing", "fruitless", "export", "hours", "claim", "probing"]


class BrowsingAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """`count` was seen from `from_us` to `to_us` where `limit` is unusual; `usual` is what is expected of the person.

    `sequence` is the entry of the access log that decided it; `objects` are up to 50 ids, newest last.
    """

    who: str
    role: str
    sign: BrowsingSign
    from_us: int
    to_us: int
    sequence: int
    count: int
    usual: float
    limit: float
    objects: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
