"""Exchange with other software: what was taken in, and findings and alerts in the formats of others."""

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream

from shiprider.api.asking import Asked, Cursor, Here, Limit, Mmsi, RecordPath, TimeOf, Who, choices
from shiprider.api.failures import CHANGING, documented
from shiprider.api.permissions import IMPORT_BYTES
from shiprider.api.recording import asked_for
from shiprider.api.rendering import Rendering
from shiprider.api.schemas import interchange as s
from shiprider.api.site import Site
from shiprider.flow.interchange.disclosing import KINDS, Disclosing, Wanted
from shiprider.flow.interchange.importing import Importing, graded
from shiprider.flow.interchange.writing import MEDIA, file_of
from shiprider.flow.logged_access import Accesses
from shiprider.flow.view import Seen
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.foreign_report import ForeignReport
from shiprider.model.label import number_of

TAG: Final = ["interchange"]


def report_out(rendering: Rendering, item: Seen[ForeignReport]) -> s.ForeignReportOut:
    """One foreign report."""
    body = item.body
    return s.ForeignReportOut(
        id=item.record.id,
        revision=item.record.revision,
        source=body.source,
        format=body.format,
        foreign_id=body.foreign_id,
        foreign_type=body.foreign_type,
        modified=body.modified,
        title=body.title,
        text=body.text,
        identifiers=[s.ForeignIdentifier(name=name, value=value) for name, value in body.identifiers],
        places=[
            s.ForeignPlaceOut(latitude_deg=each.latitude_deg, longitude_deg=each.longitude_deg)
            for each in body.places
        ],
        markings=list(body.markings),
        reliability=body.reliability,
        credibility=body.credibility,
        revoked=body.revoked,
        fault=body.fault,
        sha256=body.sha256,
        bytes=len(body.raw),
        taken_in_by=item.record.author,
        recorded_us=item.record.recorded_us,
        marking=rendering.marking(item.record.label),
    )


def _shown(
    request: Request[Any, Any, Any], site: Site, rendering: Rendering, found: list[Seen[ForeignReport]]
) -> list[s.ForeignReportOut]:
    """The reports as they go out, in the access log on return: by their own ids, not by what is written in them."""
    accesses = Accesses(site.access.log, site.access.clock)
    state = request.scope["state"]
    entry = accesses.entry(
        rendering.view.observer, state["rule"].act, state["what"], "allowed", count=len(found)
    )
    entry = msgspec.structs.replace(entry, asked=asked_for(request.scope["query_string"]))
    accesses.record(entry, [item.record.id for item in found])
    return [report_out(rendering, item) for item in found]


@get(
    "/foreign-reports",
    operation_id="list_foreign_reports",
    summary="What was taken in from other software",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_reports(
    request: Request[Any, Any, Any],
    site: Here,
    rendering: Asked,
    source: Annotated[str, Parameter(max_length=200, description="Only of this source.")] = "",
    mmsi: Mmsi | None = None,
    readable: Annotated[
        Literal["readable", "unreadable"] | None,
        Parameter(query="state", description="Whether it could be read."),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> s.ForeignReports:
    """Newest first."""
    view = rendering.view
    terms = [f"source:{source}"] if source else []
    terms += [f"mmsi:{mmsi}"] if mmsi is not None else []
    terms += [readable] if readable else []
    after = view.place_of(cursor) if cursor else None
    found = view.foreign_reports(tuple((term,) for term in terms), after=after, limit=limit)
    return s.ForeignReports(
        reports=_shown(request, site, rendering, found),
        next_cursor=view.cursor_of(found[-1]) if len(found) == limit else "",
        marking=rendering.marking(*(item.record.label for item in found)),
    )


@get(
    "/foreign-reports/{report_id:str}",
    operation_id="get_foreign_report",
    summary="One foreign report",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_report(
    request: Request[Any, Any, Any], site: Here, rendering: Asked, report_id: RecordPath
) -> s.ForeignReportOut:
    """As it was taken in last."""
    return _shown(request, site, rendering, [rendering.view.foreign_report(report_id)])[0]


@get(
    "/foreign-reports/{report_id:str}/raw",
    include_in_schema=False,
    sync_to_thread=True,
)
def get_raw(rendering: Asked, report_id: RecordPath) -> Response[bytes]:
    """The exact bytes that came, as a file of no kind. Raises NotFound where they were too many to keep."""
    body = rendering.view.foreign_report(report_id).body
    if not body.raw:
        raise NotFound("Its bytes were too many to keep: ask its source for it again.")
    headers = {"content-disposition": f'attachment; filename="{body.sha256[:32]}.bin"'}
    return Response(body.raw, media_type="application/octet-stream", headers=headers)


@get("/export", include_in_schema=False, sync_to_thread=True)
def export(
    site: Here,
    rendering: Asked,
    asker: Who,
    file_format: Annotated[
        Literal["stix", "misp", "geojson", "csv"], Parameter(query="format", description="Of the file.")
    ] = "stix",
    reason: Annotated[str, Parameter(max_length=400, description="For whom and why.")] = "",
    kinds: Annotated[str | None, Parameter(max_length=40, description="finding,alert")] = None,
    behaviour: Annotated[str | None, Parameter(max_length=400, description="Comma list.")] = None,
    mmsi: Mmsi | None = None,
    since_us: TimeOf = None,
    until_us: TimeOf = None,
) -> Stream:
    """Findings and alerts that I may export, as one file that carries its label; each page is logged before it leaves."""
    wanted = Wanted(
        kinds=tuple(k for k in KINDS if k in choices(kinds, KINDS, "kinds")) or KINDS,
        behaviours=choices(behaviour, None, "behaviour"),
        mmsi=() if mmsi is None else (mmsi,),
        start_us=since_us,
        end_us=until_us,
    )
    if not reason.strip():
        raise UsageError("An export needs a reason: say for whom and why (reason=…).")
    accesses = Accesses(site.access.log, site.access.clock)
    disclosing = Disclosing(rendering.view, accesses, f"export {file_format}", reason)
    label, _ = disclosing.joined(wanted)
    media, ending = MEDIA[file_format]
    name = f"{site.node} {asker.session.login} {number_of(label)} {site.clock()}"
    pieces = file_of(file_format, disclosing.pages(wanted, label), node=site.node, label=label, name=name)
    headers = {"content-disposition": f'attachment; filename="shiprider-export.{ending}"'}
    return Stream(pieces, media_type=media, headers=headers)


@post(
    "/foreign-reports",
    operation_id="take_in_foreign_reports",
    summary="Take in a file that other software wrote",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    request_max_body_size=IMPORT_BYTES,
)
async def take_in(
    request: Request[Any, Any, Any],
    site: Here,
    asker: Who,
    author: str,
    file_format: Annotated[
        Literal["stix", "misp"],
        Parameter(query="format", description="Of the body: a STIX 2.1 bundle, MISP events."),
    ],
    source: Annotated[str, Parameter(min_length=1, max_length=200, description="Whom it is from.")],
    grade: Annotated[
        str, Parameter(max_length=4, description="Of the source where an object says none: C3 for example.")
    ] = "",
    keep: Annotated[
        bool, Parameter(description="What is not of that format is kept too, for nobody.")
    ] = False,
) -> s.TakenIn:
    """The body is the file as it is. Each object is kept, or said why not."""
    view = site.view(asker.observer)
    made = Importing(view.ledger, site.clock, author, graded(grade), view.allowed)
    data = await request.body()
    done = await asyncio.to_thread(made.take_file, file_format, data, source, keep=keep)
    return s.TakenIn(
        new=done.new,
        revised=done.revised,
        known=done.known,
        older=done.older,
        unreadable=done.unreadable,
        unread=[s.Unread(foreign_id=name, why=why) for name, why in done.failed],
    )


HANDLERS = [take_in, list_reports, get_report, get_raw, export]
