"""Another label for a record: narrower by one person, wider by the originator's two.

Always true: the label becomes a new revision of the record, with the same content; what widens was agreed to by a second
person, for exactly that revision; nobody but the one originator widens.
"""

import threading
from typing import Any, Final

import msgspec
from msgspec import structs

from shiprider.flow.desk_steps import DeskSteps, Person, check_open, check_own, check_second, reason
from shiprider.flow.ids import new_id
from shiprider.flow.subjects import sees, subject, terms_of
from shiprider.flow.view import Seen, View, seen
from shiprider.model.alert import Alert
from shiprider.model.errors import Conflict, NotFound, UsageError
from shiprider.model.label import combined_text, compare, downgrade, parse, written
from shiprider.model.proposals import ProposalState, Relabelling
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Filed

KIND: Final = "relabelling"
_ACT: Final = "release"


class Relabellings:
    """One node's relabellings."""

    def __init__(self, steps: DeskSteps) -> None:
        self._steps = steps
        self._lock = threading.Lock()

    def propose(
        self, view: View, kind: str, record_id: str, expected_revision: int, *, to: str, why: str, who: Person
    ) -> Seen[Relabelling]:
        """Narrow at once, or put a widening before a second person.

        Raises NotFound, Conflict, UsageError, InputError, Forbidden.
        """
        check_second("", who)
        with self._lock:
            item = self._subject(view, kind, record_id, expected_revision)
            label = written(to, "The new label")
            now = parse(item.record.label)
            if label == now:
                raise UsageError("That is the label it has: change something in it.")
            downgrade(now, label, origin=item.record.origin, by=self._steps.node)
            narrows = compare(label, now) == "narrower"
            self._steps.check_allowed(who, "change" if narrows else "downgrade", item.record)
            body = Relabelling(
                subject=record_id,
                subject_kind=kind,
                subject_revision=item.record.revision,
                was=item.record.label,
                to=label.text,
                why=reason(why),
                state="done" if narrows else "proposed",
                proposed_by=who.name,
                decided_by=who.name if narrows else "",
            )
            proposal_id = new_id()
            what = "narrow label" if narrows else "propose wider label"
            self._steps.told(who, _ACT, what, proposal_id, record_id, why=body.why)
            drafts: list[Draft | Filed] = [self._draft(body, who, proposal_id, 0, item.record)]
            if narrows:
                drafts.append(self._relabelled(item.record, body, who))
            return seen(self._steps.ledger.append(drafts)[0], Relabelling)

    def agree(self, view: View, proposal_id: str, expected_revision: int, who: Person) -> Seen[Relabelling]:
        """Set the wider label. Raises NotFound, Conflict, Forbidden."""
        with self._lock:
            found = self._open(view, proposal_id, expected_revision)
            body = found.body
            item = subject(view, body.subject_kind, body.subject)
            check_second(body.proposed_by, who)
            self._steps.check_allowed(who, "downgrade", item.record)
            if item.record.revision != body.subject_revision or item.record.label != body.was:
                raise Conflict(
                    "The record was revised since this was proposed: propose it again from what is known now."
                )
            downgrade(parse(body.was), written(body.to), origin=item.record.origin, by=self._steps.node)
            done = structs.replace(body, state="done", decided_by=who.name)
            self._steps.told(who, _ACT, "agree to wider label", proposal_id, body.subject, why=body.why)
            records = self._steps.ledger.append(
                [
                    self._draft(done, who, proposal_id, expected_revision, item.record),
                    self._relabelled(item.record, done, who),
                ]
            )
            return seen(records[0], Relabelling)

    def end(
        self, view: View, proposal_id: str, expected_revision: int, who: Person, state: ProposalState
    ) -> Seen[Relabelling]:
        """Refuse it, or withdraw one's own. Raises NotFound, Conflict, Forbidden."""
        with self._lock:
            found = self._open(view, proposal_id, expected_revision)
            item = subject(view, found.body.subject_kind, found.body.subject)
            if state == "withdrawn":
                check_own(found.body.proposed_by, who)
            else:
                check_second("", who)
                self._steps.check_allowed(who, "downgrade", item.record)
            body = structs.replace(found.body, state=state, decided_by=who.name)
            self._steps.told(who, _ACT, f"wider label {state}", proposal_id, why=body.why)
            draft = self._draft(body, who, proposal_id, expected_revision, item.record)
            return seen(self._steps.ledger.append([draft])[0], Relabelling)

    def proposals(self, view: View) -> list[Seen[Relabelling]]:
        """Those that he may see, about records that he sees, newest first."""
        records = reversed(view.proposals(KIND))
        found = [seen(record, Relabelling) for record in records if record.body is not None]
        return [item for item in found if sees(view, item.body.subject_kind, item.body.subject)]

    def proposal(self, view: View, proposal_id: str) -> tuple[Seen[Relabelling], Seen[Any]]:
        """One, and what it is about. Raises NotFound."""
        found = self._find(view, proposal_id, None)
        return found, subject(view, found.body.subject_kind, found.body.subject)

    def _subject(self, view: View, kind: str, record_id: str, expected_revision: int) -> Seen[Any]:
        item = subject(view, kind, record_id)
        if item.record.revision != expected_revision:
            raise Conflict(
                f"The {kind.replace('_', ' ')} {record_id} is at revision {item.record.revision}, not "
                f"{expected_revision}: look again and decide again."
            )
        return item

    def _find(self, view: View, proposal_id: str, expected_revision: int | None) -> Seen[Relabelling]:
        def seen_by(body: Relabelling) -> bool:
            return sees(view, body.subject_kind, body.subject)

        return self._steps.find(proposal_id, expected_revision, Relabelling, KIND, seen_by, view)

    def _open(self, view: View, proposal_id: str, expected_revision: int) -> Seen[Relabelling]:
        item = self._find(view, proposal_id, expected_revision)
        check_open(item.body.state)
        return item

    def _draft(self, body: Relabelling, who: Person, proposal_id: str, revision: int, about: Record) -> Draft:
        # What is said of a record is known no more widely than the record was, nor than it will be.
        label = combined_text([body.was, body.to])
        return self._steps.draft(
            KIND, body, who, id=proposal_id, revision=revision, label=label, case=about.case
        )

    def _relabelled(self, record: Record, body: Relabelling, who: Person) -> Filed:
        if record.body is None:
            raise NotFound(
                f"The body of the {record.kind} {record.id} was erased by law: it keeps its label."
            )
        draft = Draft(
            id=record.id,
            kind=record.kind,
            expected_revision=record.revision,
            schema=record.schema,
            author=who.name,
            valid_from_us=record.valid_from_us,
            valid_to_us=record.valid_to_us,
            label=body.to,
            purpose=record.purpose,
            case=record.case,
            body=_as_relabelled(record.kind, record.body),
        )
        return Filed(draft=draft, terms=terms_of(record))


def _as_relabelled(kind: str, body: bytes) -> bytes:
    """The same body; an alert's names the step by which it came to this revision."""
    if kind != "alert":
        return body
    alert = msgspec.json.decode(body, type=Alert)
    return msgspec.json.encode(structs.replace(alert, event="relabelled", text=""))
