"""The engine of many machines: Ray core tasks, one per partition.

Always true: a partition lost with its node is run again elsewhere; results are in order; at most
two partitions per worker are under way, so a driver's memory is bounded.
"""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from shiprider.model.errors import MissingExtra, StopFeed

P = TypeVar("P")
R = TypeVar("R")

#: How often a partition whose node died is run again.
RETRIES: Final = 5


class RayEngine:
    """See `ports.engine.Engine`. `address` of a running cluster, or None to start one here."""

    def __init__(self, address: str | None = None, *, workers: int | None = None) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtra(
                'The Ray engine is not installed: add it with `pip install "shiprider[cluster]"`.'
            ) from None
        self._ray: Any = ray
        self._own = not ray.is_initialized()
        if self._own:
            # One thread per task: partitions are the parallelism, and a node's cores are counted so.
            environment = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            ray.init(
                address=address,
                num_cpus=workers if address is None else None,
                runtime_env={"env_vars": environment},
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )

    @property
    def workers(self) -> int:
        """Cores of the cluster now."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map(self, function: Callable[[P], R], partitions: Iterable[P]) -> Iterator[R]:
        """In order; see the port."""
        task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(function)
        waiting: deque[Any] = deque()
        for partition in partitions:
            waiting.append(task.remote(partition))
            if len(waiting) >= 2 * self.workers:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, reference: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            raise error.cause from None
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError) as error:
            raise StopFeed(
                f"A partition was lost {RETRIES} times with its worker: look at the cluster's nodes."
            ) from error

    def close(self) -> None:
        """Leave the cluster."""
        if self._own:
            self._ray.shutdown()
