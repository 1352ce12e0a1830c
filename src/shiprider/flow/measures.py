"""What a node measures of itself for those who keep it: counts and times, no person and no object.

Always true: names here are those of feeds, acts and outcomes; who did what is in the access log alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shiprider.flow.disk_trend import DiskHistory, days_left
from shiprider.flow.status import NodeStatus
from shiprider.ports.access_log import AccessLog
from shiprider.ports.ledger import Ledger, Query
from shiprider.ports.metrics import Series
from shiprider.ports.spool import Spool

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """One reading. `accesses` counts entries by (act, outcome) since the node started; None: not known."""

    status: NodeStatus
    quarantined: int
    spool_bytes: int
    spool_segments: int
    spool_trouble: bool
    ledger_records: int
    access_entries: int
    accesses: Mapping[tuple[str, str], int]
    browsing_alarms: int
    sessions: int
    disk_days_left: float | None


@dataclass(slots=True)
class Measuring:
    """Takes readings. Safe from one thread at a time."""

    status: Callable[[], NodeStatus]
    spool: Spool
    ledger: Ledger
    log: AccessLog
    disk: DiskHistory
    quarantined: Callable[[], int]
    _counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    _read: int = 0

    def begin(self) -> None:
        """Accesses are counted from here on."""
        self._read = self.log.head().sequence

    def read(self, sessions: int) -> Measures:
        """As it is now; `sessions` are open."""
        while entries := self.log.since(self._read, limit=_AT_ONCE):
            self._counted.update((entry.act, entry.outcome) for _, entry in entries)
            self._read = entries[-1][0]
        held = [segment for segment in self.spool.segments() if not segment.removed]
        return Measures(
            status=self.status(),
            quarantined=self.quarantined(),
            spool_bytes=sum(segment.stored for segment in held),
            spool_segments=len(held),
            spool_trouble=bool(self.spool.trouble()),
            ledger_records=self.ledger.head().sequence,
            access_entries=self.log.head().sequence,
            accesses=dict(self._counted),
            browsing_alarms=self.ledger.count(Query("browsing_alarm")),
            sessions=sessions,
            disk_days_left=days_left(self.disk.read()),
        )


def series(read: Measures) -> list[Series]:
    """The metrics of one reading."""
    status = read.status
    feeds = status.feeds
    found = [
        Series(
            "shiprider_feed_condition",
            "1 for the condition a feed is in",
            [((feed.name, feed.condition), 1.0) for feed in feeds],
            ("feed", "condition"),
        ),
        Series(
            "shiprider_feed_messages",
            "Messages of a feed since the node started",
            [((feed.name,), feed.messages) for feed in feeds],
            ("feed",),
            counts=True,
        ),
        Series(
            "shiprider_feed_messages_per_second",
            "Mean rate of a feed since the node started",
            [((feed.name,), feed.messages_per_s) for feed in feeds],
            ("feed",),
        ),
        _one(
            "shiprider_observations", "Positions in the lake", sum(status.observations.values()), counts=True
        ),
        _one("shiprider_decode_errors", "Entries in quarantine", read.quarantined),
        _one("shiprider_spool_bytes", "Bytes of the spool on disk", read.spool_bytes),
        _one("shiprider_spool_segments", "Segments of the spool that are held", read.spool_segments),
        _one("shiprider_spool_trouble", "1 while segments cannot be closed", float(read.spool_trouble)),
        _one("shiprider_disk_used_bytes", "Bytes of the node's folder", status.used_bytes),
        _one("shiprider_disk_free_bytes", "Bytes free on its disk", status.free_bytes),
        _one("shiprider_ledger_records", "Records in the ledger", read.ledger_records, counts=True),
        _one("shiprider_access_entries", "Entries in the access log", read.access_entries, counts=True),
        Series(
            "shiprider_accesses",
            "Accesses since the node started, by act and outcome (denied: refused)",
            [(kind, count) for kind, count in sorted(read.accesses.items())],
            ("act", "outcome"),
            counts=True,
        ),
        _one("shiprider_sessions", "Sessions that are open", read.sessions),
        _one("shiprider_browsing_alarms", "Browsing alarms filed", read.browsing_alarms, counts=True),
        _one("shiprider_notices", "Sentences the node has to say about its state", len(status.notices)),
    ]
    lags = [((feed.name,), feed.lag_s) for feed in feeds if feed.lag_s is not None]
    if lags:
        found.append(
            Series(
                "shiprider_feed_lag_seconds",
                "From the newest message's own time to its arrival",
                lags,
                ("feed",),
            )
        )
    if read.disk_days_left is not None:
        found.append(_one("shiprider_disk_days_left", "Days until the disk is full", read.disk_days_left))
    return found


def _one(name: str, text: str, value: float, *, counts: bool = False) -> Series:
    return Series(name, text, [((), value)], counts=counts)
