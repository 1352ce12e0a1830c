"""What really happened: events, lawful look-alikes and vessels, as plain facts.

Always true: truth is written from the movement itself and from what receivers heard, never from a
detector; times are microseconds since 1970 UTC; every row says that it is simulated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

F64 = NDArray[np.float64]

EVENT_KINDS: Final = (
    "mothership_go_fast",
    "dark_rendezvous",
    "dark_transit",
    "spoofed_position",
    "identity_swap",
    "refuelling_meet",
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One trafficking event. `participants` are the MMSI that take part and transmit at some time.

    `leaves_ais_trace` is None until the event's time has been played; `traces` are the behaviours
    (names of the domain page) whose signs were really received; `expected` those it could show.
    """

    id: str
    kind: str
    participants: tuple[int, ...]
    vessels: tuple[int, ...]
    start_us: int
    end_us: int
    latitude_deg: float
    longitude_deg: float
    expected: tuple[str, ...]
    leaves_ais_trace: bool | None = None
    traces: tuple[str, ...] = ()
    figures: Mapping[str, float | str] = {}
    simulated: bool = True


class Lookalike(msgspec.Struct, frozen=True, kw_only=True):
    """Something lawful that may look like an event."""

    id: str
    kind: str
    participants: tuple[int, ...]
    start_us: int
    end_us: int
    latitude_deg: float
    longitude_deg: float
    figures: Mapping[str, float | str] = {}
    simulated: bool = True


class Vessel(msgspec.Struct, frozen=True, kw_only=True):
    """One hull. `mmsi` are all that it ever claims; `transmitter` 0 none, 1 A, 2 B SO, 3 B CS."""

    vessel: int
    kind: str
    lawful: bool
    mmsi: tuple[int, ...]
    imo: int
    name: str
    length_m: float
    transmitter: int
    flaw: str = ""
    simulated: bool = True


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    events: tuple[Event, ...]
    lookalikes: tuple[Lookalike, ...]
    vessels: tuple[Vessel, ...]

    def json_lines(self) -> bytes:
        """One object a line, each with `table` (event, lookalike or vessel)."""
        encode = msgspec.json.encode
        lines: list[bytes] = []
        for table, rows in (("event", self.events), ("lookalike", self.lookalikes), ("vessel", self.vessels)):
            lines += [encode({"table": table, **msgspec.to_builtins(row)}) + b"\n" for row in rows]
        return b"".join(lines)

    def tables(self) -> dict[str, pa.Table]:
        """Arrow tables `events`, `lookalikes`, `vessels`; figures as JSON text."""
        out = {}
        for name, rows in (
            ("events", self.events),
            ("lookalikes", self.lookalikes),
            ("vessels", self.vessels),
        ):
            plain = [msgspec.to_builtins(row) for row in rows]
            for row in plain:
                if "figures" in row:
                    row["figures"] = msgspec.json.encode(row["figures"]).decode()
            out[name] = pa.Table.from_pylist(plain)
        return out


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What must have been received for a behaviour to be visible at all.

    `kind`: "seen" (heard `at_least` times, over at least half of the window), "together" (so each of
    the vessels, twice at least), "silence" (heard before and after, and a far longer silence than that
    vessel's usual ones), "renamed" (heard under both identities), "impossible" (heard on both sides of
    the window's start or end at places that no ship joins in the time). `vessels` are numbers in the cast.
    """

    behaviour: str
    kind: str
    vessels: tuple[int, ...]
    start_s: float
    end_s: float
    at_least: int = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one vessel: sent (seconds, ascending), identity slot, claimed place."""

    sent_s: F64
    slot: NDArray[np.int64]
    latitude_deg: F64
    longitude_deg: F64

    @classmethod
    def nothing(cls) -> "Heard":
        """Not a word."""
        return cls(np.empty(0), np.empty(0, np.int64), np.empty(0), np.empty(0))


#: Around an event, how much of a vessel's reception is its usual one; and how much longer than the
#: usual (95th percentile) a silence must be to be a sign.
USUAL_S: Final = 36 * 3600.0
SILENCE_FACTOR: Final = 3.0
#: A jump is a sign when no ship is that fast (60 kn, faster than any vessel here) and it is not noise.
IMPOSSIBLE_MPS: Final = 31.0
JUMP_M: Final = 500.0


def shown(sign: Sign, heard: Mapping[int, Heard]) -> bool:
    """True when what was heard bears the sign."""
    first = heard.get(sign.vessels[0], Heard.nothing())
    if sign.kind == "silence":
        return _silent(sign, first.sent_s)
    if sign.kind == "impossible":
        return _jumps(first, sign.start_s) or _jumps(first, sign.end_s)
    if sign.kind == "renamed":
        inside = (first.sent_s >= sign.start_s) & (first.sent_s < sign.end_s)
        return len(np.unique(first.slot[inside])) > 1
    needed = 2 if sign.kind == "together" else sign.at_least
    for vessel in sign.vessels:
        times = heard.get(vessel, Heard.nothing()).sent_s
        times = times[(times >= sign.start_s) & (times < sign.end_s)]
        if len(times) < needed or times[-1] - times[0] < 0.5 * (sign.end_s - sign.start_s):
            return False
    return True


def _silent(sign: Sign, times: F64) -> bool:
    before = times[(times >= sign.start_s - USUAL_S) & (times < sign.start_s)]
    after = times[(times >= sign.end_s) & (times < sign.end_s + USUAL_S)]
    if len(before) < 3 or len(after) < 1:
        return False
    gaps = np.concatenate((np.diff(before), np.diff(after)))
    usual = float(np.percentile(gaps, 95)) if len(gaps) else np.inf
    return float(after[0] - before[-1]) > SILENCE_FACTOR * max(usual, 600.0)


def _jumps(heard: Heard, when_s: float) -> bool:
    """True when the last place before and the first after a moment are impossibly far apart."""
    at = int(np.searchsorted(heard.sent_s, when_s))
    if at == 0 or at == len(heard.sent_s):
        return False
    north = heard.latitude_deg[at] - heard.latitude_deg[at - 1]
    east = heard.longitude_deg[at] - heard.longitude_deg[at - 1]
    metres = 111_195.0 * float(np.hypot(north, east * np.cos(np.deg2rad(heard.latitude_deg[at]))))
    seconds = max(1.0, float(heard.sent_s[at] - heard.sent_s[at - 1]))
    return metres > JUMP_M and metres / seconds > IMPOSSIBLE_MPS
