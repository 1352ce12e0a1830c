"""Ports from the package, and an operator's files: taken whole or refused in one sentence."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shiprider.adapters.geography.anchorages import packaged_ports, read_anchorages, read_receivers
from shiprider.adapters.geography.coast import load_coast
from shiprider.model.codes import ReceiverKind
from shiprider.model.errors import InputError


def test_packaged_ports_are_those_of_the_package() -> None:
    spec = find_spec("searoute")
    assert spec is not None
    assert spec.origin is not None
    features = json.loads((Path(spec.origin).parent / "data" / "ports.geojson").read_text())["features"]
    places = {tuple(f["geometry"]["coordinates"]) for f in features}
    ports = packaged_ports()
    assert set(zip(ports.longitude_deg.tolist(), ports.latitude_deg.tolist(), strict=True)) == places
    assert len(ports.name) == len(places)
    assert "Cartagena, Colombia" in ports.name
    assert "searoute" in ports.version


def test_customs_posts_inland_are_left_out() -> None:
    all_of_them, by_the_sea = packaged_ports(), packaged_ports(load_coast())
    assert 2500 < len(by_the_sea.name) < len(all_of_them.name)
    shore = load_coast().distance_to_shore_m(by_the_sea.latitude_deg, by_the_sea.longitude_deg)
    assert np.median(shore) < 2000.0


def test_an_operator_s_anchorages() -> None:
    text = 'name,latitude_deg,longitude_deg\nRoads,10.5,-75.5\n\n"Outer, north",11,179.99\n'
    anchorages = read_anchorages(text, "mine.csv")
    assert anchorages.name == ("Roads", "Outer, north")
    assert anchorages.latitude_deg.tolist() == [10.5, 11.0]
    assert anchorages.longitude_deg.tolist() == [-75.5, 179.99]
    assert anchorages.version.startswith("mine.csv ")
    assert read_anchorages(text + "C,1,1\n", "mine.csv").version != anchorages.version
    assert read_anchorages("﻿" + text.replace("\n", "\r\n"), "mine.csv").name == anchorages.name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "mine.csv is empty"),
        ("name,latitude_deg\nA,1\n", "row 1: the column longitude_deg is missing"),
        ("name,latitude_deg,longitude_deg\nA,1\n", "row 2: 2 fields"),
        ("name,latitude_deg,longitude_deg\nA,1,2\nB,91,2\n", "row 3, column latitude_deg: '91'"),
        ("name,latitude_deg,longitude_deg\nA,1,-180.5\n", "row 2, column longitude_deg: '-180.5'"),
        ("name,latitude_deg,longitude_deg\nA,nan,2\n", "row 2, column latitude_deg: 'nan'"),
        ("name,latitude_deg,longitude_deg\nA,10°N,2\n", "row 2, column latitude_deg: '10°N'"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        read_anchorages(text, "mine.csv")
    assert says in str(error.value)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_an_operator_s_receivers() -> None:
    text = "source,kind,latitude_deg,longitude_deg\nrORBCOMM,Satellite,,\nb1,terrestrial,10,-75\n"
    receivers = read_receivers(text, "r.csv")
    assert receivers.source == ("rORBCOMM", "b1")
    assert receivers.kind.tolist() == [ReceiverKind.SATELLITE, ReceiverKind.TERRESTRIAL]
    assert np.isnan(receivers.latitude_deg[0])
    with pytest.raises(InputError, match="row 2, column kind: 'tower'"):
        read_receivers("source,kind,latitude_deg,longitude_deg\nx,tower,1,2\n", "r.csv")
    with pytest.raises(InputError, match="column latitude_deg"):
        read_receivers("source,kind,latitude_deg,longitude_deg\nx,terrestrial,,\n", "r.csv")
