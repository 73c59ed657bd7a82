"""What is counted, for Prometheus. Labels name routes, fridges and models; never members or keys."""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api import counting
from api.metrics_decisions import Distributions
from api.metrics_house import Household
from visavox.service import models
from visavox.service.answer import Answer
from visavox.service.house import Actor, House

_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.08, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_STAGE_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)


class Metrics:
    """One application's counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self._decisions = Counter(
            "visavox_decisions", "Decisions.", ("fridge", "method", "outcome"), registry=r
        )
        self._stages = Histogram(
            "visavox_stage_seconds", "Time in each room.", ("stage",), buckets=_STAGE_S, registry=r
        )
        self._requests = Histogram(
            "visavox_request_seconds",
            "Time of requests.",
            ("method", "route", "status"),
            buckets=_REQUEST_S,
            registry=r,
        )
        self._distributions = Distributions(r)
        self._household = Household()
        self.in_flight = Gauge(
            "visavox_requests_in_flight",
            "Requests being answered.",
            multiprocess_mode="livesum",
            registry=r,
        )
        self.overloads = Counter(
            "visavox_overload_refusals", "Requests told to come back later.", registry=r
        )
        self.abandoned = Counter(
            "visavox_requests_abandoned", "Clients that left before their turn.", registry=r
        )

    def decided(self, answer: Answer) -> None:
        d = answer.decision
        self._decisions.labels(d.fridge, d.method.value, d.outcome.value).inc()
        self._distributions.decided(answer)

    def stage(self, name: str, seconds: float) -> None:
        """As `visavox.perception.OnStage`."""
        self._stages.labels(name).observe(seconds)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).observe(seconds)

    def text(self, house: House) -> bytes:
        """All counts, of all workers, and which models are live in this one."""
        registry = CollectorRegistry()
        if counting.FOLDER in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(_Registry(self.registry))
        registry.register(_Live(house))
        registry.register(self._household.of(house))
        return generate_latest(registry)


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class _Registry(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._registry.collect()  # type: ignore[return-value]


class _Live(Collector):
    """What is served, as it is when it is asked for."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterable[GaugeMetricFamily]:
        names = ("fridge", "bundle", "base", "family", "characterizer")
        family = GaugeMetricFamily("visavox_model_info", "Live models; always 1.", labels=names)
        for labels in live(self._house):
            family.add_metric(labels, 1.0)
        yield family


def live(house: House) -> list[tuple[str, str, str, str, str]]:
    """Fridge, bundle, base, family and Characterizer of every fridge."""
    found: list[tuple[str, str, str, str, str]] = []
    cursor: str | None = None
    while True:
        some = models.page(house, Actor.operator(), limit=200, cursor=cursor)
        found += [
            (m.fridge, m.bundle or "", m.base or "", m.family or "", m.characterizer)
            for m in some.items
        ]
        cursor = some.next_cursor
        if cursor is None:
            return found
