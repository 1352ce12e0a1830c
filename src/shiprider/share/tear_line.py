"""Tear-lines: from a typed body and named rules to what may be released, to be looked at side by side.

Always true: a field that no table below knows is left out; so are links to other records (a dangling link tells
of what is hidden) and texts that nobody wrote anew; the rules apply in one order, however they are given; nobody
approves what he prepared himself.
"""

import base64
import hashlib
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import msgspec

from shiprider.measure.clock import SECOND_US
from shiprider.model.errors import Forbidden, UsageError
from shiprider.model.label import AnyLabel, Label
from shiprider.model.tear_line import (
    CoarsenPosition,
    CoarsenTime,
    Delay,
    DropFields,
    DropSource,
    Pseudonyms,
    ReplaceText,
    SanitisingRule,
    TearLine,
    TearLineLink,
)

Meaning = Literal["plain", "position", "time", "identity", "source", "text", "link", "facts", "inner"]

#: What the fields of a body mean, by the record's kind. What is not here is not released.
MEANINGS: Final[dict[str, dict[str, Meaning]]] = {
    "finding": {
        "finding": "inner",
        "behaviour": "plain",
        "preset": "plain",
        "subtype": "plain",
        "participants": "identity",
        "start_us": "time",
        "end_us": "time",
        "latitude_deg": "position",
        "longitude_deg": "position",
        "score": "plain",
        "reason_key": "plain",
        "facts": "facts",
        "evidence": "source",
        "state": "plain",
        "versions": "source",
        "simulated": "plain",
        "split_from": "link",
        "merged_into": "link",
    },
    "alert": {
        "finding": "link",
        "finding_revision": "link",
        "findings": "link",
        "merged_into": "link",
        "behaviours": "plain",
        "behaviour": "plain",
        "preset": "plain",
        "subtype": "plain",
        "state": "plain",
        "participants": "identity",
        "start_us": "time",
        "end_us": "time",
        "raised_us": "time",
        "latitude_deg": "position",
        "longitude_deg": "position",
        "score": "plain",
        "probability": "source",
        "model": "source",
        "holder": "source",
        "simulated": "plain",
        "retracted": "plain",
        "reason": "plain",
        "text": "text",
    },
    "note": {"subject_kind": "plain", "subject": "identity", "text": "text"},
}

#: Facts are open: numbers only, by the unit in their name. A text may name anybody.
_FACT_ENDINGS: Final[tuple[tuple[str, Meaning], ...]] = (
    ("_us", "time"),
    ("latitude_deg", "position"),
    ("longitude_deg", "position"),
    ("mmsi", "identity"),
    ("imo", "identity"),
    ("claimed_id", "identity"),
    ("track", "identity"),
)

#: Bytes of salt; as many as the digest has.
SALT_BYTES: Final = 32
#: 80 bits of a keyed hash, base32: no two identities meet by chance.
_PSEUDONYM_BYTES: Final = 10

R = TypeVar("R", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the preview: a field, what stood there, what is released (None: left out), and by what."""

    field: str
    original: Any
    released: Any
    why: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would be released, and the preview side by side."""

    of_kind: str
    content: Mapping[str, Any]
    rules: tuple[SanitisingRule, ...]
    recipient: str
    not_before_us: int
    preview: tuple[Row, ...]
    prepared_by: str
    label: Label


def prepare(
    kind: str,
    body: msgspec.Struct,
    rules: Sequence[SanitisingRule],
    *,
    recipient: str,
    pseudonym_key: bytes,
    now: AnyLabel,
    to: Label,
    origin: str,
    node: str,
    prepared_by: str,
) -> Prepared:
    """A tear-line of a record's body for a recipient, to be labelled `to`.

    `pseudonym_key` is this node's secret for pseudonyms (32 bytes or more); `now`, `origin` are the record's. Raises
    UsageError where a rule cannot be meant, Forbidden where the record is not this node's to sanitise.
    """
    _check_say(now, origin, node)
    _check_rules(kind, rules, recipient, pseudonym_key)
    work = _Sanitising(kind, rules, pseudonym_key)
    content = work.fields(msgspec.json.decode(msgspec.json.encode(body)), "")
    delay = work.rule(Delay)
    latest = max(work.times, default=0)
    return Prepared(
        of_kind=kind,
        content=content,
        rules=tuple(sorted(rules, key=lambda rule: (type(rule).__name__, str(rule)))),
        recipient=recipient,
        not_before_us=latest + delay.delay_s * SECOND_US if delay else 0,
        preview=tuple(work.preview),
        prepared_by=prepared_by,
        label=to,
    )


def approve(
    prepared: Prepared,
    *,
    approved_by: str,
    tear_line_id: str,
    original: str,
    revision: int,
    digest: str,
    salt: bytes,
) -> tuple[TearLine, TearLineLink]:
    """The tear-line and its link, once a second person has looked at the preview.

    `salt` is random (32 bytes), new for every tear-line. Raises Forbidden where the approver is the preparer or no
    person, UsageError where the salt is short.
    """
    if not approved_by or approved_by.startswith("process:"):
        raise Forbidden("A tear-line is approved by a person: sign in and look at the preview.")
    if approved_by == prepared.prepared_by:
        raise Forbidden(f"{approved_by} prepared this tear-line: another person must approve it.")
    if len(salt) < SALT_BYTES:
        raise UsageError(f"The salt of a tear-line has {len(salt)} bytes: give {SALT_BYTES} random ones.")
    link = TearLineLink(
        tear_line=tear_line_id,
        original=original,
        original_revision=revision,
        original_digest=digest,
        salt=salt.hex(),
    )
    body = TearLine(
        of_kind=prepared.of_kind,
        content=prepared.content,
        rules=prepared.rules,
        recipient=prepared.recipient,
        not_before_us=prepared.not_before_us,
        commitment=commitment(link),
        prepared_by=prepared.prepared_by,
        approved_by=approved_by,
    )
    return body, link


def commitment(link: TearLineLink) -> str:
    """SHA-256 over salt and original: tells nothing without the salt, and fits no other record."""
    state = hashlib.sha256(b"shiprider-tear-line-1")
    fields = (bytes.fromhex(link.salt), link.original, str(link.original_revision), link.original_digest)
    for each in fields:
        data = each if isinstance(each, bytes) else each.encode()
        state.update(b"%d:%b," % (len(data), data))
    return state.hexdigest()


def opens(body: TearLine, link: TearLineLink) -> bool:
    """Whether the link is that of this tear-line."""
    return hmac.compare_digest(body.commitment, commitment(link))


def pseudonym(key: bytes, recipient: str, identity: object) -> str:
    """One identity's name for one recipient: the same each time, and without the key like any other."""
    own = hmac.digest(key, b"shiprider-pseudonym-1\0" + recipient.encode(), "sha256")
    named = hmac.digest(own, str(identity).encode(), "sha256")[:_PSEUDONYM_BYTES]
    return "P-" + base64.b32encode(named).decode()


def _check_say(now: AnyLabel, origin: str, node: str) -> None:
    if not isinstance(now, Label):
        raise Forbidden("Its label is not understood: have its originator mend the label first.")
    others = sorted({origin, *now.originators} - {node})
    held = "ORCON" in now.caveats or "NO-ONWARD-SHARING" in now.caveats
    if others and held:
        raise Forbidden(
            f"{', '.join(others)} kept control of it (ORCON or no onward sharing): ask for a tear-line there."
        )


def _check_rules(kind: str, rules: Sequence[SanitisingRule], recipient: str, key: bytes) -> None:
    if kind not in MEANINGS:
        raise UsageError(f"There are no rules for a {kind}: make a tear-line of {', '.join(MEANINGS)}.")
    single = [type(rule).__name__ for rule in rules if not isinstance(rule, ReplaceText)]
    doubled = sorted({name for name in single if single.count(name) > 1})
    if doubled:
        raise UsageError(f"{doubled[0]} stands twice: give each rule once.")
    if not rules:
        raise UsageError("A tear-line without a rule is the record itself: name at least one rule.")
    for rule in rules:
        if isinstance(rule, CoarsenPosition) and not 0.0 < rule.step_deg <= 90.0:
            raise UsageError(f"A grid of {rule.step_deg} degrees is none: give more than 0 and up to 90.")
        if isinstance(rule, CoarsenTime) and rule.step_s <= 0:
            raise UsageError(f"A step of {rule.step_s} s is none: give a positive number.")
        if isinstance(rule, Delay) and rule.delay_s < 0:
            raise UsageError(f"A delay of {rule.delay_s} s is none: give zero or more.")
        if isinstance(rule, Pseudonyms) and (rule.recipient != recipient or len(key) < 32):
            raise UsageError("Pseudonyms are made for the recipient, with a key of at least 32 bytes.")
        if isinstance(rule, ReplaceText) and MEANINGS[kind].get(rule.field) != "text":
            raise UsageError(f"{rule.field!r} is no text of a {kind}: replace one that is.")


class _Sanitising:
    def __init__(self, kind: str, rules: Sequence[SanitisingRule], key: bytes) -> None:
        self._kind = kind
        self._rules = rules
        self._key = key
        self.preview: list[Row] = []
        #: Every time of the original, microseconds.
        self.times: list[int] = []

    def rule(self, kind: type[R]) -> R | None:
        """The rule of that kind, if there is one."""
        return next((rule for rule in self._rules if isinstance(rule, kind)), None)

    def fields(self, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        """What is left of some fields."""
        kept: dict[str, Any] = {}
        known = MEANINGS[self._kind]
        for name, value in given.items():
            meaning = known.get(name)
            if self._kind == "note" and name == "subject" and given.get("subject_kind") != "vessel":
                meaning = "link"
            if meaning == "inner":
                kept |= self.fields(value, path)
            elif meaning == "facts":
                kept[name] = self._facts(value)
            else:
                self._one(kept, name, f"{path}{name}", value, meaning)
        return kept

    def _facts(self, given: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in given.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            meaning: Meaning | None = None
            if number:
                meaning = next((m for ending, m in _FACT_ENDINGS if name.endswith(ending)), "plain")
            self._one(kept, name, f"facts.{name}", value, meaning)
        return kept

    def _one(self, kept: dict[str, Any], name: str, path: str, value: Any, meaning: Meaning | None) -> None:
        released, why = self._released(path, value, meaning)
        if released is not None:
            kept[name] = released
        self.preview.append(Row(path, value, released, why))

    def _released(self, path: str, value: Any, meaning: Meaning | None) -> tuple[Any, str]:
        """(what is released, None where nothing is; by which rule)."""
        drop = self.rule(DropFields)
        if meaning == "time" and value is not None:
            self.times.append(int(value))
        if drop is not None and path in drop.fields:
            return None, "drop_fields"
        if meaning is None:
            return None, "not_known"
        if meaning == "link":
            return None, "link"
        does: dict[str, Callable[[str, Any], tuple[Any, str]]] = {
            "source": self._source,
            "text": self._text,
            "position": self._position,
            "time": self._time,
            "identity": self._identity,
        }
        return does[meaning](path, value) if meaning in does else (value, "")

    def _source(self, _path: str, value: Any) -> tuple[Any, str]:
        # Evidence holds exact times, identities and addresses: whoever coarsens one of them does not mean to keep it.
        betrays = any(isinstance(rule, CoarsenPosition | CoarsenTime | Pseudonyms) for rule in self._rules)
        return (None, "drop_source") if betrays or self.rule(DropSource) is not None else (value, "")

    def _text(self, path: str, _value: Any) -> tuple[Any, str]:
        for rule in self._rules:
            if isinstance(rule, ReplaceText) and rule.field == path:
                return rule.text, "replace_text"
        return None, "text"

    def _position(self, path: str, value: float) -> tuple[Any, str]:
        rule = self.rule(CoarsenPosition)
        if rule is None:
            return value, ""
        bound = 90.0 if path.endswith("latitude_deg") else 180.0
        centre = (math.floor(value / rule.step_deg) + 0.5) * rule.step_deg
        return round(max(-bound, min(bound, centre)), 6), "coarsen_position"

    def _time(self, _path: str, value: int | None) -> tuple[Any, str]:
        rule = self.rule(CoarsenTime)
        if rule is None or value is None:
            return value, ""
        step_us = rule.step_s * SECOND_US
        return value // step_us * step_us, "coarsen_time"

    def _identity(self, _path: str, value: Any) -> tuple[Any, str]:
        rule = self.rule(Pseudonyms)
        if rule is None:
            return value, ""
        if isinstance(value, list | tuple):
            # Sorted by name: the order of the numbers must not show through.
            return sorted(pseudonym(self._key, rule.recipient, each) for each in value), "pseudonyms"
        return pseudonym(self._key, rule.recipient, value), "pseudonyms"
