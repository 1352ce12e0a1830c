"""What goes to a partner: the next bundle of its feed, made from the log and written in the log before it leaves.

Always true: a bundle holds what the policy lets that partner read at that moment, made here, once each; recalls go
before everything, alerts before what is less urgent, and within a kind the log's order stands; the same bundle can
be made again from the log, so what is lost on its way is sent again, and nothing is kept twice.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from shiprider.flow.bodies import FORMS, read_body
from shiprider.flow.desk_steps import class_of
from shiprider.flow.exchange.partners import observers
from shiprider.flow.exchange.sent import DISPATCH, Sent, dispatch_of, from_term, place_term, to_term
from shiprider.flow.ids import new_id
from shiprider.flow.sight import Sight
from shiprider.formats.feed_bundle import pack_items
from shiprider.model.envelope import envelope_bytes
from shiprider.model.exchange import Dispatch, RecallOrder, Withdrawal
from shiprider.model.feed_bundle import (
    BEGINNING,
    MOST_ITEMS,
    FeedBundle,
    Item,
    NewKey,
    Recall,
    SharedRecord,
    Withdrawn,
)
from shiprider.model.partner import Partner
from shiprider.model.record import Draft, Record
from shiprider.model.release_class import ReleaseClass
from shiprider.ports.keys import Keys
from shiprider.ports.ledger import Allowed, Filed, Ledger, Query
from shiprider.share.feed import SHARED

RECALL: Final = "recall"
#: Who writes these records where no person does.
PROCESS: Final = "exchange"

#: What goes first on a narrow link; kinds that are not named come after these.
URGENCY: Final = (
    "alert",
    "request",
    "request_answer",
    "chat_message",
    "alert_acknowledgement",
    "disposition",
    "tear_line",
    "area",
    "watchlist",
    "note",
    "finding",
    "agreement",
)

#: Bytes of one bundle's items, unpacked, from which on it is closed.
_FULL_BYTES: Final = 256 * 1024
_SCANNED_AT_ONCE: Final = 1000
#: After so long it is looked anew, though no record came.
_IDLE_US: Final = 2_000_000
#: Records looked at for one bundle at a time: somewhat more than it takes.
_CHOSEN_AT_ONCE: Final = MOST_ITEMS + 20


class Dispatching:
    """One node's outgoing feeds; one thread at a time per partner. `clock` in microseconds since 1970 UTC."""

    def __init__(
        self, ledger: Ledger, sight: Sight, keys: Keys, *, node: str, clock: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self.sent = Sent(ledger)
        self._sight = sight
        self._keys = keys
        self._node = node
        self._clock = clock
        self._lock = threading.Lock()
        #: Up to which place the log was searched for what a partner may no longer see.
        self._looked: dict[str, int] = {}
        #: Of partners for whom nothing waited: when, at which end of the log, under which policy.
        self._idle: dict[str, tuple[Partner, int, str, int]] = {}

    # -- what may go ----------------------------------------------------------------------------------

    def allowed(self, partner: Partner) -> Allowed:
        """The release classes that this partner may read now: this node's own records of kinds that are shared."""
        classes = self._ledger.classes()
        readable: set[int] = set()
        for observer in observers(partner):
            readable |= self._sight.allowed(observer).classes
        return Allowed(
            frozenset(
                number
                for number in readable
                if classes[number].origin == self._node
                and classes[number].kind in SHARED
                and classes[number].label
            )
        )

    # -- making a bundle ------------------------------------------------------------------------------

    def next(self, partner: Partner, *, most_bytes: int = _FULL_BYTES) -> FeedBundle | None:
        """The next bundle, durable in the log on return; None where there is nothing to send."""
        with self._lock:
            if self._is_idle(partner):
                return None
            before = self.sent.last(partner.node)
            now = (self._ledger.head().sequence, self._sight.version, self._clock())
            self._recall_what_narrowed(partner)
            allowed = self.allowed(partner)
            chosen = _Choice(most_bytes)
            for each in self._recalls(partner.node):
                chosen.add_recall(each)
            for answer in self._answers(partner.node):
                chosen.add_answer(answer)
            for key in self._new_keys(partner, before):
                chosen.add_key(key)
            examined = dict(before.examined) if before is not None else {}
            self._choose_records(partner, allowed, examined, chosen)
            if not chosen.items:
                self._idle[partner.node] = (partner, *now)
                return None
            return self._sign(partner, before, chosen, examined)

    def _is_idle(self, partner: Partner) -> bool:
        """Whether nothing was to be sent, and since then no record came, no rule changed, no time to speak of passed.

        Time alone lets an agreement begin or a label end: that is seen after `_IDLE_US`.
        """
        found = self._idle.get(partner.node)
        if found is None:
            return False
        of, sequence, version, at_us = found
        same = (of, sequence, version) == (partner, self._ledger.head().sequence, self._sight.version)
        return same and 0 <= self._clock() - at_us < _IDLE_US

    def renew(self, partner: Partner, epoch: int, sequence: int) -> int:
        """Begin a new epoch with everything after a place of the feed, but for bodies that the law removed since.

        How many bundles it has. A feed whose bundles cannot be made again as they were goes on so.
        """
        with self._lock:
            waiting = self.sent.after(partner.node, epoch, sequence, 1 << 30)
            before: Dispatch | None = None
            made = 0
            for record in waiting:
                sent = dispatch_of(record)
                chosen = _Choice(1 << 40)
                for recall_id in sent.recalls:
                    chosen.add_recall(self._ledger.latest(recall_id))
                for answer_id in sent.answers:
                    chosen.add_answer(self._ledger.latest(answer_id))
                for key_id in sent.keys:
                    chosen.add_key(_key_item(self._keys, key_id))
                shared = [self.sent.record_at(place) for place in sent.records]
                standing = self._standing(shared, self.allowed(partner))
                for each in shared:
                    if each.sequence in standing:
                        chosen.add_record(each)
                newest = self.sent.last(partner.node) if before is None else before
                self._sign(partner, newest, chosen, sent.examined, anew=before is None)
                before = self.sent.last(partner.node)
                made += 1
            return made

    def again(self, record: Record) -> FeedBundle | None:
        """A bundle that was signed, made again byte for byte; None where the law has removed a body since."""
        sent = dispatch_of(record)
        items: list[Item] = []
        items += [_recall_item(self._ledger.latest(recall_id)) for recall_id in sent.recalls]
        items += [_answer_item(self._ledger.latest(answer_id)) for answer_id in sent.answers]
        items += [_key_item(self._keys, key_id) for key_id in sent.keys]
        for place in sent.records:
            shared = self.sent.record_at(place)
            if shared.body is None:
                return None
            items.append(_shared(shared))
        payload, digest = pack_items(items)
        return None if digest != sent.digest else _bundle(self._node, sent, payload)

    # -- parts ----------------------------------------------------------------------------------------

    def _choose_records(
        self, partner: Partner, allowed: Allowed, examined: dict[int, int], chosen: "_Choice"
    ) -> None:
        classes = self._ledger.classes()
        by_kind: dict[str, set[int]] = {}
        for number in allowed.classes:
            by_kind.setdefault(classes[number].kind, set()).add(number)
        newest: dict[str, int] = {}
        for kind in sorted(by_kind, key=_urgency):
            numbers = by_kind[kind]
            while not chosen.is_full():
                start = min(examined.get(number, 0) for number in numbers)
                behind = Allowed(frozenset(n for n in numbers if examined.get(n, 0) == start))
                others = [examined[n] for n in numbers if examined.get(n, 0) > start]
                # Before the page: what is written meanwhile is not in it, and must not count as looked at.
                end = self._ledger.head().sequence
                page = self._ledger.since(start, limit=_CHOSEN_AT_ONCE, kinds=(kind,), allowed=behind)
                reach = page[-1].sequence if len(page) == _CHOSEN_AT_ONCE else max(start, end)
                if others:
                    reach = min(reach, min(others))
                standing = self._standing(page, allowed)
                for record in page:
                    if record.sequence > reach:
                        break
                    if record.sequence in standing and self._is_newer(partner.node, record, newest):
                        if chosen.is_full():
                            reach = record.sequence - 1
                            break
                        chosen.add_record(record)
                        newest[record.id] = record.revision
                for number in behind.classes:
                    examined[number] = reach
                if reach >= end or (not page and not others):
                    break
            if chosen.is_full():
                return

    def _standing(self, page: Sequence[Record], allowed: Allowed) -> set[int]:
        """Places of records that may go: with a body, and no newer revision that this partner may not see.

        What was narrowed or erased before it left is not sent first and taken back then.
        """
        numbers = {of: number for number, of in self._ledger.classes().items()}
        latest = self._ledger.latest_of([record.id for record in page])
        return {
            record.sequence
            for record in page
            if record.body is not None and numbers.get(class_of(latest[record.id])) in allowed.classes
        }

    def _is_newer(self, partner: str, record: Record, newest: dict[str, int]) -> bool:
        """A partner that has a later revision is not sent an earlier one that it may see only now."""
        if record.revision <= newest.get(record.id, 0):
            return False
        if record.revision == 1:
            return True
        if self._is_held_back(partner, record):
            return False
        for before in self.sent.of(record.id, partner):
            for place in before.records:
                if place > record.sequence and self.sent.record_at(place).id == record.id:
                    return False
        return True

    def _is_held_back(self, partner: str, record: Record) -> bool:
        """Whether this revision was taken back before it left, or the record for good."""
        orders = self._ledger.find(Query(RECALL, ((to_term(partner),), (f"record:{record.id}",))))
        found = [_order(each) for each in orders]
        return any(each.reason == "retracted" or each.revision >= record.revision for each in found)

    def _recall_what_narrowed(self, partner: Partner) -> None:
        """Recalls for what this partner was sent and may no longer see, or whose body the law removed."""
        seen = self._seen_of(partner.node)
        allowed = self.allowed(partner)
        classes = {of: number for number, of in self._ledger.classes().items()}
        drafts: list[Draft | Filed] = []
        at = seen
        while page := self._ledger.since(at, limit=_SCANNED_AT_ONCE):
            at = page[-1].sequence
            for record in page:
                found = self._withdrawn_by(partner.node, record, allowed, classes)
                if found is not None and not self._is_recalled(found):
                    drafts.append(recall_draft(found, self._clock(), PROCESS))
        if drafts:
            self._ledger.append(drafts)
        self._looked[partner.node] = at

    def _seen_of(self, partner: str) -> int:
        if partner not in self._looked:
            last = self.sent.last(partner)
            self._looked[partner] = last.looked if last is not None else self._ledger.head().sequence
        return self._looked[partner]

    def _withdrawn_by(
        self, partner: str, record: Record, allowed: Allowed, classes: dict[ReleaseClass, int]
    ) -> RecallOrder | None:
        if record.origin != self._node:
            return None
        if record.kind == "erasure" and record.body is not None:
            gone = msgspec.json.decode(record.body, type=_Erased)
            if partner in self.sent.holders(gone.record):
                return RecallOrder(
                    partner=partner, record=gone.record, revision=gone.revision, reason="erased"
                )
            return None
        if record.revision == 1 or record.kind not in SHARED:
            return None
        if classes.get(class_of(record)) in allowed.classes or partner not in self.sent.holders(record.id):
            return None
        return RecallOrder(partner=partner, record=record.id, revision=record.revision, reason="narrowed")

    def _is_recalled(self, order: RecallOrder) -> bool:
        """A stop between a recall and its bundle makes the search begin before it."""
        before = self._ledger.find(Query(RECALL, ((to_term(order.partner),), (f"record:{order.record}",))))
        return any(_order(each).revision >= order.revision for each in before)

    def _recalls(self, partner: str) -> list[Record]:
        waiting = self._ledger.find(Query(RECALL, ((to_term(partner),),), order="oldest"))
        return [each for each in waiting if not self.sent.was_sent(partner, each.id)]

    def _answers(self, partner: str) -> list[Record]:
        waiting = self._ledger.find(Query("withdrawal", ((from_term(partner),), ("done",)), order="oldest"))
        return [each for each in waiting if not self.sent.was_sent(partner, each.id)]

    def _new_keys(self, partner: Partner, before: Dispatch | None) -> list[NewKey]:
        """Keys that were made since, each endorsed by the one before: sent once, under the one before if it can."""
        told_us = partner.introduction.made_us if before is None else before.made_us
        return [
            NewKey(key.key_id, key.public, key.from_us, key.endorsement)
            for key in self._keys.public()
            if key.endorsement and key.from_us > told_us and not self.sent.was_sent(partner.node, key.key_id)
        ]

    def _sign(
        self,
        partner: Partner,
        before: Dispatch | None,
        chosen: "_Choice",
        examined: dict[int, int],
        *,
        anew: bool = False,
    ) -> FeedBundle:
        payload, digest = pack_items(chosen.items)
        first = before is None or anew
        with self._keys.signing() as signer:
            made_us = max(self._clock(), signer.from_us)
            unsigned = FeedBundle(
                sender=self._node,
                recipient=partner.node,
                epoch=(before.epoch if before is not None else 0) + (1 if first else 0),
                sequence=1 if before is None or anew else before.sequence + 1,
                previous=BEGINNING if before is None or anew else _hash(self._node, before),
                made_us=made_us,
                digest=digest,
                key_id=signer.key_id,
            )
            signature = signer.sign(unsigned.statement(), made_us)
        sent = Dispatch(
            partner=partner.node,
            epoch=unsigned.epoch,
            sequence=unsigned.sequence,
            previous=unsigned.previous,
            made_us=made_us,
            digest=digest,
            key_id=unsigned.key_id,
            signature=signature.hex(),
            records=tuple(chosen.places),
            recalls=tuple(chosen.recalls),
            answers=tuple(chosen.answers),
            keys=tuple(chosen.keys),
            examined=examined,
            looked=self._looked.get(partner.node, 0),
        )
        place = place_term(partner.node, unsigned.epoch, unsigned.sequence)
        terms = (to_term(partner.node), place, *(f"sent:{each}" for each in chosen.ids()))
        draft = Draft(
            id=new_id(),
            kind=DISPATCH,
            expected_revision=0,
            schema=FORMS[DISPATCH].schema,
            author=PROCESS,
            valid_from_us=made_us,
            body=msgspec.json.encode(sent),
        )
        self._ledger.append([Filed(draft=draft, terms=terms)])
        return _bundle(self._node, sent, payload)


class _Erased(msgspec.Struct):
    record: str
    revision: int


class _Choice:
    """What goes into one bundle, until it is full."""

    def __init__(self, most_bytes: int) -> None:
        self.items: list[Item] = []
        self.places: list[int] = []
        self.recalls: list[str] = []
        self.answers: list[str] = []
        self.keys: list[str] = []
        self._ids: list[str] = []
        self._left = most_bytes

    def is_full(self) -> bool:
        """Whether nothing more fits; an empty bundle takes one item of any size."""
        return len(self.items) >= MOST_ITEMS or (self._left <= 0 and bool(self.items))

    def ids(self) -> Iterable[str]:
        """Of everything in it."""
        return dict.fromkeys((*self._ids, *self.recalls, *self.answers, *self.keys))

    def add_recall(self, record: Record) -> None:
        """A recall."""
        if not self.is_full():
            self.recalls.append(record.id)
            self._add(_recall_item(record), 200)

    def add_answer(self, record: Record) -> None:
        """The answer to one."""
        if not self.is_full():
            self.answers.append(record.id)
            self._add(_answer_item(record), 100)

    def add_key(self, key: NewKey) -> None:
        """A new key."""
        if not self.is_full():
            self.keys.append(key.key_id)
            self._add(key, 300)

    def add_record(self, record: Record) -> None:
        """A record."""
        self.places.append(record.sequence)
        self._ids.append(record.id)
        self._add(_shared(record), len(record.body or b"") + len(record.signature) + 400)

    def _add(self, item: Item, size: int) -> None:
        self.items.append(item)
        self._left -= size


def recall_draft(order: RecallOrder, now_us: int, who: str) -> Filed:
    """A recall as a record that waits to be sent."""
    return Filed(
        draft=Draft(
            id=new_id(),
            kind=RECALL,
            expected_revision=0,
            schema=FORMS[RECALL].schema,
            author=who,
            valid_from_us=now_us,
            body=msgspec.json.encode(order),
        ),
        terms=(to_term(order.partner), f"record:{order.record}"),
    )


def _urgency(kind: str) -> tuple[int, str]:
    return (URGENCY.index(kind) if kind in URGENCY else len(URGENCY), kind)


def _shared(record: Record) -> SharedRecord:
    envelope = envelope_bytes(
        id=record.id,
        kind=record.kind,
        revision=record.revision,
        schema=record.schema,
        origin=record.origin,
        author=record.author,
        valid_from_us=record.valid_from_us,
        valid_to_us=record.valid_to_us,
        recorded_us=record.recorded_us,
        label=record.label,
        purpose=record.purpose,
        case=record.case,
        digest=record.digest,
    )
    return SharedRecord(envelope, record.signature, record.body or b"")


def _order(record: Record) -> RecallOrder:
    body: RecallOrder = read_body(record, record.body or b"", FORMS[RECALL]).body
    return body


def _recall_item(record: Record) -> Recall:
    order = _order(record)
    return Recall(record.id, order.record, order.revision, order.reason)


def _answer_item(record: Record) -> Withdrawn:
    done: Withdrawal = read_body(record, record.body or b"", FORMS["withdrawal"]).body
    return Withdrawn(done.recall, record.recorded_us, len(done.derived))


def _key_item(keys: Keys, key_id: str) -> NewKey:
    key = next(each for each in keys.public() if each.key_id == key_id)
    return NewKey(key.key_id, key.public, key.from_us, key.endorsement)


def _unsigned(node: str, sent: Dispatch) -> FeedBundle:
    return FeedBundle(
        sender=node,
        recipient=sent.partner,
        epoch=sent.epoch,
        sequence=sent.sequence,
        previous=sent.previous,
        made_us=sent.made_us,
        digest=sent.digest,
        key_id=sent.key_id,
    )


def _hash(node: str, sent: Dispatch) -> str:
    return _unsigned(node, sent).hash


def _bundle(node: str, sent: Dispatch, payload: bytes) -> FeedBundle:
    return msgspec.structs.replace(
        _unsigned(node, sent), signature=bytes.fromhex(sent.signature), payload=payload
    )
