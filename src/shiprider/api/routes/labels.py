"""Labels of records: reading one, asking for another, and what the policy would answer somebody else."""

from typing import Annotated, Any, Final

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Here, RecordPath, Who
from shiprider.api.desk_rendering import DeskRendering, person_of, written_text
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import desk as s
from shiprider.api.words import word
from shiprider.flow.desk_steps import class_of
from shiprider.flow.subjects import SubjectKind, subject
from shiprider.flow.view import Seen, View
from shiprider.model.label import parse, understood
from shiprider.model.observer import Observer
from shiprider.share.release import ACTIONS

TAG: Final = ["labels"]

ProposalPath = Annotated[
    str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a label that was asked for.")
]


@get(
    "/labels/{kind:str}/{record_id:str}",
    operation_id="get_label",
    summary="The label of a record",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_label(rendering: Asked, kind: SubjectKind, record_id: RecordPath) -> s.LabelOut:
    """As a person writes it. Raises NotFound."""
    record = subject(rendering.view, kind, record_id).record
    return s.LabelOut(
        kind=kind,
        id=record.id,
        revision=record.revision,
        text=written_text(understood(parse(record.label))),
        marking=rendering.marking(record.label),
    )


@get(
    "/relabellings",
    operation_id="list_relabellings",
    summary="Labels that were asked for, of records that I see",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_relabellings(site: Here, rendering: Asked, asker: Who) -> s.Relabellings:
    """Newest first."""
    shown = DeskRendering(site.desk, rendering, asker)
    view = rendering.view
    found = site.desk.labels.proposals(view)
    return s.Relabellings(
        relabellings=[
            shown.relabelling(item, subject(view, item.body.subject_kind, item.body.subject))
            for item in found
        ],
        marking=rendering.marking(*(item.record.label for item in found)),
    )


@post(
    "/relabellings",
    operation_id="relabel",
    summary="Narrow a label, or ask for a wider one",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def relabel(site: Here, rendering: Asked, data: s.RelabelNew, asker: Who) -> s.RelabellingOut:
    """Narrower: at once. Wider: when a second person agrees."""
    made = site.desk.labels.propose(
        rendering.view,
        data.kind,
        data.id,
        data.expected_revision,
        to=data.label,
        why=data.why,
        who=person_of(asker),
    )
    return DeskRendering(site.desk, rendering, asker).relabelling(made)


def _step(name: str, summary: str) -> Any:
    return post(
        f"/relabellings/{{proposal_id:str}}/{name}",
        operation_id=f"{name}_relabelling",
        summary=summary,
        status_code=200,
        tags=TAG,
        responses=documented(404, *CHANGING),
        sync_to_thread=True,
    )


@_step("agree", "Agree to a wider label: it is set")
def agree(
    site: Here, rendering: Asked, proposal_id: ProposalPath, data: s.Step, asker: Who
) -> s.RelabellingOut:
    """Somebody else than who asked for it."""
    made = site.desk.labels.agree(rendering.view, proposal_id, data.expected_revision, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).relabelling(made)


@_step("refuse", "Decide against a wider label")
def refuse(
    site: Here, rendering: Asked, proposal_id: ProposalPath, data: s.Step, asker: Who
) -> s.RelabellingOut:
    """The label stays."""
    made = site.desk.labels.end(
        rendering.view, proposal_id, data.expected_revision, person_of(asker), "refused"
    )
    return DeskRendering(site.desk, rendering, asker).relabelling(made)


@_step("withdraw", "Take back what one asked for")
def withdraw(
    site: Here, rendering: Asked, proposal_id: ProposalPath, data: s.Step, asker: Who
) -> s.RelabellingOut:
    """Only who asked for it."""
    made = site.desk.labels.end(
        rendering.view, proposal_id, data.expected_revision, person_of(asker), "withdrawn"
    )
    return DeskRendering(site.desk, rendering, asker).relabelling(made)


@post(
    "/view-as",
    operation_id="view_as",
    summary="What the policy would let somebody else do with this",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def view_as(site: Here, rendering: Asked, data: s.ViewAs) -> s.ViewAsOut:
    """Decisions and reasons for a made-up observer, of records that the asker sees. Raises NotFound."""
    other = Observer(
        name="",
        roles=(data.role,),
        nation=data.nation,
        organisation=data.organisation,
        communities=tuple(data.communities),
        clearance=data.clearance,
        purpose=data.purpose,
        cases=tuple(data.cases),
    )
    items = _together(rendering.view, data.kind, data.id)
    classes = [class_of(item.record) for item in items]
    policy, now_us = site.desk.policies.policy(), site.desk.steps.clock()
    answers = [policy.decide(other, action, classes, now_us) for action in ACTIONS]
    return s.ViewAsOut(
        lines=[
            s.ViewAsLine(
                kind=item.record.kind,  # type: ignore[arg-type]
                id=item.record.id,
                marking=rendering.marking(item.record.label),
                decisions=[
                    s.ActionDecision(
                        action=action,
                        allowed=given[at].allowed,
                        reasons=[_reason(each, rendering.language) for each in given[at].reasons],
                    )
                    for action, given in zip(ACTIONS, answers, strict=True)
                ],
            )
            for at, item in enumerate(items)
        ]
    )


def _together(view: View, kind: SubjectKind, record_id: str) -> list[Seen[Any]]:
    """A record and, of an alert, its findings and notes: each as the view gives it."""
    item = subject(view, kind, record_id)
    if kind != "alert":
        return [item]
    findings = view.findings_of(item.body.findings)
    return [
        item,
        *(findings[each] for each in item.body.findings if each in findings),
        *view.notes("alert", record_id),
    ]


def _reason(given: str, language: str) -> s.PolicyReason:
    key, _, clause = given.partition(":")
    return s.PolicyReason(key=key, text=word("policy", key, language), clause=clause)


HANDLERS = [get_label, list_relabellings, relabel, agree, refuse, withdraw, view_as]
