"""Partners: who they are and how they are reached, what each was sent, and what is taken back."""

from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.params import Parameter

from shiprider.api.asking import Asked, Cursor, Here, Limit, RecordPath, Who
from shiprider.api.desk_rendering import person_of
from shiprider.api.failures import CHANGING, documented
from shiprider.api.rendering import Rendering
from shiprider.api.schemas import partners as s
from shiprider.api.site import Site
from shiprider.api.words import word
from shiprider.flow.exchange.liaison import PartnerStanding, RecallStanding
from shiprider.flow.exchange.links import LinkState
from shiprider.model.errors import UsageError
from shiprider.model.introduction import fingerprint
from shiprider.model.label import Classification
from shiprider.model.partner import Partner
from shiprider.model.record import Record

TAG: Final = ["partners"]

KindPath = Annotated[str, Parameter(pattern="^[a-z_]{1,40}$", description="Kind of a record.")]
PartnerPath = Annotated[str, Parameter(pattern="^[0-9a-f]{32}$", description="Id of a partner.")]


def _partner(
    record: Record, partner: Partner, link: LinkState | None = None, waiting: int = 0
) -> s.PartnerOut:
    told = partner.introduction
    return s.PartnerOut(
        id=record.id,
        revision=record.revision,
        node=told.node,
        name=told.name,
        nation=told.nation,
        organisation=told.organisation,
        state=partner.state,
        fingerprint=fingerprint(told),
        clearance=partner.clearance,
        communities=list(partner.communities),
        purposes=list(partner.purposes),
        place=partner.place,
        introduced_by=partner.introduced_by,
        confirmed_by=partner.confirmed_by,
        why=partner.why,
        recorded_us=record.recorded_us,
        waiting=waiting,
        link=None
        if link is None
        else s.LinkOut(
            up=link.up,
            trouble=link.trouble,
            heard_us=link.heard_us or None,
            clock_s=round(link.clock_s, 1),
            refused=link.refused,
        ),
    )


def _standing(found: PartnerStanding) -> s.PartnerOut:
    return _partner(found.record, found.partner, found.link, found.waiting)


def _recall(found: RecallStanding, rendering: Rendering) -> s.RecallOut:
    about, order = found.about, found.order
    return s.RecallOut(
        id=found.record.id,
        partner=order.partner,
        kind=about.kind if about is not None else "",
        record=order.record,
        record_revision=about.revision if about is not None else 0,
        reason=order.reason,
        why=order.why,
        ordered_by=found.record.author,
        ordered_us=found.record.recorded_us,
        sent_us=found.sent_us,
        answered_us=found.answered_us,
        derived=found.derived,
        marking=rendering.marking(about.label if about is not None else ""),
    )


def _acknowledged(site: Site, node: str, place: tuple[int, int] | None) -> bool:
    heard = next((each.acknowledged for each in site.desk.liaison.links() if each.partner == node), None)
    return heard is not None and place is not None and place <= (heard.epoch, heard.sequence)


@get(
    "/partners",
    operation_id="list_partners",
    summary="Partners' nodes and how the exchange with each stands",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_partners(site: Here, rendering: Asked) -> s.Partners:
    """Oldest first."""
    return s.Partners(
        now_us=site.clock(),
        partners=[_standing(each) for each in site.desk.liaison.partners(rendering.view)],
        purposes=list(site.access.settings.purposes),
    )


@get(
    "/partners/own",
    operation_id="get_own_introduction",
    summary="This node's introduction, for a partner",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_own(site: Here) -> s.OwnIntroduction:
    """Signed by the key that signs now."""
    told = site.desk.liaison.own()
    text = msgspec.json.format(msgspec.json.encode(told)).decode() + "\n"
    return s.OwnIntroduction(node=told.node, file=text, fingerprint=fingerprint(told))


@post(
    "/partners",
    operation_id="introduce_partner",
    summary="Take a partner's introduction in",
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def introduce(site: Here, data: s.PartnerNew, asker: Who) -> s.PartnerOut:
    """Nothing is exchanged before another person confirms it."""
    return _partner(*site.desk.liaison.introduce(data.file, data.place, person_of(asker)))


@post(
    "/partners/{partner_id:str}/confirm",
    operation_id="confirm_partner",
    summary="Confirm a partner by the fingerprint that it read out",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def confirm(site: Here, partner_id: PartnerPath, data: s.PartnerConfirm, asker: Who) -> s.PartnerOut:
    """Somebody else than who introduced it. From then on the two exchange."""
    strange = [each for each in data.purposes if each not in site.access.settings.purposes]
    if strange:
        raise UsageError(
            f"{strange[0]!r} is no purpose here: use one of {', '.join(site.access.settings.purposes)}."
        )
    made = site.desk.liaison.confirm(
        partner_id,
        data.expected_revision,
        data.fingerprint,
        person_of(asker),
        clearance=Classification[data.clearance].name,
        communities=data.communities,
        purposes=data.purposes,
    )
    return _partner(*made)


@post(
    "/partners/{partner_id:str}/end",
    operation_id="end_partner",
    summary="Exchange nothing more with a partner",
    status_code=200,
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def end(site: Here, partner_id: PartnerPath, data: s.PartnerEnd, asker: Who) -> s.PartnerOut:
    """It is cut off within seconds."""
    made = site.desk.liaison.end(
        partner_id, data.expected_revision, person_of(asker), left=data.left, why=data.why
    )
    return _partner(*made)


@get(
    "/partners/{partner_id:str}/shared",
    operation_id="list_shared",
    summary="What a partner was sent of what I may read",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_shared(
    site: Here, rendering: Asked, partner_id: PartnerPath, cursor: Cursor = "", limit: Limit = 100
) -> s.SharedPage:
    """Newest first."""
    liaison = site.desk.liaison
    _, partner = liaison.partner(partner_id, rendering.view)
    items, following = liaison.shared(rendering.view, partner_id, after=cursor, limit=limit)
    return s.SharedPage(
        items=[
            s.SharedOut(
                kind=each.record.kind,
                id=each.record.id,
                revision=each.record.revision,
                author=each.record.author,
                sent_us=each.sent_us,
                acknowledged=_acknowledged(site, partner.node, each.place),
                recall=_recall(each.recall, rendering) if each.recall else None,
                marking=rendering.marking(each.record.label),
            )
            for each in items
        ],
        next_cursor=following,
        marking=rendering.marking(*(each.record.label for each in items)),
    )


@get(
    "/partners/of/{kind:str}/{record_id:str}",
    operation_id="list_partners_of",
    summary="One record and each partner: who may read it, who has it, who gave it back",
    tags=TAG,
    responses=documented(404),
    sync_to_thread=True,
)
def list_partners_of(
    site: Here, rendering: Asked, kind: KindPath, record_id: RecordPath
) -> s.PartnersOfRecord:
    """As the policy in force has it."""
    found = site.desk.liaison.partners_of(rendering.view, kind, record_id)
    record = rendering.view.record(record_id, kind)
    return s.PartnersOfRecord(
        kind=kind,
        id=record_id,
        is_ours=record.origin == site.desk.steps.node,
        partners=[
            s.PartnerOfRecord(
                id=site.desk.liaison.id_of(each.partner),
                node=each.partner.node,
                name=each.partner.introduction.name,
                allowed=each.decision.allowed,
                reasons=[_reason(given, rendering.language) for given in each.decision.reasons],
                sent_us=each.sent_us,
                acknowledged=_acknowledged(site, each.partner.node, each.place),
                recall=_recall(each.recall, rendering) if each.recall else None,
            )
            for each in found
        ],
        marking=rendering.marking(record.label),
    )


def _reason(given: str, language: str) -> str:
    key, _, clause = given.partition(":")
    return word("policy", key, language) + (f" ({clause})" if clause else "")


@get(
    "/recalls",
    operation_id="list_recalls",
    summary="What was taken back from partners, and who has not answered",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_recalls(site: Here, rendering: Asked) -> s.Recalls:
    """Newest first."""
    found = site.desk.liaison.recalls(rendering.view)
    return s.Recalls(
        recalls=[_recall(each, rendering) for each in found],
        marking=rendering.marking(*(each.about.label for each in found if each.about is not None)),
    )


@post(
    "/recalls",
    operation_id="recall",
    summary="Take a record back from partners",
    tags=TAG,
    responses=documented(404, *CHANGING),
    sync_to_thread=True,
)
def recall(site: Here, rendering: Asked, data: s.RecallNew, asker: Who) -> s.Recalls:
    """It goes before everything else; each partner answers."""
    made = site.desk.liaison.recall(
        rendering.view,
        data.kind,
        data.id,
        person_of(asker),
        partners=data.partners,
        because=data.reason,
        why=data.why,
    )
    return s.Recalls(
        recalls=[_recall(each, rendering) for each in made],
        marking=rendering.marking(*(each.about.label for each in made if each.about is not None)),
    )


@get(
    "/recalls/of-partners",
    operation_id="list_withdrawn",
    summary="What partners took back from us, and what of ours rests on it",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_withdrawn(site: Here, rendering: Asked) -> s.WithdrawnItems:
    """Newest first."""
    found = site.desk.liaison.withdrawn(rendering.view)
    return s.WithdrawnItems(
        withdrawn=[
            s.WithdrawnOut(
                id=each.record.id,
                partner=each.withdrawal.partner,
                kind=each.about.kind,
                record=each.about.id,
                reason=each.withdrawal.reason,
                withdrawn_us=each.record.recorded_us,
                derived=[s.Reference(kind=one.kind, id=one.id) for one in each.derived],
                marking=rendering.marking(each.about.label),
            )
            for each in found
        ],
        marking=rendering.marking(*(each.about.label for each in found)),
    )


HANDLERS = [
    list_partners,
    get_own,
    introduce,
    confirm,
    end,
    list_shared,
    list_partners_of,
    list_recalls,
    recall,
    list_withdrawn,
]
