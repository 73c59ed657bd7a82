"""The steps of a retraining up to its verdicts. Each is one call, and a process of its own.

What they give is plain, and holds ids, digests, counts and figures alone: it is kept where members'
keys do not reach. A fridge that fails is told of in `errors`, and leaves the others alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from visavox.errors import BundleError
from visavox.service.sealed import SealedSlot
from visavox.training.production import card, fridge_fit, fridge_gate, workshop
from visavox.training.production import settings as recipes
from visavox.training.production.backgrounds import Cohort, ground
from visavox.training.production.fridge_proof import Champion, Enrolled
from visavox.training.production.ledger import Version
from visavox.training.production.sightings import Sightings, sightings
from visavox.training.production.telling import telling
from visavox.training.production.workshop import Workshop

Plan = Mapping[str, Any]
Given = Mapping[str, Any]


def snapshot(run: str, metaflow: str) -> dict[str, Any]:
    """Fix what the run is about: a version of the data, whatever changes meanwhile.

    `groups` are the fridges of each task, never none of them; `emptied` those without members.
    """
    with workshop.opened() as shop:
        with shop.store.read() as unit:
            mine = unit.runs.get(run)
        fridges, at = mine.fridges, shop.clock()
        with telling(shop, run, "snapshot", fridges) as told:
            version = shop.ledger.snapshot(shop.store, fridges, run=run, at=at)
            with shop.store.begin() as unit:
                unit.runs.note(
                    run, at=at, metaflow=metaflow, data_version=version.tag or version.commit
                )
            full = [f for f, data in version.fridges.items() if data.captures]
            for fridge in fridges:
                with told.of(fridge) as detail:
                    known = version.fridges.get(fridge)
                    detail["members"] = len(known.members) if known else 0
                    detail["captures"] = len(known.captures) if known else 0
            champions = {c.family for f in full if (c := _champion(shop, f)) is not None}
        groups = [list(g) for g in recipes.grouped(full, shop.recipe.groups)] or [[]]
        return {
            "run": run,
            "metaflow": metaflow,
            "mlflow": mine.detail.get("mlflow") or shop.registry.run(run),
            "version": version.to_json(),
            "groups": groups,
            "families": list(recipes.families(shop.recipe, sorted(champions))),
            "emptied": [f for f in fridges if f not in full],
        }


def features(plan: Plan, fridges: Sequence[str]) -> dict[str, Any]:
    """See every capture with the nets of today; what was seen before is only read."""
    version = Version.from_json(plan["version"])
    with (
        workshop.opened(plan.get("nets")) as shop,
        telling(shop, plan["run"], "features", fridges) as told,
    ):
        for fridge in fridges:
            with told.of(fridge) as detail:
                seen = _seen(shop, version, fridge)
                detail |= {"captures": len(seen.captures), "anew": seen.anew}
                detail["gone"] = len(seen.gone)
        return _left(fridges, told.errors)


def train(plan: Plan, group: Given, family: str) -> dict[str, Any]:
    """Fit and prove one family for each fridge; `trained` are the digests of what came of it."""
    fridges, errors = group["fridges"], dict(group["errors"])
    trained: dict[str, str] = {}
    version = Version.from_json(plan["version"])
    with (
        workshop.opened(plan.get("nets")) as shop,
        telling(shop, plan["run"], "train", fridges) as told,
    ):
        if fridges:
            cohort = Cohort.read(shop.recipe, shop.net_set.cohort)
            shared = ground(cohort, shop.recipe, family, cache=shop.places.backgrounds)
        for fridge in fridges:
            with told.of(fridge) as detail:
                detail["family"] = family
                champion = _champion(shop, fridge)
                if family not in shop.recipe.families and (
                    champion is None or champion.family != family
                ):
                    detail["state"] = "skipped"
                    continue
                data = version.of(fridge)
                enrolled = Enrolled.of(fridge, data.risk, _seen(shop, version, fridge))
                lineage = fridge_fit.lineage(
                    enrolled,
                    cohort,
                    shop.recipe,
                    family,
                    ledger_commit=version.commit,
                    ledger_tag=version.tag,
                    data_dvc=data.dvc,
                    data_sha256=data.sha256,
                    as_of=version.as_of.isoformat(),
                    run=plan["run"],
                    metaflow=plan["metaflow"],
                    mlflow=plan["mlflow"],
                )
                made = fridge_fit.train(shared, enrolled, shop.recipe, lineage, champion=champion)
                folder = shop.places.candidate(plan["run"], fridge, family)
                with shop.store.begin() as unit:
                    fridge_fit.keep(made, unit, folder, as_of=version.as_of)
                trained[fridge] = detail["digest"] = made.parcel.digest
        return {"family": family, "trained": trained, "errors": errors | told.errors}


def judge(plan: Plan, of_families: Sequence[Given]) -> dict[str, Any]:
    """Choose a family for each fridge, and gate it against the champion; and a page of each."""
    errors = {f: why for one in of_families for f, why in one["errors"].items()}
    by_family = {one["family"]: one["trained"] for one in of_families}
    trained = {
        fridge: [name for name in plan["families"] if fridge in by_family[name]]
        for fridge in sorted({f for one in of_families for f in one["trained"]})
    }
    fridges = [f for f in trained if f not in errors]
    verdicts: dict[str, Any] = {}
    pages: dict[str, str] = {}
    with (
        workshop.opened(plan.get("nets")) as shop,
        telling(shop, plan["run"], "judge", fridges) as told,
    ):
        for fridge in fridges:
            with told.of(fridge) as detail:
                folder = shop.places.run(plan["run"]) / fridge
                # In the order of the plan, so that a resumed run judges as the first would have.
                fitted = [fridge_fit.read(folder / name) for name in trained[fridge]]
                verdict = fridge_gate.judge(fitted, shop.recipe, _champion(shop, fridge))
                pages[fridge] = card.keep(verdict, fitted, folder)
                verdicts[fridge] = verdict.to_json()
                detail |= {"passed": verdict.passed, "family": verdict.family}
                detail |= {"digest": verdict.digest, "reasons": list(verdict.reasons)}
        return {"verdicts": verdicts, "errors": errors | told.errors, "html": card.together(pages)}


def _left(fridges: Sequence[str], errors: Mapping[str, str]) -> dict[str, Any]:
    return {"fridges": [f for f in fridges if f not in errors], "errors": dict(errors)}


def _seen(shop: Workshop, version: Version, fridge: str) -> Sightings:
    return sightings(
        shop.store,
        shop.ledger,
        version,
        fridge,
        shop.perception.characterizer,
        perception=shop.perception,
    )


def _champion(shop: Workshop, fridge: str) -> Champion | None:
    """What serves now; None where that is the base, or a bundle that nobody can open."""
    slot = SealedSlot(shop.settings.models, fridge)
    now = slot.now()
    if now is None:
        return None
    with shop.store.read() as unit:
        try:
            parcel = slot.open(unit, now.champion)
        except BundleError:
            return None
    # Whatever nets it was for: its recipe is fitted anew, to what is seen today.
    return Champion.of(parcel.bundle(parcel.characterizer))
