"""The common timeline of a case: what every node recorded of it, in the order in which it was true.

Always true: it holds what the observer may see, and neither counts nor leaves room for anything else; its order does
not depend on who asks nor on when things came; what was taken back is named, and says nothing any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shiprider.flow.view import View
from shiprider.flow.working.pen import partners_seen
from shiprider.model.record import Record
from shiprider.ports.ledger import Allowed

#: What came so much later than its originator recorded it was missing from the picture meanwhile (our choice).
LATE_US: Final = 10 * 60 * 1_000_000
_AT_ONCE: Final = 1000


class _Erasure(msgspec.Struct):
    record: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """A record of a case as it stands. `known_us`: since when it is here, by this node's clock.

    `late`: it came `LATE_US` or more after its originator's clock says it was recorded. `gone_us`: since when it says
    nothing any more.
    """

    record: Record
    known_us: int
    late: bool
    state: Literal["here", "recalled", "erased"]
    gone_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSeen:
    """A case that the observer may see: whose records there are of it, which partners were taken into it."""

    name: str
    origins: tuple[str, ...]
    partners: tuple[str, ...]


def cases(view: View) -> list[CaseSeen]:
    """Cases of which the observer sees a record, and those he is assigned to, by name."""
    classes = view.ledger.classes()
    origins: dict[str, set[str]] = {name: set() for name in view.observer.cases}
    for number in view.allowed.classes:
        of = classes[number]
        if of.case:
            origins.setdefault(of.case, set()).add(of.origin)
    joined = partners_seen(view)
    return [
        CaseSeen(
            name=name,
            origins=tuple(sorted(found)),
            partners=tuple(each.node for each in joined if name in each.cases),
        )
        for name, found in sorted(origins.items())
    ]


def timeline(
    view: View, case: str, *, after: tuple[int, str] | None = None, limit: int = 100
) -> list[CaseEvent]:
    """Records of a case, newest first by when they were true, then by id; `after` is the last of the page before."""
    first: dict[str, Record] = {}
    gone: dict[str, int] = {}
    for record in _of_case(view, case):
        if record.kind == "erasure":
            # No event of the case: it is told of the record that says nothing since.
            gone[msgspec.json.decode(record.body or b"{}", type=_Erasure).record] = record.recorded_us
        else:
            first.setdefault(record.id, record)
    latest = view.newest_of(list(first))
    standing = [each for each in latest if each.case == case]
    standing.sort(key=place, reverse=True)
    page = [each for each in standing if after is None or place(each) < after][:limit]
    return [_event(view, each, first[each.id], gone.get(each.id)) for each in page]


def place(record: Record) -> tuple[int, str]:
    """Where a record stands in a timeline."""
    return record.valid_from_us, record.id


def _of_case(view: View, case: str) -> Iterator[Record]:
    """Every revision of a case that the observer may see, in the order of the log."""
    allowed, classes = view.allowed, view.ledger.classes()
    within = Allowed(frozenset(n for n in allowed.classes if classes[n].case == case))
    at = 0
    while within.classes:
        page = view.ledger.since(at, limit=_AT_ONCE, allowed=within)
        yield from page
        if len(page) < _AT_ONCE:
            return
        at = page[-1].sequence


def _event(view: View, record: Record, first: Record, gone_us: int | None) -> CaseEvent:
    own = record.origin == view.ledger.origin
    known_us = view.known_here_us(first)
    state: Literal["here", "recalled", "erased"] = "here"
    if record.body is None:
        state = "erased" if own else "recalled"
    return CaseEvent(
        record=record,
        known_us=known_us,
        late=not own and known_us - first.recorded_us >= LATE_US,
        state=state,
        gone_us=gone_us if record.body is None else None,
    )
