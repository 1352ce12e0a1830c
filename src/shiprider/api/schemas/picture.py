"""The picture: where every vessel is."""

from typing import Literal

from shiprider.api.schemas.base import Microseconds, Struct
from shiprider.api.schemas.marking import Marking


class PictureVessel(Struct):
    """One vessel of the picture at a time."""

    track: int
    mmsi: int
    name: str
    vessel_class: int
    time_us: Microseconds
    latitude_deg: float
    longitude_deg: float
    speed_mps: float | None
    course_deg: float | None
    heading_deg: float | None
    simulated: bool
    raw: int


class PictureOut(Struct):
    """The picture at `time_us`; mode "then" uses only what had been received by that time."""

    time_us: Microseconds
    mode: Literal["then", "now"]
    total: int
    thinned: bool
    vessels: list[PictureVessel]
    marking: Marking
