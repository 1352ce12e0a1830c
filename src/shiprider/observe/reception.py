"""The reception map: how likely it is to hear a transmitter there and then, and how odd a silence is.

Always true: a fitted map never changes, names the days it was fitted on, and is used only on later
rows; where nothing was ever sent, nothing is known, and a silence there is no surprise.

The statistics (docs/decisions/0006-reception-and-silence.md):

1. The share of reports heard in a cell is its own count, shrunk towards its neighbours', theirs
   towards nought; each hour of the day is shrunk towards the cell's share.
2. Within an hour the share is taken as Beta-distributed about that mean (satellites pass, receivers
   fail), with an overdispersion per level of share, by the method of moments; so the chance that
   none of n reports in that hour is heard is B(a, b + n) / B(a, b), and a silence over several hours
   on a dead-reckoned way is the product.
   The edge of reception runs somewhere inside the cells: each hour's chance is half that of the cell
   and half the mean over its neighbours.
3. What the product says of silences is set against the silences of the days of the fit: log tail
   share against log probability, a straight line through the bulk (not through the far tail, where
   the deliberate silences are). Where at least two silences as long began around there on those days,
   it is no odder than their share of the silences there. The result: "one silence in N is that odd".
"""

import hashlib
import io
import math
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.measure.cells import NO_CELL, h3_cells
from shiprider.measure.clock import DAY_US, HOUR_US
from shiprider.measure.geodesy import EARTH_RADIUS_M, bearing_deg, haversine_m
from shiprider.model.codes import TransmitterClass
from shiprider.model.columns import floats, integers
from shiprider.model.reporting import reporting_interval_s
from shiprider.observe.exposure import LONGEST_US, RESOLUTION

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]

#: Weights of what a cell is shrunk towards, in reports sent (P): the neighbours count like ten class A
#: minutes, "nothing is heard" like two, the cell's own share like two hours within one hour of the day.
_NEIGHBOUR_WEIGHT: Final = 60.0
_NOTHING_WEIGHT: Final = 12.0
_HOUR_WEIGHT: Final = 720.0
#: Levels of share with their own overdispersion.
_LEVELS: Final = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9])
#: Overdispersion where too little was seen to estimate it, and its bounds (P).
_DISPERSION: Final = 0.3
_DISPERSION_RANGE: Final = (0.02, 0.95)
#: How far the identity's own record may move the share, and how much of it is needed, in reports heard.
_OWN_RANGE: Final = (0.02, 3.0)
_OWN_WEIGHT: Final = 20.0
#: Only silences from this length on are counted when a silence is called one in N.
SILENCE_US: Final = HOUR_US // 2
#: Silences a vessel-day where none could be counted (P).
_SILENCES_A_DAY: Final = 4.0
#: "As long" allows for this much shorter.
_AS_LONG: Final = 0.9
#: A cell's own overdispersion is shrunk towards its level's by so many cell-hours (P).
_DISPERSION_WEIGHT: Final = 12.0
_LOWEST_LOG: Final = -690.0
#: A longer silence is judged by its first thirty days (P): no steady way is known to lead further, a wrong
#: stamp makes silences of years, and what is left out could only make it odder.
_JUDGED_S: Final = 30 * 86_400.0
_CLASSES: Final = len(TransmitterClass)


@dataclass(frozen=True, slots=True)
class ReceptionMap:
    """A fit. `cells` ascending; `share`, `wide`, `hourly` and `dispersion` per cell and class, shapes
    (m, classes), (m, classes), (m, classes, 24), (m, classes); `wide` is the plain share of the cell and
    its ring (about a degree across), NaN where nothing was sent; silences of the fit by cell, `silence_cells` ascending.

    `scale` and `slope` turn the product into a share of silences: scale * product ** slope.
    """

    version: str
    days: int
    cells: U64
    share: NDArray[np.float32]
    wide: NDArray[np.float32]
    hourly: NDArray[np.float32]
    dispersion: NDArray[np.float32]
    scale: float = 1.0
    slope: float = 1.0
    silences_a_day: float = _SILENCES_A_DAY
    silence_cells: U64 = field(default_factory=lambda: np.zeros(0, np.uint64))
    silence_s: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    _rows: dict[int, int] = field(default_factory=dict, repr=False)

    def positions_per_day(
        self,
        latitude_deg: float,
        longitude_deg: float,
        transmitter_class: int,
        speed_mps: float,
        nav_status: int,
    ) -> float:
        """Positions that are received in a day of a transmitter that stays there and is on; NaN where unknown.

        A rate per vessel (Welch et al. 2022), so it does not grow with the traffic.
        """
        row = self._rows.get(h3.latlng_to_cell(latitude_deg, longitude_deg, RESOLUTION), -1)
        share = float(self.wide[row, transmitter_class]) if row >= 0 else math.nan
        return share * DAY_US / 1e6 / float(reporting_interval_s(transmitter_class, speed_mps, nav_status))

    def share_heard(
        self,
        latitude_deg: F64,
        longitude_deg: F64,
        transmitter_class: NDArray[np.int8],
        hour: NDArray[np.int64],
    ) -> F64:
        """Share of reports heard, shape (n,); 0 where nothing is known."""
        row = self._find(
            h3_cells(np.asarray(latitude_deg, float), np.asarray(longitude_deg, float), RESOLUTION)
        )
        if not len(self.cells):
            return np.zeros(len(row))
        return np.where(row >= 0, self.hourly[row, transmitter_class, hour], 0.0).astype(np.float64)

    def silence_probability(
        self,
        latitude_deg: float,
        longitude_deg: float,
        transmitter_class: int,
        start_us: int,
        duration_s: float,
        speed_mps: float,
        course_deg: float = 0.0,
        nav_status: int = 15,
        own_received: float = 0.0,
        own_expected: float = 0.0,
    ) -> float:
        """The share of silences that are as odd as this one or odder (see `model.world.Reception`)."""
        product = self._log_product(
            latitude_deg,
            longitude_deg,
            transmitter_class,
            start_us,
            duration_s,
            speed_mps,
            course_deg,
            nav_status,
            own_received,
            own_expected,
        )
        if product == 0.0:
            return 1.0
        modelled = math.exp(max(math.log(self.scale) + self.slope * product, _LOWEST_LOG))
        return min(1.0, max(modelled, self._seen_before(latitude_deg, longitude_deg, duration_s)))

    def chance_threshold(self, false_alarms_per_vessel_day: float) -> float:
        """The share of silences that chance alone may raise at that rate."""
        return false_alarms_per_vessel_day / self.silences_a_day

    def _log_product(
        self,
        latitude: float,
        longitude: float,
        station: int,
        start_us: int,
        duration_s: float,
        speed: float,
        course: float,
        nav_status: int,
        own_received: float,
        own_expected: float,
    ) -> float:
        """Natural logarithm of the chance that no report of a steady way is heard, hour by hour."""
        if not self._rows:
            return 0.0
        interval = float(reporting_interval_s(station, speed, nav_status))
        pull = 1.0
        if own_expected > 0.0:
            usual = self._share_at(latitude, longitude, station, start_us)
            if usual > 0.0:
                pull = (own_received + _OWN_WEIGHT) / (own_expected * usual + _OWN_WEIGHT)
                pull = min(max(pull, _OWN_RANGE[0]), _OWN_RANGE[1])
        total = 0.0
        done = 0.0
        # the report that ends the silence was heard: it does not count
        left = min(max(duration_s - interval, 0.0), _JUDGED_S)
        while done < left:
            step = min(3600.0, left - done)
            middle = done + step / 2
            y, x = _ahead(latitude, longitude, speed * middle, course)
            total += self._log_none_in_hour(
                y, x, station, start_us + int(middle * 1e6), pull, step / interval
            )
            if total < _LOWEST_LOG:
                return total
            done += step
        return total

    def _log_none_in_hour(
        self, latitude: float, longitude: float, station: int, time_us: int, pull: float, reports: float
    ) -> float:
        """Half the cell's own chance that none of the hour's reports is heard, half its neighbours' mean."""
        cell = h3.latlng_to_cell(latitude, longitude, RESOLUTION)
        hour = time_us // HOUR_US % 24
        own = self._none_heard(self._rows.get(cell, -1), station, hour, pull, reports)
        if own == 1.0:
            return 0.0
        around = [
            self._none_heard(row, station, hour, pull, reports)
            for other in h3.grid_disk(cell, 1)
            if other != cell and (row := self._rows.get(other, -1)) >= 0 and self.share[row, station] > 0.0
        ]
        beside = sum(around) / len(around) if around else own
        return math.log(max(0.5 * own + 0.5 * beside, 1e-300))

    def _none_heard(self, row: int, station: int, hour: int, pull: float, reports: float) -> float:
        share = 0.0 if row < 0 else min(float(self.hourly[row, station, hour]) * pull, 0.995)
        if share <= 0.0:
            return 1.0
        return math.exp(_log_none_heard(share, float(self.dispersion[row, station]), reports))

    def _seen_before(self, latitude: float, longitude: float, duration_s: float) -> float:
        """Share of the silences around there that lasted as long on the days of the fit, less one; 0 for none.

        One is taken off so that a single deliberate silence does not make the next one normal.
        """
        if not len(self.silence_cells):
            return 0.0
        longer = total = 0
        for cell in h3.grid_disk(h3.latlng_to_cell(latitude, longitude, RESOLUTION), 1):
            key = np.uint64(cell)
            first, last = (
                np.searchsorted(self.silence_cells, key),
                np.searchsorted(self.silence_cells, key, "right"),
            )
            total += int(last - first)
            longer += int((self.silence_s[first:last] >= _AS_LONG * duration_s).sum())
        return (longer - 1) / total if longer >= 2 else 0.0

    def _share_at(self, latitude: float, longitude: float, station: int, time_us: int) -> float:
        row = self._rows.get(h3.latlng_to_cell(latitude, longitude, RESOLUTION), -1)
        return 0.0 if row < 0 else float(self.hourly[row, station, time_us // HOUR_US % 24])

    def _find(self, cells: U64) -> NDArray[np.int64]:
        at = np.searchsorted(self.cells, cells)
        if not len(self.cells):
            return np.full(len(cells), -1)
        inside = np.minimum(at, len(self.cells) - 1)
        return np.where((self.cells[inside] == cells) & (cells != NO_CELL), inside, -1)

    def save(self) -> bytes:
        """The fit as bytes."""
        sink = io.BytesIO()
        np.savez_compressed(
            sink,
            allow_pickle=False,
            version=np.array(self.version),
            numbers=np.array([self.days, self.scale, self.slope, self.silences_a_day]),
            cells=self.cells,
            share=self.share,
            wide=self.wide,
            hourly=self.hourly,
            dispersion=self.dispersion,
            silence_cells=self.silence_cells,
            silence_s=self.silence_s,
        )
        return sink.getvalue()

    @classmethod
    def load(cls, data: bytes) -> "ReceptionMap":
        """The fit of `save`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            days, scale, slope, silences = kept["numbers"].tolist()
            return _with_rows(
                cls(
                    version=str(kept["version"]),
                    days=int(days),
                    cells=kept["cells"],
                    share=kept["share"],
                    wide=kept["wide"],
                    hourly=kept["hourly"],
                    dispersion=kept["dispersion"],
                    scale=scale,
                    slope=slope,
                    silences_a_day=silences,
                    silence_cells=kept["silence_cells"],
                    silence_s=kept["silence_s"],
                )
            )


def unfitted_map() -> ReceptionMap:
    """What is known before the first day is over: nothing, so no silence is odd."""
    return ReceptionMap(
        version="unfitted",
        days=0,
        cells=np.zeros(0, np.uint64),
        share=np.zeros((0, _CLASSES), np.float32),
        wide=np.zeros((0, _CLASSES), np.float32),
        hourly=np.zeros((0, _CLASSES, 24), np.float32),
        dispersion=np.zeros((0, _CLASSES), np.float32),
    )


def fit_reception(
    reception: pa.Table, track_points: pa.Table | None = None, *, before: date | None = None
) -> ReceptionMap:
    """A map from `RECEPTION` rows; with the `TRACK_POINTS` of the same days also set against their silences.

    Only rows of days before `before` are used (all, where it is None). Without rows: `unfitted_map`.
    """
    frame = pl.from_arrow(reception)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 (polars' type is wider than what a table gives)
    if before is not None:
        frame = frame.filter(pl.col("day") < before)
    if frame.is_empty():
        return unfitted_map()
    days = frame["day"].unique().sort()
    # counts of one hour of one day, whoever heard; aids to navigation and the like are classes of their own
    by_hour = frame.group_by(["day", "hour", "cell", "transmitter_class"]).agg(
        pl.col("expected").sum().cast(pl.Float64), pl.col("received_count").sum(), pl.col("vessels").sum()
    )
    cells = np.sort(by_hour["cell"].unique().to_numpy())
    row = np.searchsorted(cells, by_hour["cell"].to_numpy())
    station = by_hour["transmitter_class"].to_numpy().astype(np.int64)
    hour = by_hour["hour"].to_numpy().astype(np.int64)
    expected, received = by_hour["expected"].to_numpy(), by_hour["received_count"].to_numpy().astype(float)
    sent = np.zeros((len(cells), _CLASSES, 24))
    heard = np.zeros_like(sent)
    np.add.at(sent, (row, station, hour), expected)
    np.add.at(heard, (row, station, hour), np.minimum(received, expected))
    share, wide = _smoothed(cells, sent.sum(axis=2), heard.sum(axis=2))
    hourly = (heard + _HOUR_WEIGHT * share[:, :, None]) / (sent + _HOUR_WEIGHT)
    dispersion = _dispersions(
        share,
        row * _CLASSES + station,
        hourly[row, station, hour],
        expected,
        np.minimum(received, expected),
        by_hour["vessels"].to_numpy(),
    )
    digest = hashlib.sha256(np.ascontiguousarray(hourly, np.float32).tobytes() + cells.tobytes()).hexdigest()[
        :8
    ]
    fitted = _with_rows(
        ReceptionMap(
            version=f"{days[0]}..{days[-1]}/{digest}",
            days=len(days),
            cells=cells,
            share=share.astype(np.float32),
            wide=wide.astype(np.float32),
            hourly=hourly.astype(np.float32),
            dispersion=dispersion,
        )
    )
    return fitted if track_points is None else _set_against_silences(fitted, track_points, before)


def _with_rows(fitted: ReceptionMap) -> ReceptionMap:
    fitted._rows.update({int(cell): row for row, cell in enumerate(fitted.cells.tolist())})
    return fitted


def _smoothed(cells: U64, sent: F64, heard: F64) -> tuple[F64, F64]:
    """Shares per cell and class, shrunk towards the ring of neighbours and that towards nought; and the ring's own."""
    index = {int(cell): row for row, cell in enumerate(cells.tolist())}
    around_sent, around_heard = sent.copy(), heard.copy()
    for cell, row in index.items():
        for other in h3.grid_disk(cell, 1):
            at = index.get(other)
            if at is not None and at != row:
                around_sent[row] += sent[at]
                around_heard[row] += heard[at]
    around = around_heard / (around_sent + _NOTHING_WEIGHT)
    wide = np.divide(around_heard, around_sent, out=np.full_like(sent, np.nan), where=around_sent > 0.0)
    return (heard + _NEIGHBOUR_WEIGHT * around) / (sent + _NEIGHBOUR_WEIGHT), wide


def _dispersions(
    shares: F64, group: NDArray[np.int64], share: F64, sent: F64, heard: F64, vessels: NDArray[Any]
) -> NDArray[np.float32]:
    """Overdispersion per cell and class, by the method of moments, shrunk towards that of its level of share.

    With rho, the variance of k of n is n p (1 - p) (1 + (n - 1) rho), summed over the hours of the
    cell. n is per vessel: where the vessels of an hour fare alike this is too high, the cautious side.
    `group` is the row of each hour in `shares`, flattened.
    """
    per_vessel = np.maximum(sent / np.maximum(vessels, 1) - 1.0, 0.0)
    usable = (sent > 10.0) & (share > 1e-4) & (share < 0.999)
    plain = share * (1 - share) * sent
    excess = np.where(usable, (heard - share * sent) ** 2 - plain, 0.0)
    room = np.where(usable, plain * per_vessel, 0.0)
    level = np.searchsorted(_LEVELS, share)
    pooled = np.full(len(_LEVELS) + 1, _DISPERSION)
    for k in range(len(pooled)):
        chosen = usable & (level == k)
        if chosen.sum() >= 30 and room[chosen].sum() > 0.0:
            pooled[k] = excess[chosen].sum() / room[chosen].sum()
    pooled = np.clip(pooled, *_DISPERSION_RANGE)
    size = shares.size
    hours = np.bincount(group, usable, size)
    own_excess, own_room = np.bincount(group, excess, size), np.bincount(group, room, size)
    prior = pooled[np.searchsorted(_LEVELS, shares.ravel())]
    # an hour of the prior counts like the cell's mean hour
    weight = _DISPERSION_WEIGHT * own_room / np.maximum(hours, 1.0)
    known = own_room > 0.0
    rho = prior.copy()
    rho[known] = (own_excess[known] + weight[known] * prior[known]) / (own_room[known] + weight[known])
    return np.clip(rho, *_DISPERSION_RANGE).reshape(shares.shape).astype(np.float32)


def _log_none_heard(share: float, rho: float, reports: float) -> float:
    """ln B(a, b + n) / B(a, b) with a = p (1 - rho) / rho and b = (1 - p) (1 - rho) / rho."""
    strength = (1.0 - rho) / rho
    a, b = share * strength, (1.0 - share) * strength
    return math.lgamma(b + reports) + math.lgamma(a + b) - math.lgamma(b) - math.lgamma(a + b + reports)


def _ahead(latitude: float, longitude: float, metres: float, course: float) -> tuple[float, float]:
    """Where a steady course leads, on the sphere; good for a day at sea, away from the poles."""
    angle = math.radians(course)
    y = latitude + math.degrees(metres * math.cos(angle) / EARTH_RADIUS_M)
    y = min(max(y, -89.9), 89.9)
    middle = math.cos(math.radians((latitude + y) / 2))
    x = longitude + math.degrees(metres * math.sin(angle) / (EARTH_RADIUS_M * max(middle, 0.01)))
    return y, (x + 180.0) % 360.0 - 180.0


def _set_against_silences(fitted: ReceptionMap, track_points: pa.Table, before: date | None) -> ReceptionMap:
    """Scale and slope from the silences between consecutive points of one identity."""
    if before is not None:
        track_points = track_points.filter(pc.less(track_points["day"], pa.scalar(before, pa.date32())))
    identity = integers(track_points["claimed_id"], np.int64, 0)
    time_us = integers(track_points["time"], np.int64, 0)
    order = np.lexsort((time_us, identity))
    identity, time_us = identity[order], time_us[order]
    same = identity[1:] == identity[:-1]
    lasted = np.diff(time_us)
    first = np.flatnonzero(same & (lasted >= SILENCE_US) & (lasted <= LONGEST_US))
    vessel_days = (
        len(np.unique(np.stack((identity, time_us // (24 * HOUR_US))), axis=1).T) if len(identity) else 0
    )
    if len(first) < 50:
        return fitted
    # every k-th: enough for a line, and the same silences on every machine
    kept = first[:: len(first) // 20_000 + 1]
    y, x = floats(track_points["latitude_deg"])[order], floats(track_points["longitude_deg"])[order]
    station = integers(track_points["transmitter_class"], np.int8, 0)[order]
    nav_status = integers(track_points["nav_status"], np.int8, 15)[order]
    metres = haversine_m(y[kept], x[kept], y[kept + 1], x[kept + 1])
    course = bearing_deg(y[kept], x[kept], y[kept + 1], x[kept + 1])
    seconds = lasted[kept] * 1e-6
    product = np.array(
        [
            fitted._log_product(
                float(y[i]),
                float(x[i]),
                int(station[i]),
                int(time_us[i]),
                float(s),
                float(m / s),
                float(c),
                int(nav_status[i]),
                0.0,
                0.0,
            )
            for i, s, m, c in zip(kept.tolist(), seconds, metres, course, strict=True)
        ]
    )
    scale, slope = tail_line(product)
    silence_cells = h3_cells(y[first], x[first], RESOLUTION)
    by_cell = np.argsort(silence_cells, kind="stable")
    return ReceptionMap(
        version=fitted.version + f"/{len(kept)}",
        days=fitted.days,
        cells=fitted.cells,
        share=fitted.share,
        wide=fitted.wide,
        hourly=fitted.hourly,
        dispersion=fitted.dispersion,
        scale=scale,
        slope=slope,
        silences_a_day=len(first) / max(vessel_days, 1),
        silence_cells=silence_cells[by_cell],
        silence_s=(lasted[first] * 1e-6)[by_cell].astype(np.float32),
        _rows=fitted._rows,
    )


def tail_line(log_product: F64) -> tuple[float, float]:
    """Scale and slope of tail share = scale * product ** slope, through the bulk of the silences.

    Between the 2nd and the 60th percentile of oddness: the oddest 2 % are where deliberate silences
    are, and must not make themselves normal. The slope is between 0.02 and 1: what was seen may make
    silences less odd than the product says, never odder.
    """
    ordered = np.sort(log_product)
    n = len(ordered)
    low, high = max(int(0.02 * n), 5), max(int(0.6 * n), 10)
    x = ordered[low:high]
    y = np.log((np.arange(low, high) + 1.0) / n)
    spread = float(np.ptp(x)) if len(x) else 0.0
    if spread < 1e-6:
        return 1.0, 1.0
    slope = float(np.clip(np.polyfit(x, y, 1)[0], 0.02, 1.0))
    return math.exp(float(np.median(y - slope * x))), slope
