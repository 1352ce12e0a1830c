"""Observations by hand, as the decoder would give them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from shiprider.model.tables import OBSERVATIONS, STATEMENTS

#: 2024-01-01 00:00 UTC.
NEW_YEAR_US = 1_704_067_200_000_000

_DEFAULTS: dict[str, Any] = {
    "time_source": 0,
    "receiver_kind": 1,
    "kind": 0,
    "claimed_id_kind": 1,
    "transmitter_class": 1,
    "message_type": 1,
    "nature": 0,
    "flaws": 0,
    "label_id": 0,
    "raw_length": 48,
    "nav_status": 0,
    "receiver": "one",
}


def _table(schema: pa.Schema, seconds: Any, mmsi: Any, columns: dict[str, Any]) -> pa.Table:
    time = NEW_YEAR_US + np.round(np.asarray(seconds, float) * 1e6).astype(np.int64)
    n = len(time)
    given: dict[str, Any] = dict(_DEFAULTS)
    given |= {"time": time, "received": time, "claimed_id": mmsi, "raw": np.arange(n), **columns}
    given["day"] = time // 86_400_000_000
    arrays = []
    for field in schema:
        value = given.get(field.name)
        if value is None:
            arrays.append(pa.nulls(n, field.type))
        elif isinstance(value, list):
            arrays.append(pa.array(value, field.type))
        else:
            array = np.broadcast_to(np.asarray(value), n)
            if pa.types.is_timestamp(field.type):
                arrays.append(pa.array(array.astype("datetime64[us]"), pa.timestamp("us")).cast(field.type))
            elif pa.types.is_date(field.type):
                arrays.append(pa.array(array.astype(np.int32)).cast(field.type))
            else:
                arrays.append(pa.array(array.tolist(), field.type, from_pandas=True))
    return pa.table(arrays, schema=schema)


@pytest.fixture(scope="session")
def observations_of() -> Callable[..., pa.Table]:
    """`observations_of(seconds, mmsi, latitude, longitude, speed, course, **columns)`."""

    def make(
        seconds: Any,
        mmsi: Any,
        latitude: Any,
        longitude: Any,
        speed: Any = 0.0,
        course: Any = 0.0,
        **columns: Any,
    ) -> pa.Table:
        place = {
            "latitude_deg": latitude,
            "longitude_deg": longitude,
            "speed_mps": speed,
            "course_deg": course,
        }
        return _table(OBSERVATIONS, seconds, mmsi, {**place, **columns})

    return make


@pytest.fixture(scope="session")
def statements_of() -> Callable[..., pa.Table]:
    """`statements_of(seconds, mmsi, **columns)`."""

    def make(seconds: Any, mmsi: Any, **columns: Any) -> pa.Table:
        return _table(STATEMENTS, seconds, mmsi, {"message_type": 5, **columns})

    return make
