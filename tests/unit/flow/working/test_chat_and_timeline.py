"""Chat on a case, acknowledgements, and the common timeline of a case, over real bundles between three nodes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coalition import HOME_ONLY, T0, TO_BOTH, TO_USA, Clock, CoalitionNode, coalition
from shiprider.flow.exchange.dispatching import recall_draft
from shiprider.flow.working.acknowledging import Acknowledging, acknowledged
from shiprider.flow.working.chat import Chat, Room, messages, operations
from shiprider.flow.working.timeline import cases, timeline
from shiprider.model.alert import Alert
from shiprider.model.errors import Conflict, Forbidden, InputError, NotFound, UsageError
from shiprider.model.exchange import RecallOrder
from shiprider.model.note import Note
from shiprider.model.wording import Wording

MINUTE = 60_000_000
ROOM = Room("case", "K-7")
IN_CASE = {"cases": ("K-7",)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nodes(tmp_path: Path, clock: Clock) -> Iterator[list[CoalitionNode]]:
    made = coalition(tmp_path, "col", "usa", "nld", clock=clock)
    yield made
    for each in made:
        each.ledger.verify()
        each.ledger.close()


def say(node: CoalitionNode, text: str, room: Room = ROOM, **more: Any) -> str:
    chat = Chat(node.pen(**IN_CASE))
    return chat.say(room, Wording(text=text), author="Ana Ruiz", **more).record.id


def heard(node: CoalitionNode, room: Room = ROOM, **more: Any) -> list[tuple[str, str]]:
    view = node.view(**(more or IN_CASE))
    return [(e.record.origin, e.body.said.text) for e in messages(view, room, after=None, limit=50)]


def join(nodes: list[CoalitionNode], *names: str) -> None:
    """Every one of these takes the others into the case."""
    of = {each.name: each for each in nodes}
    for one in names:
        for other in names:
            if one != other:
                of[one].partners.into_case(other, "K-7", who="Luz Paz", second="Ana Ruiz")


def everything_goes(nodes: list[CoalitionNode]) -> None:
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.send(other)


def test_a_case_is_heard_by_the_partners_in_it_and_by_people_in_it(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    with pytest.raises(Forbidden, match="does not let usa read this message"):
        say(col, "too early", to=("usa",))
    join(nodes, "col", "usa")
    first = say(col, "Fog here.", to=("usa",))
    everything_goes(nodes)
    assert heard(usa) == [("col", "Fog here.")]
    answer = say(usa, "Clear here.", reply_to=first)
    everything_goes(nodes)
    assert heard(col) == [("usa", "Clear here."), ("col", "Fog here.")]
    (reply, _) = messages(col.view(**IN_CASE), ROOM, after=None, limit=50)
    assert (reply.record.id, reply.body.reply_to) == (answer, first)
    # Who is not assigned to the case hears nothing, nor does the partner that is not in it.
    assert heard(col, cases=()) == heard(usa, cases=("K-8",)) == []
    assert [r for r in nld.ledger.since(0, limit=1000) if r.origin != "nld"] == []
    assert heard(nld) == []


def test_an_answer_goes_no_further_than_what_it_answers(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    join(nodes, "col", "usa", "nld")
    first = say(col, "For usa alone.", to=("usa",))
    with pytest.raises(Forbidden, match="does not let nld"):
        say(col, "and this?", to=("nld",), reply_to=first)
    say(col, "To all.", to=("usa", "nld"))
    everything_goes(nodes)
    assert heard(nld) == [("col", "To all.")]
    say(usa, "Heard.", reply_to=first, label=TO_BOTH)
    everything_goes(nodes)
    assert heard(nld) == [("col", "To all.")]
    assert heard(col)[0] == ("usa", "Heard.")


def test_a_partner_that_left_a_case_gets_no_more_of_it(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    join(nodes, "col", "usa")
    say(col, "one", to=("usa",))
    col.send(usa)
    col.partners.out_of_case("usa", "K-7", who="Luz Paz")
    with pytest.raises(Conflict, match="not in the case"):
        col.partners.out_of_case("usa", "K-7", who="Luz Paz")
    say(col, "two", label=TO_USA)
    col.send(usa)
    assert heard(usa) == [("col", "one")]


def test_a_partner_is_taken_into_a_case_by_two_people(nodes: list[CoalitionNode]) -> None:
    partners = nodes[0].partners
    for second in ("", "Luz Paz", " Luz Paz "):
        with pytest.raises(Forbidden, match="second person"):
            partners.into_case("usa", "K-7", who="Luz Paz", second=second)
    with pytest.raises(NotFound):
        partners.into_case("per", "K-7", who="Luz Paz", second="Ana Ruiz")
    made = partners.into_case("usa", "K-7", who="Luz Paz", second="Ana Ruiz")
    assert made.cases == ("K-7",) and partners.partner("usa")[0].author == "Luz Paz, Ana Ruiz"
    with pytest.raises(Conflict, match="already"):
        partners.into_case("usa", "K-7", who="Luz Paz", second="Ana Ruiz")
    partners.end("usa", "left", who="Luz Paz", why="they left")
    with pytest.raises(Conflict, match="only a confirmed"):
        partners.into_case("usa", "K-8", who="Luz Paz", second="Ana Ruiz")


def test_an_operation_needs_no_case_and_is_kept_by_its_label(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    room = Room("operation", "Marea")
    say(col, "Begin at six.", room, to=("usa",))
    say(col, "Ours.", room)
    everything_goes(nodes)
    assert heard(usa, room, roles=("planner",)) == [("col", "Begin at six.")]
    assert heard(nld, room) == [] and operations(nld.view()) == []
    assert operations(usa.view()) == ["Marea"]
    assert [text for _, text in heard(col, room)] == ["Ours.", "Begin at six."]


def test_pages_of_a_room_hold_every_message_once(nodes: list[CoalitionNode]) -> None:
    col, _, _ = nodes
    for number in range(7):
        say(col, str(number))
    view, found, after = col.view(**IN_CASE), [], None
    while page := messages(view, ROOM, after=after, limit=3):
        found += [each.body.said.text for each in page]
        after = page[-1].record.sequence
    assert found == [str(number) for number in reversed(range(7))]


def test_a_message_that_says_another_room_than_its_envelope_is_not_in_it(nodes: list[CoalitionNode]) -> None:
    from shiprider.model.chat import ChatMessage

    col, usa, _ = nodes
    forged = ChatMessage(room_kind="case", room="K-7", said=Wording(text="psst"))
    usa.record("chat_message", forged, TO_USA)
    usa.send(col)
    assert col.ledger.of_kind("chat_message") and heard(col) == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"room": Room("case", " ")}, UsageError),
        ({"room": Room("operation", "x" * 121)}, UsageError),
        ({"to": ("per",)}, UsageError),
        ({"classification": "COSY"}, InputError),
        ({"reply_to": "0" * 32}, NotFound),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(nodes: list[CoalitionNode], given: Any, error: Any) -> None:
    col = nodes[0]
    join(nodes, "col", "usa")
    with pytest.raises(error):
        say(col, "x", **{"to": ("usa",), **given})


# -- acknowledgements ---------------------------------------------------------------------------------


def alert(node: CoalitionNode, label: str, *, at_us: int = T0, case: str = "") -> str:
    body = Alert(
        finding="f" * 32, finding_revision=1, findings=(), behaviours=("gap",), watch_us=T0, state="new",
        event="raised", behaviour="gap", preset="p", subtype="", participants=(211234560,), start_us=T0, end_us=T0,
        latitude_deg=1.0, longitude_deg=2.0, score=0.5, probability=0.5, model="prior", raised_us=T0, simulated=False,
    )  # fmt: skip
    return node.record("alert", body, label, at_us=at_us, case=case).id


def test_the_originator_sees_whose_floor_has_seen_its_alert(nodes: list[CoalitionNode], clock: Clock) -> None:
    col, usa, nld = nodes
    raised = alert(col, TO_BOTH)
    col.send(usa)
    col.send(nld)
    assert acknowledged(col.view(), raised).waiting == ("nld", "usa")
    before = clock.now
    Acknowledging(usa.pen("Bo Lee")).acknowledge(raised, author="Bo Lee", text=" Looking. ")
    with pytest.raises(Conflict, match="nothing is to be said again"):
        Acknowledging(usa.pen("Bo Lee")).acknowledge(raised, author="Bo Lee")
    Acknowledging(usa.pen("Di Fox", roles=("planner",))).acknowledge(raised, author="Di Fox")
    everything_goes(nodes)
    found = acknowledged(col.view(), raised)
    assert found.waiting == ("nld",)
    told = [(e.record.origin, e.record.author, e.body.on_watch, e.body.text) for e in found.by]
    assert told == [("usa", "Bo Lee", True, "Looking."), ("usa", "Di Fox", False, "")]
    assert found.by[0].record.valid_from_us > before
    assert found.by[0].body.digest == col.ledger.latest(raised).digest
    # Whoever has the alert knows who has seen it; of whom it waits is the originator's to know.
    assert [e.record.author for e in acknowledged(nld.view(), raised).by] == ["Bo Lee", "Di Fox"]
    assert acknowledged(nld.view(), raised).waiting == ()


def test_who_may_not_see_the_alert_learns_nothing_of_who_has(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    raised = alert(col, TO_USA)
    col.send(usa)
    Acknowledging(usa.pen()).acknowledge(raised, author="Bo Lee")
    everything_goes(nodes)
    assert nld.ledger.of_kind("alert_acknowledgement") == []
    with pytest.raises(NotFound):
        acknowledged(nld.view(), raised)
    assert acknowledged(col.view(), raised).waiting == ()
    hidden = alert(col, HOME_ONLY)
    assert acknowledged(col.view(), hidden).waiting == ()
    with pytest.raises(NotFound):
        Acknowledging(col.pen(nation="USA")).acknowledge(hidden, author="Guest")


# -- the timeline -------------------------------------------------------------------------------------


def note(node: CoalitionNode, at_us: int, text: str, label: str = TO_BOTH, case: str = "K-7") -> str:
    body = Note(subject_kind="vessel", subject="211234560", text=text)
    return node.record("note", body, label, at_us=at_us, case=case).id


def told(node: CoalitionNode, **more: Any) -> list[tuple[str, str, str, bool]]:
    found = []
    for each in timeline(node.view(**{**IN_CASE, **more}), "K-7"):
        body = each.record.body
        text = msgspec.json.decode(body, type=Note).text if body and each.record.kind == "note" else ""
        found.append((each.record.origin, text or each.record.kind, each.state, each.late))
    return found


def test_three_nodes_records_stand_in_one_order_on_all_three(
    nodes: list[CoalitionNode], clock: Clock
) -> None:
    col, usa, nld = nodes
    join(nodes, "col", "usa", "nld")
    note(usa, T0 + 3 * MINUTE, "third")
    note(col, T0 + 1 * MINUTE, "first")
    note(nld, T0 + 2 * MINUTE, "second")
    alert(col, TO_BOTH, at_us=T0 + 4 * MINUTE, case="K-7")
    note(col, T0 + 5 * MINUTE, "ours", HOME_ONLY)
    note(col, T0 + 6 * MINUTE, "another case", case="K-8")
    everything_goes(nodes)
    common = [("col", "alert"), ("usa", "third"), ("nld", "second"), ("col", "first")]
    for node in nodes:
        shown = [(origin, text) for origin, text, _, _ in told(node)]
        assert shown == ([("col", "ours")] if node is col else []) + common
        assert not any(late for *_, late in told(node))
    assert told(col, cases=()) == []
    assert [c.name for c in cases(col.view(**IN_CASE))] == ["K-7"]
    (case,) = cases(col.view(**IN_CASE))
    assert case.origins == ("col", "nld", "usa") and case.partners == ("nld", "usa")


def test_what_came_late_slides_in_where_it_was_true_and_says_since_when_it_is_here(
    nodes: list[CoalitionNode], clock: Clock
) -> None:
    col, usa, _ = nodes
    join(nodes, "col", "usa")
    note(usa, T0, "before")
    clock.now += 30 * MINUTE
    late = note(usa, T0 + MINUTE, "late")
    usa.send(col)
    clock.now += 9 * MINUTE
    note(col, T0 + 2 * MINUTE, "after")
    note(usa, T0 + 3 * MINUTE, "in time")
    usa.send(col)
    shown = told(col)
    assert [(text, is_late) for _, text, _, is_late in shown] == [
        ("in time", False), ("after", False), ("late", False), ("before", True),
    ]  # fmt: skip
    at = {each.record.id: each for each in timeline(col.view(**IN_CASE), "K-7")}[late]
    receipt = min(r.recorded_us for r in col.ledger.of_kind("receipt"))
    assert at.known_us == receipt
    assert at.record.recorded_us == usa.ledger.latest(late).recorded_us


def test_what_was_recalled_is_named_and_says_nothing(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    join(nodes, "col", "usa")
    taken_back = note(col, T0 + MINUTE, "wrong")
    note(col, T0, "right")
    col.send(usa)
    order = RecallOrder(partner="usa", record=taken_back, revision=1, reason="retracted")
    col.ledger.append([recall_draft(order, col.clock(), "Ana Ruiz")])
    col.send(usa)
    assert told(usa) == [("col", "note", "recalled", False), ("col", "right", "here", False)]
    assert told(col)[0] == ("col", "wrong", "here", False)
    gone, right = timeline(usa.view(**IN_CASE), "K-7")
    (erasure,) = usa.ledger.of_kind("erasure")
    assert (gone.gone_us, right.gone_us) == (erasure.recorded_us, None)
    assert gone.record.body is None and timeline(usa.view(cases=()), "K-7") == []


def test_pages_are_stable_while_things_come_in_between(nodes: list[CoalitionNode]) -> None:
    col = nodes[0]
    for number in range(6):
        note(col, T0 + (number // 2) * MINUTE, str(number))
    view = col.view(**IN_CASE)
    whole = [each.record.id for each in timeline(view, "K-7")]
    first = timeline(view, "K-7", limit=3)
    note(col, T0 + 9 * MINUTE, "newer")
    middle = note(col, T0, "slid in")
    rest: list[Any] = []
    after = first[-1].record
    while page := timeline(view, "K-7", after=(after.valid_from_us, after.id), limit=2):
        rest += page
        after = page[-1].record
    ids = [each.record.id for each in (*first, *rest)]
    assert [each for each in ids if each != middle] == whole and len(set(ids)) == len(ids)


def test_a_record_that_left_the_case_is_no_longer_in_its_timeline(nodes: list[CoalitionNode]) -> None:
    col = nodes[0]
    made = note(col, T0, "here")
    col.record("note", Note(subject_kind="vessel", subject="1", text="gone"), TO_BOTH, id_=made, revision=1)
    assert told(col) == []
    # Who may not see that it went on elsewhere still sees what he saw.
    hidden = note(col, T0, "kept")
    col.record(
        "note", Note(subject_kind="vessel", subject="1", text="x"), "", id_=hidden, revision=1, case="K-8"
    )
    assert [text for _, text, _, _ in told(col)] == ["kept"]
