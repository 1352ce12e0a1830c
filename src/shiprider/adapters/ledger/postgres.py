"""The ledger in PostgreSQL: one writing session under an advisory lock, readers under row-level security.

Always true: the head file is the node's own, so a server that lost acknowledged rows is found out at the
next start; a person's reads run as a role that owns nothing, with the allowed classes set for the
transaction alone, so that a statement which forgets its filter still shows nothing else.
"""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from shiprider.adapters.ledger.log import SqlLog, now_us
from shiprider.model.errors import CorruptStore, DiskFull, NodeBusy, StorageError, UsageError
from shiprider.ports.keys import Keys
from shiprider.ports.ledger import Allowed

#: Names the one writer among the advisory locks of a database.
_WRITER_LOCK: Final = 0x5348_4950_5249_4445

_LOCK_PATIENCE_S: Final = 3.0

#: The role of migration 0004.
_READER: Final = "shiprider_reader"


#: A shorter log is read quickly in any way.
_WORTH_A_LOOK: Final = 2_000
#: Looked at again when it has grown by half.
_GROWN: Final = 1.5


class PostgresLedger(SqlLog):
    """`ports.ledger.Ledger` on a server. `heads` is a file of the node; the rest is as for SQLite.

    Raises UsageError where `url` is none, NodeBusy where another node writes there.
    """

    def __init__(
        self,
        url: str,
        heads: Path,
        *,
        origin: str,
        keys: Keys | None = None,
        clock: Callable[[], int] = now_us,
        verify: bool = True,
    ) -> None:
        try:
            self._url = sa.make_url(url).set(drivername="postgresql+psycopg")
        except (sa.exc.ArgumentError, ValueError):
            raise UsageError("The ledger's address is no URL of a database: write postgresql://…") from None
        host = self._url.host or self._url.query.get("host") or "this machine"
        self._looked_at = _WORTH_A_LOOK
        super().__init__(
            f"The ledger {self._url.database!r} at {host}", origin=origin, keys=keys, clock=clock
        )
        plain = {"connect_timeout": 10, "application_name": "shiprider"}
        self._writer = sa.create_engine(self._url, poolclass=StaticPool, connect_args=plain)
        pool: dict[str, Any] = {
            "poolclass": QueuePool,
            "pool_size": 8,
            "max_overflow": 16,
            "pool_pre_ping": True,
        }
        self._reader = self._reading_engine(plain, pool)
        self._restricted = self._reading_engine(plain, pool)
        sa.event.listen(self._writer, "connect", self._become_writer)
        sa.event.listen(self._restricted, "connect", _become_reader)
        with self._storage_errors():
            heads.parent.mkdir(parents=True, exist_ok=True)
        self._open(heads, verify)

    def _reading_engine(self, plain: dict[str, Any], pool: dict[str, Any]) -> sa.Engine:
        return sa.create_engine(
            self._url,
            connect_args={**plain, "options": "-c default_transaction_read_only=on"},
            isolation_level="REPEATABLE READ",
            **pool,
        )

    def _become_writer(self, raw: Any, _record: Any) -> None:
        """The lock lasts as long as the session; a commit is answered when it is on the disk."""
        with raw.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            # It only looks rows up by their keys; statistics of a table that grows fast say otherwise.
            cursor.execute("SET enable_seqscan = off")
            # A server notices the end of another session in its own time: a node started anew waits for it.
            end = time.monotonic() + _LOCK_PATIENCE_S
            while True:
                got = cursor.execute("SELECT pg_try_advisory_lock(%s)", (_WRITER_LOCK,)).fetchone()
                if got[0] or time.monotonic() > end:
                    break
                time.sleep(0.05)
        raw.commit()
        if not got[0]:
            raw.close()
            raise NodeBusy(f"Another process writes {self._name}: stop it, or ask the running node.")

    def _reader_url(self) -> str:
        return self._url.render_as_string(hide_password=False)

    def _checkpoint(self, now: bool) -> None:
        """The server checkpoints by itself; the bytes of an erased body go with the row's old version.

        It looks at how the tables are filled only once a minute: until then it would plan a read of a log that
        grew a thousandfold as if it were empty, and look each row of an index up in the table, because it does
        not know yet that all may see it.
        """
        if self._head.sequence > _GROWN * self._looked_at and not self._closed:
            self._looked_at = max(self._head.sequence, _WORTH_A_LOOK)
            self._alone("VACUUM (ANALYZE) record, latest, term")
        if now and not self._closed:
            self._alone("VACUUM record")

    def _alone(self, statement: str) -> None:
        """A statement that no transaction may hold; the log is whole without it."""
        with suppress(sa.exc.SQLAlchemyError, psycopg.Error), self._writer.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

    def _let_go(self) -> None:
        self._restricted.dispose()
        super()._let_go()

    @contextmanager
    def _reading(self, allowed: Allowed | None = None) -> Iterator[sa.Connection]:
        engine = self._reader if allowed is None else self._restricted
        with self._storage_errors(), engine.begin() as connection:
            if allowed is not None:
                connection.execute(
                    sa.text("SELECT set_config('shiprider.allowed', :flags, true)"),
                    {"flags": allowed.flags},
                )
            yield connection

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        """The server's errors in our words."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, psycopg.Error, OSError) as error:
            cause: Any = getattr(error, "orig", None) or error
            state = getattr(cause, "sqlstate", None) or ""
            text = " ".join(str(cause).split()) or type(cause).__name__
            if state == "53100" or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(
                    f"The disk of {self._name} is full: free space and decide again; nothing acknowledged was lost."
                ) from error
            if state in ("XX001", "XX002"):
                raise CorruptStore(f"{self._name} is damaged ({text}): restore it from a back-up.") from error
            raise StorageError(
                f"{self._name} refused ({text}): look at the server and its rights."
            ) from error


def _become_reader(raw: Any, _record: Any) -> None:
    with raw.cursor() as cursor:
        cursor.execute(f"SET ROLE {_READER}")
    raw.commit()
