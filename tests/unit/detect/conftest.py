"""Vessels by hand: where they sail is computed with GeographicLib (pyproj), not with our own geodesy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from shiprider.detect.catalogue import build, find, shipped
from shiprider.model.finding import Finding
from shiprider.model.rows import Rows, StatementRows, TrackPoints
from shiprider.model.world import Anchorages, World

GEOD = Geod(ellps="WGS84")
KNOT = 1852.0 / 3600.0
#: 2023-11-14 00:00 UTC.
MIDNIGHT_S = 1_699_920_000


@dataclass
class Sea:
    """Rows under construction."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    said: list[tuple[int, int, int, int]] = field(default_factory=list)

    def sails(
        self,
        mmsi: int,
        start: tuple[float, float],
        legs: Sequence[tuple[float, float, float]],
        *,
        every_s: float = 60.0,
        at_s: float = 0.0,
        sog: bool = True,
        status: int = 15,
        branch: int = 0,
        transmitter_class: int = 1,
        nature: int = 0,
        silent: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Legs of (seconds, knots, course); reports every `every_s`, none inside `silent` (seconds)."""
        times, lats, lons, knots = [at_s], [start[0]], [start[1]], [legs[0][1]]
        lat, lon, clock = start[0], start[1], at_s
        for seconds, speed, course in legs:
            moments = np.arange(1, int(seconds // every_s) + 1) * every_s
            out = GEOD.fwd(
                np.full(len(moments), lon),
                np.full(len(moments), lat),
                np.full(len(moments), course),
                moments * speed * KNOT,
            )
            times += list(clock + moments)
            lats += list(out[1])
            lons += list(out[0])
            knots += [speed] * len(moments)
            lon, lat, _ = GEOD.fwd(lon, lat, course, seconds * speed * KNOT)
            clock += seconds
        self.reports(
            mmsi,
            times,
            lats,
            lons,
            knots if sog else None,
            status=status,
            branch=branch,
            transmitter_class=transmitter_class,
            nature=nature,
            silent=silent,
        )

    def reports(
        self,
        mmsi: int,
        times_s: Sequence[float],
        lats: Sequence[float],
        lons: Sequence[float],
        knots: Sequence[float] | None = None,
        *,
        status: int = 15,
        branch: int = 0,
        transmitter_class: int = 1,
        nature: int = 0,
        silent: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Reports as given; seconds after `MIDNIGHT_S`."""
        t = np.asarray(times_s, dtype=float)
        keep = np.ones(len(t), dtype=bool)
        for begin, end in silent:
            keep &= (t <= begin) | (t >= end)
        n = int(keep.sum())
        self.parts.append(
            {
                "time_us": np.round((t[keep] + MIDNIGHT_S) * 1e6).astype(np.int64),
                "track": np.full(n, mmsi * 16 + branch),
                "claimed_id": np.full(n, mmsi),
                "latitude_deg": np.asarray(lats, dtype=float)[keep],
                "longitude_deg": (np.asarray(lons, dtype=float)[keep] + 180.0) % 360.0 - 180.0,
                "speed_mps": np.full(n, np.nan)
                if knots is None
                else np.asarray(knots, dtype=float)[keep] * KNOT,
                "nav_status": np.full(n, status),
                "transmitter_class": np.full(n, transmitter_class),
                "nature": np.full(n, nature),
            }
        )

    def says(self, mmsi: int, ship_type: int, length_m: int = -1, at_s: float = 0.0) -> None:
        """A static statement."""
        self.said.append((round((at_s + MIDNIGHT_S) * 1e6), mmsi, ship_type, length_m))

    def rows(self, until_s: float | None = None) -> Rows:
        """Everything so far, in order."""
        column = {key: np.concatenate([part[key] for part in self.parts]) for key in self.parts[0]}
        order = np.argsort(column["time_us"], kind="stable")
        n = len(order)
        points = TrackPoints(
            time_us=column["time_us"][order],
            track=column["track"][order].astype(np.int64),
            claimed_id=column["claimed_id"][order].astype(np.int64),
            latitude_deg=column["latitude_deg"][order],
            longitude_deg=column["longitude_deg"][order],
            speed_mps=column["speed_mps"][order].astype(np.float32),
            course_deg=np.full(n, np.nan, dtype=np.float32),
            heading_deg=np.full(n, np.nan, dtype=np.float32),
            nav_status=column["nav_status"][order].astype(np.int8),
            transmitter_class=column["transmitter_class"][order].astype(np.int8),
            receiver_kind=np.ones(n, dtype=np.int8),
            nature=column["nature"][order].astype(np.int8),
            flaws=np.zeros(n, dtype=np.int32),
            raw=np.arange(n, dtype=np.int64) * 50,
        )
        said = sorted(self.said)
        k = len(said)
        statements = StatementRows(
            time_us=np.array([s[0] for s in said], dtype=np.int64),
            claimed_id=np.array([s[1] for s in said], dtype=np.int64),
            transmitter_class=np.ones(k, dtype=np.int8),
            imo=np.zeros(k, dtype=np.int32),
            ship_type=np.array([s[2] for s in said], dtype=np.int16),
            length_m=np.array([s[3] for s in said], dtype=np.int16),
            name=[None] * k,
            callsign=[None] * k,
            raw=np.arange(k, dtype=np.int64),
        )
        until = int(points.time_us[-1]) if until_s is None else round((until_s + MIDNIGHT_S) * 1e6)
        return Rows(points, statements, until)


@pytest.fixture
def sea() -> Sea:
    """An empty sea."""
    return Sea()


def found(name: str, rows: Rows, world: World | None = None) -> list[Finding]:
    """The last revision of every finding of one preset, retracted ones left out, by start."""
    detector = build(find(name, shipped()))
    here = World() if world is None else world
    state, told = detector.fold(detector.start(), rows, here)
    told = [*told, *detector.finish(state, here)]
    last = {(*finding.key(), finding.start_us): finding for finding in told}
    kept = [finding for finding in last.values() if finding.state != "retracted"]
    return sorted(kept, key=lambda finding: (finding.start_us, finding.participants))


@pytest.fixture(name="found")
def _found() -> Any:
    """`found(preset name, rows, world)`."""
    return found


def anchorages(*places: tuple[str, float, float]) -> Anchorages:
    """Anchorages by hand."""
    return Anchorages(
        "by hand",
        tuple(place[0] for place in places),
        np.array([place[1] for place in places]),
        np.array([place[2] for place in places]),
    )


@pytest.fixture(name="anchorages")
def _anchorages() -> Any:
    """`anchorages((name, latitude, longitude), ...)`."""
    return anchorages
