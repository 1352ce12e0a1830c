"""Proposals about release: what one person asks for, and another agrees to before it happens.

Always true: a proposal is a record; each step (proposed, shown again, agreed, refused, withdrawn) is a revision of it;
what it says it would let out is what was shown to who agreed.
"""

from typing import Literal

import msgspec

from shiprider.model.tear_line import SanitisingRule

#: `done`: a policy is in force, a label is set, a tear-line exists.
ProposalState = Literal["proposed", "done", "refused", "withdrawn"]


class ReleaseCount(msgspec.Struct, frozen=True, kw_only=True):
    """One release class that one kind of observer would get, or lose.

    `recorded_for` is the purpose of the records. `count` records (revisions) of it in the log; 0: what could come, whether any is here or not; None: rows, which are not counted.
    `from_us` in microseconds since 1970 UTC; 0: at once.
    """

    nation: str
    organisation: str
    purposes: tuple[str, ...]
    actions: tuple[str, ...]
    kind: str
    label: str
    origin: str
    case: str = ""
    recorded_for: str = ""
    count: int | None
    from_us: int = 0


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `policy_change`: a node's rules as a person wrote them, and what they would change.

    `replaces` is the digest (SHA-256, hex) of the rules it was compared with. `unsampled`: the two were too far
    apart to try every class that they tell apart, so it counts as widening.
    """

    rules: str
    replaces: str
    why: str
    state: ProposalState
    released: tuple[ReleaseCount, ...]
    withheld: tuple[ReleaseCount, ...]
    unsampled: bool
    shown_us: int
    proposed_by: str
    decided_by: str = ""

    @property
    def widens(self) -> bool:
        """Whether a second person must agree."""
        return bool(self.released) or self.unsampled


class TearLineProposal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `tear_line_proposal`, under its original's label.

    `rules` make the tear-line from exactly that revision of the original; `to` is its label (stored text).
    """

    original: str
    original_kind: str
    original_revision: int
    rules: tuple[SanitisingRule, ...]
    recipient: str
    to: str
    why: str
    state: ProposalState
    proposed_by: str
    decided_by: str = ""
    tear_line: str = ""


class Relabelling(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `relabelling`: another label for exactly that revision of a record.

    `was` and `to` are stored texts of labels. It stands under the narrower of both.
    """

    subject: str
    subject_kind: str
    subject_revision: int
    was: str
    to: str
    why: str
    state: ProposalState
    proposed_by: str
    decided_by: str = ""
