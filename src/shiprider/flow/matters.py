"""Matters: published findings that belong together, so that one event is one alert and not five.

Always true: a finding belongs to one matter for good; what was simulated never joins what was observed;
what a person asked for (watchlists, areas) stands alone; a matter that a person has closed takes no more.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import structs

from shiprider.detect.ranking import JOIN_US, LONGEST_US, Candidate, joint_score
from shiprider.flow.calibration import Teaching
from shiprider.flow.publishing import Published
from shiprider.model.alert import ASKED_FOR, OPEN_STATES, Alert
from shiprider.model.finding import Finding

#: Lawful everyday behaviour, kept as findings because people and other detectors build on it.
NEVER_ALERTS: Final = frozenset({"port_visit"})


@dataclass(slots=True)
class Standing:
    """An alert as last recorded; revision 0 before it is."""

    id: str
    revision: int
    body: Alert


@dataclass(slots=True, eq=False)
class Matter:
    """Findings by id, as last published, and the alert made of them."""

    watch_us: int
    simulated: bool
    asked_for: bool
    findings: dict[str, Published] = field(default_factory=dict)
    alert: Standing | None = None

    def standing(self) -> list[Published]:
        """Its findings that are not retracted, strongest first; all of them where none stands."""
        listed = [each for each in self.findings.values() if each.finding.state != "retracted"]
        return sorted(
            listed or self.findings.values(),
            key=lambda each: (-each.finding.score, each.finding.start_us, each.id),
        )

    @property
    def retracted(self) -> bool:
        """Whether late data undid all of it."""
        return all(each.finding.state == "retracted" for each in self.findings.values())

    @property
    def open(self) -> bool:
        """Whether it may grow."""
        return self.alert is None or self.alert.body.state in OPEN_STATES

    def takes(self, finding: Finding) -> bool:
        """Whether a finding of one of its vessels belongs to it (`detect/ranking.py`)."""
        held = [each.finding for each in self.findings.values()]
        start, end = min(each.start_us for each in held), max(each.end_us for each in held)
        apart = max(finding.start_us - end, start - finding.end_us)
        long = max(end, finding.end_us) - min(start, finding.start_us)
        return self.open and self.simulated == finding.simulated and apart <= JOIN_US and long <= LONGEST_US

    def candidate(self, place: int, teaching: Teaching) -> Candidate:
        """What the ranking asks for; `place` stands for the matter."""
        found = [each.finding for each in self.standing()]
        raw = joint_score(found)
        lead = found[0]
        return Candidate(
            members=(place,),
            participants=tuple(sorted({mmsi for each in found for mmsi in each.participants})),
            start_us=min(each.start_us for each in found),
            end_us=max(each.end_us for each in found),
            latitude_deg=lead.latitude_deg,
            longitude_deg=lead.longitude_deg,
            lead=lead.behaviour,
            behaviours=tuple(dict.fromkeys(each.behaviour for each in found)),
            raw_score=round(raw, 4),
            score=teaching.probability(raw, simulated=self.simulated)[0],
            simulated=self.simulated,
        )

    def content(self, alert: Alert, teaching: Teaching) -> Alert:
        """The alert with what the findings say now; what was decided and what was shown last stay if retracted."""
        found = self.standing()
        of = self.candidate(0, teaching)
        lead = found[0]
        probability, model = teaching.probability(of.raw_score, simulated=self.simulated)
        if self.retracted:
            probability, model = alert.probability, alert.model
        return structs.replace(
            alert,
            finding=lead.id,
            finding_revision=lead.revision,
            findings=tuple(each.id for each in found),
            behaviours=of.behaviours,
            behaviour=lead.finding.behaviour,
            preset=lead.finding.preset,
            subtype=lead.finding.subtype,
            participants=of.participants,
            start_us=of.start_us,
            end_us=of.end_us,
            latitude_deg=of.latitude_deg,
            longitude_deg=of.longitude_deg,
            score=of.raw_score,
            probability=probability,
            model=model,
            simulated=self.simulated,
            retracted=self.retracted,
        )


@dataclass(slots=True)
class Matters:
    """All that memory holds. One thread only."""

    watch_us: int
    _of_finding: dict[str, Matter] = field(default_factory=dict)
    _of_vessel: dict[int, list[Matter]] = field(default_factory=lambda: defaultdict(list))
    _of_watch: dict[int, list[Matter]] = field(default_factory=lambda: defaultdict(list))

    def of(self, published: Published) -> Matter | None:
        """The matter of a finding, brought up to date; None where the finding is nobody's business."""
        finding = published.finding
        matter = self._of_finding.get(published.id)
        if matter is None:
            if finding.state == "retracted" or finding.behaviour in NEVER_ALERTS:
                return None
            matter = self._joined(finding) or self._new(finding)
            self._hold(matter, published)
        matter.findings[published.id] = published
        return matter

    def _joined(self, finding: Finding) -> Matter | None:
        if finding.behaviour in ASKED_FOR:
            return None
        near: list[Matter] = []
        for mmsi in finding.participants:
            near += [
                each
                for each in self._of_vessel.get(mmsi, ())
                if not each.asked_for and each not in near and each.takes(finding)
            ]
        return max(near, key=lambda each: each.standing()[0].finding.score, default=None)

    def _new(self, finding: Finding) -> Matter:
        watch_us = finding.end_us // self.watch_us * self.watch_us
        matter = Matter(watch_us, finding.simulated, finding.behaviour in ASKED_FOR)
        self._of_watch[watch_us].append(matter)
        return matter

    def _hold(self, matter: Matter, published: Published) -> None:
        self._of_finding[published.id] = matter
        for mmsi in published.finding.participants:
            if matter not in self._of_vessel[mmsi]:
                self._of_vessel[mmsi].append(matter)

    def knows(self, finding_id: str) -> bool:
        """Whether a finding has its matter here."""
        return finding_id in self._of_finding

    def matter_of(self, finding_id: str) -> Matter | None:
        """The matter that a finding is in, as it stands."""
        return self._of_finding.get(finding_id)

    def restore(self, alert: Standing, published: Sequence[Published]) -> None:
        """A matter as its alert has it, before any other finding is handed in."""
        body = alert.body
        matter = Matter(body.watch_us, body.simulated, body.behaviour in ASKED_FOR, alert=alert)
        self._of_watch[body.watch_us].append(matter)
        for each in published:
            matter.findings[each.id] = each
            self._hold(matter, each)

    def in_watch(self, watch_us: int) -> list[Matter]:
        """The matters whose place is in the budget of that watch."""
        return self._of_watch.get(watch_us, [])

    def __iter__(self) -> Iterator[Matter]:
        return (each for listed in self._of_watch.values() for each in listed)

    def forget(self, before_us: int) -> None:
        """Drop the matters of watches that lie that far back."""
        for watch_us in [each for each in self._of_watch if each < before_us]:
            gone = self._of_watch.pop(watch_us)
            for matter in gone:
                for published in matter.findings.values():
                    self._of_finding.pop(published.id, None)
                    for mmsi in published.finding.participants:
                        kept = [each for each in self._of_vessel.get(mmsi, ()) if each is not matter]
                        if kept:
                            self._of_vessel[mmsi] = kept
                        else:
                            self._of_vessel.pop(mmsi, None)
