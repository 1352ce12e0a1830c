"""Promise 10, browsing: what no case explains is flagged within a minute; lawful work that looks odd is not.

A month of a watch floor with shift rotation, an exercise, an analyst on a big case, a surge and a newcomer;
nine kinds of insiders put into its 26th day. How many are found and how many watches are disturbed for
nothing is asserted as measured by counting alone, on seeds that tuned nothing.
"""

import inspect
import random
import runpy
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiprider.adapters.access_log.segmented import SegmentedAccessLog
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.detect.browsing import Browsing, BrowsingState
from shiprider.detect.browsing_preset import BrowsingPreset, Work
from shiprider.detect.browsing_words import told
from shiprider.flow.browsing import BrowsingWatch, Duties, WorkInHand
from shiprider.model.access_entry import AccessEntry
from shiprider.model.alert import Alert
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.record import Draft
from shiprider.ports.access_log import AccessLog
from shiprider.ports.ledger import Filed

w: Any = runpy.run_path(str(Path(__file__).with_name("watch_floor_accesses.py")), run_name="floor")
S, MIN, HOUR, DAY = w["S"], w["MIN"], w["HOUR"], w["DAY"]
Floor, entry, VESSELS = w["Floor"], w["entry"], w["VESSELS"]
SEEDS = (101, 102)
TRIALS = 8
INSIDE_DAY = 25


class Month:
    """A floor's month folded day by day: alarms of lawful work, and the state before the insiders' day."""

    def __init__(self, seed: int, rostered: bool) -> None:
        self.floor = Floor(seed, rostered)
        self.fold = Browsing()
        state, sequence = self.fold.start(), 0
        self.lawful: list[tuple[int, BrowsingAlarm]] = []
        self.watches = 0
        for day in range(INSIDE_DAY + 1):
            entries = self.floor.day(day)
            work = self.floor.work(day)
            if day == INSIDE_DAY:
                self.before: BrowsingState = state
                self.base, self.work, self.sequence = entries, work, sequence
            numbered = [(sequence + n + 1, each) for n, each in enumerate(entries)]
            state, alarms = self.fold.fold(state, numbered, work)
            sequence += len(entries)
            self.lawful += [(day, alarm) for alarm in alarms]
            self.watches += sum(self.floor.watch(who, day) is not None for who in self.floor.pace)

    def insider(self, name: str, trial: int) -> tuple[list[AccessEntry], list[BrowsingAlarm]]:
        """One insider among everybody's work; the alarms about him from his first access on."""
        draw = random.Random(f"{name} {trial}")
        on = [who for who in self.floor.pace if self.floor.watch(who, INSIDE_DAY)]
        if name == "night":  # officers change hours; these never do
            on = [who for who in on if who.startswith(("analyst", "liaison"))]
        if name == "false_claim":
            on = [who for who in on if "C6" not in self.work.cases.get(who, ())]
        who = draw.choice(on)
        start, _ = self.floor.watch(who, INSIDE_DAY)
        begin = {"patient": start + 5 * MIN, "night": start - 8 * HOUR}.get(
            name, start + draw.randrange(1, 6) * HOUR
        )
        mine = w["INSIDERS"][name](who, begin, draw)
        both = sorted([(e.at_us, 0, n, e) for n, e in enumerate(self.base)]
                      + [(e.at_us, 1, n, e) for n, e in enumerate(mine)], key=lambda x: x[:3])  # fmt: skip
        numbered = [(self.sequence + n + 1, each[3]) for n, each in enumerate(both)]
        _, alarms = self.fold.fold(self.before, numbered, self.work)
        return mine, [alarm for alarm in alarms if alarm.who == who and alarm.to_us >= begin]


@pytest.fixture(scope="module")
def months() -> dict[tuple[int, bool], Month]:
    kinds = [(SEEDS[0], True), (SEEDS[0], False), (SEEDS[1], True)]
    return {each: Month(*each) for each in kinds}


#: What each kind is told as; the median of seconds from his first access to the alarm at most.
EXPECTED = {
    "burst": ({"burst"}, 60),
    "burst_under_own_case": ({"burst", "claim"}, 90),
    "pager": ({"listing"}, 90),
    "fisher": ({"fruitless"}, 400),
    "exporter": ({"export"}, 60),
    "false_claim": ({"claim"}, 200),
    "prober": ({"probing"}, 200),
    "night": ({"hours"}, 1200),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_insiders_are_found(months: dict[tuple[int, bool], Month], name: str) -> None:
    signs, within_s = EXPECTED[name]
    missed = 0
    for month in months.values():
        for trial in range(TRIALS):
            mine, alarms = month.insider(name, trial)
            hits = [alarm for alarm in alarms if alarm.sign in signs]
            missed += not hits or (hits[0].to_us - mine[0].at_us) / 1e6 > within_s
    assert missed == 0


def test_the_patient_one_is_found_in_his_watch_in_most_cases(months: dict[tuple[int, bool], Month]) -> None:
    """One object every 90 s all watch long: below many people's normal pace, so not all of them."""
    found = [bool(month.insider("patient", trial)[1]) for month in months.values() for trial in range(TRIALS)]
    assert sum(found) / len(found) >= 0.6


def test_lawful_work_disturbs_the_auditor_less_than_once_in_a_hundred_watches(
    months: dict[tuple[int, bool], Month],
) -> None:
    for (seed, rostered), month in months.items():
        counted = Counter(alarm.sign for _, alarm in month.lawful)
        assert sum(counted.values()) / month.watches < 0.01, (seed, rostered, counted)


def test_each_lawful_oddity_is_quiet(months: dict[tuple[int, bool], Month]) -> None:
    """Shift rotation, exercise, big case, surge and newcomer: what made them odd is never what is told."""
    for month in months.values():
        odd = [alarm for day, alarm in month.lawful if day in (w["ROTATION"], w["DRILL_DAY"], w["SURGE"])]
        assert not [alarm for alarm in odd if alarm.sign != "breadth"]
        assert not [
            a for day, a in month.lawful if w["BIG_FROM"] <= day <= w["BIG_TO"] and a.who == "analyst 1"
        ]


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("the exercise", {"exercises": frozenset()}),
        ("the case", {"cases": {}}),
        ("the open matters", {"current": frozenset()}),
    ],
)
def test_without_what_explains_it_the_same_work_is_flagged(
    months: dict[tuple[int, bool], Month], what: str, change: dict[str, Any]
) -> None:
    """The confounders are quiet because of what explains them, not because nothing is ever told."""
    from dataclasses import replace

    month = months[(SEEDS[0], True)]
    day = w["DRILL_DAY"] if "exercise" in what else INSIDE_DAY - 1
    floor = Floor(SEEDS[0], True)
    entries = [(n + 1, each) for n, each in enumerate(floor.day(day))]
    work = floor.work(day)
    _, alarms = month.fold.fold(month.before, entries, replace(work, **change))
    _, quiet = month.fold.fold(month.before, entries, work)
    assert len(alarms) >= len(quiet) + (1 if "case" in what else 5)


def test_the_state_handed_in_is_not_changed_and_batches_do_not_matter() -> None:
    floor = Floor(5)
    fold = Browsing(BrowsingPreset(burst_least=5))
    entries = [(n + 1, each) for n, each in enumerate(floor.day(0))]
    whole_state, whole = fold.fold(fold.start(), entries, floor.work(0))
    state, parts = fold.start(), []
    draw = random.Random(1)
    at = 0
    while at < len(entries):
        size = draw.randrange(1, 400)
        kept = msgspec.json.encode({who: len(p.usual) for who, p in state.people.items()})
        twice = [fold.fold(state, entries[at : at + size], floor.work(0)) for _ in range(2)]
        assert twice[0][1] == twice[1][1] and twice[0][0] == twice[1][0]
        assert kept == msgspec.json.encode({who: len(p.usual) for who, p in state.people.items()})
        state = twice[0][0]
        parts += twice[0][1]
        at += size
    assert parts == whole and state == whole_state and whole


def test_nobody_raises_his_own_limit_by_browsing() -> None:
    """A burst far above the limit, day after day, is told every day."""
    fold, state, sequence = Browsing(), Browsing().start(), 0
    days = []
    for day in range(10):
        made = [
            entry(day * DAY + 9 * HOUR + k * S, "officer 1", "read", f"vessel {day} {k}") for k in range(200)
        ]
        state, alarms = fold.fold(state, [(sequence + n + 1, e) for n, e in enumerate(made)], Work())
        sequence += len(made)
        days.append(any(alarm.sign == "burst" for alarm in alarms))
    assert all(days)


def test_a_claimed_case_explains_nothing() -> None:
    work = Work(cases={"a": frozenset({"C1"})}, case_of={"mine": frozenset({"C1"})})
    assert work.explains("a", "mine", 0)
    assert not work.explains("a", "other", 0)
    assert not work.explains("b", "mine", 0)


def test_every_sign_is_told_in_both_languages() -> None:
    from typing import get_args

    from shiprider.model.browsing import BrowsingSign

    for sign in get_args(BrowsingSign):
        alarm = BrowsingAlarm(who="officer 1", role="", sign=sign, from_us=0, to_us=S, sequence=1, count=30,
                              usual=3.2, limit=21.0)  # fmt: skip
        texts = {told(alarm, language) for language in ("en", "es")}
        assert len(texts) == 2 and all("officer 1" in text and "30" in text for text in texts)


# -- live -------------------------------------------------------------------------------------------------


def _watch(folder: Path, ledger: SqliteLedger, log: SegmentedAccessLog, clock: Any) -> BrowsingWatch:
    work = WorkInHand(ledger, lambda: Duties(roles={"officer 1": "watch_officer"}))
    return BrowsingWatch(log, ledger, work, clock, folder / "browsing.place")


def test_live_it_is_filed_within_a_minute_once_and_not_again_after_a_restart(tmp_path: Path) -> None:
    def clock() -> int:
        return time.time_ns() // 1000

    ledger = SqliteLedger(tmp_path / "ledger.sqlite", origin="node")
    log = SegmentedAccessLog(tmp_path / "access", origin="node")
    stop = threading.Event()
    watch = _watch(tmp_path, ledger, log, clock)
    thread = threading.Thread(target=watch.run, args=(stop, 0.2))
    thread.start()
    begun = time.monotonic()
    for k in range(40):
        log.append([entry(clock(), "officer 1", "read", f"vessel {k}")])
    while not ledger.of_kind("browsing_alarm") and time.monotonic() - begun < 60:
        time.sleep(0.05)
    taken_s = time.monotonic() - begun
    stop.set()
    thread.join()
    (record,) = ledger.of_kind("browsing_alarm")
    assert record.body is not None
    alarm = msgspec.json.decode(record.body, type=BrowsingAlarm)
    assert (alarm.who, alarm.sign, alarm.count) == ("officer 1", "burst", 25) and taken_s < 60
    assert len(alarm.objects) == 25
    # A restart knows what was told, also where its own note of it was lost.
    for lost in (False, True):
        if lost:
            (tmp_path / "browsing.place").unlink()
        assert _watch(tmp_path, ledger, log, clock).step() == []
    assert len(ledger.of_kind("browsing_alarm")) == 1
    again = _watch(tmp_path, ledger, log, clock)
    again.step()
    log.append([entry(clock(), "officer 1", "read", "x", outcome="denied") for _ in range(12)])
    assert [each.sign for each in again.step()] == ["probing"]
    log.close()
    ledger.close()


def test_work_in_hand_is_what_the_ledger_says(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", origin="node")
    hand = WorkInHand(ledger, lambda: Duties(cases={"a": frozenset({"C1"})}, roles={"o": "watch_officer"}))
    body = Alert(finding="f" * 32, finding_revision=1, findings=("f" * 32,), behaviours=("gap",), watch_us=0,
                 state="new", event="raised", behaviour="gap", preset="gfw-raw", subtype="", participants=(224000001,),
                 start_us=0, end_us=1, latitude_deg=0.0, longitude_deg=0.0, score=0.5, probability=0.5,
                 model="prior", raised_us=0, simulated=False)  # fmt: skip
    draft = Draft(id="a" * 32, kind="alert", expected_revision=0, schema=1, author="watch", valid_from_us=0,
                  case="C1", body=msgspec.json.encode(body))  # fmt: skip
    assert not hand().explains("o", "224000001", 0)
    ledger.append([Filed(draft=draft, terms=("open",))])
    work = hand()
    for name in ("a" * 32, "f" * 32, "224000001", "mmsi:224000001"):
        assert work.explains("o", name, 0) and work.explains("a", name, 0) and not work.explains("b", name, 0)
    closed = msgspec.structs.replace(draft, expected_revision=1)
    ledger.append([Filed(draft=closed, terms=())])
    assert not hand().explains("o", "224000001", 0) and hand().explains("a", "224000001", 0)
    ledger.close()


def test_nothing_in_the_log_can_be_changed_through_its_port() -> None:
    """Not by an administrator either: it can be added to, read, checked; whole segments go, with their trace."""
    names = {
        name for name, _ in inspect.getmembers(AccessLog, inspect.isfunction) if not name.startswith("_")
    }
    assert names == {
        "append",
        "since",
        "search",
        "head",
        "signed_head",
        "segments",
        "remove",
        "verify",
        "close",
    }
