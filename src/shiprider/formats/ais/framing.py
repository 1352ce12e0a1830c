# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# ruff: noqa: SIM109
# Numba infers the types of kernels from the arrays it is given.
"""One pass over the bytes: sentences, tag blocks, stamps, parts, checksums, bits.

Always true: the table comes as an argument; nothing is allocated per message; every AIS sentence ends
as a message, as a part kept in a slot, or as a reject with its reason; what the pass gives depends on
the bytes and the state only, never on how the bytes were cut into calls. The buffer carries at least
64 zero bytes after its end, so no test for the end is needed inside a sentence.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais.octets import (
    BACKSLASH,
    BANG,
    CARRIAGE_RETURN,
    COMMA,
    DOLLAR,
    LINE_FEED,
    NOTHING,
    STAR,
    copy_station,
    eight,
    find,
    get,
    inner,
    kernel,
    once,
    pack,
    put,
    put_eight,
    sextets,
    shared_once,
    sum_of,
    swapped,
    xor_of,
)
from shiprider.formats.ais.places import (
    BAD_ARMOUR,
    BAD_CHECKSUM,
    BAD_PART,
    BITS,
    CHANNEL,
    CLOCK,
    COUNTS,
    EMPTY,
    FLAWS,
    H_CHANNEL,
    H_CHECKSUM,
    H_FILL,
    H_NEXT,
    H_OCTETS,
    H_PART,
    H_SEQUENCE,
    H_SYMBOLS,
    H_TOTAL,
    LAG,
    LATEST,
    LAYOUT,
    LENGTH,
    LINES,
    MALFORMED,
    META_COLUMNS,
    MISSING_PART,
    MMSI,
    N_FULL,
    N_IGNORED,
    N_LINES,
    N_MESSAGES,
    N_OCTETS,
    N_POSITION,
    N_REJECTS,
    N_STAMPS,
    N_STATION_BYTES,
    N_UNTIMED,
    NATURE,
    NO_CHECKSUM,
    OK,
    PART_SYMBOLS,
    PARTS,
    PARTS_MOST,
    PENDING,
    PENDING_RESOLUTION,
    PENDING_STATION,
    PLACE,
    PROBES,
    RAW,
    RECEIVED,
    RECEIVER_KIND,
    RESOLUTION,
    RING,
    RING_STATION,
    RING_TIME,
    RUNNING,
    S_COUNT,
    S_FILL,
    S_KEY,
    S_LENGTH,
    S_MASK,
    S_RAW,
    S_RESOLUTION,
    S_SEEN,
    S_STATION,
    S_SYMBOLS,
    S_TIME,
    S_TIMED,
    S_TOTAL,
    S_USED,
    SENTENCES,
    SLOT_COLUMNS,
    SLOTS,
    SOURCE,
    STATION,
    STATION_BYTES,
    STATION_LENGTH,
    TALKER,
    TIME,
    TOO_LONG,
    TRUNCATED,
    TYPE,
    UNKNOWN_TYPE,
    UNTIMED,
)
from shiprider.formats.ais.stamping import DAY, DOUBTED, EARLIEST, MINUTE, SECOND, affixed, follow, moment_of
from shiprider.formats.ais.tag_blocks import TAG_MOST, claim, gatehouse, tag_block

#: Sentences, and microseconds, after which a part is no longer waited for.
PATIENCE_SENTENCES: Final = 1_000
PATIENCE_US: Final = 60_000_000

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

_ONE: Final = np.uint64(1)

#: Bits of a message that fills one slot: a shorter one of no known variant was cut.
_ONE_SLOT: Final = 168

#: Year to second of message 4, and the second of a position report, bits.
_DATE_BITS: Final = 40
_SECOND_BITS: Final = 6


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


@once
def _bits(stream, place, first, width):
    """An unsigned number of at most 57 bits."""
    value = swapped(eight(stream, place + (first >> 3))) << np.uint64(first & 7)
    return np.int64(value >> np.uint64(64 - width))


@once
def _layout(stream, place, bits, kind, mmsi, layouts, tests, types):
    """The variant of a message, -1 where there is none."""
    first = get(types, 2 * kind)
    for number in range(first, first + get(types, 2 * kind + 1)):
        if get(layouts, number * _LAYOUT_COLUMNS + 4) > bits:
            continue
        if get(layouts, number * _LAYOUT_COLUMNS + 3) and mmsi // 10_000_000 != 98:
            continue
        good = True
        for t in range(0, 9, 3):
            width = get(tests, number * _TEST_COLUMNS + t + 1)
            if width == 0:
                break
            start = get(tests, number * _TEST_COLUMNS + t)
            if start + width > bits or _bits(stream, place, start, width) != get(
                tests, number * _TEST_COLUMNS + t + 2
            ):
                good = False
                break
        if good:
            return number
    return -1


@inner
def _is_simulated(station, length):
    return length >= 4 and station[0] == 83 and station[1] == 73 and station[2] == 77 and station[3] == 45


@inner
def _is_satellite(station, length):
    for i in range(length - 2):
        if station[i] & 0xDF == 83 and station[i + 1] & 0xDF == 65 and station[i + 2] & 0xDF == 84:
            return True
    return False


@shared_once
def emit(
    stream, place, symbols, fill, raw, length, time, resolution, timed, station, station_length,
    received_us, wall, start_us, nature, receiver_kind, channel, talker, parts,
    state, meta, pool, layouts, tests, types, counts,
):  # fmt: skip
    """Write one whole message's row. Returns the reason why not, or OK.

    `timed`: 0 no stamp of its own, 1 the receiver's, 2 the stamp of whoever wrote the file; 4 more where that
    stamp is a flaw.
    """
    doubted = timed >= DOUBTED
    timed &= DOUBTED - 1
    room = symbols * 6
    if room < 8:
        return TRUNCATED
    kind = get(stream, place) >> 2
    if kind < 1 or kind > 27:
        return UNKNOWN_TYPE
    if room < 40:
        return TRUNCATED
    mmsi = _bits(stream, place, 8, 30)
    bits = room - fill
    number = _layout(stream, place, room, kind, mmsi, layouts, tests, types)
    if number < 0:
        return TRUNCATED if room < _ONE_SLOT else UNKNOWN_TYPE
    if room < get(layouts, number * _LAYOUT_COLUMNS + 2):
        return TRUNCATED

    flaws = 0
    source = _RECEIVER
    own = -1
    date = get(layouts, number * _LAYOUT_COLUMNS + 7)
    if date >= 0:
        spelt = _bits(stream, place, date, _DATE_BITS)
        own = moment_of(
            spelt >> 26, spelt >> 22 & 15, spelt >> 17 & 31, spelt >> 12 & 31, spelt >> 6 & 63, spelt & 63
        )
    if time < 0 and wall:
        time = received_us
        resolution = SECOND
    elif timed == 2:
        source = _FILE
        resolution = max(resolution, state[LAG])
    elif (
        time < 0
        and own >= 0
        and (state[CLOCK] < 0 or abs(own - state[CLOCK]) < DAY)
        and (state[CLOCK] >= 0 or start_us < EARLIEST or abs(own - start_us) < DAY)
        and (state[LATEST] < 0 or abs(own - state[LATEST]) < DAY)
    ):
        time = own
        resolution = SECOND
        source = _MESSAGE
        state[CLOCK] = own
    elif time < 0 and state[LATEST] >= 0 and state[LATEST] > state[CLOCK]:
        time = state[LATEST]
        source = _FILE
        resolution = max(10 * SECOND, state[LAG])
    elif time < 0:
        clock = state[CLOCK] if state[CLOCK] >= 0 else start_us
        if clock < 0:
            return UNTIMED
        source = _ASSUMED
        flaws = _TIME_ASSUMED
        resolution = MINUTE
        at = get(layouts, number * _LAYOUT_COLUMNS + 6)
        if at >= 0:
            second = _bits(stream, place, at, _SECOND_BITS)
            if second < 60:
                now = clock // SECOND % 60
                ahead = (second - now) % 60
                resolution = 2 * SECOND
                # Up to half a minute ahead moves the clock; up to half a minute behind is late.
                if ahead < 30:
                    clock = (clock // SECOND + ahead) * SECOND
                    time = clock
                else:
                    time = (clock // SECOND + ahead - 60) * SECOND
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
    same = row > 0 and get(meta, before + STATION_LENGTH) == station_length
    if same:
        held = get(meta, before + STATION)
        for m in range(0, STATION_BYTES, 8):
            same &= eight(pool, held + m) == eight(station, m)
    if same:
        at = get(meta, before + STATION)
        nature = get(meta, before + NATURE)
        receiver_kind = get(meta, before + RECEIVER_KIND)
    else:
        copy_station(station, 0, STATION_BYTES, pool, at)
        counts[N_STATION_BYTES] = at + station_length
        if _is_simulated(station, station_length):
            nature = _SIMULATED
        if _is_satellite(station, station_length):
            receiver_kind = _SATELLITE
    put(meta, base + TYPE, kind)
    put(meta, base + MMSI, mmsi)
    put(meta, base + PLACE, place)
    put(meta, base + BITS, bits)
    put(meta, base + RAW, raw)
    put(meta, base + LENGTH, length)
    put(meta, base + TIME, time)
    put(meta, base + SOURCE, source)
    put(meta, base + RESOLUTION, resolution)
    put(meta, base + RECEIVED, received)
    put(meta, base + RECEIVER_KIND, receiver_kind)
    put(meta, base + NATURE, nature)
    put(meta, base + CHANNEL, channel)
    put(meta, base + TALKER, talker)
    put(meta, base + LAYOUT, number)
    put(meta, base + FLAWS, flaws)
    put(meta, base + PARTS, parts)
    put(meta, base + STATION, at)
    put(meta, base + STATION_LENGTH, station_length)
    counts[N_MESSAGES] = row + 1
    return OK


@inner
def _reject(rejects, counts, raw, length, reason):
    row = counts[N_REJECTS]
    if row < rejects.shape[1]:
        rejects[0, row] = raw
        rejects[1, row] = length
        rejects[2, row] = reason
        counts[N_REJECTS] = row + 1
    else:
        counts[N_FULL] += 1


@inner
def _abandon(slots, slot, rejects, counts, reason):
    """Give a slot's parts to the rejects and free it."""
    for part in range(PARTS_MOST):
        if slots[slot, S_MASK] >> part & 1:
            _reject(rejects, counts, slots[slot, S_RAW + part], slots[slot, S_LENGTH + part], reason)
    slots[slot, S_USED] = 0


@shared_once
def slot_of(slots, key, total, part, moment, state, rejects, counts):
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


@shared_once
def keep(
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
        put_eight(symbols, base + m, eight(part_symbols, m))
    if time >= 0 and (slots[slot, S_TIME] < 0 or part == 0):
        slots[slot, S_TIME] = time
        slots[slot, S_RESOLUTION] = resolution
        slots[slot, S_TIMED] = timed
    if station_length and not slots[slot, S_STATION]:
        slots[slot, S_STATION] = station_length
        copy_station(station, 0, STATION_BYTES, stations, slot * STATION_BYTES)


@shared_once
def assemble(slots, symbols, slot, joined, stream, place):
    """The bits of all parts, packed; gives (their number, octets written, zeros behind included)."""
    total = slots[slot, S_TOTAL]
    count = np.int64(0)
    filled = np.int64(0)
    for part in range(total):
        if part < total - 1:
            filled |= slots[slot, S_FILL + part]
        base = (slot * PARTS_MOST + part) * PART_SYMBOLS
        for m in range(0, slots[slot, S_SYMBOLS + part], 8):
            put_eight(joined, count + m, eight(symbols, base + m))
        count += slots[slot, S_SYMBOLS + part]
    at = place
    bits = 6 * count
    if not filled:
        for m in range(0, 32, 8):
            put_eight(joined, count + m, NOTHING)
        for m in range(0, count, 32):
            pack(joined, m, stream, at)
            at += 24
    else:
        # Fill bits in the middle are left out: symbol by symbol.
        bits = np.int64(0)
        accumulated = NOTHING
        held = 0
        m = np.int64(0)
        for part in range(total):
            for i in range(slots[slot, S_SYMBOLS + part]):
                value = np.uint64(get(joined, m))
                m += 1
                width = 6
                if i == slots[slot, S_SYMBOLS + part] - 1 and part < total - 1:
                    width = 6 - slots[slot, S_FILL + part]
                    value >>= np.uint64(6 - width)
                accumulated = accumulated << np.uint64(width) | value
                held += width
                bits += width
                if held >= 32:
                    put_eight(stream, at, swapped(accumulated << np.uint64(64 - held)))
                    at += 4
                    held -= 32
                    accumulated &= (_ONE << np.uint64(held)) - _ONE
        if held:
            put_eight(stream, at, swapped(accumulated << np.uint64(64 - held)))
            at += 8
    put_eight(stream, at, NOTHING)
    put_eight(stream, at + 8, NOTHING)
    return bits, at + 16 - place


@shared_once
def sentence(buf, j, end, arms, hexes, stream, place, part_symbols, head):
    """Read the sentence whose ! is at j. Gives the reason why not.

    A whole message's bits go to stream[place:], highest bit first, with zeros behind; the six-bit values of
    a part go to `part_symbols`.
    """
    total = get(buf, j + 7) - 48
    part = get(buf, j + 9) - 48
    if (
        get(buf, j + 6) != COMMA
        or get(buf, j + 8) != COMMA
        or get(buf, j + 10) != COMMA
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
    while 48 <= get(buf, k) <= 57 and k < j + 13:
        sequence = max(sequence, 0) * 10 + get(buf, k) - 48
        k += 1
    if get(buf, k) != COMMA:
        return MALFORMED
    k += 1
    channel = np.int64(0)
    if get(buf, k) != COMMA:
        channel = get(buf, k)
        k += 1
        while get(buf, k) != COMMA and get(buf, k) >= 32 and k - j < 24:
            k += 1
    if get(buf, k) != COMMA:
        return MALFORMED
    k += 1
    payload = k
    # The checksum is gathered in eight lanes and folded at the end.
    lanes = xor_of(buf, j + 1, k - j - 1)
    at = place
    most = payload + (512 if total == 1 else PART_SYMBOLS)
    while True:
        n, folded = sextets(buf, k, stream, at, part_symbols, k - payload)
        lanes ^= folded
        k += n
        at += 24
        if n < 32 or k >= most:
            break
    put_eight(stream, at + 8, NOTHING)
    at += 16
    if get(buf, k) != COMMA:
        if k < end and get(arms, get(buf, k)) != 255:
            return TOO_LONG
        if k < end and get(buf, k) >= 32 and get(buf, k) != STAR and get(buf, k) != BANG:
            return BAD_ARMOUR
        return MALFORMED
    if k == payload:
        return EMPTY
    head[H_SYMBOLS] = k - payload
    checksum = np.int64(COMMA)
    k += 1
    fill = np.int64(0)
    if 48 <= get(buf, k) <= 53:
        fill = get(buf, k) - 48
        checksum ^= get(buf, k)
        k += 1
    if get(buf, k) != STAR or get(hexes, get(buf, k + 1)) == 255 or get(hexes, get(buf, k + 2)) == 255:
        return NO_CHECKSUM
    checksum ^= sum_of(lanes)
    if get(hexes, get(buf, k + 1)) * 16 + get(hexes, get(buf, k + 2)) != checksum:
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


@kernel
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
            byte = get(buf, j)
            if byte == LINE_FEED or byte == CARRIAGE_RETURN or j >= end:
                break
            if byte == BACKSLASH:
                k = j + 1
                while k - j <= TAG_MOST:
                    n = find(buf, k, BACKSLASH)
                    k += n
                    if n < 32:
                        break
                k = min(k, j + TAG_MOST + 1)
                if get(buf, k) == BACKSLASH and k < end:
                    tag_block(buf, j + 1, k, hexes, tag)
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
                        copy_station(buf, tag[2], tag[3], pending_station, 0)
                        continue
                    if get(buf, k + 1) == BANG:
                        # A damaged block: its sentence may still hold.
                        tag_start = j
                        j = k + 1
                        continue
                j += 1
                continue
            if (
                byte == DOLLAR
                and get(buf, j + 1) == 80
                and get(buf, j + 2) == 71
                and get(buf, j + 3) == 72
                and get(buf, j + 4) == 80
                and get(buf, j + 5) == COMMA
            ):
                held, j = gatehouse(buf, j, hexes, ring, ring_station, state, fields)
                if held:
                    counts[N_STAMPS] += 1
                known = True
                continue
            if (
                byte != BANG
                or get(buf, j + 3) != 86
                or get(buf, j + 4) != 68
                or (get(buf, j + 5) != 77 and get(buf, j + 5) != 79)
            ):
                if (
                    byte == 86
                    and get(buf, j + 1) == 68
                    and (get(buf, j + 2) == 77 or get(buf, j + 2) == 79)
                    and get(buf, j + 3) == COMMA
                ):
                    suspicious = j
                j += 1
                continue

            # An AIS sentence at j.
            begin = tag_start if tag_start >= 0 else j
            known = True
            state[SENTENCES] += 1
            reason = sentence(buf, j, end, arms, hexes, stream, place, part_symbols, head)
            k = head[H_NEXT]
            if reason != OK:
                # The reject reaches to the line's end or the next sentence on it.
                k = j + 1
                while (
                    get(buf, k) != LINE_FEED
                    and get(buf, k) != CARRIAGE_RETURN
                    and get(buf, k) != BANG
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
            resolution = np.int64(SECOND)
            timed = np.int64(0)
            station_length = np.int64(0)
            total = head[H_TOTAL]
            part = head[H_PART]
            checksum = head[H_CHECKSUM]
            whole = total == 1
            copy_station(pending_station, 0, state[PENDING_STATION], station, 0)
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
                pghp = claim(ring, state, checksum, whole)
                if pghp >= 0:
                    time = ring[pghp, RING_TIME]
                    resolution = 1000
                    timed = 1
                    if station_length == 0:
                        station_length = ring[pghp, RING_STATION]
                        copy_station(ring_station, pghp * STATION_BYTES, station_length, station, 0)
                    ring[pghp, RING_TIME] = -1
            affix = np.int64(-1)
            ending = k
            if get(buf, k) == COMMA or get(buf, k) == 32 or get(buf, k) == 9:
                while (
                    get(buf, ending) != LINE_FEED
                    and get(buf, ending) != CARRIAGE_RETURN
                    and get(buf, ending) != BANG
                    and get(buf, ending) != BACKSLASH
                    and ending < end
                ):
                    ending += 1
                affixed(buf, k, min(ending, k + 80), stamp)
                affix = stamp[0]
                k = ending
            if affix < 0 and begin > line and after_sentence < 0:
                affixed(buf, max(line, begin - 64), begin, stamp)
                affix = stamp[0]
                if affix >= 0:
                    begin = line
            if affix >= 0:
                counts[N_STAMPS] += 1
                if time < 0:
                    time = affix
                    resolution = stamp[1]
                    timed = 2 if state[LAG] > MINUTE else 1
                else:
                    state[LAG] = abs(affix - time)
                if not wall and time != affix:
                    follow(buf, k, end, ahead, ahead_end, state, affix, stamp)
            if time >= 0 and not wall:
                if follow(buf, k, end, ahead, ahead_end, state, time, stamp):
                    if time < state[RUNNING]:
                        # Years behind all around it: as good as no stamp.
                        time = np.int64(-1)
                        timed = np.int64(0)
                    else:
                        timed |= DOUBTED
                elif timed == 1 and time <= state[RUNNING]:
                    state[LATEST] = max(state[LATEST], time)

            talker = get(buf, j + 1) << 16 | get(buf, j + 2) << 8 | get(buf, j + 5)
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
                slot = slot_of(
                    slots, key, total, part - 1, received_us if wall else time, state, rejects, counts
                )
                keep(
                    slots, slot_symbols, slot_station, slot, part - 1, address, length, head, part_symbols,
                    time, resolution, timed, station, station_length,
                )  # fmt: skip
                complete = slots[slot, S_MASK] == (1 << total) - 1
                if complete:
                    bits, used = assemble(slots, slot_symbols, slot, joined, stream, place)
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
                    copy_station(slot_station, slot * STATION_BYTES, station_length, station, 0)
            if complete:
                reason = TOO_LONG
                if symbols <= 512:
                    reason = emit(
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
                get(buf, j) != LINE_FEED
                and get(buf, j) != CARRIAGE_RETURN
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
        if get(buf, j) == CARRIAGE_RETURN and get(buf, j + 1) == LINE_FEED and j + 1 < end:
            j += 1
        if j < end and (get(buf, j) == LINE_FEED or get(buf, j) == CARRIAGE_RETURN):
            j += 1
        i = max(j, i + (1 if j == i else 0))
    counts[N_POSITION] = i
    counts[N_OCTETS] = place


@kernel
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
