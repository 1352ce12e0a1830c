"""Where each number stands in the arrays that a pass over the bytes works with (framing.py).

Always true: what spans calls is in `state`, `ring` and the slots, and nowhere else.
"""

from typing import Final

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

#: What `sentence` finds.
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
