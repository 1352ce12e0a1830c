"""View: the only way in which a person, a page or a program reads records and frames.

Always true: a view names its observer; it cannot write; what an observer may not see is, for him, not
there (`NotFound`). Today everyone may see everything: `_visible` is the one place where that changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import msgspec

from shiprider.flow import frames, layers
from shiprider.flow.bodies import FORMS, BodyForm, read_body
from shiprider.flow.picture import Box, Picture, Rows, Static
from shiprider.model.alert import Alert
from shiprider.model.disposition import Disposition
from shiprider.model.errors import NotFound
from shiprider.model.handover import Handover
from shiprider.model.note import Note
from shiprider.model.observer import Observer
from shiprider.model.orders import LegalHold, Preferences, WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.model.watch_log import LogLine
from shiprider.ports.lake import Lake
from shiprider.ports.ledger import Head, Ledger, Query
from shiprider.ports.spool import Spool

B = TypeVar("B", bound=msgspec.Struct)

#: The body of each kind of record.
BODIES: Final[dict[str, type[msgspec.Struct]]] = {kind: form.type for kind, form in FORMS.items()}


@dataclass(frozen=True, slots=True)
class Seen(Generic[B]):
    """A record and its body; `more` are fields of a newer form that are not known here, as plain JSON values."""

    record: Record
    body: B
    more: Mapping[str, Any] = field(default_factory=dict)


def seen(record: Record, body: type[B]) -> Seen[B]:
    """The record with its body read.

    Raises NotFound where the law had it erased, InputError where its form is too old or too new.
    """
    if record.body is None:
        raise NotFound(
            f"The body of the {record.kind} {record.id} was erased by law: only its digest is left."
        )
    form = FORMS.get(record.kind)
    if form is None or form.type is not body:
        form = BodyForm(body)
    read = read_body(record, record.body, form)
    return Seen(record, read.body, read.more)


@dataclass(frozen=True, slots=True)
class View:
    """What one observer sees of one node."""

    observer: Observer
    ledger: Ledger
    lake: Lake
    picture: Picture
    spool: Spool | None = None

    # -- records --------------------------------------------------------------------------------------

    def _visible(self, record: Record) -> bool:
        return record.body is not None

    def _all(self, records: Iterable[Record], body: type[B]) -> list[Seen[B]]:
        return [seen(record, body) for record in records if self._visible(record)]

    def _one(self, record_id: str, kind: str, body: type[B], known_us: int | None = None) -> Seen[B]:
        record = self.ledger.latest(record_id, known_us=known_us)
        if record.kind != kind or not self._visible(record):
            raise NotFound(f"There is no {kind.replace('_', ' ')} {record_id}: look the list up again.")
        return seen(record, body)

    def head(self) -> Head:
        """The end of the log."""
        return self.ledger.head()

    def alert(self, record_id: str, *, known_us: int | None = None) -> Seen[Alert]:
        """One alert. Raises NotFound."""
        return self._one(record_id, "alert", Alert, known_us)

    def alerts(self, query: Query) -> list[Seen[Alert]]:
        """Alerts that match."""
        return self._all(self.ledger.find(query), Alert)

    def alerts_known(self, known_us: int) -> list[Seen[Alert]]:
        """Every alert as it was at a time."""
        return self._all(self.ledger.of_kind("alert", known_us=known_us), Alert)

    def alert_history(self, record_id: str) -> list[Seen[Alert]]:
        """Every step of an alert's life, oldest first."""
        self.alert(record_id)
        return self._all(self.ledger.history(record_id), Alert)

    def finding(self, record_id: str, *, known_us: int | None = None) -> Seen[Publication]:
        """One finding. Raises NotFound."""
        return self._one(record_id, "finding", Publication, known_us)

    def finding_history(self, record_id: str) -> list[Seen[Publication]]:
        """Every revision of a finding, oldest first."""
        self.finding(record_id)
        return self._all(self.ledger.history(record_id), Publication)

    def findings(self, query: Query) -> list[Seen[Publication]]:
        """Findings that match."""
        return self._all(self.ledger.find(query), Publication)

    def findings_of(self, record_ids: Sequence[str]) -> dict[str, Seen[Publication]]:
        """Latest revisions of these findings."""
        found = self.ledger.latest_of(list(record_ids))
        return {item.record.id: item for item in self._all(found.values(), Publication)}

    def count(self, query: Query) -> int:
        """How many match."""
        return self.ledger.count(query)

    def notes(self, subject_kind: str, subject: str) -> list[Seen[Note]]:
        """Notes on a subject, newest first."""
        return self._all(self.ledger.find(Query("note", ((f"{subject_kind}:{subject}",),))), Note)

    def log(self, *, since_us: int | None, after: int | None, limit: int | None) -> list[Seen[LogLine]]:
        """Lines of the watch log, newest first."""
        query = Query(
            "watch_log", start_us=since_us, after=None if after is None else (after, ""), limit=limit
        )
        return self._all(self.ledger.find(query), LogLine)

    def log_lines(self, record_ids: Sequence[str]) -> list[Seen[LogLine]]:
        """These lines, in this order."""
        found = self.ledger.latest_of(list(record_ids))
        return self._all((found[each] for each in record_ids if each in found), LogLine)

    def dispositions(self) -> list[Seen[Disposition]]:
        """What became of the alerts."""
        return self._all(self.ledger.of_kind("disposition"), Disposition)

    def handovers(self, limit: int | None = None) -> list[Seen[Handover]]:
        """Signed handovers, newest first."""
        return self._all(self.ledger.find(Query("handover", limit=limit)), Handover)

    def watchlists(self) -> list[Seen[Watchlist]]:
        """All watchlists."""
        return self._all(self.ledger.of_kind("watchlist"), Watchlist)

    def watchlists_of(self, mmsi: int) -> list[str]:
        """Names of the active watchlists with a line that this vessel matches, by all it last said."""
        said = self.picture.static(mmsi)
        known = {"mmsi": mmsi, "imo": said.imo, "name": said.name.upper(), "callsign": said.callsign.upper()}

        def matches(entry: WatchlistEntry) -> bool:
            given = {name: getattr(entry, name) for name in known if getattr(entry, name)}
            return all((v.upper() if isinstance(v, str) else v) == known[name] for name, v in given.items())

        return [
            item.body.name
            for item in self.watchlists()
            if item.body.active and any(matches(entry) for entry in item.body.entries)
        ]

    def areas(self) -> list[Seen[WatchedArea]]:
        """All areas."""
        return self._all(self.ledger.of_kind("area"), WatchedArea)

    def legal_holds(self) -> list[Seen[LegalHold]]:
        """All legal holds."""
        return self._all(self.ledger.of_kind("legal_hold"), LegalHold)

    def preferences(self) -> Seen[Preferences] | None:
        """How things are shown, if anybody has said so."""
        found = self._all(self.ledger.of_kind("setting"), Preferences)
        return found[-1] if found else None

    # -- frames ---------------------------------------------------------------------------------------

    def search(self, text: str, limit: int) -> list[tuple[int, str, Static]]:
        """Vessels by name, MMSI, IMO number or call sign."""
        return self.picture.search(text, limit)

    def rows(self, box: Box | None = None, *, since_us: int | None = None) -> Rows:
        """The live picture."""
        return self.picture.rows(box, since_us=since_us)

    def picture_at(self, time_us: int, mode: str, box: Box | None) -> Rows:
        """The picture of a past time, as known then or now."""
        return frames.picture_at(self.lake, self.picture, time_us, mode, box)

    def tracks(
        self, mmsi: int, start_us: int, end_us: int, *, known_us: int | None, points: int
    ) -> list[frames.TrackPart]:
        """Tracks of a vessel in a span, thinned."""
        return frames.tracks(self.lake, mmsi, start_us, end_us, known_us=known_us, points=points)

    def life(self, mmsi: int) -> frames.Life:
        """When a vessel was heard and what it said of itself."""
        return frames.life(self.lake, mmsi)

    def observation(self, raw: int) -> frames.Observed:
        """One observation down to its bytes. Raises NotFound."""
        return frames.observation(self.lake, self.spool, raw)

    def reception(
        self, start_us: int, end_us: int, box: Box | None, resolution: int | None
    ) -> layers.ReceptionLayer:
        """Where reception reached in a span."""
        return layers.reception(self.lake, start_us, end_us, box, resolution)

    def quarantine(self) -> list[layers.Refused]:
        """What could not be decoded, by reason."""
        return layers.quarantine(self.lake)
