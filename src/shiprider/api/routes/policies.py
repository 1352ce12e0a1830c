"""The policy in force and proposed ones: what they would newly release, and the second person."""

from typing import Annotated, Any, Final

from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Here, Who
from shiprider.api.authorising import Asker
from shiprider.api.desk_rendering import DeskRendering, person_of
from shiprider.api.failures import CHANGING, documented
from shiprider.api.permissions import POLICY_BYTES
from shiprider.api.schemas import desk as s
from shiprider.api.site import Site
from shiprider.flow.policy_desk import KIND
from shiprider.model.errors import NotFound
from shiprider.model.release_class import ReleaseClass

TAG: Final = ["policy"]

ChangePath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a proposed policy.")]


def _check_sees(site: Site, asker: Asker) -> None:
    """The node's rules are its own people's. Raises NotFound."""
    own = ReleaseClass(label="", origin=site.desk.steps.node, kind=KIND)
    if not site.desk.steps.decision(asker.observer, "read", own).allowed:
        raise NotFound("There is no policy here for you: ask a liaison officer.")


@get(
    "/policy",
    operation_id="get_policy",
    summary="The policy in force",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def get_policy(site: Here, asker: Who) -> s.PolicyOut:
    """For the node's own people."""
    _check_sees(site, asker)
    now = site.desk.policies.now()
    return s.PolicyOut(
        text=now.text,
        digest=now.digest,
        version=now.policy.version,
        change=now.change,
        agreements=list(now.rules.book.ids()),
    )


@post(
    "/policy/effect",
    operation_id="try_policy",
    request_max_body_size=POLICY_BYTES,
    summary="What another policy would newly release and withhold",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def try_policy(site: Here, rendering: Asked, data: s.PolicyText, asker: Who) -> s.PolicyEffect:
    """Nothing is kept of it."""
    _check_sees(site, asker)
    return DeskRendering(site.desk, rendering, asker).effect(site.desk.policy.try_out(data.rules))


@get(
    "/policy/changes",
    operation_id="list_policy_changes",
    summary="Proposed policies",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_changes(site: Here, rendering: Asked, asker: Who) -> s.PolicyChanges:
    """Newest first."""
    _check_sees(site, asker)
    shown = DeskRendering(site.desk, rendering, asker)
    changes = site.desk.policy.changes()
    # What is marked in a line says what there is, not what is in it: the page is the node's own.
    return s.PolicyChanges(
        changes=[shown.policy_change(item) for item in changes],
        marking=rendering.marking(*(item.record.label for item in changes)),
    )


@post(
    "/policy/changes",
    operation_id="propose_policy",
    request_max_body_size=POLICY_BYTES,
    summary="Propose a policy",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def propose(site: Here, rendering: Asked, data: s.PolicyNew, asker: Who) -> s.PolicyChangeOut:
    """It is in force when it is agreed to."""
    _check_sees(site, asker)
    made = site.desk.policy.propose(data.rules, data.why, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).policy_change(made)


def _step(name: str, summary: str) -> Any:
    return post(
        f"/policy/changes/{{change_id:str}}/{name}",
        operation_id=f"{name.replace('-', '_')}_policy_change",
        summary=summary,
        status_code=200,
        tags=TAG,
        responses=documented(404, *CHANGING),
        sync_to_thread=True,
    )


@_step("agree", "Agree to a proposed policy: it is in force")
def agree(site: Here, rendering: Asked, change_id: ChangePath, data: s.Step, asker: Who) -> s.PolicyChangeOut:
    """A second person, where it widens. Conflict where it must be shown again first."""
    _check_sees(site, asker)
    made = site.desk.policy.agree(change_id, data.expected_revision, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).policy_change(made)


@_step("show-again", "What it would do as things are now")
def show_again(
    site: Here, rendering: Asked, change_id: ChangePath, data: s.Step, asker: Who
) -> s.PolicyChangeOut:
    """A new revision, to be looked at again."""
    _check_sees(site, asker)
    made = site.desk.policy.show_again(change_id, data.expected_revision, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).policy_change(made)


@_step("refuse", "Decide against a proposed policy")
def refuse(
    site: Here, rendering: Asked, change_id: ChangePath, data: s.Step, asker: Who
) -> s.PolicyChangeOut:
    """The policy in force stays."""
    _check_sees(site, asker)
    made = site.desk.policy.refuse(change_id, data.expected_revision, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).policy_change(made)


@_step("withdraw", "Take back one's own proposal")
def withdraw(
    site: Here, rendering: Asked, change_id: ChangePath, data: s.Step, asker: Who
) -> s.PolicyChangeOut:
    """Only who proposed it."""
    _check_sees(site, asker)
    made = site.desk.policy.withdraw(change_id, data.expected_revision, person_of(asker))
    return DeskRendering(site.desk, rendering, asker).policy_change(made)


HANDLERS = [get_policy, try_policy, list_changes, propose, agree, show_again, refuse, withdraw]
