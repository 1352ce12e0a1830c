"""Standing orders of a node: whom to watch, where, what must be kept, how it is shown.

Always true: an order is changed or ended by a new revision, so what was in force when is known.
"""

from typing import Literal

import msgspec


class WatchlistEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line: at least one identifier; any that is given must match."""

    mmsi: int | None = None
    imo: int | None = None
    name: str | None = None
    callsign: str | None = None
    reason: str = ""


class Watchlist(msgspec.Struct, frozen=True, kw_only=True):
    """Vessels to be told about, with where the list comes from."""

    name: str
    entries: tuple[WatchlistEntry, ...]
    source: str = ""
    active: bool = True


class WatchedArea(msgspec.Struct, frozen=True, kw_only=True):
    """A polygon to be told about: ring of (longitude, latitude) in degrees, closed."""

    name: str
    ring: tuple[tuple[float, float], ...]
    text: str = ""
    active: bool = True


class LegalHold(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of these vessels (none: all) in this span must be kept until it is released."""

    reason: str
    mmsi: tuple[int, ...] = ()
    start_us: int | None = None
    end_us: int | None = None
    released: bool = False


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """How the watch floor shows things; the values are those of the API's `SettingsOut`."""

    language: Literal["en", "es"] = "en"
    position_format: Literal["dm", "dd", "mgrs"] = "dm"
    speed_unit: Literal["kn", "mps", "kmh"] = "kn"
    distance_unit: Literal["nm", "km"] = "nm"
    theme: Literal["dark", "light", "red"] = "dark"
    symbols: Literal["simple", "milstd"] = "simple"
