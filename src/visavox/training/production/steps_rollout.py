"""The steps of a retraining after its verdicts: what passed serves, or is tried, or is undone.

Each may be done again at any time, and has one effect. `fates` say what became of each fridge;
`errors` are of those that are to be tried again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from visavox.errors import NotFound
from visavox.service import models
from visavox.store.retraining import Patience
from visavox.training.production import card, outbox, rollout, workshop
from visavox.training.production.rollout import State
from visavox.training.production.telling import telling
from visavox.training.production.workshop import Workshop

Plan = Mapping[str, Any]
Given = Mapping[str, Any]


def register(plan: Plan, of_groups: Sequence[Given]) -> dict[str, Any]:
    """Make what passed a version of its fridge's model, sealed, with all that is known of it."""
    errors = {f: why for one in of_groups for f, why in one["errors"].items()}
    verdicts = {f: v for one in of_groups for f, v in one["verdicts"].items()}
    fates: dict[str, Any] = {}
    with workshop.opened() as shop, telling(shop, plan["run"], "register", verdicts) as told:
        for fridge, said in verdicts.items():
            with told.of(fridge) as detail:
                detail |= {"family": said["family"], "digest": said["digest"]}
                if not said["passed"]:
                    fates[fridge] = {**detail, "state": "refused", "reasons": said["reasons"]}
                    detail["state"] = "skipped"
                    continue
                folder = shop.places.candidate(plan["run"], fridge, said["family"])
                page = (folder.parent / card.NAME).read_text(encoding="utf-8")
                made = shop.registry.register(folder, said, run=plan["run"], page=page)
                detail["version"] = made.version
                fates[fridge] = {**detail, "state": "registered"}
        return {"fates": fates, "errors": errors | told.errors}


def deploy(plan: Plan, registered: Given) -> dict[str, Any]:
    """Let what was registered serve, or try it beside what serves; who has no members any more is
    served by the base again."""
    fates, errors = dict(registered["fates"]), dict(registered["errors"])
    chosen = [f for f, fate in fates.items() if fate["state"] == "registered"]
    with (
        workshop.opened() as shop,
        telling(shop, plan["run"], "deploy", [*chosen, *plan["emptied"]]) as told,
    ):
        who = shop.actor(plan["run"])
        for fridge in chosen:
            with told.of(fridge) as detail:
                folder = shop.places.candidate(plan["run"], fridge, fates[fridge]["family"])
                way = rollout.deploy(shop.house, who, folder, shop.recipe.rollout)
                detail["place"] = way.place.value
                fates[fridge] = {**fates[fridge], "state": way.place.value}
        for fridge in plan["emptied"]:
            with told.of(fridge) as detail:
                detail["place"] = "base"
                _emptied(shop, plan, fridge)
                fates[fridge] = {"state": "base"}
        return {"fates": fates, "errors": errors | told.errors}


def verify(plan: Plan, deployed: Given) -> dict[str, Any]:
    """See that what serves answers as it was trained to; where it does not, the former champion
    is back at once."""
    fates, errors = dict(deployed["fates"]), dict(deployed["errors"])
    serving = [f for f, fate in fates.items() if fate["state"] in ("champion", "challenger")]
    with workshop.opened() as shop, telling(shop, plan["run"], "verify", serving) as told:
        for fridge in serving:
            with told.of(fridge) as detail:
                folder = shop.places.candidate(plan["run"], fridge, fates[fridge]["family"])
                found = rollout.verify(shop.house, shop.actor(plan["run"]), folder)
                detail["verified"] = found.state.value
                if found.reasons:
                    detail["reasons"] = list(found.reasons)
                if found.state is State.FAILED:
                    detail["state"] = "failed"
                    errors[fridge] = f"It was rolled back. {' '.join(found.reasons)}"
                    fates[fridge] = {**fates[fridge], "state": "rolled_back"}
        return {"fates": fates, "errors": errors | told.errors}


def conclude(plan: Plan, verified: Given) -> dict[str, Any]:
    """Finish the requests that this run took on, and no others; and the run."""
    fates, errors = dict(verified["fates"]), dict(verified["errors"])
    with workshop.opened() as shop:
        at = shop.clock()
        with shop.store.begin() as unit:
            run = outbox.check(unit, plan["run"], step="end", at=at)
            # A fridge that no step tells of has not been retrained.
            silent = {f: "No step has told of it." for f in run.fridges if f not in fates}
            for fridge, fate in fates.items():
                if fate["state"] == "refused" and fridge not in errors:
                    detail = {"run": run.id, "digest": fate["digest"], "reasons": fate["reasons"]}
                    unit.events.add(at=at, fridge=fridge, kind="retraining_refused", detail=detail)
            outbox.finish(unit, run, silent | errors, at=at, attempts=Patience().attempts)
    return {"fates": fates, "errors": silent | errors}


def _emptied(shop: Workshop, plan: Plan, fridge: str) -> None:
    """Take a model out of service that knows nobody; there may be none, nor the fridge."""
    if shop.house.models.slot(fridge).now() is None:
        return
    try:
        models.remove(shop.house, shop.actor(plan["run"]), fridge)
    except NotFound:  # the fridge is no more, and its models went with it
        return
