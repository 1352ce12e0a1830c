"""Plausible positions as columns, without bytes: for measuring behaviours over millions of points.

Always true: the movement is that of the scenario, events and lawful look-alikes included; only radio
and wire are left out, so every vessel reports at an even interval wherever it is.
"""

import numpy as np
from numpy.typing import NDArray

from shiprider.measure.clock import SECOND_US
from shiprider.measure.kernels import kernel
from shiprider.model.codes import Nature, ReceiverKind
from shiprider.model.rows import TrackPoints
from shiprider.simulate.geography import Geography
from shiprider.simulate.reporting import _hermite, _normal
from shiprider.simulate.scenario import Fleet, Scenario
from shiprider.simulate.stream import Simulation

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_DAY_S = 86_400.0


@kernel
def _sample(knots: F64, first: I64, ticks: F64, seeds: NDArray[np.uint64], out: F64, number: I64) -> int:
    """Rows of time, latitude, longitude, speed, course, status; `number` is vessel * 8 + identity slot."""
    rows = 0
    for v in range(len(first) - 1):
        k, stop = first[v], first[v + 1]
        if stop - k < 2:
            continue
        phase = float(seeds[v] >> np.uint64(40)) / 16777216.0 * (ticks[1] - ticks[0])
        for i in range(len(ticks)):
            t = ticks[i] + phase
            while k < stop - 1 and knots[k + 1, 0] <= t:
                k += 1
            if k >= stop - 1:
                break
            if knots[k, 0] > t or knots[k, 6] == 0.0:
                continue
            h = knots[k + 1, 0] - knots[k, 0]
            u = (t - knots[k, 0]) / h
            c = 0 if np.isnan(knots[k, 8]) else 7
            lat, vlat, _ = _hermite(
                knots[k, 1 + c], knots[k, 3 + c], knots[k + 1, 1 + c], knots[k + 1, 3 + c], h, u
            )
            lon, vlon, _ = _hermite(
                knots[k, 2 + c], knots[k, 4 + c], knots[k + 1, 2 + c], knots[k + 1, 4 + c], h, u
            )
            scale = np.cos(np.deg2rad(lat))
            north = vlat * 111195.0 + 0.03 * _normal(seeds[v], i, 19)
            east = vlon * 111195.0 * scale + 0.03 * _normal(seeds[v], i, 21)
            out[rows, 0] = t
            out[rows, 1] = lat + 3.0 * _normal(seeds[v], i, 11) / 111195.0
            out[rows, 2] = lon + 3.0 * _normal(seeds[v], i, 13) / (111195.0 * scale)
            out[rows, 3] = np.hypot(north, east)
            out[rows, 4] = np.rad2deg(np.arctan2(east, north)) % 360.0
            out[rows, 5] = knots[k, 5]
            number[rows] = v * 8 + int(knots[k, 7])
            rows += 1
    return rows


def scaled_fleet(vessels: int) -> Fleet:
    """The default fleet's shares for another number of vessels."""
    default = Fleet()
    share = vessels / default.total()
    counts = {name: int(getattr(default, name) * share) for name in Fleet.__struct_fields__}
    counts["cargo"] += vessels - sum(counts.values())
    return Fleet(**counts)


def track_points(scenario: Scenario, geography: Geography, interval_s: float) -> TrackPoints:
    """All positions of a scenario at an even interval, ordered by time, in memory: about 90 bytes a row.

    `raw` counts the rows; `track` is `claimed_id * 16`; every row is marked as simulated.
    """
    play = Simulation.of(scenario, geography)
    parts: list[tuple[F64, I64]] = []
    for day in range(int(np.ceil(scenario.duration_us / SECOND_US / _DAY_S))):
        knots, first = play.plan_day(day)
        end = min((day + 1) * _DAY_S, scenario.duration_us / SECOND_US)
        ticks = np.arange(day * _DAY_S, end, interval_s)
        if len(ticks) < 2:
            continue
        out = np.empty((len(ticks) * (len(first) - 1), 6))
        number = np.empty(len(out), np.int64)
        rows = _sample(knots, first, ticks, play.radios.seed, out, number)
        on_air = play.radios.kind[number[:rows] // 8] != 0
        parts.append((out[:rows][on_air], number[:rows][on_air]))
    table = np.concatenate([part for part, _ in parts])
    number = np.concatenate([part for _, part in parts])
    # Over all days at once: a vessel's phase carries its last row of a day past midnight.
    order = np.argsort(table[:, 0], kind="stable")
    table, number = table[order], number[order]
    vessel = number // 8
    mmsi = play.cast.mmsi[play.cast.identity_first[vessel] + number % 8]
    n = len(table)
    return TrackPoints(
        time_us=scenario.start_us + np.rint(table[:, 0] * SECOND_US).astype(np.int64),
        track=mmsi * 16,
        claimed_id=mmsi,
        latitude_deg=table[:, 1].copy(),
        longitude_deg=table[:, 2].copy(),
        speed_mps=table[:, 3].astype(np.float32),
        course_deg=table[:, 4].astype(np.float32),
        heading_deg=table[:, 4].astype(np.float32),
        nav_status=table[:, 5].astype(np.int8),
        transmitter_class=play.radios.kind[vessel],
        receiver_kind=np.full(n, ReceiverKind.TERRESTRIAL, np.int8),
        nature=np.full(n, Nature.SIMULATED, np.int8),
        flaws=np.zeros(n, np.int32),
        raw=np.arange(n, dtype=np.int64),
    )


def million_positions(
    count: int, vessels: int, geography: Geography, seed: int = 5, days: float = 7.0
) -> TrackPoints:
    """About `count` positions of `vessels` vessels over `days`, for benchmarks.

    Fishing boats that are switched off in port leave a few per cent of them out.
    """
    scenario = Scenario(
        name="columns", seed=seed, duration_us=round(days * _DAY_S) * SECOND_US, fleet=scaled_fleet(vessels)
    )
    return track_points(scenario, geography, days * _DAY_S * vessels / count)
