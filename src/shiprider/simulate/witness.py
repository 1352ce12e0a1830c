"""Keeps what receivers heard of the vessels of events, and writes the truth.

Always true: only what was given out as bytes counts as heard; what is kept is let go when its event is
36 hours past, so a year needs no more memory than a fortnight.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import SECOND_US
from shiprider.simulate import reporting
from shiprider.simulate.cast import Unit
from shiprider.simulate.plots import Plot
from shiprider.simulate.reception import Receivers, outages_between
from shiprider.simulate.scenario import Scenario
from shiprider.simulate.truth import USUAL_S, Event, Heard, Lookalike, Truth, Vessel, shown
from shiprider.simulate.wire import Received

F64 = NDArray[np.float64]


@dataclass(slots=True)
class Witness:
    """`lawful`: how many vessels come before those of the events."""

    start_us: int
    lawful: int
    plots: list[Plot]
    played_s: float = 0.0
    _heard: dict[int, list[F64]] = field(default_factory=dict)
    _settled: dict[int, Event] = field(default_factory=dict)
    _given: set[int] = field(default_factory=set)

    def hear(self, rows: Received) -> None:
        """Take the rows of one block, in order of arrival."""
        if len(rows) == 0:
            return
        vessel = rows.integers[:, reporting.N_VESSEL]
        channel = rows.integers[:, reporting.N_CHANNEL]
        wanted = (vessel >= self.lawful) & (
            (channel == reporting.POSITION) | (channel == reporting.LONG_RANGE)
        )
        for number in np.unique(vessel[wanted]):
            mine = wanted & (vessel == number)
            self._heard.setdefault(int(number), []).append(
                np.column_stack(
                    (
                        rows.floats[mine, reporting.R_SENT],
                        rows.integers[mine, reporting.N_IDENTITY],
                        rows.floats[mine, reporting.R_LAT],
                        rows.floats[mine, reporting.R_LON],
                    )
                )
            )
        self.played_s = max(self.played_s, float(rows.floats[-1, reporting.R_ARRIVED]))
        for plot in self.plots:
            if plot.event is None:
                continue
            if (
                plot.number not in self._settled
                and (plot.event.end_us - self.start_us) / SECOND_US + USUAL_S < self.played_s
            ):
                self._settled[plot.number] = self._settle(plot)
            if plot.number in self._settled:
                for member in range(len(plot.hulls)):
                    self._heard.pop(plot.first_vessel + member, None)

    def _settle(self, plot: Plot) -> Event:
        event = plot.event
        if event is None:
            raise ValueError("only an event that has been played can be settled")
        heard = {}
        for vessel in {v for sign in plot.signs for v in sign.vessels}:
            parts = self._heard.get(vessel, [])
            if parts:
                table = np.concatenate(parts)
                table = table[np.argsort(table[:, 0], kind="stable")]
                heard[vessel] = Heard(table[:, 0], table[:, 1].astype(np.int64), table[:, 2], table[:, 3])
        traces = tuple(sign.behaviour for sign in plot.signs if shown(sign, heard))
        return Event(
            **{name: getattr(event, name) for name in Event.__struct_fields__ if name not in _LATER},
            leaves_ais_trace=bool(traces),
            traces=traces,
        )

    def settled(self, units: list[Unit]) -> Truth:
        """Events and look-alikes that are over and were not given out before; they are then forgotten.

        For long scenarios: written out day by day, the truth needs no memory. Outages, shared MMSIs and
        vessels are in `truth`.
        """
        events = [event for number, event in sorted(self._settled.items()) if number not in self._given]
        self._given |= set(self._settled)
        over = self.played_s - USUAL_S
        alike = [item for item in self._lookalikes(units) if item.end_us < self.start_us + over * SECOND_US]
        for unit in units:
            unit.notes = [note for note in unit.notes if note.end_s >= over]
        return Truth(events=tuple(events), lookalikes=tuple(alike), vessels=())

    def truth(self, units: list[Unit], receivers: Receivers, scenario: Scenario) -> Truth:
        """Everything up to what has been played."""
        events = [
            self._settled.get(plot.number) or self._settle(plot)
            for plot in self.plots
            if plot.event is not None and (plot.event.start_us - self.start_us) / SECOND_US < self.played_s
        ]
        members = [(unit, member) for unit in units for member in range(len(unit.hulls))]
        vessels = []
        for index, (unit, member) in enumerate(members):
            hull = unit.hulls[member]
            vessels.append(
                Vessel(
                    vessel=hull.vessel,
                    kind=hull.kind,
                    lawful=index < self.lawful,
                    mmsi=tuple(i.mmsi for i in hull.identities),
                    imo=hull.identities[0].imo,
                    name=hull.identities[0].name,
                    length_m=hull.length_m,
                    transmitter=hull.transmitter,
                    flaw=hull.flaw,
                )
            )
        return Truth(
            events=tuple(events),
            lookalikes=(
                *self._lookalikes(units),
                *self._outages(receivers, scenario),
                *_shared(vessels, scenario),
            ),
            vessels=tuple(vessels),
        )

    def _lookalikes(self, units: list[Unit]) -> list[Lookalike]:
        out = []
        for unit in units:
            for note in unit.notes:
                if note.end_s < 0 or note.start_s > self.played_s:
                    continue
                there = [unit.hulls[m] for m in note.members if m < len(unit.hulls)]
                on_air = [hull for hull in there if hull.transmitter]
                out.append(
                    Lookalike(
                        id=f"SIM-L{unit.hulls[0].vessel:06d}-{round(note.start_s)}-{note.kind}",
                        kind=note.kind,
                        participants=tuple(sorted(hull.identities[0].mmsi for hull in on_air)),
                        start_us=self.start_us + round(note.start_s * SECOND_US),
                        end_us=self.start_us + round(note.end_s * SECOND_US),
                        latitude_deg=round(note.latitude_deg, 5),
                        longitude_deg=round(note.longitude_deg, 5),
                        figures=dict(note.figures),
                    )
                )
        return out

    def _outages(self, receivers: Receivers, scenario: Scenario) -> list[Lookalike]:
        last = max(0, int(self.played_s // 86_400.0))
        seed = np.random.SeedSequence(scenario.seed, spawn_key=(12,))
        first, rows = outages_between(receivers, scenario.reception, seed, 0, last)
        out = []
        for station in range(len(receivers.stations)):
            for start, end in rows[first[station] : first[station + 1]]:
                if end > 0 and start < self.played_s:
                    out.append(
                        Lookalike(
                            id=f"SIM-L{receivers.name[station]}-{round(start)}",
                            kind="receiver_outage",
                            participants=(),
                            start_us=self.start_us + round(start * SECOND_US),
                            end_us=self.start_us + round(end * SECOND_US),
                            latitude_deg=round(float(receivers.stations[station, 0]), 5),
                            longitude_deg=round(float(receivers.stations[station, 1]), 5),
                            figures={"receiver": receivers.name[station]},
                        )
                    )
        return out


_LATER = ("leaves_ais_trace", "traces")


def _shared(vessels: list[Vessel], scenario: Scenario) -> list[Lookalike]:
    """One MMSI claimed by several hulls all the time."""
    holders: dict[int, int] = {}
    for vessel in vessels:
        for mmsi in vessel.mmsi:
            holders[mmsi] = holders.get(mmsi, 0) + 1
    return [
        Lookalike(
            id=f"SIM-LMMSI-{mmsi}",
            kind="shared_mmsi",
            participants=(mmsi,),
            start_us=scenario.start_us,
            end_us=scenario.end_us,
            latitude_deg=0.0,
            longitude_deg=0.0,
            figures={"hulls": float(count)},
        )
        for mmsi, count in holders.items()
        if count > 1
    ]
