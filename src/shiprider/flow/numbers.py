"""An observer's own numbers: chances, ranks and the budget of attention, made of what he may see and nothing else.

Always true: two observers who may see the same get the same numbers, whatever else the node holds, and so does
everybody on a node that holds nothing else; what was stored with an alert is the node's own work and is shown to
nobody as it is; numbers of a past time are made of what was known then.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import structs

from shiprider.detect.ranking import Budget, Candidate, allocate
from shiprider.flow.calibration import Models
from shiprider.flow.own_reception import OwnReception
from shiprider.measure.clock import HOUR_US
from shiprider.model.alert import ASKED_FOR, Alert
from shiprider.model.disposition import Disposition
from shiprider.model.record import Record
from shiprider.ports.lake import Lake
from shiprider.ports.ledger import Allowed, Ledger, Query

#: Sets of classes, and watches, whose numbers are kept.
_KEPT: Final = 4096


@dataclass(slots=True)
class _Taught:
    head: int
    models: Models


class Numbers:
    """Of one node; any thread. `budget` and `watch_us` are those of its watch."""

    def __init__(
        self, ledger: Ledger, lake: Lake, budget: Budget | None = None, watch_us: int = 8 * HOUR_US
    ) -> None:
        self.reception = OwnReception(lake)
        self._ledger = ledger
        self._budget = budget or Budget()
        self._watch_us = watch_us
        self._taught: dict[frozenset[int], _Taught] = {}
        self._shown: dict[tuple[frozenset[int], int], tuple[int, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def models(self, allowed: Allowed, known_us: int | None = None) -> Models:
        """What the decisions teach that may be seen (as they were known at a time)."""
        if known_us is not None:
            return self._fitted(allowed, known_us)
        with self._lock:
            kept, head = self._taught.get(allowed.classes), self._ledger.head().sequence
            if kept is not None and kept.head != head:
                kinds = ("disposition",)
                if self._ledger.since(kept.head, limit=1, kinds=kinds, allowed=allowed):
                    kept = None
                else:
                    kept.head = head
            if kept is None:
                if len(self._taught) >= _KEPT:
                    self._taught.clear()
                kept = self._taught[allowed.classes] = _Taught(head, self._fitted(allowed, None))
            return kept.models

    def _fitted(self, allowed: Allowed, known_us: int | None) -> Models:
        records = self._ledger.of_kind("disposition", known_us=known_us, allowed=allowed)
        return Models.of(
            msgspec.json.decode(record.body, type=Disposition)
            for record in records
            if record.body is not None and record.origin == self._ledger.origin
        )

    def alerts(self, allowed: Allowed, listed: Sequence[tuple[str, Alert]]) -> list[Alert]:
        """Alerts (with their ids) with the chances and the budget of who sees these classes."""
        models = self.models(allowed)
        chances = [_with_chance(models, body) for _, body in listed]
        return [
            structs.replace(body, budgeted=id_ in self._in_budget(allowed, models, body.watch_us))
            if _competes(body)
            else structs.replace(body, budgeted=True)
            for (id_, _), body in zip(listed, chances, strict=True)
        ]

    def alerts_known(
        self, allowed: Allowed, known_us: int, listed: Sequence[tuple[str, Alert]]
    ) -> list[Alert]:
        """All alerts as they were known at a time, with the numbers of that time."""
        models = self.models(allowed, known_us)
        chances = [(id_, _with_chance(models, body)) for id_, body in listed]
        watches: dict[int, list[tuple[str, Alert]]] = {}
        for id_, body in chances:
            watches.setdefault(body.watch_us, []).append((id_, body))
        shown = frozenset[str]().union(*(self._allocated(each) for each in watches.values()))
        return [structs.replace(body, budgeted=not _competes(body) or id_ in shown) for id_, body in chances]

    def _in_budget(self, allowed: Allowed, models: Models, watch_us: int) -> frozenset[str]:
        """Ids of the alerts of a watch that are within its budget, among those that may be seen."""
        key, head = (allowed.classes, watch_us), self._ledger.head().sequence
        kept = self._shown.get(key)
        if kept is not None and kept[0] == head:
            return kept[1]
        # The finding that began an alert ends in its watch, and lies within the alert's span.
        end_us = watch_us + self._watch_us
        query = Query("alert", origin=self._ledger.origin, start_us=watch_us, end_us=end_us, allowed=allowed)
        found = [
            (record.id, _with_chance(models, _alert(record)))
            for record in self._ledger.find(query)
            if record.body
        ]
        shown = self._allocated([(id_, body) for id_, body in found if body.watch_us == watch_us])
        if len(self._shown) >= _KEPT:
            self._shown.clear()
        self._shown[key] = (head, shown)
        return shown

    def _allocated(self, watch: Sequence[tuple[str, Alert]]) -> frozenset[str]:
        """As `flow/watch.py` does over all matters: what a person decided on stays where it is and takes its room."""
        ours = [(id_, body) for id_, body in watch if body.behaviour not in ASKED_FOR and not body.retracted]
        used = sum(1 for _, body in ours if body.state != "new")
        open_ = [(id_, body) for id_, body in ours if body.state == "new"]
        ranked = sorted(
            (_candidate(place, body) for place, (_, body) in enumerate(open_)),
            key=lambda of: (
                -of.score,
                -of.raw_score,
                -of.end_us,
                of.participants,
                open_[of.members[0]][0],
            ),
        )
        places = allocate(ranked, self._budget, used)
        return frozenset(open_[place.candidate.members[0]][0] for place in places if place.shown)


def _alert(record: Record) -> Alert:
    return msgspec.json.decode(record.body or b"", type=Alert)


def _with_chance(models: Models, body: Alert) -> Alert:
    probability, model = models.probability(body.score, simulated=body.simulated)
    return structs.replace(body, probability=probability, model=model)


def _competes(body: Alert) -> bool:
    return body.state == "new" and not body.retracted and body.behaviour not in ASKED_FOR


def _candidate(place: int, body: Alert) -> Candidate:
    return Candidate(
        members=(place,),
        participants=body.participants,
        start_us=body.start_us,
        end_us=body.end_us,
        latitude_deg=body.latitude_deg,
        longitude_deg=body.longitude_deg,
        lead=body.behaviour,
        behaviours=body.behaviours,
        raw_score=body.score,
        score=body.probability,
        simulated=body.simulated,
    )
