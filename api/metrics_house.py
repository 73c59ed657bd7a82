"""What only the database knows, for Prometheus: the worker's queue and runs, looks, comparisons.

Read when it is asked for, and kept for a few seconds: a dozen small queries, whatever the number
of decisions. Looks are `watch`'s; no probe is opened here. Labels name fridges and features, of at
most so many fridges: those of which there is something to say come first.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from visavox.monitoring import looks, refusals
from visavox.monitoring.looks import Look, Looks
from visavox.service.house import House
from visavox.store import Unit

MOST: Final = 200
"""Fridges that are listed one by one."""
KEPT_S: Final = 10.0

Gauges = Iterator[GaugeMetricFamily]


class Household:
    """All gauges that come from the store."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._read: tuple[float, list[GaugeMetricFamily]] | None = None

    def of(self, house: House) -> Collector:
        """For one scrape."""
        return _Kept(self._gauges(house))

    def _gauges(self, house: House) -> list[GaugeMetricFamily]:
        with self._lock:  # whoever else asks meanwhile waits, and reads the same
            if self._read is None or self._clock() - self._read[0] >= KEPT_S:
                at = house.clock()
                with house.store.read() as unit:
                    made = [*_everything(house, unit, at)]
                self._read = self._clock(), made
            return self._read[1]


class _Kept(Collector):
    def __init__(self, gauges: list[GaugeMetricFamily]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._gauges


def _everything(house: House, unit: Unit, at: datetime) -> Gauges:
    found = looks.latest(unit, at=at)
    yield from _counts(unit)
    yield from _queue(unit, at)
    yield from _runs(unit)
    yield from _refusals(unit, at)
    yield from _experiments(house, unit)
    yield from _looks(found)


def _counts(unit: Unit) -> Gauges:
    for name, count in unit.figures.house().items():
        yield _gauge(f"visavox_{name}", f"How many {name.replace('_', ' ')} there are.", count)


def _queue(unit: Unit, at: datetime) -> Gauges:
    queue = unit.figures.queue()
    waits = 0.0 if queue.oldest is None else max(0.0, (at - queue.oldest).total_seconds())
    yield _gauge("visavox_retraining_queue", "Retrainings asked for and not done.", queue.waiting)
    yield _gauge("visavox_retraining_queue_age_seconds", "How long the oldest waits.", waits)
    yield _gauge("visavox_retraining_queue_tries", "The most tries of one of them.", queue.tries)
    yield _gauge("visavox_retraining_given_up", "Retrainings given up, ever.", queue.given_up)


def _runs(unit: Unit) -> Gauges:
    names = ("flow", "state")
    count = GaugeMetricFamily("visavox_runs", "Runs of the flows.", labels=names)
    took = GaugeMetricFamily("visavox_run_seconds", "Time of the latest run.", labels=names)
    last = GaugeMetricFamily(
        "visavox_run_timestamp_seconds", "When the latest was last heard of.", labels=names
    )
    for run in unit.figures.runs():
        labels = (run.flow, run.state)
        count.add_metric(labels, run.count)
        last.add_metric(labels, run.latest.timestamp())
        if run.seconds is not None:
            took.add_metric(labels, run.seconds)
    yield from (count, took, last)


def _refusals(unit: Unit, at: datetime) -> Gauges:
    found = unit.figures.refusals(since=at - refusals.WITHIN)
    family = GaugeMetricFamily(
        "visavox_kiosk_refusals",
        "The most refusals at one kiosk of the fridge in the last five minutes.",
        labels=("fridge",),
    )
    for fridge, refused in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST]:
        family.add_metric((fridge,), refused)
    yield family


def _experiments(house: House, unit: Unit) -> Gauges:
    trials = unit.figures.trials()
    state = GaugeMetricFamily(
        "visavox_experiment", "A comparison is on; always 1.", labels=("fridge", "mode")
    )
    size = GaugeMetricFamily(
        "visavox_experiment_trials", "Requests that both models answered.", labels=("fridge",)
    )
    # Whoever compares now has trials, from its first request on.
    compared = {fridge for fridge, _ in trials}
    standings = ((fridge, house.models.slot(fridge).now()) for fridge in sorted(compared))
    on = [(f, now.challenger) for f, now in standings if now is not None and now.challenger]
    for fridge, challenge in on[:MOST]:
        state.add_metric((fridge, challenge.mode.value), 1)
        size.add_metric((fridge,), trials.get((fridge, challenge.digest), 0))
    yield from (state, size)


def _looks(found: Looks) -> Gauges:
    listed = sorted(found.fridges.items(), key=lambda item: (-_urgency(item[1]), item[0]))
    yield _gauge(
        "visavox_fridges_unlisted", "Looked at, and not listed.", max(0, len(listed) - MOST)
    )
    if found.audit is not None:
        valid = float(found.audit.figures["valid"])
        yield _gauge("visavox_audit_chain_valid", "1 while the audit log's chain holds.", valid)
        yield _gauge(
            "visavox_audit_chain_timestamp_seconds",
            "When it was last walked.",
            found.audit.at.timestamp(),
        )
    some = dict(listed[:MOST])
    yield from _per_fridge(some)
    yield from _drift(some)
    yield from _accuracy(some)


def _urgency(look: Look) -> int:
    return len(look.figures["causes"]) + bool(look.figures["shares"]["jumped"])


_FIGURES: Final[Mapping[str, tuple[str, Callable[[Look], float]]]] = {
    "watch_timestamp_seconds": ("When the fridge was last looked at.", lambda k: k.at.timestamp()),
    "watch_decisions": ("Decisions in the window.", lambda k: k.figures["decisions"]),
    "retraining_causes": (
        "Causes to retrain that were found.", lambda k: len(k.figures["causes"])
    ),
    "grants_share_max": (
        "The largest share of the grants that one member has.",
        lambda k: k.figures["shares"]["largest"],
    ),
    "grants_share_gini": (
        "0 where all members are granted alike, 1 where one has all.",
        lambda k: k.figures["shares"]["gini"],
    ),
    "grants_share_jumped": (
        "1 where one member's share has jumped.", lambda k: float(k.figures["shares"]["jumped"])
    ),
}  # fmt: skip


def _per_fridge(some: Mapping[str, Look]) -> Gauges:
    for name, (said, value) in _FIGURES.items():
        family = GaugeMetricFamily(f"visavox_{name}", said, labels=("fridge",))
        for fridge, look in some.items():
            family.add_metric((fridge,), value(look))
        yield family


_DRIFT: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], float]]]] = {
    "drifted": ("1 where the feature has drifted.", lambda s: float(s["verdict"] == "drifted")),
    "drift_ks": ("KS distance.", lambda s: s["ks"]),
    "drift_ks_chance": ("What chance stays below, 99 times of 100.", lambda s: s["ks_chance"]),
    "drift_psi": ("Population stability index.", lambda s: s["psi"]),
    "drift_psi_chance": ("What chance stays below, 99 times of 100.", lambda s: s["psi_chance"]),
    "drift_p_value": ("Corrected for all features of the look.", lambda s: s["p"]),
    "drift_people": ("People who were compared.", lambda s: s["people"]),
}


def _drift(some: Mapping[str, Look]) -> Gauges:
    for name, (said, value) in _DRIFT.items():
        family = GaugeMetricFamily(f"visavox_{name}", said, labels=("fridge", "feature"))
        for fridge, look in some.items():
            for feature, shift in look.figures["drift"].items():
                if shift["verdict"] != "too_few":
                    family.add_metric((fridge, feature), value(shift))
        yield family


def _accuracy(some: Mapping[str, Look]) -> Gauges:
    names = ("fridge", "kind")
    errors = GaugeMetricFamily("visavox_label_errors", "Labelled wrong answers.", labels=names)
    trials = GaugeMetricFamily("visavox_labels", "Labelled answers.", labels=names)
    for fridge, look in some.items():
        for kind, rate in look.figures["accuracy"].items():
            errors.add_metric((fridge, kind), rate["errors"])
            trials.add_metric((fridge, kind), rate["trials"])
    yield from (errors, trials)


def _gauge(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, value=value)
