"""What people see and decide of the exchange: partners, what each was sent, what is taken back.

Always true: what is shown of a partner's feed are the records that the person who asks may read himself, and nothing
shown or counted depends on others; a partner is confirmed by another person than who introduced it; each decision is
in the access log before it is in the ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shiprider.flow.bodies import FORMS, read_body
from shiprider.flow.desk_steps import DeskSteps, Person, check_person, class_of, reason
from shiprider.flow.exchange.dispatching import Dispatching, recall_draft
from shiprider.flow.exchange.links import LinkState
from shiprider.flow.exchange.partners import (
    Partners,
    Verify,
    check_place,
    observers,
    partner_id,
    read_introduction,
)
from shiprider.flow.exchange.sent import to_term
from shiprider.flow.view import View
from shiprider.model.errors import Conflict, Forbidden, NotFound, UsageError
from shiprider.model.exchange import Dispatch, RecallAnswer, RecallOrder, Withdrawal
from shiprider.model.introduction import Introduction
from shiprider.model.partner import Partner
from shiprider.model.record import Record
from shiprider.ports.ledger import Allowed, Query
from shiprider.ports.policy import Decision
from shiprider.share.feed import SHARED

RECALL: Final = "recall"
ANSWER: Final = "recall_answer"
WITHDRAWAL: Final = "withdrawal"
#: Why a person takes something back; the other reasons are the log's own.
OrderedReason = Literal["retracted", "corrected"]
#: More that wait for a partner are not counted.
MOST_COUNTED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerStanding:
    """A partner, and how the exchange with it stands; `link` None where nothing is exchanged.

    `waiting`: records that the asker may read and the partner was not sent yet, at most MOST_COUNTED.
    """

    record: Record
    partner: Partner
    link: LinkState | None
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedItem:
    """One revision of a record that a partner was sent. `place` is that of its bundle in the partner's feed.

    `recall` is the newest taking back of it, if there is any.
    """

    record: Record
    sent_us: int
    place: tuple[int, int]
    recall: "RecallStanding | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallStanding:
    """A recall: when it was ordered, when it left (None: it waits), when and with what the partner answered."""

    record: Record
    order: RecallOrder
    about: Record | None
    sent_us: int | None
    answered_us: int | None
    derived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnItem:
    """What a partner took back from us: its envelope is left, and what of ours rests on it (of what the asker may read)."""

    record: Record
    withdrawal: Withdrawal
    about: Record
    derived: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOf:
    """One record and one partner: what the policy says now, since when the partner has it, and whether it was recalled."""

    partner: Partner
    decision: Decision
    sent_us: int | None
    place: tuple[int, int] | None
    recall: RecallStanding | None


class Liaison:
    """One node's exchange as its people see it.

    `own` makes this node's introduction; `links` gives how each exchange stands (empty where the node exchanges
    nothing now); `verify` checks Ed25519 signatures.
    """

    def __init__(
        self,
        steps: DeskSteps,
        partners: Partners,
        dispatching: Dispatching,
        *,
        own: Callable[[], Introduction],
        links: Callable[[], Sequence[LinkState]],
        verify: Verify,
    ) -> None:
        self._steps = steps
        self._partners = partners
        self._dispatching = dispatching
        self._sent = dispatching.sent
        self.own = own
        self.links = links
        self._verify = verify

    def id_of(self, partner: Partner) -> str:
        """The id of a partner's record."""
        return partner_id(partner.node)

    # -- partners -------------------------------------------------------------------------------------

    def partners(self, view: View) -> list[PartnerStanding]:
        """Every partner there ever was that the asker may know of, oldest first."""
        states = {state.partner: state for state in self.links()}
        return [
            PartnerStanding(
                record=record,
                partner=partner,
                link=states.get(partner.node),
                waiting=self._waiting(view, partner) if partner.state == "confirmed" else 0,
            )
            for record, partner in self._known(view)
        ]

    def _known(self, view: View) -> list[tuple[Record, Partner]]:
        """Partners as the asker sees them; who runs the node, and reads no records, sees them as they stand."""
        if "node_administrator" in view.observer.roles:
            return self._partners.all()
        seen = (view.newest(record.id) for record, _ in self._partners.all())
        return [
            (record, read_body(record, record.body, FORMS["partner"]).body)
            for record in seen
            if record is not None and record.body is not None
        ]

    def partner(self, record_id: str, view: View | None = None) -> tuple[Record, Partner]:
        """One, by the id of its record: as it stands, or as a view gives it. Raises NotFound."""
        for record, partner in self._partners.all() if view is None else self._known(view):
            if record.id == record_id:
                return record, partner
        raise NotFound(f"There is no partner {record_id}: look the list up again.")

    def introduce(self, text: str, place: str, who: Person) -> tuple[Record, Partner]:
        """Take a partner's introduction in. Raises InputError, UsageError, Conflict, Forbidden."""
        check_person(who)
        told = read_introduction(text.encode(), self._verify)
        check_place(place)
        self._steps.told(who, "administer", "introduce a partner", told.node)
        self._partners.propose(told, place=place, who=who.name)
        return self._partners.partner(told.node)

    def confirm(
        self,
        record_id: str,
        expected_revision: int,
        typed: str,
        who: Person,
        *,
        clearance: str,
        communities: Sequence[str],
        purposes: Sequence[str],
    ) -> tuple[Record, Partner]:
        """Exchange with it from now on. Raises NotFound, Conflict, Forbidden, UsageError."""
        partner = self._looked_at(record_id, expected_revision, who)
        if not purposes:
            raise UsageError("A partner reads for a purpose: name one.")
        self._steps.told(who, "policy", "confirm a partner", partner.node)
        self._partners.confirm(
            partner.node,
            typed,
            who=who.name,
            clearance=clearance,
            communities=communities,
            purposes=purposes,
        )
        return self._partners.partner(partner.node)

    def end(
        self, record_id: str, expected_revision: int, who: Person, *, left: bool, why: str
    ) -> tuple[Record, Partner]:
        """Exchange nothing more with it. Raises NotFound, Conflict, Forbidden, UsageError."""
        partner = self._looked_at(record_id, expected_revision, who)
        said = reason(why)
        self._steps.told(
            who, "policy", "a partner left" if left else "revoke a partner", partner.node, why=said
        )
        self._partners.end(partner.node, "left" if left else "revoked", who=who.name, why=said)
        return self._partners.partner(partner.node)

    def _looked_at(self, record_id: str, expected_revision: int, who: Person) -> Partner:
        check_person(who)
        record, partner = self.partner(record_id)
        if record.revision != expected_revision:
            raise Conflict(
                f"The partner {partner.node!r} is at revision {record.revision}, not {expected_revision}: look "
                "again and decide again."
            )
        return partner

    def _waiting(self, view: View, partner: Partner) -> int:
        ledger, last = self._steps.ledger, self._sent.last(partner.node)
        examined = last.examined if last is not None else {}
        seen = self._dispatching.allowed(partner).classes & view.allowed.classes
        counted = 0
        for start in sorted({examined.get(number, 0) for number in seen}):
            of = Allowed(frozenset(number for number in seen if examined.get(number, 0) == start))
            counted += len(ledger.since(start, limit=MOST_COUNTED, allowed=of))
        return min(counted, MOST_COUNTED)

    # -- what a partner has ---------------------------------------------------------------------------

    def shared(self, view: View, record_id: str, *, after: str, limit: int) -> tuple[list[SharedItem], str]:
        """What a partner was sent of what the asker may read, newest first, and where the next page begins ("": nowhere).

        `after` is the id and revision of the last of the page before, `id.revision`. Raises NotFound, UsageError.
        """
        _, partner = self.partner(record_id, view)
        found: list[SharedItem] = []
        passed = not after
        for sent, record in self._items(view, partner.node):
            name = f"{record.id}.{record.revision}"
            if not passed:
                passed = name == after
                continue
            if len(found) == limit:
                last = found[-1].record
                return found, f"{last.id}.{last.revision}"
            found.append(
                SharedItem(
                    record=record,
                    sent_us=sent.made_us,
                    place=(sent.epoch, sent.sequence),
                    recall=self._newest_recall(view, partner.node, record.id),
                )
            )
        if not passed:
            raise UsageError("The list has changed since that page: begin it again.")
        return found, ""

    def _items(self, view: View, node: str) -> Iterator[tuple[Dispatch, Record]]:
        classes = view.allowed.classes
        number_of = {of: number for number, of in self._steps.ledger.classes().items()}
        for sent in self._sent.newest_first(node):
            for place in reversed(sent.records):
                record = self._sent.record_at(place)
                if number_of.get(class_of(record)) in classes:
                    yield sent, view.numbered([record])[0]

    def partners_of(self, view: View, kind: str, record_id: str) -> list[PartnerOf]:
        """One record and each confirmed partner. Raises NotFound, UsageError."""
        record = self._record(view, kind, record_id)
        found: list[PartnerOf] = []
        for _, partner in self._known(view):
            if partner.state != "confirmed":
                continue
            sent = self._first_sent(view, partner.node, record_id)
            found.append(
                PartnerOf(
                    partner=partner,
                    decision=self._decision(partner, record),
                    sent_us=sent.made_us if sent else None,
                    place=(sent.epoch, sent.sequence) if sent else None,
                    recall=self._newest_recall(view, partner.node, record_id),
                )
            )
        return found

    def _record(self, view: View, kind: str, record_id: str) -> Record:
        if kind not in SHARED:
            raise UsageError(f"{kind[:40]!r} is never sent to partners: take one of {', '.join(SHARED)}.")
        return view.record(record_id, kind)

    def _first_sent(self, view: View, node: str, record_id: str) -> Dispatch | None:
        """The first bundle with a revision that the asker may read."""
        seen = {each.sequence for each in self._steps.ledger.history(record_id, allowed=view.allowed)}
        found = (each for each in reversed(self._sent.of(record_id, node)) if seen & set(each.records))
        return next(found, None)

    def _decision(self, partner: Partner, record: Record) -> Decision:
        """Whether the policy lets it read this; of several purposes, the one that may."""
        given = [self._steps.decision(observer, "read", class_of(record)) for observer in observers(partner)]
        return next((each for each in given if each.allowed), given[0])

    # -- taking back ----------------------------------------------------------------------------------

    def recall(
        self,
        view: View,
        kind: str,
        record_id: str,
        who: Person,
        *,
        partners: Sequence[str],
        because: OrderedReason,
        why: str,
    ) -> list[RecallStanding]:
        """Take a record back from some of those who were sent it; from all of them where `partners` is empty.

        A partner from whom it was `retracted` is not sent later revisions either. Raises NotFound, UsageError, Forbidden.
        """
        check_person(who)
        record = self._record(view, kind, record_id)
        if record.origin != self._steps.node:
            raise Forbidden("This is a partner's: only its originator takes it back.")
        self._steps.check_allowed(who, "change", record)
        said = reason(why)
        held = self._sent.holders(record_id)
        names = list(dict.fromkeys(partners)) or sorted(held)
        strangers = [name for name in names if name not in held]
        if strangers or not names:
            raise UsageError(
                f"{', '.join(strangers) or 'No partner'} was never sent this: there is nothing to take back."
            )
        newest = max(each.revision for each in self._steps.ledger.history(record_id))
        self._steps.told(who, "release", "recall from partners", record_id, *names, why=said)
        drafts = [
            recall_draft(
                RecallOrder(partner=name, record=record_id, revision=newest, reason=because, why=said),
                self._steps.clock(),
                who.name,
            )
            for name in names
        ]
        made = self._steps.ledger.append(drafts)
        return [self._standing(each, view) for each in made]

    def recalls(self, view: View) -> list[RecallStanding]:
        """Every recall of what the asker may read, newest first."""
        found = self._steps.ledger.find(Query(RECALL))
        standing = [self._standing(record, view) for record in found]
        return [each for each in standing if each.about is not None]

    def withdrawn(self, view: View) -> list[WithdrawnItem]:
        """What partners took back of what the asker could read, newest first."""
        found: list[WithdrawnItem] = []
        for record in self._steps.ledger.find(Query(WITHDRAWAL)):
            done: Withdrawal = read_body(record, record.body or b"", FORMS[WITHDRAWAL]).body
            about = view.newest(done.record)
            if about is not None and about.origin == done.partner:
                rests = tuple(each for id_ in done.derived if (each := view.newest(id_)) is not None)
                found.append(WithdrawnItem(record=record, withdrawal=done, about=about, derived=rests))
        return found

    def _newest_recall(self, view: View, node: str, record_id: str) -> RecallStanding | None:
        query = Query(RECALL, ((to_term(node),), (f"record:{record_id}",)))
        standing = (self._standing(each, view) for each in self._steps.ledger.find(query))
        return next((each for each in standing if each.about is not None), None)

    def _about(self, view: View, order: RecallOrder) -> Record | None:
        """The newest revision that was taken back, if the asker may read it; what he may read before it tells nothing."""
        try:
            history = self._steps.ledger.history(order.record, allowed=view.allowed)
        except NotFound:
            return None
        found = [each for each in history if each.revision == order.revision]
        return view.numbered(found)[0] if found else None

    def _standing(self, record: Record, view: View) -> RecallStanding:
        order: RecallOrder = read_body(record, record.body or b"", FORMS[RECALL]).body
        sent = self._sent.of(record.id, order.partner)
        answers = self._steps.ledger.find(Query(ANSWER, ((f"recall:{record.id}",),), order="oldest", limit=1))
        answer = msgspec.json.decode(answers[0].body or b"{}", type=RecallAnswer) if answers else None
        return RecallStanding(
            record=record,
            order=order,
            about=self._about(view, order),
            sent_us=sent[-1].made_us if sent else None,
            answered_us=answer.at_us if answer else None,
            derived=answer.derived if answer else 0,
        )
