# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# ruff: noqa: SIM109
# Numba infers the types of kernels from the arrays it is given.
"""From packed bits to columns: numbers, texts, payloads and JSON, by the wire table.

Always true: the table comes as an argument; a value that is "not available" is NaN, an empty place
in a text column or `null` in JSON; JSON is valid whatever the bits are.
"""

from typing import Any, Final

import numpy as np
from numba import njit

_KIND, _NAME, _NAME_LENGTH, _FIRST, _WIDTH, _DECIMALS, _HAS_MISSING, _MISSING, _VARIABLE, _TAIL, _GROUP = (
    range(11)
)
_UINT, _INT, _BOOL, _TEXT, _BYTES, _SPARE, _GROUPED, _DECIMAL, _SIGNED, _TURN = range(10)

#: M.1371-5 table 48: ROT_AIS = 4.733 sqrt(ROT), degrees per minute; +-127 tells the side only.
_TURN_FACTOR: Final = 4.733
_TURN_SIDE: Final = 127

# See framing.py: no wrappers, no reference counting.
#: Standard deviation of a time known to one microsecond's resolution (uniform error), seconds.
_SIGMA_OF_US: Final = 1e-6 / 12**0.5
_DAY_US: Final = 86_400_000_000
# The unit flag of message 18 (bit 141): 0 is class B self-organised, 1 carrier sense; model/codes.py's
# values, which a test keeps in step.
_CLASS_B: Final = 18
_UNIT_WORD: Final = 2
_UNIT_SHIFT: Final = 50
_SELF_ORGANISED: Final = 2
_LOCATING_DEVICE: Final = 7

_INNER: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
_KERNEL: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
_inner = njit(**_INNER)
_kernel = njit(**_KERNEL)


@_inner
def _bits(words, word, first, width):
    i = word + (first >> 6)
    shift = first & 63
    value = words[i] << np.uint64(shift)
    if shift + width > 64:
        value |= words[i + 1] >> np.uint64(64 - shift)
    return np.int64(value >> np.uint64(64 - width))


@_inner
def _signed(value, width):
    return value - (np.int64(1) << width) if value >> (width - 1) else value


@_kernel
def numbers(words, meta, rows, places, factors, wide, single, valid, nulls):
    """Numeric columns of message rows[k]: column c in `wide[c]` (float64) or, if that has no row c, `single`.

    `places[layout, c]` holds first bit (-1: that layout has none), width, 1 if signed, two raw values that
    mean "not available", 1 for a rate of turn; `factors[layout, c]` scale and offset to our unit. `valid[c]`
    is Arrow's bitmap, all zero at first; `nulls[c]` counts its zeros.
    """
    doubles = wide.shape[0]
    singles = single.shape[0]
    for k in range(rows.shape[0]):
        row = rows[k]
        layout = meta[14, row]
        word = meta[2, row]
        end = meta[3, row]
        octet = k >> 3
        bit = np.int64(1) << (k & 7)
        for column in range(doubles + singles):
            first = places[layout, column, 0]
            width = places[layout, column, 1]
            value = 0.0
            there = np.int64(0)
            if first >= 0 and first + width <= end:
                i = word + (first >> 6)
                shift = first & 63
                bits = words[i] << np.uint64(shift)
                if shift + width > 64:
                    bits |= words[i + 1] >> np.uint64(64 - shift)
                # A signed field keeps its sign by an arithmetic shift.
                if places[layout, column, 2]:
                    raw = np.int64(bits) >> (64 - width)
                else:
                    raw = np.int64(bits >> np.uint64(64 - width))
                if raw != places[layout, column, 3] and raw != places[layout, column, 4]:
                    value = raw * factors[layout, column, 0] + factors[layout, column, 1]
                    there = 1
                    if places[layout, column, 5]:
                        if abs(raw) < _TURN_SIDE:
                            value = value * abs(value)
                        else:
                            value = 0.0
                            there = 0
            if column < doubles:
                wide[column, k] = value
            else:
                single[column - doubles, k] = value
            if there:
                valid[column, octet] |= bit
            else:
                nulls[column] += 1


@_kernel
def origins(words, meta, rows, classes, longs, integers, bytes_, sigma):
    """What every table has, in its final types.

    longs: time, received, claimed id, raw. integers: raw length, flaws, day. bytes_: time source, receiver
    kind, transmitter class, message type, nature. `classes` gives the class of a message type.
    """
    for k in range(rows.shape[0]):
        row = rows[k]
        time = meta[6, row]
        kind = meta[0, row]
        mmsi = meta[1, row]
        longs[0, k] = time
        longs[1, k] = meta[9, row]
        longs[2, k] = mmsi
        longs[3, k] = meta[4, row]
        integers[0, k] = meta[5, row]
        integers[1, k] = meta[15, row]
        integers[2, k] = time // _DAY_US
        bytes_[0, k] = meta[7, row]
        bytes_[1, k] = meta[10, row]
        station_class = classes[kind]
        if (
            kind == _CLASS_B
            and words[meta[2, row] + _UNIT_WORD] >> np.uint64(_UNIT_SHIFT) & np.uint64(1) == 0
        ):
            station_class = _SELF_ORGANISED
        prefix = mmsi // 1_000_000
        # ITU-R M.585: 970 AIS-SART, 972 man overboard, 974 EPIRB-AIS.
        if prefix == 970 or prefix == 972 or prefix == 974:
            station_class = _LOCATING_DEVICE
        bytes_[2, k] = station_class
        bytes_[3, k] = kind
        bytes_[4, k] = meta[11, row]
        sigma[k] = meta[8, row] * _SIGMA_OF_US


@_inner
def _characters(words, word, first, count, out, at):
    """Six-bit ASCII up to the first @, without spaces at its end: the index after it."""
    end = at
    for i in range(count):
        value = _bits(words, word, first + 6 * i, 6)
        if value == 0:
            break
        out[at] = value + 64 if value < 32 else value
        at += 1
        if value != 32:
            end = at
    return end


@_kernel
def texts(words, meta, rows, items, spec, out, offsets, valid):
    """One text column: the texts of spec[layout, 0] and, behind it, spec[layout, 1] (a name's extension)."""
    at = np.int64(0)
    offsets[0] = 0
    for k in range(rows.shape[0]):
        row = rows[k]
        start = at
        for part in range(2):
            item = spec[meta[14, row], part]
            if item >= 0:
                first = items[item, _FIRST]
                width = min(items[item, _WIDTH], meta[3, row] - first)
                if width >= 6:
                    at = _characters(words, meta[2, row], first, width // 6, out, at)
        valid[k] = at > start
        offsets[k + 1] = at


@_kernel
def payloads(words, meta, rows, layouts, out, offsets, valid):
    """The application's own bits as octets, the last one filled with zeros."""
    at = np.int64(0)
    offsets[0] = 0
    for k in range(rows.shape[0]):
        row = rows[k]
        first = layouts[meta[14, row], 8]
        valid[k] = first >= 0
        if first >= 0:
            while first < meta[3, row]:
                width = min(meta[3, row] - first, np.int64(8))
                out[at] = _bits(words, meta[2, row], first, width) << (8 - width)
                at += 1
                first += 8
        offsets[k + 1] = at


@_kernel
def gather(pool, starts, lengths, rows, out, offsets):
    """Text column from pieces of a pool: piece rows[k]. Gives the bytes written."""
    at = np.int64(0)
    offsets[0] = 0
    for k in range(rows.shape[0]):
        start = starts[rows[k]]
        for i in range(lengths[rows[k]]):
            out[at] = pool[start + i]
            at += 1
        offsets[k + 1] = at


@_inner
def _integer(value, out, at):
    """Decimal digits of value from out[at]: the index after them."""
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    start = at
    while True:
        out[at] = 48 + value % 10
        value //= 10
        at += 1
        if value == 0:
            break
    left, right = start, at - 1
    while left < right:
        held = out[left]
        out[left] = out[right]
        out[right] = held
        left += 1
        right -= 1
    return at


@_inner
def _decimal(value, decimals, out, at):
    """A number rounded to `decimals`, at least one digit after the point, no zeros at the end."""
    power = np.int64(1)
    for _ in range(decimals):
        power *= 10
    scaled = np.int64(np.rint(value * power))
    if scaled < 0:
        out[at] = 45
        at += 1
        scaled = -scaled
    at = _integer(scaled // power, out, at)
    out[at] = 46
    at += 1
    rest = scaled % power
    digit = power // 10
    first = at
    while digit > 0 and (rest > 0 or at == first):
        out[at] = 48 + rest // digit
        rest %= digit
        digit //= 10
        at += 1
    if at == first:
        out[at] = 48
        at += 1
    return at


@_inner
def _null(out, at):
    out[at] = 110
    out[at + 1] = 117
    out[at + 2] = 108
    out[at + 3] = 108
    return at + 4


@_inner
def _value(words, word, base, end, item, items, scales, out, at):
    """The JSON value of one plain item."""
    kind = items[item, _KIND]
    first = items[item, _FIRST]
    first = base + first if first >= 0 else end + first
    width = items[item, _WIDTH]
    if kind == _TEXT or kind == _BYTES:
        width = max(np.int64(0), min(width, end - items[item, _TAIL] - first))
        out[at] = 34
        at += 1
        if kind == _TEXT:
            start = at
            stop = _characters(words, word, first, width // 6, out, at)
            # Quotes and backslashes are escaped from the end, in place.
            more = 0
            for i in range(start, stop):
                if out[i] == 34 or out[i] == 92:
                    more += 1
            at = stop + more
            j = at
            for i in range(stop - 1, start - 1, -1):
                j -= 1
                out[j] = out[i]
                if out[i] == 34 or out[i] == 92:
                    j -= 1
                    out[j] = 92
        else:
            i = np.int64(0)
            while i < width:
                take = min(width - i, np.int64(4))
                digit = _bits(words, word, first + i, take) << (4 - take)
                out[at] = 48 + digit if digit < 10 else 87 + digit
                at += 1
                i += 4
        out[at] = 34
        return at + 1
    if first < base or first + width > end:
        return _null(out, at)
    raw = _bits(words, word, first, width)
    if kind == _SIGNED or kind == _INT or kind == _TURN:
        raw = _signed(raw, width)
    if items[item, _HAS_MISSING] and raw == items[item, _MISSING]:
        return _null(out, at)
    if kind == _BOOL:
        if raw:
            out[at] = 116
            out[at + 1] = 114
            out[at + 2] = 117
            out[at + 3] = 101
            return at + 4
        out[at] = 102
        out[at + 1] = 97
        out[at + 2] = 108
        out[at + 3] = 115
        out[at + 4] = 101
        return at + 5
    if kind == _TURN:
        if abs(raw) < _TURN_SIDE:
            rate = raw / _TURN_FACTOR
            raw = np.int64(np.rint(rate * abs(rate)))
        return _decimal(np.float64(raw), np.int64(1), out, at)
    if kind == _DECIMAL or kind == _SIGNED:
        scaled = raw * scales[item, 0] + scales[item, 1]
        if items[item, _DECIMALS] == 0:
            return _integer(np.int64(np.rint(scaled)), out, at)
        return _decimal(scaled, items[item, _DECIMALS], out, at)
    return _integer(raw, out, at)


@_inner
def _key(item, items, names, out, at):
    out[at] = 34
    at += 1
    for i in range(items[item, _NAME_LENGTH]):
        out[at] = names[items[item, _NAME] + i]
        at += 1
    out[at] = 34
    out[at + 1] = 58
    return at + 2


@_inner
def _record(words, word, base, end, first_item, count, items, scales, names, out, at):
    """`"name":value` of each plain item, with commas between."""
    some = False
    for item in range(first_item, first_item + count):
        kind = items[item, _KIND]
        if kind == _SPARE or kind == _GROUPED:
            continue
        if some:
            out[at] = 44
            at += 1
        some = True
        at = _key(item, items, names, out, at)
        at = _value(words, word, base, end, item, items, scales, out, at)
    return at


@_kernel
def objects(words, meta, rows, begin, layouts, items, scales, groups, records, names, out, offsets):
    """One JSON object per message from rows[begin:], while there is room: the index of the first not written."""
    at = np.int64(offsets[begin])
    for k in range(begin, rows.shape[0]):
        row = rows[k]
        layout = meta[14, row]
        word = meta[2, row]
        end = meta[3, row]
        if at + layouts[layout, 9] + 64 > out.shape[0]:
            return k
        first_item = layouts[layout, 0]
        count = layouts[layout, 1]
        out[at] = 123
        at += 1
        at = _record(words, word, np.int64(0), end, first_item, count, items, scales, names, out, at)
        for item in range(first_item, first_item + count):
            if items[item, _KIND] != _GROUPED:
                continue
            group = items[item, _GROUP]
            out[at] = 44
            at += 1
            at = _key(item, items, names, out, at)
            out[at] = 91
            at += 1
            width = groups[group, 0]
            base = items[item, _FIRST]
            done = 0
            while done < groups[group, 1] and base + width <= end:
                if done:
                    out[at] = 44
                    at += 1
                chosen = np.int64(-1)
                if groups[group, 3]:
                    chosen = _bits(words, word, base + groups[group, 2], groups[group, 3])
                record = groups[group, 4]
                for r in range(groups[group, 4], groups[group, 4] + groups[group, 5]):
                    if records[r, 0] == chosen:
                        record = r
                out[at] = 123
                at += 1
                at = _record(
                    words, word, base, base + width, records[record, 1], records[record, 2],
                    items, scales, names, out, at,
                )  # fmt: skip
                out[at] = 125
                at += 1
                base += width
                done += 1
            out[at] = 93
            at += 1
        out[at] = 125
        at += 1
        offsets[k + 1] = at
    return rows.shape[0]
