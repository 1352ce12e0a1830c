"""The log on any SQL database: one writing thread, batches, signatures, tree heads, checks at start.

Always true: `append` returns only when its rows, their signed tree head and then the head file are
durable; appends that wait together share one commit; no transaction has rows without a head over them.
"""

import os
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import sqlalchemy as sa

from shiprider.adapters.ledger import reading, schema, verifying, writing
from shiprider.adapters.ledger.checking import stretches
from shiprider.adapters.ledger.classing import Classes
from shiprider.adapters.ledger.derived import verify_derived
from shiprider.adapters.ledger.headfile import HeadFile
from shiprider.adapters.ledger.tables import ERASURE, RECORD
from shiprider.adapters.ledger.tree import Tiles, Tree, roots
from shiprider.model import merkle, signature
from shiprider.model.errors import Conflict, CorruptStore, NotFound, ShipriderError, StorageError, UsageError
from shiprider.model.record import Draft, Record
from shiprider.model.release_class import ReleaseClass
from shiprider.model.tree_head import Inclusion, TreeHead
from shiprider.ports.keys import Keys, Signer
from shiprider.ports.ledger import Allowed, Filed, Head, Query, Received, TermsOf

#: Records in one commit at most; more that wait go into the next.
_BATCH: Final = 5000

#: What a row costs beside its body, with its indexes.
_ROW_BYTES: Final = 1800


@dataclass(slots=True)
class _Job:
    """What waits for the writing thread: drafts, or a body to erase after a recorded act."""

    drafts: list[writing.Entry]
    answer: "Future[list[Record]]"
    erase: tuple[str, int] | None = None


@dataclass(slots=True)
class _Done:
    """What one transaction did."""

    head: Head
    recorded_us: int
    tree: Tree
    written: writing.Written = field(default_factory=writing.Written)
    answers: list[tuple[_Job, list[Record]]] = field(default_factory=list)
    refused: list[tuple[_Job, BaseException]] = field(default_factory=list)


def now_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class SqlLog(ABC):
    """`ports.ledger.Ledger` but for what a database has of its own, which a subclass gives.

    A subclass sets `_writer` and `_reader` (engines), then calls `_open`.
    """

    _writer: sa.Engine
    _reader: sa.Engine

    def __init__(self, name: str, *, origin: str, keys: Keys | None, clock: Callable[[], int]) -> None:
        self._check_of: Callable[[str], signature.Check] = _nobodys
        self._name = name
        self._origin = origin
        self._keys = keys
        self._clock = clock
        self._tree = Tree()
        self._first_signed = 1
        self._head, self._recorded_us = Head(0, ""), 0
        self._classes = Classes({})
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._unchecked = 0
        self._heads: HeadFile | None = None
        self._thread = threading.Thread(target=self._write_loop, name="ledger-writer", daemon=True)

    @property
    def origin(self) -> str:
        """See `ports.ledger.Ledger.origin`."""
        return self._origin

    # -- what a database has of its own ---------------------------------------------------------------

    @abstractmethod
    def _storage_errors(self) -> AbstractContextManager[None]:
        """The database's errors in our words."""

    @abstractmethod
    def _checkpoint(self, now: bool) -> None:
        """After a commit; `now` where erased bytes must leave the disk."""

    @abstractmethod
    def _reader_url(self) -> str:
        """Where a helping process reads the same log."""

    def _let_go(self) -> None:
        self._reader.dispose()
        self._writer.dispose()
        if self._heads is not None:
            self._heads.close()

    # -- opening --------------------------------------------------------------------------------------

    def _open(self, head_file: Path, verify: bool) -> None:
        try:
            with self._storage_errors():
                with self._writer.begin() as connection:
                    schema.upgrade(connection, self._name)
                self._heads = HeadFile(head_file)
                self._check_start(self._heads, verify)
        except BaseException:
            self._let_go()
            raise
        self._thread.start()

    def _check_start(self, heads: HeadFile, verify: bool) -> None:
        acknowledged = heads.read()
        with self._reader.begin() as connection:
            stored, recorded_us = reading.head(connection)
            signed = reading.tree_head(connection)
            if stored.sequence < acknowledged.sequence:
                raise CorruptStore(
                    f"{self._name} ends at record {stored.sequence} but {acknowledged.sequence} were acknowledged: "
                    "records were lost; restore it from a back-up."
                )
            if not acknowledged.sequence and reading.commits(connection) > 1:
                # A stop can come between the first commit and its head, not between two: the file was emptied.
                raise CorruptStore(
                    f"{self._name} holds {stored.sequence} records but its head file is empty: what came after them may "
                    "be lost; restore both from a back-up."
                )
            if signed is None and self._keys is not None and reading.any_signed(connection):
                raise CorruptStore(
                    f"{self._name} holds signed records but no signed head over them: restore it from a back-up."
                )
            if signed is not None and self._keys is None:
                raise StorageError(f"{self._name} is signed: open it with the node's keys.")
            tiles: Tiles = {}
            if verify or (signed is None and self._keys is not None):
                checked = verifying.join(
                    stretches(connection, self._reader_url(), stored.sequence), self._name, acknowledged
                )
                self._tree, tiles = checked.tree, checked.tiles
                if signed is not None:
                    verifying.check_tiles(connection, self._name, tiles)
            elif signed is not None:
                self._tree = Tree.load(connection, stored.sequence)
            verifying.check_acknowledged(connection, self._name, acknowledged)
            self._check_head(signed, stored, self._tree)
            self._classes = Classes(reading.classes(connection))
        self._head, self._recorded_us = stored, recorded_us
        if signed is not None:
            self._first_signed = signed.first_signed
        elif self._keys is not None:
            self._first_signed = stored.sequence + 1
            if stored.sequence:  # a log older than signatures: from now on a signed head is over it
                with self._keys.signing() as signer, self._writer.begin() as connection:
                    at_us = max(self._clock(), recorded_us, signer.from_us)
                    made = self._tree_head(signer, stored, self._tree, at_us)
                    writing.store_tree(connection, tiles, made)
        if stored.sequence > acknowledged.sequence:
            heads.write(stored)

    def _check_head(self, signed: TreeHead | None, head: Head, tree: Tree) -> None:
        if self._keys is not None:
            verifying.check_tree_head(signed, head, tree, self._origin, self._name, self._keys.check)

    def _tree_head(self, signer: Signer, head: Head, tree: Tree, at_us: int) -> TreeHead:
        made = TreeHead(
            origin=self._origin,
            size=head.sequence,
            root=tree.root().hex(),
            link=head.hash,
            first_signed=self._first_signed,
            recorded_us=at_us,
            key_id=signer.key_id,
        )
        return msgspec.structs.replace(made, signature=signer.sign(made.statement(), at_us))

    def check_others(self, check_of: Callable[[str], signature.Check]) -> None:
        """See `ports.ledger.Ledger.check_others`."""
        self._check_of = check_of

    # -- writing --------------------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft | Filed | Received]) -> list[Record]:
        """See `ports.ledger.Ledger.append`."""
        wanted = writing.filed(drafts)
        if not wanted:
            return []
        writing.check_form(wanted, self._origin)
        return self._submit(_Job(wanted, Future()))

    def erase(self, record_id: str, revision: int, *, author: str, authority: str, reason: str) -> Record:
        """See `ports.ledger.Ledger.erase`. The act bears the label of what it erased."""
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
            label=target.label,
            purpose=target.purpose,
            case=target.case,
            body=body,
        )
        filed = writing.filed([act])
        writing.check_form(filed, self._origin)
        return self._submit(_Job(filed, Future(), erase=(record_id, target.sequence)))[0]

    def _submit(self, job: _Job) -> list[Record]:
        if self._closed:
            raise StorageError(f"{self._name} is closed: start the node again.")
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
        try:
            with self._storage_errors(), self._signing() as signer:
                try:
                    done = self._write(jobs, signer, careful=False)
                except sa.exc.IntegrityError:  # an id that was said to be new is not: look at each
                    self._classes.settle(False)
                    done = self._write(jobs, signer, careful=True)
                self._classes.settle(True)
                if done.written.records:
                    self._acknowledge(done.head)
                    self._head, self._recorded_us, self._tree = done.head, done.recorded_us, done.tree
                    self._unchecked += sum(_ROW_BYTES + len(r.body or b"") for r in done.written.records)
                    self._checkpoint(any(job.erase for job, _ in done.answers))
        except BaseException as error:
            self._classes.settle(False)
            self._after_failure()
            for job in jobs:
                job.answer.set_exception(error)
            return
        for job, problem in done.refused:
            job.answer.set_exception(problem)
        for job, records in done.answers:
            job.answer.set_result(records)

    def _write(self, jobs: list[_Job], signer: Signer | None, *, careful: bool) -> "_Done":
        """One transaction. Ids that are said to be new are looked up only where `careful`: the unique index
        of revisions refuses one that is not."""
        recorded_us = max(self._clock(), self._recorded_us, signer.from_us if signer else 0)
        done = _Done(self._head, recorded_us, self._tree.copy())
        sign = _signatures(signer, recorded_us)
        with self._writer.begin() as connection:
            asked = {
                each.fields.id if isinstance(each, Received) else each.draft.id
                for job in jobs
                for each in job.drafts
                if careful or isinstance(each, Received) or each.draft.expected_revision
            }
            known = reading.revisions(connection, sorted(asked)) if asked else {}
            for job in jobs:
                try:
                    known.update(writing.check_revisions(known, job.drafts, self._origin))
                except ShipriderError as error:
                    done.refused.append((job, error))
                    continue
                before = len(done.written.records)
                done.head = writing.make_records(
                    job.drafts,
                    origin=self._origin,
                    head=done.head,
                    recorded_us=recorded_us,
                    number=self._classes.number,
                    sign=sign,
                    into=done.written,
                )
                done.answers.append((job, done.written.records[before:]))
            if done.written.records:
                self._classes.write(connection)
                writing.insert_records(connection, done.written)
                if signer is not None:
                    tiles = done.tree.extend(done.written.leaves)
                    made = self._tree_head(signer, done.head, done.tree, recorded_us)
                    writing.store_tree(connection, tiles, made)
            for job, records in done.answers:
                if job.erase is not None:
                    _erase(connection, job.erase[1], records[0].sequence)
        return done

    def _signing(self) -> AbstractContextManager[Signer | None]:
        return nullcontext() if self._keys is None else self._keys.signing()

    def _acknowledge(self, head: Head) -> None:
        if self._heads is not None:
            self._heads.write(head)

    def _after_failure(self) -> None:
        """A commit that failed may still be in the database (its head file write failed): look."""
        try:
            with self._reader.begin() as connection:
                head, recorded_us = reading.head(connection)
                if head != self._head:
                    tree = Tree.load(connection, head.sequence) if self._keys is not None else Tree()
                    self._classes = Classes(reading.classes(connection))
                    self._head, self._recorded_us, self._tree = head, recorded_us, tree
        except Exception:  # the next commit meets the same trouble and tells it
            return

    # -- reading --------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self, allowed: Allowed | None = None) -> Iterator[sa.Connection]:
        """A connection that cannot write, and that may be held to some release classes by the database itself."""
        del allowed
        with self._storage_errors(), self._reader.begin() as connection:
            yield connection

    def classes(self) -> Mapping[int, ReleaseClass]:
        """See `ports.ledger.Ledger.classes`."""
        return self._classes.known()

    def class_counts(self) -> Mapping[int, int]:
        """See `ports.ledger.Ledger.class_counts`."""
        with self._reading(None) as connection:
            return reading.class_counts(connection)

    def _until(self, known_us: int | None) -> int | None:
        """The last sequence number that was here at a time. Asked of the whole log: it depends on no observer."""
        if known_us is None:
            return None
        with self._reading() as connection:
            return reading.known(connection, self._origin, known_us)

    def latest(
        self, record_id: str, *, known_us: int | None = None, allowed: Allowed | None = None
    ) -> Record:
        """See `ports.ledger.Ledger.latest`."""
        until = self._until(known_us)
        with self._reading(allowed) as connection:
            return reading.latest(connection, record_id, until, allowed)

    def latest_of(self, record_ids: Sequence[str], *, allowed: Allowed | None = None) -> dict[str, Record]:
        """See `ports.ledger.Ledger.latest_of`."""
        with self._reading(allowed) as connection:
            return reading.latest_of(connection, record_ids, allowed)

    def of_kind(
        self, kind: str, *, known_us: int | None = None, allowed: Allowed | None = None
    ) -> list[Record]:
        """See `ports.ledger.Ledger.of_kind`."""
        until = self._until(known_us)
        with self._reading(allowed) as connection:
            return reading.of_kind(connection, kind, until, allowed)

    def find(self, query: Query) -> list[Record]:
        """See `ports.ledger.Ledger.find`."""
        with self._reading(query.allowed) as connection:
            return reading.find(connection, query)

    def count(self, query: Query) -> int:
        """See `ports.ledger.Ledger.count`."""
        with self._reading(query.allowed) as connection:
            return reading.count(connection, query)

    def history(self, record_id: str, *, allowed: Allowed | None = None) -> list[Record]:
        """See `ports.ledger.Ledger.history`."""
        with self._reading(allowed) as connection:
            return reading.history(connection, record_id, allowed)

    def since(
        self,
        sequence: int,
        *,
        limit: int = 1000,
        kinds: Sequence[str] = (),
        allowed: Allowed | None = None,
    ) -> list[Record]:
        """See `ports.ledger.Ledger.since`."""
        with self._reading(allowed) as connection:
            return reading.since(connection, sequence, limit, kinds, allowed)

    def revisions_of(
        self, record_ids: Sequence[str], *, allowed: Allowed | None = None
    ) -> dict[str, list[int]]:
        """See `ports.ledger.Ledger.revisions_of`."""
        with self._reading(allowed) as connection:
            return reading.revisions_of(connection, record_ids, allowed)

    def head(self, *, known_us: int | None = None, allowed: Allowed | None = None) -> Head:
        """See `ports.ledger.Ledger.head`."""
        until = self._until(known_us)
        if allowed is not None:
            with self._reading(allowed) as connection:
                return reading.own_head(connection, until, allowed)
        if until is None:
            return self._head
        with self._reading() as connection:
            return reading.head(connection, until)[0]

    def tree_head(self, size: int | None = None) -> TreeHead | None:
        """See `ports.ledger.Ledger.tree_head`."""
        with self._reading() as connection:
            return reading.tree_head(connection, size)

    def inclusion(self, sequence: int, head: TreeHead) -> Inclusion:
        """See `ports.ledger.Ledger.inclusion`."""
        with self._reading() as connection:
            if not 1 <= sequence <= head.size <= self._head.sequence:
                raise NotFound(f"Record {sequence} is not under the head of {head.size} records: look again.")
            path = merkle.inclusion(sequence - 1, head.size, roots(connection))
        return Inclusion(index=sequence - 1, head=head, path=tuple(each.hex() for each in path))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """See `ports.ledger.Ledger.consistency`."""
        if not 0 <= old <= new <= self._head.sequence:
            raise UsageError(
                f"There is no proof from {old} to {new} records: give sizes that the log has had."
            )
        with self._reading() as connection:
            return merkle.consistency(old, new, roots(connection))

    def verify(self, terms_of: TermsOf | None = None) -> Head:
        """See `ports.ledger.Ledger.verify`."""
        acknowledged = self._head
        with self._reading() as connection:
            parts = [verifying.stretch(connection, 1)]
            checked = verifying.join(parts, self._name, acknowledged)
            verifying.check_acknowledged(connection, self._name, acknowledged)
            if self._keys is not None:
                signed = reading.tree_head(connection)
                self._check_head(signed, checked.head, checked.tree)
                verifying.check_signatures(connection, self._name, self._first_signed, self._check_by)
                if signed is not None:
                    verifying.check_tiles(connection, self._name, checked.tiles)
            if terms_of is not None:
                verify_derived(connection, self._name, terms_of)
            return checked.head

    def _check_by(self, origin: str) -> signature.Check:
        if origin == self._origin and self._keys is not None:
            return self._keys.check
        return self._check_of(origin)

    # -- closing --------------------------------------------------------------------------------------

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


def _nobodys(_origin: str) -> signature.Check:
    """Of a node that is not known no signature is good."""
    return lambda *_: False


def _signatures(signer: Signer | None, at_us: int) -> writing.Sign | None:
    if signer is None:
        return None
    return lambda envelopes: signature.signatures(
        envelopes, signer.key_id, lambda message: signer.sign(message, at_us)
    )


def _erase(connection: sa.Connection, sequence: int, by_sequence: int) -> None:
    connection.execute(sa.insert(ERASURE), {"sequence": sequence, "by_sequence": by_sequence})
    connection.execute(sa.update(RECORD).where(RECORD.c.sequence == sequence).values(body=None))
