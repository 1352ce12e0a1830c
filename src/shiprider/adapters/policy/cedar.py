"""The policy engine: Cedar, asked per release class, answers kept under the policy's version.

Always true: only Cedar's own Allow without any diagnostic is an allowance. Cedar fails open (a forbid whose
evaluation fails is skipped), so the schema is always handed in, the policies are validated when they are made,
and one error in the diagnostics denies; whatever goes wrong around it denies too.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

import cedarpy

from shiprider.adapters.policy.compiling import SCHEMA, Whose, policy_text
from shiprider.model.agreement import ALWAYS_US
from shiprider.model.errors import UsageError
from shiprider.model.label import Label, parse, understood
from shiprider.model.observer import Observer
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.model.rules import Rules, fault_of
from shiprider.ports.policy import Decision
from shiprider.share.release import ENGINE_ERROR, NOTHING_ALLOWS, clearance_of

#: Answers kept: observers x actions x classes of a busy node; about 200 bytes each.
_KEPT: Final = 500_000

#: Sets of classes kept as the engine reads them.
_HANDLES: Final = 8

#: Nations with organisations whose policies are kept apart.
_SLICES: Final = 512

_FAILED: Final = Decision(False, (ENGINE_ERROR,))

#: What of an observer an answer depends on.
_Who = tuple[Any, ...]
_Key = tuple[_Who, Action, ReleaseClass, int, bool]


class CedarPolicy:
    """One version of a node's rules (`ports.policy.Policy`). Raises UsageError where they cannot be meant."""

    def __init__(self, rules: Rules, *, text: str = "") -> None:
        """`text` replaces the compiled policies: for a test of what happens when they fail."""
        faults = [*([fault_of(rules.homes)] if fault_of(rules.homes) else []), *rules.book.faults()]
        if faults:
            raise UsageError(f"The policy cannot be meant: {faults[0]}; correct it.")
        self._rules = rules
        self._replaced = bool(text)
        self.text = text or policy_text(rules)
        self._version = hashlib.sha256(f"{SCHEMA}\n{self.text}".encode()).hexdigest()
        try:
            self._schema = cedarpy.Schema.from_str(SCHEMA)
            self._policies = cedarpy.PolicySet.from_str(self.text)
            checked = cedarpy.validate_policies(self.text, self._schema)
        except ValueError as error:
            raise UsageError(f"The policy does not compile ({error}): correct the rules.") from error
        if not checked.validation_passed:
            told = "; ".join(str(each) for each in checked.errors[:3])
            raise UsageError(f"The policy does not fit its schema ({told}): correct the rules.")
        self._edges = rules.book.edges()
        self._kept: dict[_Key, Decision] = {}
        self._expiry: dict[ReleaseClass, int] = {}
        self._slices: dict[Whose, cedarpy.PolicySet] = {}
        self._handles: dict[tuple[ReleaseClass, ...], cedarpy.Entities] = {}

    @property
    def version(self) -> str:
        """Digest of schema and policies: everything the answers depend on."""
        return self._version

    def decide(
        self, observer: Observer, action: Action, classes: Sequence[ReleaseClass], at_us: int
    ) -> list[Decision]:
        """One decision per class, in order. Never raises: what fails is a denial."""
        try:
            return self._decide(observer, action, classes, at_us)
        except Exception:
            # Whatever it is, nobody gets anything by it (promise 2).
            return [_FAILED] * len(classes)

    def until_us(self, classes: Sequence[ReleaseClass], at_us: int) -> int:
        """The next moment at which an agreement or a label changes what is answered."""
        place = bisect_right(self._edges, at_us)
        edges = self._edges[place : place + 1]
        return min(
            [ALWAYS_US, *edges, *(end for of in classes if (end := self._expires(of)) > at_us)],
        )

    def _decide(
        self, observer: Observer, action: Action, classes: Sequence[ReleaseClass], at_us: int
    ) -> list[Decision]:
        who = _who(observer)
        epoch = bisect_right(self._edges, at_us)
        keys = [(who, action, of, epoch, at_us >= self._expires(of)) for of in classes]
        # Other threads ask too: what was looked up once is not looked up again.
        found = {key: self._kept.get(key) for key in keys}
        missing = [key for key, answer in found.items() if answer is None]
        if missing:
            answers = dict(
                zip(missing, self._ask(observer, action, [k[2] for k in missing], at_us), strict=True)
            )
            found.update(answers)
            if len(self._kept) + len(answers) > _KEPT:
                self._kept.clear()
            # A failure is asked again: it may have been the moment's.
            self._kept.update({key: answer for key, answer in answers.items() if answer is not _FAILED})
        return [found[key] or _FAILED for key in keys]

    def _expires(self, of: ReleaseClass) -> int:
        found = self._expiry.get(of)
        if found is None:
            if len(self._expiry) > _KEPT:
                self._expiry.clear()
            end = understood(parse(of.label)).expires_us
            found = self._expiry[of] = ALWAYS_US if end is None else end
        return found

    def _ask(
        self, observer: Observer, action: Action, classes: Sequence[ReleaseClass], at_us: int
    ) -> list[Decision]:
        """Straight to the engine, nothing kept."""
        requests = [
            {
                "principal": {"type": "Observer", "id": "0"},
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Class", "id": str(at)},
                "context": {"at": at_us},
            }
            for at in range(len(classes))
        ]
        # Every entity was held against the schema when it was read.
        asker = json.dumps([_observer_entity(observer)])
        entities = self._classes(tuple(classes)).with_added_json_str(asker, self._schema)
        policies = self._policies_for((observer.nation, observer.organisation))
        results = cedarpy.is_authorized_batch(requests, policies, entities, self._schema)
        return [_decision(result) for result in results]

    def _policies_for(self, asker: Whose) -> cedarpy.PolicySet:
        """What can concern somebody of that nation and organisation: a hundred agreements are not asked of each."""
        if self._replaced:
            return self._policies
        found = self._slices.get(asker)
        if found is None:
            if len(self._slices) >= _SLICES:
                self._slices.clear()
            found = cedarpy.PolicySet.from_str(policy_text(self._rules, asker))
            self._slices[asker] = found
        return found

    def _classes(self, classes: tuple[ReleaseClass, ...]) -> cedarpy.Entities:
        """The classes as the engine reads them; the last few sets are kept, for the next observer asks the same."""
        found = self._handles.get(classes)
        if found is None:
            if len(self._handles) >= _HANDLES:
                self._handles.clear()
            read = json.dumps([_class_entity(at, of) for at, of in enumerate(classes)])
            found = self._handles[classes] = cedarpy.Entities.from_json_str(read, self._schema)
        return found


def _decision(result: cedarpy.AuthzResult) -> Decision:
    diagnostics = result.diagnostics
    if diagnostics.errors:
        return _FAILED
    reasons = sorted({str(name) for name in diagnostics.id_annotations_by_reason.values()})
    if result.decision is cedarpy.Decision.Allow and reasons:
        return Decision(True, tuple(reasons))
    if result.decision is cedarpy.Decision.Deny:
        return Decision(False, tuple(reasons) or (NOTHING_ALLOWS,))
    return _FAILED


def _who(observer: Observer) -> _Who:
    return (
        observer.nation,
        observer.organisation,
        observer.communities,
        observer.clearance,
        observer.purpose,
        observer.cases,
        observer.roles,
    )


def _observer_entity(observer: Observer) -> dict[str, Any]:
    return {
        "uid": {"type": "Observer", "id": "0"},
        "parents": [],
        "attrs": {
            "nation": observer.nation,
            "organisation": observer.organisation,
            "communities": list(observer.communities),
            "clearance": clearance_of(observer),
            "purpose": observer.purpose,
            "cases": list(observer.cases),
            "roles": list(observer.roles),
        },
    }


def _class_entity(at: int, of: ReleaseClass) -> dict[str, Any]:
    label = parse(of.label)
    read = understood(label)
    return {
        "uid": {"type": "Class", "id": str(at)},
        "parents": [],
        "attrs": {
            "known": isinstance(label, Label),
            "origin": of.origin,
            "kind": of.kind,
            "purpose": of.purpose,
            "case": of.case,
            "level": int(read.classification),
            "tlp": int(read.tlp),
            "expires": ALWAYS_US if read.expires_us is None else read.expires_us,
            "any_nation": read.nations is None,
            "nations": list(read.nations or ()),
            "any_organisation": read.organisations is None,
            "organisations": list(read.organisations or ()),
            "any_community": read.communities is None,
            "communities": list(read.communities or ()),
            "any_purpose": read.purposes is None,
            "purposes": list(read.purposes or ()),
            "caveats": list(read.caveats),
            "agreements": list(read.agreements),
            "originators": list(read.originators),
        },
    }
