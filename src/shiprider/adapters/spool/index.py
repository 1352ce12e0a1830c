"""The side index of a segment: one fixed record per chunk, enough to decode the chunk again.

Always true: a record counts only if its own checksum holds; records are in order of offset and
leave no byte of the segment out.
"""

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

FINAL: Final = 1
PADDING: Final = 2

RECORD: Final = np.dtype(
    [
        ("offset", "<u4"),
        ("length", "<u4"),
        ("source", "<u4"),
        ("flags", "<u4"),
        ("file_offset", "<i8"),
        ("received_us", "<i8"),
        ("data_crc", "<u4"),
        ("record_crc", "<u4"),
    ]
)
_CHECKED: Final = RECORD.itemsize - 4

Records = NDArray[np.void]


def pack(
    offset: int, length: int, source: int, flags: int, file_offset: int, received_us: int, data_crc: int
) -> bytes:
    """One record with its checksum."""
    record = np.zeros(1, RECORD)
    record[0] = (offset, length, source, flags, file_offset, received_us, data_crc, 0)
    head = record.tobytes()[:_CHECKED]
    return head + zlib.crc32(head).to_bytes(4, "little")


def unpack(data: bytes, *, checked: bool = True) -> Records:
    """The leading records that are whole, contiguous and, if `checked`, pass their checksum.

    A closed segment's index is covered by the chain and need not be checked record by record.
    """
    whole = len(data) - len(data) % RECORD.itemsize
    records = np.frombuffer(data[:whole], RECORD)
    if not checked:
        return records
    next_offset = 0
    for number in range(len(records)):
        start = number * RECORD.itemsize
        record = records[number]
        sound = zlib.crc32(data[start : start + _CHECKED]) == int(record["record_crc"])
        if not sound or int(record["offset"]) != next_offset:
            return records[:number]
        next_offset += int(record["length"])
    return records
