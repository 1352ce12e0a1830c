"""Browsing alarms, exports of evidence and seals of the spool: only an auditor knows that there are any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from promises import non_interference as ni
from shiprider.flow.desk_steps import DeskSteps
from shiprider.flow.policy_desk import Policies, PolicyDesk
from shiprider.model.account import CONTENT_ROLES
from shiprider.model.agreement import AgreementBook
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.evidence import EvidenceExport
from shiprider.model.exchange import Dispatch, RecallAnswer, RecallOrder, Receipt, Withdrawal
from shiprider.model.observer import Observer
from shiprider.model.record import Draft
from shiprider.model.rules import Home, Rules, own_observer
from shiprider.model.spool_seal import SpoolSeal
from shiprider.ports.ledger import Query
from shiprider.share.release import AUDITED

SEAL = SpoolSeal(
    segment=1, length=9, sha256="0" * 64, index_sha256="0" * 64, sources=1, sources_sha256="0" * 64
)
HOME = Home(node="col", nation="COL")
OFFICER = own_observer("Ana", HOME, "watch")
AUDITOR = Observer(name="Eva", roles=("auditor",), nation="COL", purpose="watch")


EXCHANGED = {
    "dispatch": Dispatch(
        partner="usa", epoch=1, sequence=1, previous="0" * 64, made_us=1, digest="0" * 64, key_id="0" * 32, signature="00"
    ),
    "receipt": Receipt(
        partner="usa", epoch=1, sequence=1, hash="0" * 64, made_us=1, records=1, recalls=0, answers=0
    ),
    "recall": RecallOrder(partner="usa", record="1" * 32, revision=1, reason="narrowed"),
    "withdrawal": Withdrawal(
        partner="usa", recall="2" * 32, record="1" * 32, revision=1, reason="narrowed"
    ),
    "recall_answer": RecallAnswer(partner="usa", recall="2" * 32, at_us=1, derived=0),
}  # fmt: skip


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[ni.Node, ni.Node]]:
    """The same node twice, but for an alarm, an export, a seal and dealings with a partner on the second."""
    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        made.append(ni.Node(tmp_path / name, lambda: ni.T0))
    for each in made:
        each.ledger.append([draft(1, "note", b'{"subject_kind":"vessel","subject":"1","text":"x"}')])
    alarm = BrowsingAlarm(
        who="Ana", role="watch_officer", sign="burst", from_us=1, to_us=2, sequence=1, count=30, usual=3.0, limit=9.0
    )  # fmt: skip
    taken = EvidenceExport(
        finding="f" * 32, package_sha256="0" * 64, records=1, observations=1, missing=0, reason="order 1"
    )
    made[1].ledger.append(
        [
            draft(2, "browsing_alarm", msgspec.json.encode(alarm)),
            draft(3, "evidence_export", msgspec.json.encode(taken)),
            draft(4, "spool_seal", msgspec.json.encode(SEAL)),
            *(
                draft(5 + at, kind, msgspec.json.encode(body))
                for at, (kind, body) in enumerate(EXCHANGED.items())
            ),
        ]
    )
    yield made[0], made[1]
    for each in made:
        each.close()


def draft(number: int, kind: str, body: bytes) -> Draft:
    return Draft(
        id=f"{number:032x}",
        kind=kind,
        expected_revision=0,
        schema=1,
        author="node",
        valid_from_us=1,
        body=body,
    )


@pytest.mark.parametrize(
    "who", [OFFICER, Observer(name="Luz", nation="COL", clearance="TOP_SECRET", purpose="watch")]
)
def test_an_officer_sees_neither_them_nor_counts_of_them(nodes: Any, who: Observer) -> None:
    without, with_them = (each.view(who) for each in nodes)
    assert with_them.head() == without.head()
    for kind in AUDITED:
        assert with_them.count(Query(kind)) == 0
        assert with_them._find(Query(kind)) == [] and with_them._of_kind(kind) == []
    assert with_them.there([f"{n:032x}" for n in range(1, 10)]) == {f"{1:032x}"}
    assert nodes[1].ledger.count(Query("browsing_alarm")) == 1, "or there was nothing to hide"


def test_an_auditor_reads_them_and_nothing_else(nodes: Any) -> None:
    sight, ledger = nodes[1].sight, nodes[1].ledger
    found = ledger.since(0, allowed=sight.allowed(AUDITOR))
    assert {record.kind for record in found} == set(AUDITED)
    for action in ("change", "export", "release", "downgrade"):
        assert sight.allowed(AUDITOR, action).classes == frozenset()


def test_whoever_holds_every_role_takes_them_nowhere(nodes: Any) -> None:
    everything = Observer(
        name="x", roles=(*CONTENT_ROLES, "partner"), nation="COL", clearance="TOP_SECRET", purpose="watch"
    )
    sight = nodes[1].sight
    for kind in AUDITED:
        for action in ("read", "change", "export", "release", "downgrade"):
            assert not sight.may(everything, action, sight.own_class(kind)), (kind, action)


def test_a_policy_that_is_tried_out_does_not_count_them(nodes: Any) -> None:
    """A new nation at home gets everything of the node; how much is told without what is the auditor's."""
    text = 'schema = 1\nnode = "col"\n[[homes]]\nnode = "col"\nnation = "COL"\n[[homes]]\nnode = "col"\nnation = "USA"\n'
    rules = Rules("col", (HOME,), AgreementBook())
    told = []
    for each in nodes:
        policies = Policies(each.ledger, "col", "", rules, ni.CedarPolicy)
        steps = DeskSteps(
            ledger=each.ledger, node="col", clock=each.clock, policy=policies.policy, log=lambda _: None
        )
        told.append(PolicyDesk(steps, policies, lambda: ()).try_out(text))
    assert told[0] == told[1] and told[0].released
