"""What of the findings and alerts one person may hand to other software, a page at a time.

Always true: nothing is disclosed that the policy does not let him both read and export, and nothing that is disclosed
points to what is not; a page is in the access log before it leaves; what is held in memory is one page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec
import numpy as np

from shiprider.detect.reasons import listed, render
from shiprider.flow.logged_access import Accesses
from shiprider.flow.sight import Frames
from shiprider.flow.view import View, seen
from shiprider.model.alert import Alert
from shiprider.model.disclosure import Disclosure, Presence, VesselClaim
from shiprider.model.errors import Forbidden, NotFound
from shiprider.model.finding import Finding
from shiprider.model.identity import mmsi_state
from shiprider.model.label import combined_text
from shiprider.model.publication import Publication
from shiprider.model.record import Record
from shiprider.ports.ledger import Allowed, Query
from shiprider.share.release import roles_for

Kind = Literal["finding", "alert"]
KINDS: Final[tuple[Kind, ...]] = ("finding", "alert")
#: Records held at once.
AT_ONCE: Final = 200
_NONE: Final = Frames(frozenset(), frozenset(), False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. Empty: everything; `start_us`, `end_us`: it lasts into the half-open span."""

    kinds: tuple[Kind, ...] = KINDS
    behaviours: tuple[str, ...] = ()
    mmsi: tuple[int, ...] = ()
    start_us: int | None = None
    end_us: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A disclosure and where its record stands in the log: for whoever goes on from there, never shown."""

    sequence: int
    given: Disclosure


@dataclass(frozen=True, slots=True)
class Disclosing:
    """For one person. `what` is how the access log calls it, `why` his own reason."""

    view: View
    accesses: Accesses
    what: str
    why: str = ""

    @property
    def may_go(self) -> Allowed:
        """The classes of records that he may both read and export now."""
        observer, sight = self.view.observer, self.view.sight
        return Allowed(self.view.allowed.classes & sight.allowed(observer, "export").classes)

    def check(self) -> None:
        """Raises Forbidden, logged, where nothing may ever be exported by who asks, or for no purpose."""
        observer = self.view.observer
        if set(observer.roles) & set(roles_for("export", "finding")):
            return
        self.accesses.record(
            self.accesses.entry(observer, "export", self.what, "denied", why="role"),
        )
        roles = ", ".join(role.replace("_", " ") for role in roles_for("export", "finding"))
        raise Forbidden(f"The roles of {observer.name} do not export, it is for {roles}: ask one of them.")

    def joined(self, wanted: Wanted) -> tuple[str, int]:
        """The combination of the labels, for a file that says it at its head, and how many there are."""
        labels: set[str] = set()
        count = 0
        for page in self._pages(wanted):
            labels |= {placed.given.label for placed in page}
            count += len(page)
        return combined_text(labels), count

    def pages(
        self, wanted: Wanted, label: str | None = None, told: Callable[[int], None] = lambda _: None
    ) -> Iterator[list[Disclosure]]:
        """Disclosures, each page logged before it leaves; `told` hears how many were given so far.

        With `label`, that of the whole: what came later under a label that is not in it is not given.
        Raises StorageError, DiskFull.
        """
        given = 0
        for page in self._pages(wanted):
            kept = [
                placed.given
                for placed in page
                if label is None or combined_text((label, placed.given.label)) == label
            ]
            self.log(kept)
            yield kept
            given += len(kept)
            told(given)
        if not given:
            self.log([])

    def records_after(self, kind: Kind, sequence: int, limit: int) -> list[Record]:
        """What may go and stands next after a place in the log."""
        query = Query(kind, order="oldest", after=(sequence, ""), limit=limit, allowed=self.may_go)
        return self.view.ledger.find(query)

    def placed(self, records: Sequence[Record]) -> list[Placed]:
        """Disclosures of records that may go; not logged: the caller does when he knows what leaves."""
        return self._disclosed(records) if records else []

    def log(self, given: Sequence[Disclosure]) -> None:
        """Say what leaves, before it does. Raises StorageError, DiskFull."""
        objects = [each.record for each in given]
        objects += [str(mmsi) for mmsi in dict.fromkeys(m for each in given for m in each.participants)]
        entry = self.accesses.entry(
            self.view.observer, "export", self.what, "allowed", count=len(given), why=self.why
        )
        self.accesses.record(entry, objects)

    def _pages(self, wanted: Wanted) -> Iterator[list[Placed]]:
        terms = []
        if wanted.behaviours:
            terms.append(tuple(f"behaviour:{each}" for each in wanted.behaviours))
        if wanted.mmsi:
            terms.append(tuple(f"mmsi:{each}" for each in wanted.mmsi))
        for kind in wanted.kinds:
            query = Query(
                kind, tuple(terms), start_us=wanted.start_us, end_us=wanted.end_us, order="oldest", limit=AT_ONCE
            )  # fmt: skip
            while found := self.view.ledger.find(replace(query, allowed=self.may_go)):
                made = self._disclosed(found)
                if made:
                    yield made
                query = replace(query, after=(found[-1].sequence, ""))

    # -- one page -------------------------------------------------------------------------------------

    def _disclosed(self, records: Sequence[Record]) -> list[Placed]:
        may_go = self.may_go
        here = [record for record in records if record.body is not None and record.kind in KINDS]
        findings = {r.id: seen(r, Publication).body.finding for r in here if r.kind == "finding"}
        plain = [(r.id, seen(r, Alert).body) for r in here if r.kind == "alert"]
        bodies = self.view.numbers.alerts(may_go, plain) if plain else []
        alerts = {id_: body for (id_, _), body in zip(plain, bodies, strict=True)}
        linked = [each for body in alerts.values() for each in (body.finding, *body.findings) if each]
        others = self.view.ledger.latest_of(list(dict.fromkeys(linked)), allowed=may_go) if linked else {}
        named = [mmsi for finding in findings.values() for mmsi in finding.participants]
        named += [mmsi for alert in alerts.values() for mmsi in alert.participants]
        claims = self._claims(sorted(set(named)))
        revisions = self.view.ledger.revisions_of([r.id for r in here if r.revision > 1], allowed=may_go)
        made = []
        for record in here:
            revision, created_us = 1, record.recorded_us
            if record.revision > 1:
                revision = revisions[record.id].index(record.revision) + 1
            if revision > 1:
                created_us = self.view.ledger.history(record.id, allowed=may_go)[0].recorded_us
            given = (
                _of_finding(record, findings[record.id], revision, created_us, claims)
                if record.kind == "finding"
                else _of_alert(record, alerts[record.id], revision, created_us, claims, others)
            )
            made.append(Placed(record.sequence, given))
        return made

    def _claims(self, mmsi: list[int]) -> dict[int, VesselClaim]:
        """What vessels say of themselves, as far as it may go."""
        observer, sight = self.view.observer, self.view.sight
        read, export = (sight.frames(observer, "statements", action) for action in ("read", "export"))
        frames = Frames(read.shown & export.shown, read.hidden | export.hidden, read.others and export.others)
        pictures = self.view.pictures
        picture = pictures.seen(_NONE, frames)
        labels = pictures.labels_of(_NONE, frames, np.asarray(mmsi, np.int64))
        found = {}
        for each, numbers in zip(mmsi, labels, strict=True):
            said = picture.static(each)
            state = mmsi_state(each)
            found[each] = VesselClaim(
                mmsi=each,
                name=said.name,
                callsign=said.callsign,
                imo=said.imo,
                ship_type=said.ship_type,
                flag=state.alpha3 if state else "",
                label=combined_text(self.view.label_texts(numbers)) if numbers else "",
            )
        return found


def _title(behaviour: str, participants: Sequence[int]) -> str:
    return f"{behaviour.replace('_', ' ').capitalize()}: {listed([f'{m:09d}' for m in participants], 'en')}"


def _reason(finding: Finding) -> str:
    try:
        return render(finding, "en")
    except NotFound:
        return finding.reason_key


def _vessels(
    participants: Sequence[int], claims: dict[int, VesselClaim], own_label: str
) -> tuple[VesselClaim, ...]:
    # A vessel of which nothing may go is named by the record alone, and is as restricted as the record.
    return tuple(
        msgspec.structs.replace(claim, label=own_label)
        if not (claim.name or claim.callsign or claim.imo or claim.ship_type >= 0)
        else claim
        for claim in (claims[mmsi] for mmsi in participants)
    )


def _of_finding(
    record: Record, body: Finding, revision: int, created_us: int, claims: dict[int, VesselClaim]
) -> Disclosure:
    spans: dict[int, Presence] = {}
    for shown in body.evidence:
        before = spans.get(shown.claimed_id)
        spans[shown.claimed_id] = Presence(
            mmsi=shown.claimed_id,
            start_us=min(shown.start_us, before.start_us if before else shown.start_us),
            end_us=max(shown.end_us, before.end_us if before else shown.end_us),
            count=len(shown.raws) + (before.count if before else 0),
        )
    return Disclosure(
        record=record.id,
        revision=revision,
        kind="finding",
        origin=record.origin,
        created_us=created_us,
        modified_us=record.recorded_us,
        own_label=record.label,
        title=_title(body.behaviour, body.participants),
        text=_reason(body),
        behaviours=(body.behaviour,),
        preset=body.preset,
        start_us=body.start_us,
        end_us=body.end_us,
        latitude_deg=body.latitude_deg,
        longitude_deg=body.longitude_deg,
        score=body.score,
        state=body.state,
        simulated=body.simulated,
        participants=body.participants,
        retracted=body.state == "retracted",
        vessels=_vessels(body.participants, claims, record.label),
        presences=tuple(spans[mmsi] for mmsi in sorted(spans)),
        facts=body.facts,
    )


def _of_alert(
    record: Record,
    body: Alert,
    revision: int,
    created_us: int,
    claims: dict[int, VesselClaim],
    others: dict[str, Record],
) -> Disclosure:
    leading = others.get(body.finding)
    readable = leading is not None and leading.body is not None and leading.kind == "finding"
    # The words of the leading finding are under its own label too.
    own = combined_text((record.label, leading.label)) if leading is not None and readable else record.label
    return Disclosure(
        record=record.id,
        revision=revision,
        kind="alert",
        origin=record.origin,
        created_us=created_us,
        modified_us=record.recorded_us,
        own_label=own,
        title=_title(body.behaviour, body.participants),
        text=_reason(seen(leading, Publication).body.finding) if leading is not None and readable else "",
        behaviours=body.behaviours,
        preset=body.preset,
        start_us=body.start_us,
        end_us=body.end_us,
        latitude_deg=body.latitude_deg,
        longitude_deg=body.longitude_deg,
        score=body.score,
        state=body.state,
        simulated=body.simulated,
        participants=body.participants,
        retracted=body.retracted,
        probability=body.probability,
        vessels=_vessels(body.participants, claims, own),
        findings=tuple(each for each in body.findings if each in others),
    )
