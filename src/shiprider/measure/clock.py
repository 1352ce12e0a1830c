"""Time: microseconds since 1970 UTC inside, ISO 8601 with Z outside."""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso_from_us(time_us: int) -> str:
    """ISO 8601 in UTC; microseconds only where there are any."""
    text = (_EPOCH + timedelta(microseconds=int(time_us))).isoformat()
    return text.replace("+00:00", "Z")


def us_from_iso(text: str) -> int:
    """Microseconds from ISO 8601; a text without an offset is taken as UTC.

    Raises ValueError where the text is not ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round((moment - _EPOCH) / timedelta(microseconds=1))
