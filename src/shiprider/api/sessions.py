"""Sessions: who sits at which browser, since when, from where, and for what purpose.

Always true: the cookie's value is random, made anew at every sign-in and whenever somebody gains access,
and only its hash is kept; a session ends by being idle, by its age, by being revoked, or with the
process, and what was open through it (a live push) ends within a second; the start-up token is compared in
constant time.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from shiprider.model.account import Account

#: The cookie's name; under TLS with the prefix that keeps other hosts and plain HTTP from setting it
#: (RFC 6265bis, 4.1.3.2).
COOKIE: Final = "shiprider_session"
SECURE_COOKIE: Final = "__Host-shiprider_session"

#: More sessions than a watch floor has chairs: beyond it the oldest ends. And so for one person.
_MOST: Final = 256
_MOST_OF_ONE: Final = 12

#: How long somebody with a one-time code has to make his password or passkey, seconds.
ENROLLING_S: Final = 15 * 60.0

#: `demo`: signed in by the start-up URL; `program`: came with the token itself, not with a cookie; `token`: a program of
#: a person, with a token of his.
Kind = Literal["account", "demo", "program", "token"]


@dataclass(slots=True, kw_only=True)
class Session:
    """One sign-in. `id` names it in lists and in the access log and opens nothing; times are monotonic seconds.

    `revision` is the account's when it began; `seed` an authenticator that is being set up; `purpose` what
    is read for, `case` for which case.
    """

    id: str
    kind: Kind
    name: str = ""
    account: str = ""
    login: str = ""
    revision: int = 0
    enrolling: bool = False
    purpose: str = ""
    case: str = ""
    address: str = ""
    agent: str = ""
    began_us: int = 0
    began_s: float = 0.0
    seen_s: float = 0.0
    ended: bool = False
    seed: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Sessions:
    """All sessions of one run. Safe from any thread. `clock` gives monotonic seconds."""

    token: str
    idle_s: float = 3600.0
    longest_s: float = 12 * 3600.0
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, token: str, *, purpose: str = "", address: str = "", agent: str = "") -> str | None:
        """The cookie of a new demo session; None where the token is wrong."""
        if not self.is_token(token):
            return None
        session = Session(id=_new_id(), kind="demo", login="demo", purpose=purpose)
        session.address, session.agent = address, agent
        return self._enter(session)

    def begin_for(
        self,
        account: Account,
        *,
        enrolling: bool = False,
        purpose: str = "",
        case: str = "",
        address: str = "",
        agent: str = "",
    ) -> str:
        """The cookie of a new session of somebody who proved himself."""
        session = Session(
            id=_new_id(),
            kind="account",
            name=account.name,
            account=account.id,
            login=account.login,
            revision=account.revision,
            enrolling=enrolling,
            purpose=purpose,
            case=case,
            address=address,
            agent=agent,
        )
        return self._enter(session)

    def renew(self, session: Session) -> str:
        """A new cookie for a session that gained access; the old one opens nothing any more."""
        with self._lock:
            old = next((key for key, each in self._open.items() if each is session), None)
            if old is None or session.ended:
                return ""
            del self._open[old]
            cookie = secrets.token_urlsafe(32)
            self._open[_hash(cookie)] = session
        return cookie

    def _enter(self, session: Session) -> str:
        cookie = secrets.token_urlsafe(32)
        session.began_s = session.seen_s = self.clock()
        session.began_us = time.time_ns() // 1000
        with self._lock:
            mine = [
                k for k, each in self._open.items() if session.account and each.account == session.account
            ]
            for key in mine[: max(len(mine) - _MOST_OF_ONE + 1, 0)]:
                self._open.pop(key).ended = True
            while len(self._open) >= _MOST:
                self._open.pop(next(iter(self._open))).ended = True
            self._open[_hash(cookie)] = session
        return cookie

    def is_token(self, token: str) -> bool:
        """Whether it is the start-up token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def of(self, cookie: str) -> Session | None:
        """Who holds this cookie; asking is being there."""
        key = _hash(cookie)
        with self._lock:
            session = self._open.get(key)
            if session is None:
                return None
            if not self.alive(session):
                session.ended = True
                del self._open[key]
                return None
            session.seen_s = self.clock()
            return session

    def touch(self, session: Session) -> None:
        """Its person did something."""
        session.seen_s = self.clock()

    def alive(self, session: Session) -> bool:
        """Whether it goes on; asking this is not being there."""
        if session.kind == "program":
            return not session.ended
        now = self.clock()
        longest = ENROLLING_S if session.enrolling else self.longest_s
        return not session.ended and now - session.seen_s < self.idle_s and now - session.began_s < longest

    def of_account(self, account_id: str) -> list[Session]:
        """The sessions of one person, newest first."""
        with self._lock:
            mine = [each for each in self._open.values() if each.account == account_id and self.alive(each)]
        return sorted(mine, key=lambda each: each.began_s, reverse=True)

    def count(self) -> int:
        """How many are open."""
        with self._lock:
            return sum(self.alive(each) for each in self._open.values())

    def end(self, *sessions: Session) -> None:
        """End them at once."""
        with self._lock:
            for key in [key for key, each in self._open.items() if each in sessions]:
                self._open.pop(key).ended = True
        for each in sessions:
            each.ended = True


def _new_id() -> str:
    return secrets.token_hex(8)


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
