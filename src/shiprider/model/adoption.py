"""An adoption: an area or a watchlist of a partner that this node follows as its own.

Always true: it ends when its originator takes the order back; what is adopted stays the partner's.
"""

from typing import Literal

import msgspec

OrderKind = Literal["watchlist", "area"]
#: follow: every revision as it comes; pin: the one that was looked at.
AdoptionMode = Literal["follow", "pin"]


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `adoption`. `digest` names the revision that was looked at, by its body."""

    order: str
    order_kind: OrderKind
    origin: str
    digest: str
    mode: AdoptionMode = "follow"
    active: bool = True
