"""Tear-lines: looked at side by side, proposed, and made when a second person agrees."""

from typing import Annotated, Any, Final

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Here, Who
from shiprider.api.desk_rendering import DeskRendering, person_of, rules_of
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import desk as s

TAG: Final = ["tear-lines"]

ProposalPath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a proposed tear-line.")]


@post(
    "/tear-lines/preview",
    operation_id="preview_tear_line",
    summary="A record and its sanitised version side by side",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def preview(site: Here, rendering: Asked, data: s.TearLineAsked, asker: Who) -> s.TearLinePreview:
    """Nothing is kept of it."""
    original, prepared = site.desk.tear_lines.preview(
        rendering.view,
        data.kind,
        data.original,
        rules_of(data.rules, data.recipient),
        data.recipient,
        data.label,
        asker.observer.name,
    )
    return DeskRendering(site.desk, rendering, asker).preview(original, prepared)


@get(
    "/tear-lines",
    operation_id="list_tear_lines",
    summary="Proposed tear-lines of records that I see",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_proposals(site: Here, rendering: Asked, asker: Who) -> s.TearLineProposals:
    """Newest first; one that cannot be made any more is listed with its reason."""
    shown = DeskRendering(site.desk, rendering, asker)
    found = site.desk.tear_lines.listed(rendering.view)
    return s.TearLineProposals(
        proposals=[shown.tear_line(each) for each in found],
        marking=rendering.marking(*(each.proposal.record.label for each in found)),
    )


@post(
    "/tear-lines",
    operation_id="propose_tear_line",
    summary="Propose a tear-line",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def propose(site: Here, rendering: Asked, data: s.TearLineNew, asker: Who) -> s.TearLineProposalOut:
    """It is made when a second person agrees."""
    found = site.desk.tear_lines.propose(
        rendering.view,
        data.kind,
        data.original,
        rules_of(data.rules, data.recipient),
        recipient=data.recipient,
        to=data.label,
        why=data.why,
        who=person_of(asker),
    )
    return DeskRendering(site.desk, rendering, asker).tear_line(found)


def _step(name: str, summary: str) -> Any:
    return post(
        f"/tear-lines/{{proposal_id:str}}/{name}",
        operation_id=f"{name}_tear_line",
        summary=summary,
        status_code=200,
        tags=TAG,
        responses=documented(404, *CHANGING),
        sync_to_thread=True,
    )


@_step("agree", "Agree to a tear-line: it is made")
def agree(
    site: Here, rendering: Asked, proposal_id: ProposalPath, data: s.Step, asker: Who
) -> s.TearLineProposalOut:
    """Somebody else than who proposed it."""
    tear_lines = site.desk.tear_lines
    tear_lines.agree(rendering.view, proposal_id, data.expected_revision, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).tear_line(
        tear_lines.proposal(rendering.view, proposal_id)
    )


@_step("refuse", "Decide against a tear-line")
def refuse(
    site: Here, rendering: Asked, proposal_id: ProposalPath, data: s.Step, asker: Who
) -> s.TearLineProposalOut:
    """Nothing is made."""
    tear_lines = site.desk.tear_lines
    tear_lines.end(rendering.view, proposal_id, data.expected_revision, person_of(asker), "refused")
    return DeskRendering(site.desk, rendering, asker).tear_line(
        tear_lines.proposal(rendering.view, proposal_id)
    )


@_step("withdraw", "Take back one's own tear-line")
def withdraw(
    site: Here, rendering: Asked, proposal_id: ProposalPath, data: s.Step, asker: Who
) -> s.TearLineProposalOut:
    """Only who proposed it."""
    tear_lines = site.desk.tear_lines
    tear_lines.end(rendering.view, proposal_id, data.expected_revision, person_of(asker), "withdrawn")
    return DeskRendering(site.desk, rendering, asker).tear_line(
        tear_lines.proposal(rendering.view, proposal_id)
    )


HANDLERS = [preview, list_proposals, propose, agree, refuse, withdraw]
