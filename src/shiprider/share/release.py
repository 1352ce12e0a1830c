"""What an observer may do with what: the reference rule, in plain sentences.

Always true: whatever is missing, unknown or past its time denies; an observer who may not read may do nothing else
with content; the policy engine (adapters/policy), the mask (share/mask.py) and every filter of a store give the
same answers (promise 3), and this is the one that says which.

Read it as: denied if any objection stands, else allowed if something allows it, else denied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shiprider.model.agreement import Agreement, SharingClause
from shiprider.model.label import Classification, Label, Tlp, classification_named, parse, understood
from shiprider.model.observer import Observer
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.model.rules import Home, Rules

ACTIONS: Final[tuple[Action, ...]] = ("read", "change", "export", "release", "downgrade")

#: Which roles may ask at all (domain.md, people). A node administrator and an auditor read no content;
#: `partner` is a partner's node reading its own release feed.
ROLES: Final[dict[Action, tuple[str, ...]]] = {
    "read": (
        "watch_officer",
        "intelligence_analyst",
        "liaison_officer",
        "planner",
        "legal_adviser",
        "evidence_custodian",
        "evaluator",
        "community_liaison",
        "partner",
    ),
    "change": (
        "watch_officer",
        "intelligence_analyst",
        "liaison_officer",
        "planner",
        "legal_adviser",
        "evidence_custodian",
    ),
    "export": ("intelligence_analyst", "liaison_officer", "legal_adviser", "evidence_custodian"),
    "release": ("liaison_officer", "legal_adviser"),
    "downgrade": ("liaison_officer", "legal_adviser"),
}

#: Kinds of records about a node, its people and its dealings, not about ships: who browsed without a case, who took what
#: out, how much came in of everything together, what went to which partner and came from it.
AUDITED: Final = (
    "browsing_alarm",
    "evidence_export",
    "spool_seal",
    "dispatch",
    "receipt",
    "recall",
    "withdrawal",
    "recall_answer",
)

#: Who may do what with them: an auditor reads, and nobody revises them or passes them on.
AUDITED_ROLES: Final[dict[Action, tuple[str, ...]]] = {"read": ("auditor",)}

#: A purpose that ends in a court.
COURT: Final = "prosecution"

#: Every objection there is, in the words of the catalogue's section `policy`.
OBJECTIONS: Final = (
    "role",
    "unknown_label",
    "label_expired",
    "clearance",
    "label_purpose",
    "record_purpose",
    "case",
    "not_releasable",
    "red_without_case",
    "agreement",
    "no_court_use",
    "not_ours",
    "orcon",
    "no_onward_sharing",
    "tlp_onward",
    "no_onward_agreement",
    "not_originator",
)

#: Where nothing objects and nothing allows; where the engine itself failed.
NOTHING_ALLOWS: Final = "no_agreement"
ENGINE_ERROR: Final = "engine_error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons`: what allowed it (`own`, `public`, `clause:agreement/clause`), or every objection; sorted."""

    allowed: bool
    reasons: tuple[str, ...]


def roles_for(action: Action, kind: str) -> tuple[str, ...]:
    """Which roles may do that with things of this kind."""
    return AUDITED_ROLES.get(action, ()) if kind in AUDITED else ROLES[action]


def clearance_of(observer: Observer) -> int:
    """The observer's classification as a number; -1 where he has none that is known."""
    found = classification_named(observer.clearance)
    return -1 if found is None else int(found)


def judge(rules: Rules, observer: Observer, action: Action, of: ReleaseClass, at_us: int) -> Verdict:
    """Whether the observer may, at that time, and why."""
    question = _Question(rules, observer, action, of, at_us)
    objections = sorted(set(question.objections()))
    if objections:
        return Verdict(False, tuple(objections))
    grounds = sorted(set(question.grounds()))
    return Verdict(bool(grounds), tuple(grounds) or (NOTHING_ALLOWS,))


class _Question:
    """One question, with what its objections and grounds ask for."""

    def __init__(
        self, rules: Rules, observer: Observer, action: Action, of: ReleaseClass, at_us: int
    ) -> None:
        self.observer = observer
        self.action = action
        self.of = of
        label = parse(of.label)
        self.is_known = isinstance(label, Label)
        self.label = understood(label)
        self.clearance = clearance_of(observer)
        self.node = rules.node
        self.homes = rules.homes_of(of.origin)
        self.at_home = rules.at_home(of.origin, observer.nation, observer.organisation)
        self.at_us = at_us
        self.agreements = rules.book.at(at_us)

    def objections(self) -> Iterator[str]:
        observer, of = self.observer, self.of
        if not set(observer.roles) & set(roles_for(self.action, of.kind)):
            yield "role"
        if of.case and of.case not in observer.cases:
            yield "case"
        if of.purpose and of.purpose != observer.purpose and self.action != "downgrade":
            yield "record_purpose"
        if self.action == "change" and of.origin != self.node:
            yield "not_ours"
        if not self.is_known:
            trusted = self.at_home and self.clearance >= Classification.TOP_SECRET
            if not trusted or self.action in ("export", "release"):
                yield "unknown_label"
        yield from self._of_label(self.label)
        yield from self._of_passing_on(self.label)

    def _of_label(self, label: Label) -> Iterator[str]:
        observer = self.observer
        if label.classification > max(self.clearance, Classification.UNCLASSIFIED):
            yield "clearance"
        if self.action != "downgrade":
            if label.purposes is not None and observer.purpose not in label.purposes:
                yield "label_purpose"
            if "NO-COURT-USE" in label.caveats and observer.purpose == COURT:
                yield "no_court_use"
        if self.at_home:
            return
        if label.expires_us is not None and self.at_us >= label.expires_us:
            yield "label_expired"
        if not _released_to(label, observer):
            yield "not_releasable"
        if label.tlp == Tlp.RED and not self.of.case:
            yield "red_without_case"
        if not all(self._clauses(label, name) for name in label.agreements):
            yield "agreement"

    def _of_passing_on(self, label: Label) -> Iterator[str]:
        """What keeps those who are not its only originator from giving it to others, or widening it."""
        if self.at_home and set(label.originators) <= {self.of.origin}:
            return
        if self.action == "downgrade":
            yield "not_originator"
        if self.action not in ("export", "release"):
            return
        if "ORCON" in label.caveats:
            yield "orcon"
        if "NO-ONWARD-SHARING" in label.caveats:
            yield "no_onward_sharing"
        if label.tlp >= (Tlp.AMBER if self.action == "release" else Tlp.RED):
            yield "tlp_onward"
        if self.action == "release" and not self._may_go_on(label):
            yield "no_onward_agreement"

    def _may_go_on(self, label: Label) -> bool:
        """Every agreement that is named lets it go on; where none is, some agreement does.

        Not "none may": then a combination with something under an agreement would go where its part may not.
        """
        names = label.agreements or tuple(self.agreements)
        onward = [any(c.onward == "parties" for c in self._clauses(label, name)) for name in names]
        return all(onward) if label.agreements else any(onward)

    def grounds(self) -> Iterator[str]:
        if self.at_home:
            yield "own"
        if self.action == "downgrade" or not self.is_known:
            return
        if self.action != "change" and is_public(self.label):
            yield "public"
        for name in self.agreements:
            for clause in self._clauses(self.label, name):
                yield f"clause:{name}/{clause.id}"

    def _clauses(self, label: Label, agreement: str) -> list[SharingClause]:
        """The clauses of one agreement that cover it now, from its origin to this observer."""
        held = self.agreements.get(agreement)
        return [] if held is None else [c for c in held.sharing if self._covered(held, c, label)]

    def _covered(self, held: Agreement, clause: SharingClause, label: Label) -> bool:
        givers = [held.party(name) for name in clause.shared_by]
        takers = [held.party(name) for name in clause.shared_with]
        nation, organisation = self.observer.nation, self.observer.organisation
        return (
            clause.covers(self.of.kind, self.observer.purpose, label.classification, label.tlp)
            and any(p.binds(self.at_us) and any(home.is_party(p) for home in self.homes) for p in givers)
            and any(p.binds(self.at_us) and p.is_of(nation, organisation) for p in takers)
        )


def is_public(label: Label) -> bool:
    """Whether it says of itself that everyone may have it (TLP:CLEAR, unclassified, no strings)."""
    return (
        label.for_everyone
        and label.classification == Classification.UNCLASSIFIED
        and label.tlp == Tlp.CLEAR
        and not label.caveats
        and not label.agreements
    )


def _released_to(label: Label, observer: Observer) -> bool:
    """An OR within a category, an AND between them."""
    return (
        (label.nations is None or observer.nation in label.nations)
        and (label.organisations is None or observer.organisation in label.organisations)
        and (label.communities is None or bool(set(label.communities) & set(observer.communities)))
    )


__all__ = ["ACTIONS", "OBJECTIONS", "ROLES", "Home", "Verdict", "clearance_of", "is_public", "judge"]
