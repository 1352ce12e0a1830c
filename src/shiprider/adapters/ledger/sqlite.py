"""The ledger in one SQLite file: WAL, synchronous=FULL, one writing connection in one thread.

Always true: only the writing connection checkpoints; readers open the file read-only.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from shiprider.adapters.ledger.log import SqlLog, now_us
from shiprider.model.errors import CorruptStore, DiskFull, NodeBusy, StorageError
from shiprider.ports.keys import Keys

#: The writing connection checkpoints after about so many bytes written. (The size of the write-ahead log
#: would not do: a checkpoint that lets SQLite begin it anew leaves the file as long as it was.)
_CHECKPOINT_BYTES: Final = 16 << 20


#: The index of ids of a million records; SQLite's own two mebibytes would read most of it again at each commit.
_CACHE_KIB: Final = 64 << 10


class SqliteLedger(SqlLog):
    """`ports.ledger.Ledger` on a file. Opening migrates, verifies, and raises CorruptStore on doubt.

    Without `keys` a log is neither signed nor, once it is signed, opened. `verify=False` trusts all but
    the newest record and the signed head over it.
    """

    def __init__(
        self,
        path: Path,
        *,
        origin: str,
        keys: Keys | None = None,
        clock: Callable[[], int] = now_us,
        verify: bool = True,
    ) -> None:
        super().__init__(str(path), origin=origin, keys=keys, clock=clock)
        self._path = path
        with self._storage_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = self._lock()
        self._writer = sa.create_engine("sqlite://", creator=self._connect_writer, poolclass=StaticPool)
        self._reader = sa.create_engine(
            "sqlite://", creator=self._connect_reader, poolclass=QueuePool, pool_size=8, max_overflow=16
        )
        for engine, begin in ((self._writer, "BEGIN IMMEDIATE"), (self._reader, "BEGIN")):
            _begin_with(engine, begin)
        self._open(path.with_suffix(".head"), verify)

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
            f"cache_size=-{_CACHE_KIB}",
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

    def _reader_url(self) -> str:
        return f"sqlite:///file:{quote(str(self._path.absolute()))}?mode=ro&uri=true"

    def _checkpoint(self, now: bool) -> None:
        if now or self._unchecked > _CHECKPOINT_BYTES:
            self._unchecked = 0
            with self._writer.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                raw.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if now else 'PASSIVE'})").fetchall()

    def _let_go(self) -> None:
        super()._let_go()
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
