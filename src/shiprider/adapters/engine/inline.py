"""The engine of one machine: here and now, one partition after the other, or in threads.

Always true: results are in order; no more partitions are under way than there are workers, so
memory is bounded by them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

P = TypeVar("P")
R = TypeVar("R")


class InlineEngine:
    """See `ports.engine.Engine`. Several workers help where the function releases the GIL."""

    def __init__(self, workers: int = 1) -> None:
        if workers < 1:
            raise ValueError("an engine has at least one worker")
        self._workers = workers

    @property
    def workers(self) -> int:
        """How many at the same time."""
        return self._workers

    def map(self, function: Callable[[P], R], partitions: Iterable[P]) -> Iterator[R]:
        """In order; see the port."""
        if self._workers == 1:
            yield from map(function, partitions)
            return
        with ThreadPoolExecutor(self._workers, thread_name_prefix="engine") as pool:
            waiting: deque[Future[R]] = deque()
            for partition in partitions:
                waiting.append(pool.submit(function, partition))
                if len(waiting) >= self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def close(self) -> None:
        """Nothing to let go."""
