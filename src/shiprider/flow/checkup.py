"""What `shiprider doctor` looks at beside the stores' hashes: clocks, disk, keys and certificates.

Always true: a check is a plain function of what was read; it says in one sentence what is wrong and what to
do; nothing is asked of the network unless the operator named it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final

from shiprider.flow.disk_trend import FOR_EVER_DAYS, Reading, days_left
from shiprider.measure.clock import DAY_US

#: A receiver's stamp that lies so far in the node's future says that the node's clock is behind.
AHEAD_S: Final = 5.0

#: Live data that is older than this on arrival: a late feed, or the node's clock runs ahead.
BEHIND_S: Final = 600.0

#: An NTP or HTTP source and the node differ by more: tracks of two nodes would no longer fit (10 kn x 2 s = 10 m).
OFFSET_S: Final = 2.0

#: Days before an end at which it is told.
DISK_DAYS: Final = 14.0
EXPIRY_DAYS: Final = 30.0

#: A signing key is changed once a year (P); it is told a month before.
KEY_DAYS: Final = 365.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    what: str
    good: bool
    text: str


def clock_by_feeds(lags_s: Sequence[float]) -> Check:
    """`lags_s`: arrival minus the receiver's own stamp, of the newest live messages."""
    what = "clock against the feeds"
    if len(lags_s) < 20:
        return Check(what, True, "too few stamped live messages to tell")
    lag = median(lags_s)
    if lag < -AHEAD_S:
        return Check(
            what,
            False,
            f"receivers' stamps lie {-lag:.0f} s in the future: set this machine's clock (it is behind)",
        )
    if lag > BEHIND_S:
        return Check(
            what,
            False,
            f"live messages are {lag / 60:.0f} min old on arrival: the feed is late, or this machine's clock is ahead",
        )
    return Check(what, True, f"messages arrive {lag:.1f} s after their stamp (median of {len(lags_s)})")


def clock_by_log(now_us: int, newest_us: int) -> Check:
    """Against what was last written: a clock that was set back would put new records before old ones."""
    what = "clock against the ledger"
    if newest_us > now_us + round(OFFSET_S * 1e6):
        return Check(
            what,
            False,
            f"the newest record is {_moment(newest_us)}, in the future: the clock was set back; set it right",
        )
    return Check(what, True, f"the newest record is {_moment(newest_us)}" if newest_us else "no record yet")


def clock_by_source(source: str, offset_s: float) -> Check:
    """Against the time source that the operator named."""
    good = abs(offset_s) <= OFFSET_S
    text = f"{source} is {abs(offset_s):.1f} s {'ahead' if offset_s > 0 else 'behind'}"
    return Check("clock against the time source", good, text if good else f"{text}: set this machine's clock")


def disk(readings: Sequence[Reading], free_bytes: int) -> Check:
    """By the trend of the node's own history."""
    what = "disk trend"
    left = days_left(readings)
    gib = f"{free_bytes / 2**30:.1f} GiB free"
    if left is None:
        return Check(what, True, f"{gib}; the node has not run long enough to tell a trend")
    if left >= FOR_EVER_DAYS:
        return Check(what, True, f"{gib}; it does not fill")
    if left < DISK_DAYS:
        return Check(
            what,
            False,
            f"{gib}, full in {left:.1f} days: free space, or lower `disk_budget_gib` and run `shiprider retention`",
        )
    return Check(what, True, f"{gib}, full in {left:.0f} days")


def kept_apart(folder: str, mode: int) -> Check:
    """Whether others of this machine may look into the node's folder, past its log: `mode` is the folder's."""
    what = "who may look into the folder"
    if mode & 0o007:
        return Check(what, False, f"everybody on this machine: chmod o= {folder}")
    return Check(what, True, "its owner and its group" if mode & 0o070 else "its owner")


def beginning(what: str, begins_us: int, before: str, before_us: int) -> Check:
    """A log is made before what it tells of: one that begins later was made anew, and the old one is gone (0: none yet)."""
    name = f"{what} from the beginning"
    if begins_us and before_us and begins_us > before_us + round(OFFSET_S * 1e6):
        return Check(
            name,
            False,
            f"it begins {_moment(begins_us)}, after {before} of {_moment(before_us)}: it was replaced; restore it from a back-up",
        )
    return Check(name, True, f"it begins {_moment(begins_us)}" if begins_us else "nothing in it yet")


def expiry(name: str, end_us: int, now_us: int) -> Check:
    """A certificate's, or anything else's, end of validity."""
    left = (end_us - now_us) / DAY_US
    if left < 0:
        return Check(name, False, f"expired {_moment(end_us)}: renew it now")
    if left < EXPIRY_DAYS:
        return Check(name, False, f"expires {_moment(end_us)}, in {left:.0f} days: renew it")
    return Check(name, True, f"valid until {_moment(end_us)}")


def key_age(key_id: str, from_us: int, now_us: int) -> Check:
    """The active signing key: it does not expire, it is changed."""
    return expiry(f"signing key {key_id[:8]}", from_us + round(KEY_DAYS * DAY_US), now_us)


def _moment(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
