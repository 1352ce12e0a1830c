"""Labels and grades as MISP tags, and back: the taxonomies tlp, PAP, admiralty-scale and estimative-language.

Always true: a tag of a marking that is not understood is an unknown label; an event without a colour goes no further.
"""

import re
from collections.abc import Iterable
from typing import Final

from shiprider.formats.stix.markings import coloured, not_understood, originator, unmarked
from shiprider.model.foreign_report import CREDIBILITIES, RELIABILITIES
from shiprider.model.label import (
    AnyLabel,
    Label,
    Tlp,
    UnknownLabel,
    combine,
    held_by,
    parse,
    tlp_word,
)
from shiprider.model.likelihood import band

_MACHINE_TAG: Final = re.compile(r'([a-z0-9_-]+):([^="]+)(?:="(.*)")?', re.IGNORECASE | re.DOTALL)
#: Taxonomies that restrict who may have something; every other tag is a word.
_MARKINGS: Final = frozenset({"tlp", "pap", "dni-ism", "nato", "acs-marking", "shiprider"})
_COLOURS: Final = {
    "white": Tlp.CLEAR,
    "clear": Tlp.CLEAR,
    "green": Tlp.GREEN,
    "amber": Tlp.AMBER,
    "amber+strict": Tlp.AMBER_STRICT,
    "red": Tlp.RED,
}
#: What may be done with it, beside who may have it: only the freest leaves us free.
_FREE_TO_ACT: Final = frozenset({"white", "clear"})


def tags_of(label_text: str, probability: float | None) -> list[str]:
    """The tags of a label, and of a calibrated chance."""
    found = parse(label_text)
    tags = [f'shiprider:label="{label_text}"']
    if isinstance(found, Label) and found.tlp != Tlp.NONE:
        tags.insert(0, f"tlp:{tlp_word(found.tlp).lower()}")
    if probability is not None:
        tags.append(f'estimative-language:likelihood-probability="{_chance(probability)}"')
    return tags


def _chance(probability: float) -> str:
    found = band(probability)
    return "roughly-even-chance" if found == "even" else found.replace("_", "-")


def label_of(tags: Iterable[str], source: str) -> tuple[AnyLabel, tuple[str, ...]]:
    """The label that follows from tags, and those of them that mark, as given."""
    labels, words = list[AnyLabel](), list[str]()
    for tag in tags:
        found = _MACHINE_TAG.fullmatch(tag.strip())
        space = found[1].lower() if found else re.split(r"[:=\s]", tag.strip(), maxsplit=1)[0].lower()
        if space not in _MARKINGS:
            continue
        words.append(tag[:500])
        if not _says_nothing(found):
            labels.append(_one(found, source) if found else not_understood(source))
    if not labels:
        return unmarked(source), ()
    return combine(*labels), tuple(words)


def _says_nothing(tag: re.Match[str] | None) -> bool:
    return tag is not None and tag[1].lower() == "pap" and tag[2].lower() in _FREE_TO_ACT


def _one(tag: re.Match[str], source: str) -> AnyLabel:
    space, predicate, value = tag[1].lower(), tag[2].lower(), tag[3]
    if space == "tlp" and value is None and predicate in _COLOURS:
        return coloured(_COLOURS[predicate], source)
    if space == "shiprider" and predicate == "label" and value is not None:
        given = parse(value) if value else unmarked(source)
        return (
            not_understood(source) if isinstance(given, UnknownLabel) else held_by(given, originator(source))
        )
    return not_understood(source)


def grade_of(tags: Iterable[str]) -> tuple[str, str]:
    """Reliability of the source and credibility, of the Admiralty scale; F and 6 where no tag says."""
    reliability, credibility = "F", "6"
    for tag in tags:
        found = _MACHINE_TAG.fullmatch(tag.strip())
        if found is None or found[1].lower() != "admiralty-scale" or found[3] is None:
            continue
        if found[2].lower() == "source-reliability" and found[3].upper() in RELIABILITIES:
            reliability = found[3].upper()
        if found[2].lower() == "information-credibility" and found[3] in CREDIBILITIES:
            credibility = found[3]
    return reliability, credibility
