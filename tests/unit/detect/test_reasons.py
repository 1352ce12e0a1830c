"""Reasons in words: units for people, both languages, every template whole."""

import string
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from shiprider.detect.reasons import LANGUAGES, listed, place, render, spoken, templates
from shiprider.model.errors import NotFound
from shiprider.model.identity import VesselClass

BEHAVIOURS = sorted(
    path.name.removesuffix(".toml")
    for path in files("shiprider.detect").joinpath("reasons").iterdir()
    if path.name.endswith(".toml")
)


@pytest.mark.parametrize(
    ("name", "value", "english", "spanish"),
    [
        ("speed_mps", 1.0288888888, "2.0 kn", "2,0 kn"),
        ("distance_m", 432.4, "432 m", "432 m"),
        ("distance_m", 37040.0, "20.0 nm", "20,0 nm"),
        ("distance_m", 463000.0, "250 nm", "250 nm"),
        ("duration_s", 42.0, "42 s", "42 s"),
        ("duration_s", 600.0, "10 min", "10 min"),
        ("duration_s", 7800.0, "2 h 10 min", "2 h 10 min"),
        ("duration_s", 7200.0, "2 h", "2 h"),
        ("course_deg", 271.4, "271°", "271°"),
        ("probability", 0.0031, "0.31 %", "0,31 %"),
        ("since_us", 1_699_920_000_000_000, "2023-11-14 00:00 UTC", "2023-11-14 00:00 UTC"),
        ("port", "A. Port", "A. Port", "A. Port"),
        ("confidence", 4, "4", "4"),
        ("one_in", 1_000_000, "1,000,000", "1.000.000"),
        ("one_in", 9999, "9999", "9999"),
    ],
)
def test_units_for_people(name: str, value: Any, english: str, spanish: str) -> None:
    assert spoken(name, value, "en") == english
    assert spoken(name, value, "es") == spanish


@pytest.mark.parametrize(
    ("latitude", "longitude", "text"),
    [
        (16.0866667, -74.5, "16°05.2'N 074°30.0'W"),
        (-0.5, 179.99999, "00°30.0'S 180°00.0'E"),
        (9.9999999, 0.0, "10°00.0'N 000°00.0'E"),
    ],
)
def test_degrees_and_decimal_minutes(latitude: float, longitude: float, text: str) -> None:
    assert place(latitude, longitude) == text


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_the_languages_say_the_same(behaviour: str) -> None:
    keys = {language: set(templates(behaviour, language)) for language in LANGUAGES}
    assert keys["en"] == keys["es"] != set()


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_templates_are_whole(behaviour: str) -> None:
    source = files("shiprider.detect").joinpath("reasons", f"{behaviour}.toml").read_text(encoding="utf-8")
    for table in tomllib.loads(source).values():
        for text in table.values():
            names = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
            assert all(name.isidentifier() for name in names), text
            assert text.endswith((".", "{why}")), text


def test_a_real_finding_in_both_languages(sea: Any, found: Any) -> None:
    for who, longitude in ((232_000_001, -140.0), (232_000_002, -139.999)):
        sea.sails(who, (10.0, longitude), [(3 * 3600.0, 0.0, 0.0)])
    (finding,) = found("encounter.gfw", sea.rows())
    english, spanish = render(finding), render(finding, "es")
    assert english == (
        "232000001 and 232000002 stayed within 500 m of each other for 3 h (nearest 110 m), "
        "at a median speed of 0.1 kn."
    )
    assert "permanecieron a menos de 500 m durante 3 h" in spanish
    assert "?" not in english + spanish


def test_unknown_language_and_key_are_named(sea: Any, found: Any) -> None:
    sea.sails(232_000_001, (10.0, -140.0), [(3 * 3600.0, 0.0, 0.0)])
    (finding,) = found("loitering.gfw", sea.rows())
    with pytest.raises(NotFound, match="'fr'"):
        render(finding, "fr")


def test_vessels_are_called_as_the_caller_says(sea: Any, found: Any) -> None:
    for who, longitude in ((232_000_001, -140.0), (232_000_002, -139.999)):
        sea.sails(who, (10.0, longitude), [(3 * 3600.0, 0.0, 0.0)])
    (finding,) = found("encounter.gfw", sea.rows())
    names = {232_000_001: "SANTA RITA (fishing, HND)", 232_000_002: "OCEAN STAR"}
    assert render(finding, "en", names.__getitem__).startswith(
        "SANTA RITA (fishing, HND) and OCEAN STAR stayed within 500 m"
    )
    assert render(finding, "es", names.__getitem__).startswith("SANTA RITA (fishing, HND) y OCEAN STAR ")


def test_three_are_listed_and_kinds_are_translated() -> None:
    assert listed(["A", "B", "C"], "en") == "A, B and C"
    assert [spoken("kind", kind.name.lower(), "es") for kind in VesselClass][5] == "pesquero"
    assert {spoken("kind", kind.name.lower(), "es") for kind in VesselClass} & {
        "fishing",
        "tug",
        "cargo",
    } == set()
