"""What goes over the wire as JSON at the release desk: policies, tear-lines, labels, keys (see `schemas`).

Always true: of a record nothing is in here that its reader may not see; no private key, no salt, no link.
"""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Microseconds, RecordId, Request, Struct
from shiprider.api.schemas.marking import Marking
from shiprider.flow.subjects import SubjectKind
from shiprider.model.account import Role
from shiprider.model.proposals import ProposalState
from shiprider.model.release_class import Action
from shiprider.model.signing_key import KeyState

Word = Annotated[str, Meta(max_length=80)]
Why = Annotated[str, Meta(min_length=1, max_length=2000)]
LabelText = Annotated[str, Meta(max_length=4000)]
RulesText = Annotated[str, Meta(min_length=1, max_length=500_000)]
Revision = Annotated[int, Meta(ge=1)]


class Step(Request):
    """A step on a proposal: `expected_revision` is the one that was looked at."""

    expected_revision: Revision


# -- policy ---------------------------------------------------------------------------------------


class PolicyOut(Struct):
    """The policy in force. `text` is "" where there is none: then only the node's own people see anything."""

    text: str
    digest: str
    version: str
    change: str
    agreements: list[str]


class PolicyText(Request):
    """A policy as a person writes it (TOML)."""

    rules: RulesText


class PolicyNew(Request):
    """Propose a policy, with the reason."""

    rules: RulesText
    why: Why


class ReleaseLine(Struct):
    """One release class and kind of observer. `count` 0: what could come, whether any of it is here or not; null: rows, not counted."""

    nation: str
    organisation: str
    purposes: list[str]
    actions: list[Action]
    kind: str
    marking: Marking
    origin: str
    case: str
    count: int | None
    from_us: Microseconds


class PolicyEffect(Struct):
    """What a policy would newly release and withhold. `unsampled`: more than could be tried, so it counts as wider."""

    released: list[ReleaseLine]
    withheld: list[ReleaseLine]
    unsampled: bool
    widens: bool
    people_needed: int


class PolicyChangeOut(Struct):
    """A proposed policy. `stale`: it must be shown again first; `may_agree`: whether the asker may agree to it now."""

    id: RecordId
    revision: int
    state: ProposalState
    rules: str
    why: str
    proposed_by: str
    decided_by: str
    shown_us: Microseconds
    recorded_us: Microseconds
    effect: PolicyEffect
    stale: bool
    may_agree: bool


class PolicyChanges(Struct):
    """Proposed policies, newest first."""

    changes: list[PolicyChangeOut]
    marking: Marking


# -- tear-lines -----------------------------------------------------------------------------------


class TextInstead(Request):
    """A person's own words instead of a text."""

    field: Annotated[str, Meta(min_length=1, max_length=80)]
    text: Annotated[str, Meta(max_length=10_000)]


class TearLineRules(Request):
    """By which rules: a step of null, an empty list, false leave a rule out."""

    coarsen_position_deg: Annotated[float, Meta(gt=0, le=90)] | None = None
    coarsen_time_s: Annotated[int, Meta(gt=0, le=31_536_000)] | None = None
    drop_source: bool = False
    drop_fields: Annotated[list[Word], Meta(max_length=64)] = []
    delay_s: Annotated[int, Meta(ge=0, le=31_536_000)] | None = None
    pseudonyms: bool = False
    replace_text: Annotated[list[TextInstead], Meta(max_length=8)] = []


class TearLineAsked(Request):
    """A tear-line to look at: of which record, for whom, under which label, by which rules."""

    kind: Literal["alert", "finding", "note"]
    original: RecordId
    recipient: Annotated[str, Meta(min_length=1, max_length=80)]
    label: LabelText
    rules: TearLineRules


class TearLineNew(TearLineAsked):
    """The same, proposed with its reason."""

    why: Why


class SideBySide(Struct):
    """One field: what stands in the original, what is released (null: left out), and by which rule, in words."""

    field: str
    original: str
    released: str | None
    why: str
    why_text: str


class TearLinePreview(Struct):
    """Original and tear-line side by side, with the marking of each."""

    kind: SubjectKind
    original: RecordId
    original_revision: int
    original_marking: Marking
    marking: Marking
    recipient: str
    not_before_us: Microseconds
    rows: list[SideBySide]


class TearLineProposalOut(Struct):
    """A proposed tear-line. `tear_line` is the record's id once it was made.

    Where nothing can be made of the original now, `preview` is null and `trouble` says why.
    """

    id: RecordId
    revision: int
    state: ProposalState
    why: str
    proposed_by: str
    decided_by: str
    recorded_us: Microseconds
    tear_line: str
    preview: TearLinePreview | None
    trouble: str
    stale: bool
    may_agree: bool


class TearLineProposals(Struct):
    """Proposed tear-lines, newest first."""

    proposals: list[TearLineProposalOut]
    marking: Marking


# -- labels ---------------------------------------------------------------------------------------


class RelabelNew(Request):
    """Another label for a record, with the reason."""

    kind: SubjectKind
    id: RecordId
    expected_revision: Revision
    label: LabelText
    why: Why


class RelabellingOut(Struct):
    """Another label for a record. What only narrows is `done` at once."""

    id: RecordId
    revision: int
    state: ProposalState
    kind: SubjectKind
    subject: RecordId
    subject_revision: int
    was: Marking
    to: Marking
    why: str
    proposed_by: str
    decided_by: str
    recorded_us: Microseconds
    stale: bool
    may_agree: bool


class Relabellings(Struct):
    """Other labels that were asked for, newest first."""

    relabellings: list[RelabellingOut]
    marking: Marking


class LabelOut(Struct):
    """The label of a record as a person writes it, for changing it."""

    kind: SubjectKind
    id: RecordId
    revision: int
    text: str
    marking: Marking


class ViewAs(Request):
    """Another observer, made up: what would the policy let him do with this record?"""

    kind: SubjectKind
    id: RecordId
    role: Role
    nation: Annotated[str, Meta(max_length=3)] = ""
    organisation: Word = ""
    communities: Annotated[list[Word], Meta(max_length=64)] = []
    clearance: Literal["", "unclassified", "restricted", "confidential", "secret", "top_secret"] = ""
    purpose: Word = ""
    cases: Annotated[list[Word], Meta(max_length=64)] = []


class PolicyReason(Struct):
    """Why: the key, and its words; `clause` is the agreement's clause, where one allows it."""

    key: str
    text: str
    clause: str


class ActionDecision(Struct):
    """The policy's answer for one action."""

    action: Action
    allowed: bool
    reasons: list[PolicyReason]


class ViewAsLine(Struct):
    """One record that belongs to what was asked about, and what the other could do with it."""

    kind: SubjectKind
    id: RecordId
    marking: Marking
    decisions: list[ActionDecision]


class ViewAsOut(Struct):
    """The policy's answers for a made-up observer; nothing of what the asker himself does not see."""

    lines: list[ViewAsLine]


# -- keys -----------------------------------------------------------------------------------------


class SigningKeyOut(Struct):
    """A signing key of the node. `to_us` null: it still signs. `due_us`: when to make the next one (active only)."""

    key_id: str
    state: KeyState
    from_us: Microseconds
    to_us: int | None
    predecessor: str
    endorsed: bool
    reason: str
    due_us: int | None


class CertificateOut(Struct):
    """The certificate of the node's TLS; the fingerprint is its authority's."""

    ends_us: Microseconds
    fingerprint: str
    names: list[str]


class NodeKeys(Struct):
    """The node's keys, newest first; `certificate` null where it speaks plain HTTP on the loopback."""

    now_us: Microseconds
    keys: list[SigningKeyOut]
    certificate: CertificateOut | None


class RotateKey(Request):
    """Make the next signing key: `active` is the one that was looked at."""

    active: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class KeyLost(Request):
    """Write the active key off: `active` is the one that was looked at."""

    active: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    why: Why
