"""A foreign report: one object that came from software that is not ours, as text with a grade.

Always true: nothing of it is trusted: a name, a title, a link is text and is never followed, run or opened; the bytes
that came are kept as they came, with their digest; what could not be read says why (`fault`) and is kept as well.
"""

from typing import Final, Literal

import msgspec

#: What it was written as.
ForeignFormat = Literal["stix-2.1", "misp"]

#: The Admiralty system (STANAG 2511): how reliable the source is, how credible the information; F and 6: cannot be judged.
RELIABILITIES: Final = ("A", "B", "C", "D", "E", "F")
CREDIBILITIES: Final = ("1", "2", "3", "4", "5", "6")


class ForeignPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place it names, in degrees."""

    latitude_deg: float
    longitude_deg: float


class ForeignReport(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `foreign_report`.

    `source` is whom this node took it from, `foreign_id` and `foreign_type` its own, `modified` its version as it says
    it. `identifiers` are pairs as given (`mmsi`, `imo`, `callsign`, `name`, ...); `markings` what restricts it, as given.
    `raw` are the exact bytes, `sha256` their digest.
    """

    source: str
    format: ForeignFormat
    foreign_id: str
    foreign_type: str
    modified: str = ""
    title: str = ""
    text: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()
    places: tuple[ForeignPlace, ...] = ()
    markings: tuple[str, ...] = ()
    reliability: str = "F"
    credibility: str = "6"
    revoked: bool = False
    fault: str = ""
    sha256: str
    raw: bytes
