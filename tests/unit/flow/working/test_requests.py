"""Requests between two and three nodes over real bundles: who sees what, what an answer takes, how long it took."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coalition import HOME_ONLY, T0, TO_USA, Clock, CoalitionNode, coalition
from shiprider.flow.working.requests import Question, Requests
from shiprider.flow.working.standing import (
    StandingRequest,
    answer_times,
    percentile,
    request_standing,
    requests_standing,
)
from shiprider.formats.feed_bundle import encode
from shiprider.model.errors import Conflict, Forbidden, InputError, NotFound, UsageError
from shiprider.model.orders import WatchedArea
from shiprider.model.request import request_number
from shiprider.model.wording import Wording
from shiprider.share.messages import fixed

MINUTE = 60_000_000
SAID = Wording(text="¿Quién es el armador?", language="es")
RING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0))


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


def ask(node: CoalitionNode, **more: object) -> str:
    question = Question(**{"to": ("usa",), "said": SAID, **more})  # type: ignore[arg-type]
    return Requests(node.pen()).ask(question, author="Ana Ruiz").record.id


def answer(node: CoalitionNode, request: str, step: str = "answered", **more: object) -> str:
    said = Wording(text="We hold a photograph.")
    return Requests(node.pen("Bo Lee")).answer(request, step, said, author="Bo Lee", **more).record.id  # type: ignore[arg-type]


def standing(node: CoalitionNode, now_us: int | None = None) -> list[StandingRequest]:
    return requests_standing(node.view(), node.clock() if now_us is None else now_us)


def test_asked_here_answered_there_and_seen_here(nodes: list[CoalitionNode], clock: Clock) -> None:
    col, usa, nld = nodes
    request = ask(col, subject_kind="vessel", subject="211234560", urgency="priority")
    assert [each.answer for each in col.send(usa)] == ["take"] and col.send(nld) == []
    (there,) = standing(usa)
    assert there.direction == "asked_of_us" and there.request.body.question == SAID
    assert there.request.record.id == request and there.waits

    clock.now += 20 * MINUTE
    answer(usa, request, "taken")
    answer(usa, request, "answered")
    usa.send(col)
    (here,) = standing(col)
    assert [each.body.step for each in here.answers] == ["taken", "answered"]
    assert [each.record.author for each in here.answers] == ["Bo Lee", "Bo Lee"]
    (node,) = here.addressed
    assert (node.node, node.reply, here.waits) == ("usa", "answered", False)
    # By this node's clock, from its own record to the receipt of the answer.
    receipts = [r for r in col.ledger.of_kind("receipt") if r.sequence > here.answers[0].record.sequence]
    assert node.answered_us == receipts[0].recorded_us
    assert node.took_us == receipts[0].recorded_us - here.request.record.recorded_us >= 20 * MINUTE
    assert request_standing(col.view(), request, clock.now) == here


def test_a_third_nation_sees_neither_question_nor_answer(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    request = ask(col)
    col.send(usa)
    answer(usa, request)
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.send(other)
    assert standing(nld) == []
    assert [r.kind for r in nld.ledger.since(0, limit=1000) if r.origin != "nld"] == []
    # The one who answers binds himself to the circle that was asked in: a wider label comes to the same.
    wide = "policy=COALITION class=RESTRICTED rel=nations:COL,NLD,USA"
    made = usa.ledger.latest(answer(usa, request, "partly", label=wide))
    assert "rel=nations:COL,USA|" in made.label and made.label.endswith("originators=col")


def test_two_are_asked_and_each_is_timed_by_itself(nodes: list[CoalitionNode], clock: Clock) -> None:
    col, usa, nld = nodes
    first = ask(col, to=("usa", "nld"))
    second = ask(col, to=("usa", "nld"), wanted_us=clock.now + 5 * MINUTE)
    col.send(usa)
    col.send(nld)
    for minutes, node, request, step in (
        (1, usa, first, "answered"), (10, nld, first, "refused"), (4, usa, second, "partly"),
    ):  # fmt: skip
        clock.now += minutes * MINUTE
        answer(node, request, step, reason="not_held" if step == "refused" else None)
        node.send(col)
    found = standing(col)
    assert [(each.waits, each.overdue) for each in found] == [(True, True), (False, False)]
    times = {each.node: each for each in answer_times(found, "col")}
    usa_times, nld_times = times["usa"], times["nld"]
    assert (usa_times.asked, usa_times.answered, usa_times.waiting, usa_times.overdue) == (2, 2, 0, 0)
    # Worked by hand: 1 min and 15 min after asking, so by nearest rank the median is the first, p90 the second.
    assert usa_times.median_us is not None and usa_times.p90_us is not None
    assert round(usa_times.median_us / MINUTE) == 1 and round(usa_times.p90_us / MINUTE) == 15
    assert (nld_times.answered, nld_times.waiting, nld_times.overdue) == (1, 1, 1)
    assert nld_times.median_us == nld_times.p90_us and round(nld_times.p90_us or 0, -7) == 11 * MINUTE
    (mine,) = answer_times(standing(usa), "usa")
    assert (mine.node, mine.direction, mine.answered) == ("usa", "asked_of_us", 2)


@pytest.mark.parametrize(
    ("values", "median", "p90"),
    [([], None, None), ([7], 7, 7), ([3, 1], 1, 3), (list(range(1, 11)), 5, 9), (list(range(1, 12)), 6, 10)],
)
def test_percentiles_are_by_nearest_rank(values: list[int], median: int | None, p90: int | None) -> None:
    """Expected by NIST's definition: the value at rank ceil(p n)."""
    assert (percentile(values, 0.5), percentile(values, 0.9)) == (median, p90)


def test_a_bundle_twice_and_the_wrong_way_round_changes_nothing(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    request = ask(col)
    col.send(usa)
    answer(usa, request, "taken")
    first = encode(usa.dispatching.next(usa.partners.partner("col")[1]))
    answer(usa, request, "answered")
    second = encode(usa.dispatching.next(usa.partners.partner("col")[1]))
    assert col.receiving.take(second, "usa").answer == "early"
    for data in (first, first, second, first, second):
        assert col.receiving.take(data, "usa").answer in ("take", "known")
    (here,) = standing(col)
    assert [each.body.step for each in here.answers] == ["taken", "answered"]


def test_what_may_not_go_is_not_written(nodes: list[CoalitionNode]) -> None:
    col, usa, nld = nodes
    area = col.record("area", WatchedArea(name="Bay", ring=RING), HOME_ONLY)
    shared = col.record("area", WatchedArea(name="Cape", ring=RING), TO_USA)
    head = col.ledger.head()
    with pytest.raises(Forbidden, match="does not let usa read this request"):
        ask(col, subject_kind="area", subject=area.id)
    with pytest.raises(Forbidden, match="does not let nld read this request"):
        ask(col, to=("usa", "nld"), subject_kind="area", subject=shared.id)
    with pytest.raises(NotFound):
        ask(col, subject_kind="area", subject="0" * 32)
    with pytest.raises(UsageError, match="confirmed partner"):
        ask(col, to=("per",))
    with pytest.raises(UsageError, match="name them"):
        ask(col, to=())
    with pytest.raises(UsageError, match="MMSI"):
        ask(col, subject_kind="vessel", subject="SEA FOX")
    with pytest.raises(UsageError, match="passed"):
        ask(col, wanted_us=T0)
    with pytest.raises(InputError):
        ask(col, label="class=RESTRICTED")
    with pytest.raises(Forbidden, match="does not let usa"):
        ask(col, agreement="no-such")
    with pytest.raises(Forbidden, match="does not let you write"):
        Requests(col.pen(clearance="UNCLASSIFIED")).ask(Question(to=("usa",), said=SAID), author="Ana Ruiz")
    assert col.ledger.head() == head

    request = ask(col, subject_kind="area", subject=shared.id, agreement="accord")
    assert "agreements=accord" in col.ledger.latest(request).label
    col.send(usa)
    col.send(nld)
    secret = usa.record("area", WatchedArea(name="Pier", ring=RING), "")
    head = usa.ledger.head()
    with pytest.raises(Forbidden, match=f"the area {secret.id}"):
        answer(usa, request, references=(secret.id,))
    with pytest.raises(UsageError, match="needs a reason"):
        answer(usa, request, "refused")
    with pytest.raises(NotFound):
        answer(nld, request)
    with pytest.raises(Forbidden, match="not asked of this node"):
        answer(col, request)
    assert usa.ledger.head() == head


def test_only_who_asked_closes_it_and_then_nothing_is_answered(nodes: list[CoalitionNode]) -> None:
    col, usa, _ = nodes
    request = ask(col)
    col.send(usa)
    with pytest.raises(Forbidden, match="of col"):
        Requests(usa.pen()).end(request, 1, "closed", author="Bo Lee")
    with pytest.raises(Conflict, match="revision 1"):
        Requests(col.pen()).end(request, 2, "closed", author="Ana Ruiz")
    Requests(col.pen()).end(request, 1, "withdrawn", author="Ana Ruiz")
    col.send(usa)
    (there,) = standing(usa)
    assert there.request.body.state == "withdrawn" and not there.waits
    with pytest.raises(Conflict, match="already withdrawn"):
        answer(usa, request)


def test_a_word_of_a_node_that_was_not_asked_is_no_answer(nodes: list[CoalitionNode]) -> None:
    """A partner may write what it likes: what it says on a request it was not asked is not counted as an answer."""
    from shiprider.model.request import RequestAnswer

    col, usa, nld = nodes
    request = ask(col)
    col.send(usa)
    body = RequestAnswer(request=request, step="answered", said=Wording(text="forged"))
    nld.record("request_answer", body, "shiprider-label-1|policy=COALITION|class=RESTRICTED|rel=*|caveats=-|purpose=*|agreements=-|tlp=-|expires=-|originators=-")  # fmt: skip
    nld.send(col)
    (here,) = standing(col)
    assert col.ledger.of_kind("request_answer") and here.answers == () and here.waits


def test_its_number_says_nothing_of_how_many_there_are(nodes: list[CoalitionNode]) -> None:
    assert request_number("col", "3f7a2c" + "0" * 26) == "COL-3F7A2C"


def test_a_fixed_question_is_read_by_each_in_his_language(nodes: list[CoalitionNode]) -> None:
    from shiprider.share.messages import read

    col, usa, _ = nodes
    said = fixed("is_it_yours", {"vessel": 211234560}, "es")
    ask(col, said=said)
    col.send(usa)
    (there,) = standing(usa)
    got = there.request.body.question
    assert got.text == "¿Confirman que 211234560 enarbola su pabellón?" and got.language == "es"
    assert read(got, "en") == ("Do you confirm that 211234560 flies your flag?", "en")
    assert read(got, "nl") == ("Bevestigt u dat 211234560 onder uw vlag vaart?", "nl")


def test_a_request_that_was_taken_back_takes_the_answer_with_it(nodes: list[CoalitionNode]) -> None:
    """Recalled: the partner's copy has no content left, and his answer is named among what rests on it."""
    from shiprider.flow.exchange.dispatching import recall_draft
    from shiprider.model.exchange import RecallOrder

    col, usa, _ = nodes
    request = ask(col)
    col.send(usa)
    made = answer(usa, request)
    order = RecallOrder(partner="usa", record=request, revision=1, reason="retracted")
    col.ledger.append([recall_draft(order, col.clock(), "Ana Ruiz")])
    col.send(usa)
    assert standing(usa) == []
    assert usa.receiving.withdrawn([request])[request].derived == (made,)
