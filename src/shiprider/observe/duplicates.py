"""The same transmission heard by several receivers: kept, and marked with the first row that had it.

Always true: the first row of a transmission is never a duplicate; a duplicate points at that first
row by its raw address; what is compared is the payload and the time when it was *true*, so a
satellite's copy that arrives 25 minutes late finds its original; rows are judged in the order given.

Two rows are one transmission where identity, message type and every payload field are equal and
their times differ by no more than the window. A vessel that moves cannot repeat a position to
1/10,000 minute (0.18 m), so 30 s allow for the clocks of receivers. One that lies
still sends equal payloads every 10 s and more rarely (M.1371-5 tables 1 and 2), so only 4.5 s are
allowed; fixed stations, and stations without a position, were seen to repeat every 2 s (recordings of
the Danish Maritime Authority), so only 1.5 s.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shiprider.measure.clock import HOUR_US, SECOND_US
from shiprider.measure.slots import mix64

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

#: Window for a payload that cannot repeat by itself.
MOVING_WINDOW_US: Final = 30 * SECOND_US
#: Window for a payload that may repeat at the next report (10 s at the earliest).
STILL_WINDOW_US: Final = 4_500_000
#: Window for a fixed station, and for what says no position.
FIXED_WINDOW_US: Final = 1_500_000
#: How far behind the newest time a copy is still looked for: satellites are up to 25 minutes late.
HORIZON_US: Final = HOUR_US

_BUCKET_US: Final = 64 * SECOND_US
_SMALLEST: Final = 1 << 12
_NEVER: Final = -(1 << 62)


@njit(cache=True, nogil=True)
def _mark(
    payload: U64,
    time_us: I64,
    raw: I64,
    window_us: I64,
    keys: U64,
    times: I64,
    raws: I64,
    used: int,
    newest: int,
    future: NDArray[np.bool_],
    duplicate_of: I64,
    start: int,
) -> tuple[int, int, int]:
    """Judge rows from `start`; stops early when the table is half full: (next row, used, newest)."""
    mask = np.uint64(len(keys) - 1)
    room = len(keys) // 2
    for i in range(start, len(payload)):
        moment = time_us[i]
        window = window_us[i]
        bucket = moment // _BUCKET_US
        first = (moment - window) // _BUCKET_US
        last = (moment + window) // _BUCKET_US
        found = np.int64(-1)
        home_key = np.uint64(0)
        home_at = np.uint64(0)
        for step in range(3):
            # its own bucket first, then the neighbours the window reaches into
            beside = bucket if step == 0 else (first if step == 1 else last)
            if step > 0 and beside == bucket:
                continue
            key = mix64(payload[i] ^ np.uint64(beside)) | np.uint64(1)
            at = key >> np.uint64(20) & mask
            while keys[np.int64(at)] != 0:
                j = np.int64(at)
                if keys[j] == key and abs(times[j] - moment) <= window and moment >= newest - HORIZON_US:
                    found = raws[j]
                    break
                at = (at + np.uint64(1)) & mask
            if found >= 0:
                break
            if step == 0:
                home_key = key
                home_at = at
        duplicate_of[i] = found
        if found < 0:
            if used >= room:
                return i, used, newest
            j = np.int64(home_at)
            keys[j] = home_key
            times[j] = moment
            raws[j] = raw[i]
            used += 1
            if moment > newest and not future[i]:
                newest = moment
    return len(payload), used, newest


@njit(cache=True, nogil=True)
def _refill(
    old_keys: U64, old_times: I64, old_raws: I64, oldest: int, keys: U64, times: I64, raws: I64, begin: int
) -> int:
    mask = np.uint64(len(keys) - 1)
    used = 0
    for step in range(len(old_keys)):
        # begin behind an empty place, so that a run of probes keeps its order
        i = (begin + step) % len(old_keys)
        if old_keys[i] == 0 or old_times[i] < oldest:
            continue
        at = old_keys[i] >> np.uint64(20) & mask
        while keys[np.int64(at)] != 0:
            at = (at + np.uint64(1)) & mask
        j = np.int64(at)
        keys[j] = old_keys[i]
        times[j] = old_times[i]
        raws[j] = old_raws[i]
        used += 1
    return used


@dataclass(slots=True)
class Seen:
    """Payloads seen within the horizon."""

    used: int = 0
    newest: int = _NEVER
    keys: U64 = field(default_factory=lambda: np.zeros(_SMALLEST, np.uint64))
    times: I64 = field(default_factory=lambda: np.zeros(_SMALLEST, np.int64))
    raws: I64 = field(default_factory=lambda: np.zeros(_SMALLEST, np.int64))

    def mark(self, payload: U64, time_us: I64, raw: I64, window_us: I64, future: NDArray[np.bool_]) -> I64:
        """For each row the raw address of the first row of its transmission, -1 where it is that first row.

        `future` rows (a clock that runs ahead) do not move the horizon.
        """
        duplicate_of = np.empty(len(payload), np.int64)
        row = 0
        while True:
            row, self.used, self.newest = _mark(
                payload,
                time_us,
                raw,
                window_us,
                self.keys,
                self.times,
                self.raws,
                self.used,
                self.newest,
                future,
                duplicate_of,
                row,
            )
            if row == len(payload):
                return duplicate_of
            self._make_room()

    def _make_room(self) -> None:
        """Forget what is behind the horizon; double the table where that does not free half of it."""
        # a row exactly at the horizon may still match an entry one window older
        oldest = self.newest - HORIZON_US - MOVING_WINDOW_US
        live = int(np.count_nonzero((self.keys != 0) & (self.times >= oldest)))
        size = _SMALLEST
        while size < 4 * live + 4:
            size *= 2
        keys, times, raws = np.zeros(size, np.uint64), np.zeros(size, np.int64), np.zeros(size, np.int64)
        begin = int(np.argmin(self.keys != 0)) + 1
        self.used = _refill(self.keys, self.times, self.raws, oldest, keys, times, raws, begin)
        self.keys, self.times, self.raws = keys, times, raws

    def entries(self) -> tuple[U64, I64, I64]:
        """What a snapshot keeps: keys, times and raw addresses in probing order, without the empty places."""
        begin = int(np.argmin(self.keys != 0)) + 1
        order = (np.arange(len(self.keys)) + begin) % len(self.keys)
        order = order[self.keys[order] != 0]
        return self.keys[order], self.times[order], self.raws[order]

    @classmethod
    def of(cls, keys: U64, times: I64, raws: I64, newest: int) -> "Seen":
        """The table of a snapshot's entries."""
        seen = cls(newest=newest)
        size = _SMALLEST
        while size < 4 * len(keys) + 4:
            size *= 2
        seen.keys, seen.times, seen.raws = (
            np.zeros(size, np.uint64),
            np.zeros(size, np.int64),
            np.zeros(size, np.int64),
        )
        if len(keys):
            seen.used = _refill(
                keys, times, raws, np.iinfo(np.int64).min, seen.keys, seen.times, seen.raws, 0
            )
        return seen
