"""What the encoder writes, our decoder and pyais read back."""

import math
from typing import Any

import numpy as np
import pyais
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.formats.ais.binary import BINARY
from shiprider.formats.ais.encoder import encode, merged, with_tag_blocks
from shiprider.formats.ais.fields import decode_fields
from shiprider.formats.ais.layout import Field, Group, Kind, Layout
from shiprider.formats.ais.messages import PLAIN
from shiprider.model.errors import UsageError

LETTERS = "".join(chr(code) for code in range(32, 96) if chr(code) != "@")
#: Layouts that pyais reads under the same names (its table has no type 15, 16 or 22 oddities then).
LAYOUTS = [
    layout for layout in (*PLAIN, *BINARY) if not any(isinstance(item, Group) for item in layout.items)
]


def value(field: Field, layout: Layout) -> st.SearchStrategy[Any]:
    for start, width, wanted in layout.tests:
        if start == field.first and width == field.width:
            return st.just(wanted)
    if field.name == "mmsi":
        return st.integers(980_000_000, 989_999_999) if layout.auxiliary else st.integers(1, 979_999_999)
    if field.kind == Kind.TEXT:
        return st.text(LETTERS, max_size=min(20, field.width // 6)).map(str.rstrip)
    if field.kind == Kind.BYTES:
        return st.binary(min_size=1, max_size=max(1, min(40, field.width // 8))).map(bytes.hex)
    if field.kind == Kind.BOOL:
        return st.booleans()
    signed = field.kind in (Kind.INT, Kind.SIGNED_DECIMAL, Kind.TURN)
    low = -(1 << (field.width - 1)) if signed else 0
    raws = st.integers(low, (1 << (field.width - signed)) - 1).filter(lambda raw: raw != field.missing)
    if field.kind == Kind.TURN:
        return st.integers(-126, 126).map(lambda raw: math.copysign(float(round((raw / 4.733) ** 2)), raw))
    if field.kind in (Kind.DECIMAL, Kind.SIGNED_DECIMAL):
        return raws.map(lambda raw: round(raw * field.scale + field.offset, max(field.decimals, 1)))
    return raws


@st.composite
def messages(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    number = draw(st.integers(0, len(LAYOUTS) - 1))
    layout = LAYOUTS[number]
    fields = {item.name: draw(value(item, layout)) for item in layout.fields if item.name != "msg_type"}
    if layout.auxiliary is False and layout.message_type == 24 and "to_bow" in fields:
        fields["mmsi"] %= 980_000_000
    return number, fields


@settings(max_examples=300, deadline=None)
@given(messages())
def test_our_decoder_reads_what_the_encoder_wrote(case: tuple[int, dict[str, Any]]) -> None:
    number, fields = case
    layout = LAYOUTS[number]
    encoded = encode(layout.message_type, {name: [item] for name, item in fields.items()})
    (read,) = list(decode_fields(encoded.tobytes()))
    assert read["msg_type"] == layout.message_type
    for name, wanted in fields.items():
        if isinstance(wanted, float):
            assert read[name] == pytest.approx(wanted, abs=1e-6), name
        elif isinstance(wanted, str) and layout.field(name).kind == Kind.TEXT:
            assert read[name] == wanted, name
        else:
            assert read[name] == wanted, name


#: Where pyais departs (see tests/unit/formats/ais/test_against_pyais.py), or has no such variant.
NOT_IN_PYAIS = {(17, "lon"), (17, "lat"), (26, "radio"), (26, "data"), (24, "epfd")}
MINUTES = {"ne_lon", "ne_lat", "sw_lon", "sw_lat"}


@settings(max_examples=300, deadline=None)
@given(messages())
def test_pyais_reads_what_the_encoder_wrote(case: tuple[int, dict[str, Any]]) -> None:
    number, fields = case
    layout = LAYOUTS[number]
    encoded = encode(layout.message_type, {name: [item] for name, item in fields.items()})
    theirs = pyais.decode(*encoded.tobytes().split()).asdict()
    for name, wanted in fields.items():
        if name not in theirs or (layout.message_type, name) in NOT_IN_PYAIS:
            continue
        found = theirs[name]
        if hasattr(type(found), "from_value") and not isinstance(wanted, float):
            assert type(found).from_value(wanted) == found, name
            continue
        found = getattr(found, "value", found)
        if name in MINUTES:
            found /= 60
        if isinstance(found, bytes):
            assert found.hex().startswith(wanted.rstrip("0")[:-1] if len(wanted) > 1 else ""), name
        elif isinstance(wanted, str) and found in (None, ""):
            assert not wanted.strip(), name
        elif isinstance(found, str):
            assert found.strip() == wanted.strip(), name
        elif isinstance(wanted, float):
            assert found == pytest.approx(wanted, abs=1e-5), name
        else:
            assert found == wanted, name


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_tag_blocks_keep_the_messages(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mmsi = rng.integers(200_000_000, 700_000_000, n)
    encoded = merged([encode(5, {"mmsi": mmsi}), encode(1, {"mmsi": mmsi})], rng.permutation(2 * n))
    stations = ["SIM-A", "SIM-SAT2"]
    index = rng.integers(0, 2, 2 * n)
    time = 1_700_000_000 + np.arange(2 * n)
    tagged = with_tag_blocks(encoded, stations, index, time)
    plain = list(decode_fields(encoded.tobytes()))
    read = list(decode_fields(tagged.tobytes()))
    assert [m["mmsi"] for m in read] == [m["mmsi"] for m in plain]
    assert [m["station"] for m in read] == [stations[i] for i in index]
    for line in tagged.tobytes().splitlines():
        block, sentence = line[1:].split(b"\\")
        body, told = block.split(b"*")
        assert int(told, 16) == int(np.bitwise_xor.reduce(np.frombuffer(body, np.uint8)))
        assert sentence.startswith(b"!AIVDM")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mmsi": [1], "nonsense": [1]}, "nonsense"),
        ({"mmsi": [1], "speed": [1e9]}, "cannot hold speed"),
        ({"mmsi": [2**31]}, "cannot hold mmsi"),
        ({"mmsi": [1, 2], "speed": [1.0]}, "equally long"),
    ],
)
def test_what_the_wire_cannot_hold_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        encode(1, fields)


def test_a_text_that_six_bits_cannot_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="Six-bit"):
        encode(5, {"mmsi": [1], "shipname": ["ÉTOILE"]})
    with pytest.raises(UsageError, match="20 characters"):
        encode(5, {"mmsi": [1], "shipname": ["A" * 21]})


def test_not_available_is_what_pyais_calls_not_available() -> None:
    (line,) = encode(1, {"mmsi": [1], "lat": [np.nan], "speed": [None]}).tobytes().split()
    read = pyais.decode(line).asdict()
    assert (read["lat"], read["lon"], read["speed"], read["course"], read["heading"]) == (
        91,
        181,
        102.3,
        360,
        511,
    )
    assert read["turn"].value == -128
