"""A TAXII 2.1 server (OASIS, 2021-06-10): findings and alerts to read, a place where others hand reports in.

Always true: who reads gets what the policy lets his account export and nothing that tells of anything else; what is
handed in is kept as foreign reports; every page is in the access log before it leaves.
"""

import asyncio
import secrets
from collections import OrderedDict
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import Parameter

from shiprider.api.asking import Here, Who
from shiprider.api.authorising import Asker
from shiprider.api.permissions import TAXII_BYTES, may
from shiprider.api.site import Site
from shiprider.api.taxii_form import MEDIA_TYPE, STIX_MEDIA_TYPE, TAXII_TYPE
from shiprider.flow.interchange import taxii
from shiprider.flow.interchange.disclosing import Disclosing
from shiprider.flow.interchange.importing import Importing
from shiprider.flow.logged_access import Accesses
from shiprider.formats.stix.names import name_of
from shiprider.formats.stix.reading import parts_of, read
from shiprider.measure.clock import iso_from_us
from shiprider.model.errors import Forbidden, NotFound, UsageError

#: Names under which the collections are reached beside their ids.
_ALIASES: Final = {"disclosed": "alerts-and-findings", "inbox": "inbox"}
#: Statuses that can still be asked for; the answer to a hand-in has its status already.
_MOST_STATUSES: Final = 1000

CollectionPath = Annotated[str, Parameter(max_length=80, description="Id or alias of a collection.")]
ObjectPath = Annotated[str, Parameter(max_length=300, description="Id of a STIX object.")]
StatusPath = Annotated[str, Parameter(max_length=80, description="Id of a status.")]
Asking = Request[Any, Any, Any]


def _answer(
    request: Asking, content: dict[str, Any], headers: dict[str, str] | None = None, status: int = 200
) -> Response[Any]:
    _check_accept(request)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _check_accept(request: Asking) -> None:
    """Raises HTTPException (406) where TAXII 2.1 is not what is taken."""
    accepted = request.headers.get("accept", "*/*")
    for each in accepted.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        version = next((p.removeprefix("version=") for p in parameters if p.startswith("version=")), "2.1")
        if kind in ("*/*", "application/*") or (kind == TAXII_TYPE and version == "2.1"):
            return
    raise HTTPException(status_code=406)


def _id_of(site: Site, which: str) -> str:
    return name_of("taxii-collection", site.node, which)


def _collection(site: Site, asker: Asker, which: str) -> dict[str, Any]:
    roles = asker.observer.roles
    title, words = {
        "disclosed": ("Alerts and findings", "What the policy lets you export, as STIX 2.1."),
        "inbox": ("Reports for this node", "What you hand in is kept as foreign reports."),
    }[which]
    return {
        "id": _id_of(site, which),
        "title": title,
        "description": words,
        "alias": _ALIASES[which],
        "can_read": which == "disclosed" and may(roles, "export"),
        "can_write": which == "inbox" and may(roles, "hand_in"),
        "media_types": [STIX_MEDIA_TYPE],
    }


def _which(site: Site, collection: str) -> str:
    """Which collection is meant. Raises NotFound."""
    for which, alias in _ALIASES.items():
        if collection in (alias, _id_of(site, which)):
            return which
    raise NotFound("There is no such collection: list them at /taxii2/api/collections/.")


def _disclosing(request: Asking, site: Site, asker: Asker, collection: str) -> Disclosing:
    """What may be read of a collection. Raises NotFound, Forbidden."""
    if _which(site, collection) != "disclosed":
        raise Forbidden("Nothing is read from this collection: read alerts-and-findings.")
    _check_accept(request)
    accesses = Accesses(site.access.log, site.access.clock)
    return Disclosing(site.view(asker.observer), accesses, request.scope["state"]["what"])


def _page(request: Asking, site: Site, disclosing: Disclosing, object_id: str = "") -> taxii.Page:
    """The page that is asked for, in the access log on return. Raises UsageError, NotFound."""
    parameters = [(name, value) for name, value in request.query_params.multi_items()]
    given = dict(parameters)
    if object_id:
        parameters.append(("match[id]", object_id))
    text = given.get("limit", "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise UsageError("limit is no number of objects: give 1 or more.")
    limit = min(int(text), taxii.MOST) if text else taxii.MOST
    wanted = taxii.filter_of(parameters)
    found = taxii.page(disclosing, wanted, node=site.node, cursor=given.get("next", "")[:120], limit=limit)
    disclosing.log([placed.given for placed in found.placed])
    if object_id and not found.objects and not (set(given) - {"limit", "next"}):
        raise NotFound("There is no such object: read the collection.")
    return found


def _dates(found: taxii.Page) -> dict[str, str]:
    if not found.objects:
        return {}
    first, last = found.objects[0].added_us, found.objects[-1].added_us
    return {
        "x-taxii-date-added-first": _moment(first),
        "x-taxii-date-added-last": _moment(last),
    }


def _moment(time_us: int) -> str:
    """Microseconds stay: a reader asks for what came after the last of them."""
    whole = iso_from_us(time_us // 1_000_000 * 1_000_000)
    return f"{whole.removesuffix('Z')}.{time_us % 1_000_000:06d}Z"


def _more(found: taxii.Page) -> dict[str, Any]:
    return {"more": True, "next": found.next} if found.next else {"more": False}


@get("/", include_in_schema=False, sync_to_thread=False)
def discovery(request: Asking, site: Here) -> Response[Any]:
    """TAXII 2.1, 4.1."""
    root = f"{request.scope['state']['place'].scheme}://{request.scope['state']['host']}/taxii2/api/"
    return _answer(
        request,
        {"title": f"Shiprider {site.node}", "default": root, "api_roots": [root]},
    )


@get("/api", include_in_schema=False, sync_to_thread=False)
def api_root(request: Asking, site: Here) -> Response[Any]:
    """TAXII 2.1, 4.2."""
    content = {
        "title": f"Shiprider {site.node}",
        "versions": [MEDIA_TYPE],
        "max_content_length": TAXII_BYTES,
    }
    return _answer(request, content)


@get("/api/collections", include_in_schema=False, sync_to_thread=True)
def collections(request: Asking, site: Here, asker: Who) -> Response[Any]:
    """TAXII 2.1, 5.1."""
    return _answer(request, {"collections": [_collection(site, asker, which) for which in _ALIASES]})


@get("/api/collections/{collection:str}", include_in_schema=False, sync_to_thread=True)
def one_collection(request: Asking, site: Here, asker: Who, collection: CollectionPath) -> Response[Any]:
    """TAXII 2.1, 5.2."""
    return _answer(request, _collection(site, asker, _which(site, collection)))


@get("/api/collections/{collection:str}/manifest", include_in_schema=False, sync_to_thread=True)
def manifest(request: Asking, site: Here, asker: Who, collection: CollectionPath) -> Response[Any]:
    """TAXII 2.1, 5.3."""
    found = _page(request, site, _disclosing(request, site, asker, collection))
    listed = [
        {
            "id": each.given["id"],
            "date_added": _moment(each.added_us),
            "version": taxii.version_of(each.given),
            "media_type": STIX_MEDIA_TYPE,
        }
        for each in found.objects
    ]
    return _answer(request, {**_more(found), "objects": listed} if listed else {}, _dates(found))


@get("/api/collections/{collection:str}/objects", include_in_schema=False, sync_to_thread=True)
def objects(request: Asking, site: Here, asker: Who, collection: CollectionPath) -> Response[Any]:
    """TAXII 2.1, 5.4."""
    return _envelope(request, _page(request, site, _disclosing(request, site, asker, collection)))


@get(
    "/api/collections/{collection:str}/objects/{object_id:str}", include_in_schema=False, sync_to_thread=True
)
def one_object(
    request: Asking, site: Here, asker: Who, collection: CollectionPath, object_id: ObjectPath
) -> Response[Any]:
    """TAXII 2.1, 5.6."""
    return _envelope(request, _page(request, site, _disclosing(request, site, asker, collection), object_id))


@get(
    "/api/collections/{collection:str}/objects/{object_id:str}/versions",
    include_in_schema=False,
    sync_to_thread=True,
)
def versions(
    request: Asking, site: Here, asker: Who, collection: CollectionPath, object_id: ObjectPath
) -> Response[Any]:
    """TAXII 2.1, 5.8."""
    found = _page(request, site, _disclosing(request, site, asker, collection), object_id)
    listed = list(dict.fromkeys(taxii.version_of(each.given) for each in found.objects))
    return _answer(request, {**_more(found), "versions": listed} if listed else {}, _dates(found))


def _envelope(request: Asking, found: taxii.Page) -> Response[Any]:
    listed = [each.given for each in found.objects]
    return _answer(request, {**_more(found), "objects": listed} if listed else {}, _dates(found))


class _Statuses:
    """What became of what was handed in, for who handed it in: the newest of this run."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()

    def keep(self, login: str, status: dict[str, Any]) -> None:
        self._kept[login, status["id"]] = status
        while len(self._kept) > _MOST_STATUSES:
            self._kept.popitem(last=False)

    def get(self, login: str, status_id: str) -> dict[str, Any]:
        found = self._kept.get((login, status_id))
        if found is None:
            raise NotFound("There is no such status for you: the newest of this run are kept.")
        return found


_STATUSES: Final = _Statuses()


@post(
    "/api/collections/{collection:str}/objects",
    include_in_schema=False,
    status_code=202,
    request_max_body_size=TAXII_BYTES,
)
async def add_objects(request: Asking, site: Here, asker: Who, collection: CollectionPath) -> Response[Any]:
    """TAXII 2.1, 5.5: each object is kept or said why not."""
    if _which(site, collection) != "inbox":
        raise Forbidden("Nothing is handed in here: use the collection inbox.")
    _check_accept(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TAXII_TYPE:
        raise HTTPException(status_code=415)
    data = await request.body()
    return _answer(request, await asyncio.to_thread(_take_in, site, asker, data), status=202)


def _take_in(site: Site, asker: Asker, data: bytes) -> dict[str, Any]:
    asked_us = site.clock()
    source = f"taxii:{asker.session.login}"
    total = len(parts_of(data))
    observer = asker.observer
    view = site.view(observer)
    made = Importing(view.ledger, site.clock, observer.name, allowed=view.allowed)
    done = made.take(read(data, source))
    failures = [{"id": name[:250], "version": _moment(asked_us), "message": why} for name, why in done.failed]
    status = {
        "id": secrets.token_hex(16),
        "status": "complete",
        "request_timestamp": _moment(asked_us),
        "total_count": total,
        "success_count": total - done.unreadable,
        "failure_count": done.unreadable,
        "pending_count": 0,
    }
    if failures:
        status["failures"] = failures
    _STATUSES.keep(asker.session.login, status)
    return status


@get("/api/status/{status_id:str}", include_in_schema=False, sync_to_thread=False)
def one_status(request: Asking, asker: Who, status_id: StatusPath) -> Response[Any]:
    """TAXII 2.1, 4.3."""
    return _answer(request, _STATUSES.get(asker.session.login, status_id))


HANDLERS = [
    discovery,
    api_root,
    collections,
    one_collection,
    manifest,
    objects,
    one_object,
    versions,
    add_objects,
    one_status,
]
