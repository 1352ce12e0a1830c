"""When the rows of a recording were received, told by their own times alone.

Always true: the rule is that of the AIS kernel (`framing.verdict`); one time far beyond its neighbours
neither moves the clock nor is believed; times in any number of calls give the same as in one.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais.stamping import FLAWED, FOLLOWS, NEXT_STAMPS, RETURNS, STAYS, verdict
from shiprider.measure.clock import DAY_US, HOUR_US

_YEAR_US: Final = 365 * DAY_US
#: The rule as plain Python: it is asked only at jumps.
_RULE: Final[Any] = verdict


@dataclass(slots=True)
class Running:
    """Where the clock stands between calls: the latest believed time and the last of all, -1 before the first."""

    clock: int = -1
    previous: int = -1


def received_times(
    times: NDArray[np.int64], state: Running, *, final: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(times, received) in us, for as many `times`, in order of their lines, as could be judged; moves `state`.

    A time years behind all around it is replaced by theirs. Not `final`: what only later rows can judge is
    left for the next call.
    """
    received = np.empty(len(times), np.int64)
    kept = times.copy()
    clock = state.clock
    at = 0
    while at < len(times):
        jumps = _jumps(times[at:], clock)
        calm = int(jumps[0]) if len(jumps) else len(times) - at
        if calm:
            received[at : at + calm] = np.maximum(np.maximum.accumulate(times[at : at + calm]), clock)
            clock = int(received[at + calm - 1])
            at += calm
            continue
        moment = int(times[at])
        after = times[at + 1 : at + 1 + NEXT_STAMPS]
        # The first does not wait: a recording that breaks off after a few lines keeps them.
        if clock >= 0 and len(after) < NEXT_STAMPS and not final:
            break
        agree = after <= moment + DAY_US if 0 <= moment < clock else after >= moment - HOUR_US
        # Those before the first that disagrees are near the time itself.
        steady = (
            np.abs(after - (clock if clock >= 0 else (after[~agree][:1] if (~agree).any() else 0))) <= HOUR_US
        )
        previous = int(times[at - 1]) if at else state.previous
        beside = abs(moment - previous) <= HOUR_US
        told = _RULE.py_func(clock, moment, int(agree.sum()), int(steady.sum()), len(after), beside)
        if told == RETURNS:
            clock = moment
        elif told == FOLLOWS:
            clock = max(clock, moment)
        elif clock < 0:
            clock = int(after[~agree][0])
            told = FLAWED if told == FLAWED and moment > clock + DAY_US else STAYS
        elif told == FLAWED and moment < clock:
            kept[at] = clock
        received[at] = clock if told == FLAWED else max(clock, moment)
        at += 1
    if at:
        state.clock, state.previous = clock, int(times[at - 1])
    return kept[:at], received[:at]


def _jumps(times: NDArray[np.int64], clock: int) -> NDArray[np.int64]:
    """Where a time is further from the clock, as the calm times before it leave it, than it is followed unasked."""
    if clock < 0:
        return np.zeros(1, np.int64)
    step = 1 << 16
    for begin in range(0, len(times), step):
        part = times[begin : begin + step]
        before = np.maximum(np.concatenate([[clock], np.maximum.accumulate(part)[:-1]]), clock)
        found = np.flatnonzero((part > before + HOUR_US) | (part < before - _YEAR_US))
        if len(found):
            return found[:1] + begin
        clock = max(clock, int(part.max()))
    return np.zeros(0, np.int64)
