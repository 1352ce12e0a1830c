"""What the watch is told to look at and to keep: areas, watchlists, legal holds."""

from typing import Annotated

from msgspec import Meta

from shiprider.api.schemas.base import (
    Latitude,
    Longitude,
    LongText,
    Microseconds,
    Mmsi,
    RecordId,
    Request,
    ShortText,
    Struct,
)
from shiprider.api.schemas.marking import Marking


class AreaOut(Struct):
    """A named polygon, ring of [longitude, latitude] (GeoJSON order), closed. `node`: whose it is."""

    id: RecordId
    revision: int
    node: str
    name: str
    ring: list[tuple[float, float]]
    text: str
    author: str
    recorded_us: Microseconds
    active: bool
    marking: Marking


class AreaNew(Request):
    """Draw an area. For a change give `id` and `expected_revision`."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    ring: Annotated[list[tuple[Longitude, Latitude]], Meta(min_length=3, max_length=2000)]
    text: LongText = ""
    active: bool = True
    id: RecordId | None = None
    expected_revision: int = 0


class WatchEntry(Struct, forbid_unknown_fields=True):
    """One line of a watchlist: at least one of the identifiers."""

    mmsi: Mmsi | None = None
    imo: Annotated[int, Meta(ge=0, le=9_999_999)] | None = None
    name: Annotated[str, Meta(max_length=80)] | None = None
    callsign: Annotated[str, Meta(max_length=20)] | None = None
    reason: Annotated[str, Meta(max_length=1000)] = ""


class WatchlistOut(Struct):
    """A named list of vessels to be told about. `node`: whose it is."""

    id: RecordId
    revision: int
    node: str
    name: str
    entries: list[WatchEntry]
    source: str
    author: str
    recorded_us: Microseconds
    active: bool
    marking: Marking


class WatchlistNew(Request):
    """Make or change a watchlist."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    entries: Annotated[list[WatchEntry], Meta(max_length=50_000)]
    source: ShortText = ""
    active: bool = True
    id: RecordId | None = None
    expected_revision: int = 0


class LegalHoldOut(Struct):
    """What must not be deleted, and why."""

    id: RecordId
    revision: int
    case: str
    reason: str
    mmsi: list[int]
    start_us: Microseconds | None
    end_us: Microseconds | None
    author: str
    recorded_us: Microseconds
    released: bool


class LegalHoldNew(Request):
    """Hold rows of these vessels in this span; a release gives `id`, `expected_revision`, `released`."""

    case: Annotated[str, Meta(min_length=1, max_length=120)]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    mmsi: Annotated[list[Mmsi], Meta(max_length=10_000)] = []
    start_us: Microseconds | None = None
    end_us: Microseconds | None = None
    released: bool = False
    id: RecordId | None = None
    expected_revision: int = 0


class Areas(Struct):
    """All areas; `marking` is of all of them together."""

    areas: list[AreaOut]
    marking: Marking


class Watchlists(Struct):
    """All watchlists; `marking` is of all of them together."""

    watchlists: list[WatchlistOut]
    marking: Marking


class LegalHolds(Struct):
    """All legal holds."""

    legal_holds: list[LegalHoldOut]
