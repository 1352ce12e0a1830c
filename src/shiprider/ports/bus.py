"""Bus: the way between two nodes; it carries bundles as bytes and is trusted with nothing.

Always true: what is sent may arrive later, twice, in another order or not at all; who sends keeps it until its
partner's application says that it is durable there; who receives says `done` only after that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

#: records: kept and delivered in the end; frames: live positions, the latest wins.
Lane = Literal["records", "frames"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes that came. `done` tells the way that they need not come again."""

    data: bytes
    done: Callable[[], None]


class Link(Protocol):
    """The way to one partner and back; used by one thread."""

    def send(self, lane: Lane, data: bytes) -> None:
        """Hand over; on return the way has it, which promises nothing. Raises LinkDown."""
        ...

    def receive(self, lane: Lane, most: int, wait_s: float) -> Sequence[Parcel]:
        """What came, at most so many, waiting at most so long for the first. Raises LinkDown."""
        ...

    def close(self) -> None:
        """Let go."""
        ...
