"""The steps by which other nets take over: seen, proved, every fridge trained, then all as one.

    begin → prepare(cohort, base) → per group: features → per family: train → judge → promote

Up to the last step nothing that serves is touched: all lies under the new nets' own folder
(`store.nets`), and in the run's. A fridge that fails, or does not pass its gate, fails the run.
"""

import logging
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from visavox import __version__, bundle, manifest
from visavox.characterizer.folder import CARD, read_card, read_net
from visavox.errors import GateRefused, VisavoxError
from visavox.service import succession
from visavox.service.succession import Behind
from visavox.store import Unit
from visavox.store.nets import NetSet
from visavox.store.records import Run, RunState
from visavox.table import EmbeddingTable
from visavox.training import feature_table, provenance
from visavox.training.base import FRIDGE, Newcomers, fit_base
from visavox.training.characterizer.verification import Trials, trials
from visavox.training.embedding import embed
from visavox.training.feature_table import Features
from visavox.training.intervals import percentile
from visavox.training.metrics import eer
from visavox.training.production import fridge_fit, steps, workshop
from visavox.training.production.backgrounds import Cohort
from visavox.training.production.settings import Recipe
from visavox.training.production.workshop import Workshop
from visavox.types import Modality

log = logging.getLogger(__name__)

CHARACTERIZE = "characterize"
ROUNDS = 5
"""How often fridges that change meanwhile are trained again before the run gives up."""
WORSE = 0.01
"""By how much the equal error rate of strangers may be worse, at the end of its interval."""

Plan = Mapping[str, Any]
Given = Mapping[str, Any]


def ask(shop: Workshop, folder: Path, *, reason: str) -> Run:
    """A run that would let the nets in `folder` take over everywhere."""
    digest = read_card(folder).digest
    with shop.store.begin() as unit:
        fridges = succession.everywhere(unit)
        return unit.runs.begin(
            CHARACTERIZE,
            fridges,
            reason=reason,
            at=shop.clock(),
            detail={"nets": str(folder.absolute()), "characterizer": digest},
        )


def begin(run: str, metaflow: str) -> dict[str, Any]:
    """Take the nets in, whole, and fix the version of the data."""
    with workshop.opened() as shop, _failing(shop, run):
        with shop.store.read() as unit:
            detail = unit.runs.get(run).detail
        digest = take_in(shop.settings.net_set.home, Path(detail["nets"]))
    return {**steps.snapshot(run, metaflow), "nets": digest}


def broken_off(shop: Workshop, run: str) -> None:
    """The flow has ended without a word: so has the run."""
    with shop.store.begin() as unit:
        why = unit.progress.last_error(run) or "The flow was broken off."
        _ended(unit, run, why, at=shop.clock())


def take_in(home: Path, folder: Path) -> str:
    """A copy of the nets, verified, among the sets that could serve; their digest."""
    said = read_card(folder)
    into = NetSet(home, said.digest)
    assert into.nets is not None
    if not (into.nets / CARD).is_file():
        half = into.root / f".half-{secrets.token_hex(4)}"
        try:
            shutil.copytree(folder, half)
            for net in (said.face, said.voice):
                read_net(half, net)
            half.replace(into.nets)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return read_card(into.nets).digest


def prepare(plan: Plan, *, workers: int = 0) -> dict[str, Any]:
    """See the cohort with the new nets, prove that they tell strangers apart no worse, and fit the
    base that newcomers are enrolled on. GateRefused where they are worse."""
    with workshop.opened(plan["nets"]) as shop, _failing(shop, plan["run"]):
        old = Cohort.read(shop.recipe, shop.settings.net_set.cohort)
        new = _cohort(shop, workers or provenance.cores())
        found = compared(old, new, shop.recipe)
        worse = {m: one["worse"] for m, one in found.items() if one["high"] > WORSE}
        if worse:
            said = ", ".join(f"{m} {by:+.4f}" for m, by in worse.items())
            raise GateRefused(
                f"The new nets may tell strangers apart worse (equal error rate: {said}).",
                next_step="Train them longer, or on more people.",
            )
        made = _base(shop, new)
    return {"compared": found, "base": made, "cohort": new.sha256}


def compared(
    old: Cohort, new: Cohort, recipe: Recipe, *, replicates: int = 200
) -> dict[str, dict[str, float]]:
    """How much worse the new nets tell the cohort apart, with the same people drawn for both."""
    told = {}
    for modality in Modality:
        before, after = (_of(c, modality) for c in (old, new))
        drawn = np.random.default_rng(recipe.seed)
        people = before.scores.shape[1]
        differences = [_eer(after, None) - _eer(before, None)]
        for _ in range(replicates):
            chosen = np.unique(drawn.integers(people, size=people))
            differences.append(_eer(after, chosen) - _eer(before, chosen))
        spread = percentile(np.asarray(differences[1:]))
        told[modality.value] = {
            "before": _eer(before, None),
            "after": _eer(after, None),
            "worse": differences[0],
            "low": min(spread.low, differences[0]),
            "high": max(spread.high, differences[0]),
        }
    return told


def promote(plan: Plan, of_groups: Sequence[Given]) -> dict[str, Any]:
    """Everything takes over at once, or nothing does: GateRefused, and all is as it was.

    Fridges that have changed since are trained again before, as often as it takes, within reason.
    """
    with workshop.opened(plan["nets"]) as shop, _failing(shop, plan["run"]):
        _staged(shop, plan, of_groups)
        for again in range(ROUNDS):
            try:
                chosen = succession.succeed(shop.house, shop.actor(plan["run"]))
                break
            except Behind as behind:
                log.info("%d fridges have changed meanwhile", len(behind.fridges))
                if again == ROUNDS - 1:
                    raise
                _caught_up(shop, plan, behind.fridges, again)
        at = shop.clock()
        with shop.store.begin() as unit:
            unit.runs.end(plan["run"], RunState.DONE, at=at)
            unit.progress.add(plan["run"], None, "end", "done", chosen.to_json(), at=at)
    return chosen.to_json()


def _staged(shop: Workshop, plan: Plan, of_groups: Sequence[Given]) -> None:
    """Put every candidate beside what serves."""
    errors = {f: why for one in of_groups for f, why in one["errors"].items()}
    verdicts = {f: v for one in of_groups for f, v in one["verdicts"].items()}
    refused = {f: " ".join(v["reasons"]) for f, v in verdicts.items() if not v["passed"]}
    if wrong := errors | refused:
        fridge = min(wrong)
        raise GateRefused(
            f"{len(wrong)} of {len(verdicts) + len(errors)} fridges cannot be served with the new"
            f" nets, so none is. {fridge}: {wrong[fridge]}",
            next_step="Read the fridges' cards, and train other nets.",
        )
    who = shop.actor(plan["run"])
    for fridge, verdict in verdicts.items():
        folder = shop.places.candidate(plan["run"], fridge, verdict["family"])
        sealed = (folder / fridge_fit.PARCEL).read_bytes()
        try:
            succession.prepare(shop.house, who, fridge, sealed, verdict["digest"])
        except VisavoxError as error:  # somebody was erased since: it is trained again
            log.info("%s: %s", fridge, error.problem)


def _caught_up(shop: Workshop, plan: Plan, fridges: Sequence[str], again: int) -> None:
    """Train those that have changed, as the steps before did."""
    own = f"{plan['run']}-{again + 1}"
    version = shop.ledger.snapshot(shop.store, fridges, run=own, at=shop.clock())
    newer = {**plan, "version": version.to_json()}
    full = [f for f, data in version.fridges.items() if data.captures]
    group = steps.features(newer, full)
    trained = [steps.train(newer, group, family) for family in plan["families"]]
    _staged(shop, plan, [steps.judge(newer, trained)])


def _cohort(shop: Workshop, workers: int) -> Cohort:
    """The same strangers as the new nets see them; made once."""
    path, nets = shop.net_set.cohort, shop.perception.characterizer
    assert path is not None
    if not path.is_file():
        root = shop.recipe.cohort_root
        rows = manifest.read(root).rows
        seen = [one for _, one in embed(root, rows, nets=str(shop.net_set.nets), workers=workers)]
        table = EmbeddingTable.of(
            [r.capture for r in rows], seen, face_dim=nets.face_dim, voice_dim=nets.voice_dim
        )
        feature_table.write(path, Features(table, nets.name, nets.digest, nets.population))
    return Cohort.read(shop.recipe, path)


def _base(shop: Workshop, cohort: Cohort) -> str:
    how = shop.recipe.of_family("plda")
    made = fit_base(
        cohort.table,
        cohort.people,
        how,
        Newcomers(),
        seed=shop.recipe.seed,
        sessions=cohort.sessions,
    )
    code = provenance.commit()
    with tempfile.TemporaryDirectory() as folder:
        written = bundle.write(
            Path(folder),
            fridge=FRIDGE,
            discriminator=made.fitted.discriminator,
            policy=made.fitted.policy,
            characterizer_digest=cohort.characterizer,
            population=cohort.population,
            lineage={
                "visavox": __version__,
                "commit": code.sha,
                "dirty": code.dirty,
                "cohort": cohort.name,
                "cohort_sha256": cohort.sha256,
                "config_sha256": provenance.digest(asdict(how)),
                "seed": shop.recipe.seed,
            },
            reference=made.drift,
        )
        return succession.prepare_base(shop.house, shop.actor("characterize"), written)


def _of(cohort: Cohort, modality: Modality) -> Trials:
    """Everybody's other captures against the first; who gave but one is left out."""
    column = cohort.table.column(modality)
    present = [int(i) for i in np.flatnonzero(column.present)]
    counted = Counter(cohort.people[i] for i in present)
    rows = [i for i in present if counted[cohort.people[i]] > 1]
    number = {name: k for k, name in enumerate(dict.fromkeys(cohort.people[i] for i in rows))}
    labels = np.array([number[cohort.people[i]] for i in rows], np.int64)
    return trials(column.vectors[rows].astype(np.float32), labels, enrol=1)


def _eer(of: Trials, people: Any) -> float:
    """Among these people alone; all of them without."""
    if people is None:
        return float(eer(of.mated, of.foreign))
    rows = np.flatnonzero(np.isin(of.owner, people))
    some = Trials(of.scores[rows][:, people], np.searchsorted(people, of.owner[rows]))
    return float(eer(some.mated, some.foreign))


@contextmanager
def _failing(shop: Workshop, run: str) -> Iterator[None]:
    """Where a step fails for good, the run is over, and says why."""
    try:
        yield
    except VisavoxError as error:
        with shop.store.begin() as unit:
            _ended(unit, run, f"{error.problem} {error.next_step}", at=shop.clock())
        raise


def _ended(unit: Unit, run: str, why: str, *, at: datetime) -> None:
    """It is over, and says why; once, however often a step is tried again."""
    if unit.runs.end(run, RunState.FAILED, at=at, error=why):
        unit.progress.add(run, None, "end", "failed", {"error": why}, at=at)
