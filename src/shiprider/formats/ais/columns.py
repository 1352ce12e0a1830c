# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# ruff: noqa: SIM109
# Numba infers the types of kernels from the arrays it is given.
"""From packed bits to columns: numbers, texts, payloads and JSON, by the wire table.

Always true: the table comes as an argument; a value that is "not available" is an empty place in a column
or `null` in JSON; JSON is valid whatever the bits are. Every octet array that is written has 16 octets
to spare, every one that is read 8: they are moved eight at a time.
"""

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from shiprider.formats.ais.octets import eight, get, inner, kernel, once, place_of, put_eight, swapped
from shiprider.formats.ais.places import (
    BITS,
    FLAWS,
    LAYOUT,
    LENGTH,
    META_COLUMNS,
    MMSI,
    NATURE,
    PLACE,
    RAW,
    RECEIVED,
    RECEIVER_KIND,
    RESOLUTION,
    SOURCE,
    STATION,
    STATION_LENGTH,
    TIME,
    TYPE,
)

_KIND, _NAME, _NAME_LENGTH, _FIRST, _WIDTH, _DECIMALS, _HAS_MISSING, _MISSING, _VARIABLE, _TAIL, _GROUP = (
    range(11)
)
_UINT, _INT, _BOOL, _TEXT, _BYTES, _SPARE, _GROUPED, _DECIMAL, _SIGNED, _TURN = range(10)
_ITEM_COLUMNS: Final = 11

#: M.1371-5 table 48: ROT_AIS = 4.733 sqrt(ROT), degrees per minute; +-127 tells the side only.
_TURN_FACTOR: Final = 4.733
_TURN_SIDE: Final = 127

#: Standard deviation of a time known to one microsecond's resolution (uniform error), seconds.
_SIGMA_OF_US: Final = 1e-6 / 12**0.5
_DAY_US: Final = 86_400_000_000
# The unit flag of message 18 (bit 141): 0 is class B self-organised, 1 carrier sense; model/codes.py's
# values, which a test keeps in step.
_CLASS_B: Final = 18
_UNIT_BIT: Final = 141
_SELF_ORGANISED: Final = 2
_LOCATING_DEVICE: Final = 7

#: The third axis of `Spec.places` (wanted.py); columns are worked on eight at a time.
_OCTET, _LEFT, _RIGHT, _MASK, _END, _NOT_1, _NOT_2, _NOT_3, _SQUARE = range(9)
_PLACES: Final = 9
_LANES: Final = 8
_DOUBLES: Final = 2

_ZERO: Final = np.uint64(0)
_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_HIGH: Final = np.uint64(0x8080808080808080)
_EVERY_ONE: Final = np.uint64(0x0101010101010101)
_GATHER: Final = np.uint64(0x0102040810204080)
_SPACES: Final = np.uint64(0x2020202020202020)
_ZEROS: Final = np.uint64(0x3030303030303030)
_SIXES: Final = np.uint64(0x0606060606060606)
_TEN: Final = np.uint64(10)


@intrinsic
def _real(typing_context, array, i):
    """array[i], flat; the array holds doubles."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load(builder.gep(data, [arguments[1]]))

    del typing_context, i
    return types.float64(array, types.int64), generate


@intrinsic
def _put(typing_context, buf, i, value):
    """The lowest octet of a number to buf[i]."""

    def generate(context, builder, signature, arguments):
        octet = builder.trunc(arguments[2], ir.IntType(8))
        builder.store(octet, place_of(context, builder, signature.args[0], *arguments[:2], 8))
        return context.get_dummy_value()

    del typing_context, i, value
    return types.void(buf, types.int64, types.int64), generate


@intrinsic
def _octets_below(typing_context, value):
    """How many octets lie below the lowest bit that is set (the value is not zero)."""

    def generate(context, builder, signature, arguments):
        del context, signature
        zeros = builder.cttz(arguments[0], ir.IntType(1)(1))
        return builder.lshr(zeros, ir.IntType(64)(3))

    del typing_context, value
    return types.int64(types.uint64), generate


@once
def _top(stream, place, first):
    """The bits from `first`, highest first; 57 of them are sure to be there."""
    return swapped(eight(stream, place + (first >> 3))) << np.uint64(first & 7)


@once
def _copy(source, i, length, out, at):
    """source[i : i + length] to out[at:], and up to 7 octets more."""
    for m in range(0, length, 8):
        put_eight(out, at + m, eight(source, i + m))
    return at + length


@kernel
def split(meta, tables, rows, counts):
    """Which message goes into which table: bit t of tables[type] sends it to rows[t]; counts[t] of them."""
    first = second = third = np.int64(0)
    for row in range(meta.shape[0]):
        mask = get(tables, get(meta, row * META_COLUMNS + TYPE))
        rows[0, first] = row
        rows[1, second] = row
        rows[2, third] = row
        first += mask & 1
        second += mask >> 1 & 1
        third += mask >> 2 & 1
    counts[0] = first
    counts[1] = second
    counts[2] = third


@intrinsic
def _eight_columns(typing_context, stream, place, places, p, factors, f, end):
    """Eight columns of one message at once: which have a value, as bits; the first two; all in single precision.

    places[p:] are nine times eight numbers, factors[f:] two times eight, as `fill` tells.
    """

    def generate(context, builder, signature, arguments):
        i8, i32, i64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
        whole, real = ir.VectorType(i64, 8), ir.VectorType(ir.DoubleType(), 8)

        def pointer(argument, index, offset, kind):
            data = context.make_array(signature.args[argument])(context, builder, arguments[argument]).data
            at = builder.gep(data, [builder.add(index, i64(offset))])
            return builder.bitcast(at, kind.as_pointer())

        def plane(number):
            return builder.load(pointer(2, arguments[3], 8 * number, whole), align=8)

        bits = ir.Constant(whole, ir.Undefined)
        for lane in range(8):
            octet = builder.load(pointer(2, arguments[3], 8 * _OCTET + lane, i64), align=8)
            eight = builder.load(pointer(0, builder.add(arguments[1], octet), 0, i64), align=1)
            bits = builder.insert_element(bits, eight, i32(lane))
        octets = builder.bitcast(bits, ir.VectorType(i8, 64))
        order = ir.Constant(ir.VectorType(i32, 64), [i // 8 * 8 + 7 - i % 8 for i in range(64)])
        bits = builder.bitcast(builder.shuffle_vector(octets, octets, order), whole)
        # An arithmetic shift keeps the sign; of an unsigned field it is masked away.
        raw = builder.ashr(builder.shl(bits, plane(_LEFT)), plane(_RIGHT))
        raw = builder.and_(raw, plane(_MASK))
        ends = ir.Constant(whole, ir.Undefined)
        for lane in range(8):
            ends = builder.insert_element(ends, arguments[6], i32(lane))
        there = builder.icmp_signed("<=", plane(_END), ends)
        for nothing in (_NOT_1, _NOT_2, _NOT_3):
            there = builder.and_(there, builder.icmp_signed("!=", raw, plane(nothing)))
        value = builder.sitofp(builder.trunc(raw, ir.VectorType(i32, 8)), real)
        scale = builder.load(pointer(4, arguments[5], 0, real), align=8)
        offset = builder.load(pointer(4, arguments[5], 8, real), align=8)
        value = builder.fadd(builder.fmul(value, scale), offset)
        least = ir.Constant(whole, [2**63 - 1] * 8)
        absolute = builder.bitcast(builder.and_(builder.bitcast(value, whole), least), real)
        nothing = ir.Constant(whole, [0] * 8)
        square = builder.icmp_signed("!=", plane(_SQUARE), nothing)
        value = builder.select(square, builder.fmul(value, absolute), value)
        value = builder.select(there, value, ir.Constant(real, [0.0] * 8))
        halves = builder.fptrunc(value, ir.VectorType(ir.FloatType(), 8))
        result = [builder.zext(builder.bitcast(there, i8), i64)]
        result += [builder.extract_element(value, i32(lane)) for lane in range(_DOUBLES)]
        result += [builder.extract_element(halves, i32(lane)) for lane in range(8)]
        return context.make_tuple(builder, signature.return_type, result)

    del typing_context, place, p, f, end
    result = types.Tuple((types.int64, *[types.float64] * _DOUBLES, *[types.float32] * 8))
    arguments = (stream, types.int64, places, types.int64, factors, types.int64, types.int64)
    return result(*arguments), generate


@once
def _put_single(single, first, to, a, b, c, d, e, f):
    """Six numbers to place `to` of columns from `first`, as many as there are."""
    count = single.shape[0] - first
    if count > 0:
        single[first, to] = a
    if count > 1:
        single[first + 1, to] = b
    if count > 2:
        single[first + 2, to] = c
    if count > 3:
        single[first + 3, to] = d
    if count > 4:
        single[first + 4, to] = e
    if count > 5:
        single[first + 5, to] = f


@kernel
def fill(
    stream, meta, rows, at, used, places, factors, classes,
    longs, integers, codes, sigma, wide, single, masks,
):  # fmt: skip
    """The numeric columns of one table, of messages rows[k] to row at + k.

    longs: time, received, claimed id, raw. integers: raw length, flaws, day. codes: time source, receiver
    kind, transmitter class, message type, nature. `classes` gives the class of a message type.
    The first two columns go to `wide` (float64), the others (at most twelve) to `single`; bit c % 8 of masks[c // 8] says
    that it has a value. `places[layout, c // 8, :, c % 8]`: first octet, bits to shift left and right, mask
    after an arithmetic shift, bits the message must have, three raw values that mean nothing, 1 to square the
    value and keep its sign; `factors[layout, c // 8, :, c % 8]`: scale and offset to our unit;
    `used[layout, c // 8]`: whether there is any.
    """
    blocks = (_DOUBLES + single.shape[0] + _LANES - 1) // _LANES
    for k in range(rows.shape[0]):
        base = get(rows, k) * META_COLUMNS
        to = at + k
        kind = get(meta, base + TYPE)
        mmsi = get(meta, base + MMSI)
        place = get(meta, base + PLACE)
        time = get(meta, base + TIME)
        longs[0, to] = time
        longs[1, to] = get(meta, base + RECEIVED)
        longs[2, to] = mmsi
        longs[3, to] = get(meta, base + RAW)
        integers[0, to] = get(meta, base + LENGTH)
        integers[1, to] = get(meta, base + FLAWS)
        integers[2, to] = time // _DAY_US
        codes[0, to] = get(meta, base + SOURCE)
        codes[1, to] = get(meta, base + RECEIVER_KIND)
        station_class = get(classes, kind)
        if kind == _CLASS_B and np.int64(_top(stream, place, _UNIT_BIT)) >= 0:
            station_class = _SELF_ORGANISED
        # ITU-R M.585: 970 AIS-SART, 972 man overboard, 974 EPIRB-AIS.
        if 970_000_000 <= mmsi < 975_000_000:
            prefix = mmsi // 1_000_000
            if prefix == 970 or prefix == 972 or prefix == 974:
                station_class = _LOCATING_DEVICE
        codes[2, to] = station_class
        codes[3, to] = kind
        codes[4, to] = get(meta, base + NATURE)
        sigma[to] = get(meta, base + RESOLUTION) * _SIGMA_OF_US

        end = get(meta, base + BITS)
        number = get(meta, base + LAYOUT) * blocks
        mask, x, y, _, _, c, d, e, f, g, h = _eight_columns(
            stream, place, places, number * _PLACES * _LANES, factors, number * 2 * _LANES, end
        )
        masks[0, to] = mask
        wide[0, to] = x
        wide[1, to] = y
        _put_single(single, np.int64(0), to, c, d, e, f, g, h)
        if blocks > 1:
            number += 1
            mask = np.int64(0)
            a = b = c = d = e = f = np.float32(0.0)
            # Of the second eight most layouts have nothing.
            if get(used, number):
                mask, _, _, a, b, c, d, e, f, _, _ = _eight_columns(
                    stream, place, places, number * _PLACES * _LANES, factors, number * 2 * _LANES, end
                )
            masks[1, to] = mask
            _put_single(single, np.int64(_LANES - _DOUBLES), to, a, b, c, d, e, f)


@kernel
def bitmaps(masks, rows, told, valid, nulls):
    """Arrow's bitmap of each column c in valid[c], from bit told[c] of the rows' masks; nulls[c] counts zeros.

    Bit b of row k is bit b % 8 of masks[b // 8, k]; behind the last row there are eight zeros.
    """
    for column in range(told.shape[0]):
        base = (told[column] >> 3) * masks.shape[1]
        bit = np.uint64(told[column] & 7)
        some = _ZERO
        for octet in range((rows + 7) // 8):
            # One bit of each of eight octets, moved together by one multiplication.
            bits = eight(masks, base + 8 * octet) >> bit & _EVERY_ONE
            some += bits * _EVERY_ONE >> np.uint64(56)
            valid[column, octet] = bits * _GATHER >> np.uint64(56)
        nulls[column] = rows - np.int64(some)


@once
def _characters(stream, place, first, count, out, at):
    """Six-bit ASCII up to the first @, without spaces at its end: the index after it."""
    start = at
    i = np.int64(0)
    while i < count:
        value = _top(stream, place, first + 6 * i) >> np.uint64(16)
        value = value >> np.uint64(24) | (value & np.uint64(0xFFFFFF)) << np.uint64(32)
        value = value >> np.uint64(12) & np.uint64(0x00000FFF00000FFF) | (
            value & np.uint64(0x00000FFF00000FFF)
        ) << np.uint64(16)
        value = value >> np.uint64(6) & np.uint64(0x003F003F003F003F) | (
            value & np.uint64(0x003F003F003F003F)
        ) << np.uint64(8)
        # Values below 32 are the letters: 64 more.
        put_eight(out, at, value | (~value & _SPACES) << np.uint64(1))
        ends = (value - _EVERY_ONE) & ~value & _HIGH
        n = np.int64(8)
        if ends:
            n = _octets_below(ends)
        at += min(n, count - i)
        i += 8
        if ends:
            break
    while at > start and get(out, at - 1) == 32:
        at -= 1
    return at


@kernel
def texts(stream, meta, rows, items, spec, out, at, offsets, valid):
    """One text column: the texts of spec[layout, 0] and, behind it, spec[layout, 1] (a name's extension).

    Goes on from out[at], offsets[0] and valid[0]; gives the octets written in all.
    """
    offsets[0] = at
    for k in range(rows.shape[0]):
        base = get(rows, k) * META_COLUMNS
        start = at
        for part in range(2):
            item = get(spec, 2 * get(meta, base + LAYOUT) + part) * _ITEM_COLUMNS
            if item >= 0:
                first = get(items, item + _FIRST)
                width = min(get(items, item + _WIDTH), get(meta, base + BITS) - first)
                if width >= 6:
                    at = _characters(stream, get(meta, base + PLACE), first, width // 6, out, at)
        valid[k] = at > start
        offsets[k + 1] = at
    return at


@kernel
def payloads(stream, meta, rows, layouts, out, at, offsets, valid):
    """The application's own bits as octets, the last one filled with zeros; else as `texts`."""
    offsets[0] = at
    for k in range(rows.shape[0]):
        base = get(rows, k) * META_COLUMNS
        first = layouts[get(meta, base + LAYOUT), 8]
        valid[k] = first >= 0
        if first >= 0:
            width = get(meta, base + BITS) - first
            for m in range(0, width, 56):
                value = _top(stream, get(meta, base + PLACE), first + m)
                if width - m < 56:
                    value &= ~(_ALL >> np.uint64(width - m))
                put_eight(out, at + m // 8, swapped(value))
            at += max(width + 7, np.int64(0)) // 8
        offsets[k + 1] = at
    return at


@kernel
def stations(pool, meta, rows, out, at, offsets, valid):
    """The receivers' names, from the pool; what is no ASCII becomes "?"; else as `texts`."""
    offsets[0] = at
    for k in range(rows.shape[0]):
        base = get(rows, k) * META_COLUMNS
        start = get(meta, base + STATION)
        length = get(meta, base + STATION_LENGTH)
        for m in range(0, length, 8):
            octets = eight(pool, start + m)
            beyond = (octets & _HIGH) >> np.uint64(7)
            if beyond:
                octets &= ~(beyond * np.uint64(255))
                octets |= beyond * np.uint64(63)
            put_eight(out, at + m, octets)
        at += length
        valid[k] = length > 0
        offsets[k + 1] = at
    return at


@once
def _integer(value, out, at):
    """Decimal digits of value from out[at]: the index after them."""
    if value < 0:
        _put(out, at, 45)
        at += 1
        value = -value
    rest = np.uint64(value)
    least = np.int64(10)
    digits = 1
    while value >= least and digits < 19:
        least *= 10
        digits += 1
    i = at + digits - 1
    while i >= at:
        tenth = rest // _TEN
        _put(out, i, np.int64(rest - tenth * _TEN) + 48)
        rest = tenth
        i -= 1
    return at + digits


@inner
def _decimal(value, decimals, out, at):
    """A number rounded to `decimals`, at least one digit after the point, no zeros at the end."""
    power = np.int64(1)
    for _ in range(decimals):
        power *= 10
    scaled = np.int64(np.rint(value * power))
    if scaled < 0:
        _put(out, at, 45)
        at += 1
        scaled = -scaled
    whole = np.int64(np.uint64(scaled) // np.uint64(power))
    at = _integer(whole, out, at)
    _put(out, at, 46)
    rest = np.uint64(scaled - whole * power)
    i = at + decimals
    end = at + 2
    while i > at:
        tenth = rest // _TEN
        digit = np.int64(rest - tenth * _TEN)
        _put(out, i, digit + 48)
        if digit and end < i + 1:
            end = i + 1
        rest = tenth
        i -= 1
    if decimals == 0:
        _put(out, at + 1, 48)
    return end


@once
def _word(value, length, out, at):
    """A short word, given as a number whose lowest octet is its first letter."""
    put_eight(out, at, value)
    return at + length


@once
def _hexadecimal(stream, place, first, width, out, at):
    """Bits as hexadecimal digits, the last one filled with zeros: the index after them."""
    for i in range(0, width, 32):
        value = _top(stream, place, first + i) >> np.uint64(32)
        if width - i < 32:
            value &= ~(np.uint64(0xFFFFFFFF) >> np.uint64(width - i))
        value = value >> np.uint64(16) | (value & np.uint64(0xFFFF)) << np.uint64(32)
        value = value >> np.uint64(8) & np.uint64(0x000000FF000000FF) | (
            value & np.uint64(0x000000FF000000FF)
        ) << np.uint64(16)
        value = value >> np.uint64(4) & np.uint64(0x000F000F000F000F) | (
            value & np.uint64(0x000F000F000F000F)
        ) << np.uint64(8)
        letters = (value + _SIXES) >> np.uint64(4) & _EVERY_ONE
        put_eight(out, at + i // 4, value + _ZEROS + letters * np.uint64(39))
    return at + (width + 3) // 4


@once
def _value(stream, place, base, end, item, items, scales, out, at):
    """The JSON value of one plain item; `item` is its row."""
    i = item * _ITEM_COLUMNS
    kind = get(items, i + _KIND)
    first = get(items, i + _FIRST)
    first = base + first if first >= 0 else end + first
    width = get(items, i + _WIDTH)
    if kind == _TEXT or kind == _BYTES:
        width = max(np.int64(0), min(width, end - get(items, i + _TAIL) - first))
        _put(out, at, 34)
        at += 1
        if kind == _TEXT:
            start = at
            stop = _characters(stream, place, first, width // 6, out, at)
            # Quotes and backslashes are escaped from the end, in place.
            more = 0
            for m in range(start, stop):
                letter = get(out, m)
                if letter == 34 or letter == 92:
                    more += 1
            at = stop + more
            if more:
                j = at
                for m in range(stop - 1, start - 1, -1):
                    letter = get(out, m)
                    j -= 1
                    _put(out, j, letter)
                    if letter == 34 or letter == 92:
                        j -= 1
                        _put(out, j, 92)
        else:
            at = _hexadecimal(stream, place, first, width, out, at)
        _put(out, at, 34)
        return at + 1
    if first < base or first + width > end:
        return _word(np.uint64(0x6C6C756E), 4, out, at)
    bits = _top(stream, place, first)
    raw = np.int64(bits >> np.uint64(64 - width))
    if kind == _SIGNED or kind == _INT or kind == _TURN:
        raw = np.int64(bits) >> (64 - width)
    if get(items, i + _HAS_MISSING) and raw == get(items, i + _MISSING):
        return _word(np.uint64(0x6C6C756E), 4, out, at)
    if kind == _BOOL:
        if raw:
            return _word(np.uint64(0x65757274), 4, out, at)
        return _word(np.uint64(0x65736C6166), 5, out, at)
    scaled = np.float64(raw)
    decimals = np.int64(0)
    if kind == _TURN:
        decimals = np.int64(1)
        if abs(raw) < _TURN_SIDE:
            rate = raw / _TURN_FACTOR
            scaled = np.rint(rate * abs(rate))
    elif kind == _DECIMAL or kind == _SIGNED:
        decimals = get(items, i + _DECIMALS)
        scaled = raw * _real(scales, 2 * item) + _real(scales, 2 * item + 1)
        raw = np.int64(np.rint(scaled))
    if decimals:
        return _decimal(scaled, decimals, out, at)
    return _integer(raw, out, at)


@inner
def _record(stream, place, base, end, first_item, count, items, scales, names, out, at):
    """`"name":value` of each plain item, with commas between."""
    some = False
    for item in range(first_item, first_item + count):
        i = item * _ITEM_COLUMNS
        kind = get(items, i + _KIND)
        if kind == _SPARE or kind == _GROUPED:
            continue
        if some:
            _put(out, at, 44)
            at += 1
        some = True
        at = _copy(names, get(items, i + _NAME), get(items, i + _NAME_LENGTH), out, at)
        at = _value(stream, place, base, end, item, items, scales, out, at)
    return at


@kernel
def objects(
    stream, meta, rows, begin, layouts, items, scales, groups, records, names, out, at, offsets
):  # fmt: skip
    """One JSON object per message from rows[begin:], while there is room: the index of the first not written.

    Goes on from out[at]; offsets[k] is where object k begins.
    """
    offsets[begin] = at
    for k in range(begin, rows.shape[0]):
        row = get(rows, k) * META_COLUMNS
        layout = get(meta, row + LAYOUT)
        place = get(meta, row + PLACE)
        end = get(meta, row + BITS)
        if at + layouts[layout, 9] + 64 > out.shape[0]:
            return k
        first_item = layouts[layout, 0]
        count = layouts[layout, 1]
        _put(out, at, 123)
        at += 1
        at = _record(stream, place, np.int64(0), end, first_item, count, items, scales, names, out, at)
        for item in range(first_item, first_item + count):
            i = item * _ITEM_COLUMNS
            if get(items, i + _KIND) != _GROUPED:
                continue
            group = get(items, i + _GROUP)
            _put(out, at, 44)
            at += 1
            at = _copy(names, get(items, i + _NAME), get(items, i + _NAME_LENGTH), out, at)
            _put(out, at, 91)
            at += 1
            width = groups[group, 0]
            base = get(items, i + _FIRST)
            done = 0
            while done < groups[group, 1] and base + width <= end:
                if done:
                    _put(out, at, 44)
                    at += 1
                chosen = np.int64(-1)
                if groups[group, 3]:
                    chosen = np.int64(
                        _top(stream, place, base + groups[group, 2]) >> np.uint64(64 - groups[group, 3])
                    )
                record = groups[group, 4]
                for r in range(groups[group, 4], groups[group, 4] + groups[group, 5]):
                    if records[r, 0] == chosen:
                        record = r
                _put(out, at, 123)
                at += 1
                at = _record(
                    stream, place, base, base + width, records[record, 1], records[record, 2],
                    items, scales, names, out, at,
                )  # fmt: skip
                _put(out, at, 125)
                at += 1
                base += width
                done += 1
            _put(out, at, 93)
            at += 1
        _put(out, at, 125)
        at += 1
        offsets[k + 1] = at
    return rows.shape[0]
