"""Every field of every message, one object per message, in the units of M.1371.

Always true: names are gpsd's; degrees, knots, degrees per minute, metres; null where "not available"
(a rate of turn of +-127 tells only the side, as in the Recommendation); objects come in the order in
which messages were completed; a recording without any time has `time` null.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from shiprider.formats.ais import places
from shiprider.formats.ais.framed import Framed, Framer
from shiprider.formats.decoded import DecodeContext
from shiprider.measure.clock import iso_from_us
from shiprider.model.codes import TimeSource

#: Given to the framer where nothing tells the time. From there the seconds of the positions move its clock
#: on, in a long recording for days: what comes before 2000-01-01 is no time of an AIS message.
_NO_TIME_US = 0
_EARLIEST_US = 946_684_800_000_000
_CONTEXT = DecodeContext(feed="", received_clock="recording")


def decode_fields(
    data: bytes | memoryview | Iterable[bytes], *, context: DecodeContext = _CONTEXT
) -> Iterator[dict[str, Any]]:
    """One dict per message. `data` is a whole recording, or chunks of whole lines (memory stays flat)."""
    for line in decode_lines(data, context=context):
        yield msgspec.json.decode(line)


def decode_lines(
    data: bytes | memoryview | Iterable[bytes], *, context: DecodeContext = _CONTEXT
) -> Iterator[bytes]:
    """The same as JSON, one object a line, without the line end."""
    for framed, chunk, raw in frames(data, context=context):
        rows = np.arange(len(framed.meta))
        inside = framed.objects(rows)
        origin = [
            framed.meta[:, column].tolist()
            for column in (
                places.TIME,
                places.SOURCE,
                places.CHANNEL,
                places.TALKER,
                places.STATION,
                places.STATION_LENGTH,
                places.RAW,
                places.LENGTH,
            )
        ]
        # What repeats from message to message is spelt once: times to a second, stations, talkers.
        known: dict[tuple[int, int, int, int, bytes], bytes] = {}
        pool = framed.pool.tobytes() if any(origin[5]) else b""
        for text, time, source, channel, talker, at, length, address, size in zip(
            inside.to_pylist(), *origin, strict=True
        ):
            dated = time if time >= _EARLIEST_US else _NO_TIME_US
            key = (dated, source, channel, talker, pool[at : at + length])
            outside = known.get(key)
            if outside is None:
                outside = known[key] = _outside(*key)
            start = address - raw
            sentence = bytes(chunk[start : start + size]) if start >= 0 else b""
            spelt = msgspec.json.encode(sentence.decode("latin-1"))
            yield b'%b%b"address":%d,"nmea":%b}' % (text[:-1].encode(), outside, address, spelt)


def _outside(time: int, source: int, channel: int, talker: int, station: bytes) -> bytes:
    """The part of the object that is not in the message's bits."""
    dated = time >= _EARLIEST_US
    name = bytes([talker >> 16 & 255, talker >> 8 & 255]).decode("latin-1")
    return (
        b","
        + msgspec.json.encode(
            {
                "talker": f"{name}VD{chr(talker & 255)}",
                "channel": chr(channel) if channel else None,
                "station": station.decode("latin-1") or None,
                "time": iso_from_us(time) if dated else None,
                "time_source": TimeSource(source).name.lower() if dated else None,
            }
        )[1:-1]
        + b","
    )


def frames(
    data: bytes | memoryview | Iterable[bytes], *, context: DecodeContext = _CONTEXT
) -> Iterator[tuple[Framed, memoryview, int]]:
    """Framed blocks, each with the chunk it came from and the address of that chunk's first byte."""
    if context.start_us is None and context.received_clock == "recording":
        context = replace(context, start_us=_NO_TIME_US)
    # What is printed has no `received`, and a line is printed with the chunk that it lies in.
    framer = Framer(context, patient=False)
    chunks: Iterable[bytes | memoryview] = [data] if isinstance(data, (bytes, memoryview)) else data
    raw = 0
    held: bytes | memoryview | None = None
    for chunk in chunks:
        if held is not None:
            for framed in framer.frames(held, raw, _NO_TIME_US):
                yield framed, memoryview(held), raw
            raw += len(held)
        held = chunk
    if held is not None:
        for framed in framer.frames(held, raw, _NO_TIME_US, final=True):
            yield framed, memoryview(held), raw
