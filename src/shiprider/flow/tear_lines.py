"""Tear-lines on the desk: proposed from a record, looked at side by side, made when a second person agrees.

Always true: what is agreed to is made from exactly the revision that was looked at; the tear-line is a record of its
own under its own label, its link to the original stays under the original's; nothing is made before its delay is over.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import structs

from shiprider.flow.desk_steps import DeskSteps, Person, check_open, check_own, check_second, reason
from shiprider.flow.ids import new_id
from shiprider.flow.subjects import sees, subject
from shiprider.flow.view import Seen, View, seen
from shiprider.measure.clock import iso_from_us
from shiprider.model.errors import Conflict, NotFound, ShipriderError, UsageError
from shiprider.model.label import parse, written
from shiprider.model.proposals import ProposalState, TearLineProposal
from shiprider.model.tear_line import SanitisingRule, TearLine
from shiprider.ports.ledger import Filed
from shiprider.share.tear_line import MEANINGS, SALT_BYTES, Prepared, approve, prepare

KIND: Final = "tear_line_proposal"
_ACT: Final = "release"


@dataclass(frozen=True, slots=True)
class Previewed:
    """A proposal, its original as the reader may see it, and what would be released."""

    proposal: Seen[TearLineProposal]
    original: Seen[Any]
    prepared: Prepared

    @property
    def stale(self) -> bool:
        """Whether the original is no longer the revision that it was made of."""
        return self.original.record.revision != self.proposal.body.original_revision


@dataclass(frozen=True, slots=True)
class Unmade:
    """A proposal of which nothing can be made of its original now, and why, in one sentence."""

    proposal: Seen[TearLineProposal]
    trouble: str


class TearLines:
    """One node's tear-lines. `random` gives so many random bytes; `pseudonym_key` is the node's secret."""

    def __init__(self, steps: DeskSteps, pseudonym_key: bytes, random: Callable[[int], bytes]) -> None:
        self._steps = steps
        self._key = pseudonym_key
        self._random = random
        self._lock = threading.Lock()

    def preview(
        self, view: View, kind: str, record_id: str, rules: Sequence[SanitisingRule], recipient: str, to: str, by: str
    ) -> tuple[Seen[Any], Prepared]:  # fmt: skip
        """(the original as the observer sees it, what would be released). Raises NotFound, UsageError, Forbidden."""
        if kind not in MEANINGS:
            raise UsageError(f"There are no tear-lines of a {kind[:40]}: take one of {', '.join(MEANINGS)}.")
        original = subject(view, kind, record_id)
        prepared = prepare(
            kind,
            original.body,
            rules,
            recipient=recipient,
            pseudonym_key=self._key,
            now=parse(original.record.label),
            to=written(to, "The tear-line's label"),
            origin=original.record.origin,
            node=self._steps.node,
            prepared_by=by,
        )
        return original, prepared

    def propose(
        self, view: View, kind: str, record_id: str, rules: Sequence[SanitisingRule], *, recipient: str, to: str, why: str, who: Person
    ) -> Previewed:  # fmt: skip
        """Put a tear-line before a second person. Raises NotFound, UsageError, InputError, Forbidden."""
        check_second("", who)
        if not recipient.strip() or not recipient.isprintable():
            raise UsageError("A tear-line is for somebody: name the recipient.")
        original, prepared = self.preview(view, kind, record_id, rules, recipient, to, who.name)
        body = TearLineProposal(
            original=record_id,
            original_kind=kind,
            original_revision=original.record.revision,
            rules=prepared.rules,
            recipient=recipient,
            to=prepared.label.text,
            why=reason(why),
            state="proposed",
            proposed_by=who.name,
        )
        proposal_id = new_id()
        self._steps.told(who, _ACT, "propose tear-line", proposal_id, record_id, why=body.why)
        draft = self._steps.draft(
            KIND, body, who, id=proposal_id, label=original.record.label, case=original.record.case
        )
        made = seen(self._steps.ledger.append([draft])[0], TearLineProposal)
        return Previewed(made, original, prepared)

    def proposals(self, view: View) -> list[Seen[TearLineProposal]]:
        """Those that he may see, about records that he sees, newest first."""
        records = reversed(view.proposals(KIND))
        found = [seen(record, TearLineProposal) for record in records if record.body is not None]
        return [item for item in found if sees(view, item.body.original_kind, item.body.original)]

    def listed(self, view: View) -> list[Previewed | Unmade]:
        """The same side by side; one that cannot be made says why, and keeps none of the others back."""
        found: list[Previewed | Unmade] = []
        for item in self.proposals(view):
            try:
                found.append(self._previewed(view, item))
            except NotFound:
                # Its original went out of the reader's sight meanwhile: so it did itself.
                continue
            except ShipriderError as error:
                found.append(Unmade(item, str(error)))
        return found

    def proposal(self, view: View, proposal_id: str) -> Previewed:
        """One, side by side. Raises NotFound: also where its original is not for the observer."""
        return self._previewed(view, self._find(view, proposal_id, None))

    def agree(self, view: View, proposal_id: str, expected_revision: int, who: Person) -> tuple[Seen[TearLineProposal], Seen[TearLine]]:  # fmt: skip
        """Make it. Raises NotFound, Conflict, Forbidden."""
        with self._lock:
            item = self._open(view, proposal_id, expected_revision)
            found = self._previewed(view, item)
            body, record = item.body, found.original.record
            check_second(body.proposed_by, who)
            self._steps.check_allowed(who, "release", record)
            if found.stale:
                raise Conflict(
                    "The original was revised since this was proposed: propose it again from what is known now."
                )
            if found.prepared.not_before_us > self._steps.clock():
                raise Conflict(
                    f"It is delayed until {iso_from_us(found.prepared.not_before_us)}: agree to it then."
                )
            tear_line_id = new_id()
            made, link = approve(
                found.prepared,
                approved_by=who.name,
                tear_line_id=tear_line_id,
                original=record.id,
                revision=record.revision,
                digest=record.digest,
                salt=self._random(SALT_BYTES),
            )
            done = structs.replace(body, state="done", decided_by=who.name, tear_line=tear_line_id)
            self._steps.told(
                who, _ACT, "agree to tear-line", proposal_id, record.id, tear_line_id, why=body.why
            )
            label, case = record.label, record.case
            records = self._steps.ledger.append(
                [
                    self._steps.draft("tear_line", made, who, id=tear_line_id, label=body.to),
                    Filed(
                        draft=self._steps.draft(
                            "tear_line_link", link, who, id=new_id(), label=label, case=case
                        ),
                        terms=(f"tear_line:{tear_line_id}", f"original:{record.id}"),
                    ),
                    self._steps.draft(
                        KIND, done, who, id=proposal_id, revision=expected_revision, label=label, case=case
                    ),
                ]
            )
            return seen(records[2], TearLineProposal), seen(records[0], TearLine)

    def end(
        self, view: View, proposal_id: str, expected_revision: int, who: Person, state: ProposalState
    ) -> Seen[TearLineProposal]:
        """Refuse it, or withdraw one's own. Raises NotFound, Conflict, Forbidden."""
        with self._lock:
            item = self._open(view, proposal_id, expected_revision)
            original = subject(view, item.body.original_kind, item.body.original)
            (check_own if state == "withdrawn" else _anybody)(item.body.proposed_by, who)
            if state == "refused":
                self._steps.check_allowed(who, "release", original.record)
            body = structs.replace(item.body, state=state, decided_by=who.name)
            self._steps.told(who, _ACT, f"tear-line {state}", proposal_id, why=body.why)
            draft = self._steps.draft(
                KIND, body, who, id=proposal_id, revision=expected_revision, label=item.record.label, case=item.record.case
            )  # fmt: skip
            return seen(self._steps.ledger.append([draft])[0], TearLineProposal)

    def _find(self, view: View, proposal_id: str, expected_revision: int | None) -> Seen[TearLineProposal]:
        def seen_by(body: TearLineProposal) -> bool:
            return sees(view, body.original_kind, body.original)

        return self._steps.find(proposal_id, expected_revision, TearLineProposal, KIND, seen_by, view)

    def _open(self, view: View, proposal_id: str, expected_revision: int) -> Seen[TearLineProposal]:
        item = self._find(view, proposal_id, expected_revision)
        check_open(item.body.state)
        return item

    def _previewed(self, view: View, item: Seen[TearLineProposal]) -> Previewed:
        body = item.body
        original, prepared = self.preview(
            view, body.original_kind, body.original, body.rules, body.recipient, body.to, body.proposed_by
        )
        return Previewed(item, original, prepared)


def _anybody(_: str, who: Person) -> None:
    check_second("", who)
