"""What nodes ask and tell each other, for the comparison of two nodes: bodies, what comes from a partner, channels."""

import functools
from typing import Any

import msgspec

from shiprider.api.routes import cases, partners, requests
from shiprider.api.schemas import working as s
from shiprider.flow import terms
from shiprider.flow.exchange.partners import partner_id
from shiprider.model.acknowledgement import AlertAcknowledgement
from shiprider.model.adoption import Adoption
from shiprider.model.chat import ChatMessage
from shiprider.model.envelope import Fields, digest_of
from shiprider.model.introduction import Introduction
from shiprider.model.partner import Partner
from shiprider.model.record import Draft
from shiprider.model.request import InformationRequest, RequestAnswer
from shiprider.model.signing_key import SigningKey
from shiprider.model.watch_log import LogLine
from shiprider.model.wording import Wording
from shiprider.ports.ledger import Filed, Received
from shiprider.share.feed import SHARED

#: Kinds of pairs that work together; alerts, orders and notes are what they talk about.
KINDS = (
    "chat_message",
    "request",
    "request_answer",
    "alert_acknowledgement",
    "adoption",
    "partner",
    "alert",
    "watchlist",
    "area",
    "note",
)
_NEW = frozenset(KINDS[:6])
#: The partner whose records come in.
OTHER = "hnd"
ROOMS = ("K-1", "K-2")
MINUTE = 60_000_000


def body(pair: Any, kind: str, case: str) -> Any:
    """Of one of the new kinds; None of another."""
    if kind not in _NEW:
        # Not even a draw: the states of other pairs stay what they were.
        return None
    draw = pair.draw
    said = Wording(text=f"t{pair.step}", language=("en", "es")[draw(2)])
    if kind == "chat_message":
        room_kind: Any = "case" if case else ("operation", "case")[draw(2)]
        return ChatMessage(
            room_kind=room_kind,
            room=case or ROOMS[draw(2)],
            said=said,
            reply_to=pair.link("chat_message") if draw(2) else "",
        )
    if kind == "request":
        return InformationRequest(
            to=(("usa",), (OTHER, "usa"), ("col",))[draw(3)],
            question=said,
            subject_kind="alert",
            subject=pair.link("alert"),
            wanted_us=pair.now_us + MINUTE if draw(2) else None,
            state=("open", "open", "closed")[draw(3)],  # type: ignore[arg-type]
        )
    if kind == "request_answer":
        steps: Any = ("taken", "answered", "partly")
        return RequestAnswer(
            request=pair.link("request"),
            step=steps[draw(3)],
            said=said,
            references=(pair.link("alert"), pair.link("note")),
        )
    if kind == "alert_acknowledgement":
        return AlertAcknowledgement(alert=pair.link("alert"), digest="0" * 64, on_watch=True, text=said.text)
    if kind == "adoption":
        order: Any = ("watchlist", "area")[draw(2)]
        modes: Any = ("follow", "pin")
        return Adoption(
            order=pair.link(order), order_kind=order, origin=OTHER, digest="0" * 64, mode=modes[draw(2)], active=bool(draw(3))
        )  # fmt: skip
    if kind == "partner":
        name = ("usa", OTHER)[draw(2)]
        key = SigningKey(key_id="0" * 32, public="0" * 64, state="active", from_us=0)
        told = Introduction(node=name, name=name, nation=name.upper(), key=key, made_us=0)
        return Partner(
            introduction=told, state="confirmed", keys=(key,), clearance="SECRET", purposes=("watch",), cases=ROOMS[: draw(3)]
        )  # fmt: skip
    return None


def partner_record_id(made: Partner) -> str:
    """One record a partner."""
    return partner_id(made.node)


def comes_in(pair: Any, nodes: Any, draft: Draft, filed: tuple[str, ...]) -> None:
    """The record as the other node's, followed by the receipt that it came with."""
    for each in nodes:
        known = each.ledger.revisions_of([draft.id]).get(draft.id, [0])
        made = Fields(
            id=draft.id, kind=draft.kind, revision=known[-1] + 1, schema=1, origin=OTHER, author="Eva",
            valid_from_us=draft.valid_from_us, valid_to_us=draft.valid_to_us, recorded_us=pair.now_us - pair.delay_us,
            label=draft.label, purpose=draft.purpose, case=draft.case, digest=digest_of(draft.body),
        )  # fmt: skip
        receipt = Draft(
            id=f"{pair.step:08x}{11:024x}", kind="receipt", expected_revision=0, schema=1, author="exchange",
            valid_from_us=pair.now_us, body=b"{}",
        )  # fmt: skip
        each.ledger.append(
            [Received(fields=made, signature=b"", body=draft.body, terms=filed), Filed(draft=receipt)]
        )


def goes(pair: Any, nodes: Any, hidden: bool) -> None:
    """A record of the partner is taken back: one that he sees on both, or one that he never saw on the second."""
    ids = [
        id_
        for id_ in sorted(pair.foreign)
        if (id_ in pair.touched) == hidden and not (hidden and pair._seen(id_))
    ]
    if not ids:
        return
    id_ = ids[pair.draw(len(ids))]
    for each in nodes:
        for record in each.ledger.history(id_):
            if record.body is not None:
                each.ledger.erase(
                    id_,
                    record.revision,
                    author="exchange",
                    authority=f"recall {'0' * 32} of {OTHER}",
                    reason="retracted",
                )
    if hidden:
        return
    # An erasure has a random id and names its place in the log, so it must not be the newest that he sees: what he
    # is told of the newest is a hash.
    label, purpose, case = pair.person.visible[0]
    line = Draft(
        id=f"{pair.step:08x}{12:024x}", kind="watch_log", expected_revision=0, schema=1, author="Ana",
        valid_from_us=pair.now_us, label=label, purpose=purpose, case=case,
        body=msgspec.json.encode(LogLine(text="Taken back.")),
    )  # fmt: skip
    for each in nodes:
        each.ledger.append([line])


def may_come_in(kind: str, label: str) -> bool:
    """Whether a partner sends such a thing."""
    return kind in SHARED and bool(label)


def ask(asking: Any, newest: dict[str, list[str]]) -> None:
    """Every channel of what nodes ask and tell each other."""
    route = asking.route
    route("partners", requests.list_correspondents)
    route("partners exchange", partners.list_partners)
    route("partners recalls", partners.list_recalls)
    route("partners withdrawn", partners.list_withdrawn)
    for id_ in (*newest["alert"], f"{5:032x}"):
        route(f"partners of {id_}", partners.list_partners_of, kind="alert", record_id=id_)
    route("requests", requests.list_requests)
    route("requests overdue", requests.list_requests, stands="overdue")
    page = route("requests begin", requests.list_requests, limit=1)
    if page is not None and page.next_cursor:
        route("requests next", requests.list_requests, limit=1, cursor=page.next_cursor)
    for id_ in (*newest["request"], f"{5:032x}"):
        route(f"request {id_}", requests.get_request, request_id=id_)
    route("times", requests.get_answer_times, days=1)
    route("cases", cases.list_cases)
    for case in (*ROOMS, "K-9"):
        route(f"timeline {case}", cases.get_timeline, case=case)
        page = route(f"timeline {case} begin", cases.get_timeline, case=case, limit=1)
        if page is not None and page.next_cursor:
            route(f"timeline {case} next", cases.get_timeline, case=case, limit=1, cursor=page.next_cursor)
        for kind in ("case", "operation"):
            route(f"chat {kind} {case}", cases.read_chat, room_kind=kind, room=case)
    page = route("chat begin", cases.read_chat, room_kind="operation", room=ROOMS[0], limit=1)
    if page is not None and page.next_cursor:
        route(
            "chat next",
            cases.read_chat,
            room_kind="operation",
            room=ROOMS[0],
            limit=1,
            cursor=page.next_cursor,
        )
    for id_ in (*newest["alert"], f"{5:032x}"):
        route(f"acknowledgements {id_}", cases.list_acknowledgements, alert_id=id_)
    route("adoptions", cases.list_partner_orders)
    asking.ask("working", None, functools.partial(_pushed, asking))


def _pushed(asking: Any) -> tuple[Any, bytes]:
    return None, msgspec.json.encode(asking._client()._working_events())


def change(what: int, alert: str) -> tuple[Any, dict[str, Any]]:
    """The route and what it is asked: seen an alert, said something."""
    if what == 5:
        return cases.acknowledge_alert, {"alert_id": alert, "data": s.Acknowledge(text="seen")}
    data = s.MessageNew(room_kind="operation", room=ROOMS[0], said=s.SaidNew(text="here"))
    return cases.write_chat, {"data": data}


def filed(made: Any) -> tuple[str, ...]:
    """The terms of a body."""
    return terms.of_body(made)
