"""Recordings without a node: files in, findings out.

Always true: the rows go through the same decoder, cleaner, tracker and detectors as in a node, so a
recording gives the findings that a node would give; rows are put in order before they are cleaned, so
that neither the order of the files nor copies in another file change anything; memory is bounded: more rows than fit go to a
temporary folder, day by day, and are gone afterwards.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc

from shiprider.flow.decoding import HEAD_BYTES, OpenDecoder
from shiprider.flow.folds import Folds, Head
from shiprider.flow.learn import DailyWorld, KeptHistory
from shiprider.formats.decoded import Decoder
from shiprider.model.codes import Flaw
from shiprider.model.finding import Finding
from shiprider.model.tables import MESSAGES, OBSERVATIONS, STATEMENTS, raw_address
from shiprider.model.world import World
from shiprider.observe.cleaner import Cleaner
from shiprider.observe.exposure import ReceptionCounter
from shiprider.observe.order import sorted_rows
from shiprider.ports.feed import Feed
from shiprider.ports.spool import Source

#: Rows kept in memory before days are written out: about 1 GB of both tables.
_ROWS_IN_MEMORY: Final = 4_000_000

#: Rows folded at once.
_STEP_ROWS: Final = 1_000_000

#: fraction done, what is being done.
Progress = Callable[[float, str], None]


@dataclass(slots=True)
class Tally:
    """What the recordings held."""

    observations: int = 0
    statements: int = 0
    messages: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    simulated: bool = False


class DayStore:
    """Rows by UTC day: in memory, or in a temporary folder once there are many."""

    def __init__(self, rows_in_memory: int = _ROWS_IN_MEMORY) -> None:
        self._limit = rows_in_memory
        self._held: dict[date, tuple[list[pa.Table], list[pa.Table]]] = {}
        self._count = 0
        self._folder: Path | None = None
        self._files = 0

    def add(self, observations: pa.Table, statements: pa.Table) -> None:
        """Rows in any order."""
        for which, table in enumerate((observations, statements)):
            if not table.num_rows:
                continue
            days = table.column("day").combine_chunks()
            for day in pc.unique(days).drop_null().to_pylist():
                part = table.filter(pc.equal(days, pa.scalar(day, pa.date32())))
                self._held.setdefault(day, ([], []))[which].append(part)
            self._count += table.num_rows
        if self._count > self._limit:
            self._spill()

    def days(self) -> list[date]:
        """The days there are, in order."""
        written = [date.fromisoformat(p.name) for p in self._folder.iterdir()] if self._folder else []
        return sorted({*self._held, *written})

    def take(self, day: date) -> tuple[pa.Table, pa.Table]:
        """One day's rows, ordered by time, then raw; they are gone afterwards."""
        observations, statements = self._held.pop(day, ([], []))
        self._count -= sum(table.num_rows for table in (*observations, *statements))
        if self._folder is not None and (self._folder / day.isoformat()).exists():
            for path in sorted((self._folder / day.isoformat()).iterdir()):
                (observations if path.name.startswith("o") else statements).append(_read(path))
            shutil.rmtree(self._folder / day.isoformat())
        return (
            sorted_rows(pa.concat_tables(observations)) if observations else OBSERVATIONS.empty_table(),
            sorted_rows(pa.concat_tables(statements)) if statements else STATEMENTS.empty_table(),
        )

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="shiprider-"))
        for day, tables in self._held.items():
            place = self._folder / day.isoformat()
            place.mkdir(exist_ok=True)
            for letter, parts in zip("os", tables, strict=True):
                if parts:
                    self._files += 1
                    table = pa.concat_tables(parts)
                    path = str(place / f"{letter}{self._files:08d}.arrow")
                    options = ipc.IpcWriteOptions(compression="zstd")
                    with ipc.new_file(path, table.schema, options=options) as out:
                        out.write_table(table)
        self._held = {}
        self._count = 0


def read_rows(
    feeds: Sequence[Feed],
    open_decoder: OpenDecoder,
    store: DayStore,
    progress: Progress,
) -> Tally:
    """Decode everything the feeds give into the store.

    Raises InputError where a source cannot be read, UnstampedRecording where nothing tells the time.
    """
    tally = Tally()
    segment = 0
    totals = [feed.total_bytes or 0 for feed in feeds]
    for number, feed in enumerate(feeds):
        decoder: Decoder | None = None
        origin = None
        for chunk in feed.chunks(()):
            if decoder is None or chunk.origin != origin:
                origin = chunk.origin
                segment += 1
                decoder = open_decoder(Source(-1, feed.declaration, origin), chunk.data[:HEAD_BYTES])
            decoded = decoder.decode(
                chunk.data, raw_address(segment, 0) + chunk.file_offset, chunk.received_us, chunk.final
            )
            segment = max(segment, (raw_address(segment, 0) + chunk.file_offset) >> 32)
            _count(tally, decoded.observations, decoded.statements, decoded.messages, decoded.rejects)
            store.add(decoded.observations, decoded.statements)
            done = sum(totals[:number]) + chunk.progress
            progress(done / max(sum(totals), done, 1), f"{tally.observations:,} positions")
    return tally


def _count(
    tally: Tally, observations: pa.Table, statements: pa.Table, messages: pa.Table, rejects: pa.Table
) -> None:
    tally.observations += observations.num_rows
    tally.statements += statements.num_rows
    tally.messages += messages.num_rows
    for entry in rejects.column("reason").value_counts().to_pylist():
        tally.rejects[str(entry["values"])] += int(entry["counts"])


def detect(store: DayStore, folds: Folds, given: World, progress: Progress) -> list[Finding]:
    """Clean all days, in order, then fold them; every finding once, as it stands at the end."""
    history = KeptHistory(_cleaned(store, Cleaner(given.receivers)))
    daily = DailyWorld(given, history.read)
    head = Head(folds, folds.start())
    latest = Latest()
    days = store.days()
    for number, day in enumerate(days):
        observations, statements = store.take(day)
        for now, said, until_us in steps(observations, statements):
            step = head.step(now, said, max(until_us, head.until_us), daily.at(until_us))
            history.add(step.compact, said)
            latest.take(step.findings)
            progress((number + 0.5) / len(days), f"{day} {len(latest.findings):,} findings")
    if days:
        latest.take(head.finish(daily.at(head.until_us)))
    return latest.ordered()


def _cleaned(store: DayStore, cleaner: Cleaner) -> pa.Table:
    """Judge the rows of all days in the store, in the order of time; gives what was heard of whom (RECEPTION)."""
    counter = ReceptionCounter()
    for day in store.days():
        observations, statements, _ = cleaner.clean(*store.take(day), MESSAGES.empty_table())
        counter.count(observations)
        store.add(observations, statements)
    return counter.drain()


def steps(observations: pa.Table, statements: pa.Table) -> Iterator[tuple[pa.Table, pa.Table, int]]:
    """Ordered rows cut into steps at the same times: (observations, statements, until)."""
    observations, statements = _believable(observations), _believable(statements)
    times = np.asarray(pc.cast(observations["time"], pa.int64()).combine_chunks())
    said = np.asarray(pc.cast(statements["time"], pa.int64()).combine_chunks())
    if not len(times) and not len(said):
        return
    end = max(int(t[-1]) for t in (times, said) if len(t))
    edges = sorted({*(int(t) for t in times[_STEP_ROWS::_STEP_ROWS]), end})
    at = said_at = 0
    for edge in edges:
        to, said_to = int(np.searchsorted(times, edge, "right")), int(np.searchsorted(said, edge, "right"))
        yield observations.slice(at, to - at), statements.slice(said_at, said_to - said_at), edge
        at, said_at = to, said_to


def _believable(rows: pa.Table) -> pa.Table:
    """Rows without those of a clock that runs ahead."""
    return rows.filter(pc.equal(pc.bit_wise_and(pc.fill_null(rows["flaws"], 0), int(Flaw.TIME_FUTURE)), 0))


class Latest:
    """Findings by key and start: a later word replaces an earlier one."""

    def __init__(self) -> None:
        self.findings: dict[tuple[object, ...], Finding] = {}

    def take(self, found: Sequence[Finding]) -> None:
        """The next words."""
        for finding in found:
            name = (*finding.key(), finding.start_us)
            if finding.state == "retracted":
                self.findings.pop(name, None)
            else:
                self.findings[name] = finding

    def ordered(self) -> list[Finding]:
        """By start, then by name."""
        return sorted(self.findings.values(), key=lambda f: (f.start_us, *f.key()))


def _read(path: Path) -> pa.Table:
    with ipc.open_file(str(path)) as source:
        return source.read_all()
