"""Joining, calibrating and giving out places."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression

from shiprider.detect.calibration import calibrated, fit_calibration, reliability, wilson
from shiprider.detect.ranking import JOIN_US, LONGEST_US, Budget, allocate, candidates, joint_score
from shiprider.model.finding import Evidence, Finding

HOUR_US = 3_600_000_000


def finding(
    score: float,
    who: tuple[int, ...] = (1,),
    start_h: float = 0.0,
    hours: float = 1.0,
    behaviour: str = "gap",
    **more,
) -> Finding:
    start = round(start_h * HOUR_US)
    end = start + round(hours * HOUR_US)
    evidence = (Evidence(track=16, claimed_id=who[0], start_us=start, end_us=end, raws=(1,)),)
    return Finding(
        behaviour=behaviour, preset=more.pop("preset", "ours"), participants=who, start_us=start, end_us=end,
        latitude_deg=0.0, longitude_deg=0.0, score=score, reason_key="x", facts={}, evidence=evidence, **more,
    )  # fmt: skip


def test_joint_score_by_hand() -> None:
    assert joint_score([finding(0.3)]) == pytest.approx(0.3)
    # presets of one behaviour count once
    assert joint_score([finding(0.3), finding(0.25, preset="other")]) == pytest.approx(0.3)
    # 1 - 0.7 * (1 - 0.2 / 2)
    assert joint_score([finding(0.2, behaviour="encounter"), finding(0.3)]) == pytest.approx(0.37)


@pytest.mark.parametrize(("apart_h", "count"), [(6.0, 1), (6.001, 2)])
def test_findings_of_one_vessel_join_within_six_hours(apart_h: float, count: int) -> None:
    assert JOIN_US == 6 * HOUR_US
    assert len(candidates([finding(0.3), finding(0.2, start_h=1.0 + apart_h)])) == count


def test_a_meeting_joins_what_both_vessels_did() -> None:
    rows = [
        finding(0.2, (1,), 0.0),
        finding(0.1, (2,), 0.0),
        finding(0.5, (1, 2), 3.0, behaviour="encounter"),
        finding(0.3, (9,), 0.0),
        finding(0.9, (1,), 0.0, state="retracted"),
    ]
    first, second = candidates(rows)
    assert first.members == (2, 0, 1)
    assert first.participants == (1, 2)
    assert first.lead == "encounter"
    assert second.members == (3,)


def test_a_busy_vessel_is_not_one_alert_for_ever() -> None:
    rows = [finding(0.2, start_h=4.0 * k) for k in range(40)]
    joined = candidates(rows)
    assert sorted(i for c in joined for i in c.members) == list(range(40))
    assert all(c.end_us - c.start_us <= LONGEST_US + HOUR_US for c in joined)
    assert len(joined) > 2


def test_places_under_a_budget() -> None:
    rows = [finding(0.5 - 0.01 * k, (k,), behaviour="gap" if k < 8 else "encounter") for k in range(12)]
    places = allocate(candidates(rows), Budget(per_watch=6, share_of_one=0.5))
    shown = [p.candidate.lead for p in places if p.shown]
    assert sorted(shown) == ["encounter"] * 3 + ["gap"] * 3
    reasons = {p.reason_key for p in places if not p.shown}
    assert reasons == {"kind_full", "budget_full"}
    # with nothing else waiting, one kind may have it all
    alone = allocate(candidates(rows[:8]), Budget(per_watch=6, share_of_one=0.5))
    assert sum(p.shown for p in alone) == 6
    assert not any(p.shown for p in allocate(candidates(rows), Budget(per_watch=6), shown_already=6))
    low = allocate(candidates([finding(0.015)]), Budget(per_watch=6))
    assert (low[0].shown, low[0].reason_key) == (False, "below_least")
    high = allocate(candidates([finding(0.9, (k,)) for k in range(20)]), Budget(per_watch=6))
    assert sum(p.shown for p in high) == 12


def test_until_there_are_dispositions_the_priors_stand() -> None:
    few = fit_calibration(np.full(29, 0.3), np.arange(29) % 2)
    assert few.kind == "prior"
    assert calibrated(few, [0.2, 0.7]).tolist() == [0.2, 0.7]


def test_a_line_for_some_moves_towards_the_truth() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.2, 0.9, 200)
    outcomes = rng.random(200) < scores / 3
    fitted = fit_calibration(scores, outcomes)
    assert fitted.kind == "line"
    ours = calibrated(fitted, scores)
    assert np.abs(ours - scores / 3).mean() < 0.06
    assert reliability(ours, outcomes).brier < reliability(scores, outcomes).brier


def test_steps_for_many_follow_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    scores = rng.uniform(0.02, 0.98, 4000)
    outcomes = rng.random(4000) < scores**2
    fitted = fit_calibration(scores, outcomes)
    assert fitted.kind == "steps"
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, outcomes)
    grid = np.linspace(0.1, 0.9, 50)
    # steps there, straight between the steps here
    assert np.abs(calibrated(fitted, grid) - theirs.predict(grid)).mean() < 0.04


@settings(max_examples=40, deadline=None)
@example(3040, 300)
@given(st.integers(0, 10_000), st.integers(5, 900))
def test_order_is_never_reversed_and_shares_stay_inside(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.beta(0.7, 1.5, n)
    outcomes = rng.random(n) < rng.random()
    shares = calibrated(fit_calibration(scores, outcomes), np.linspace(0.0, 1.0, 200))
    assert (np.diff(shares) >= -1e-12).all()
    assert ((shares > 0) & (shares < 1)).all()


def test_wilsons_interval_is_scipys() -> None:
    for worth, count in ((0, 5), (3, 10), (10, 10), (40, 1000)):
        theirs = binomtest(worth, count).proportion_ci(method="wilson")
        assert wilson(worth, count) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_reliability_by_hand() -> None:
    table = reliability([0.1, 0.1, 0.9, 0.9], [0, 1, 1, 1], edges=(0.0, 0.5, 1.0))
    assert [(r.count, r.worth, r.share) for r in table.rows] == [(2, 1, 0.5), (2, 2, 1.0)]
    # 0.01, 0.81, 0.01, 0.01; |0.5 - 0.1| / 2 + |1 - 0.9| / 2
    assert table.brier == pytest.approx(0.21)
    assert table.expected_error == pytest.approx(0.25)


def test_lying_still_is_one_sign_however_many_see_it() -> None:
    still = [
        finding(0.4, (1, 2), behaviour="encounter"),
        finding(0.3, (1,), behaviour="loitering"),
        finding(0.2, (2,), behaviour="dark_encounter"),
    ]
    assert joint_score(still) == pytest.approx(0.4)
    # a silence is another sign: 1 - (1 - 0.4) (1 - 0.5 x 0.3)
    assert joint_score([*still, finding(0.3, (1,), behaviour="gap")]) == pytest.approx(0.49)
