"""When the rows of a recording were received, told by their own times alone.

Always true: the rule is that of the AIS kernel (`framing.verdict`); one time far beyond its neighbours
neither moves the clock nor is believed; times in any number of calls give the same as in one.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais.framing import FLAWED, FOLLOWS, NEXT_STAMPS, RETURNS, verdict
from shiprider.measure.clock import DAY_US, HOUR_US

_YEAR_US: Final = 365 * DAY_US
#: The rule as plain Python: it is asked only at jumps.
_RULE: Final[Any] = verdict


def received_times(
    times: NDArray[np.int64], clock: int, *, final: bool
) -> tuple[NDArray[np.int64], int, int]:
    """(received in us, clock after them, how many could be judged) for times in order of their lines.

    `clock` is -1 before the first. Not `final`: what only later rows can judge is left for the next call.
    """
    received = np.empty(len(times), np.int64)
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
        told = _RULE.py_func(clock, moment, int(agree.sum()), len(after))
        if told == RETURNS:
            clock = moment
        elif told == FOLLOWS:
            clock = max(clock, moment)
        elif clock < 0:
            clock = int(after[~agree][0])
            told = FLAWED if moment > clock + DAY_US else told
        received[at] = clock if told == FLAWED else max(clock, moment)
        at += 1
    return received[:at], clock, at


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
