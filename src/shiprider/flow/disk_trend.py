"""How long the disk lasts: the node's own history of it, and the trend.

Always true: a line counts only if it is whole; the trend is the median of slopes between pairs (Theil and
Sen), so a back-up that was made and removed, or one restored day, does not turn it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from shiprider.measure.clock import DAY_US, HOUR_US

#: The trend is that of the last week, from one reading an hour.
WINDOW_US: Final = 7 * DAY_US
EVERY_US: Final = HOUR_US

#: With less of a past there is no trend.
_LEAST_US: Final = 12 * HOUR_US

#: A disk that would last for so long lasts for ever.
FOR_EVER_DAYS: Final = 3650.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes free on the node's disk at a time."""

    at_us: int
    free_bytes: int


def days_left(readings: Sequence[Reading]) -> float | None:
    """Days until nothing is free; None where the past is too short to tell; `FOR_EVER_DAYS` where it does not fill."""
    if not readings:
        return None
    newest = readings[-1]
    recent = [each for each in readings if each.at_us > newest.at_us - WINDOW_US]
    if newest.at_us - recent[0].at_us < _LEAST_US:
        return None
    slopes = [
        (b.free_bytes - a.free_bytes) / (b.at_us - a.at_us)
        for n, a in enumerate(recent)
        for b in recent[n + 1 :]
        if b.at_us > a.at_us
    ]
    lost_per_day = -median(slopes) * DAY_US
    if lost_per_day <= 0:
        return FOR_EVER_DAYS
    return min(newest.free_bytes / lost_per_day, FOR_EVER_DAYS)


class DiskHistory:
    """A file of lines `time free`. Of a week it keeps an hour's readings, older ones are cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Reading]:
        """What was noted, oldest first."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace")
        except OSError:
            return []
        found: list[Reading] = []
        for line in text.splitlines():
            parts = line.split(" ")
            if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
                found.append(Reading(int(parts[0]), int(parts[1])))
        return sorted(found, key=lambda each: each.at_us)

    def note(self, reading: Reading) -> bool:
        """Keep a reading, one an hour; whether it was kept. Raises OSError."""
        held = [each for each in self.read() if reading.at_us - WINDOW_US < each.at_us <= reading.at_us]
        if held and reading.at_us - held[-1].at_us < EVERY_US:
            return False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("w") as out:
            out.writelines(f"{each.at_us} {each.free_bytes}\n" for each in [*held, reading])
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._path)
        return True
