"""Field by field against pyais over every real recording."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyais
import pytest

from shiprider.formats.ais.fields import decode_fields
from shiprider.formats.ais.messages import PLAIN

SHARED = Path(__file__).resolve().parents[4] / ".." / "shared" / "data"
RECORDINGS = [
    "ais_amsa/exact-earth-augmented-2.txt",
    "ais_amsa/exact-earth-with-tag-block.txt",
    "ais_amsa/nmea-timestamped.txt",
    "ais_amsa/samples.txt",
    "ais_dma/ais250.txt",
    "ais_dma/decode_encode_messages.txt",
    "ais_dma/replay_dump.txt",
    "ais_dma/small_cb_example.txt",
    "ais_dma/stream_example.txt",
    "ais_pyais/ais_test_messages",
    "ais_pyais/gatehouse.nmea",
    "ais_pyais/messages.ais",
    "ais_pyais/mixed.txt",
    "ais_pyais/nmea_data_sample.txt",
    "ais_pyais/sample.ais",
    "ais_pyais/timestamped.ais",
]
SENTENCE = re.compile(rb"!([A-Z-]{2}VD[MO]),(\d),(\d),(\d*),([^,]*),([^,]*),\d?\*[0-9A-Fa-f]{2}")

#: pyais shows "not available" as the number on the wire; we show null.
NOT_AVAILABLE: dict[str, set[float]] = {
    "lat": {91.0, 0x7FFFFF / 60000},
    "lon": {181.0, 0xFFFFFF / 60000},
    "speed": {102.3, 63.0, 1023.0},
    "course": {360.0, 511.0},
    "heading": {511},
    "turn": {-128.0, 128.0},
    "alt": {4095},
    "month": {0},
    "day": {0},
    "hour": {24},
    "minute": {60},
    "second": {60},
    "year": {0},
    "draught": {0.0},
    "length": {0.0},
    "beam": {0.0},
    "wspeed": {127},
    "wgust": {127},
    "wdir": {511, 360},
    "wgustdir": {511, 360},
    "airtemp": {144.7, -102.4},
    "humidity": {127, 101},
    "dewpoint": {82.3, 50.1},
    "pressure": {1311, 1310},
    "pressuretend": {3},
    "leveltrend": {3},
    "visibility": {25.5, 12.7},
    "waterlevel": {41.1, 30.01},
    "cspeed": {25.5},
    "cspeed2": {25.5},
    "cspeed3": {25.5},
    "cdir": {511, 360},
    "cdir2": {511, 360},
    "cdir3": {511, 360},
    "cdepth2": {31},
    "cdepth3": {31},
    "waveheight": {25.5},
    "waveperiod": {63},
    "wavedir": {511, 360},
    "swellheight": {25.5},
    "swellperiod": {63},
    "swelldir": {511, 360},
    "seastate": {15, 13},
    "watertemp": {92.3, 50.1},
    "preciptype": {7},
    "salinity": {51.1, 51.0},
    "ice": {3},
    "persons": {0},
}


def sentences(message: dict[str, Any]) -> list[bytes]:
    """The message's own sentences out of its bytes, which may hold others between."""
    found = SENTENCE.findall(message["nmea"].encode("latin-1"))
    whole = [m.group(0) for m in SENTENCE.finditer(message["nmea"].encode("latin-1"))]
    first = next(f for f in found if f[0].decode() == message["talker"])
    return [
        w
        for w, f in zip(whole, found, strict=True)
        if (f[0], f[1], f[3], f[4]) == (first[0], first[1], first[3], first[4])
    ]


def incomplete(message: dict[str, Any], field: str) -> bool:
    """Whether the message ends inside this field: pyais then reads the bits that are there as a number."""
    bits = sum(6 * len(part.split(b",")[5]) for part in sentences(message))
    bits -= int(sentences(message)[-1].split(b",")[6][:1] or b"0")
    known = [layout for layout in PLAIN if layout.message_type == message["msg_type"]]
    return any(item.name == field and item.first + item.width > bits for item in known[0].fields)


def same(name: str, ours: Any, theirs: Any) -> bool:
    if hasattr(type(theirs), "from_value") and ours is not None and not isinstance(ours, float):
        # pyais folds reserved codes into one; the code on the wire must at least fold to the same.
        return bool(type(theirs).from_value(ours) == theirs)
    theirs = getattr(theirs, "value", theirs)
    if isinstance(theirs, bytes):
        return isinstance(ours, str) and theirs.hex().startswith(ours[: len(ours) // 2 * 2].rstrip("0"))
    if ours is None:
        return theirs is None or any(abs(theirs - value) < 1e-6 for value in NOT_AVAILABLE.get(name, ()))
    if isinstance(ours, str):
        # pyais strips leading blanks, goes on behind an @ when more text follows, and makes a letter of
        # the bits that are left over at the end of a variable text.
        theirs = (theirs or "").split("@")[0].strip()
        return ours.strip() in (theirs, theirs[:-1].strip())
    if isinstance(ours, float) or isinstance(theirs, float):
        return theirs is not None and abs(ours - theirs) < 2e-6
    return bool(ours == theirs)


@pytest.mark.shared
@pytest.mark.parametrize("name", RECORDINGS)
def test_every_field_is_what_pyais_reads(name: str) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the real data of ../shared/data is absent")
    different: Counter[tuple[int, str]] = Counter()
    examples: dict[tuple[int, str], Any] = {}
    compared = 0
    for ours in decode_fields(path.read_bytes()):
        theirs = pyais.decode(*sentences(ours)).asdict()
        compared += 1
        for field, value in theirs.items():
            if field.startswith("spare") or (ours["msg_type"], field) in PEER_DIFFERS:
                continue
            if field not in ours:
                if field in ONLY_THERE or field.endswith("_data"):
                    continue
                key = (ours["msg_type"], "absent " + field)
            elif same(field, ours[field], value) or (ours[field] is None and incomplete(ours, field)):
                continue
            else:
                key = (ours["msg_type"], field)
            different[key] += 1
            examples.setdefault(key, (ours.get(field), value, ours["nmea"]))
    assert compared > 0
    assert not different, examples


#: Joined by pyais from other fields; or left undecoded where we know the application.
ONLY_THERE = {"full_name", "data"}

#: Where pyais 3.3 departs from M.1371-5, with the reason; everything else must agree.
PEER_DIFFERS = {
    (26, "radio"): "never read: expected at the end of the longest possible message",
    (17, "lon"): "read as unsigned minutes/10 without the division by 60",
    (17, "lat"): "read as unsigned minutes/10 without the division by 60",
    (22, "ne_lon"): "minutes instead of degrees",
    (22, "ne_lat"): "minutes instead of degrees",
    (22, "sw_lon"): "minutes instead of degrees",
    (22, "sw_lat"): "minutes instead of degrees",
    (23, "ne_lon"): "minutes instead of degrees",
    (23, "ne_lat"): "minutes instead of degrees",
    (23, "sw_lon"): "minutes instead of degrees",
    (23, "sw_lat"): "minutes instead of degrees",
}
