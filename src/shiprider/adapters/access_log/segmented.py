"""The access log in segments on a local disk: appends of many threads share one sync.

Always true: `append` returns only when its lines, and then the signed head over them, are synced; an
append that cannot be written leaves the log as it was and raises, so that the access is refused; opening
checks the closed segments' hashes, every line of the live one and the signed heads.
"""

import fcntl
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shiprider.adapters.access_log import heads, lines, searching
from shiprider.adapters.access_log.chain import Chain, Link
from shiprider.adapters.access_log.disk import open_file, refused, sync_folder, write_all
from shiprider.adapters.access_log.searching import Held
from shiprider.adapters.access_log.verifying import (
    Walk,
    check_closed,
    held,
    segment_path,
    start_of,
    verify_folder,
)
from shiprider.model.access_entry import AccessEntry
from shiprider.model.errors import CorruptStore, NodeBusy, NotFound, StorageError
from shiprider.ports.access_log import LogSegment, Question, SignedHead
from shiprider.ports.ledger import Head
from shiprider.ports.signing import Checker, Signer

#: Bytes of a segment: about 100,000 entries, read whole in some hundredths of a second.
SEGMENT_BYTES: Final = 32 << 20

#: Entries that share one sync at most.
_BATCH: Final = 5000

#: A signed head goes into the history so often, or after so many entries: whichever comes first.
HEAD_EVERY_S: Final = 60.0
HEAD_EVERY: Final = 10_000


@dataclass(slots=True)
class _Job:
    entries: Sequence[AccessEntry]
    answer: "Future[int]"


def _now_us() -> int:
    return time.time_ns() // 1000


class SegmentedAccessLog:
    """`ports.access_log.AccessLog` in a folder. Raises CorruptStore on doubt, NodeBusy, StorageError."""

    def __init__(
        self,
        folder: Path,
        *,
        origin: str,
        signer: Signer | None = None,
        check: Checker | None = None,
        clock: Callable[[], int] = _now_us,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self._folder, self._origin, self._check, self._clock = folder, origin, check, clock
        self._segment_bytes = segment_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_file = self._lock()
            try:
                self._chain = Chain(folder / "chain.log")
                self._heads = heads.Heads(folder, lambda head: heads.signed(origin, head, clock(), signer))
                self._open_live()
            except BaseException:
                os.close(self._lock_file)
                raise
        except OSError as error:
            raise refused(error, folder) from error
        self._kept_s, self._kept = time.monotonic(), self._head.sequence
        self._closed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_loop, name="access-log", daemon=True)
        self._thread.start()

    # -- opening ------------------------------------------------------------------------------------

    def _lock(self) -> int:
        handle = open_file(self._folder / "lock")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise NodeBusy(
                f"Another process writes {self._folder}: stop it, or ask the running node."
            ) from None
        return handle

    def _open_live(self) -> None:
        links = self._chain.links
        newest = self._heads.newest
        there = list(held(self._folder, links))
        if (
            newest is None
            and there
            and (there[0][1] or segment_path(self._folder, there[0][0]).stat().st_size)
        ):
            raise CorruptStore(f"{self._folder / 'head'} is gone: restore the access log from a back-up.")
        known = [*self._heads.history, *([newest] if newest is not None else [])]
        for head in (self._heads.history[-1:] + ([newest] if newest is not None else []))[-2:]:
            if not heads.trusted(head, self._origin, self._check):
                raise CorruptStore(
                    f"{self._folder} has a head at entry {head.sequence} that none of this node's keys signed: "
                    "restore it from a back-up."
                )
        reached = start_of(self._folder, links)
        live = None
        for number, link in there:
            if link is None:
                live = number
            else:
                check_closed(self._folder, link, segment_path(self._folder, number).read_bytes(), reached)
                reached = Head(link.last, link.hash)
        self._number = live if live is not None else max((link.segment for link in links), default=0) + 1
        self._live = open_file(segment_path(self._folder, self._number))
        self._first, self._before = reached.sequence + 1, reached.hash
        # Heads within closed segments are gone through by `verify`.
        walk = Walk(
            str(self._folder),
            reached.sequence,
            reached.hash,
            [h for h in known if h.sequence >= reached.sequence],
        )
        data = os.pread(self._live, os.fstat(self._live).st_size, 0)
        end, whole = self._recover(walk, data, newest.sequence if newest is not None else 0)
        if end < len(data):
            os.ftruncate(self._live, end)
            os.fsync(self._live)
        self._end, self._head = end, whole
        self._span = searching.span(data[:end])
        self._show()
        if newest is None or whole.sequence > newest.sequence:
            self._heads.acknowledge(whole)

    def _recover(self, walk: Walk, data: bytes, acknowledged: int) -> tuple[int, Head]:
        """Where the last whole append ends. What was acknowledged must be whole; a torn tail is cut off."""
        at = end = 0
        whole = walk.head
        for line in data.splitlines(keepends=True):
            try:
                remaining = walk.step(line)
            except CorruptStore:
                if walk.head.sequence < acknowledged:
                    raise
                break
            at += len(line)
            if remaining == 0:
                end, whole = at, walk.head
        walk.end()
        return end, whole

    # -- writing ------------------------------------------------------------------------------------

    def append(self, entries: Sequence[AccessEntry]) -> int:
        """See `ports.access_log.AccessLog.append`."""
        if self._closed:
            raise StorageError(f"{self._folder} is closed: start the node again.")
        if not entries:
            return self._head.sequence
        job = _Job(entries, Future())
        self._jobs.put(job)
        return job.answer.result()

    def _write_loop(self) -> None:
        running = True
        while running:
            jobs: list[_Job] = []
            size = 0
            try:
                job = self._jobs.get(timeout=HEAD_EVERY_S)
            except queue.Empty:
                self._keep_head(due=True)
                continue
            while job is not None:
                jobs.append(job)
                size += len(job.entries)
                if size >= _BATCH:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            running = job is not None
            if jobs:
                self._commit(jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        sequence, previous = self._head.sequence, self._head.hash
        parts: list[bytes] = []
        answers: list[int] = []
        try:
            for job in jobs:
                data, previous = lines.packed(job.entries, sequence, previous)
                sequence += len(job.entries)
                parts.append(data)
                answers.append(sequence)
            self._write(b"".join(parts), Head(sequence, previous))
        except BaseException as error:
            told = refused(error, self._folder) if isinstance(error, OSError) else error
            for job in jobs:
                job.answer.set_exception(told)
            return
        for entry in (entry for job in jobs for entry in job.entries):
            self._span = searching.widened(self._span, entry.at_us)
        self._show()
        for job, answer in zip(jobs, answers, strict=True):
            job.answer.set_result(answer)
        self._keep_head()
        if self._end >= self._segment_bytes:
            self._roll()

    def _write(self, data: bytes, head: Head) -> None:
        try:
            write_all(self._live, data, self._end)
            os.fdatasync(self._live)
            self._heads.acknowledge(head)
        except OSError:
            # Cutting needs no space: the log stays as it was before.
            os.ftruncate(self._live, self._end)
            raise
        self._end += len(data)
        self._head = head

    def _show(self) -> None:
        """What readers see of the live segment, swapped as one."""
        self._shown = Held(self._number, self._first, self._head.sequence, *(self._span or (0, 0)), self._end)

    def _keep_head(self, *, due: bool = False) -> None:
        """A signed head into the history. A full disk is no reason to refuse what is already durable."""
        late = time.monotonic() - self._kept_s >= HEAD_EVERY_S
        if due or late or self._head.sequence - self._kept >= HEAD_EVERY:
            try:
                self._heads.keep()
            except OSError:
                return
            self._kept_s, self._kept = time.monotonic(), self._head.sequence

    def _roll(self) -> None:
        """Close the live segment and begin the next. Where that fails it is tried after the next append."""
        path = segment_path(self._folder, self._number)
        first_us, last_us = self._span or (0, 0)
        try:
            following = open_file(segment_path(self._folder, self._number + 1))
            try:
                self._heads.keep()
                self._chain.append(
                    Link(
                        segment=self._number,
                        first=self._first,
                        last=self._head.sequence,
                        first_us=first_us,
                        last_us=last_us,
                        bytes=self._end,
                        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                        before=self._before,
                        hash=self._head.hash,
                    )
                )
            except OSError:
                os.close(following)
                segment_path(self._folder, self._number + 1).unlink(missing_ok=True)
                raise
        except OSError:
            return
        full, self._live = self._live, following
        os.close(full)
        self._number += 1
        self._end, self._span = 0, None
        self._first, self._before = self._head.sequence + 1, self._head.hash
        self._show()

    # -- reading ------------------------------------------------------------------------------------

    def since(
        self, sequence: int, *, limit: int = 1000, who: str = "", object_id: str = "", act: str = ""
    ) -> list[tuple[int, AccessEntry]]:
        """See `ports.access_log.AccessLog.since`."""
        return self.search(
            Question(from_sequence=sequence, limit=limit, who=who, object_id=object_id, act=act)
        )

    def search(self, question: Question) -> list[tuple[int, AccessEntry]]:
        """See `ports.access_log.AccessLog.search`."""
        gone = self._chain.removed()
        # The live one first, then the closed: one that is closed meanwhile is read twice at most, never missed.
        live = self._shown
        closed = [
            Held(link.segment, link.first, link.last, link.first_us, link.last_us, link.bytes)
            for link in self._chain.closed()
            if link.segment not in gone and link.segment != live.number
        ]
        try:
            return searching.search(self._folder, [*closed, live], question)
        except OSError as error:
            raise StorageError(
                f"{self._folder} cannot be read ({error.strerror}): check the disk."
            ) from error

    def head(self) -> Head:
        """See `ports.access_log.AccessLog.head`."""
        return self._head

    def signed_head(self) -> SignedHead:
        """See `ports.access_log.AccessLog.signed_head`."""
        newest = self._heads.newest
        if newest is None:  # opening acknowledged one
            raise StorageError(f"{self._folder} has no head: start the node again.")
        return newest

    def segments(self) -> Sequence[LogSegment]:
        """See `ports.access_log.AccessLog.segments`."""
        gone = self._chain.removed()
        closed = [
            LogSegment(
                k.segment, k.first, k.last, k.first_us, k.last_us, k.bytes, True, gone.get(k.segment, "")
            )
            for k in self._chain.closed()
        ]
        live = self._shown
        shown = (live.number, live.first, live.last, live.first_us, live.last_us, live.bytes)
        return [
            *(each for each in closed if each.number != live.number),
            LogSegment(*shown, closed=False, removed=""),
        ]

    def remove(self, segment: int, why: str) -> int:
        """See `ports.access_log.AccessLog.remove`."""
        gone = self._chain.removed()
        oldest = next((link for link in self._chain.closed() if link.segment not in gone), None)
        if oldest is None or oldest.segment != segment or not why:
            raise NotFound(
                f"Segment {segment} is not the oldest closed one of the access log, or no reason is given: only "
                "whole segments go, oldest first."
            )
        try:
            self._chain.append(msgspec.structs.replace(oldest, removed=why))
            segment_path(self._folder, segment).unlink()
            sync_folder(self._folder)
        except OSError as error:
            raise refused(error, self._folder) from error
        return oldest.bytes

    def verify(self) -> Head:
        """See `ports.access_log.AccessLog.verify`."""
        try:
            return verify_folder(self._folder, origin=self._origin, check=self._check)
        except OSError as error:
            raise StorageError(
                f"{self._folder} cannot be read ({error.strerror}): check the disk."
            ) from error

    # -- closing ------------------------------------------------------------------------------------

    def close(self) -> None:
        """See `ports.access_log.AccessLog.close`."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        self._keep_head(due=True)
        os.close(self._live)
        self._heads.close()
        self._chain.close()
        os.close(self._lock_file)
