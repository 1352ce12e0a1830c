"""The label: who may have a record or a frame, and for what.

Always true: a label is in normal form, so equal meanings are equal values and equal texts (byte for byte);
the combination of labels is seen by nobody who may not see each of them; a text that is not exactly the
canonical text of a known label is an `UnknownLabel`, which nobody but its originator may read; the empty text is
`OWN`: unlabelled, its originator's own.

In the spirit of STANAG 4774 (confidentiality label: policy, classification, categories) and of TLP 2.0 (FIRST, 2022).
"""

import hashlib
import re
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal

import msgspec

from shiprider.measure.clock import iso_from_us, us_from_iso
from shiprider.model.errors import Forbidden, InputError

#: First part of every canonical text: which parts follow, in which order.
FORM: Final = "shiprider-label-1"

#: What stands for a label that cannot be understood, where one must be stored.
UNKNOWN_TEXT: Final = "unknown"

#: No label is longer: a longer text is not looked at.
_LONGEST_TEXT: Final = 16_384


class Classification(IntEnum):
    """How much harm disclosure would do: a ladder that the policies below share."""

    UNCLASSIFIED = 0
    RESTRICTED = 1
    CONFIDENTIAL = 2
    SECRET = 3
    TOP_SECRET = 4


class Tlp(IntEnum):
    """The colour of the Traffic Light Protocol 2.0; AMBER+STRICT keeps to the organisation, AMBER does not.

    In order of restriction. No colour restricts more than CLEAR: only CLEAR says that everyone may have it.
    """

    CLEAR = 0
    NONE = 1
    GREEN = 2
    AMBER = 3
    AMBER_STRICT = 4
    RED = 5


#: Policies that are known, and the classifications each of them has. EO 13526 has no RESTRICTED (V).
POLICIES: Final[dict[str, tuple[Classification, ...]]] = {
    "COALITION": tuple(Classification),
    "EU": tuple(Classification),
    "NATO": tuple(Classification),
    "USA": (
        Classification.UNCLASSIFIED,
        Classification.CONFIDENTIAL,
        Classification.SECRET,
        Classification.TOP_SECRET,
    ),
}

#: Originator control; not as evidence in a court; by nobody to a third party.
CAVEATS: Final = ("NO-COURT-USE", "NO-ONWARD-SHARING", "ORCON")

_NATION: Final = re.compile(r"[A-Z]{3}")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+/ -]{0,62}[A-Za-z0-9._+-])?")
_RELEASABLE: Final = ("nations", "organisations", "communities")
#: The last microsecond that ISO 8601 with four digits of year can say.
_LATEST_US: Final = 253_402_300_799_999_999

Names = tuple[str, ...]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One label, in normal form; make it with `label`, or read it with `parse`. Raises ValueError otherwise.

    `nations`, `organisations`, `communities`: releasable to whoever is in one name of every category that is
    given; None is no restriction by that category, all None releasable to everyone, `nations=()` to nobody but the
    originator. `purposes`: None is any. `agreements`: each of them must allow the release. `expires_us`: the first
    microsecond at which it no longer releases; None is never. `originators`: nodes, beside the record's own
    origin, whose consent a wider label needs. Names are sorted and without repetition.
    """

    policies: Names = ()
    classification: Classification = Classification.UNCLASSIFIED
    nations: Names | None = ()
    organisations: Names | None = None
    communities: Names | None = None
    caveats: Names = ()
    purposes: Names | None = None
    agreements: Names = ()
    tlp: Tlp = Tlp.NONE
    expires_us: int | None = None
    originators: Names = ()

    def __post_init__(self) -> None:
        fault = _fault(self)
        if fault:
            raise ValueError(fault)

    @property
    def text(self) -> str:
        """The canonical text: what stands in `Record.label`."""
        if self == OWN:
            return ""
        parts = (
            FORM,
            f"policy={_listed(self.policies)}",
            f"class={self.classification.name}",
            f"rel={_releasable_text(self)}",
            f"caveats={_listed(self.caveats)}",
            f"purpose={_listed(self.purposes)}",
            f"agreements={_listed(self.agreements)}",
            f"tlp={tlp_word(self.tlp)}",
            f"expires={'-' if self.expires_us is None else iso_from_us(self.expires_us)}",
            f"originators={_listed(self.originators)}",
        )
        return "|".join(parts)

    @property
    def for_nobody(self) -> bool:
        """Whether nobody but the originator is named."""
        return self.nations == ()

    @property
    def for_everyone(self) -> bool:
        """Whether no category restricts it."""
        return self.nations is None and self.organisations is None and self.communities is None


class UnknownLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label that cannot be understood, or of something that was made with such a label: nobody but the originator.

    `known` is what is understood nevertheless: the combination of the labels that were; it restricts as well.
    """

    known: Label

    @property
    def text(self) -> str:
        """What is stored for it."""
        return UNKNOWN_TEXT if self.known == OWN else f"{UNKNOWN_TEXT}|{self.known.text}"


AnyLabel = Label | UnknownLabel
Order = Literal["equal", "narrower", "wider", "neither"]


def label(
    *,
    policies: Iterable[str] = (),
    classification: Classification = Classification.UNCLASSIFIED,
    nations: Iterable[str] | None = None,
    organisations: Iterable[str] | None = None,
    communities: Iterable[str] | None = None,
    caveats: Iterable[str] = (),
    purposes: Iterable[str] | None = None,
    agreements: Iterable[str] = (),
    tlp: Tlp = Tlp.NONE,
    expires_us: int | None = None,
    originators: Iterable[str] = (),
) -> Label:
    """A label in normal form; with no category given it is releasable to everyone. Raises ValueError."""
    given: list[Names | None] = [_sorted(each) for each in (nations, organisations, communities)]
    if any(each == () for each in given) or not _nameable(tlp, *given):
        given = [(), None, None]
    return Label(
        policies=_sorted(policies) or (),
        classification=classification,
        nations=given[0],
        organisations=given[1],
        communities=given[2],
        caveats=_sorted(caveats) or (),
        purposes=_sorted(purposes),
        agreements=_sorted(agreements) or (),
        tlp=tlp,
        expires_us=expires_us,
        originators=_sorted(originators) or (),
    )


@lru_cache(maxsize=16_384)
def parse(text: str) -> AnyLabel:
    """The label of a stored text; whatever is not exactly canonical is an `UnknownLabel`. Never raises."""
    if text == "":
        return OWN
    if text.startswith(f"{UNKNOWN_TEXT}|"):
        rest = parse(text.removeprefix(f"{UNKNOWN_TEXT}|"))
        return UnknownLabel(known=rest) if isinstance(rest, Label) else rest
    try:
        found = _parsed(text)
    except (ValueError, OverflowError):
        return UNKNOWN
    return found if found.text == text else UNKNOWN


def combine(*labels: AnyLabel) -> AnyLabel:
    """The label of what is made of all of them: in every part the more restrictive wins.

    Commutative, associative, idempotent; of nothing at all it is `OWN`.
    """
    both = _combined([understood(each) for each in labels])
    return both if all(isinstance(each, Label) for each in labels) else UnknownLabel(known=both)


def understood(given: AnyLabel) -> Label:
    """What of a label is understood: all of it, or what an unknown one is known to contain."""
    return given if isinstance(given, Label) else given.known


def _combined(known: list[Label]) -> Label:
    if not known:
        return OWN
    if all(each == known[0] for each in known):
        return known[0]
    ends = [each.expires_us for each in known if each.expires_us is not None]
    return label(
        policies=_union(each.policies for each in known),
        classification=max(each.classification for each in known),
        nations=_common(each.nations for each in known),
        organisations=_common(each.organisations for each in known),
        communities=_common(each.communities for each in known),
        caveats=_union(each.caveats for each in known),
        purposes=_common(each.purposes for each in known),
        agreements=_union(each.agreements for each in known),
        tlp=max(each.tlp for each in known),
        expires_us=min(ends, default=None),
        originators=_union(each.originators for each in known),
    )


def combined_text(texts: Iterable[str]) -> str:
    """`combine` over stored texts."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else combine(*map(parse, distinct)).text


def compare(one: AnyLabel, other: AnyLabel) -> Order:
    """How `one` stands to `other`: narrower where every part of it is at least as restrictive."""
    if one == other:
        return "equal"
    both = combine(one, other)
    if both == one:
        return "narrower"
    return "wider" if both == other else "neither"


def held_by(given: AnyLabel, origin: str) -> AnyLabel:
    """The label as an input of something that another node makes: `origin` keeps its say over the outcome."""
    if isinstance(given, UnknownLabel):
        return UnknownLabel(known=understood(held_by(given.known, origin)))
    if origin in given.originators:
        return given
    return msgspec.structs.replace(
        given,
        policies=given.policies or ("COALITION",),
        originators=tuple(sorted({*given.originators, origin})),
    )


def downgrade(now: AnyLabel, to: Label, *, origin: str, by: str) -> Label:
    """`to`, where the node `by` may set it on a record of `origin` that carries `now`.

    Anybody may narrow; whatever releases more, or cannot be compared, only the one originator. Raises Forbidden.
    """
    if compare(to, now) in ("equal", "narrower"):
        return to
    others = sorted({origin, *understood(now).originators} - {by})
    if others:
        raise Forbidden(
            f"Only the originator may widen a label, and {', '.join(others)} has a say here: ask for a release."
        )
    return to


def written(text: str, where: str = "The label") -> Label:
    """A label as a person writes it: parts in any order, `policy` and `class` at least.

    `policy=COALITION class=SECRET rel=nations:COL,USA caveats=ORCON`; a part that is missing: released to nobody,
    no caveat, any purpose, no agreement, no colour, no expiry, no further originator. Also reads canonical text.
    Raises InputError in one sentence.
    """
    if not text.strip():
        return OWN
    parts = dict[str, str]()
    for piece in re.split(r"\s*\|\s*|\s+(?=[a-z]+=)", text.strip()):
        if piece == FORM:
            continue
        name, found, value = piece.partition("=")
        if not found or name in parts or name not in _PARTS:
            raise InputError(
                f"{where} has {piece[:40]!r}, which is no part or stands twice: write each of "
                f"{', '.join(_PARTS)} once as name=value."
            )
        parts[name] = value
    for needed in ("policy", "class"):
        if needed not in parts:
            raise InputError(f"{where} has no {needed}: write for example policy=COALITION class=RESTRICTED.")
    try:
        found = _built({**_DEFAULTS, **parts})
    except (ValueError, OverflowError) as error:
        raise InputError(f"{where} cannot be meant ({error}): correct it.") from None
    if found.for_nobody and parts.get("rel", "-") != "-":
        raise InputError(
            f"{where} has TLP:{tlp_word(found.tlp)}, which asks for a narrower circle: name it in rel=."
        )
    return found


def number_of(text: str) -> int:
    """The number that rows carry for a label's text: 31 bits of its SHA-256; 0 for the originator's own."""
    if text == "":
        return 0
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1 or 1


def classification_named(text: str) -> Classification | None:
    """A classification, for example a person's clearance; None where the text names none."""
    return Classification.__members__.get(text.strip().upper().replace(" ", "_"))


def tlp_word(tlp: Tlp) -> str:
    """The colour as the standard spells it; `-` for none."""
    return {Tlp.NONE: "-", Tlp.AMBER_STRICT: "AMBER+STRICT"}.get(tlp, tlp.name)


# -- texts --------------------------------------------------------------------------------------------

_DEFAULTS: Final = {
    "policy": "",
    "class": "",
    "rel": "-",
    "caveats": "-",
    "purpose": "*",
    "agreements": "-",
    "tlp": "-",
    "expires": "-",
    "originators": "-",
}
_PARTS: Final = tuple(_DEFAULTS)


def _parsed(text: str) -> Label:
    if len(text) > _LONGEST_TEXT:
        raise ValueError("longer than any label")
    form, *pieces = text.split("|")
    if form != FORM or len(pieces) != len(_PARTS):
        raise ValueError("not the form of a label")
    parts = {}
    for name, piece in zip(_PARTS, pieces, strict=True):
        if not piece.startswith(f"{name}="):
            raise ValueError(f"{name} is missing")
        parts[name] = piece.removeprefix(f"{name}=")
    return _built(parts)


def _built(parts: dict[str, str]) -> Label:
    classification = Classification.__members__.get(parts["class"])
    if classification is None:
        raise ValueError(f"{parts['class'][:40]!r} is no classification")
    colours = {tlp_word(each): each for each in Tlp}
    if parts["tlp"] not in colours:
        raise ValueError(f"{parts['tlp'][:40]!r} is no colour of TLP 2.0")
    releasable = _releasable(parts["rel"])
    return label(
        policies=_names(parts["policy"]),
        classification=classification,
        nations=releasable["nations"],
        organisations=releasable["organisations"],
        communities=releasable["communities"],
        caveats=_names(parts["caveats"]),
        purposes=None if parts["purpose"] == "*" else _names(parts["purpose"]),
        agreements=_names(parts["agreements"]),
        tlp=colours[parts["tlp"]],
        expires_us=None if parts["expires"] == "-" else us_from_iso(parts["expires"]),
        originators=_names(parts["originators"]),
    )


def _names(text: str) -> Names:
    return () if text == "-" else tuple(text.split(","))


def _releasable(text: str) -> dict[str, Names | None]:
    found: dict[str, Names | None] = dict.fromkeys(_RELEASABLE)
    if text == "-":
        return {**found, "nations": ()}
    if text == "*":
        return found
    for piece in text.split(";"):
        category, _, names = piece.partition(":")
        if category not in found or found[category] is not None or not names:
            raise ValueError(f"{piece[:40]!r} is no category that is releasable to")
        found[category] = tuple(names.split(","))
    return found


def _releasable_text(of: Label) -> str:
    if of.for_nobody:
        return "-"
    given = [(name, getattr(of, name)) for name in _RELEASABLE]
    return ";".join(f"{name}:{','.join(names)}" for name, names in given if names is not None) or "*"


def _listed(names: Names | None) -> str:
    return "*" if names is None else ",".join(names) or "-"


# -- normal form --------------------------------------------------------------------------------------


def _nameable(
    tlp: Tlp, nations: Names | None, organisations: Names | None, communities: Names | None
) -> bool:
    """Whether whom a label names is as narrow as its colour asks (TLP 2.0).

    GREEN stays in a community, AMBER with organisations (here also: a nation's), AMBER+STRICT and RED with
    organisations that are named.
    """
    if tlp >= Tlp.AMBER_STRICT:
        return organisations is not None
    if tlp == Tlp.AMBER:
        return nations is not None or organisations is not None
    return tlp < Tlp.GREEN or (nations, organisations, communities) != (None, None, None)


def _fault(of: Label) -> str:
    """What is wrong with the parts of a label; empty where nothing is."""
    releasable = (of.nations, of.organisations, of.communities)
    lists = (of.policies, of.caveats, of.agreements, of.originators, of.purposes, *releasable)
    for names in lists:
        if names is not None and list(names) != sorted(set(names)):
            return "names are not sorted, or stand twice"
    for name in (each for names in lists if names for each in names):
        if not _NAME.fullmatch(name):
            return f"{name[:40]!r} is no name"
    for name in of.nations or ():
        if not _NATION.fullmatch(name):
            return f"{name[:40]!r} is no nation (ISO 3166-1, three letters)"
    for name in of.policies:
        if name not in POLICIES:
            return f"{name[:40]!r} is no policy known here"
    for name in of.caveats:
        if name not in CAVEATS:
            return f"{name[:40]!r} is no caveat known here"
    if () in releasable and releasable != ((), None, None):
        return "releasable to nobody is written without categories"
    if not of.for_nobody and not _nameable(of.tlp, *releasable):
        return f"TLP:{tlp_word(of.tlp)} asks for a narrower circle to be named"
    if of.expires_us is not None and not 0 <= of.expires_us <= _LATEST_US:
        return "the expiry is no time"
    if not of.policies:
        plain = all(
            getattr(of, part) == default
            for part, default in zip(Label.__struct_fields__, Label.__struct_defaults__, strict=True)
        )
        return "" if plain else "no policy is named"
    if not any(of.classification in POLICIES[name] for name in of.policies):
        return f"{of.classification.name} is no classification of {', '.join(of.policies)}"
    return ""


def _sorted(names: Iterable[str] | None) -> Names | None:
    return None if names is None else tuple(sorted(set(names)))


def _union(listed: Iterable[Names]) -> Names:
    return tuple(sorted({name for names in listed for name in names}))


def _common(listed: Iterable[Names | None]) -> Names | None:
    """Names in all that restrict at all; None where none does."""
    sets = [set(names) for names in listed if names is not None]
    return tuple(sorted(set.intersection(*sets))) if sets else None


#: Unlabelled: nobody but its originator.
OWN: Final = Label()

#: A label of which nothing is understood.
UNKNOWN: Final = UnknownLabel(known=OWN)
