"""The policy in force, and how it comes to be another one.

Always true: the rules in force are those of the newest change that was agreed to, before any those of the settings'
file; what widens needs a second person, who was shown what it lets out now; nobody agrees for whom something of it
is hidden; every step is a record and a line in the access log.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from shiprider.flow.desk_steps import DeskSteps, Person, check_open, check_own, check_second, reason
from shiprider.flow.ids import new_id
from shiprider.flow.view import Seen, seen
from shiprider.formats.policy_toml import parse_rules
from shiprider.model.errors import Conflict, Forbidden, UsageError
from shiprider.model.label import parse, understood
from shiprider.model.observer import Observer
from shiprider.model.proposals import PolicyChange, ProposalState, ReleaseCount
from shiprider.model.record import Draft
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import Rules
from shiprider.ports.ledger import Ledger
from shiprider.ports.policy import Policy
from shiprider.share.shown_change import ShownChange, shown_change

KIND: Final = "policy_change"
_ACT: Final = "policy"


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """One version of a node's rules. `text` is "" where there is no policy file; `change` the record, if any."""

    text: str
    rules: Rules
    policy: Policy
    change: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the text, hex."""
        return digest_of(self.text)


class Policies:
    """The policy in force, kept at hand. Safe to ask from any thread."""

    def __init__(
        self, ledger: Ledger, node: str, text: str, rules: Rules, engine: Callable[[Rules], Policy]
    ) -> None:
        """`text`, `rules` are those of the settings; `engine` makes a Policy of rules."""
        self.node = node
        self.engine = engine
        self._lock = threading.Lock()
        agreed = [
            item
            for record in ledger.of_kind(KIND)
            if record.body is not None
            for item in [seen(record, PolicyChange)]
            if item.body.state == "done"
        ]
        change = ""
        if agreed:
            newest = max(agreed, key=lambda item: item.record.sequence)
            text, rules = newest.body.rules, self.read(newest.body.rules)
            change = newest.record.id
        self._now = PolicyInForce(text, rules, engine(rules), change)

    def now(self) -> PolicyInForce:
        """The rules in force."""
        with self._lock:
            return self._now

    def policy(self) -> Policy:
        """Their engine."""
        return self.now().policy

    def read(self, text: str) -> Rules:
        """Rules of this node in a text. Raises InputError, UsageError."""
        rules = parse_rules(text, "The proposed policy")
        if rules.node != self.node:
            raise UsageError(
                f"The proposed policy is that of {rules.node!r}, but this node is {self.node!r}: correct it."
            )
        return rules

    def put_in_force(self, text: str, change: str) -> None:
        """After its record says so."""
        rules = self.read(text)
        made = PolicyInForce(text, rules, self.engine(rules), change)
        with self._lock:
            self._now = made


class PolicyDesk:
    """Proposing another policy, and agreeing to it. `frames` are the classes of rows that there are."""

    def __init__(
        self, steps: DeskSteps, policies: Policies, frames: Callable[[], Iterable[ReleaseClass]]
    ) -> None:
        self._steps = steps
        self._policies = policies
        self._frames = frames
        # One at a time: what is compared must be what is in force.
        self._lock = threading.Lock()

    def changes(self) -> list[Seen[PolicyChange]]:
        """All of them, newest first."""
        records = self._steps.ledger.of_kind(KIND)
        return [seen(record, PolicyChange) for record in reversed(records) if record.body is not None]

    def change(self, change_id: str) -> Seen[PolicyChange]:
        """One. Raises NotFound."""
        return self._steps.find(change_id, None, PolicyChange, KIND)

    def try_out(self, text: str) -> ShownChange:
        """What a text would newly release and withhold now. Raises InputError, UsageError."""
        rules = self._policies.read(text)
        self._policies.engine(rules)
        counts: dict[ReleaseClass, int | None] = dict.fromkeys(self._frames())
        ledger = self._steps.ledger
        known = ledger.classes()
        for number, count in ledger.class_counts().items():
            counts[known[number]] = count
        return shown_change(self._policies.now().rules, rules, counts, self._steps.clock())

    def propose(self, text: str, why: str, who: Person) -> Seen[PolicyChange]:
        """Put a policy before a second person. Raises InputError, UsageError, Forbidden."""
        check_second("", who)
        with self._lock:
            found = self.try_out(text)
            body = PolicyChange(
                rules=text,
                replaces=self._policies.now().digest,
                why=reason(why),
                state="proposed",
                released=found.released,
                withheld=found.withheld,
                unsampled=found.unsampled,
                shown_us=self._steps.clock(),
                proposed_by=who.name,
            )
            if body.rules == self._policies.now().text:
                raise UsageError("The proposed policy is the one in force: change something in it.")
            change_id = new_id()
            self._steps.told(who, _ACT, "propose policy", change_id, why=_words(body))
            return self._write(self._steps.draft(KIND, body, who, id=change_id))

    def show_again(self, change_id: str, expected_revision: int, who: Person) -> Seen[PolicyChange]:
        """What it would do as things are now; whoever proposed it stays who did. Raises NotFound, Conflict."""
        check_second("", who)
        with self._lock:
            item = self._open(change_id, expected_revision)
            found = self.try_out(item.body.rules)
            body = structs.replace(
                item.body,
                replaces=self._policies.now().digest,
                released=found.released,
                withheld=found.withheld,
                unsampled=found.unsampled,
                shown_us=self._steps.clock(),
            )
            self._steps.told(who, _ACT, "show policy again", change_id, why=_words(body))
            return self._next(item, body, who)

    def agree(self, change_id: str, expected_revision: int, who: Person) -> Seen[PolicyChange]:
        """Put it in force. Raises NotFound, Conflict where it must be shown again, Forbidden."""
        with self._lock:
            item = self._open(change_id, expected_revision)
            shown = shown_of(item.body)
            if item.body.replaces != self._policies.now().digest:
                raise Conflict("The policy in force changed since this was shown: have it shown again first.")
            now = self.try_out(item.body.rules)
            # The one answer of the desk that depends on what its reader may not see (docs/decisions/0008).
            if self.hidden_from(who.observer, shown) or self.hidden_from(who.observer, now):
                raise Forbidden(
                    "Something of what this changes may not be shown to you: ask somebody who may see all of it."
                )
            check_second(item.body.proposed_by, who, needed=shown.widens)
            if now.more_than(shown):
                raise Conflict("It would release more now than was shown: have it shown again first.")
            done = structs.replace(item.body, state="done", decided_by=who.name)
            self._steps.told(who, _ACT, "agree to policy", change_id, why=_words(done))
            made = self._next(item, done, who)
            self._policies.put_in_force(done.rules, change_id)
            return made

    def refuse(self, change_id: str, expected_revision: int, who: Person) -> Seen[PolicyChange]:
        """Decide against it."""
        with self._lock:
            item = self._open(change_id, expected_revision)
            check_second("", who)
            return self._end(item, "refused", "refuse policy", who)

    def withdraw(self, change_id: str, expected_revision: int, who: Person) -> Seen[PolicyChange]:
        """Take back one's own."""
        with self._lock:
            item = self._open(change_id, expected_revision)
            check_own(item.body.proposed_by, who)
            return self._end(item, "withdrawn", "withdraw policy", who)

    def visible(self, who: Observer, shown: ShownChange) -> ShownChange:
        """Of a change the lines of which he may know: what he may read himself for some purpose, and what could come."""
        return ShownChange(
            tuple(line for line in shown.released if line.count == 0 or self._may_know(who, line)),
            tuple(line for line in shown.withheld if line.count == 0 or self._may_know(who, line)),
            shown.unsampled,
        )

    def hidden_from(self, who: Observer, shown: ShownChange) -> bool:
        """Whether a line of it is kept from him."""
        return self.visible(who, shown) != shown

    def _may_know(self, who: Observer, line: ReleaseCount) -> bool:
        of = ReleaseClass(
            label=line.label,
            origin=line.origin,
            purpose=line.recorded_for,
            case=line.case,
            kind=line.kind,
        )
        purposes = {who.purpose, line.recorded_for, *(understood(parse(line.label)).purposes or ())}
        policy, now_us = self._policies.policy(), self._steps.clock()
        return any(
            policy.decide(structs.replace(who, purpose=purpose), "read", [of], now_us)[0].allowed
            for purpose in purposes
        )

    def _open(self, change_id: str, expected_revision: int) -> Seen[PolicyChange]:
        item = self._steps.find(change_id, expected_revision, PolicyChange, KIND)
        check_open(item.body.state)
        return item

    def _end(
        self, item: Seen[PolicyChange], state: ProposalState, what: str, who: Person
    ) -> Seen[PolicyChange]:
        body = structs.replace(item.body, state=state, decided_by=who.name)
        self._steps.told(who, _ACT, what, item.record.id, why=body.why)
        return self._next(item, body, who)

    def _next(self, item: Seen[PolicyChange], body: PolicyChange, who: Person) -> Seen[PolicyChange]:
        return self._write(
            self._steps.draft(KIND, body, who, id=item.record.id, revision=item.record.revision)
        )

    def _write(self, draft: Draft) -> Seen[PolicyChange]:
        return seen(self._steps.ledger.append([draft])[0], PolicyChange)


def shown_of(body: PolicyChange) -> ShownChange:
    """The change as it was put before people."""
    return ShownChange(body.released, body.withheld, body.unsampled)


def digest_of(text: str) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _words(body: PolicyChange) -> str:
    kinds = "all that the two tell apart" if body.unsampled else f"{len(body.released)} kinds of release"
    return f"{kinds}, {len(body.withheld)} withheld: {body.why}"
