"""A cluster of several nodes on this one machine: to try what a real one would do.

Always true: each simulated node is processes of its own with the cores it is given, so losing one
is like losing a machine.
"""

from typing import Any

from shiprider.adapters.engine.ray import RayEngine
from shiprider.model.errors import MissingExtra


class SimulatedCluster:
    """So many nodes of one thread each, and the engine on them. Raises MissingExtra."""

    def __init__(self, nodes: int) -> None:
        try:
            import ray
            from ray.cluster_utils import Cluster
        except ImportError:
            raise MissingExtra(
                'The Ray engine is not installed: add it with `pip install "shiprider[cluster]"`.'
            ) from None
        self._ray: Any = ray
        self._cluster: Any = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        for _ in range(nodes - 1):
            self._cluster.add_node(num_cpus=1)
        self._cluster.wait_for_nodes()
        self.engine = RayEngine(self._cluster.address)

    def close(self) -> None:
        """Stop all of it."""
        self.engine.close()
        self._ray.shutdown()
        self._cluster.shutdown()
