"""What all proposals of the release desk have in common: who may decide, on which revision, and what is logged.

Always true: nobody agrees to what he proposed himself; a decision names the revision that was looked at; each step is
in the access log before it is in the ledger; a process decides nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from shiprider.flow.view import Seen, View, seen
from shiprider.model.access_entry import AccessEntry, Act
from shiprider.model.errors import Conflict, Forbidden, NotFound, UsageError
from shiprider.model.observer import Observer
from shiprider.model.proposals import ProposalState
from shiprider.model.record import Draft, Record
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.ports.ledger import Ledger
from shiprider.ports.policy import Decision, Policy

B = TypeVar("B", bound=msgspec.Struct)

#: Shorter is no reason that a second person can judge.
_REASON_LETTERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts at the desk: what a release may depend on, and what the access log calls him."""

    observer: Observer
    login: str

    @property
    def name(self) -> str:
        """What his decisions carry."""
        return self.observer.name


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSteps:
    """One node's desk. `clock` gives microseconds since 1970 UTC; `policy` the policy in force."""

    ledger: Ledger
    node: str
    clock: Callable[[], int]
    policy: Callable[[], Policy]
    log: Callable[[AccessEntry], None]

    def find(
        self,
        record_id: str,
        expected_revision: int | None,
        body: type[B],
        kind: str,
        seen_by: Callable[[B], bool] = lambda _: True,
        view: View | None = None,
    ) -> Seen[B]:
        """A proposal as it stands, or as a view gives it. Raises NotFound, Conflict.

        Whether it and what it is about may be seen is asked for first (`view`, `seen_by`): a hidden proposal, and one
        about something hidden, is like none at all.
        """
        record = view.newest(record_id) if view else self.ledger.latest_of([record_id]).get(record_id)
        found = None if record is None or record.kind != kind or record.body is None else seen(record, body)
        if found is None or not seen_by(found.body):
            raise NotFound(f"There is no {kind.replace('_', ' ')} {record_id}: look the list up again.")
        if expected_revision is not None and found.record.revision != expected_revision:
            raise Conflict(
                f"The {kind.replace('_', ' ')} {record_id} is at revision {found.record.revision}, not "
                f"{expected_revision}: look again and decide again."
            )
        return found

    def told(
        self, who: Person, act: Act, what: str, *objects: str, why: str = "", outcome: str = "allowed"
    ) -> None:
        """A line in the access log. Raises NotLogged."""
        self.log(
            msgspec.convert(
                {
                    "at_us": self.clock(),
                    "who": who.login,
                    "name": who.name,
                    "session": who.observer.session,
                    "act": act,
                    "what": what,
                    "outcome": outcome,
                    "objects": objects,
                    "purpose": who.observer.purpose,
                    "why": why,
                },
                AccessEntry,
            )
        )

    def decision(self, who: Observer, action: Action, of: ReleaseClass) -> Decision:
        """What the policy in force says."""
        return self.policy().decide(who, action, [of], self.clock())[0]

    def check_allowed(self, who: Person, action: Action, record: Record) -> None:
        """Raises Forbidden where the policy does not let him do that with a record."""
        said = self.decision(who.observer, action, class_of(record))
        if not said.allowed:
            raise Forbidden(
                f"The policy does not let you {action} this ({', '.join(said.reasons)}): ask who may."
            )

    def draft(
        self, kind: str, body: msgspec.Struct, who: Person, *, id: str, revision: int = 0, label: str = "", case: str = ""
    ) -> Draft:  # fmt: skip
        """The next revision of a proposal, or a new record."""
        return Draft(
            id=id,
            kind=kind,
            expected_revision=revision,
            schema=1,
            author=who.name,
            valid_from_us=self.clock(),
            label=label,
            case=case,
            body=msgspec.json.encode(body),
        )


def class_of(record: Record) -> ReleaseClass:
    """What of a record its release depends on."""
    return ReleaseClass(
        label=record.label,
        origin=record.origin,
        purpose=record.purpose,
        case=record.case,
        kind=record.kind,
    )


def reason(text: str) -> str:
    """A person's reason in one line. Raises UsageError where it says too little."""
    said = " ".join(text.split())
    if len(said) < _REASON_LETTERS or not said.isprintable():
        raise UsageError("The reason says too little: write why it should be so, in a sentence.")
    return said


def check_person(who: Person) -> None:
    """Raises Forbidden where nobody, or a process, acts."""
    if not who.name or who.name.startswith("process:"):
        raise Forbidden("What is released is decided by people: say who you are.")


def check_open(state: ProposalState) -> None:
    """Raises Conflict where it was decided already."""
    if state != "proposed":
        raise Conflict(f"This proposal is already {state}: make a new one.")


def check_second(proposed_by: str, who: Person, *, needed: bool = True) -> None:
    """Raises Forbidden where a second person is needed and it is the first."""
    check_person(who)
    if needed and proposed_by == who.name:
        raise Forbidden(
            f"{who.name} proposed this, and it widens a release: a second person must agree to it."
        )


def check_own(proposed_by: str, who: Person) -> None:
    """Raises Forbidden where somebody else would withdraw it."""
    check_person(who)
    if proposed_by != who.name:
        raise Forbidden(f"{proposed_by} proposed this: only who proposed withdraws it; refuse it instead.")
