"""Labels as STIX marking-definitions, and back: TLP 2.0 by its published objects, the whole label as a statement.

Always true: what is written restricts at least as much as the label; what is read and not understood is an unknown
label, which nobody but its originator may read, and a marking that is missing lets nothing go any further.

TLP 2.0: OASIS, cti-stix-common-objects, extension definition `tlp-2.0`; TLP 1: STIX 2.1, 7.2.1.4.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from shiprider.formats.stix.names import EXTENSION, FORM_MADE, stix_id
from shiprider.model.label import (
    UNKNOWN,
    AnyLabel,
    Label,
    Tlp,
    UnknownLabel,
    combine,
    held_by,
    label,
    parse,
    tlp_word,
    understood,
)

TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_TLP_2: Final = {
    Tlp.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_TLP_1: Final = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}
#: The colour of every marking that is fixed by a standard.
COLOURS: Final[dict[str, Tlp]] = {**{name: tlp for tlp, name in _TLP_2.items()}, **_TLP_1}

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._+/-]+")


def marking_objects(text: str, words: Callable[[str], str]) -> list[dict[str, Any]]:
    """The marking-definitions of a label's stored text; `words` says it for people."""
    found = parse(text)
    made = []
    if isinstance(found, Label) and found.tlp != Tlp.NONE:
        made.append(_tlp_object(found.tlp))
    made.append(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": stix_id("marking-definition", "label", text),
            "created": FORM_MADE,
            "name": words(text),
            "definition_type": "statement",
            "definition": {"statement": words(text)},
            "extensions": {EXTENSION: {"extension_type": "property-extension", "label": text}},
        }
    )
    return made


def _tlp_object(tlp: Tlp) -> dict[str, Any]:
    word = tlp_word(tlp)
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": _TLP_2[tlp],
        "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{word}",
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": word.lower()}},
    }


def originator(source: str) -> str:
    """A source as a label can name it."""
    return _NOT_IN_A_NAME.sub("_", source).strip("_/-.+")[:64].rstrip("_/-.+") or "unknown"


def coloured(tlp: Tlp, source: str) -> AnyLabel:
    """What a colour from a source lets happen here: CLEAR is everybody's, any other stays with this node."""
    whom = None if tlp == Tlp.CLEAR else ()
    return label(policies=("COALITION",), nations=whom, tlp=tlp, originators=(originator(source),))


def unmarked(source: str) -> AnyLabel:
    """Of what came without a marking: this node reads it, and nothing of it goes on."""
    return label(
        policies=("COALITION",),
        nations=(),
        caveats=("NO-ONWARD-SHARING", "ORCON"),
        originators=(originator(source),),
    )


def not_understood(source: str) -> AnyLabel:
    """Of what is marked in a way that nobody here understands."""
    return UnknownLabel(known=understood(unmarked(source)))


def read_markings(
    refs: Sequence[str], defined: Mapping[str, Mapping[str, Any]], source: str
) -> tuple[AnyLabel, tuple[str, ...]]:
    """The label that follows from references to markings, and the markings in words, as given.

    `defined` are the marking-definitions that came along. What a colour means stands in the standard, not in what
    came along under its id.
    """
    if not refs:
        return unmarked(source), ()
    labels, words, colours = list[AnyLabel](), list[str](), list[Tlp]()
    for ref in refs:
        colour = COLOURS.get(ref)
        if colour is not None:
            colours.append(colour)
            words.append(f"TLP:{tlp_word(colour)}")
            continue
        given = defined.get(ref)
        labels.append(_own_label(given, source) if given is not None else not_understood(source))
        words.append(_said(given) or ref[:200])
    # A whole label that has the colour says more of whom it means than the colour alone.
    said = max((understood(each).tlp for each in labels), default=None)
    labels += [coloured(each, source) for each in colours if said is None or each > said]
    return combine(*labels), tuple(words)


def _own_label(given: Mapping[str, Any], source: str) -> AnyLabel:
    """Of a marking that a Shiprider wrote; any other statement is for people to judge, and lets nothing go on."""
    extensions = given.get("extensions")
    ours = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    text = ours.get("label") if isinstance(ours, dict) else None
    if not isinstance(text, str):
        return not_understood(source)
    found = parse(text) if text else unmarked(source)
    return UNKNOWN if isinstance(found, UnknownLabel) else held_by(found, originator(source))


def _said(given: Mapping[str, Any] | None) -> str:
    definition = (given or {}).get("definition")
    statement = definition.get("statement") if isinstance(definition, dict) else None
    name = (given or {}).get("name")
    texts: Iterable[Any] = (statement, name)
    return next((text[:500] for text in texts if isinstance(text, str) and text), "")
