# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# ruff: noqa: SIM109
# Numba infers the types of kernels from the arrays it is given.
"""The time of a recording: stamps written around a sentence, and what its clock makes of them.

Always true: the clock depends on the stamps and on NEXT_STAMPS of those behind them only, never on how the
bytes were cut into calls (docs/decisions/0003).
"""

from typing import Final

import numpy as np

from shiprider.formats.ais.octets import (
    BACKSLASH,
    BANG,
    CARRIAGE_RETURN,
    COMMA,
    DOLLAR,
    LINE_FEED,
    STAR,
    eight,
    get,
    inner,
    kernel,
    once,
    shared,
)
from shiprider.formats.ais.places import LATEST, PREVIOUS, RUNNING

SECOND: Final = 1_000_000
MINUTE: Final = 60_000_000
DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000
# 2000-01-01 and 2100-01-01: a stamp outside is no time of an AIS message.
EARLIEST: Final = 946_684_800_000_000
_LATEST: Final = 4_102_444_800_000_000

#: A recording's clock follows a stamp no further ahead than this unasked; beyond, the next stamps are asked
#: (docs/decisions/0003): so many of them, in so many octets.
NEXT_STAMPS: Final = 32
NEXT_BYTES: Final = 16_384
# Where most of those stamps stay with the clock, one that stands alone more than an hour ahead is a flaw, and one
# a month ahead in any company; so is one a year behind. A clock that stands a year ahead of most of what follows
# went wrong before, and goes back.
_MONTH: Final = 30 * DAY
_YEAR: Final = 365 * DAY
#: What becomes of the clock: it follows, it goes back, it stays; it stays and the stamp is a flaw.
FOLLOWS, RETURNS, STAYS, FLAWED = range(4)
#: Beside `timed` where the stamp is a flaw.
DOUBTED: Final = 4

#: One bit, or one number, in each of eight octets.
_ZEROS: Final = np.uint64(0x3030303030303030)
_SIXTEEN: Final = np.uint64(16)
_TOP_FOUR: Final = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIXES: Final = np.uint64(0x0606060606060606)
_TENS: Final = np.uint64(10)
_FOURTHS: Final = np.uint64(0x000000FF000000FF)
_HUNDRED_MILLION: Final = np.uint64(0x000F424000000064)
_TEN_THOUSAND: Final = np.uint64(0x0000271000000001)


@inner
def _days(year, month, day):
    """Days since 1970-01-01 of a proleptic Gregorian date."""
    if month <= 2:
        year -= 1
    era = year // 400
    yoe = year - era * 400
    m = month - 3 if month > 2 else month + 9
    doy = (153 * m + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@inner
def moment_of(year, month, day, hour, minute, second):
    """Microseconds of a date, -1 where it is none."""
    if year < 2000 or year > 2099 or month < 1 or month > 12 or day < 1 or day > 31:
        return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    days = _days(year, month, day)
    following = _days(year + 1, 1, 1) if month == 12 else _days(year, month + 1, 1)
    if days >= following:
        return -1
    return (days * 86400 + hour * 3600 + minute * 60 + second) * SECOND


@once
def epoch(buf, start, end, out):
    """An epoch in s, ms or us in buf[start:end]: out[0] microseconds or -1, out[1] its resolution."""
    value = np.int64(0)
    digits = 0
    i = start
    while digits < 9 and i + 8 <= end:
        octets = eight(buf, i)
        if (octets & _TOP_FOUR) != _ZEROS or ((octets + _SIXES) & _TOP_FOUR) != _ZEROS:
            break
        # Eight digits at once: pairs, then fours, then all.
        octets -= _ZEROS
        octets = octets * _TENS + (octets >> np.uint64(8))
        upper = (octets & _FOURTHS) * _HUNDRED_MILLION
        lower = (octets >> _SIXTEEN & _FOURTHS) * _TEN_THOUSAND
        value = value * 100_000_000 + np.int64((upper + lower) >> np.uint64(32))
        digits += 8
        i += 8
    while i < end and 48 <= get(buf, i) <= 57 and digits < 17:
        value = value * 10 + (get(buf, i) - 48)
        digits += 1
        i += 1
    unit = SECOND
    if digits >= 15:
        unit = 1
    elif digits >= 12:
        unit = 1000
    value *= unit
    resolution = unit
    if i < end and get(buf, i) == 46 and unit > 1:
        i += 1
        while i < end and 48 <= get(buf, i) <= 57:
            if resolution > 1:
                resolution //= 10
                value += (get(buf, i) - 48) * resolution
            i += 1
    out[0] = -1
    out[1] = resolution
    if digits >= 9 and i == end and EARLIEST <= value < _LATEST:
        out[0] = value


@inner
def number(buf, i, most):
    """Up to `most` digits from i: (value or -1, next index)."""
    value = np.int64(0)
    digits = 0
    while digits < most and 48 <= get(buf, i) <= 57:
        value = value * 10 + (get(buf, i) - 48)
        i += 1
        digits += 1
    return (value if digits else np.int64(-1)), i


@shared
def affixed(buf, start, end, out):
    """A time stamp written before or after a sentence: the last epoch, or ISO 8601, in buf[start:end]."""
    out[0] = -1
    out[1] = SECOND
    i = start
    while i < end:
        if not 48 <= get(buf, i) <= 57 or (
            i > start and (48 <= get(buf, i - 1) <= 57 or get(buf, i - 1) == 46)
        ):
            i += 1
            continue
        j = i
        while j < end and 48 <= get(buf, j) <= 57:
            j += 1
        if j - i >= 9:
            k = j
            if k < end and get(buf, k) == 46:
                k += 1
                while k < end and 48 <= get(buf, k) <= 57:
                    k += 1
            kept = out[0]
            kept_resolution = out[1]
            epoch(buf, i, k, out)
            if out[0] < 0:
                out[0] = kept
                out[1] = kept_resolution
            i = k
            continue
        if j - i == 4 and j + 15 <= end and (get(buf, j) == 45 or get(buf, j) == 47):
            year, _ = number(buf, i, 4)
            month, p = number(buf, j + 1, 2)
            day, q = number(buf, p + 1, 2)
            hour, r = number(buf, q + 1, 2)
            minute, s = number(buf, r + 1, 2)
            second, t = number(buf, s + 1, 2)
            if t <= end and get(buf, p) == get(buf, j) and get(buf, r) == 58 and get(buf, s) == 58:
                moment = moment_of(year, month, day, hour, minute, second)
                resolution = SECOND
                if (
                    moment >= 0
                    and t < end
                    and (get(buf, t) == 46 or get(buf, t) == 44)
                    and 48 <= get(buf, t + 1) <= 57
                ):
                    t += 1
                    while t < end and 48 <= get(buf, t) <= 57:
                        if resolution > 1:
                            resolution //= 10
                            moment += (get(buf, t) - 48) * resolution
                        t += 1
                if moment >= 0:
                    out[0] = moment
                    out[1] = resolution
                    i = t
                    continue
        i = j


@inner
def _peek(buf, i, end, out):
    """The stamp of the line from i, taken for granted, in out[0] (-1: none); gives the next line's start."""
    out[0] = -1
    bang = np.int64(-1)
    star = np.int64(-1)
    j = i
    while j < end and get(buf, j) != LINE_FEED and get(buf, j) != CARRIAGE_RETURN:
        if bang < 0 and get(buf, j) == BANG:
            bang = j
        elif bang >= 0 and star < 0 and get(buf, j) == STAR:
            star = j
        j += 1
    if i < j and get(buf, i) == BACKSLASH:
        k = i + 1
        while k < j and get(buf, k) != BACKSLASH:
            before = get(buf, k - 1)
            if get(buf, k) == 99 and get(buf, k + 1) == 58 and (before == BACKSLASH or before == COMMA):
                m = k + 2
                while m < j and (48 <= get(buf, m) <= 57 or get(buf, m) == 46):
                    m += 1
                epoch(buf, k + 2, m, out)
                break
            k += 1
    elif j - i > 30 and get(buf, i) == DOLLAR and get(buf, i + 1) == 80 and get(buf, i + 2) == 71:
        _, k = number(buf, i + 6, 4)
        year, k = number(buf, k + 1, 4)
        month, k = number(buf, k + 1, 2)
        day, k = number(buf, k + 1, 2)
        hour, k = number(buf, k + 1, 2)
        minute, k = number(buf, k + 1, 2)
        second, k = number(buf, k + 1, 2)
        out[0] = moment_of(year, month, day, hour, minute, second)
    elif bang >= 0:
        if star >= 0 and j > star + 3:
            affixed(buf, star + 3, min(j, star + 83), out)
        if out[0] < 0 and bang > i:
            affixed(buf, max(i, bang - 64), bang, out)
    if j < end and get(buf, j) == CARRIAGE_RETURN and get(buf, j + 1) == LINE_FEED:
        j += 1
    return j + 1


@inner
def verdict(clock, moment, near, calm, seen, beside):
    """What a recording's clock makes of a stamp.

    Of the `seen` stamps behind it `near` agree with it, and `calm` lie within an hour of the clock (of the first
    that disagrees, where there is no clock yet); `beside`: the stamp before it lies within an hour of it.
    """
    most = 2 * near > seen
    # Only where those around it agree with each other is it known that this one is wrong.
    known = 2 * calm > seen
    if clock < 0:
        if most or not seen:
            return FOLLOWS
        return FLAWED if known else STAYS
    ahead = moment - clock
    if ahead < -_YEAR:
        if most:
            return RETURNS
        return FLAWED if known else STAYS
    if ahead <= HOUR or most:
        return FOLLOWS
    if not seen:
        return FOLLOWS if ahead <= _MONTH else FLAWED
    alone = not near and (ahead > DAY or not beside)
    return FLAWED if known and (alone or ahead > _MONTH) else STAYS


@inner
def _judged(buf, start, end, ahead, ahead_end, clock, previous, moment, out):
    """The verdict on a stamp by those from buf[start:end] and ahead[:ahead_end]: (verdict, first that disagrees)."""
    if clock >= 0 and clock - _YEAR <= moment <= clock + HOUR:
        return FOLLOWS, np.int64(-1)
    back = clock >= 0 and moment < clock
    near = 0
    calm = 0
    seen = 0
    other = np.int64(-1)
    i = start
    while i < end and seen < NEXT_STAMPS and i - start < NEXT_BYTES:
        i = _peek(buf, i, end, out)
        if out[0] >= 0:
            seen += 1
            agrees = out[0] <= moment + DAY if back else out[0] >= moment - HOUR
            near += agrees
            if not agrees and other < 0:
                other = out[0]
            calm += abs(out[0] - (clock if clock >= 0 else other)) <= HOUR
    i = np.int64(0)  # not a literal, for which every kernel called with it would be compiled again
    while i < ahead_end and seen < NEXT_STAMPS and i + max(end - start, 0) < NEXT_BYTES:
        i = _peek(ahead, i, ahead_end, out)
        if out[0] >= 0:
            seen += 1
            agrees = out[0] <= moment + DAY if back else out[0] >= moment - HOUR
            near += agrees
            if not agrees and other < 0:
                other = out[0]
            calm += abs(out[0] - (clock if clock >= 0 else other)) <= HOUR
    return verdict(clock, moment, near, calm, seen, abs(moment - previous) <= HOUR), other


@shared
def follow(buf, start, end, ahead, ahead_end, state, moment, out):
    """A recording's clock after a stamp; True where the stamp is a flaw."""
    previous = state[PREVIOUS]
    state[PREVIOUS] = moment
    told, other = _judged(buf, start, end, ahead, ahead_end, state[RUNNING], previous, moment, out)
    if told == FOLLOWS:
        state[RUNNING] = max(state[RUNNING], moment)
    elif told == RETURNS:
        state[RUNNING] = moment
        state[LATEST] = moment
    elif state[RUNNING] < 0:
        # The first stamp of all is contradicted by those behind it: theirs is the time.
        state[RUNNING] = other
        return told == FLAWED and moment > other + DAY
    return told == FLAWED


@kernel
def undecided(buf, start, end, clock, previous, out):
    """Where the first line begins whose stamp cannot be judged before more is read; `end`: there is none."""
    i = start
    while i < end:
        line = i
        i = _peek(buf, line, end, out)
        moment = out[0]
        if moment < 0:
            continue
        if clock < 0 or moment > clock + HOUR or moment < clock - _YEAR:
            seen = 0
            j = i
            while j < end and seen < NEXT_STAMPS and j - i < NEXT_BYTES:
                j = _peek(buf, j, end, out)
                seen += out[0] >= 0
            # The first stamp does not wait: a recording that breaks off after a few lines keeps them.
            if clock >= 0 and seen < NEXT_STAMPS and j - i < NEXT_BYTES:
                return line
            told, other = _judged(buf, i, end, buf, 0, clock, previous, moment, out)
            if told == RETURNS:
                clock = moment
            elif told == FOLLOWS:
                clock = max(clock, moment)
            elif clock < 0:
                clock = other
        else:
            clock = max(clock, moment)
        previous = moment
    return end
