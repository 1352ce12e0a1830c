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
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from shiprider.measure.clock import HOUR_US, SECOND_US
from shiprider.measure.kernels import kernel
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

#: So many more rows must speak for a time further ahead than the horizon than against it, before it is believed:
#: one bad clock must not make the table forget the hour that is being received.
VOTES: Final = 16

_BUCKET_US: Final = 64 * SECOND_US
_SMALLEST: Final = 1 << 12
_NEVER: Final = -(1 << 62)
#: Rows whose places are asked of memory before they are looked at: a place is seldom in a cache.
_AHEAD: Final = 32
_POSITION: Final = np.uint64(0xFFFFFFFF)
_TAG: Final = np.uint64(0xFFFFFFFF00000000)


def _prefetch(typing_context: Any, array: Any, i: Any) -> Any:
    """Ask for array[i] to be brought into the cache; nothing waits for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [place.type],
            ir.FunctionType(ir.VoidType(), [place.type, number, number, number]),
        )
        builder.call(prefetch, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    del typing_context
    return types.void(array, i), generate


_fetch: Any = intrinsic(_prefetch)


@kernel
def _mark(
    payload: U64,
    time_us: I64,
    raw: I64,
    window_us: I64,
    keys: U64,
    times: I64,
    raws: I64,
    places: U64,
    used: int,
    newest: int,
    votes: int,
    future: NDArray[np.bool_],
    duplicate_of: I64,
    start: int,
) -> tuple[int, int, int, int]:
    """Judge rows from `start`; stops early when there is no room: (next row, used, newest, votes)."""
    mask = np.uint64(len(places) - 1)
    wanted = np.empty((_AHEAD, 3), np.uint64)
    for begin in range(start, len(payload), _AHEAD):
        stop = min(begin + _AHEAD, len(payload))
        for i in range(begin, stop):
            # its own bucket first, then the neighbours the window reaches into; 0 is none
            bucket = time_us[i] // _BUCKET_US
            first = (time_us[i] - window_us[i]) // _BUCKET_US
            last = (time_us[i] + window_us[i]) // _BUCKET_US
            for step in range(3):
                beside = bucket if step == 0 else (first if step == 1 else last)
                key = np.uint64(0)
                if step == 0 or beside != bucket:
                    key = mix64(payload[i] ^ np.uint64(beside)) | np.uint64(1)
                    _fetch(places, np.int64(key >> np.uint64(1) & mask))
                wanted[i - begin, step] = key
        for i in range(begin, stop):
            moment = time_us[i]
            found = np.int64(-1)
            home = np.uint64(0)
            for step in range(3):
                key = wanted[i - begin, step]
                if key == 0:
                    continue
                at = key >> np.uint64(1) & mask
                while places[np.int64(at)] != 0:
                    place = places[np.int64(at)]
                    if (place ^ key) & _TAG == 0:
                        j = np.int64(place & _POSITION) - 1
                        if (
                            keys[j] == key
                            and abs(times[j] - moment) <= window_us[i]
                            and moment >= newest - HORIZON_US
                        ):
                            found = raws[j]
                            break
                    at = (at + np.uint64(1)) & mask
                if found >= 0:
                    break
                if step == 0:
                    home = at
            duplicate_of[i] = found
            if found < 0:
                if used >= len(keys):
                    return i, used, newest, votes
                keys[used] = wanted[i - begin, 0]
                times[used] = moment
                raws[used] = raw[i]
                used += 1
                places[np.int64(home)] = wanted[i - begin, 0] & _TAG | np.uint64(used)
                if future[i]:
                    continue
                if newest != _NEVER and moment > newest + HORIZON_US:
                    votes += 1
                    if votes < VOTES:
                        continue
                elif votes and moment > newest - HORIZON_US:
                    votes -= 1
                if moment > newest:
                    votes = 0 if moment > newest + HORIZON_US else votes
                    newest = moment
    return len(payload), used, newest, votes


@kernel
def _forget(keys: U64, times: I64, raws: I64, used: int, oldest: int) -> int:
    """Close the gaps of what is older than `oldest`; how many are left, in the order they came."""
    left = 0
    for i in range(used):
        if times[i] >= oldest:
            keys[left] = keys[i]
            times[left] = times[i]
            raws[left] = raws[i]
            left += 1
    return left


@kernel
def _place(keys: U64, used: int, places: U64) -> None:
    """Fill the empty `places`: where each key is, those of one key in the order they came."""
    mask = np.uint64(len(places) - 1)
    for i in range(used):
        if i + _AHEAD < used:
            _fetch(places, np.int64(keys[i + _AHEAD] >> np.uint64(1) & mask))
        at = keys[i] >> np.uint64(1) & mask
        while places[np.int64(at)] != 0:
            at = (at + np.uint64(1)) & mask
        places[np.int64(at)] = keys[i] & _TAG | np.uint64(i + 1)


def _longer(values: NDArray[Any], used: int, size: int) -> NDArray[Any]:
    longer = np.empty(size, values.dtype)
    longer[:used] = values[:used]
    return longer


@dataclass(slots=True)
class Seen:
    """Payloads seen within the horizon.

    The first `used` of `keys`, `times` and `raws` are what was seen, in order of arrival. `places` is an
    open-addressing table over them, at most three quarters full: half a key and a position (from 1), 0 where
    it is empty. So a row takes 24 octets and 12 to 24 more, where whole rows in a table half full took 48 to 192.
    """

    used: int = 0
    newest: int = _NEVER
    votes: int = 0
    keys: U64 = field(default_factory=lambda: np.empty(_SMALLEST, np.uint64))
    times: I64 = field(default_factory=lambda: np.empty(_SMALLEST, np.int64))
    raws: I64 = field(default_factory=lambda: np.empty(_SMALLEST, np.int64))
    places: U64 = field(default_factory=lambda: np.zeros(2 * _SMALLEST, np.uint64))

    def mark(self, payload: U64, time_us: I64, raw: I64, window_us: I64, future: NDArray[np.bool_]) -> I64:
        """For each row the raw address of the first row of its transmission, -1 where it is that first row.

        `future` rows (a clock that runs ahead) do not move the horizon; neither do a few that are far ahead.
        """
        duplicate_of = np.empty(len(payload), np.int64)
        row = 0
        while True:
            row, self.used, self.newest, self.votes = _mark(
                payload,
                time_us,
                raw,
                window_us,
                self.keys,
                self.times,
                self.raws,
                self.places,
                self.used,
                self.newest,
                self.votes,
                future,
                duplicate_of,
                row,
            )
            if row == len(payload):
                return duplicate_of
            self._make_room()

    def _forget(self) -> None:
        """Let go what is behind the horizon: it could not be found any more."""
        # a row exactly at the horizon may still match an entry one window older
        oldest = self.newest - HORIZON_US - MOVING_WINDOW_US
        self.used = _forget(self.keys, self.times, self.raws, self.used, oldest)

    def _make_room(self) -> None:
        """Forget what is behind the horizon; make the arrays longer where that does not free a third of them."""
        self._forget()
        self._sized(max(len(self.keys), self.used + self.used // 2))

    def _sized(self, size: int) -> None:
        """Room for `size` rows, and the places anew."""
        if size > len(self.keys):
            # one after the other: the old and the new of all three need not be there together
            self.keys = _longer(self.keys, self.used, size)
            self.times = _longer(self.times, self.used, size)
            self.raws = _longer(self.raws, self.used, size)
        slots = 1 << (4 * size // 3).bit_length()
        if slots == len(self.places):
            self.places[:] = 0
        else:
            self.places = np.zeros(0, np.uint64)
            self.places = np.zeros(slots, np.uint64)
        _place(self.keys, self.used, self.places)

    def entries(self) -> tuple[U64, I64, I64]:
        """What a snapshot keeps: keys, times and raw addresses in order of arrival. Valid until the next `mark`."""
        before = self.used
        self._forget()
        if self.used < before:
            self._sized(len(self.keys))
        return self.keys[: self.used], self.times[: self.used], self.raws[: self.used]

    @classmethod
    def of(cls, keys: U64, times: I64, raws: I64, newest: int, votes: int = 0) -> "Seen":
        """The table of a snapshot's entries."""
        seen = cls(
            newest=newest,
            votes=votes,
            keys=keys.copy(),
            times=times.copy(),
            raws=raws.copy(),
            used=len(keys),
        )
        seen._sized(max(_SMALLEST, len(keys) + len(keys) // 2))
        return seen
