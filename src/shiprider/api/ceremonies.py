"""Ceremonies: what was asked of a browser and is waited for, a passkey's challenge or a provider's answer.

Always true: each is good once and for five minutes; of a kind there are never more than `MOST`, and of one network
never more than `MOST_OF_ONE`, the oldest go first, so that a stranger who asks for many pushes out his own.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from shiprider.flow.networks import network_of

MOST: Final = 1000
MOST_OF_ONE: Final = 50
WAIT_S: Final = 300.0


@dataclass(slots=True)
class Ceremonies:
    """Those that have begun. `clock` gives monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _begun: dict[str, tuple[float, str, str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, kind: str, content: Any, name: str = "", *, address: str = "") -> str:
        """Its name, random where none is given; `address` is where it was asked from."""
        name = name or secrets.token_urlsafe(24)
        network = network_of(address)
        with self._lock:
            same = [key for key, (_, found, _, _) in self._begun.items() if found == kind]
            mine = [key for key in same if self._begun[key][2] == network]
            for key in mine[: max(len(mine) - MOST_OF_ONE + 1, 0)] or same[: max(len(same) - MOST + 1, 0)]:
                del self._begun[key]
            self._begun[name] = (self.clock(), kind, network, content)
        return name

    def take(self, kind: str, name: str) -> Any | None:
        """What was begun under this name; None where it is another kind, used, or too old."""
        with self._lock:
            began, found, _, content = self._begun.pop(name, (0.0, "", "", None))
        return content if found == kind and self.clock() - began < WAIT_S else None
