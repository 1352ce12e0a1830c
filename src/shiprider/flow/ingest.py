"""Feeds into spool and lake: bytes -> spool, synced -> decode -> observe -> lake, and live consumers.

Always true: a chunk is decoded only after the spool has synced it; the lake's position and the
state to go on from are kept together, so that a stop at any point, however hard, loses and doubles
nothing; a full disk is a state to wait in, not an end.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shiprider.flow.decoding import DecoderStates, Decoding, Rows
from shiprider.model.errors import CorruptStore, DiskFull, InputError, StopFeed
from shiprider.model.tables import raw_parts
from shiprider.ports.feed import Chunk, Feed
from shiprider.ports.lake import LakeWriter
from shiprider.ports.spool import Source, Spool, Stored

#: The stream under which the lake keeps our position.
STREAM: Final = "ingest"

#: Chunks waiting between two threads: bounds memory at a few chunks of 4 MiB and their rows.
_WAITING: Final = 4

#: Chunks synced together: a live feed's small ones share one fsync.
_TOGETHER: Final = 64

#: A snapshot larger than this is not written at every commit, but every `_STATE_EVERY_S`.
_SMALL_STATE: Final = 4 << 20
_STATE_EVERY_S: Final = 60.0

#: How often a full disk is tried again.
_RETRY_S: Final = 1.0


@dataclass
class Status:
    """How ingest is doing.

    `alarms` has one sentence for each place where something needs a person now, `stopped_feeds` for
    each feed that cannot go on, `refused` for each file that was left out because nobody can read it; `labels` of
    those feeds and files (label texts).
    """

    bytes_done: int = 0
    bytes_total: int | None = None
    rows: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    alarms: dict[str, str] = field(default_factory=dict)
    stopped_feeds: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    committed: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class _Commit:
    """Between two chunks: commit up to here, with a new state where the decoders' half is given."""

    position: int
    decoders: DecoderStates | None
    state: bytes | None = None


def check_spool_holds(end: int, position: int) -> None:
    """The spool reaches what the lake was made of. Raises CorruptStore: new bytes would get old bytes' addresses."""
    if end < position:
        (segment, offset), (lost, to) = raw_parts(end), raw_parts(position)
        raise CorruptStore(
            f"The spool ends in segment {segment} at byte {offset}, but the lake was made of it up to segment {lost}, "
            f"byte {to}, so bytes were lost: restore it from a back-up, or go on without them by `shiprider rebuild`."
        )


class Ingest:
    """One run: from construction to `run`'s return. `stop` may be called from any thread.

    Three threads besides the feeds' own: spool and decode (the caller's), observe, lake. They work on
    three chunks at the same time; the kernels and the writers release the interpreter's lock.

    `on_rows` gets every chunk's rows as soon as they are synced and observed (also those decoded
    again after a restart); `on_status` is called after each batch, at most ten times a second.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        spool: Spool,
        writer: LakeWriter,
        decoding: Decoding,
        *,
        commit_every_s: float = 10.0,
        on_rows: Callable[[Rows], None] | None = None,
        on_status: Callable[[Status], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feeds = feeds
        self._spool = spool
        self._writer = writer
        self._decoding = decoding
        self._commit_every_s = commit_every_s
        self._on_rows = on_rows
        self._on_status = on_status
        self._clock = clock
        self._stop = threading.Event()
        self._incoming: queue.Queue[tuple[Feed, Chunk] | Feed] = queue.Queue(_WAITING)
        self._decoded: queue.Queue[Rows | _Commit | None] = queue.Queue(_WAITING)
        self._observed: queue.Queue[Rows | _Commit | None] = queue.Queue(_WAITING)
        self._failure: BaseException | None = None
        self._known: dict[tuple[str, str, str], Source] = {}
        self._progress: dict[str, int] = {}
        self._committed_at = clock()
        self._state_at = clock()
        self._told_at = float("-inf")
        self._position = writer.position
        self._asked = writer.position
        self.status = Status()

    def stop(self) -> None:
        """Ask `run` to end after what is in the spool; from any thread."""
        self._stop.set()
        for feed in self._feeds:
            feed.stop()

    def run(self) -> Status:
        """Until every feed is over or `stop`. Raises what cannot be waited out (CorruptStore, ...)."""
        check_spool_holds(self._spool.end(), self._writer.position)
        totals = [feed.total_bytes for feed in self._feeds]
        self.status.bytes_total = None if None in totals else sum(t for t in totals if t is not None)
        workers = (
            threading.Thread(target=self._each, args=(self._decoded, self._observe), name="ingest-observe"),
            threading.Thread(target=self._each, args=(self._observed, self._until_space), name="ingest-lake"),
        )
        for worker in workers:
            worker.start()
        readers: list[threading.Thread] = []
        try:
            self._decode_again()
            readers = [
                threading.Thread(target=self._read, args=(feed,), name=f"feed-{feed.declaration.name}")
                for feed in self._feeds
            ]
            for reader in readers:
                reader.start()
            self._loop(len(readers))
            self._ask_commit(last=True)
        finally:
            self.stop()
            self._drain(readers)
            for line, worker in zip((self._decoded, self._observed), workers, strict=True):
                line.put(None)
                worker.join()
        if self._failure is not None:
            raise self._failure
        self.status.finished = True
        self._tell(force=True)
        return self.status

    # -- reading -----------------------------------------------------------------------------------

    def _read(self, feed: Feed) -> None:
        name = feed.declaration.name
        try:
            for chunk in feed.chunks(self._spool.taken(name)):
                if self._readable(feed, chunk):
                    self._incoming.put((feed, chunk))
                if self._stop.is_set():
                    break
        except (InputError, StopFeed) as error:
            self.status.stopped_feeds[name] = str(error)
            self.status.labels[name] = feed.declaration.label
        except BaseException as error:
            self._failure = self._failure or error
        self._incoming.put(feed)

    def _readable(self, feed: Feed, chunk: Chunk) -> bool:
        """False for a file that could never be decoded (no time stamps, no known format): it is not kept.

        Raises InputError where the feed is that one file.
        """
        if feed.declaration.received_clock != "recording":
            return True
        if chunk.file_offset == 0:
            self.status.refused.pop(chunk.origin.file, None)
            try:
                self._decoding.try_out(Source(-1, feed.declaration, chunk.origin), chunk.data)
            except InputError as error:
                self.status.refused[chunk.origin.file] = str(error)
                self.status.labels[chunk.origin.file] = feed.declaration.label
                if feed.total_bytes is not None:
                    raise
        return chunk.origin.file not in self.status.refused

    def _drain(self, readers: Sequence[threading.Thread]) -> None:
        """Let readers that wait for room go."""
        while any(reader.is_alive() for reader in readers):
            try:
                self._incoming.get(timeout=0.05)
            except queue.Empty:
                continue

    def _loop(self, running: int) -> None:
        while running and self._failure is None and not self._stop.is_set():
            batch: list[tuple[Feed, Chunk]] = []
            wait = max(0.01, min(0.2, self._commit_every_s))
            while len(batch) < _TOGETHER:
                try:
                    item = self._incoming.get(timeout=wait if not batch else 0.0)
                except queue.Empty:
                    break
                if isinstance(item, tuple):
                    batch.append(item)
                    if sum(len(chunk.data) for _, chunk in batch) > 8 << 20:
                        break
                else:
                    running -= 1
            if batch:
                self._take(batch)
            if self._clock() - self._committed_at >= self._commit_every_s:
                self._ask_commit()
            self._tell()

    # -- spool, decode, observe ----------------------------------------------------------------------

    def _take(self, batch: Sequence[tuple[Feed, Chunk]]) -> None:
        stored = self._store(batch)
        for (feed, chunk), where in zip(batch, stored, strict=False):
            self._pass_on(where, chunk.data)
            self._progress[feed.declaration.name] = chunk.progress
        self.status.bytes_done = sum(self._progress.values())

    def _store(self, batch: Sequence[tuple[Feed, Chunk]]) -> list[Stored]:
        """The chunks that are durable: all of them, or those before a full disk when told to stop."""
        stored: list[Stored] = []
        while True:
            try:
                for feed, chunk in batch[len(stored) :]:
                    stored.append(
                        self._spool.append(
                            self._source(feed, chunk).number,
                            chunk.data,
                            file_offset=chunk.file_offset,
                            received_us=chunk.received_us,
                            final=chunk.final,
                            padding=chunk.padding,
                        )
                    )
                self._spool.sync()
            except DiskFull as error:
                # A segment that was closed inside the batch is durable: what it took is not taken again.
                end = self._spool.end()
                stored = [chunk for chunk in stored if chunk.raw < end]
                if not self._wait_for_space("spool", error):
                    return stored
            else:
                self._clear_alarm("spool")
                return stored

    def _source(self, feed: Feed, chunk: Chunk) -> Source:
        key = (feed.declaration.name, chunk.origin.file, chunk.origin.digest)
        if key not in self._known:
            self._known[key] = self._spool.source(feed.declaration, chunk.origin)
        return self._known[key]

    def _pass_on(self, stored: Stored, data: bytes) -> None:
        rows = self._decoding.decoded(stored, data)
        self._position = rows.end
        self._decoded.put(rows)

    def _each(
        self, line: "queue.Queue[Rows | _Commit | None]", work: Callable[[Rows | _Commit], None]
    ) -> None:
        """Do one step for everything that comes along; after a failure only make room."""
        while (item := line.get()) is not None:
            if self._failure is None:
                try:
                    work(item)
                except BaseException as error:
                    self._failure = error

    def _observe(self, item: Rows | _Commit) -> None:
        if isinstance(item, _Commit):
            if item.decoders is not None:
                item = replace(item, state=self._decoding.joined(item.decoders))
        else:
            item = self._decoding.observed(item)
            self._count(item)
            if self._on_rows is not None:
                self._on_rows(item)
        self._observed.put(item)

    def _count(self, rows: Rows) -> None:
        for name, table in rows.tables.items():
            self.status.rows[name] += len(table)
        if len(rows.quarantine):
            for entry in rows.quarantine.column("reason").value_counts().to_pylist():
                self.status.rejects[str(entry["values"])] += int(entry["counts"])

    def _decode_again(self) -> None:
        """What the spool has beyond the kept state: the lake passes over what it holds already."""
        self._decoding.restore(self._writer.state)
        for stored, data in self._spool.chunks(self._writer.state_position, self._spool.end()):
            if self._stop.is_set() or self._failure is not None:
                return
            self._pass_on(stored, data)
            self._tell()

    # -- lake ----------------------------------------------------------------------------------------

    def _ask_commit(self, *, last: bool = False) -> None:
        now = self._clock()
        self._committed_at = now
        if self._position <= self._asked and not last:
            return
        decoders = None
        due = now - self._state_at >= _STATE_EVERY_S
        if last or due or len(self._writer.state) < _SMALL_STATE:
            decoders = self._decoding.decoder_states()
            self._state_at = now
        self._decoded.put(_Commit(self._position, decoders))
        self._asked = self._position

    def _until_space(self, item: Rows | _Commit) -> None:
        added = False
        while True:
            try:
                if isinstance(item, _Commit):
                    self._writer.commit(item.position, item.state)
                    self.status.committed = item.position
                else:
                    self._writer.add({} if added else item.tables, item.end)
            except DiskFull as error:
                # The writer keeps what it was given: only the writing is tried again.
                added = True
                if not self._wait_for_space("lake", error):
                    raise
            else:
                self._clear_alarm("lake")
                return

    # -- state ---------------------------------------------------------------------------------------

    def _wait_for_space(self, where: str, error: DiskFull) -> bool:
        self.status.alarms[where] = str(error)
        self._tell(force=True)
        return not self._stop.wait(_RETRY_S)

    def _clear_alarm(self, where: str) -> None:
        if self.status.alarms.pop(where, ""):
            self._tell(force=True)

    def _tell(self, *, force: bool = False) -> None:
        now = self._clock()
        if force or now - self._told_at >= 0.1:
            self._told_at = now
            trouble = self._spool.trouble()
            if trouble:
                self.status.alarms["segments"] = trouble
            else:
                self.status.alarms.pop("segments", None)
            self.status.notices = tuple(n for feed in self._feeds for n in feed.notices())
            if self._on_status is not None:
                self._on_status(self.status)
