"""What is wrong with a claim, as a bitmask of `model.codes.Flaw`.

Always true: a flaw marks a row and removes nothing; the same row gets the same flaws whatever came
before it; a flaw says what the rule was (ITU-R M.585-9, M.1371-5, IMO A.1117(30)), not what it means.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.measure.clock import MINUTE_US
from shiprider.measure.kernels import kernel
from shiprider.model import identity
from shiprider.model.codes import Flaw, IdentityKind, TimeSource
from shiprider.model.columns import floats, integers

#: A clock may be this far ahead of ours before its time counts as being in the future.
FUTURE_TOLERANCE_US: Final = 2 * MINUTE_US
#: At 0 N 0 E a receiver without a fix reports itself; 0.0005 degree is 56 m. Vessels sail and meet near there.
NULL_ISLAND_DEG: Final = 0.0005

_UNAVAILABLE: Final = int(Flaw.POSITION_UNAVAILABLE)
_OFF_EARTH: Final = int(Flaw.OFF_EARTH)
_FORM: Final = int(Flaw.MMSI_FORM)
_MID: Final = int(Flaw.MID_UNKNOWN)
_IMO: Final = int(Flaw.IMO_CHECKSUM)
_ASSUMED: Final = int(Flaw.TIME_ASSUMED)
_FUTURE: Final = int(Flaw.TIME_FUTURE)
_NULL_ISLAND: Final = int(Flaw.NULL_ISLAND)
_SOURCE_ASSUMED: Final = int(TimeSource.ASSUMED)
_IS_MMSI: Final = int(IdentityKind.MMSI)


@kernel
def _origin_flaws(
    time_us: NDArray[np.int64],
    received_us: NDArray[np.int64],
    time_source: NDArray[np.int8],
    claimed_id: NDArray[np.int64],
    id_kind: NDArray[np.int8],
    transmitter: NDArray[np.int8],
    form_of_head: NDArray[np.int8],
    allowed: NDArray[np.bool_],
    divisor: NDArray[np.int64],
    mid_known: NDArray[np.bool_],
    flaws: NDArray[np.int32],
) -> None:
    for i in range(len(time_us)):
        bits = 0
        if time_source[i] == _SOURCE_ASSUMED:
            bits |= _ASSUMED
        if time_us[i] > received_us[i] + FUTURE_TOLERANCE_US:
            bits |= _FUTURE
        if id_kind[i] == _IS_MMSI:
            mmsi = claimed_id[i]
            form = 0
            if 0 < mmsi <= 999_999_999:
                form = form_of_head[mmsi // 1_000_000]
            station = transmitter[i]
            if station < 0 or station >= len(allowed):
                station = 0
            if not allowed[station, form]:
                bits |= _FORM
            if divisor[form] > 0 and not mid_known[mmsi // divisor[form] % 1000]:
                bits |= _MID
        flaws[i] |= bits


@kernel
def _position_flaws(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], flaws: NDArray[np.int32]
) -> None:
    for i in range(len(latitude)):
        y, x = latitude[i], longitude[i]
        # 91 and 181 degrees are the wire's "not available" (M.1371-5 table 45)
        if not (np.isfinite(y) and np.isfinite(x)) or y == 91.0 or x == 181.0:
            flaws[i] |= _UNAVAILABLE
        elif abs(y) > 90.0 or abs(x) > 180.0:
            flaws[i] |= _OFF_EARTH
        elif abs(y) < NULL_ISLAND_DEG and abs(x) < NULL_ISLAND_DEG:
            flaws[i] |= _NULL_ISLAND


def origin_flaws(table: pa.Table) -> NDArray[np.int32]:
    """Flaws of time and identity of any table that has the columns of origin, shape (n,), the table's own kept."""
    flaws: NDArray[np.int32] = integers(table["flaws"], np.int32, 0).copy()
    _origin_flaws(
        integers(table["time"], np.int64, 0),
        integers(table["received"], np.int64, np.iinfo(np.int64).max // 2),
        integers(table["time_source"], np.int8, 0),
        integers(table["claimed_id"], np.int64, 0),
        integers(table["claimed_id_kind"], np.int8, 0),
        integers(table["transmitter_class"], np.int8, 0),
        identity.form_of_head(),
        identity.form_allowed(),
        identity.mid_divisor(),
        identity.mid_known(),
        flaws,
    )
    return flaws


def observation_flaws(observations: pa.Table) -> NDArray[np.int32]:
    """All flaws of positions, shape (n,)."""
    flaws = origin_flaws(observations)
    _position_flaws(floats(observations["latitude_deg"]), floats(observations["longitude_deg"]), flaws)
    return flaws


def statement_flaws(statements: pa.Table) -> NDArray[np.int32]:
    """All flaws of statements, shape (n,): those of origin and an IMO number whose check digit is wrong."""
    flaws = origin_flaws(statements)
    imo: NDArray[Any] = integers(statements["imo"], np.int64, 0)
    total = np.zeros(len(imo), np.int64)
    for position, weight in enumerate(range(7, 1, -1)):
        total += weight * (imo // 10 ** (6 - position) % 10)
    holds = (imo >= 1_000_000) & (imo <= 9_999_999) & (total % 10 == imo % 10)
    # larger numbers are official numbers of flag States (M.1371-5 table 52) and have no check digit
    flaws[(imo > 0) & (imo <= identity.HIGHEST_IMO) & ~holds] |= _IMO
    return flaws
