"""Engine: the same pure function over many partitions, on this machine or on many.

Always true: results come in the order of the partitions, each exactly once, whichever worker or
node made them and however often one was lost on the way.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

P = TypeVar("P")
R = TypeVar("R")


class Engine(Protocol):
    """Runs partitions. The function must be pure and importable, partitions and results plain data."""

    @property
    def workers(self) -> int:
        """How many partitions run at the same time."""
        ...

    def map(self, function: Callable[[P], R], partitions: Iterable[P]) -> Iterator[R]:
        """`function` of each partition, in order.

        An exception of the function itself is raised as it is; a partition lost with its worker is
        run again. Raises StopFeed where one is lost again and again.
        """
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...
