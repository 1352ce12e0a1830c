"""Promise 1: two nodes that differ only in what an observer may not see answer him byte for byte alike.

A clean run proves nothing by itself: each planted leak below is a slip in one place of the product, and the same
comparison has to catch it. CI compares some hundred states, `make soak` 10,000 answers of every channel.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from promises import non_interference as ni
from shiprider.flow import frames, layers
from shiprider.flow.numbers import Numbers
from shiprider.flow.own_reception import OwnReception
from shiprider.flow.pictures import Pictures
from shiprider.flow.sight import Frames
from shiprider.flow.view import View
from shiprider.model.errors import NotFound
from shiprider.ports.ledger import Allowed

CHANNELS = {
    "alerts", "alert", "notes", "facet", "finding", "findings", "history", "cursor", "log", "handovers", "handover",
    "calibration", "search", "names", "vessel", "tracks", "picture", "observation", "reception", "quarantine", "orders",
    "live", "status", "desk", "label", "export", "partners", "requests", "request", "times", "cases", "timeline", "chat",
    "acknowledgements", "adoptions", "working",
}  # fmt: skip

#: Of the long comparison.
PARTS = 4


class TwoNodes(RuleBasedStateMachine):
    """Hypothesis chooses what happens where nobody looks, and what he asks."""

    pair: ni.Pair

    @initialize(who=st.sampled_from(sorted(ni.PEOPLE)), seed=st.integers(0, 2**32))
    def begin(self, who: str, seed: int) -> None:
        working = seed % 2 == 1
        kinds = ni.working_together.KINDS if working else ni.KINDS
        self.pair = ni.Pair(who, random.Random(seed).randrange, kinds=kinds, working=working)

    @rule(times=st.integers(1, 4))
    def hidden(self, times: int) -> None:
        for _ in range(times):
            self.pair.happen(hidden=True)

    @rule(times=st.integers(1, 4))
    def visible(self, times: int) -> None:
        for _ in range(times):
            self.pair.happen(hidden=False)

    @rule()
    def decides(self) -> None:
        assert self.pair.decide() == []

    @rule()
    def looks(self) -> None:
        assert self.pair.differences() == []

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            try:
                assert self.pair.differences() == []
            finally:
                self.pair.close()


def test_whatever_is_hidden_he_is_told_the_same() -> None:
    run_state_machine_as_test(
        TwoNodes, settings=settings(max_examples=15, stateful_step_count=12, deadline=None)
    )


def compared(
    seeds: range, steps: int, rounds: int, *, hidden: int = 1, over_the_wire: bool = False, most: int = 6, least: int = 0,
    counted: Counter[str] | None = None,
) -> Counter[str]:  # fmt: skip
    """Answers compared per channel, none of them different; a channel with `least` of them is asked no more.

    A round is one change that he makes, one that he sees, then so many hidden ones with a look after each. No time
    passes at a hidden one, so what the node without it answers stands, and is not asked again.
    """
    counted = Counter[str]() if counted is None else counted
    for seed in seeds:
        enough = frozenset(name for name in CHANNELS if least and counted[name] >= least)
        for who in ni.PEOPLE:
            pair = ni.generated(who, seed, steps)
            try:
                for _ in range(rounds):
                    pair.happen(hidden=False)
                    told = pair.decide(over_the_wire=over_the_wire)
                    for _ in range(hidden):
                        pair.happen(hidden=True, clock=False)
                        told += pair.differences(
                            counted, over_the_wire=over_the_wire, most=most, enough=enough
                        )
                    assert (seed, who, told) == (seed, who, [])
            finally:
                pair.close()
    return counted


def test_generated_states_of_every_channel_over_the_wire() -> None:
    """Whole answers: status, headers, body, through the gate and everything behind it."""
    counted = compared(range(8), 14, 3, hidden=2, over_the_wire=True)
    assert set(counted) == CHANNELS
    assert min(counted.values()) >= 40, counted


@pytest.mark.parametrize("who", ni.PEOPLE)
def test_his_decision_after_one_that_went_on_out_of_his_sight_counts_once(who: str) -> None:
    """On one node his is a revision, on the other a disposition of its own: no number may tell which."""
    chosen = {6: 3, 5: 1, 8: 1, 2: 1}
    pair = ni.Pair(who, lambda most: chosen.get(most, 0))
    (label, purpose, case), hidden = pair.person.visible[-1], pair.person.hidden[0]
    try:
        for kind in ("alert", "disposition"):
            pair.step += 1
            pair.record(pair.nodes, False, label, purpose, case, kind)
        chosen[2] = 0
        pair.record(pair.nodes[1:], True, *hidden, "disposition")
        assert [each.ledger.head().sequence for each in pair.nodes] == [2, 3]
        for what in (1, 2, 1):
            chosen[5] = what
            assert (pair.decide(), pair.differences()) == ([], [])
        counted = [len(each.view(pair.person.observer).dispositions()) for each in pair.nodes]
        assert counted == [1, 1]
    finally:
        pair.close()


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_answers_of_every_channel(part: int) -> None:
    """In parts of other states each, so that several processes can share them."""
    counted: Counter[str] = Counter()
    least, first = 10_000 // PARTS, 1000 + 100_000 * part
    while min(counted[name] for name in CHANNELS) < least:
        compared(range(first, first + 5), 16, 3, hidden=8, most=1, least=least, counted=counted)
        first += 5
        print(part, first, min(counted[name] for name in CHANNELS), flush=True)
    print(part, sorted(counted.items()))


# -- planted leaks ------------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]
LEAKS: dict[str, Plant] = {}


def leak(name: str) -> Callable[[Plant], Plant]:
    def keep(plant: Plant) -> Plant:
        LEAKS[name] = plant
        return plant

    return keep


@leak("a count over the whole ledger")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "count", lambda self, query: self.ledger.count(query))


@leak("a cursor with the log's sequence")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "cursor_of", lambda self, item: str(item.record.sequence))


@leak("a link to a record that is hidden")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "there", lambda self, ids: set(self.ledger.latest_of(list(ids))))


@leak("the head of the log")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "head", lambda self, *, known_us=None: self.ledger.head(known_us=known_us))


@leak("revisions numbered over hidden ones")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "numbered", lambda self, records: list(records))


@leak("the first revision's time, hidden or not")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "first_recorded_us", lambda self, id_: self.ledger.history(id_)[0].recorded_us)


@leak("a history with hidden steps")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "finding_history", lambda self, id_: self._findings(self.ledger.history(id_)))


@leak("a page filled by hidden records")
def _(patch: pytest.MonkeyPatch) -> None:
    def findings(self: Any, query: Any) -> Any:
        ours = {each.id for each in self._of_kind("finding")}
        return self._findings(each for each in self.ledger.find(query) if each.id in ours)

    patch.setattr(View, "findings", findings)


@leak("another word for what is hidden than for what is not there")
def _(patch: pytest.MonkeyPatch) -> None:
    real = View.record

    def record(self: Any, id_: str, kind: str, known_us: int | None = None) -> Any:
        try:
            return real(self, id_, kind, known_us)
        except NotFound:
            if self.ledger.revisions_of([id_]):
                raise NotFound(f"You may not see the {kind} {id_}: ask for it.") from None
            raise

    patch.setattr(View, "record", record)


@leak("a note on a hidden object is taken")
def _(patch: pytest.MonkeyPatch) -> None:
    real = View.record

    def record(self: Any, id_: str, kind: str, known_us: int | None = None) -> Any:
        try:
            return real(self, id_, kind, known_us)
        except NotFound:
            return self.ledger.latest(id_)

    patch.setattr("shiprider.flow.review.View.record", record)


@leak("what a policy hides is in the live rows")
def _(patch: pytest.MonkeyPatch) -> None:
    everything = Frames(frozenset(), frozenset(), True)
    patch.setattr(
        View,
        "rows",
        lambda self, box=None, *, since_us=None: self.pictures.seen(everything, everything).rows(
            box, since_us=since_us
        ),
    )


@leak("one picture of all labels")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("shiprider.flow.pictures._by_label", lambda rows: [(ni.number_of(ni.SHARED), rows)])


@leak("what a vessel said on a hidden feed")
def _(patch: pytest.MonkeyPatch) -> None:
    real = Pictures.seen
    patch.setattr(
        Pictures, "seen", lambda self, points, _: real(self, points, Frames(frozenset(), frozenset(), True))
    )


@leak("the marking of what is hidden of a vessel")
def _(patch: pytest.MonkeyPatch) -> None:
    real, everything = Pictures.labels_of, Frames(frozenset(), frozenset(), True)
    patch.setattr(
        Pictures, "labels_of", lambda self, points, said, mmsi: real(self, everything, everything, mmsi)
    )


@leak("the marking of the whole picture")
def _(patch: pytest.MonkeyPatch) -> None:
    real, everything = Pictures.labels, Frames(frozenset(), frozenset(), True)
    patch.setattr(Pictures, "labels", lambda self, points, said: real(self, everything, everything))


@leak("tracks of all feeds")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        frames, "scanned", lambda lake, seen, table, columns=None, **span: lake.scan(table, columns, **span)
    )


@leak("a row that was first heard on a hidden feed")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        frames,
        "_there",
        lambda lake, seen, table, raw: (
            lake.scan(table, ["raw"], raw_start=raw, raw_end=raw + 1).collect().height > 0
        ),
    )


@leak("reception of all feeds")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        OwnReception, "counted", lambda self, _: lambda days: self._lake.scan("reception", days=days)
    )


@leak("quarantine of all feeds")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(layers, "refused", lambda lake, spool, frames, columns: lake.scan("quarantine", columns))


@leak("a calibration taught by hidden decisions")
def _(patch: pytest.MonkeyPatch) -> None:
    real = Numbers._fitted
    patch.setattr(
        Numbers,
        "_fitted",
        lambda self, _, known_us: real(self, Allowed(frozenset(self._ledger.classes())), known_us),
    )


@leak("a report over all decisions")
def _(patch: pytest.MonkeyPatch) -> None:
    def dispositions(self: Any) -> Any:
        from shiprider.model.disposition import Disposition

        return self._all(self.ledger.of_kind("disposition"), Disposition)

    patch.setattr(View, "dispositions", dispositions)


@leak("a budget that hidden alerts take")
def _(patch: pytest.MonkeyPatch) -> None:
    real = Numbers._in_budget

    def in_budget(self: Any, allowed: Allowed, models: Any, watch_us: int) -> Any:
        return real(self, Allowed(frozenset(self._ledger.classes())), models, watch_us)

    patch.setattr(Numbers, "_in_budget", in_budget)


@leak("alerts in the live push")
def _(patch: pytest.MonkeyPatch) -> None:
    def since(self: Any, sequence: int, limit: int) -> Any:
        records = self.ledger.since(sequence, limit=limit, kinds=("alert",))
        return self._alerts({each.id: each for each in records}.values()), 0

    patch.setattr(View, "alerts_since", since)


@leak("feeds in the status line")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "sees_feed", lambda self, label: True)


@leak("notes of all labels")
def _(patch: pytest.MonkeyPatch) -> None:
    def notes(self: Any, kind: str, subject: str) -> Any:
        from shiprider.model.note import Note
        from shiprider.ports.ledger import Query

        return self._all(self.ledger.find(Query("note", ((f"{kind}:{subject}",),))), Note)

    patch.setattr(View, "notes", notes)


@leak("a handover's summary of the whole log")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.flow import shift

    def counted(view: Any, to_us: int) -> Any:
        from msgspec import structs

        return structs.replace(real(view, to_us), ledger_sequence=view.ledger.head(known_us=to_us).sequence)

    real = shift.summarise
    patch.setattr(shift, "summarise", counted)


@leak("a policy that forgets the case")
def _(patch: pytest.MonkeyPatch) -> None:
    from msgspec import structs

    real = ni.ENGINE.decide

    def decide(observer: Any, action: Any, classes: Any, at_us: int) -> Any:
        return real(observer, action, [structs.replace(each, case="") for each in classes], at_us)

    patch.setattr(ni.ENGINE, "decide", decide)


@leak("what is filed for the auditor")
def _(patch: pytest.MonkeyPatch) -> None:
    from msgspec import structs

    from shiprider.share.release import AUDITED

    real = ni.ENGINE.decide

    def decide(observer: Any, action: Any, classes: Any, at_us: int) -> Any:
        told = [structs.replace(each, kind="") if each.kind in AUDITED else each for each in classes]
        return real(observer, action, told, at_us)

    patch.setattr(ni.ENGINE, "decide", decide)


@leak("evidence with alerts that he may not see")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.flow.evidence_scope import EvidenceScope
    from shiprider.ports.ledger import Query

    def about(self: Any, kind: str, term: str, read: Allowed) -> Any:
        return [
            record.id for record in self.ledger.find(Query(kind, ((term,),), order="oldest", allowed=None))
        ]

    patch.setattr(EvidenceScope, "_about", about)


@leak("evidence with the bytes of a hidden feed")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.flow.evidence_scope import EvidenceScope

    patch.setattr(
        EvidenceScope, "_frames", lambda self, table, action: Frames(frozenset(), frozenset(), True)
    )


@leak("evidence in which hidden bytes are called withheld")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.flow.evidence_scope import EvidenceScope

    real = EvidenceScope.raw

    def raw(self: Any, address: int) -> Any:
        found = real(self, address)
        return "withheld" if found == "gone" and self.row_of(address) is not None else found

    patch.setattr(EvidenceScope, "raw", raw)


@leak("a proposal that is hidden")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "proposals", lambda self, kind: self.ledger.of_kind(kind))


@leak("a proposal about what is hidden")
def _(patch: pytest.MonkeyPatch) -> None:
    # Whether it is there at all is asked of the whole ledger.
    patch.setattr(
        "shiprider.flow.relabelling.sees",
        lambda view, _, record_id: bool(view.ledger.revisions_of([record_id])),
    )


@leak("a timeline of the whole log")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.flow.working import timeline

    def of_case(view: Any, case: str) -> Any:
        return (record for record in view.ledger.since(0, limit=100_000) if record.case == case)

    patch.setattr(timeline, "_of_case", of_case)
    patch.setattr(View, "newest_of", lambda self, ids: list(self.ledger.latest_of(ids).values()))


@leak("cases of which he sees nothing")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.api.routes import cases
    from shiprider.flow.working.timeline import CaseSeen

    def listed(view: Any) -> Any:
        names = sorted({of.case for of in view.ledger.classes().values() if of.case})
        return [CaseSeen(name=name, origins=(), partners=()) for name in names]

    patch.setattr(cases, "cases", listed)


@leak("requests and answers of all labels")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "found", lambda self, query, body: self._all(self.ledger.find(query), body))


@leak("how long hidden answers took")
def _(patch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from shiprider.api.routes import requests

    real = requests.requests_standing

    def standing(view: Any, now_us: int, *, since_us: int = 0) -> Any:
        """Only what is counted, not what is listed, is of everybody's."""
        owner = msgspec.structs.replace(view.observer, nation="COL", clearance="TOP_SECRET", owner=True)
        return real(replace(view, observer=owner) if since_us else view, now_us, since_us=since_us)

    patch.setattr(requests, "requests_standing", standing)


@leak("partners of whom nothing may be known")
def _(patch: pytest.MonkeyPatch) -> None:
    from shiprider.model.partner import Partner

    def partners(view: Any) -> Any:
        return [each.body for each in view._all(view.ledger.of_kind("partner"), Partner)]

    for place in ("flow.working.acknowledging", "api.routes.requests", "flow.working.timeline"):
        patch.setattr(f"shiprider.{place}.partners_seen", partners)


@leak("a push of what is hidden")
def _(patch: pytest.MonkeyPatch) -> None:
    def worked(self: Any, sequence: int, limit: int) -> Any:
        from shiprider.flow.view import WORKING

        return self.ledger.since(sequence, limit=limit, kinds=WORKING), 0

    patch.setattr(View, "worked_since", worked)


def test_a_header_that_tells_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same status, the same body: only over the wire it shows."""
    from promises import door
    from shiprider.api import failures

    real = failures._failure
    _, now = door._application()

    def failure(*told: Any) -> Any:
        answer = real(*told)
        answer.headers["x-records"] = str(now.site.view(ni.PEOPLE[WHO].observer).ledger.head().sequence)
        return answer

    monkeypatch.setattr(failures, "_failure", failure)
    pair = ni.generated(WHO, 1, 3)
    try:
        pair.happen(hidden=True)
        assert "alert " + f"{5:032x}" in pair.differences(over_the_wire=True)
    finally:
        pair.close()


WHO = "a guest of another nation"


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    LEAKS[name](monkeypatch)
    for seed in range(60):
        for who in ni.PEOPLE:
            pair = ni.generated(who, seed, 14)
            try:
                for _ in range(2):
                    if pair.differences() or pair.decide():
                        return
                    pair.happen(hidden=True)
            finally:
                pair.close()
    pytest.fail(f"nobody noticed: {name}")
