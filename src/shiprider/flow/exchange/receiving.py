"""What comes from a partner: checked as a whole, taken in one commit with its receipt, or refused and kept aside.

Always true: a bundle that was taken once is known again and changes nothing; what a refused bundle holds touches no
store but the quarantine; a recall is written in the same commit as its receipt and carried out before it is
answered, also after a stop in between.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shiprider.flow import terms
from shiprider.flow.bodies import FORMS, read_body
from shiprider.flow.exchange.dispatching import PROCESS
from shiprider.flow.exchange.partners import Partners
from shiprider.flow.exchange.sent import from_term
from shiprider.flow.ids import new_id
from shiprider.formats.feed_bundle import decode, unpack_items
from shiprider.model.errors import Conflict, InputError, NotFound
from shiprider.model.exchange import RecallAnswer, RecallOrder, Receipt, Withdrawal
from shiprider.model.feed_bundle import Acknowledged, FeedBundle, NewKey, Recall
from shiprider.model.partner import Partner
from shiprider.model.record import Draft, Record
from shiprider.model.signature import Check
from shiprider.model.signing_key import SigningKey
from shiprider.ports.ledger import Filed, Ledger, Query, Received
from shiprider.share.feed import Admission, Expected, Opened, Position, TakenRecord, admitted, opened

KIND: Final = "receipt"
WITHDRAWAL: Final = "withdrawal"
ANSWER: Final = "recall_answer"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of some bytes: `answer` as in `share.feed`, `reason` why they were refused (a key of the catalogue).

    `place` is where the feed stands now, to be acknowledged; None where it is nobody's feed.
    """

    answer: Literal["take", "known", "early", "refuse"]
    reason: str = ""
    sender: str = ""
    place: Position | None = None
    records: tuple[Record, ...] = ()


class Receiving:
    """One node's incoming feeds. `clock` gives microseconds since 1970 UTC."""

    def __init__(self, ledger: Ledger, partners: Partners, *, node: str, clock: Callable[[], int]) -> None:
        self._ledger = ledger
        self._partners = partners
        self._node = node
        self._clock = clock
        self._lock = threading.Lock()

    def place(self, partner: str) -> Position:
        """Where a partner's feed stands here."""
        found = self._ledger.find(Query(KIND, ((from_term(partner),),), limit=1))
        if not found:
            return Position()
        last = _receipt(found[0])
        return Position(epoch=last.epoch, sequence=last.sequence, hash=last.hash)

    def take(self, data: bytes, expected_sender: str = "") -> Taken:
        """Take a bundle, if it is the next of a confirmed partner's feed; durable on return where `answer` is take.

        `expected_sender`: who came over that link; another's bundle is not taken there.
        """
        try:
            bundle = decode(data)
        except InputError:
            return Taken("refuse", "unreadable")
        if expected_sender and bundle.sender != expected_sender:
            return Taken("refuse", "other_sender", bundle.sender)
        with self._lock:
            try:
                _, partner = self._partners.partner(bundle.sender)
            except NotFound:
                return Taken("refuse", "unknown_partner", bundle.sender)
            if partner.state != "confirmed":
                return Taken("refuse", "not_confirmed", bundle.sender)
            return self._take(bundle, partner)

    def _take(self, bundle: FeedBundle, partner: Partner) -> Taken:
        sender = partner.node
        last = self.place(sender)
        try:
            keys = self._keys(bundle, partner)
        except InputError:
            return Taken("refuse", "not_signed", sender)
        check = _once(self._partners.checker(keys))
        admission: Admission = admitted(
            bundle,
            Expected(
                sender=sender,
                recipient=self._node,
                last=last,
                check=check,
                now_us=self._clock(),
                taken=lambda epoch, sequence: self._hash_of(sender, epoch, sequence),
            ),
        )
        if admission.answer != "take":
            place = last if admission.answer != "refuse" else None
            return Taken(admission.answer, admission.reason, sender, place)
        try:
            items = opened(unpack_items(bundle.payload), origin=sender, check=check)
            if isinstance(items, str):
                return Taken("refuse", items, sender)
            keys = self._partners.with_next(keys, items.keys)
            entries = self._entries(bundle, partner, items)
            if not isinstance(entries, str) and keys != partner.keys:
                entries.insert(len(entries) - 1, self._partners.keys_draft(partner, keys))
        except InputError:
            return Taken("refuse", "unreadable", sender)
        if isinstance(entries, str):
            return Taken("refuse", entries, sender)
        try:
            records = self._ledger.append(entries)
        except Conflict:
            return Taken("refuse", "conflict", sender)
        self.carry_out()
        place = Position(epoch=bundle.epoch, sequence=bundle.sequence, hash=bundle.hash)
        return Taken("take", "", sender, place, tuple(r for r in records if r.origin == sender))

    def _keys(self, bundle: FeedBundle, partner: Partner) -> tuple[SigningKey, ...]:
        """The partner's keys; with the next one where the bundle is signed by it and brings its endorsement.

        Raises InputError. What is read here of a bundle not yet believed is the endorsement alone, which a key that
        is believed has signed.
        """
        if any(key.key_id == bundle.key_id for key in partner.keys):
            return partner.keys
        brought = [item for item in unpack_items(bundle.payload) if isinstance(item, NewKey)]
        return self._partners.with_next(partner.keys, brought)

    def _entries(
        self, bundle: FeedBundle, partner: Partner, items: Opened
    ) -> list[Draft | Filed | Received] | str:
        entries: list[Draft | Filed | Received] = []
        known = self._ledger.latest_of(list(dict.fromkeys(item.fields.id for item in items.records)))
        coming: dict[str, int] = {}
        for item in items.records:
            found = self._new(item, known.get(item.fields.id), coming)
            if isinstance(found, str):
                return found
            if found is not None:
                entries.append(found)
                coming[item.fields.id] = item.fields.revision
        now_us = self._clock()
        # In a feed that was begun anew what was taken already comes again.
        entries += [
            self._withdrawal(partner.node, recall, now_us)
            for recall in items.recalls
            if not self._ledger.count(Query(WITHDRAWAL, ((_recall_term(partner.node, recall.id),),)))
        ]
        for answer in items.withdrawn:
            order = self._order(answer.recall, partner.node)
            if order is None:
                return "answer"
            if self._ledger.count(Query(ANSWER, ((f"recall:{answer.recall}",),))):
                continue
            told = RecallAnswer(
                partner=partner.node, recall=answer.recall, at_us=answer.at_us, derived=answer.derived
            )
            entries.append(_filed(ANSWER, told, now_us, (f"recall:{answer.recall}",)))
        receipt = Receipt(
            partner=partner.node,
            epoch=bundle.epoch,
            sequence=bundle.sequence,
            hash=bundle.hash,
            made_us=bundle.made_us,
            records=len(items.records),
            recalls=len(items.recalls),
            answers=len(items.withdrawn),
        )
        place = _place_term(partner.node, bundle.epoch, bundle.sequence)
        entries.append(_filed(KIND, receipt, now_us, (from_term(partner.node), place)))
        return entries

    def _new(
        self, item: TakenRecord, known: Record | None, coming: Mapping[str, int]
    ) -> Received | str | None:
        """What is filed of a record; None where it is here already, a word where it cannot be.

        `known` is what is here of it, `coming` the revisions that stand before it in the bundle.
        """
        fields = item.fields
        if fields.id in coming:
            if coming[fields.id] >= fields.revision:
                return "doubled"
        elif known is not None:
            if known.origin != fields.origin:
                return "other_origin"
            if known.revision >= fields.revision:
                return None if self._is_same(fields.id, fields.revision, fields.digest) else "changed"
        form = FORMS.get(fields.kind)
        record = Record(
            **msgspec.structs.asdict(fields),
            body=item.body,
            signature=item.signature,
            sequence=0,
            previous="",
        )
        try:
            if form is not None:
                read_body(record, item.body, form)
            found = terms.of_record(record) or ()
        except (InputError, msgspec.MsgspecError):
            return "body"
        return Received(fields=fields, signature=item.signature, body=item.body, terms=found)

    def _is_same(self, record_id: str, revision: int, digest: str) -> bool:
        mine = {r.revision: r.digest for r in self._ledger.history(record_id)}
        # A revision between two that are here was passed over by the partner: it comes too late to matter.
        return mine.get(revision, digest) == digest

    def _hash_of(self, partner: str, epoch: int, sequence: int) -> str:
        found = self._ledger.find(Query(KIND, ((_place_term(partner, epoch, sequence),),), limit=1))
        return _receipt(found[0]).hash if found else ""

    def _order(self, recall_id: str, partner: str) -> RecallOrder | None:
        record = self._ledger.latest_of([recall_id]).get(recall_id)
        if record is None or record.kind != "recall" or record.body is None or record.origin != self._node:
            return None
        order: RecallOrder = read_body(record, record.body, FORMS["recall"]).body
        return order if order.partner == partner else None

    # -- recalls --------------------------------------------------------------------------------------

    def _withdrawal(self, partner: str, recall: Recall, now_us: int) -> Filed:
        record = self._ledger.latest_of([recall.record]).get(recall.record)
        theirs = record is not None and record.origin == partner
        done = Withdrawal(
            partner=partner,
            recall=recall.id,
            record=recall.record,
            revision=recall.revision,
            reason=recall.reason,
            derived=tuple(self._derived(recall.record)) if theirs else (),
        )
        return _filed(
            WITHDRAWAL,
            done,
            now_us,
            _withdrawal_terms(done, is_done=not theirs),
        )

    def _derived(self, record_id: str) -> list[str]:
        """This node's own records that rest on one: notes, decisions, answers and alerts."""
        found: dict[str, None] = {}
        for kind, term in (
            ("note", f"alert:{record_id}"),
            ("note", f"finding:{record_id}"),
            ("disposition", f"alert:{record_id}"),
            ("watch_log", f"alert:{record_id}"),
            ("alert", f"finding:{record_id}"),
            ("request", f"about:{record_id}"),
            ("request_answer", f"request:{record_id}"),
            ("request_answer", f"reference:{record_id}"),
            ("chat_message", f"reply:{record_id}"),
            ("alert_acknowledgement", f"alert:{record_id}"),
            ("adoption", f"order:{record_id}"),
        ):
            query = Query(kind, ((term,),), origin=self._node)
            found.update(dict.fromkeys(record.id for record in self._ledger.find(query)))
        return list(found)

    def carry_out(self) -> None:
        """Take the bodies of everything that was recalled away; also what a stop left undone."""
        for record in self._ledger.find(Query(WITHDRAWAL, (("waiting",),), order="oldest")):
            done: Withdrawal = read_body(record, record.body or b"", FORMS[WITHDRAWAL]).body
            for mine in self._ledger.history(done.record):
                if mine.revision <= done.revision and mine.body is not None and mine.origin == done.partner:
                    self._ledger.erase(
                        mine.id,
                        mine.revision,
                        author=PROCESS,
                        authority=f"recall {done.recall} of {done.partner}",
                        reason=done.reason,
                    )
            draft = Draft(
                id=record.id,
                kind=WITHDRAWAL,
                expected_revision=record.revision,
                schema=record.schema,
                author=PROCESS,
                valid_from_us=record.valid_from_us,
                body=record.body or b"",
            )
            self._ledger.append([Filed(draft=draft, terms=_withdrawal_terms(done, is_done=True))])

    def withdrawn(self, record_ids: Sequence[str]) -> dict[str, Withdrawal]:
        """By record, the newest recall of it that was carried out here."""
        found: dict[str, Withdrawal] = {}
        for record_id in record_ids:
            for record in self._ledger.find(Query(WITHDRAWAL, ((f"record:{record_id}",),), limit=1)):
                found[record_id] = read_body(record, record.body or b"", FORMS[WITHDRAWAL]).body
        return found

    # -- acknowledgements of our own feed -------------------------------------------------------------

    def acknowledged(self, told: Acknowledged, partner: str) -> bool:
        """Whether an acknowledgement is that partner's of our feed to it."""
        return (
            told.sender == self._node
            and told.recipient == partner
            and told.is_signed(self._partners.check_of(partner))
        )


def _once(check: Check) -> Check:
    """The same, asked once: one signature covers many records of a bundle."""
    known: dict[tuple[str, bytes, bytes, int | None], bool] = {}

    def asked(key_id: str, message: bytes, signature: bytes, at_us: int | None) -> bool:
        key = (key_id, message, signature, at_us)
        if key not in known:
            known[key] = check(*key)
        return known[key]

    return asked


def _filed(kind: str, body: msgspec.Struct, now_us: int, found_by: tuple[str, ...]) -> Filed:
    return Filed(
        draft=Draft(
            id=new_id(),
            kind=kind,
            expected_revision=0,
            schema=FORMS[kind].schema,
            author=PROCESS,
            valid_from_us=now_us,
            body=msgspec.json.encode(body),
        ),
        terms=found_by,
    )


def _receipt(record: Record) -> Receipt:
    body: Receipt = read_body(record, record.body or b"", FORMS[KIND]).body
    return body


def _recall_term(partner: str, recall_id: str) -> str:
    """A recall's id is its sender's to choose: another's of the same id is another recall."""
    return f"{from_term(partner)}:{recall_id}"


def _withdrawal_terms(done: Withdrawal, *, is_done: bool) -> tuple[str, ...]:
    of = (from_term(done.partner), f"record:{done.record}", _recall_term(done.partner, done.recall))
    return (*of, "done" if is_done else "waiting")


def _place_term(partner: str, epoch: int, sequence: int) -> str:
    return f"{from_term(partner)}:{epoch}.{sequence}"
