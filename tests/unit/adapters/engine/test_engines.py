"""Every engine gives the results of the built-in map, in order, also when a node dies midway."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shiprider.adapters.engine.inline import InlineEngine
from shiprider.adapters.engine.ray import RayEngine


def work(number: int) -> str:
    """Pure, and long enough to be interrupted."""
    digest = hashlib.sha256(str(number).encode())
    for _ in range(20_000):
        digest.update(digest.digest())
    return digest.hexdigest()


def slow_work(partition: tuple[int, str]) -> str:
    number, folder = partition
    import ray

    node = ray.get_runtime_context().get_node_id()
    (Path(folder) / f"{number}-{node}-{os.getpid()}").touch()
    time.sleep(0.8)
    return work(number)


def _until_begun(folder: Path, node: str) -> None:
    """Wait until the node to be killed is in the middle of a partition that just began."""
    before = set(folder.glob(f"*-{node}-*"))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if set(folder.glob(f"*-{node}-*")) - before:
            return
        time.sleep(0.01)
    raise AssertionError("the other node never began a partition")


def failing(number: int) -> int:
    if number == 3:
        raise ValueError("the third")
    return number


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_inline_is_map(workers: int) -> None:
    engine = InlineEngine(workers)
    assert list(engine.map(work, range(12))) == list(map(work, range(12)))
    with pytest.raises(ValueError, match="the third"):
        list(engine.map(failing, range(12)))
    engine.close()


def test_inline_takes_no_more_partitions_than_workers() -> None:
    asked: list[int] = []

    def partitions() -> Iterator[int]:
        for number in range(20):
            asked.append(number)
            yield number

    results = InlineEngine(3).map(work, partitions())
    next(results)
    assert len(asked) <= 4


@pytest.mark.slow
def test_ray_gives_the_same_with_one_of_two_nodes_killed_midway(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="the cluster extra is not installed")
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = f"{Path(__file__).parent}:{os.environ.get('PYTHONPATH', '')}"
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    engine = RayEngine(cluster.address)
    try:
        assert engine.workers == 2
        partitions = [(number, str(tmp_path)) for number in range(24)]
        results = engine.map(slow_work, partitions)
        got = [next(results)]
        _until_begun(tmp_path, other.node_id)
        cluster.remove_node(other, allow_graceful=False)
        got += list(results)
        assert got == [work(number) for number in range(24)]
        begun = [path.name.split("-")[0] for path in tmp_path.iterdir()]
        assert len(begun) > 24, "a partition was lost with its node and run again"
        with pytest.raises(ValueError, match="the third"):
            list(engine.map(failing, range(6)))
    finally:
        engine.close()
        ray.shutdown()
        cluster.shutdown()
