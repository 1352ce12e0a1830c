"""What runs beside a node, and what a scrape of it answers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.node import OpenNode

if TYPE_CHECKING:
    from shiprider.flow.browsing import Duties
    from shiprider.flow.caretaker import Caretaker


def caretaker(opened: OpenNode, duties: "Callable[[], Duties] | None" = None) -> "Caretaker":
    """What runs beside the node: browsing alarm, disk history, operational log."""
    from shiprider.flow.browsing import BrowsingWatch, Duties, WorkInHand
    from shiprider.flow.caretaker import Caretaker
    from shiprider.flow.disk_trend import DiskHistory

    state = opened.folder / "state"
    state.mkdir(exist_ok=True)
    work = WorkInHand(opened.ledger, duties or Duties)
    watch = BrowsingWatch(opened.access_log, opened.ledger, work, wall_us, state / "browsing.place")
    return Caretaker(opened.folder, watch, DiskHistory(state / "disk.history"), opened.node.status, wall_us)


def metrics(opened: OpenNode) -> Callable[[int], bytes]:
    """What a scrape of the node answers, with how many sessions are open."""
    from shiprider.adapters.metrics.prometheus import text
    from shiprider.flow.disk_trend import DiskHistory
    from shiprider.flow.measures import Measuring, series

    measuring = Measuring(
        opened.node.status,
        opened.spool,
        opened.ledger,
        opened.access_log,
        DiskHistory(opened.folder / "state" / "disk.history"),
        lambda: opened.lake.scan("quarantine", ["raw"]).collect().height,
    )
    measuring.begin()
    return lambda sessions: text(series(measuring.read(sessions)))
