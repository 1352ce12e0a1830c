"""Markings as a person would write them by hand, in English and in Spanish."""

import tomllib
from importlib.resources import files

import pytest

from shiprider.model.label import CAVEATS, OWN, UNKNOWN, Classification, combine, parse, written
from shiprider.model.marked_text import marked
from shiprider.share.marking import LANGUAGES, banner, page_banner, portion_mark, shown

LABEL_TEXT = "policy=COALITION class=SECRET rel=nations:COL,USA caveats=ORCON"


@pytest.mark.parametrize(
    ("text", "english", "spanish"),
    [
        (
            LABEL_TEXT,
            "SECRET // REL TO USA, COL // ORCON",
            "SECRETO // DIVULGABLE A USA, COL // CONTROL DEL ORIGINADOR",
        ),
        (
            "policy=NATO class=TOP_SECRET rel=organisations:KMAR;communities:JIATF caveats=NO-COURT-USE,NO-ONWARD-SHARING",
            "COSMIC TOP SECRET // REL TO KMAR; JIATF // NO COURT USE // NO ONWARD SHARING",
            "COSMIC TOP SECRET // DIVULGABLE A KMAR; JIATF // SIN USO JUDICIAL // SIN CESIÓN A TERCEROS",
        ),
        (
            "policy=COALITION class=UNCLASSIFIED rel=* tlp=CLEAR",
            "UNCLASSIFIED // REL TO ALL // TLP:CLEAR",
            "NO CLASIFICADO // DIVULGABLE A TODOS // TLP:CLEAR",
        ),
        (
            "policy=COALITION class=RESTRICTED rel=organisations:ARC tlp=AMBER+STRICT purpose=counterdrug "
            "agreements=A-1,B-2 expires=2027-01-01 originators=bogota",
            "RESTRICTED // REL TO ARC // ONLY FOR counterdrug // UNDER A-1, B-2 // TLP:AMBER+STRICT // "
            "UNTIL 2027-01-01T00:00:00Z // ORIGINATED BY bogota",
            "RESTRINGIDO // DIVULGABLE A ARC // SOLO PARA counterdrug // SEGÚN A-1, B-2 // TLP:AMBER+STRICT // "
            "HASTA 2027-01-01T00:00:00Z // ORIGINADO POR bogota",
        ),
        (
            "policy=COALITION class=CONFIDENTIAL purpose=-",
            "CONFIDENTIAL // ORIGINATOR ONLY // FOR NO PURPOSE",
            "CONFIDENCIAL // SOLO EL ORIGINADOR // PARA NINGÚN FIN",
        ),
    ],
)
def test_banners(text: str, english: str, spanish: str) -> None:
    assert banner(written(text), "en", "USA") == english
    assert banner(written(text), "es", "USA") == spanish


def test_no_label_and_no_known_label() -> None:
    assert banner(OWN) == "UNLABELLED // ORIGINATOR ONLY"
    assert banner(UNKNOWN, "es") == "ETIQUETA DESCONOCIDA // SOLO EL ORIGINADOR"
    assert portion_mark(OWN) == "(UNLABELLED // ORIGINATOR ONLY)"


def test_where_policies_meet_the_plain_word_stands() -> None:
    both = combine(written(LABEL_TEXT), written("policy=NATO class=RESTRICTED rel=nations:USA"))
    assert banner(both) == "SECRET (COALITION, NATO) // REL TO USA // ORCON"


def test_portion_marks_are_short() -> None:
    assert portion_mark(written(LABEL_TEXT), own_nation="USA") == "(S // REL TO USA, COL // ORCON)"
    assert portion_mark(written("policy=NATO class=TOP_SECRET rel=*"), "es") == "(TS // DIVULGABLE A TODOS)"


def test_a_text_is_marked_by_what_is_shown_of_it() -> None:
    low = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA").text
    high = written(LABEL_TEXT).text
    text = marked([[("Left at dusk.", low), ("Source 14.", high)], [("More.", high)]])
    assert shown(text, lambda label: True) == (
        "SECRET // REL TO COL, USA // ORCON",
        "(R // REL TO COL, USA) Left at dusk. (S // REL TO COL, USA // ORCON) Source 14.\n\n"
        "(S // REL TO COL, USA // ORCON) More.",
    )
    assert shown(text, lambda label: label == low) == (
        "RESTRICTED // REL TO COL, USA",
        "(R // REL TO COL, USA) Left at dusk.",
    )
    assert page_banner([low, high]) == banner(combine(parse(low), parse(high)))


def test_every_word_stands_in_every_language() -> None:
    tables = tomllib.loads(files("shiprider.share").joinpath("words.toml").read_text(encoding="utf-8"))
    assert set(tables) == set(LANGUAGES)
    assert tables["en"].keys() == tables["es"].keys()
    assert {*CAVEATS, *Classification.__members__} <= tables["en"].keys()
