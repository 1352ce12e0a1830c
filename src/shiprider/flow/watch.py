"""The watch: findings become records, and the most telling matters become alerts, under a budget.

Always true: findings and the alerts they change are recorded in one commit, so there is no alert without
its findings; which matters are shown is decided by `detect/ranking.py` over the whole watch, so a late
stronger one takes the place of a weaker one that nobody has looked at; a person's decision is never changed
by what comes later, but he sees that late data revised or retracted what he decided on.
"""

from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa
from msgspec import structs

from shiprider.detect.ranking import Budget, allocate
from shiprider.flow.calibration import Teaching
from shiprider.flow.ids import new_id
from shiprider.flow.labelling import Labelling
from shiprider.flow.matters import Matter, Matters, Standing
from shiprider.flow.publishing import MEMORY_US, Change, Published, Publishing
from shiprider.flow.review import DECIDED, alert_draft
from shiprider.flow.view import seen
from shiprider.measure.clock import DAY_US
from shiprider.model.alert import Alert, AlertStep
from shiprider.model.errors import Conflict
from shiprider.model.finding import Finding
from shiprider.model.label import combined_text
from shiprider.model.proposals import Relabelling
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.ports.ledger import Filed, Ledger, Query

#: Who decides here: a named process, never a person.
AUTHOR: Final = "process:watch"

#: How far back published findings and alerts are looked up at the start.
_LOOK_BACK_US: Final = MEMORY_US + DAY_US


class Watch:
    """Findings in, records out. One thread only; people decide through `Review` at the same time.

    `budget.per_watch` matters in each stretch of `watch_us` of event time.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], int],
        *,
        budget: Budget,
        watch_us: int,
        labelling: Labelling | None = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._budget = budget
        self._labelling = labelling
        self._teaching = Teaching(ledger)
        self._teaching.refresh()
        newest = ledger.find(Query("finding", origin=ledger.origin, limit=1))
        since_us = (newest[0].valid_to_us or 0) - _LOOK_BACK_US if newest else 0
        self._publishing = Publishing.from_ledger(ledger, since_us)
        self._matters = Matters(watch_us)
        self._alerts: dict[str, Standing] = {}
        self._seen = ledger.head().sequence
        self._narrowed: dict[str, str] = {}
        self._relabelled = self._seen
        self._take_narrowed(ledger.of_kind("relabelling"))
        self._restore(since_us)

    def _restore(self, since_us: int) -> None:
        for record in self._ledger.find(
            Query("alert", origin=self._ledger.origin, start_us=since_us, order="oldest")
        ):
            self._restore_alert(record)
        for published in self._publishing.standing():
            self._matters.of(published)

    def _restore_alert(self, record: Record) -> None:
        if record.body is None:
            return
        standing = Standing(record.id, record.revision, seen(record, Alert).body)
        held = self._ledger.latest_of(standing.body.findings)
        found = [seen(each, Publication) for each in held.values() if each.body is not None]
        self._alerts[record.id] = standing
        self._matters.restore(
            standing, [Published(each.record.id, each.record.revision, each.body) for each in found]
        )

    def _recall(self, finding_id: str) -> None:
        """The alert of a finding that memory has forgotten."""
        for record in self._ledger.find(
            Query("alert", ((f"finding:{finding_id}",),), origin=self._ledger.origin)
        ):
            self._restore_alert(record)

    def standing(self, since_us: int) -> list[Finding]:
        """Published findings that lasted until `since_us` or later and hold: what a second folding starts from."""
        bodies = (
            seen(record, Publication).body
            for record in self._ledger.find(
                Query("finding", origin=self._ledger.origin, start_us=since_us, order="oldest")
            )
            if record.body is not None
        )
        return [b.finding for b in bodies if b.finding.state != "retracted" and not b.merged_into]

    def saw(self, rows: pa.Table) -> None:
        """Rows that are about to be folded: their labels go into what is found in them."""
        if self._labelling is not None:
            self._labelling.saw(rows)

    def advance(self, findings: Sequence[Finding]) -> list[Record]:
        """Publish what came in order; the records made."""
        return self._record(self._publishing.advance(findings)) if findings else []

    def refold(self, before: Sequence[Finding], after: Sequence[Finding]) -> list[Record]:
        """Publish what late data changed; the records made."""
        return self._record(self._publishing.refold(before, after))

    def settle(self, findings: Sequence[Finding]) -> list[Record]:
        """Record open findings as they stand where the rows end; the records made."""
        return self._record(self._publishing.settle(findings))

    # -- recording ------------------------------------------------------------------------------------

    def _record(self, changes: list[Change]) -> list[Record]:
        if not changes:
            return []
        self._catch_up()
        self._teaching.refresh()
        moved: dict[str, Standing] = {}
        touched: dict[int, None] = {}
        for change in _last_of_each(changes):
            if change.before is not None and not self._matters.knows(change.published.id):
                self._recall(change.published.id)
            matter = self._matters.of(change.published)
            if matter is not None:
                touched[matter.watch_us] = None
                self._revise(matter, moved)
        for watch_us in touched:
            self._allocate(watch_us, moved)
        records = self._append(changes, moved)
        newest = max(change.published.finding.end_us for change in changes)
        self._matters.forget(newest - _LOOK_BACK_US)
        return records

    def _revise(self, matter: Matter, moved: dict[str, Standing]) -> None:
        """Bring a matter's alert up to date."""
        standing = matter.alert
        if standing is None:
            if matter.asked_for and not matter.retracted:
                self._raise(matter, moved)
            return
        before = standing.body
        after = matter.content(before, self._teaching)
        if structs.replace(after, finding_revision=0) == structs.replace(before, finding_revision=0):
            return
        step: AlertStep = "revised"
        if after.retracted != before.retracted:
            step = "retracted" if after.retracted else "restored"
        standing.body = structs.replace(after, event=step, revised=True)
        moved[standing.id] = standing

    def _allocate(self, watch_us: int, moved: dict[str, Standing]) -> None:
        """Who is shown in a watch: whether a matter is, depends on those alone that who may see it may see too.

        Else what is hidden from him would take the room of what is not. A view ranks again what is shown to it.
        """
        ours = [
            each for each in self._matters.in_watch(watch_us) if not each.asked_for and not each.retracted
        ]
        labels = [self._matter_label(each) for each in ours]
        for label in sorted(set(labels)):
            pool = [
                each
                for each, of in zip(ours, labels, strict=True)
                if of == label or combined_text((of, label)) == label
            ]
            placed = {id(each) for each, of in zip(ours, labels, strict=True) if of == label}
            self._allocate_pool(pool, placed, moved)

    def _allocate_pool(self, ours: list[Matter], placed: set[int], moved: dict[str, Standing]) -> None:
        """Places among these matters, for those of them with one label (by `id`).

        What a person decided on stays where it is and takes its room.
        """
        decided = [each for each in ours if each.alert is not None and each.alert.body.state != "new"]
        open_ = [each for each in ours if each not in decided]
        ranked = sorted(
            (matter.candidate(place, self._teaching) for place, matter in enumerate(open_)),
            key=lambda of: (-of.score, -of.raw_score, -of.end_us, of.participants),
        )
        used = sum(1 for each in decided if each.alert is not None and each.alert.body.budgeted)
        for place in allocate(ranked, self._budget, used):
            matter = open_[place.candidate.members[0]]
            if id(matter) not in placed:
                continue
            standing = matter.alert
            if standing is None:
                if place.shown:
                    self._raise(matter, moved)
            elif standing.body.budgeted != place.shown:
                step: AlertStep = "restored" if place.shown else "outranked"
                standing.body = structs.replace(standing.body, event=step, budgeted=place.shown)
                moved[standing.id] = standing

    def _raise(self, matter: Matter, moved: dict[str, Standing]) -> None:
        lead = matter.standing()[0]
        body = Alert(
            finding=lead.id,
            finding_revision=lead.revision,
            findings=(),
            behaviours=(),
            watch_us=matter.watch_us,
            state="new",
            event="raised",
            behaviour="",
            preset="",
            subtype="",
            participants=(),
            start_us=0,
            end_us=0,
            latitude_deg=0.0,
            longitude_deg=0.0,
            score=0.0,
            probability=0.0,
            model="",
            raised_us=self._clock(),
            simulated=matter.simulated,
        )
        standing = Standing(new_id(), 0, matter.content(body, self._teaching))
        matter.alert = standing
        self._alerts[standing.id] = standing
        moved[standing.id] = standing

    def _append(self, changes: list[Change], moved: dict[str, Standing]) -> list[Record]:
        """Record it all; where a person decided at the same moment, his decision stands and ours goes on it."""
        while True:
            # A label that people narrow at this moment shows as a conflict: what is made then has it.
            self._see_narrowed()
            drafts = [self._finding_draft(change) for change in changes]
            alerts = [
                alert_draft(each.id, each.revision, each.body, AUTHOR, self._alert_label(each))
                for each in moved.values()
            ]
            try:
                records = self._ledger.append([*drafts, *alerts])
            except Conflict:
                now = self._ledger.latest_of([each.id for each in moved.values() if each.revision])
                changed = [record for record in now.values() if record.revision != moved[record.id].revision]
                if not self._go_on(changes) and not changed:
                    raise
                for record in changed:
                    mine, theirs = moved[record.id], seen(record, Alert).body
                    decided = {name: getattr(theirs, name) for name in DECIDED}
                    mine.revision, mine.body = record.revision, structs.replace(mine.body, **decided)
                continue
            for record in records:
                if record.kind == "alert":
                    self._alerts[record.id].revision = record.revision
            return records

    def _finding_draft(self, change: Change) -> Filed:
        published = change.published
        return change.draft(AUTHOR, self._label(published.finding, published.id))

    def _label(self, finding: Finding, *record_ids: str) -> str:
        made = "" if self._labelling is None else self._labelling.of_finding(finding)
        return self._no_wider(made, *record_ids)

    def _no_wider(self, label: str, *record_ids: str) -> str:
        """What people narrowed stays as narrow; what they widened was one revision, and the next is looked at anew."""
        narrowed = [self._narrowed[each] for each in record_ids if each in self._narrowed]
        return combined_text([label, *narrowed]) if narrowed else label

    def _see_narrowed(self) -> None:
        # Up to where the log ends now: what is rare is not looked for in the whole log each time.
        end = self._ledger.head().sequence
        while True:
            records = self._ledger.since(self._relabelled, limit=1000, kinds=("relabelling",))
            self._take_narrowed(records)
            self._relabelled = max([self._relabelled, *(record.sequence for record in records)])
            if len(records) < 1000:
                self._relabelled = max(self._relabelled, end)
                return

    def _take_narrowed(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.body is None:
                continue
            body = seen(record, Relabelling).body
            if body.state == "done":
                self._narrowed[body.subject] = body.to

    def _go_on(self, changes: list[Change]) -> bool:
        """Put our revisions of findings on those that people made (another label). Whether there were any."""
        first: dict[str, int] = {}
        for change in changes:
            first.setdefault(change.published.id, change.published.revision - 1)
        now = self._ledger.latest_of([id for id, revision in first.items() if revision])
        behind = {
            id: record.revision - first[id] for id, record in now.items() if record.revision > first[id]
        }
        for id, by in behind.items():
            self._publishing.moved_on(id, by)
        for change in changes:
            change.published.revision += behind.get(change.published.id, 0)
        return bool(behind)

    def _alert_label(self, standing: Standing) -> str:
        """That of all its findings together: retracted ones are in its history, so they count too."""
        matter = next((self._matters.matter_of(id) for id in standing.body.findings), None)
        label = combined_text(()) if matter is None else self._matter_label(matter)
        return self._no_wider(label, standing.id)

    def _matter_label(self, matter: Matter) -> str:
        label = combined_text(self._label(each.finding, each.id) for each in matter.findings.values())
        return label if matter.alert is None else self._no_wider(label, matter.alert.id)

    def _catch_up(self) -> None:
        """What people decided in the meantime."""
        while True:
            records = self._ledger.since(self._seen, limit=1000, kinds=("alert",))
            for record in records:
                standing = self._alerts.get(record.id)
                if standing is not None and record.body is not None:
                    standing.revision, standing.body = record.revision, seen(record, Alert).body
            self._seen = max([self._seen, *(record.sequence for record in records)])
            if len(records) < 1000:
                return


def _last_of_each(changes: Sequence[Change]) -> list[Change]:
    """The last change of each finding, in order."""
    return list({change.published.id: change for change in changes}.values())
