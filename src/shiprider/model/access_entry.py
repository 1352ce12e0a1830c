"""One line of the access log: who did, or was refused, what, to which objects, for what purpose.

Always true: an entry never carries content, only ids, counts and reasons.
"""

from typing import Literal

import msgspec

#: What was done. `denied` acts keep the act that was tried and set `outcome`.
Act = Literal[
    "sign_in",
    "sign_out",
    "read",
    "search",
    "count",
    "live",
    "export",
    "change",
    "release",
    "break_glass",
    "administer",
    "policy",
]


class AccessEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is a route or command (`GET /api/v1/alerts`); `objects` the ids it touched; times in microseconds."""

    at_us: int
    who: str
    session: str
    act: Act
    what: str
    outcome: Literal["allowed", "denied", "failed"]
    objects: tuple[str, ...] = ()
    count: int = 0
    purpose: str = ""
    case: str = ""
    why: str = ""
