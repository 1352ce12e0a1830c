"""Small enumerations stored as int8 codes in frames.

Always true: a code, once published, never changes its meaning; new members are added at the end.
The lake stores the code; people and JSON see the lower-case member name.
"""

from enum import IntEnum, IntFlag


class TimeSource(IntEnum):
    """Where an observation's `time` came from."""

    RECEIVER = 0
    MESSAGE = 1
    FILE = 2
    ASSUMED = 3


class ReceiverKind(IntEnum):
    """What carried the receiver."""

    UNKNOWN = 0
    TERRESTRIAL = 1
    SATELLITE = 2
    AIRCRAFT = 3
    VESSEL = 4


class SensorKind(IntEnum):
    """The kind of sensor that made an observation."""

    AIS = 0
    RADAR = 1
    ADSB = 2
    SAR = 3
    OPTICAL = 4
    INFRARED = 5
    ACOUSTIC = 6
    GROUND_MOTION = 7
    VISUAL = 8


class IdentityKind(IntEnum):
    """Which register `claimed_id` belongs to."""

    NONE = 0
    MMSI = 1
    IMO = 2
    ICAO24 = 3


class TransmitterClass(IntEnum):
    """AIS station class, inferred from the message type (ITU-R M.1371-5)."""

    UNKNOWN = 0
    A = 1
    B_SO = 2
    B_CS = 3
    BASE_STATION = 4
    AID_TO_NAVIGATION = 5
    SAR_AIRCRAFT = 6
    LOCATING_DEVICE = 7


class Nature(IntEnum):
    """What sort of claim a row is. SIMULATED and EXERCISE are never shown as real."""

    OBSERVED = 0
    DECLARED = 1
    ESTIMATED = 2
    SIMULATED = 3
    EXERCISE = 4


class Flaw(IntFlag):
    """What `observe` found wrong with a row; kept and marked, never dropped."""

    NONE = 0
    POSITION_UNAVAILABLE = 1
    OFF_EARTH = 2
    MMSI_FORM = 4
    MID_UNKNOWN = 8
    IMO_CHECKSUM = 16
    TIME_ASSUMED = 32
    TIME_FUTURE = 64
    NULL_ISLAND = 128
    IMPOSSIBLE_MOTION = 256
    ON_LAND = 512
