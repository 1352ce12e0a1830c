"""Adopting a partner's areas and watchlists: what this node follows of what others look for.

Always true: nothing of a partner raises an alert here that nobody here adopted; an adoption ends with a recall; what is
found by it is known to no more than the order itself.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import structs

from shiprider.flow.view import Seen, View, seen
from shiprider.flow.working.pen import Pen
from shiprider.model.adoption import Adoption, AdoptionMode, OrderKind
from shiprider.model.errors import Conflict, Forbidden, UsageError
from shiprider.model.finding import Finding
from shiprider.model.label import combined_text, held_by, parse
from shiprider.model.orders import WatchedArea, Watchlist
from shiprider.model.record import Record
from shiprider.ports.ledger import Ledger

KIND: Final = "adoption"
_BODIES: Final[dict[OrderKind, type[Watchlist] | type[WatchedArea]]] = {
    "watchlist": Watchlist,
    "area": WatchedArea,
}
#: What a finding says of the order that asked for it, by behaviour.
_NAMED_BY: Final = {"watchlist": "list", "area": "area"}
#: The end of an adopted order's name in findings: whose it is, and which.
_MARK: Final = re.compile(r"\((?P<origin>.+) (?P<id>[0-9a-f]{8})\)$")

#: following, pinned: in force; changed: pinned, and its originator has revised it; withdrawn: its originator ended it;
#: recalled: its originator took it back; ended: somebody here ended it; offered: nobody has adopted it.
AdoptionState = Literal["offered", "following", "pinned", "changed", "withdrawn", "recalled", "ended"]


@dataclass(frozen=True, slots=True)
class InForce:
    """A partner's order that this node follows, and what it is called in findings."""

    body: Watchlist | WatchedArea
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOrder:
    """A partner's order as a person sees it here; without content where it was recalled."""

    id: str
    kind: OrderKind
    origin: str
    state: AdoptionState
    order: Seen[Watchlist] | Seen[WatchedArea] | None
    adoption: Seen[Adoption] | None
    known_us: int


class Adopting:
    """What one person adopts."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen

    def adopt(
        self, order_id: str, kind: OrderKind, mode: AdoptionMode, *, digest: str, author: str
    ) -> Seen[Adoption]:
        """Follow a partner's order as one's own. `digest` is of the body that was looked at.

        Raises NotFound, Conflict, Forbidden, UsageError.
        """
        pen = self._pen
        record = pen.view.record(order_id, kind)
        if record.origin == pen.node:
            raise UsageError(f"The {kind} is this node's own: it is in force without being adopted.")
        if record.digest != digest:
            raise Conflict(
                f"The {kind} was changed by {record.origin} meanwhile: look again and decide again."
            )
        standing = adoption_of(pen.view, order_id)
        if standing is not None and standing.body.active:
            raise Conflict(f"The {kind} is adopted already: end that first, to adopt it in another way.")
        body = Adoption(order=order_id, order_kind=kind, origin=record.origin, digest=digest, mode=mode)
        # What is looked for here is this node's own affair, and known to no more than the partner's order.
        of = pen.of_kind(KIND, pen.label_of("", (record,)), purpose=record.purpose, case=record.case)
        return seen(pen.write(of, body, author), Adoption)

    def end(self, adoption_id: str, expected_revision: int, *, author: str) -> Seen[Adoption]:
        """Follow it no longer. Raises NotFound, Conflict, Forbidden."""
        pen = self._pen
        now = pen.view.one(adoption_id, KIND, Adoption)
        if now.record.revision != expected_revision:
            raise Conflict(
                f"{now.record.author} changed this adoption meanwhile: look again and decide again."
            )
        if not now.body.active:
            raise Conflict("The adoption has ended already: nothing is to be done.")
        newest = pen.ledger.latest(adoption_id)
        if newest.sequence != now.record.sequence or now.record.origin != pen.node:
            raise Forbidden("The adoption cannot be changed by you now: ask the watch.")
        of = pen.of_kind(KIND, now.record.label, purpose=now.record.purpose, case=now.record.case)
        made = pen.write(
            of,
            structs.replace(now.body, active=False),
            author,
            record_id=adoption_id,
            revision=newest.revision,
            valid_from_us=now.record.valid_from_us,
        )
        return seen(made, Adoption)


def adoption_of(view: View, order_id: str) -> Seen[Adoption] | None:
    """The newest adoption of an order that the observer sees."""
    found = [each for each in view.of_kind(KIND, Adoption) if each.body.order == order_id]
    return found[-1] if found else None


def partner_orders(view: View) -> list[PartnerOrder]:
    """Areas and watchlists of partners that the observer sees, by whose they are; adopted ones that are gone too."""
    adoptions = {each.body.order: each for each in view.of_kind(KIND, Adoption)}
    found: list[PartnerOrder] = []
    listed: list[tuple[OrderKind, Seen[Watchlist] | Seen[WatchedArea]]] = []
    listed += [("watchlist", each) for each in view.watchlists()]
    listed += [("area", each) for each in view.areas()]
    for kind, order in listed:
        if order.record.origin == view.ledger.origin:
            continue
        adoption = adoptions.pop(order.record.id, None)
        found.append(
            PartnerOrder(
                id=order.record.id,
                kind=kind,
                origin=order.record.origin,
                state=_state(adoption, order),
                order=order,
                adoption=adoption,
                known_us=view.known_here_us(order.record),
            )
        )
    for order_id, adoption in adoptions.items():
        if not view.there([order_id]):
            continue
        found.append(
            PartnerOrder(
                id=order_id,
                kind=adoption.body.order_kind,
                origin=adoption.body.origin,
                state="recalled",
                order=None,
                adoption=adoption,
                known_us=adoption.record.recorded_us,
            )
        )
    return sorted(found, key=lambda each: (each.origin, each.kind, each.known_us, each.id))


def _state(adoption: Seen[Adoption] | None, order: Seen[Watchlist] | Seen[WatchedArea]) -> AdoptionState:
    if adoption is None:
        return "offered"
    if not adoption.body.active:
        return "ended"
    if adoption.body.mode == "pin":
        return "pinned" if adoption.body.digest == order.record.digest else "changed"
    return "following" if order.body.active else "withdrawn"


# -- what the node follows ----------------------------------------------------------------------------


def adopted_orders(ledger: Ledger) -> list[InForce]:
    """Partners' orders that are in force here."""
    found: list[InForce] = []
    for record in ledger.of_kind(KIND):
        if record.origin != ledger.origin or record.body is None:
            continue
        adoption = seen(record, Adoption).body
        order = _meant(ledger, adoption) if adoption.active else None
        if order is None or order.body is None:
            continue
        body = seen(order, _BODIES[adoption.order_kind]).body
        if body.active:
            found.append(InForce(body, f"{body.name} ({order.origin} {order.id[:8]})"))
    return found


def order_label(ledger: Ledger, finding: Finding) -> str | None:
    """The label of the partner's order by which something was found, also when it has ended; None for one's own."""
    name = str(finding.facts.get(_NAMED_BY.get(finding.behaviour, ""), ""))
    marked = _MARK.search(name)
    if marked is None:
        return None
    labels = []
    for record in ledger.of_kind(KIND):
        if record.body is None or record.origin != ledger.origin:
            continue
        adoption = seen(record, Adoption).body
        if adoption.origin == marked["origin"] and adoption.order.startswith(marked["id"]):
            labels += [
                held_by(parse(each.label), each.origin).text for each in ledger.history(adoption.order)
            ]
    return combined_text(labels) if labels else None


def _meant(ledger: Ledger, adoption: Adoption) -> Record | None:
    """The revision that an adoption means; none where it was recalled, or is not the partner's it was adopted from."""
    history = [each for each in ledger.history(adoption.order) if each.origin == adoption.origin]
    if not history or history[-1].kind != adoption.order_kind:
        return None
    if adoption.mode == "follow":
        return history[-1]
    return next((each for each in history if each.digest == adoption.digest), None)
