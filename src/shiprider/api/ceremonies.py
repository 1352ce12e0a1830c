"""Ceremonies: what was asked of a browser and is waited for, a passkey's challenge or a provider's answer.

Always true: each is good once and for five minutes; of a kind there are never more than `MOST`, the oldest go
first, so that strangers who ask for one kind push out none of another.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

MOST: Final = 1000
WAIT_S: Final = 300.0


@dataclass(slots=True)
class Ceremonies:
    """Those that have begun. `clock` gives monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _begun: dict[str, tuple[float, str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, kind: str, content: Any, name: str = "") -> str:
        """Its name, random where none is given."""
        name = name or secrets.token_urlsafe(24)
        with self._lock:
            same = [key for key, (_, found, _) in self._begun.items() if found == kind]
            for key in same[: max(len(same) - MOST + 1, 0)]:
                del self._begun[key]
            self._begun[name] = (self.clock(), kind, content)
        return name

    def take(self, kind: str, name: str) -> Any | None:
        """What was begun under this name; None where it is another kind, used, or too old."""
        with self._lock:
            began, found, content = self._begun.pop(name, (0.0, "", None))
        return content if found == kind and self.clock() - began < WAIT_S else None
