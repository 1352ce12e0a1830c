"""Which two vessels are close, when: the kernel under the encounter.

Always true: every vessel is put on one common time base (ticks of `step`) by linear interpolation
between two of its own reports no more than `max_gap` apart; a pair is compared at a tick when the
second of the two gets there, so the result depends on the rows, not on how they are cut; of one pair
a tick is counted once. Ticks are kept in a ring just long enough for the longest gap; within a tick
vessels are found by a hash of cells as wide as the distance, so a tick costs what is near, not n^2.

A parting of up to `flicker` between two ticks in contact does not end it.
Contact begins and ends where the straight relative movement between two ticks crosses the distance.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.detect.anchorage_index import cell_of, nearest_within
from shiprider.measure.geodesy import local_one, wrapped_deg
from shiprider.measure.kernels import kernel
from shiprider.measure.slots import mix64

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

#: Shortest metres in a degree of latitude (at the equator, WGS 84), so that no cell is too small.
SHORTEST_DEGREE_M: Final = 110_500.0

#: One row per vessel (slot).
SLOT = np.dtype(
    [
        ("time", np.int64),
        ("began", np.int64),
        ("raw", np.int64),
        ("claimed", np.int64),
        ("tick", np.int64),
        ("latitude", np.float64),
        ("longitude", np.float64),
        ("simulated", np.int8),
        ("status", np.int8),
        ("track", np.int64),
    ]
)

#: Pairs a vessel is in at once whose end is timed exactly; beyond, the end is the last common tick.
PARTNERS: Final = 8
#: Speeds are counted in classes of 0.1 kn, so that a median of 2 kn falls on a class's edge.
SPEED_CLASSES: Final = 64
SPEED_CLASS_MPS: Final = 0.1 * 1852.0 / 3600.0
#: Raw addresses kept per vessel and contact.
RAWS: Final = 16
#: Above this a pair is under way together (4 kn).
UNDER_WAY_CLASS: Final = 40

#: One sample: a vessel at a tick.
NODE = np.dtype(
    [
        ("latitude", np.float64),
        ("longitude", np.float64),
        ("raw", np.int64),
        ("speed", np.float32),
        ("slot", np.int32),
        ("next", np.int32),
        ("tick_next", np.int32),
        ("bucket", np.int32),
    ]
)

#: One contact of one pair.
PAIR = np.dtype(
    [
        ("a", np.int32),
        ("b", np.int32),
        ("start", np.int64),
        ("end", np.int64),
        ("last_tick", np.int64),
        ("inner_start", np.int64),
        ("inner_end", np.int64),
        ("inner_best", np.int64),
        ("ticks", np.int32),
        ("under_way", np.int32),
        ("resting", np.int32),
        ("fishing", np.int32),
        ("towing", np.int32),
        ("working", np.int32),
        ("closed", np.int8),
        ("live", np.int8),
        ("nearest", np.float64),
        ("sum_distance", np.float64),
        ("first_longitude", np.float64),
        ("sum_latitude", np.float64),
        ("sum_longitude", np.float64),
        ("kept_a", np.int32),
        ("kept_b", np.int32),
        ("seen", np.int32),
        ("stride", np.int32),
        ("speeds", np.uint16, (SPEED_CLASSES,)),
        ("raws_a", np.int64, (RAWS,)),
        ("raws_b", np.int64, (RAWS,)),
        ("reported", np.int64),
        ("told", np.int8),
    ]
)


@kernel
def _seat(key: int, mask: int) -> int:
    """Where a key starts to look in a table of `mask + 1` seats."""
    return np.int64(mix64(key) & np.uint64(mask))  # type: ignore[return-value]


@kernel
def _bucket(row: int, column: int, mask: int) -> int:
    return _seat(row * 8_388_593 + column, mask)


def ring_columns(within_m: float) -> I32:
    """Cells in each ring of latitude: every cell at least twice as wide and high as the distance."""
    cell_deg = 2.0 * within_m / SHORTEST_DEGREE_M
    south = np.arange(math.ceil(180.0 / cell_deg) + 1) * cell_deg - 90.0
    widest = np.minimum(90.0, np.maximum(np.abs(south), np.abs(south + cell_deg)))
    return np.maximum(1, (np.cos(np.radians(widest)) * 360.0 / cell_deg).astype(np.int32)).astype(np.int32)


@kernel
def _home(latitude: float, longitude: float, cell_deg: float, rings: I32, mask: int) -> int:
    """The bucket of a position."""
    row = int((latitude + 90.0) / cell_deg)
    return _bucket(row, int((longitude + 180.0) / 360.0 * rings[row]), mask)


@kernel
def rehang(nodes, tick_head: I32, heads: I32, rings: I32, within_m: float) -> None:  # type: ignore[no-untyped-def]
    """Hang the samples of all ticks into new, empty `heads`."""
    cell_deg = 2.0 * within_m / SHORTEST_DEGREE_M
    for ring in range(len(tick_head)):
        at = tick_head[ring]
        while at >= 0:
            node = nodes[at]
            node.bucket = _home(node.latitude, node.longitude, cell_deg, rings, heads.shape[1] - 1)
            node.next = heads[ring, node.bucket]
            heads[ring, node.bucket] = at
            at = node.tick_next


@kernel
def rekey(pairs, used: int, pair_keys: I64, pair_at: I32) -> None:  # type: ignore[no-untyped-def]
    """Enter the first `used` pairs that are not closed into an empty table."""
    mask = len(pair_keys) - 1
    for p in range(used):
        if pairs[p].closed != 0:
            continue
        key = (int(pairs[p].a) << 32) | int(pairs[p].b)
        seat = _seat(key, mask)
        while pair_keys[seat] >= 0:
            seat = (seat + 1) & mask
        pair_keys[seat] = key
        pair_at[seat] = p


@kernel
def _crossing(
    lat_a0: float,
    lon_a0: float,
    lat_b0: float,
    lon_b0: float,
    lat_a1: float,
    lon_a1: float,
    lat_b1: float,
    lon_b1: float,
    distance_m: float,
    inwards: bool,
) -> float:
    """The share 0..1 of a step at which straight relative movement crosses `distance_m`."""
    scale = math.cos((lat_a0 + lat_a1) * 0.5 * math.pi / 180.0)
    metres = 111_195.0
    x0 = wrapped_deg(lon_b0 - lon_a0) * scale * metres
    y0 = (lat_b0 - lat_a0) * metres
    x1 = wrapped_deg(lon_b1 - lon_a1) * scale * metres
    y1 = (lat_b1 - lat_a1) * metres
    dx, dy = x1 - x0, y1 - y0
    a = dx * dx + dy * dy
    b = x0 * dx + y0 * dy
    c = x0 * x0 + y0 * y0 - distance_m * distance_m
    inside = b * b - a * c
    if a <= 0.0 or inside <= 0.0:
        return 1.0 if inwards else 0.0
    root = math.sqrt(inside)
    share = (-b - root) / a if inwards else (-b + root) / a
    return min(1.0, max(0.0, share))


@kernel
def _remember(raws: I64, kept: int, raw: int) -> int:
    """Keep a raw address; when full, drop every other one. Gives how many are kept."""
    if kept > 0 and raws[kept - 1] == raw:
        return kept
    if kept == len(raws):
        for i in range(len(raws) // 2):
            raws[i] = raws[2 * i]
        kept = len(raws) // 2
    raws[kept] = raw
    return kept + 1


@kernel
def forget_tick(ring: int, heads: I32, tick_head: I32, nodes, free: I32, slot_nodes: I32, n_free: int) -> int:  # type: ignore[no-untyped-def]
    """Free the samples of a ring row. Gives the new number of free nodes."""
    at = tick_head[ring]
    while at >= 0:
        heads[ring, nodes[at].bucket] = -1
        slot_nodes[nodes[at].slot, ring] = -1
        free[n_free] = at
        n_free += 1
        at = nodes[at].tick_next
    tick_head[ring] = -1
    return n_free


@kernel
def advance(  # type: ignore[no-untyped-def]
    time: I64,
    slot: I32,
    latitude: F64,
    longitude: F64,
    speed: F32,
    raw: I64,
    status: I8,
    first_row: int,
    slots,
    slot_nodes: I32,
    partners: I32,
    nodes,
    free: I32,
    heads: I32,
    tick_head: I32,
    ring_tick: I64,
    pair_keys: I64,
    pair_at: I32,
    pairs,
    counters: I64,
    step: int,
    max_gap: int,
    flicker: int,
    within_m: float,
    inner_m: float,
    rings: I32,
    anchorage_m: float,
    anchorage_reach: NDArray[np.uint8],
    anchorage_first: I32,
    anchorage_lat: F64,
    anchorage_lon: F64,
) -> int:
    """Take rows from `first_row`; stops early, with the row reached, when an array must grow.

    `counters`: free nodes, pairs used. `heads` has shape (ring, buckets).
    """
    ring_size = len(tick_head)
    bucket_mask = heads.shape[1] - 1
    pair_mask = len(pair_keys) - 1
    cell_deg = 2.0 * within_m / SHORTEST_DEGREE_M
    room = max(4096, len(slots))
    for i in range(first_row, len(time)):
        s = slot[i]
        now = time[i]
        me = slots[s]
        gap = now - me.time
        if me.raw < 0 or gap > max_gap or gap <= 0:
            if me.raw >= 0 and gap <= 0:
                continue
            me.began = now
            me.tick = -1
            me.time = now
            me.raw = raw[i]
            me.latitude = latitude[i]
            me.longitude = longitude[i]
            if now % step != 0:
                continue
            first_tick = now // step
        else:
            first_tick = me.time // step + 1
        last_tick = now // step
        if last_tick >= first_tick and (counters[0] < ring_size or len(pairs) - counters[1] < room):
            return i
        t0, lat0, lon0 = me.time, me.latitude, me.longitude
        turn = wrapped_deg(longitude[i] - lon0)
        for tick in range(first_tick, last_tick + 1):
            ring = tick % ring_size
            if ring_tick[ring] != tick:
                counters[0] = forget_tick(ring, heads, tick_head, nodes, free, slot_nodes, counters[0])
                ring_tick[ring] = tick
            share = (tick * step - t0) / gap if now > t0 else 1.0
            lat = lat0 + (latitude[i] - lat0) * share
            lon = wrapped_deg(lon0 + turn * share)
            if anchorage_m > 0.0 and anchorage_reach[cell_of(lat, lon)] != 0:
                near, _ = nearest_within(lat, lon, anchorage_m, anchorage_first, anchorage_lat, anchorage_lon)
                if near >= 0:
                    me.tick = -1
                    continue
            before = slot_nodes[s, (tick - 1) % ring_size] if me.tick == tick - 1 else -1
            if before >= 0:
                pace = local_one(nodes[before].latitude, nodes[before].longitude, lat, lon) / (step * 1e-6)
            elif not math.isnan(speed[i]):
                pace = speed[i]
            elif now > t0:
                pace = local_one(lat0, lon0, latitude[i], longitude[i]) / (gap * 1e-6)
            else:
                pace = 0.0
            me.tick = tick
            counters[0] -= 1
            node = free[counters[0]]
            row = int((lat + 90.0) / cell_deg)
            bucket = _home(lat, lon, cell_deg, rings, bucket_mask)
            this = nodes[node]
            this.latitude, this.longitude, this.raw = lat, lon, raw[i]
            this.speed, this.slot, this.bucket = pace, s, bucket
            # Who is near at this tick?
            # Cells are twice as wide as the distance, so only the nearer neighbours can matter.
            share_of_row = (lat + 90.0) / cell_deg - row
            other_row = row - 1 if share_of_row < 0.5 else row + 1
            for which in range(2):
                here = row if which == 0 else other_row
                if here < 0 or here >= len(rings):
                    continue
                columns = rings[here]
                middle = (lon + 180.0) / 360.0 * columns
                low = math.floor(middle - 0.5)
                high = low + 1
                if columns <= 3:
                    low, high = 0, columns - 1
                for turned in range(low, high + 1):
                    at = heads[ring, _bucket(here, turned % columns, bucket_mask)]
                    while at >= 0:
                        other = nodes[at]
                        following = other.next
                        o = other.slot
                        if abs(other.latitude - lat) > cell_deg or slots[o].claimed == me.claimed:
                            at = following
                            continue
                        metres = local_one(lat, lon, other.latitude, other.longitude)
                        if metres > within_m:
                            at = following
                            continue
                        a, b = (s, o) if s < o else (o, s)
                        key = (int(a) << 32) | int(b)
                        seat = _seat(key, pair_mask)
                        while pair_keys[seat] != key and pair_keys[seat] >= 0:
                            seat = (seat + 1) & pair_mask
                        p = int(pair_at[seat]) if pair_keys[seat] == key else -1
                        if p >= 0 and pairs[p].last_tick == tick:
                            at = following
                            continue
                        # The straight movement since the tick before tells when they came close.
                        moment = tick * step
                        other_before = slot_nodes[o, (tick - 1) % ring_size]
                        if ring_tick[(tick - 1) % ring_size] != tick - 1:
                            other_before = -1
                        began = moment
                        if before >= 0 and other_before >= 0:
                            part = _crossing(
                                nodes[before].latitude,
                                nodes[before].longitude,
                                nodes[other_before].latitude,
                                nodes[other_before].longitude,
                                lat,
                                lon,
                                other.latitude,
                                other.longitude,
                                within_m,
                                True,
                            )
                            began = moment - int((1.0 - part) * step)
                        else:
                            seen = moment - step
                            if before < 0:
                                seen = max(seen, me.began)
                            if other_before < 0:
                                seen = max(seen, slots[o].began)
                            began = min(moment, max(seen, moment - step + 1))
                            if before >= 0 or other_before >= 0:
                                began = min(moment, seen)
                        fresh = p < 0
                        if p >= 0 and (tick - pairs[p].last_tick) * step > flicker:
                            pairs[p].closed = 1
                            fresh = True
                        if fresh:
                            p = int(counters[1])
                            counters[1] += 1
                            pair_keys[seat] = key
                            pair_at[seat] = p
                            new = pairs[p]
                            new.a, new.b = a, b
                            new.start, new.end = began, moment
                            new.inner_start, new.inner_end, new.inner_best = -1, -1, 0
                            new.ticks, new.under_way = 0, 0
                            new.resting, new.fishing, new.towing, new.working = 0, 0, 0, 0
                            new.closed, new.live = 0, 1
                            new.nearest = metres
                            new.sum_distance, new.sum_latitude, new.sum_longitude = 0.0, 0.0, 0.0
                            new.first_longitude = lon
                            new.kept_a, new.kept_b, new.seen, new.stride = 0, 0, 0, 1
                            new.speeds[:] = 0
                            new.reported, new.told = -1, 0
                            for who in range(2):
                                one = s if who == 0 else o
                                for k in range(PARTNERS - 1, 0, -1):
                                    partners[one, k] = partners[one, k - 1]
                                partners[one, 0] = p
                        pair = pairs[p]
                        pair.end = moment
                        pair.last_tick = tick
                        pair.ticks += 1
                        pair.nearest = min(pair.nearest, metres)
                        pair.sum_distance += metres
                        pair.sum_latitude += 0.5 * (lat + other.latitude)
                        pair.sum_longitude += wrapped_deg(lon - pair.first_longitude) + 0.5 * wrapped_deg(
                            other.longitude - lon
                        )
                        c_me = min(SPEED_CLASSES - 1, int(pace / SPEED_CLASS_MPS + 1e-9))
                        c_other = min(SPEED_CLASSES - 1, int(other.speed / SPEED_CLASS_MPS + 1e-9))
                        if pair.speeds[c_me] < 65535:
                            pair.speeds[c_me] += 1
                        if pair.speeds[c_other] < 65535:
                            pair.speeds[c_other] += 1
                        if c_me >= UNDER_WAY_CLASS and c_other >= UNDER_WAY_CLASS:
                            pair.under_way += 1
                        mine, theirs = status[i], slots[o].status
                        if mine == 1 or mine == 5 or theirs == 1 or theirs == 5:
                            pair.resting += 1
                        if mine == 7 or theirs == 7:
                            pair.fishing += 1
                        if mine == 11 or mine == 12 or theirs == 11 or theirs == 12:
                            pair.towing += 1
                        if mine == 3 or theirs == 3:
                            pair.working += 1
                        if inner_m > 0.0 and metres < inner_m:
                            if pair.inner_start < 0 or moment - pair.inner_end > flicker:
                                pair.inner_start = moment
                            pair.inner_end = moment
                            pair.inner_best = max(pair.inner_best, moment - pair.inner_start)
                        if pair.seen % pair.stride == 0:
                            if pair.kept_a == RAWS or pair.kept_b == RAWS:
                                pair.stride *= 2
                            raw_a = raw[i] if s == a else other.raw
                            raw_b = raw[i] if s == b else other.raw
                            pair.kept_a = _remember(pair.raws_a, pair.kept_a, raw_a)
                            pair.kept_b = _remember(pair.raws_b, pair.kept_b, raw_b)
                        pair.seen += 1
                        at = following
            # Whom has it just left? The end is where the straight movement crosses the distance.
            if before >= 0:
                for k in range(PARTNERS):
                    p = partners[s, k]
                    if p < 0:
                        break
                    pair = pairs[p]
                    if pair.closed != 0 or pair.last_tick != tick - 1:
                        continue
                    o = pair.b if pair.a == s else pair.a
                    there = slot_nodes[o, ring]
                    other_before = slot_nodes[o, (tick - 1) % ring_size]
                    if there < 0 or other_before < 0:
                        continue
                    part = _crossing(
                        nodes[before].latitude,
                        nodes[before].longitude,
                        nodes[other_before].latitude,
                        nodes[other_before].longitude,
                        lat,
                        lon,
                        nodes[there].latitude,
                        nodes[there].longitude,
                        within_m,
                        False,
                    )
                    pair.end = max(pair.end, (tick - 1) * step + int(part * step))
            this.next = heads[ring, bucket]
            heads[ring, bucket] = node
            this.tick_next = tick_head[ring]
            tick_head[ring] = node
            slot_nodes[s, ring] = node
        me.time = now
        me.raw = raw[i]
        me.latitude = latitude[i]
        me.longitude = longitude[i]
        me.status = status[i]
    return len(time)
