# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# Numba infers the types of kernels from the arrays it is given.
"""From columns to sentences: bits packed and armoured by the wire table.

Always true: the table comes as an argument; every sentence ends CRLF and carries its checksum; a message
of more than one sentence fills each but the last completely.
"""

from typing import Any, Final

import numpy as np

from shiprider.measure.kernels import njit

#: Six-bit symbols in one sentence: IEC 61162-1 allows 82 characters in all.
SYMBOLS: Final = 56

_INNER: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
_inner = njit(**_INNER)


@_inner
def _hex(value, out, at):
    digit = value >> 4
    out[at] = 48 + digit if digit < 10 else 55 + digit
    digit = value & 15
    out[at + 1] = 48 + digit if digit < 10 else 55 + digit
    return at + 2


@_inner
def _put(bits, at, value, width):
    """Write `width` bits of value into a bit buffer of one bit a byte."""
    for i in range(width):
        bits[at + i] = value >> (width - 1 - i) & 1


@njit(cache=True, nogil=True, error_model="numpy")
def sentences(
    raws, firsts, widths, texts, text_offsets, text_firsts, text_widths, lengths, talker, channels, sequences,
    out, offsets,
):  # fmt: skip
    """Write every message's sentences: the bytes written, or -1 where `out` is too small.

    raws[f, n] are raw field values at firsts[f], widths[f]; texts are octets (one six-bit value each, or
    one bit each for hexadecimal data) of column t at text_offsets[t, n]; lengths[n] bits in all.
    """
    bits = np.zeros(4096, np.uint8)
    at = np.int64(0)
    for n in range(lengths.shape[0]):
        length = lengths[n]
        if at + length // 4 + 200 + 40 * (length // (6 * SYMBOLS)) > out.shape[0]:
            return np.int64(-1)
        bits[: length + 8] = 0
        for f in range(raws.shape[0]):
            first = firsts[f] if firsts[f] >= 0 else length + firsts[f]
            if first + widths[f] <= length:
                _put(bits, first, raws[f, n], widths[f])
        for t in range(text_firsts.shape[0]):
            each = text_widths[t]
            first = text_firsts[t]
            for i in range(text_offsets[t, n], text_offsets[t, n + 1]):
                if first + each > length:
                    break
                _put(bits, first, np.int64(texts[i]), each)
                first += each
        symbols = (length + 5) // 6
        fill = symbols * 6 - length
        total = (symbols + SYMBOLS - 1) // SYMBOLS
        done = np.int64(0)
        for part in range(total):
            start = at
            for i in range(6):
                out[at] = talker[i]
                at += 1
            out[at] = 44
            out[at + 1] = 48 + total
            out[at + 2] = 44
            out[at + 3] = 49 + part
            out[at + 4] = 44
            at += 5
            if total > 1:
                out[at] = 48 + sequences[n]
                at += 1
            out[at] = 44
            at += 1
            if channels[n]:
                out[at] = channels[n]
                at += 1
            out[at] = 44
            at += 1
            for _ in range(min(np.int64(SYMBOLS), symbols - done)):
                value = 0
                for b in range(6):
                    value = value << 1 | bits[done * 6 + b]
                out[at] = value + 48 if value < 40 else value + 56
                at += 1
                done += 1
            out[at] = 44
            out[at + 1] = 48 + (fill if part == total - 1 else 0)
            at += 2
            checksum = 0
            for i in range(start + 1, at):
                checksum ^= out[i]
            out[at] = 42
            at = _hex(checksum, out, at + 1)
            out[at] = 13
            out[at + 1] = 10
            at += 2
        offsets[n + 1] = at
    return at


@_inner
def _digits(value, out, at):
    power = np.int64(1)
    while value // power >= 10:
        power *= 10
    while power > 0:
        out[at] = 48 + value // power % 10
        power //= 10
        at += 1
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def tag_blocks(data, offsets, names, name_offsets, index, times, groups, out, out_offsets):
    """Put `\\s:STATION,c:TIME*hh\\` before each line, with `g:` where a message has several: bytes written."""
    at = np.int64(0)
    out_offsets[0] = 0
    for n in range(offsets.shape[0] - 1):
        begin = offsets[n]
        end = offsets[n + 1]
        lines = 0
        for i in range(begin, end):
            lines += data[i] == 10
        line = 0
        i = begin
        while i < end:
            line += 1
            out[at] = 92
            at += 1
            start = at
            if lines > 1:
                out[at] = 103
                out[at + 1] = 58
                at = _digits(np.int64(line), out, at + 2)
                out[at] = 45
                at = _digits(np.int64(lines), out, at + 1)
                out[at] = 45
                at = _digits(groups[n], out, at + 1)
            if line == 1:
                if lines > 1:
                    out[at] = 44
                    at += 1
                out[at] = 115
                out[at + 1] = 58
                at += 2
                for k in range(name_offsets[index[n]], name_offsets[index[n] + 1]):
                    out[at] = names[k]
                    at += 1
                out[at] = 44
                out[at + 1] = 99
                out[at + 2] = 58
                at = _digits(times[n], out, at + 3)
            checksum = 0
            for k in range(start, at):
                checksum ^= out[k]
            out[at] = 42
            at = _hex(checksum, out, at + 1)
            out[at] = 92
            at += 1
            while i < end:
                byte = data[i]
                out[at] = byte
                at += 1
                i += 1
                if byte == 10:
                    break
        out_offsets[n + 1] = at
    return at
