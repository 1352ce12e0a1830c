# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# Numba infers the types of kernels from the arrays it is given.
"""Octets and numbers of flat arrays, one, eight or thirty-two at a time: what every AIS kernel is built from.

Always true: no place is tested; the arrays carry the octets to spare that their kernels name.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from shiprider.measure.kernels import njit

LINE_FEED: Final = 10
CARRIAGE_RETURN: Final = 13
BANG: Final = 33
DOLLAR: Final = 36
STAR: Final = 42
COMMA: Final = 44
BACKSLASH: Final = 92

#: No bit set in any of eight octets.
NOTHING: Final = np.uint64(0)

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
inner = njit(**_INNER)
# Kernels with one call site become a part of their caller: passing some ten arrays costs more than the work.
once = njit(**_INNER, forceinline=True)
kernel = njit(**_KERNEL)
# Kernels that another process may compile beside this one (beside.py): what is kept on the machine is found here.
shared = njit(**_INNER, cache=True)
shared_once = njit(**_INNER, cache=True, forceinline=True)


# Places known to lie inside: no test for a negative place or for the end.
def place_of(context, builder, kind, array, i, width):
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [i]), ir.IntType(width).as_pointer())


@intrinsic
def get(typing_context, array, i):
    """array[i] as int64; the array holds octets or 64-bit numbers."""
    width = array.dtype.bitwidth

    def generate(context, builder, signature, arguments):
        value = builder.load(
            place_of(context, builder, signature.args[0], *arguments, width), align=width // 8
        )
        return value if width == 64 else builder.zext(value, ir.IntType(64))

    del typing_context, i
    return types.int64(array, types.int64), generate


@intrinsic
def put(typing_context, array, i, value):
    """array[i] = value; the array holds 64-bit numbers."""

    def generate(context, builder, signature, arguments):
        builder.store(
            arguments[2], place_of(context, builder, signature.args[0], *arguments[:2], 64), align=8
        )
        return context.get_dummy_value()

    del typing_context, i, value
    return types.void(array, types.int64, types.int64), generate


@intrinsic
def eight(typing_context, buf, i):
    """Eight octets from buf[i:], the first one lowest, as one number."""

    def generate(context, builder, signature, arguments):
        return builder.load(place_of(context, builder, signature.args[0], *arguments, 64), align=1)

    del typing_context, i
    return types.uint64(buf, types.int64), generate


@intrinsic
def put_eight(typing_context, buf, i, value):
    """Eight octets to buf[i:], the lowest one first."""

    def generate(context, builder, signature, arguments):
        builder.store(
            arguments[2], place_of(context, builder, signature.args[0], *arguments[:2], 64), align=1
        )
        return context.get_dummy_value()

    del typing_context, i, value
    return types.void(buf, types.int64, types.uint64), generate


@intrinsic
def swapped(typing_context, value):
    """The eight octets of a number in the other order."""

    def generate(context, builder, signature, arguments):
        del context, signature
        return builder.bswap(arguments[0])

    del typing_context, value
    return types.uint64(types.uint64), generate


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
def sextets(typing_context, buf, i, stream, at, symbols, m):
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
def pack(typing_context, symbols, m, stream, at):
    """Thirty-two six-bit values from symbols[m:] to stream[at:], 24 octets and eight zeros."""

    def generate(context, builder, signature, arguments):
        values = _load_32(context, builder, signature.args[0], *arguments[:2])
        _store_32(context, builder, signature.args[2], *arguments[2:], _pack_32(builder, values))
        return context.get_dummy_value()

    del typing_context, m, at
    return types.void(symbols, types.int64, stream, types.int64), generate


@intrinsic
def find(typing_context, buf, i, octet):
    """The place of the first such octet, or control character, among the 32 of buf[i:]; 32 if there is none."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        same = builder.icmp_unsigned("==", octets, _splat(builder, builder.trunc(arguments[2], _I8), 32))
        control = builder.icmp_unsigned("<", octets, _vector(_I8, 32, [32] * 32))
        return _first_of(builder, builder.or_(same, control))

    del typing_context, i, octet
    return types.int64(buf, types.int64, types.int64), generate


@intrinsic
def marks(typing_context, buf, i, octet):
    """Which of the 32 octets of buf[i:] are this one, the first one the lowest bit."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        same = builder.icmp_unsigned("==", octets, _splat(builder, builder.trunc(arguments[2], _I8), 32))
        return builder.zext(builder.bitcast(same, _I32), _I64)

    del typing_context, i, octet
    return types.uint64(buf, types.int64, types.int64), generate


@intrinsic
def zeros_below(typing_context, value):
    """The place of the lowest bit that is set; the value is not zero."""

    def generate(context, builder, signature, arguments):
        del context, signature
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    del typing_context, value
    return types.int64(types.uint64), generate


@intrinsic
def xor_of(typing_context, buf, i, count):
    """The exclusive or of buf[i : i + count], at most 32 octets, in eight lanes."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        _, kept = _first_octets(builder, octets, arguments[2])
        return _fold_32(builder, kept)

    del typing_context, i, count
    return types.uint64(buf, types.int64, types.int64), generate


@intrinsic
def copy_station(typing_context, source, i, length, target, at):
    """source[i : i + length] to target[at:], filled up with zeros to STATION_BYTES, which is 32."""

    def generate(context, builder, signature, arguments):
        octets = _load_32(context, builder, signature.args[0], *arguments[:2])
        _, kept = _first_octets(builder, octets, arguments[2])
        _store_32(context, builder, signature.args[3], *arguments[3:], kept)
        return context.get_dummy_value()

    del typing_context, i, length, at
    return types.void(source, types.int64, types.int64, target, types.int64), generate


@once
def sum_of(lanes):
    """The exclusive or of the eight octets of a number."""
    lanes ^= lanes >> np.uint64(32)
    lanes ^= lanes >> np.uint64(16)
    lanes ^= lanes >> np.uint64(8)
    return np.int64(lanes & np.uint64(255))
