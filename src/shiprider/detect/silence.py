"""Whether one silence is a finding, and what it says: the conditions of the gap presets.

Always true: a condition that cannot be known does not hold; a silence that began where nearly everybody else
fell silent, too, is the receiver's; what is said while it lasts is said from rows up to then only.
"""

import math
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiprider.detect import scoring
from shiprider.detect.anchorage_index import indexed, nearest_of_all
from shiprider.detect.context import SCORED_ANCHORAGE_M
from shiprider.detect.particulars import Particulars
from shiprider.detect.preset import Preset
from shiprider.detect.silence_scoring import KNOWN_AFTER_S, Circumstances
from shiprider.detect.silence_scoring import weights as weights_of
from shiprider.detect.silences import (
    FEWEST_OTHERS,
    L_CLASS,
    L_COURSE,
    L_EXPECTED,
    L_FIRST,
    L_LAT,
    L_LON,
    L_NATURE,
    L_NAV,
    L_RAW,
    L_RECEIVED,
    L_SPEED,
    L_TIME,
    L_TRACK,
    L_USUAL,
    SATELLITE_MEMORY,
)
from shiprider.measure.geodesy import bearing_deg, haversine_m
from shiprider.model.codes import Nature
from shiprider.model.finding import Evidence, Fact, Finding
from shiprider.model.world import Reception, World

#: At most this share of the other vessels heard before is heard during the silence: then the receiver is
#: down, not the vessel's transmitter (P).
_OUTAGE_SHARE: Final = 0.1
FAR_BACK: Final = -(1 << 62)


class GapForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of a gap preset; a condition that is left out is not asked."""

    silence_s: float
    shore_m: float | None = None
    positions_per_day: float | None = None
    satellite_positions: int | None = None
    before_s: float = 43200.0
    false_alarms_per_vessel_day: float | None = None
    at_rest_mps: float | None = None
    anchorage_m: float = 0.0
    back_within_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence, over (`end` known) or not."""

    claimed_id: int
    integers: NDArray[np.int64]
    floats: NDArray[np.float64]
    satellite_us: int
    others_before: float
    others_during: float
    end_us: int
    end: tuple[float, float, int] | None  # latitude, longitude, raw
    a_day: float = math.nan  # positions a day received where it began, as known then, and by which map
    map_version: str = ""

    @property
    def start_us(self) -> int:
        return int(self.integers[L_TIME])

    @property
    def duration_s(self) -> float:
        return (self.end_us - self.start_us) * 1e-6

    @property
    def place(self) -> tuple[float, float]:
        return float(self.floats[L_LAT]), float(self.floats[L_LON])


def judged(
    silence: Silence, numbers: GapForm, preset: Preset, world: World, who: Particulars
) -> Finding | None:
    """The finding, where the preset's conditions hold; a condition that cannot be known does not hold."""
    latitude, longitude = silence.place
    here = (np.array([latitude]), np.array([longitude]))
    facts: dict[str, Fact] = {"silence_s": round(silence.duration_s)}
    weights: dict[str, float] = {}
    versions: dict[str, str] = {}
    shore_m = math.nan
    if world.coast is not None:
        shore_m = float(world.coast.distance_to_shore_m(*here)[0])
        facts["shore_m"] = round(shore_m)
        versions["coast"] = world.coast.version
    resting = numbers.at_rest_mps is not None
    if numbers.shore_m is not None and not resting and not shore_m >= numbers.shore_m:
        return None
    if numbers.positions_per_day is not None:
        if world.reception is None:
            return None
        heard = _known_a_day(silence)
        if not heard > numbers.positions_per_day:
            return None
        facts["positions_per_day"] = round(heard, 1)
        if math.isfinite(silence.a_day):
            versions["reception"] = silence.map_version
    if numbers.satellite_positions is not None:
        if numbers.satellite_positions > SATELLITE_MEMORY:
            return None
        if silence.satellite_us < silence.start_us - round(numbers.before_s * 1e6):
            return None
        facts["satellite_positions"] = numbers.satellite_positions
        facts["before_s"] = numbers.before_s
    if silence.end is not None:
        there = (np.array([silence.end[0]]), np.array([silence.end[1]]))
        apart_m = float(haversine_m(*here, *there)[0])
        facts["reappeared_m"] = round(apart_m)
        facts["implied_mps"] = round(apart_m / max(silence.duration_s, 1.0), 2)
    reason = "silence" if silence.end is not None else "silence_open"
    if numbers.positions_per_day is not None and numbers.satellite_positions is not None:
        reason = "disabling" if silence.end is not None else "disabling_open"
    if numbers.false_alarms_per_vessel_day is not None:
        chance = _chance(silence, world)
        if chance is None:
            return None
        threshold = world.reception.chance_threshold(numbers.false_alarms_per_vessel_day)  # type: ignore[union-attr]
        if not chance < threshold or _at_rest(silence, numbers, world, shore_m, facts):
            return None
        facts["one_in"] = _one_in(chance)
        facts["chance_probability"] = float(f"{chance:.3g}")
        versions["reception"] = world.reception.version  # type: ignore[union-attr]
        # Chance alone gives a tenth as many silences for each factor of ten beyond the threshold: ln 10 of
        # evidence by Bayes' rule, here half of it, because the reception map is itself an estimate; at the
        # threshold chance is the better explanation (P).
        weights["surprise"] = min(1.15 * math.log10(threshold / max(chance, 1e-300)) - 1.0, 1.5)
        reason = "unexpected" if silence.end is not None else "unexpected_open"
    if _outage(silence):
        if numbers.false_alarms_per_vessel_day is not None:
            return None
        weights["others silent too"] = -1.5
    if math.isfinite(silence.others_before):
        facts["others_before"] = round(silence.others_before, 1)
    if math.isfinite(silence.others_during):
        facts["others_during"] = round(silence.others_during, 1)
    circumstances = _circumstances(silence, world, facts, shore_m, who)
    if circumstances.heard_s >= KNOWN_AFTER_S:
        facts["usual_silence_s"] = round(circumstances.usual_s)
    weights |= weights_of(circumstances)
    if weights:
        facts["weights"] = scoring.spoken(weights)
    return _finding(silence, preset, reason, facts, weights, versions)


def _chance(silence: Silence, world: World) -> float | None:
    """Probability that a transmitter left on is not heard for that long on that way."""
    if world.reception is None:
        return None
    latitude, longitude = silence.place
    speed, course = float(silence.floats[L_SPEED]), float(silence.floats[L_COURSE])
    if silence.end is not None:
        here, there = np.array([silence.place]), np.array([silence.end[:2]])
        metres = float(haversine_m(here[:, 0], here[:, 1], there[:, 0], there[:, 1])[0])
        speed = metres / max(silence.duration_s, 1.0)
        course = float(bearing_deg(here[:, 0], here[:, 1], there[:, 0], there[:, 1])[0])
    return world.reception.silence_probability(
        latitude,
        longitude,
        int(silence.integers[L_CLASS]),
        silence.start_us,
        silence.duration_s,
        speed if math.isfinite(speed) else 0.0,
        course if math.isfinite(course) else 0.0,
        int(silence.integers[L_NAV]),
        float(silence.floats[L_RECEIVED]),
        float(silence.floats[L_EXPECTED]),
    )


def _at_rest(
    silence: Silence, numbers: GapForm, world: World, shore_m: float, facts: dict[str, Fact]
) -> bool:
    """Switched off at a berth or an anchorage, and not gone anywhere meanwhile."""
    speed = float(silence.floats[L_SPEED])
    if numbers.at_rest_mps is None or not (speed < numbers.at_rest_mps or math.isnan(speed)):
        return False
    if float(facts.get("reappeared_m", 0.0)) > numbers.back_within_m:
        return False
    if numbers.shore_m is not None and shore_m < numbers.shore_m:
        return True
    if world.anchorages is None or len(world.anchorages.latitude_deg) == 0:
        return False
    latitude, longitude = silence.place
    distance = haversine_m(latitude, longitude, world.anchorages.latitude_deg, world.anchorages.longitude_deg)
    return bool(distance.min() < numbers.anchorage_m)


def _circumstances(
    silence: Silence, world: World, facts: dict[str, Fact], shore_m: float, who: Particulars
) -> Circumstances:
    """What the score asks of a silence."""
    anchorage_m = math.nan
    if world.anchorages is not None:
        index = indexed(world.anchorages)
        latitude, longitude = silence.place
        here = np.array([latitude]), np.array([longitude])
        _, metres = nearest_of_all(
            *here, SCORED_ANCHORAGE_M, index.first, index.latitude_deg, index.longitude_deg
        )
        anchorage_m = float(metres[0])
    return Circumstances(
        duration_s=silence.duration_s,
        usual_s=float(silence.floats[L_USUAL]),
        heard_s=(silence.start_us - int(silence.integers[L_FIRST])) * 1e-6,
        speed_mps=float(silence.floats[L_SPEED]),
        implied_mps=float(facts.get("implied_mps", math.nan)),
        shore_m=shore_m,
        anchorage_m=anchorage_m,
        transmitter_class=int(silence.integers[L_CLASS]),
        who=who,
    )


def positions_a_day(integers: NDArray[np.int64], floats: NDArray[np.float64], reception: Reception) -> float:
    """Positions a day that are received of such a vessel at its last place; NaN where nothing is known."""
    return reception.positions_per_day(
        float(floats[L_LAT]),
        float(floats[L_LON]),
        int(integers[L_CLASS]),
        float(floats[L_SPEED]),
        int(integers[L_NAV]),
    )


def _known_a_day(silence: Silence) -> float:
    """Positions a day received where the silence begins, NaN where that is not known.

    Where no earlier day tells (new water, or the first day of a recording), the vessel's own last
    satellite positions do.
    """
    if math.isfinite(silence.a_day) or silence.satellite_us == FAR_BACK:
        return silence.a_day
    span_s = (silence.start_us - silence.satellite_us) * 1e-6
    return (SATELLITE_MEMORY - 1) * 86_400.0 / max(span_s, 1.0)


def _outage(silence: Silence) -> bool:
    """Nearly everybody else there fell silent as well."""
    return (
        silence.others_before >= FEWEST_OTHERS
        and math.isfinite(silence.others_during)
        and silence.others_during <= _OUTAGE_SHARE * (silence.others_before - 1.0)
    )


def _one_in(chance: float) -> int:
    """One in how many, to two digits, no more than a million (a model is not better than that)."""
    count = 1.0 / max(chance, 1e-6)
    digits = max(math.floor(math.log10(count)) - 1, 0)
    return round(count / 10**digits) * 10**digits


def _finding(
    silence: Silence,
    preset: Preset,
    reason: str,
    facts: dict[str, Fact],
    weights: dict[str, float],
    versions: dict[str, str],
) -> Finding:
    raws = (int(silence.integers[L_RAW]),) + ((silence.end[2],) if silence.end is not None else ())
    latitude, longitude = silence.place
    return Finding(
        behaviour="gap",
        preset=preset.name,
        participants=(silence.claimed_id,),
        start_us=silence.start_us,
        end_us=silence.end_us,
        latitude_deg=latitude,
        longitude_deg=longitude,
        score=scoring.score(preset.prior, weights),
        reason_key=reason,
        facts=facts,
        evidence=(
            Evidence(
                track=int(silence.integers[L_TRACK]),
                claimed_id=silence.claimed_id,
                start_us=silence.start_us,
                end_us=silence.end_us,
                raws=raws,
            ),
        ),
        state="closed" if silence.end is not None else "open",
        versions=versions,
        simulated=int(silence.integers[L_NATURE]) == Nature.SIMULATED,
    )


def withdrawn(silence: Silence, preset: str) -> Finding:
    """What was said while it lasted no longer holds now that its end is known."""
    facts: dict[str, Fact] = {"silence_s": round(silence.duration_s)}
    raw = int(silence.integers[L_RAW])
    evidence = Evidence(
        track=int(silence.integers[L_TRACK]),
        claimed_id=silence.claimed_id,
        start_us=silence.start_us,
        end_us=silence.end_us,
        raws=(raw,),
    )
    return Finding(
        behaviour="gap",
        preset=preset,
        participants=(silence.claimed_id,),
        start_us=silence.start_us,
        end_us=silence.end_us,
        latitude_deg=silence.place[0],
        longitude_deg=silence.place[1],
        score=0.01,
        reason_key="withdrawn",
        facts=facts,
        evidence=(evidence,),
        state="retracted",
        simulated=int(silence.integers[L_NATURE]) == Nature.SIMULATED,
    )
