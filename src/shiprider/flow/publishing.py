"""Publishing: findings as detectors give them become records with an identity that lasts.

Always true: an id is minted at the first publication and kept while behaviour, preset and participants
match and the intervals overlap; what several published findings became one into is the earliest of them,
and what one was split into keeps its id for the largest part; a finding that late data undid is retracted,
never removed; an open finding is revised when it matters, not with every point.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import structs

from shiprider.detect.revision import retraction, revise
from shiprider.flow import terms
from shiprider.flow.ids import new_id
from shiprider.flow.view import seen
from shiprider.measure.clock import DAY_US, MINUTE_US
from shiprider.model.finding import Finding
from shiprider.model.publication import Publication
from shiprider.model.record import Draft
from shiprider.ports.ledger import Filed, Ledger, Query

Key = tuple[str, str, str, tuple[int, ...]]

#: An open finding that only grows is revised at most this often, in event time.
_GROWTH_US: Final = 10 * MINUTE_US

#: A change of score that is worth a revision.
_SCORE_STEP: Final = 0.05

#: Findings that ended longer ago are kept in the ledger only, and looked up there when data that old comes.
MEMORY_US: Final = 10 * DAY_US


@dataclass(slots=True)
class Published:
    """A published finding as last recorded."""

    id: str
    revision: int
    body: Publication

    @property
    def finding(self) -> Finding:
        """Its content."""
        return self.body.finding

    def copy(self) -> "Published":
        """An independent copy: what is recorded now must not change with what comes next."""
        return Published(self.id, self.revision, self.body)


@dataclass(frozen=True, slots=True)
class Change:
    """One revision to be recorded: `before` is None for a new finding."""

    published: Published
    before: Finding | None

    def draft(self, author: str, label: str = "") -> Filed:
        """The draft of it."""
        body = self.published.body
        draft = Draft(
            id=self.published.id,
            kind="finding",
            expected_revision=self.published.revision - 1,
            schema=1,
            author=author,
            valid_from_us=body.finding.start_us,
            valid_to_us=body.finding.end_us,
            label=label,
            body=msgspec.json.encode(body),
        )
        return Filed(draft=draft, terms=terms.of_finding(body))


@dataclass(slots=True)
class Publishing:
    """What is published, by what must match. One thread only."""

    ledger: Ledger
    _known: dict[Key, list[Published]] = field(default_factory=lambda: defaultdict(list))
    _newest_us: int = 0

    @classmethod
    def from_ledger(cls, ledger: Ledger, since_us: int) -> "Publishing":
        """As the ledger has it, for findings that lasted until `since_us` or later."""
        made = cls(ledger)
        for record in ledger.find(Query("finding", origin=ledger.origin, start_us=since_us, order="oldest")):
            if record.body is None:
                continue
            body = seen(record, Publication).body
            made._known[body.finding.key()].append(Published(record.id, record.revision, body))
            made._newest_us = max(made._newest_us, body.finding.end_us)
        return made

    def standing(self) -> list[Published]:
        """What is published and neither retracted nor merged, as far as memory goes."""
        listed = [each for found in self._known.values() for each in found]
        return [each.copy() for each in listed if each.finding.state != "retracted"]

    def moved_on(self, finding_id: str, by: int) -> None:
        """Somebody else made so many revisions of a finding: ours go on theirs."""
        for listed in self._known.values():
            for each in listed:
                if each.id == finding_id:
                    each.revision += by

    def advance(self, findings: Iterable[Finding]) -> list[Change]:
        """What findings that came in order change."""
        changes: list[Change] = []
        for key, listed in _latest_by_key(findings).items():
            gone = [finding for finding in listed if finding.state == "retracted"]
            changes += self._settle(key, [each for each in listed if each.state != "retracted"])
            for finding in gone:
                stands = [each for each in self._matching(finding) if each.finding.state != "retracted"]
                changes += [self._retract(each) for each in stands]
        self._forget()
        return changes

    def refold(self, before: Sequence[Finding], after: Sequence[Finding]) -> list[Change]:
        """What a second folding of a stretch changes: `before` was given out for it, `after` holds now."""
        changes = self.advance(after)
        for key, listed in _latest_by_key(before).items():
            self._recall(key, listed)
        holds = _latest_by_key(after)
        gone = {
            published.id: published
            for finding in before
            for published in self._matching(finding)
            if published.finding.state != "retracted"
            and not any(_overlap_us(published.finding, now) >= 0 for now in holds.get(finding.key(), ()))
        }
        return changes + [self._retract(published) for published in gone.values()]

    def settle(self, findings: Iterable[Finding]) -> list[Change]:
        """Open findings that are published, as they stand where the rows end.

        Detectors tell of growth now and then, by batch; so what is recorded of a finding still going on
        would depend on how its rows were cut. Nothing is published or withdrawn here.
        """
        changes: list[Change] = []
        for finding in findings:
            open_ = [each for each in self._matching(finding) if each.finding.state == "open"]
            if len(open_) == 1 and finding.state == "open" and open_[0].finding != finding:
                changes.append(self._revise(open_[0], structs.replace(open_[0].body, finding=finding)))
        return changes

    # -- one identity's findings ----------------------------------------------------------------------

    def _matching(self, finding: Finding) -> list[Published]:
        return [
            each
            for each in self._known.get(finding.key(), ())
            if not each.body.merged_into and _overlap_us(each.finding, finding) >= 0
        ]

    def _settle(self, key: Key, findings: Sequence[Finding]) -> list[Change]:
        """Match findings of one key with what is published; no two of `findings` overlap."""
        if not findings:
            return []
        self._recall(key, findings)
        self._newest_us = max(self._newest_us, *(finding.end_us for finding in findings))
        near = [
            each
            for each in self._known.get(key, ())
            if not each.body.merged_into and any(_overlap_us(each.finding, now) >= 0 for now in findings)
        ]
        changes: list[Change] = []
        orphans: list[Published] = []
        for revision in revise([each.finding for each in near], findings):
            old = [near[i] for i in revision.published]
            now = [findings[j] for j in revision.now]
            if revision.kind == "new":
                changes.append(self._publish(now[0], ""))
            elif revision.kind == "merged" and not now:
                orphans += old
            elif revision.kind != "kept":
                changes += [self._merge(each, old[0].id) for each in old[1:]]
                changes += [self._publish(each, old[0].id) for each in now[1:]]
                if _worth(old[0].finding, now[0]):
                    changes.append(self._revise(old[0], structs.replace(old[0].body, finding=now[0])))
        for each in orphans:
            heirs = [other for other in near if other not in orphans and not other.body.merged_into]
            into = max(heirs, key=lambda other: _overlap_us(other.finding, each.finding))
            changes.append(self._merge(each, into.id))
        return changes

    def _recall(self, key: Key, findings: Sequence[Finding]) -> None:
        """Look published findings up that are older than memory goes."""
        old = [each for each in findings if each.end_us < self._newest_us - MEMORY_US]
        if not old:
            return
        behaviour, _, _, participants = key
        query = Query(
            "finding",
            ((f"behaviour:{behaviour}",), *((f"mmsi:{mmsi}",) for mmsi in participants)),
            origin=self.ledger.origin,
            start_us=min(each.start_us for each in old),
            end_us=max(each.end_us for each in old) + 1,
            order="oldest",
        )
        held = {each.id for each in self._known[key]}
        for record in self.ledger.find(query):
            if record.body is not None and record.id not in held:
                body = seen(record, Publication).body
                if body.finding.key() == key:
                    self._known[key].append(Published(record.id, record.revision, body))

    def _publish(self, finding: Finding, split_from: str) -> Change:
        published = Published(new_id(), 1, Publication(finding=finding, split_from=split_from))
        self._known[finding.key()].append(published)
        return Change(published.copy(), None)

    def _revise(self, published: Published, body: Publication) -> Change:
        before = published.finding
        published.revision += 1
        published.body = body
        return Change(published.copy(), before)

    def _merge(self, published: Published, into: str) -> Change:
        body = structs.replace(published.body, finding=retraction(published.finding), merged_into=into)
        return self._revise(published, body)

    def _retract(self, published: Published) -> Change:
        body = structs.replace(published.body, finding=retraction(published.finding))
        return self._revise(published, body)

    def _forget(self) -> None:
        horizon = self._newest_us - MEMORY_US
        stale = [
            key for key, listed in self._known.items() if not listed or listed[0].finding.end_us < horizon
        ]
        for key in stale:
            kept = [each for each in self._known[key] if each.finding.end_us >= horizon]
            if kept:
                self._known[key] = kept
            else:
                del self._known[key]


def _overlap_us(one: Finding, other: Finding) -> int:
    """How long both lasted; negative where they do not touch."""
    return min(one.end_us, other.end_us) - max(one.start_us, other.start_us)


def _latest_by_key(findings: Iterable[Finding]) -> dict[Key, list[Finding]]:
    """Findings by what must match, in order; of those that overlap (an open one growing) the last."""
    found: dict[Key, list[Finding]] = defaultdict(list)
    for finding in findings:
        listed = found[finding.key()]
        listed[:] = [each for each in listed if _overlap_us(each, finding) < 0]
        listed.append(finding)
    return found


def _worth(before: Finding, after: Finding) -> bool:
    """Whether a change is to be recorded."""
    if before == after:
        return False
    if before.state != after.state or after.state != "open":
        return True
    grown = abs(after.end_us - before.end_us) + abs(after.start_us - before.start_us)
    return grown >= _GROWTH_US or abs(after.score - before.score) >= _SCORE_STEP
