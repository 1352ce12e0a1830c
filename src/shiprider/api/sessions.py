"""Sessions: who sits at which browser, until there is access control.

Always true: a session begins only with the start-up token, compared in constant time; the cookie's
value is random and only its hash is kept; sessions end with the process.
"""

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import Final

COOKIE: Final = "shiprider_session"

#: More sessions than a watch floor has chairs: beyond it the oldest ends.
_MOST: Final = 256


@dataclass(slots=True)
class Person:
    """Who asks. `program`: came with the token itself, not with a cookie."""

    officer: str = ""
    program: bool = False


@dataclass(slots=True)
class Sessions:
    """All sessions of one run. Safe from any thread."""

    token: str
    _people: dict[str, Person] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, token: str) -> str | None:
        """The cookie of a new session; None where the token is wrong."""
        if not self.is_token(token):
            return None
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._people) >= _MOST:
                del self._people[next(iter(self._people))]
            self._people[_hash(cookie)] = Person()
        return cookie

    def is_token(self, token: str) -> bool:
        """Whether it is the start-up token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def of(self, cookie: str) -> Person | None:
        """Who holds this cookie."""
        with self._lock:
            return self._people.get(_hash(cookie))


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
