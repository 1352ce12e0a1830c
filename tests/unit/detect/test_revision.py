"""What late data changed."""

from hypothesis import given
from hypothesis import strategies as st

from shiprider.detect.revision import Change, retraction, revise
from shiprider.model.finding import Evidence, Finding


def finding(start: int, end: int, who: int = 1, score: float = 0.5) -> Finding:
    evidence = (Evidence(track=16, claimed_id=who, start_us=start, end_us=end, raws=(1,)),)
    return Finding(
        behaviour="gap", preset="gfw-raw", participants=(who,), start_us=start, end_us=end, latitude_deg=0.0,
        longitude_deg=0.0, score=score, reason_key="x", facts={}, evidence=evidence,
    )  # fmt: skip


def test_each_kind_by_hand() -> None:
    assert revise([finding(0, 10)], [finding(0, 10)]) == [Change(kind="kept", published=(0,), now=(0,))]
    assert revise([finding(0, 10)], [finding(5, 20)]) == [Change(kind="updated", published=(0,), now=(0,))]
    assert revise([], [finding(0, 10)]) == [Change(kind="new", now=(0,))]
    assert revise([finding(0, 10)], []) == [Change(kind="retracted", published=(0,))]
    assert revise([finding(0, 4), finding(6, 20)], [finding(0, 20)]) == [
        Change(kind="merged", published=(1, 0), now=(0,))
    ]
    assert revise([finding(0, 20)], [finding(0, 4), finding(6, 20)]) == [
        Change(kind="split", published=(0,), now=(1, 0))
    ]


def test_another_vessel_or_time_is_another_finding() -> None:
    assert [c.kind for c in revise([finding(0, 10)], [finding(0, 10, who=2)])] == ["new", "retracted"]
    assert [c.kind for c in revise([finding(0, 10)], [finding(11, 20)])] == ["new", "retracted"]
    assert [c.kind for c in revise([finding(0, 10)], [finding(10, 20)])] == ["updated"]


def test_a_retracted_finding_does_not_hold() -> None:
    gone = retraction(finding(0, 10))
    assert gone.state == "retracted"
    assert [c.kind for c in revise([finding(0, 10)], [gone])] == ["retracted"]


intervals = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 20), st.integers(1, 2)).map(
        lambda t: finding(t[0], t[0] + t[1], t[2])
    ),
    max_size=8,
)


@given(intervals, intervals)
def test_every_finding_is_accounted_for_once(published: list[Finding], now: list[Finding]) -> None:
    changes = revise(published, now)
    heirs = [c for c in changes if c.kind in ("kept", "updated", "split") or (c.kind == "merged" and c.now)]
    # each present finding once, and each published one is kept, has gone into another, or is gone
    assert sorted(j for c in changes for j in c.now) == list(range(len(now)))
    seen = [i for c in changes for i in c.published]
    assert set(seen) == set(range(len(published)))
    assert len(seen) == len(set(seen))
    for change in heirs:
        a, b = published[change.published[0]], now[change.now[0]]
        assert a.key() == b.key()
        assert min(a.end_us, b.end_us) >= max(a.start_us, b.start_us)
