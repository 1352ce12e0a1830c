"""One line of the access log: who did, or was refused, what, to which objects, for what purpose.

Always true: an entry never carries content, only ids, counts, reasons and what was asked for; `who` is the login (or
`program`, `demo`, `machine:USER`, `node`, `unknown`), which stays, and never the name, which can be given anew.
"""

from typing import Final, Literal

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
    """`what` is a route or command (`GET /api/v1/alerts`); `objects` the ids it touched; times in microseconds.

    `name` is how the person's name reads now, `asked` the search and its filters, as `bounded` gives them.
    """

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
    name: str = ""
    asked: str = ""


#: Letters of a search that are kept: more than a name, a call sign and every filter have.
_ASKED_MOST: Final = 400


def bounded(asked: str) -> str:
    """What was asked for, so long at most that nobody fills the log by asking."""
    return asked if len(asked) <= _ASKED_MOST else f"{asked[:_ASKED_MOST]}…"
