"""What the API is handed: one node's view, review and status, and nothing that writes past them.

Always true: the API reads through a `View` of the person who asks and writes through `Review` alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shiprider.api.ceremonies import Ceremonies
from shiprider.flow.access import Access
from shiprider.flow.audit import Audit
from shiprider.flow.desk import Desk
from shiprider.flow.review import Review
from shiprider.flow.status import NodeStatus
from shiprider.flow.view import View
from shiprider.model.observer import Observer


def wall_clock_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One node. `demo` says that what is shown is a demonstration."""

    node: str
    version: str
    view: Callable[[Observer], View]
    review: Review
    status: Callable[[], NodeStatus]
    access: Access
    desk: Desk
    nation: str = ""
    language: str = "en"
    demo: bool = False
    clock: Callable[[], int] = wall_clock_us
    ceremonies: Ceremonies = field(default_factory=Ceremonies)
    #: The access log as one observer may read it; None where the node keeps none.
    audit: Callable[[Observer], Audit] | None = None
    #: Prometheus' text of the node's state, given how many sessions are open; None where it is not measured.
    metrics: Callable[[int], bytes] | None = None
