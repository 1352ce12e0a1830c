"""Readings in Prometheus' text format (version 0.0.4).

Always true: made anew from one reading, so that no series outlives what it was about; nothing is
registered in the process.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shiprider.ports.metrics import Series


class _Given(Collector):
    def __init__(self, series: Iterable[Series]) -> None:
        self._series = series

    def collect(self) -> Iterator[Metric]:
        for each in self._series:
            kind = CounterMetricFamily if each.counts else GaugeMetricFamily
            family = kind(each.name, each.text, labels=each.labels)
            for values, number in each.values:
                family.add_metric(list(values), number)
            yield family


def text(series: Iterable[Series]) -> bytes:
    """What a scrape answers."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(series))
    return generate_latest(registry)
