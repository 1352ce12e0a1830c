"""Where the sun stands: enough to tell night from day.

Always true: good to about 0.05 degrees between 1950 and 2050 (Astronomical Almanac, low-precision
formulae for the Sun, section C), refraction left out.
"""

import math
from typing import Final

#: Microseconds since 1970 UTC of the epoch J2000.0 (2000-01-01 12:00).
_J2000_US: Final = 946_728_000_000_000
_DAY_US: Final = 86_400_000_000
#: The sun below this is night at sea: end of civil twilight.
CIVIL_TWILIGHT_DEG: Final = -6.0


def solar_elevation_deg(latitude_deg: float, longitude_deg: float, time_us: int) -> float:
    """Elevation of the sun's centre above the horizon in degrees."""
    days = (time_us - _J2000_US) / _DAY_US
    mean_longitude = math.radians((280.460 + 0.9856474 * days) % 360.0)
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360.0)
    ecliptic = mean_longitude + math.radians(1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    tilt = math.radians(23.439 - 4e-7 * days)
    right_ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal_deg = (280.46061837 + 360.98564736629 * days) % 360.0
    hour_angle = math.radians(sidereal_deg + longitude_deg) - right_ascension
    phi = math.radians(latitude_deg)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(
        hour_angle
    )
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def is_night(latitude_deg: float, longitude_deg: float, time_us: int) -> bool:
    """True after civil twilight."""
    return solar_elevation_deg(latitude_deg, longitude_deg, time_us) < CIVIL_TWILIGHT_DEG
