# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# ruff: noqa: SIM109
# Numba infers the types of kernels from the arrays it is given.
"""One pass over the bytes: sentences, tag blocks, stamps, parts, checksums, bits.

Always true: the table comes as an argument; nothing is allocated per message; every AIS sentence ends
as a message, as a part kept in a slot, or as a reject with its reason; what the pass gives depends on
the bytes and the state only, never on how the bytes were cut into calls. The buffer carries at least
64 zero bytes after its end, so no test for the end is needed inside a sentence.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

# Columns of `meta`, one row per message; PLACE is the message's first octet in `stream`.
(
    TYPE,
    MMSI,
    PLACE,
    BITS,
    RAW,
    LENGTH,
    TIME,
    SOURCE,
    RESOLUTION,
    RECEIVED,
    RECEIVER_KIND,
    NATURE,
    CHANNEL,
    TALKER,
    LAYOUT,
    FLAWS,
    PARTS,
    STATION,
    STATION_LENGTH,
) = range(19)
META_COLUMNS: Final = 19

# `state`: what spans calls, beside the ring and the slots. -1 is "none yet".
(
    LATEST,
    RUNNING,
    CLOCK,
    SENTENCES,
    LINES,
    LAG,
    PENDING,
    PENDING_RESOLUTION,
    PENDING_STATION,
    RING,
    PREVIOUS,
) = range(11)
STATE_LENGTH: Final = 16
RING_LENGTH: Final = 16
# Rows of `ring`: recent $PGHP lines that no sentence has claimed.
RING_TIME, RING_CHECKSUM, RING_LINE, RING_STATION = range(4)

# `counts` that a call gives.
N_MESSAGES, N_REJECTS, N_OCTETS, N_STATION_BYTES, N_LINES, N_IGNORED, N_STAMPS, N_UNTIMED, N_FULL = range(9)
N_POSITION: Final = 9
COUNTS: Final = 12

#: What `_sentence` finds.
H_TOTAL, H_PART, H_SEQUENCE, H_CHANNEL, H_FILL, H_SYMBOLS, H_CHECKSUM, H_NEXT, H_OCTETS = range(9)

SLOTS: Final = 256
PROBES: Final = 8
PARTS_MOST: Final = 9
PART_SYMBOLS: Final = 128
STATION_BYTES: Final = 32
# Columns of a slot, then per part: address, length, symbols, fill.
S_USED, S_KEY, S_TOTAL, S_MASK, S_COUNT, S_TIME, S_RESOLUTION, S_SEEN, S_STATION, S_TIMED = range(10)
S_RAW: Final = 10
S_LENGTH: Final = 19
S_SYMBOLS: Final = 28
S_FILL: Final = 37
SLOT_COLUMNS: Final = 46

#: Sentences, and microseconds, after which a part is no longer waited for.
PATIENCE_SENTENCES: Final = 1_000
PATIENCE_US: Final = 60_000_000

REASONS: Final = (
    "",
    "bad checksum",
    "no checksum",
    "bad armour",
    "empty payload",
    "truncated",
    "unknown type",
    "missing part",
    "too long",
    "bad part number",
    "malformed sentence",
    "no time yet",
)
(
    OK,
    BAD_CHECKSUM,
    NO_CHECKSUM,
    BAD_ARMOUR,
    EMPTY,
    TRUNCATED,
    UNKNOWN_TYPE,
    MISSING_PART,
    TOO_LONG,
    BAD_PART,
    MALFORMED,
    UNTIMED,
) = range(12)

#: Numbers of one row of the wire table's layouts and tests (compiled.py).
_LAYOUT_COLUMNS: Final = 10
_TEST_COLUMNS: Final = 9

# Time sources and natures of model/codes.py; a test keeps them in step.
_RECEIVER: Final = 0
_MESSAGE: Final = 1
_FILE: Final = 2
_ASSUMED: Final = 3
_SIMULATED: Final = 3
_SATELLITE: Final = 2
_TIME_ASSUMED: Final = 32

_SECOND: Final = 1_000_000
_MINUTE: Final = 60_000_000
_DAY: Final = 86_400_000_000
_HOUR: Final = 3_600_000_000
# 2000-01-01 and 2100-01-01: a stamp outside is no time of an AIS message.
_EARLIEST: Final = 946_684_800_000_000
_LATEST: Final = 4_102_444_800_000_000

#: A recording's clock follows a stamp no further ahead than this unasked; beyond, the next stamps are asked
#: (docs/decisions/0003): so many of them, in so many octets.
NEXT_STAMPS: Final = 32
NEXT_BYTES: Final = 16_384
# Where most of those stamps stay with the clock, one that stands alone more than an hour ahead is a flaw, and one
# a month ahead in any company; so is one a year behind. A clock that stands a year ahead of most of what follows
# went wrong before, and goes back.
_MONTH: Final = 30 * _DAY
_YEAR: Final = 365 * _DAY
#: What becomes of the clock: it follows, it goes back, it stays; it stays and the stamp is a flaw.
FOLLOWS, RETURNS, STAYS, FLAWED = range(4)
#: Beside `timed` where the stamp is a flaw.
_DOUBTED: Final = 4

#: One bit, or one number, in each of eight octets.
_ZEROS: Final = np.uint64(0x3030303030303030)
_SIXTEEN: Final = np.uint64(16)
_NOTHING: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_TOP_FOUR: Final = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIXES: Final = np.uint64(0x0606060606060606)
_TENS: Final = np.uint64(10)
_FOURTHS: Final = np.uint64(0x000000FF000000FF)
_HUNDRED_MILLION: Final = np.uint64(0x000F424000000064)
_TEN_THOUSAND: Final = np.uint64(0x0000271000000001)
#: Octets of a tag block looked at, its backslashes left out.
_TAG_MOST: Final = 255

#: Bits of a message that fills one slot: a shorter one of no known variant was cut.
_ONE_SLOT: Final = 168

#: Year to second of message 4, and the second of a position report, bits.
_DATE_BITS: Final = 40
_SECOND_BITS: Final = 6

_LINE_FEED: Final = 10
_CARRIAGE_RETURN: Final = 13
_BANG: Final = 33
_DOLLAR: Final = 36
_STAR: Final = 42
_COMMA: Final = 44
_BACKSLASH: Final = 92


# Kernels called by kernels only: without the wrappers that Python would need they compile faster.
# Without reference counting (nothing is allocated in here) a call costs no atomic operations: with it,
# counting the array arguments took two thirds of the pass.
_INNER: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
_KERNEL: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
_inner = njit(**_INNER)
# Kernels with one call site become a part of their caller: passing some ten arrays costs more than the work.
_once = njit(**_INNER, forceinline=True)
_kernel = njit(**_KERNEL)


def armour() -> NDArray[np.uint8]:
    """Six-bit value of each byte of a payload, 255 where it is none (IEC 61162-1)."""
    table = np.full(256, 255, np.uint8)
    for byte in (*range(48, 88), *range(96, 120)):
        value = byte - 48
        table[byte] = value - 8 if value > 40 else value
    return table


def hexadecimal() -> NDArray[np.uint8]:
    """Value of each hexadecimal digit, 255 where it is none."""
    table = np.full(256, 255, np.uint8)
    for value in range(16):
        table[ord(f"{value:X}")] = value
        table[ord(f"{value:x}")] = value
    return table


# Octets and numbers of flat arrays at places known to lie inside: no test for a negative place or for the end.
def _place(context, builder, kind, array, i, width):
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [i]), ir.IntType(width).as_pointer())


@intrinsic
def _get(typing_context, array, i):
    """array[i] as int64; the array holds octets or 64-bit numbers."""
    width = array.dtype.bitwidth

    def generate(context, builder, signature, arguments):
        value = builder.load(_place(context, builder, signature.args[0], *arguments, width), align=width // 8)
        return value if width == 64 else builder.zext(value, ir.IntType(64))

    del typing_context, i
    return types.int64(array, types.int64), generate


@intrinsic
def _put(typing_context, array, i, value):
    """array[i] = value; the array holds 64-bit numbers."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[2], _place(context, builder, signature.args[0], *arguments[:2], 64), align=8)
        return context.get_dummy_value()

    del typing_context, i, value
    return types.void(array, types.int64, types.int64), generate


@intrinsic
def _eight(typing_context, buf, i):
    """Eight octets from buf[i:], the first one lowest, as one number."""

    def generate(context, builder, signature, arguments):
        return builder.load(_place(context, builder, signature.args[0], *arguments, 64), align=1)

    del typing_context, i
    return types.uint64(buf, types.int64), generate


@intrinsic
def _put_eight(typing_context, buf, i, value):
    """Eight octets to buf[i:], the lowest one first."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[2], _place(context, builder, signature.args[0], *arguments[:2], 64), align=1)
        return context.get_dummy_value()

    del typing_context, i, value
    return types.void(buf, types.int64, types.uint64), generate


@intrinsic
def _swapped(typing_context, value):
    """The eight octets of a number in the other order."""

    def generate(context, builder, signature, arguments):
        del context, signature
        return builder.bswap(arguments[0])

    del typing_context, value
    return types.uint64(types.uint64), generate


@_once
def _bits(stream, place, first, width):
    """An unsigned number of at most 57 bits."""
    value = _swapped(_eight(stream, place + (first >> 3))) << np.uint64(first & 7)
    return np.int64(value >> np.uint64(64 - width))


# Thirty-two octets at once. Vectors of LLVM, which it lowers to what the processor has.
_I8, _I16, _I32, _I64 = (ir.IntType(width) for width in (8, 16, 32, 64))


def _vector(kind, count, values):
    return ir.Constant(ir.VectorType(kind, count), list(values))


def _splat(builder, value, count):
    empty = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    one = builder.insert_element(empty, value, _I32(0))
    return builder.shuffle_vector(one, empty, _vector(_I32, count, [0] * count))


def _load_32(context, builder, kind, array, i):
    data = context.make_array(kind)(context, builder, array).data
    place = builder.bitcast(builder.gep(data, [i]), ir.VectorType(_I8, 32).as_pointer())
    return builder.load(place, align=1)


def _store_32(context, builder, kind, array, i, value):
    data = context.make_array(kind)(context, builder, array).data
    place = builder.bitcast(builder.gep(data, [i]), ir.VectorType(_I8, 32).as_pointer())
    builder.store(value, place, align=1)


def _pack_32(builder, values):
    """Six-bit values, one an octet, to 24 octets, highest bit first, and eight zeros."""
    pairs = builder.bitcast(values, ir.VectorType(_I16, 16))
    pairs = builder.or_(
        builder.shl(builder.and_(pairs, _vector(_I16, 16, [255] * 16)), _vector(_I16, 16, [6] * 16)),
        builder.lshr(pairs, _vector(_I16, 16, [8] * 16)),
    )
    fours = builder.bitcast(pairs, ir.VectorType(_I32, 8))
    fours = builder.or_(
        builder.shl(builder.and_(fours, _vector(_I32, 8, [65535] * 8)), _vector(_I32, 8, [12] * 8)),
        builder.lshr(fours, _vector(_I32, 8, [16] * 8)),
    )
    octets = builder.bitcast(fours, ir.VectorType(_I8, 32))
    order = [4 * (i // 3) + 2 - i % 3 for i in range(24)] + [3] * 8
    return builder.shuffle_vector(octets, octets, _vector(_I32, 32, order))


def _fold_32(builder, octets):
    """The exclusive or of the four numbers of eight octets."""
    numbers = builder.bitcast(octets, ir.VectorType(_I64, 4))
    one, two, three, four = (builder.extract_element(numbers, _I32(i)) for i in range(4))
    return builder.xor(builder.xor(one, two), builder.xor(three, four))


def _first_of(builder, hits):
    """The place of the first hit among 32, or 32."""
    mask = builder.zext(builder.bitcast(hits, _I32), _I64)
    return builder.cttz(builder.or_(mask, _I64(1 << 32)), ir.IntType(1)(1))


def _first_octets(builder, octets, count):
    """The first `count` octets, zeros behind."""
    places = _vector(_I8, 32, range(32))
    inside = builder.icmp_unsigned("<", places, _splat(builder, builder.trunc(count, _I8), 32))
    return inside, builder.select(inside, octets, _vector(_I8, 32, [0] * 32))


@intrinsic
def _sextets(typing_context, buf, i, stream, at, symbols, m):
    """Up to 32 payload symbols from buf[i:]: how many, and the exclusive or of their octets in eight lanes.

    Their six-bit values go to symbols[m:], their bits to stream[at:] (24 octets), each with zeros behind.
    """

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        octets = _load_32(context, builder, kinds[0], *arguments[:2])
        low = builder.sub(octets, _vector(_I8, 32, [48] * 32))
        high = builder.sub(octets, _vector(_I8, 32, [96] * 32))
        is_low = builder.icmp_unsigned("<", low, _vector(_I8, 32, [40] * 32))
        is_high = builder.icmp_unsigned("<", high, _vector(_I8, 32, [24] * 32))
        good = builder.or_(is_low, is_high)
        count = _first_of(builder, builder.xor(good, _vector(ir.IntType(1), 32, [1] * 32)))
        inside, kept = _first_octets(builder, octets, count)
        values = builder.select(is_low, low, builder.sub(low, _vector(_I8, 32, [8] * 32)))
        values = builder.select(inside, values, _vector(_I8, 32, [0] * 32))
        _store_32(context, builder, kinds[4], *arguments[4:6], values)
        _store_32(context, builder, kinds[2], *arguments[2:4], _pack_32(builder, values))
        return context.make_tuple(builder, signature.return_type, (count, _fold_32(builder, kept)))

    del typing_context, i, at, m
    result = types.Tuple((types.int64, types.uint64))
    return result(buf, types.int64, stream, types.int64, symbols, types.int64), generate


@intrinsic
def _pack(typing_context, symbols, m, stream, at):
    """Thirty-two six-bit values from symbols[m:] to stream[at:], 24 octets and eight zeros."""

    def generate(context, builder, signature, arguments):
        values = _load_32(context, builder, signature.args[0], *arguments[:2])
        _store_32(context, builder, signature.args[2], *arguments[2:], _pack_32(builder, values))
        return context.get_dummy_value()

    del typing_context, m, at
    return types.void(symbols, types.int64, stream, types.int64), generate


@intrinsic
def _find(typing_context, buf, i, octet):
    """The place of the first such octet, or control character, among the 32 of buf[i:]; 32 if there is none."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        same = builder.icmp_unsigned("==", octets, _splat(builder, builder.trunc(arguments[2], _I8), 32))
        control = builder.icmp_unsigned("<", octets, _vector(_I8, 32, [32] * 32))
        return _first_of(builder, builder.or_(same, control))

    del typing_context, i, octet
    return types.int64(buf, types.int64, types.int64), generate


@intrinsic
def _marks(typing_context, buf, i, octet):
    """Which of the 32 octets of buf[i:] are this one, the first one the lowest bit."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        same = builder.icmp_unsigned("==", octets, _splat(builder, builder.trunc(arguments[2], _I8), 32))
        return builder.zext(builder.bitcast(same, _I32), _I64)

    del typing_context, i, octet
    return types.uint64(buf, types.int64, types.int64), generate


@intrinsic
def _zeros_below(typing_context, value):
    """The place of the lowest bit that is set; the value is not zero."""

    def generate(context, builder, signature, arguments):
        del context, signature
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    del typing_context, value
    return types.int64(types.uint64), generate


@intrinsic
def _folded(typing_context, buf, i, count):
    """The exclusive or of buf[i : i + count], at most 32 octets, in eight lanes."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        _, kept = _first_octets(builder, octets, arguments[2])
        return _fold_32(builder, kept)

    del typing_context, i, count
    return types.uint64(buf, types.int64, types.int64), generate


@intrinsic
def _copy_station(typing_context, source, i, length, target, at):
    """source[i : i + length] to target[at:], filled up with zeros to STATION_BYTES, which is 32."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        _, kept = _first_octets(builder, octets, arguments[2])
        _store_32(context, builder, signature.args[3], *arguments[3:], kept)
        return context.get_dummy_value()

    del typing_context, i, length, at
    return types.void(source, types.int64, types.int64, target, types.int64), generate


@_once
def _sum_of(lanes):
    """The exclusive or of the eight octets of a number."""
    lanes ^= lanes >> np.uint64(32)
    lanes ^= lanes >> np.uint64(16)
    lanes ^= lanes >> np.uint64(8)
    return np.int64(lanes & np.uint64(255))


@_inner
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


@_inner
def _moment(year, month, day, hour, minute, second):
    """Microseconds of a date, -1 where it is none."""
    if year < 2000 or year > 2099 or month < 1 or month > 12 or day < 1 or day > 31:
        return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    days = _days(year, month, day)
    following = _days(year + 1, 1, 1) if month == 12 else _days(year, month + 1, 1)
    if days >= following:
        return -1
    return (days * 86400 + hour * 3600 + minute * 60 + second) * _SECOND


@_once
def _epoch(buf, start, end, out):
    """An epoch in s, ms or us in buf[start:end]: out[0] microseconds or -1, out[1] its resolution."""
    value = np.int64(0)
    digits = 0
    i = start
    while digits < 9 and i + 8 <= end:
        octets = _eight(buf, i)
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
    while i < end and 48 <= _get(buf, i) <= 57 and digits < 17:
        value = value * 10 + (_get(buf, i) - 48)
        digits += 1
        i += 1
    unit = _SECOND
    if digits >= 15:
        unit = 1
    elif digits >= 12:
        unit = 1000
    value *= unit
    resolution = unit
    if i < end and _get(buf, i) == 46 and unit > 1:
        i += 1
        while i < end and 48 <= _get(buf, i) <= 57:
            if resolution > 1:
                resolution //= 10
                value += (_get(buf, i) - 48) * resolution
            i += 1
    out[0] = -1
    out[1] = resolution
    if digits >= 9 and i == end and _EARLIEST <= value < _LATEST:
        out[0] = value


@_inner
def _number(buf, i, most):
    """Up to `most` digits from i: (value or -1, next index)."""
    value = np.int64(0)
    digits = 0
    while digits < most and 48 <= _get(buf, i) <= 57:
        value = value * 10 + (_get(buf, i) - 48)
        i += 1
        digits += 1
    return (value if digits else np.int64(-1)), i


@_inner
def _affix(buf, start, end, out):
    """A time stamp written before or after a sentence: the last epoch, or ISO 8601, in buf[start:end]."""
    out[0] = -1
    out[1] = _SECOND
    i = start
    while i < end:
        if not 48 <= _get(buf, i) <= 57 or (
            i > start and (48 <= _get(buf, i - 1) <= 57 or _get(buf, i - 1) == 46)
        ):
            i += 1
            continue
        j = i
        while j < end and 48 <= _get(buf, j) <= 57:
            j += 1
        if j - i >= 9:
            k = j
            if k < end and _get(buf, k) == 46:
                k += 1
                while k < end and 48 <= _get(buf, k) <= 57:
                    k += 1
            kept = out[0]
            kept_resolution = out[1]
            _epoch(buf, i, k, out)
            if out[0] < 0:
                out[0] = kept
                out[1] = kept_resolution
            i = k
            continue
        if j - i == 4 and j + 15 <= end and (_get(buf, j) == 45 or _get(buf, j) == 47):
            year, _ = _number(buf, i, 4)
            month, p = _number(buf, j + 1, 2)
            day, q = _number(buf, p + 1, 2)
            hour, r = _number(buf, q + 1, 2)
            minute, s = _number(buf, r + 1, 2)
            second, t = _number(buf, s + 1, 2)
            if t <= end and _get(buf, p) == _get(buf, j) and _get(buf, r) == 58 and _get(buf, s) == 58:
                moment = _moment(year, month, day, hour, minute, second)
                resolution = _SECOND
                if (
                    moment >= 0
                    and t < end
                    and (_get(buf, t) == 46 or _get(buf, t) == 44)
                    and 48 <= _get(buf, t + 1) <= 57
                ):
                    t += 1
                    while t < end and 48 <= _get(buf, t) <= 57:
                        if resolution > 1:
                            resolution //= 10
                            moment += (_get(buf, t) - 48) * resolution
                        t += 1
                if moment >= 0:
                    out[0] = moment
                    out[1] = resolution
                    i = t
                    continue
        i = j


@_inner
def _peek(buf, i, end, out):
    """The stamp of the line from i, taken for granted, in out[0] (-1: none); gives the next line's start."""
    out[0] = -1
    bang = np.int64(-1)
    star = np.int64(-1)
    j = i
    while j < end and _get(buf, j) != _LINE_FEED and _get(buf, j) != _CARRIAGE_RETURN:
        if bang < 0 and _get(buf, j) == _BANG:
            bang = j
        elif bang >= 0 and star < 0 and _get(buf, j) == _STAR:
            star = j
        j += 1
    if i < j and _get(buf, i) == _BACKSLASH:
        k = i + 1
        while k < j and _get(buf, k) != _BACKSLASH:
            before = _get(buf, k - 1)
            if _get(buf, k) == 99 and _get(buf, k + 1) == 58 and (before == _BACKSLASH or before == _COMMA):
                m = k + 2
                while m < j and (48 <= _get(buf, m) <= 57 or _get(buf, m) == 46):
                    m += 1
                _epoch(buf, k + 2, m, out)
                break
            k += 1
    elif j - i > 30 and _get(buf, i) == _DOLLAR and _get(buf, i + 1) == 80 and _get(buf, i + 2) == 71:
        _, k = _number(buf, i + 6, 4)
        year, k = _number(buf, k + 1, 4)
        month, k = _number(buf, k + 1, 2)
        day, k = _number(buf, k + 1, 2)
        hour, k = _number(buf, k + 1, 2)
        minute, k = _number(buf, k + 1, 2)
        second, k = _number(buf, k + 1, 2)
        out[0] = _moment(year, month, day, hour, minute, second)
    elif bang >= 0:
        if star >= 0 and j > star + 3:
            _affix(buf, star + 3, min(j, star + 83), out)
        if out[0] < 0 and bang > i:
            _affix(buf, max(i, bang - 64), bang, out)
    if j < end and _get(buf, j) == _CARRIAGE_RETURN and _get(buf, j + 1) == _LINE_FEED:
        j += 1
    return j + 1


@_inner
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
    if ahead <= _HOUR or most:
        return FOLLOWS
    if not seen:
        return FOLLOWS if ahead <= _MONTH else FLAWED
    alone = not near and (ahead > _DAY or not beside)
    return FLAWED if known and (alone or ahead > _MONTH) else STAYS


@_inner
def _judged(buf, start, end, ahead, ahead_end, clock, previous, moment, out):
    """The verdict on a stamp by those from buf[start:end] and ahead[:ahead_end]: (verdict, first that disagrees)."""
    if clock >= 0 and clock - _YEAR <= moment <= clock + _HOUR:
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
            agrees = out[0] <= moment + _DAY if back else out[0] >= moment - _HOUR
            near += agrees
            if not agrees and other < 0:
                other = out[0]
            calm += abs(out[0] - (clock if clock >= 0 else other)) <= _HOUR
    i = np.int64(0)  # not a literal, for which every kernel called with it would be compiled again
    while i < ahead_end and seen < NEXT_STAMPS and i + max(end - start, 0) < NEXT_BYTES:
        i = _peek(ahead, i, ahead_end, out)
        if out[0] >= 0:
            seen += 1
            agrees = out[0] <= moment + _DAY if back else out[0] >= moment - _HOUR
            near += agrees
            if not agrees and other < 0:
                other = out[0]
            calm += abs(out[0] - (clock if clock >= 0 else other)) <= _HOUR
    return verdict(clock, moment, near, calm, seen, abs(moment - previous) <= _HOUR), other


@_inner
def _follow(buf, start, end, ahead, ahead_end, state, moment, out):
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
        return told == FLAWED and moment > other + _DAY
    return told == FLAWED


@_kernel
def undecided(buf, start, end, clock, previous, out):
    """Where the first line begins whose stamp cannot be judged before more is read; `end`: there is none."""
    i = start
    while i < end:
        line = i
        i = _peek(buf, line, end, out)
        moment = out[0]
        if moment < 0:
            continue
        if clock < 0 or moment > clock + _HOUR or moment < clock - _YEAR:
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


@_once
def _tag_block(buf, start, end, hexes, out):
    """Fields of a tag block buf[start:end], without its backslashes.

    out: time or -1, resolution, station start, station length, group (hash) or 0, 1 if the block holds.
    A checksum 00 that does not fit stands for "not computed", as some providers write it.
    """
    out[0] = -1
    out[1] = _SECOND
    out[2] = 0
    out[3] = 0
    out[4] = 0
    out[5] = 0
    star = end - 3
    if (
        star < start
        or _get(buf, star) != _STAR
        or _get(hexes, _get(buf, star + 1)) == 255
        or _get(hexes, _get(buf, star + 2)) == 255
    ):
        return
    told = _get(hexes, _get(buf, star + 1)) * 16 + _get(hexes, _get(buf, star + 2))
    lanes = _NOTHING
    for m in range(start, star, 32):
        lanes ^= _folded(buf, m, min(star - m, 32))
    checksum = _sum_of(lanes)
    if checksum != told and told != 0:
        return
    out[5] = 1
    commas = _marks(buf, start, _COMMA)
    i = start
    while i < star:
        # The commas of the first 32 octets were found at once; few blocks are longer.
        j = start + 32
        if i < j:
            later = commas >> np.uint64(i - start)
            if later:
                j = i + _zeros_below(later)
        else:
            j = i
        while j < star and _get(buf, j) != _COMMA:
            j += 1
        j = min(j, star)
        if j - i > 2 and _get(buf, i + 1) == 58:
            key = _get(buf, i)
            if key == 99:
                _epoch(buf, i + 2, j, out)
            elif key == 115:
                out[2] = i + 2
                out[3] = min(j - i - 2, STATION_BYTES)
            elif key == 103:
                # g:part-of-group; the last number names the group.
                k = j
                while k > i + 2 and _get(buf, k - 1) != 45:
                    k -= 1
                group = np.int64(1469598103)
                for m in range(k, j):
                    group = (group ^ _get(buf, m)) * 16777619 & 0x7FFFFFFF
                out[4] = group | 1
        i = j + 1


@_inner
def _gatehouse(buf, start, hexes, ring, ring_station, state, fields):
    """A $PGHP line into the ring: (1 if it holds, index after it). `fields` is scratch of 12."""
    star = start
    while _get(buf, star) != _STAR and _get(buf, star) >= 32 and star - start < 200:
        star += 1
    if (
        _get(buf, star) != _STAR
        or _get(hexes, _get(buf, star + 1)) == 255
        or _get(hexes, _get(buf, star + 2)) == 255
    ):
        return 0, start + 1
    checksum = 0
    for i in range(start + 1, star):
        checksum ^= _get(buf, i)
    if checksum != _get(hexes, _get(buf, star + 1)) * 16 + _get(hexes, _get(buf, star + 2)):
        return 0, star + 3
    for k in range(8):
        fields[k] = -1
    i = start + 6
    for k in range(8):
        fields[k], j = _number(buf, i, 4)
        while j < star and _get(buf, j) != _COMMA:
            j += 1
        i = j + 1
        if j >= star:
            break
    moment = _moment(fields[1], fields[2], fields[3], fields[4], fields[5], fields[6])
    if moment < 0 or fields[7] < 0 or fields[7] > 999:
        return 0, star + 3
    # country, region, then the base station; the last field repeats the sentence's checksum.
    country = i
    found = 8
    for k in range(i, star):
        if _get(buf, k) == _COMMA and found < 12:
            fields[found] = k
            found += 1
    station = country
    length = np.int64(0)
    if found >= 11 and fields[10] - fields[9] > 1:
        station = fields[9] + 1
        length = fields[10] - fields[9] - 1
    elif found >= 9 and fields[8] > country:
        length = fields[8] - country
    last = star
    while _get(buf, last - 1) != _COMMA and last > country:
        last -= 1
    own = np.int64(-1)
    if star - last == 2 and _get(hexes, _get(buf, last)) != 255 and _get(hexes, _get(buf, last + 1)) != 255:
        own = _get(hexes, _get(buf, last)) * 16 + _get(hexes, _get(buf, last + 1))
    slot = state[RING] % RING_LENGTH
    state[RING] += 1
    ring[slot, RING_TIME] = moment + fields[7] * 1000
    ring[slot, RING_CHECKSUM] = own
    ring[slot, RING_LINE] = state[LINES]
    length = min(length, STATION_BYTES)
    ring[slot, RING_STATION] = length
    _copy_station(buf, station, length, ring_station, slot * STATION_BYTES)
    return 1, star + 3


@_once
def _claim(ring, state, checksum, whole):
    """The $PGHP line that belongs to a sentence, -1 where there is none.

    One that repeats the sentence's checksum wins, newest first; else the line just before, where it
    tells no checksum (or 00), or where the sentence is a part (then it repeats that of all parts).
    """
    newest = state[RING] - 1
    for back in range(min(RING_LENGTH, state[RING])):
        slot = (newest - back) % RING_LENGTH
        if ring[slot, RING_TIME] >= 0 and whole and ring[slot, RING_CHECKSUM] == checksum:
            return slot
    slot = newest % RING_LENGTH
    fresh = newest >= 0 and ring[slot, RING_TIME] >= 0 and state[LINES] - ring[slot, RING_LINE] <= 1
    if fresh and (not whole or ring[slot, RING_CHECKSUM] <= 0):
        return slot
    return -1


@_once
def _layout(stream, place, bits, kind, mmsi, layouts, tests, types):
    """The variant of a message, -1 where there is none."""
    first = _get(types, 2 * kind)
    for number in range(first, first + _get(types, 2 * kind + 1)):
        if _get(layouts, number * _LAYOUT_COLUMNS + 4) > bits:
            continue
        if _get(layouts, number * _LAYOUT_COLUMNS + 3) and mmsi // 10_000_000 != 98:
            continue
        good = True
        for t in range(0, 9, 3):
            width = _get(tests, number * _TEST_COLUMNS + t + 1)
            if width == 0:
                break
            start = _get(tests, number * _TEST_COLUMNS + t)
            if start + width > bits or _bits(stream, place, start, width) != _get(
                tests, number * _TEST_COLUMNS + t + 2
            ):
                good = False
                break
        if good:
            return number
    return -1


@_inner
def _is_simulated(station, length):
    return length >= 4 and station[0] == 83 and station[1] == 73 and station[2] == 77 and station[3] == 45


@_inner
def _is_satellite(station, length):
    for i in range(length - 2):
        if station[i] & 0xDF == 83 and station[i + 1] & 0xDF == 65 and station[i + 2] & 0xDF == 84:
            return True
    return False


@_once
def _emit(
    stream, place, symbols, fill, raw, length, time, resolution, timed, station, station_length,
    received_us, wall, start_us, nature, receiver_kind, channel, talker, parts,
    state, meta, pool, layouts, tests, types, counts,
):  # fmt: skip
    """Write one whole message's row. Returns the reason why not, or OK.

    `timed`: 0 no stamp of its own, 1 the receiver's, 2 the stamp of whoever wrote the file; 4 more where that
    stamp is a flaw.
    """
    doubted = timed >= _DOUBTED
    timed &= _DOUBTED - 1
    room = symbols * 6
    if room < 8:
        return TRUNCATED
    kind = _get(stream, place) >> 2
    if kind < 1 or kind > 27:
        return UNKNOWN_TYPE
    if room < 40:
        return TRUNCATED
    mmsi = _bits(stream, place, 8, 30)
    bits = room - fill
    number = _layout(stream, place, room, kind, mmsi, layouts, tests, types)
    if number < 0:
        return TRUNCATED if room < _ONE_SLOT else UNKNOWN_TYPE
    if room < _get(layouts, number * _LAYOUT_COLUMNS + 2):
        return TRUNCATED

    flaws = 0
    source = _RECEIVER
    own = -1
    date = _get(layouts, number * _LAYOUT_COLUMNS + 7)
    if date >= 0:
        spelt = _bits(stream, place, date, _DATE_BITS)
        own = _moment(
            spelt >> 26, spelt >> 22 & 15, spelt >> 17 & 31, spelt >> 12 & 31, spelt >> 6 & 63, spelt & 63
        )
    if time < 0 and wall:
        time = received_us
        resolution = _SECOND
    elif timed == 2:
        source = _FILE
        resolution = max(resolution, state[LAG])
    elif (
        time < 0
        and own >= 0
        and (state[CLOCK] < 0 or abs(own - state[CLOCK]) < _DAY)
        and (state[CLOCK] >= 0 or start_us < _EARLIEST or abs(own - start_us) < _DAY)
        and (state[LATEST] < 0 or abs(own - state[LATEST]) < _DAY)
    ):
        time = own
        resolution = _SECOND
        source = _MESSAGE
        state[CLOCK] = own
    elif time < 0 and state[LATEST] >= 0 and state[LATEST] > state[CLOCK]:
        time = state[LATEST]
        source = _FILE
        resolution = max(10 * _SECOND, state[LAG])
    elif time < 0:
        clock = state[CLOCK] if state[CLOCK] >= 0 else start_us
        if clock < 0:
            return UNTIMED
        source = _ASSUMED
        flaws = _TIME_ASSUMED
        resolution = _MINUTE
        at = _get(layouts, number * _LAYOUT_COLUMNS + 6)
        if at >= 0:
            second = _bits(stream, place, at, _SECOND_BITS)
            if second < 60:
                now = clock // _SECOND % 60
                ahead = (second - now) % 60
                resolution = 2 * _SECOND
                # Up to half a minute ahead moves the clock; up to half a minute behind is late.
                if ahead < 30:
                    clock = (clock // _SECOND + ahead) * _SECOND
                    time = clock
                else:
                    time = (clock // _SECOND + ahead - 60) * _SECOND
        state[CLOCK] = clock
        if time < 0:
            time = clock

    if wall:
        received = received_us
    else:
        if timed == 0:
            state[RUNNING] = max(state[RUNNING], time)
        received = state[RUNNING]
        if time > received and not doubted:
            received = time

    row = counts[N_MESSAGES]
    at = counts[N_STATION_BYTES]
    base = row * META_COLUMNS
    before = base - META_COLUMNS
    same = row > 0 and _get(meta, before + STATION_LENGTH) == station_length
    if same:
        held = _get(meta, before + STATION)
        for m in range(0, STATION_BYTES, 8):
            same &= _eight(pool, held + m) == _eight(station, m)
    if same:
        at = _get(meta, before + STATION)
        nature = _get(meta, before + NATURE)
        receiver_kind = _get(meta, before + RECEIVER_KIND)
    else:
        _copy_station(station, 0, STATION_BYTES, pool, at)
        counts[N_STATION_BYTES] = at + station_length
        if _is_simulated(station, station_length):
            nature = _SIMULATED
        if _is_satellite(station, station_length):
            receiver_kind = _SATELLITE
    _put(meta, base + TYPE, kind)
    _put(meta, base + MMSI, mmsi)
    _put(meta, base + PLACE, place)
    _put(meta, base + BITS, bits)
    _put(meta, base + RAW, raw)
    _put(meta, base + LENGTH, length)
    _put(meta, base + TIME, time)
    _put(meta, base + SOURCE, source)
    _put(meta, base + RESOLUTION, resolution)
    _put(meta, base + RECEIVED, received)
    _put(meta, base + RECEIVER_KIND, receiver_kind)
    _put(meta, base + NATURE, nature)
    _put(meta, base + CHANNEL, channel)
    _put(meta, base + TALKER, talker)
    _put(meta, base + LAYOUT, number)
    _put(meta, base + FLAWS, flaws)
    _put(meta, base + PARTS, parts)
    _put(meta, base + STATION, at)
    _put(meta, base + STATION_LENGTH, station_length)
    counts[N_MESSAGES] = row + 1
    return OK


@_inner
def _reject(rejects, counts, raw, length, reason):
    row = counts[N_REJECTS]
    if row < rejects.shape[1]:
        rejects[0, row] = raw
        rejects[1, row] = length
        rejects[2, row] = reason
        counts[N_REJECTS] = row + 1
    else:
        counts[N_FULL] += 1


@_inner
def _abandon(slots, slot, rejects, counts, reason):
    """Give a slot's parts to the rejects and free it."""
    for part in range(PARTS_MOST):
        if slots[slot, S_MASK] >> part & 1:
            _reject(rejects, counts, slots[slot, S_RAW + part], slots[slot, S_LENGTH + part], reason)
    slots[slot, S_USED] = 0


@_once
def _slot(slots, key, total, part, moment, state, rejects, counts):
    """The slot of a part: an open one of the same message, else a new one."""
    home = key % SLOTS
    free = np.int64(-1)
    oldest = np.int64(-1)
    for probe in range(PROBES):
        slot = (home + probe) % SLOTS
        if not slots[slot, S_USED]:
            if free < 0:
                free = slot
            continue
        if slots[slot, S_KEY] == key and slots[slot, S_TOTAL] == total:
            late = state[SENTENCES] - slots[slot, S_COUNT] > PATIENCE_SENTENCES or (
                moment >= 0 and slots[slot, S_SEEN] >= 0 and abs(moment - slots[slot, S_SEEN]) > PATIENCE_US
            )
            if not late and not slots[slot, S_MASK] >> part & 1:
                return slot
            _abandon(slots, slot, rejects, counts, MISSING_PART)
            free = slot
            break
        if oldest < 0 or slots[slot, S_COUNT] < slots[oldest, S_COUNT]:
            oldest = slot
    if free < 0:
        _abandon(slots, oldest, rejects, counts, MISSING_PART)
        free = oldest
    for column in range(SLOT_COLUMNS):
        slots[free, column] = 0
    slots[free, S_USED] = 1
    slots[free, S_KEY] = key
    slots[free, S_TOTAL] = total
    slots[free, S_COUNT] = state[SENTENCES]
    slots[free, S_TIME] = -1
    slots[free, S_SEEN] = moment
    return free


@_once
def _keep(
    slots, symbols, stations, slot, part, raw, length, head, part_symbols,
    time, resolution, timed, station, station_length,
):  # fmt: skip
    """Put one part into its slot."""
    slots[slot, S_MASK] |= 1 << part
    slots[slot, S_RAW + part] = raw
    slots[slot, S_LENGTH + part] = length
    slots[slot, S_SYMBOLS + part] = head[H_SYMBOLS]
    slots[slot, S_FILL + part] = head[H_FILL]
    base = (slot * PARTS_MOST + part) * PART_SYMBOLS
    for m in range(0, head[H_SYMBOLS], 8):
        _put_eight(symbols, base + m, _eight(part_symbols, m))
    if time >= 0 and (slots[slot, S_TIME] < 0 or part == 0):
        slots[slot, S_TIME] = time
        slots[slot, S_RESOLUTION] = resolution
        slots[slot, S_TIMED] = timed
    if station_length and not slots[slot, S_STATION]:
        slots[slot, S_STATION] = station_length
        _copy_station(station, 0, STATION_BYTES, stations, slot * STATION_BYTES)


@_once
def _assemble(slots, symbols, slot, joined, stream, place):
    """The bits of all parts, packed; gives (their number, octets written, zeros behind included)."""
    total = slots[slot, S_TOTAL]
    count = np.int64(0)
    filled = np.int64(0)
    for part in range(total):
        if part < total - 1:
            filled |= slots[slot, S_FILL + part]
        base = (slot * PARTS_MOST + part) * PART_SYMBOLS
        for m in range(0, slots[slot, S_SYMBOLS + part], 8):
            _put_eight(joined, count + m, _eight(symbols, base + m))
        count += slots[slot, S_SYMBOLS + part]
    at = place
    bits = 6 * count
    if not filled:
        for m in range(0, 32, 8):
            _put_eight(joined, count + m, _NOTHING)
        for m in range(0, count, 32):
            _pack(joined, m, stream, at)
            at += 24
    else:
        # Fill bits in the middle are left out: symbol by symbol.
        bits = np.int64(0)
        accumulated = _NOTHING
        held = 0
        m = np.int64(0)
        for part in range(total):
            for i in range(slots[slot, S_SYMBOLS + part]):
                value = np.uint64(_get(joined, m))
                m += 1
                width = 6
                if i == slots[slot, S_SYMBOLS + part] - 1 and part < total - 1:
                    width = 6 - slots[slot, S_FILL + part]
                    value >>= np.uint64(6 - width)
                accumulated = accumulated << np.uint64(width) | value
                held += width
                bits += width
                if held >= 32:
                    _put_eight(stream, at, _swapped(accumulated << np.uint64(64 - held)))
                    at += 4
                    held -= 32
                    accumulated &= (_ONE << np.uint64(held)) - _ONE
        if held:
            _put_eight(stream, at, _swapped(accumulated << np.uint64(64 - held)))
            at += 8
    _put_eight(stream, at, _NOTHING)
    _put_eight(stream, at + 8, _NOTHING)
    return bits, at + 16 - place


@_once
def _sentence(buf, j, end, arms, hexes, stream, place, part_symbols, head):
    """Read the sentence whose ! is at j. Gives the reason why not.

    A whole message's bits go to stream[place:], highest bit first, with zeros behind; the six-bit values of
    a part go to `part_symbols`.
    """
    total = _get(buf, j + 7) - 48
    part = _get(buf, j + 9) - 48
    if (
        _get(buf, j + 6) != _COMMA
        or _get(buf, j + 8) != _COMMA
        or _get(buf, j + 10) != _COMMA
        or total < 1
        or total > 9
        or part < 0
        or part > 9
    ):
        return MALFORMED
    if part < 1 or part > total:
        return BAD_PART
    k = j + 11
    sequence = np.int64(-1)
    while 48 <= _get(buf, k) <= 57 and k < j + 13:
        sequence = max(sequence, 0) * 10 + _get(buf, k) - 48
        k += 1
    if _get(buf, k) != _COMMA:
        return MALFORMED
    k += 1
    channel = np.int64(0)
    if _get(buf, k) != _COMMA:
        channel = _get(buf, k)
        k += 1
        while _get(buf, k) != _COMMA and _get(buf, k) >= 32 and k - j < 24:
            k += 1
    if _get(buf, k) != _COMMA:
        return MALFORMED
    k += 1
    payload = k
    # The checksum is gathered in eight lanes and folded at the end.
    lanes = _folded(buf, j + 1, k - j - 1)
    at = place
    most = payload + (512 if total == 1 else PART_SYMBOLS)
    while True:
        n, folded = _sextets(buf, k, stream, at, part_symbols, k - payload)
        lanes ^= folded
        k += n
        at += 24
        if n < 32 or k >= most:
            break
    _put_eight(stream, at + 8, _NOTHING)
    at += 16
    if _get(buf, k) != _COMMA:
        if k < end and _get(arms, _get(buf, k)) != 255:
            return TOO_LONG
        if k < end and _get(buf, k) >= 32 and _get(buf, k) != _STAR and _get(buf, k) != _BANG:
            return BAD_ARMOUR
        return MALFORMED
    if k == payload:
        return EMPTY
    head[H_SYMBOLS] = k - payload
    checksum = np.int64(_COMMA)
    k += 1
    fill = np.int64(0)
    if 48 <= _get(buf, k) <= 53:
        fill = _get(buf, k) - 48
        checksum ^= _get(buf, k)
        k += 1
    if _get(buf, k) != _STAR or _get(hexes, _get(buf, k + 1)) == 255 or _get(hexes, _get(buf, k + 2)) == 255:
        return NO_CHECKSUM
    checksum ^= _sum_of(lanes)
    if _get(hexes, _get(buf, k + 1)) * 16 + _get(hexes, _get(buf, k + 2)) != checksum:
        return BAD_CHECKSUM
    head[H_TOTAL] = total
    head[H_PART] = part
    head[H_SEQUENCE] = sequence
    head[H_CHANNEL] = channel
    head[H_FILL] = fill
    head[H_CHECKSUM] = checksum
    head[H_NEXT] = k + 3
    head[H_OCTETS] = at
    return OK


@_kernel
def scan(
    buf, start, end, ahead, ahead_end, raw, received_us, wall, start_us, nature, receiver_kind,
    arms, hexes, layouts, tests, types,
    state, ring, ring_station, slots, slot_symbols, slot_station, pending_station,
    stamp, tag, fields, head, station, part_symbols, joined,
    meta, stream, pool, rejects, counts,
):  # fmt: skip
    """Decode buf[start:end]; `raw` is the address of buf[start]. Results in meta, stream, pool, rejects.

    ahead[:ahead_end] is what follows, looked at only to judge a stamp that is far from those before it.
    Stops early, at a line's start given in counts[N_POSITION], when a result is full.
    """
    for m in range(COUNTS):
        counts[m] = 0
    place = np.int64(0)
    i = start
    most_messages = meta.shape[0] - 2
    most_octets = stream.shape[0] - 1600
    most_rejects = rejects.shape[1] - 2 * PARTS_MOST - 2
    most_pool = pool.shape[0] - 4 * STATION_BYTES
    while i < end:
        if (
            counts[N_MESSAGES] >= most_messages
            or place >= most_octets
            or counts[N_REJECTS] >= most_rejects
            or counts[N_STATION_BYTES] >= most_pool
        ):
            counts[N_FULL] = 1
            break
        # One stretch: from here to the next line end, or past one sentence.
        line = i
        known = False
        tag_start = -1
        tagged = False
        stamp[0] = -1
        j = i
        counts[N_LINES] += 1
        state[LINES] += 1
        suspicious = -1
        after_sentence = -1
        while True:
            byte = _get(buf, j)
            if byte == _LINE_FEED or byte == _CARRIAGE_RETURN or j >= end:
                break
            if byte == _BACKSLASH:
                k = j + 1
                while k - j <= _TAG_MOST:
                    n = _find(buf, k, _BACKSLASH)
                    k += n
                    if n < 32:
                        break
                k = min(k, j + _TAG_MOST + 1)
                if _get(buf, k) == _BACKSLASH and k < end:
                    _tag_block(buf, j + 1, k, hexes, tag)
                    if tag[5]:
                        tag_start = j
                        tagged = True
                        known = True
                        j = k + 1
                        if tag[0] >= 0:
                            counts[N_STAMPS] += 1
                        # Kept for the next sentence even if that is on the next line.
                        state[PENDING] = tag[0]
                        state[PENDING_RESOLUTION] = tag[1]
                        state[PENDING_STATION] = tag[3]
                        _copy_station(buf, tag[2], tag[3], pending_station, 0)
                        continue
                    if _get(buf, k + 1) == _BANG:
                        # A damaged block: its sentence may still hold.
                        tag_start = j
                        j = k + 1
                        continue
                j += 1
                continue
            if (
                byte == _DOLLAR
                and _get(buf, j + 1) == 80
                and _get(buf, j + 2) == 71
                and _get(buf, j + 3) == 72
                and _get(buf, j + 4) == 80
                and _get(buf, j + 5) == _COMMA
            ):
                held, j = _gatehouse(buf, j, hexes, ring, ring_station, state, fields)
                if held:
                    counts[N_STAMPS] += 1
                known = True
                continue
            if (
                byte != _BANG
                or _get(buf, j + 3) != 86
                or _get(buf, j + 4) != 68
                or (_get(buf, j + 5) != 77 and _get(buf, j + 5) != 79)
            ):
                if (
                    byte == 86
                    and _get(buf, j + 1) == 68
                    and (_get(buf, j + 2) == 77 or _get(buf, j + 2) == 79)
                    and _get(buf, j + 3) == _COMMA
                ):
                    suspicious = j
                j += 1
                continue

            # An AIS sentence at j.
            begin = tag_start if tag_start >= 0 else j
            known = True
            state[SENTENCES] += 1
            reason = _sentence(buf, j, end, arms, hexes, stream, place, part_symbols, head)
            k = head[H_NEXT]
            if reason != OK:
                # The reject reaches to the line's end or the next sentence on it.
                k = j + 1
                while (
                    _get(buf, k) != _LINE_FEED
                    and _get(buf, k) != _CARRIAGE_RETURN
                    and _get(buf, k) != _BANG
                    and k < end
                ):
                    k += 1
                _reject(rejects, counts, raw + (begin - start), k - begin, reason)
                state[PENDING] = -1
                state[PENDING_STATION] = 0
                tag_start = -1
                tagged = False
                j = k
                line = j
                continue

            # Whose stamp? The tag block's, the $PGHP line's, then what stands around the sentence.
            time = np.int64(-1)
            resolution = np.int64(_SECOND)
            timed = np.int64(0)
            station_length = np.int64(0)
            total = head[H_TOTAL]
            part = head[H_PART]
            checksum = head[H_CHECKSUM]
            whole = total == 1
            _copy_station(pending_station, 0, state[PENDING_STATION], station, 0)
            if tagged or state[PENDING] >= 0 or state[PENDING_STATION] > 0:
                time = state[PENDING]
                resolution = state[PENDING_RESOLUTION]
                station_length = state[PENDING_STATION]
                state[PENDING] = -1
                state[PENDING_STATION] = 0
                if time >= 0:
                    timed = 1
            keyed = station_length
            pghp = -1
            if state[RING] and time < 0 and (whole or part == 1):
                pghp = _claim(ring, state, checksum, whole)
                if pghp >= 0:
                    time = ring[pghp, RING_TIME]
                    resolution = 1000
                    timed = 1
                    if station_length == 0:
                        station_length = ring[pghp, RING_STATION]
                        _copy_station(ring_station, pghp * STATION_BYTES, station_length, station, 0)
                    ring[pghp, RING_TIME] = -1
            affix = np.int64(-1)
            ending = k
            if _get(buf, k) == _COMMA or _get(buf, k) == 32 or _get(buf, k) == 9:
                while (
                    _get(buf, ending) != _LINE_FEED
                    and _get(buf, ending) != _CARRIAGE_RETURN
                    and _get(buf, ending) != _BANG
                    and _get(buf, ending) != _BACKSLASH
                    and ending < end
                ):
                    ending += 1
                _affix(buf, k, min(ending, k + 80), stamp)
                affix = stamp[0]
                k = ending
            if affix < 0 and begin > line and after_sentence < 0:
                _affix(buf, max(line, begin - 64), begin, stamp)
                affix = stamp[0]
                if affix >= 0:
                    begin = line
            if affix >= 0:
                counts[N_STAMPS] += 1
                if time < 0:
                    time = affix
                    resolution = stamp[1]
                    timed = 2 if state[LAG] > _MINUTE else 1
                else:
                    state[LAG] = abs(affix - time)
                if not wall and time != affix:
                    _follow(buf, k, end, ahead, ahead_end, state, affix, stamp)
            if time >= 0 and not wall:
                if _follow(buf, k, end, ahead, ahead_end, state, time, stamp):
                    if time < state[RUNNING]:
                        # Years behind all around it: as good as no stamp.
                        time = np.int64(-1)
                        timed = np.int64(0)
                    else:
                        timed |= _DOUBTED
                elif timed == 1 and time <= state[RUNNING]:
                    state[LATEST] = max(state[LATEST], time)

            talker = _get(buf, j + 1) << 16 | _get(buf, j + 2) << 8 | _get(buf, j + 5)
            address = raw + (begin - start)
            length = k - begin
            symbols = head[H_SYMBOLS]
            fill = head[H_FILL]
            used = head[H_OCTETS] - place
            slot = np.int64(-1)
            complete = whole
            if not whole:
                key = (talker * 31 + head[H_CHANNEL]) * 31 + head[H_SEQUENCE] * 10 + total
                if tagged and tag[4]:
                    key = key * 31 + tag[4]
                else:
                    for m in range(keyed):
                        key = (key * 31 + station[m]) & 0xFFFFFFFFFFFF
                key = (key * 2654435761) & 0x7FFFFFFFFFFF
                slot = _slot(
                    slots, key, total, part - 1, received_us if wall else time, state, rejects, counts
                )
                _keep(
                    slots, slot_symbols, slot_station, slot, part - 1, address, length, head, part_symbols,
                    time, resolution, timed, station, station_length,
                )  # fmt: skip
                complete = slots[slot, S_MASK] == (1 << total) - 1
                if complete:
                    bits, used = _assemble(slots, slot_symbols, slot, joined, stream, place)
                    last = address + length
                    for m in range(total):
                        address = min(address, slots[slot, S_RAW + m])
                        last = max(last, slots[slot, S_RAW + m] + slots[slot, S_LENGTH + m])
                    length = last - address
                    symbols = (bits + 5) // 6
                    fill = slots[slot, S_FILL + total - 1] + symbols * 6 - bits
                    time = slots[slot, S_TIME]
                    resolution = slots[slot, S_RESOLUTION]
                    timed = slots[slot, S_TIMED]
                    station_length = slots[slot, S_STATION]
                    _copy_station(slot_station, slot * STATION_BYTES, station_length, station, 0)
            if complete:
                reason = TOO_LONG
                if symbols <= 512:
                    reason = _emit(
                        stream, place, symbols, fill, address, length, time, resolution, timed,
                        station, station_length, received_us, wall, start_us, nature, receiver_kind,
                        head[H_CHANNEL], talker, total,
                        state, meta, pool, layouts, tests, types, counts,
                    )  # fmt: skip
                if reason == OK:
                    place += used
                    if slot >= 0:
                        slots[slot, S_USED] = 0
                else:
                    if reason == UNTIMED:
                        counts[N_UNTIMED] += 1
                    if slot >= 0:
                        _abandon(slots, slot, rejects, counts, reason)
                    else:
                        _reject(rejects, counts, address, length, reason)
            tag_start = -1
            tagged = False
            after_sentence = k
            line = k
            j = k
            # A long line of many sentences must not outgrow the results: go on as if at a line's start.
            if (
                _get(buf, j) != _LINE_FEED
                and _get(buf, j) != _CARRIAGE_RETURN
                and (
                    counts[N_MESSAGES] >= most_messages
                    or place >= most_octets
                    or counts[N_REJECTS] >= most_rejects
                    or counts[N_STATION_BYTES] >= most_pool
                )
            ):
                break

        if not known:
            if suspicious >= 0:
                _reject(rejects, counts, raw + (i - start), j - i, MALFORMED)
            else:
                counts[N_IGNORED] += 1
        if _get(buf, j) == _CARRIAGE_RETURN and _get(buf, j + 1) == _LINE_FEED and j + 1 < end:
            j += 1
        if j < end and (_get(buf, j) == _LINE_FEED or _get(buf, j) == _CARRIAGE_RETURN):
            j += 1
        i = max(j, i + (1 if j == i else 0))
    counts[N_POSITION] = i
    counts[N_OCTETS] = place


@_kernel
def sweep(slots, state, everything, received_us, wall, rejects, counts):
    """Give up parts that are too old, or all of them at a recording's end."""
    for m in range(COUNTS):
        counts[m] = 0
    for slot in range(SLOTS):
        if slots[slot, S_USED] and (
            everything
            or state[SENTENCES] - slots[slot, S_COUNT] > PATIENCE_SENTENCES
            or (wall and received_us - slots[slot, S_SEEN] > PATIENCE_US)
        ):
            if counts[N_REJECTS] + PARTS_MOST > rejects.shape[1]:
                counts[N_FULL] = 1
                return
            _abandon(slots, slot, rejects, counts, MISSING_PART)
