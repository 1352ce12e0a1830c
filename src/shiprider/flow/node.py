"""A running node: feeds -> ingest -> order -> track -> detect -> watch, and what people see of it.

Always true: one node is one process and one lock holder; bytes are in the spool before anything is
made of them; what is shown live is what the lake and the ledger will say after a restart; a failure
of the folding thread stops the node with its reason, never silently.
"""

import queue
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from shiprider.flow.catchup import CatchUp, Progress, count_reception
from shiprider.flow.decoding import Decoding, Rows
from shiprider.flow.folds import FoldState, LiveFold
from shiprider.flow.ingest import Ingest, Status
from shiprider.flow.keeping import StateShelf
from shiprider.flow.learn import DailyWorld
from shiprider.flow.pictures import Pictures
from shiprider.flow.pieces import Pieces
from shiprider.flow.sealing import SEAL_EVERY_S, SpoolSeals
from shiprider.flow.status import FeedState, NodeStatus, Notice
from shiprider.flow.watch import Watch
from shiprider.measure.clock import HOUR_US, MINUTE_US
from shiprider.model.codes import Nature
from shiprider.model.errors import ShipriderError
from shiprider.model.label import combined_text
from shiprider.model.tables import STATEMENTS, TRACK_POINTS
from shiprider.model.world import World
from shiprider.observe.order import Sequencer
from shiprider.ports.feed import Feed
from shiprider.ports.lake import Lake, LakeWriter
from shiprider.ports.ledger import Ledger
from shiprider.ports.spool import Spool

#: Idle for so long, what the sequencer holds back is let through: nothing more is coming to order it by.
_IDLE_S: Final = 1.2

#: Late rows are folded in this often; those late by seconds (jitter) sooner than a satellite's.
_REFOLD_S: Final = 60.0
_REFOLD_NEAR_S: Final = 5.0
_NEAR_US: Final = 2 * MINUTE_US

#: How often track points, states and the reception map are written.
_KEEP_S: Final = 60.0

#: The lake's small files are joined so often.
_TEND_S: Final = 900.0

#: Watchlists and areas are looked at again so often.
_ORDERS_S: Final = 3.0

#: Whether something is to be sealed is asked so often.
_SEAL_LOOK_S: Final = 0.5

#: After fixing what many findings rest on (an older node's first run), rest so many times as long as it took.
_FOLLOW_REST: Final = 4.0

#: The picture at the start is made of so much of the lake's past.
_PICTURE_US: Final = 24 * HOUR_US

#: A live feed that gave nothing for so long is idle.
_SILENT_S: Final = 120.0
#: Files that could not be read, named in the status: the newest.
_REFUSED_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The node's stores and what folds over them: put together by `bootstrap`."""

    folder: Path
    spool: Spool
    lake: Lake
    ledger: Ledger
    ingest_writer: LakeWriter
    points_writer: LakeWriter
    reception_writer: LakeWriter
    decoding: Callable[[], Decoding]
    world: DailyWorld
    given: Callable[[], World]
    watch: Watch
    shelf: StateShelf
    seals: SpoolSeals
    pieces: Pieces
    clock: Callable[[], int]


@dataclass(slots=True)
class Node:
    """See the module. `catch_up` before `run`; `stop` from any thread."""

    stores: Stores
    live: LiveFold
    commit_every_s: float = 10.0
    budget_bytes: int = 0
    pictures: Pictures = field(default_factory=Pictures)
    #: Told of every step's points once their findings are recorded: for measuring.
    on_points: Callable[[pa.Table], None] | None = None
    _sequencer: Sequencer = field(default_factory=Sequencer)
    _rows: "queue.Queue[Rows | None]" = field(default_factory=lambda: queue.Queue(64))
    _stop: threading.Event = field(default_factory=threading.Event)
    _ingest: Ingest | None = None
    _feeds: Sequence[Feed] = ()
    _failure: BaseException | None = None
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    #: Observations in the lake by the number of their label.
    _kept_rows: Counter[int] = field(default_factory=Counter)
    _newest_us: int = 0
    _orders_seen: int = 0
    _tending: str = ""
    _sealing: str = ""
    #: Why recordings given at the start were left out, one sentence each.
    _left_out: tuple[Notice, ...] = ()
    _started_s: float = field(default_factory=time.monotonic)

    # -- recordings -----------------------------------------------------------------------------------

    def ingest(self, feeds: Sequence[Feed], progress: Progress) -> Status:
        """Take recordings into spool and lake; nothing is folded yet. Raises what ingest raises."""

        def told(status: Status) -> None:
            part = status.bytes_done / status.bytes_total if status.bytes_total else 0.0
            progress(min(part, 1.0), f"{status.rows['observations']:,} positions")

        self._ingest = Ingest(
            feeds,
            self.stores.spool,
            self.stores.ingest_writer,
            self.stores.decoding(),
            commit_every_s=self.commit_every_s,
            on_status=told,
        )
        self._feeds = feeds
        if self._stop.is_set():
            self._ingest.stop()
        with self._sealed():
            status = self._ingest.run()
        self._left_out = tuple(
            Notice(text, status.labels.get(feed, "")) for feed, text in status.stopped_feeds.items()
        )
        return status

    def catch_up(self, progress: Progress) -> None:
        """Fold what the lake has and nobody folded yet; then the picture is up to date."""
        position = self.stores.ingest_writer.position
        count_reception(self.stores.lake, self.stores.reception_writer, position)
        stores = self.stores
        self._orders_seen = stores.ledger.head().sequence
        stores.world.give(stores.given())
        work = CatchUp(
            stores.lake,
            self.live.folds,
            stores.world,
            stores.watch,
            stores.points_writer,
            stores.shelf,
            stores.clock,
            self.live.allowed_lateness_us,
        )
        self._resume(work.run(position, progress, self._stop.is_set))
        if self._stop.is_set():
            # What `run` kept is what the next start goes on from.
            return
        self.load_picture()
        points: list[pa.Table] = []
        for until_us, observations, statements in work.rest(self.live.head.until_us):
            if self._stop.is_set():
                break
            points += self._take(observations, statements, until_us)
            self._sequencer.watermark_us = self._sequencer.newest_us = until_us
        self._settle()
        self._keep(points)

    def _resume(self, state: FoldState) -> None:
        self.live.resume(state)
        self._sequencer = Sequencer()
        if state.until_us:
            self._sequencer.watermark_us = self._sequencer.newest_us = state.until_us

    def load_picture(self) -> None:
        """Make the picture from the lake's newest day: for a start, or to read without running."""
        lake = self.stores.lake
        newest = lake.scan("track_points", ["time"]).select(pl.col("time").max()).collect().item()
        if newest is None:
            return
        until = round(newest.timestamp() * 1e6)
        points = lake.scan("track_points", start_us=until - _PICTURE_US, end_us=until + 1)
        latest = points.sort("time", "raw").group_by("track", "label_id").last().collect()
        self.pictures.take_points(_table(latest, TRACK_POINTS))
        said = lake.scan("statements", start_us=until - 30 * _PICTURE_US, end_us=until + 1)
        kept = said.sort("time", "raw").unique(
            ["claimed_id", "name", "callsign", "imo", "ship_type", "label_id"],
            keep="last",
            maintain_order=True,
        )
        self.pictures.take_statements(_table(kept.collect(), STATEMENTS))
        self._newest_us = until
        rows = lake.scan("observations", ["label_id"]).group_by(pl.col("label_id").fill_null(0)).len()
        self._kept_rows = Counter(dict(rows.collect().iter_rows()))

    # -- live -----------------------------------------------------------------------------------------

    def run(self, feeds: Sequence[Feed]) -> None:
        """Take live feeds until `stop`. Raises what stopped a thread."""
        self._feeds = feeds
        folding = threading.Thread(target=self._fold_loop, name="fold")
        folding.start()
        tending = threading.Thread(target=self._tend, name="tend", daemon=True)
        tending.start()
        try:
            with self._sealed(follow=True):
                if feeds and not self._stop.is_set():
                    self._ingest = Ingest(
                        feeds,
                        self.stores.spool,
                        self.stores.ingest_writer,
                        self.stores.decoding(),
                        commit_every_s=self.commit_every_s,
                        on_rows=self._rows.put,
                    )
                    if self._stop.is_set():
                        self._ingest.stop()
                    self._ingest.run()
                while not self._stop.wait(0.2):
                    pass
        finally:
            self._rows.put(None)
            folding.join()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask `ingest`, `catch_up` and `run` to end; from any thread."""
        self._stop.set()
        if self._ingest is not None:
            self._ingest.stop()

    def _tend(self) -> None:
        """Join the lake's small files now and then; a failure is told in the status and tried again."""
        while not self._stop.wait(_TEND_S):
            try:
                self.stores.lake.compact()
                self.stores.lake.vacuum()
            except ShipriderError as error:
                self._tending = str(error)
            else:
                self._tending = ""

    @contextmanager
    def _sealed(self, *, follow: bool = False) -> Iterator[None]:
        """Meanwhile what comes in is sealed in the ledger, and at the end the rest of it.

        `follow`: what findings rest on is fixed, too. A failure is told in the status and tried again.
        """
        done = threading.Event()

        def work() -> None:
            sealed = time.monotonic()
            try:
                while not done.wait(_SEAL_LOOK_S):
                    since_s = time.monotonic() - sealed
                    if self.stores.seals.due(since_s):
                        self._seal(done, follow=False)
                    if since_s >= SEAL_EVERY_S:
                        if follow:
                            self._seal(done, follow=True)
                        sealed = time.monotonic()
            except BaseException as error:
                self._failure = error
                self.stop()

        sealing = threading.Thread(target=work, name="seal")
        sealing.start()
        try:
            yield
        finally:
            done.set()
            sealing.join()
            self._seal(done, follow=False)

    def _seal(self, done: threading.Event, *, follow: bool) -> None:
        try:
            self.stores.seals.seal()
            began = time.monotonic()
            while (
                follow
                and self.stores.pieces.follow()
                and not done.wait(_FOLLOW_REST * (time.monotonic() - began))
            ):
                began = time.monotonic()
        except ShipriderError as error:
            self._sealing = str(error)
        else:
            self._sealing = ""

    def _fold_loop(self) -> None:
        try:
            self._fold_all()
        except BaseException as error:
            self._failure = error
            self.stop()
            while self._rows.get() is not None:
                pass

    def _fold_all(self) -> None:
        folded = self.stores.ingest_writer.position
        refolded = kept = heard = asked = time.monotonic()
        pending: list[pa.Table] = []
        while True:
            try:
                rows = self._rows.get(timeout=0.25)
            except queue.Empty:
                rows = None
                if time.monotonic() - heard > _IDLE_S:
                    pending += self._take(*self._let_through())
                    heard = time.monotonic()
            else:
                if rows is None:
                    pending += self._take(*self._let_through())
                    self._refold(pending)
                    self._settle()
                    self._keep(pending)
                    return
                heard = time.monotonic()
                if rows.end > folded:
                    folded = rows.end
                    pending += self._take_rows(rows)
            now = time.monotonic()
            if now - asked > _ORDERS_S:
                self._take_orders()
                asked = time.monotonic()
            late = self.live.late_from_us
            if late is not None:
                near = self.live.head.until_us - late < _NEAR_US
                if now - refolded > (_REFOLD_NEAR_S if near else _REFOLD_S):
                    self._refold(pending)
                    refolded = time.monotonic()
            if now - kept > _KEEP_S:
                self._keep(pending)
                kept = time.monotonic()

    def _take_orders(self) -> None:
        """Watchlists and areas that people changed in the meantime."""
        head = self.stores.ledger.head().sequence
        if head == self._orders_seen:
            return
        # An erasure may be a partner's list that was taken back.
        kinds = ("watchlist", "area", "adoption", "erasure")
        if self.stores.ledger.since(self._orders_seen, limit=1, kinds=kinds):
            self.stores.world.give(self.stores.given())
        self._orders_seen = head

    def _take_rows(self, rows: Rows) -> list[pa.Table]:
        if rows.observations.num_rows:
            labels = pc.fill_null(rows.observations["label_id"], 0)
            for each in pc.value_counts(labels).to_pylist():
                self._kept_rows[each["values"]] += each["counts"]
        self._note_feeds(rows)
        let = self._sequencer.push(rows.observations, rows.statements)
        if let.late_observations.num_rows or let.late_statements.num_rows:
            self.stores.watch.saw(let.late_observations)
            self.stores.watch.saw(let.late_statements)
            self.live.put_aside(let.late_observations, let.late_statements)
        return self._take(let.observations, let.statements, let.until_us)

    def _let_through(self) -> tuple[pa.Table, pa.Table, int]:
        let = self._sequencer.finish()
        return let.observations, let.statements, let.until_us

    def _take(self, observations: pa.Table, statements: pa.Table, until_us: int) -> list[pa.Table]:
        if not observations.num_rows and not statements.num_rows:
            return []
        self.stores.watch.saw(observations)
        self.stores.watch.saw(statements)
        step = self.live.take(observations, statements, until_us)
        if step is None:
            return []
        self.stores.watch.advance(step.findings)
        self.pictures.take_points(step.full)
        if self.on_points is not None:
            self.on_points(step.full)
        self.pictures.take_statements(statements)
        self._newest_us = max(self._newest_us, until_us)
        return [step.compact]

    def _refold(self, pending: list[pa.Table]) -> None:
        change = self.live.refold()
        if change is not None:
            self.stores.watch.refold(change.before, change.after)
            self.pictures.take_points(change.full)
            pending.append(change.compact)

    def _settle(self) -> None:
        """What is still open is recorded as it stands now, however its rows came."""
        head = self.live.head
        if head.until_us:
            self.stores.watch.settle(head.finish(self.live.world_at(head.until_us)))

    def _keep(self, pending: list[pa.Table]) -> None:
        """Track points to the lake, the oldest snapshot to the shelf, the reception map on."""
        stores = self.stores
        if pending:
            end = max(stores.points_writer.position + 1, stores.clock())
            stores.points_writer.add({"track_points": pa.concat_tables(pending)}, end)
            stores.points_writer.commit(end)
            pending.clear()
        if self.live.oldest.until_us:
            stores.shelf.put(self.live.oldest, stores.ingest_writer.position)
        count_reception(stores.lake, stores.reception_writer, stores.ingest_writer.position)

    # -- what it says of itself -----------------------------------------------------------------------

    def _note_feeds(self, rows: Rows) -> None:
        table = rows.observations
        if table.num_rows:
            name = str(table.column("feed")[0].as_py())
            count, _ = self._seen.get(name, (0, 0.0))
            self._seen[name] = (count + table.num_rows, time.monotonic())

    def status(self) -> NodeStatus:
        """Feeds, lag, disk, counts."""
        now = time.monotonic()
        ingest = self._ingest.status if self._ingest is not None else Status()
        feeds = tuple(self._feed_state(feed, ingest, now) for feed in self._feeds)
        disk = shutil.disk_usage(self.stores.folder)
        refused = list(ingest.refused.items())[-_REFUSED_SHOWN:]
        notices = [
            *(Notice(text) for text in ingest.alarms.values()),
            *self._left_out,
            *(Notice(text, f.declaration.label) for f in self._feeds for text in f.notices()),
            *(Notice(text, ingest.labels.get(file, "")) for file, text in refused),
            *(Notice(text) for text in filter(None, [self._tending, self._sealing])),
        ]
        # What concerns the whole spool is told to who may see all of it.
        everything = [*self.stores.seals.trouble()]
        if self.live.too_late:
            late = f"{self.live.too_late:,} rows came later than allowed; they are in the lake and folded in at the next start."
            everything.append(late)
        if everything:
            labels = {source.declaration.label for source in self.stores.spool.sources()}
            notices += [Notice(text, combined_text(labels)) for text in everything]
        return NodeStatus(
            feeds=feeds,
            observations=dict(self._kept_rows),
            used_bytes=_size(self.stores.folder),
            free_bytes=disk.free,
            budget_bytes=self.budget_bytes,
            notices=tuple(notices),
        )

    def _feed_state(self, feed: Feed, ingest: Status, now_s: float) -> FeedState:
        declared = feed.declaration
        count, last = self._seen.get(declared.name, (0, 0.0))
        stopped = ingest.stopped_feeds.get(declared.name, "")
        done = ingest.finished or declared.received_clock == "recording"
        fresh = count > 0 and now_s - last < _SILENT_S
        return FeedState(
            name=declared.name,
            label=declared.label,
            wall=declared.received_clock == "wall",
            kind=declared.standard,
            condition="down" if stopped else "live" if fresh else "done" if done else "idle",
            messages=count,
            messages_per_s=count / max(now_s - self._started_s, 1.0),
            nature=Nature(declared.nature).name.lower(),
            # What a quiet feed says of its line tells more than that it is quiet.
            notice=stopped or ("" if fresh else next(iter(feed.notices()), "")),
        )


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def _table(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    table: pa.Table = frame.select(schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(schema)
