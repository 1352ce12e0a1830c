"""Mutations of every file that a user writes, and of a fold's state: one sentence, or a result; never anything else."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from shiprider.adapters.geography.anchorages import read_anchorages, read_receivers
from shiprider.detect.user_presets import parse_user_presets
from shiprider.flow.folds import FoldState
from shiprider.flow.keeping import StateShelf
from shiprider.formats.area_geojson import parse_areas
from shiprider.formats.csv.layouts import declared
from shiprider.formats.decoded import DecodeContext
from shiprider.formats.ofac_sdn import parse_sdn
from shiprider.formats.sniffing import open_decoder
from shiprider.formats.watchlist_csv import parse_watchlist
from shiprider.model.errors import InputError, UsageError
from shiprider.settings import TEMPLATE, parse

CONTEXT = DecodeContext(feed="fuzz", received_clock="recording")
NOAA = (
    b"MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,"
    b"Cargo,TransceiverClass\n"
    b'367000001,2022-03-31T00:00:01,29.78339,-95.08078,10.0,133.9,511.0,"FOO, BAR",IMO9074729,WDC1,31,12,20,8,2.5,57,B\n'
)
AREA = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Bank"},"geometry":'
    '{"type":"Polygon","coordinates":[[[1.0,2.0],[3,2],[3,4],[1.0,2.0]]]}}]}'
)
#: What parsers trip over, put in anywhere.
TOKENS = [
    "\x00", "\r", "\n", '"', "\ufeff", ";", ",", "[" * 2_000, "{", "]", "null", "true", "9" * 400, "1e999", "-0-",
    "NaN", "\x1b[2J", "x" * 140_000, "=cmd()", "[]", "{}", "\u0661", "\udcff", "'", "\t", "1979-05-27", "inf",
]  # fmt: skip


def table(text: str) -> object:
    data = text.encode("utf-8", "surrogateescape")
    return open_decoder(data, CONTEXT).decode(data, 0, 0, True)


DECODERS: dict[str, tuple[Callable[[str], object], str]] = {
    "recording CSV": (table, NOAA.decode()),
    "watchlist": (
        lambda t: parse_watchlist(t, "w.csv"),
        "mmsi,imo,name,reason\n367000001,9074729,FOO,seen\n",
    ),
    "OFAC": (
        parse_sdn,
        '1,"FOO","vessel","SDGT","-0-","AB1","Tanker","-0-","1","XX","-0-","IMO 9074729; a.k.a. \'BAR\'; MMSI 367000001."\n',
    ),
    "areas": (lambda t: parse_areas(t, "a.geojson"), AREA),
    "presets": (
        lambda t: parse_user_presets(t, "p.toml"),
        '[encounter.mine]\nbased_on = "gfw"\nwithin_m = 300\nduration_s = 10800\n',
    ),
    "settings": (lambda t: parse(t, "s.toml"), TEMPLATE.replace("{node}", "n")),
    "anchorages": (
        lambda t: read_anchorages(t, "a.csv"),
        "name,latitude_deg,longitude_deg\nA,1,2\n",
    ),
    "receivers": (
        lambda t: read_receivers(t, "r.csv"),
        "source,kind,latitude_deg,longitude_deg\nA,terrestrial,1,2\nB,satellite,,\n",
    ),
    "column map": (
        lambda t: declared(t, "m.toml"),
        'name = "mine"\n[columns]\nmmsi = "MMSI"\ntime = "T"\nlatitude_deg = "LAT"\nlongitude_deg = "LON"\n',
    ),
}


def mutated(draw: random.Random, text: str) -> str:
    for _ in range(draw.randint(1, 4)):
        at, to = sorted((draw.randint(0, len(text)), draw.randint(0, len(text))))
        kind = draw.randrange(5)
        if kind == 0:
            text = text[:at] + draw.choice(TOKENS) + text[at:]
        elif kind == 1:
            text = text[:at] + draw.choice(TOKENS) + text[to:]
        elif kind == 2:
            text = text[:at] + text[to:]
        elif kind == 3:
            text = text[:at] + chr(draw.randrange(256)) + text[at + 1 :]
        else:
            text = text[:to] + text[at:to] + text[to:]
    return text


@pytest.mark.parametrize("name", DECODERS)
def test_a_file_of_the_user_gives_a_result_or_one_sentence(name: str) -> None:
    decode, text = DECODERS[name]
    draw = random.Random(7)
    refused = 0
    for _ in range(1_500):
        broken = mutated(draw, text)
        if name != "recording CSV":
            # A text comes from a file that was read as UTF-8; only a recording is taken as bytes.
            broken = broken.encode("utf-8", "replace").decode()
        try:
            decode(broken)
        except (InputError, UsageError) as error:
            assert str(error)
            refused += 1
        except ValueError as error:
            # settings lie below the errors of the house: they promise ValueError with one sentence.
            assert name == "settings", (broken[:300], error)
            assert "s.toml" in str(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"{name}: {broken[:300]!r}") from error
    assert refused > 10, "the mutations do break it"


def test_a_state_is_whole_or_none(tmp_path: Path) -> None:
    shelf = StateShelf(tmp_path, "v")
    state = FoldState(**dict.fromkeys(FoldState.__dataclass_fields__) | {"until_us": 5})
    shelf.put(state, 7)
    good = (tmp_path / "latest").read_bytes()
    kept = shelf.latest()
    assert kept is not None
    assert kept.position == 7
    draw = random.Random(7)
    for _ in range(1_500):
        data = bytearray(good)
        at = draw.randrange(len(data))
        if draw.random() < 0.5:
            data[at] ^= 1 << draw.randrange(8)
        else:
            del data[at:]
        (tmp_path / "latest").write_bytes(data)
        assert shelf.latest() is None
