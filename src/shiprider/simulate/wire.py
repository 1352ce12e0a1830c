"""Received messages as NMEA bytes with tag blocks.

Always true: every line carries `s:` with a station whose name begins with `SIM-`, so no layer can take
it for real; `c:` is the second of reception at the receiver; one transmission heard by several receivers
has the same payload in each of their lines.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shiprider.formats.ais.encoder import Encoded, encode, with_tag_blocks
from shiprider.measure.kernels import kernel
from shiprider.simulate import reporting
from shiprider.simulate.identity import Hull, Identity
from shiprider.simulate.motion import KNOT_MPS

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Rows of infrastructure have these in the channel column.
BASE_STATION, AID_TO_NAVIGATION = 3, 4


@dataclass(frozen=True, slots=True)
class Received:
    """Rows heard, n: see `reporting` for the columns; times in seconds since the scenario's start."""

    floats: F64
    integers: I64

    def __len__(self) -> int:
        return len(self.floats)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Received":
        """Some rows."""
        return Received(self.floats[index], self.integers[index])

    def followed_by(self, other: "Received") -> "Received":
        """These rows and then others."""
        return Received(
            np.concatenate((self.floats, other.floats)), np.concatenate((self.integers, other.integers))
        )


@dataclass(frozen=True, slots=True)
class Cast:
    """What the wire needs to know of the vessels of a day, in columns by identity (m rows)."""

    transmitter: NDArray[np.int8]
    identity_first: I64
    mmsi: I64
    imo: I64
    ship_type: I64
    to_bow: I64
    to_stern: I64
    to_port: I64
    to_starboard: I64
    draught: F64
    name: list[str]
    callsign: list[str]
    destination: list[str]
    #: One for each station: base stations, aids and the aids' names.
    base_mmsi: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    aid_mmsi: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    aid_name: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, hulls: list[Hull], destinations: list[str], stations: int = 0) -> "Cast":
        """Columns from hulls; `destinations` one for each hull; with so many coast stations."""
        ids: list[Identity] = [identity for hull in hulls for identity in hull.identities]
        counts = np.array([len(hull.identities) for hull in hulls], np.int64)
        first = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)

        def column(name: str) -> I64:
            return np.array([getattr(i, name) for i in ids], np.int64)

        return cls(
            transmitter=np.array([hull.transmitter for hull in hulls], np.int8),
            identity_first=first,
            mmsi=column("mmsi"),
            imo=column("imo"),
            ship_type=column("ship_type"),
            to_bow=column("to_bow_m"),
            to_stern=column("to_stern_m"),
            to_port=column("to_port_m"),
            to_starboard=column("to_starboard_m"),
            draught=np.array([i.draught_m for i in ids]),
            name=[i.name for i in ids],
            callsign=[i.callsign for i in ids],
            destination=[d for d, n in zip(destinations, counts, strict=True) for _ in range(n)],
            # 00MIDXXXX and 99MIDXXXX (ITU-R M.585), Panama's and Colombia's MID in turn.
            base_mmsi=np.array([(3510000, 7300000)[i % 2] + i + 1 for i in range(stations)], np.int64),
            aid_mmsi=np.array([993510000 + i + 1 for i in range(stations)], np.int64),
            aid_name=[f"SIM BUOY {i + 1}" for i in range(stations)],
        )


@kernel
def _interleave(
    data: NDArray[np.uint8], start: I64, stop: I64, out: NDArray[np.uint8], out_offsets: I64
) -> None:
    """Copy message i's bytes data[start[i]:stop[i]] one after the other."""
    at = 0
    for i in range(len(start)):
        out_offsets[i] = at
        for j in range(start[i], stop[i]):
            out[at] = data[j]
            at += 1
    out_offsets[len(start)] = at


_TYPES: Final = (1, 3, 5, 18, 24, 124, 27, 4, 21)


def message_types(rows: Received, cast: Cast) -> I64:
    """ITU-R M.1371 message type of each row; 24 is part A and 124 part B of message 24."""
    kind = cast.transmitter[rows.integers[:, reporting.N_VESSEL]]
    channel = rows.integers[:, reporting.N_CHANNEL]
    turning = np.abs(rows.floats[:, reporting.R_TURN]) > 20.0
    position = np.where(kind == 1, np.where(turning, 3, 1), 18)
    # Parts A and B of the static report of class B alternate.
    part = np.where(rows.integers[:, reporting.N_COUNT] % 2 == 0, 24, 124)
    static = np.where(kind == 1, 5, part)
    return np.select(
        [channel == 0, channel == 1, channel == BASE_STATION, channel == AID_TO_NAVIGATION],
        [position, static, 4, 21],
        27,
    ).astype(np.int64)


def write(
    rows: Received, cast: Cast, stations: tuple[str, ...], epoch_s: int
) -> tuple[NDArray[np.uint8], I64]:
    """Bytes and offsets (n + 1) of the rows, in their order; `epoch_s` is the scenario's start, Unix."""
    types = message_types(rows, cast)
    pieces: list[NDArray[np.uint8]] = []
    start = np.empty(len(rows), np.int64)
    stop = np.empty(len(rows), np.int64)
    base = 0
    for kind in _TYPES:
        index = np.flatnonzero(types == kind)
        if len(index) == 0:
            continue
        part = rows.take(index)
        encoded = _shore(kind, part, cast, epoch_s) if kind in (4, 21) else _encode(kind, part, cast)
        seconds = np.floor(part.floats[:, reporting.R_SENT]).astype(np.int64) + epoch_s
        encoded = with_tag_blocks(encoded, stations, part.integers[:, reporting.N_RECEIVER], seconds)
        pieces.append(encoded.data)
        start[index] = encoded.offsets[:-1] + base
        stop[index] = encoded.offsets[1:] + base
        base += len(encoded.data)
    if not pieces:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    data = np.concatenate(pieces)
    out = np.empty(base, np.uint8)
    offsets = np.empty(len(rows) + 1, np.int64)
    _interleave(data, start, stop, out, offsets)
    return out, offsets


def _encode(kind: int, rows: Received, cast: Cast) -> Encoded:
    vessel = rows.integers[:, reporting.N_VESSEL]
    who = cast.identity_first[vessel] + rows.integers[:, reporting.N_IDENTITY]
    count = rows.integers[:, reporting.N_COUNT]
    sent = rows.floats[:, reporting.R_SENT]
    channel = np.where(count % 2 == 0, ord("A"), ord("B")).astype(np.uint8)
    knots = rows.floats[:, reporting.R_SPEED] / KNOT_MPS
    fields: dict[str, Any] = {"mmsi": cast.mmsi[who]}
    if kind in (1, 3, 18, 27):
        scale = 1.0 if kind == 27 else 10.0
        fields |= {
            "lon": rows.floats[:, reporting.R_LON],
            "lat": rows.floats[:, reporting.R_LAT],
            # The longest values the wire has room for; a course is cut, so that it never rounds to 360.
            "speed": np.minimum(knots, 62.0 if kind == 27 else 102.2),
            "course": np.floor(rows.floats[:, reporting.R_COURSE] * scale) / scale,
        }
    if kind in (1, 3):
        fields |= {
            "status": rows.integers[:, reporting.N_STATUS],
            "turn": np.clip(rows.floats[:, reporting.R_TURN], -700.0, 700.0),
            "accuracy": np.ones(len(rows), np.int64),
            "heading": np.floor(rows.floats[:, reporting.R_HEADING]) % 360,
            "second": np.floor(sent).astype(np.int64) % 60,
        }
    elif kind == 18:
        fields |= {
            "accuracy": np.ones(len(rows), np.int64),
            "second": np.floor(sent).astype(np.int64) % 60,
            "cs": (cast.transmitter[vessel] == 3).astype(np.int64),
        }
    elif kind == 27:
        fields |= {"status": rows.integers[:, reporting.N_STATUS], "accuracy": np.ones(len(rows), np.int64)}
    elif kind == 5:
        fields |= {
            "imo": cast.imo[who],
            "callsign": [cast.callsign[i] for i in who],
            "shipname": [cast.name[i] for i in who],
            "destination": [cast.destination[i] for i in who],
            "draught": cast.draught[who],
            "epfd": np.ones(len(rows), np.int64),
        }
    elif kind == 24:
        fields |= {"partno": 0, "shipname": [cast.name[i] for i in who]}
    elif kind == 124:
        fields |= {"partno": 1, "callsign": [cast.callsign[i] for i in who]}
    if kind in (5, 124):
        fields |= {
            "ship_type": cast.ship_type[who],
            "to_bow": cast.to_bow[who],
            "to_stern": cast.to_stern[who],
            "to_port": cast.to_port[who],
            "to_starboard": cast.to_starboard[who],
        }
    return encode(24 if kind == 124 else kind, fields, channel=channel, sequence_ids=count % 10)


def _shore(kind: int, rows: Received, cast: Cast, epoch_s: int) -> Encoded:
    """Messages 4 and 21."""
    station = rows.integers[:, reporting.N_VESSEL]
    seconds = np.floor(rows.floats[:, reporting.R_SENT]).astype(np.int64) + epoch_s
    fields: dict[str, Any] = {
        "lat": rows.floats[:, reporting.R_LAT],
        "lon": rows.floats[:, reporting.R_LON],
        "accuracy": np.ones(len(rows), np.int64),
        "epfd": np.full(len(rows), 7),
        "second": seconds % 60,
    }
    if kind == 4:
        moment = seconds.astype("datetime64[s]")
        year = moment.astype("datetime64[Y]")
        month = moment.astype("datetime64[M]")
        fields |= {
            "mmsi": cast.base_mmsi[station],
            "year": year.astype(np.int64) + 1970,
            "month": month.astype(np.int64) % 12 + 1,
            "day": (moment.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64) + 1,
            "hour": seconds // 3600 % 24,
            "minute": seconds // 60 % 60,
        }
    else:
        # Type 5: a light without sectors, fixed, off a coast.
        fields |= {
            "mmsi": cast.aid_mmsi[station],
            "aid_type": np.full(len(rows), 5),
            "name": [cast.aid_name[i] for i in station],
        }
    channel = np.where(rows.integers[:, reporting.N_COUNT] % 2 == 0, ord("A"), ord("B")).astype(np.uint8)
    return encode(kind, fields, channel=channel)
