"""Review: every decision, what it leaves in the ledger, undoing, refusals in one sentence, the handover."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.flow import shift
from shiprider.flow.calibration import calibration_report
from shiprider.flow.numbers import Numbers
from shiprider.flow.pictures import Pictures
from shiprider.flow.review import Review, alert_draft
from shiprider.flow.sight import Sight
from shiprider.flow.view import Seen, View, seen
from shiprider.model.agreement import AgreementBook
from shiprider.model.alert import Alert
from shiprider.model.disposition import Disposition, newest_of_each_alert
from shiprider.model.errors import Conflict, NotFound, ShipriderError, UsageError
from shiprider.model.observer import Observer
from shiprider.model.orders import LegalHold, Preferences, WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.rules import Home, Rules
from shiprider.model.watch_log import LogLine
from shiprider.ports.ledger import Ledger, Query


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        self.now += 10
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    opened = SqliteLedger(tmp_path / "l.sqlite", origin="n", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def review(ledger: Ledger, clock: Clock) -> Review:
    return Review(ledger, clock)


def raised(ledger: Ledger, number: int = 1, *, probability: float = 0.3, simulated: bool = False) -> str:
    body = Alert(
        finding=f"{number + 1000:032x}", finding_revision=1, findings=(f"{number + 1000:032x}",),
        behaviours=("gap",), watch_us=0, state="new", event="raised", behaviour="gap", preset="expected", subtype="",
        participants=(235000000 + number,), start_us=number, end_us=number + 5, latitude_deg=1.0, longitude_deg=2.0,
        score=probability, probability=probability, model="prior", raised_us=1, simulated=simulated,
    )  # fmt: skip
    return ledger.append([alert_draft(f"{number:032x}", 0, body, "process:watch")])[0].id


def alert(ledger: Ledger, alert_id: str) -> Seen[Alert]:
    return seen(ledger.latest(alert_id), Alert)


def dispositions(ledger: Ledger) -> list[Disposition]:
    return newest_of_each_alert(made(ledger), lambda body: body)


def made(ledger: Ledger) -> list[Disposition]:
    return [seen(r, Disposition).body for r in ledger.of_kind("disposition")]


def log(ledger: Ledger) -> list[LogLine]:
    return [seen(r, LogLine).body for r in ledger.of_kind("watch_log")]


def view(ledger: Ledger) -> View:
    home = Home(node="n", organisation="n")
    policy = CedarPolicy(Rules("n", (home,), AgreementBook()))
    sight = Sight(lambda: policy, ledger, node="n", sources=lambda: (), clock=lambda: 1)
    lake: Any = None
    ana = Observer(name="Ana", organisation="n", cases=("C-7",))
    return View(ana, ledger, lake, Pictures(), sight, Numbers(ledger, lake))


def test_take_dismiss_and_what_they_leave(ledger: Ledger, review: Review) -> None:
    one = raised(ledger)
    taken = review.take(one, 1, author="Ana", text="looking")
    assert (taken.body.state, taken.body.holder, taken.record.author) == ("taken", "Ana", "Ana")
    assert dispositions(ledger) == []
    gone = review.dismiss(
        one, 2, author="Luis", reason="lawful_explained", text="bunkering, confirmed by agent"
    )
    assert (gone.body.state, gone.body.reason) == ("dismissed", "lawful_explained")
    (kept,) = dispositions(ledger)
    assert (kept.alert, kept.outcome, kept.reason, kept.probability) == (
        one,
        "dismissed",
        "lawful_explained",
        0.3,
    )
    assert [(line.step, line.alert) for line in log(ledger)] == [("taken", one), ("dismissed", one)]
    # Alert, log line and disposition are one commit.
    last = ledger.since(ledger.head().sequence - 3)
    assert {r.kind for r in last} == {"alert", "watch_log", "disposition"} and len(
        {r.recorded_us for r in last}
    ) == 1


def test_escalation_confirms_and_taking_it_over_keeps_that(ledger: Ledger, review: Review) -> None:
    one = raised(ledger)
    review.escalate(one, 1, author="Ana")
    review.take(one, 2, author="Chief")
    assert [d.outcome for d in dispositions(ledger)] == ["confirmed"]
    review.dismiss(one, 3, author="Chief", reason="data_error")
    assert [d.outcome for d in dispositions(ledger)] == ["dismissed"]
    assert [d.outcome for d in made(ledger)] == ["confirmed", "confirmed", "dismissed"]


def test_undo_walks_back_decision_by_decision(ledger: Ledger, review: Review) -> None:
    one = raised(ledger)
    review.take(one, 1, author="Ana")
    review.escalate(one, 2, author="Ana")
    review.dismiss(one, 3, author="Luis", reason="known_vessel")
    states = []
    for revision in (4, 5, 6):
        undone = review.undo(one, revision, author="Luis")
        states.append((undone.body.state, undone.body.holder, undone.body.reason))
    assert states == [("escalated", "Ana", ""), ("taken", "Ana", ""), ("new", "", "")]
    assert [d.outcome for d in dispositions(ledger)] == ["withdrawn"]
    with pytest.raises(Conflict, match="nothing to undo"):
        review.undo(one, 7, author="Luis")


def test_late_data_between_does_not_disturb_an_undoing(ledger: Ledger, review: Review) -> None:
    one = raised(ledger)
    review.take(one, 1, author="Ana")
    body = msgspec.structs.replace(alert(ledger, one).body, event="retracted", retracted=True)
    ledger.append([alert_draft(one, 2, body, "process:watch")])
    undone = review.undo(one, 3, author="Ana").body
    assert (undone.state, undone.retracted) == ("new", True)


def test_merge_and_its_refusals(ledger: Ledger, review: Review) -> None:
    one, two, three = (raised(ledger, n) for n in (1, 2, 3))
    merged = review.merge(one, 1, author="Ana", into=two)
    assert (merged.body.state, merged.body.merged_into) == ("merged", two)
    assert [r.id for r in ledger.find(Query("alert", ((f"merged_into:{two}",),)))] == [one]
    with pytest.raises(Conflict, match="merge into that one"):
        review.merge(three, 1, author="Ana", into=one)
    with pytest.raises(UsageError, match="into itself"):
        review.merge(three, 1, author="Ana", into=three)
    review.dismiss(two, 1, author="Ana", reason="duplicate")
    with pytest.raises(Conflict, match="is dismissed: reopen it first"):
        review.merge(three, 1, author="Ana", into=two)
    with pytest.raises(NotFound):
        review.merge(three, 1, author="Ana", into="f" * 32)
    back = review.reopen(one, 2, author="Ana")
    assert (back.body.state, back.body.merged_into) == ("new", "")


def test_every_refusal_is_one_sentence_and_changes_nothing(ledger: Ledger, review: Review) -> None:
    one = raised(ledger)
    note = review.note("vessel", "235000001", "seen at anchor", author="Ana").record.id
    head = ledger.head()
    attempts = [
        lambda: review.take(one, 9, author="Ana"),
        lambda: review.take(one, 1, author=" "),
        lambda: review.take(one, 1, author="An\na"),
        lambda: review.take(note, 1, author="Ana"),
        lambda: review.take("0" * 32, 1, author="Ana"),
        lambda: review.dismiss(one, 1, author="Ana", reason="because"),
        lambda: review.dismiss(one, 1, author="Ana", reason="other"),
        lambda: review.reopen(one, 1, author="Ana"),
        lambda: review.note("vessel", "SANTA", "x", author="Ana"),
        lambda: review.note("vessel", "1" * 10, "x", author="Ana"),
        lambda: review.note("alert", note, "x", author="Ana"),
        lambda: review.note("alert", one, " ", author="Ana"),
        lambda: review.log("\n", author="Ana"),
        lambda: review.area(WatchedArea(name="a", ring=((0, 0), (1, 1), (0, 0))), author="Ana"),
        lambda: review.watchlist(Watchlist(name="w", entries=(WatchlistEntry(reason="x"),)), author="Ana"),
        lambda: review.legal_hold(LegalHold(reason="r", start_us=5, end_us=5), case="c", author="Ana"),
        lambda: review.area(WatchedArea(name="a", ring=((0, 0), (1, 1), (0, 1))), author="Ana", area_id=one),
        lambda: review.preferences(Preferences(), 4, author="Ana"),
    ]
    for attempt in attempts:
        with pytest.raises(ShipriderError) as refused:
            attempt()
        words = str(refused.value)
        assert words.endswith((".", ")")) and words.count("\n") == 0 and 20 < len(words) < 300, words
        assert ledger.head() == head


def test_orders_are_records_with_revisions(ledger: Ledger, review: Review) -> None:
    area = review.area(WatchedArea(name="Gulf", ring=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))), author="Ana")
    assert area.body.ring[0] == area.body.ring[-1]
    ended = WatchedArea(name="Gulf", ring=area.body.ring, active=False)
    with pytest.raises(Conflict):
        review.area(ended, author="Luis", area_id=area.record.id, expected_revision=0)
    review.area(ended, author="Luis", area_id=area.record.id, expected_revision=1)
    assert [a.body.active for a in view(ledger).areas()] == [False]
    hold = review.legal_hold(LegalHold(reason="seizure", mmsi=(235000001,)), case="C-7", author="Ana")
    assert (hold.record.case, view(ledger).legal_holds()[0].record.id) == ("C-7", hold.record.id)
    review.preferences(Preferences(language="es"), 0, author="Ana")
    with pytest.raises(Conflict):
        review.preferences(Preferences(theme="red"), 0, author="Luis")
    found = view(ledger).preferences()
    assert found is not None and found.body.language == "es"


def test_the_handover_is_signed_over_exactly_what_was_shown(
    ledger: Ledger, review: Review, clock: Clock
) -> None:
    one, two, three = (raised(ledger, n, probability=0.1 * n) for n in (1, 2, 3))
    review.take(one, 1, author="Ana")
    review.dismiss(two, 1, author="Ana", reason="known_vessel")
    review.log("fog from 0400", author="Ana")
    to_us = clock()
    shown = shift.summarise(view(ledger), to_us)
    assert shown.open_alerts == (three, one)
    assert (shown.taken, shown.dismissed, shown.escalated, len(shown.log)) == (1, 1, 0, 3)
    digest = shift.digest_of(shown)
    assert digest == hashlib.sha256(msgspec.json.encode(shown)).hexdigest()
    newest = ledger.since(0)[-1]
    told = f"{newest.id}|{newest.recorded_us}|{newest.digest}"
    assert (shown.ledger_sequence, shown.ledger_head) == (9, hashlib.sha256(told.encode()).hexdigest())
    # What comes later changes nothing of it.
    review.escalate(three, 1, author="Ana")
    assert shift.summarise(view(ledger), to_us) == shown
    signed = review.sign_handover(view(ledger), digest=digest, to_us=to_us, author="Ana", relieved_by="Luis")
    assert (signed.record.author, signed.body.relieved_by, signed.body.digest) == ("Ana", "Luis", digest)
    with pytest.raises(Conflict, match="look at it again"):
        review.sign_handover(view(ledger), digest="0" * 64, to_us=clock(), author="Luis", relieved_by="Eva")
    with pytest.raises(ShipriderError):
        review.sign_handover(view(ledger), digest=digest, to_us=to_us, author="Ana", relieved_by="Luis")
    with pytest.raises(UsageError, match="future"):
        review.sign_handover(
            view(ledger), digest=digest, to_us=clock() + 10**6, author="Ana", relieved_by="Luis"
        )
    with pytest.raises(UsageError, match="somebody else"):
        review.sign_handover(view(ledger), digest=digest, to_us=clock(), author="Ana", relieved_by="Ana")
    following = shift.summarise(view(ledger), clock())
    assert (following.from_us, following.escalated, following.taken) == (to_us, 1, 0)


def test_the_calibration_report_against_hand_counts(ledger: Ledger, review: Review) -> None:
    """Twenty alerts shown at .3 of which 6 confirmed, ten at .9 of which 9."""
    from scipy.stats import binomtest

    confirmed = {*range(1, 7), *range(21, 30)}
    for n in range(1, 31):
        one = raised(ledger, n, probability=0.3 if n <= 20 else 0.9)
        if n in confirmed:
            review.escalate(one, 1, author="Ana")
        else:
            review.dismiss(one, 1, author="Ana", reason="lawful_explained")
    undone = raised(ledger, 40, probability=0.3)
    review.dismiss(undone, 1, author="Ana", reason="duplicate")
    review.undo(undone, 2, author="Ana")
    simulated = raised(ledger, 41, probability=0.3, simulated=True)
    review.escalate(simulated, 1, author="Ana")
    report = calibration_report(view(ledger))
    assert (report.decided, report.confirmed, report.simulated, report.behaviours) == (
        30,
        15,
        False,
        {"gap": 30},
    )
    brier = (6 * 0.7**2 + 14 * 0.3**2 + 9 * 0.1**2 + 1 * 0.9**2) / 30
    assert report.brier == pytest.approx(brier)
    rows = {round(row.mean_score, 3): row for row in report.rows}
    assert (rows[0.3].count, rows[0.3].worth, rows[0.9].count, rows[0.9].worth) == (20, 6, 10, 9)
    expected = binomtest(6, 20).proportion_ci(method="wilson")
    assert (rows[0.3].share_low, rows[0.3].share_high) == pytest.approx((expected.low, expected.high))
