"""Review: what people decide, and how it gets into the ledger.

Always true: a decision names its person and the revision it was made on; the alert, the line in the
watch log and the disposition that teaches the ranking go into the ledger in one commit or not at all;
a decision can be undone, and the undoing is a decision too; nothing acts on its own; a person changes only what he
sees and may change, and what he writes of something carries that thing's label.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import structs

from shiprider.flow import shift, terms
from shiprider.flow.ids import new_id
from shiprider.flow.view import Seen, View, seen
from shiprider.flow.working.pen import Pen
from shiprider.model.alert import DISMISS_REASONS, OPEN_STATES, Alert, AlertState
from shiprider.model.disposition import Disposition, Outcome
from shiprider.model.errors import Conflict, Forbidden, NotFound, UsageError
from shiprider.model.handover import Handover
from shiprider.model.label import combined_text
from shiprider.model.note import Note, SubjectKind
from shiprider.model.orders import LegalHold, Preferences, WatchedArea, Watchlist
from shiprider.model.record import Draft, Record
from shiprider.model.release_class import ReleaseClass
from shiprider.model.watch_log import LogLine
from shiprider.ports.ledger import Filed, Ledger, Query

B = TypeVar("B", bound=msgspec.Struct)

Decision = Literal["taken", "dismissed", "escalated", "merged", "reopened"]

#: From which states a decision can be made.
_FROM: Final[dict[Decision, tuple[AlertState, ...]]] = {
    "taken": ("new", "taken", "escalated"),
    "dismissed": ("new", "taken", "escalated"),
    "escalated": ("new", "taken"),
    "merged": ("new", "taken"),
    "reopened": ("taken", "dismissed", "escalated", "merged"),
}

_STATE_AFTER: Final[dict[Decision, AlertState]] = {
    "taken": "taken",
    "dismissed": "dismissed",
    "escalated": "escalated",
    "merged": "merged",
    "reopened": "new",
}

#: What of an alert is a person's decision: an undoing brings it back, late data never touches it.
DECIDED: Final = ("state", "holder", "reason", "text", "merged_into")


#: There is one set of preferences on a node, so that two people cannot make two.
PREFERENCES_ID: Final = "736574740000000000000000000000aa"


class Review:
    """The decisions of people on one node. `clock` gives microseconds since 1970 UTC."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], int],
        ids: Callable[[], str] = new_id,
        view: View | None = None,
    ) -> None:
        """`ids` gives new records' ids; `view` is of the person who decides: without one it is the node's own work."""
        self._ledger = ledger
        self._clock = clock
        self._new_id = ids
        self._view = view

    def seen_by(self, view: View) -> "Review":
        """The decisions of one person, held to what he sees and may change."""
        return Review(self._ledger, self._clock, self._new_id, view)

    def pen(self) -> Pen:
        """What the person writes with where partners are to read it. Raises Forbidden where nobody decides."""
        if self._view is None:
            raise Forbidden("What partners read is written by people: say who you are.")
        return Pen(self._ledger, self._clock, self._new_id, self._view)

    # -- what may be changed --------------------------------------------------------------------------

    def _latest(self, record_id: str, kind: str) -> Record:
        """The record as the person sees it. Raises NotFound."""
        if self._view is not None:
            return self._view.record(record_id, kind)
        record = self._ledger.latest(record_id)
        if record.kind != kind:
            raise NotFound(f"There is no {kind.replace('_', ' ')} {record_id}: look the list up again.")
        return record

    def _to_change(self, record_id: str, kind: str) -> Record:
        """The same, where he may change it. Raises NotFound, Forbidden."""
        record = self._latest(record_id, kind)
        self._check_change(class_of(record), kind)
        return record

    def _check_change(self, of: ReleaseClass, kind: str) -> None:
        if self._view is None:
            return
        if not self._view.sight.may(self._view.observer, "change", of):
            what = kind.replace("_", " ")
            raise Forbidden(f"The policy does not let you change this {what}: ask the node that it is of.")

    def _stored_revision(self, record: Record) -> int:
        """The revision that a change goes on. Raises Conflict where it is not the newest there is."""
        newest = self._ledger.latest(record.id)
        if self._view is None:
            return newest.revision
        mine = self._ledger.latest(record.id, allowed=self._view.allowed)
        if mine.revision != newest.revision:
            # What came after it is not for this person: he learns no more than that it is so.
            raise Conflict(
                f"The {record.kind.replace('_', ' ')} {record.id} cannot be changed now: ask the watch."
            )
        return newest.revision

    # -- alerts ---------------------------------------------------------------------------------------

    def take(self, alert_id: str, expected_revision: int, *, author: str, text: str = "") -> Seen[Alert]:
        """Say that you look at it. Taking over from somebody else is a taking too."""
        return self._decide("taken", alert_id, expected_revision, author, text, holder=author)

    def dismiss(
        self, alert_id: str, expected_revision: int, *, author: str, reason: str, text: str = ""
    ) -> Seen[Alert]:
        """End it, with a reason."""
        if reason not in DISMISS_REASONS:
            raise UsageError(
                f"{reason[:40]!r} is no reason to dismiss: use one of {', '.join(DISMISS_REASONS)}."
            )
        if reason == "other" and not text.strip():
            raise UsageError("Dismissing for another reason needs a text: say which.")
        return self._decide("dismissed", alert_id, expected_revision, author, text, reason=reason)

    def escalate(self, alert_id: str, expected_revision: int, *, author: str, text: str = "") -> Seen[Alert]:
        """Pass it up: somebody with authority must look."""
        return self._decide("escalated", alert_id, expected_revision, author, text)

    def reopen(self, alert_id: str, expected_revision: int, *, author: str, text: str = "") -> Seen[Alert]:
        """Put it back into the queue, held by nobody."""
        return self._decide("reopened", alert_id, expected_revision, author, text, holder="")

    def merge(self, alert_id: str, expected_revision: int, *, author: str, into: str) -> Seen[Alert]:
        """It is part of another alert, which stays open."""
        if into == alert_id:
            raise UsageError("An alert cannot be merged into itself: choose another one.")
        target = self._alert(into, None)
        if target.body.state == "merged":
            raise Conflict(
                f"The alert {into} was itself merged into {target.body.merged_into}: merge into that one."
            )
        if target.body.state not in OPEN_STATES:
            raise Conflict(
                f"The alert {into} is {target.body.state}: reopen it first, or choose another one."
            )
        return self._decide("merged", alert_id, expected_revision, author, "", merged_into=into)

    def undo(self, alert_id: str, expected_revision: int, *, author: str, text: str = "") -> Seen[Alert]:
        """Take back the last decision that still stands."""
        now = self._alert(alert_id, expected_revision)
        before = _before_last_decision(self._steps(alert_id))
        if before is None:
            raise Conflict(f"Nobody has decided on the alert {alert_id}: there is nothing to undo.")
        changed = structs.replace(
            now.body, event="undone", **{name: getattr(before, name) for name in DECIDED}
        )
        return self._write(now, changed, author, text)

    def _steps(self, alert_id: str) -> list[Seen[Alert]]:
        allowed = None if self._view is None else self._view.allowed
        return [seen(record, Alert) for record in self._ledger.history(alert_id, allowed=allowed)]

    def _decide(
        self,
        decision: Decision,
        alert_id: str,
        expected_revision: int,
        author: str,
        text: str,
        **changes: str,
    ) -> Seen[Alert]:
        now = self._alert(alert_id, expected_revision)
        if now.body.state not in _FROM[decision]:
            raise Conflict(
                f"The alert {alert_id} is already {now.body.state}: it cannot be {decision}; look again."
            )
        cleared = {"reason": "", "merged_into": "", "text": text}
        changed = structs.replace(
            now.body, state=_STATE_AFTER[decision], event=decision, **{**cleared, **changes}
        )
        return self._write(now, changed, author, text)

    def _alert(self, alert_id: str, expected_revision: int | None = None) -> Seen[Alert]:
        record = (
            self._latest(alert_id, "alert")
            if expected_revision is None
            else self._to_change(alert_id, "alert")
        )
        if expected_revision is not None and record.revision != expected_revision:
            raise Conflict(
                f"The alert {alert_id} is at revision {record.revision}, not {expected_revision}: {record.author} "
                "changed it in the meantime; look again and decide again."
            )
        return seen(record, Alert)

    def _write(self, now: Seen[Alert], changed: Alert, author: str, text: str) -> Seen[Alert]:
        _check_author(author)
        drafts = [
            alert_draft(now.record.id, self._stored_revision(now.record), changed, author, like=now.record),
            self._log_draft(
                LogLine(text=text, source="decision", step=changed.event, alert=now.record.id),
                author,
                now.record,
            ),
        ]
        disposition = self._disposition(now.record.id, changed, author, now.record)
        if disposition is not None:
            drafts.append(disposition)
        return self._as_seen(self._ledger.append(drafts)[0], Alert)

    def _as_seen(self, record: Record, body: type[B]) -> Seen[B]:
        """What was written, as the person sees it: an alert with his own numbers."""
        if self._view is None or record.id not in self._view.there([record.id]):
            return seen(record, body)
        if record.kind == "alert":
            found: Any = self._view.alert(record.id)
            return found
        return seen(self._view.record(record.id, record.kind), body)

    def _shown(self, alert: Alert) -> float:
        """The chance that the person was shown when he decided: it is compared with what he decides."""
        if self._view is None:
            return alert.probability
        models = self._view.numbers.models(self._view.allowed)
        return models.probability(alert.score, simulated=alert.simulated)[0]

    def _disposition(self, alert_id: str, alert: Alert, author: str, about: Record) -> Filed | None:
        outcome: Outcome = "withdrawn"
        if alert.state == "dismissed":
            outcome = "dismissed"
        elif alert.state == "escalated" or (alert.state == "taken" and self._confirmed(alert_id)):
            outcome = "confirmed"
        allowed = None if self._view is None else self._view.allowed
        query = Query("disposition", ((f"alert:{alert_id}",),), allowed=allowed)
        before = max(self._ledger.find(query), key=lambda record: record.sequence, default=None)
        last = msgspec.json.decode(before.body, type=Disposition) if before and before.body else None
        if (last is None and outcome == "withdrawn") or (
            last is not None and last.outcome == outcome == "withdrawn"
        ):
            return None
        body = Disposition(
            alert=alert_id,
            finding=alert.finding,
            finding_revision=alert.finding_revision,
            behaviour=alert.behaviour,
            preset=alert.preset,
            subtype=alert.subtype,
            score=alert.score,
            probability=self._shown(alert),
            outcome=outcome,
            reason=alert.reason,
            simulated=alert.simulated,
        )
        # A record of its own, never a revision: an earlier one may have gone on where this person does not see it, and
        # neither a number nor an id may tell him so.
        draft = Draft(
            id=self._new_id(),
            kind="disposition",
            expected_revision=0,
            schema=1,
            author=author,
            valid_from_us=self._clock(),
            label=about.label,
            purpose=about.purpose,
            case=about.case,
            body=msgspec.json.encode(body),
        )
        return Filed(draft=draft, terms=(f"alert:{alert_id}", f"behaviour:{alert.behaviour}"))

    def _confirmed(self, alert_id: str) -> bool:
        """Whether it had been escalated before somebody took it: then it stays confirmed."""
        return seen(self._latest(alert_id, "alert"), Alert).body.state == "escalated"

    # -- words ----------------------------------------------------------------------------------------

    def note(self, subject_kind: SubjectKind, subject: str, text: str, *, author: str) -> Seen[Note]:
        """Write a note on a vessel (by MMSI), an alert, a finding or an area (by id)."""
        _check_author(author)
        _check_text(text)
        if subject_kind not in get_args(SubjectKind):
            raise UsageError(
                f"{subject_kind!r} takes no notes: write on one of {', '.join(get_args(SubjectKind))}."
            )
        label = case = purpose = ""
        if subject_kind == "vessel":
            if not subject.isdecimal() or len(subject) > 9:
                raise UsageError(f"{subject[:40]!r} is no MMSI: give up to nine digits.")
            subject = str(int(subject))
            label = combined_text(self._labels_of_vessel(int(subject)))
        else:
            about = self._latest(subject, subject_kind)
            # What is said of something is not known more widely than that there is such a thing.
            label, case, purpose = about.label, about.case, about.purpose
        body = Note(subject_kind=subject_kind, subject=subject, text=text)
        filed = Filed(
            draft=self._draft("note", body, author=author, label=label, case=case, purpose=purpose),
            terms=(f"{subject_kind}:{subject}",),
        )
        return seen(self._ledger.append([filed])[0], Note)

    def log(self, text: str, *, author: str) -> Seen[LogLine]:
        """Write a line in the watch log. Raises Forbidden."""
        self._check_watch_log()
        _check_author(author)
        _check_text(text)
        return seen(self._ledger.append([self._log_draft(LogLine(text=text), author)])[0], LogLine)

    def sign_handover(
        self, view: View, *, digest: str, to_us: int, author: str, relieved_by: str, text: str = ""
    ) -> Seen[Handover]:
        """Hand the watch over: the digest is of the summary that was shown for `to_us`. Raises Forbidden."""
        self._check_watch_log()
        _check_author(author)
        return shift.sign(
            view,
            self._ledger,
            self._clock,
            digest=digest,
            to_us=to_us,
            author=author,
            relieved_by=relieved_by,
            text=text,
            ids=self._new_id,
        )

    def _labels_of_vessel(self, mmsi: int) -> set[str]:
        """Labels of what he sees of a vessel: what was heard, else what was found. Raises NotFound.

        Of one that nothing was heard of the node's own people may write, and so they may of one that they do not see.
        """
        if self._view is None:
            return set()
        labels, sight = self._view.labels_of(mmsi), self._view.sight
        if not labels:
            asked = ((f"mmsi:{mmsi}",),)
            labels = {item.record.label for item in self._view.findings(Query("finding", asked))}
            labels |= {item.record.label for item in self._view.alerts(Query("alert", asked))}
        if not labels and not sight.may(self._view.observer, "read", sight.own_class("note")):
            raise NotFound(f"There is no vessel {mmsi}: search by name, IMO number or call sign.")
        return labels

    def _check_watch_log(self) -> None:
        """A watch floor's log is the node's own: who may not read it does not write in it."""
        if self._view is None:
            return
        sight = self._view.sight
        if not sight.may(self._view.observer, "read", sight.own_class("watch_log")):
            raise Forbidden(
                "The policy does not let you read this node's watch log: write in your own node's."
            )

    # -- standing orders ------------------------------------------------------------------------------

    def area(
        self, body: WatchedArea, *, author: str, area_id: str = "", expected_revision: int = 0
    ) -> Seen[WatchedArea]:
        """Draw or change an area; the ring is closed if it was left open."""
        _check_author(author)
        if body.ring[0] != body.ring[-1]:
            body = structs.replace(body, ring=(*body.ring, body.ring[0]))
        if len(set(body.ring)) < 3:
            raise UsageError(f"The area {body.name!r} has fewer than three corners: draw it again.")
        return self._order("area", body, author, area_id, expected_revision)

    def watchlist(
        self, body: Watchlist, *, author: str, list_id: str = "", expected_revision: int = 0
    ) -> Seen[Watchlist]:
        """Make or change a watchlist."""
        _check_author(author)
        for number, entry in enumerate(body.entries, 1):
            if not any((entry.mmsi, entry.imo, entry.name, entry.callsign)):
                raise UsageError(
                    f"Line {number} of the watchlist {body.name!r} names no vessel: give an identifier."
                )
        return self._order("watchlist", body, author, list_id, expected_revision)

    def legal_hold(
        self, body: LegalHold, *, case: str, author: str, hold_id: str = "", expected_revision: int = 0
    ) -> Seen[LegalHold]:
        """Hold rows for a case, or release them by a new revision."""
        _check_author(author)
        if body.start_us is not None and body.end_us is not None and body.end_us <= body.start_us:
            raise UsageError("The hold ends before it begins: correct the span.")
        return self._order("legal_hold", body, author, hold_id, expected_revision, case)

    def preferences(self, body: Preferences, expected_revision: int, *, author: str) -> Seen[Preferences]:
        """Change how things are shown."""
        _check_author(author)
        # Asked of what would be written, not of what is there: that there is one is not for everybody.
        if self._view is not None:
            self._check_change(self._view.sight.own_class("setting"), "setting")
        draft = self._draft("setting", body, author=author, id=PREFERENCES_ID, revision=expected_revision)
        return seen(self._ledger.append([draft])[0], Preferences)

    def _order(
        self, kind: str, body: B, author: str, record_id: str, expected_revision: int, case: str = ""
    ) -> Seen[B]:
        label = purpose = ""
        if record_id:
            before = self._to_change(record_id, kind)
            if before.revision != expected_revision:
                what = kind.replace("_", " ")
                raise Conflict(
                    f"The {what} {record_id} is at revision {before.revision}, not {expected_revision}: "
                    f"{before.author} changed it in the meantime; look again and decide again."
                )
            expected_revision = self._stored_revision(before)
            label, purpose, case = before.label, before.purpose, case or before.case
        elif self._view is not None:
            # What the node looks for is its own people's, and theirs whom the policy lets change it.
            self._check_change(self._view.sight.own_class(kind), kind)
        draft = self._draft(
            kind,
            body,
            author=author,
            id=record_id,
            revision=expected_revision,
            case=case,
            label=label,
            purpose=purpose,
        )
        return self._as_seen(self._ledger.append([draft])[0], type(body))

    def _log_draft(self, line: LogLine, author: str, of: Record | None = None) -> Filed:
        about = (f"alert:{line.alert}",) if line.alert else ()
        label, purpose, case = ("", "", "") if of is None else (of.label, of.purpose, of.case)
        return Filed(
            draft=self._draft("watch_log", line, author=author, label=label, purpose=purpose, case=case),
            terms=(f"source:{line.source}", *about),
        )

    def _draft(
        self,
        kind: str,
        body: msgspec.Struct,
        *,
        author: str,
        id: str = "",
        revision: int = 0,
        case: str = "",
        label: str = "",
        purpose: str = "",
    ) -> Draft:
        return Draft(
            id=id or self._new_id(),
            kind=kind,
            expected_revision=revision,
            schema=1,
            author=author,
            valid_from_us=self._clock(),
            label=label,
            case=case,
            purpose=purpose,
            body=msgspec.json.encode(body),
        )


def class_of(record: Record) -> ReleaseClass:
    """The release class of a stored record."""
    return ReleaseClass(
        label=record.label,
        origin=record.origin,
        purpose=record.purpose,
        case=record.case,
        kind=record.kind,
    )


def alert_draft(
    alert_id: str, revision: int, body: Alert, author: str, label: str = "", like: Record | None = None
) -> Filed:
    """The next revision of an alert, with its terms; `like` gives label, purpose and case of the one before."""
    if like is not None:
        label = like.label
    draft = Draft(
        id=alert_id,
        kind="alert",
        expected_revision=revision,
        schema=1,
        author=author,
        valid_from_us=body.start_us,
        valid_to_us=body.end_us,
        label=label,
        purpose=like.purpose if like is not None else "",
        case=like.case if like is not None else "",
        body=msgspec.json.encode(body),
    )
    return Filed(draft=draft, terms=terms.of_alert(body))


def _before_last_decision(steps: list[Seen[Alert]]) -> Alert | None:
    """The alert as it was decided before the last decision that was not undone."""
    standing: list[Alert] = []
    for before, step in pairwise(steps):
        if step.body.event == "undone":
            standing.pop()
        elif step.body.event in _FROM:
            standing.append(before.body)
    return standing[-1] if standing else None


def _check_author(author: str) -> None:
    if not author.strip() or not author.isprintable() or len(author) > 80:
        raise UsageError(
            "A decision needs the name of the person who makes it: say who you are (80 characters)."
        )


def _check_text(text: str) -> None:
    if not text.strip():
        raise UsageError("The text is empty: write what the next watch should know.")
