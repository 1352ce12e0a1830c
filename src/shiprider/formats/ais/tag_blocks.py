# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# Numba infers the types of kernels from the arrays it is given.
"""What providers write beside a sentence: tag blocks (NMEA 0183 4.11, section 7) and Gatehouse's $PGHP lines.

Always true: a block or a line whose checksum does not hold says nothing.
"""

from typing import Final

import numpy as np

from shiprider.formats.ais.octets import (
    COMMA,
    NOTHING,
    STAR,
    copy_station,
    get,
    marks,
    once,
    shared,
    shared_once,
    sum_of,
    xor_of,
    zeros_below,
)
from shiprider.formats.ais.places import (
    LINES,
    RING,
    RING_CHECKSUM,
    RING_LENGTH,
    RING_LINE,
    RING_STATION,
    RING_TIME,
    STATION_BYTES,
)
from shiprider.formats.ais.stamping import SECOND, epoch, moment_of, number

#: Octets of a tag block looked at, its backslashes left out.
TAG_MOST: Final = 255


@shared_once
def tag_block(buf, start, end, hexes, out):
    """Fields of a tag block buf[start:end], without its backslashes.

    out: time or -1, resolution, station start, station length, group (hash) or 0, 1 if the block holds.
    A checksum 00 that does not fit stands for "not computed", as some providers write it.
    """
    out[0] = -1
    out[1] = SECOND
    out[2] = 0
    out[3] = 0
    out[4] = 0
    out[5] = 0
    star = end - 3
    if (
        star < start
        or get(buf, star) != STAR
        or get(hexes, get(buf, star + 1)) == 255
        or get(hexes, get(buf, star + 2)) == 255
    ):
        return
    told = get(hexes, get(buf, star + 1)) * 16 + get(hexes, get(buf, star + 2))
    lanes = NOTHING
    for m in range(start, star, 32):
        lanes ^= xor_of(buf, m, min(star - m, 32))
    checksum = sum_of(lanes)
    if checksum != told and told != 0:
        return
    out[5] = 1
    commas = marks(buf, start, COMMA)
    i = start
    while i < star:
        # The commas of the first 32 octets were found at once; few blocks are longer.
        j = start + 32
        if i < j:
            later = commas >> np.uint64(i - start)
            if later:
                j = i + zeros_below(later)
        else:
            j = i
        while j < star and get(buf, j) != COMMA:
            j += 1
        j = min(j, star)
        if j - i > 2 and get(buf, i + 1) == 58:
            key = get(buf, i)
            if key == 99:
                epoch(buf, i + 2, j, out)
            elif key == 115:
                out[2] = i + 2
                out[3] = min(j - i - 2, STATION_BYTES)
            elif key == 103:
                # g:part-of-group; the last number names the group.
                k = j
                while k > i + 2 and get(buf, k - 1) != 45:
                    k -= 1
                group = np.int64(1469598103)
                for m in range(k, j):
                    group = (group ^ get(buf, m)) * 16777619 & 0x7FFFFFFF
                out[4] = group | 1
        i = j + 1


@shared
def gatehouse(buf, start, hexes, ring, ring_station, state, fields):
    """A $PGHP line into the ring: (1 if it holds, index after it). `fields` is scratch of 12."""
    star = start
    while get(buf, star) != STAR and get(buf, star) >= 32 and star - start < 200:
        star += 1
    if (
        get(buf, star) != STAR
        or get(hexes, get(buf, star + 1)) == 255
        or get(hexes, get(buf, star + 2)) == 255
    ):
        return 0, start + 1
    checksum = 0
    for i in range(start + 1, star):
        checksum ^= get(buf, i)
    if checksum != get(hexes, get(buf, star + 1)) * 16 + get(hexes, get(buf, star + 2)):
        return 0, star + 3
    for k in range(8):
        fields[k] = -1
    i = start + 6
    for k in range(8):
        fields[k], j = number(buf, i, 4)
        while j < star and get(buf, j) != COMMA:
            j += 1
        i = j + 1
        if j >= star:
            break
    moment = moment_of(fields[1], fields[2], fields[3], fields[4], fields[5], fields[6])
    if moment < 0 or fields[7] < 0 or fields[7] > 999:
        return 0, star + 3
    # country, region, then the base station; the last field repeats the sentence's checksum.
    country = i
    found = 8
    for k in range(i, star):
        if get(buf, k) == COMMA and found < 12:
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
    while get(buf, last - 1) != COMMA and last > country:
        last -= 1
    own = np.int64(-1)
    if star - last == 2 and get(hexes, get(buf, last)) != 255 and get(hexes, get(buf, last + 1)) != 255:
        own = get(hexes, get(buf, last)) * 16 + get(hexes, get(buf, last + 1))
    slot = state[RING] % RING_LENGTH
    state[RING] += 1
    ring[slot, RING_TIME] = moment + fields[7] * 1000
    ring[slot, RING_CHECKSUM] = own
    ring[slot, RING_LINE] = state[LINES]
    length = min(length, STATION_BYTES)
    ring[slot, RING_STATION] = length
    copy_station(buf, station, length, ring_station, slot * STATION_BYTES)
    return 1, star + 3


@once
def claim(ring, state, checksum, whole):
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
