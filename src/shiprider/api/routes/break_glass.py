"""Breaking the glass: access that I lack, for a reason and a time, while a second person is told."""

from typing import Any, Final

from litestar import Request, Response, get, post

from shiprider.api.asking import Who
from shiprider.api.authorising import Asker
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import access as s
from shiprider.flow.access import Authority
from shiprider.flow.break_glass import break_glass, give_back, second_persons
from shiprider.model.account import CONTENT_ROLES
from shiprider.model.errors import Forbidden

TAG: Final = ["break-glass"]


def _authority(asker: Asker) -> Authority:
    authority = asker.authority
    if authority is None:
        raise Forbidden("Only a person with an account takes access for himself: sign in with yours.")
    return authority


@get(
    "/break-glass",
    operation_id="get_break_glass",
    summary="What I can take, for how long, and who can be told",
    tags=TAG,
    responses=documented(),
    sync_to_thread=False,
)
def get_ways(asker: Who) -> s.BreakGlassWays:
    """Nothing where one has no account."""
    authority = asker.authority
    people = second_persons(asker.access, authority.account) if authority is not None else []
    return s.BreakGlassWays(
        roles=[role for role in CONTENT_ROLES if authority is not None and role not in authority.roles],
        longest_min=asker.access.settings.break_glass_min,
        people=[s.PersonOut(id=each.id, name=each.name, nation=each.nation) for each in people],
    )


@post(
    "/break-glass",
    operation_id="take_access",
    summary="Break the glass",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def take(request: Request[Any, Any, Any], data: s.BreakGlass, asker: Who) -> Response[s.Done]:
    """It ends by itself. The session gets a new cookie, as whenever it gains access."""
    break_glass(
        asker.access,
        _authority(asker),
        asker.session.id,
        role=data.role,
        case=data.case,
        reason=data.reason,
        minutes=data.minutes,
        second=data.second,
    )
    state = request.scope["state"]
    cookie = state["sessions"].renew(asker.session)
    return Response(s.Done(), headers={"set-cookie": state["place"].cookie_header(cookie)}, status_code=200)


@post(
    "/break-glass/end",
    operation_id="give_access_back",
    summary="Give back what I took",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def end(data: s.BreakGlassEnd, asker: Who) -> s.Done:
    """Before its time."""
    del data
    give_back(asker.access, _authority(asker), asker.session.id)
    return s.Done()


HANDLERS = [get_ways, take, end]
