"""Accounts in one SQLite file: WAL, synchronous=FULL, one connection behind one lock.

Always true: a method returns when its commit is synced; the file is its owner's alone; what every request
asks (accounts, grants, notices) is answered from memory, which changes only after the commit.
"""

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.pool import StaticPool

from shiprider.adapters.accounts.attempts import counted
from shiprider.adapters.accounts.tables import (
    ACCOUNT,
    API_TOKEN,
    ATTEMPT,
    FORM,
    GRANT,
    METADATA,
    NOTICE,
    PASSKEY,
    SECRET,
)
from shiprider.model.account import Account, ApiToken, Grant, Notice, Passkey, as_read
from shiprider.model.errors import Conflict, CorruptStore, DiskFull, NotFound, StorageError
from shiprider.ports.accounts import Secrets

_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cell_size_check=ON")

#: Notices of one person that stay in sight once he has seen them.
_MOST_NOTICES: Final = 200


class SqliteAccounts:
    """See `ports.accounts.Accounts`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._storage_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        sa.event.listen(self._engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        try:
            with self._commit() as connection:
                self._upgrade(connection)
                rows = connection.execute(sa.select(ACCOUNT.c.body)).scalars()
                self._people = {a.id: a for a in (msgspec.json.decode(row, type=Account) for row in rows)}
                rows = connection.execute(sa.select(GRANT.c.body)).scalars()
                self._grants = {g.id: g for g in (msgspec.json.decode(row, type=Grant) for row in rows)}
                rows = connection.execute(sa.select(API_TOKEN.c.body)).scalars()
                self._tokens = {
                    t.digest: t for t in (msgspec.json.decode(row, type=ApiToken) for row in rows)
                }
                rows = connection.execute(sa.select(NOTICE.c.body)).scalars()
                self._notices = {n.id: n for n in (msgspec.json.decode(row, type=Notice) for row in rows)}
        except BaseException:
            self._engine.dispose()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _upgrade(self, connection: sa.Connection) -> None:
        found = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
        if found > FORM:
            raise StorageError(
                f"{self._path} has form {found}, newer than {FORM}: update Shiprider, nothing was changed."
            )
        METADATA.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {FORM}")

    # -- people -------------------------------------------------------------------------------------

    def all(self) -> list[Account]:
        """See `ports.accounts.Accounts.all`."""
        return sorted(self._people.copy().values(), key=lambda each: each.name.casefold())

    def get(self, account_id: str) -> Account | None:
        """See `ports.accounts.Accounts.get`."""
        return self._people.get(account_id)

    def find(self, *, login: str = "", name: str = "", issuer: str = "", subject: str = "") -> Account | None:
        """See `ports.accounts.Accounts.find`."""
        read = as_read(name)
        for each in self._people.copy().values():
            if login and each.login.casefold() == login.casefold():
                return each
            if name and as_read(each.name) == read:
                return each
            if issuer and (each.issuer, each.subject) == (issuer, subject):
                return each
        return None

    def add(self, account: Account) -> Account:
        """See `ports.accounts.Accounts.add`."""
        with self._commit() as connection:
            try:
                connection.execute(sa.insert(ACCOUNT), _row(account))
                connection.execute(sa.insert(SECRET), {"account": account.id, "step": 0, **_NO_SECRETS})
            except sa.exc.IntegrityError as error:
                raise _taken(account) from error
        self._people[account.id] = account
        return account

    def change(self, account: Account) -> Account:
        """See `ports.accounts.Accounts.change`."""
        changed = structs.replace(account, revision=account.revision + 1)
        with self._commit() as connection:
            try:
                done = connection.execute(
                    sa.update(ACCOUNT)
                    .where(ACCOUNT.c.id == account.id, ACCOUNT.c.revision == account.revision)
                    .values(_row(changed))
                )
            except sa.exc.IntegrityError as error:
                raise _taken(account) from error
            if done.rowcount != 1:
                raise Conflict(
                    f"The account {account.login} was changed in the meantime: look again and decide again."
                )
            self._people[account.id] = changed
        return changed

    # -- what they prove themselves with ------------------------------------------------------------

    def secrets(self, account_id: str) -> Secrets:
        """See `ports.accounts.Accounts.secrets`."""
        with self._commit() as connection:
            row = connection.execute(sa.select(SECRET).where(SECRET.c.account == account_id)).first()
        if row is None:
            return Secrets()
        return Secrets(
            password=row.password,
            authenticator=row.authenticator,
            code=row.code,
            code_until_us=row.code_until_us,
        )

    def set_secrets(self, account_id: str, secrets: Secrets, *, forget_passkeys: bool = False) -> None:
        """See `ports.accounts.Accounts.set_secrets`."""
        with self._commit() as connection:
            connection.execute(
                sa.update(SECRET)
                .where(SECRET.c.account == account_id)
                .values(
                    password=secrets.password,
                    authenticator=secrets.authenticator,
                    code=secrets.code,
                    code_until_us=secrets.code_until_us,
                )
            )
            if forget_passkeys:
                connection.execute(sa.delete(PASSKEY).where(PASSKEY.c.account == account_id))
                connection.execute(sa.delete(API_TOKEN).where(API_TOKEN.c.account == account_id))
        if forget_passkeys:
            self._tokens = {k: each for k, each in self._tokens.items() if each.account != account_id}

    def use_step(self, account_id: str, step: int) -> bool:
        """See `ports.accounts.Accounts.use_step`."""
        with self._commit() as connection:
            done = connection.execute(
                sa.update(SECRET)
                .where(SECRET.c.account == account_id, SECRET.c.step < step)
                .values(step=step)
            )
        return done.rowcount == 1

    def use_code(self, account_id: str, code: bytes, now_us: int) -> bool:
        """See `ports.accounts.Accounts.use_code`."""
        with self._commit() as connection:
            done = connection.execute(
                sa.update(SECRET)
                .where(
                    SECRET.c.account == account_id,
                    SECRET.c.code == code,
                    sa.func.length(SECRET.c.code) > 0,
                    SECRET.c.code_until_us > now_us,
                )
                .values(code=b"", code_until_us=0)
            )
        return done.rowcount == 1

    def passkeys(self, account_id: str) -> list[Passkey]:
        """See `ports.accounts.Accounts.passkeys`."""
        with self._commit() as connection:
            rows = connection.execute(sa.select(PASSKEY).where(PASSKEY.c.account == account_id)).all()
        return [_passkey(row) for row in rows]

    def passkey(self, credential: bytes) -> Passkey | None:
        """See `ports.accounts.Accounts.passkey`."""
        with self._commit() as connection:
            row = connection.execute(sa.select(PASSKEY).where(PASSKEY.c.credential == credential)).first()
        return None if row is None else _passkey(row)

    def add_passkey(self, passkey: Passkey) -> None:
        """See `ports.accounts.Accounts.add_passkey`."""
        with self._commit() as connection:
            try:
                connection.execute(sa.insert(PASSKEY), structs.asdict(passkey))
            except sa.exc.IntegrityError as error:
                raise Conflict("This passkey is known already: use another device.") from error

    def use_passkey(self, credential: bytes, uses: int) -> bool:
        """See `ports.accounts.Accounts.use_passkey`."""
        # A device that does not count says 0 for ever; one that counts must go up.
        advanced = sa.or_(PASSKEY.c.uses < uses, sa.and_(PASSKEY.c.uses == 0, sa.literal(uses) == 0))
        with self._commit() as connection:
            done = connection.execute(
                sa.update(PASSKEY).where(PASSKEY.c.credential == credential, advanced).values(uses=uses)
            )
        return done.rowcount == 1

    # -- their programs -----------------------------------------------------------------------------

    def tokens(self, account_id: str) -> list[ApiToken]:
        """See `ports.accounts.Accounts.tokens`."""
        mine = [each for each in self._tokens.copy().values() if each.account == account_id]
        return sorted(mine, key=lambda each: each.made_us, reverse=True)

    def token(self, digest: bytes) -> ApiToken | None:
        """See `ports.accounts.Accounts.token`."""
        return self._tokens.get(digest)

    def add_token(self, token: ApiToken) -> None:
        """See `ports.accounts.Accounts.add_token`."""
        with self._commit() as connection:
            row = {"id": token.id, "account": token.account, "body": msgspec.json.encode(token)}
            connection.execute(sa.insert(API_TOKEN), row)
            self._tokens[token.digest] = token

    def revoke_token(self, account_id: str, token_id: str) -> None:
        """See `ports.accounts.Accounts.revoke_token`."""
        with self._commit() as connection:
            found = [each for each in self.tokens(account_id) if each.id == token_id]
            if not found:
                raise NotFound(f"You have no token {token_id[:40]}: look the list up again.")
            connection.execute(sa.delete(API_TOKEN).where(API_TOKEN.c.id == token_id))
            del self._tokens[found[0].digest]

    # -- guessing -----------------------------------------------------------------------------------

    def attempt(self, keys: Sequence[tuple[str, int]], now_us: int) -> int:
        """See `ports.accounts.Accounts.attempt`."""
        with self._commit() as connection:
            return counted(connection, keys, now_us)

    def forgive(self, login: str, address: str, now_us: int) -> None:
        """See `ports.accounts.Accounts.forgive`."""
        with self._commit() as connection:
            connection.execute(sa.delete(ATTEMPT).where(ATTEMPT.c.key == login))
            connection.execute(
                sa.update(ATTEMPT)
                .where(ATTEMPT.c.key == address)
                .values(tries=sa.func.max(ATTEMPT.c.tries - 1, 0), not_before_us=now_us)
            )

    # -- break-glass and notices --------------------------------------------------------------------

    def add_grant(self, grant: Grant, notices: Sequence[Notice]) -> None:
        """See `ports.accounts.Accounts.add_grant`."""
        with self._commit() as connection:
            body = msgspec.json.encode(grant)
            connection.execute(sa.insert(GRANT), {"id": grant.id, "account": grant.account, "body": body})
            _insert_notices(connection, notices)
        self._grants[grant.id] = grant
        self._notices |= {each.id: each for each in notices}

    def end_grant(self, grant_id: str, now_us: int) -> None:
        """See `ports.accounts.Accounts.end_grant`."""
        with self._commit() as connection:
            ended = structs.replace(self._grants[grant_id], until_us=now_us)
            body = msgspec.json.encode(ended)
            connection.execute(sa.update(GRANT).where(GRANT.c.id == grant_id).values(body=body))
        self._grants[grant_id] = ended

    def grants(self, account_id: str, now_us: int) -> list[Grant]:
        """See `ports.accounts.Accounts.grants`."""
        return [
            each
            for each in self._grants.copy().values()
            if each.account == account_id and each.from_us <= now_us < each.until_us
        ]

    def add_notices(self, notices: Sequence[Notice]) -> None:
        """See `ports.accounts.Accounts.add_notices`."""
        with self._commit() as connection:
            _insert_notices(connection, notices)
        self._notices |= {each.id: each for each in notices}

    def notices(self, account_id: str) -> list[Notice]:
        """See `ports.accounts.Accounts.notices`."""
        mine = [each for each in self._notices.copy().values() if each.to == account_id]
        mine.sort(key=lambda each: each.at_us, reverse=True)
        # What nobody has looked at yet is never pushed out of sight by more of the same.
        return [each for place, each in enumerate(mine) if place < _MOST_NOTICES or not each.seen_us]

    def see_notice(self, account_id: str, notice_id: str, now_us: int) -> None:
        """See `ports.accounts.Accounts.see_notice`."""
        notice = self._notices.get(notice_id)
        if notice is None or notice.to != account_id:
            raise NotFound(f"There is no notice {notice_id[:40]} for you: look the list up again.")
        seen = structs.replace(notice, seen_us=notice.seen_us or now_us)
        with self._commit() as connection:
            body = msgspec.json.encode(seen)
            connection.execute(sa.update(NOTICE).where(NOTICE.c.id == notice_id).values(body=body))
        self._notices[notice_id] = seen

    def close(self) -> None:
        """See `ports.accounts.Accounts.close`."""
        with self._lock:
            self._engine.dispose()

    @contextmanager
    def _commit(self) -> Iterator[sa.Connection]:
        with self._lock, self._storage_errors(), self._engine.begin() as connection:
            yield connection

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
                    f"The disk of {self._path} is full: free space and try again; nothing acknowledged was lost."
                ) from error
            if "malformed" in text or "not a database" in text:
                raise CorruptStore(f"{self._path} is damaged ({text}): restore it from a back-up.") from error
            raise StorageError(f"{self._path} refused ({text}): look at the disk and its rights.") from error


_NO_SECRETS: Final[dict[str, Any]] = {"password": "", "authenticator": b"", "code": b"", "code_until_us": 0}


def _row(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "login": account.login.casefold(),
        "name": as_read(account.name),
        "issuer": account.issuer or None,
        "subject": account.subject or None,
        "revision": account.revision,
        "body": msgspec.json.encode(account),
    }


def _passkey(row: Any) -> Passkey:
    return Passkey(**{name: getattr(row, name) for name in Passkey.__struct_fields__})


def _insert_notices(connection: sa.Connection, notices: Sequence[Notice]) -> None:
    for each in notices:
        row = {"id": each.id, "account": each.to, "body": msgspec.json.encode(each)}
        connection.execute(sa.insert(NOTICE), row)


def _taken(account: Account) -> Conflict:
    return Conflict(f"The login {account.login!r} or the name {account.name!r} is taken: choose another.")
