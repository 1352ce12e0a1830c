"""Vessels, their tracks, and observations down to the raw sentence."""

from typing import Annotated, Any, Final, Literal

from litestar import get
from litestar.params import Parameter

from shiprider.api.asking import MOST_INTEGER, Asked, BoxText, Here, Mmsi, TimeAt, TimeOf, box_of
from shiprider.api.failures import documented
from shiprider.api.rendering import MOST_POINTS
from shiprider.api.rendering_observations import observation_out, static_out
from shiprider.api.schemas.picture import PictureOut
from shiprider.api.schemas.vessels import Names, ObservationOut, Tracks, VesselDetail, VesselHit, VesselHits
from shiprider.flow.frames import subset
from shiprider.flow.view import Seen
from shiprider.measure.clock import DAY_US
from shiprider.model.errors import NotFound, UsageError
from shiprider.ports.ledger import Query

TAG: Final = ["vessels"]
_MOST_LISTED: Final = 50


@get(
    "/vessels",
    operation_id="search_vessels",
    summary="Search vessels by name, MMSI, IMO number or call sign",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def search_vessels(
    rendering: Asked,
    q: Annotated[
        str, Parameter(min_length=1, max_length=80, description="Names by any part, the rest by beginning.")
    ],
    limit: Annotated[int, Parameter(ge=1, le=200)] = 20,
) -> VesselHits:
    """The best matches first."""
    hits = []
    found = rendering.view.search(q, limit)
    labels = rendering.view.picture_labels_of([mmsi for mmsi, _, _ in found])
    for (mmsi, matched, static), carried in zip(found, labels, strict=True):
        what: Any = matched
        hits.append(
            VesselHit(
                vessel=rendering.vessel(mmsi, static),
                imo=static.imo,
                callsign=static.callsign,
                matched=what,
                position=rendering.newest_position(rendering.view.picture.rows_of(mmsi)),
                marking=rendering.marking(*carried),
            )
        )
    return VesselHits(vessels=hits)


@get(
    "/vessels/names",
    operation_id="get_names",
    summary="Names of many vessels",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_names(
    rendering: Asked,
    mmsi: Annotated[str, Parameter(max_length=12_000, description="Comma list, 1,000 at most.")],
) -> Names:
    """Vessels without a name are left out."""
    parts = [part for part in mmsi.split(",") if part]
    if len(parts) > 1000 or not all(part.isdecimal() and len(part) <= 9 for part in parts):
        raise UsageError("mmsi is no list of identities: give up to 1,000 numbers of nine digits.")
    found = {int(part): rendering.view.picture.static(int(part)).name for part in parts}
    named = {key: name for key, name in found.items() if name}
    labels = rendering.view.picture_labels_of(list(named))
    return Names(
        names={str(key): name for key, name in named.items()},
        markings={str(key): rendering.marking(*carried) for key, carried in zip(named, labels, strict=True)},
    )


@get(
    "/vessels/{mmsi:int}",
    operation_id="get_vessel",
    summary="One vessel: static data, findings, alerts, notes",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_vessel(mmsi: Mmsi, rendering: Asked) -> VesselDetail:
    """Raises NotFound where it was never heard and nothing is known of it."""
    view = rendering.view
    rows = view.picture.rows_of(mmsi)
    life = view.life(mmsi)
    asked = ((f"mmsi:{mmsi}",),)
    findings = view.findings(Query("finding", asked, limit=_MOST_LISTED))
    alerts = view.alerts(Query("alert", asked, limit=_MOST_LISTED))
    notes = view.notes("vessel", str(mmsi))
    listed = view.watchlists_of(mmsi)
    heard = view.labels_of(mmsi)
    shown: list[Seen[Any]] = [*findings, *alerts, *notes]
    if not (life.observations or len(rows) or life.static or findings or alerts or notes or listed):
        raise NotFound(f"There is no vessel {mmsi}: search by name, IMO number or call sign.")
    return VesselDetail(
        vessel=rendering.vessel(mmsi),
        position=rendering.newest_position(rows),
        tracks=sorted({int(track) for track in rows.track}),
        static=[static_out(rendering, row) for row in life.static],
        findings=[rendering.finding(item) for item in findings],
        alerts=rendering.alerts(alerts),
        notes=[rendering.note(note) for note in notes],
        first_heard_us=life.first_us,
        last_heard_us=life.last_us,
        observations=life.observations,
        watchlists=listed,
        heard=rendering.marking(*heard),
        marking=rendering.marking(*heard, *(each.record.label for each in shown)),
    )


@get(
    "/vessels/{mmsi:int}/tracks",
    operation_id="get_tracks",
    summary="Tracks of a vessel in a span, thinned",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_tracks(
    mmsi: Mmsi,
    rendering: Asked,
    site: Here,
    start_us: TimeOf = None,
    end_us: TimeOf = None,
    known_us: Annotated[
        int | None,
        Parameter(ge=0, le=MOST_INTEGER, description="Only what had been received by then: as known then."),
    ] = None,
    points: Annotated[int, Parameter(ge=2, le=MOST_POINTS, description="Most points of one track.")] = 2000,
) -> Tracks:
    """The day before the newest data where no span is given."""
    end = end_us if end_us is not None else (rendering.view.picture.newest_us or site.clock()) + 1
    start = start_us if start_us is not None else end - DAY_US
    parts = rendering.view.tracks(mmsi, start, end, known_us=known_us, points=points)
    return Tracks(tracks=[rendering.track(part) for part in parts])


@get(
    "/observations/{raw:int}",
    operation_id="get_observation",
    summary="One observation down to its raw sentence",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_observation(
    raw: Annotated[int, Parameter(ge=0, le=MOST_INTEGER, description="Raw address.")], rendering: Asked
) -> ObservationOut:
    """Raises NotFound."""
    return observation_out(rendering, rendering.view.observation(raw))


@get(
    "/picture",
    operation_id="get_picture",
    summary="The picture at a time, as known then or now",
    tags=["picture"],
    responses=documented(),
    sync_to_thread=True,
)
def get_picture(
    rendering: Asked,
    time_us: TimeAt,
    mode: Literal["then", "now"] = "then",
    bbox: BoxText = None,
    limit: Annotated[int, Parameter(ge=1, le=MOST_POINTS)] = 5000,
) -> PictureOut:
    """Thinned evenly where there are more than `limit`."""
    rows, labels = rendering.view.picture_at(time_us, mode, box_of(bbox))
    return rendering.picture(subset(rows, limit), time_us, mode, len(rows), labels)


HANDLERS = [search_vessels, get_names, get_vessel, get_tracks, get_observation, get_picture]
