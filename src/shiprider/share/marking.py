"""Markings in words: the banner over a page, the mark before a paragraph.

Always true: a banner says every part of its label; a text's banner is that of what is shown, never of what is not.
"""

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Final

from shiprider.measure.clock import iso_from_us
from shiprider.model.label import OWN, AnyLabel, Classification, Label, Names, Tlp, combine, parse, tlp_word
from shiprider.model.marked_text import MarkedText, reading

LANGUAGES: Final = ("en", "es")
SEPARATOR: Final = " // "

#: How NATO and the EU write their own classifications, in every language (MISP taxonomy `nato`; 2013/488/EU).
_OWN_WORDS: Final[dict[str, dict[Classification, str]]] = {
    "NATO": {
        Classification.UNCLASSIFIED: "NATO UNCLASSIFIED",
        Classification.RESTRICTED: "NATO RESTRICTED",
        Classification.CONFIDENTIAL: "NATO CONFIDENTIAL",
        Classification.SECRET: "NATO SECRET",
        Classification.TOP_SECRET: "COSMIC TOP SECRET",
    },
    "EU": {
        Classification.UNCLASSIFIED: "EU UNCLASSIFIED",
        Classification.RESTRICTED: "RESTREINT UE/EU RESTRICTED",
        Classification.CONFIDENTIAL: "CONFIDENTIEL UE/EU CONFIDENTIAL",
        Classification.SECRET: "SECRET UE/EU SECRET",
        Classification.TOP_SECRET: "TRÈS SECRET UE/EU TOP SECRET",
    },
}
_SHORT: Final = {
    Classification.UNCLASSIFIED: "U",
    Classification.RESTRICTED: "R",
    Classification.CONFIDENTIAL: "C",
    Classification.SECRET: "S",
    Classification.TOP_SECRET: "TS",
}


@cache
def words(language: str) -> dict[str, str]:
    """The words of a language; English where it has none."""
    tables = tomllib.loads(files("shiprider.share").joinpath("words.toml").read_text(encoding="utf-8"))
    return dict(tables.get(language, tables["en"]))


def banner(label: AnyLabel, language: str = "en", own_nation: str = "") -> str:
    """`SECRET // REL TO USA, COL // ORCON`: every part that says something; one's own nation is named first."""
    say = words(language)
    if not isinstance(label, Label):
        return SEPARATOR.join((say["unknown"], say["originator_only"]))
    if label == OWN:
        return SEPARATOR.join((say["unlabelled"], say["originator_only"]))
    return SEPARATOR.join((classification_words(label, language), *_strings(label, say, own_nation)))


def portion_mark(label: AnyLabel, language: str = "en", own_nation: str = "") -> str:
    """The short mark before a paragraph: `(S // REL TO USA, COL // ORCON)`; the letters are the same everywhere."""
    if not isinstance(label, Label) or label == OWN:
        return f"({banner(label, language)})"
    return (
        f"({SEPARATOR.join((_SHORT[label.classification], *_strings(label, words(language), own_nation)))})"
    )


def classification_words(label: Label, language: str = "en") -> str:
    """The classification as its policy writes it; where several policies meet, the plain word and their names."""
    plain = words(language)[label.classification.name]
    if len(label.policies) == 1:
        return _OWN_WORDS.get(label.policies[0], {}).get(label.classification, plain)
    return f"{plain} ({', '.join(label.policies)})" if label.policies else plain


def shown(
    text: MarkedText, sees: Callable[[str], bool], language: str = "en", own_nation: str = ""
) -> tuple[str, str]:
    """(banner, text with portion marks) of what somebody may read of a marked text."""
    part = reading(text, sees)
    lines = [
        " ".join(
            f"{portion_mark(parse(span.label), language, own_nation)} {span.text}" for span in each.spans
        )
        for each in part.paragraphs
    ]
    return banner(part.label, language, own_nation), "\n\n".join(lines)


def page_banner(labels: list[str], language: str = "en", own_nation: str = "") -> str:
    """The banner over everything that a page shows, from stored texts."""
    return banner(combine(*map(parse, labels)), language, own_nation)


def _strings(label: Label, say: dict[str, str], own_nation: str) -> list[str]:
    found = [_released(label, say, own_nation)]
    found += [say[caveat] for caveat in sorted(label.caveats, key=lambda each: each != "ORCON")]
    if label.purposes is not None:
        found.append(_named(say["purpose"], label.purposes) if label.purposes else say["no_purpose"])
    if label.agreements:
        found.append(_named(say["agreement"], label.agreements))
    if label.tlp != Tlp.NONE:
        found.append(f"TLP:{tlp_word(label.tlp)}")
    if label.expires_us is not None:
        found.append(_named(say["until"], (iso_from_us(label.expires_us),)))
    if label.originators:
        found.append(_named(say["originators"], label.originators))
    return found


def _released(label: Label, say: dict[str, str], own_nation: str) -> str:
    if label.for_nobody:
        return say["originator_only"]
    if label.for_everyone:
        return say["everyone"]
    nations = sorted(label.nations or (), key=lambda name: (name != own_nation, name))
    categories = [tuple(nations), label.organisations or (), label.communities or ()]
    return say["rel_to"].format(names="; ".join(", ".join(names) for names in categories if names))


def _named(template: str, names: Names) -> str:
    return template.format(names=", ".join(names))
