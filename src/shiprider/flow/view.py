"""View: the only way in which a person, a page or a program reads records and frames.

Always true: a view names its observer; it cannot write; every read is held to what `Sight` allows him, before
anything is counted, sorted or paged; what he may not see is, for him, not there (`NotFound`, in the same words), and
nothing that he is shown points to it; revisions are numbered as he sees them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy as np
import polars as pl
from msgspec import structs

from shiprider.flow import frames, layers
from shiprider.flow.bodies import FORMS, BodyForm, read_body
from shiprider.flow.numbers import Numbers
from shiprider.flow.picture import Box, Rows, Static
from shiprider.flow.pictures import Pictures, Seeable
from shiprider.flow.sight import Frames, Sight
from shiprider.model.alert import Alert
from shiprider.model.disposition import Disposition, newest_of_each_alert
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.foreign_report import ForeignReport
from shiprider.model.handover import Handover
from shiprider.model.label import UNKNOWN_TEXT
from shiprider.model.note import Note
from shiprider.model.observer import Observer
from shiprider.model.orders import LegalHold, Preferences, WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.model.watch_log import LogLine
from shiprider.ports.lake import Lake
from shiprider.ports.ledger import Allowed, Head, Ledger, Query
from shiprider.ports.spool import Spool

B = TypeVar("B", bound=msgspec.Struct)

#: The body of each kind of record.
BODIES: Final[dict[str, type[msgspec.Struct]]] = {kind: form.type for kind, form in FORMS.items()}


#: What nodes ask and tell each other: who follows the log is told that there is more of it.
WORKING: Final = (
    "chat_message",
    "request",
    "request_answer",
    "alert_acknowledgement",
    "adoption",
    "watchlist",
    "area",
)

#: What a page ends with: a record and which of its revisions, as the observer counts them.
_CURSOR: Final = re.compile("[0-9a-f]{32}[.][1-9][0-9]{0,8}")


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
    pictures: Pictures
    sight: Sight
    numbers: Numbers
    spool: Spool | None = None

    # -- records --------------------------------------------------------------------------------------

    @property
    def allowed(self) -> Allowed:
        """The classes of records that the observer may read now."""
        return self.sight.allowed(self.observer)

    def _find(self, query: Query) -> list[Record]:
        return self.numbered(self.ledger.find(replace(query, allowed=self.allowed)))

    def _of_kind(self, kind: str, known_us: int | None = None) -> list[Record]:
        return self.numbered(self.ledger.of_kind(kind, known_us=known_us, allowed=self.allowed))

    def numbered(self, records: Iterable[Record]) -> list[Record]:
        """The records with their revisions counted as the observer sees them."""
        listed = list(records)
        later = [record.id for record in listed if record.revision > 1]
        if not later or self.sight.everything(self.observer):
            return listed
        seen_of = self.ledger.revisions_of(list(dict.fromkeys(later)), allowed=self.allowed)
        return [
            structs.replace(record, revision=seen_of[record.id].index(record.revision) + 1)
            if record.revision > 1
            else record
            for record in listed
        ]

    def of_kind(self, kind: str, body: type[B]) -> list[Seen[B]]:
        """All that the observer sees of a kind, in the order of the log."""
        return self._all(self._of_kind(kind), body)

    def found(self, query: Query, body: type[B]) -> list[Seen[B]]:
        """Records that match, with what they say."""
        return self._all(self._find(query), body)

    def one(self, record_id: str, kind: str, body: type[B]) -> Seen[B]:
        """One record, with what it says. Raises NotFound."""
        return self._one(record_id, kind, body)

    def known_here_us(self, record: Record) -> int:
        """Since when this revision is in the node's log, by its own clock.

        Of a partner's that is the time of the receipt, which stands behind it in the same commit: its own time of
        recording is by the partner's clock.
        """
        if record.origin == self.ledger.origin:
            return record.recorded_us
        own = Allowed(
            frozenset(n for n, of in self.ledger.classes().items() if of.origin == self.ledger.origin)
        )
        behind = self.ledger.since(record.sequence, limit=1, allowed=own)
        return behind[0].recorded_us if behind else record.recorded_us

    def proposals(self, kind: str) -> list[Record]:
        """Records of a kind that are put before people, oldest first, revisions as the observer counts them."""
        return self._of_kind(kind)

    def newest_of(self, record_ids: Sequence[str]) -> list[Record]:
        """The newest revisions that the observer sees of many, those without a body too."""
        return self.numbered(self.ledger.latest_of(record_ids, allowed=self.allowed).values())

    def newest(self, record_id: str) -> Record | None:
        """The newest revision that the observer sees, of whatever kind; None where he sees none."""
        found = self.ledger.latest_of([record_id], allowed=self.allowed)
        return next(iter(self.numbered(found.values())), None)

    def _all(self, records: Iterable[Record], body: type[B]) -> list[Seen[B]]:
        return [seen(record, body) for record in records if record.body is not None]

    def record(self, record_id: str, kind: str, known_us: int | None = None) -> Record:
        """The envelope of one record of a kind. Raises NotFound."""
        missing = f"There is no {kind.replace('_', ' ')} {record_id}: look the list up again."
        try:
            record = self.ledger.latest(record_id, known_us=known_us, allowed=self.allowed)
        except NotFound:
            raise NotFound(missing) from None
        if record.kind != kind or record.body is None:
            raise NotFound(missing)
        return self.numbered([record])[0]

    def _one(self, record_id: str, kind: str, body: type[B], known_us: int | None = None) -> Seen[B]:
        return seen(self.record(record_id, kind, known_us), body)

    def head(self, *, known_us: int | None = None) -> Head:
        """How many records the observer may see, and a hash of the newest of them."""
        return self.ledger.head(known_us=known_us, allowed=self.allowed)

    def there(self, record_ids: Iterable[str]) -> set[str]:
        """Which of these records the observer may see: what is linked to others is not shown."""
        wanted = [each for each in dict.fromkeys(record_ids) if each]
        return set(self.ledger.latest_of(wanted, allowed=self.allowed)) if wanted else set()

    def place_of(self, cursor: str) -> int:
        """Where in the log a page ended, from `cursor_of`. Raises UsageError."""
        stale = "The cursor is not one of ours: read the list anew."
        if not _CURSOR.fullmatch(cursor):
            raise UsageError(stale)
        record_id, _, revision = cursor.partition(".")
        try:
            history = self.ledger.history(record_id, allowed=self.allowed)
            return history[int(revision) - 1].sequence
        except (NotFound, IndexError):
            raise UsageError(stale) from None

    def cursor_of(self, item: Seen[Any]) -> str:
        """The place of a record in what the observer sees: the log's own numbers would count what he does not."""
        return f"{item.record.id}.{item.record.revision}"

    def _alerts(self, records: Iterable[Record], known_us: int | None = None) -> list[Seen[Alert]]:
        """Alerts with the observer's own chances and budget, and links to what he sees only."""
        listed = self._all(records, Alert)
        if not listed:
            return []
        plain = [(item.record.id, item.body) for item in listed]
        if known_us is None:
            bodies = self.numbers.alerts(self.allowed, plain)
        else:
            bodies = self.numbers.alerts_known(self.allowed, known_us, plain)
        linked = self.there(
            each for body in bodies for each in (body.finding, *body.findings, body.merged_into)
        )
        return [
            Seen(item.record, _linked(body, linked), item.more)
            for item, body in zip(listed, bodies, strict=True)
        ]

    def alert(self, record_id: str, *, known_us: int | None = None) -> Seen[Alert]:
        """One alert. Raises NotFound."""
        record = self.record(record_id, "alert", known_us)
        if known_us is None:
            return self._alerts([record])[0]
        return next(item for item in self.alerts_known(known_us) if item.record.id == record_id)

    def alerts(self, query: Query) -> list[Seen[Alert]]:
        """Alerts that match."""
        return self._alerts(self._find(query))

    def alerts_known(self, known_us: int) -> list[Seen[Alert]]:
        """Every alert as it was at a time."""
        return self._alerts(self._of_kind("alert", known_us), known_us)

    def log_place(self) -> int:
        """Where the log ends: for whoever follows it inside the node (`alerts_since`), never shown."""
        return self.ledger.head().sequence

    def alerts_since(self, sequence: int, limit: int) -> tuple[list[Seen[Alert]], int]:
        """Alerts that the observer sees among what came after a place in the log, and the place it was read to.

        The place is for whoever follows the log inside the node; it is never shown.
        """
        end = self.log_place()
        kinds = ("alert", "watchlist", "area")
        records = self.ledger.since(sequence, limit=limit, kinds=kinds, allowed=self.allowed)
        place = records[-1].sequence if len(records) == limit else end
        newest = {record.id: record for record in records if record.kind == "alert"}
        return self._alerts(self.numbered(newest.values())), place

    def worked_since(self, sequence: int, limit: int) -> tuple[list[Record], int]:
        """What nodes asked and told each other after a place in the log, as far as the observer sees it.

        The place it was read to is for whoever follows the log inside the node; it is never shown.
        """
        end = self.log_place()
        records = self.ledger.since(sequence, limit=limit, kinds=WORKING, allowed=self.allowed)
        place = records[-1].sequence if len(records) == limit else end
        return self.numbered(records), place

    def alert_history(self, record_id: str) -> list[Seen[Alert]]:
        """Every step of an alert's life, oldest first."""
        self.record(record_id, "alert")
        return self._alerts(self.numbered(self.ledger.history(record_id, allowed=self.allowed)))

    def _findings(self, records: Iterable[Record]) -> list[Seen[Publication]]:
        listed = self._all(records, Publication)
        links = [each for item in listed for each in (item.body.split_from, item.body.merged_into) if each]
        linked = self.there(links) if links else set()
        return [
            replace(
                item,
                body=structs.replace(
                    item.body,
                    split_from=_if_there(item.body.split_from, linked),
                    merged_into=_if_there(item.body.merged_into, linked),
                ),
            )
            if item.body.split_from or item.body.merged_into
            else item
            for item in listed
        ]

    def finding(self, record_id: str, *, known_us: int | None = None) -> Seen[Publication]:
        """One finding. Raises NotFound."""
        return self._findings([self.record(record_id, "finding", known_us)])[0]

    def finding_history(self, record_id: str) -> list[Seen[Publication]]:
        """Every revision of a finding, oldest first."""
        self.record(record_id, "finding")
        return self._findings(self.numbered(self.ledger.history(record_id, allowed=self.allowed)))

    def findings(self, query: Query) -> list[Seen[Publication]]:
        """Findings that match."""
        return self._findings(self._find(query))

    def findings_of(self, record_ids: Sequence[str]) -> dict[str, Seen[Publication]]:
        """Latest revisions of these findings."""
        found = self.ledger.latest_of([each for each in record_ids if each], allowed=self.allowed)
        records = [record for record in found.values() if record.kind == "finding"]
        return {item.record.id: item for item in self._findings(self.numbered(records))}

    def first_recorded_us(self, record_id: str) -> int:
        """When the oldest revision that the observer sees was recorded. Raises NotFound."""
        return self.ledger.history(record_id, allowed=self.allowed)[0].recorded_us

    def count(self, query: Query) -> int:
        """How many match."""
        return self.ledger.count(replace(query, allowed=self.allowed))

    def notes(self, subject_kind: str, subject: str) -> list[Seen[Note]]:
        """Notes on a subject, newest first; none on a record that the observer may not see."""
        if subject_kind != "vessel" and not self.there([subject]):
            return []
        return self._all(self._find(Query("note", ((f"{subject_kind}:{subject}",),))), Note)

    def foreign_reports(
        self, terms: tuple[tuple[str, ...], ...] = (), *, after: int | None = None, limit: int | None = None
    ) -> list[Seen[ForeignReport]]:
        """What was taken in from other software and matches, newest first."""
        place = None if after is None else (after, "")
        return self._all(self._find(Query("foreign_report", terms, after=place, limit=limit)), ForeignReport)

    def foreign_report(self, record_id: str) -> Seen[ForeignReport]:
        """One of them. Raises NotFound."""
        return self._one(record_id, "foreign_report", ForeignReport)

    def log(self, *, since_us: int | None, after: int | None, limit: int | None) -> list[Seen[LogLine]]:
        """Lines of the watch log, newest first."""
        query = Query(
            "watch_log", start_us=since_us, after=None if after is None else (after, ""), limit=limit
        )
        return self._lines(self._find(query))

    def _lines(self, records: Iterable[Record]) -> list[Seen[LogLine]]:
        listed = self._all(records, LogLine)
        linked = self.there(item.body.alert for item in listed)
        return [
            replace(item, body=structs.replace(item.body, alert=_if_there(item.body.alert, linked)))
            for item in listed
        ]

    def log_lines(self, record_ids: Sequence[str]) -> list[Seen[LogLine]]:
        """These lines, in this order."""
        found = self.ledger.latest_of(list(record_ids), allowed=self.allowed)
        return self._lines(self.numbered(found[each] for each in record_ids if each in found))

    def dispositions(self) -> list[Seen[Disposition]]:
        """What became of the alerts: the newest disposition of each that the observer sees."""
        listed = self._all(self._of_kind("disposition"), Disposition)
        return newest_of_each_alert(listed, lambda item: item.body)

    def handovers(self, limit: int | None = None) -> list[Seen[Handover]]:
        """Signed handovers, newest first."""
        return self._all(self._find(Query("handover", limit=limit)), Handover)

    def watchlists(self) -> list[Seen[Watchlist]]:
        """All watchlists."""
        return self._all(self._of_kind("watchlist"), Watchlist)

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
        return self._all(self._of_kind("area"), WatchedArea)

    def legal_holds(self) -> list[Seen[LegalHold]]:
        """All legal holds."""
        return self._all(self._of_kind("legal_hold"), LegalHold)

    def preferences(self) -> Seen[Preferences] | None:
        """How things are shown, if anybody has said so."""
        found = self._all(self._of_kind("setting"), Preferences)
        return found[-1] if found else None

    # -- frames ---------------------------------------------------------------------------------------

    def seen_frames(self, table: str) -> Frames:
        """The rows of a table that the observer may see now."""
        return self.sight.frames(self.observer, table)

    @property
    def picture(self) -> Seeable:
        """The live picture of what the observer may see."""
        return self.pictures.seen(self.seen_frames("track_points"), self.seen_frames("statements"))

    @property
    def layout(self) -> tuple[frozenset[int], ...]:
        """Which pictures the observer's is made of: where it changes, places of rows are others."""
        of = frozenset(self.pictures.of)
        tables = ("track_points", "statements")
        return tuple(frozenset(n for n in of if self.seen_frames(t).admits(n)) for t in tables)

    def search(self, text: str, limit: int) -> list[tuple[int, str, Static]]:
        """Vessels by name, MMSI, IMO number or call sign."""
        return self.picture.search(text, limit)

    def rows(self, box: Box | None = None, *, since_us: int | None = None) -> Rows:
        """The live picture."""
        return self.picture.rows(box, since_us=since_us)

    def picture_at(self, time_us: int, mode: str, box: Box | None) -> tuple[Rows, frozenset[int]]:
        """The picture of a past time, as known then or now, and the numbers of its rows' labels."""
        return frames.picture_at(self.lake, self.seen_frames, self.picture, time_us, mode, box)

    def tracks(
        self, mmsi: int, start_us: int, end_us: int, *, known_us: int | None, points: int
    ) -> list[frames.TrackPart]:
        """Tracks of a vessel in a span, thinned."""
        return frames.tracks(
            self.lake, self.seen_frames, mmsi, start_us, end_us, known_us=known_us, points=points
        )

    def life(self, mmsi: int) -> frames.Life:
        """When a vessel was heard and what it said of itself."""
        return frames.life(self.lake, self.seen_frames, mmsi)

    def observation(self, raw: int) -> frames.Observed:
        """One observation down to its bytes. Raises NotFound."""
        return frames.observation(self.lake, self.seen_frames, self.spool, raw)

    @property
    def picture_labels(self) -> set[str]:
        """Labels of what the observer sees in the live picture."""
        points, statements = self.seen_frames("track_points"), self.seen_frames("statements")
        return self.label_texts(self.pictures.labels(points, statements))

    def picture_labels_of(self, mmsi: Sequence[int]) -> list[set[str]]:
        """Labels of what the observer sees of many vessels in the live picture: their positions and names."""
        points, statements = self.seen_frames("track_points"), self.seen_frames("statements")
        found = self.pictures.labels_of(points, statements, np.asarray(mmsi, np.int64))
        return [self.label_texts(each) for each in found]

    def label_texts(self, numbers: Iterable[int | None]) -> set[str]:
        """The labels that rows carry as numbers (none: unlabelled)."""
        labels = self.sight.labels()
        return {labels.get(number or 0, UNKNOWN_TEXT) for number in numbers}

    def labels_of(self, mmsi: int) -> set[str]:
        """Labels of the rows that the observer sees of a vessel: what he writes of it carries their combination."""
        numbers: set[int] = set()
        for table in ("observations", "statements"):
            rows = frames.scanned(self.lake, self.seen_frames, table, ["label_id"], claimed_ids=[mmsi])
            numbers |= set(rows.select(pl.col("label_id").fill_null(0).unique()).collect().to_series())
        return self.label_texts(numbers)

    def reception(
        self, start_us: int, end_us: int, box: Box | None, resolution: int | None
    ) -> layers.ReceptionLayer:
        """Where reception reached in a span."""
        counted = self.numbers.reception.counted(self.seen_frames("observations"))
        return layers.reception(counted, start_us, end_us, box, resolution)

    def quarantine(self) -> list[layers.Refused]:
        """What could not be decoded, by reason."""
        return layers.quarantine(self.lake, self.spool, self.seen_frames("quarantine"))

    def quarantined(self) -> int:
        """How much could not be decoded."""
        rows = layers.refused(self.lake, self.spool, self.seen_frames("quarantine"), ["raw"])
        return int(rows.select(pl.len()).collect().item())

    # -- the node -------------------------------------------------------------------------------------

    def sees_feed(self, label: str) -> bool:
        """Whether the observer sees what a feed with this label gives."""
        return self.sight.may(self.observer, "read", self.sight.own_class("observations", label))

    @property
    def at_home(self) -> bool:
        """Whether the observer is one of the node's own people, to whom it tells how it is doing."""
        return self.sight.may(self.observer, "read", self.sight.own_class("status"))


def _if_there(link: Any, linked: set[str]) -> Any:
    return link if link in linked else type(link)()


def _linked(body: Alert, linked: set[str]) -> Alert:
    return structs.replace(
        body,
        finding=_if_there(body.finding, linked),
        findings=tuple(each for each in body.findings if each in linked),
        merged_into=_if_there(body.merged_into, linked),
    )
