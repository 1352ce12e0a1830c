"""The ledger in one SQLite file: WAL, synchronous=FULL, one writing connection in one thread.

Always true: `append` returns only when its rows and then the head file are synced; appends that wait
together share one commit; only the writing connection checkpoints; readers open the file read-only.
"""

import errno
import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from shiprider.adapters.ledger import reading, schema, writing
from shiprider.adapters.ledger.headfile import HeadFile
from shiprider.adapters.ledger.tables import ERASURE, RECORD
from shiprider.adapters.ledger.verifying import verify_chain, verify_derived
from shiprider.model.errors import Conflict, CorruptStore, DiskFull, NodeBusy, ShipriderError, StorageError
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Filed, Head, Query, TermsOf

#: Records in one commit at most; more that wait go into the next.
_BATCH: Final = 5000

#: The writing connection checkpoints after about so many bytes written. (The size of the write-ahead log
#: would not do: a checkpoint that lets SQLite begin it anew leaves the file as long as it was.)
_CHECKPOINT_BYTES: Final = 16 << 20

#: What a row costs beside its body, with its indexes.
_ROW_BYTES: Final = 1500


@dataclass(slots=True)
class _Job:
    """What waits for the writing thread: drafts, or a body to erase after a recorded act."""

    drafts: list[Filed]
    answer: "Future[list[Record]]"
    erase: tuple[str, int] | None = None


def _now_us() -> int:
    return time.time_ns() // 1000


class SqliteLedger:
    """`ports.ledger.Ledger` on a file. Opening migrates, verifies, and raises CorruptStore on doubt."""

    def __init__(
        self,
        path: Path,
        *,
        origin: str,
        clock: Callable[[], int] = _now_us,
        verify: bool = True,
    ) -> None:
        self._path = path
        self._origin = origin
        self._clock = clock
        with self._storage_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = self._lock()
        self._writer = sa.create_engine("sqlite://", creator=self._connect_writer, poolclass=StaticPool)
        self._reader = sa.create_engine(
            "sqlite://", creator=self._connect_reader, poolclass=QueuePool, pool_size=8, max_overflow=16
        )
        for engine, begin in ((self._writer, "BEGIN IMMEDIATE"), (self._reader, "BEGIN")):
            _begin_with(engine, begin)
        try:
            with self._storage_errors():
                with self._writer.begin() as connection:
                    schema.upgrade(connection, str(path))
                self._heads = HeadFile(path.with_suffix(".head"))
                self._head, self._recorded_us = self._check_start(verify)
        except BaseException:
            self._let_go()
            raise
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._unchecked = 0
        self._thread = threading.Thread(target=self._write_loop, name="ledger-writer", daemon=True)
        self._thread.start()

    # -- opening ------------------------------------------------------------------------------------

    def _lock(self) -> int:
        handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise NodeBusy(
                f"Another process writes {self._path}: stop it, or ask the running node."
            ) from None
        return handle

    def _connect_writer(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "wal_autocheckpoint=0",
            "cell_size_check=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _connect_reader(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path.absolute()))}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
        )
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _check_start(self, verify: bool) -> tuple[Head, int]:
        acknowledged = self._heads.read()
        with self._reader.begin() as connection:
            stored, recorded_us = reading.head(connection)
            if stored.sequence < acknowledged.sequence:
                raise CorruptStore(
                    f"{self._path} ends at record {stored.sequence} but {acknowledged.sequence} were acknowledged: "
                    "records were lost; restore it from a back-up."
                )
            if verify:
                verify_chain(connection, str(self._path), acknowledged)
            elif acknowledged.sequence:
                row = connection.execute(
                    sa.select(RECORD).where(RECORD.c.sequence == acknowledged.sequence)
                ).one()
                if reading.hash_of(reading.record_from(row)) != acknowledged.hash:
                    raise CorruptStore(
                        f"{self._path} was changed at record {acknowledged.sequence}: restore it from a back-up."
                    )
        if stored.sequence > acknowledged.sequence:
            self._heads.write(stored)
        return stored, recorded_us

    # -- writing ------------------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft | Filed]) -> list[Record]:
        """See `ports.ledger.Ledger.append`."""
        wanted = writing.filed(drafts)
        if not wanted:
            return []
        writing.check_form(wanted)
        return self._submit(_Job(wanted, Future()))

    def erase(self, record_id: str, revision: int, *, author: str, authority: str, reason: str) -> Record:
        """See `ports.ledger.Ledger.erase`."""
        target = next((r for r in self.history(record_id) if r.revision == revision), None)
        if target is None:
            raise Conflict(f"The record {record_id} has no revision {revision}: look at its history again.")
        if target.body is None:
            raise Conflict(
                f"The body of revision {revision} of {record_id} is already erased: nothing to do."
            )
        body = msgspec.json.encode(
            {
                "record": record_id,
                "revision": revision,
                "sequence": target.sequence,
                "authority": authority,
                "reason": reason,
            }
        )
        act = Draft(
            id=os.urandom(16).hex(),
            kind="erasure",
            expected_revision=0,
            schema=1,
            author=author,
            valid_from_us=self._clock(),
            body=body,
        )
        filed = writing.filed([act])
        writing.check_form(filed)
        return self._submit(_Job(filed, Future(), erase=(record_id, target.sequence)))[0]

    def _submit(self, job: _Job) -> list[Record]:
        if self._closed:
            raise StorageError(f"{self._path} is closed: start the node again.")
        self._jobs.put(job)
        return job.answer.result()

    def _write_loop(self) -> None:
        running = True
        while running:
            job = self._jobs.get()
            jobs: list[_Job] = []
            size = 0
            while job is not None:
                jobs.append(job)
                size += len(job.drafts)
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
        answers: list[tuple[_Job, list[Record]]] = []
        refused: list[tuple[_Job, BaseException]] = []
        try:
            with self._storage_errors():
                head, recorded_us = self._head, max(self._clock(), self._recorded_us)
                with self._writer.begin() as connection:
                    ids = {each.draft.id for job in jobs for each in job.drafts}
                    known = reading.revisions(connection, sorted(ids))
                    records: list[Record] = []
                    drafts: list[Filed] = []
                    for job in jobs:
                        try:
                            known.update(writing.check_revisions(known, job.drafts))
                        except ShipriderError as error:
                            refused.append((job, error))
                            continue
                        made, head = writing.records_from(job.drafts, self._origin, head, recorded_us)
                        answers.append((job, made))
                        records += made
                        drafts += job.drafts
                    if records:
                        writing.insert_records(connection, records, drafts)
                    for job, made in answers:
                        if job.erase is not None:
                            _erase(connection, job.erase[1], made[0].sequence)
                if records:
                    self._heads.write(head)
                    self._head, self._recorded_us = head, recorded_us
                    self._unchecked += sum(_ROW_BYTES + len(each.body or b"") for each in records)
                    self._checkpoint(any(job.erase for job, _ in answers))
        except BaseException as error:
            self._after_failure()
            for job in jobs:
                job.answer.set_exception(error)
            return
        for job, problem in refused:
            job.answer.set_exception(problem)
        for job, made in answers:
            job.answer.set_result(made)

    def _after_failure(self) -> None:
        """A commit that failed may still be in the database (its head file write failed): look."""
        try:
            with self._reader.begin() as connection:
                self._head, self._recorded_us = reading.head(connection)
        except (sa.exc.SQLAlchemyError, sqlite3.Error):
            return

    def _checkpoint(self, now: bool) -> None:
        if now or self._unchecked > _CHECKPOINT_BYTES:
            self._unchecked = 0
            with self._writer.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                raw.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if now else 'PASSIVE'})").fetchall()

    # -- reading ------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._storage_errors(), self._reader.begin() as connection:
            yield connection

    def latest(self, record_id: str, *, known_us: int | None = None) -> Record:
        """See `ports.ledger.Ledger.latest`."""
        with self._reading() as connection:
            return reading.latest(connection, record_id, known_us)

    def latest_of(self, record_ids: Sequence[str]) -> dict[str, Record]:
        """See `ports.ledger.Ledger.latest_of`."""
        with self._reading() as connection:
            return reading.latest_of(connection, record_ids)

    def of_kind(self, kind: str, *, known_us: int | None = None) -> list[Record]:
        """See `ports.ledger.Ledger.of_kind`."""
        with self._reading() as connection:
            return reading.of_kind(connection, kind, known_us)

    def find(self, query: Query) -> list[Record]:
        """See `ports.ledger.Ledger.find`."""
        with self._reading() as connection:
            return reading.find(connection, query)

    def count(self, query: Query) -> int:
        """See `ports.ledger.Ledger.count`."""
        with self._reading() as connection:
            return reading.count(connection, query)

    def history(self, record_id: str) -> list[Record]:
        """See `ports.ledger.Ledger.history`."""
        with self._reading() as connection:
            return reading.history(connection, record_id)

    def since(self, sequence: int, *, limit: int = 1000, kinds: Sequence[str] = ()) -> list[Record]:
        """See `ports.ledger.Ledger.since`."""
        with self._reading() as connection:
            return reading.since(connection, sequence, limit, kinds)

    def head(self, *, known_us: int | None = None) -> Head:
        """See `ports.ledger.Ledger.head`."""
        if known_us is None:
            return self._head
        with self._reading() as connection:
            return reading.head(connection, known_us)[0]

    def verify(self, terms_of: TermsOf | None = None) -> Head:
        """See `ports.ledger.Ledger.verify`."""
        with self._reading() as connection:
            head = verify_chain(connection, str(self._path), self._head)
            if terms_of is not None:
                verify_derived(connection, str(self._path), terms_of)
            return head

    # -- closing ------------------------------------------------------------------------------------

    def close(self) -> None:
        """See `ports.ledger.Ledger.close`."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        with self._storage_errors():
            self._checkpoint(True)
        self._let_go()

    def _let_go(self) -> None:
        self._reader.dispose()
        self._writer.dispose()
        if hasattr(self, "_heads"):
            self._heads.close()
        os.close(self._lock_file)

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        """SQLite's errors in our words."""
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error, OSError) as error:
            cause = getattr(error, "orig", None) or error
            text = str(cause)
            if "disk is full" in text or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(
                    f"The disk of {self._path} is full: free space and decide again; nothing acknowledged was lost."
                ) from error
            if "malformed" in text or "not a database" in text:
                raise CorruptStore(f"{self._path} is damaged ({text}): restore it from a back-up.") from error
            raise StorageError(f"{self._path} refused ({text}): look at the disk and its rights.") from error


def _begin_with(engine: sa.Engine, statement: str) -> None:
    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(statement)


def _erase(connection: sa.Connection, sequence: int, by_sequence: int) -> None:
    connection.execute(sa.insert(ERASURE), {"sequence": sequence, "by_sequence": by_sequence})
    connection.execute(sa.update(RECORD).where(RECORD.c.sequence == sequence).values(body=None))
