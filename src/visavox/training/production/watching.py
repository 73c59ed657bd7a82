"""Look at what production sees, and ask for a retraining where one is due.

    look(store, models, fridges, rules, at=…)

Per fridge: open the window's probes in memory, judge, and write in one transaction what follows:
a request to retrain with its cause, an event that says why, an event per alarm. Each is written
once, however often and by how many at once it is looked at. The figures of the look are kept as a
run of the flow `watch`, from where the API shows them to Prometheus.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from visavox.bundle import Bundle
from visavox.config import validated
from visavox.errors import BundleError, NotFound
from visavox.monitoring import accuracy, reference, windows
from visavox.monitoring.accuracy import Labelled
from visavox.monitoring.looks import AUDIT, FLOW, FRIDGES
from visavox.monitoring.reference import Reference
from visavox.monitoring.report import Report, judged
from visavox.monitoring.windows import Eyes, Period
from visavox.service.house import Actor
from visavox.service.sealed import SealedSlot
from visavox.store import Store, Unit
from visavox.store.records import Event, RunState
from visavox.training.production.due import Cause, Learned, WatchSettings, causes, fresh, why

log = logging.getLogger(__name__)

DUE, JUMP, REFUSALS = "retraining_due", "share_jump", "refusals"
_REASON = 80


@dataclass(frozen=True, slots=True)
class Found:
    """One fridge, looked at."""

    report: Report
    causes: tuple[Cause, ...]
    request: str | None = None
    """The id of the retraining that was asked for by this look."""

    def to_json(self) -> dict[str, Any]:
        """Plain figures; no member is named."""
        return self.report.to_json() | {
            "causes": [cause.key for cause in self.causes],
            "why": why(self.causes),
            "request": self.request,
        }


def rules(path: Path | None = None) -> WatchSettings:
    """Those of configs/monitoring/watch.yaml, or of another file."""
    if path is None:
        from visavox.training.stage import configs  # here: it costs a second

        name = "monitoring/watch"
        path = configs(name) / f"{name}.yaml"
    said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return validated(WatchSettings, said, source=f"rules {path}")


def look(
    store: Store,
    models: Path,
    fridges: Sequence[str],
    rules: WatchSettings,
    *,
    at: datetime,
    metaflow: str | None = None,
) -> dict[str, Found]:
    """Each of these fridges; one that cannot be looked at does not keep the others from it.

    `models` is where the live bundles are.
    """
    found: dict[str, Found] = {}
    failed: dict[str, str] = {}
    for fridge in fridges:
        try:
            found[fridge] = _one(store, models, fridge, rules, at)
        except NotFound:  # removed meanwhile
            continue
        except BundleError as error:
            log.warning("%s could not be looked at: %s", fridge, error.problem)
            failed[fridge] = error.problem
    detail = {FRIDGES: {fridge: one.to_json() for fridge, one in found.items()}}
    with store.begin() as unit:
        run = unit.runs.begin(
            FLOW, [*found, *failed], reason="every fridge is looked at", at=at, detail=detail
        )
        unit.runs.note(run.id, at=at, step="look", metaflow=metaflow)
        state = RunState.FAILED if failed else RunState.DONE
        said = "; ".join(f"{fridge}: {problem}" for fridge, problem in failed.items())
        unit.runs.end(run.id, state, at=at, error=said or None)
    return found


def verify(store: Store, *, at: datetime) -> bool:
    """Walk the audit log from its start; whether its chain holds. Kept as a look of its own."""
    with store.read() as unit:
        found = unit.audit.verify()
    if not found.valid:
        log.error("the audit log's chain is broken: %s", found.problem)
    detail = {AUDIT: {"valid": found.valid, "records": found.records}}
    with store.begin() as unit:
        run = unit.runs.begin(FLOW, [], reason="the audit log is walked", at=at, detail=detail)
        state = RunState.DONE if found.valid else RunState.FAILED
        unit.runs.end(run.id, state, at=at, error=found.problem)
    return found.valid


def _one(store: Store, models: Path, fridge: str, rules: WatchSettings, at: datetime) -> Found:
    with store.read() as unit:
        bundle = _live(unit, models, fridge)
        report = _report(unit, fridge, bundle, rules, at)
        captures = unit.figures.captures(fridge)
    learned = None if bundle is None else _learned(bundle)
    found = causes(report, learned, captures, at=at, rules=rules)
    with store.begin() as unit:
        unit.fridges.lock(fridge)
        _alarm(unit, fridge, report, rules, at)
        return _ask(unit, fridge, Found(report, found), rules, at)


def _live(unit: Unit, models: Path, fridge: str) -> Bundle | None:
    unit.fridges.get(fridge)  # before its id names a folder
    slot = SealedSlot(models, fridge)
    if slot.stamp() is None:
        return None
    parcel = slot.open(unit, slot.pointer())
    return parcel.bundle(parcel.characterizer)


def _report(
    unit: Unit, fridge: str, bundle: Bundle | None, rules: WatchSettings, at: datetime
) -> Report:
    known = Reference() if bundle is None else reference.read(bundle.reference)
    since = at - timedelta(days=rules.days)
    window = Period(since, at, rules.most)
    earlier = Period(since - timedelta(days=rules.before), since, rules.most)
    eyes, digest = Eyes(), None
    if bundle is not None:
        eyes, digest = Eyes(bundle.characterizer_digest, known.centres), bundle.digest
    now = windows.seen(unit, fridge, window, eyes=eyes, bundle=digest)
    roster = unit.members.roster(fridge)
    came = {one.likely: None for one in now if one.likely in roster}
    labelled = unit.figures.labelled(fridge, since=since, until=at)
    return judged(
        now,
        windows.seen(unit, fridge, earlier),
        bundle=digest,
        reference=known,
        enrolled=windows.enrolled(unit, fridge, came, eyes),
        accuracy=accuracy.measured(Labelled(granted, really) for granted, really in labelled),
        members=len(roster),
        false_alarms=rules.false_alarms,
        material=rules.material,
    )


def _learned(bundle: Bundle) -> Learned:
    captures, as_of = bundle.lineage.get("captures"), bundle.lineage.get("as_of")
    return Learned(
        captures=frozenset(map(str, captures)) if isinstance(captures, list | tuple) else None,
        as_of=datetime.fromisoformat(as_of) if isinstance(as_of, str) else None,
    )


def _ask(unit: Unit, fridge: str, found: Found, rules: WatchSettings, at: datetime) -> Found:
    """A retraining for what nobody has asked one for; one that is pending answers everything."""
    if not found.causes or unit.retraining.pending(fridge):
        return found
    lately = _events(unit, fridge, DUE, at - timedelta(days=rules.again))
    asked = {key for event in lately for key in event.detail.get("causes", ())}
    new = fresh(found.causes, asked)
    if not new:
        return found
    keys = [cause.key for cause in new]
    reason = f"watch: {', '.join(keys)}"
    reason = reason if len(reason) <= _REASON else f"{reason[: _REASON - 1]}…"
    made = unit.retraining.request(fridge, reason=reason, at=at)
    detail: Mapping[str, Any] = {"causes": keys, "why": why(new), "retraining": made.id}
    unit.events.add(at=at, fridge=fridge, kind=DUE, detail=detail)
    Actor.operator().note(unit, at, "retraining.ask", fridge, retraining=made.id, reason=reason)
    return Found(found.report, found.causes, made.id)


def _alarm(unit: Unit, fridge: str, report: Report, rules: WatchSettings, at: datetime) -> None:
    """Events for an admin to read: whose share has jumped, at which kiosk refusals came thick."""
    since = at - timedelta(days=rules.days)
    shares = report.shares
    if shares.jumped is not None:
        told = {event.detail.get("member") for event in _events(unit, fridge, JUMP, since)}
        if shares.jumped not in told:
            said = {"member": shares.jumped, "rise": round(shares.rise, 3), "p": shares.p}
            unit.events.add(at=at, fridge=fridge, kind=JUMP, detail=said)
    known = {
        (event.kiosk, event.detail.get("since")) for event in _events(unit, fridge, REFUSALS, since)
    }
    for burst in report.bursts:
        begun = burst.since.isoformat()
        if burst.alarming and (burst.kiosk, begun) not in known:
            told_of = {"refusals": burst.refusals, "since": begun}
            unit.events.add(at=at, fridge=fridge, kiosk=burst.kiosk, kind=REFUSALS, detail=told_of)


def _events(unit: Unit, fridge: str, kind: str, since: datetime) -> tuple[Event, ...]:
    return unit.events.page(fridges=(fridge,), kind=kind, since=since, limit=200).items
