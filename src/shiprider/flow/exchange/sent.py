"""What was sent to partners, as the log has it: where each feed stands, who holds what.

Always true: everything here is read from the dispatches, which were written before anything left.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from shiprider.flow.bodies import FORMS, read_body
from shiprider.model.exchange import Dispatch
from shiprider.model.record import Record
from shiprider.ports.ledger import Ledger, Query

DISPATCH: Final = "dispatch"
#: Dispatches read at once where all of a partner's are looked through.
_PAGE: Final = 50


def to_term(partner: str) -> str:
    """By which records of what goes to a partner are found. A term is one word; a partner's name is anything."""
    return f"to:{hashlib.sha256(partner.encode()).hexdigest()[:16]}"


def from_term(partner: str) -> str:
    """By which records of what came from a partner are found."""
    return f"from:{hashlib.sha256(partner.encode()).hexdigest()[:16]}"


def place_term(partner: str, epoch: int, sequence: int) -> str:
    """By which the dispatch of one place of a partner's feed is found."""
    return f"{to_term(partner)}:{epoch}.{sequence}"


def dispatch_of(record: Record) -> Dispatch:
    """The body of a dispatch."""
    body: Dispatch = read_body(record, record.body or b"", FORMS[DISPATCH]).body
    return body


class Sent:
    """What one node sent."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def last(self, partner: str) -> Dispatch | None:
        """The newest bundle that was signed for a partner."""
        found = self._ledger.find(Query(DISPATCH, ((to_term(partner),),), limit=1))
        return dispatch_of(found[0]) if found else None

    def after(self, partner: str, epoch: int, sequence: int, most: int) -> list[Record]:
        """Dispatches that follow a place of the feed, in order: what a partner has not acknowledged yet."""
        last = self.last(partner)
        if last is None:
            return []
        if epoch < last.epoch:
            epoch, sequence = last.epoch, 0
        found: list[Record] = []
        while len(found) < most:
            term = place_term(partner, epoch, sequence + 1 + len(found))
            records = self._ledger.find(Query(DISPATCH, ((term,),), limit=1))
            if not records:
                break
            found.append(records[0])
        return found

    def was_sent(self, partner: str, id_: str) -> bool:
        """Whether a partner was sent anything of that id: a record, a recall, an answer, a key."""
        return self._ledger.count(Query(DISPATCH, ((f"sent:{id_}",), (to_term(partner),)))) > 0

    def of(self, id_: str, partner: str = "") -> list[Dispatch]:
        """The bundles in which something was sent, newest first; to everybody, or to one partner."""
        terms: tuple[tuple[str, ...], ...] = ((f"sent:{id_}",),)
        if partner:
            terms += ((to_term(partner),),)
        return [dispatch_of(record) for record in self._ledger.find(Query(DISPATCH, terms))]

    def record_at(self, place: int) -> Record:
        """A record by its place in the log."""
        return self._ledger.since(place - 1, limit=1)[0]

    def holders(self, record_id: str) -> dict[str, int]:
        """Who was sent this record, and up to which of its places in the log."""
        held: dict[str, int] = {}
        for sent in self.of(record_id):
            held[sent.partner] = max(held.get(sent.partner, 0), max(sent.records, default=0))
        return held

    def newest_first(self, partner: str) -> Iterator[Dispatch]:
        """Every bundle for a partner."""
        after: tuple[int, str] | None = None
        while True:
            query = Query(DISPATCH, ((to_term(partner),),), after=after, limit=_PAGE)
            page = self._ledger.find(query)
            yield from (dispatch_of(record) for record in page)
            if len(page) < _PAGE:
                return
            after = (page[-1].sequence, page[-1].id)
