"""Moments as a person writes them."""

from shiprider.measure.clock import us_from_iso
from shiprider.model.errors import UsageError


def time_of(text: str) -> int:
    """Microseconds from ISO 8601. Raises UsageError."""
    try:
        return us_from_iso(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time: write ISO 8601, for example 2026-01-31T06:00:00Z.") from None
