"""Passwords hashed with argon2id (RFC 9106).

Always true: at most `_AT_ONCE` hashes are made at once, each of 64 MiB, so that guessing cannot take the
node's memory; no password and a wrong one take the same time.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from shiprider.model.errors import NodeBusy

_AT_ONCE: Final = 2

#: Longer than this nobody waits, seconds.
_WAIT_S: Final = 10.0


class Argon2Passwords:
    """See `ports.proofs.Passwords`. The costs are RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes)."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        # Compared with where there is nothing to compare with.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """See `ports.proofs.Passwords.hash`."""
        with self._one():
            return self._hasher.hash(password)

    def matches(self, hashed: str, password: str) -> bool:
        """See `ports.proofs.Passwords.matches`."""
        with self._one():
            try:
                return self._hasher.verify(hashed or self._nobody, password) and bool(hashed)
            except (Argon2Error, InvalidHashError):
                return False

    @contextmanager
    def _one(self) -> Iterator[None]:
        if not self._room.acquire(timeout=_WAIT_S):
            raise NodeBusy("Too many people sign in at once: try again in a moment.")
        try:
            yield
        finally:
            self._room.release()
