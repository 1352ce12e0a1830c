"""The access log: entries a second, signed and durable, and how fast a question is answered.

Always true: the key is a real Ed25519 key and the disk a real one; the peer is the same entries in a
SQLite table with synchronous=FULL, committed in the same batches, without chain or signature.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from shiprider.cli.bench.table import Row, compared
from shiprider.model.access_entry import AccessEntry

ENTRIES: Final = 200_000
_TOGETHER: Final = 100
_THREADS: Final = 8


def run(scale: float = 1.0) -> list[Row]:
    """Appends of one and of many threads; a question about one person; checking all of it."""
    from shiprider.bootstrap.access_log import bench_access_log
    from shiprider.ports.access_log import Question

    count = max(2_000, int(ENTRIES * scale) // _TOGETHER * _TOGETHER)
    batches = [[_entry(at + n) for n in range(_TOGETHER)] for at in range(0, count, _TOGETHER)]
    with TemporaryDirectory(dir=Path.cwd()) as place:
        log = bench_access_log(Path(place) / "access")
        many = _rate(log.append, batches, _THREADS)
        one = _rate(log.append, [batch[:1] for batch in batches[: max(200, len(batches) // 10)]], 1)
        begun = time.perf_counter()
        found = len(log.search(Question(who="officer 3", newest_first=True, limit=100)))
        question_s = time.perf_counter() - begun
        begun = time.perf_counter()
        total = log.verify().sequence
        verify_s = time.perf_counter() - begun
        log.close()
        peer = _sqlite(Path(place) / "peer.sqlite", batches)
    return [
        compared("access log: entries, 8 threads x 100", many, peer, "SQLite, no chain", "entries/s"),
        Row(
            case="access log: entries, one by one",
            ours=one,
            unit="entries/s",
            notes="one sync of two files each",
        ),
        Row(
            case=f"access log: last {found} of a person",
            ours=question_s * 1e3,
            unit="ms",
            notes="lower is better",
        ),
        Row(case="access log: checked whole", ours=total / verify_s, unit="entries/s"),
    ]


def _entry(number: int) -> AccessEntry:
    return AccessEntry(
        at_us=1_767_225_600_000_000 + number,
        who=f"officer {number % 7}",
        session=f"{number % 7:016x}",
        act="read",
        what="GET /api/v1/alerts",
        outcome="allowed",
        objects=(f"{number % 1000:032x}",),
        count=1,
        purpose="watch",
        case="C-1",
    )


def _rate(
    append: Callable[[Sequence[AccessEntry]], int], batches: list[list[AccessEntry]], threads: int
) -> float:
    def work(mine: list[list[AccessEntry]]) -> None:
        for batch in mine:
            append(batch)

    workers = [threading.Thread(target=work, args=(batches[n::threads],)) for n in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(map(len, batches)) / (time.perf_counter() - begun)


def _sqlite(path: Path, batches: list[list[AccessEntry]]) -> float:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE entry (at, who, session, act, what, outcome, objects, n, purpose, c, why)")
    begun = time.perf_counter()
    for batch in batches:
        base.execute("BEGIN")
        base.executemany(
            "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    e.at_us,
                    e.who,
                    e.session,
                    e.act,
                    e.what,
                    e.outcome,
                    e.objects[0],
                    e.count,
                    e.purpose,
                    e.case,
                    e.why,
                )
                for e in batch
            ],
        )
        base.execute("COMMIT")
    rate = sum(map(len, batches)) / (time.perf_counter() - begun)
    base.close()
    return rate
