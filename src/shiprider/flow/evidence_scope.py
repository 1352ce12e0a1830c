"""What of a finding one person may take out of the node, by the policy in force.

Always true: what he may not read is, for him, not there: it is neither exported nor counted, and said of in the same
words as what is gone; what he may read and not export is left out and said to be; a finding of which not every
revision he may read may go, or whose revisions have a hole for him, is refused, because part of it would mislead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shiprider.flow.sight import Frames, Sight
from shiprider.model.errors import Forbidden, NotFound
from shiprider.model.label import UNKNOWN_TEXT, number_of, parse, understood
from shiprider.model.observer import Observer
from shiprider.model.record import Record
from shiprider.model.release_class import Action
from shiprider.ports.ledger import Allowed, Ledger, Query
from shiprider.ports.spool import Spool

#: The caveat of what may not be shown in a court, which is what a package of evidence is for.
NO_COURT: Final = "NO-COURT-USE"

#: In the words of a package, whether retention removed it or it is not for whoever exports.
GONE: Final = "the lake no longer holds its row"
WITHHELD: Final = "it may not be exported"


@dataclass(frozen=True, slots=True)
class RawRow:
    """Where a raw address is in the lake: the table, the number of its label, how many bytes it has."""

    table: str
    label_id: int
    length: int


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes at a raw address that may be taken out; `parts` (offset from the address, length) of what they are."""

    data: bytes
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ScopedRecords:
    """Records that may go, and whether others were left out that the exporter may read."""

    records: list[Record]
    withheld: int


@dataclass(frozen=True, slots=True)
class EvidenceScope:
    """One person's. `row_of` finds a raw address in the lake; None where its row is gone."""

    observer: Observer
    sight: Sight
    ledger: Ledger
    spool: Spool
    row_of: Callable[[int], RawRow | None]

    def records(self, finding: str) -> ScopedRecords:
        """Every revision of the finding, of the alerts that rest on it and of what was decided on them.

        Raises NotFound where there is no such finding for him, Forbidden where part of it may not go.
        """
        read = self.sight.allowed(self.observer)
        export = Allowed(read.classes & self.sight.allowed(self.observer, "export").classes)
        own = self._finding(finding, read, export)
        alerts = self._about("alert", f"finding:{finding}", read)
        decided = [each for alert in alerts for each in self._about("disposition", f"alert:{alert}", read)]
        found, withheld = own, 0
        for record_id in (*alerts, *decided):
            may_go = self._may_go(record_id, export)
            withheld += len(self.ledger.history(record_id, allowed=read)) - len(may_go)
            found = [*found, *may_go]
        return ScopedRecords(sorted(found, key=lambda record: record.sequence), withheld)

    def raw(self, address: int) -> Raw | Literal["gone", "withheld"]:
        """The bytes at a raw address. Raises NotFound, CorruptStore where the spool does not have them."""
        row = self.row_of(address)
        if row is None or not self._frames(row.table, "read").admits(row.label_id):
            return "gone"
        if not self._row_goes(row.table, row.label_id):
            return "withheld"
        # A message's sentences may lie among those of other feeds, which have labels of their own.
        labels = {source.number: source.declaration.label for source in self.spool.sources()}
        data, parts = b"", list[tuple[int, int]]()
        at, end = address, address + row.length
        while at < end:
            stored = self.spool.locate(at)
            until = min(stored.end, end)
            if self._row_goes(row.table, number_of(labels.get(stored.source, UNKNOWN_TEXT))):
                data += self.spool.read(at, until - at)
                parts.append((at - address, until - at))
            elif at == address:
                return "withheld"
            at = until
        return Raw(data, tuple(parts))

    def _finding(self, finding: str, read: Allowed, export: Allowed) -> list[Record]:
        missing = f"There is no finding {finding}: look the list up again."
        try:
            history = self.ledger.history(finding, allowed=read)
        except NotFound:
            raise NotFound(missing) from None
        if history[0].kind != "finding":
            raise NotFound(missing)
        if [record.revision for record in history] != list(range(1, len(history) + 1)):
            raise Forbidden(
                f"A revision of the finding {finding} may not be shown to {self.observer.name}, and a package with a "
                "gap would mislead: ask somebody who may see all of it."
            )
        if len(self._may_go(finding, export)) < len(history):
            raise Forbidden(
                f"The policy does not let {self.observer.name} export every revision of the finding {finding}, and a "
                "package of some would mislead: ask somebody who may, or release a tear-line of it."
            )
        return history

    def _about(self, kind: str, term: str, read: Allowed) -> list[str]:
        query = Query(kind, ((term,),), origin=self.ledger.origin, order="oldest", allowed=read)
        return [record.id for record in self.ledger.find(query)]

    def _may_go(self, record_id: str, export: Allowed) -> Sequence[Record]:
        try:
            history = self.ledger.history(record_id, allowed=export)
        except NotFound:
            return ()
        return [record for record in history if _for_court(record.label)]

    def _frames(self, table: str, action: Action) -> Frames:
        return self.sight.frames(self.observer, table, action)

    def _row_goes(self, table: str, label_id: int) -> bool:
        label = self.sight.labels().get(label_id, UNKNOWN_TEXT)
        admitted = all(self._frames(table, action).admits(label_id) for action in _BOTH)
        return admitted and _for_court(label)


_BOTH: Final[tuple[Action, ...]] = ("read", "export")


def _for_court(label: str) -> bool:
    return NO_COURT not in understood(parse(label)).caveats
