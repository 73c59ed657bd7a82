"""From a decision back to all that made it: scores, models, runs, data, code, and the log.

What the bundle's manifest says is read from the bundle as it is kept here. Where it is not kept any
more, the run's own lines still say which version of the registry it was, and when it was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from visavox.errors import BundleError, NotFound, Sealed
from visavox.service.house import Actor, House
from visavox.service.links import Links
from visavox.store import Unit
from visavox.store.records import DecisionRecord, Role, Run, Trial


@dataclass(frozen=True, slots=True)
class Model:
    """One that took part, and where it comes from."""

    digest: str
    role: str
    """bundle, base, champion or challenger."""
    kept: bool
    """Whether it is still here, so that the decision can be made again."""
    note: str
    family: str | None = None
    members: int | None = None
    lineage: Mapping[str, Any] = field(default_factory=dict)
    captures: tuple[str, ...] = ()
    """What it learned from."""
    version: str | None = None
    """In the registry, of the model fridge-<fridge>."""


@dataclass(frozen=True, slots=True)
class Logged:
    """The record of a decision in the audit log."""

    seq: int
    digest: str
    linked: bool
    """Whether it is unaltered, and its neighbours in the chain hold it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """All that made a decision."""

    decision: DecisionRecord
    replayable: bool
    """Whether its probe is still there."""
    models: tuple[Model, ...]
    characterizer: Mapping[str, Any]
    run: Run | None
    """The retraining that made the bundle."""
    mlflow_run: str | None
    trial: Trial | None
    audit: Logged | None
    links: Mapping[str, str]
    """Addresses that open, by what they are of."""

    @property
    def model(self) -> Model | None:
        """The one that decided: the fridge's own or, before it was trained, the base."""
        return next(iter(self.models), None)


def trace(house: House, who: Actor, decision: str) -> Trace:
    who.need(Role.ADMIN, Role.AUDITOR)
    with house.store.read() as unit:
        record = unit.decisions.get(decision)
        who.reach(record.fridge)
        trial = unit.trials.get(decision)
        models = tuple(_models(house, unit, record, trial))
        own = models[0] if models and models[0].role != "base" else None
        run = None if own is None else _run(unit, own)
        mlflow_run = None if own is None else _text(own.lineage.get("mlflow"))
        if mlflow_run is None and run is not None:
            mlflow_run = _text(run.detail.get("mlflow"))
        return Trace(
            decision=record,
            replayable=_has_probe(unit, decision),
            models=models,
            characterizer=_card(house, record),
            run=run,
            mlflow_run=mlflow_run,
            trial=trial,
            audit=_logged(unit, record),
            links=_links(house.links, record, own, run, mlflow_run),
        )


def _models(house: House, unit: Unit, record: DecisionRecord, trial: Trial | None) -> list[Model]:
    found = []
    if record.bundle is not None:
        found.append(_model(house, unit, record.fridge, record.bundle, "bundle"))
    if trial is not None:
        for role, digest in (("champion", trial.champion), ("challenger", trial.challenger)):
            if digest not in {record.bundle, record.base, "none"}:
                found.append(_model(house, unit, record.fridge, digest, role))
    if record.base is not None:
        found.append(_base(house, record.base))
    return found


def _model(house: House, unit: Unit, fridge: str, digest: str, role: str) -> Model:
    version, run = _registered(unit, fridge, digest)
    try:
        parcel = house.models.slot(fridge).open(unit, digest)
    except BundleError as error:
        where = f"version {version} of" if version else "the versions of"
        note = f"{error.problem} Look at {where} fridge-{fridge} in the registry."
        return Model(
            digest, role, False, note, lineage={} if run is None else {"run": run}, version=version
        )
    manifest = parcel.manifest
    lineage = dict(manifest["lineage"])
    captures = tuple(str(c) for c in lineage.pop("captures", ()))
    reduced = lineage.pop("reduced", None)
    note = "It is kept here."
    if reduced is not None:
        note = f"It is kept here, less whoever was erased since; the last on {reduced['at']}."
    return Model(
        digest=digest,
        role=role,
        kept=True,
        note=note,
        family=str(manifest["discriminator"]["family"]),
        members=len(manifest["discriminator"]["members"]),
        lineage=lineage,
        captures=captures,
        version=version,
    )


def _base(house: House, digest: str) -> Model:
    now = house.models.base()
    try:
        if now is None or now.digest != digest:
            now = house.models.base_slot.load(digest, house.models.characterizer.digest)
    except BundleError as error:
        return Model(digest, "base", False, error.problem)
    return Model(
        digest=digest,
        role="base",
        kept=True,
        note="It knows no members: newcomers are enrolled on it.",
        family=now.discriminator.family,
        lineage=dict(now.lineage),
    )


def _registered(unit: Unit, fridge: str, digest: str) -> tuple[str | None, str | None]:
    """The registry's version of a bundle, and the run that registered it."""
    for line in reversed(unit.progress.of(fridge, step="register")):
        if line.detail.get("digest") == digest and line.detail.get("version") is not None:
            return str(line.detail["version"]), line.run
    return None, None


def _run(unit: Unit, model: Model) -> Run | None:
    name = model.lineage.get("run")
    if not isinstance(name, str):
        return None
    try:
        return unit.runs.get(name)
    except NotFound:
        return None


def _card(house: House, record: DecisionRecord) -> Mapping[str, Any]:
    nets = house.models.characterizer
    if record.characterizer is None:
        return {}
    if record.characterizer != nets.digest:
        return {"digest": record.characterizer, "serving": False}
    return {
        "digest": nets.digest,
        "serving": True,
        "name": nets.name,
        "population": nets.population,
        "face_sha256": nets.card.face.sha256,
        "voice_sha256": nets.card.voice.sha256,
        "versions": dict(nets.card.versions),
    }


def _logged(unit: Unit, record: DecisionRecord) -> Logged | None:
    for found in unit.audit.about(f"{record.fridge}/{record.id}"):
        if found.action == "decision":
            return Logged(found.seq, found.digest, unit.audit.linked(found))
    return None


def _has_probe(unit: Unit, decision: str) -> bool:
    try:
        unit.decisions.probe(decision)
    except Sealed:
        return False
    return True


def _links(
    links: Links,
    record: DecisionRecord,
    own: Model | None,
    run: Run | None,
    mlflow_run: str | None,
) -> dict[str, str]:
    found: dict[str, str | None] = {
        "decision": f"/v1/decisions/{record.id}",
        "fridge": f"/v1/fridges/{record.fridge}",
        "model": f"/v1/fridges/{record.fridge}/model",
    }
    lineage = {} if own is None else own.lineage
    if run is not None:
        found["retraining"] = f"/v1/retrainings/{run.id}"
        found["card"] = links.card(run.id, record.fridge)
    if own is not None:
        found["registry"] = links.registry
        if own.version is not None:
            found["model_version"] = links.model_version(record.fridge, own.version)
        if mlflow_run is not None:
            found["mlflow_run"] = links.mlflow_run(mlflow_run, record.fridge, own.digest)
    metaflow = _text(lineage.get("metaflow")) or (None if run is None else run.metaflow)
    tag = _text(lineage.get("ledger_tag")) or (None if run is None else run.data_version)
    for name, value, to in (
        ("metaflow", metaflow, links.metaflow),
        ("ledger", tag, links.ledger),
        ("data", _text(lineage.get("data_dvc")), links.data),
        ("commit", _text(lineage.get("commit")), links.commit),
    ):
        found[name] = None if value is None else to(value)
    return {name: address for name, address in found.items() if address is not None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
