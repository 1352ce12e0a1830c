"""A scenario as a stream of bytes in slices of time, with its truth.

Always true: movement is planned a UTC day at a time and messages an hour at a time, so memory does not
grow with the length of the scenario; the bytes are cut, never made, by the caller's slices, so slices of
any length give the same bytes; every byte is written before the truth of what it shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import SECOND_US
from shiprider.simulate import motion, reporting
from shiprider.simulate.cast import Unit, destinations, lawful_units
from shiprider.simulate.geography import Geography
from shiprider.simulate.identity import Hull
from shiprider.simulate.infrastructure import infrastructure
from shiprider.simulate.plots import Plot, plan_plots
from shiprider.simulate.reception import (
    Receivers,
    horizon_m,
    orbit_table,
    outages_between,
    place_receivers,
    station_load,
)
from shiprider.simulate.scenario import Scenario
from shiprider.simulate.sea_grid import SeaGrid, build_sea_grid
from shiprider.simulate.truth import Truth
from shiprider.simulate.waters import Waters, find_waters
from shiprider.simulate.wire import Cast, Received, write
from shiprider.simulate.witness import Witness

F64 = NDArray[np.float64]

_DAY_S: Final = 86_400.0
_BLOCK_S: Final = 3_600.0

#: Share of a message's chance that a weaker transmitter keeps: 12.5 W, 5 W and 2 W.
_POWER: Final = np.array([0.0, 1.0, 0.93, 0.85])


@dataclass(frozen=True, slots=True)
class Slice:
    """What arrived at the node in [start_us, end_us)."""

    start_us: int
    end_us: int
    data: bytes
    messages: int


@dataclass(slots=True)
class _Transmitters:
    """All vessels' radios, in columns."""

    seed: NDArray[np.uint64]
    kind: NDArray[np.int8]
    range_m: F64
    power: F64

    @classmethod
    def of(cls, scenario: Scenario, hulls: list[Hull]) -> "_Transmitters":
        kind = np.array([hull.transmitter for hull in hulls], np.int8)
        state = [
            np.random.SeedSequence(scenario.seed, spawn_key=(4, hull.vessel)).generate_state(1, np.uint64)[0]
            for hull in hulls
        ]
        antenna = np.array([hull.antenna_m for hull in hulls])
        return cls(np.array(state, np.uint64), kind, horizon_m(antenna), _POWER[kind])


@dataclass(slots=True)
class _Day:
    """One UTC day's movement, and how far each transmitter has got in it."""

    knots: F64
    first: NDArray[np.int64]
    cursor: NDArray[np.int64]
    due: F64
    counts: NDArray[np.int64]
    outage_first: NDArray[np.int64]
    outages: F64

    @classmethod
    def of(cls, play: "Simulation", day: int) -> "_Day":
        """Plan the day. Transmitters take up their rhythm anew at midnight, so a day stands alone."""
        begin = day * _DAY_S
        knots, first = play.plan_day(day)
        radios = play.radios
        n = len(first) - 1
        state = np.empty((n, 3))
        reporting.situation(knots, first, begin, radios.kind, state)
        phase = (radios.seed >> np.uint64(11)).astype(np.float64) / 2.0**53
        phases = np.column_stack([(phase * factor + day * 0.381966) % 1.0 for factor in (1.0, 7.0, 13.0)])
        period = np.column_stack(
            (np.where(state[:, 2] > 0, state[:, 2], 30.0), np.full(n, 360.0), np.full(n, 180.0))
        )
        due = begin + phases * period
        due[radios.kind != 1, reporting.LONG_RANGE] = np.inf
        counts = np.full((n, reporting.CHANNELS), (day + 1) << 20, np.int64)
        outage_first, outages = outages_between(
            play.receivers,
            play.scenario.reception,
            np.random.SeedSequence(play.scenario.seed, spawn_key=(12,)),
            day,
            day,
        )
        return cls(knots, first, first[:-1].copy(), due, counts, outage_first, outages)

    def hear(self, play: "Simulation", t0: float, t1: float) -> Received:
        """What is received of the messages sent in [t0, t1)."""
        radios, receivers = play.radios, play.receivers
        state = np.empty((len(radios.kind), 3))
        reporting.situation(self.knots, self.first, t0, radios.kind, state)
        there = ~np.isnan(state[:, 0]) & (state[:, 2] > 0)
        lat, lon, interval = state[there].T
        stations = receivers.stations.copy()
        stations[:, 3] *= 1.0 - station_load(receivers, lat, lon, 60.0 / interval)
        satellites = orbit_table(receivers, t0, t1, lat, lon)
        while True:
            cursor, due, counts = self.cursor.copy(), self.due.copy(), self.counts.copy()
            floats = np.empty((play.capacity, reporting.FLOATS))
            integers = np.empty((play.capacity, reporting.INTEGERS), np.int64)
            rows = reporting.receive(
                self.knots,
                self.first,
                t0,
                t1,
                radios.seed,
                radios.kind,
                radios.range_m,
                radios.power,
                cursor,
                due,
                counts,
                stations,
                self.outage_first,
                self.outages,
                receivers.cell_first,
                receivers.cell_stations,
                receivers.cell_grid,
                satellites,
                receivers.rules,
                floats,
                integers,
            )
            if rows <= play.capacity:
                break
            play.capacity = int(rows * 1.3)
        self.cursor, self.due, self.counts = cursor, due, counts
        heard = Received(floats[:rows].copy(), integers[:rows].copy())
        return heard.followed_by(infrastructure(receivers, self.outage_first, self.outages, t0, t1))


@dataclass(slots=True)
class Simulation:
    """One playing of a scenario. Play it once, forwards; make another to play it again."""

    scenario: Scenario
    grid: SeaGrid
    waters: Waters
    receivers: Receivers
    units: list[Unit]
    radios: _Transmitters
    cast: Cast
    plots: list[Plot]
    witness: Witness
    capacity: int = 100_000
    messages: int = 0

    @classmethod
    def of(cls, scenario: Scenario, geography: Geography) -> "Simulation":
        """Lay the sea, place the receivers, call the crews: about 2 s for a week's scenario."""
        grid = build_sea_grid(geography)
        seed = scenario.seed
        waters = find_waters(grid, scenario.hubs, np.random.SeedSequence(seed, spawn_key=(10,)))
        receivers = place_receivers(grid, scenario.reception, np.random.SeedSequence(seed, spawn_key=(11,)))
        units = lawful_units(scenario, waters)
        lawful = sum(len(unit.hulls) for unit in units)
        plots = plan_plots(scenario, waters, lawful)
        units += [plot.unit for plot in plots]
        hulls = [hull for unit in units for hull in unit.hulls]
        radios = _Transmitters.of(scenario, hulls)
        cast = Cast.of(hulls, destinations(scenario, waters, hulls), len(receivers.stations))
        return cls(
            scenario,
            grid,
            waters,
            receivers,
            units,
            radios,
            cast,
            plots,
            Witness(scenario.start_us, lawful, plots),
        )

    def plan_day(self, day: int) -> tuple[F64, NDArray[np.int64]]:
        """All vessels' knots for a UTC day since the start (0 is the first), and where each one's begin.

        Days are to be asked for in ascending order.
        """
        begin, end = day * _DAY_S, (day + 1) * _DAY_S
        parts: list[F64] = []
        for unit in self.units:
            if unit.to_s <= begin:
                unit.release()
            if unit.to_s <= begin or unit.from_s >= end:
                parts += [np.empty((0, motion.COLUMNS))] * len(unit.hulls)
            else:
                parts += unit.knots_between(begin, end)
        first = np.concatenate(([0], np.cumsum([len(p) for p in parts]))).astype(np.int64)
        return np.concatenate(parts), first

    def truth(self) -> Truth:
        """What happened, as far as it has been played; traces are those of the bytes given out."""
        return self.witness.truth(self.units, self.receivers, self.scenario)

    def settled_truth(self) -> Truth:
        """What is over and was not given out before, to be written out while a long scenario plays."""
        return self.witness.settled(self.units)

    def slices(self, start_us: int, end_us: int, slice_us: int) -> Iterator[Slice]:
        """Bytes that arrive in [start_us, end_us), slice by slice, in order of arrival."""
        origin = self.scenario.start_us
        start_s, end_s = (start_us - origin) / SECOND_US, (end_us - origin) / SECOND_US
        cut = start_us
        held: list[bytes] = []
        count = 0
        for block_end, data, offsets, arrived in self._blocks(start_s, end_s):
            done = 0
            while True:
                upto = min(cut + slice_us, end_us)
                limit = (upto - origin) / SECOND_US
                if limit > block_end and upto < end_us:
                    break
                stop = int(np.searchsorted(arrived, limit, side="left"))
                held.append(data[offsets[done] : offsets[stop]].tobytes())
                count += stop - done
                if limit <= block_end:
                    yield Slice(cut, upto, b"".join(held), count)
                    self.messages += count
                    held, count, cut = [], 0, upto
                done = stop
                if cut >= end_us or limit > block_end:
                    break
            if done < len(arrived) and cut < end_us:
                held.append(data[offsets[done] : offsets[len(arrived)]].tobytes())
                count += len(arrived) - done
            if cut >= end_us:
                return

    def _blocks(
        self, start_s: float, end_s: float
    ) -> Iterator[tuple[float, NDArray[np.uint8], NDArray[np.int64], F64]]:
        """Hours of bytes: (end, data, offsets, arrival seconds), from `start_s` on."""
        late = self.scenario.reception.satellite_late_max_s + 10.0
        first_day = int(np.floor((start_s - late) / _DAY_S))
        pending = Received(np.empty((0, reporting.FLOATS)), np.empty((0, reporting.INTEGERS), np.int64))
        for day in range(max(first_day, 0), int(np.ceil(end_s / _DAY_S)) + 1):
            today = _Day.of(self, day)
            for number in range(round(_DAY_S / _BLOCK_S)):
                t0 = day * _DAY_S + number * _BLOCK_S
                if t0 >= end_s:
                    return
                pending = pending.followed_by(today.hear(self, t0, t0 + _BLOCK_S))
                due = pending.floats[:, reporting.R_ARRIVED] < t0 + _BLOCK_S
                ready = pending.take(due)
                pending = pending.take(~due)
                if t0 + _BLOCK_S <= start_s:
                    continue
                ready = ready.take(_order(ready))
                arrived = ready.floats[:, reporting.R_ARRIVED]
                data, offsets = write(
                    ready, self.cast, self.receivers.name, self.scenario.start_us // SECOND_US
                )
                wanted = slice(int(np.searchsorted(arrived, start_s)), int(np.searchsorted(arrived, end_s)))
                self.witness.hear(ready.take(np.arange(wanted.start, wanted.stop)))
                yield t0 + _BLOCK_S, data, offsets[wanted.start : wanted.stop + 1], arrived[wanted]


def _order(rows: Received) -> NDArray[np.int64]:
    """By arrival, ties by vessel, count and receiver."""
    return np.lexsort(
        (
            rows.integers[:, reporting.N_RECEIVER],
            rows.integers[:, reporting.N_COUNT],
            rows.integers[:, reporting.N_VESSEL],
            rows.floats[:, reporting.R_ARRIVED],
        )
    )


def stream(
    scenario: Scenario,
    geography: Geography,
    start_us: int | None = None,
    end_us: int | None = None,
    slice_us: int = 600 * SECOND_US,
) -> Iterator[bytes]:
    """The bytes that arrive in [start_us, end_us) (default: the whole scenario), slice by slice.

    A caller that paces a live feed uses `Simulation.slices`, whose slices carry their times.
    """
    begin = scenario.start_us if start_us is None else start_us
    end = scenario.end_us if end_us is None else end_us
    for piece in Simulation.of(scenario, geography).slices(begin, end, slice_us):
        yield piece.data
