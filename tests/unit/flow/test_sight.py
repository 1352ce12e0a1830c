"""Sight: answers stand exactly as long as what they were given for; what an owner and an unknown number get."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from promises import non_interference as ni
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.flow.picture import Rows
from shiprider.flow.pictures import Pictures, Several
from shiprider.flow.sight import Frames, Sight
from shiprider.model.agreement import Agreement, Party, SharingClause, Standing, book
from shiprider.model.label import number_of, written
from shiprider.model.observer import Observer
from shiprider.model.record import Draft
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import Home, Rules, own_observer
from shiprider.ports.policy import Decision
from shiprider.share.release import ENGINE_ERROR

SHARED = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA").text
BRIEF = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA expires=2026-01-03T00:00:00Z").text
DAY = 86_400_000_000
#: 2026-01-01T00:00Z, by hand: 20,454 days after 1970-01-01.
T0 = 20_454 * DAY
HOME = Home(node="col", nation="COL")
ANN = Observer(name="Ann", nation="USA", clearance="SECRET", purpose="watch")


class Time:
    now = T0

    def __call__(self) -> int:
        return self.now


def engine(until_us: int) -> CedarPolicy:
    holds = (Standing(from_us=0, status="in_force"),)
    clause = SharingClause(
        id="1", shared_by=("c",), shared_with=("u",), kinds=("note",), purposes=("*",), highest="SECRET"
    )
    parties = (Party(name="c", nation="COL", standings=holds), Party(name="u", nation="USA", standings=holds))
    accord = Agreement(id="a", title="A", from_us=0, until_us=until_us, parties=parties, sharing=(clause,))
    return CedarPolicy(Rules("col", (HOME,), book([accord])))


def note(number: int, label: str = "", case: str = "") -> Draft:
    return Draft(
        id=f"{number:032x}", kind="note", expected_revision=0, schema=1, author="Ana", valid_from_us=1, label=label,
        case=case, body=b"{}",
    )  # fmt: skip


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ledger(tmp_path: Path, time: Time) -> Any:
    opened = SqliteLedger(tmp_path / "l.sqlite", origin="col", clock=time)
    yield opened
    opened.close()


def seen(sight: Sight, ledger: Any, observer: Observer) -> list[int]:
    return [int(r.id, 16) for r in ledger.since(0, allowed=sight.allowed(observer))]


def test_an_answer_ends_with_the_agreement_the_label_and_the_policy(ledger: Any, time: Time) -> None:
    in_force = [engine(T0 + 5 * DAY)]
    sight = Sight(lambda: in_force[-1], ledger, node="col", sources=lambda: (), clock=time)
    ledger.append([note(1), note(2, SHARED), note(3, BRIEF)])
    assert seen(sight, ledger, ANN) == [2, 3]
    ledger.append([note(4, SHARED, "K"), note(5, SHARED)])
    assert seen(sight, ledger, ANN) == [2, 3, 5], "a class that came later was asked about"
    time.now = T0 + 2 * DAY - 1
    assert seen(sight, ledger, ANN) == [2, 3, 5]
    time.now = T0 + 2 * DAY
    assert seen(sight, ledger, ANN) == [2, 5], "the label of 3 expired at 2026-01-03"
    time.now = T0 + 5 * DAY
    assert seen(sight, ledger, ANN) == [], "the agreement ended"
    in_force.append(engine(T0 + 9 * DAY))
    assert seen(sight, ledger, ANN) == [2, 5]


def test_whoever_owns_the_machine_is_assigned_to_every_case(ledger: Any, time: Time) -> None:
    policy = engine(T0 + DAY)
    sight = Sight(lambda: policy, ledger, node="col", sources=lambda: (), clock=time)
    ledger.append([note(1), note(2, "", "K"), note(3, "no label of ours")])
    owner = own_observer("Ana", HOME, "watch")
    assert seen(sight, ledger, owner) == [1, 2, 3] and sight.everything(owner)
    assert sight.may(owner, "change", sight.own_class("legal_hold", case="new"))
    luz = Observer(name="Luz", nation="COL", purpose="watch")
    assert seen(sight, ledger, luz) == [1] and not sight.everything(luz)


class Broken:
    """An engine that fails once."""

    version = "1"
    failures = 1

    def decide(self, *_: Any) -> list[Decision]:
        classes: Sequence[ReleaseClass] = _[2]
        self.failures -= 1
        return [Decision(self.failures < 0, (ENGINE_ERROR,) if self.failures >= 0 else ("own",))] * len(
            classes
        )

    def until_us(self, *_: Any) -> int:
        return 2**62


def test_a_failure_shows_nothing_and_is_asked_again(ledger: Any, time: Time) -> None:
    broken = Broken()
    sight = Sight(lambda: broken, ledger, node="col", sources=lambda: (), clock=time)
    ledger.append([note(1)])
    assert seen(sight, ledger, ANN) == []
    assert seen(sight, ledger, ANN) == [1]


def test_a_number_that_is_nobodys_is_an_unknown_label(time: Time, ledger: Any) -> None:
    spool = ni.MemorySpool()
    spool.source("coast", "")
    spool.source("partner", SHARED)
    policy = engine(T0 + DAY)
    sight = Sight(lambda: policy, ledger, node="col", sources=spool.sources, clock=time)
    own = sight.frames(Observer(name="Luz", nation="COL", purpose="watch"), "observations")
    assert own.admits(0) and own.admits(None) and not own.admits(number_of(SHARED)) and not own.admits(5)
    cleared = sight.frames(own_observer("Ana", HOME, "watch"), "observations")
    assert cleared.everything and cleared.admits(5)
    guest = sight.frames(ANN, "observations")
    assert not guest.admits(0) and not guest.admits(number_of(SHARED)), "the clause is for notes"


def _points(seed: int, label: int, n: int = 60) -> Any:
    rng = np.random.default_rng(seed)
    mmsi = 235_000_000 + rng.integers(0, 20, n)
    return ni._table(
        "track_points", n, time=T0 + (rng.permutation(1000)[:n] * 3 + label % 3) * 10**6, received=np.full(n, T0), track=mmsi * 16,
        claimed_id=mmsi, latitude_deg=rng.uniform(-80, 80, n), longitude_deg=rng.uniform(-180, 180, n), raw=np.arange(n),
        label_id=np.full(n, label),
    )  # fmt: skip


def _by_loop(tables: list[Any]) -> dict[int, float]:
    newest: dict[int, tuple[int, float]] = {}
    for table in tables:
        for row in table.to_pylist():
            at = round(row["time"].timestamp() * 1e6)
            if at > newest.get(row["track"], (-1, 0.0))[0]:
                newest[row["track"]] = (at, row["latitude_deg"])
    return {track: round(latitude, 6) for track, (_, latitude) in newest.items()}


def _shown(rows: Rows) -> dict[int, float]:
    return {int(t): round(v / 1e7, 6) for t, v in zip(rows.track, rows["latitude_e7"], strict=True)}


def test_of_several_labels_the_newest_row_that_he_sees() -> None:
    tables = {label: _points(label, label) for label in (1, 2, 3)}
    pictures = Pictures()
    for table in tables.values():
        pictures.take_points(table)
    for labels in ({1}, {2, 3}, {1, 2, 3}):
        frames = Frames(frozenset(labels), frozenset({1, 2, 3} - labels), False)
        found = pictures.seen(frames, frames)
        assert isinstance(found, Several) is (len(labels) > 1)
        rows = found.rows()
        expected = _by_loop([tables[each] for each in sorted(labels)])
        assert _shown(rows) == expected
        assert len(np.unique(rows.slot)) == len(rows) and found.vessels == len(expected)
        box = (-60.0, -40.0, 60.0, 40.0)
        inside = _shown(found.rows(box))
        assert inside == {t: v for t, v in _shown(rows).items() if t in inside}
    nobody = Frames(frozenset(), frozenset({1, 2, 3}), False)
    assert len(pictures.seen(nobody, nobody).rows()) == 0
