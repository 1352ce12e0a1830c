"""Nouns into what the wire carries (`schemas`), in one language.

Always true: nothing is decided here and nothing is written; an unknown number is null, an unknown text "".
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shiprider.api.schemas.alerts import AlertEvent, AlertOut, EvidenceOut, FindingOut, VesselBrief
from shiprider.api.schemas.logbook import HandoverOut, LogEntry
from shiprider.api.schemas.marking import Marking
from shiprider.api.schemas.notes import NoteOut
from shiprider.api.schemas.orders import AreaOut, LegalHoldOut, WatchEntry, WatchlistOut
from shiprider.api.schemas.picture import PictureOut, PictureVessel
from shiprider.api.schemas.status import Counts, DiskStatus, FeedStatus, Status
from shiprider.api.schemas.vessels import Position, TrackOut
from shiprider.api.site import Site
from shiprider.api.words import word
from shiprider.detect.reasons import render
from shiprider.flow.frames import TrackPart
from shiprider.flow.picture import Rows, Static
from shiprider.flow.view import Seen, View
from shiprider.model.alert import Alert
from shiprider.model.codes import Flaw, Nature
from shiprider.model.errors import NotFound
from shiprider.model.finding import Finding
from shiprider.model.handover import Handover
from shiprider.model.identity import mmsi_state, vessel_class
from shiprider.model.label import OWN, Label, combine, parse
from shiprider.model.likelihood import band
from shiprider.model.note import Note
from shiprider.model.orders import LegalHold, WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.publication import Publication
from shiprider.model.watch_log import LogLine
from shiprider.ports.ledger import Query
from shiprider.share.marking import banner, portion_mark

#: Points, vessels and cells of one answer at most.
MOST_POINTS = 20_000


#: Steps whose words are a person's.
_BY_PEOPLE = frozenset({"taken", "dismissed", "escalated", "merged", "reopened", "undone"})


def number(value: Any) -> float | None:
    """A float, or null where it is unknown."""
    return None if value is None or not math.isfinite(value) else float(value)


def flaw_names(flaws: int) -> list[str]:
    """Names of what was found wrong."""
    return [str(flaw.name).lower() for flaw in Flaw if flaw and flaws & flaw]


@lru_cache(4096)
def _marking(labels: frozenset[str], language: str, nation: str) -> Marking:
    label = combine(*map(parse, labels))
    level: Any = "UNKNOWN"
    if isinstance(label, Label):
        level = "UNLABELLED" if label == OWN else label.classification.name
    return Marking(
        level=level,
        banner=banner(label, language, nation),
        portion=portion_mark(label, language, nation),
    )


@dataclass(frozen=True, slots=True)
class Rendering:
    """What one person sees, in his language."""

    view: View
    language: str

    # -- vessels --------------------------------------------------------------------------------------

    def vessel(self, mmsi: int, static: Static | None = None) -> VesselBrief:
        """Who it is, as far as it has said."""
        said = static if static is not None else self.view.picture.static(mmsi)
        state = mmsi_state(mmsi)
        return VesselBrief(
            mmsi=mmsi,
            name=said.name,
            ship_type=max(said.ship_type, 0),
            ship_type_text=self.ship_type(said.ship_type),
            flag=state.alpha3 if state else "",
        )

    def called(self, mmsi: int) -> str:
        """A vessel as a sentence says it, `SANTA RITA (fishing, HND)`; by its MMSI where it gave no name."""
        brief = self.vessel(mmsi)
        known = brief.ship_type_text if vessel_class(brief.ship_type) else ""
        particulars = ", ".join(filter(None, (known, brief.flag)))
        name = brief.name.strip() or f"{mmsi:09d}"
        return f"{name} ({particulars})" if particulars else name

    def ship_type(self, ship_type: int) -> str:
        """A ship type in words."""
        return word("ship", vessel_class(ship_type).name.lower(), self.language)

    def position(self, rows: Rows, at: int) -> Position:
        """One row of the picture."""
        status = int(rows["nav_status"][at])
        return Position(
            time_us=int(rows["time_us"][at]),
            received_us=int(rows["received_us"][at]),
            latitude_deg=rows["latitude_e7"][at] / 1e7,
            longitude_deg=rows["longitude_e7"][at] / 1e7,
            speed_mps=number(rows["speed_mps"][at]),
            course_deg=number(rows["course_deg"][at]),
            heading_deg=number(rows["heading_deg"][at]),
            nav_status=None if status == 15 else status,
            raw=int(rows["raw"][at]),
            track=int(rows.track[at]),
            flaws=flaw_names(int(rows["flaws"][at])),
            simulated=bool(rows["nature"][at] == Nature.SIMULATED),
        )

    def newest_position(self, rows: Rows) -> Position | None:
        """The newest of a vessel's rows."""
        return self.position(rows, int(rows["time_us"].argmax())) if len(rows) else None

    def picture(self, rows: Rows, time_us: int, mode: Any, total: int, labels: frozenset[int]) -> PictureOut:
        """The picture of a time; `total` before thinning, `labels` the numbers of its rows' labels."""
        names = {int(m): self.view.picture.static(int(m)).name for m in set(rows["mmsi"].tolist())}
        vessels = []
        for at in range(len(rows)):
            here = self.position(rows, at)
            vessels.append(
                PictureVessel(
                    track=here.track,
                    mmsi=int(rows["mmsi"][at]),
                    name=names[int(rows["mmsi"][at])],
                    vessel_class=int(rows.vessel_class[at]),
                    time_us=here.time_us,
                    latitude_deg=here.latitude_deg,
                    longitude_deg=here.longitude_deg,
                    speed_mps=here.speed_mps,
                    course_deg=here.course_deg,
                    heading_deg=here.heading_deg,
                    simulated=here.simulated,
                    raw=here.raw,
                )
            )
        said = self.view.picture_labels_of(list(names))
        return PictureOut(
            time_us=time_us,
            mode=mode,
            total=total,
            thinned=total > len(vessels),
            vessels=vessels,
            marking=self.marking(*self.view.label_texts(labels).union(*said)),
        )

    def track(self, part: TrackPart) -> TrackOut:
        """One track in columns."""
        at = part.columns
        return TrackOut(
            track=part.track,
            mmsi=part.mmsi,
            total=part.total,
            thinned=part.total > len(at["raw"]),
            time_us=at["time_us"].tolist(),
            latitude_deg=at["latitude_deg"].tolist(),
            longitude_deg=at["longitude_deg"].tolist(),
            speed_mps=[number(v) for v in at["speed_mps"].tolist()],
            course_deg=[number(v) for v in at["course_deg"].tolist()],
            raw=at["raw"].tolist(),
            simulated=bool((at["nature"] == Nature.SIMULATED).any()),
            marking=self.marking(*self.view.label_texts(part.labels)),
        )

    # -- labels ---------------------------------------------------------------------------------------

    def marking(self, *labels: str) -> Marking:
        """Of what carries these labels (stored texts), all of them together."""
        return _marking(frozenset(labels), self.language, self.view.observer.nation)

    # -- findings and alerts --------------------------------------------------------------------------

    def reason(self, finding: Finding) -> str:
        """The reason in words; the key where a finding of an older form has no template."""
        try:
            return render(finding, self.language, self.called)
        except NotFound:
            return finding.reason_key

    def finding(self, item: Seen[Publication]) -> FindingOut:
        """One revision of a finding."""
        finding = item.body.finding
        first = item.record.recorded_us
        if item.record.revision > 1:
            first = self.view.first_recorded_us(item.record.id)
        return FindingOut(
            id=item.record.id,
            revision=item.record.revision,
            behaviour=finding.behaviour,
            behaviour_text=word("behaviour", finding.behaviour, self.language),
            preset=finding.preset,
            subtype=finding.subtype,
            participants=[self.vessel(mmsi) for mmsi in finding.participants],
            start_us=finding.start_us,
            end_us=finding.end_us,
            latitude_deg=finding.latitude_deg,
            longitude_deg=finding.longitude_deg,
            score=finding.score,
            reason=self.reason(finding),
            reason_key=finding.reason_key,
            facts=dict(finding.facts),
            evidence=[
                EvidenceOut(
                    track=each.track,
                    mmsi=each.claimed_id,
                    start_us=each.start_us,
                    end_us=each.end_us,
                    raws=list(each.raws),
                )
                for each in finding.evidence
            ],
            state=finding.state,
            versions=dict(finding.versions),
            simulated=finding.simulated,
            first_recorded_us=first,
            recorded_us=item.record.recorded_us,
            split_from=item.body.split_from,
            merged_into=item.body.merged_into,
            marking=self.marking(item.record.label),
        )

    def alert(self, item: Seen[Alert], rank: int = 0, finding: Seen[Publication] | None = None) -> AlertOut:
        """One alert; `rank` 0 where it is not shown in the queue."""
        body = item.body
        if finding is None:
            finding = self.view.findings_of([body.finding]).get(body.finding)
        chance = band(body.probability)
        return AlertOut(
            id=item.record.id,
            revision=item.record.revision,
            state=body.state,
            state_text=word("state", body.state, self.language),
            rank=rank,
            score=body.score,
            probability=body.probability,
            band=chance,
            band_text=word("band", chance, self.language),
            behaviour=body.behaviour,
            behaviour_text=word("behaviour", body.behaviour, self.language),
            preset=body.preset,
            subtype=body.subtype,
            reason=self.reason(finding.body.finding) if finding else "",
            participants=[self.vessel(mmsi) for mmsi in body.participants],
            start_us=body.start_us,
            end_us=body.end_us,
            latitude_deg=body.latitude_deg,
            longitude_deg=body.longitude_deg,
            finding=body.finding,
            findings=list(body.findings),
            behaviours=list(body.behaviours),
            simulated=body.simulated,
            retracted=body.retracted,
            revised=body.revised,
            raised_us=body.raised_us,
            updated_us=item.record.recorded_us,
            holder=body.holder,
            dismissed_reason=body.reason if body.state == "dismissed" else "",
            merged_into=body.merged_into,
            budgeted=body.budgeted,
            marking=self.marking(item.record.label, *([finding.record.label] if finding else [])),
        )

    def alerts(self, items: Iterable[Seen[Alert]], ranks: dict[str, int] | None = None) -> list[AlertOut]:
        """Many, with one read of their findings."""
        listed = list(items)
        findings = self.view.findings_of([item.body.finding for item in listed])
        return [
            self.alert(item, (ranks or {}).get(item.record.id, 0), findings.get(item.body.finding))
            for item in listed
        ]

    def event(self, item: Seen[Alert]) -> AlertEvent:
        """One step of an alert's life."""
        body = item.body
        decided = body.text if body.event in _BY_PEOPLE else ""
        words = word("event", body.event, self.language)
        return AlertEvent(
            revision=item.record.revision,
            kind=body.event,
            text=f"{words} {decided}".strip(),
            author=item.record.author,
            recorded_us=item.record.recorded_us,
            reason=body.reason,
        )

    # -- words and orders -----------------------------------------------------------------------------

    def note(self, item: Seen[Note]) -> NoteOut:
        """One note."""
        return NoteOut(
            id=item.record.id,
            revision=item.record.revision,
            subject_kind=item.body.subject_kind,
            subject=item.body.subject,
            text=item.body.text,
            author=item.record.author,
            recorded_us=item.record.recorded_us,
            marking=self.marking(item.record.label),
        )

    def log_line(self, item: Seen[LogLine]) -> LogEntry:
        """One line of the watch log; a decision's own words stand first."""
        words = word("event", item.body.step, self.language) if item.body.step else ""
        return LogEntry(
            id=item.record.id,
            recorded_us=item.record.recorded_us,
            author=item.record.author,
            text=f"{words} {item.body.text}".strip(),
            source=item.body.source,
            alert=item.body.alert,
            marking=self.marking(item.record.label),
        )

    def area(self, item: Seen[WatchedArea]) -> AreaOut:
        """One area."""
        return AreaOut(
            id=item.record.id,
            revision=item.record.revision,
            node=item.record.origin,
            name=item.body.name,
            ring=list(item.body.ring),
            text=item.body.text,
            author=item.record.author,
            recorded_us=item.record.recorded_us,
            active=item.body.active,
            marking=self.marking(item.record.label),
        )

    def watchlist(self, item: Seen[Watchlist]) -> WatchlistOut:
        """One watchlist."""
        return WatchlistOut(
            id=item.record.id,
            revision=item.record.revision,
            node=item.record.origin,
            name=item.body.name,
            entries=[
                WatchEntry(**{name: getattr(entry, name) for name in WatchlistEntry.__struct_fields__})
                for entry in item.body.entries
            ],
            source=item.body.source,
            author=item.record.author,
            recorded_us=item.record.recorded_us,
            active=item.body.active,
            marking=self.marking(item.record.label),
        )

    def legal_hold(self, item: Seen[LegalHold]) -> LegalHoldOut:
        """One legal hold."""
        return LegalHoldOut(
            id=item.record.id,
            revision=item.record.revision,
            case=item.record.case,
            reason=item.body.reason,
            mmsi=list(item.body.mmsi),
            start_us=item.body.start_us,
            end_us=item.body.end_us,
            author=item.record.author,
            recorded_us=item.record.recorded_us,
            released=item.body.released,
        )

    def handover(self, item: Seen[Handover]) -> HandoverOut:
        """One signed handover."""
        summary = item.body.summary
        return HandoverOut(
            id=item.record.id,
            recorded_us=item.record.recorded_us,
            from_us=summary.from_us,
            to_us=summary.to_us,
            author=item.record.author,
            relieved_by=item.body.relieved_by,
            text=item.body.text,
            digest=item.body.digest,
            open_alerts=len(summary.open_alerts),
            ledger_sequence=summary.ledger_sequence,
            ledger_head=summary.ledger_head,
            marking=self.marking(item.record.label),
        )

    # -- the node -------------------------------------------------------------------------------------

    def status(self, site: Site) -> Status:
        """The status line."""
        state = site.status()
        view, count = self.view, self.view.count
        feeds = [feed for feed in state.feeds if view.sees_feed(feed.label)]
        admitted, at_home, picture = view.seen_frames("observations"), view.at_home, view.picture
        live = any(feed.wall and feed.condition == "live" for feed in feeds)
        newest = picture.newest_us

        def alerts(name: str) -> int:
            return count(Query("alert", ((f"state:{name}",),)))

        return Status(
            node=site.node,
            nation=site.nation,
            version=site.version,
            now_us=site.clock(),
            picture_us=newest,
            earliest_us=state.earliest_us,
            lag_s=max(0.0, (site.clock() - newest) / 1e6) if live and newest is not None else None,
            simulated=picture.simulated,
            picture_marking=self.marking(*labels) if (labels := view.picture_labels) else None,
            demo=site.demo,
            feeds=[
                FeedStatus(
                    name=feed.name,
                    kind=feed.kind,
                    state=feed.condition,
                    text=feed.notice or word("condition", feed.condition, self.language),
                    messages=feed.messages,
                    messages_per_s=feed.messages_per_s,
                    last_received_us=feed.last_received_us,
                    lag_s=feed.lag_s,
                    nature=feed.nature,
                )
                for feed in feeds
            ],
            disk=DiskStatus(
                used_bytes=state.used_bytes if at_home else 0,
                free_bytes=state.free_bytes if at_home else 0,
                budget_bytes=state.budget_bytes if at_home else 0,
            ),
            counts=Counts(
                vessels=picture.vessels,
                observations=sum(n for label, n in state.observations.items() if admitted.admits(label)),
                findings=count(Query("finding")),
                alerts_new=alerts("new"),
                alerts_taken=alerts("taken"),
                alerts_escalated=alerts("escalated"),
                quarantine=view.quarantined(),
            ),
            ledger_sequence=view.head().sequence,
            notices=[each.text for each in state.notices if view.sees_feed(each.label)],
        )
